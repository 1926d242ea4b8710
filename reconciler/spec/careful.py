"""PyYAML's parser in Python, made as forgiving as YAML is of tabs that only separate, of `...`, and of JSON's escapes.

What the C parser refuses comes here for a second hearing, so that both give the same documents and the same errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml
from yaml.events import DocumentStartEvent
from yaml.scanner import ScannerError
from yaml.tokens import DirectiveToken, DocumentEndToken, DocumentStartToken, StreamEndToken

from reconciler.spec.composer import Composer

__all__ = ["CarefulComposer"]

_BLANK: Final = " \t"
_BREAKS: Final = "\r\n"
_ENDS: Final = ("---", "...")
_Base: Any = yaml.SafeLoader


class CarefulComposer(Composer):
    """The same on the parser below. Some ten times slower."""

    def _events(self) -> Iterator[Any]:
        loader = _Loader(self.text.text)
        try:
            while loader.check_event():
                event = loader.get_event()
                if isinstance(event, yaml.ScalarEvent):
                    event.value = _paired(event.value)
                yield event
        finally:
            loader.dispose()


def _paired(text: str) -> str:
    """JSON writes what lies beyond U+FFFF as two escapes; a half without its other half stays as it is."""
    if text.isprintable() or not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


class _Loader(_Base):  # type: ignore[misc]
    """Scanner and parser of PyYAML, less strict where the C one or YAML is. Names and states are theirs."""

    ended = True
    """Whether a `...` stands before what comes next: then a document may begin without `---`."""

    def scan_to_next_token(self) -> None:
        """Skip blanks, comments and line breaks."""
        while True:
            while self.peek() == " " or (self.peek() == "\t" and self._tab_separates()):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0\r\n":
                    self.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def _tab_separates(self) -> bool:
        """Whether this tab stands between values, or before nothing but a comment; else it is used as indentation."""
        if self.flow_level or not self.allow_simple_key:
            return True
        ahead = 0
        while self.peek(ahead) in _BLANK:
            ahead += 1
        before = self.buffer[self.pointer - self.column : self.pointer]
        return self.peek(ahead) in "\0\r\n#" or bool(before.strip(_BLANK))

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> None:
        """What may follow `|`."""
        while self.peek() in _BLANK:
            self.forward()
        super().scan_block_scalar_ignored_line(start_mark)

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str]:
        """What stands between two words of a text without quotes; of line breaks at most one is a space."""
        blanks = ""
        while self.peek() in _BLANK:
            blanks += self.peek()
            self.forward()
        if self.peek() not in _BREAKS:
            return [blanks] if blanks else []
        breaks = 0
        while self.peek() in _BLANK or self.peek() in _BREAKS:
            if self.peek() in _BREAKS:
                self.scan_line_break()
                self.allow_simple_key = True
                breaks += 1
                if self.prefix(3) in _ENDS and self.peek(3) in "\0 \t\r\n":
                    return []
            elif self.peek() == "\t" and self.column < indent:
                said = "found a tab character that violates indentation"
                raise ScannerError("while scanning a plain scalar", start_mark, said, self.get_mark())
            else:
                self.forward()
        return ["\n" * (breaks - 1) or " "]

    def parse_implicit_document_start(self) -> Any:
        """The first document, which needs no `---`."""
        return self.parse_document_start()

    def parse_document_start(self) -> Any:
        """A document, or the end of the file."""
        while self.check_token(DocumentEndToken):
            self.get_token()
            self.ended = True
        if not self.ended or self.check_token(DirectiveToken, DocumentStartToken, StreamEndToken):
            self.ended = False
            return super().parse_document_start()
        self.ended = False
        self.tag_handles = self.DEFAULT_TAGS
        mark = self.peek_token().start_mark
        self.states.append(self.parse_document_end)
        self.state = self.parse_block_node
        return DocumentStartEvent(mark, mark, explicit=False)

    def parse_document_end(self) -> Any:
        """The end of a document."""
        event = super().parse_document_end()
        self.ended = event.explicit
        return event
