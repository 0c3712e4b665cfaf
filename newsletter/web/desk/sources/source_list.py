"""The sources of the desk: how each is doing, and what it has brought on the last days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from newsletter.newsroom.intake import sources
from newsletter.newsroom.intake.sources import Standing
from newsletter.web.asking import Ask
from newsletter.web.charts import countries_chart, days_before
from newsletter.web.pages import desk_page, may

__all__ = ["source_list"]

DAYS = 14
BAR, GAP, TALL = 6, 2, 28


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the chart: where its bar stands, how tall it is, in pixels, and how many stories that is."""

    day: date
    stories: int
    x: int
    height: float


@dataclass(frozen=True, slots=True)
class Row:
    """A source and its chart."""

    standing: Standing
    bars: Sequence[Bar]

    @property
    def lately(self) -> int:
        """Stories of the days that are shown."""
        return sum(bar.stories for bar in self.bars)

    @property
    def may_switch(self) -> bool:
        """Whether there is a poll that could be left out."""
        return self.standing.polled


def source_list(ask: Ask) -> Response:
    """Every source of the schedule in force, in its order."""
    days = days_before(ask.now.date(), DAYS)
    brought = sources.brought(ask.room, days)
    most = max((number for each in brought.by_source.values() for number in each), default=0)
    rows = [
        Row(each, _bars(days, brought.by_source.get(each.source.id, (0,) * DAYS), most))
        for each in sources.standings(ask.room)
    ]
    return desk_page(
        ask,
        "source_list.html",
        rows=rows,
        days=days,
        countries=countries_chart(days, brought.by_country) if brought.by_country else None,
        wide=DAYS * (BAR + GAP) - GAP,
        bar=BAR,
        tall=TALL,
        unfiled=ask.room.stories.count_by_country().get(None, 0),
        may_switch=may(ask, "source_switch"),
        may_edit=may(ask, "schedule_file"),
    )


def _bars(days: Sequence[date], stories: Sequence[int], most: int) -> list[Bar]:
    """All charts have one scale, so that they can be compared; a day with any story shows at least a line."""
    return [
        Bar(day, number, place * (BAR + GAP), max(round(number / most * TALL, 1), 2) if number else 0)
        for place, (day, number) in enumerate(zip(days, stories, strict=True))
    ]
