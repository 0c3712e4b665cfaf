"""A weekly digest: the best of what the desk's other newsletters told in the week, and nothing twice of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter.clock import Clock
from newsletter.model import Issue, IssueState, Story
from newsletter.newsroom import Newsroom
from newsletter.newsroom.intake import related
from newsletter.newsroom.issue import editing, issues
from newsletter.newsroom.issue.breaking import break_news

from .conftest import NOW

DAILY, WEEKLY, CHIEF = "asia-ai-daily", "asia-ai-weekly", "chief@example.com"
FRIDAY = date(2026, 5, 29)
EARLY = datetime(2026, 5, 28, 22, 30, tzinfo=UTC)  # 06:30 there: when the digest of Friday is built
DIGEST = """
  asia-ai-weekly:
    title: Asia AI Weekly
    at: "08:00"
    days: [fri]
    countries: [CN, JP, KR, IN, SG, ID, VN]
    stories: {best_of: [asia-ai-daily], at_most: 8d, max: 6, per_country: 3}
    segment: {frequency: weekly}
"""


def set_clock(room: Newsroom, moment: datetime) -> None:
    room.clock = Clock(moment, anchor=0, unix=lambda: 0)


def with_digest(room: Newsroom) -> None:
    with room.plan_file.open("a", encoding="utf-8") as file:
        file.write(DIGEST)
    set_clock(room, NOW)


@pytest.fixture
def desk(room: Newsroom) -> Newsroom:
    """A desk with a daily and a digest, on a Wednesday."""
    with_digest(room)
    return room


def told(issue: Issue) -> list[str]:
    assert issue.snapshot is not None
    return [placed.story.external_id for placed in issue.snapshot.placed]


def of_the_day(room: Newsroom, *stories: Story) -> Issue:
    """The daily of the day with those stories, approved."""
    room.stories.ingest(stories, room.clock.now())
    issue = issues.build(room, DAILY)
    return issues.approve(room, issue.id, CHIEF)


@pytest.fixture
def some(a_story: Callable[..., Story]) -> Callable[..., Story]:
    def make(name: str, *, days: float = 0, **fields: object) -> Story:
        title = f"{name.capitalize()} {name[::-1]} moves"
        return replace(a_story(name, title), published_at=NOW + timedelta(days=days, minutes=-30), **fields)  # type: ignore[arg-type]

    return make


def test_the_best_of_the_week_is_what_editors_chose_then_what_was_told(
    desk: Newsroom, some: Callable[..., Story]
) -> None:
    wednesday = [some("yunhe"), some("seoul", country="KR"), some("tokyo", country="JP")]
    of_the_day(desk, *wednesday)
    set_clock(desk, NOW + timedelta(days=1))
    desk.stories.ingest([some(name, days=1) for name in ("harbour", "ledger", "wafer")], desk.clock.now())
    thursday = issues.build(desk, DAILY)
    editing.lead(desk, thursday.id, "wire:ledger", who=CHIEF)
    editing.drop(desk, thursday.id, "wire:harbour", who=CHIEF)
    issues.approve(desk, thursday.id, CHIEF)
    set_clock(desk, EARLY)
    desk.stories.ingest([some("latest", days=1.9)], EARLY)

    digest = issues.build(desk, WEEKLY)
    # Of China three: led by an editor, told by the daily, then the freshest of what no issue told. Thursday's daily had
    # no room for "wafer".
    assert told(digest) == ["ledger", "yunhe", "latest", "tokyo", "seoul"]
    assert digest.state is IssueState.REVIEW
    assert [story.external_id for story in editing.tray(desk, digest).left_out] == ["wafer", "harbour"]
    assert issues.approve(desk, digest.id, CHIEF).state is IssueState.APPROVED
    # The daily goes on as if there were no digest.
    assert "latest" in told(issues.build(desk, DAILY, FRIDAY))


def test_the_next_digest_tells_nothing_of_the_last_one_again(desk: Newsroom, some: Callable[..., Story]) -> None:
    of_the_day(desk, some("yunhe"), some("seoul", country="KR"), some("tokyo", country="JP"))
    set_clock(desk, EARLY)
    first = issues.build(desk, WEEKLY)
    issues.approve(desk, first.id, CHIEF)
    assert sorted(told(first)) == ["seoul", "tokyo", "yunhe"]
    # It came in after the digest was built, the daily of Monday tells it, and that is in the week of the next digest.
    set_clock(desk, EARLY + timedelta(minutes=5))
    late = some("late", days=1.95)
    desk.stories.ingest([late, some("copy", days=1.95, title=some("yunhe").title)], desk.clock.now())
    set_clock(desk, EARLY + timedelta(days=3))
    monday = issues.build(desk, DAILY)
    assert told(monday) == ["late"]
    desk.issues.move(monday.id, (IssueState.WAITING,), IssueState.REVIEW, now=desk.clock.now(), who=CHIEF)
    issues.approve(desk, monday.id, CHIEF)
    set_clock(desk, EARLY + timedelta(days=7))
    assert told(issues.build(desk, WEEKLY)) == ["late"]


def test_what_a_newsletter_told_counts_also_where_it_came_in_before_the_last_digest(
    desk: Newsroom, some: Callable[..., Story]
) -> None:
    set_clock(desk, EARLY)
    early = [some(name, days=1.5, country=country) for name, country in (("a", "CN"), ("b", "JP"), ("c", "KR"))]
    desk.stories.ingest(early, EARLY - timedelta(hours=1))
    first = issues.build(desk, WEEKLY)
    for story in early[1:]:
        editing.drop(desk, first.id, story.id, who=CHIEF)
    issues.approve(desk, first.id, CHIEF)
    set_clock(desk, EARLY + timedelta(days=2))
    of_the_day(desk, *early)
    set_clock(desk, EARLY + timedelta(days=6))
    assert sorted(told(issues.build(desk, WEEKLY))) == ["b", "c"]


def test_a_story_that_more_sources_brought_goes_before_a_fresher_one(
    desk: Newsroom, some: Callable[..., Story]
) -> None:
    wide = some("wide")
    copies = [replace(wide, source=name, url=f"https://example.com/{name}") for name in ("other", "third")]
    desk.stories.ingest([some("fresh", days=0.01), wide, *copies], NOW)
    related.keep_up(desk)
    set_clock(desk, EARLY)
    assert told(issues.build(desk, WEEKLY))[0] == "wide"


def test_a_press_release_stands_behind_what_as_many_told(desk: Newsroom, some: Callable[..., Story]) -> None:
    from newsletter.model import Kind

    desk.stories.ingest([some("praise", days=0.01, kind=Kind.PRESS_RELEASE), some("report")], NOW)
    set_clock(desk, EARLY)
    assert told(issues.build(desk, WEEKLY)) == ["report", "praise"]


def test_breaking_news_of_a_newsletter_reaches_who_chose_to_hear_of_nothing_else(
    desk: Newsroom, some: Callable[..., Story]
) -> None:
    desk.stories.ingest([some("flash")], NOW)
    made = break_news(desk, "wire:flash", DAILY, who=CHIEF)
    assert made.snapshot is not None
    assert made.snapshot.segment == {"frequency": ["daily", "breaking"]}
