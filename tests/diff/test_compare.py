"""What counts as a difference, which side moved, and what a person is told of it."""

from __future__ import annotations

import random
from typing import Any, Final

import pytest

from reconciler.diff.change import FieldClass
from reconciler.fields import Interruption
from reconciler.problems import Origin
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef, encode
from tests.diff.toys import compared, path, paths

SECRET = SecretRef("HF_TOKEN")
ENDPOINT = KnownAfterApply("p/Engine/up", "endpoint")


@pytest.mark.parametrize(
    ("desired", "live"),
    [
        pytest.param(
            {"size": 0.5, "memory": "1000M"}, {"size": "500m", "memory": "1G"}, id="quantities in other words"
        ),
        pytest.param({"size": "1.1"}, {"size": "1100m"}, id="exactly, without floats"),
        pytest.param({"size": "1e3"}, {"size": 1000}, id="an exponent"),
        pytest.param({"labels": {}, "pools": [], "note": None, "env": []}, {}, id="nothing in four spellings"),
        pytest.param({}, {"note": "", "pools": None, "labels": {"a": "b"}}, id="what the spec is silent about"),
        pytest.param({"replicas": 1}, {}, id="a default that the server leaves out"),
        pytest.param({"image": "docker.io/library/nginx:latest"}, {"image": "nginx"}, id="an image's unspoken parts"),
        pytest.param({"groups": ["a", "b", "b"]}, {"groups": ["b", "a"]}, id="a set in another order"),
        pytest.param(
            {"groups": [{"id": 1, "on": "x"}]},
            {"groups": [{"on": "x", "id": 1.0}]},
            id="a set of maps, keys turned round",
        ),
        pytest.param({"note": ""}, {}, id="an explicit empty text where there is none"),
        pytest.param({"seed": 1}, {"seed": 2}, id="what only the server sets"),
        pytest.param({"template": "vllm"}, {"template": "vllm", "template_id": "t1"}, id="said by name, shown by both"),
        pytest.param({"pool_name": "a"}, {"cluster": "a"}, id="shown under another name"),
    ],
)
def test_other_spellings_are_no_difference(desired: dict[str, Any], live: dict[str, Any]) -> None:
    for applied in (None, desired):
        assert compared(desired, live, applied).changes == []


@pytest.mark.parametrize(
    ("desired", "live"),
    [
        pytest.param({"memory": "1000M"}, {"memory": "1Gi"}, id="1 GB is not 1 GiB"),
        pytest.param({"pools": ["a", "b"]}, {"pools": ["b", "a"]}, id="a list whose order is a preference"),
        pytest.param({"note": "1"}, {"note": 1}, id="a text is no number"),
        pytest.param({"replicas": 1}, {"replicas": True}, id="a boolean is no number"),
        pytest.param({"replicas": 10**30}, {"replicas": 10**30 + 1}, id="a number beyond 28 digits"),
        pytest.param({"pools": [{"a": "b"}]}, {"pools": [[["a", "b"]]]}, id="a map is no list of pairs"),
        pytest.param({"replicas": 0}, {}, id="zero is not the default one"),
        pytest.param({"note": ""}, {"note": "old"}, id="an explicit empty text empties"),
    ],
)
def test_real_differences_are_seen(desired: dict[str, Any], live: dict[str, Any]) -> None:
    assert len(compared(desired, live).changes) == 1


def test_both_values_are_shown_as_people_wrote_them() -> None:
    (change,) = compared({"memory": "1000M"}, {"memory": "1Gi"}, {"memory": "1000M"}).changes
    assert (change.before, change.after) == ("1Gi", "1000M")


def test_what_was_never_ours_is_not_compared_even_beside_a_change() -> None:
    live = {
        "replicas": 1,
        "priority": "very-high",
        "labels": {"mine": "a", "policy": "p1"},
        "env": [{"name": "RUNAI_X", "value": "1", "exclude": False}, {"name": "A", "value": "1"}],
    }
    desired: dict[str, Any] = {"labels": {"mine": "a"}, "env": [{"name": "A", "value": "1"}], "replicas": 1}
    assert compared(desired, live, desired).changes == []
    assert paths(compared({**desired, "replicas": 2}, live, desired)) == ["replicas"]


_IN: Final = {"name": "A", "value": "1"}
_OUT: Final = {**_IN, "exclude": True}


