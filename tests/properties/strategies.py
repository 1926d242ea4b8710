"""What the laws are tried on: JSON, specs of a toy engine in several spellings, changes that depend on one another."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st

from reconciler.spec.values import Composite, KnownAfterApply, SecretRef

law: Final = settings(max_examples=150, deadline=None, database=None)
"""How hard a law is tried."""

WORDS: Final = st.text(alphabet="abcxyz019.-", min_size=1, max_size=6)
SCALARS: Final = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
JSON: Final = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)

QUANTITIES: Final = st.from_regex(
    r"[+-]?[0-9]{1,30}(\.[0-9]{0,5})?([eE][+-]?[0-9]{1,9}|[numkKMGTPE]i?)?B?", fullmatch=True
)
IMAGES: Final = st.lists(
    st.sampled_from(["docker.io/", "library/", "nginx", ":latest", "a/", "@sha256:1", "reg:5000/"]), max_size=6
).map("".join)
PROFILES: Final = st.lists(st.sampled_from(["gpu", "Power", "ed", "powered", " ", "\t", "ß", "İ"]), max_size=6).map(
    "".join
)
SCHEDULES: Final = st.lists(
    st.fixed_dictionaries(
        {
            "type": WORDS,
            "duration": st.integers(1, 99) | QUANTITIES,
            "time_unit": st.sampled_from(["DAYS", "HOURS", "x"]),
        }
    ),
    max_size=3,
)
COMPARABLE: Final = JSON | QUANTITIES | IMAGES | PROFILES | SCHEDULES

REFERENCES: Final = st.builds(SecretRef, WORDS) | st.builds(
    KnownAfterApply, st.just("p/Box/up"), st.sampled_from(["id", "name", "endpoint"])
)
LEAVES: Final = (
    SCALARS
    | REFERENCES
    | st.lists(st.text(max_size=4) | REFERENCES, max_size=4).map(lambda parts: Composite(tuple(parts)))
)
VALUES: Final = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["$secret", "$ref", "$text", "$map", "attribute"]), inner, max_size=4
        )
    ),
)

_ENV: Final = st.dictionaries(WORDS, WORDS, min_size=1, max_size=4).map(
    lambda pairs: [{"name": name, "value": value} for name, value in pairs.items()]
)
_TOLERATIONS: Final = st.lists(
    st.fixed_dictionaries({"key": WORDS, "effect": st.sampled_from(["NoSchedule", "NoExecute"])}),
    min_size=1,
    max_size=3,
    unique_by=lambda one: (one["key"], one["effect"]),
)

ENGINES: Final = st.fixed_dictionaries(
    {"note": WORDS},
    optional={
        "size": st.integers(1, 10**6).map(lambda milli: f"{milli}m"),
        "memory": st.integers(1, 10**6).map(lambda mega: f"{mega}M"),
        "model": WORDS,
        "replicas": st.integers(1, 9),
        "env": _ENV,
        "tolerations": _TOLERATIONS,
        "labels": st.dictionaries(WORDS, WORDS, min_size=1, max_size=3),
        "pools": st.lists(WORDS, min_size=1, max_size=3),
        "groups": st.lists(WORDS, min_size=1, max_size=4),
        "probe": st.fixed_dictionaries({"path": WORDS, "port": st.integers(1, 9)}),
    },
)
"""A spec of a toy engine."""


def respelled(draw: Callable[[st.SearchStrategy[Any]], Any], spec: dict[str, Any]) -> dict[str, Any]:
    """The same as a server may show it: other spellings and orders, defaults filled in or left out, foreign things."""
    live: dict[str, Any] = {}
    for key in draw(st.permutations(sorted(spec))):
        value = _respell(draw, key, spec[key])
        if not (key == "replicas" and value == 1 and draw(st.booleans())):
            live[key] = value
    if "replicas" not in spec and draw(st.booleans()):
        live["replicas"] = 1
    return {**live, "priority": "very-high", "seed": draw(st.integers())}


def _respell(draw: Callable[[st.SearchStrategy[Any]], Any], key: str, value: Any) -> Any:  # noqa: PLR0911 - a table
    if key == "size":
        milli = Decimal(value.removesuffix("m"))
        return draw(st.sampled_from([value, str(milli / 1000), f"{milli * 1000}u", f"{milli}e-3"]))
    if key == "memory":
        return draw(st.sampled_from([value, f"{value[:-1]}000k", int(value[:-1]) * 10**6, f"{value}B"]))
    if key == "env":
        foreign = [{"name": "POLICY X", "value": "1"}] if draw(st.booleans()) else []
        return draw(st.permutations([*({**one, "exclude": False} for one in value), *foreign]))
    if key == "tolerations":
        return draw(st.permutations([{**one, "operator": "Equal"} for one in value]))
    if key == "labels":
        return {"policy x": "1", **value}
    if key == "groups":
        return draw(st.permutations([*value, value[0]]))
    return value


def changed(  # noqa: PLR0911 - a table
    draw: Callable[[st.SearchStrategy[Any]], Any], spec: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """One real change: the path that it has for a person, and the spec with it."""
    key = draw(st.sampled_from(sorted(spec)))
    value = spec[key]
    if key in {"note", "model"}:
        return key, {**spec, key: value + "!"}
    if key in {"size", "memory"}:
        return key, {**spec, key: f"1{value}"}
    if key == "replicas":
        return key, {**spec, key: value + 1}
    if key == "env":
        index = draw(st.integers(0, len(value) - 1))
        entries = [{**one, "value": one["value"] + "!"} if at == index else one for at, one in enumerate(value)]
        return f"env[{value[index]['name']}].value", {**spec, key: entries}
    if key in {"labels", "probe"}:
        name = draw(st.sampled_from(sorted(value)))
        return f"{key}.{name}", {**spec, key: {**value, name: f"{value[name]}!"}}
    if key == "tolerations":
        return "", {**spec, key: [*value, {"key": "brand new", "effect": "NoSchedule"}]}
    return key, {**spec, key: [*value, "new!"]}
