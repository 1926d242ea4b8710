"""Reads our pages as a browser does, and holds each of them to what is promised of all."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from typing import Final

__all__ = ["Element", "Reader", "assert_sound", "read"]

_VOID: Final = frozenset({"meta", "input", "br", "rect", "path"})
_TAGS: Final = frozenset(
    re.findall(
        r"\S+",
        "html head meta title style script body header main footer section search h1 h2 h3 h4 p a ul ol li dl div dt dd"
        " span strong code pre del ins details summary form label input select option fieldset legend button output br"
        " svg g defs marker path rect text",
    )
)
_ATTRIBUTES: Final = frozenset(
    re.findall(
        r"\S+",
        "lang charset content name http-equiv id class href hidden for type value autocomplete spellcheck checked role"
        " open tabindex title width height viewbox preserveaspectratio focusable x y rx d refx refy markerwidth"
        " markerheight orient marker-end aria-label aria-labelledby aria-hidden aria-live data-kind data-provider"
        " data-labels data-address data-noun",
    )
)
_HIDDEN: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_COMMAND: Final = re.compile(r"^\s*::|##\[", re.MULTILINE)


@dataclass(slots=True)
class Element:
    """One element: its attributes, what is in it, and all text in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text, with runs of blanks as one."""
        return " ".join("".join(self.texts).split())

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Those in it, in order; `class_="x"` asks for one of its classes."""
        found = []
        for child in self.children:
            wanted = child.attributes.get("class", "").split()
            fits = all(
                value in wanted if key == "class_" else child.attributes.get(key.replace("_", "-")) == value
                for key, value in attributes.items()
            )
            found += [child] * (fits and tag in {"", child.tag}) + child.all(tag, **attributes)
        return found


class Reader(HTMLParser):
    """A strict one: what is opened is closed, in turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs})
        assert len(element.attributes) == len(attrs), f"an attribute of {tag} stands twice"
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def close(self) -> None:
        super().close()
        assert self._open == [self.root], "something is open at the end"


def read(page: str) -> Element:
    """The page as a tree."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.root


def assert_sound(page: str) -> Element:
    """Whole, of our own elements alone, fetches nothing, can be walked by headings and named by a screen reader."""
    root = read(page)
    everything = root.all()
    assert {element.tag for element in everything} <= _TAGS
    assert {key for element in everything for key in element.attributes} <= _ATTRIBUTES
    assert not _HIDDEN.search(page)
    assert not _COMMAND.search(page)
    _fetches_nothing(root)
    _has_names(root)
    levels = [int(element.tag[1]) for element in everything if re.fullmatch(r"h\d", element.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), "a heading level is left out"
    assert [len(root.all(tag)) for tag in ("html", "head", "main", "header", "footer")] == [1] * 5
    assert len(root.all("head")[0].all("title")) == 1
    return root


def _fetches_nothing(root: Element) -> None:
    (style,), (script,) = root.all("style"), root.all("script")
    (policy,) = (meta.attributes["content"] for meta in root.all("meta") if "http-equiv" in meta.attributes)
    for element in (style, script):
        source = base64.b64encode(hashlib.sha256("".join(element.texts).encode()).digest()).decode()
        assert f"{element.tag}-src 'sha256-{source}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"url\(|@import|https?:", "".join(style.texts) + "".join(script.texts))
    ids = [element.attributes["id"] for element in root.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids)), "an id stands twice"
    for element in root.all():
        link = element.attributes.get("href")
        assert link is None or (link[0] == "#" and link[1:] in ids)
        for reference in (element.attributes.get(key) for key in ("for", "aria-labelledby")):
            assert reference is None or reference in ids


def _has_names(root: Element) -> None:
    named = {label.attributes.get("for") for label in root.all("label")}
    inside = {id(one) for label in root.all("label") for one in label.all("input") if label.text}
    for element in [*root.all("input"), *root.all("select")]:
        assert element.attributes.get("id") in named or id(element) in inside, "a control has no label"
    for element in [*root.all("button"), *root.all("summary"), *root.all("a"), *root.all("option")]:
        assert element.text, f"a {element.tag} says nothing"
    for element in root.all("section"):
        assert "aria-labelledby" in element.attributes
    for element in root.all("fieldset"):
        assert element.children[0].tag == "legend"
