"""Our Markdown for GitHub's places: rendered by `render`, never longer than there is room, never empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.github.result import Result
from reconciler.render.drift_markdown import drift_markdown
from reconciler.render.result_markdown import result_markdown
from reconciler.render.safe import fence, for_terminal, prose

__all__ = ["drift_page", "result_text", "run_link", "units"]

_POINTER: Final = "the summary of this run and its saved plan hold all of it"
_ODD: Final = (KeyError, TypeError, AttributeError, ValueError, IndexError)
"""What a document of another shape than its format promises makes of a renderer."""


def units(text: str) -> int:
    """How many UTF-16 units a text has, as GitHub counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def run_link(url: str) -> str:
    """A sentence with the address of this run, or nothing where there is none."""
    return f"[The run that says so]({url})" if url else ""


def result_text(result: Result, title: str, *, room: int, since: Mapping[str, str] | None = None) -> tuple[str, bool]:
    """A result as Markdown, and whether it is that: what can't be shown is called failed, and is no review."""
    named = result.owner or title
    return _page(lambda: result_markdown(result.data, named, room=room, pointer=_POINTER, since=since), named, room)


def drift_page(drift: Mapping[str, Any], title: str, *, room: int) -> str:
    """Drift as the body of an issue."""
    return _page(lambda: drift_markdown(drift, title, room=room), title, room)[0]


def _page(render: Callable[[], str], title: str, room: int) -> tuple[str, bool]:
    try:
        text = render()
    except _ODD as error:
        return _unreadable(title, f"its document is of another shape than its format promises ({error})"), False
    return (text, True) if units(text) <= room else (_unreadable(title, "it is too long to be shown here"), False)


def _unreadable(title: str, why: str) -> str:
    shown = fence([for_terminal(why)[:500]], "text")
    return f"### It failed: {prose(title)}\n\n{shown}\n\nWhat was found can't be told here: look at the run.\n"
