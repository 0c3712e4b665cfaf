"""The desk's day, tick by tick, on a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from newsletter import gather
from newsletter.clock import Clock
from newsletter.errors import ChecksFailedError, NotLiveError, PlanError
from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import correcting, sending
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import editing, issues
from newsletter.newsroom.planning import scheduling
from newsletter.plan import SourcePlan
from newsletter.schedule import day
from newsletter.schedule.clockwork import Clockwork, SenderLoop
from tests.desks import drop_story

from ..conftest import audience_of

SCHEDULE = """\
version: 1
newsletters:
  asia:
    title: Asia
    at: "07:00"
    timezone: Asia/Singapore
    days: [mon, tue, wed, thu, fri, sat, sun]
    skip: [2026-05-28]
    sender: {{name: Asia, address: daily@example.com}}
    postal_address: 1 Example Street
    countries: [CN, JP]
    approval: {{mode: {mode}, by: "06:45", on_timeout: {on_timeout}}}
    stories: {{min: {least}, on_few: {on_few}}}
sources:
  desk: {{kind: folder, path: inbox}}
"""
TODAY = IssueId("asia", date(2026, 5, 27))


class Desk:
    """A newsroom whose clock shows what the test says, in Singapore."""

    def __init__(self, folder: Path) -> None:
        desks.make_desk(folder)
        self.folder = folder
        self.room = Newsroom.open(folder, environ={})
        self.schedule()
        self.at("2026-05-26 20:00")

    def schedule(self, **values: object) -> None:
        plain = {"mode": "manual", "on_timeout": "wait", "least": 1, "on_few": "wait"}
        (self.folder / "schedule.yaml").write_text(SCHEDULE.format(**{**plain, **values}), encoding="utf-8")

    def at(self, wall: str) -> None:
        """Set the clock and let it tick."""
        moment = datetime.fromisoformat(f"{wall}+08:00").astimezone(UTC)
        self.room.clock = Clock(moment, anchor=0, unix=lambda: 0)
        day.tick(self.room)

    def whole_day(self, date: str) -> None:
        """Build at 05:30, send at 07:00."""
        self.at(f"{date} 05:30")
        self.at(f"{date} 07:00")
        for issue in day.due_issues(self.room):
            sending.send(self.room, issue)

    def freeze(self, *emails: str) -> None:
        """Today's issue for these addresses."""
        with self.room.database.write() as connection:
            self.room.sends.freeze(
                connection,
                TODAY,
                1,
                audience_of(*emails),
                excluded={},
                now=self.room.clock.now(),
                message_seed="5eed",
                message_domain="example.com",
            )

    def story(self, number: int = 1, **values: object) -> None:
        drop_story(self.folder / "inbox", number, **values)

    def state(self, issue: IssueId = TODAY) -> IssueState | None:
        found = self.room.issues.find(issue)
        return found.state if found else None

    def reason(self, issue: IssueId = TODAY) -> str:
        return self.room.issues.get(issue).reason


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    opened.room.close()


