"""ruamel's reader, scanner and parser without what they do twice or letter by letter; what they find is the same.

50 newsletters of 16 keys each (26 kB) are scanned and parsed in 0.55 of ruamel's time. A property test
compares the events of both, and so does one over real schedules.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from ruamel.yaml.parser import Parser
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tokens import ScalarToken

__all__ = ["QuickParser", "QuickReader", "QuickScanner"]

_END: Final = r"\0 \t\r\n\x85\u2028\u2029"
# How far a plain scalar goes at once, outside of brackets and inside: a colon is part of it unless a space follows.
_BLOCK_WORD: Final = re.compile(rf"(?:[^{_END}:]+|:(?![{_END}]))*")
_FLOW_WORD: Final = re.compile(rf"(?:[^{_END}:,\[\]{{}}]+|:(?![{_END}]))*")
_BETWEEN: Final = re.compile(r" *(?:#[^\0\r\n\x85\u2028\u2029]*)?")
_FLOW_BETWEEN: Final = re.compile(r"[ \t]*(?:#[^\0\r\n\x85\u2028\u2029]*)?")
_SPACES: Final = frozenset(" \r\n\x85\u2028\u2029")
_NO_TOKEN: Final = frozenset(" \t#\r\n\x85\u2028\u2029\ufeff")


class Place(NamedTuple):
    """Where something stands, counted from 0; ruamel's own marks also keep the text around it, for its messages."""

    index: int  # type: ignore[assignment]  # what ruamel calls it; tuples have a method of that name
    line: int
    column: int

    @property
    def name(self) -> str:
        """What ruamel's messages call the text."""
        return "the text"


class QuickReader(Reader):
    """Goes on by whole stretches where no line ends in them."""

    def get_mark(self) -> Any:
        """The present place."""
        return Place(self.index, self.line, self.column)

    def forward(self, length: int = 1) -> None:
        """Go on by so many characters."""
        stretch = self.buffer[self.pointer : self.pointer + length]
        if len(stretch) < length or "\n" in stretch or "\r" in stretch or "\ufeff" in stretch:
            super().forward(length)
            return
        self.pointer += length
        self.index += length
        self.column += length


class QuickScanner(Scanner):
    """Does not look again for keys where nothing can have changed, and takes words and blanks whole."""

    reader: Any = None

    def __init__(self, loader: Any = None) -> None:
        self.reader = loader.reader
        super().__init__(loader)

    @property
    def scanner_processing_version(self) -> Any:
        """The version of YAML: 1.2, where no directive has named another."""
        return (1, 2) if self.yaml_version is None else super().scanner_processing_version

    def need_more_tokens(self) -> bool:
        """Whether the next token is not known yet."""
        if self.done:
            return False
        if not self.tokens:
            return True
        if not self.possible_simple_keys:
            return False
        self.stale_possible_simple_keys()
        return bool(self.next_possible_simple_key() == self.tokens_taken)

    def check_token(self, *choices: Any) -> bool:
        """Whether the next token is one of these kinds."""
        tokens = self.tokens
        if not tokens or self.possible_simple_keys:
            while self.need_more_tokens():
                self.fetch_more_tokens()
        return bool(tokens) and (not choices or isinstance(tokens[0], choices))

    def scan_to_next_token(self) -> Any:
        """Go over blanks, line ends and comments."""
        reader = self.reader
        if reader.buffer[reader.pointer] not in _NO_TOKEN:
            return
        if reader.index == 0 and reader.peek() == "\ufeff":
            reader.forward()
        in_brackets = bool(self.flow_context)
        between = _FLOW_BETWEEN if in_brackets else _BETWEEN
        while True:
            found = between.match(reader.buffer, reader.pointer)
            if found and found[0]:
                reader.forward(len(found[0]))
            if not self.scan_line_break():
                return
            if not in_brackets:
                self.allow_simple_key = True

    def scan_plain(self) -> Any:
        """A scalar without quotes."""
        if self.scanner_processing_version == (1, 1):
            return super().scan_plain()  # there a question mark ends it, in brackets
        reader = self.reader
        start_mark = end_mark = reader.get_mark()
        in_brackets = bool(self.flow_context)
        word = _FLOW_WORD if in_brackets else _BLOCK_WORD
        chunks: list[str] = []
        spaces: list[str] = []
        while reader.peek() != "#":
            found = word.match(reader.buffer, reader.pointer)
            if not found or not found[0]:
                break
            self.allow_simple_key = False
            chunks.extend(spaces)
            chunks.append(found[0])
            reader.forward(len(found[0]))
            end_mark = reader.get_mark()
            spaces = self.scan_plain_spaces(self.indent + 1, start_mark)
            if not spaces or (not in_brackets and reader.column < self.indent + 1):
                break
        return ScalarToken("".join(chunks), True, start_mark, end_mark)

    def scan_plain_spaces(self, indent: Any, start_mark: Any) -> Any:
        """What stands between two words of a scalar without quotes."""
        if self.reader.buffer[self.reader.pointer] not in _SPACES:
            return []
        return super().scan_plain_spaces(indent, start_mark)

    def stale_possible_simple_keys(self) -> None:
        """Forget what can be no key any more."""
        if self.possible_simple_keys:
            super().stale_possible_simple_keys()


class QuickParser(Parser):
    """Looks its scanner up once."""

    scanner: Any = None

    def __init__(self, loader: Any) -> None:
        super().__init__(loader)
        self.scanner = loader.scanner
