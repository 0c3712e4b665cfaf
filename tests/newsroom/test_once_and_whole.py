"""No story is told twice, by whatever name it comes again; none is lost between a poll and a draft."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from newsletter.errors import ChecksFailedError
from newsletter.gather import open_source
from newsletter.model import CountryOrigin, Issue, IssueState, Story, StoryStatus
from newsletter.newsroom import Newsroom
from newsletter.newsroom.intake import notes, related, stories
from newsletter.newsroom.issue import issues
from newsletter.pipeline import gather_source
from newsletter.plan import SourcePlan
from newsletter.ports import Fetched, SourceState
from newsletter.storage import Choice

from .conftest import NOW

NEWSLETTER = "asia-ai-daily"
TITLE = "Yunhe opens a second memory line in Wuxi"
OTHERS = ("Seoul pays for open models", "Tokyo court rules on training data", "Delhi maps its monsoon by model")


def a_day(room: Newsroom, a_story: Callable[..., Story], *more: Story) -> Issue:
    filler = [
        a_story(f"f{number}", title, country=country)
        for number, (title, country) in enumerate(zip(OTHERS, ("KR", "JP", "IN"), strict=True))
    ]
    room.stories.ingest([*filler, *more], NOW - timedelta(minutes=30))
    return issues.build(room, NEWSLETTER)


def told(issue: Issue) -> set[str]:
    assert issue.snapshot is not None
    return {placed.story.id for placed in issue.snapshot.placed}


@pytest.mark.parametrize(
    "copy",
    [
        {"source": "other", "url": "https://example.com/first"},
        {"source": "other", "title": TITLE.upper()},
        {"source": "other", "title": f"{TITLE} today", "summary": "It will make forty thousand wafers a month."},
    ],
    ids=["address", "title", "text"],
)
def test_a_copy_of_what_went_out_is_not_told_again(room: Newsroom, a_story: Callable[..., Story], copy: dict) -> None:
    first = a_story("first", TITLE, summary="It will make forty thousand wafers a month.")
    issue = a_day(room, a_story, first)
    issues.approve(room, issue.id, "chief@example.com")
    again = replace(a_story("again", TITLE, hours_ago=-1), published_at=NOW, **copy)
    new = a_story("new", "A harbour crane learns to wait", hours_ago=0.5)
    room.stories.ingest([again, new], NOW + timedelta(minutes=5))
    extra = issues.build(room, NEWSLETTER, extra=True)
    assert told(extra) == {new.id}


def test_two_drafts_side_by_side_do_not_both_tell_it(room: Newsroom, a_story: Callable[..., Story]) -> None:
    issue = a_day(room, a_story, a_story("first", TITLE))
    room.stories.ingest([a_story("again", TITLE, source="other")], NOW - timedelta(minutes=20))
    extra = issues.build(room, NEWSLETTER, extra=True)
    issues.approve(room, issue.id, "chief@example.com")
    with pytest.raises(ChecksFailedError, match="has carried it already"):
        issues.approve(room, extra.id, "chief@example.com")


def test_what_an_editor_told_apart_is_told(room: Newsroom, a_story: Callable[..., Story]) -> None:
    one, other = a_story("one", "Earthquake hits Sichuan"), a_story("other", "Earthquake hits Sichuan")
    room.stories.ingest([one, other], NOW - timedelta(minutes=30))
    related.keep_up(room)
    related.choose(room, one.id, other.id, Choice.APART, "ed@example.com")
    assert {one.id, other.id} <= told(issues.build(room, NEWSLETTER))


def test_the_same_headline_a_month_later_is_another_story(room: Newsroom, a_story: Callable[..., Story]) -> None:
    from newsletter.compose import told_before

    column = a_story("may", "The week in chips")
    later = replace(a_story("june", "The week in chips"), published_at=NOW + timedelta(days=28))
    assert told_before([later], [column], {}) == {}
    assert told_before([replace(later, published_at=NOW)], [column], {}) == {later.id: column.id}


@pytest.mark.parametrize("change", ["reject the note", "other words", "withdraw"])
def test_what_changed_since_the_draft_is_not_approved(
    room: Newsroom, a_story: Callable[..., Story], change: str
) -> None:
    first = a_story("first", TITLE, note=("A falsehood.",), note_approved_by="ed@example.com")
    issue = a_day(room, a_story, first)
    match change:
        case "reject the note":
            stories.reject_note(room, first.id, "ed@example.com", "false")
        case "other words":
            room.stories.ingest([replace(first, title="Yunhe opens nothing in Wuxi")], NOW)
        case "withdraw":
            stories.set_status(room, first.id, StoryStatus.WITHDRAWN, "ed@example.com", "wrong")
    with pytest.raises(ChecksFailedError, match="wire:first"):
        issues.approve(room, issue.id, "chief@example.com")
    rebuilt = issues.build(room, NEWSLETTER)
    assert issues.approve(room, rebuilt.id, "chief@example.com").state is IssueState.APPROVED
    everything = " ".join(each.html + each.text for each in room.seals.editions(rebuilt.id, rebuilt.revision).values())
    assert "A falsehood." not in everything or change == "other words"
    assert (TITLE in everything) == (change == "reject the note")


def test_a_source_takes_back_its_own_story_and_no_other(room: Newsroom, a_story: Callable[..., Story]) -> None:
    mine = a_story("first", TITLE)
    theirs = a_story("h", "Anything", source="other", url=mine.url)
    room.stories.ingest([mine, theirs], NOW - timedelta(minutes=30))
    related.keep_up(room)
    room.stories.ingest([replace(theirs, status=StoryStatus.WITHDRAWN)], NOW - timedelta(minutes=20))
    assert room.stories.statuses([mine.id]) == {mine.id: StoryStatus.READY}
    assert mine.id in told(issues.build(room, NEWSLETTER))


def test_what_an_editor_withdraws_takes_its_copies_along(room: Newsroom, a_story: Callable[..., Story]) -> None:
    mine, theirs = a_story("first", TITLE), a_story("h", TITLE, source="other")
    room.stories.ingest([mine, theirs], NOW - timedelta(minutes=30))
    related.keep_up(room)
    stories.set_status(room, theirs.id, StoryStatus.WITHDRAWN, "ed@example.com", "untrue")
    assert room.stories.statuses([mine.id]) == {mine.id: StoryStatus.WITHDRAWN}


def test_a_story_dated_ahead_is_told_when_its_date_is_there(room: Newsroom, a_story: Callable[..., Story]) -> None:
    ahead = replace(a_story("ahead", TITLE), published_at=NOW + timedelta(hours=8))
    issue = a_day(room, a_story, ahead)
    assert ahead.id not in told(issue)
    issues.approve(room, issue.id, "chief@example.com")
    row = room.stories.window(
        available_after=NOW,
        available_until=NOW + timedelta(days=1),
        published_after=NOW - timedelta(days=1),
        published_until=NOW + timedelta(days=1),
        not_carried_by=(NEWSLETTER,),
        issue_id=issue.id,
    )
    assert ahead.id in {story.id for story in row}


def test_what_a_slow_poll_brings_is_new_to_the_next_issue(room: Newsroom, a_story: Callable[..., Story]) -> None:
    issue = a_day(room, a_story)
    assert issue.window_end is not None
    # It was asked for before the draft was built, and stored while that was under way.
    room.stories.ingest([a_story("slow", TITLE)], issue.window_end - timedelta(seconds=5))
    issues.approve(room, issue.id, "chief@example.com")
    assert told(issues.build(room, NEWSLETTER, extra=True)) == {"wire:slow"}


def test_a_correction_beside_its_original_is_what_counts(light_room: Newsroom) -> None:
    inbox = light_room.desk / "inbox"
    inbox.mkdir(exist_ok=True)
    for name, percent in (("a.json", "10"), ("b.json", "15")):
        document = {
            "external_id": "7", "url": "https://example.com/7", "title": f"Prices rise {percent} percent",
            "published_at": NOW.isoformat(), "outlet": "Wire",
        }  # fmt: skip
        (inbox / name).write_text(json.dumps(document), encoding="utf-8")
    plan = SourcePlan(id="desk", kind="folder", path="inbox")
    source = open_source(plan, light_room.desk, None)
    gather_source(source, light_room.plan, light_room.source_states, light_room.stories, light_room.clock)
    assert light_room.stories.get("desk:7").title == "Prices rise 15 percent"


def test_taking_a_filing_back_gives_what_the_source_said(room: Newsroom, a_story: Callable[..., Story]) -> None:
    sent = a_story("x", "A quiet day", country="CN", country_origin=CountryOrigin.FEED, also_countries=("JP",))
    room.stories.ingest([sent], NOW)
    stories.file_under(room, sent.id, "JP", "ed@example.com")
    back = stories.unfile(room, sent.id, "ed@example.com")
    assert (back.country, back.country_origin, back.also_countries) == ("CN", CountryOrigin.FEED, ("JP",))


def test_a_note_that_waits_is_found_behind_any_number_of_stories(
    light_room: Newsroom, a_story: Callable[..., Story]
) -> None:
    old = a_story("old", "An old story", hours_ago=40, note=("Words.",))
    later = [a_story(f"l{number}", f"Story number {number}", hours_ago=1) for number in range(2_100)]
    light_room.stories.ingest([old, *later], NOW)
    assert [story.id for story in notes.held(light_room)] == [old.id]


def test_a_story_is_available_from_when_it_was_stored(light_room: Newsroom, a_story: Callable[..., Story]) -> None:
    """Not from when its source was asked: a slow answer, here of an hour, outlasts the building of a draft."""

    class Slow:
        id = "slow"

        def fetch(self, state: SourceState, now: datetime) -> Fetched:
            passed.append(now + timedelta(hours=1))
            return Fetched(state=state, stories=[a_story("late", TITLE)])

    class Told:
        def now(self) -> datetime:
            return passed[-1]

    passed = [NOW]
    gather_source(Slow(), light_room.plan, light_room.source_states, light_room.stories, Told())  # type: ignore[arg-type]
    assert light_room.stories.get("wire:late").gathered_at == NOW + timedelta(hours=1)


def test_related_reading_offers_nothing_of_tomorrow(room: Newsroom, a_story: Callable[..., Story]) -> None:
    one = a_story("one", "Chinese chipmaker CXMT plans Shanghai listing", country="CN")
    ahead = a_story("ahead", "CXMT Shanghai listing draws record chipmaker bids", country="CN", hours_ago=-200)
    before = a_story("before", "CXMT chipmaker prepares Shanghai listing papers", country="CN", hours_ago=200)
    room.stories.ingest([one, ahead, before], NOW - timedelta(minutes=30))
    related.keep_up(room)
    issue = issues.build(room, NEWSLETTER)
    assert issue.snapshot is not None
    (placed,) = [placed for placed in issue.snapshot.placed if placed.story.id == one.id]
    assert [row.id for row in placed.related] == [before.id]
