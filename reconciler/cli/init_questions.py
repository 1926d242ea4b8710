"""What `init` needs to know: from options, from a person at a terminal, or by default."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from reconciler.cli.init_files import has_origin, repository_of
from reconciler.cli.init_texts import Start
from reconciler.fields import Kind
from reconciler.problems import nearest
from reconciler.providers.registry import all_kinds
from reconciler.spec.project_schema import PROJECT_SCHEMA

__all__ = ["Chosen", "choose", "environments_of", "kinds_of", "name_of"]

_T = TypeVar("_T")
_ENVIRONMENTS: Final = ("dev", "prod")
_PART: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_MOST: Final[int] = PROJECT_SCHEMA["properties"]["metadata"]["properties"]["name"]["maxLength"]
"""Characters of a part of an owner: a project, an environment."""
_WORDS: Final = f"1 to {_MOST} lowercase letters, digits and hyphens, a letter or digit at both ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The answers. `github`: with workflows; `begun`: what the project starts as."""

    begun: Start
    github: bool


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks at a terminal; elsewhere the default is the answer."""

    asks: bool

    def text(self, question: str, default: str, read: Callable[[str], _T]) -> _T:
        return click.prompt(question, default=default, value_proc=read, err=True) if self.asks else read(default)

    def sure(self, question: str, *, default: bool) -> bool:
        return click.confirm(question, default=default, err=True) if self.asks else default


def choose(root: Path, given: dict[str, Any], *, yes: bool) -> Chosen:
    """Take each option that was given, and ask for the others, or take their defaults.

    Raises:
        click.UsageError: for an answer that can't be.
        click.Abort: when nobody answers any more.
    """
    ask = _Asker(not yes and _is_terminal())
    name = name_of(given["name"]) if given["name"] else ask.text("Project", _label(root.resolve().name), name_of)
    kinds = kinds_of(given["kinds"]) if given["kinds"] else _ask_kinds(ask)
    environments: tuple[str, ...] = ()
    if not given["no_environments"]:
        listed = given["environments"]
        environments = (
            environments_of(listed)
            if listed
            else ask.text("Environments, or none", " ".join(_ENVIRONMENTS), _some_environments)
        )
    emulator = given["emulator"]
    if emulator is None:
        emulator = ask.sure("Begin with the emulator, which needs no account", default=True)
    github = _github(ask, given["github"], repository_of(root) == root.resolve(), bool(environments))
    return Chosen(
        begun=Start(
            name=name,
            kinds=kinds,
            environments=environments,
            emulator=emulator,
            ledger=given["ledger"] or _ask_ledger(ask, root, github=github),
            editor=given["editor"] != "none",
        ),
        github=github,
    )


def _is_terminal() -> bool:
    streams = (sys.stdin, sys.stderr)
    return not os.environ.get("CI") and all(stream is not None and stream.isatty() for stream in streams)


def _ask_kinds(ask: _Asker) -> tuple[Kind, ...]:
    known = all_kinds()
    if ask.asks:
        for label, kind in known.items():
            click.echo(f"  {label:<20} {kind.title}", err=True)
    return ask.text("An example of which of these", "all", lambda text: kinds_of(_words(text)))


def _github(ask: _Asker, given: bool | None, is_top: bool, has_environments: bool) -> bool:  # noqa: FBT001
    if given and not has_environments:
        raise click.UsageError("the workflows go by environments: --github needs at least one --env")
    if given is not None or not has_environments:
        return bool(given)
    return ask.sure("Workflows for GitHub: a plan on each pull request, an apply after each merge", default=is_top)


def _ask_ledger(ask: _Asker, root: Path, *, github: bool) -> str:
    """Where workflows apply, a file in the checkout is lost; a branch needs a remote to live on."""
    usual = "git" if github and (ask.asks or has_origin(root)) else "sqlite"
    return ask.text(
        "Record of what was applied: sqlite (a file here) or git (a branch of this repository)", usual, _home
    )


def _home(text: str) -> str:
    if text not in {"sqlite", "git"}:
        raise click.BadParameter(f"{text!r} is neither sqlite nor git")
    return text


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _label(text: str) -> str:
    """A name made of a folder's."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_MOST].strip("-") or "project"


def name_of(text: str) -> str:
    """A project's name.

    Raises:
        click.BadParameter: when it can't be one.
    """
    return _part(text, "--name", "a project")


def environments_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Environments, each once, in their order.

    Raises:
        click.BadParameter: when one can't be the name of one, or there is none.
    """
    found = tuple(dict.fromkeys(_part(text, "--env", "an environment") for text in texts))
    if not found:
        raise click.BadParameter(
            "at least one is needed; --no-environments makes a project without", param_hint="--env"
        )
    return found


def _some_environments(text: str) -> tuple[str, ...]:
    return () if text.strip() == "none" else environments_of(_words(text))


def _part(text: str, option: str, what: str) -> str:
    if len(text) > _MOST or not _PART.fullmatch(text):
        raise click.BadParameter(f"{text!r} is no name of {what} ({_WORDS})", param_hint=option)
    return text


def kinds_of(texts: Iterable[str]) -> tuple[Kind, ...]:
    """Kinds by `type/Kind`, all of a type by its name, and `all`; each once, in the registry's order.

    Raises:
        click.BadParameter: for one that nobody knows, or when there is none.
    """
    known = all_kinds()
    wanted = set()
    for text in texts:
        found = {label for label, kind in known.items() if text in {"all", label, kind.type, kind.name}}
        if not found:
            near = nearest(text, [*known, *(kind.type for kind in known.values())])
            hint = f"; did you mean {near!r}?" if near else ""
            raise click.BadParameter(f"{text!r} is none of {', '.join(known)}{hint}", param_hint="--kind")
        wanted |= found
    if not wanted:
        raise click.BadParameter("at least one is needed", param_hint="--kind")
    return tuple(kind for label, kind in known.items() if label in wanted)
