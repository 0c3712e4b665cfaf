"""Which subscribers a page of a list shows, of any number: by the latest, or by how addresses begin."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Select, func, or_, select, union, union_all

from subscribers.tables import subscriber, subscription

__all__ = ["numbers"]

_FEW = 8000
"""The root of 50 rows a page times a million subscribers: from there on the one way to look is as long as the other."""


def numbers(
    connection: Connection, begins: str, newsletters: Sequence[str], status: str | None, below: int | None, limit: int
) -> Sequence[int]:
    """The numbers of up to `limit` subscribers in the order of the list; see `Subscribers.look`."""
    held = [_held(name, status) for name in newsletters]
    key = begins.strip().lower()
    query = _by_address(connection, key, held, below) if key else _latest(held, below, limit)
    return connection.scalars(query.limit(limit)).all()


def _held(newsletter: str, status: str | None) -> Select[int]:
    """The numbers of those who have such a subscription."""
    query = select(subscription.c.subscriber_id).where(subscription.c.newsletter == newsletter)
    return query if status is None else query.where(subscription.c.status == status)


def _latest(held: Sequence[Select[int]], below: int | None, limit: int) -> Select[int]:
    """Numbers, the highest first: of each newsletter as many as could be among them, which its index has in order."""
    if not held:
        query = select(subscriber.c.id).order_by(subscriber.c.id.desc())
        return query if below is None else query.where(subscriber.c.id < below)
    number = subscription.c.subscriber_id
    tops = [query if below is None else query.where(number < below) for query in held]
    each = [select(query.order_by(number.desc()).limit(limit).subquery()) for query in tops]
    found = union(*each).subquery()
    return select(found.c.subscriber_id).order_by(found.c.subscriber_id.desc())


def _by_address(connection: Connection, key: str, held: Sequence[Select[int]], below: int | None) -> Select[int]:
    """Numbers in the order of their addresses.

    Where few have such a subscription, those are looked through; else the addresses are, until enough of theirs are
    found. Either takes some thousand steps in a million, and neither alone would.
    """
    address = subscriber.c.address_key
    chosen = [address >= key, address < key + "\U0010ffff"]
    if below is not None:
        chosen.append(address > select(address).where(subscriber.c.id == below).scalar_subquery())
    query = select(subscriber.c.id).where(*chosen).order_by(address)
    if not held:
        return query
    some = union_all(*(select(each.limit(_FEW + 1).subquery()) for each in held)).subquery()
    if (connection.scalar(select(func.count()).select_from(some)) or 0) <= _FEW:
        numbers = union(*held).subquery()
        return query.join(numbers, numbers.c.subscriber_id == subscriber.c.id)
    return query.where(or_(*(each.where(subscription.c.subscriber_id == subscriber.c.id).exists() for each in held)))
