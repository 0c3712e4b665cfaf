"""The language in which a page speaks to a reader, and its words."""

from __future__ import annotations

from typing import Any

from newsletter import render
from newsletter.languages import forms
from newsletter.plan import Newsletter
from newsletter.web.asking import Ask

__all__ = ["VARIES", "spoken", "spoken_by"]

VARIES = {"vary": "accept-language"}
"""For pages that caches keep and that `spoken` makes."""


def spoken(ask: Ask, preferred: str | None = None, *, chosen: str | None = None) -> dict[str, Any]:
    """What a page in the reader's language is given: `language`, `direction`, `languages` to choose from, the words.

    What they have `chosen` by this very form counts first, then `?lang=`, then what they `preferred` before, then what
    their browser asks for (RFC 9110, section 12.5.4); English where we have no words for any of these.
    """
    known = {each.lower(): each for each in ask.room.templates.languages()}
    wanted = [chosen, ask.query.get("lang") or ask.field("lang"), preferred, *_accepted(ask)]
    found = (known.get(form.lower()) for tag in wanted if tag for form in forms(tag))
    language = next((each for each in found if each), "en")
    return {
        "language": language,
        "direction": render.direction(language),
        "languages": sorted(known.values()),
        **ask.room.templates.words(language),
    }


def spoken_by(ask: Ask, newsletter: Newsletter) -> dict[str, Any]:
    """What a page in the newsletter's language is given, as `spoken` says; in another of its languages by `?lang=`."""
    asked = ask.query.get("lang", "")
    language = asked if asked in newsletter.languages else newsletter.languages[0]
    return {
        "language": language,
        "direction": render.direction(language),
        "languages": list(newsletter.languages),
        **ask.room.templates.words(language),
    }


def _accepted(ask: Ask) -> list[str]:
    """The tags of Accept-Language, the most wanted first; what cannot be read is left out."""
    weighed: list[tuple[float, str]] = []
    for part in ask.request.headers.get("accept-language", "")[:400].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), tag.strip()[:40]))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda each: each[0]) if weight and tag.isascii()]
