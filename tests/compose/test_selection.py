"""What an issue takes: rules pinned one by one, and properties over any set of stories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.sameness import keys_of, without_copies
from newsletter.compose.selection import compose
from newsletter.model import Kind, Precision, Snapshot, Story, StoryStatus
from newsletter.plan.values import Newsletter, StoriesRule

from .conftest import nothing, offers, relate

DAY = date(2026, 5, 27)
HOUR = timedelta(hours=1)


def ids(snapshot: Snapshot) -> list[str]:
    return [placed.story.external_id for placed in snapshot.placed]


# --- properties -------------------------------------------------------------------------------------------

marks = st.fixed_dictionaries(
    {
        "country": st.sampled_from(["CN", "CN", "CN", "JP", "asia", "US", None]),
        "also_countries": st.sampled_from([(), ("JP",), ("US", "CN")]),
        "hours": st.integers(0, 20) | st.integers(-24, 300),
        "embargo": st.sampled_from([None, None, None, -1, 0, 1]),
        "status": st.sampled_from([StoryStatus.READY] * 20 + list(StoryStatus)),
        "subject": st.integers(0, 30),
        "section": st.sampled_from(["AI News", "Chips"]),
        "precision": st.sampled_from(list(Precision)),
    }
)
rules = st.builds(
    StoriesRule,
    max=st.integers(1, 8),
    per_country=st.integers(1, 4),
    at_most=st.integers(1, 9).map(lambda days: timedelta(days=days)),
)


def stories_from(rows: list[dict[str, Any]], a_story: Callable[..., Story], now: datetime) -> list[Story]:
    return [
        a_story(
            str(number),
            f"subject{row['subject']} matters",
            country=row["country"],
            also_countries=row["also_countries"],
            published_at=now - row["hours"] * HOUR,
            embargo=None if row["embargo"] is None else now + row["embargo"] * HOUR,
            status=row["status"],
            section=row["section"],
            published_precision=row["precision"],
        )
        for number, row in enumerate(rows)
    ]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(marks, max_size=25),
    rule=rules,
    sections=st.sampled_from([(), ("ai news",)]),
    seed=st.randoms(use_true_random=False),
)
def test_any_issue_keeps_the_rules(
    rows: list[dict[str, Any]],
    rule: StoriesRule,
    sections: tuple[str, ...],
    seed: Random,
    a_story: Callable[..., Story],
    a_newsletter: Callable[..., Newsletter],
    now: datetime,
) -> None:
    newsletter = a_newsletter(stories=rule, sections=sections, related=2)
    candidates = stories_from(rows, a_story, now)
    issue = compose(newsletter, DAY, candidates, now, relate=partial(offers, corpus=candidates))
    told = [placed.story for placed in issue.placed]

    assert len(told) <= rule.max
    assert all(1 <= len(section.stories) <= rule.per_country for section in issue.sections)
    assert list(issue.countries) == [country for country in newsletter.countries if country in issue.countries]
    for section in issue.sections:
        assert all(section.country in (p.story.country, *p.story.also_countries) for p in section.stories)
    for story in told:
        assert story.status is StoryStatus.READY
        assert story.embargo is None or story.embargo <= now
        assert abs(story.published_at - (now + 1.5 * HOUR)) <= rule.at_most
        assert not sections or story.section == "AI News"
    assert max(Counter(key for story in told for key in keys_of(story)).values(), default=1) == 1
    assert issue.lead == (told[0].id if told else "")
    mentioned = {related.id for placed in issue.placed for related in placed.related}
    assert mentioned.isdisjoint(story.id for story in told)

    seed.shuffle(candidates)
    assert compose(newsletter, DAY, candidates, now, relate=partial(offers, corpus=candidates[::-1])) == issue


@settings(max_examples=60, deadline=None)
@given(counts=st.tuples(*[st.integers(0, 5)] * 3), most=st.integers(1, 15))
def test_no_country_crowds_out_another(
    counts: tuple[int, ...],
    most: int,
    a_story: Callable[..., Story],
    a_newsletter: Callable[..., Newsletter],
    now: datetime,
) -> None:
    countries = ("CN", "JP", "asia")
    candidates = [
        a_story(f"{country}{n}", f"{country} subject{n}", country=country)
        for country, count in zip(countries, counts, strict=True)
        for n in range(count)
    ]
    newsletter = a_newsletter(stories=StoriesRule(max=most, per_country=5))
    issue = compose(newsletter, DAY, candidates, now, relate=nothing)
    taken = {section.country: len(section.stories) for section in issue.sections}
    assert sum(taken.values()) == min(most, sum(counts))
    for country, had in zip(countries, counts, strict=True):
        if taken.get(country, 0) < had:  # who was cut short has at most one less than anybody
            assert max(taken.values()) <= taken.get(country, 0) + 1


# --- rules, one by one ------------------------------------------------------------------------------------


def test_within_a_country_newest_first_and_exact_dates_first_on_ties(
    a_story: Callable[..., Story], a_newsletter: Callable[..., Newsletter], now: datetime
) -> None:
    candidates = [
        a_story("old", published_at=now - HOUR),
        a_story("fetched", published_precision=Precision.FETCHED),
        a_story("day", published_precision=Precision.DAY),
        a_story("exact-b"),
        a_story("exact-a"),
    ]
    newsletter = a_newsletter(stories=StoriesRule(per_country=9))
    assert ids(compose(newsletter, DAY, candidates, now, relate=nothing)) == [
        "exact-a",
        "exact-b",
        "day",
        "fetched",
        "old",
    ]


def test_a_date_ahead_of_now_puts_nobody_first(
    a_story: Callable[..., Story], a_newsletter: Callable[..., Newsletter], now: datetime
) -> None:
    candidates = [a_story("b-ahead", published_at=now + 30 * HOUR), a_story("a-now")]
    assert ids(compose(a_newsletter(), DAY, candidates, now, relate=nothing)) == ["a-now", "b-ahead"]


def test_a_story_stands_under_its_own_country_before_any_other(
    a_story: Callable[..., Story], a_newsletter: Callable[..., Newsletter], now: datetime
) -> None:
    candidates = [
        a_story("home", country="JP", also_countries=("CN",)),
        a_story("abroad", country="US", also_countries=("asia", "JP")),
        a_story("elsewhere", country="US"),
        a_story("waiting", country=None),
    ]
    issue = compose(a_newsletter(), DAY, candidates, now, relate=nothing)
    assert issue.countries == ("JP",)
    assert ids(issue) == ["abroad", "home"]


def test_an_issue_made_up_for_later_takes_what_it_would_have_taken(
    a_story: Callable[..., Story], a_newsletter: Callable[..., Newsletter], now: datetime
) -> None:
    a_month_on = now + timedelta(days=30)
    candidates = [a_story("then"), a_story("since", published_at=a_month_on)]
    assert ids(compose(a_newsletter(), DAY, candidates, a_month_on, relate=nothing)) == ["then"]


def test_a_press_release_opens_the_subject_only_where_there_is_nothing_else(
    a_story: Callable[..., Story], a_newsletter: Callable[..., Newsletter], now: datetime
) -> None:
    release = a_story("release", kind=Kind.PRESS_RELEASE)
    report = a_story("report", country="JP", published_at=now - HOUR)
    assert compose(a_newsletter(), DAY, [release, report], now, relate=nothing).lead == "wire:report"
    assert compose(a_newsletter(), DAY, [release], now, relate=nothing).lead == "wire:release"


def test_a_day_without_stories_is_an_empty_snapshot(a_newsletter: Callable[..., Newsletter], now: datetime) -> None:
    issue = compose(a_newsletter(), DAY, (), now, relate=nothing)
    assert (issue.sections, issue.lead, issue.placed) == ((), "", ())


def test_the_snapshot_carries_the_newsletter(a_newsletter: Callable[..., Newsletter], now: datetime) -> None:
    issue = compose(a_newsletter(subject="The day in Asia", languages=("en", "ja")), DAY, (), now, relate=nothing)
    assert (issue.newsletter, issue.date, issue.timezone) == ("asia-ai-daily", DAY, "Asia/Singapore")
    assert (issue.subject_template, issue.languages, issue.title) == ("The day in Asia", ("en", "ja"), "Asia AI Daily")
    assert issue.subject is None


def test_per_country_holds_even_where_there_is_room(
    a_story: Callable[..., Story], a_newsletter: Callable[..., Newsletter], now: datetime
) -> None:
    candidates = [a_story(str(number), f"subject{number}") for number in range(5)]
    newsletter = a_newsletter(stories=StoriesRule(max=12, per_country=2))
    assert ids(compose(newsletter, DAY, candidates, now, relate=nothing)) == ["0", "1"]


def test_a_copy_left_out_of_the_issue_is_not_offered_beneath_it(
    a_story: Callable[..., Story], a_newsletter: Callable[..., Newsletter], now: datetime
) -> None:
    told = a_story("1", "Chip makers agree on memory prices")
    copy = replace(told, external_id="2", source="other", url="https://other.example/2", country="US")
    neighbour = a_story("3", "Samsung shares climb on memory deal of chip makers", country="JP")
    corpus = [told, copy, neighbour, *(a_story(f"o{n}", f"Quite{n} another{n} matter{n}") for n in range(5))]
    assert [row.id for row in relate([neighbour], [copy, *corpus[3:]], now=now)[neighbour.id]] == [copy.id]
    issue = compose(a_newsletter(), DAY, [told, neighbour], now, relate=partial(offers, corpus=corpus))
    assert [placed.related for placed in issue.placed] == [(), ()]


# --- the same story twice ---------------------------------------------------------------------------------


def test_of_copies_the_higher_priority_then_the_earliest_is_kept(a_story: Callable[..., Story], now: datetime) -> None:
    late = a_story("late", "Same Title!", source="a")
    early = a_story("early", "same title", source="b", published_at=now - HOUR)
    assert without_copies([late, early], {}) == [early]
    assert without_copies([late, early], {"a": 1}) == [late]


def test_copies_are_known_by_canonical_url_and_by_near_identical_text(a_story: Callable[..., Story]) -> None:
    wire = "The Bank of Korea held its policy rate at 2.5 percent on Thursday and cut its growth forecast for the year"
    first = a_story("1", "Bank of Korea holds rate", summary=wire)
    by_text = a_story("2", "Bank of Korea holds the rate (update)", summary=wire + ".")
    by_url = a_story(
        "3", "Seoul stands still", url="https://example.com/1?utm=x", url_canonical="https://example.com/1"
    )
    other = a_story("4", "Bank of Korea governor speaks of household debt", summary="Rhee warned lenders in Busan.")
    assert [story.external_id for story in without_copies([first, by_text, by_url, other], {})] == ["1", "4"]


def test_titles_without_a_letter_are_not_the_same_title(a_story: Callable[..., Story]) -> None:
    assert len(without_copies([a_story("1", "🙂"), a_story("2", "🙃")], {})) == 2
