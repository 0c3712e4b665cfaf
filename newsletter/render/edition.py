"""One edition of an issue: rendered once for all its readers, within the bytes that Gmail shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from newsletter.model import Edition, RenderedEdition, Snapshot
from newsletter.render import wording
from newsletter.render.facts import Facts, arrange, cards_of, facts_of
from newsletter.render.linking import growth, links_of
from newsletter.render.templates import CompiledTemplate

__all__ = ["BYTE_BUDGET", "render_edition"]

BYTE_BUDGET = 95_000
"""Bytes of HTML an edition keeps under; Gmail clips a mail near 102,000."""


def render_edition(template: CompiledTemplate, snapshot: Snapshot, edition: Edition, base_url: str) -> RenderedEdition:
    """The edition with its slots still open; `base_url` is the public address of the flags, without a final slash.

    Holds the sections of the edition's countries. Raises `TemplateError` where the template asks for what is not there.
    """
    cards = cards_of(snapshot, edition, base_url, template.countries)
    facts = facts_of(snapshot, edition, cards)
    facts["preheader"] = wording.as_header(snapshot.preheader or "") or _preheader(facts["lead"], cards)
    printed = tuple(filter(template.prints, ("note", "related")))
    whole = arrange(facts, cards, ["full"] * len(cards), printed)
    links = links_of(cards) if snapshot.clicks and template.tells_of_clicks else ()

    def fits(html: str) -> bool:
        return len(html.encode()) + growth(html, links, base_url) <= BYTE_BUDGET

    html, minutes = _within_budget(template, edition, whole, cards, printed, fits)
    whole["issue"]["minutes"] = minutes
    part, words = template.text_in(edition.language)
    subject = wording.as_header(snapshot.subject or "")
    return RenderedEdition(
        edition=edition,
        subject=subject or _subject(template, edition, whole, snapshot.subject_template),
        preheader=facts["preheader"],
        html=html,
        text=part.render({**whole, **words}),
        stories=len(cards),
        minutes=minutes,
        links=links,
        grows=growth(html, links, base_url),
    )


def _subject(template: CompiledTemplate, edition: Edition, facts: Facts, scheduled: str | None) -> str:
    part, words = template.subject_in(edition.language, scheduled)
    own = {name: fact for name, fact in facts.items() if name != "slots"}
    made = wording.as_header(part.render({**own, **words}))
    return wording.cut(made or wording.as_header(facts["issue"]["title"]), wording.SUBJECT_COLUMNS)


def _preheader(lead: Facts, cards: Sequence[Facts]) -> str:
    """The leads of the other countries, then what else there is; of one story alone, how it goes on."""
    others = [card for card in cards if card is not lead]
    if not others:
        return wording.as_header(wording.preheader_of([lead.get("summary", "")]))
    first = {card["country"]: card for card in reversed(others) if card["country"] != lead.get("country")}
    leads = [card for card in others if first.get(card["country"]) is card]
    rest = [card for card in others if card not in leads]
    return wording.as_header(wording.preheader_of([card["title"] for card in [*leads, *rest]]))


def _within_budget(
    template: CompiledTemplate,
    edition: Edition,
    whole: Facts,
    cards: Sequence[Facts],
    printed: Collection[str],
    fits: Callable[[str], bool],
) -> tuple[str, int]:
    """The HTML with as many full cards as fit, and the minutes it takes to read.

    Fewer full cards never make it longer, so the first fit is found by halving.
    """
    part, words = template.html_in(edition.language)

    def rendered(steps: int) -> tuple[str, int]:
        facts = arrange(whole, cards, _forms(len(cards), steps), printed) if steps else whole
        return part.render({**facts, **words}), facts["issue"]["minutes"]

    html, minutes = rendered(0)
    if fits(html):
        return html, minutes
    low, high = 1, 2 * len(cards)
    while low < high:
        middle = (low + high) // 2
        if fits(rendered(middle)[0]):
            high = middle
        else:
            low = middle + 1
    return rendered(low)


def _forms(count: int, steps: int) -> list[str]:
    """The form of each card after so many steps from the end: first all become compact, then headline rows."""
    compact, rows = min(steps, count), max(0, steps - count)
    return ["full"] * (count - compact) + ["compact"] * (compact - rows) + ["row"] * rows
