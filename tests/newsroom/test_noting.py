"""What is to be told is noted once, whoever is first."""

from __future__ import annotations

from newsletter.model import IssueId
from newsletter.newsroom import Newsroom

ISSUE = IssueId.parse("asia-ai-daily/2026-05-27")


def test_a_notice_is_noted_once(room: Newsroom) -> None:
    now = room.clock.now()
    room.issues.plan(ISSUE, now, now, "clock")
    assert room.desk_mails.note(ISSUE, "late", {"a@desk.example": "{}"}, now)
    assert not room.desk_mails.note(ISSUE, "late", {"a@desk.example": "{}"}, now)
    assert room.desk_mails.note(ISSUE, "late", {"a@desk.example": "{}", "b@desk.example": "{}"}, now)
    assert not room.desk_mails.note(ISSUE, "late", {}, now)
