"""As whom an issue is looked at: one of its readers, or somebody who would choose so; and what they get of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from newsletter.errors import NewsletterError
from newsletter.model import Issue
from newsletter.newsroom.dispatch import audience
from newsletter.newsroom.readership import subscriptions
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.preview import Preview
from newsletter.web.words import DELIVERY_WORDS, NOT_MAILED_WORDS, edition_words

__all__ = ["Seen", "seen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """Who looks (`who`, empty for everybody), what they get in a sentence, and whether that is nothing."""

    preview: Preview
    who: str = ""
    words: str = ""
    nothing: bool = False


def seen(ask: Ask, shown: Issue, preview: Preview) -> Seen:
    """The preview with the countries and language of whom it asks for."""
    try:
        if preview.reader is not None:
            return _by_reader(ask, shown, preview, preview.reader)
        if preview.frequency and shown.snapshot is not None:
            return _by_choice(ask, shown, preview)
    except NewsletterError as error:
        return Seen(preview, "This reader", f"{error}.", nothing=True)
    return Seen(preview)


def _by_reader(ask: Ask, shown: Issue, preview: Preview, number: int) -> Seen:
    held = subscriptions.reader(ask.room, number)
    if shown.snapshot is None:
        return Seen(preview, held.email, "There is no draft yet.", nothing=True)
    verdict = audience.of_one(ask.room, shown, shown.snapshot, number)
    if verdict.edition is None:
        return Seen(preview, held.email, f"Gets nothing: {NOT_MAILED_WORDS[verdict.reason]}.", nothing=True)
    edition = verdict.edition
    preview = replace(preview, countries=edition.countries, language=edition.language)
    became = f" ({DELIVERY_WORDS[verdict.state]})" if verdict.state else ""
    return Seen(preview, held.email, f"Gets {edition_words(edition, shown.snapshot.countries)}{became}.")


def _by_choice(ask: Ask, shown: Issue, preview: Preview) -> Seen:
    assert shown.snapshot is not None
    who = f"Who asked for {preview.frequency} mail"
    countries, language = preview.countries or None, preview.language or None
    if audience.would_fit(ask.room, shown.snapshot, preview.frequency, countries, language):
        return Seen(preview, who, "Gets it.")
    return Seen(preview, who, f"Gets nothing: {NOT_MAILED_WORDS['frequency']}.", nothing=True)