@pytest.mark.parametrize(
    ("desired", "live", "applied", "changes"),
    [
        pytest.param(_OUT, None, _OUT, [], id="left out, and not shown"),
        pytest.param(_OUT, _OUT, _OUT, [], id="left out, and shown as such"),
        pytest.param({**_OUT, "value": "2"}, None, _OUT, [], id="another value of what is left out"),
        pytest.param(_OUT, _IN, _IN, [("env[A].exclude", False, True)], id="to be left out"),
        pytest.param(_OUT, None, None, [("env[A].exclude", None, True)], id="never asked for"),
        pytest.param(_OUT, _IN, _OUT, [("env[A].exclude", False, True)], id="came back by itself"),
        pytest.param(_IN, None, _OUT, [("env[A].exclude", True, False)], id="no longer left out"),
        pytest.param(_IN, _OUT, _OUT, [("env[A].exclude", True, False)], id="no longer left out, and shown as such"),
        pytest.param({**_IN, "exclude": False}, None, _OUT, [("env[A].exclude", True, False)], id="said in words"),
        pytest.param(None, None, _OUT, [("env[A].exclude", True, False)], id="no longer spoken of"),
        pytest.param(None, _IN, _OUT, [], id="no longer spoken of, and a foreign one by now"),
        pytest.param(_IN, _IN, _OUT, [], id="no longer left out, and there by now"),
        pytest.param({**_IN, "value": "2"}, _IN, _OUT, [("env[A].value", "1", "2")], id="there with another value"),
        pytest.param(
            _IN, _OUT, _IN, [("env[A].name", None, "A"), ("env[A].value", None, "1")], id="left out by somebody else"
        ),
    ],
)
def test_an_entry_that_is_left_out_is_compared_by_its_flag_alone(
    desired: dict[str, Any] | None, live: dict[str, Any] | None, applied: dict[str, Any] | None, changes: list[Any]
) -> None:
    spec, shown, last = ({"env": [one] if one else []} for one in (desired, live, applied))
    result = compared(spec, shown, last)
    assert [(str(one.path), one.before, one.after) for one in result.changes] == changes


def test_whether_an_entry_is_left_out_is_not_claimed_without_a_ledger_but_for_one_that_is_live() -> None:
    unseen = compared({"env": [_OUT]}, {})
    assert (unseen.changes, [str(path) for path in unseen.unverified]) == ([], ["env[A].exclude"])
    assert paths(compared({"env": [_OUT]}, {"env": [_IN]})) == ["env[A].exclude"]


# -- what left the spec -----------------------------------------------------------------------------------------------


def test_removed_entry_of_a_list_is_one_change_and_leaves_foreign_entries_alone() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "DEBUG", "value": "1"}]
    live = {"env": [*env, {"name": "POLICY", "value": "x"}], "labels": {"mine": "a", "policy": "b"}}
    result = compared({"env": env[:1]}, live, {"env": env, "labels": {"mine": "a"}})
    assert paths(result) == ["env[DEBUG]", "labels.mine"]
    assert all(change.removed and not change.forces_replace for change in result.changes)
    assert result.changes[0].before == {"name": "DEBUG", "value": "1"}


def test_removed_field_goes_back_to_its_default() -> None:
    applied = {"scaling": {"delay": 60}}
    (change,) = compared({"scaling": {"kind": "x"}}, {"scaling": {"delay": 60, "kind": "x"}}, applied).changes
    assert (str(change.path), change.before, change.after, change.removed) == ("scaling.delay", 60, 300, True)


@pytest.mark.parametrize("gone", [{}, {"scaling": None}, {"scaling": {}}], ids=["absent", "null", "empty"])
def test_removed_section_goes_as_a_whole_the_way_its_row_says(gone: dict[str, Any]) -> None:
    applied = {"scaling": {"delay": 60, "kind": "x"}}
    (change,) = compared(gone, applied, applied).changes
    assert (str(change.path), change.removed, change.forces_replace) == ("scaling", True, True)
    assert change.interruption is Interruption.DATA_LOSS


def test_removed_section_without_a_row_of_its_own_goes_field_by_field() -> None:
    applied = {"probe": {"path": "/", "port": 80}}
    assert paths(compared({}, applied, applied)) == ["probe.path", "probe.port"]


