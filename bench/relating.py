"""Related reading among 100,000 stories: the index, one more story, one question; SQLite's FTS5 on the same texts."""

from __future__ import annotations

import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from newsletter.compose import WINDOW
from newsletter.model import Story
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.intake.related import Round, keep_up, take_in
from newsletter.storage.tables import story as story_table
from newsletter.words import terms_of, text_of

STORIES = 100_000
QUESTIONS = 200
FTS_QUESTIONS = 12
ADDED = 15
FTS_ASK = "SELECT rowid, bm25(story) FROM story WHERE story MATCH ? ORDER BY 2 LIMIT 40"
NOW = datetime(2026, 5, 27, tzinfo=UTC)


def measure() -> Sequence[str]:
    """The rows of the page."""
    work = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        desks.make_sample_desk(work)
        with Newsroom.open(work, environ={}) as room:
            made = list(_stories(STORIES))
            stored = _seconds(lambda: room.stories.ingest(made, NOW))
            indexed = _seconds(lambda: take_in(room))
            with room.database.write() as connection:
                connection.execute(sa.update(story_table).values(related_revision=1))
            rows = room.story_links.rows_of([story.id for story in made[:QUESTIONS]])
            asked = [
                _seconds(lambda story=story: Round(room).related(rows[story.id], story, 3))
                for story in made[:QUESTIONS]
            ]
            bare_times = [_seconds(lambda story=story: _ask(room, story)) for story in made[:QUESTIONS]]
            added = [_seconds(lambda story=story: _arrive(room, story)) for story in _stories(ADDED, "more")]
            found = _seconds(lambda: list(room.stories.rows(room.story_index.holding(made[0].title, 50))))
            listed = _seconds(lambda: list(room.stories.list(country="CN", limit=50)))
        fts = _fts5(work / "fts.db", made)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    question, bare = statistics.median(asked), statistics.median(bare_times)
    one_more = statistics.median(added)
    return [
        f"## Related reading among {STORIES:,} stories",
        "",
        "| what | time | bar |",
        "|---|---|---|",
        f"| store them, for comparison | {stored:.1f} s | |",
        f"| index them from the database | {indexed:.1f} s | 8 s |",
        f"| one more story: stored, indexed, related, and its neighbours again | {one_more * 1e3:.0f} ms | 50 ms |",
        f"| one question: stories read, rules applied; median of {QUESTIONS} | {question * 1e3:.1f} ms | 3 ms |",
        f"| the index alone, all terms of the story | {bare * 1e3:.2f} ms | |",
        f"| SQLite FTS5, the same terms, median of {FTS_QUESTIONS} | {fts * 1e3:.0f} ms | |",
        f"| FTS5 against the index alone | {fts / bare:.0f} × | 50 × |",
        f"| FTS5 against the whole question | {fts / question:.0f} × | |",
        f"| search for the words of a headline | {found * 1e3:.1f} ms | |",
        f"| list the latest 50 of a country | {listed * 1e3:.1f} ms | |",
    ]


def _ask(room: Newsroom, story: Story) -> None:
    terms = terms_of(text_of(story))
    after, until = story.published_at - WINDOW, story.published_at + WINDOW
    room.story_index.like(terms, after=after, until=until, limit=40)


def _arrive(room: Newsroom, story: Story) -> None:
    room.stories.ingest([story], NOW)
    keep_up(room)


def _fts5(path: Path, stories: Sequence[Story]) -> float:
    """Median seconds of one question to an FTS5 table of the same terms: any of them, best 40 by its bm25()."""
    database = sqlite3.connect(path)
    database.execute("CREATE VIRTUAL TABLE story USING fts5(terms, tokenize='unicode61')")
    database.executemany("INSERT INTO story VALUES (?)", ((" ".join(terms_of(text_of(each))),) for each in stories))
    database.commit()
    times = []
    for each in stories[:FTS_QUESTIONS]:
        query = " OR ".join(f'"{term}"' for term in dict.fromkeys(terms_of(text_of(each))))
        times.append(_seconds(lambda query=query: database.execute(FTS_ASK, (query,)).fetchall()))
    database.close()
    return statistics.median(times)


def _stories(count: int, source: str = "made") -> Iterator[Story]:
    """Made-up stories of the length of real ones: their words by Zipf's law, ten stories to an event."""
    dice = random.Random(source)
    words = [
        "".join(dice.choices("bdfgklmnprst", k=1)[0] + dice.choices("aeiou", k=1)[0] for _ in range(dice.randint(2, 4)))
        for _ in range(40_000)
    ]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    event: list[str] = []
    for number in range(count):
        if number % 10 == 0:
            event = dice.choices(words[2_000:], k=8)
        title = " ".join([*dice.sample(event, 4), *dice.choices(words, weights, k=5)])
        summary = " ".join([*dice.sample(event, 5), *dice.choices(words, weights, k=40)])
        yield Story(
            source=source,
            external_id=str(number),
            url=f"https://example.com/{source}/{number}",
            title=title.capitalize(),
            summary=summary.capitalize() + ".",
            outlet="Made",
            country=dice.choice(("CN", "JP", "KR", "IN")),
            published_at=NOW - timedelta(minutes=number * 2.5),
        )


def _seconds(action: Callable[[], object]) -> float:
    before = time.perf_counter()
    action()
    return time.perf_counter() - before
