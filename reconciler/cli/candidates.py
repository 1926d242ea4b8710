"""What may stand for an option or an argument in this project, for a shell that completes. Offline, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from reconciler.spec import Spec

__all__ = ["candidates"]


def candidates(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]] | None:
    """The values of a parameter that begin as the word does; none where only click may know.

    Raises:
        SpecError: the spec can't be compiled.
    """
    known = _KNOWN.get(str(param.name))
    if known is not None and not isinstance(param.type, click.Choice | click.types.IntParamType):
        head = incomplete[: incomplete.rfind(",") + 1] if param.name in _LISTS else ""
        words = (f"{head}{word}" for word in sorted(set(known(ctx, incomplete.removeprefix(head)))))
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]
    if isinstance(param.type, click.Path) or "FILE" not in (param.metavar or ""):
        return None
    return [CompletionItem(incomplete, type="file")]


def _environments(ctx: click.Context, _: str) -> Iterable[str]:
    from reconciler.cli.project import PROJECT_FILE  # noqa: PLC0415 - only what this word needs
    from reconciler.spec import SourceFile, read_project_header  # noqa: PLC0415

    content = (_folder(ctx) / PROJECT_FILE).read_bytes()
    return read_project_header(SourceFile(PROJECT_FILE, content)).environments


def _addresses(ctx: click.Context, _: str) -> Iterable[str]:
    return (resource.address for resource in _spec(ctx).resources)


def _providers(ctx: click.Context, _: str) -> Iterable[str]:
    return _spec(ctx).project.providers


def _labels(ctx: click.Context, _: str) -> Iterable[str]:
    return (f"{key}={value}" for resource in _spec(ctx).resources for key, value in resource.labels.items())


def _policies(ctx: click.Context, _: str) -> Iterable[str]:
    return (policy.name for policy in _spec(ctx).policies)


def _scopes(ctx: click.Context, _: str) -> Iterable[str]:
    from reconciler.providers.registry import provider_types  # noqa: PLC0415

    types = provider_types()
    providers = _spec(ctx).project.providers
    return (f"{name}/{kind.name}" for name, config in providers.items() for kind in types[config.type].kinds)


def _words(_: click.Context, incomplete: str) -> Iterable[str]:
    from reconciler.cli.explain import known_words  # noqa: PLC0415

    return known_words(incomplete)


def _kinds(_: click.Context, _word: str) -> Iterable[str]:
    from reconciler.cli.explain import known_kinds  # noqa: PLC0415

    return known_kinds()


def _states(_: click.Context, _word: str) -> Iterable[str]:
    from reconciler.render.drift import STATES  # noqa: PLC0415

    return STATES


_KNOWN: Final[Mapping[str, Callable[[click.Context, str], Iterable[str]]]] = {
    "environment": _environments,
    "targets": _addresses,
    "address": _addresses,
    "explain": _addresses,
    "provider": _providers,
    "selector": _labels,
    "allowed_policies": _policies,
    "scope": _scopes,
    "what": _words,
    "kind": _kinds,
    "fail_on": _states,
}
"""Parameter → what is known for it. The names are those of the commands' functions, so that a new command has them."""
_LISTS: Final = frozenset({"selector", "fail_on"})
"""Parameters of several values with commas between."""


def _folder(ctx: click.Context) -> Path:
    return Path(ctx.params.get("directory") or ".")


def _spec(ctx: click.Context) -> Spec:
    from reconciler.cli.project import ProjectFiles, load_spec  # noqa: PLC0415

    files = tuple(ctx.params.get("files") or ())
    if "-" in files:
        raise FileNotFoundError("standard input is the shell's")
    return load_spec(
        ProjectFiles(
            root=_folder(ctx),
            environment=ctx.params.get("environment"),
            values=tuple(ctx.params.get("values") or ()),
            sets=tuple(ctx.params.get("sets") or ()),
            files=files,
        )
    )
