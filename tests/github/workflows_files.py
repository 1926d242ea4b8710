"""How a step speaks with the runner: commands in its log, and the GITHUB_* files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.github.workflows_results import Annotation, Step
from tests.github.workflows_values import WorkflowError

_COMMAND = re.compile(r"\s*::(?P<name>[\w-]+)(?: (?P<properties>(?:(?!::).)*))?::(?P<data>.*)")
_OLD_COMMAND = re.compile(r"##\[(?P<name>[\w-]+)(?: (?P<properties>[^\]]*))?\](?P<data>.*)")
_LEVELS = frozenset({"error", "warning", "notice"})
_REFUSED = frozenset({"set-output", "save-state", "set-env", "add-path"})
_OTHERS = frozenset(
    {"add-mask", "add-matcher", "debug", "echo", "endgroup", "group", "remove-matcher", "stop-commands"}
)
_SUMMARY_ROOM = 1024 * 1024


def read_log(step: Step) -> None:
    """Workflow commands in the log, as the runner finds them: at the begin of a line, the old ones anywhere."""
    silent = ""
    for line in re.split(r"\r\n|\r|\n", step.log):
        found = _COMMAND.match(line) or _OLD_COMMAND.search(line)
        if found is None:
            continue
        name, data = found["name"].lower(), found["data"]
        if silent:
            silent = "" if name == silent else silent
            continue
        if name in _LEVELS | _OTHERS:
            step.commands.append(name)
        if name == "stop-commands":
            silent = data.lower()
        elif name in _REFUSED:
            raise WorkflowError(f"step {step.name}: the log holds a command that steers the job: {line}")
        elif name in _LEVELS:
            pairs = [pair.partition("=") for pair in re.split("[,;]", found["properties"] or "") if pair]
            properties = {key.strip(): _decoded(text, {"%3A": ":", "%2C": ","}) for key, _, text in pairs}
            step.annotations.append(Annotation(name, _decoded(data, {}), properties))


def _decoded(text: str, more: Mapping[str, str]) -> str:
    for code, character in {"%0D": "\r", "%0A": "\n", **more, "%25": "%"}.items():
        text = text.replace(code, character)
    return text


def read_files(step: Step, files: Mapping[str, Path]) -> tuple[dict[str, str], list[str]] | None:
    """What the step left in its files: variables and paths for those after it; None where the runner ends it red."""
    step.summary = files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
    if len(step.summary.encode()) > _SUMMARY_ROOM:
        step.summary = ""
        step.annotations.append(
            Annotation("error", "$GITHUB_STEP_SUMMARY upload aborted, supports content up to 1024k", {})
        )
    try:
        step.outputs.update(_pairs(files["GITHUB_OUTPUT"]))
        added = _pairs(files["GITHUB_ENV"])
    except ValueError as error:
        step.annotations.append(Annotation("error", str(error), {}))
        return None
    if wrong := [name for name in added if name.startswith(("GITHUB_", "RUNNER_")) or name == "NODE_OPTIONS"]:
        raise WorkflowError(f"step {step.name}: GITHUB_ENV can't set {wrong}")
    paths = files["GITHUB_PATH"].read_text(encoding="utf-8").splitlines()
    return added, paths


def _pairs(file: Path) -> dict[str, str]:
    """`name=value` and `name<<END … END`, as the runner reads them.

    Raises:
        ValueError: another line, or a text without its end.
    """
    found: dict[str, str] = {}
    lines = re.split(r"\r?\n", file.read_text(encoding="utf-8"))
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        plain, fenced = line.find("="), line.find("<<")
        if plain >= 0 and (fenced < 0 or plain < fenced):
            found[line[:plain]] = line[plain + 1 :]
        elif fenced >= 0 and line[fenced + 2 :] and line[fenced + 2 :] in lines:
            end = lines.index(line[fenced + 2 :])
            found[line[:fenced]] = "\n".join(lines[:end])
            del lines[: end + 1]
        else:
            raise ValueError(f"Invalid format {line!r}")
    if "" in found:
        raise ValueError("Invalid format: no name")
    return found
