"""What an issue takes: rules pinned one by one, and properties over any set of stories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.sameness import keys_of, without_copies
from newsletter.compose.selection import compose
from newsletter.model import Kind, Precision, Snapshot, Story, StoryStatus
from newsletter.plan.values import Newsletter, StoriesRule

MakeStory = Callable[..., Story]
MakeNewsletter = Callable[..., Newsletter]

DAY = date(2026, 5, 27)
HOUR = timedelta(hours=1)


def ids(snapshot: Snapshot) -> list[str]:
    return [placed.story.external_id for placed in snapshot.placed]


# --- properties -------------------------------------------------------------------------------------------

marks = st.fixed_dictionaries(
    {
        "country": st.sampled_from(["CN", "JP", "asia", "US", None]),
        "also_countries": st.sampled_from([(), ("JP",), ("US", "CN")]),
        "hours": st.integers(-24, 300),
        "embargo": st.sampled_from([None, -1, 0, 1]),
        "status": st.sampled_from([StoryStatus.READY, StoryStatus.READY, *StoryStatus]),
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


def stories_from(rows: list[dict[str, object]], a_story: MakeStory, now: datetime) -> list[Story]:
    return [
        a_story(
            str(number),
            f"subject{row['subject']} matters",
            country=row["country"],
            also_countries=row["also_countries"],
            published_at=now - row["hours"] * HOUR,  # type: ignore[operator]
            embargo=None if row["embargo"] is None else now + row["embargo"] * HOUR,  # type: ignore[operator]
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
    rows, rule, sections, seed, a_story: MakeStory, a_newsletter: MakeNewsletter, now: datetime
) -> None:
    newsletter = a_newsletter(stories=rule, sections=sections, related=2)
    candidates = stories_from(rows, a_story, now)
    issue = compose(newsletter, DAY, candidates, candidates, now)
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
    offered = {related.id for placed in issue.placed for related in placed.related}
    assert offered.isdisjoint(story.id for story in told)

    seed.shuffle(candidates)
    assert compose(newsletter, DAY, candidates, candidates[::-1], now) == issue


@settings(max_examples=60, deadline=None)
@given(counts=st.tuples(*[st.integers(0, 5)] * 3), most=st.integers(1, 15))
def test_no_country_crowds_out_another(
    counts, most, a_story: MakeStory, a_newsletter: MakeNewsletter, now: datetime
) -> None:
    countries = ("CN", "JP", "asia")
    candidates = [
        a_story(f"{country}{n}", f"{country} subject{n}", country=country)
        for country, count in zip(countries, counts, strict=True)
        for n in range(count)
    ]
    newsletter = a_newsletter(stories=StoriesRule(max=most, per_country=5))
    issue = compose(newsletter, DAY, candidates, (), now)
    taken = {section.country: len(section.stories) for section in issue.sections}
    assert sum(taken.values()) == min(most, sum(counts))
    for country, had in zip(countries, counts, strict=True):
        if taken.get(country, 0) < had:  # who was cut short has at most one less than anybody
            assert max(taken.values()) <= taken.get(country, 0) + 1


# --- rules, one by one ------------------------------------------------------------------------------------


def test_within_a_country_newest_first_and_exact_dates_first_on_ties(a_story, a_newsletter, now) -> None:
    candidates = [
        a_story("old", published_at=now - HOUR),
        a_story("fetched", published_precision=Precision.FETCHED),
        a_story("day", published_precision=Precision.DAY),
        a_story("exact-b"),
        a_story("exact-a"),
    ]
    newsletter = a_newsletter(stories=StoriesRule(per_country=9))
    assert ids(compose(newsletter, DAY, candidates, (), now)) == ["exact-a", "exact-b", "day", "fetched", "old"]


def test_a_date_ahead_of_now_puts_nobody_first(a_story, a_newsletter, now) -> None:
    candidates = [a_story("b-ahead", published_at=now + 30 * HOUR), a_story("a-now")]
    assert ids(compose(a_newsletter(), DAY, candidates, (), now)) == ["a-now", "b-ahead"]


def test_a_story_stands_under_its_own_country_before_any_other(a_story, a_newsletter, now) -> None:
    candidates = [
        a_story("own", country="JP", also_countries=("CN",)),
        a_story("also", country="US", also_countries=("asia", "JP")),
        a_story("elsewhere", country="US"),
        a_story("waiting", country=None),
    ]
    issue = compose(a_newsletter(), DAY, candidates, (), now)
    assert issue.countries == ("JP",)
    assert ids(issue) == ["also", "own"]


def test_an_issue_made_up_for_later_takes_what_it_would_have_taken(a_story, a_newsletter, now) -> None:
    a_month_on = now + timedelta(days=30)
    candidates = [a_story("then"), a_story("since", published_at=a_month_on)]
    assert ids(compose(a_newsletter(), DAY, candidates, (), a_month_on)) == ["then"]


def test_a_press_release_opens_the_subject_only_where_there_is_nothing_else(a_story, a_newsletter, now) -> None:
    release = a_story("release", kind=Kind.PRESS_RELEASE)
    report = a_story("report", country="JP", published_at=now - HOUR)
    assert compose(a_newsletter(), DAY, [release, report], (), now).lead == "wire:report"
    assert compose(a_newsletter(), DAY, [release], (), now).lead == "wire:release"


def test_a_day_without_stories_is_an_empty_snapshot(a_newsletter, now) -> None:
    issue = compose(a_newsletter(), DAY, (), (), now)
    assert (issue.sections, issue.lead, issue.placed) == ((), "", ())


def test_the_snapshot_carries_the_newsletter(a_newsletter, now) -> None:
    issue = compose(a_newsletter(subject="The day in Asia", languages=("en", "ja")), DAY, (), (), now)
    assert (issue.newsletter, issue.date, issue.timezone) == ("asia-ai-daily", DAY, "Asia/Singapore")
    assert (issue.subject, issue.languages, issue.title) == ("The day in Asia", ("en", "ja"), "Asia AI Daily")
    template = a_newsletter(subject="{{ lead.title }} and more")
    assert compose(template, DAY, (), (), now).subject is None


def test_a_copy_left_out_of_the_issue_is_not_offered_beneath_it(a_story, a_newsletter, now) -> None:
    first = a_story("1", "Chip makers agree on memory prices", summary="Samsung and Micron met in Taipei on Monday.")
    copy = replace(first, external_id="2", source="other", url="https://other.example/2", summary="Memory prices.")
    neighbour = a_story("3", "Samsung memory prices rise as chip makers agree", country="JP")
    issue = compose(a_newsletter(), DAY, [first, neighbour], [first, copy, neighbour], now)
    assert [placed.related for placed in issue.placed] == [(), ()]


# --- the same story twice ---------------------------------------------------------------------------------


def test_of_copies_the_higher_priority_then_the_earliest_is_kept(a_story, now) -> None:
    late = a_story("late", "Same Title!", source="a")
    early = a_story("early", "same title", source="b", published_at=now - HOUR)
    assert without_copies([late, early], {}) == [early]
    assert without_copies([late, early], {"a": 1}) == [late]


def test_copies_are_known_by_canonical_url_and_by_near_identical_text(a_story) -> None:
    wire = "The Bank of Korea held its policy rate at 2.5 percent on Thursday and cut its growth forecast for the year"
    first = a_story("1", "Bank of Korea holds rate", summary=wire)
    by_text = a_story("2", "Bank of Korea holds the rate (update)", summary=wire + ".")
    by_url = a_story(
        "3", "Seoul stands still", url="https://example.com/1?utm=x", url_canonical="https://example.com/1"
    )
    other = a_story("4", "Bank of Korea governor speaks of household debt", summary="Rhee warned lenders in Busan.")
    assert [story.external_id for story in without_copies([first, by_text, by_url, other], {})] == ["1", "4"]


def test_titles_without_a_letter_are_not_the_same_title(a_story) -> None:
    assert len(without_copies([a_story("1", "🙂"), a_story("2", "🙃")], {})) == 2
