"""The day after: for the issues of a date, what became of them, by newsletter and country; for admins by provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from starlette.responses import Response

from newsletter.newsroom.dispatch import day_after as found
from newsletter.newsroom.dispatch.course import refused_by_day
from newsletter.newsroom.dispatch.day_after import After
from newsletter.storage import Role
from newsletter.web.asking import Ask
from newsletter.web.charts import days_before, refusals_chart
from newsletter.web.pages import desk_page
from newsletter.web.policy import allows

__all__ = ["day_after"]

DAYS = 30


@dataclass(frozen=True, slots=True)
class Place:
    """One country of an issue: how many got stories of it, how many of those left, errors reported in its stories."""

    country: str
    handed: int
    left: int
    reports: int


@dataclass(frozen=True, slots=True)
class Row:
    """One issue and its countries."""

    after: After
    title: str
    places: tuple[Place, ...]


def day_after(ask: Ask) -> Response:
    """The issues of the date that `?day=` names, or of the latest one before today."""
    today = ask.now.date()
    day = _asked(ask) or found.latest_day(ask.room, today) or today
    days = days_before(today, DAYS)
    admin = ask.account is not None and allows(ask.account.role, Role.ADMIN)
    return desk_page(
        ask,
        "day_after.html",
        day=day,
        earlier=day - timedelta(days=1) if day > date.min else None,
        later=day + timedelta(days=1) if day < today + timedelta(days=1) else None,
        rows=list(_rows(ask, day)),
        providers=found.at_providers(ask.room, day) if admin else None,
        said=ask.figures.refusals_said(day) if admin else (),
        refusals=refusals_chart(days, refused_by_day(ask.room, datetime.combine(days[0], time(), UTC))),
    )


def _asked(ask: Ask) -> date | None:
    try:
        return date.fromisoformat(ask.query.get("day", ""))
    except ValueError:
        return None


def _rows(ask: Ask, day: date) -> Iterator[Row]:
    for after in found.after(ask.room, day):
        handed = ask.figures.handed_by_country(after.issue)
        left, reports = after.left.by_country, after.reports.by_country
        places = (
            Place(country, handed.get(country, 0), left.get(country, 0), reports.get(country, 0))
            for country in {**handed, **left, **reports}
        )
        yield Row(after, ask.title(after.issue), tuple(places))
