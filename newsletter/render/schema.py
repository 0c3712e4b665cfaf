"""The check that MJML itself does not make: unknown tags and attributes, wrong nesting, with their lines.

mjml-python 1.4.2 lets unknown tags and attributes pass, names no line, and crashes the process on 2,000 nested
wrappers; what it does with expressions and non-ASCII text in attributes is measured in tests/render.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from itertools import islice

from newsletter.errors import Problem
from newsletter.render.template_files import TemplateText

__all__ = ["STYLE_SHEET", "VOID", "schema_problems"]

_DEEPEST, _MOST_UNREADABLE = 150, 50
_ANYWHERE = {"css-class", "mj-class"}
_HOLDS_EXPRESSIONS = {"href", "src", "alt"}
_NEVER_IN_MAIL = {"script", "iframe", "object", "embed", "base", "form", "link"}
VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
"""HTML tags that hold nothing and are never closed."""

STYLE_SHEET = re.compile(r"<(mj-)?style\b.*?</(mj-)?style>", re.DOTALL | re.IGNORECASE)

_LINKS = {"href", "src", "background", "background-url", "action", "formaction", "poster", "srcset", "xlink:href"}
_MARK = re.compile(r"<|\{[%#]")
_READABLE = re.compile(
    r"""<!--(?:(?!--).)*-->
    |</?[A-Za-z][\w:.-]*+(?:\s++[^\s"'<>=/]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'))?+)*+\s*+/?>""",
    re.DOTALL | re.VERBOSE,
)
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_WHY = (
    (re.compile(r"\{%"), "blocks are written <!--% … %--> here; {% … %} is for the text files"),
    (re.compile(r"\{#"), "comments are written <!--# … #--> here; {# … #} is for the text files"),
    (re.compile(r"<!--"), "this comment is not closed with -->, or holds -- before that"),
    (re.compile(r"<[!?]"), "a mail template has no <!…> and no <?…>"),
    (re.compile(r"</?[A-Za-z]"), 'this tag cannot be read; write attributes as name="value", a space before each'),
    (re.compile(r"<"), "write &lt; for this <"),
)
_SAFE_BEGINNINGS = ("https://", "http://", "mailto:", "#")


@dataclass(frozen=True, slots=True)
class _Tag:
    parents: frozenset[str]
    attributes: frozenset[str]
    html: bool


def schema_problems(written: TemplateText) -> list[Problem]:
    """Every fault of an MJML template, in its order."""
    reader = _Reader(written)
    reader.problems += islice(_unreadable(written), _MOST_UNREADABLE)
    reader.problems += _no_text(written)
    reader.feed(written.text)
    reader.close()
    for name, line in reader.open:
        reader.tell(f"<{name}> is never closed", line)
    if not reader.seen_body:
        reader.tell("a mail needs <mjml> with an <mj-body> in it", 1)
    return reader.problems


def _unreadable(written: TemplateText) -> Iterator[Problem]:
    """What the compiler cannot read and names no line for: it takes comments and tags as XML writes them."""
    text, at = written.text, 0
    styles = [sheet.span() for sheet in STYLE_SHEET.finditer(text)]
    while (mark := _MARK.search(text, at)) is not None:
        readable = _READABLE.match(text, mark.start())
        rule = mark[0] == "{#" and any(start < mark.start() < end for start, end in styles)  # CSS has {#id
        if readable is None and not rule:
            why = next(why for beginning, why in _WHY if beginning.match(text, mark.start()))
            yield written.problem_at(mark.start(), why)
        at = readable.end() if readable else mark.end()


def _no_text(written: TemplateText) -> Iterator[Problem]:
    """Characters that XML does not have (XML 1.0, section 2.2); the compiler names no line for them."""
    for found in islice(_NO_TEXT.finditer(written.text), _MOST_UNREADABLE):
        yield written.problem_at(found.start(), f"delete the character U+{ord(found[0]):04X} here, which is no text")


@cache
def _tags() -> Mapping[str, _Tag]:
    table = tomllib.loads(files("newsletter.render").joinpath("mjml_tags.toml").read_text(encoding="utf-8"))
    return {
        name: _Tag(frozenset(row["in"]), frozenset(row["attributes"].split()), row.get("html", False))
        for name, row in table.items()
    }


class _Reader(HTMLParser):
    """Walks the MJML tags, keeping those that are open; HTML inside a tag that holds HTML only has its links read."""

    def __init__(self, written: TemplateText) -> None:
        super().__init__(convert_charrefs=True)
        self._written = written
        self.problems: list[Problem] = []
        self.open: list[tuple[str, int]] = []
        self.seen_body = False
        self._html: list[tuple[str, int]] = []
        self._told_at = 0
        self._too_deep = False

    def tell(self, message: str, line: int | None = None) -> None:
        at, column = self.getpos()
        self._told_at = at
        self.problems.append(self._written.problem(line or at, message, 1 if line else column + 1))

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._check_once(tag, attrs)
        self._check_links(tag, attrs)
        if not _is_mjml(tag):
            self._check_html(tag)
            if tag not in VOID:
                self._html.append((tag, self.getpos()[0]))
                self._check_depth()
            return
        self._check_place(tag)
        self._check_attributes(tag, attrs)
        if tag == "mj-body" and self.seen_body:
            self.tell("a mail has one <mj-body>")
        self.seen_body |= tag == "mj-body"
        self.open.append((tag, self.getpos()[0]))
        self._check_depth()

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if _is_mjml(tag):
            self.open.pop()
        elif tag not in VOID:
            self._html.pop()

    def handle_endtag(self, tag: str) -> None:
        if not _is_mjml(tag):
            self._close_html(tag)
            return
        while self._html:
            self.tell(f"<{self._html[-1][0]}> is not closed before </{tag}>", self._html.pop()[1])
        if tag not in [name for name, _ in self.open]:
            self.tell(f"</{tag}> closes nothing")
            return
        while (last := self.open.pop())[0] != tag:
            self.tell(f"<{last[0]}> is not closed before </{tag}>", last[1])

    def _close_html(self, tag: str) -> None:
        if self._html and self._html[-1][0] == tag:
            self._html.pop()
        elif opened := next((each for each in reversed(self._html) if each[0] == tag), None):
            self._html.remove(opened)  # crossed tags are what browsers put right
        elif tag not in VOID:
            self.tell(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        inside = self.open[-1][0] if self.open else ""
        known = _tags().get(inside)
        if data.strip() and self._told_at != self.getpos()[0] and not (known.html if known else inside):
            words = " ".join(data.split())
            self.tell(f"{words[:40]!r} cannot stand directly in {_shown(inside or 'the file')}; put text in <mj-text>")

    def handle_comment(self, data: str) -> None:
        if data.startswith("%") and "mj-body" not in [name for name, _ in self.open]:
            self.tell("a block (<!--% … %-->) may only stand inside <mj-body>")
        if data.startswith("[if"):
            _Outlooks(self._check_outlooks).feed(data.partition(">")[2])

    def _check_outlooks(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """What only Outlook reads is a mail as well."""
        self._check_links(tag, attrs)
        if tag in _NEVER_IN_MAIL:
            self.tell(f"<{tag}> has no place in a mail, nor in the part of it for Outlook")

    def _check_depth(self) -> None:
        """lxml calls itself for each tag within another, and would end the process at the end of its stack."""
        if len(self.open) + len(self._html) > _DEEPEST and not self._too_deep:
            self._too_deep = True
            self.tell(f"tags are nested over {_DEEPEST} deep here; a mail needs far fewer")

    def _check_html(self, tag: str) -> None:
        if tag in _NEVER_IN_MAIL:
            self.tell(f"<{tag}> has no place in a mail: every client takes it out or refuses the mail")
        inside = self.open[-1][0] if self.open else "the file"
        if inside not in _tags() or not _tags()[inside].html:
            self.tell(f"<{tag}> cannot stand directly in {_shown(inside)}; put HTML in <mj-text> or <mj-raw>")

    def _check_place(self, tag: str) -> None:
        parent = self.open[-1][0] if self.open else ""
        if tag == "mj-include":
            self.tell('write <mj-include path="…" /> on a line of its own')
        elif parent == "mj-attributes":
            if tag not in {*_tags(), "mj-all", "mj-class"}:
                self.tell(f"there is no MJML tag <{tag}>")
        elif tag not in _tags():
            self.tell(f"there is no MJML tag <{tag}>")
        elif parent not in _tags()[tag].parents and (parent or tag != "mjml"):
            places = ", ".join(f"<{name}>" for name in sorted(_tags()[tag].parents)) or "the top of the file"
            self.tell(f"<{tag}> cannot stand in {_shown(parent or 'the file')}; its place is {places}")

    def _check_attributes(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        known = _tags().get(tag)
        free = "mj-attributes" in [name for name, _ in self.open]
        for name, value in attrs:
            if known and not free and name not in known.attributes | _ANYWHERE:
                self.tell(f"<{tag}> has no attribute {name!r}")
            text = value or ""
            if "{{" in text and name not in _HOLDS_EXPRESSIONS and tag != "mjml":
                self.tell(f"the MJML compiler loses an expression in {name!r}; put it in text, href, src or alt")
            if not text.isascii() or any(mark in text for mark in '"\\\n\t'):
                self.tell(f"the MJML compiler breaks {name!r}: use letters a–z and no quote, backslash or line end")

    def _check_once(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        for name, times in Counter(name for name, _ in attrs).items():
            if times > 1:
                self.tell(f"<{tag}> has {name!r} twice")

    def _check_links(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            link = (value or "").strip()
            if name.startswith("on"):
                self.tell(f"{name!r} on <{tag}> runs script, which no mail client allows")
            if name == "http-equiv" and link.lower() == "refresh":
                self.tell("a mail leads nobody anywhere by itself")
            if name not in _LINKS or link.startswith(_SAFE_BEGINNINGS):
                continue
            if not (link.startswith("{{") and link.endswith("|url}}") and link.count("{{") == 1):
                self.tell(f"write {name} as {{{{…|url}}}}, or begin it with https://, mailto: or #: not {link!r}")


class _Outlooks(HTMLParser):
    """The tags within a conditional comment."""

    def __init__(self, check: Callable[[str, Sequence[tuple[str, str | None]]], None]) -> None:
        super().__init__()
        self._check = check

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._check(tag, attrs)


def _is_mjml(tag: str) -> bool:
    return tag == "mjml" or tag.startswith("mj-")


def _shown(name: str) -> str:
    return f"<{name}>" if _is_mjml(name) else name
