"""What is judged a sweep, when it is counted, and which figures are told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import StorageError
from newsletter.newsroom.readership.clicks import FEWEST, IssueClicks, told
from newsletter.newsroom.readership.counting import ClickCounter
from newsletter.newsroom.readership.sweeps import LONGEST, MOST, QUIET, WITHIN, Followed, Sweeps, is_scanner
from newsletter.storage import Clicked, Link

HOUR = datetime(2026, 5, 26, 22, tzinfo=UTC)


def link(number: int, among: int = 12, mail: str = "CN.en") -> Link:
    return Link(f"{mail}{number}", ("1", 1, mail), "daily", f"https://outlet.example/{number}", among)


def judged(*steps: tuple[float, int], among: int = 12) -> list[Followed]:
    sweeps = Sweeps()
    found: list[Followed] = []
    for at, number in steps:
        found += sweeps.settled(at)
        found += sweeps.note("a", link(number, among), HOUR, at)
    return [*found, *sweeps.rest()]


def test_every_link_within_seconds_is_a_sweep_from_its_first_click_on() -> None:
    found = judged(*((number * 0.5, number) for number in range(12)))
    assert [each.swept for each in found] == [True] * 12


def test_a_first_click_seconds_before_is_counted_with_its_sweep() -> None:
    found = judged((0, 3), *((15 + number * 0.5, number) for number in range(10)), (30, 11))
    assert len(found) == 12
    assert all(each.swept for each in found)


def test_who_reads_for_minutes_is_no_sweep() -> None:
    found = judged(*((number * (WITHIN / 3), number) for number in range(12)))
    assert not any(each.swept for each in found)
    assert len(found) == 12


def test_the_same_link_again_and_again_is_no_sweep() -> None:
    assert not any(each.swept for each in judged(*((number * 0.1, 1) for number in range(50))))


@pytest.mark.parametrize(("among", "opened", "swept"), [(1, 1, False), (2, 2, False), (3, 3, True), (12, 9, False)])
def test_a_sweep_is_nearly_all_links_and_three_at_least(among: int, opened: int, swept: bool) -> None:
    found = judged(*((number * 0.1, number) for number in range(opened)), among=among)
    assert {each.swept for each in found} == {swept}


def test_networks_and_mails_are_judged_apart() -> None:
    sweeps = Sweeps()
    for number in range(12):
        list(sweeps.note(f"network{number % 2}", link(number), HOUR, number * 0.1))
        list(sweeps.note("other", link(number, mail=f"{number % 2}.en"), HOUR, number * 0.1))
    assert not any(each.swept for each in sweeps.rest())


@given(st.lists(st.tuples(st.floats(0, 60), st.integers(0, 3), st.integers(0, 5)), max_size=80))
def test_every_click_is_judged_once_and_no_network_remembered_for_long(gaps: list[tuple[float, int, int]]) -> None:
    sweeps, now, noted, found = Sweeps(), 0.0, Counter[str](), Counter[str]()
    born: dict[str, float] = {}
    for gap, network, number in gaps:
        now += gap
        found.update(each.key for each in sweeps.settled(now))
        found.update(each.key for each in sweeps.note(str(network), link(number, 6), HOUR, now))
        noted[link(number).key] += 1
        for (name, _), visit in sweeps._visits.items():
            born[name] = visit.steps[0][0]
            assert now - visit.steps[0][0] < LONGEST
            assert now - visit.steps[-1][0] < QUIET
    found.update(each.key for each in sweeps.rest())
    assert found == noted
    assert len(sweeps) == 0


def test_more_than_fits_in_memory_is_judged_early_and_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST == 100_000
    monkeypatch.setattr("newsletter.newsroom.readership.sweeps.MOST", 10)
    sweeps = Sweeps()
    early = [each for number in range(25) for each in sweeps.note(str(number), link(1), HOUR, float(number) / 10)]
    assert (len(early), len(sweeps)) == (15, 10)


class Store:
    """Figures in memory; `broken` while the database is away."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.broken = False

    def count(self, followed: dict[tuple[str, datetime], tuple[int, int]]) -> None:
        if self.broken:
            raise StorageError("away")
        for clicks, scanned in followed.values():
            self.sums.update(clicks=clicks, scanned=scanned)


