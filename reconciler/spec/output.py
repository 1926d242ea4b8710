"""A compiled `Spec` as documents again, for `compile -o yaml|json`: byte-stable, and it reads back to the same spec."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import yaml

from reconciler.spec.resource import Lifecycle, Resource, Spec, Wait
from reconciler.spec.scalars import scalar
from reconciler.spec.template import has_template
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef, is_pending

__all__ = [
    "document_yaml",
    "documents_yaml",
    "lifecycle_document",
    "to_document",
    "to_documents",
    "to_yaml",
    "value_yaml",
]

# Numbers of YAML 1.2 and booleans of YAML 1.1 that PyYAML writes without quotes, for it reads neither as one.
_ELSEWHERE = re.compile(r"(?:[-+]?(?:0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+|[0-9.][0-9_.]*(?:[eE][-+]?[0-9]+)?)|[yYnN])\Z")
_COMMAND: Final = re.compile(r"^\s*::", re.MULTILINE)
"""A line that GitHub's runner would obey, if it stood alone."""
_ODD_BREAKS: Final = ("\x85", "\u2028", "\u2029", "\r")


def to_documents(spec: Spec) -> list[dict[str, Any]]:
    """Each resource as a document that a person could have written: references as templates, the rest literal."""
    return [_document(resource) for resource in spec.resources]


def to_document(resource: Resource) -> dict[str, Any]:
    """One resource as such a document."""
    return _document(resource)


def lifecycle_document(lifecycle: Lifecycle) -> dict[str, Any]:
    """A lifecycle as a person would write it; what is not set is left out."""
    return _lifecycle(lifecycle)


def to_yaml(spec: Spec) -> str:
    """The same as a YAML stream that our own loader, and any other, reads back to the same values."""
    return documents_yaml(to_documents(spec))


def documents_yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    """Documents, as `to_documents` makes them, as such a stream."""
    return str(
        yaml.dump_all(
            documents,
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=2**20,
            explicit_start=True,
            line_break="\n",
        )
    )


def document_yaml(resource: Resource, *, provider: bool = True) -> str:
    """One resource as a file of its own, for people: keys in the order of its `spec`, lists indented.

    `provider`: name the instance; without it the file counts for the only one of its type.
    """
    document = _document(resource, is_sorted=False)
    if not provider:
        del document["metadata"]["provider"]
    return value_yaml(document)


def value_yaml(value: Any, *, flow: bool = False) -> str:
    """One value as YAML, as a person would write it; `flow`: in one line."""
    text = yaml.dump(value, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=2**20, default_flow_style=flow)
    return str(text).removesuffix("...\n")


class _Dumper(yaml.SafeDumper):
    """Quotes every text that is not plainly text, to us or to a reader of YAML 1.1."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def text(self, data: str) -> yaml.Node:
        style = None
        if any(mark in data for mark in _ODD_BREAKS):
            style = '"'
        elif "\n" in data:
            style = '"' if _COMMAND.search(data) else "|"
        elif _changes(data):
            style = '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.text)


class _Indented(_Dumper):
    """Lists stand indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)  # noqa: FBT003 - PyYAML's signature


def _changes(text: str) -> bool:
    """Whether we, or a reader of YAML 1.1 or 1.2, might read this text without quotes as something else."""
    if _ELSEWHERE.match(text):
        return True
    try:
        return not isinstance(scalar(text), str)
    except ValueError:
        return True


def _document(resource: Resource, *, is_sorted: bool = True) -> dict[str, Any]:
    literals = any(has_template(text) for text in _texts(resource.spec) if isinstance(text, str))
    literals = literals or any(has_template(text) for text in resource.labels.values())
    references = any(is_pending(text) for text in _texts(resource.spec))
    metadata: dict[str, Any] = {"name": resource.ref.name}
    if resource.live_name != resource.ref.name:
        metadata["liveName"] = resource.live_name
    metadata["provider"] = resource.ref.provider
    escape = literals and references
    if resource.labels:
        labels = sorted(resource.labels.items())
        metadata["labels"] = {key: _escaped(text) if escape else text for key, text in labels}
    needed = [edge.address for edge in resource.edges if edge.why == "dependsOn"]
    if needed:
        metadata["dependsOn"] = sorted(needed)
    if literals and not references:
        metadata["template"] = False
    document: dict[str, Any] = {
        "apiVersion": resource.kind.api_version,
        "kind": resource.kind.name,
        "metadata": metadata,
    }
    lifecycle = _lifecycle(resource.lifecycle)
    if lifecycle:
        document["lifecycle"] = lifecycle
    document["spec"] = _plain(resource.spec, escape=escape, is_sorted=is_sorted)
    return document


def _texts(value: Any) -> Iterator[Any]:
    """All leaves that are text or a reference, and all keys."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str) or is_pending(value):
        yield value


def _plain(value: Any, *, escape: bool, is_sorted: bool) -> Any:
    if isinstance(value, Mapping):
        items = sorted(value.items()) if is_sorted else value.items()
        return {key: _plain(item, escape=escape, is_sorted=is_sorted) for key, item in items}
    if isinstance(value, list | tuple):
        return [_plain(item, escape=escape, is_sorted=is_sorted) for item in value]
    if isinstance(value, Composite):
        return "".join(_escaped(part) if isinstance(part, str) else str(part) for part in value.parts)
    if isinstance(value, SecretRef | KnownAfterApply):
        return str(value)
    return _escaped(value) if escape and isinstance(value, str) else value


def _escaped(text: str) -> str:
    """Literal text that a template engine gives back unchanged."""
    if (
        not any(mark in text for mark in ("{{", "{%", "{#", "}}", "%}"))
        and not text.startswith("{")
        and not text.endswith("{")
    ):
        return text
    if "endraw" not in text and not text.startswith("\n"):
        return f"{{% raw %}}{text}{{% endraw %}}"
    quoted = text.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'{{{{ "{quoted}" }}}}'


def _lifecycle(lifecycle: Lifecycle) -> dict[str, Any]:
    found: dict[str, Any] = {
        "preventDestroy": lifecycle.prevent_destroy or None,
        "replace": str(lifecycle.replace) if lifecycle.replace else None,
        "ignoreChanges": [f"spec.{path}" for path in lifecycle.ignore_changes] or None,
        "renamedFrom": list(lifecycle.renamed_from) or None,
        "adopt": lifecycle.adopt or None,
        "onRemove": lifecycle.on_remove if lifecycle.on_remove != "delete" else None,
        "wait": _wait(lifecycle.wait) or None,
        "runState": lifecycle.run_state or None,
        "secretsRevision": lifecycle.secrets_revision or None,
        "expires": lifecycle.expires or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _wait(wait: Wait) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if wait.target is not None:
        found["for"] = str(wait.target)
    if wait.timeout_s is not None:
        seconds, rest = divmod(round(wait.timeout_s * 1000), 1000)
        found["timeout"] = f"{seconds}s" + (f"{rest}ms" if rest else "")
    if wait.path:
        found["path"] = wait.path
    return found
