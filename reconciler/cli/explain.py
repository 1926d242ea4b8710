"""`reconciler explain`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NoReturn, cast

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import output_option
from reconciler.cli.output import Printer
from reconciler.cli.project import load_schemas
from reconciler.codes import CODES, Code
from reconciler.fields import FieldPath, FieldRule, Kind
from reconciler.fields.setting import COMMON_SETTINGS, Setting
from reconciler.problems import Problem, SpecError, nearest
from reconciler.providers.registry import provider_types
from reconciler.render import facts, machine
from reconciler.render.explain import explain_text
from reconciler.spec import PROJECT_FILE
from reconciler.spec.describe import Field, NoField, SchemaBook
from reconciler.spec.policy import POLICY_FILE

__all__ = ["command"]

_PROJECT: Final = "reconciler/Project"
_OURS: Final = {_PROJECT: PROJECT_FILE, "reconciler/Policy": POLICY_FILE}
_LISTED: Final = 20
"""Names that a message lists; of more it says where they are."""


@click.command(
    "explain",
    epilog="""\b
Examples:
  reconciler explain
  reconciler explain theta/Deployment
  reconciler explain modelarts/Service.spec.config.weight
  reconciler explain reconciler/Project.spec.providers.runai.version
  reconciler explain weights-not-100""",
)
@click.argument("what", metavar="[KIND[.FIELD]|CODE]", default="")
@output_option("text", "json")
@click.pass_obj
def command(printer: Printer, *, what: str, output: str) -> int:
    """Tell what a field takes, how it changes and what that interrupts; or what a code means and what to do.

    Without an argument: all kinds and codes. No project is needed, and no provider is contacted.
    """
    found = explained(what.strip())
    if output == "json":
        printer.result(machine.dump(found), utf8=True)
    else:
        printer.page(explain_text(found, printer.style))
    return Exit.DONE


def explained(what: str) -> dict[str, Any]:
    """What there is to say of a kind, a field, a code, or (empty) of all that there is, as `reconciler-explain/1`.

    Raises:
        SpecError: `unknown-kind`, `unknown-field`, `unknown-provider-type`, `unknown-code`.
    """
    if not what:
        return facts.index_facts({label: _title(label) for label in _files()}, _codes().values())
    code = what.removeprefix("[").removesuffix("]")
    if code in _codes():
        return facts.code_facts(_codes()[code])
    label, path = _split(what)
    if label not in _files():
        _refuse_word(what, label, path)
    return _field(label, path) if path else _kind(label)


def known_kinds() -> tuple[str, ...]:
    """All kinds, as `explain` and `schema` take them."""
    return tuple(_files())


def known_words(start: str) -> tuple[str, ...]:
    """What may be asked for that begins like this: kinds and codes, or the fields below one that is written already."""
    label, path = _split(start)
    if label not in _files() or label == start:
        return (*_files(), *_codes())
    above = path[: path.rfind(".") + 1]
    parts = FieldPath.parse(above[:-1]).segments if above else ()
    places = [_book().describe(_files()[label], segments) for segments in (parts, ("spec", *parts))]
    below = [name for place in places if isinstance(place, Field) for name in place.below]
    return tuple(f"{label}.{above}{name}" for name in below if not name.startswith("["))


def _split(what: str) -> tuple[str, str]:
    """`modelarts/Service.spec.config[0]` → the kind, and the path as it was written."""
    end = next((place for place, sign in enumerate(what) if sign in ".["), len(what))
    return what[:end], what[end:].removeprefix(".")


@lru_cache(maxsize=1)
def _codes() -> Mapping[str, Code]:
    own = chain.from_iterable(type_.codes() for type_ in provider_types().values())
    return {**CODES, **{code.code: code for code in own}}


@lru_cache(maxsize=1)
def _kinds() -> Mapping[str, Kind]:
    return {kind.label: kind for type_ in provider_types().values() for kind in type_.kinds}


def _files() -> Mapping[str, str]:
    """Kind → schema file, our own two among them."""
    return {**{label: kind.schema for label, kind in _kinds().items()}, **_OURS}


@lru_cache(maxsize=1)
def _book() -> SchemaBook:
    return SchemaBook(load_schemas())


def _title(label: str) -> str:
    kind = _kinds().get(label)
    return kind.title if kind else str(load_schemas()[_files()[label]].get("title", label))


def _kind(label: str) -> dict[str, Any]:
    return facts.kind_facts(label, load_schemas()[_files()[label]], _kinds().get(label), _lines(label, ("spec",)))


def _field(label: str, text: str) -> dict[str, Any]:
    try:
        path = FieldPath.parse(text.replace("[]", "[*]")).segments
    except ValueError:
        path = (text,)
    if label == _PROJECT and (place := _instance(path)) is not None:
        return _setting(path[:place], path[place], path[place + 1 :])
    found = _found(label, path)
    rule = _rule(label, found.path)
    return facts.field_facts(label, found, _kinds().get(label), rule, _lines(label, found.path.segments, found))


def _found(label: str, path: tuple[str, ...]) -> Field:
    """The field as it is written, or with the `spec` that was left out (a kind may have a `spec` in its `spec`)."""
    file = _files()[label]
    written, inside = (_book().describe(file, whole) for whole in (path, ("spec", *path)))
    found = written if isinstance(written, Field) else inside
    if isinstance(written, NoField) and isinstance(inside, NoField):
        _refuse_field(label, max(written, inside, key=lambda missing: len(missing.above)), path)
    return cast("Field", found)


def _rule(label: str, path: FieldPath) -> FieldRule | None:
    kind, segments = _kinds().get(label), path.segments
    return kind.rule(FieldPath(segments[1:])) if kind and segments[0] == "spec" else None


def _lines(label: str, path: tuple[str, ...], found: Field | None = None) -> list[dict[str, Any]]:
    """What lies below a field, a line each."""
    above = found or _book().describe(_files()[label], path)
    lines = []
    for name in above.below if isinstance(above, Field) else ():
        below = _book().describe(_files()[label], (*path, name))
        if isinstance(below, Field):
            lines.append(facts.field_line(name, below, _rule(label, below.path)))
    return lines


def _instance(path: tuple[str, ...]) -> int | None:
    """Where in a path of a project the provider instance stands: `spec.providers.X`, also of an environment."""
    spec = path if path[:1] == ("spec",) else ("spec", *path)
    shift = len(spec) - len(path)
    for head in (("spec", "providers"), ("spec", "environments", *spec[2:3], "providers")):
        if spec[: len(head)] == head and len(spec) > len(head):
            return len(head) - shift
    return None


def _setting(above: tuple[str, ...], type_name: str, rest: tuple[str, ...]) -> dict[str, Any]:
    """`spec.providers.<type>.<setting>`: the type stands in for the instance's name."""
    types = provider_types()
    if type_name not in types:
        wanted = f"a provider type in place of the instance's name: {', '.join(types)}"
        _refuse("unknown-provider-type", f"there is no provider type {type_name!r}", wanted, nearest(type_name, types))
    named = {one.name: one for one in (_type_setting(types), *types[type_name].settings, *COMMON_SETTINGS)}
    where = str(FieldPath((*(above if above[:1] == ("spec",) else ("spec", *above)), type_name)))
    if not rest:
        return facts.settings_facts(where, f"Settings of a provider instance of type {type_name}.", named.values())
    if rest[0] not in named:
        wrong = f"a provider instance of type {type_name} has no setting {rest[0]!r}"
        _refuse("unknown-field", wrong, f"one of {', '.join(named)}", nearest(rest[0], named))
    return facts.setting_facts(where, named[rest[0]])


