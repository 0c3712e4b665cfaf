"""The letter that welcomes a reader: what will come and when by the schedule, what came last, and how to leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.countries import country_name
from newsletter.model import IssueState
from newsletter.newsroom.readership import readers
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter, wave_at
from newsletter.render import ReaderLetter, listed, moment_in_words, written
from subscribers.audience import fits
from subscribers.model import Subscriber

__all__ = ["latest_address", "next_issue", "welcome"]

_LOOK_BACK = 30


def welcome(
    room: Newsroom, reader: Subscriber, newsletters: Sequence[Newsletter], language: str
) -> tuple[ReaderLetter, str]:
    """The letter about these newsletters, the first of which sends it, and where one click ends them."""
    # Of several, those that are for another frequency than they chose are named apart; all of them end by the link.
    told = [each for each in newsletters if _is_for(reader, each)] or newsletters
    silent = [each.title for each in newsletters if each not in told]
    unsubscribe = readers.unsubscribe_address(room, reader, newsletters)
    latest = filter(None, (latest_address(room, each) for each in told))
    letter = room.templates.letter(
        {
            "kind": "welcome",
            "title": newsletters[0].title,
            "titles": listed([each.title for each in newsletters], language),
            "email": written(reader.email),
            "frequency": str(reader.preferences.frequency),
            "silent": listed(silent, language),
            "newsletters": [_told(room, reader, each, language) for each in told],
            "latest": next(latest, ""),
            "address": readers.preferences_address(room, reader, newsletters[0]),
            "unsubscribe": unsubscribe,
            "postal_address": newsletters[0].postal_address,
        },
        language,
    )
    return letter, unsubscribe


def next_issue(room: Newsroom, reader: Subscriber, newsletter: Newsletter) -> tuple[datetime, ZoneInfo] | None:
    """When the reader's next issue leaves by the schedule, and the zone of their clocks, else of the newsletter's; None
    where none is planned, or it is not for them."""
    chosen = reader.preferences
    if not _is_for(reader, newsletter):
        return None
    slots = room.timetable.upcoming(room.clock.now(), _LOOK_BACK, [newsletter])
    slot = next((slot for slot in slots if slot.due), None)
    if slot is None:
        return None
    zone = ZoneInfo(chosen.timezone) if chosen.timezone else newsletter.timezone
    at = wave_at(newsletter, slot.date, slot.instant, zone) if newsletter.local_time else slot.instant
    return at, zone


def _is_for(reader: Subscriber, newsletter: Newsletter) -> bool:
    chosen = reader.preferences
    return fits(newsletter.segment, chosen.frequency, chosen.countries, chosen.language)


def latest_address(room: Newsroom, newsletter: Newsletter) -> str:
    """Where anybody may read the last regular issue that went out; nothing where there is none or it is private."""
    if newsletter.archive != "public":
        return ""
    sent = (each for each in room.issues.list(newsletter.name, _LOOK_BACK) if each.state is IssueState.SUBMITTED)
    last = next((each for each in sent if each.window_end is not None), None)
    return f"{room.settings.base_url}/archive/{newsletter.name}/{last.id.day}" if last else ""


def _told(room: Newsroom, reader: Subscriber, newsletter: Newsletter, language: str) -> Mapping[str, object]:
    chosen = reader.preferences
    wanted = [each for each in newsletter.countries if chosen.countries is None or each in chosen.countries]
    due = next_issue(room, reader, newsletter)
    often = str(chosen.frequency)
    return {
        "title": newsletter.title,
        "countries": listed([country_name(each, language) for each in wanted], language),
        "often": "" if often not in readers.served([newsletter]) else often if newsletter.days else "news",
        "next": moment_in_words(*due, language) if due else "",
    }
