"""Who gets an issue: everybody who asked for its newsletter, each with the reason why not, if there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Text, bindparam, case, cast, null, select

from subscribers.model import Candidate, Exclusion, Status
from subscribers.segments import Rule, parse_segment
from subscribers.tables import Instant, subscriber, subscription, suppression

__all__ = ["audience", "still_wanted"]

_PAGE = 5000


class _Reader(NamedTuple):
    """What a segment looks at."""

    frequency: str
    countries: tuple[str, ...] | None
    language: str | None
    timezone: str | None
    attributes: Mapping[str, str]


def audience(
    connection: Connection, newsletter: str, segment: Mapping[str, object], now: datetime
) -> Iterator[Candidate]:
    """Every subscriber who has confirmed `newsletter` or unsubscribed from it, in the order of their numbers.

    Candidates are the excluded plus the recipients, each once. Who never confirmed is not one. Reads 5,000
    rows at a time, so that the caller may write on the same connection meanwhile. Raises `SegmentError`.
    """
    rule = parse_segment(segment)
    query = _page_query(newsletter, uses_attributes=rule.uses_attributes)
    after = 0
    while rows := connection.execute(query, {"after": after, "now": now}).all():
        for row in rows:
            yield _candidate(row, rule)
        after = rows[-1].id


def _page_query(newsletter: str, *, uses_attributes: bool) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [
        subscriber.c.id,
        subscriber.c.email,
        subscriber.c.name,
        cast(subscriber.c.countries, Text),
        subscriber.c.frequency,
        subscriber.c.language,
        subscriber.c.timezone,
        case(
            (suppression.c.address_key.is_not(None), Exclusion.SUPPRESSED),
            (subscription.c.status == Status.UNSUBSCRIBED, Exclusion.UNSUBSCRIBED),
            (subscriber.c.paused_until > bindparam("now", type_=Instant), Exclusion.PAUSED),
        ),
        subscriber.c.attributes if uses_attributes else null(),
    ]
    return (
        select(*columns)
        .select_from(subscription)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .outerjoin(suppression, suppression.c.address_key == subscriber.c.address_key)
        .where(
            subscription.c.newsletter == newsletter,
            subscription.c.status != Status.PENDING,
            subscription.c.subscriber_id > bindparam("after"),
        )
        .order_by(subscription.c.subscriber_id)
        .limit(_PAGE)
    )


def _candidate(row: Sequence[Any], rule: Rule) -> Candidate:
    number, email, name, stored, frequency, language, timezone, reason, attributes = row
    countries = _countries(stored)
    excluded = Exclusion(reason) if reason else None
    if not excluded and not rule.matches(_Reader(frequency, countries, language, timezone, attributes)):
        excluded = Exclusion.FREQUENCY
    return Candidate(number, email, name, countries, language, timezone, excluded)


@lru_cache(maxsize=4096)
def _countries(stored: str | None) -> tuple[str, ...] | None:
    """Readers choose the same few sets again and again."""
    return None if stored is None else tuple(json.loads(stored))


def still_wanted(connection: Connection, newsletter: str, subscriber_ids: Sequence[int]) -> set[int]:
    """Which of these subscribers are confirmed for `newsletter`, and not suppressed, right now.

    Call it in the transaction that commits the intent to mail them: an unsubscribe answered before that commit
    is honoured. PostgreSQL locks the readers first and looks only then, because a statement sees what was
    committed when it began (READ COMMITTED); on SQLite the transaction must be the writer already.
    """
    wanted: set[int] = set()
    for start in range(0, len(subscriber_ids), _PAGE):
        ids = sorted(subscriber_ids[start : start + _PAGE])
        locked = select(subscriber.c.id).where(subscriber.c.id.in_(ids)).order_by(subscriber.c.id)
        connection.execute(locked.with_for_update(read=True)).all()
        wanted.update(connection.scalars(_wanted_query(newsletter, ids)))
    return wanted


def _wanted_query(newsletter: str, ids: Sequence[int]) -> Select[tuple[int]]:
    return (
        select(subscriber.c.id)
        .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
        .outerjoin(suppression, suppression.c.address_key == subscriber.c.address_key)
        .where(
            subscriber.c.id.in_(ids),
            subscription.c.newsletter == newsletter,
            subscription.c.status == Status.CONFIRMED,
            suppression.c.address_key.is_(None),
        )
    )
