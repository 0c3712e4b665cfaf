"""The queue of readers' reports, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from newsletter.errors import NotFoundError, NothingToDoError
from newsletter.model import IssueId
from newsletter.storage import Database, ReaderReports

from .test_storage import ISSUE, NOW, frozen_issue

HOUR = timedelta(hours=1)


def add(reports: ReaderReports, words: str, *, issue: IssueId | None = ISSUE, story: str = "desk:1") -> bool:
    fields = {"newsletter": ISSUE.newsletter, "title": "Story 1", "language": "en"}
    return reports.add(issue_id=issue, story=story, words=words, now=NOW, **fields)


def test_the_same_words_about_the_same_thing_are_kept_once(database: Database) -> None:
    frozen_issue(database, 1)
    reports = ReaderReports(database)
    assert add(reports, "wrong")
    assert not add(reports, "wrong")
    assert add(reports, "wrong", story="")
    assert add(reports, "wrong", issue=None)
    assert reports.count_open() == 3
    assert reports.by_story(ISSUE) == Counter({"desk:1": 1, "": 1})
    assert reports.of_no_issue(ISSUE.newsletter, NOW, NOW + HOUR) == Counter({"desk:1": 1})
    assert reports.of_no_issue(ISSUE.newsletter, NOW + HOUR, NOW + 2 * HOUR) == Counter()
    first, _, third = reports.list(closed=False, limit=9)
    assert (first.issue, first.story, first.title, first.words, first.at) == (ISSUE, "desk:1", "Story 1", "wrong", NOW)
    assert third.issue is None


def test_a_report_is_taken_up_closed_and_opened_again(database: Database) -> None:
    frozen_issue(database, 1)
    reports = ReaderReports(database)
    for number in range(3):
        add(reports, f"wrong {number}")
    first, second, _ = (each.number for each in reports.list(closed=False, limit=9))
    reports.take(first, who="mei@desk.example", now=NOW)
    reports.take(first, who="anna@desk.example", now=NOW + HOUR)
    (taken,) = reports.list(closed=False, limit=1)
    assert (taken.taken_by, taken.taken_at) == ("anna@desk.example", NOW + HOUR)
    for number in (second, first):
        reports.close(number, who="mei@desk.example", now=NOW + 2 * HOUR)
    assert [each.number for each in reports.list(closed=True, limit=9)] == [second, first]
    assert reports.count_open() == 1
    assert reports.list(closed=False, limit=9, skip=1) == []
    for order in (reports.take, reports.close):
        with pytest.raises(NothingToDoError, match="closed already"):
            order(first, who="mei@desk.example", now=NOW)
    reports.reopen(first)
    with pytest.raises(NothingToDoError, match="open already"):
        reports.reopen(first)
    with pytest.raises(NotFoundError):
        reports.close(999, who="mei@desk.example", now=NOW)
    assert reports.count_open() == 2
