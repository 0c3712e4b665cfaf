"""How screens say things."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from newsletter.model import DeliveryState, Edition, Issue, IssueId, IssueState
from newsletter.storage.issues import EXCLUSIONS
from newsletter.web import words

SINGAPORE = ZoneInfo("Asia/Singapore")
DUE = datetime(2026, 5, 26, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(hours=1, minutes=42), "1 h 42 min"),
        (timedelta(minutes=12, seconds=59), "12 min"),
        (timedelta(hours=5), "5 h"),
        (timedelta(days=1, minutes=3), "1 day"),
        (timedelta(days=3, hours=4, minutes=5), "3 days 4 h"),
        (timedelta(seconds=30), "a moment"),
        (-timedelta(hours=2), "2 h"),
    ],
)
def test_lengths(length: timedelta, said: str) -> None:
    assert words.length_words(length) == said


@pytest.mark.parametrize(
    ("state", "hours", "said"),
    [
        (IssueState.REVIEW, -1, "Sends 07:00 Singapore, in 1 h."),
        (IssueState.REVIEW, -30, "Sends Wed 27 May, 07:00 Singapore, in 1 day 6 h."),
        (IssueState.WAITING, 2, "Was due 07:00 Singapore, 2 h ago."),
        (IssueState.APPROVED, 1, "Due 07:00 Singapore: sends now."),
        (IssueState.SENDING, 1, "Sending since 07:00 Singapore."),
        (IssueState.SUBMITTED, 48, "Handed to the mail server Wed 27 May, 07:00 Singapore."),
        (IssueState.MISSED, 3, "Missed; it was due 07:00 Singapore."),
    ],
)
def test_what_an_issue_says_about_its_time(state: IssueState, hours: int, said: str) -> None:
    issue = Issue(id=IssueId("asia-ai-daily", date(2026, 5, 27)), state=state, due_at=DUE)
    assert words.sends_words(issue, SINGAPORE, DUE + timedelta(hours=hours)) == said


def test_every_state_has_its_words() -> None:
    assert set(words.STATE_WORDS) == set(IssueState)
    assert set(words.DELIVERY_WORDS) == set(DeliveryState)
    assert set(words.EXCLUSION_WORDS) == set(EXCLUSIONS)
    assert words.DELIVERY_WORDS[DeliveryState.UNKNOWN] == "on hold"


def test_versions() -> None:
    every = ("CN", "JP", "KR", "IN", "SG")
    assert words.edition_words(Edition(every, "en"), every) == "All 5 countries, English"
    assert words.edition_words(Edition(("JP",), "en"), every) == "Japan, English"
    assert (
        words.edition_words(Edition(("JP", "KR"), "zh-Hant"), every) == "Japan and South Korea, Chinese (Traditional)"
    )
    assert words.edition_words(Edition(every, "en"), (*every, "VN")) == "China, Japan, South Korea and 2 more, English"


def test_readers_are_counted_in_words() -> None:
    assert [words.readers_words(number) for number in (0, 1, 1204)] == ["0 readers", "1 reader", "1,204 readers"]


def test_days() -> None:
    assert words._days_words({1, 2, 3, 4, 5}) == "Monday to Friday"
    assert words._days_words({1, 3, 5}) == "Monday, Wednesday and Friday"
    assert words._days_words({6, 7}) == "Saturday and Sunday"
    assert words._days_words(range(1, 8)) == "Every day"
    assert words.city(ZoneInfo("America/Argentina/Buenos_Aires")) == "Buenos Aires"
