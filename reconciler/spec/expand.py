"""`forEach`: one document per item of a list or a map. A document's identity is its name, never its position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.problems import Problem, Problems
from reconciler.spec.document import Document, Node, labelled
from reconciler.spec.template import Renderer, Scope, has_template
from reconciler.spec.values import is_pending

__all__ = ["Expansion"]

_MOST: Final = 10_000
_VALUES: Final = 250_000
"""Values that all `forEach` of a run may make: a long list over a long document is cheap to write alone."""


class Expansion:
    """Makes documents of `forEach`, and counts what it has made: a run has its limits."""

    def __init__(self) -> None:
        self._documents = 0
        self._values = 0
        self._stopped = False

    def expand(
        self, documents: Sequence[Document], render: Renderer, scope: Scope, problems: Problems
    ) -> tuple[Document, ...]:
        """Documents without `forEach`, in order; a document with one becomes as many as it has items.

        Problems: those of templates, `wrong-type`, `same-name`, `too-many-documents`.
        """
        result: list[Document] = []
        if self._stopped:  # said once, of the first that was too many
            return ()
        for document in documents:
            for_each = document.root.get("forEach")
            if for_each is None:
                result.append(document)
                continue
            root = document.root.with_entries({k: v for k, v in document.root.value.items() if k != "forEach"})
            before = len(problems)
            listed = labelled(for_each, "forEach")
            if isinstance(for_each.value, str):
                listed = listed._replace(chain=tuple(layer._replace(name="forEach") for layer in listed.chain))
            rendered = render.render(listed, scope, document.address) if document.templated else listed
            if len(problems) > before:
                continue
            items = list(_items(rendered, document, problems))
            if len(items) > 1 and document.templated and not has_template(document.name):
                problems.add(_same_name(document, len(items)))
                continue
            self._values += len(items) * sum(1 for _below in root.walk())
            if self._documents + len(result) + len(items) > _MOST or self._values > _VALUES:
                wrong = f"forEach makes {len(items):,} documents here, and with those before too many"
                limit = f"at most {_MOST:,} documents, and {_VALUES:,} values in them"
                problems.add(_problem("too-many-documents", wrong, limit, for_each, document))
                self._stopped = True
                break
            result.extend(document._replace(root=root, item=item) for item in items)
        self._documents += len(result)
        return tuple(result)


def _items(node: Node, document: Document, problems: Problems) -> Iterator[Node]:
    if any(is_pending(below.value) for _path, below in node.walk()):
        wrong, wanted = (
            "forEach holds a value that is not known yet",
            "values that are known while the spec is compiled",
        )
        problems.add(_problem("not-known-yet", wrong, wanted, node, document))
    elif isinstance(node.value, tuple):
        yield from node.value
    elif isinstance(node.value, dict):
        for key, value in node.value.items():
            place = value.key or value.origin
            *before, last = value.layers
            chain = (*before, last._replace(origin=place, value=key))
            yield Node({"key": Node(key, place, chain=chain), "value": value}, place)
    else:
        problems.add(
            _problem(
                "wrong-type", "forEach is no list and no map", "a list such as [ann, bob], or a map", node, document
            )
        )


def _same_name(document: Document, count: int) -> Problem:
    name = document.root.get("metadata", "name") or document.root
    wrong = f"forEach makes {count} documents of one name, {document.name!r}"
    return _problem("same-name", wrong, 'a name with the item in it, such as "nb-{{ item }}"', name, document)


def _problem(code: str, wrong: str, expected: str, node: Node, document: Document) -> Problem:
    return Problem(code=code, wrong=wrong, expected=expected, origin=node.place, address=document.address)
