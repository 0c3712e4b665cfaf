"""Letters: what the desk's own people are told, and what a reader who asked for something gets, in the shipped look.

A mail that tells of a broken template must not need it, so no template of the desk's own is read here, and what is
shipped needs no child process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from newsletter.render.compiling import inlined
from newsletter.render.dialect import html_dialect, text_dialect
from newsletter.render.mirroring import mirrored
from newsletter.render.part import Part
from newsletter.render.template_files import Shelf, shipped_folders
from newsletter.render.translating import Catalogues, words_in
from newsletter.render.wording import as_header, direction

__all__ = ["ReaderLetter", "desk_letter", "reader_letter"]


def desk_letter(facts: Mapping[str, Any]) -> tuple[str, str]:
    """The HTML and the text of a letter.

    `facts` are strings (subject, preheader, title, day, headline, stories, balance, why), `sentences`, and lists of
    dictionaries: `links` (address, words), `books` (words, figure), `checks` (label, words, places, blocking),
    `sections` (country, stories of title, about, language); `button` is one of address, words, about, or None.
    """
    html, text = _parts()
    return html.render(facts), text.render(facts)


@dataclass(frozen=True, slots=True)
class ReaderLetter:
    """A letter to a reader, ready to be mailed."""

    subject: str
    html: str
    text: str


def reader_letter(facts: Mapping[str, Any], language: str, catalogues: Catalogues) -> ReaderLetter:
    """The letter to a reader, in their language as far as there are words for it.

    `facts` are strings (title, titles, address, postal_address), `days`, and `kind`: confirm, known, link, data, leave
    or join. Of a welcome, strings (title, titles, email, address, unsubscribe, latest: an address or nothing,
    postal_address, frequency, silent: titles that do not come with it, or nothing), and `newsletters`, each with title,
    countries, often (daily, weekly, breaking, news where it has no days, or nothing) and next (words, or nothing).
    """
    words, leftwards = words_in(language, catalogues), direction(language) == "rtl"
    html, text, subject = _reader_parts("welcome" if facts["kind"] == "welcome" else "letter", leftwards)
    told = {**facts, "language": language, "direction": direction(language)}
    line = as_header(subject.render({**told, **words.text}))
    body = html.render({**told, **words.html, "subject": line})
    return ReaderLetter(line, body, text.render({**told, **words.text}))


@cache
def _parts() -> tuple[Part, Part]:
    shelf = Shelf(shipped_folders())
    html, text = shelf.read("desk/letter.mjml"), shelf.read("desk/letter.txt")
    return Part(html, inlined(html.text), html_dialect()), Part(text, text.text, text_dialect())


@cache
def _reader_parts(name: str, leftwards: bool) -> tuple[Part, Part, Part]:
    shelf = Shelf(shipped_folders())
    files = (f"{name}.mjml", f"{name}.txt", f"{name}_subject.txt")
    html, *plain = (shelf.read(f"reader/{file}") for file in files)
    page = inlined(html.text)
    text, subject = (Part(each, each.text, text_dialect()) for each in plain)
    return Part(html, mirrored(page) if leftwards else page, html_dialect()), text, subject
