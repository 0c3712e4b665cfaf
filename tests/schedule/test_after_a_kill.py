"""What the next tick makes of a slot whose builder died, or whose database was away, in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import StorageError
from newsletter.model import IssueState, StoryStatus
from newsletter.newsroom.intake import stories
from newsletter.newsroom.issue import issues

from .test_desk_day import TODAY, Desk


class KilledError(BaseException):
    """Nobody catches it, as nobody catches kill -9."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.schedule(mode="auto")
    made.story()
    yield made
    made.room.close()


def killed_before_it_approves(desk: Desk) -> None:
    """A draft is stored, and whoever built it dies before it approves it."""

    def die(*_: object) -> None:
        raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(issues, "approve", die)
        with pytest.raises(KilledError):
            desk.at("2026-05-27 05:30")
    assert desk.state() is IssueState.REVIEW


def test_a_draft_whose_builder_died_is_approved_as_the_schedule_says(desk: Desk) -> None:
    killed_before_it_approves(desk)
    desk.at("2026-05-27 05:31")
    assert desk.state() is IssueState.APPROVED
    assert desk.room.issues.get(TODAY).approved_by == "auto"


def test_one_that_cannot_be_approved_says_why(desk: Desk) -> None:
    killed_before_it_approves(desk)
    stories.set_status(desk.room, "desk:1", StoryStatus.WITHDRAWN, "chief", "wrong")
    desk.at("2026-05-27 05:31")
    assert desk.state() is IssueState.WAITING
    assert "desk:1" in desk.reason()


def test_a_draft_that_is_being_approved_is_left_to_whoever_does(desk: Desk) -> None:
    killed_before_it_approves(desk)
    with desk.room.database.hold(f"build {TODAY}"):
        desk.at("2026-05-27 07:01")
        assert desk.state() is IssueState.REVIEW


def test_what_a_person_took_back_is_not_approved_again(desk: Desk) -> None:
    desk.at("2026-05-27 05:30")
    now = desk.room.clock.now()
    desk.room.issues.move(TODAY, (IssueState.APPROVED,), IssueState.REVIEW, now=now, who="chief", why="a typo")
    desk.at("2026-05-27 05:31")
    assert desk.state() is IssueState.REVIEW
    desk.at("2026-05-27 06:45")
    assert (desk.state(), desk.reason()) == (IssueState.WAITING, "not approved by 06:45")


def test_a_database_that_was_away_for_a_moment_costs_no_issue(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = issues.build

    def away(*_: object, **__: object) -> None:
        monkeypatch.setattr(issues, "build", whole)
        raise StorageError("the database stayed locked")

    monkeypatch.setattr(issues, "build", away)
    desk.at("2026-05-27 05:30")
    assert desk.state() is IssueState.PLANNED
    desk.at("2026-05-27 05:31")
    assert desk.state() is IssueState.APPROVED
