"""Days out of iCalendar files."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import PlanError
from newsletter.plan.holidays import calendar_text, parse_holidays

CALENDAR = """\
BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260217\r
DTEND;VALUE=DATE:20260219\r
SUMMARY:Chinese New Year\\, a summary that is long and\r
  folded: here\r
BEGIN:VALARM\r
TRIGGER:-PT30M\r
DURATION:PT15M\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;TZID=Asia/Singapore:20260810T000000\r
SUMMARY:National Day (observed)\r
END:VEVENT\r
END:VCALENDAR\r
"""


def event(*lines: str) -> str:
    return "\n".join(("BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"))


def test_whole_days_spans_and_folded_lines() -> None:
    days = parse_holidays(CALENDAR, "days.ics")
    assert days == {date(2026, 2, 17), date(2026, 2, 18), date(2026, 8, 10)}


def test_yearly_events() -> None:
    days = parse_holidays(event("DTSTART:20241225", "RRULE:FREQ=YEARLY;UNTIL=20261231"), "days.ics")
    assert days == {date(2024, 12, 25), date(2025, 12, 25), date(2026, 12, 25)}
    assert len(parse_holidays(event("DTSTART:20241225", "RRULE:FREQ=YEARLY"), "days.ics")) == 77
    leap = parse_holidays(event("DTSTART:20240229", "RRULE:FREQ=YEARLY;COUNT=2"), "days.ics")
    assert leap == {date(2024, 2, 29), date(2028, 2, 29)}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (event("SUMMARY:x"), "d.ics:2:1: this event has no DTSTART"),
        (event("DTSTART:20261332"), "d.ics:3:1: '20261332' is no date from 1900 to 2100; one looks like 20261225"),
        (event("DTSTART:20260101", "RRULE:FREQ=WEEKLY"), "d.ics:4:1: of repeated events only RRULE:FREQ=YEARLY"),
        (event("DTSTART:20260101", "RRULE:FREQ=YEARLY;BYDAY=4TH"), "d.ics:4:1: of repeated events only"),
        (event("DTSTART:20260101", "RRULE:FREQ=YEARLY;COUNT=x"), "d.ics:4:1: COUNT=X is no number of times"),
        (event("DTSTART:20260101", "EXDATE:20270101"), "d.ics:4:1: EXDATE is not read here"),
        (event("DTSTART:20260101", "DTEND:20290101"), "d.ics:4:1: an event of 1096 days is no holiday"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "d.ics:1:1: there is no event with a date in this calendar"),
    ],
)
def test_faults_name_the_line(text: str, fault: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_holidays(text, "d.ics")
    assert str(caught.value).startswith(fault)


def test_a_calendar_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "days.ics"
    path.write_bytes(b"X" * 1_100_000)
    with pytest.raises(PlanError, match="larger than"):
        calendar_text(path, "days.ics")


@given(st.dates(date(1900, 1, 1), date(2099, 1, 1)), st.integers(0, 300))
def test_a_span_holds_each_of_its_days_once(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    days = parse_holidays(event(f"DTSTART:{start:%Y%m%d}", f"DTEND:{end:%Y%m%d}"), "days.ics")
    assert days == {start + timedelta(days=offset) for offset in range(max(length, 1))}


LINES = st.sampled_from(
    ["BEGIN:VEVENT", "END:VEVENT", "DTSTART:20260101", "DTEND:20251231", "RRULE:FREQ=YEARLY;UNTIL=", ";", " x", ":"]
)


@given(st.lists(LINES | st.text(max_size=20), max_size=12).map("\n".join))
def test_any_text_is_days_or_a_plan_error(text: str) -> None:
    try:
        days = parse_holidays(text, "days.ics")
    except PlanError:
        return
    assert days