def test_field_that_can_not_be_unset_is_named() -> None:
    applied = {"scaling": {"metric": "cpu", "delay": 60}}
    result = compared({"scaling": {"delay": 60}}, applied, applied)
    assert list(map(str, result.impossible)) == ["scaling.metric"]


@pytest.mark.parametrize(
    ("live", "applied"),
    [
        pytest.param({}, {"note": "x"}, id="gone on the live side already"),
        pytest.param({"replicas": 1}, {"replicas": 3}, id="back at its default already"),
        pytest.param({}, {"hidden_depth": 5}, id="hidden, and the default was applied"),
        pytest.param({"template": "vllm"}, {"template_id": "t1"}, id="said by its other name now"),
    ],
)
def test_removed_field_that_is_nothing_already_is_no_change(live: dict[str, Any], applied: dict[str, Any]) -> None:
    assert compared({"template": "vllm"} if "template" in live else {}, live, applied).changes == []


def test_removed_hidden_field_is_a_change_by_what_was_applied() -> None:
    (change,) = compared({}, {}, {"hidden_depth": 9}).changes
    assert (change.before, change.after, change.verifiable) == (9, 5, False)


# -- lists ------------------------------------------------------------------------------------------------------------


def test_keyed_lists_compare_in_any_order() -> None:
    env = [{"name": name, "value": name.lower()} for name in "ABCDE"]
    tolerations = [
        {"key": "gpu", "effect": "NoSchedule"},
        {"key": "gpu", "effect": "NoExecute"},
        {"operator": "Exists", "effect": "NoSchedule"},
    ]
    shown = [{**one, "operator": one.get("operator", "Equal")} for one in tolerations]
    shuffle = random.Random(7).sample  # noqa: S311 - a shuffle
    for _ in range(50):
        live = {"env": shuffle(env, 5), "tolerations": shuffle(shown, 3)}
        assert compared({"env": env, "tolerations": tolerations}, live, None).changes == []


def test_changed_entry_is_shown_as_that_entry() -> None:
    desired = {"env": [{"name": "MODEL", "value": "b"}, {"name": "A", "value": "1"}]}
    live = {"env": [{"name": "A", "value": "1"}, {"name": "MODEL", "value": "a"}]}
    origins = {("spec", "env", 0, "value"): Origin("values/prod.yaml", 12, 3)}
    result = compared(desired, live, live, origin_of=origins.get)
    (change,) = result.changes
    assert (str(change.path), change.before, change.after) == ("env[MODEL].value", "a", "b")
    assert change.origin == Origin("values/prod.yaml", 12, 3)


def test_two_entries_of_one_key_stay_two() -> None:
    desired = {"tolerations": [{"key": "a"}, {"key": "a"}]}
    assert paths(compared(desired, {"tolerations": [{"key": "a"}]})) == ["tolerations[a,Equal#2].key"]


# -- what the API does not show ---------------------------------------------------------------------------------------


def test_hidden_field_speaks_by_the_last_applied_value() -> None:
    assert compared({"max": 4}, {}, {"max": 4}).changes == []
    assert paths(compared({"max": 5}, {}, {"max": 4})) == ["max"]
    assert list(map(str, compared({"max": 5}, {}).unverified)) == ["max"]


def test_path_that_this_item_hides_is_not_held_against_it() -> None:
    result = compared({"env": [{"name": "A", "value": "1"}]}, {}, None, hidden=["env"])
    assert result.changes == []
    assert list(map(str, result.unverified)) == ["env[A].name", "env[A].value"]


def test_field_shown_sometimes_counts_only_when_shown() -> None:
    assert compared({"hint": "a"}, {}, {"hint": "a"}).changes == []
    assert paths(compared({"hint": "a"}, {"hint": "b"}, {"hint": "a"})) == ["hint"]


@pytest.mark.parametrize(
    ("live", "applied", "expected"),
    [
        pytest.param({"profile": "other words"}, {"profile": "gpu x"}, [], id="applied speaks first"),
        pytest.param({"profile": "GPU X"}, {}, [], id="an equal live value second, when we never applied it"),
        pytest.param({"profile_name": "gpux"}, None, [], id="also under its other name"),
        pytest.param({"profile": "other words"}, None, [], id="else it can't be verified"),
        pytest.param({"profile": "other words"}, {"profile": "gpu y"}, ["profile"], id="another one was applied"),
    ],
)
def test_reworded_field(live: dict[str, Any], applied: dict[str, Any] | None, expected: list[str]) -> None:
    assert paths(compared({"profile": "gpu x"}, live, applied)) == expected


