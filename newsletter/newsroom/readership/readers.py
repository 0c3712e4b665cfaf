"""What a reader may do by a link in a mail: unsubscribe, change countries, read on the web."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import available_timezones

from newsletter.errors import InputError, NotFoundError, PlanError
from newsletter.model import IssueId, Recipient, RenderedEdition
from newsletter.newsroom.readership import reports
from newsletter.newsroom.readership.turns import in_turn
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter
from newsletter.tokens import Purpose, mark_of
from subscribers.errors import UnknownSubscriberError
from subscribers.model import Frequency, Status, Subscriber

__all__ = [
    "PAUSES",
    "ZONES",
    "Reader",
    "choose",
    "links",
    "neutral_slots",
    "personal",
    "preferences_address",
    "reader_of",
    "rhythm",
    "served",
    "shared",
    "slots_of",
    "undo_unsubscribe",
    "unsubscribe",
    "unsubscribe_address",
    "view_address",
    "ways_out",
    "web_view",
]


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a token speaks for, and which newsletter's mail it stood in.

    `newsletter` is None when schedule.yaml names it no more: the way out of its list stays open all the same. `issue`
    is the one that the mail was of; links of older mails name a newsletter alone. `also` are the titles
    of further newsletters that the same mail was about, by name: who leaves by its link leaves those too.
    """

    subscriber: Subscriber
    name: str
    newsletter: Newsletter | None
    issue: IssueId | None = None
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def titles(self) -> tuple[str, ...]:
        """What the reader knows the newsletter, and those beside it, as."""
        own = self.newsletter.title if self.newsletter else self.name
        return (own, *self.also.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The newsletter, and those beside it."""
        return (self.name, *self.also)

    @property
    def subscribed(self) -> bool:
        """Whether the reader gets any of them now."""
        held = (self.subscriber.subscriptions.get(name) for name in self.names)
        return any(kept is not None and kept.status is Status.CONFIRMED for kept in held)


def links(room: Newsroom, issue_id: IssueId, recipient: Recipient) -> dict[str, str]:
    """The slots of one recipient's message."""
    return {**personal(room, issue_id, recipient), **shared(room, issue_id, recipient.edition)}


def personal(room: Newsroom, issue_id: IssueId, recipient: Recipient) -> dict[str, str]:
    """The slots that are this recipient's alone."""
    payload = f"{recipient.subscriber}|{issue_id}|{mark_of(recipient.email)}"
    base = room.settings.base_url
    return {
        "name": recipient.name,
        "unsubscribe": f"{base}/unsubscribe/{room.signer.sign(Purpose.UNSUBSCRIBE, payload)}",
        "preferences": f"{base}/preferences/{room.signer.sign(Purpose.PREFERENCES, payload)}",
    }


def preferences_address(room: Newsroom, subscriber: Subscriber, newsletter: Newsletter) -> str:
    """Where a reader changes what they get; theirs alone."""
    payload = f"{subscriber.id}|{newsletter.name}|{mark_of(subscriber.email)}"
    token = room.signer.sign(Purpose.PREFERENCES, payload)
    return f"{room.settings.base_url}/preferences/{token}"


def unsubscribe_address(room: Newsroom, subscriber: Subscriber, newsletters: Sequence[Newsletter]) -> str:
    """Where a reader leaves all of these newsletters by one click; theirs alone, and good for ever."""
    names = "+".join(each.name for each in newsletters)
    token = room.signer.sign(Purpose.UNSUBSCRIBE, f"{subscriber.id}|{names}|{mark_of(subscriber.email)}")
    return f"{room.settings.base_url}/unsubscribe/{token}"


def ways_out(room: Newsroom, subscriber: Subscriber) -> list[tuple[str, str]]:
    """The title of each newsletter that the reader gets, and where they leave it."""
    return [
        (each.title, unsubscribe_address(room, subscriber, [each]))
        for name, each in room.plan.newsletters.items()
        if (kept := subscriber.subscriptions.get(name)) is not None and kept.status is Status.CONFIRMED
    ]


def shared(room: Newsroom, issue_id: IssueId, edition: str) -> dict[str, str]:
    """The slots that are the same for all readers of an edition."""
    return {
        "view": view_address(room, issue_id, edition),
        "report": reports.address_of_edition(room, issue_id, edition),
    }


def view_address(room: Newsroom, issue_id: IssueId, edition: str) -> str:
    """Where an edition stands on the web; the same for all its readers."""
    return f"{room.settings.base_url}/view/{room.signer.sign(Purpose.VIEW, f'{issue_id}|{edition}')}"


def neutral_slots(room: Newsroom, issue_id: IssueId, edition: str) -> dict[str, str]:
    """Slots for eyes that are no particular reader's: previews and the web view."""
    base = room.settings.base_url
    return {
        "name": "",
        "unsubscribe": f"{base}/unsubscribe/",
        "preferences": f"{base}/preferences/",
        **shared(room, issue_id, edition),
    }


def slots_of(room: Newsroom, issue_id: IssueId, edition: str, email: str | None) -> dict[str, str]:
    """The slots of the subscriber with that address; neutral ones without an address."""
    if email is None:
        return neutral_slots(room, issue_id, edition)
    reader = room.subscribers.find(email)
    recipient = Recipient(
        delivery=0, subscriber=reader.id, email=email, name=reader.name, edition=edition, message_id=""
    )
    return links(room, issue_id, recipient)


def reader_of(room: Newsroom, purpose: Purpose, token: str) -> Reader | None:
    """The reader whom a token of that purpose speaks for, or None when it is forged, foreign or forgotten."""
    payload = room.signer.verify(purpose, token, room.clock.now())
    if payload is None:
        return None
    number, _, named = payload.partition("|")
    named, _, mark = named.partition("|")
    named, *others = named.split("+")
    name = named.partition("/")[0]
    issue = IssueId.parse(named) if name != named else None
    try:
        subscriber = room.subscribers.get(int(number))
    except UnknownSubscriberError:
        return None
    if name not in subscriber.subscriptions or not _is_marked(room, subscriber, mark):
        return None
    try:
        known = room.plan.newsletters
        theirs = [each for each in others if each in subscriber.subscriptions]
        also = {each: known[each].title if each in known else each for each in theirs}
        return Reader(subscriber, name, known.get(name), issue, also)
    except PlanError:
        return Reader(subscriber, name, None, issue)


def _is_marked(room: Newsroom, subscriber: Subscriber, mark: str) -> bool:
    """Whether a link was made for this subscriber, at whatever address of theirs; the first links had no mark."""
    if mark in ("", mark_of(subscriber.email)):
        return True
    return any(mark == mark_of(each) for each in room.subscribers.former_addresses(subscriber.id))


def unsubscribe(room: Newsroom, reader: Reader, how: str) -> None:
    """Take the reader off the newsletter; done when this returns, harmless to repeat."""
    issue = str(reader.issue) if reader.issue else None
    for name in reader.names:
        with in_turn(room):
            _leave(room, reader.subscriber, name, how, issue)


def _leave(room: Newsroom, subscriber: Subscriber, newsletter: str, how: str, issue: str | None) -> None:
    """Whoever has another address since the link was looked at leaves by that one; who was erased has left."""
    now = room.clock.now()
    try:
        room.subscribers.unsubscribe(subscriber.email, newsletter, now, how=how, issue=issue)
    except UnknownSubscriberError:
        with suppress(UnknownSubscriberError):
            email = room.subscribers.get(subscriber.id).email
            room.subscribers.unsubscribe(email, newsletter, now, how=how, issue=issue)


UNDO_WITHIN = timedelta(days=1)
"""So long whoever unsubscribed by mistake, or whose mail program did, may take it back without a new confirmation."""


def undo_unsubscribe(room: Newsroom, reader: Reader) -> bool:
    """Give the reader the newsletter back as it was; False when that was too long ago, or they were erased since."""
    now = room.clock.now()
    since, number = now - UNDO_WITHIN, reader.subscriber.id
    try:
        with in_turn(room):
            back = [room.subscribers.undo_unsubscribe(number, name, since, now) for name in reader.names]
    except UnknownSubscriberError:
        return False
    return any(back)


def served(newsletters: Collection[Newsletter]) -> list[str]:
    """How often these newsletters can be had: what their segments tell readers apart by."""
    found = {str(each) for newsletter in newsletters for each in _frequencies(newsletter)}
    return [str(each) for each in Frequency if each in found]


def rhythm(newsletter: Newsletter) -> str:
    """How often a newsletter comes to whom it is for: `news` where it has no days, or its one frequency, or nothing."""
    often = served([newsletter])
    return "news" if not newsletter.days else often[0] if len(often) == 1 else ""


def _frequencies(newsletter: Newsletter) -> Collection[object]:
    said = newsletter.segment.get("frequency", ())
    return (said,) if isinstance(said, str) else said if isinstance(said, list | tuple) else ()


PAUSES = (7, 14, 30, 90)
"""Days for which a reader may pause."""


ZONES = (
    "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Phoenix",
    "America/Chicago", "America/Mexico_City", "America/New_York", "America/Bogota", "America/Caracas",
    "America/Halifax", "America/Santiago", "America/St_Johns", "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires", "Atlantic/Azores", "UTC", "Europe/London", "Europe/Paris", "Africa/Lagos",
    "Africa/Cairo", "Africa/Johannesburg", "Europe/Athens", "Europe/Moscow", "Africa/Nairobi", "Asia/Riyadh",
    "Asia/Tehran", "Asia/Dubai", "Asia/Kabul", "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka",
    "Asia/Yangon", "Asia/Jakarta", "Asia/Bangkok", "Asia/Shanghai", "Asia/Singapore", "Asia/Hong_Kong",
    "Asia/Taipei", "Asia/Manila", "Australia/Perth", "Asia/Tokyo", "Asia/Seoul", "Australia/Adelaide",
    "Australia/Sydney", "Australia/Brisbane", "Pacific/Noumea", "Pacific/Auckland", "Pacific/Tongatapu",
)  # fmt: skip
"""Time zones that a page offers, from west to east: one for each way that clocks go, for all 400 make a long page."""


def choose(
    room: Newsroom,
    reader: Reader,
    *,
    countries: Sequence[str],
    frequency: str = "",
    language: str = "",
    timezone: str = "",
    pause: str = "",
) -> Reader:
    """Keep what the reader chose among what the newsletter offers; what they read elsewhere stays as it is.

    `pause` is a number of `PAUSES`, or `end`; empty leaves what there is, as every other field does. Raises
    `InputError` for no country at all, since a reader of nothing would wonder where the mail is; `NotFoundError` for
    one who was erased meanwhile.
    """
    if reader.newsletter is None:
        raise InputError(f"{reader.name} appears no more")
    held, now = reader.subscriber.preferences, room.clock.now()
    until = held.paused_until
    if pause == "end":
        until = None
    elif pause in map(str, PAUSES):
        until = now + timedelta(days=int(pause))
    chosen = replace(
        held,
        countries=_with_elsewhere(room, reader, countries),
        frequency=Frequency(frequency) if frequency in set(Frequency) else held.frequency,
        language=language if language in reader.newsletter.languages else held.language,
        timezone=timezone if timezone in available_timezones() else held.timezone,
        paused_until=until,
    )
    try:
        with in_turn(room):
            room.subscribers.set_preferences(reader.subscriber.id, chosen, now, regions=room.plan.places)
        return replace(reader, subscriber=room.subscribers.get(reader.subscriber.id))
    except UnknownSubscriberError as error:
        raise NotFoundError(str(error)) from None


def _with_elsewhere(room: Newsroom, reader: Reader, countries: Sequence[str]) -> tuple[str, ...] | None:
    """The countries chosen here, and those that the reader's other newsletters have; None for all of them."""
    assert reader.newsletter is not None
    offered = reader.newsletter.countries
    chosen = tuple(country for country in offered if country in set(countries))
    if not chosen:
        raise InputError("choose at least one country, or unsubscribe")
    before = reader.subscriber.preferences.countries
    everywhere = [place for each in room.plan.newsletters.values() for place in each.countries]
    elsewhere = tuple(dict.fromkeys(place for place in before or everywhere if place not in offered))
    wanted = chosen + elsewhere
    everything = set(everywhere) <= set(wanted)
    return None if everything else wanted


def web_view(room: Newsroom, token: str) -> tuple[IssueId, RenderedEdition] | None:
    """The issue and the sealed edition that a view link names; None for a link we did not make."""
    payload = room.signer.verify(Purpose.VIEW, token, room.clock.now())
    if payload is None:
        return None
    issue_text, _, key = payload.partition("|")
    issue_id = IssueId.parse(issue_text)
    issue = room.issues.find(issue_id)
    if issue is None:
        return None
    # Who has the mail may look at it while the rest is being corrected.
    revision = issue.approved_revision or (room.seals.sealed_revision(issue_id) if issue.frozen_at else None)
    edition = room.seals.edition(issue_id, revision, key) if revision else None
    return (issue_id, edition) if edition is not None else None
