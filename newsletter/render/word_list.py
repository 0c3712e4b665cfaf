"""Which words of the mails a language still lacks, and a catalogue to write them in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO, StringIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from newsletter.languages import forms
from newsletter.render.translating import Catalogues

__all__ = ["Word", "catalogue_for", "unsaid"]

Word = str | tuple[str, str]
"""A message as templates call it: its text, or the two of a number."""


def unsaid(language: str, words: Iterable[Word], catalogues: Catalogues) -> list[Word]:
    """The words that no catalogue says in that language: of the templates', and of those that any catalogue holds.

    English needs none.
    """
    if forms(language)[-1] == "en":
        return []
    held = {form.lower() for form in forms(language)}
    said = {_key(word) for name in held for text in catalogues.get(name, ()) for word in _messages(text, said=True)}
    known = (word for texts in catalogues.values() for text in texts for word in _messages(text))
    every = {_key(word): word for word in [*words, *known]}
    return [word for key, word in every.items() if key not in said]


def catalogue_for(language: str, path: Path, words: Iterable[Word]) -> bytes:
    """The gettext file of that language with these words to be said, and what it says already."""
    catalogue = Catalog(locale=forms(language)[-1], charset="utf-8")
    if path.is_file():
        catalogue = read_po(StringIO(path.read_text(encoding="utf-8-sig")), locale=forms(language)[-1])
    for word in words:
        if _key(word) not in catalogue:
            catalogue.add(word, flags=["python-format"] if "%(" in _key(word) else [])
    head = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Plural-Forms: {catalogue.plural_forms}\\n"\n'
    written = BytesIO()
    write_po(written, catalogue, width=0, omit_header=True)
    return f'{head}"Content-Type: text/plain; charset=utf-8\\n"\n\n'.encode() + written.getvalue()


def _messages(text: str, said: bool = False) -> Iterator[Word]:
    for message in read_po(StringIO(text)):
        strings = message.string if isinstance(message.string, Mapping | tuple | list) else (message.string,)
        if message.id and (all(strings) or not said):
            yield message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def _key(word: Word) -> str:
    return word if isinstance(word, str) else word[0]
