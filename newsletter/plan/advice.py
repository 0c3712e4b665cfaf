"""What is valid in a schedule.yaml and still looks like a mistake: one sentence each, with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from newsletter.plan.forms import Reading
from newsletter.plan.values import ApprovalMode, Newsletter, Plan

__all__ = ["advise"]


def advise(plan: Plan, values: Mapping[str, Any], reading: Reading) -> Iterator[str]:
    """The warnings of a valid plan; `values` are the file's own, before defaults were merged in."""
    for name, newsletter in plan.newsletters.items():
        for path, message in (
            *_idle_dates(newsletter, values),
            *_deadlines(newsletter),
            *_unfilled(newsletter, plan),
        ):
            yield _sentence(reading, f"newsletters.{name}.{path}", message)
    for name, source in plan.sources.items():
        if source.kind in ("push", "ghost") and source.key is None:
            message = (
                "without it nothing can be pushed" if source.kind == "push" else "Ghost answers nobody without one"
            )
            yield _sentence(reading, f"sources.{name}.key", message)
    if unserved := _unserved(plan):
        message = f"readers who chose {' or '.join(unserved)} get nothing: no segment has it as a frequency"
        yield _sentence(reading, "newsletters", message)
    for path, message in _idle_holidays(plan, values):
        yield _sentence(reading, path, message)


def _unserved(plan: Plan) -> list[str]:
    """The frequencies that no newsletter is for, as far as segments name them at their top. Any newsletter may have
    breaking news, which reaches those of its readers who chose that alone."""
    said = [each.segment.get("frequency") for each in plan.newsletters.values() if each.enabled]
    if not said or None in said:
        return []
    served = {often for each in said for often in (each if isinstance(each, list | tuple) else (each,))}
    return [often for often in ("daily", "weekly") if often not in served]


def _sentence(reading: Reading, path: str, message: str) -> str:
    return f"{reading.file}:{reading.mark(path).line}: {path}: {message}"


def _idle_dates(newsletter: Newsletter, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    own = values["newsletters"][newsletter.name]
    items = own["skip"] if "skip" in own else values.get("defaults", {}).get("skip", ())
    for place, item in enumerate(items):
        if isinstance(item, date) and item.isoweekday() not in newsletter.days:
            yield f"skip[{place}]", f"{_day(item)} is no day that {newsletter.name} appears on"


def _idle_holidays(plan: Plan, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Dates written into the file; an .ics file holds the weekends' holidays as a matter of course."""
    for name, table in values.get("calendars", {}).items():
        send_days = [found.days for found in plan.newsletters.values() if name in found.skip.values()]
        for place, day in enumerate(table.get("dates", ())):
            if send_days and not any(day.isoweekday() in days for days in send_days):
                yield f"calendars.{name}.dates[{place}]", f"{_day(day)} hits no day that a newsletter appears on"


def _deadlines(newsletter: Newsletter) -> Iterator[tuple[str, str]]:
    by, at = newsletter.approval.by, newsletter.at
    if by is None or newsletter.approval.mode is ApprovalMode.AUTO:
        return
    if by > at:
        yield "approval.by", f"{by:%H:%M} is after at ({at:%H:%M}), so it means the day before"
    elif _since_midnight(by) < _since_midnight(at) - newsletter.stories.lead:
        built = datetime.combine(date.min + timedelta(days=3), at) - newsletter.stories.lead
        yield "approval.by", f"{by:%H:%M} is before the draft is built ({built:%H:%M})"


def _unfilled(newsletter: Newsletter, plan: Plan) -> Iterator[tuple[str, str]]:
    filled = {source.country for source in plan.sources.values()}
    if not filled or None in filled:
        return
    for place, country in enumerate(newsletter.countries):
        if country not in filled:
            yield f"countries[{place}]", f"no source brings stories of {country}"


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute)


def _day(day: date) -> str:
    return f"{day} ({day:%A})"
