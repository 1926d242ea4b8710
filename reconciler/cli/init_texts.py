"""What `init` writes into a project, as texts, made of the tables of kinds and settings: none is about one provider."""

from __future__ import annotations

import copy
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from reconciler.cli.project import PROJECT_FILE, load_schemas
from reconciler.cli.schema_files import RESOURCE_FILE, SCHEMAS_HOME, editor_files
from reconciler.diff.fieldbook import put
from reconciler.fields import FieldPath, Kind
from reconciler.fields.setting import Setting
from reconciler.providers.registry import provider_types
from reconciler.spec import PROJECT_FILE as PROJECT_SCHEMA
from reconciler.spec.output import value_yaml
from reconciler.spec.settings import EMULATOR

__all__ = ["IGNORED", "Start", "hosts", "resource_files", "secrets", "texts"]

IGNORED: Final = ".reconciler/"
"""What stays out of Git: ledger, emulator, schemas."""
_COLUMN: Final = 38
_WIDE: Final = 118
_NAME: Final = "example"
_REPLICAS: Final = "{{ values.replicas }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What was chosen.

    Attributes:
        name: The project's.
        kinds: One example of each; their provider types get an instance each.
        environments: In their order; none: a project without.
        emulator: The embedded emulator answers; else real accounts do, whose settings are yet to be filled in.
        ledger: `sqlite` or `git`.
        editor: With settings for VS Code.
    """

    name: str
    kinds: tuple[Kind, ...]
    environments: tuple[str, ...]
    emulator: bool = True
    ledger: str = "sqlite"
    editor: bool = True

    @property
    def types(self) -> tuple[str, ...]:
        """The provider types of the kinds."""
        return tuple(dict.fromkeys(kind.type for kind in self.kinds))


def texts(start: Start) -> dict[str, str]:
    """Path in the project → text, of all but `.gitignore` and the workflows."""
    found = {PROJECT_FILE: _project(start)}
    found |= {path: _resource(kind, start) for path, kind in resource_files(start.kinds).items()}
    found |= {f"{SCHEMAS_HOME}/{name}": text for name, text in editor_files().items()}
    return found | ({".vscode/settings.json": _settings()} if start.editor else {})


def resource_files(kinds: Sequence[Kind]) -> dict[str, Kind]:
    """Path → kind; where two types have one of the same name, their type's name stands before it."""
    names = [kind.name for kind in kinds]
    return {
        f"resources/{'' if names.count(kind.name) == 1 else f'{kind.type}-'}{kind.name.lower()}.yaml": kind
        for kind in kinds
    }


# -- reconciler.yaml --------------------------------------------------------------------------------------------------


def _project(start: Start) -> str:
    return "\n".join(
        [
            f"# yaml-language-server: $schema={SCHEMAS_HOME}/{PROJECT_SCHEMA}",
            "#",
            "# `reconciler validate` checks this project, `plan` shows what would be done, and `apply` does it.",
            "# The schemas that editors check it by are in no repository. In a fresh clone, write them anew:",
            f"#   reconciler schema --all --out {SCHEMAS_HOME}",
            "apiVersion: reconciler/v1",
            "kind: Project",
            "metadata:",
            _beside(
                f"  name: {_scalar(start.name)}", "first part of the owner of all that is made; don't change it lightly"
            ),
            "",
            "spec:",
            *_values(start),
            "",
            "  # The only names that secret() may read: environment variables, or files of that name in the folder",
            "  # RECONCILER_SECRETS_DIR. At the emulator, one that is set nowhere has the value demo-<NAME>.",
            f"  secrets: {_flow(secrets(start))}",
            "",
            "  providers:",
            *(line for name in start.types for line in _instance(name, start)),
            "",
            *_environments(start),
            _ledger(start),
            "",
        ]
    )


def _values(start: Start) -> Iterator[str]:
    yield "  # Values fill the templates in resources/, such as {{ values.stage }}. Later ones win: these, those of the"
    yield "  # environment, then values/<environment>.yaml, --values FILE, --set stage=live."
    yield "  values:"
    yield "    stage: trial"
    if any(_counts(kind) for kind in start.kinds):
        yield "    replicas: 1"


def _instance(name: str, start: Start) -> Iterator[str]:
    settings = account(name)
    yield f"    {name}:"
    yield _beside(f"      type: {name}", f"its settings: reconciler explain reconciler/Project.spec.providers.{name}")
    if start.emulator:
        yield _beside(f"      endpoint: {EMULATOR}", "answers in place of the real API; no account is needed")
        yield "      # A real account, instead of the emulator:"
    else:
        yield "      # Replace these by those of your account:"
    mark = "# " if start.emulator else ""
    yield from (_beside(f"      {mark}{_written(name, one)}", _short(one.doc)) for one in settings)


def _environments(start: Start) -> Iterator[str]:
    if not start.environments:
        return
    first, *others = start.environments
    counts = any(_counts(kind) for kind in start.kinds)
    yield _beside(f"  defaultEnvironment: {_scalar(first)}", "without -e")
    yield "  environments:"
    yield f"    {_scalar(first)}: {{}}"
    yield from (f"    {_scalar(name)}: {{}}" for name in others[:-1])
    if others:
        yield f"    {_scalar(others[-1])}:"
        yield f"      values: {{stage: live{', replicas: 2' if counts else ''}}}"
        yield "      # It may have accounts of its own, too: `providers:` with the settings that differ."
    yield ""


