"""Which edition a reader gets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime

from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose import choose_edition
from newsletter.model import CountrySection, Edition, PlacedStory, Related, Sender, Snapshot, Story

COUNTRIES = ("CN", "JP", "KR", "IN", "SG", "asia")


def an_issue(
    a_story: Callable[..., Story],
    now: datetime,
    countries: Sequence[str],
    *,
    empty: Collection[str] = (),
    languages: tuple[str, ...] = ("en", "ja"),
) -> Snapshot:
    def section(country: str) -> CountrySection:
        row = Related("wire:x", "Elsewhere", "https://example.com/x", "Wire", "US", "", now, 0.5)
        placed = PlacedStory(a_story(country, country=country), (row,))
        return CountrySection(country, () if country in empty else (placed,))

    return Snapshot(
        newsletter="asia-ai-daily",
        date=date(2026, 5, 27),
        title="Asia AI Daily",
        template="daily",
        sender=Sender("Desk", "desk@example.com"),
        postal_address="1 Example Street",
        timezone="Asia/Singapore",
        languages=languages,
        sections=tuple(section(country) for country in countries),
        lead="",
    )


@given(
    told=st.lists(st.sampled_from(COUNTRIES), unique=True),
    empty=st.sets(st.sampled_from(COUNTRIES)),
    wanted=st.none() | st.lists(st.sampled_from((*COUNTRIES, "US"))),
)
def test_a_reader_gets_the_countries_asked_for_and_no_other(
    told: list[str], empty: Collection[str], wanted: list[str] | None, a_story: Callable[..., Story], now: datetime
) -> None:
    issue = an_issue(a_story, now, told, empty=empty)
    expected = [country for country in told if country not in empty and (wanted is None or country in wanted)]
    edition = choose_edition(issue, wanted, "en")
    if not expected:
        assert edition is None
        return
    assert edition == Edition(tuple(expected), "en")
    sections = issue.sections_of(edition)
    assert [section.country for section in sections] == expected
    assert all(section in issue.sections and section.stories for section in sections)


@given(wanted=st.permutations(COUNTRIES))
def test_readers_with_the_same_set_share_one_edition(
    wanted: list[str], a_story: Callable[..., Story], now: datetime
) -> None:
    issue = an_issue(a_story, now, COUNTRIES)
    assert choose_edition(issue, wanted, None) == choose_edition(issue, None, None)


def test_a_reader_of_no_country_gets_no_edition(a_story: Callable[..., Story], now: datetime) -> None:
    assert choose_edition(an_issue(a_story, now, COUNTRIES), (), "en") is None


def test_the_readers_language_where_the_issue_has_it_else_its_first(
    a_story: Callable[..., Story], now: datetime
) -> None:
    issue = an_issue(a_story, now, ["CN"], languages=("zh", "en"))
    chosen = [choose_edition(issue, None, spoken) for spoken in ("en", "fr", None)]
    assert [edition.language for edition in chosen if edition] == ["en", "zh", "zh"]
