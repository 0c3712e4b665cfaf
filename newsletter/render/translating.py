"""The standing words of a mail in the language of its edition, from gettext catalogues: a language is one file.

`templates/words/ja.po` holds the words of the shipped templates in Japanese; a desk's own templates/words/ja.po may
hold its own templates' words, or better ones. What no catalogue has stays as templates are written, in English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations, c2py
from io import BytesIO, StringIO
from pathlib import Path
from types import FunctionType
from weakref import WeakSet

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from markupsafe import Markup, escape

from newsletter.errors import Problem, TemplateError
from newsletter.languages import forms
from newsletter.render.wording import direction
from newsletter.words import is_seen

__all__ = [
    "SPONSOR_LABEL",
    "WORDS",
    "Catalogues",
    "Words",
    "is_language",
    "is_word",
    "read_catalogues",
    "value_fault",
    "words_in",
]

WORDS = ("_", "ngettext")
"""What a template calls: `_("via %(outlet)s", outlet=…)`, `ngettext("%(num)s story", "%(num)s stories", n)`."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words as the functions a template calls: escaped in HTML, plain in text."""

    html: Mapping[str, Callable[..., str]]
    text: Mapping[str, Callable[..., str]]


_LONGEST, _PLURALS = 500_000, 6
_LEFTWARDS, _RIGHTWARDS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"), re.compile("[A-Za-z\u00c0-\u024f]")
_VALUE = re.compile(r"%\((\w+)\)s")
SPONSOR_LABEL = re.compile("presented by|sponsored|advertisement|advertising|paid for by", re.IGNORECASE)
"""Words that tell readers that something is paid for."""

Catalogues = Mapping[str, tuple[str, ...]]
"""By language in lower case: the texts of its `.po` files, the desk's before the shipped ones."""


