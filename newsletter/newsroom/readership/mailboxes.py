"""Where bounces are read from: files that a person names, and the mailbox that the clock asks."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.errors import NewsletterError, SettingError, SourceError
from newsletter.newsroom.readership.bouncing import Fate, Taken, take
from newsletter.newsroom.room import Newsroom
from subscribers.bounces.files import messages_in, size_of
from subscribers.bounces.mailbox import DONE, UNCLEAR, open_mailbox
from subscribers.bounces.model import BounceClass
from subscribers.errors import SubscriberError

__all__ = ["Reading", "poll", "read_files"]

log = logging.getLogger("newsletter.bounces")

AT_ONCE = 1_000
"""Messages of one poll; the rest has its turn at the next."""

_UNCLEAR = (Fate.FORGED, Fate.UNADDRESSED)


@dataclass(slots=True)
class Reading:
    """What was read: how many of each class and each fate, what could not be read, and what nobody could be found
    for or was not understood, by name."""

    classes: Counter[BounceClass] = field(default_factory=Counter)
    fates: Counter[Fate] = field(default_factory=Counter)
    unread: list[tuple[str, str]] = field(default_factory=list)
    unclear: list[tuple[str, str]] = field(default_factory=list)

    @property
    def messages(self) -> int:
        """How many were read."""
        return self.fates.total()

    def add(self, name: str, taken: Taken) -> None:
        """Count one more."""
        self.classes[taken.kind] += 1
        self.fates[taken.fate] += 1
        if is_unclear(taken):
            why = taken.fate if taken.fate in _UNCLEAR else taken.kind
            self.unclear.append((name, str(why)))

    def as_json(self) -> dict[str, object]:
        """The document of `newsletter bounces read --json`."""
        return {
            "messages": self.messages,
            "classes": {str(kind): self.classes[kind] for kind in BounceClass if self.classes[kind]},
            "fates": {str(fate): self.fates[fate] for fate in Fate if self.fates[fate]},
            "unread": [{"name": name, "why": why} for name, why in self.unread],
            "unclear": [{"name": name, "why": why} for name, why in self.unclear],
        }


def is_unclear(taken: Taken) -> bool:
    """Whether a person may want to look at it."""
    return taken.fate in _UNCLEAR or taken.kind is BounceClass.UNKNOWN


def read_files(
    room: Newsroom, paths: Sequence[Path], progress: Callable[[int, int], None] = lambda done, total: None
) -> Reading:
    """Take every message of these files and folders, each committed before the next; `progress` is in bytes."""
    reading, done = Reading(), 0
    total = sum(map(size_of, paths))
    for path in paths:
        for found in messages_in(path):
            if found.fault:
                reading.unread.append((found.name, found.fault))
            else:
                reading.add(found.name, take(room, found.data))
            done += found.read
            progress(min(done, total), total)
    return reading


def poll(room: Newsroom) -> Reading | None:
    """Take what waits in the mailbox of the settings, and put each message away once it is committed.

    None where there is no such mailbox, or another process is at it. Raises `SettingError`, and `SourceError` for a
    mailbox that cannot be asked; it is tried again.
    """
    address = room.settings.bounces_url
    if address is None or room.settings.rehearsal:
        return None
    password = room.settings.bounces_password
    if password is None and address.startswith("imaps:"):
        raise SettingError("NEWSLETTER_BOUNCES_URL needs a password; see NEWSLETTER_BOUNCES_PASSWORD_FILE")
    with room.database.hold("bounces") as held:
        try:
            return _empty(room, address, password) if held else None
        except SubscriberError as error:
            raise SourceError(f"{error}; it is tried again") from None


def _empty(room: Newsroom, address: str, password: str | None) -> Reading:
    reading = Reading()
    with open_mailbox(address, password) as mailbox:
        for name, data in mailbox.messages(AT_ONCE):
            try:
                taken = take(room, data)
            except NewsletterError:
                raise
            except Exception:
                log.exception("the message %s of the mailbox of bounces stays where it is", name)
                continue
            reading.add(name, taken)
            mailbox.put_away(name, UNCLEAR if is_unclear(taken) else DONE)
    return reading
