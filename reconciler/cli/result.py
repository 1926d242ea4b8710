"""What became of a command, as a file for the next step of a job (`--result`, `reconciler-result/1`).

The file is there from the beginning, and says then that the command did not finish: of one that was killed, nobody can
take a missing word for good news (case C53).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.cli.output import OutputError
from reconciler.problems import Refused, SpecError
from reconciler.render.envelope import PARTS, empty_result
from reconciler.render.problems import problems_json
from reconciler.render.seal import dump, with_texts

__all__ = ["ResultFile"]


@dataclass(slots=True)
class ResultFile:
    """One command's result on disk.

    Attributes:
        path, command, environment: Where it goes, what runs, and the environment that `-e` names, if any.
        redact: Hides secrets by value.

    Raises, in every method that writes:
        OutputError: the file can't be written.
    """

    path: Path
    command: str
    environment: str | None
    redact: Callable[[str], str]
    _data: dict[str, Any] = field(init=False, default_factory=dict)

    def begin(self) -> None:
        """Write that nothing is known yet."""
        self._data = empty_result(self.command, self.environment)
        self._write()

    def identify(self, owner: str, environment: str) -> None:
        """Whom it is about, as soon as the spec says so."""
        self._data |= {"owner": owner, "environment": environment or None}
        self._write()

    def keep(self, part: str, document: Mapping[str, Any]) -> None:
        """A `plan`, `report` or `drift`, as it is printed with `-o json`."""
        self._data |= {part: dict(document), "revision": document.get("revision") or self._data["revision"]}

    def fail(self, error: BaseException, told: str) -> None:
        """What ended the command; `told` is what stderr says of it."""
        found = error.problems if isinstance(error, SpecError | Refused) else ()
        self._data |= {"message": told, "problems": problems_json(found)["problems"]}

    def report_problems(self, document: Mapping[str, Any]) -> None:
        """Mistakes that a command has found and told itself."""
        self._data["problems"] = document["problems"]

    def finish(self, code: int) -> None:
        """Write how it ended."""
        self._data |= {"finished": True, "exit_code": code}
        self._write()

    def _write(self) -> None:
        parts = {key: self._data[key] for key in PARTS}  # masked already, and sealed as they are
        masked = with_texts({k: v for k, v in self._data.items() if k not in parts}, self.redact)
        try:
            self.path.write_text(dump({**masked, **parts}), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"the result could not be saved: {error.strerror}") from None
