"""`reconciler completion`: the script that a shell loads, and what it asks at each press of the Tab key."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Final

import click
from click import shell_completion
from click.shell_completion import CompletionItem, FishComplete, ShellComplete, ZshComplete

from reconciler.cli.candidates import candidates

__all__ = ["VARIABLE", "answer", "command"]

VARIABLE: Final = "_RECONCILER_COMPLETE"
"""Set by the script while it asks: `bash_complete`, `zsh_complete` or `fish_complete`; `bash_source` asks for it."""
_LONGEST_S: Final = 3
"""A prompt that hangs is worse than one that completes nothing."""
_AGAIN_S: Final = 0.05
_HARMLESS: Final = re.compile(r"[\w./=,:@%+-]+")
"""What no shell expands, splits or runs. Whatever holds another sign is not offered: it would stand on the prompt."""


class _Mixin(ShellComplete):
    """Candidates of the project; a value behind `--option=` comes back as the whole word that the shell replaces."""

    _before: str = ""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """See click; options and commands as it knows them, values as this project knows them."""
        option, joined, value = incomplete.partition("=")
        if joined and option.startswith("-"):
            args, incomplete, self._before = [*args, option], value, f"{option}="
        args = [os.path.expanduser(one) if one.startswith("~") else one for one in args]  # noqa: PTH111 - a word
        context = shell_completion._resolve_context(self.cli, {**self.ctx_args}, self.prog_name, args)  # noqa: SLF001 - as click's own get_completions, which has no seam
        found, incomplete = shell_completion._resolve_incomplete(context, args, incomplete)  # noqa: SLF001
        if isinstance(found, click.Parameter):
            own = candidates(context, found, incomplete)
            if own is not None:
                return own
        return found.shell_complete(context, incomplete)

    def complete(self) -> str:
        """All candidates, a line each, as the shell's script reads them."""
        args, incomplete = self.get_completion_args()
        items = [
            one
            for one in self.get_completions(args, incomplete)
            if _HARMLESS.fullmatch(one.value) or one.type != "plain"
        ]
        return "\n".join(self.format_completion(one) for one in self._whole(items))

    def _whole(self, items: Iterable[CompletionItem[str]]) -> Iterator[CompletionItem[str]]:
        for one in items:
            yield CompletionItem(f"{self._before}{one.value}", type=one.type, help=one.help)


class _Zsh(_Mixin, ZshComplete):
    name = "zsh"


class _Fish(_Mixin, FishComplete):
    name = "fish"


class _Bash(_Mixin):
    """Bash ends words at `=` and `:` too, and replaces only what stands behind the last one."""

    name = "bash"
    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' line
    COMPREPLY=()
    for line in $(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null); do
        case "${line%%%%,*}" in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain) COMPREPLY+=("${line#*,}") ;;
        esac
    done
}
complete -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor, and the one at it; also in the form of click's own scripts."""
        if "COMP_LINE" not in os.environ:
            words, at = shell_completion.split_arg_string(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
            self._word = words[at] if at < len(words) else ""
            return words[1:at], self._word
        line = os.fsencode(os.environ["COMP_LINE"])[: int(os.environ["COMP_POINT"])].decode("utf-8", "replace")
        words = shell_completion.split_arg_string(line)
        if not words or line[-1:].isspace():
            words.append("")
        self._word = words[-1]
        return words[1:-1], words[-1]

    def _whole(self, items: Iterable[CompletionItem[str]]) -> Iterator[CompletionItem[str]]:
        ends = [place + 1 for place, sign in enumerate(self._word) if sign in os.environ.get("COMP_WORDBREAKS", "=:")]
        shown = ends[-1] if ends else 0
        for one in super()._whole(items):
            yield CompletionItem(one.value[shown:] if one.type == "plain" else one.value, type=one.type)

    def format_completion(self, item: CompletionItem[str]) -> str:
        """`type,value`."""
        return f"{item.type},{item.value}"


_SHELLS: Final[dict[str, type[_Mixin]]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


@click.command(
    "completion",
    epilog="""\b
Examples:
  source <(reconciler completion bash)
  reconciler completion zsh > ~/.zfunc/_reconciler
  reconciler completion fish > ~/.config/fish/completions/reconciler.fish""",
)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def command(ctx: click.Context, *, shell: str) -> int:
    """Print the script that makes SHELL complete commands, options, environments and addresses.

    Load it from the file that your shell reads at its start. It asks no provider and reads no secret; where the spec
    can't be compiled, nothing of it is offered.
    """
    script = _SHELLS[shell](ctx.find_root().command, {}, "reconciler", VARIABLE).source()
    ctx.obj.result(script, masked=True)
    return 0


def answer(cli: click.Command) -> int:
    """Answer the shell that is named in the environment; whatever goes wrong, nothing is offered and nothing said."""
    shell, _, asked = os.environ[VARIABLE].partition("_")
    with contextlib.ExitStack() as stack, contextlib.suppress(Exception):
        # Also a library must not write on somebody's prompt.
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        with _hurried():
            asking = _SHELLS[shell](cli, {}, "reconciler", VARIABLE)
            told = asking.source().rstrip("\n") if asked == "source" else asking.complete()
        sys.stdout.buffer.write(f"{told}\n".encode() if told else b"")
        sys.stdout.buffer.flush()
    return 0


@contextlib.contextmanager
def _hurried() -> Iterator[None]:
    """Raise `TimeoutError` when it takes too long, where the system can."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def over(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, over)
    # Again and again: raised within a finalizer or a callback of the collector, it is swallowed.
    signal.setitimer(signal.ITIMER_REAL, _LONGEST_S, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
