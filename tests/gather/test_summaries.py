"""Whose words a summary is, and how many of them may be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.gather.cleaning import clean_text
from newsletter.gather.summaries import summarise
from newsletter.model import SummaryOrigin
from newsletter.plan.shape import FETCHED_KINDS
from newsletter.plan.values import SourcePlan

OWN = SourcePlan(id="desk", kind="folder")
PUSHED = SourcePlan(id="desk", kind="push")
STRANGE = SourcePlan(id="wire", kind="feed")
CONFIRMED = SourcePlan(id="wire", kind="feed", rights_confirmed_by="Ana Brook")
LONG = " ".join(f"The port of Harwick opened quay number {number} on a Monday." for number in range(40))


@pytest.mark.parametrize("plan", [OWN, PUSHED, CONFIRMED])
def test_the_publishers_summary_stands_whole(plan: SourcePlan) -> None:
    summary = " ".join(LONG.split()[:150])
    assert summarise("T", f"<p>{summary}</p>", LONG, plan) == (summary, SummaryOrigin.PUBLISHER)
    longest, origin = summarise("T", LONG, "", plan)
    assert (origin, len(longest) <= 1_200, len(longest) > 1_000) == (SummaryOrigin.PUBLISHER, True, True)


@pytest.mark.parametrize("plan", [OWN, PUSHED, CONFIRMED])
@pytest.mark.parametrize("written", ["", "<p>Title</p>", " "])
def test_without_one_an_extract_is_made_and_called_so(plan: SourcePlan, written: str) -> None:
    text, origin = summarise("Title", written, LONG, plan)
    assert origin is SummaryOrigin.EXTRACTIVE
    assert 300 < len(text) <= 500


@pytest.mark.parametrize("kind", FETCHED_KINDS)
def test_without_confirmed_rights_even_a_summary_is_only_material(kind: str) -> None:
    plan = SourcePlan(id="wire", kind=kind)
    text, origin = summarise("T", LONG, "", plan)
    assert (origin, 0 < len(text) <= 300) == (SummaryOrigin.EXTRACTIVE, True)
    assert summarise("T", "It opened.", LONG, plan) == ("It opened.", SummaryOrigin.EXTRACTIVE)
    assert summarise("T", "", LONG, plan)[1] is SummaryOrigin.EXTRACTIVE


def test_a_summary_that_breaks_off_gives_way_to_the_text() -> None:
    text, _ = summarise("T", "The port of Harwick opened qu [&hellip;]", LONG, STRANGE)
    assert text.endswith("Monday.")
    assert (
        summarise("T", "The port of Harwick opened qu…", "<img src=x>", STRANGE)[0] == "The port of Harwick opened qu…"
    )


@pytest.mark.parametrize(("quote_limit", "most"), [(0, 0), (80, 80), (300, 300), (5_000, 300)])
def test_the_quote_limit_binds_everybody(quote_limit: int, most: int) -> None:
    plan = SourcePlan(id="wire", kind="feed", quote_limit=quote_limit)
    assert len(summarise("T", LONG, LONG, plan)[0]) <= most
    for other in (OWN, CONFIRMED):
        bound = SourcePlan(id="x", kind=other.kind, rights_confirmed_by="A", quote_limit=quote_limit)
        assert len(summarise("T", LONG, "", bound)[0]) <= min(quote_limit, 1_200)
        assert len(summarise("T", "", LONG, bound)[0]) <= min(quote_limit, 500)


def test_nothing_gives_nothing() -> None:
    for plan in (OWN, STRANGE, CONFIRMED):
        assert summarise("T", "", "", plan) == ("", SummaryOrigin.PUBLISHER)
        assert summarise("T", "T", "<p>T</p>", plan) == ("", SummaryOrigin.PUBLISHER)


MARKUP = st.lists(
    st.sampled_from(["<p>", "</p>", "The port. ", "Ana said so. ", "&amp;", "“", "。", "港口", "x" * 99, "…"])
).map("".join)


@given(MARKUP, MARKUP, st.sampled_from([OWN, PUSHED, STRANGE, CONFIRMED]))
def test_a_second_poll_says_the_same_and_nothing_is_called_ai(written: str, full: str, plan: SourcePlan) -> None:
    found = summarise("The port", written, full, plan)
    assert found == summarise("The port", written, full, plan)
    assert found[1] in (SummaryOrigin.PUBLISHER, SummaryOrigin.EXTRACTIVE)
    assert clean_text(found[0]) == found[0]
