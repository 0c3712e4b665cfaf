"""Costly figures are asked for once in a while, and never across a change of the draft."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from newsletter.model import Finding, Severity
from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from newsletter.web.figures import KEPT_SECONDS, Checked, Figures

from ..servers import wait_until
from .conftest import ISSUE, Visitor


def test_a_figure_is_kept_for_a_while_per_draft(review: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    check = lambda _room, issue, _needed: asked.append(issue) or []  # noqa: E731
    monkeypatch.setattr("newsletter.web.figures.preflight.check", check)
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


def test_a_list_waits_a_moment_for_a_figure_and_no_longer(review: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.web.figures.MOMENT", 0.04)
    go, asked = threading.Event(), []

    def count(_name: str) -> dict[str, int]:
        asked.append(1)
        assert go.wait(30)
        return {"confirmed": len(asked)}

    monkeypatch.setattr(review.subscribers, "count", count)
    seconds = [0.0]
    figures = Figures(review, lambda: seconds[0])
    assert figures.subscriptions(["a"]) is None
    assert figures.subscriptions(["a"]) is None
    assert len(asked) == 1, "nobody asks twice for what is being counted"
    go.set()
    wait_until(lambda: figures.subscriptions(["a"]) == {"a": {"confirmed": 1}})
    go.clear()
    seconds[0] = KEPT_SECONDS
    assert figures.subscriptions(["a"]) == {"a": {"confirmed": 1}}, "the old one, until there is a new one"
    figures.forget()
    assert figures.subscriptions(["a"]) == {"a": {"confirmed": 1}}
    go.set()
    wait_until(lambda: figures.subscriptions(["a"]) == {"a": {"confirmed": 3}})
    assert len(asked) == 3, "what was being counted when something changed does not count"


def test_a_list_that_waits_for_figures_asks_again_by_itself(review: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor(review).enter(Role.APPROVER)
    assert "hx-trigger" not in visitor.http.get("/issues").text
    monkeypatch.setattr("newsletter.web.figures.MOMENT", 0.04)
    go = threading.Event()
    monkeypatch.setattr("newsletter.web.figures.previews.editions", lambda *_: go.wait(30) and [])
    monkeypatch.setattr(review.subscribers, "count", lambda _: go.wait(30) and {})
    visitor = Visitor(review).enter(Role.ADMIN)
    for path, place in (("/issues", "issues"), ("/subscribers", "counts")):
        page = visitor.http.get(path).text
        assert "…</" in page
        assert f'id="{place}" hx-get="{path}" hx-trigger="load delay:1s" hx-select="#{place}"' in page
        assert "load the page again" in page
    go.set()


def test_counts_of_many_are_those_of_each(review: Newsroom, sent: Newsroom) -> None:
    for room in (review, sent):
        found = room.issues.list()
        assert Figures(room).readers_of(found) == {each.id: 22 for each in found}
        assert room.contents.story_counts([each.id for each in found]) == {each.id: 14 for each in found}
        assert room.contents.story_counts([]) == room.deliveries.totals([]) == {}


def test_an_edit_that_leaves_the_countries_asks_nobody_who_gets_it(
    review: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures, issue = Figures(review), review.issues.get(ISSUE)
    readers = figures.readers(issue)
    monkeypatch.setattr("newsletter.web.figures.previews.editions", None)
    figures.forget_checks()
    assert issue.snapshot is not None
    lead = issue.snapshot.placed[1].story.id
    edited = replace(issue, revision=issue.revision + 1, snapshot=replace(issue.snapshot, lead=lead))
    assert figures.readers(edited) == readers


def test_checks_that_are_not_known_are_not_waited_for(review: Newsroom) -> None:
    figures, issue = Figures(review), review.issues.get(ISSUE)
    assert figures.checked(issue, known=True) is None
    checked = figures.checked(issue)
    assert figures.checked(issue, known=True) is checked
    figures.forget_checks()
    assert figures.checked(issue, known=True) is None


def test_checks_name_what_keeps_them_from_running(review: Newsroom) -> None:
    plan = review.plan_file
    plan.write_text(plan.read_text(encoding="utf-8").replace(f"{ISSUE.newsletter}:", "renamed:"), encoding="utf-8")
    assert Figures(review).checked(review.issues.get(ISSUE)).trouble