def test_clicks_are_counted_once_also_when_the_database_was_away() -> None:
    store, now = Store(), [0.0]
    counter = ClickCounter(store, lambda: now[0])  # type: ignore[arg-type]
    counter.follow("a", link(1), HOUR + timedelta(minutes=7), scanner=False)
    counter.follow("a", link(2), HOUR, scanner=True)
    counter.settle()
    assert store.sums == {"clicks": 0, "scanned": 1}
    now[0], store.broken = QUIET, True
    counter.settle()
    store.broken = False
    counter.settle()
    counter.settle()
    assert store.sums == {"clicks": 1, "scanned": 1}
    counter.follow("b", link(3), HOUR, scanner=False)
    counter.close()
    assert store.sums == {"clicks": 2, "scanned": 1}


@pytest.mark.parametrize(
    ("agent", "scanner"),
    [
        ("", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("python-requests/2.32", True),
        ("Barracuda Sentinel (EE)", True),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/126.0", True),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", True),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1", False),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT NOTE 20) Chrome/126.0 Mobile Safari/537.36", False),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36 Edg/126.0", False),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36 Telegram-Android/10.9", False),
    ],
)
def test_programs_say_what_they_are(agent: str, scanner: bool) -> None:
    assert is_scanner(agent) == scanner


COUNTS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5), st.integers(0, 25)), max_size=30)


def figures_at(hour: int, *counts: tuple[str, int, int]) -> IssueClicks:
    found = [Clicked(story, "CN.en", HOUR + timedelta(hours=at), number, number // 2) for story, at, number in counts]
    return told(found, {story: f"Story {story}" for story in "abcde"}, HOUR + timedelta(hours=hour, minutes=59))


def test_the_running_hour_is_told_when_it_is_over() -> None:
    counts = (("a", 0, 12), ("a", 1, 20), ("a", 2, 11))
    spans = [[number for _, number in figures_at(at, *counts).hours] for at in range(4)]
    assert spans == [[], [12], [12, 20], [12, 20, 11]]
    few = figures_at(2, ("a", 0, 12), ("a", 1, 20), ("a", 2, 3))
    assert [number for _, number in few.hours] == [12], "20 and 12 would leave 3 of the story's 35"


@given(COUNTS, st.integers(0, 7))
def test_of_a_running_hour_nothing_under_ten_is_left_over(counts: list[tuple[str, int, int]], at: int) -> None:
    figures = figures_at(at, *counts)
    rest = sum(each.clicks or 0 for each in figures.stories) - sum(number for _, number in figures.hours)
    assert rest == 0 or rest >= FEWEST
    assert all(hour < HOUR + timedelta(hours=at) and number >= FEWEST for hour, number in figures.hours)


@given(COUNTS)
def test_no_figure_under_ten_is_told_nor_to_be_found_by_subtraction(counts: list[tuple[str, int, int]]) -> None:
    figures = figures_at(6, *counts)
    sums = Counter[str]()
    for story, _, number in counts:
        sums[story] += number
    assert {each.story for each in figures.stories} == set("abcde")
    for each in figures.stories:
        assert each.clicks == (sums[each.story] if sums[each.story] >= FEWEST else None)
    assert all(number >= FEWEST for _, number in figures.hours)
    assert sum(number for _, number in figures.hours) == sum(each.clicks or 0 for each in figures.stories)
    known = [each.clicks for each in figures.stories if each.clicks is not None]
    assert known == sorted(known, reverse=True)
    assert figures.scanned is None or figures.scanned >= FEWEST
