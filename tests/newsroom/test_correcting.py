"""Something is wrong with an issue: taken back before it leaves, corrected after; and news that cannot wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.clock import Clock
from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import DeliveryState, Issue, IssueState, Story, StoryStatus
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import correcting, freezing, outcomes, sending
from newsletter.newsroom.intake import related
from newsletter.newsroom.intake import stories as story_desk
from newsletter.newsroom.issue import issues, previews
from newsletter.newsroom.issue.breaking import break_news
from newsletter.newsroom.readership import readers
from newsletter.plan import quiet_until
from newsletter.schedule import day
from subscribers.signups import Terms
from tests.web.conftest import Visitor

from .conftest import NOW

NAME = "asia-ai-daily"
CHIEF = "chief@example.com"
READERS = 12
TITLES = {
    "CN": "Shenzhen opens a chip plant", "JP": "Tokyo courts weigh training data", "KR": "Seoul pays for models",
}  # fmt: skip
WRONG = "wire:CN"


def set_clock(room: Newsroom, moment: datetime) -> None:
    room.clock = Clock(moment, anchor=0, unix=lambda: 0)


@pytest.fixture
def desk(light_room: Newsroom, a_story: Callable[..., Story]) -> Newsroom:
    """A desk with twelve readers and an approved issue of three stories; mail goes to the outbox."""
    room = light_room
    set_clock(room, NOW)
    file = room.desk / "readers.csv"
    rows = "".join(f"r{number}@example.com,confirmed,2026-01-01T00:00:00Z\n" for number in range(READERS))
    file.write_text(f"email,status,consent_at\n{rows}", encoding="utf-8")
    room.subscribers.import_file(file, Terms(known=frozenset({NAME}), newsletters=(NAME,), consent_source="test"), NOW)
    stories = [a_story(country, title, country=country, summary="All is well.") for country, title in TITLES.items()]
    room.stories.ingest(stories, NOW)
    issues.approve(room, issues.build(room, NAME).id, CHIEF)
    return room


@pytest.fixture
def issue(desk: Newsroom) -> Issue:
    return desk.issues.list(NAME)[0]


def mend(room: Newsroom, story_id: str = WRONG, title: str = "Shenzhen plans a chip plant") -> None:
    """The story's source has corrected it."""
    story = room.stories.find([story_id])[story_id]
    room.stories.ingest([replace(story, title=title)], room.clock.now())


def test_an_approval_is_taken_back_and_nothing_leaves(desk: Newsroom, issue: Issue) -> None:
    undone = correcting.undo(desk, issue.id, who=CHIEF, why="too early")
    assert (undone.state, undone.approved_by, undone.reason) == (IssueState.REVIEW, None, "too early")
    assert day.due_issues(desk) == []
    with pytest.raises(ChecksFailedError, match="not approved"):
        sending.send(desk, issue.id)
    with pytest.raises(NothingToDoError, match="no approval to take back"):
        correcting.undo(desk, issue.id, who=CHIEF)


