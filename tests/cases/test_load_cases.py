"""Cases C01 to C06 as a user meets them: what is read is what was written, by whatever way it comes in."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest
import yaml

from tests.cases.conftest import (
    CHAT,
    LAYERS,
    LLM,
    RESOURCE,
    SERVICE,
    SET,
    Clock,
    Layered,
    problems_of,
    run_limited,
)
from tests.conftest import Project, Served

WORDS = ("no", "NO", "No", "off", "Off", "on", "yes", "Yes", "y", "Y", "n", "True", "FALSE", "Null", "NULL", "=")
LOOKALIKES = (
    *("010", "08", "00", "0o17", "0x1F", "0b11", "1_000", "+5", "5.", "22:22", "12:30:45", "190:20:30", "1.2.3"),
    *("2026-11-25", "2026-11-25T10:00:00Z", ".inf", "-.inf", ".NaN", "1e", "0x", "-", "1-2", "007", "+1e3"),
)


@pytest.mark.parametrize("layer", LAYERS)
def test_only_true_and_false_are_booleans_and_only_plain_decimals_are_numbers(layered: Layered, layer: str) -> None:
    """C01, C02: words and numbers of YAML 1.1 are text, as a value and as a key, by every way in."""
    entries = [(f"A{n}", text) for n, text in enumerate((*WORDS, *LOOKALIKES))]
    keys = ("on", "no", "y", "true", "null", "~", "1", "010", "1e3", "2026-11-25", "on ")
    entries += [(key, f"v{n}") for n, key in enumerate(keys[: len(keys) - (layer != SET)])]
    if layer == SET:
        entries = [(key, text) for key, text in entries if key != "on "]
    layered.put(layer, entries)
    assert layered.env_vars() == dict(entries)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_boolean_or_a_number_where_text_belongs_is_told_as_it_was_written(layered: Layered, layer: str) -> None:
    """C01, C02: a located error that shows the quotes, and `1.10` is never `1.1`."""
    scalars = ("true", "false", "1.10", "1e3", "-0", ".5", "123456789012345678901234567890")
    layered.put(layer, [(f"A{n}", scalar) for n, scalar in enumerate(scalars)])
    problems = problems_of(layered.run("validate"))
    assert len(problems) == len(scalars)
    for n, (scalar, problem) in enumerate(zip(scalars, problems, strict=True)):
        assert problem.startswith(layered.file), problem
        assert f'env_vars.A{n} is {scalar} (expected text; write it in quotes: "{scalar}")' in problem


@pytest.mark.parametrize("layer", LAYERS)
def test_a_number_that_cannot_be_kept_is_refused_with_its_place(layered: Layered, layer: str) -> None:
    """C02: no scalar silently turns into another value, infinity and zero among them."""
    scalars = ("1e400", "1e-99999999999999999999", "0.1234567890123456789", "9" * 500)
    layered.put(layer, [(f"A{n}", scalar) for n, scalar in enumerate(scalars)])
    problems = [line for line in problems_of(layered.run("validate")) if re.search(r"\[bad-(number|set)\]$", line)]
    assert len(problems) == len(scalars)
    assert all(problem.startswith(layered.file) for problem in problems)
    assert all(f'"{scalar[:40]}"' in problem for scalar, problem in zip(scalars, problems, strict=True))


def test_words_and_times_reach_the_wire_as_they_were_written(served_project: Project, served: Served) -> None:
    """C01, C02: also through a plan file, and the second plan is empty."""
    env = "{COUNTRY: no, VERBOSE: off, ANSWER: yes, on: NO, SINCE: 2026-11-25}"
    served_project.write("resources/chat.yaml", CHAT + f"  env_vars: {env}\n")
    variables = "[{name: ZONE, value: 010}, {name: PEER, value: 22:22}]"
    scaling = "{metric: latency, metricThreshold: 1e3, minReplicas: 1, maxReplicas: 2}"
    served_project.write("resources/llm.yaml", LLM + f"  environmentVariables: {variables}\n  autoscaling: {scaling}\n")
    plan = str(served_project.root / "plan.json")
    assert served_project.run("plan", "--out", plan).returncode == 0
    done = served_project.run("apply", plan, "--yes")
    assert done.returncode == 0, done.stderr
    bodies = {entry["provider"]: _json(entry["body"]) for entry in served.writes(method="POST")}
    assert bodies["theta"]["env_vars"] == {
        "COUNTRY": "no",
        "VERBOSE": "off",
        "ANSWER": "yes",
        "on": "NO",
        "SINCE": "2026-11-25",
    }
    spec = bodies["runai"]["spec"]
    assert [(each["name"], each["value"]) for each in spec["environmentVariables"]] == [
        ("ZONE", "010"),
        ("PEER", "22:22"),
    ]
    assert spec["autoscaling"]["metricThreshold"] == 1000
    assert served_project.run("plan", "--detailed-exitcode").returncode == 0


def _json(body: Any) -> Any:
    return json.loads(body) if isinstance(body, str) else body


_ELSEWHERE = re.compile(
    r"[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|0b[01]+|[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+|[0-9:]+)"
    r"|[-+]?\.(?:inf|NaN)|[yYnN]|(?i:on|no|off|yes|true|false|null)|[0-9]{4}-[0-9]{2}-[0-9]{2}.*"
)


def test_compiled_yaml_reads_back_to_the_same_values_for_us_and_for_others(layered: Layered) -> None:
    """C01, C02: texts that any YAML of 1.1 or 1.2 takes for something else are in quotes."""
    texts = [
        *WORDS,
        *LOOKALIKES,
        "null",
        "true",
        "1",
        "1.10",
        "1e3",
        "a: b",
        "# c",
        "- d",
        "x\ty",
        " e ",
        "",
        "\u2028",
        "~",
    ]
    entries = [(f"A{n}", json.dumps(text, ensure_ascii=True)) for n, text in enumerate(texts)]
    layered.put(RESOURCE, [*entries, ("no", "a"), ("1e3", "b"), ("0o17", "c")])
    first, text = layered.run("compile", "-o", "json"), layered.run("compile", "-o", "yaml")
    assert yaml.safe_load(text.stdout) == json.loads(first.stdout)[0]
    plain = re.findall(r"^    \S+: ([^\"'|].*)$", text.stdout, re.MULTILINE)
    assert not [found for found in plain if _ELSEWHERE.fullmatch(found)]
    again = run_limited(layered.project, "compile", "-o", "json", "-f", "-", stdin=text.stdout.encode())
    assert (again.stdout, again.returncode) == (first.stdout, 0)


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer != SET])
def test_the_second_of_two_equal_keys_is_refused_and_names_the_first(layered: Layered, layer: str) -> None:
    """C03: flow maps of every file, however the key is written."""
    keys = ("M", "'M'", '"M"', "!!str M", "! M")
    layered.put(layer, [("M", "a"), ("OTHER", "b"), *((key, "c") for key in keys), ("1", "d"), ('"1"', "e")])
    data = layered.stdin or (layered.project.root / layered.file).read_bytes()
    lines = data.decode().splitlines()
    [(number, line)] = [(n, line) for n, line in enumerate(lines, 1) if "OTHER" in line]
    at = [match.start() + 1 for match in re.finditer(r"(?<=[ {])(?:! ?|!!str )?['\"]?[M1]['\"]?: [acde]", line)]
    problems = problems_of(layered.run("validate"))
    told = [problem.split(" (")[0] for problem in problems if "duplicate-key" in problem]
    assert told == [
        *(f"{layered.file}:{number}:{column}: key 'M' stands here again" for column in at[1:6]),
        f"{layered.file}:{number}:{at[7]}: key '1' stands here again",
    ]
    assert f"the first is at {layered.file}:{number}:{at[0]})" in problems[0]


@pytest.mark.parametrize(
    "text",
    [
        "  values: {1: a, '1': b}\n",
        "  values:\n    a: {b: [{c: 1, c: 2}]}\n",
        "  values:\n    a: 1\n    b: 2\n    a: 3\n",
        "  safety: {maxDeletes: 3, maxDeletes: 30}\n",
        "  ledger: {type: sqlite, type: git}\n",
        "  secrets: [A]\n",
        "  providers: {}\n",
        "  environments: {prod: {}, dev: {}, prod: {}}\n",
        "  values: {true: 1, 'true': 2}\n",
        "  values: {\n    a: 1,\n    ? a\n    : 2}\n",
    ],
)
def test_a_key_of_the_project_stands_once(layered: Layered, text: str) -> None:
    """C03: in `reconciler.yaml`, at every depth."""
    layered.put(RESOURCE, [])
    whole = (layered.project.root / "reconciler.yaml").read_text().replace("  environments: {dev: {}}\n", "")
    layered.write("reconciler.yaml", whole.replace("  defaultEnvironment: dev\n", "") + text)
    [problem] = problems_of(layered.run("validate"))
    assert problem.startswith("reconciler.yaml:")
    assert problem.endswith("[duplicate-key]")


def test_overriding_a_merged_key_is_no_duplicate(layered: Layered) -> None:
    """C03: `<<` of one map, and of several, of which the first wins."""
    layered.put(RESOURCE, [])
    merged = "{<<: [{A: a, B: b}, {B: c, C: d}], A: e}"
    layered.write("resources/chat.yaml", CHAT + f"  env_vars: {merged}\n")
    assert layered.env_vars() == {"A": "e", "B": "b", "C": "d"}


_LETTERS = "abcdefghi"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(_LETTERS)
)
MERGES = "a: &a {k0: v, l: v}\n" + "".join(
    f"{name}: &{name} {{{', '.join(f'k{n}: *{before}' for n in range(9))}}}\n" for before, name in pairwise(_LETTERS)
)


@pytest.mark.parametrize("bomb", [BOMB, MERGES], ids=["lists", "maps"])
def test_a_small_file_that_grows_is_refused_at_once_wherever_it_stands(layered: Layered, bomb: str) -> None:
    """C04: with the work of a second or two, starting included, and in 400 MB of memory."""
    layered.put(RESOURCE, [])
    files = {"resources/bomb.yaml": bomb, "patches/dev/bomb.yaml": bomb}
    for path, text in files.items():
        layered.write(path, text)
    clock = Clock()
    problems = problems_of(run_limited(layered.project, "plan", memory=400 << 20))
    assert clock.seconds < 5
    assert [problem.partition(":")[0] for problem in problems] == sorted(files, reverse=False)
    assert all("at most 30,000 values" in problem for problem in problems)
    if bomb is MERGES:
        return
    (layered.project.root / "resources/bomb.yaml").unlink()
    layered.write("values/dev.yaml", "v:\n" + "".join(f"  {line}\n" for line in bomb.splitlines()))
    problems = problems_of(run_limited(layered.project, "plan", memory=400 << 20))
    assert any(re.match(r"values/dev.yaml:\d+:\d+: .*\[too-many-values\]", problem) for problem in problems)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 5000, "too-deep"),
        ("- " * 5000, "too-deep"),
        ("".join(f"{' ' * n}a:\n" for n in range(500)), "too-deep"),
        ("# " + "x" * 4_200_000, "too-large"),
        ("---\na: 1\n" * 2500, "too-many-documents"),
    ],
    ids=["flow", "dashes", "blocks", "bytes", "documents"],
)
def test_each_limit_of_a_file_is_an_error_that_names_it(layered: Layered, text: str, code: str) -> None:
    """C04: what is cheap to write and dear to process."""
    layered.put(RESOURCE, [])
    layered.write("resources/big.yaml", text)
    [problem] = problems_of(layered.run("validate"))
    assert re.match(r"resources/big.yaml:\d+:\d+: ", problem)
    assert "at most" in problem
    assert problem.endswith(f"[{code}]")


def test_a_few_honest_anchors_work_as_before(layered: Layered) -> None:
    """C04: 5 anchors, 20 aliases; an anchor ends with its document."""
    anchors = "".join(f"  a{n}: &a{n} {{x: {n}}}\n" for n in range(5))
    aliases = ", ".join(f"*a{n % 5}" for n in range(20))
    layered.put(RESOURCE, [("SUM", "\"{{ values.l | map(attribute='x') | sum | string }}\"")])
    layered.write("values/dev.yaml", anchors.replace("  ", "") + f"l: [{aliases}]\n")
    assert layered.env_vars() == {"SUM": "40"}
    layered.write("resources/two.yaml", "a: &x 1\n---\nb: *x\n")
    [problem] = problems_of(layered.run("validate"))
    assert problem.startswith("resources/two.yaml:3:4: unknown anchor 'x'")


NOISY = (
    "\ufeff@a---\n---\n@b---\n\t# only a comment\n---\n...\n# between\n@c"
    "...\n...\n---\n\ufeff# a mark of a joined file\n"
)


@pytest.mark.parametrize("parser", ["C", "pure"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"], ids=["CRLF", "LF", "CR"])
def test_noise_around_documents_is_harmless_and_moves_no_position(layered: Layered, end: str, parser: str) -> None:
    """C05: marks, empty documents, `...`, tabs before comments and between values; lines as an editor counts."""
    layered.put(RESOURCE, [])
    a, b, c = (CHAT.replace("name: chat", f"name: {name}") for name in "abc")
    b = b.replace(": ", ":\t").replace("1\n", "1\t# tab\n")
    text = NOISY.replace("@a", a).replace("@b", b).replace("@c", c)
    layered.write("resources/chat.yaml", text.replace("\n", end))
    done = run_limited(layered.project, "compile", "-o", "json", parser=parser)
    assert [document["metadata"]["name"] for document in json.loads(done.stdout)] == ["a", "b", "c"], done.stderr
    bad = text + "---\n" + CHAT + "  env_vars: {FLAG: true}\n"
    layered.write("resources/chat.yaml", bad.replace("\n", end))
    [problem] = problems_of(run_limited(layered.project, "validate", parser=parser))
    line = bad[: bad.index("  env_vars")].count("\n") + 1
    assert problem.startswith(f"resources/chat.yaml:{line}:20: theta/Deployment/chat: env_vars.FLAG is true")


BAD: dict[str, tuple[str | bytes, str]] = {
    "tab": ("a:\n\tb: 1\n", "2:1: a tab"),
    "tab_deeper": ("a:\n  b:\n  \tc: 1\n", "3:3: a tab"),
    "tab_of_a_list": ("a:\n  - b\n\t- c\n", "3:1: a tab"),
    "latin1": (b"a: 1\nb: caf\xe9\n", "2:7: byte 11 (0xe9)"),
    "latin1_after_a_mark": (b"\xef\xbb\xbfa: \xe9\n", "1:4: byte 6 (0xe9)"),
    "utf16": ("a: 1\n".encode("utf-16"), "1:1: byte 0 (0xff)"),
    "surrogate": (b"a: \xed\xa0\x80\n", "1:4: byte 3 (0xed)"),
    "nul": ("a: 1\r\nb: x\0\r\n", "2:5: control character U+0000"),
    "next_line": ("a: x\x85\n", "1:5: control character U+0085"),
    "mark_inside": ("a: x\ufeffy\n", "1:5: control character U+FEFF"),
    "half_a_pair": ('a: "\\ud83d"\n', "1:4: half of a surrogate pair"),
    "version": ("%YAML 2.0\n---\na: 1\n", "1:1: found incompatible"),
    "unclosed": ('a: "x\nb: 1\n', "3:1: while scanning a quoted scalar"),
    "colons": ("a: b: c\n", "1:5: mapping values"),
    "percent": ("a: %x\n", "1:4: while scanning for the next token"),
    "template": ("a: {{ values.x }}\n", "1:5: a map or list as a key"),
    "tag": ("a: !!python/name:os.system x\n", "1:4: unknown tag"),
    "binary": ("a: !!binary aGk=\n", "1:4: unknown tag !!binary"),
    "set": ("a: !!set {b}\n", "1:4: unknown tag !!set"),
    "omap": ("a: !!omap [b: 1]\n", "1:4: unknown tag !!omap"),
    "timestamp": ("a: !!timestamp 2026-11-25\n", "1:4: unknown tag !!timestamp"),
    "no_bool": ("a: !!bool yes\n", "1:4: 'yes' is no bool"),
    "no_int": ("a: !!int 010\n", "1:4: '010' is no int"),
    "empty_key": ('"": 1\n', "1:1: an empty key"),
    "key_of_a_list": ("? [a]\n: b\n", "1:3: a map or list as a key"),
    "itself": ("a: &a [*a]\n", "1:8: 'a' contains itself"),
    "merge_of_text": ("a: {<<: b}\n", "1:9: << with something"),
    "list_end": ("a: [1, 2\nb: 3\n", "2:2: while parsing a flow sequence"),
}


def test_what_is_no_plain_data_is_refused_at_the_same_place_by_both_parsers(layered: Layered) -> None:
    """C05: every file tells its own mistake, in one run, and Python's parser tells the same as the C one."""
    layered.put(RESOURCE, [])
    for name, (data, _told) in BAD.items():
        layered.write(f"resources/{name}.yaml", data)
    problems = problems_of(run_limited(layered.project, "validate"))
    assert problems == problems_of(run_limited(layered.project, "validate", parser="pure"))
    told = {
        problem[len("resources/") : problem.index(".yaml:")]: problem.partition(".yaml:")[2] for problem in problems
    }
    wrong = {name: told.get(name, "") for name, (_, start) in BAD.items() if not told.get(name, "").startswith(start)}
    assert not wrong
    assert len(problems) == len(BAD)


