"""How screens say things: states, times, durations, editions. Pure functions of values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from newsletter.countries import country_name
from newsletter.model import DRAFTED, MAKING, Edition, Issue, IssueState
from newsletter.newsroom.people.saying import (
    DELIVERY_WORDS,
    EXCLUSION_WORDS,
    STATE_WORDS,
    city,
    day_words,
    length_words,
    moment_words,
    readers_words,
)
from newsletter.plan import ApprovalMode, Newsletter, OnTimeout
from newsletter.render import day_in_words
from newsletter.storage import EventKind

__all__ = [
    "BROUGHT_WORDS",
    "DELIVERY_WORDS",
    "EVENT_WORDS",
    "EXCLUSION_WORDS",
    "NOT_MAILED_WORDS",
    "STATE_WORDS",
    "approval_words",
    "browser_words",
    "city",
    "date_words",
    "day_words",
    "edition_words",
    "endonym",
    "length_words",
    "moment_words",
    "readers_words",
    "sends_words",
    "when_words",
]

EVENT_WORDS = {
    EventKind.SUBSCRIBED: "somebody subscribes",
    EventKind.UNSUBSCRIBED: "somebody unsubscribes",
    EventKind.BOUNCED: "mail comes back",
    EventKind.COMPLAINED: "somebody complains",
    EventKind.IMPORTED: "a file of subscribers is imported",
    EventKind.ISSUE_SUBMITTED: "an issue is handed to the mail server",
}
"""What a webhook may be told of."""

BROUGHT_WORDS = {
    "looking": "being looked at",
    "looked": "looked at, not imported",
    "importing": "being imported",
    "imported": "imported",
    "failed": "failed",
}
"""How far a file of subscribers is, as people say it."""

NOT_MAILED_WORDS = {
    "suppressed": "the address is suppressed",
    "unsubscribed": "they unsubscribed from this newsletter",
    "paused": "they paused their mail",
    "frequency": "this newsletter is not for them, by its segment in schedule.yaml",
    "no_stories": "no story here is from the countries they chose",
    "unconfirmed": "they have no confirmed subscription to this newsletter",
    "no_fault": "they did not get what this mail corrects",
    "came_later": "they were not among its readers when the send began",
}
"""Why one reader gets nothing of an issue."""

_UNAPPROVED = MAKING | DRAFTED | {IssueState.FAILED}
# The first that is found counts: a browser names those before it that it wants to be taken for.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    *(("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad")),
    *(("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


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
    return f"Was due {due}, {late} ago." if issue.state in _UNAPPROVED else f"Due {due}: sends now."


def when_words(newsletter: Newsletter) -> str:
    """`Monday to Friday at 07:00 Singapore, except sg-holidays`."""
    if not newsletter.days:
        return "When an editor makes an issue"
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


def browser_words(agent: str) -> str:
    """What a `User-Agent` calls itself, as people do: `Firefox, Windows`; `a program` for all others."""
    browser = next((words for sign, words in _BROWSERS if sign in agent), "")
    system = next((words for sign, words in _SYSTEMS if sign in agent), "")
    return ", ".join(filter(None, (browser, system))) or "a program"


@cache
def date_words(day: date | str, language: str) -> str:
    """`7 December 2026`, in the order of the language; a text is an ISO date."""
    return day_in_words(date.fromisoformat(day) if isinstance(day, str) else day, language)


def language_name(tag: str) -> str:
    """The English name of a language tag, or the tag itself."""
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(tag, sep="-").get_display_name("en") or tag)
    except (UnknownLocaleError, ValueError):
        return tag


def endonym(tag: str) -> str:
    """What a language calls itself, or the tag."""
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(tag, sep="-").get_display_name() or tag)
    except (UnknownLocaleError, ValueError):
        return tag


def _days_words(days: Collection[int]) -> str:
    chosen = sorted(days)
    if len(chosen) == len(_DAYS):
        return "Every day"
    if len(chosen) > 2 and chosen[-1] - chosen[0] == len(chosen) - 1:
        return f"{_DAYS[chosen[0] - 1]} to {_DAYS[chosen[-1] - 1]}"
    return _listed([_DAYS[day - 1] for day in chosen])


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""
