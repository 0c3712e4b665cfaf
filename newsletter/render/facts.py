"""What a template is given: an edition as plain strings, numbers, tuples and dictionaries, and nothing with methods.

What each is called, `newsletter.render.shapes` says, and docs/templates.md what each means.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from newsletter.countries import country_name, flag_file, name_among
from newsletter.model import (
    Edition,
    NoteOrigin,
    PlacedStory,
    Precision,
    Related,
    Snapshot,
    Sponsor,
    Story,
    machine_tag,
    story_address,
)
from newsletter.ports import SLOT_NAMES, slot
from newsletter.render import FLAGS, wording
from newsletter.render.dialect import safe_url

__all__ = ["Facts", "arrange", "cards_of", "facts_of", "story_card"]

Facts = dict[str, Any]

Countries = Mapping[str, Mapping[str, str]]
"""What a desk calls countries (see `newsletter.render.own_countries`)."""

Pages = Callable[[str], str | None]
"""The address of a story's own page, by the story's id; None for one that has none."""


def cards_of(snapshot: Snapshot, edition: Edition, base_url: str, countries: Countries) -> tuple[Facts, ...]:
    """One full card a story, in reading order."""
    language = edition.language if edition.language != snapshot.languages[0] else None
    ours: Pages = partial(story_address, base_url, snapshot.newsletter, language=language)
    pages = ours if snapshot.in_archive else _no_page
    maker = _CardMaker(edition.language, snapshot.timezone, base_url, pages, countries)
    placed = [(section.country, story) for section in snapshot.sections_of(edition) for story in section.stories]
    return tuple(maker.card(country, story, f"s{number}") for number, (country, story) in enumerate(placed, 1))


def story_card(placed: PlacedStory, language: str, timezone: str, pages: Pages, countries: Countries) -> Facts:
    """The full card of one story for a page of our own, in that language, with addresses on this very server."""
    return _CardMaker(language, timezone, "", pages, countries).card(placed.story.country, placed, "story")


def facts_of(snapshot: Snapshot, edition: Edition, cards: Sequence[Facts]) -> Facts:
    """Everything but preheader, minutes and the arrangement of the cards."""
    contact = snapshot.sender.reply_to or snapshot.sender.address
    lead = next((card for card in cards if card["id"] == snapshot.lead), _first(cards, snapshot))
    return {
        "issue": {
            "title": wording.visible(snapshot.title),
            "date": wording.date_in_words(snapshot.date, edition.language),
            "language": wording.language_tag(edition.language, "en"),
            "direction": wording.direction(edition.language),
            "script": wording.script_class(edition.language, ""),
            "stories": len(cards),
            "countries": len({card["country"] for card in cards}),
            "contact": wording.visible(contact),
            "postal_address": wording.visible(snapshot.postal_address),
            "clicks": snapshot.clicks,
        },
        "word": _seen(snapshot.word),
        "sponsor": _sponsor(snapshot.sponsor),
        "corrections": tuple(
            {
                "date": wording.day_in_words(told.date, edition.language),
                "title": wording.visible(told.title),
                "text": wording.visible(told.text),
            }
            for told in snapshot.corrections
        ),
        "recap": tuple(_recap(placed.story) for placed in snapshot.recap),
        "lead": lead,
        "contents": tuple(_first_of_each_country(cards)),
        "slots": {name: slot(name) for name in SLOT_NAMES},
    }


def arrange(
    facts: Facts, cards: Sequence[Facts], forms: Sequence[str], printed: Collection[str] = ("note", "related")
) -> Facts:
    """The facts with the cards in the forms they have room for: by country, and the headline rows after all of them.

    With the minutes that takes to read; `printed` are the longer fields that the mail shows.
    """
    shaped = [{**card, "form": form} for card, form in zip(cards, forms, strict=True)]
    sections: dict[str, list[Facts]] = {}
    for card in shaped:
        if card["form"] != "row":
            sections.setdefault(card["country"], []).append(card)
    minutes = wording.reading_minutes([text for card in shaped for text in _read_texts(card, printed)])
    return {
        **facts,
        "issue": {**facts["issue"], "minutes": minutes},
        "sections": tuple(
            {"country": country, "flag": held[0]["flag"], "cards": tuple(held)} for country, held in sections.items()
        ),
        "rows": tuple(card for card in shaped if card["form"] == "row"),
    }


class _CardMaker:
    """Where and for whom the cards are written: the edition's language, the newsletter's zone, where flags and the
    stories' own pages stand, and what the desk calls countries."""

    def __init__(self, language: str, timezone: str, base_url: str, pages: Pages, countries: Countries) -> None:
        self._language = language
        self._pages = pages
        self._countries = countries
        self._timezone = timezone
        self._flags = f"{base_url.rstrip('/')}/flags/"

    def card(self, country: str | None, placed: PlacedStory, anchor: str) -> Facts:
        story = placed.story
        language = wording.language_tag(story.language, wording.language_tag(self._language, "en"))
        return {
            "id": story.id,
            "anchor": anchor,
            "language": language,
            "direction": wording.direction(language),
            "side": self._side(language),
            "script": wording.script_class(story.language, story.title),
            **self._place(country),
            "section": "" if machine_tag(story.section) else wording.visible(story.section),
            "date": "" if story.published_precision is Precision.FETCHED else self._date(story),
            "outlet": wording.visible(story.outlet),
            "byline": ", ".join(_seen(name for name in story.byline if not machine_tag(name))),
            "title": wording.visible(story.title),
            "url": safe_url(story.url),
            "summary": wording.visible(story.summary),
            "summary_origin": str(story.summary_origin),
            **_note(story),
            "tags": tuple(f"#{tag}" for tag in _seen(tag for tag in story.tags if not machine_tag(tag))),
            "kind": str(story.kind),
            "paywall": story.paywall,
            "foreign": self._foreign(story),
            "related": tuple(self._related(row) for row in placed.related),
        }

    def _side(self, language: str) -> str:
        """Where lines begin: whatever stands in an edition from the right, and what is from the right itself."""
        return "right" if "rtl" in map(wording.direction, (language, self._language)) else "left"

    def _place(self, country: str | None) -> Facts:
        if country is None:
            return {"country": "", "flag": ""}
        own = self._countries.get(country, {})
        file = own.get("flag", flag_file(country))
        return {
            "country": wording.visible(name_among(own, self._language) or country_name(country, self._language)),
            "flag": self._flags + file if file and _is_drawn(file) else "",
        }

    def _date(self, dated: Story | Related) -> str:
        return wording.short_date(dated.published_at, self._timezone, self._language)

    def _foreign(self, story: Story) -> str:
        spoken = story.outlet_language or story.language
        if not spoken or spoken.split("-")[0].lower() == self._language.split("-")[0].lower():
            return ""
        return wording.visible(wording.language_name(spoken, self._language))

    def _related(self, row: Related) -> Facts:
        return {
            **self._place(row.country),
            "date": self._date(row),
            "outlet": wording.visible(row.outlet),
            "title": wording.visible(row.title),
            "script": wording.script_class(None, row.title),
            "url": self._pages(row.id) or safe_url(row.url),
            "kind": "",  # what we know of a card's; a related row is printed by the same partial
            "paywall": False,
            "foreign": "",
        }


