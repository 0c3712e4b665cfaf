"""How screens say things: states, times, durations, editions. Pure functions of values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from newsletter.countries import country_name
from newsletter.model import DeliveryState, Edition, Issue, IssueState
from newsletter.plan import ApprovalMode, Newsletter, OnTimeout

__all__ = [
    "DELIVERY_WORDS",
    "EXCLUSION_WORDS",
    "STATE_WORDS",
    "approval_words",
    "city",
    "day_words",
    "edition_words",
    "length_words",
    "moment_words",
    "readers_words",
    "sends_words",
    "when_words",
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
_UNSENT = (IssueState.PLANNED, IssueState.BUILDING, IssueState.REVIEW, IssueState.WAITING, IssueState.FAILED)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def city(zone: ZoneInfo) -> str:
    """What people call a time zone: the city of `Asia/Ho_Chi_Minh`."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def day_words(day: datetime, now: datetime) -> str:
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


def sends_words(issue: Issue, zone: ZoneInfo, now: datetime) -> str:
    """The sentence about an issue's time that matters now."""
    due = f"{moment_words(issue.due_at, zone, now)} {city(zone)}"
    match issue.state:
        case IssueState.SUBMITTED:
            done = issue.settled_at or issue.due_at
            return f"Handed to the mail server {moment_words(done, zone, now)} {city(zone)}."
        case IssueState.SENDING:
            began = issue.frozen_at or issue.due_at
            return f"Sending since {moment_words(began, zone, now)} {city(zone)}."
        case IssueState.SKIPPED | IssueState.MISSED | IssueState.CANCELLED | IssueState.STOPPED:
            return f"{STATE_WORDS[issue.state].capitalize()}; it was due {due}."
    if issue.due_at >= now:
        return f"Sends {due}, in {length_words(issue.due_at - now)}."
    late = length_words(now - issue.due_at)
    return f"Was due {due}, {late} ago." if issue.state in _UNSENT else f"Due {due}: sends now."


def when_words(newsletter: Newsletter) -> str:
    """`Monday to Friday at 07:00 Singapore, except sg-holidays`."""
    except_for = sorted({name for day, name in newsletter.skip.items() if name != day.isoformat()})
    dates = sum(name == day.isoformat() for day, name in newsletter.skip.items())
    if dates:
        except_for.append("one date" if dates == 1 else f"{dates} dates")
    unless = f", except {_listed(except_for)}" if except_for else ""
    return f"{_days_words(newsletter.days)} at {newsletter.at:%H:%M} {city(newsletter.timezone)}{unless}"


def approval_words(newsletter: Newsletter) -> str:
    """Who lets an issue out, and what happens when nobody does."""
    approval = newsletter.approval
    if approval.mode is ApprovalMode.AUTO:
        return "Approved when built, if no check blocks."
    by = f" by {approval.by:%H:%M}" if approval.by else ""
    otherwise = {
        OnTimeout.WAIT: "without that it waits",
        OnTimeout.SEND: "without that it is sent as it stands",
        OnTimeout.SKIP: "without that the day is skipped",
    }[approval.on_timeout]
    return f"An approver lets it out{by}; {otherwise}."


def edition_words(edition: Edition, all_countries: Sequence[str]) -> str:
    """What a version holds: `All 7 countries, English`; `Japan and Vietnam, English`."""
    names = [country_name(country) for country in edition.countries]
    if len(names) > 1 and edition.countries == tuple(all_countries):
        held = f"All {len(names)} countries"
    else:
        held = _listed(names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"])
    return f"{held}, {language_name(edition.language)}"


@cache
def language_name(tag: str) -> str:
    """The English name of a language tag, or the tag itself."""
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(tag, sep="-").get_display_name("en") or tag)
    except (UnknownLocaleError, ValueError):
        return tag


def readers_words(number: int) -> str:
    """`1 reader`, `1,204 readers`."""
    return f"{number:,} {'reader' if number == 1 else 'readers'}"


def _days_words(days: Collection[int]) -> str:
    chosen = sorted(days)
    if len(chosen) == len(_DAYS):
        return "Every day"
    if len(chosen) > 2 and chosen[-1] - chosen[0] == len(chosen) - 1:
        return f"{_DAYS[chosen[0] - 1]} to {_DAYS[chosen[-1] - 1]}"
    return _listed([_DAYS[day - 1] for day in chosen])


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""