def test_value_that_counts_from_the_next_start_is_no_drift() -> None:
    assert compared({"disk": 50}, {"disk": 20}, {"disk": 50}).changes == []
    (change,) = compared({"disk": 80}, {"disk": 20}, {"disk": 50}).changes
    assert change.field_class is FieldClass.PENDING


# -- an autoscaler ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "changed"), [(1, False), (3, False), (4, False), (6, True), (0, True)])
def test_count_inside_its_bounds_is_no_drift(count: int, changed: bool) -> None:  # noqa: FBT001 - a table's column
    for shown in (count, str(count)):
        desired = {"min": 1, "max": 4}
        assert bool(compared(desired, {"min": shown}, desired).changes) is changed


def test_moved_bound_is_pending_wherever_the_scaler_stands() -> None:
    (change,) = compared({"min": 2, "max": 4}, {"min": 3}, {"min": 1, "max": 4}).changes
    assert (str(change.path), change.after) == ("min", 2)


def test_ignored_paths_are_left_alone_by_pattern_and_by_section() -> None:
    desired = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}], "probe": {"path": "/a"}, "note": "x"}
    live = {"env": [{"name": "A", "value": "9"}, {"name": "B", "value": "9"}], "probe": {"path": "/b"}, "note": "y"}
    ignore = (path("env[*].value"), path("probe"))
    assert paths(compared(desired, live, desired, ignore=ignore)) == ["note"]
    assert paths(compared(desired, live, desired, ignore=(path("env[A]"), path("note")))) == [
        "env[B].value",
        "probe.path",
    ]


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "changed", "unverified"), [(True, 1, 0), (False, 0, 0), (None, 0, 1)], ids=["changed", "same", "untold"]
)
@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"token": SECRET}, id="never shown"),
        pytest.param({"env": [{"name": "T", "value": SECRET}]}, id="an entry that the list shows in clear"),
        pytest.param({"args": ["--token", SECRET]}, id="one argument of several"),
        pytest.param({"note": Composite(("Bearer ", SECRET))}, id="inside a longer text"),
    ],
)
def test_fingerprint_alone_tells_of_a_secret(
    value: dict[str, Any],
    verdict: bool | None,  # noqa: FBT001 - a table's column
    changed: int,
    unverified: int,
) -> None:
    live = {"env": [{"name": "T", "value": "hf_CLEAR"}], "args": ["--token", "hf_CLEAR"], "note": "Bearer hf_CLEAR"}
    result = compared(value, live, value, secret_changed=lambda _name: verdict)
    assert (len(result.changes), len(result.unverified)) == (changed, unverified)
    for change in result.changes:
        assert change.sensitive
        assert (change.before, change.after, change.after_text) == (None, None, "")
        assert change.field_class is FieldClass.PENDING


def test_other_reference_is_a_change_and_the_live_value_is_never_called_drift() -> None:
    (change,) = compared({"token": SECRET}, {}, {"token": SecretRef("OLD")}).changes
    assert (change.field_class, change.forces_replace) == (FieldClass.PENDING, True)
    env: Any = {"env": [{"name": "T", "value": SECRET}]}
    other: Any = {"env": [{"name": "T", "value": SecretRef("OLD")}]}
    (change,) = compared(env, {"env": [{"name": "T", "value": "hf_CLEAR"}]}, other).changes
    assert change.field_class is FieldClass.PENDING


def test_secret_that_becomes_a_literal_shows_neither() -> None:
    applied = {"env": [{"name": "T", "value": SECRET}]}
    live = {"env": [{"name": "T", "value": "hf_CLEAR"}]}
    wanted: list[dict[str, Any]] = [{"env": [{"name": "T", "value": "debug"}]}, {"env": []}, {}]
    for desired in wanted:
        (change,) = compared(desired, live, applied).changes
        assert change.sensitive
        assert change.before is None


def test_literal_by_the_side_of_secrets_is_shown() -> None:
    (change,) = compared({"env": [{"name": "A", "value": "2"}]}, {"env": [{"name": "A", "value": "1"}]}).changes
    assert (change.sensitive, change.before, change.after) == (False, "1", "2")


