"""A template as a program: names, `ref()` and `secret()` between texts are run here, all else by `spec.sandbox`.

Most templates of a large spec are of that form, and each `ref()` is another text: Jinja takes 540 µs to compile one,
this takes 5. It knows only the way that ends well: where a name is missing, or is not what it should be, Jinja runs the
template after all, so that errors are made in one place. That both agree is tested: `tests/spec/test_program.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from reconciler.spec.faults import TOKEN, TRACED, Budget, Later, check_length, longest

__all__ = ["Program", "parse", "quick_program"]

_NAME: Final = "[A-Za-z][A-Za-z0-9_]*"
_TEXT: Final = r"\"[^\"'\\{}%#\r\n]*\"|'[^\"'\\{}%#\r\n]*'"
_EXPRESSION: Final = re.compile(
    rf"\{{\{{\s*(?:(?P<path>{'|'.join(sorted(TRACED))})(?P<below>(?:\.{_NAME})*)"
    rf"|(?P<function>ref|secret)\((?P<text>{_TEXT})\)(?:\.(?P<attribute>{_NAME}))?)\s*\}}\}}",
    re.ASCII,
)
_LONGEST: Final = 4096
"""Characters of a template that are looked at."""


@dataclass(frozen=True, slots=True)
class Program:
    """A parsed template.

    Attributes:
        run: Given the scope, yields literal texts and values in order. Raises `Fault`.
        single: Whether it is one expression and nothing else, so that the expression's type is kept.
        path: For a bare `values.a.b`, its parts.
        reads: All such paths inside, for `compile --explain`.
        names: All names that it looks up in the scope.
    """

    run: Callable[[Mapping[str, Any], Budget], Iterator[Any]]
    single: bool
    path: tuple[str | int, ...]
    reads: tuple[tuple[str | int, ...], ...]
    names: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def parse(source: str) -> Program:
    """Parse a template once.

    Raises:
        Fault: `template-syntax` (with a line inside the text), `template-forbidden`, `template-limit`.
    """
    return quick_program(source) or _by_jinja(source)


@lru_cache(maxsize=4096)
def _by_jinja(source: str) -> Program:
    from reconciler.spec.sandbox import compiled  # noqa: PLC0415 - 60 ms to import, and most specs do without

    return compiled(source)


class _Unusual(Exception):
    """Jinja has to run it."""


@dataclass(frozen=True, slots=True)
class _Path:
    """`values.a.b`."""

    name: str
    below: tuple[str, ...]

    def value(self, scope: Mapping[str, Any]) -> Any:
        found = scope.get(self.name)
        for part in self.below:
            if not isinstance(found, dict) or part not in found:
                raise _Unusual
            found = found[part]
        if found is None and self.name not in scope:
            raise _Unusual
        return found


@dataclass(frozen=True, slots=True)
class _Call:
    """`ref("theta/Deployment/features").endpoint`, `secret("NAME")`."""

    name: str
    text: str
    attribute: str

    def value(self, scope: Mapping[str, Any]) -> Any:
        function: Any = scope.get(self.name)
        if not getattr(function, "is_template_function", False):
            raise _Unusual
        found = function(self.text)
        if not self.attribute:
            return found
        if not isinstance(found, Later) or not found.has(self.attribute):
            raise _Unusual
        return found.attribute(self.attribute)


def quick_program(source: str) -> Program | None:
    """The program of a template in which nothing is unusual; `None` when Jinja has to read it."""
    if len(source) > _LONGEST or "{%" in source or "{#" in source or "\r" in source:
        return None
    pieces: list[str | _Path | _Call] = []
    tokens = end = 0
    while (begin := source.find("{{", end)) >= 0:
        found = _EXPRESSION.match(source, begin)
        if found is None:
            return None
        pieces += [source[end:begin]] if begin > end else []
        if found["path"]:
            below = tuple(found["below"].split(".")[1:])
            pieces.append(_Path(found["path"], below))
            tokens += 3 + 2 * len(below)
        else:
            pieces.append(_Call(found["function"], found["text"][1:-1], found["attribute"] or ""))
            tokens += 6 + 2 * bool(found["attribute"])
        end = found.end()
    pieces += [source[end:]] if end < len(source) else []
    return _program(source, pieces, tokens)


def _program(source: str, pieces: list[str | _Path | _Call], tokens: int) -> Program:
    def run(scope: Mapping[str, Any], budget: Budget) -> Iterator[Any]:
        budget.spend(characters=len(source))
        budget.once(source, characters=tokens * TOKEN)
        try:
            parts = [piece if isinstance(piece, str) else piece.value(scope) for piece in pieces]
        except _Unusual:
            budget.spend(characters=-len(source))  # that is charged there
            yield from _by_jinja(source).run(scope, budget)
            return
        length = 0
        for part in parts:
            length += len(part) if isinstance(part, str) else 1
            check_length(length)
            yield part

    paths = [(piece.name, *piece.below) for piece in pieces if isinstance(piece, _Path)]
    single = len(pieces) == 1 and not isinstance(pieces[0], str)
    bare = single and bool(paths) and paths[0][0] in {"values", "item"}
    names = frozenset(piece.name for piece in pieces if not isinstance(piece, str))
    return Program(run, single, paths[0] if bare else (), longest(paths), names)