@pytest.mark.parametrize("parser", ["C", "pure"])
def test_tabs_in_text_are_data_and_escapes_of_json_are_text(layered: Layered, parser: str) -> None:
    """C05: inside quotes, in block texts from their first character on, and inside plain text."""
    layered.put(RESOURCE, [])
    block = (
        '    A: "x\ty"\n    B: |\n      \tmake:\n      \t\tall\t\n    C: x\ty\t# c\n'
        '    D: "\\ud83d\\ude00\\u00e9\\/"\n    E: >-\t# c\n      f\tg\n'
    )
    layered.write("resources/chat.yaml", CHAT + "  env_vars:\n" + block)
    done = run_limited(layered.project, "compile", "-o", "json", parser=parser)
    assert json.loads(done.stdout or "[{}]")[0].get("spec", {}).get("env_vars") == {
        "A": "x\ty",
        "B": "\tmake:\n\t\tall\t\n",
        "C": "x\ty",
        "D": "😀é/",
        "E": "f\tg",
    }, done.stderr


@pytest.mark.parametrize("data", [b"", b"\n \n", b"# c\n", b"\xef\xbb\xbf", b"---\n---\n...\n", b"\t\n", b"null\n"])
def test_a_file_without_documents_yields_nothing(layered: Layered, data: bytes) -> None:
    """C05: as a resource, values, a patch, and on stdin."""
    layered.put(RESOURCE, [])
    for path in ("resources/chat.yaml", "values/dev.yaml", "patches/dev/p.yaml"):
        layered.write(path, data)
    done = layered.run("compile", "-o", "json")
    assert (json.loads(done.stdout), done.returncode) == ([], 0), done.stderr
    if data == b"# c\n":
        done = run_limited(layered.project, "compile", "-o", "json", "-f", "-", stdin=data)
        assert (json.loads(done.stdout), done.returncode) == ([], 0), done.stderr


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{name: mnist, provider: modelarts}", "{name: mnist}"),
        ("{name: mnist, provider: '{{ values.where }}'}", "{name: mnist, provider: null}"),
        ("{name: mnist}", '{name: \'{{ "mni" ~ "st" }}\'}'),
    ],
)
def test_one_address_in_two_files_is_refused_before_any_provider_is_asked(
    served_project: Project, served: Served, first: str, second: str
) -> None:
    """C06: with the provider left out, templated or null, and names that only rendering makes equal."""
    service = SERVICE.replace("{name: mnist}", "{}")
    served_project.write("resources/a.yaml", service.replace("{}", first))
    served_project.write("resources/team/b.yaml", service.replace("{}", second))
    whole = (served_project.root / "reconciler.yaml").read_text()
    served_project.write("reconciler.yaml", whole + "  values: {where: modelarts}\n")
    for command in ("validate", "plan"):
        done = served_project.run(command)
        [problem] = problems_of(done)
        assert re.match(r"resources/team/b.yaml:3:\d+: modelarts/Service/mnist: ", problem)
        assert re.search(r"taken by resources/a.yaml:3:\d+ ", problem)
        assert problem.endswith("[duplicate-address]")
    assert served.get("requests") == []


def test_the_same_name_of_another_kind_or_instance_is_allowed(layered: Layered) -> None:
    """C06: an address is provider, kind and name."""
    layered.put(RESOURCE, [], project="")
    whole = (layered.project.root / "reconciler.yaml").read_text()
    extra = "    theta: {type: theta, endpoint: emulator}\n    other: {type: theta, endpoint: emulator}\n"
    layered.write("reconciler.yaml", whole.replace("    theta: {type: theta, endpoint: emulator}\n", extra))
    layered.write("resources/chat.yaml", CHAT.replace("{name: chat}", "{name: x, provider: theta}"))
    layered.write("resources/b.yaml", CHAT.replace("{name: chat}", "{name: x, provider: other}"))
    layered.write("resources/c.yaml", SERVICE.replace("{name: mnist}", "{name: x}"))
    assert layered.run("validate").returncode == 0
