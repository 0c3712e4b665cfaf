"""Stories and who speaks of them, as the `stories` commands share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import print_json, print_table

if TYPE_CHECKING:
    from newsletter.model import Story

__all__ = ["AT_ARRIVAL", "cut", "print_stories", "story_argument", "why"]

AT_ARRIVAL = 2_000
"""Of how many stories, the latest ones, related reading is computed before a command ends."""

why = click.option("--reason", metavar="TEXT", default="", help="Why; kept with the story.")
story_argument = click.argument("story_id", metavar="ID")


def print_stories(found: Sequence[Story], as_json: bool, empty: str) -> None:
    """A table of stories, or one JSON document of them."""
    if as_json:
        from newsletter.newsroom.documents import story_document

        print_json([story_document(story) for story in found])
        return
    rows = [
        (story.id, story.country or "?", f"{story.published_at:%Y-%m-%d %H:%M}", story.outlet, cut(story.title))
        for story in found
    ]
    print_table(("id", "in", "published (UTC)", "outlet", "headline"), rows, empty)


def cut(text: str, width: int = 70) -> str:
    """A headline that fits on a line."""
    return text if len(text) <= width else text[: width - 1] + "…"
