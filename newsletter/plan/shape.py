"""The shape of schedule.yaml: every key, the form of its value and what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from newsletter.plan import words
from newsletter.plan.forms import Anything, Key, ListOf, MapOf, Named, Table, Word
from newsletter.plan.values import ApprovalMode, OnFew, OnTimeout

__all__ = ["FETCHED_KINDS", "FILE", "NEWSLETTER", "REQUIRED", "SOURCE", "SOURCE_NEEDS", "key_table"]


FETCHED_KINDS: Final = ("feed", "jsonfeed", "wordpress", "ghost", "ninjs")
"""The kinds of source that poll a `url`."""

SOURCE_NEEDS: Final = {
    "folder": ("path",),
    # What others report carries no word of whose it is.
    "feed": ("url", "outlet"),
    "jsonfeed": ("url", "outlet"),
    "wordpress": ("url",),
    "ghost": ("url",),
    "ninjs": ("url",),
    "push": (),
}
"""What a source of each kind has to say of itself."""

REQUIRED: Final = {
    "title": "title: Asia AI Daily",
    "at": 'at: "07:00"',
    "timezone": "timezone: Asia/Singapore",
    "days": "days: [mon, tue, wed, thu, fri]",
    "countries": "countries: [CN, JP]",
    "sender": "sender: {name: Asia AI Daily, address: daily@example.com}",
    "sender.name": "name: Asia AI Daily",
    "sender.address": "address: daily@example.com",
    "postal_address": "postal_address: 1 Example Street, Singapore",
}
"""What every newsletter needs, of its own or from `defaults`, with an example of each."""


def _number(least: int, most: int) -> Word:
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Word(f"a whole number from {least} to {most}", words.number(least, most), bare=True, schema=schema)


def _duration(least: timedelta = timedelta(0), most: timedelta = timedelta(days=366)) -> Word:
    return Word("a length of time such as 15m", words.duration(least, most), schema=_like("[0-9]{1,8}[smhd]"))


def _choice(options: Sequence[str] | type[StrEnum]) -> Word:
    return Word(" or ".join(options), words.choice(options), schema={"enum": [str(option) for option in options]})


def _like(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _marked_name(text: str) -> str:
    if not re.fullmatch(_MARKED, text):
        raise ValueError(f"{words.shown(text)} is no name; names are made of a-z, 0-9, - and _")
    return text


_NAME: Final = "[a-z0-9][a-z0-9-]*"
_MARKED: Final = "[a-z0-9][a-z0-9_-]*"
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_CLOCK: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"

_TEXT = Word("one line of text", words.line_of_text)
_FLAG = Word("true or false", words.flag, bare=True, schema={"type": "boolean"})
_TIME = Word("a time of day such as 07:00", words.clock_time, schema=_like(_CLOCK))
_DATE = Word("a date such as 2026-12-25", words.calendar_date, schema=_like("[0-9]{4}-[0-9]{2}-[0-9]{2}"))
_ADDRESS = Word("a mail address", words.address, schema=_like("[^@ ]+@[^@ ]+"))
_URL = Word("a web address", words.web_address, schema=_like("https?://.+"))
_SECRET = Word("env:NAME or file:PATH", words.secret, schema=_like("(?:env:[A-Za-z_][A-Za-z0-9_]*|file:.+)"))
_HOURS = Word("hours such as 22:00-06:00", words.clock_hours, schema=_like(f"{_CLOCK} ?- ?{_CLOCK}"))
_WEEKDAY = Word("a day such as mon", words.day, schema={"enum": list(words.DAYS)})
_LANGUAGE = Word("a language such as en", words.language, schema=_like("[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}"))
_COUNTRY = Named("region", otherwise=words.country)

_SENDER = Table(
    {
        "name": Key(_TEXT, "whom the mail comes from"),
        "address": Key(_ADDRESS, "the address it comes from"),
        "reply_to": Key(_ADDRESS, "where answers go", may_be_null=True),
    }
)

_SPONSOR = Table(
    {
        "name": Key(_TEXT, "who is named: Presented by NAME"),
        "text": Key(_TEXT, "one line of the sponsor's own"),
        "url": Key(_URL, "where it leads", may_be_null=True),
    }
)

_APPROVAL = Table(
    {
        "mode": Key(_choice(ApprovalMode), "manual: an editor approves; auto: approved when built, if no check blocks"),
        "by": Key(_TIME, "the approval deadline; a time after `at` means the day before", may_be_null=True),
        "on_timeout": Key(_choice(OnTimeout), "what becomes of an issue nobody approved in time"),
        "approvals": Key(_number(1, 2), "how many different people have to approve"),
        "other_than_editor": Key(_FLAG, "whether whoever changed the draft last may not approve it"),
    }
)

_STORIES = Table(
    {
        "since": Key(_choice(["last_issue"]), "the window opens where the last sealed issue's ended"),
        "at_most": Key(
            _duration(timedelta(hours=1), timedelta(days=36_525)), "stories published longer ago are left out"
        ),
        "min": Key(_number(0, 200), "with fewer stories `on_few` decides"),
        "on_few": Key(_choice(OnFew), "wait for an editor, send short, or skip"),
        "max": Key(_number(1, 200), "the most stories of an issue"),
        "per_country": Key(_number(1, 200), "the most stories of one country"),
        "lead": Key(_duration(most=2 * _DAY), "how long before `at` the draft is built"),
        "best_of": Key(
            ListOf(Named("newsletter")), "for a digest: newsletters whose stories it tells again, best first"
        ),
    }
)

_DELIVERY = Table(
    {
        "local_time": Key(_FLAG, "readers west of the newsletter's zone get it at `at` of their own clocks, in waves"),
        "spread": Key(_duration(most=_DAY), "over how long the messages of an issue are spread"),
    }
)

NEWSLETTER: Final = Table(
    {
        "title": Key(_TEXT, "what stands at the head of the mail"),
        "at": Key(_TIME, "when the issue is sent, wall clock"),
        "timezone": Key(Word("a time zone such as Asia/Singapore", words.time_zone), "the zone of every time here"),
        "days": Key(ListOf(_WEEKDAY), "the days it appears on; [] for never by itself"),
        "skip": Key(ListOf(Named("calendar", otherwise=words.calendar_date)), "calendars and dates without an issue"),
        "countries": Key(ListOf(_COUNTRY, least=1), "the sections of the issue, in this order"),
        "sender": Key(_SENDER, "whom the mail comes from"),
        "postal_address": Key(_TEXT, "the publisher's postal address, in every mail"),
        "sponsor": Key(_SPONSOR, 'who pays for it: a line under "Presented by"', may_be_null=True),
        "template": Key(Named("template"), "the folder of templates/ it is made from"),
        "approval": Key(_APPROVAL, "who lets an issue out, and by when"),
        "lock": Key(_TIME, "from here on nothing changes by itself; after `at` means the day before", True),
        "catch_up": Key(
            Table({"within": Key(_duration(most=7 * _DAY), "later than this, a missed issue is recorded as missed")}),
            "what happens to an issue that was due while nothing ran",
        ),
        "deliver_by": Key(_TIME, "deliveries still deferred then expire; before `at` means the day after", True),
        "stories": Key(_STORIES, "which stories an issue takes"),
        "sections": Key(ListOf(_TEXT), "the subjects it carries; none named: all"),
        "not_again_from": Key(ListOf(Named("newsletter")), "a story one of these carried is not carried again"),
        "related": Key(_number(0, 10), "how many stories are offered under each"),
        "segment": Key(Anything(), "who gets it, beside having subscribed"),
        "delivery": Key(_DELIVERY, "when the messages of one issue leave"),
        "languages": Key(ListOf(_LANGUAGE, least=1), "of everything but the stories, which keep their own"),
        "subject": Key(_TEXT, "a template for the subject line", may_be_null=True),
        "editors": Key(ListOf(_ADDRESS), "who gets draft and alert mails"),
        "approvers": Key(ListOf(_ADDRESS), "who may approve by link"),
        "quiet_hours": Key(_HOURS, "no breaking news then", True),
        "breaking_per_day": Key(_number(0, 50), "the most breaking issues of one day"),
        "priority": Key(_number(1, 9), "which of two issues goes first; 5, and breaking has 9"),
        "archive": Key(_choice(["public", "private"]), "whether past issues stand on the web for anyone"),
        "welcome": Key(_FLAG, "whether who confirms gets a letter that says what will come, and when; true"),
        "clicks": Key(_FLAG, "true: how often each story of a mail is followed is counted, never by whom"),
        "dead_man_url": Key(_URL, "called after each submitted issue", may_be_null=True),
        "enabled": Key(_FLAG, "false: it never runs by itself"),
    }
)

SOURCE: Final = Table(
    {
        "kind": Key(_choice(list(SOURCE_NEEDS)), "how stories come in"),
        "url": Key(_URL, "what is fetched"),
        "path": Key(Word("a path in the desk's folder", words.inside_path), "the folder that files are dropped in"),
        "key": Key(_SECRET, "where the secret for it is kept"),
        "webhook_key": Key(_SECRET, "where the secret that its webhooks are signed with is kept"),
        "outlet": Key(_TEXT, "who did the reporting, where stories do not say so themselves"),
        "country": Key(_COUNTRY, "where its stories are filed unless they say otherwise"),
        "section": Key(_TEXT, "the subject its stories are filed under"),
        "language": Key(_LANGUAGE, "the language of its stories"),
        "priority": Key(_number(0, 100), "of two reports of one event, the higher leads"),
        "every": Key(_duration(_MINUTE, 7 * _DAY), "how often it is asked"),
        "timeout": Key(_duration(timedelta(seconds=1), timedelta(minutes=10)), "how long an answer may take"),
        "allow_private": Key(_FLAG, "whether its address may lie in a private network"),
        "rights": Key(_TEXT, "what was agreed about using its stories"),
        "rights_confirmed_by": Key(_TEXT, "who confirmed that"),
        "quote_limit": Key(_number(0, 5000), "the most characters quoted from a story"),
    }
)

_CALENDAR = Table(
    {
        "dates": Key(ListOf(_DATE), "the days themselves"),
        "ics": Key(Word("a path in the desk's folder", words.inside_path), "an iCalendar file that holds the days"),
    }
)

_REGION = ListOf(Word("a country such as SG", words.country, schema=_like("[A-Z]{2}")), least=1)

FILE: Final = Table(
    {
        "version": Key(_number(1, 1), "the version of this format: 1"),
        "defaults": Key(NEWSLETTER, "what every newsletter has unless it says otherwise"),
        "regions": Key(MapOf(words.kebab, _REGION, _NAME), "names for groups of countries"),
        "sources": Key(MapOf(_marked_name, SOURCE, _MARKED), "where stories come in"),
        "calendars": Key(MapOf(_marked_name, _CALENDAR, _MARKED), "days without an issue"),
        "newsletters": Key(MapOf(words.kebab, NEWSLETTER, _NAME), "the standing titles of the desk"),
    },
    wants="the keys of a schedule (version, sources, newsletters …)",
)


def key_table(table: Table = FILE, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Every key as (path, form, meaning) for the reference; a name given by the file is written NAME."""
    for name, key in table.keys.items():
        inner = f"{path}.{name}" if path else name
        yield inner, key.form.wants, key.meaning
        if name == "defaults":
            continue
        if isinstance(key.form, Table):
            yield from key_table(key.form, inner)
        elif isinstance(key.form, MapOf) and isinstance(key.form.item, Table):
            yield from key_table(key.form.item, f"{inner}.NAME")
