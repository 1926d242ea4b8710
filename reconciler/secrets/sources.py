"""Where secret values come from: a variable, a bundle of them, or a file. Only names that the project lists.

The bundle, `RECONCILER_SECRETS`, is for CI systems that hand over one secret more easily than many: a line `NAME=value`
each (blank lines and those that begin with `#` say nothing), or one JSON object, where values have several lines.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from reconciler.problems import Problem, SpecError, nearest

__all__ = ["SecretSources"]

BUNDLE: Final = "RECONCILER_SECRETS"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SecretSources:
    """Resolves secrets by name, and remembers what it gave out, to be hidden. Safe to use from several threads.

    Args:
        allowed: The names that the project lists in `spec.secrets`.
        environ: The environment's variables, the bundle among them.
        folder: `RECONCILER_SECRETS_DIR`, one file a secret, or `None`.
        demo: Whether everything goes to the embedded emulator: a secret set nowhere is then `demo-<NAME>`.
        on_resolve: Called with (value, name) before a value is given out: `Redactor.add`.
    """

    def __init__(
        self,
        *,
        allowed: frozenset[str],
        environ: Mapping[str, str],
        folder: Path | None,
        demo: bool = False,
        on_resolve: Callable[[str, str], None] = lambda _value, _name: None,
    ) -> None:
        self._allowed = allowed
        self._environ = environ
        self._folder = folder
        self._demo = demo
        self._on_resolve = on_resolve
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._bundle: Mapping[str, str] | None = None
        self._invented: set[str] = set()

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence if any value had to be invented for the emulator."""
        with self._lock:
            names = sorted(self._invented)
        if not names:
            return ()
        return (f"set nowhere, so that the emulator gets demo-<NAME>: {', '.join(names)}",)

    def resolve(self, name: str) -> str:
        """The value of a secret; the same one for the rest of the command.

        Raises:
            SpecError: `secret-not-listed`, `secret-missing` (naming both places), `secret-unreadable`.
        """
        with self._lock:
            if name not in self._known:
                value = self._look_up(name)
                if not value and self._demo:
                    value = f"demo-{name}"
                    self._invented.add(name)
                if not value:
                    raise SpecError([self._missing(name)])
                self._on_resolve(value, name)
                self._known[name] = value
            return self._known[name]

    def missing(self, names: Iterable[str]) -> list[str]:
        """Which of these are set nowhere, sorted, each once. No value leaves this room.

        Raises:
            SpecError: `secret-not-listed`, `secret-unreadable`.
        """
        return [name for name in sorted(set(names)) if not self._look_up(name) and not self._demo]

    def problems(self, names: Iterable[str]) -> tuple[Problem, ...]:
        """A `secret-missing` problem for each of `missing(names)`, to be shown all at once."""
        return tuple(map(self._missing, self.missing(names)))

    def known_values(self) -> Mapping[str, str]:
        """Name → value of all that was resolved so far, for redaction only."""
        with self._lock:
            return dict(self._known)

    def _look_up(self, name: str) -> str:
        """The value, empty when it is set nowhere (an empty variable is what CI makes of a secret that isn't set)."""
        # The name may become a file's name: `../../etc/passwd` must not get that far, whatever the project lists.
        if name not in self._allowed or not _NAME.fullmatch(name):
            raise SpecError(
                [
                    Problem(
                        code="secret-not-listed",
                        wrong=f"the project does not list the secret {name!r}",
                        expected="a name of letters, digits and _ that stands in spec.secrets of reconciler.yaml",
                        nearest=nearest(name, self._allowed),
                    )
                ]
            )
        value = self._environ.get(name, "")
        if value:
            try:
                value.encode()
            except UnicodeEncodeError:
                raise SpecError([_unreadable(name, f"the environment variable {name} is not UTF-8 text")]) from None
            return value
        value = self._bundled().get(name, "")
        if value or self._folder is None:
            return value
        return self._look_up_file(self._folder / name, name)

    def _bundled(self) -> Mapping[str, str]:
        if self._bundle is None:
            self._bundle = _unbundled(self._environ.get(BUNDLE, ""))
        return self._bundle

    def _look_up_file(self, path: Path, name: str) -> str:
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return ""
        except OSError as error:
            wrong = f"the file {name} in RECONCILER_SECRETS_DIR can't be read: {error.strerror}"
            raise SpecError([_unreadable(name, wrong)]) from None
        try:
            text = raw.decode()
        except UnicodeDecodeError:  # its text would quote the value's bytes
            raise SpecError(
                [_unreadable(name, f"the file {name} in RECONCILER_SECRETS_DIR is not UTF-8 text")]
            ) from None
        return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")

    def _missing(self, name: str) -> Problem:
        folder = "the folder RECONCILER_SECRETS_DIR" if self._folder else "the folder that RECONCILER_SECRETS_DIR names"
        return Problem(
            code="secret-missing",
            wrong=f"the secret {name} is set nowhere, or empty",
            expected=f"an environment variable {name}, a line of {BUNDLE}, or a file {name} in {folder}",
        )


def _unbundled(text: str) -> Mapping[str, str]:
    """Name → value. No value, and no part of a line that may be one, is in an error's text.

    Raises:
        SpecError: `secret-unreadable`.
    """
    expected = "lines of NAME=value, or one JSON object of texts"
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            wrong = f"{BUNDLE} begins as a JSON object, and is none of texts"
            raise SpecError([Problem(code="secret-unreadable", wrong=wrong, expected=expected)])
        return found
    pairs: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, sign, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not sign or not _NAME.fullmatch(name.strip()):
            wrong = f"line {number} of {BUNDLE} is no NAME=value"
            raise SpecError([Problem(code="secret-unreadable", wrong=wrong, expected=expected)])
        pairs[name.strip()] = value
    return pairs


def _unreadable(name: str, wrong: str) -> Problem:
    return Problem(code="secret-unreadable", wrong=wrong, expected=f"the value of {name} as UTF-8 text")
