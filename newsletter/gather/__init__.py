"""Brings today's stories in, clean and once: one file per kind of source.

The doors below load what they need when they are called, so that importing this room costs nothing. A new kind
of source is one file with a class `(plan, desk, key) -> Source` and one row in `_KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from newsletter.errors import ConfigurationError
from newsletter.model import Refusal, Story
from newsletter.ports import Source

if TYPE_CHECKING:
    from newsletter.gather.calling import Called
    from newsletter.gather.drafting import Draft, Endpoint, Refused
    from newsletter.plan.values import Plan, SourcePlan

__all__ = [
    "call",
    "draft_note",
    "fetch_outside",
    "open_source",
    "read_ghost_webhook",
    "read_opml",
    "read_story_file",
    "settle_country",
    "source_kinds",
    "story_document",
    "why_not_called",
    "why_unreachable",
    "write_opml",
]

_KINDS = {
    "feed": ("newsletter.gather.feed", "FeedSource"),
    "folder": ("newsletter.gather.folder", "FolderSource"),
    "ghost": ("newsletter.gather.ghost", "GhostSource"),
    "jsonfeed": ("newsletter.gather.jsonfeed", "JsonFeedSource"),
    "ninjs": ("newsletter.gather.ninjs", "NinjsSource"),
    "wordpress": ("newsletter.gather.wordpress", "WordPressSource"),
}


def source_kinds() -> tuple[str, ...]:
    """The kinds that a source of schedule.yaml may have."""
    return tuple(_KINDS)


def open_source(plan: SourcePlan, desk: Path, key: str | None = None) -> Source:
    """The adapter for one source of schedule.yaml; raises `ConfigurationError` for a kind or key that cannot work.

    `key` is the secret that the source's `key:` leads to.
    """
    if plan.kind not in _KINDS:
        kinds = ", ".join(_KINDS)
        raise ConfigurationError(f"source {plan.id}: kind is {plan.kind!r}; the kinds that exist are {kinds}")
    module, name = _KINDS[plan.kind]
    adapter = cast("Callable[[SourcePlan, Path, str | None], Source]", getattr(import_module(module), name))
    return adapter(plan, desk, key)


def read_story_file(
    data: bytes,
    name: str,
    source: SourcePlan | None,
    now: datetime,
    sources: Mapping[str, SourcePlan] = MappingProxyType({}),
) -> tuple[list[Story], list[Refusal]]:
    """The stories of a story file (docs/story-files.md), and those refused, with their position and the reason.

    `name` says the format by its ending: .json, .jsonl, .csv, or .xml for a saved feed. `source` gives what a story
    leaves out, or without one that of `sources` which the story names. Raises `InputError` with file and line when
    nothing in it can be read.
    """
    from newsletter.gather.files import read_stories

    return read_stories(data, name, source, now, sources)


def read_opml(data: bytes, name: str, taken: Collection[str]) -> tuple[list[SourcePlan], list[Refusal]]:
    """The feeds of an OPML file as sources with ids other than those `taken`, and the outlines that are none."""
    from newsletter.gather.opml import read_opml

    return read_opml(data, name, taken)


def write_opml(sources: Iterable[SourcePlan], title: str) -> bytes:
    """The sources that are feeds, as an OPML file."""
    from newsletter.gather.opml import write_opml

    return write_opml(sources, title)


def read_ghost_webhook(
    data: bytes, signature: str, source: SourcePlan, key: str, now: datetime
) -> tuple[list[Story], list[Refusal]]:
    """The story that a webhook of Ghost brings; raises `InputError` for a signature that does not fit its body."""
    from newsletter.errors import InputError, SourceError
    from newsletter.gather.ghost import parse_webhook, verify_webhook

    verify_webhook(data, signature, key, now)
    try:
        return parse_webhook(data, source, now)
    except SourceError as error:
        raise InputError(str(error)) from None


def story_document(story: Story) -> dict[str, object]:
    """The JSON object of docs/story-files.md for a story; `read_story_file` reads it back to an equal one."""
    from newsletter.gather.document import write_story

    return write_story(story)


def why_unreachable(address: str, seconds: float) -> str | None:
    """Why a reader who follows the link would find nothing there; None where something answers within `seconds`."""
    from newsletter.gather.fetching import why_unreachable

    return why_unreachable(address, seconds)


def why_not_called(address: str, seconds: float) -> str | None:
    """GET an address so that whoever listens there knows; why that came to nothing, or None where it answered 2xx."""
    from newsletter.gather.fetching import why_not_called

    return why_not_called(address, seconds)


def fetch_outside(address: str, seconds: float, most: int) -> bytes:
    """What an https address outside answers, at most so many bytes and without a redirect; raises `SourceError`."""
    from newsletter.gather.fetching import fetch_outside

    return fetch_outside(address, seconds, most)


def call(address: str, body: bytes, headers: Mapping[str, str], seconds: float, inside: bool) -> Called:
    """POST to an address outside, or with `inside` also within; what came of it. Raises nothing."""
    from newsletter.gather.calling import call

    return call(address, body, headers, seconds, inside)


def draft_note(story: Story, endpoint: Endpoint) -> Draft | Refused:
    """A note for the story from an OpenAI-compatible endpoint, for an editor to approve; or why there is none."""
    from newsletter.gather.drafting import draft

    return draft(story, endpoint)


def settle_country(story: Story, plan: Plan) -> Story:
    """The story under its own country, else its tags', else its source's, else the one it speaks of beyond doubt."""
    from newsletter.gather.filing import with_country

    return with_country(story, plan.sources.get(story.source), plan.places)
