"""A desk to measure on: sample stories, many readers, one approved issue."""

from __future__ import annotations

import shutil
from pathlib import Path

from newsletter.newsroom import Newsroom, desks, gathering, issues
from subscribers.signups import Terms

NEWSLETTER = "asia-ai-daily"


def approved_desk(folder: Path, readers: int) -> str:
    """Make the desk in `folder` with that many readers of one country each; returns the approved issue's id."""
    desks.make_sample_desk(folder)
    with Newsroom.open(folder, environ={}) as room:
        desks.fill_with_samples(room)
        list(gathering.gather_all(room, gathering.polled_sources(room)))
        countries = room.plan.newsletters[NEWSLETTER].countries
        rows = ["email,name,newsletters,countries,status,consent_at,consent_source"]
        for number in range(readers):
            pair = f"{countries[number % 7]};{countries[(number + 1) % 7]}"
            stated = "confirmed,2026-01-01T00:00:00Z,bench"
            rows.append(f"reader{number}@example.com,Reader {number},{NEWSLETTER},{pair},{stated}")
        file = folder / "many.csv"
        file.write_text("\n".join(rows), encoding="utf-8")
        room.subscribers.import_file(file, Terms(known=frozenset(room.plan.newsletters)), room.clock.now())
        issue = issues.build(room, NEWSLETTER)
        issues.approve(room, issue.id, "bench")
        return str(issue.id)


def copied(desk: Path, target: Path) -> Path:
    """A fresh copy of the desk, so that each round sends an issue that nobody has sent."""
    shutil.copytree(desk, target)
    return target