def read_catalogues(folders: Sequence[Path]) -> dict[str, tuple[str, ...]]:
    """The catalogues in `words/` of template folders; raises `TemplateError` for a file that is no catalogue."""
    found: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for path in (path for folder in folders for path in sorted(folder.glob("words/*.po"))):
        if not is_language(path.stem):
            unknown = f"{path.stem!r} is no language; a catalogue is called by its tag, sv.po or zh_Hant.po"
            problems.append(Problem(str(path), 1, 1, unknown))
            continue
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (UnicodeDecodeError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else "this is not UTF-8; save the file as UTF-8"
            problems.append(Problem(str(path), 1, 1, str(why)))
            continue
        problems += (Problem(str(path), line, 1, message) for line, message in _faults(text))
        language = path.stem.replace("_", "-").lower()
        found[language] = (*found.get(language, ()), text)
    if problems:
        raise TemplateError(problems)
    return found


@cache
def is_language(stem: str) -> bool:
    """Whether a tag, or the name of a catalogue, is a language that Unicode CLDR knows."""
    try:
        Locale.parse(forms(stem.replace("_", "-"))[-1])
    except (UnknownLocaleError, ValueError):
        return False
    return True


@lru_cache(256)
def _faults(text: str) -> tuple[tuple[int, str], ...]:
    """What would make rendering fail: words outside quotes, or a value that the template does not give.

    This runs in the process that asks: what a catalogue could make large is refused before anything is made of it.
    """
    if len(text) > _LONGEST:
        return ((1, f"this is longer than {_LONGEST:,} characters; a mail has fewer words"),)
    if faults := tuple(_header_faults(text)):
        return faults
    try:
        catalogue = read_po(StringIO(text), abort_invalid=True)
    except PoFileError as error:
        return (((error.lineno or 0) + 1, str(error)),)
    return tuple(_messages_that_do_not_fit(catalogue))


def _header_faults(text: str) -> Iterator[tuple[int, str]]:
    """What Babel would believe of a catalogue's own head."""
    for found in re.finditer(r"charset=([^\s\\\"]+)", text):
        if found[1].lower() not in ("utf-8", "charset"):
            yield text.count("\n", 0, found.start()) + 1, f"charset={found[1]}: save the file as UTF-8, and say utf-8"
    for found in re.finditer(r"nplurals\s*=\s*(\d+)\s*;\s*plural\s*=\s*([^;\"\\]*)", text):
        try:
            c2py(found[2])
        except (ValueError, RecursionError) as error:
            yield text.count("\n", 0, found.start()) + 1, f"Plural-Forms: {error}"
        if len(found[1]) > 1 or int(found[1]) > _PLURALS:
            yield text.count("\n", 0, found.start()) + 1, f"Plural-Forms: no language has over {_PLURALS} forms"


def _messages_that_do_not_fit(catalogue: Catalog) -> Iterator[tuple[int, str]]:
    for message in catalogue:
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        given = _VALUE.findall(" ".join(ids))
        label = SPONSOR_LABEL.search(ids[0])
        for string in filter(None, strings if message.id else ()):
            if why := value_fault(string, given):
                pass
            elif not is_seen(_VALUE.sub("", string) if label else string):
                why = "readers would see nothing; leave msgstr empty to show the English words"
            else:
                continue
            yield message.lineno or 1, f"{string!r} cannot stand for {ids[0]!r}: {why}"


def value_fault(words: str, given: Collection[str]) -> str:
    """Why these words cannot be filled with the values of those names, or an empty string."""
    if foreign := [name for name in _VALUE.findall(words) if name not in given]:
        return f"{foreign[0]!r} is no value of it"
    if "%" in _VALUE.sub("", words.replace("%%", "")):
        return "a value is written %(name)s, and % is written %%"
    return ""


def words_in(language: str, catalogues: Catalogues) -> Words:
    """The words in a language or the nearest with a catalogue (zh-Hant, then zh for `zh-HK`), else English."""
    texts = tuple(text for form in forms(language) for text in catalogues.get(form.lower(), ()))
    return _words(texts, direction(language) == "rtl")


_OURS: WeakSet[Callable[..., str]] = WeakSet()


def is_word(function: object) -> bool:
    """Whether this is one of the functions that `words_in` made."""
    return isinstance(function, FunctionType) and function in _OURS


@lru_cache(64)
def _words(texts: tuple[str, ...], rtl: bool) -> Words:
    translations = _translations(texts)
    foreign = _LEFTWARDS if not rtl else _RIGHTWARDS

    def filled(words: Markup, values: Mapping[str, object]) -> Markup:
        """The words with values escaped here.

        A value written the other way stands apart from its sentence, or the full stop would change sides.
        """
        safe: dict[str, str] = {}
        for name, value in values.items():
            apart = isinstance(value, str) and foreign.search(value)
            safe[name] = f"<bdi>{escape(value)}</bdi>" if apart else str(escape(value))
        return Markup(str(words) % safe)  # noqa: S704 - all that is in it was escaped

    @cache
    def plain(message: str) -> str:
        return translations.gettext(message)

    @cache
    def escaped(message: str) -> Markup:
        """Words are words: a catalogue brings no markup into a mail."""
        return escape(translations.gettext(message))

    def text_of(message: str, **values: object) -> str:
        return plain(message) % values

    def text_of_number(one: str, many: str, number: int, **values: object) -> str:
        return translations.ngettext(one, many, number) % {"num": number, **values}

    def html_of(message: str, **values: object) -> str:
        return filled(escaped(message), values) if values or "%" in message else escaped(message)

    def html_of_number(one: str, many: str, number: int, **values: object) -> str:
        return filled(escape(translations.ngettext(one, many, number)), {"num": number, **values})

    _OURS.update((text_of, text_of_number, html_of, html_of_number))
    return Words(
        html={"_": html_of, "ngettext": html_of_number},
        text={"_": text_of, "ngettext": text_of_number},
    )


@lru_cache(256)
def _translations(texts: tuple[str, ...]) -> NullTranslations:
    """The first catalogue, and behind it the others."""
    if not texts:
        return NullTranslations()
    catalogue = read_po(StringIO(texts[0]), abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    translations = GNUTranslations(compiled)
    if rest := texts[1:]:
        translations.add_fallback(_translations(rest))
    return translations
