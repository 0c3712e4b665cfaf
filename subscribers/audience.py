"""Who gets an issue: everybody who asked for its newsletter, each with the reason why not, if there is one.

Readers with the same preferences have the same fate, so they are counted, judged and chosen by the group: a million
readers are a few thousand groups at most, and no row of theirs is looked at in Python.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    select,
)

from subscribers.model import Exclusion, Group, Status
from subscribers.segments import parse_segment
from subscribers.tables import Instant, bounce_pause, subscriber, subscription, suppression

__all__ = ["Audience", "fits", "still_wanted"]

# What the readers of a group are to be given, by the group's profile; lives as long as the connection.
_LABELS = Table(
    "audience_label",
    MetaData(),
    Column("profile", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("not_before", Instant),
    prefixes=["TEMPORARY"],
)


class Audience:
    """Every subscriber who has confirmed `newsletter` or unsubscribed from it, as they stand at `now`.

    Candidates are the excluded plus the recipients, each once. Who never confirmed is not one. `segment` is the rule of
    schedule.yaml; raises `SegmentError`. `only` are the numbers of subscribers among whom to choose.
    """

    def __init__(
        self,
        connection: Connection,
        newsletter: str,
        segment: Mapping[str, object],
        now: datetime,
        only: Select[int] | None = None,
    ) -> None:
        self._only = only
        self._connection = connection
        self._newsletter = newsletter
        self._rule = parse_segment(segment)
        self._now = now

    def groups(self) -> Iterator[Group]:
        """All candidates in groups of one profile and one fate, the largest group first."""
        each = self._candidates(self._profile.label("profile"), self._reason.label("reason")).subquery()
        number = func.count().label("number")
        query = select(each.c.profile, each.c.reason, number).group_by(each.c.profile, each.c.reason)
        for profile, reason, readers in self._connection.execute(query.order_by(number.desc(), each.c.profile)):
            reader = _reader(profile)
            excluded = Exclusion(reason) if reason else None
            if not excluded and not self._rule.matches(reader):
                excluded = Exclusion.FREQUENCY
            yield Group(profile, reader.countries, reader.language, reader.timezone, excluded, readers)

    def recipients(
        self, labels: Mapping[str, str], waits: Mapping[str, datetime] = MappingProxyType({})
    ) -> Select[tuple[int, str, str, str, datetime | None]]:
        """Number, address, name and label of who is not excluded and whose profile has a label, by their numbers; and
        the instant (`not_before`) that the profile `waits` for, None for none.

        The query is good on this connection until the next call.
        """
        _LABELS.drop(self._connection, checkfirst=True)
        _LABELS.create(self._connection)
        if labels:
            rows = [
                {"profile": profile, "label": label, "not_before": waits.get(profile)}
                for profile, label in labels.items()
            ]
            self._connection.execute(insert(_LABELS), rows)
        columns = (subscriber.c.id, subscriber.c.email, subscriber.c.name, _LABELS.c.label, _LABELS.c.not_before)
        return (
            self._candidates(*columns, among=_ASKED.join(_LABELS, _LABELS.c.profile == self._profile))
            .where(self._reason.is_(None))
            .order_by(subscription.c.subscriber_id)
        )

    def _candidates(self, *columns: ColumnElement[Any], among: FromClause | None = None) -> Select[Any]:
        found = (
            select(*columns)
            .select_from(_ASKED if among is None else among)
            .where(subscription.c.newsletter == self._newsletter, subscription.c.status != Status.PENDING)
        )
        return found if self._only is None else found.where(subscription.c.subscriber_id.in_(self._only))

    @cached_property
    def _profile(self) -> ColumnElement[str]:
        """All that decides a candidate's fate and edition, as one text: a list in JSON, which one call makes. Texts put
        together one by one took SQLite twice as long."""
        parts: list[ColumnElement[Any]] = [
            cast(subscriber.c.countries, Text),
            subscriber.c.frequency,
            subscriber.c.language,
            subscriber.c.timezone,
        ]
        if self._rule.uses_attributes:
            parts.append(cast(subscriber.c.attributes, Text))
        if self._connection.dialect.name == "sqlite":
            return func.json_array(*parts, type_=Text)
        return cast(func.json_build_array(*parts), Text)

    @cached_property
    def _reason(self) -> ColumnElement[str | None]:
        return case(
            (suppression.c.address_key.is_not(None), Exclusion.SUPPRESSED),
            (subscription.c.status == Status.UNSUBSCRIBED, Exclusion.UNSUBSCRIBED),
            (subscriber.c.paused_until > literal(self._now, Instant), Exclusion.PAUSED),
            (bounce_pause.c.until > literal(self._now, Instant), Exclusion.PAUSED),
            else_=null(),
        )


_ASKED = (
    subscription.join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
    .outerjoin(suppression, suppression.c.address_key == subscriber.c.address_key)
    .outerjoin(bounce_pause, bounce_pause.c.subscriber_id == subscriber.c.id)
)


class _Reader(NamedTuple):
    """What a segment looks at."""

    frequency: str
    countries: tuple[str, ...] | None
    language: str | None
    timezone: str | None
    attributes: Mapping[str, str]


def _reader(profile: str) -> _Reader:
    countries, frequency, language, timezone, *attributes = json.loads(profile)
    stated = json.loads(countries) if countries else None
    chosen = tuple(stated) if stated is not None else None
    return _Reader(frequency, chosen, language, timezone, json.loads(attributes[0]) if attributes else {})


def fits(segment: Mapping[str, object], frequency: str, countries: Sequence[str] | None, language: str | None) -> bool:
    """Whether a reader who chose that is among those of the `segment`, as far as it does not go by attributes.

    Raises `SegmentError`.
    """
    rule = parse_segment(segment)
    asked = _Reader(frequency, None if countries is None else tuple(countries), language, None, {})
    return rule.uses_attributes or rule.matches(asked)


def still_wanted(connection: Connection, newsletter: str, subscriber_ids: Sequence[int]) -> set[int]:
    """Which of these subscribers are confirmed for `newsletter`, and not suppressed, right now.

    Call it in the transaction that commits the intent to mail them: an unsubscribe answered before that commit
    is honoured. PostgreSQL locks the readers first and looks only then, because a statement sees what was
    committed when it began (READ COMMITTED); on SQLite the transaction must be the writer already.
    """
    asked = {"ids": json.dumps(sorted(subscriber_ids)), "newsletter": newsletter}
    if connection.dialect.name != "sqlite":
        connection.execute(_LOCKED, asked).all()
    return set(connection.scalars(_WANTED[connection.dialect.name], asked).all())


def _among(dialect: str) -> ColumnElement[bool]:
    """Whether a subscriber is in a list of numbers: one JSON text, for as many parameters cost 2 µs each."""
    listed = bindparam("ids", type_=Text)
    if dialect == "sqlite":
        return subscriber.c.id.in_(select(func.json_each(listed).table_valued("value").c.value))
    return subscriber.c.id.in_(select(cast(func.json_array_elements_text(cast(listed, JSON)), BigInteger)))


def _wanted(dialect: str) -> Select[int]:
    return (
        select(subscriber.c.id)
        .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
        .outerjoin(suppression, suppression.c.address_key == subscriber.c.address_key)
        .where(
            _among(dialect),
            subscription.c.newsletter == bindparam("newsletter"),
            subscription.c.status == Status.CONFIRMED,
            suppression.c.address_key.is_(None),
        )
    )


_LOCKED = select(subscriber.c.id).where(_among("postgresql")).order_by(subscriber.c.id).with_for_update(read=True)
_WANTED = {dialect: _wanted(dialect) for dialect in ("sqlite", "postgresql")}
