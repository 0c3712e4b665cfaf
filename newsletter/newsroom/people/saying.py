"""How the desk speaks to its own people, on screens and in mails: states, times, figures. Pure functions of values."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.model import DeliveryState, IssueState

__all__ = [
    "DELIVERY_WORDS",
    "EXCLUSION_WORDS",
    "STATE_WORDS",
    "city",
    "day_words",
    "length_words",
    "moment_words",
    "readers_words",
]

STATE_WORDS = {
    IssueState.PLANNED: "planned",
    IssueState.BUILDING: "being built",
    IssueState.REVIEW: "in review",
    IssueState.WAITING: "waiting",
    IssueState.APPROVED: "approved",
    IssueState.SENDING: "sending",
    IssueState.STOPPED: "stopped",
    IssueState.SUBMITTED: "handed to the mail server",
    IssueState.SKIPPED: "skipped",
    IssueState.MISSED: "missed",
    IssueState.CANCELLED: "cancelled",
    IssueState.FAILED: "failed",
}
DELIVERY_WORDS = {
    DeliveryState.SUBMITTED: "handed to the mail server",
    DeliveryState.QUEUED: "queued",
    DeliveryState.SENDING: "in flight",
    DeliveryState.DEFERRED: "to be tried again",
    DeliveryState.REJECTED: "refused by the mail server",
    DeliveryState.EXPIRED: "out of time",
    DeliveryState.FAILED: "could not be made",
    DeliveryState.CANCELLED: "cancelled",
    DeliveryState.UNKNOWN: "on hold",
}
EXCLUSION_WORDS = {
    "suppressed": "suppressed",
    "unsubscribed": "unsubscribed",
    "paused": "paused",
    "frequency": "chose another frequency",
    "no_stories": "no story for their countries",
}


def city(zone: ZoneInfo) -> str:
    """What people call a time zone: the city of `Asia/Ho_Chi_Minh`."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def day_words(day: date, now: datetime) -> str:
    """A date as short as it is clear: `Wed 27 May`, with the year where it is not this one's."""
    return f"{day:%a} {day.day} {day:%b}" + ("" if day.year == now.year else f" {day.year}")


def moment_words(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """`07:00` for today in that zone, `Wed 27 May, 07:00` for any other day."""
    local, today = instant.astimezone(zone), now.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{day_words(local, today)}, {local:%H:%M}"


def length_words(length: timedelta) -> str:
    """How long, in its two largest units: `3 days 4 h`, `1 h 42 min`, `12 min`; under a minute `a moment`."""
    minutes = int(abs(length).total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min")]
    first = next((place for place, (number, _) in enumerate(parts) if number), None)
    if first is None:
        return "a moment"
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)


def readers_words(number: int) -> str:
    """`1 reader`, `1,204 readers`."""
    return f"{number:,} {'reader' if number == 1 else 'readers'}"
