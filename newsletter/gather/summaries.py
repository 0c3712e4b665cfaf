"""The summary of a story that comes in: its publisher's own, or an extract of its text made here."""

from __future__ import annotations

from newsletter.gather.cleaning import SUMMARY_LIMIT, clean_text, shorten
from newsletter.gather.extract import extract
from newsletter.model import SummaryOrigin
from newsletter.plan.shape import FETCHED_KINDS
from newsletter.plan.values import SourcePlan

__all__ = ["summarise"]

EXTRACT_LIMIT = 500

UNCONFIRMED_LIMIT = 300
"""How much may be quoted where nobody has confirmed the rights: about what a headline's teaser has."""


def summarise(title: str, written: str, full: str, plan: SourcePlan) -> tuple[str, SummaryOrigin]:
    """The summary and who wrote it; `written` and `full` are the publisher's markup for summary and whole text.

    `title` is clean text. The publisher's summary comes first, then an extract of the text; never more than the
    source's `quote_limit`. A source that is fetched and whose rights nobody has confirmed (`rights_confirmed_by`) gives
    a headline, an extract of ours and a link: there its own summary is material like the rest.
    """
    limit = SUMMARY_LIMIT if plan.quote_limit is None else min(plan.quote_limit, SUMMARY_LIMIT)
    summary = clean_text(written)
    if summary == title:
        summary = ""
    if plan.kind in FETCHED_KINDS and not plan.rights_confirmed_by:
        limit = min(limit, UNCONFIRMED_LIMIT)
        is_broken_off = summary.endswith(("…", "...", "…]", "...]"))
        found = extract(title, full, limit) if is_broken_off or not summary else ""
        found = found or extract(title, written, limit)
        return found, SummaryOrigin.EXTRACTIVE if found else SummaryOrigin.PUBLISHER
    if summary:
        return shorten(summary, limit), SummaryOrigin.PUBLISHER
    found = extract(title, full, min(limit, EXTRACT_LIMIT))
    return found, SummaryOrigin.EXTRACTIVE if found else SummaryOrigin.PUBLISHER
