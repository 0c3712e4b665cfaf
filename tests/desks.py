"""Desks with one approved issue, made quickly."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from newsletter.model import IssueId
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from subscribers.signups import Terms

__all__ = ["approved_desk", "readers_of"]

NEWSLETTER = "torture"
SCHEDULE = """\
version: 1
newsletters:
  torture:
    title: {title}
    at: "07:00"
    timezone: UTC
    days: [mon, tue, wed, thu, fri, sat, sun]
    template: briefing
    sender: {{name: {sender}, address: daily@example.com}}
    postal_address: 1 Example Street
    countries: [CN]
    approval: {{mode: manual}}
    archive: {archive}
    stories: {{min: 1}}
sources:
  desk: {{kind: folder, path: inbox}}
"""
STORY = {"title": "It goes on", "outlet": "Wire", "country": "CN"}


def approved_desk(
    folder: Path,
    environ: Mapping[str, str],
    readers: Iterator[tuple[str, str]],
    *,
    title: str = "Torture",
    sender: str = "Torture",
    archive: str = "private",
    stories: Sequence[Mapping[str, Any]] = (STORY,),
) -> IssueId:
    """A desk in `folder` whose issue of today waits to be sent to `readers` (address and name of each)."""
    desks.make_desk(folder)
    named = {
        "title": json.dumps(title, ensure_ascii=False),
        "sender": json.dumps(sender, ensure_ascii=False),
        "archive": archive,
    }
    (folder / "schedule.yaml").write_text(SCHEDULE.format(**named), encoding="utf-8")
    with Newsroom.open(folder, environ=dict(environ)) as room:
        if "NEWSLETTER_DATABASE_URL" in environ:
            desks.upgrade(room)
        now = room.clock.now()
        for number, story in enumerate(stories, 1):
            given = {"source": "desk", "external_id": str(number), "url": f"https://example.com/{number}"}
            whole = given | {"published_at": now.isoformat()} | story
            (folder / "inbox" / f"{number}.json").write_text(json.dumps(whole), encoding="utf-8")
        list(gathering.gather_all(room, gathering.polled_sources(room)))
        file = folder / "readers.csv"
        with file.open("w", encoding="utf-8", newline="") as written:
            rows = csv.writer(written)
            rows.writerow(("email", "name", "status", "consent_at"))
            rows.writerows((email, name, "confirmed", "2026-01-01T00:00:00Z") for email, name in readers)
        terms = Terms(known=frozenset({NEWSLETTER}), newsletters=(NEWSLETTER,), consent_source="test")
        room.subscribers.import_file(file, terms, now)
        issue = issues.build(room, NEWSLETTER)
        issues.approve(room, issue.id, "chief")
        return issue.id


def drop_story(inbox: Path, number: int, **values: object) -> None:
    """A story of the source `desk` about China, into the drop folder; `values` are further fields, or other ones."""
    document = {
        "source": "desk",
        "external_id": str(number),
        "url": f"https://example.com/{number}",
        "title": f"Story {number}",
        "outlet": "Wire",
        "country": "CN",
        "summary": "What happened.",
        "published_at": "2026-05-25T08:00:00Z",
        **values,
    }
    (inbox / f"{number}.json").write_text(json.dumps(document), encoding="utf-8")


def readers_of(count: int) -> Iterator[tuple[str, str]]:
    """So many readers without names: r0@example.com and so on."""
    return ((f"r{number}@example.com", "") for number in range(count))
