"""Charts as values: a table, and which of its columns a script may draw. Pure functions of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.countries import country_name
from newsletter.model import DeliveryState
from newsletter.newsroom.dispatch.course import Course
from newsletter.newsroom.readership.clicks import IssueClicks
from newsletter.newsroom.readership.growth import Grown

__all__ = [
    "Chart",
    "Series",
    "clicks_chart",
    "countries_chart",
    "course_chart",
    "days_before",
    "growth_chart",
    "refusals_chart",
]

_DAY = 86_400
_UTC = ZoneInfo("UTC")
_LINES = ("ink", "accent", "good", "warn", "meta")
"""Colours of base.css, in the order in which lines take them; each line has dashes of its own as well."""


@dataclass(frozen=True, slots=True)
class Series:
    """One column; drawn in the colour of that name, or with none only written down."""

    label: str
    colour: str | None
    figures: Sequence[int]


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows at instants, `step` seconds apart where none is left out, and what each column says of them."""

    title: str
    first: str
    step: int
    zone: ZoneInfo
    rows: Sequence[datetime]
    series: Sequence[Series]

    @property
    def whole_days(self) -> bool:
        """Whether a row is a day."""
        return self.step == _DAY

    @property
    def flat(self) -> bool:
        """Whether every line would lie on the ground."""
        return not any(any(each.figures) for each in self.series if each.colour)


def days_before(today: date, number: int) -> list[date]:
    """So many days up to today, earliest first."""
    return [today - timedelta(days=back) for back in reversed(range(number))]


def course_chart(course: Course, zone: ZoneInfo) -> Chart | None:
    """A send, minute by minute; None where nothing was counted."""
    if not course.steps:
        return None
    each = "minute" if course.minutes == 1 else f"{course.minutes} minutes"
    steps = course.steps
    return Chart(
        f"What came of it, each {each}",
        "From",
        course.minutes * 60,
        zone,
        [step.at for step in steps],
        [
            Series("Handed over", "ink", [step.handed for step in steps]),
            Series("Deferred", "warn", [step.deferred for step in steps]),
            Series("Refused", "bad", [step.refused for step in steps]),
            Series("So far", None, [step.so_far for step in steps]),
        ],
    )


def clicks_chart(clicks: IssueClicks | None, zone: ZoneInfo) -> Chart | None:
    """When stories were followed; None where that is one span of time, or none."""
    if clicks is None or len(clicks.hours) < 2:
        return None
    figures = [number for _, number in clicks.hours]
    rows = [at for at, _ in clicks.hours]
    return Chart("Clicks, each hour with ten or more", "From", 3600, zone, rows, [Series("Clicks", "ink", figures)])


def growth_chart(grown: Sequence[Grown]) -> Chart:
    """Readers that came and went, day by day."""
    return _by_day(
        "Subscriptions confirmed and ended, each day",
        [each.day for each in grown],
        [
            Series("Confirmed", "good", [each.confirmed for each in grown]),
            Series("Unsubscribed", "bad", [each.ended for each in grown]),
            Series("Net", "ink", [each.net for each in grown]),
        ],
    )


def countries_chart(days: Sequence[date], brought: Mapping[str | None, Sequence[int]]) -> Chart:
    """Stories by country; those that had most are drawn, the others stand in the table."""
    ordered = sorted(brought.items(), key=lambda each: (-sum(each[1]), each[0] or ""))
    return _by_day(
        "Stories by country, each day",
        days,
        [
            Series(
                country_name(country) if country else "No country yet",
                _LINES[place] if place < len(_LINES) else None,
                figures,
            )
            for place, (country, figures) in enumerate(ordered)
        ],
    )


def refusals_chart(days: Sequence[date], refused: Mapping[tuple[date, DeliveryState], int]) -> Chart:
    """Messages that did not reach the mail server, by why."""
    lines = (
        ("Refused by the mail server", "bad", DeliveryState.REJECTED),
        ("Out of time", "warn", DeliveryState.EXPIRED),
        ("Could not be made", "ink", DeliveryState.FAILED),
    )
    return _by_day(
        "Messages that were given up, each day",
        days,
        [Series(label, colour, [refused.get((day, state), 0) for day in days]) for label, colour, state in lines],
    )


def _by_day(title: str, days: Sequence[date], series: Sequence[Series]) -> Chart:
    return Chart(title, "Day (UTC)", _DAY, _UTC, [datetime.combine(day, time(), UTC) for day in days], series)
