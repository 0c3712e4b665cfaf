"""What people ask of us by a public form, each answered by one mail: to be subscribed, or to be sent their link.

Whoever fills a form may be anybody. So nothing comes of it before the address itself has answered, an address gets at
most one mail of a kind a day, and what is kept, and how long that takes, is the same for addresses known and unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, insert, select, text, update

from subscribers.addresses import Address, parse_address
from subscribers.enrolment import enrol
from subscribers.errors import UnknownSubscriberError
from subscribers.journal import ReaderJournal, Word
from subscribers.model import Event, SignUp, Status, Subscriber, Subscription
from subscribers.records import find_subscribers, save
from subscribers.signups import sign_up
from subscribers.suppressing import LIFTED, lift, reason_of
from subscribers.tables import address_change, request, subscriber

__all__ = ["FRESH", "LASTS", "Asked", "RequestKind", "agree", "ask", "claim", "confirm", "get", "settle", "waiting"]

LASTS = timedelta(days=7)
"""How long a link to confirm works."""

FRESH = timedelta(days=1)
"""How long a link to one's data works."""

ONE_MAIL = timedelta(days=1)
"""In so long an address gets one mail of a kind, however often it is asked for."""


_WELCOME = "welcome"
"""Beside the choices of a request: the newsletters that whoever confirmed it is welcomed to."""


class RequestKind(StrEnum):
    """What is asked for."""

    SUBSCRIBE = "subscribe"
    LINK = "link"
    DATA = "data"
    """A fresh link to what is held of the person."""
    LEAVE, JOIN = "leave", "join"
    """A change of address, asked of the old one and of the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. `choices` are fields of a sign-up (countries, frequency, language, timezone); `form` is the version
    of the page's words, `network` where the form was sent from; `confirmed_at` is None until the address answered. From
    then on its mail is a welcome to the newsletters of `welcome`, new to whoever has the address."""

    id: int
    kind: RequestKind
    address: Address
    newsletters: tuple[str, ...]
    choices: Mapping[str, object]
    language: str
    asked_at: datetime
    network: str
    form: str
    tries: int = 0
    tried_at: datetime | None = None
    confirmed_at: datetime | None = None
    welcome: tuple[str, ...] = ()

    @property
    def at(self) -> datetime:
        """When its mail was last tried, before that when it was asked for."""
        return self.tried_at or self.asked_at

    @property
    def signup(self) -> SignUp:
        """What a confirmation enrols, but for the consent."""
        return sign_up(self.address.email, self.newsletters, **self.choices)  # type: ignore[arg-type]


def ask(
    connection: Connection,
    kind: RequestKind,
    signup: SignUp,
    now: datetime,
    *,
    language: str,
    network: str,
    form: str,
    change: int | None = None,
) -> None:
    """Note a request, of that `change` of address where it is of one.

    A second one within a day, or at the same moment, adds its newsletters to the first and brings no further mail; once
    the first was followed, whoever has the address has shown that they want our mail, and the second is one of its own.
    """
    key = signup.address.key
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(_ALONE, {"key": f"{kind} {key}"})
    values = {
        "choices": {"change": change} if change is not None else _choices(signup),
        "language": language,
        "network": network,
        "form": form,
    }
    earlier = connection.execute(_EARLIER, {"of": key, "as": kind, "after": now - ONE_MAIL}).first()
    if earlier is not None and change is not None and not _same_person(connection, earlier.choices, change):
        return  # the mail that the address has speaks of somebody else's
    if earlier is not None:
        newsletters = list(dict.fromkeys([*earlier.newsletters, *signup.newsletters]))
        if connection.execute(_AGAIN, {"number": earlier.id, "newsletters": newsletters, **values}).rowcount:
            return
    connection.execute(
        insert(request).values(
            kind=kind,
            email=signup.address.email,
            address_key=key,
            newsletters=list(signup.newsletters),
            asked_at=now,
            tries=0,
            settled=not _may_be_mailed(connection, kind, key),
            reply="",
            **values,
        )
    )


# Put together once: SQLAlchemy takes longer over them than the database, and holds the only writer's place meanwhile.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_EARLIER = (
    select(request.c.id, request.c.newsletters, request.c.choices)
    .where(
        request.c.address_key == bindparam("of"),
        request.c.kind == bindparam("as"),
        request.c.asked_at > bindparam("after"),
        request.c.confirmed_at.is_(None),
    )
    .order_by(request.c.id.desc())
    .limit(1)
)
# What is confirmed at this moment stays as it was confirmed, and this is one of its own.
_AGAIN = (
    update(request)
    .where(request.c.id == bindparam("number"), request.c.confirmed_at.is_(None))
    .values({name: bindparam(name) for name in ("newsletters", "choices", "language", "network", "form")})
)


def _same_person(connection: Connection, choices: Mapping[str, object], change: int) -> bool:
    """Whether two changes of address are of one subscriber."""
    both = select(address_change.c.subscriber_id).where(address_change.c.id.in_([choices.get("change"), change]))
    return len(set(connection.scalars(both))) == 1


def waiting(connection: Connection, most_tries: int) -> Sequence[Asked]:
    """Requests whose mail is still to be carried, the oldest first.

    A welcome that was begun, and of which nobody wrote down that it was not taken, may be there already: it is let be.
    """
    begun = and_(request.c.confirmed_at.is_not(None), request.c.tries > 0, request.c.reply == "")
    query = select(request).where(~request.c.settled, request.c.tries < most_tries, ~begun).order_by(request.c.id)
    return [_asked(row) for row in connection.execute(query)]