def test_secret_in_a_text_whose_parts_were_cut_otherwise_is_the_same() -> None:
    applied = {"note": Composite(("http://", "10.0.0.1", "/", SECRET))}
    desired = {"note": Composite(("http://10.0.0.1/", SECRET))}
    assert compared(desired, {}, applied, secret_changed=lambda _name: False).changes == []


def test_value_that_is_not_known_yet_shows_its_reference() -> None:
    for value in (ENDPOINT, Composite(("http://", ENDPOINT, "/v1"))):
        (change,) = compared({"note": value}, {"note": "http://old/v1"}, {"note": "http://old/v1"}).changes
        assert (change.after, change.after_known, change.after_text) == (None, False, str(value))
        assert change.before == "http://old/v1"
    (change,) = compared({"args": ["--to", ENDPOINT]}, {"args": ["--to", "x"]}).changes
    assert (change.after, change.after_text) == (
        None,
        encode(f'["--to", "{str(ENDPOINT).replace(chr(34), chr(92) + chr(34))}"]'),
    )


# -- classes, ways, versions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("applied", "expected"),
    [
        pytest.param({"note": "a"}, FieldClass.PENDING, id="the spec moved"),
        pytest.param({"note": "b"}, FieldClass.DRIFT, id="the live side moved"),
        pytest.param({"note": "c"}, FieldClass.BOTH, id="both moved"),
        pytest.param({}, FieldClass.PENDING, id="never ours before: not drift"),
        pytest.param(None, FieldClass.UNKNOWN, id="no ledger entry"),
    ],
)
def test_which_side_moved(applied: dict[str, Any] | None, expected: FieldClass) -> None:
    (change,) = compared({"note": "b"}, {"note": "a"}, applied).changes
    assert change.field_class is expected


@pytest.mark.parametrize(
    ("before", "after", "replaces"),
    [(None, True, False), (False, True, False), (True, False, True), (True, None, True)],
)
def test_one_way_street(before: bool | None, after: bool | None, replaces: bool) -> None:  # noqa: FBT001 - a table
    (change,) = compared({"websocket": after}, {"websocket": before}, {"websocket": before}).changes
    assert change.forces_replace is replaces


@pytest.mark.parametrize(("version", "replaces"), [("2.8", True), ("2.9", False), ("2.21", False), ("", False)])
def test_release_decides_whether_it_changes_in_place(version: str, replaces: bool) -> None:  # noqa: FBT001 - a table
    for desired in ({"fresh": "b"}, {}):
        (change,) = compared(desired, {"fresh": "a"}, {"fresh": "a"}, version=version).changes
        assert change.forces_replace is replaces


def test_change_carries_what_a_reviewer_needs() -> None:
    (model, size) = compared({"size": "2", "model": "b"}, {"size": "1", "model": "a"}).changes
    assert (size.interruption, size.notice, size.source) == (
        Interruption.RESTART,
        "Requests fail for a minute.",
        "toy §1",
    )
    assert (model.forces_replace, model.interruption) == (True, Interruption.DATA_LOSS)


def test_field_without_a_row_replaces_because_that_is_the_safe_guess() -> None:
    (change,) = compared({"unheard": 1}, {"unheard": 2}).changes
    assert change.forces_replace


@pytest.mark.parametrize("nothing", [None, [], {}], ids=repr)
def test_written_nothing_is_the_same_as_silence_about_what_was_never_ours(nothing: Any) -> None:
    for key, live in (("note", "x"), ("pools", ["x"]), ("scaling", {"delay": 1}), ("replicas", 7)):
        for applied in (None, {}, {"image": "a"}):
            assert compared({key: nothing}, {key: live}, applied).changes == []


def test_a_field_that_follows_another_when_it_is_not_written_may_be_written_out() -> None:
    live = {"replicas": 2}
    assert compared({"replicas": 2, "ceiling": 2}, live, {"replicas": 2}).changes == []
    assert compared({"replicas": 2}, live, {"replicas": 2, "ceiling": 2}).changes == []
    assert paths(compared({"replicas": 2, "ceiling": 3}, live, {"replicas": 2})) == ["ceiling"]
    assert paths(compared({"replicas": 2}, live, {"replicas": 2, "ceiling": 3})) == ["ceiling"]
