"""The filters, tests and functions of a template: all that exist. Each is charged to the run's `Budget`.

Filters on text get text, never Python's spelling of a value; an undefined value is an error for all but `default`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, Final, cast

from jinja2.filters import FILTERS
from jinja2.runtime import Context, Undefined
from jinja2.tests import TESTS
from jinja2.utils import pass_context

from reconciler.spec.faults import CALL, LOOP, Budget, Fault, Later, as_text, check_length, too_much

__all__ = ["BUDGET_KEY", "FILTER_TABLE", "TEST_TABLE", "budget_of", "join", "numbers", "replace"]

BUDGET_KEY: Final = "\0budget"
"""Name of the budget in a context; no template can spell it."""

_FILTERS: Final = (
    *(
        "abs",
        "count",
        "d",
        "default",
        "dictsort",
        "first",
        "float",
        "groupby",
        "int",
        "items",
        "last",
        "length",
        "list",
    ),
    *("map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "unique"),
)
_ON_TEXT: Final = ("capitalize", "lower", "title", "trim", "upper", "urlencode", "wordcount")
_TESTS: Final = (
    *("boolean", "defined", "eq", "equalto", "false", "float", "ge", "gt", "greaterthan", "in"),
    *("integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "ne", "none", "number", "sequence"),
    *("string", "true", "undefined", "upper", "==", "!=", ">", ">=", "<", "<="),
)
_TAKES_UNDEFINED: Final = frozenset({"default", "d", "defined", "undefined"})
_LIGHT: Final = frozenset({*_TAKES_UNDEFINED, "length", "count", "first", "last"})
"""These don't look at the whole of their value."""


def budget_of(context: Context) -> Budget:
    """The budget of the run that this context belongs to."""
    found = context.parent.get(BUDGET_KEY)
    return found if isinstance(found, Budget) else Budget()


def numbers(*bounds: int) -> range:
    """`range()` with an end.

    Raises:
        Fault: `template-limit`, `template-type`.
    """
    if not all(isinstance(bound, int) for bound in bounds):
        raise Fault("template-type", "range() of something that is no whole number", "range(3)", needle="range")
    found = range(*bounds)
    if len(found) > LOOP:
        raise too_much(f"range() of {len(found):,} items", f"at most {LOOP:,}")
    return found


def join(context: Context, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    """Values as one text with `d` between them."""
    if attribute is not None:
        value = FILTERS["map"](context, value, attribute=attribute)
    texts = [as_text(item) for item in value]
    check_length(sum(map(len, texts)) + len(as_text(d)) * len(texts))
    return as_text(d).join(texts)


def replace(value: Any, old: str, new: str, count: int = -1) -> str:
    """A text with one part replaced by another."""
    text, old, new = as_text(value), as_text(old), as_text(new)
    check_length(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new, count)


def _indent(value: str, width: int = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002 - as Jinja
    if not 0 <= width <= 64:  # noqa: PLR2004 - far beyond any real indentation
        raise too_much(f"an indentation of {width}", "0 to 64")
    text = as_text(value)
    check_length(len(text) + (text.count("\n") + 1) * width)
    return str(FILTERS["indent"](text, width, first, blank))


def _tojson(value: Any, indent: int | None = None) -> str:
    if indent is not None and not 0 <= indent <= 8:  # noqa: PLR2004 - the same
        raise too_much(f"an indentation of {indent}", "0 to 8")
    return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False, default=as_text)


def _round(value: float, precision: Any = 0, method: str = "common") -> Any:
    if not isinstance(precision, int) or not 0 <= precision <= 15:  # noqa: PLR2004 - what a float can hold
        raise too_much(f"a precision of {precision}", "0 to 15")
    return FILTERS["round"](value, precision, method)


def _sum(value: Iterable[Any]) -> Any:
    items = list(value)
    if not all(isinstance(item, int | float) for item in items):
        raise Fault("template-type", "sum of something that is no number", "numbers", needle="sum")
    return sum(items)


@pass_context
def _rounds(context: Context, items: Any, size: int = 0) -> Iterator[Any]:
    """The items of a loop, each charged for a run through a template of this size."""
    budget = budget_of(context)
    if isinstance(items, Undefined):
        str(items)  # raises, in its own words
    if isinstance(items, str | Later) or not isinstance(items, Iterable):
        raise Fault("template-type", "a loop over something that is no list", "a list or a map", needle="for")
    for number, item in enumerate(items):
        if number >= LOOP:
            raise too_much(f"a loop of more than {LOOP:,} rounds", "a shorter one")
        budget.spend(rounds=1, characters=size)
        yield item


@pass_context
def _weighed(context: Context, value: Any) -> Any:
    """The same value, charged for being looked at as a whole."""
    budget_of(context).look(value)
    return value


def _concat(parts: Iterable[Any]) -> str:
    texts = [as_text(part) for part in parts]
    check_length(sum(map(len, texts)))
    return "".join(texts)


def _on_text(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def filtered(value: Any, *args: Any, **kwargs: Any) -> Any:
        return function(as_text(value), *args, **kwargs)

    return filtered


def _on_numbers(name: str) -> Callable[..., bool]:
    """A test that divides: of a text, `%` would be formatting, which makes as long a text as anybody likes."""

    def judged(*args: Any) -> bool:
        for value in args:
            if isinstance(value, bool) or not isinstance(value, int | float):
                wanted = "a number"
                raise Fault("template-type", f"{name} of something that is no number", wanted, needle=name)
        test: Any = TESTS[name]
        return bool(test(*args))

    return judged


def _guarded(name: str, function: Any) -> Callable[..., Any]:
    """A filter or test that takes no reference, is charged, and gives no value that is too long."""
    wants = str(getattr(getattr(function, "jinja_pass_arg", None), "name", ""))

    @pass_context
    def guarded(context: Context, *args: Any, **kwargs: Any) -> Any:
        budget = budget_of(context)
        for value in (*args, *kwargs.values()):
            if isinstance(value, Later) or (isinstance(value, Undefined) and name not in _TAKES_UNDEFINED):
                str(value)  # raises, in its own words
        budget.spend(characters=CALL)
        if name not in _LIGHT:
            budget.look(*args, *kwargs.values())
        first = {"context": (context,), "eval_context": (context.eval_ctx,), "environment": (context.environment,)}
        result = function(*first.get(wants, ()), *args, **kwargs)
        if isinstance(result, Iterator):
            result = list(result)
        if isinstance(result, str | list):
            check_length(len(result))
            budget.look(result)
        return result

    return cast("Callable[..., Any]", guarded)


_OWN: Final[dict[str, Callable[..., Any]]] = {
    "join": pass_context(join),
    "replace": replace,
    "indent": _indent,
    "tojson": _tojson,
    "string": as_text,
    "round": _round,
    "sum": _sum,
    "_concat": _concat,
}
FILTER_TABLE: Final[dict[str, Callable[..., Any]]] = {
    **{name: _guarded(name, FILTERS[name]) for name in _FILTERS},
    **{name: _guarded(name, _on_text(FILTERS[name])) for name in _ON_TEXT},
    **{name: _guarded(name, function) for name, function in _OWN.items()},
    "_rounds": _rounds,
    "_weighed": _weighed,
}
"""Name → filter. Those with `_` in front stand under loops, `~`, comparisons and slices."""
TEST_TABLE: Final[dict[str, Callable[..., Any]]] = {
    **{name: _guarded(name, TESTS[name]) for name in _TESTS},
    **{name: _guarded(name, _on_numbers(name)) for name in ("divisibleby", "even", "odd")},
}
"""Name → test."""
