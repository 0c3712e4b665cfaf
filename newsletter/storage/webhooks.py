"""Webhooks: whom the desk tells what happens, what is to be told to each, and what came of it.

An event is written in the transaction in which the thing happens, so that neither is there without the other; only a
kind that some webhook wants is written at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.errors import InputError, NotFoundError
from newsletter.model import IssueId
from newsletter.storage.database import Database, insert_or_ignore
from newsletter.storage.tables import webhook, webhook_delivery, webhook_event

__all__ = ["EventKind", "Fate", "Happening", "Webhook", "WebhookDelivery", "Webhooks", "note", "note_submitted"]

CHUNK = 500
"""Rows written at once: an import brings a hundred thousand."""


class EventKind(StrEnum):
    """What a webhook may be told of."""

    SUBSCRIBED = "subscriber.subscribed"
    UNSUBSCRIBED = "subscriber.unsubscribed"
    BOUNCED = "subscriber.bounced"
    COMPLAINED = "subscriber.complained"
    IMPORTED = "subscribers.imported"
    ISSUE_SUBMITTED = "issue.submitted"


class Fate(StrEnum):
    """What became of an event for one webhook."""

    WAITING = "waiting"
    TAKEN = "taken"
    LOST = "given up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event: JSON without an address. `uid` tells it from any other one, and is the same on each try."""

    kind: EventKind
    at: datetime
    data: Mapping[str, object]
    subscriber: int | None = None
    uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where to, of what, and whether with the address of whom it is about. `secret` is sealed."""

    id: int
    name: str
    url: str
    secret: str
    events: tuple[str, ...]
    with_address: bool
    made_by: str
    made_at: datetime
    failing_since: datetime | None = None
    off_at: datetime | None = None
    off_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One event for one webhook. `next_at` is None once that is settled, `status` of HTTP is the last answer's."""

    webhook: int
    event: int
    happening: Happening
    fate: Fate
    tries: int
    next_at: datetime | None
    tried_at: datetime | None
    status: int | None
    reply: str


def note(connection: Connection, happenings: Sequence[Happening]) -> None:
    """Write down, within the transaction of the caller, what some webhook wants to be told; the same `uid` once."""
    if not happenings:
        return
    on = connection.execute(sa.select(webhook.c.id, webhook.c.events).where(webhook.c.off_at.is_(None))).all()
    wanting = {kind: [row.id for row in on if kind in row.events] for kind in EventKind}
    wanted = _unknown(connection, [each for each in happenings if wanting[each.kind]])
    for start in range(0, len(wanted), CHUNK):
        some = {each.uid or f"msg_{secrets.token_hex(16)}": each for each in wanted[start : start + CHUNK]}
        connection.execute(sa.insert(webhook_event), [_event(uid, each) for uid, each in some.items()])
        written = sa.select(webhook_event.c.id, webhook_event.c.uid).where(webhook_event.c.uid.in_(some))
        common = {"state": Fate.WAITING, "tries": 0, "reply": ""}
        due = [
            common | {"event_id": row.id, "webhook_id": number, "next_at": some[row.uid].at}
            for row in connection.execute(written)
            for number in wanting[some[row.uid].kind]
        ]
        connection.execute(sa.insert(webhook_delivery), due)


def note_submitted(connection: Connection, issue_id: IssueId, counts: Mapping[str, int], now: datetime) -> None:
    """Write down, within the transaction of the caller, that an issue is through; once an issue."""
    data = {
        "issue": str(issue_id),
        "newsletter": issue_id.newsletter,
        "deliveries": {str(state): number for state, number in counts.items() if number},
    }
    uid = f"msg_issue_{issue_id.newsletter}_{issue_id.day}"
    note(connection, [Happening(kind=EventKind.ISSUE_SUBMITTED, at=now, data=data, uid=uid)])