@cache
def _is_drawn(flag: str) -> bool:
    return (FLAGS / flag).is_file()


def _no_page(_story_id: str) -> None:
    return None


def _sponsor(sponsor: Sponsor | None) -> Facts:
    if sponsor is None:
        return {}
    return {
        "name": wording.visible(sponsor.name),
        "text": wording.visible(sponsor.text),
        "url": safe_url(sponsor.url) if sponsor.url else "",
    }


def _first(cards: Sequence[Facts], snapshot: Snapshot) -> Facts:
    if cards:
        return cards[0]
    return {"title": wording.visible(snapshot.corrections[0].title) if snapshot.corrections else ""}


def _recap(story: Story) -> Facts:
    return {
        "title": wording.visible(story.title),
        "outlet": wording.visible(story.outlet),
        "url": safe_url(story.url),
        "script": wording.script_class(story.language, story.title),
    }


def _note(story: Story) -> Facts:
    shown = _seen(story.shown_note)
    checked_by = story.note_approved_by if story.note_origin is NoteOrigin.MODEL else None
    return {
        "note": shown,
        "note_origin": str(story.note_origin),
        "note_checked_by": wording.visible(checked_by or ""),
    }


def _seen(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for text in map(wording.visible, texts) if text)


def _read_texts(card: Facts, printed: Collection[str]) -> Iterable[str]:
    yield card["title"]
    if card["form"] != "row":
        yield card["summary"]
    if card["form"] == "full" and "note" in printed:
        yield from card["note"]
    if card["form"] == "full" and "related" in printed:
        yield from (row["title"] for row in card["related"])


def _first_of_each_country(cards: Sequence[Facts]) -> Iterable[Facts]:
    countries: set[str] = set()
    for card in cards:
        if card["country"] not in countries:
            countries.add(card["country"])
            yield {
                name: card[name] for name in ("country", "flag", "title", "anchor", "language", "direction", "script")
            }
