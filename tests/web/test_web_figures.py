"""Costly figures are asked for once in a while, and never across a change of the draft."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.model import Finding, Severity
from newsletter.newsroom import Newsroom
from newsletter.web.figures import KEPT_SECONDS, Checked, Figures

from .conftest import ISSUE


def test_a_figure_is_kept_for_a_while_per_draft(review: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("newsletter.web.figures.preflight.check", lambda _room, issue: asked.append(issue) or [])
    seconds = [0.0]
    figures = Figures(review, lambda: seconds[0])
    issue = review.issues.get(ISSUE)
    for _ in range(3):
        figures.checked(issue)
    assert len(asked) == 1
    seconds[0] = KEPT_SECONDS
    figures.checked(issue)
    assert len(asked) == 2
    figures.checked(replace(issue, revision=issue.revision + 1))
    assert len(asked) == 3
    figures.forget()
    figures.checked(issue)
    assert len(asked) == 4


def test_counts_of_a_draft_and_of_a_sent_issue(review: Newsroom, sent: Newsroom) -> None:
    for room in (review, sent):
        figures, issue = Figures(room), room.issues.list()[0]
        assert issue.snapshot is None
        assert (figures.stories(issue), figures.readers(issue)) == (14, 22)


def test_the_same_finding_at_many_places_is_told_once() -> None:
    found = [Finding(Severity.WARNING, "few stories", f"edition {key}", "Two stories.") for key in ("CN.en", "JP.en")]
    blocking = Finding(Severity.BLOCKING, "size", "edition CN.en", "Too large.")
    checked = Checked([*found, blocking])
    assert checked.blocking == 1
    assert [places for _, places in checked.grouped] == [["version CN.en", "version JP.en"], ["version CN.en"]]
