"""The summary of a story that comes in: its publisher's own, or an extract of its text made here."""

from __future__ import annotations

from newsletter.gather.cleaning import SUMMARY_LIMIT, clean_text
from newsletter.gather.extract import blocks_of, extract
from newsletter.model import SummaryOrigin
from newsletter.plan.shape import FETCHED_KINDS
from newsletter.plan.values import SourcePlan

__all__ = ["summarise"]

EXTRACT_LIMIT = 500
_UNCONFIRMED_LIMIT = 300


def summarise(title: str, written: str, full: str, plan: SourcePlan) -> tuple[str, SummaryOrigin]:
    """The summary and who wrote it; `written` and `full` are the publisher's markup for summary and whole text.

    `title` is clean text. The publisher's summary comes first, then an extract of the text; never more than the
    source's `quote_limit`. From a source on the web whose rights nobody confirmed it is an extract always, of at
    most 300 characters: there the publisher's summary is only material for one.
    """
    limit = SUMMARY_LIMIT if plan.quote_limit is None else min(plan.quote_limit, SUMMARY_LIMIT)
    confirmed = plan.kind not in FETCHED_KINDS or plan.rights_confirmed_by is not None
    if confirmed:
        summary = clean_text(written, limit)
        if summary and summary != title:
            return summary, SummaryOrigin.PUBLISHER
    limit = min(limit, EXTRACT_LIMIT if confirmed else _UNCONFIRMED_LIMIT)
    for markup in (full, written):
        if found := extract(title, blocks_of(markup), limit):
            return found, SummaryOrigin.EXTRACTIVE
    return "", SummaryOrigin.PUBLISHER
