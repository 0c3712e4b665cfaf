"""What people ask of us by a public form, each answered by one mail: to be subscribed, or to be sent their link.

Whoever fills a form may be anybody. So nothing comes of it before the address itself has answered, an address gets at
most one mail of a kind a day, and what is kept, and how long that takes, is the same for addresses known and unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, text, update

from subscribers.addresses import Address, parse_address
from subscribers.enrolment import enrol
from subscribers.errors import UnknownSubscriberError
from subscribers.model import Event, SignUp, Status, Subscriber, Subscription
from subscribers.records import find_subscribers, save
from subscribers.signups import sign_up
from subscribers.tables import request, subscriber, suppression

__all__ = ["LASTS", "LIFTED", "Asked", "RequestKind", "ask", "claim", "confirm", "get", "settle", "waiting"]

LASTS = timedelta(days=7)
"""How long a link to confirm works."""

KEPT = timedelta(days=30)
"""How long a request is kept after it was made; the evidence of consent goes into the subscriber's history."""

ONE_MAIL = timedelta(days=1)
"""In so long an address gets one mail of a kind, however often it is asked for."""

LIFTED = frozenset({"erased", "bounced"})
"""Reasons of suppression that end when the person confirms a new subscription; a complaint never does."""


class RequestKind(StrEnum):
    """What is asked for."""

    SUBSCRIBE = "subscribe"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. `choices` are fields of a sign-up (countries, frequency, language, timezone); `form` is the version
    of the page's words, `network` where the form was sent from; `confirmed_at` is None until the address answered."""

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
) -> None:
    """Note a request. A second one within a day, or at the same moment, adds its newsletters to the first and brings no
    further mail."""
    key = signup.address.key
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(_ALONE, {"key": f"{kind} {key}"})
    connection.execute(_PURGE, {"before": now - KEPT})
    values = {"choices": _choices(signup), "language": language, "network": network, "form": form}
    earlier = connection.execute(_EARLIER, {"of": key, "as": kind, "after": now - ONE_MAIL}).first()
    if earlier is not None:
        newsletters = list(dict.fromkeys([*earlier.newsletters, *signup.newsletters]))
        connection.execute(_AGAIN, {"number": earlier.id, "newsletters": newsletters, **values})
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
_PURGE = delete(request).where(request.c.asked_at < bindparam("before"))
_EARLIER = (
    select(request.c.id, request.c.newsletters)
    .where(
        request.c.address_key == bindparam("of"),
        request.c.kind == bindparam("as"),
        request.c.asked_at > bindparam("after"),
    )
    .order_by(request.c.id.desc())
    .limit(1)
)
# What was confirmed stays as it was confirmed.
_AGAIN = (
    update(request)
    .where(request.c.id == bindparam("number"), request.c.confirmed_at.is_(None))
    .values({name: bindparam(name) for name in ("newsletters", "choices", "language", "network", "form")})
)


def waiting(connection: Connection, most_tries: int) -> Sequence[Asked]:
    """Requests whose mail is still to be carried, the oldest first."""
    query = select(request).where(~request.c.settled, request.c.tries < most_tries).order_by(request.c.id)
    return [_asked(row) for row in connection.execute(query)]


def get(connection: Connection, number: int) -> Asked:
    """The request of that number; raises `UnknownSubscriberError`."""
    row = connection.execute(select(request).where(request.c.id == number)).first()
    if row is None:
        raise UnknownSubscriberError(f"no request {number} is known; it may be too old")
    return _asked(row)


def claim(connection: Connection, asked: Asked, now: datetime) -> bool:
    """Count one more try before it is made; False when somebody else was first."""
    those = request.c.id == asked.id, request.c.tries == asked.tries, ~request.c.settled
    return connection.execute(update(request).where(*those).values(tries=asked.tries + 1, tried_at=now)).rowcount == 1


def settle(connection: Connection, asked: Asked, reply: str, *, settled: bool = True) -> None:
    """Note what came of the last try; not `settled`, it is tried again."""
    connection.execute(update(request).where(request.c.id == asked.id).values(settled=settled, reply=reply))


def confirm(
    connection: Connection, number: int, newsletters: Collection[str], now: datetime, network: str
) -> Subscriber | None:
    """Subscribe whom the address of a request belongs to, to those of its newsletters; None where it was used before.

    It revives who unsubscribed, and lifts a suppression after an erasure or bounces. Raises `UnknownSubscriberError`.
    """
    asked = get(connection, number)
    first = update(request).where(request.c.id == number, request.c.confirmed_at.is_(None)).values(confirmed_at=now)
    if not connection.execute(first).rowcount:
        return None
    chosen = tuple(name for name in asked.newsletters if name in newsletters)
    source = f"form {asked.form} of {asked.asked_at:%Y-%m-%dT%H:%MZ}, confirmed by link"
    signup = replace(asked.signup, newsletters=chosen, wanted=Subscription(Status.CONFIRMED, now, source))
    key = asked.address.key
    lifted = connection.execute(
        delete(suppression).where(suppression.c.address_key == key, suppression.c.reason.in_(LIFTED))
    ).rowcount
    held = next(iter(find_subscribers(connection, subscriber.c.address_key == key, lock=True)), None)
    how = f"subscribe page, asked from {asked.network}, confirmed from {network}"
    enrolled = enrol(signup, held, now, how, revive=True)
    events = [(key, event) for event in enrolled.events]
    if lifted:
        events.append((key, Event(now, "unsuppressed", {"how": "confirmed a new subscription"})))
    save(connection, {key: held} if held else {}, {key: enrolled.subscriber}, events, now, revive=True)
    return find_subscribers(connection, subscriber.c.address_key == key)[0]


def _may_be_mailed(connection: Connection, kind: RequestKind, key: str) -> bool:
    reason = connection.scalar(select(suppression.c.reason).where(suppression.c.address_key == key))
    known = connection.scalar(select(subscriber.c.id).where(subscriber.c.address_key == key))
    if kind is RequestKind.LINK:
        return known is not None and reason is None
    return reason is None or reason in LIFTED


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
        choices=row.choices,
        language=row.language,
        asked_at=row.asked_at,
        network=row.network,
        form=row.form,
        tries=row.tries,
        tried_at=row.tried_at,
        confirmed_at=row.confirmed_at,
    )