class Webhooks:
    """Every webhook of the desk, and what each was told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(
        self, name: str, url: str, secret: str, events: Collection[str], *, with_address: bool, who: str, now: datetime
    ) -> Webhook:
        """A new webhook; raises `InputError` for a name that is taken."""
        values = {
            "name": name,
            "url": url,
            "secret": secret,
            "events": sorted(events),
            "with_address": with_address,
            "made_by": who,
            "made_at": now,
            "off_why": "",
        }
        with self._database.write() as connection:
            statement = insert_or_ignore(connection, webhook).values(values).returning(webhook.c.id)
            if connection.scalar(statement) is None:
                raise InputError(f"a webhook is named {name!r} already; choose another name")
        return self.find(name)

    def all(self) -> Sequence[Webhook]:
        """Every webhook, by name."""
        with self._database.read() as connection:
            return [_webhook(row) for row in connection.execute(sa.select(webhook).order_by(webhook.c.name))]

    def get(self, number: int) -> Webhook:
        """The webhook of that number; raises `NotFoundError`."""
        return self._one(webhook.c.id == number, f"of number {number}")

    def find(self, name: str) -> Webhook:
        """The webhook of that name; raises `NotFoundError`."""
        return self._one(webhook.c.name == name, f"named {name!r}")

    def switch_on(self, number: int) -> bool:
        """Tell it again; what happened meanwhile it was not told. False where it is on."""
        values = {"off_at": None, "off_why": "", "failing_since": None}
        return self._change(webhook.c.id == number, webhook.c.off_at.is_not(None), **values)

    def switch_off(self, number: int, now: datetime, why: str) -> bool:
        """Tell it nothing more; what waits is given up. False where it is off."""
        with self._database.write() as connection:
            this = sa.update(webhook).where(webhook.c.id == number, webhook.c.off_at.is_(None))
            if not connection.execute(this.values(off_at=now, off_why=why)).rowcount:
                return False
            _give_up(connection, number)
            return True

    def give_up(self, number: int) -> None:
        """Give up what waits for a webhook that is off: an event may have been written while it was switched."""
        off = sa.select(webhook.c.id).where(webhook.c.id == number, webhook.c.off_at.is_not(None))
        with self._database.write() as connection:
            if connection.scalar(off.with_for_update()) is not None:
                _give_up(connection, number)

    def remove(self, number: int) -> bool:
        """Forget it, with all it was told; False where it is gone."""
        with self._database.write() as connection:
            return connection.execute(sa.delete(webhook).where(webhook.c.id == number)).rowcount == 1

    def mark(self, number: int, failing_since: datetime | None) -> None:
        """Remember since when nothing was taken; None once something was."""
        first = webhook.c.failing_since.is_(None) if failing_since else webhook.c.failing_since.is_not(None)
        self._change(webhook.c.id == number, first, failing_since=failing_since)

    def waiting(self, now: datetime) -> list[int]:
        """The webhooks for which something is due."""
        due = webhook_delivery.c.next_at <= now
        with self._database.read() as connection:
            return sorted(connection.scalars(sa.select(webhook_delivery.c.webhook_id).where(due).distinct()))

    def due(self, number: int, now: datetime, most: int) -> Sequence[WebhookDelivery]:
        """What is due for one of them, the longest due first."""
        those = webhook_delivery.c.webhook_id == number, webhook_delivery.c.next_at <= now
        return self._deliveries(sa.and_(*those), webhook_delivery.c.next_at, webhook_delivery.c.event_id, most=most)

    def told(self, number: int, most: int, below: int | None = None) -> Sequence[WebhookDelivery]:
        """What one of them was told or is to be, the latest first; with `below`, behind the event of that number."""
        those = webhook_delivery.c.webhook_id == number
        if below is not None:
            those = sa.and_(those, webhook_delivery.c.event_id < below)
        return self._deliveries(those, webhook_delivery.c.event_id.desc(), most=most)

    def counts(self) -> Mapping[int, Mapping[Fate, int]]:
        """How much each webhook was told, by what became of it."""
        each = webhook_delivery.c.webhook_id, webhook_delivery.c.state
        query = sa.select(*each, sa.func.count().label("number")).group_by(*each)
        found: dict[int, dict[Fate, int]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.webhook_id, {})[Fate(row.state)] = row.number
        return found

    def claim(self, row: WebhookDelivery, now: datetime, next_at: datetime) -> WebhookDelivery | None:
        """Count one more try before it is made, due again at `next_at` whatever becomes of it; None when somebody else
        was first, or it waits no more."""
        those = self._is(row), webhook_delivery.c.tries == row.tries, webhook_delivery.c.next_at.is_not(None)
        with self._database.write() as connection:
            values = {"tries": row.tries + 1, "tried_at": now, "next_at": next_at}
            if not connection.execute(sa.update(webhook_delivery).where(*those).values(values)).rowcount:
                return None
        return replace(row, tries=row.tries + 1, tried_at=now, next_at=next_at)

    def settle(
        self, row: WebhookDelivery, fate: Fate, status: int | None, reply: str, next_at: datetime | None = None
    ) -> None:
        """Note what came of the last try, and when the next one is due; nothing, where it was given up meanwhile."""
        those = self._is(row), webhook_delivery.c.tries == row.tries, webhook_delivery.c.state == Fate.WAITING
        values = {"state": fate, "status": status, "reply": reply, "next_at": next_at}
        with self._database.write() as connection:
            connection.execute(sa.update(webhook_delivery).where(*those).values(values))

    def again(self, number: int, event: int, now: datetime) -> bool:
        """Have one event sent once more, from its first try on; False where there is none, or it waits."""
        those = webhook_delivery.c.webhook_id == number, webhook_delivery.c.event_id == event
        settled = webhook_delivery.c.next_at.is_(None)
        with self._database.write() as connection:
            values = {"state": Fate.WAITING, "tries": 0, "next_at": now, "reply": ""}
            return connection.execute(sa.update(webhook_delivery).where(*those, settled).values(values)).rowcount == 1

    def _one(self, which: sa.ColumnElement[bool], words: str) -> Webhook:
        with self._database.read() as connection:
            row = connection.execute(sa.select(webhook).where(which)).first()
        if row is None:
            raise NotFoundError(f"there is no webhook {words}; `newsletter webhooks list` shows them")
        return _webhook(row)

    def _change(self, *those: sa.ColumnElement[bool], **values: object) -> bool:
        with self._database.write() as connection:
            return connection.execute(sa.update(webhook).where(*those).values(values)).rowcount == 1

    def _is(self, row: WebhookDelivery) -> sa.ColumnElement[bool]:
        return sa.and_(webhook_delivery.c.webhook_id == row.webhook, webhook_delivery.c.event_id == row.event)

    def _deliveries(
        self, those: sa.ColumnElement[bool], *order: sa.ColumnElement[object], most: int
    ) -> Sequence[WebhookDelivery]:
        columns = [each for each in webhook_event.c if each.name != "id"]
        query = sa.select(webhook_delivery, *columns).join(
            webhook_event, webhook_event.c.id == webhook_delivery.c.event_id
        )
        with self._database.read() as connection:
            rows = connection.execute(query.where(those).order_by(*order).limit(most))
            return [
                WebhookDelivery(
                    webhook=row.webhook_id,
                    event=row.event_id,
                    happening=Happening(
                        kind=EventKind(row.kind), at=row.at, data=row.data, subscriber=row.subscriber_id, uid=row.uid
                    ),
                    fate=Fate(row.state),
                    tries=row.tries,
                    next_at=row.next_at,
                    tried_at=row.tried_at,
                    status=row.status,
                    reply=row.reply,
                )
                for row in rows
            ]


def _give_up(connection: Connection, number: int) -> None:
    waits = webhook_delivery.c.webhook_id == number, webhook_delivery.c.state == Fate.WAITING
    lost = {"state": Fate.LOST, "next_at": None, "reply": "the webhook was switched off"}
    connection.execute(sa.update(webhook_delivery).where(*waits).values(lost))


def _unknown(connection: Connection, happenings: Sequence[Happening]) -> Sequence[Happening]:
    """Those that were not written before."""
    named = [each.uid for each in happenings if each.uid]
    known: set[str] = set()
    if named:
        known = set(connection.scalars(sa.select(webhook_event.c.uid).where(webhook_event.c.uid.in_(named))))
    return [each for each in happenings if each.uid not in known]


def _event(uid: str, each: Happening) -> dict[str, object]:
    return {
        "uid": uid,
        "kind": each.kind,
        "at": each.at,
        "subscriber_id": each.subscriber,
        "data": dict(each.data),
    }


def _webhook(row: sa.Row[tuple[object, ...]]) -> Webhook:
    values = dict(row._mapping)
    return Webhook(**values | {"events": tuple(row.events)})
