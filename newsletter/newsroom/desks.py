"""Making a desk: the starter desk of `newsletter init`, the sample desk of `newsletter demo`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from pathlib import Path

from newsletter import gather
from newsletter.errors import InputError
from newsletter.newsroom.readership import importing
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Account, Role
from subscribers.database import upgrade as upgrade_subscribers

__all__ = ["Made", "fill_with_samples", "make_desk", "make_sample_desk", "upgrade"]

ENV_HEAD = "# Settings of this desk; `newsletter config` explains each. Keep this file to yourself.\n"


@dataclass(frozen=True, slots=True)
class Made:
    """A new desk; `password` is the first admin's, shown once, or None when there was an admin already."""

    desk: Path
    admin: Account | None
    password: str | None


def upgrade(room: Newsroom) -> None:
    """Bring the database's schema, the newsletter's and the subscribers', up to date."""
    room.bare_database.upgrade()
    upgrade_subscribers(room.bare_database.engine)


def make_desk(folder: Path, admin: str | None = None) -> Made:
    """A starter desk in the folder; what is there already stays as it is. Raises `InputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}") from None
    _keep_or_write(folder / "schedule.yaml", _shipped("schedule.yaml"))
    return _open_new(folder, admin)


def make_sample_desk(folder: Path) -> Made:
    """A desk with the sample schedule, for `fill_with_samples`."""
    folder.mkdir(parents=True, exist_ok=True)
    _keep_or_write(folder / "schedule.yaml", _sample("schedule.yaml"))
    return _open_new(folder, "editor@example.com")


def fill_with_samples(room: Newsroom) -> int:
    """Put the day's sample stories into the inbox, the older ones into the store, and 25 readers on the list.

    Returns how many readers there are.
    """
    inbox = room.desk / "inbox"
    inbox.mkdir(exist_ok=True)
    lines = [json.dumps(document, ensure_ascii=False) for document in _dated(room, "stories.jsonl")]
    (inbox / "stories.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    older = [json.dumps(document, ensure_ascii=False) for document in _dated(room, "archive.jsonl")]
    now = room.clock.now()
    stories, refused = gather.read_story_file("\n".join(older).encode(), "archive.jsonl", None, now)
    assert not refused, refused
    room.stories.ingest(stories, now - timedelta(days=8))
    readers = room.desk / "readers.csv"
    readers.write_text(_sample("subscribers.csv"), encoding="utf-8")
    report = importing.take_in(room, readers, newsletters=(), consent_source=None)
    assert not report.refused, report
    return report.added


def _open_new(folder: Path, admin: str | None) -> Made:
    for name in ("templates", "inbox", "outbox"):
        (folder / name).mkdir(exist_ok=True)
    env = folder / ".env"
    if not env.exists():
        env.touch(mode=0o600)
        env.write_text(f"{ENV_HEAD}NEWSLETTER_SECRET_KEY={secrets.token_urlsafe(32)}\n", encoding="utf-8")
    with Newsroom.open(folder) as room:
        upgrade(room)
        if admin is None:
            return Made(room.desk, None, None)
        if (existing := room.accounts.find(admin)) is not None:
            return Made(room.desk, existing, None)
        password = secrets.token_urlsafe(12)
        account = room.accounts.add(admin, Role.ADMIN, room.clock.now(), password)
        return Made(room.desk, account, password)


def _keep_or_write(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, encoding="utf-8")


def _shipped(name: str) -> str:
    """A file of the wheel's `_bundled` folder, or of the checkout's top."""
    bundled = resources.files("newsletter") / "_bundled" / name
    if bundled.is_file():
        return bundled.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / name).read_text(encoding="utf-8")


def _sample(name: str) -> str:
    return (resources.files("newsletter") / "demo" / name).read_text(encoding="utf-8")


def _dated(room: Newsroom, name: str) -> Iterator[dict[str, object]]:
    """Sample stories with `hours_ago` turned into `published_at`."""
    now = room.clock.now()
    for line in _sample(name).splitlines():
        document = json.loads(line)
        document["published_at"] = (now - timedelta(hours=document.pop("hours_ago"))).isoformat()
        yield document
