"""What people decide beside schedule.yaml: the desk's day follows it, and nothing vanishes in silence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from newsletter.clock import Clock
from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.issue import editing, issues
from newsletter.newsroom.planning import scheduling
from newsletter.newsroom.planning.backfilling import would_build
from newsletter.plan import OverlayKind
from newsletter.schedule import day

from .test_desk_day import TODAY, Desk

WED, FRI = date(2026, 5, 27), date(2026, 5, 29)
EXTRA = IssueId("asia", WED, 2)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    """On SQLite and on PostgreSQL."""
    opened = Desk(tmp_path / "desk")
    opened.room.close()
    opened.room = Newsroom.open(opened.folder, {"database_url": database_url}, environ={})
    desks.upgrade(opened.room)
    opened.story()
    opened.at("2026-05-26 20:00")
    yield opened
    opened.room.close()


@pytest.fixture
def light_desk(tmp_path: Path) -> Iterator[Desk]:
    """On SQLite alone, for what does not depend on the database."""
    opened = Desk(tmp_path)
    yield opened
    opened.room.close()


def due(desk: Desk, issue: IssueId = TODAY) -> str:
    """When an issue is due, on the clocks of Singapore."""
    return f"{desk.room.issues.get(issue).due_at + timedelta(hours=8):%d %H:%M}"


def test_a_paused_date_is_recorded_as_skipped_with_who_and_why(desk: Desk) -> None:
    scheduling.pause(desk.room, "asia", who="anna", why="typhoon", first=WED, until=WED)
    desk.at("2026-05-27 05:30")
    assert (desk.state(), desk.reason()) == (IssueState.SKIPPED, "paused by anna: typhoon")
    desk.at("2026-05-29 05:30")
    assert desk.state(IssueId("asia", FRI)) is IssueState.REVIEW, "the pause is over"


@pytest.mark.parametrize("approved", [False, True])
def test_a_skip_takes_a_draft_with_it_and_voids_its_approval(desk: Desk, approved: bool) -> None:
    desk.at("2026-05-27 05:30")
    if approved:
        issues.approve(desk.room, TODAY, "chief")
    said = scheduling.skip(desk.room, "asia", WED, who="anna", why="stale").said
    assert said == (f"asia/2026-05-27 was {'approved' if approved else 'review'}; it is skipped",)
    issue = desk.room.issues.get(TODAY)
    assert (issue.state, issue.reason, issue.approved_by) == (IssueState.SKIPPED, "skipped by anna: stale", None)
    desk.at("2026-05-27 07:00")
    assert day.due_issues(desk.room) == []
    with pytest.raises(ChecksFailedError):
        sending.send(desk.room, TODAY)


def test_a_skip_taken_back_before_the_hour_plans_the_issue_again(desk: Desk) -> None:
    desk.at("2026-05-27 05:30")
    editing.edit(desk.room, TODAY, subject="Mine", who="editor")
    scheduling.skip(desk.room, "asia", WED, who="anna")
    said = scheduling.take_skip_back(desk.room, "asia", WED, who="ben").said
    assert said == ("asia/2026-05-27 is planned again",)
    assert desk.state() is IssueState.PLANNED
    desk.at("2026-05-27 05:40")
    issue = desk.room.issues.get(TODAY)
    assert issue.state is IssueState.REVIEW
    assert issue.snapshot is not None
    assert issue.snapshot.subject == "Mine", "what an editor wrote is kept"
    steps = [(step.who, str(step.after), step.why) for step in desk.room.issues.history(TODAY)]
    assert ("anna", "skipped", "skipped by anna") in steps
    assert ("ben", "planned", "taken back") in steps


def test_a_skip_taken_back_after_the_hour_changes_nothing_and_says_so(desk: Desk) -> None:
    scheduling.skip(desk.room, "asia", WED, who="anna")
    desk.at("2026-05-27 07:01")
    (said,) = scheduling.take_skip_back(desk.room, "asia", WED, who="ben").said
    assert "stays skipped, for its hour has passed; `newsletter schedule run asia --date 2026-05-27`" in said
    desk.at("2026-05-27 07:02")
    assert desk.state() is IssueState.SKIPPED


def test_a_scheduler_that_read_the_schedule_before_it_changed_is_put_right(desk: Desk) -> None:
    """The skip comes, or is taken back, between the look of a scheduler and what it does."""
    old = desk.room.timetable
    scheduling.skip(desk.room, "asia", WED, who="anna")
    issues_open = desk.room.issues
    issues_open.plan(TODAY, old.slot_of(desk.room.newsletter("asia"), WED).instant, desk.room.clock.now(), "clock")
    issues_open.move(TODAY, (IssueState.PLANNED,), IssueState.REVIEW, now=desk.room.clock.now(), who="clock")
    desk.at("2026-05-27 05:29")
    assert desk.reason() == "skipped by anna"
    (made,) = desk.room.overlays.list()
    desk.room.overlays.end(made.id, desk.room.clock.now(), "ben")
    desk.at("2026-05-27 05:31")
    assert desk.state() is IssueState.REVIEW


def test_an_issue_approved_in_the_middle_of_a_skip_is_not_sent(desk: Desk) -> None:
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    issue, slot = desk.room.issues.get(TODAY), desk.room.timetable.slot_of(desk.room.newsletter("asia"), WED)
    scheduling.skip(desk.room, "asia", WED, who="anna")
    with desk.room.database.write() as connection:
        connection.exec_driver_sql("UPDATE issue SET state = 'approved'")
    desk.room.clock = Clock(slot.instant, anchor=0, unix=lambda: 0)
    assert issue.due_at <= desk.room.clock.now()
    assert day.due_issues(desk.room) == []


def test_what_is_being_sent_is_left_alone_and_said(desk: Desk) -> None:
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    desk.freeze("r@example.com")
    with pytest.raises(ChecksFailedError, match=r"is sending.*`newsletter issue stop asia/2026-05-27` stops it"):
        scheduling.skip(desk.room, "asia", WED, who="anna")
    with pytest.raises(ChecksFailedError, match="is sending"):
        scheduling.move(desk.room, "asia", WED, time(9), who="anna")
    (said,) = scheduling.pause(desk.room, "asia", who="anna").said
    assert said.startswith("asia/2026-05-27 is sending and is left alone")
    desk.at("2026-05-27 06:00")
    assert desk.state() is IssueState.SENDING


def test_a_pause_without_an_end_lasts_until_somebody_resumes(desk: Desk) -> None:
    scheduling.pause(desk.room, "asia", who="anna")
    with pytest.raises(NothingToDoError, match="asia is paused by anna, from 2026-05-26"):
        scheduling.pause(desk.room, "asia", who="ben")
    with pytest.raises(ChecksFailedError, match="asia/2026-05-27 is paused by anna"):
        issues.build(desk.room, "asia", WED)
    desk.at("2026-05-27 05:30")
    assert desk.state() is IssueState.SKIPPED
    assert scheduling.resume(desk.room, "asia", who="ben").said == ("asia/2026-05-27 is planned again",)
    desk.at("2026-05-27 05:31")
    assert desk.state() is IssueState.REVIEW
    with pytest.raises(NothingToDoError, match="not paused"):
        scheduling.resume(desk.room, "asia", who="ben")


def test_a_pause_is_recorded_also_by_a_scheduler_that_was_down_meanwhile(desk: Desk) -> None:
    desk.whole_day("2026-05-26")
    scheduling.pause(desk.room, "asia", who="anna", why="move", first=WED)
    desk.room.clock = Clock(datetime(2026, 5, 30, 4, tzinfo=UTC), anchor=0, unix=lambda: 0)
    scheduling.resume(desk.room, "asia", who="anna")
    desk.at("2026-05-30 12:01")
    assert desk.reason() == "paused by anna: move"
    assert desk.reason(IssueId("asia", FRI)) == "paused by anna: move"


def test_a_moved_issue_is_built_pressed_for_and_sent_at_its_new_hour(desk: Desk) -> None:
    scheduling.move(desk.room, "asia", WED, time(10), who="anna", why="budget")
    desk.at("2026-05-27 08:29")
    assert desk.state() is None
    desk.at("2026-05-27 08:30")
    assert (desk.state(), due(desk)) == (IssueState.REVIEW, "27 10:00")
    desk.at("2026-05-27 09:44")
    assert desk.state() is IssueState.REVIEW
    desk.at("2026-05-27 09:45")
    assert desk.state() is IssueState.WAITING, "the approval deadline moved along"
    issues.approve(desk.room, TODAY, "chief")
    assert day.due_issues(desk.room) == []
    desk.at("2026-05-27 10:00")
    assert day.due_issues(desk.room) == [TODAY]


def test_an_approved_issue_that_is_moved_stays_approved_and_waits(desk: Desk) -> None:
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    said = scheduling.move(desk.room, "asia", WED, time(12), who="anna").said
    assert said == ("asia/2026-05-27 is approved and due at another time",)
    desk.at("2026-05-27 07:00")
    assert (desk.state(), day.due_issues(desk.room)) == (IssueState.APPROVED, [])
    scheduling.move(desk.room, "asia", WED, None, who="ben")
    assert day.due_issues(desk.room) == [TODAY], "now is at once"


def test_now_builds_at_the_next_tick_and_waits_for_its_approval(desk: Desk) -> None:
    desk.schedule(on_timeout="skip")
    scheduling.move(desk.room, "asia", WED, None, who="anna")
    desk.at("2026-05-26 20:00")
    assert (desk.state(), due(desk)) == (IssueState.REVIEW, "26 20:00")
    desk.at("2026-05-26 23:00")
    assert desk.state() is IssueState.REVIEW, "who wants it at once is not timed out"
    issues.approve(desk.room, TODAY, "chief")
    desk.at("2026-05-26 23:01")
    assert day.due_issues(desk.room) == [TODAY]


def test_moving_it_to_its_old_hour_takes_the_move_back(desk: Desk) -> None:
    scheduling.move(desk.room, "asia", WED, time(10), who="anna")
    scheduling.move(desk.room, "asia", WED, time(7), who="ben")
    slot = desk.room.timetable.slot_of(desk.room.newsletter("asia"), WED)
    assert (slot.note, slot.overlay) == (None, None)
    with pytest.raises(NothingToDoError, match="is due then"):
        scheduling.move(desk.room, "asia", WED, time(7), who="ben")


def test_an_extra_issue_goes_through_the_day_beside_the_first(desk: Desk) -> None:
    assert scheduling.add_issue(desk.room, "asia", WED, time(18), who="anna", why="summit").said == (
        "asia/2026-05-27/2 is planned",
    )
    assert desk.room.issues.get(EXTRA).state is IssueState.PLANNED
    desk.whole_day("2026-05-27")
    desk.story(2)
    desk.at("2026-05-27 16:29")
    assert desk.state(EXTRA) is IssueState.PLANNED
    desk.at("2026-05-27 16:30")
    assert (desk.state(EXTRA), due(desk, EXTRA)) == (IssueState.REVIEW, "27 18:00")
    scheduling.move(desk.room, "asia", WED, time(19), who="ben", number=2)
    assert due(desk, EXTRA) == "27 19:00"
    scheduling.skip(desk.room, "asia", WED, who="ben", number=2)
    assert desk.reason(EXTRA) == "skipped by ben"
    assert issues.build(desk.room, "asia", WED, extra=True).id.number == 3


def test_an_extra_issue_may_stand_on_a_day_without_one_but_not_in_a_pause(desk: Desk) -> None:
    holiday = date(2026, 5, 28)
    with pytest.raises(ChecksFailedError, match="`newsletter schedule extra asia 2026-05-28 HH:MM` adds an issue"):
        scheduling.move(desk.room, "asia", holiday, time(9), who="anna")
    scheduling.add_issue(desk.room, "asia", holiday, time(9), who="anna")
    desk.at("2026-05-28 07:30")
    assert desk.state(IssueId("asia", holiday)) is IssueState.SKIPPED
    assert desk.state(IssueId("asia", holiday, 2)) is IssueState.REVIEW
    scheduling.pause(desk.room, "asia", who="anna")
    assert desk.state(IssueId("asia", holiday, 2)) is IssueState.SKIPPED
    with pytest.raises(ChecksFailedError, match="asia is paused by anna; `newsletter schedule resume asia` ends that"):
        scheduling.add_issue(desk.room, "asia", FRI, time(9), who="anna")


def test_a_hand_made_issue_on_a_day_that_the_file_skips_is_nobodys_to_skip(desk: Desk) -> None:
    holiday = IssueId("asia", date(2026, 5, 28))
    issues.build(desk.room, "asia", holiday.date)
    desk.at("2026-05-28 05:31")
    assert desk.state(holiday) is IssueState.WAITING, "for a story, and for nothing else"


@pytest.mark.parametrize(
    ("verb", "error", "words"),
    [
        ("skip old", NothingToDoError, "the hour of asia/2026-05-25 has passed"),
        ("skip holiday", NothingToDoError, "asia/2026-05-28 is not due: skipped: 2026-05-28"),
        ("skip number", InputError, "the schedule has no asia/2026-05-27/2"),
        ("undo", NothingToDoError, "nobody skipped asia/2026-05-28; it is skipped: 2026-05-28"),
        ("move past", InputError, "2026-05-26 19:00 has passed: it is 2026-05-26 20:00 there; `now` is at once"),
        ("move skipped", ChecksFailedError, "skipped by anna; `newsletter schedule skip asia 2026-05-29 --undo`"),
        ("extra past", InputError, "has passed"),
        ("pause backwards", InputError, "a pause goes from today"),
    ],
)
def test_what_cannot_be_is_refused_in_words(light_desk: Desk, verb: str, error: type[Exception], words: str) -> None:
    room, holiday = light_desk.room, date(2026, 5, 28)
    if verb == "move skipped":
        scheduling.skip(room, "asia", FRI, who="anna")
    verbs = {
        "skip old": lambda: scheduling.skip(room, "asia", date(2026, 5, 25), who="a"),
        "skip holiday": lambda: scheduling.skip(room, "asia", holiday, who="a"),
        "skip number": lambda: scheduling.skip(room, "asia", WED, who="a", number=2),
        "undo": lambda: scheduling.take_skip_back(room, "asia", holiday, who="a"),
        "move past": lambda: scheduling.move(room, "asia", date(2026, 5, 26), time(19), who="a"),
        "move skipped": lambda: scheduling.move(room, "asia", FRI, time(9), who="a"),
        "extra past": lambda: scheduling.add_issue(room, "asia", date(2026, 5, 26), time(19), who="a"),
        "pause backwards": lambda: scheduling.pause(room, "asia", who="a", first=FRI, until=WED),
    }
    with pytest.raises(error, match=words):
        verbs[verb]()


def test_a_dry_run_says_what_would_be_built_and_writes_nothing(desk: Desk) -> None:
    desk.at("2026-05-26 05:30")
    before = [*desk.room.issues.list()]
    desk.room.overlays.list()
    found = would_build(desk.room, "asia", WED)
    assert (found.issue_id, found.state, found.present) == (TODAY, IssueState.REVIEW, None)
    assert [section.country for section in found.snapshot.sections] == ["CN"]
    assert [*desk.room.issues.list()] == before
    assert desk.room.issues.find(TODAY) is None


def test_every_decision_is_kept_with_who_took_it_and_who_took_it_back(desk: Desk) -> None:
    scheduling.move(desk.room, "asia", WED, time(9), who="anna")
    scheduling.move(desk.room, "asia", WED, time(10), who="ben", why=" two \n lines ")
    scheduling.skip(desk.room, "asia", FRI, who="anna")
    scheduling.take_skip_back(desk.room, "asia", FRI, who="chief")
    kept = [(each.kind, each.who, each.why, each.ended_by) for each in desk.room.overlays.list()]
    assert kept == [
        (OverlayKind.SKIP, "anna", "", "chief"),
        (OverlayKind.MOVE, "ben", "two lines", None),
        (OverlayKind.MOVE, "anna", "", "ben"),
    ]


def test_the_next_waking_knows_of_what_was_moved(desk: Desk) -> None:
    scheduling.move(desk.room, "asia", WED, time(1), who="anna")
    assert day.next_waking(desk.room) == datetime(2026, 5, 26, 15, 30, tzinfo=UTC), "the draft, at 23:30 in Singapore"