def _ledger(start: Start) -> str:
    told = {
        "sqlite": ".reconciler/ledger.db: what was applied; keep it",
        "git": "what was applied, on the branch reconciler-ledger of the remote `origin`",
    }
    return _beside(f"  ledger: {{type: {start.ledger}}}", told[start.ledger])


# -- accounts ---------------------------------------------------------------------------------------------------------


def account(name: str) -> tuple[Setting, ...]:
    """The settings that a real account of this type needs: what must be written, and addresses without a default."""
    table = {one.name: one for one in provider_types()[name].settings}
    needed = [one.name for one in table.values() if one.default is None and (one.required or one.type == "url")]
    for other in needed:  # grows while it is walked: what they need may need something, too
        needed += [more for more in table[other].needs if more not in needed]
    return tuple(one for one in table.values() if one.name in needed)


def secrets(start: Start) -> tuple[str, ...]:
    """Names of the credentials of the accounts."""
    return tuple(_secret(name, one) for name in start.types for one in account(name) if one.secret)


def hosts(start: Start) -> tuple[str, ...]:
    """Hosts of the addresses that stand for the accounts' own."""
    found = (urlsplit(one.example).netloc for name in start.types for one in account(name) if one.type == "url")
    return tuple(dict.fromkeys(host for host in found if host))


def _secret(name: str, setting: Setting) -> str:
    """`THETA_API_KEY`, of the setting `apiKey` of `theta`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", f"{name}_{setting.name}")
    return re.sub(r"\W", "_", words).upper()


def _written(name: str, setting: Setting) -> str:
    if setting.secret:
        return f"{setting.name}: '{{{{ secret(\"{_secret(name, setting)}\") }}}}'"
    return f"{setting.name}: {setting.example or next(iter(setting.choices), setting.name)}"


# -- resources --------------------------------------------------------------------------------------------------------


def _resource(kind: Kind, start: Start) -> str:
    schema = load_schemas()[kind.schema]
    fields = schema["properties"]["spec"].get("properties", {})
    return "\n".join(
        [
            f"# yaml-language-server: $schema=../{SCHEMAS_HOME}/{kind.schema}",
            "#",
            *textwrap.wrap(
                str(schema.get("description", kind.title)), _WIDE, initial_indent="# ", subsequent_indent="# "
            ),
            f"# All fields, what a change of them does, and whom it interrupts: reconciler explain {kind.label}",
            f"apiVersion: {kind.api_version}",
            f"kind: {kind.name}",
            "metadata:",
            _beside(f"  name: {_NAME}", f"its address is {kind.type}/{kind.name}/{_NAME}"),
            *_live_name(kind, start),
            _beside('  labels: {stage: "{{ values.stage }}"}', "ours, to select by: reconciler plan -l stage=live"),
            "spec:",
            *(line for key, value in _example(kind).items() for line in _field(key, value, fields.get(key, {}))),
            "",
        ]
    )


def _live_name(kind: Kind, start: Start) -> Iterator[str]:
    """One name for each environment, so that they can share an account; where the API lets us set one."""
    names = [f"{_NAME}-{environment}" for environment in start.environments]
    if kind.live_name is not None and names and all(map(kind.live_name.accepts, names)):
        yield '  liveName: "{{ metadata.name }}-{{ environment }}"'


def _field(key: str, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    told = next((one["description"] for one in (schema, *schema.get("anyOf", ())) if "description" in one), "")
    comment = textwrap.shorten(re.split(r"(?<=[.;]) ", told)[0].rstrip(".;"), _WIDE - 4, placeholder=" …")
    yield from ([f"  # {comment}"] if comment else [])
    yield textwrap.indent(value_yaml({key: value}).rstrip("\n"), "  ")


def _example(kind: Kind) -> dict[str, Any]:
    """The kind's own example, its count of replicas a template."""
    spec = copy.deepcopy(dict(kind.example))
    for path in _counts(kind):
        put(spec, FieldPath.parse(path), _REPLICAS)
    return spec


def _counts(kind: Kind) -> tuple[str, ...]:
    """Paths of the smallest and the largest count of replicas."""
    found = [path for rule in (*kind.costs, *kind.gpus) for path in (rule.low, rule.high) if path and "[" not in path]
    return tuple(dict.fromkeys(found))


# -- editor -----------------------------------------------------------------------------------------------------------


def _settings() -> str:
    """Settings of VS Code with its YAML extension: which schema is for which file."""
    found = {
        f"./{SCHEMAS_HOME}/{PROJECT_SCHEMA}": PROJECT_FILE,
        f"./{SCHEMAS_HOME}/{RESOURCE_FILE}": ["resources/**/*.yaml", "policies/**/*.yaml"],
    }
    return json.dumps({"yaml.schemas": found}, indent=2) + "\n"


# -- YAML -------------------------------------------------------------------------------------------------------------


def _scalar(text: str) -> str:
    """A word as YAML: `null`, `on` or `007` in quotes."""
    return value_yaml(text).strip()


def _flow(words: Iterable[str]) -> str:
    return value_yaml(list(words), flow=True).strip()


def _short(doc: str) -> str:
    return re.split(r"[;:,.](?: |$)", doc)[0]


def _beside(line: str, comment: str) -> str:
    return f"{line:<{_COLUMN}} # {comment}" if len(line) <= _COLUMN else f"{line}  # {comment}"