def get(connection: Connection, number: int) -> Asked:
    """The request of that number; raises `UnknownSubscriberError`."""
    row = connection.execute(select(request).where(request.c.id == number)).first()
    if row is None:
        raise UnknownSubscriberError(f"no request {number} is known; it may be too old")
    return _asked(row)


def claim(connection: Connection, asked: Asked, now: datetime) -> bool:
    """Count one more try before it is made; False when somebody else was first, or the address is not to be mailed any
    more."""
    if not _may_be_mailed(connection, asked.kind, asked.address.key):
        settle(connection, asked, "not mailed: suppressed, or known no more, since it was asked for")
        return False
    those = *_same_letter(asked), request.c.tries == asked.tries, ~request.c.settled
    begun = update(request).where(*those).values(tries=asked.tries + 1, tried_at=now, reply="")
    return connection.execute(begun).rowcount == 1


def settle(connection: Connection, asked: Asked, reply: str, *, settled: bool = True) -> None:
    """Note what came of the last try; not `settled`, it is tried again."""
    connection.execute(update(request).where(*_same_letter(asked)).values(settled=settled, reply=reply))


def _same_letter(asked: Asked) -> tuple[ColumnElement[bool], ...]:
    """The request, as long as its letter is the one that was read: a confirmation makes it another one."""
    confirmed = request.c.confirmed_at
    return request.c.id == asked.id, confirmed.is_(None) if asked.confirmed_at is None else confirmed.is_not(None)


def agree(connection: Connection, number: int, now: datetime) -> None:
    """Note that the address of a request has answered it."""
    first = update(request).where(request.c.id == number, request.c.confirmed_at.is_(None))
    connection.execute(first.values(confirmed_at=now))


def confirm(
    connection: Connection,
    number: int,
    newsletters: Collection[str],
    now: datetime,
    network: str,
    welcoming: Collection[str] = (),
    journal: ReaderJournal | None = None,
) -> Subscriber | None:
    """Subscribe whom the address of a request belongs to, to those of its newsletters; None where it was used before.

    It revives who unsubscribed, and lifts a suppression after an erasure or bounces. Those of `welcoming` that they
    never had before have a welcome carried, in the same transaction. Raises `UnknownSubscriberError`.
    """
    asked = get(connection, number)
    # Two links of one address, followed at the same instant, are followed one after the other.
    theirs = select(request.c.id).where(request.c.address_key == asked.address.key).order_by(request.c.id)
    connection.execute(theirs.with_for_update()).all()
    first = update(request).where(request.c.id == number, request.c.confirmed_at.is_(None)).values(confirmed_at=now)
    if not connection.execute(first).rowcount:
        return None
    chosen = tuple(name for name in asked.newsletters if name in newsletters)
    source = f"form {asked.form} of {asked.asked_at:%Y-%m-%dT%H:%MZ}, confirmed by link"
    signup = replace(asked.signup, newsletters=chosen, wanted=Subscription(Status.CONFIRMED, now, source))
    key = asked.address.key
    lifted = lift(connection, key, LIFTED)
    held = next(iter(find_subscribers(connection, subscriber.c.address_key == key, lock=True)), None)
    _have_welcomed(connection, asked, [name for name in chosen if name in welcoming and _never_had(held, name)])
    how = f"subscribe page, asked from {asked.network}, confirmed from {network}"
    enrolled = enrol(signup, held, now, how, revive=True)
    events = [(key, event) for event in enrolled.events]
    if lifted:
        events.append((key, Event(now, "unsuppressed", {"how": "confirmed a new subscription"})))
    save(connection, {key: held} if held else {}, {key: enrolled.subscriber}, events, now, revive=True)
    if journal and lifted:
        journal.note(connection, now, Word.UNSUPPRESSED, key)
    if journal:
        journal.note(connection, now, Word.CONFIRMED, key, newsletters=chosen)
    return find_subscribers(connection, subscriber.c.address_key == key)[0]


def _never_had(held: Subscriber | None, newsletter: str) -> bool:
    kept = held.subscriptions.get(newsletter) if held else None
    return kept is None or kept.status is Status.PENDING


def _have_welcomed(connection: Connection, asked: Asked, newsletters: Sequence[str]) -> None:
    """The request has a second letter to be carried, or nothing any more."""
    choices = {**asked.choices, _WELCOME: list(newsletters)}
    values = {"choices": choices, "settled": not newsletters, "tries": 0, "tried_at": None, "reply": ""}
    connection.execute(update(request).where(request.c.id == asked.id).values(**values))


def _may_be_mailed(connection: Connection, kind: RequestKind, key: str) -> bool:
    reason = reason_of(connection, key)
    known = connection.scalar(select(subscriber.c.id).where(subscriber.c.address_key == key))
    match kind:
        case RequestKind.SUBSCRIBE:
            return reason is None or reason in LIFTED
        case RequestKind.JOIN:
            return known is None and reason is None
        case _:
            return known is not None and reason is None


def _choices(signup: SignUp) -> dict[str, object]:
    return {
        "countries": list(signup.countries) if signup.countries else None,
        "frequency": str(signup.frequency) if signup.frequency else None,
        "language": signup.language,
        "timezone": signup.timezone,
        "regions": [code for code in signup.countries or () if not code.isupper()],
    }


def _asked(row: Row) -> Asked:  # type: ignore[type-arg]
    return Asked(
        id=row.id,
        kind=RequestKind(row.kind),
        address=parse_address(row.email),
        newsletters=tuple(row.newsletters),
        choices={name: value for name, value in row.choices.items() if name != _WELCOME},
        language=row.language,
        asked_at=row.asked_at,
        network=row.network,
        form=row.form,
        tries=row.tries,
        tried_at=row.tried_at,
        confirmed_at=row.confirmed_at,
        welcome=tuple(row.choices.get(_WELCOME, ())),
    )
