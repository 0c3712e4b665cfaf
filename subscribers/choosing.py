"""Changing preferences: the publisher sets defaults, the reader decides, and what a reader decided stays theirs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from subscribers import documents
from subscribers.errors import PreferenceError
from subscribers.model import Event, Subscriber
from subscribers.preferences import checked_preferences
from subscribers.records import save

__all__ = ["Choice", "Decision", "choose"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The evidence that a reader chose something themselves: when, and where (`preferences page`)."""

    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What came of a change, by the names of `Preferences`: `changed`, and `left` as the reader had decided it."""

    changed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def choose(
    connection: Connection,
    held: Subscriber,
    wanted: Mapping[str, object],
    now: datetime,
    *,
    how: str,
    decision: Decision | None = None,
    regions: Collection[str] = (),
) -> Choice:
    """Change what `wanted` names of somebody's preferences; `held` was read under a lock.

    With the `decision` of the reader it is theirs: from then on no file and no program changes it without one, and an
    older decision that comes late changes nothing. Raises `PreferenceError`.
    """
    if decision is not None and decision.at > now:
        raise PreferenceError("the reader's decision lies in the future; send it with the instant at which it was made")
    before = held.preferences
    chosen = checked_preferences(replace(before, **wanted), regions)  # type: ignore[arg-type]
    differing = tuple(name for name in wanted if getattr(chosen, name) != getattr(before, name))
    if held.decided_at is not None and (decision is None or decision.at < held.decided_at):
        return Choice(left=differing)
    after = replace(held, preferences=chosen, decided_at=decision.at if decision else None)
    told = {**documents.chosen(chosen), "how": how}
    if decision is not None and decision.source != how:
        told |= {"decided_at": decision.at.isoformat(), "decided": decision.source}
    newly = decision is not None and held.decided_at is None
    key, events = held.address.key, [Event(now, "preferences", told)] if differing or newly else []
    if after != held:
        save(connection, {key: held}, {key: after}, [(key, event) for event in events], now)
    return Choice(changed=differing)