def test_the_draft_is_built_at_its_hour_and_not_before(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 05:29")
    assert desk.state() is None
    desk.at("2026-05-27 05:30")
    assert desk.state() is IssueState.REVIEW
    desk.at("2026-05-27 05:31")
    assert desk.room.issues.get(TODAY).revision == 1


def test_nothing_is_sent_before_it_is_due_nor_without_an_approval(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    desk.at("2026-05-27 06:59")
    assert day.due_issues(desk.room) == []
    desk.at("2026-05-27 07:00")
    assert day.due_issues(desk.room) == [TODAY]


def test_auto_approves_what_no_check_blocks(desk: Desk) -> None:
    desk.schedule(mode="auto")
    desk.story()
    desk.at("2026-05-27 05:30")
    assert desk.state() is IssueState.APPROVED
    assert desk.room.issues.get(TODAY).approved_by == "auto"


@pytest.mark.parametrize(
    ("on_timeout", "state"),
    [("wait", IssueState.WAITING), ("skip", IssueState.SKIPPED), ("send", IssueState.APPROVED)],
)
def test_an_approval_that_does_not_come(desk: Desk, on_timeout: str, state: IssueState) -> None:
    desk.schedule(on_timeout=on_timeout)
    desk.story()
    desk.at("2026-05-27 05:30")
    desk.at("2026-05-27 06:44")
    assert desk.state() is IssueState.REVIEW
    desk.at("2026-05-27 06:45")
    assert desk.state() is state
    history = desk.room.issues.history(TODAY)
    assert any("06:45" in f"{step.why}{step.who}" for step in history)


@pytest.mark.parametrize(
    ("on_few", "state"),
    [("wait", IssueState.WAITING), ("skip", IssueState.SKIPPED), ("short", IssueState.REVIEW)],
)
def test_a_slow_day(desk: Desk, on_few: str, state: IssueState) -> None:
    desk.schedule(least=3, on_few=on_few)
    desk.story()
    desk.at("2026-05-27 05:30")
    assert desk.state() is state
    if state is not IssueState.REVIEW:
        assert "1 of at least 3" in desk.reason()


def test_a_day_without_a_story_waits(desk: Desk) -> None:
    desk.schedule(on_few="short")
    desk.at("2026-05-27 05:30")
    assert desk.state() is IssueState.WAITING


def test_a_skipped_day_is_recorded_by_name(desk: Desk) -> None:
    desk.at("2026-05-28 05:30")
    skipped = IssueId("asia", date(2026, 5, 28))
    assert desk.state(skipped) is IssueState.SKIPPED
    assert desk.reason(skipped) == "2026-05-28"


def test_late_within_the_time_to_catch_up_and_missed_after_it(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 08:59")
    desk.at("2026-05-27 09:00")
    assert desk.state() is IssueState.WAITING, "built late, and the hour of approval has passed"
    issues.approve(desk.room, TODAY, "chief")
    desk.at("2026-05-27 09:01")
    assert day.due_issues(desk.room) == [TODAY], "a late approval sends, after a minute for second thoughts"
    desk.at("2026-05-30 12:00")
    assert desk.state(IssueId("asia", date(2026, 5, 29))) is IssueState.MISSED
    assert desk.state(IssueId("asia", date(2026, 5, 28))) is IssueState.SKIPPED
    assert desk.state(IssueId("asia", date(2026, 5, 30))) is IssueState.MISSED


def test_a_new_desk_has_missed_nothing(desk: Desk) -> None:
    desk.at("2026-05-27 12:00")
    assert desk.room.issues.list() == []
    desk.story()
    desk.at("2026-05-29 05:30")
    desk.at("2026-05-29 05:31")
    assert [str(issue.id.date) for issue in desk.room.issues.list()] == ["2026-05-29"]


def test_building_again_keeps_the_approval_of_unchanged_content(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    assert issues.build(desk.room, "asia").state is IssueState.APPROVED
    desk.story(2)
    for _ in gathering.gather_all(desk.room, list(desk.room.plan.sources.values())):
        pass
    rebuilt = issues.build(desk.room, "asia")
    assert (rebuilt.state, rebuilt.approved_by, rebuilt.revision) == (IssueState.REVIEW, None, 2)


def test_one_story_is_not_approved_in_two_issues(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.build(desk.room, "asia", date(2026, 5, 26))
    issues.approve(desk.room, TODAY, "chief")
    with pytest.raises(ChecksFailedError, match="asia/2026-05-27 has carried it"):
        issues.approve(desk.room, IssueId("asia", date(2026, 5, 26)), "chief")


def test_an_issue_of_a_day_gone_by_does_not_know_what_came_after(desk: Desk) -> None:
    desk.story(1, published_at="2026-05-24T08:00:00Z")
    desk.story(2, published_at="2026-05-26T08:00:00Z")
    for _ in gathering.gather_all(desk.room, list(desk.room.plan.sources.values())):
        pass
    snapshot = issues.build(desk.room, "asia", date(2026, 5, 25)).snapshot
    assert snapshot is not None
    assert [placed.story.external_id for placed in snapshot.placed] == ["1"]


def test_a_fault_in_one_newsletter_keeps_no_other_waiting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    file = desk.folder / "schedule.yaml"
    text = file.read_text(encoding="utf-8")
    twin = text[text.index("  asia:") : text.index("sources:")]
    file.write_text(
        text.replace("newsletters:\n", "newsletters:\n" + twin.replace("  asia:", "  aaa:")), encoding="utf-8"
    )
    desk.story()
    build = issues.build

    def fails_for_one(room: Newsroom, name: str, *words: object, **more: object) -> object:
        if name == "aaa":
            raise RuntimeError("a fault nobody thought of")
        return build(room, name, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(issues, "build", fails_for_one)
    desk.at("2026-05-27 05:30")
    assert desk.state() is IssueState.REVIEW
    assert desk.state(IssueId("aaa", date(2026, 5, 27))) is IssueState.PLANNED


def test_a_fault_in_one_source_keeps_no_other_waiting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    file = desk.folder / "schedule.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "  bad: {kind: folder, path: other}\n", encoding="utf-8")
    desk.story()
    opened = gather.open_source

    def fails_for_one(plan: SourcePlan, folder: Path, key: str | None) -> object:
        if plan.id == "bad":
            raise RuntimeError("a fault nobody thought of")
        return opened(plan, folder, key)

    monkeypatch.setattr(gather, "open_source", fails_for_one)
    polled = {each.source: each for each in gathering.gather_all(desk.room, list(desk.room.plan.sources.values()))}
    assert polled["desk"].gathered is not None
    assert "a fault nobody thought of" in str(polled["bad"].error)


def test_a_wrong_segment_is_a_fault_of_the_file(desk: Desk) -> None:
    file = desk.folder / "schedule.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("    countries:", "    segment: {frequncy: daily}\n    countries:"), encoding="utf-8")
    with (
        Newsroom.open(desk.folder, environ={}) as room,
        pytest.raises(PlanError, match=r"schedule.yaml:\d+:\d+") as told,
    ):
        _ = room.plan
    assert "segment.frequncy" in str(told.value)


def test_a_newsletter_that_left_the_file_does_not_stop_the_others(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    desk.freeze()
    file = desk.folder / "schedule.yaml"
    file.write_text("version: 1\nnewsletters: {}\n", encoding="utf-8")
    assert day.due_issues(desk.room) == [TODAY]
    sending.send(desk.room, TODAY)
    assert desk.state() is IssueState.SUBMITTED


def test_two_approvals_are_never_made_by_the_clock(desk: Desk) -> None:
    file = desk.folder / "schedule.yaml"
    desk.schedule(on_timeout="send")
    file.write_text(file.read_text(encoding="utf-8").replace("on_timeout:", "approvals: 2, on_timeout:"))
    desk.story()
    desk.at("2026-05-27 05:30")
    desk.at("2026-05-27 06:45")
    assert desk.state() is IssueState.WAITING
    assert desk.room.issues.get(TODAY).first_approved_by is None


def test_an_approved_issue_whose_hour_passed_unseen_is_missed(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    desk.at("2026-05-27 09:01")
    assert day.due_issues(desk.room) == []
    assert desk.state() is IssueState.MISSED


def test_no_reader_gets_a_story_twice_and_none_is_lost(desk: Desk) -> None:
    desk.schedule(mode="auto")
    desk.story(1)
    desk.whole_day("2026-05-26")
    desk.story(2)
    desk.story(3, embargo="2026-05-27T00:00:00Z")  # an hour after the issue is due
    desk.whole_day("2026-05-27")
    desk.story(4, embargo="2026-05-29T00:00:00Z")
    desk.whole_day("2026-05-28")
    desk.whole_day("2026-05-29")
    placed = {
        str(issue.id.date): [
            placed.story.external_id
            for placed in (desk.room.issues.get(issue.id).snapshot or pytest.fail("no draft")).placed
        ]
        for issue in desk.room.issues.list()
        if issue.state is IssueState.SUBMITTED
    }
    assert placed == {"2026-05-26": ["1"], "2026-05-27": ["2"], "2026-05-29": ["3"]}


def test_a_change_of_the_hour_in_the_file_moves_the_issue(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 05:30")
    file = desk.folder / "schedule.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace('"07:00"', '"07:30"'), encoding="utf-8")
    desk.at("2026-05-27 06:10")
    assert desk.room.issues.get(TODAY).due_at == datetime(2026, 5, 26, 23, 30, tzinfo=UTC)


def test_a_broken_file_leaves_the_last_good_plan_at_work(desk: Desk) -> None:
    desk.story()
    (desk.folder / "schedule.yaml").write_text("version: 1\nnewsletters: [", encoding="utf-8")
    desk.at("2026-05-27 05:30")
    assert desk.state() is IssueState.REVIEW
    assert desk.room.plan_fault is not None


def test_two_approvals_are_two_people(desk: Desk) -> None:
    file = desk.folder / "schedule.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("on_timeout:", "approvals: 2, on_timeout:"))
    desk.story()
    desk.at("2026-05-27 05:30")
    assert issues.approve(desk.room, TODAY, "first").state is IssueState.REVIEW
    with pytest.raises(Exception, match="somebody else"):
        issues.approve(desk.room, TODAY, "first")
    assert issues.approve(desk.room, TODAY, "second").state is IssueState.APPROVED


def test_what_an_issue_says_is_frozen_at_its_approval(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    desk.story(1, title="Rewritten at its source")
    desk.at("2026-05-27 07:00")
    before = desk.room.issues.get(TODAY).snapshot
    sending.send(desk.room, TODAY)
    assert desk.room.issues.get(TODAY).snapshot == before, "what goes into an issue is frozen there"
    assert desk.state() is IssueState.SUBMITTED


def test_what_goes_out_without_an_editor_is_what_its_source_says_now(desk: Desk) -> None:
    """A draft that shows what was rewritten since is not approved: an editor is told, the clock builds it anew."""
    desk.schedule(on_timeout="send")
    desk.story()
    desk.at("2026-05-27 05:30")
    desk.story(1, title="Rewritten at its source")
    list(gathering.gather_all(desk.room, gathering.polled_sources(desk.room)))
    with pytest.raises(ChecksFailedError, match="has changed since the draft was made: title"):
        issues.approve(desk.room, TODAY, "chief")
    desk.at("2026-05-27 06:45")
    issue = desk.room.issues.get(TODAY)
    assert issue.state is IssueState.APPROVED
    assert issue.snapshot is not None
    assert [placed.story.title for placed in issue.snapshot.placed] == ["Rewritten at its source"]


def test_the_next_waking_is_the_next_thing_due(desk: Desk) -> None:
    desk.room.clock = Clock(datetime(2026, 5, 26, 20, 0, tzinfo=UTC), anchor=0, unix=lambda: 0)
    assert day.next_waking(desk.room) == datetime(2026, 5, 26, 21, 30, tzinfo=UTC)
    desk.room.clock = Clock(datetime(2026, 5, 26, 21, 30, tzinfo=UTC) + timedelta(seconds=1), anchor=0, unix=lambda: 0)
    assert day.next_waking(desk.room) == datetime(2026, 5, 26, 22, 45, tzinfo=UTC)


def test_an_embargo_holds_until_it_ends_whatever_was_approved(desk: Desk) -> None:
    desk.story(embargo="2026-05-26T22:30:00Z")
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    with pytest.raises(ChecksFailedError, match="under embargo until 2026-05-26 22:30 UTC"):
        sending.send(desk.room, TODAY)
    assert desk.room.issues.books(TODAY).candidates == 0, "nothing was frozen"
    desk.at("2026-05-27 07:00")
    sending.send(desk.room, TODAY)
    assert desk.state() is IssueState.SUBMITTED


def test_strangers_are_looked_for_before_each_send(desk: Desk) -> None:
    """An audience frozen for the outbox is not mailed through a server off loopback later on."""
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    desk.freeze("stranger@example.net")
    outside = {"NEWSLETTER_SMTP_URL": "smtp://192.0.2.2:25?starttls=never"}
    with Newsroom.open(desk.folder, environ=outside) as room, pytest.raises(NotLiveError, match="NEWSLETTER_LIVE"):
        sending.send(room, TODAY)
    assert desk.room.issues.books(TODAY).deliveries["queued"] == 1


def test_a_stop_in_the_middle_of_a_tick_lets_it_finish(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow_tick(*_: object) -> None:
        begun.set()
        go_on.wait()

    def next_waking(room: Newsroom) -> datetime:
        ended.set()  # the alarm of the next instant is set after this
        return room.clock.now() + timedelta(hours=1)

    monkeypatch.setattr(day, "tick", slow_tick)
    monkeypatch.setattr(day, "next_waking", next_waking)
    clockwork = Clockwork(desk.room)
    clockwork.start()
    assert begun.wait(30)
    stopping = threading.Thread(target=clockwork.stop, daemon=True)
    stopping.start()
    stopping.join(0.3)
    assert stopping.is_alive(), "what runs is waited for"
    go_on.set()
    stopping.join(30)
    assert not stopping.is_alive()
    assert ended.is_set()


@pytest.mark.parametrize("on_timeout", ["send", "skip"])
def test_what_a_person_takes_back_after_the_deadline_waits_for_a_person(desk: Desk, on_timeout: str) -> None:
    desk.schedule(on_timeout=on_timeout)
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    desk.at("2026-05-27 06:50")
    correcting.undo(desk.room, TODAY, who="chief", why="the wrong picture")
    desk.at("2026-05-27 07:00")
    assert (desk.state(), desk.reason()) == (IssueState.REVIEW, "the wrong picture")
    assert day.due_issues(desk.room) == []


def rewrite(desk: Desk) -> None:
    """The story's source has another headline by now, and it was gathered."""
    desk.story(1, title="Story 1, rewritten")
    list(gathering.gather_all(desk.room, gathering.polled_sources(desk.room)))


def test_a_story_that_changed_at_its_source_holds_its_issue_at_the_last_moment(desk: Desk) -> None:
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    rewrite(desk)
    desk.at("2026-05-27 07:00")
    SenderLoop(desk.room).send_due()
    assert desk.state() is IssueState.WAITING
    assert "title (1 → 1, rewritten)" in desk.reason()
    desk.at("2026-05-27 07:01")
    assert desk.state() is IssueState.WAITING, "a person approved it, and a person looks again"


@pytest.mark.parametrize("lock", ["", '    lock: "06:30"\n'])
def test_where_nobody_approves_a_changed_story_is_taken_in_until_the_lock(desk: Desk, lock: str) -> None:
    desk.schedule(mode="auto")
    file = desk.folder / "schedule.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("sources:", f"{lock}sources:"), encoding="utf-8")
    desk.story()
    desk.at("2026-05-27 05:30")
    rewrite(desk)
    desk.at("2026-05-27 07:00")
    sender = SenderLoop(desk.room)
    sender.send_due()
    assert desk.state() is IssueState.WAITING
    desk.at("2026-05-27 07:01")
    sender.send_due()
    assert desk.state() is (IssueState.WAITING if lock else IssueState.SUBMITTED)


def test_a_desk_that_was_down_for_weeks_records_every_date(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.story()
    desk.at("2026-05-27 05:30")
    ended = threading.Event()
    monkeypatch.setattr(day, "next_waking", lambda room: ended.set())
    desk.room.clock = Clock(datetime(2026, 6, 16, 12, 0, tzinfo=UTC), anchor=0, unix=lambda: 0)
    clockwork = Clockwork(desk.room)
    clockwork.start()
    assert ended.wait(60)
    clockwork.stop()
    found = {issue.id.date: issue.state for issue in desk.room.issues.list("asia")}
    assert found.pop(date(2026, 5, 28)) is IssueState.SKIPPED
    missed = [day for day, state in found.items() if state is IssueState.MISSED]
    assert sorted(missed) == [date(2026, 5, 29) + timedelta(days=number) for number in range(19)]


def test_what_was_undone_before_the_deadline_is_not_sent_by_it(desk: Desk) -> None:
    desk.schedule(on_timeout="send")
    desk.story()
    desk.at("2026-05-27 05:30")
    issues.approve(desk.room, TODAY, "chief")
    correcting.undo(desk.room, TODAY, who="chief", why="the wrong picture")
    desk.at("2026-05-27 06:45")
    assert (desk.state(), desk.reason()) == (IssueState.WAITING, "not approved by 06:45")
    editing.edit(desk.room, TODAY, word=("It is mended.",), who="ed")
    issues.approve(desk.room, TODAY, "chief")
    desk.at("2026-05-27 07:00")
    assert day.due_issues(desk.room) == [TODAY]


def test_an_issue_whose_maker_was_killed_over_it_ends_with_a_reason(desk: Desk) -> None:
    desk.at("2026-05-27 09:00")
    now = desk.room.clock.now()
    begun = desk.room.issues.plan_another("asia", TODAY.date, now, now, "kim", least=2)
    desk.at("2026-05-27 09:59")
    assert desk.room.issues.get(begun.id).state is IssueState.PLANNED
    desk.at("2026-05-27 10:01")
    ended = desk.room.issues.get(begun.id)
    assert (ended.state, ended.reason.partition(";")[0]) == (
        IssueState.FAILED,
        "whoever began to make it did not come to an end",
    )


def test_an_issue_that_was_ordered_waits_for_its_hour_however_long_ago_that_was(desk: Desk) -> None:
    desk.at("2026-05-27 09:00")
    made = scheduling.add_issue(desk.room, "asia", TODAY.date, time(18), who="kim", why="")
    (extra,) = [issue for issue in desk.room.issues.list("asia") if issue.id.number > 1]
    desk.at("2026-05-27 12:00")
    assert desk.room.issues.get(extra.id).state is IssueState.PLANNED, made
