"""Each switch of the emulator flipped alone: the loop of issue 1 passes, or ends as honestly as it can.

Plan, apply, empty plan, a change in place, a replacing change, a removed file; what is live by the emulator's own word
is what was told; nothing is made twice; what other people have is as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.diff.change import Action
from reconciler.emulator.registry import switch_page, switch_tables
from reconciler.emulator.server import Emulator, Server
from tests.switches.loop import Loop, Stage
from tests.switches.stories import STORIES, story_of
from tests.switches.table import ALSO, HINDERED, KINDS_OF, SAMPLES, SWITCHES, Hindrance, spelt
from tests.walk.bench import KINDS

_AS_PLANNED = Hindrance(why="", at={})


@dataclass(frozen=True, slots=True)
class Case:
    """One value of one switch, in one loop."""

    module: str
    switch: str
    value: Any
    story: str
    hindrance: Hindrance


def cases() -> Iterator[Any]:
    for kind in dict.fromkeys(kind for kinds in KINDS_OF.values() for kind in kinds):
        yield pytest.param(Case("", "", None, kind, _AS_PLANNED), id=f"none[{kind}]")
    for module, switches in SWITCHES.items():
        for switch, values in switches.items():
            name = f"{module}.{switch}"
            for value in (*values[1:], *SAMPLES.get(name, ())):
                for story in (*KINDS_OF[module], *ALSO.get(name, ())):
                    yield case_of(module, switch, value, story)


def case_of(module: str, switch: str, value: Any, story: str) -> Any:
    kind, _, rest = story.partition(" ")
    name = f"{module}.{switch}={spelt(value)}"
    hindrance = HINDERED.get(f"{name} {rest}".strip(), _AS_PLANNED)
    told = f"{kind} {hindrance.story}" if hindrance.story else story
    return pytest.param(Case(module, switch, value, told, hindrance), id=f"{name}[{story}]")


ALL = list(cases())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    found = Server(Emulator(None)).start()
    yield found
    found.stop()


@pytest.mark.parametrize("case", ALL)
def test_the_loop_passes_with_one_switch_flipped(server: Server, case: Case) -> None:
    server.emulator.reset()
    if case.module:
        server.emulator.set_switches({case.module: {case.switch: case.value}})
    server.emulator.requests.clear()
    kind, stages = story_of(case.story)
    version = str(case.value) if case.switch == "version" else "2.24" if kind.startswith("runai") else ""
    loop = Loop(server=server, kind=KINDS[kind], version=version, timeout=case.hindrance.timeout)
    with loop.open():
        for stage in stages:
            go_through(loop, stage, case.hindrance)


def go_through(loop: Loop, stage: Stage, hindrance: Hindrance) -> None:
    before, alive = loop.creates(), len(loop.ours())
    end, words = hindrance.at.get(stage.name, (f"{stage.action} done", ""))
    if stage.action is Action.DELETE and not alive:
        end = "none done"  # what was refused leaves nothing to delete

    told = loop.apply(stage)

    loop.assert_foreign_untouched()
    made = loop.creates() - before
    assert made == (told.action in {Action.CREATE, Action.REPLACE} and (told.end == "done" or bool(loop.ours())))
    assert (str(told), words in told.message) == (end, True), told.message
    live = loop.ours()
    if told.end != "done":
        assert len(live) <= 1
        return
    assert len(live) == (stage.spec is not None)
    assert stage.holds in "".join(json.dumps(item) for item in live)
    assert loop.left_to_do(stage) == []


# -- nothing is left out --------------------------------------------------------------------------------------------


def test_sheets_and_emulator_have_the_same_switches_with_the_same_values() -> None:
    emulated = {
        module: {row.name: row.values or (row.default,) for row in table.rows}
        for module, table in switch_tables().items()
    }

    assert emulated == {module: dict(rows) for module, rows in SWITCHES.items()}
    # As JSON too: 1 and true are one to Python.
    assert json.dumps(emulated, sort_keys=True) == json.dumps(SWITCHES, sort_keys=True)


def test_each_value_of_each_switch_has_a_loop() -> None:
    open_ones = {
        f"{module}.{row.name}" for module, table in switch_tables().items() for row in table.rows if not row.values
    }
    assert open_ones == set(SAMPLES)
    run = {(param.values[0].module, param.values[0].switch, spelt(param.values[0].value)) for param in ALL}
    wanted = {
        (module, row.name, spelt(value))
        for module, table in switch_tables().items()
        for row in table.rows
        for value in row.values[1:]
    }
    assert wanted <= run
    names = {f"{param.values[0].module}.{param.values[0].switch}={spelt(param.values[0].value)}" for param in ALL}
    assert {key for key in HINDERED if key.removesuffix(" less").removesuffix(" stopped") not in names} == set()
    told = {story for stories in (*KINDS_OF.values(), *ALSO.values()) for story in stories}
    assert told <= set(STORIES)


def test_what_people_read_names_each_switch() -> None:
    """The page in README is this one (`tests/house/test_switch_page.py`), so that it is enough to look at it."""
    page = switch_page()
    assert [name for rows in SWITCHES.values() for name in rows if f"| `{name}`" not in page] == []