def test_a_frozen_issue_of_which_nothing_has_left_is_undone_and_sent_once_later(
    desk: Newsroom, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sender is told to stop before its first window: the audience is frozen, and nobody has anything.
    sending.send(desk, issue.id, stop=lambda: True)
    assert desk.deliveries.counts(issue.id) == {DeliveryState.QUEUED: READERS}
    undone = correcting.undo(desk, issue.id, who=CHIEF)
    books = desk.issues.books(issue.id)
    assert (undone.state, undone.frozen_at, books.candidates, books.balanced) == (IssueState.REVIEW, None, 0, True)
    issues.approve(desk, issue.id, CHIEF)
    assert sending.send(desk, issue.id).deliveries["submitted"] == READERS
    with pytest.raises(NothingToDoError, match="submitted"):
        correcting.undo(desk, issue.id, who=CHIEF)


def test_once_a_message_has_left_there_is_nothing_to_undo(desk: Newsroom, issue: Issue) -> None:
    sending.send(desk, issue.id)
    desk.sends.decide(
        issue.id, DeliveryState.SUBMITTED, DeliveryState.QUEUED, email="r1@example.com", now=NOW, who="t", why="t"
    )
    with pytest.raises(ChecksFailedError, match="have left or are leaving"):
        correcting.undo(desk, issue.id, who=CHIEF)
    assert desk.deliveries.counts(issue.id)[DeliveryState.SUBMITTED] == READERS - 1


def test_an_issue_approved_after_its_hour_waits_a_minute_for_second_thoughts(desk: Newsroom, issue: Issue) -> None:
    correcting.undo(desk, issue.id, who=CHIEF)
    late = issue.due_at + timedelta(minutes=5)
    set_clock(desk, late)
    approved = issues.approve(desk, issue.id, CHIEF)
    assert approved.not_before == late + timedelta(seconds=60)
    assert day.due_issues(desk) == []
    set_clock(desk, late + timedelta(seconds=60))
    assert day.due_issues(desk) == [issue.id]


def test_before_it_is_sent_a_correction_is_a_new_draft(desk: Newsroom, issue: Issue) -> None:
    with pytest.raises(NothingToDoError, match="as it is now"):
        correcting.correct(desk, issue.id, WRONG, who=CHIEF)
    with pytest.raises(InputError, match="does not carry"):
        correcting.correct(desk, issue.id, "wire:XX", who=CHIEF)
    mend(desk)
    done = correcting.correct(desk, issue.id, WRONG, who=CHIEF)
    assert (done.issue.state, done.mail, done.issue.edited_by) == (IssueState.REVIEW, None, CHIEF)
    assert "Shenzhen plans a chip plant" in previews.preview(desk, issue.id).text
    issues.approve(desk, issue.id, CHIEF)


def test_after_it_was_sent_the_web_view_the_readers_and_the_next_issue_are_told(
    desk: Newsroom, issue: Issue, a_story: Callable[..., Story]
) -> None:
    sending.send(desk, issue.id)
    bytes_sent = previews.preview(desk, issue.id).html
    mend(desk)
    done = correcting.correct(desk, issue.id, WRONG, "The plant is planned, not open.", who=CHIEF)
    assert (done.issue.state, done.issue.revision, done.reached) == (IssueState.SUBMITTED, 2, READERS)
    assert desk.seals.editions(issue.id, 1)[previews.preview(desk, issue.id).edition.key].html == bytes_sent
    assert set(desk.deliveries.revisions(issue.id)) == {1}, "the books say what was sent, not what is shown"

    key = previews.preview(desk, issue.id).edition.key
    for address in (f"/archive/{NAME}/{issue.id.day}", readers.view_address(desk, issue.id, key)):
        page = Visitor(desk).http.get(address).text
        assert page.index("The plant is planned, not open.") < page.index("Shenzhen plans a chip plant")
        assert "Correction · 27 May 2026" in page

    assert done.mail is not None
    assert done.mail.state is IssueState.REVIEW
    assert done.mail.id.number == 2
    assert day.due_issues(desk) == []
    # Who left since gets no further mail; who came since got no fault.
    desk.subscribers.unsubscribe("r3@example.com", NAME, desk.clock.now())
    issues.approve(desk, done.mail.id, CHIEF)
    books = sending.send(desk, done.mail.id)
    assert (books.candidates, books.deliveries["submitted"]) == (READERS, READERS - 1)
    assert books.excluded["unsubscribed"] == 1
    sent = [row.email for row in desk.deliveries.rows(done.mail.id, DeliveryState.SUBMITTED)]
    assert "r3@example.com" not in sent
    rendered = previews.preview(desk, done.mail.id)
    assert rendered.subject == "Correction: Shenzhen plans a chip plant"
    assert rendered.preheader == "The plant is planned, not open."
    assert "CORRECTION" in rendered.text
    assert "Tokyo" not in rendered.text

    tomorrow = NOW + timedelta(days=1)
    set_clock(desk, tomorrow)
    fresh = [a_story(f"n{n}", f"New thing {n}", country="JP", hours_ago=-20 - n) for n in range(3)]
    desk.stories.ingest(fresh, tomorrow)
    following = issues.build(desk, NAME)
    text = previews.preview(desk, following.id).text
    assert "CORRECTION" in text
    assert "Shenzhen opens a chip plant · 27 May 2026" in text
    issues.approve(desk, following.id, CHIEF)
    set_clock(desk, tomorrow + timedelta(days=1))
    desk.stories.ingest([a_story(f"m{n}", f"Newer thing {n}", country="JP", hours_ago=-44 - n) for n in range(3)], NOW)
    third = issues.build(desk, NAME)
    assert third.snapshot is not None
    assert third.snapshot.corrections == (), "it has been told"


def test_a_story_that_was_withdrawn_is_taken_out_and_its_readers_are_told(desk: Newsroom, issue: Issue) -> None:
    sending.send(desk, issue.id)
    story_desk.set_status(desk, WRONG, StoryStatus.WITHDRAWN, who=CHIEF, why="invented")
    done = correcting.correct(desk, issue.id, WRONG, who=CHIEF)
    page = previews.preview(desk, issue.id)
    assert "Shenzhen" not in page.text
    assert "Tokyo" in page.text
    assert done.mail is not None
    issues.approve(desk, done.mail.id, CHIEF)
    assert sending.send(desk, done.mail.id).deliveries["submitted"] == READERS
    rendered = previews.preview(desk, done.mail.id)
    assert rendered.subject == "Correction: Shenzhen opens a chip plant"
    assert "This story has been withdrawn." in rendered.text
    assert "https://example.com/CN" not in rendered.html
    with pytest.raises(InputError, match="a correction itself"):
        correcting.correct(desk, done.mail.id, WRONG, who=CHIEF)


def test_a_retry_after_a_correction_sends_what_is_right(desk: Newsroom, issue: Issue) -> None:
    sending.send(desk, issue.id)
    mend(desk)
    correcting.correct(desk, issue.id, WRONG, who=CHIEF)
    desk.sends.decide(
        issue.id, DeliveryState.SUBMITTED, DeliveryState.REJECTED, email="r1@example.com", now=NOW, who="t", why="t"
    )
    outcomes.retry(desk, issue.id, state=DeliveryState.REJECTED, email=None, who=CHIEF)
    sending.send(desk, issue.id)
    got = {row.email: row.revision for row in desk.deliveries.rows(issue.id)}
    assert {email for email, revision in got.items() if revision == 2} == {"r1@example.com"}


@pytest.mark.parametrize(("module", "step"), [(correcting, "_told"), (correcting, "_draft_mail"), (issues, "store")])
def test_a_correction_whose_process_died_is_gone_on_with(
    desk: Newsroom, issue: Issue, monkeypatch: pytest.MonkeyPatch, module: Any, step: str
) -> None:
    sending.send(desk, issue.id)
    if module is issues:
        mend(desk)
    else:
        story_desk.set_status(desk, WRONG, StoryStatus.WITHDRAWN, who=CHIEF, why="invented")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(module, step, die)
        with pytest.raises(KeyboardInterrupt):
            correcting.correct(desk, issue.id, WRONG, who=CHIEF)
    done = correcting.correct(desk, issue.id, WRONG, who=CHIEF)
    assert (done.issue.revision, done.reached) == (2, READERS)
    (written,) = desk.corrections.of(issue.id)
    assert (written.title, written.right_from) == (TITLES["CN"], 2)
    assert done.mail is not None
    assert written.mailed_in == done.mail.id
    assert len(desk.issues.list(NAME)) == 2, "one mail tells it"
    issues.approve(desk, done.mail.id, CHIEF)
    assert sending.send(desk, done.mail.id).deliveries["submitted"] == READERS
    with pytest.raises((NothingToDoError, InputError)):
        correcting.correct(desk, issue.id, WRONG, who=CHIEF)


def test_the_same_correction_twice_is_one(desk: Newsroom, issue: Issue) -> None:
    sending.send(desk, issue.id)
    mend(desk)
    correcting.correct(desk, issue.id, WRONG, "The plant is planned.", who=CHIEF)
    with pytest.raises(NothingToDoError, match="as it is now"):
        correcting.correct(desk, issue.id, WRONG, "The plant is planned.", who=CHIEF)
    assert (len(desk.issues.list(NAME)), desk.issues.get(issue.id).revision) == (2, 2)


def breaking_desk(room: Newsroom, **keys: str) -> None:
    plan = (room.desk / "schedule.yaml").read_text(encoding="utf-8")
    more = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    plan = plan.replace("    archive: public", f"{more}    archive: public", 1)
    (room.desk / "schedule.yaml").write_text(plan, encoding="utf-8")


def test_breaking_news_is_one_story_of_its_own_and_a_line_in_the_next_issue(
    desk: Newsroom, issue: Issue, a_story: Callable[..., Story]
) -> None:
    sending.send(desk, issue.id)
    set_clock(desk, NOW + timedelta(hours=6))
    flash = a_story("flash", "Seoul bans a model", country="KR", hours_ago=-5)
    desk.stories.ingest([flash], desk.clock.now())
    made = break_news(desk, flash.id, NAME, who=CHIEF)
    assert (made.state, made.id.number, made.due_at) == (IssueState.REVIEW, 2, desk.clock.now())
    issues.approve(desk, made.id, CHIEF)
    assert sending.send(desk, made.id).deliveries["submitted"] == READERS
    rendered = previews.preview(desk, made.id)
    assert rendered.subject == "Breaking: Seoul bans a model"
    with pytest.raises(InputError, match="no reader gets a story twice"):
        break_news(desk, flash.id, NAME, who=CHIEF)

    set_clock(desk, NOW + timedelta(days=1))
    fresh = [a_story(f"n{n}", f"New thing {n}", country="JP", hours_ago=-20 - n) for n in range(3)]
    desk.stories.ingest(fresh, desk.clock.now())
    following = issues.build(desk, NAME)
    assert following.snapshot is not None
    assert flash.id not in [placed.story.id for placed in following.snapshot.placed]
    assert [placed.story.id for placed in following.snapshot.recap] == [flash.id]
    text = previews.preview(desk, following.id).text
    assert text.index("SENT EARLIER") < text.index("Seoul bans a model")


def test_breaking_news_has_a_daily_cap_and_waits_for_the_end_of_quiet_hours(
    desk: Newsroom, issue: Issue, a_story: Callable[..., Story]
) -> None:
    breaking_desk(desk, breaking_per_day="1", quiet_hours='"05:00-06:30"')  # it is 05:30 there
    stories = [a_story(f"b{n}", f"Flash {n}", country="KR") for n in range(2)]
    desk.stories.ingest(stories, NOW)
    made = break_news(desk, stories[0].id, NAME, who=CHIEF)
    with pytest.raises(ChecksFailedError, match="breaking_per_day"):
        break_news(desk, stories[1].id, NAME, who=CHIEF)
    approved = issues.approve(desk, made.id, CHIEF)
    end = quiet_until(desk.newsletter(NAME), NOW)
    assert end == datetime(2026, 5, 26, 22, 30, tzinfo=NOW.tzinfo)
    assert approved.not_before == end
    correcting.undo(desk, made.id, who=CHIEF)
    file = desk.desk / "schedule.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("05:00-06:30", "05:31-06:30"), encoding="utf-8")
    set_clock(desk, NOW + timedelta(seconds=30))  # the minute for second thoughts ends in quiet hours
    assert issues.approve(desk, made.id, CHIEF).not_before == end
    assert made.id not in day.due_issues(desk)
    set_clock(desk, end)
    assert made.id in day.due_issues(desk)


def test_what_two_people_make_at_the_same_moment_are_two_issues(
    desk: Newsroom, a_story: Callable[..., Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    stories = [a_story(f"b{n}", f"Flash {n}", country="KR") for n in range(2)]
    desk.stories.ingest(stories, NOW)
    made: list[Issue] = []
    offers = related.offers

    def meanwhile(*asked: Any) -> Any:
        monkeypatch.setattr(related, "offers", offers)
        made.append(break_news(desk, stories[1].id, NAME, who="night@example.com"))
        return offers(*asked)

    monkeypatch.setattr(related, "offers", meanwhile)
    made.append(break_news(desk, stories[0].id, NAME, who=CHIEF))
    carried = [placed.story.id for each in made if each.snapshot for placed in each.snapshot.placed]
    assert carried == [stories[1].id, stories[0].id]
    assert len({each.id for each in made}) == 2
    assert issues.build(desk, NAME, extra=True).id.number == 4


def test_the_rest_of_a_corrected_issue_waits_a_minute_for_second_thoughts_too(desk: Newsroom, issue: Issue) -> None:
    sending.send(desk, issue.id)
    desk.sends.decide(
        issue.id, DeliveryState.SUBMITTED, DeliveryState.QUEUED, email="r1@example.com", now=NOW, who="t", why="t"
    )
    mend(desk)
    assert correcting.correct(desk, issue.id, WRONG, who=CHIEF).left == 1
    late = issue.due_at + timedelta(minutes=5)
    set_clock(desk, late)
    issues.approve(desk, issue.id, CHIEF)
    assert day.due_issues(desk) == []
    set_clock(desk, late + timedelta(seconds=60))
    assert day.due_issues(desk) == [issue.id]


def test_breaking_news_drafted_before_a_build_and_approved_after_it_is_a_line_in_the_next_issue(
    desk: Newsroom, issue: Issue, a_story: Callable[..., Story]
) -> None:
    flash = a_story("flash", "Seoul bans a model", country="KR")
    set_clock(desk, NOW - timedelta(minutes=1))
    desk.stories.ingest([flash], desk.clock.now())
    made = break_news(desk, flash.id, NAME, who=CHIEF)
    set_clock(desk, NOW + timedelta(minutes=10))
    issues.approve(desk, made.id, CHIEF)
    sending.send(desk, made.id)
    sending.send(desk, issue.id)
    set_clock(desk, NOW + timedelta(days=1))
    desk.stories.ingest([a_story("n", "New thing", country="JP", hours_ago=-20)], desk.clock.now())
    following = issues.build(desk, NAME)
    assert following.snapshot is not None
    assert [placed.story.id for placed in following.snapshot.recap] == [flash.id]


def test_what_is_cancelled_never_leaves_and_counts_for_nothing(
    desk: Newsroom, issue: Issue, a_story: Callable[..., Story]
) -> None:
    breaking_desk(desk, breaking_per_day="1")
    stories = [a_story(f"b{n}", f"Flash {n}", country="KR") for n in range(2)]
    desk.stories.ingest(stories, NOW)
    made = break_news(desk, stories[0].id, NAME, who=CHIEF)
    issues.approve(desk, made.id, CHIEF)
    cancelled = correcting.cancel(desk, made.id, who=CHIEF, why="it is none any more")
    assert (cancelled.state, cancelled.approved_by) == (IssueState.CANCELLED, None)
    with pytest.raises(ChecksFailedError, match="cancelled"):
        sending.send(desk, made.id)
    with pytest.raises(NothingToDoError, match="nothing to cancel"):
        correcting.cancel(desk, made.id, who=CHIEF)
    break_news(desk, stories[1].id, NAME, who=CHIEF)

    sending.send(desk, issue.id, stop=lambda: True)
    with pytest.raises(ChecksFailedError, match="begun to leave"):
        correcting.cancel(desk, issue.id, who=CHIEF)
    assert desk.issues.get(issue.id).state is IssueState.SENDING


def test_an_undo_while_the_mail_server_is_tried_wins(
    desk: Newsroom, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*_: object) -> None:
        correcting.undo(desk, issue.id, who=CHIEF)

    monkeypatch.setattr(freezing, "prove_relay", meanwhile)
    with pytest.raises(NothingToDoError, match="is review since a moment ago"):
        sending.send(desk, issue.id)
    assert desk.deliveries.counts(issue.id) == {}
    assert desk.issues.get(issue.id).state is IssueState.REVIEW