def _type_setting(types: Iterable[str]) -> Setting:
    names = tuple(types)
    return Setting(name="type", type="enum", doc="Provider type.", required=True, choices=names, example=names[0])


def _refuse_word(what: str, label: str, path: str) -> NoReturn:
    """It begins with no kind: a misspelt one, a kind without its type, a misspelt code, or a field of some kind."""
    rest = what[len(label) :]
    kinds = ", ".join(sorted(_files()))
    if "/" in label:
        near = nearest(label, _files())
        _refuse("unknown-kind", f"there is no kind {label!r}", f"one of {kinds}", f"{near}{rest}" if near else "")
    word = label.casefold()
    near = next((f"{one}{rest}" for one in _files() if word in one.casefold().split("/")), "")
    if not near and not path:
        near = nearest(what, (*_codes(), *(one.rpartition("/")[2] for one in _files())))
        near = next((one for one in _files() if one.rpartition("/")[2] == near), near)
    if not near:
        near = next((found for one in _files() if (found := _elsewhere(one, what))), "")
    _refuse(
        "unknown-code",
        f"{what!r} is neither a kind, a field of one, nor a code",
        f"a kind ({kinds}), a field such as {next(iter(_files()))}.spec, or a code; `reconciler explain` lists them",
        near,
    )


def _refuse_field(label: str, missing: NoField, path: tuple[str, ...]) -> NoReturn:
    """The first part of a path that does not exist, and what is near it: there, or elsewhere in the kind."""
    above = f"{label}.{missing.above}" if missing.above else label
    known = missing.known
    if missing.free:
        wanted = "no more: what stands below it is your own"
    elif not known:
        wanted = "no more: nothing stands below it"
    elif missing.part.startswith("["):
        wanted = f"a field of it, for it is a map: {_listed(known, above)}"
    else:
        wanted = f"one of {_listed(known, above)}"
    near = nearest(missing.part, known) or _elsewhere(label, ".".join(path))
    _refuse("unknown-field", f"{above} has no field {missing.part!r}", wanted, near)


def _listed(names: tuple[str, ...], above: str) -> str:
    more = f", … (`reconciler explain {above}` lists all)" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}"


def _elsewhere(label: str, written: str) -> str:
    """A field of the kind whose path ends as this one does."""
    tail = tuple(part for part in FieldPath.parse(written) if not part.startswith("[")) if _is_path(written) else ()
    for found in _book().walk(_files()[label]):
        names = tuple(part for part in found.segments if not part.startswith("["))
        if tail and names[-len(tail) :] == tail:
            return f"{label}.{found}"
    return ""


def _is_path(text: str) -> bool:
    try:
        return bool(FieldPath.parse(text).segments)
    except ValueError:
        return False


def _refuse(code: str, wrong: str, expected: str, near: str) -> NoReturn:
    raise SpecError([Problem(code=code, wrong=wrong, expected=expected, nearest=near)])
