"""What a person reads at a terminal."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from reconciler.diff.change import Action
from reconciler.fields import Interruption
from reconciler.plan.outcome import Outcome, Report, State
from reconciler.problems import Origin, Problem
from reconciler.render import machine, text
from reconciler.render.layout import fit
from reconciler.render.problems import problems_text
from reconciler.render.rows import ListRow
from reconciler.render.values import inner_diff

EVERYTHING = "every-action-dangerous-ones-first"
STYLE = text.Style()


def show(plan: object, style: text.Style = STYLE) -> str:
    return text.plan_text(machine.plan_json(plan), style)  # type: ignore[arg-type]  # from the builders


def test_dangerous_changes_come_first(toy: SimpleNamespace) -> None:
    words = [line.split()[1] for line in show(toy.situations[EVERYTHING]()).splitlines() if "toy/Engine/" in line[10:]]
    assert words[:7] == ["BLOCKED", "DELETE", "REPLACE", "update", "create", "adopt", "UNKNOWN"]


@pytest.mark.parametrize(
    ("changes", "partial"),
    [
        pytest.param(("blocked",), False, id="blocked"),
        pytest.param(("unknown",), False, id="unknown"),
        pytest.param((), True, id="partial"),
        pytest.param(("adopt",), False, id="something to do"),
    ],
)
def test_no_changes_is_said_only_when_all_was_compared(
    changes: tuple[str, ...], toy: SimpleNamespace, *, partial: bool
) -> None:
    kept = toy.change("kept", Action.NONE, "in-sync")
    others = [toy.change("other", Action(action), "reason", "message") for action in changes]
    assert "no changes" not in show(toy.plan(kept, *others, partial=partial)).lower()
    assert show(toy.plan(kept)) == "No changes. 1 resource is live as the spec says.\n"


def test_failed_provider_is_no_good_news_although_nothing_differs(toy: SimpleNamespace) -> None:
    failed = Problem(code="list-failed", wrong="GET: 500", expected="an answer", address="toy/Engine")
    shown = show(toy.plan(toy.change("kept", Action.NONE, "in-sync"), problems=(failed,)))
    assert shown.startswith("Plan incomplete: shop/prod")
    assert "no changes" not in shown.lower()


def test_saved_plan_is_shown_like_a_fresh_one(situation: str, toy: SimpleNamespace) -> None:
    plan = toy.situations[situation]()
    saved = machine.plan_file(plan, tool="reconciler 0.1.0")
    assert text.plan_text(saved) == show(plan)


def test_ascii_has_no_sign_of_ours_beyond_ascii(situation: str, toy: SimpleNamespace) -> None:
    shown = show(toy.situations[situation](), text.Style(unicode=False))
    assert {sign for sign in shown if not sign.isascii()} <= {"§"}  # from the provider's sheet, thus data


def test_colour_changes_no_letter(situation: str, toy: SimpleNamespace) -> None:
    coloured = show(toy.situations[situation](), text.Style(colour=True))
    plain = show(toy.situations[situation]())
    for code in ("1;31", "31", "32", "33", "35", "36", "2", "1", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain


def test_sentences_wrap_and_lose_no_word(toy: SimpleNamespace) -> None:
    wide = show(toy.situations[EVERYTHING]())
    narrow = list(fit(wide.splitlines(), 60))
    assert wide.split() == "\n".join(narrow).split()
    sentences = [line for line in narrow if line.startswith("        ")]
    assert max(map(len, sentences)) <= 60


def test_verbose_tells_steps_and_calls_without_bodies(toy: SimpleNamespace) -> None:
    shown = show(toy.situations[EVERYTHING](), text.Style(verbose=True))
    assert "create toy/Engine/created  POST engine" in shown
    assert "delete toy/Engine/replaced after toy/Engine/replaced#create" in shown


def test_one_changed_word_in_a_long_text_is_all_that_is_shown() -> None:
    lines = [f"line {number}" for number in range(10_000)]
    after = [*lines[:5_000], "another", *lines[5_001:]]
    assert inner_diff("\n".join(lines), "\n".join(after), STYLE) == (
        (" ", "line 4999"), ("-", "line 5000"), ("+", "another"), (" ", "line 5001")
    )  # fmt: skip


def test_lists_say_which_element_changed() -> None:
    rules = [{"host": f"host-{number}.example.com", "port": number} for number in range(9)]
    shown = inner_diff(rules, [*rules[:3], *rules[4:]], STYLE)
    assert [line for line in shown if line[0] != " "] == [("-", '- {"host": "host-3.example.com", "port": 3}')]


def test_equal_parts_between_changes_are_left_out_and_deep_elements_open_up() -> None:
    before = {"name": "x", "rules": [{"host": f"host-{n}.example.com", "ports": [80, 443]} for n in range(8)]}
    after = {"name": "y", "rules": [*before["rules"][:7], {"host": "other.example.com"}]}
    shown = inner_diff(before, after, STYLE)
    assert ("-", 'name: "x"') in shown
    assert (" ", "rules:") in shown
    assert (" ", "(6 equal lines)") in shown
    assert shown[-1] == ("+", '  - {"host": "other.example.com"}')


def test_short_change_in_the_middle_keeps_its_neighbours() -> None:
    shown = inner_diff("a\nb\nc\nd\ne", "A\nb\nc\nd\nE", STYLE)
    assert [sign for sign, _ in shown] == ["-", "+", " ", " ", " ", "-", "+"]


def test_long_value_of_a_new_field_is_cut_with_its_size(toy: SimpleNamespace) -> None:
    new = toy.change("a", Action.UPDATE, "fields-differ", fields=(toy.field("text", None, "x" * 1_000),))
    assert "… (842 more characters)" in show(toy.plan(new))


def test_line_of_a_change_tells_what_an_action_alone_does_not(toy: SimpleNamespace) -> None:
    old = dataclasses.replace(toy.change("a", Action.UPDATE, "r").live, id="id-old")
    left = toy.change("a", Action.REPLACE, "unfinished-replace", "m", leftover=old, replace_order="create-first")
    late = toy.change("b", Action.REPLACE, "field-forces-replace", "m", replace_order="delete-first")
    stop = toy.change("c", Action.UPDATE, "run-state-differs", "it is running", run_state="stopped")
    shown = show(toy.plan(left, late, stop))
    assert "a  deletes id-old, keeps id-a" in shown
    assert "b  old one goes first, id id-b" in shown
    assert "c  to be stopped, id id-c" in shown


def test_what_left_the_spec_is_not_counted_as_desired(toy: SimpleNamespace) -> None:
    let_go = toy.change("a", Action.NONE, "retained", "it is left running", desired=None)
    assert "No changes. Nothing is desired.\n" in show(toy.plan(let_go))


def test_rule_of_each_field_is_there_for_who_asks(toy: SimpleNamespace) -> None:
    plan = toy.plan(toy.change("a", Action.UPDATE, "r", fields=(toy.field("x", 1, 2, source="toy §9 sdk"),)))
    assert "toy §9" not in show(plan)
    assert "x: 1 → 2  # toy §9 sdk" in show(plan, text.Style(verbose=True))


def test_new_fields_are_cut_only_where_it_saves_room(toy: SimpleNamespace) -> None:
    for count, more in ((12, 0), (13, 0), (14, 2)):
        fields = tuple(toy.field(f"f{number}", after=number) for number in range(count))
        shown = show(toy.plan(toy.change("a", Action.CREATE, "not-live", fields=fields)))
        assert shown.count("      + f") == count - more
        assert ("more fields" in shown) is bool(more)


def test_delete_is_not_called_a_replace(toy: SimpleNamespace) -> None:
    gone = toy.change(
        "a", Action.DELETE, "removed-from-spec", interruption=Interruption.REPLACE, notices=("It stops.",)
    )
    assert "interruption: gone. It stops." in show(toy.plan(gone))


def test_empty_project_has_no_changes_either(toy: SimpleNamespace) -> None:
    assert show(toy.plan()) == "No changes. Nothing is desired, and nothing live is ours.\n"


def test_cost_without_a_price_list_shows_gpus_alone(toy: SimpleNamespace) -> None:
    cost = toy.money("0", None, gpus=(0, 2))
    shown = show(
        toy.plan(
            toy.change("a", Action.CREATE, "not-live"), costs={toy.address("a"): dataclasses.replace(cost, unit="")}
        )
    )
    assert "cost:" not in shown.lower()
    assert shown.count("GPUs: 0 → 2") == 2


def test_wholly_other_text_is_bounded() -> None:
    shown = inner_diff("\n".join(map(str, range(50_000))), "\n".join(map(str, range(50_000, 0, -1))), STYLE)
    assert len(shown) <= 31
    assert shown[-1][1].endswith("more lines")


def outcome(name: str, state: State, **more: str) -> Outcome:
    return Outcome(step=name, address=f"toy/Engine/{name}", op=Action.CREATE, state=state, **more)  # type: ignore[arg-type]  # texts


def test_report_begins_with_what_is_true_now() -> None:
    report = Report(
        owner="shop",
        run="r",
        digest="",
        outcomes=(
            outcome("a", State.DONE, live_id="id-a", endpoint="https://a.example.com"),
            outcome("b", State.SKIPPED, cause="toy/Engine/c#create"),
            outcome("c", State.FAILED, message="POST /engines: 400: nothing was made"),
            outcome("d", State.UNKNOWN, message="it may exist; the next run looks first"),
        ),
        seconds=2.0,
    )
    shown = text.report_text(report)
    assert [line.split()[1] for line in shown.splitlines() if line[4:5].isalpha() and "toy/" in line] == [
        "FAILED", "UNKNOWN", "skipped", "done"
    ]  # fmt: skip
    assert "now: POST /engines: 400: nothing was made" in shown
    assert "because of toy/Engine/c#create" in shown
    assert "Apply incomplete: 1 done, 1 failed, 1 skipped, 1 unknown in 2.0 s." in shown
    assert text.report_text(dataclasses.replace(report, outcomes=report.outcomes[:1])).endswith(
        "Applied: 1 done in 2.0 s.\n"
    )
    assert text.report_text(dataclasses.replace(report, outcomes=())) == "Nothing had to be done.\n"
    assert "Stopped early" in text.report_text(dataclasses.replace(report, interrupted=True))


def test_list_is_a_table_that_wide_letters_keep_straight() -> None:
    rows = [
        ListRow(provider="toy", kind="Engine", name=name, id=f"id-{owner}", status="UP", phase="ready", owner=owner)
        for name, owner in (("模型", "unmanaged"), ("chat", "shop/dev"))
    ]
    head, *lines = text.list_text(rows).splitlines()
    assert head.split() == ["PROVIDER", "KIND", "NAME", "ID", "STATUS", "OWNER"]
    assert [line.index("id-") + (2 if "模" in line else 0) for line in lines] == [head.index(" ID") + 1] * 2
    assert text.list_text([]) == "Nothing is live there.\n"


def test_problems_come_in_file_order_with_all_their_places() -> None:
    first = Problem(code="twice", wrong="'a' is here twice", expected="it once", origin=Origin("a.yaml", 2, 1))
    second = dataclasses.replace(first, origin=Origin("b.yaml", 9, 1), related=(Origin("a.yaml", 2, 1),))
    assert problems_text([second, first]).splitlines() == [str(first), str(second), "  see a.yaml:2:1"]
