"""How long each kind of record is kept: what is older goes, once a day, in small transactions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.newsroom.room import Newsroom
from newsletter.storage import retention
from newsletter.storage.forgetting import sweep_traces
from subscribers.retention import prune_bounces, prune_pending, prune_requests

__all__ = ["KINDS", "Pruned", "prune"]


@dataclass(frozen=True, slots=True)
class Pruned:
    """So many records of a kind that were too old, by a setting's number of days."""

    what: str
    number: int
    setting: str
    days: int

    @property
    def kept(self) -> str:
        """For how long they are kept, in words."""
        return f"{self.days} days" if self.days else "good"

    def as_json(self) -> dict[str, object]:
        """One record of `newsletter db prune --json`; `days` 0: for good."""
        return {"what": self.what, "number": self.number, "setting": self.setting, "days": self.days}


KINDS = {
    "deliveries": "keep_deliveries",
    "bounces": "keep_bounces",
    "requests": "keep_requests",
    "pending sign-ups": "keep_pending",
    "desk mails": "keep_desk_mails",
    "sessions": "keep_sessions",
    "events told to webhooks": "keep_webhook_events",
    "lines of the audit log": "keep_audit",
}
"""Each kind of record, and the setting that says for how many days it is kept."""


def prune(room: Newsroom, *, dry_run: bool = False) -> list[Pruned]:
    """Take away what is too old, or with `dry_run` only count it."""
    database, engine, now = room.database, room.database.engine, room.clock.now()
    verbs: dict[str, Callable[[datetime], int]] = {
        "deliveries": lambda before: retention.prune_deliveries(database, before, now, dry_run=dry_run),
        "bounces": lambda before: prune_bounces(engine, before, dry_run=dry_run),
        "requests": lambda before: prune_requests(engine, before, dry_run=dry_run),
        "pending sign-ups": lambda before: prune_pending(engine, before, dry_run=dry_run),
        "desk mails": lambda before: retention.prune_desk_mails(database, before, dry_run=dry_run),
        "sessions": lambda before: retention.prune_sessions(database, before, dry_run=dry_run),
        "events told to webhooks": lambda before: retention.prune_webhook_events(database, before, dry_run=dry_run),
        "lines of the audit log": lambda before: retention.prune_audit(database, before, dry_run=dry_run),
    }
    done = []
    for what, setting in KINDS.items():
        days: int = getattr(room.settings, setting)
        number = verbs[what](now - timedelta(days=days)) if days else 0
        done.append(Pruned(what, number, f"NEWSLETTER_{setting.upper()}", days))
    if not dry_run and any(each.number for each in done):
        sweep_traces(database)
    return done
