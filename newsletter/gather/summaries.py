"""The summary of a story that comes in: its publisher's own, or an extract of its text made here."""

from __future__ import annotations

from newsletter.gather.cleaning import SUMMARY_LIMIT, clean_text, shorten
from newsletter.model import SummaryOrigin
from newsletter.plan.values import SourcePlan

__all__ = ["summarise"]

EXTRACT_LIMIT = 500


def summarise(title: str, written: str, full: str, plan: SourcePlan) -> tuple[str, SummaryOrigin]:
    """The summary and who wrote it; `written` and `full` are the publisher's markup for summary and whole text.

    `title` is clean text. The publisher's summary comes first, then an extract of the text; never more than the
    source's `quote_limit`.
    """
    limit = SUMMARY_LIMIT if plan.quote_limit is None else min(plan.quote_limit, SUMMARY_LIMIT)
    summary = clean_text(written, limit)
    if summary and summary != title:
        return summary, SummaryOrigin.PUBLISHER
    if extract := shorten(clean_text(full).removeprefix(title).lstrip(), min(limit, EXTRACT_LIMIT)):
        return extract, SummaryOrigin.EXTRACTIVE
    return "", SummaryOrigin.PUBLISHER
