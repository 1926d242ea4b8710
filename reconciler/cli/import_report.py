"""What an import tells a person: what a plan says of it, what can't be told, which secrets to set, what next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reconciler.cli.import_proof import Proof
from reconciler.diff.change import Change
from reconciler.render.problems import problems_text
from reconciler.render.safe import for_terminal
from reconciler.spec.resource import Project

__all__ = ["report"]

_NAMED = 3


def report(proof: Proof, folder: Path | None, project: Project, *, is_read: bool) -> str:
    """All of it, for stderr.

    Args:
        proof: The proof.
        folder: Where the files are, or `None` for a stream.
        project: Whose environment this was.
        is_read: Whether the project reads its resources there.
    """
    return "\n".join(_lines(proof, folder, project, is_read=is_read))


def _lines(proof: Proof, folder: Path | None, project: Project, *, is_read: bool) -> Iterator[str]:
    count = len(proof.drafts)
    what = f"{count} {'resource' if count == 1 else 'resources'}"
    if not count:
        yield "nothing to import"
        return
    if proof.problems:
        yield problems_text(proof.problems).rstrip("\n")
    for change in proof.differing:
        yield from _difference(change)
    adopted = len(proof.changes) - len(proof.differing)
    yield f"{what}: adoption only" if proof.is_clean else f"{adopted} of {what}: adoption only"
    if proof.differing:
        yield f"{len(proof.differing)} would change, or can't be taken over: see above"
    if proof.invalid:
        left = "printed all the same, to be completed by hand" if folder is None else "not written"
        yield f"{len(proof.invalid)} not valid as {_it(proof)}, and {left}: {', '.join(_addresses(proof))}"
    yield from _untold(proof)
    yield from _secrets(proof)
    if len(project.environments) > 1:
        yield (
            f"note: every environment reads the project's resources, and adopt names what is live in "
            f"{project.environment}; where the others are another account, put it into a patch of {project.environment}"
        )
    yield from _next(proof, folder, is_read=is_read)


def _it(proof: Proof) -> str:
    return "it is" if len(proof.invalid) == 1 else "they are"


def _addresses(proof: Proof) -> Iterator[str]:
    return (draft.resource.address for path, draft in proof.drafts.items() if path in proof.invalid)


def _difference(change: Change) -> Iterator[str]:
    yield f"{change.address}: {change.action} ({change.reason}): {for_terminal(change.message)}"
    for diff in change.fields:
        yield f"  {for_terminal(str(diff.path))} would change"
    if change.run_state:
        yield f"  it would be brought to {change.run_state}"


def _untold(proof: Proof) -> Iterator[str]:
    """Fields that the API does not show, once for all resources that share them."""
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for draft in proof.drafts.values():
        if draft.unseen:
            shared.setdefault((draft.resource.kind.label, draft.unseen), []).append(draft.resource.ref.name)
    for (label, paths), names in shared.items():
        whose = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        yield f"can't be told, for the API does not show it ({label}: {whose}): {', '.join(paths)}"


def _secrets(proof: Proof) -> Iterator[str]:
    if not proof.secrets:
        return
    yield "secrets to set, and to add to spec.secrets of reconciler.yaml:"
    for name, place in sorted(proof.secrets.items()):
        guess = "; it looks like a secret, the API shows it in clear" if name in proof.guessed else ""
        yield f"  {name}  ({for_terminal(place)}{guess})"


def _next(proof: Proof, folder: Path | None, *, is_read: bool) -> Iterator[str]:
    if folder is not None and proof.valid:
        yield f"written below {for_terminal(folder.as_posix())}"
    if not is_read and proof.valid:
        yield "note: that folder is in none of the project's spec.resources: a plan does not read it"
    if proof.is_clean and is_read:
        yield "next: reconciler plan, then reconciler apply takes over what is adopted"
