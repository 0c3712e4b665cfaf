"""The mails that the desk's own people get: one letter in the shipped look, whatever a desk made of its templates.

A mail that tells of a broken template must not need it, so nothing of the desk's own is read here, and what is shipped
needs no child process.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from newsletter.render.compiling import inlined
from newsletter.render.dialect import html_dialect, text_dialect
from newsletter.render.part import Part
from newsletter.render.template_files import Shelf, shipped_folders

__all__ = ["desk_letter"]


def desk_letter(facts: Mapping[str, Any]) -> tuple[str, str]:
    """The HTML and the text of a letter.

    `facts` are strings (subject, preheader, title, day, headline, stories, balance, why), `sentences`, and lists of
    dictionaries: `links` (address, words), `books` (words, figure), `checks` (label, words, places, blocking),
    `sections` (country, stories of title, about, language); `button` is one of address, words, about, or None.
    """
    html, text = _parts()
    return html.render(facts), text.render(facts)


@cache
def _parts() -> tuple[Part, Part]:
    shelf = Shelf(shipped_folders())
    html, text = shelf.read("desk/letter.mjml"), shelf.read("desk/letter.txt")
    return Part(html, inlined(html.text), html_dialect()), Part(text, text.text, text_dialect())
