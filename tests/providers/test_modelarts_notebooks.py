"""The notebook half of the ModelArts provider against the emulator: what is sent, what is read back, what it proves."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from reconciler.diff.change import Action, Call, CallOp, Change
from reconciler.diff.compare import Sides, compare
from reconciler.diff.live import Listing, Live, Marker, Verdict, split_marker
from reconciler.emulator.server import Server
from reconciler.fields import FieldPath, Phase
from reconciler.fields.setting import COMMON_SETTINGS
from reconciler.problems import Origin, ProviderError, UnknownOutcome
from reconciler.providers.base import Context, Intent, Provider
from reconciler.providers.modelarts import TYPE
from reconciler.providers.modelarts.notebook_kind import NOTEBOOK
from reconciler.providers.modelarts.notebook_live import to_live
from reconciler.spec.resource import Lifecycle, ProviderConfig, Resource, ResourceRef
from reconciler.spec.values import Composite, KnownAfterApply

MARKER = "rc1.aaaaa.bbbbbbbb.1.n.ccccc.dddddd"
PROFILE = "Ascend-Power-Engine 1.0(python3)"
SAMPLE: dict[str, Any] = {
    "description": "",
    "profile_id": PROFILE,
    "flavor": "modelarts.kat1.xlarge",
    "spec": {
        "storage": {"location": {"path": "/aaaaaaaaa/output/"}, "type": "obs"},
        "auto_stop": {"enable": True, "duration": 3600},
    },
}
PLAIN: dict[str, Any] = {
    "profile_id": "Multi-Engine 1.0 (python3)-cpu",
    "flavor": "modelarts.vm.cpu.2u",
    "spec": {"storage": {"type": "obs", "location": {"path": "/team/nb/"}}},
}
FULL: dict[str, Any] = {
    "description": "Everything set",
    "profile_id": "Multi-Engine 2.0 (python3)",
    "flavor": "modelarts.vm.gpu.v100",
    "spec": {
        "storage": {"type": "obs", "location": {"path": "/team/nb/deep/"}},
        "extend_storage": [{"type": "obsfs", "location": {"path": "/pfs/data/"}}],
        "auto_stop": {"enable": True, "duration": 7200, "prompt": False},
        "annotations": {"team": "vision"},
    },
    "pool": {"id": "pool1", "type": "USER_DEFINED", "name": "p", "owner": {"project_id": "0f5a"}},
    "ai_project": {"id": "research"},
}
UNUSED: dict[str, Any] = {**PLAIN, "spec": {**PLAIN["spec"], "auto_stop": {"enable": False, "duration": 3600}}}


class Lab:
    """A provider on an emulator, and the short ways to change things through it."""

    def __init__(self, server: Server, **settings: Any) -> None:
        self.server = server
        known = {row.name: row.default for row in (*COMMON_SETTINGS, *TYPE.settings) if row.default is not None}
        line = server.emulator.connection(server.url)["modelarts"]
        log_in = {key: line[key] for key in ("endpoint", "iamEndpoint", "projectId", "domain", "username", "password")}
        self.provider: Provider = TYPE.open(
            ProviderConfig(
                name="ma", type="modelarts", settings={**known, **log_in, **settings}, origin=Origin("reconciler.yaml")
            ),
            Context(resolve=lambda name: f"value-of-{name}", clock=server.emulator),
        )
        self.provider.catalogue()

    def send(self, change: Change, marker: str = MARKER) -> str:
        """Send all calls of a change, waiting for the phases that they name; the live id."""
        live_id = change.live_id
        for planned in self.provider.calls(change, marker):
            call = dataclasses.replace(
                planned, path=planned.path.replace("{id}", live_id), target=planned.target.replace("{id}", live_id)
            )
            self.wait(live_id, call.when)
            live_id = self.provider.send(call).live_id or live_id
            self.wait(live_id, call.until)
        return live_id

    def wait(self, live_id: str, phases: frozenset[Phase]) -> None:
        for _ in range(40):
            live = self.provider.read_one(NOTEBOOK, live_id) if phases else None
            if live is None or live.phase in phases:
                return
            self.server.emulator.advance(10)
        pytest.fail(f"{live_id} never was {phases}")

    def create(self, spec: Mapping[str, Any], name: str = "nb", marker: str = MARKER) -> Live:
        live_id = self.send(change(Action.CREATE, spec, name=name), marker)
        self.wait(live_id, frozenset({Phase.READY}))
        return self.one(live_id)

    def one(self, live_id: str) -> Live:
        live = self.read().by_id(live_id)
        assert live is not None
        return live

    def read(self) -> Listing:
        return self.provider.read_all(NOTEBOOK)

    def bodies(self, method: str) -> list[Any]:
        sent = self.server.emulator.requests
        return [entry["body"] for entry in sent if entry["method"] == method and "/demanager/" in entry["path"]]

    def switch(self, **values: Any) -> None:
        self.server.emulator.set_switches({"modelarts-notebooks": values})

    def fault(self, **values: Any) -> None:
        self.server.emulator.faults.replace([{"provider": "modelarts-notebooks", **values}])


@pytest.fixture
def lab(emulator: Server) -> Iterator[Lab]:
    made = Lab(emulator)
    yield made
    made.provider.close()


def resource(spec: Mapping[str, Any], name: str = "nb", run_state: str = "") -> Resource:
    return Resource(
        ref=ResourceRef("ma", "Notebook", name),
        kind=NOTEBOOK,
        live_name=name,
        spec=spec,
        lifecycle=Lifecycle(run_state=run_state),
    )


def change(
    action: Action,
    spec: Mapping[str, Any],
    live: Live | None = None,
    *,
    name: str = "nb",
    applied: Mapping[str, Any] | None = None,
    run_state: str = "",
) -> Change:
    fields = differences(spec, live, applied) if live is not None else ()
    return Change(
        address=f"ma/Notebook/{name}",
        kind=NOTEBOOK,
        action=action,
        reason="test",
        desired=None if action is Action.DELETE else resource(spec, name, run_state),
        live=live,
        fields=fields,
        run_state=run_state,
    )


def differences(spec: Mapping[str, Any], live: Live, applied: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
    return tuple(compare(Sides(kind=NOTEBOOK, desired=spec, live=live, applied=applied)).changes)


def with_auto_stop(spec: Mapping[str, Any], **auto_stop: Any) -> dict[str, Any]:
    return {**spec, "spec": {**spec["spec"], "auto_stop": auto_stop}}


# -- create and read back -------------------------------------------------------------------------------------------


def test_the_sheets_sample_goes_out_as_exactly_that_body_and_marker(lab: Lab) -> None:
    lab.create(SAMPLE, "notebook-d115")
    assert lab.bodies("POST") == [
        {
            "name": "notebook-d115",
            "description": f"[{MARKER}]",
            "profile_id": PROFILE,
            "flavor": "modelarts.kat1.xlarge",
            "spec": {
                "storage": {"location": {"path": "/aaaaaaaaa/output/"}, "type": "obs"},
                "auto_stop": {"enable": True, "duration": 3600},
            },
            "workspace": {"id": "0"},
        }
    ]


@pytest.mark.parametrize(
    "spec",
    [SAMPLE, PLAIN, FULL, UNUSED],
    ids=["the sample", "nothing optional", "everything optional", "an unused duration"],
)
def test_what_was_created_reads_back_as_equal_and_marked(lab: Lab, spec: dict[str, Any]) -> None:
    live = lab.create(spec)
    assert differences(spec, live, applied=spec) == ()
    assert differences(spec, live) == ()
    assert (live.marker, live.name, live.phase, live.run_state) == (MARKER, "nb", Phase.READY, "running")
    assert live.outputs == {"id": live.id, "name": "nb"}
    assert live.spec.get("description", "") == spec.get("description", "")
    assert "url" not in str(live.spec)


def test_parts_that_are_not_known_yet_keep_the_marker_behind_them(lab: Lab) -> None:
    reference = KnownAfterApply("theta/Deployment/features", "name")
    (call,) = lab.provider.calls(change(Action.CREATE, {**PLAIN, "description": reference}), MARKER)
    assert call.body["description"] == Composite((reference, f" [{MARKER}]"))


def test_a_profile_is_equal_in_every_spelling_that_the_server_may_choose(lab: Lab) -> None:
    live = lab.create(SAMPLE)
    same = (PROFILE, "Ascend-Powered-Engine 1.0 (python3)", "efa847c0-7359-11eb-b34f-0255ac100057")
    for profile in same:
        comparison = compare(Sides(kind=NOTEBOOK, desired={**SAMPLE, "profile_id": profile}, live=live, applied=None))
        assert (comparison.changes, comparison.unverified) == ([], [])
    other = {**SAMPLE, "profile_id": "TF-9"}
    comparison = compare(Sides(kind=NOTEBOOK, desired=other, live=live, applied=None))
    assert (comparison.changes, comparison.unverified) == ([], [FieldPath.parse("profile_id")])
    assert [str(found.path) for found in differences(other, live, applied=SAMPLE)] == ["profile_id"]


# -- update ---------------------------------------------------------------------------------------------------------


def test_only_the_description_goes_out_when_only_that_changed_and_the_marker_stays(lab: Lab) -> None:
    live = lab.create(SAMPLE)
    wanted = {**SAMPLE, "description": "new words"}
    lab.send(change(Action.UPDATE, wanted, live, applied=SAMPLE))
    assert lab.bodies("PUT") == [{"description": f"new words [{MARKER}]"}]
    after = lab.one(live.id)
    assert (after.id, after.marker, after.spec["description"]) == (live.id, MARKER, "new words")


def test_auto_stop_goes_out_whole_and_alone(lab: Lab) -> None:
    live = lab.create(with_auto_stop(PLAIN, enable=True, duration=3600, prompt=False))
    wanted = with_auto_stop(PLAIN, enable=True, duration=7200)
    lab.send(change(Action.UPDATE, wanted, live, applied=with_auto_stop(PLAIN, enable=True, duration=3600)))
    assert lab.bodies("PUT") == [{"spec": {"auto_stop": {"enable": True, "duration": 7200, "prompt": False}}}]
    assert differences(wanted, lab.one(live.id), applied=wanted) == ()


@pytest.mark.parametrize("merge", ["replace", "merge"])
def test_auto_stop_taken_out_of_the_spec_is_switched_off(lab: Lab, merge: str) -> None:
    lab.switch(put_auto_stop=merge)
    live = lab.create(SAMPLE)
    without = {**SAMPLE, "spec": {"storage": SAMPLE["spec"]["storage"]}}
    lab.send(change(Action.UPDATE, without, live, applied=SAMPLE))
    after = lab.one(live.id)
    assert "enable" not in after.spec["spec"]["auto_stop"] or after.spec["spec"]["auto_stop"]["enable"] is False
    assert differences(without, after, applied=without) == ()


def test_a_duration_that_waits_for_the_next_start_is_no_drift(lab: Lab) -> None:
    lab.switch(auto_stop_read="old")
    live = lab.create(SAMPLE)
    wanted = with_auto_stop(SAMPLE, enable=True, duration=7200)
    lab.send(change(Action.UPDATE, wanted, live, applied=SAMPLE))
    after = lab.one(live.id)
    assert after.spec["spec"]["auto_stop"]["duration"] == 3600
    assert differences(wanted, after, applied=wanted) == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("profile_id", "Multi-Engine 1.0 (python3)-gpu"),
        ("flavor", "modelarts.vm.cpu.8u"),
        ("spec.storage.location.path", "/team/other/"),
        ("spec.extend_storage", [{"type": "obsfs", "location": {"path": "/pfs/other/"}}]),
        ("spec.annotations.team", "audio"),
        ("pool.id", "pool2"),
        ("ai_project.id", "other"),
    ],
)
def test_every_field_that_put_does_not_take_forces_a_replace(lab: Lab, path: str, value: Any) -> None:
    live = lab.create(FULL)
    wanted = copy.deepcopy(FULL)
    place: Any = wanted
    *above, last = path.split(".")
    for key in above:
        place = place[key]
    place[last] = value
    found = differences(wanted, live, applied=FULL)
    assert [(str(field.path), field.forces_replace) for field in found] == [(path, True)]


def test_annotations_that_do_not_come_back_are_never_drift(lab: Lab) -> None:
    lab.switch(annotations_echo="drop")
    live = lab.create(FULL)
    assert differences(FULL, live, applied=FULL) == ()
    assert differences(FULL, live) == ()


def test_adopting_writes_the_marker_and_keeps_the_words(lab: Lab) -> None:
    live = lab.create({**PLAIN, "description": "hand-made"}, marker="")
    assert live.marker == ""
    lab.send(change(Action.ADOPT, PLAIN, live))
    assert lab.bodies("PUT") == [{"description": f"hand-made [{MARKER}]"}]
    assert lab.one(live.id).marker == MARKER


FLIPPED = {
    "show_self_default": False,
    "list_without_workspace": "all",
    "total_count_type": "string",
    "list_includes_deleted": True,
    "list_omits_storage": True,
    "annotations_echo": "drop",
    "name_scope": "user",
    "error_key": "error_msg",
    "success_status": 202,
    "delete": "sync",
    "delete_running": "allow",
    "put_in_transition": "accept",
    "put_auto_stop": "merge",
    "auto_stop_read": "old",
    "path_leading_slash": "optional",
    "foreign_show_self": "403",
    "limit_zero": "refuse",
    "unknown_keys": "refuse",
    "bearer_token": "on",
}


@pytest.mark.parametrize("switch", FLIPPED)
def test_the_whole_life_of_a_notebook_passes_with_each_switch_flipped_alone(lab: Lab, switch: str) -> None:
    lab.switch(**{switch: FLIPPED[switch]})
    live = lab.create(FULL)
    assert differences(FULL, live, applied=FULL) == ()
    wanted = with_auto_stop({**FULL, "description": "changed"}, enable=True, duration=9000, prompt=True)
    wanted["spec"] = {**FULL["spec"], "auto_stop": wanted["spec"]["auto_stop"]}
    lab.send(change(Action.UPDATE, wanted, live, applied=FULL))
    after = lab.one(live.id)
    assert (after.marker, differences(wanted, after, applied=wanted)) == (MARKER, ())
    lab.send(change(Action.DELETE, wanted, after))
    lab.server.emulator.advance(10)
    assert (lab.provider.read_one(NOTEBOOK, live.id), lab.read().by_id(live.id)) == (None, None)


# -- run state ------------------------------------------------------------------------------------------------------


def test_what_auto_stop_did_is_no_drift_and_its_run_state_claims_nothing(lab: Lab) -> None:
    live = lab.create(SAMPLE)
    lab.server.emulator.advance(2 * 3600)
    after = lab.one(live.id)
    assert (after.status, after.phase, after.run_state) == ("STOPPED", Phase.STOPPED, "")
    assert differences(SAMPLE, after, applied=SAMPLE) == ()
    wanted = with_auto_stop(SAMPLE, enable=True, duration=7200)
    calls = lab.provider.calls(
        dataclasses.replace(
            change(Action.UPDATE, wanted, after, applied=SAMPLE), desired=resource(wanted, run_state="running")
        ),
        MARKER,
    )
    assert [call.op for call in calls] == [CallOp.UPDATE, CallOp.START]


def test_stop_and_start_are_sent_and_already_so_counts_as_done(lab: Lab) -> None:
    live = lab.create(PLAIN)
    stop = change(Action.UPDATE, PLAIN, live, run_state="stopped")
    lab.send(stop)
    assert lab.one(live.id).run_state == "stopped"
    lab.send(stop)
    start = change(Action.UPDATE, PLAIN, lab.one(live.id), run_state="running")
    lab.send(start)
    assert lab.one(live.id).run_state == "running"
    lab.send(start)
    assert lab.bodies("POST")[1:] == [{"action": action} for action in ("stop", "stop", "start", "start")]


def test_a_create_that_should_stand_still_is_stopped_once_it_runs(lab: Lab) -> None:
    made = change(Action.CREATE, PLAIN, run_state="stopped")
    live_id = lab.send(made)
    assert lab.one(live_id).status == "STOPPED"


def test_another_operation_under_way_is_settled_by_reading(lab: Lab) -> None:
    live_id = lab.send(change(Action.CREATE, PLAIN))
    (stop,) = lab.provider.calls(change(Action.UPDATE, PLAIN, lab.one(live_id), run_state="stopped"), MARKER)
    with pytest.raises(UnknownOutcome, match="6357"):
        lab.provider.send(stop)


# -- delete ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait_s", [0, 60, 4000], ids=["while it is made", "while it runs", "after its auto-stop"])
def test_a_delete_stops_first_where_it_must_and_leaves_nothing(lab: Lab, wait_s: int) -> None:
    live_id = lab.send(change(Action.CREATE, SAMPLE))
    lab.server.emulator.advance(wait_s)
    lab.send(change(Action.DELETE, SAMPLE, lab.one(live_id)))
    going = lab.one(live_id)
    assert (going.phase, lab.provider.read_one(NOTEBOOK, live_id)) == (Phase.GOING, going)
    lab.server.emulator.advance(10)
    assert lab.provider.read_one(NOTEBOOK, live_id) is None
    assert lab.read().by_id(live_id) is None
    foreign = {item.name for item in lab.read().items}
    assert foreign == {"console-sandbox", "lidar-lab", "other-owner-nb"}


def test_deleting_what_is_gone_says_not_found_although_the_status_is_400(lab: Lab) -> None:
    live = lab.create(PLAIN)
    calls = lab.provider.calls(change(Action.DELETE, PLAIN, live), MARKER)
    lab.send(change(Action.DELETE, PLAIN, live))
    lab.server.emulator.advance(10)
    with pytest.raises(ProviderError) as caught:
        lab.provider.send(calls[-1])
    assert (caught.value.code, caught.value.status, caught.value.error_code) == ("not-found", 400, "ModelArts.6309")


def test_a_404_of_the_gateway_never_means_gone(lab: Lab) -> None:
    live = lab.create(PLAIN)
    body = {"error_msg": "The API does not exist", "error_code": "APIG.0101"}
    lab.fault(method="GET", path=live.id, status=404, body=body, count=1)
    with pytest.raises(ProviderError, match=r"APIG\.0101"):
        lab.provider.read_one(NOTEBOOK, live.id)
    calls = lab.provider.calls(change(Action.DELETE, PLAIN, live), MARKER)
    lab.fault(method="DELETE", path=live.id, status=404, body=body, count=1)
    with pytest.raises(ProviderError) as caught:
        lab.provider.send(calls[-1])
    assert caught.value.code == "rejected"


# -- lists ----------------------------------------------------------------------------------------------------------


def _served(lab: Lab, count: int) -> list[dict[str, Any]]:
    lab.create(PLAIN, "pattern")
    item = next(item for item in lab.server.emulator.state()["modelarts-notebooks"] if item["name"] == "pattern")
    return [{**item, "id": f"DE-{number:04}", "name": f"n{number}"} for number in range(count)]


def _answers(lab: Lab, pages: list[tuple[list[dict[str, Any]], Any]]) -> None:
    """Both list queries (with and without workspace) meet these answers, one after the other."""
    lab.server.emulator.faults.replace(
        [
            {
                "provider": "modelarts-notebooks",
                "method": "GET",
                "path": "instances$",
                "body": {"instances": items, "total_count": total},
                "status": 200,
                "count": 1,
            }
            for items, total in pages
        ]
    )


@pytest.mark.parametrize("count", [0, 1, 10, 11, 23, 121])
def test_a_server_that_pages_on_its_own_is_read_whole(lab: Lab, count: int) -> None:
    items = _served(lab, count)
    first, rest = items[:10], items[10:]
    pages = [(first, str(count))] + [(rest[start : start + 100], count) for start in range(0, len(rest), 100)]
    before = len(lab.server.emulator.requests)
    _answers(lab, pages + pages)
    assert [item.name for item in lab.read().items] == [item["name"] for item in items]
    offsets = [entry["query"].get("offset") for entry in lab.server.emulator.requests[before:]]
    expected = [None, *(str(10 + start) for start in range(0, len(rest), 100))]
    assert offsets == expected + expected


def test_a_thousand_instances_come_in_one_answer(lab: Lab) -> None:
    items = _served(lab, 1003)
    _answers(lab, [(items, 1003), (items, 1003)])
    assert len(lab.read().items) == 1003


def test_a_list_that_moves_is_read_again_and_one_that_never_adds_up_is_an_error(lab: Lab) -> None:
    items = _served(lab, 12)
    moved = [(items[:10], 12), (items[11:], 11)]
    whole = [(items, 12)]
    _answers(lab, [*moved, *whole, *whole])
    assert len(lab.read().items) == 12
    pushed = [(items[1:11], 11), (items[10:], 12)]  # the first of twelve came in between, and is on no page
    _answers(lab, [*pushed, *pushed, *whole, *whole])
    assert len(lab.read().items) == 12
    _answers(lab, [(items[:10], 12), ([], 12)] * 4)
    with pytest.raises(ProviderError, match="fewer items than its total_count"):
        lab.read()
    _answers(lab, [(items[:10], 12), (items[:10], 12)])
    with pytest.raises(ProviderError, match="the same page again"):
        lab.read()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"error_code": "ModelArts.0010", "error_message": "internal"}, id="an error under status 200"),
        pytest.param({"instances": []}, id="no total"),
        pytest.param({"total_count": 0}, id="no instances"),
        pytest.param("<html>log in</html>", id="a page for people"),
    ],
)
def test_an_answer_that_is_no_list_is_an_error_not_an_empty_list(lab: Lab, body: Any) -> None:
    lab.fault(method="GET", path="instances$", status=200, body=body, count=9)
    with pytest.raises(ProviderError):
        lab.read()


def test_items_without_storage_are_read_in_detail_and_vanished_ones_are_left_out(lab: Lab) -> None:
    lab.create(PLAIN)
    lab.switch(list_omits_storage=True)
    gone = next(item.id for item in lab.read().items if item.name == "lidar-lab")
    body = {"error_message": "The instance does not exist.", "error_code": "ModelArts.6309"}
    lab.fault(method="GET", path=gone, status=400, body=body, count=None)
    listing = lab.read()
    assert {item.name for item in listing.items} == {"nb", "console-sandbox", "other-owner-nb"}
    assert next(item for item in listing.items if item.name == "nb").spec["spec"]["storage"] == PLAIN["spec"]["storage"]


def test_without_the_right_to_see_others_the_list_says_that_it_is_partial(lab: Lab, emulator: Server) -> None:
    lab.create(PLAIN)
    lab.switch(foreign_show_self="403")
    listing = lab.read()
    assert (listing.verdict, {item.name for item in listing.items}) == (Verdict.PARTIAL, {"nb", "other-owner-nb"})
    assert "absence proves nothing" in listing.message
    lab.switch(foreign_show_self="all")
    assert lab.read().verdict is Verdict.COMPLETE
    own = Lab(emulator, listScope="own")
    assert own.read().verdict is Verdict.PARTIAL
    own.provider.close()


def test_tombstones_are_not_live_and_other_workspaces_are_merged(lab: Lab, emulator: Server) -> None:
    lab.switch(list_includes_deleted=True)
    live = lab.create(PLAIN)
    lab.send(change(Action.DELETE, PLAIN, live))
    lab.server.emulator.advance(10)
    assert lab.read().by_id(live.id) is None
    team = Lab(emulator, workspaceId="5c3d1a9e-2f0b-4a43-9f6e-0b6a5d2c7e11")
    other = team.create(PLAIN, "there")
    assert {item.name for item in team.read().items} == {"there", "console-sandbox", "lidar-lab", "other-owner-nb"}
    assert lab.read().by_id(other.id) is None
    team.provider.close()


def test_consoles_evs_instances_parse_and_carry_nothing_of_ours(lab: Lab) -> None:
    item = next(item for item in lab.read().items if item.name == "console-sandbox")
    assert item.spec["spec"]["storage"] == {"type": "evs", "location": {"path": "/home/ma-user/work"}}
    assert (item.marker, item.created_by) == ("", "f3779708b547462dbca12a70555d0690")


# -- outcomes -------------------------------------------------------------------------------------------------------


def _create_call(lab: Lab, name: str = "nb") -> Call:
    return lab.provider.calls(change(Action.CREATE, PLAIN, name=name), MARKER)[0]


def _intent(op: str = "create", **values: Any) -> Intent:
    return Intent(address="ma/Notebook/nb", op=op, op_id="dddddd", marker=MARKER, live_name="nb", **values)


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True},
        {"status": 503, "body": "<html>gateway</html>"},
        {"status": 408, "body": {"error_code": "ModelArts.6100", "error_message": "timeout"}},
        {"status": 200, "body": {"error_code": "ModelArts.0010", "error_message": "internal"}},
    ],
    ids=["cut", "503", "408", "200 with an error"],
)
def test_a_create_that_landed_unheard_is_found_by_its_operation_id(lab: Lab, fault: dict[str, Any]) -> None:
    lab.fault(method="POST", path="instances$", when="after-commit", count=1, **fault)
    with pytest.raises(UnknownOutcome):
        lab.provider.send(_create_call(lab))
    settled = lab.provider.settle(_intent(), lab.read())
    assert settled.live is not None
    assert (settled.live.name, len(lab.bodies("POST"))) == ("nb", 1)


def test_a_create_is_never_settled_by_its_name_nor_in_a_partial_list(lab: Lab) -> None:
    foreign = lab.create(PLAIN, marker=MARKER.replace("dddddd", "eeeeee"))
    assert foreign.parsed_marker == Marker.parse(MARKER.replace("dddddd", "eeeeee"))
    assert lab.provider.settle(_intent(), lab.read()).absent
    told = lab.provider.settle(_intent(evidence={"id": foreign.id}), lab.read())
    assert told.live is not None
    lab.switch(foreign_show_self="403")
    unknown = lab.provider.settle(_intent(), lab.read())
    assert (unknown.live, unknown.absent, unknown.candidates) == (None, False, ())


def test_one_that_is_on_its_way_out_is_not_claimed(lab: Lab) -> None:
    live = lab.create(PLAIN)
    lab.send(change(Action.DELETE, PLAIN, live))
    settled = lab.provider.settle(_intent(), lab.read())
    assert (settled.live, settled.absent, settled.candidates) == (None, False, (live.id,))
    still_there = lab.provider.settle(_intent("delete", target=live.id), lab.read())
    assert still_there.live is not None
    lab.server.emulator.advance(10)
    assert lab.provider.settle(_intent("delete", target=live.id), lab.read()).absent


def test_a_taken_name_is_a_conflict(lab: Lab) -> None:
    with pytest.raises(ProviderError) as caught:
        lab.provider.send(_create_call(lab, "lidar-lab"))
    assert (caught.value.code, caught.value.error_code) == ("conflict", "ModelArts.6301")
    assert not isinstance(caught.value, UnknownOutcome)


def test_a_failed_instance_is_an_instance_with_a_reason_not_a_failed_call(lab: Lab) -> None:
    lab.switch(create_outcome="failed", creating_s=0)
    live_id = lab.send(change(Action.CREATE, PLAIN))
    live = lab.provider.read_one(NOTEBOOK, live_id)
    assert live is not None
    assert (live.phase, live.status) == (Phase.FAILED, "CREATE_FAILED")
    assert live.reason.startswith("ModelArts.6360 ")
    assert [call.op for call in lab.provider.calls(change(Action.DELETE, PLAIN, live), MARKER)] == [CallOp.DELETE]


def test_a_token_that_ends_in_the_middle_is_renewed_once(lab: Lab) -> None:
    body = {"error_message": "expired", "error_code": "ModelArts.0202"}
    lab.fault(method="POST", path="instances$", status=401, body=body, count=1)
    assert lab.provider.send(_create_call(lab)).live_id


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("CREATE_QUEUING", Phase.PROGRESSING),
        ("SNAPSHOTTING", Phase.PROGRESSING),
        ("DELETE_FAILED", Phase.FAILED),
        ("ERROR", Phase.FAILED),
        ("FROZEN", Phase.DEGRADED),
        ("DELETED", Phase.GONE),
        ("SOMETHING_NEW", Phase.UNKNOWN),
    ],
)
def test_every_status_has_its_phase_and_a_new_one_is_unknown(status: str, phase: Phase) -> None:
    live = to_live({"id": "x", "status": status, "queuing_info": {"rank": 3, "remain_time": 90}}, "ma")
    assert (live.phase, live.reason) == (phase, "in the queue at place 3, about 90 s left")


def test_secrets_in_an_answer_are_left_behind() -> None:
    item = {
        "id": "DE-1",
        "name": "n",
        "description": None,
        "repository": {"credential": {"ssh_token": "s3cret"}},
        "spec": {
            "credential": {"ak": "s3cret", "sk": "s3cret"},
            "repository": {"credential": {"access_token": "s3cret"}},
            "storage": {"type": "obs", "location": {"path": "/a/b/"}},
        },
    }
    live = to_live(item, "ma")
    assert "s3cret" not in repr(live)
    assert split_marker(str(live.spec.get("description", ""))) == ("", "")


# -- rules across fields --------------------------------------------------------------------------------------------


def _findings(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    document = {"metadata": {"name": "nb"}, "lifecycle": {}, "spec": spec}
    found = [finding for check in NOTEBOOK.checks for finding in check(document, {})]
    return [(finding.path, finding.nearest) for finding in found if not finding.warning]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        pytest.param("/bucket/", "", id="the root of a bucket"),
        pytest.param("/bucket", "", id="a bucket without slash"),
        pytest.param("/bucket/dir", "/bucket/dir/", id="no slash at the end"),
        pytest.param("bucket/dir/", "/bucket/dir/", id="no slash at the beginning"),
        pytest.param("obs://bucket/dir/", "/bucket/dir/", id="an obs address"),
        pytest.param("/bucket//dir/", "/bucket/dir/", id="an empty folder name"),
        pytest.param("/", "", id="nothing but a slash"),
    ],
)
def test_a_path_that_is_no_folder_in_a_bucket_is_found_before_anything_is_sent(path: str, meant: str) -> None:
    spec = {**PLAIN, "spec": {"storage": {"type": "obs", "location": {"path": path}}}}
    assert _findings(spec) == [("spec.spec.storage.location.path", meant)]


def test_rules_across_fields_name_the_place_and_pass_what_is_fine_or_not_known() -> None:
    assert [_findings(spec) for spec in (SAMPLE, PLAIN, FULL, NOTEBOOK.example)] == [[]] * 4
    pending = KnownAfterApply("theta/Deployment/x", "name")
    assert _findings({**PLAIN, "spec": {"storage": {"type": "obs", "location": {"path": pending}}}}) == []
    assert _findings({**PLAIN, "spec": pending}) == []
    assert _findings(with_auto_stop(PLAIN, enable=True)) == [("spec.spec.auto_stop.duration", "")]
    assert _findings(with_auto_stop(PLAIN, enable=False)) == []
    assert _findings({**PLAIN, "spec": {"storage": {"type": "obs"}}}) == [("spec.spec.storage.location", "")]
    without_pool = {key: value for key, value in FULL.items() if key != "pool"}
    assert _findings(without_pool) == [("spec.spec.extend_storage", "")]
    assert _findings({**PLAIN, "description": "two\nlines"}) == [("spec.description", "")]
