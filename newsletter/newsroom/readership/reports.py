"""Reports from readers: who may write one is who holds a link, and an editor decides what becomes of it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from newsletter.errors import InputError, NotFoundError
from newsletter.model import Edition, IssueId
from newsletter.newsroom.readership.turns import in_turn
from newsletter.newsroom.room import Newsroom
from newsletter.tokens import Purpose

__all__ = ["MOST_WORDS", "Reportable", "address_of_edition", "address_of_story", "report", "reportable"]

MOST_WORDS = 2000
"""Characters of one report."""


@dataclass(frozen=True, slots=True)
class Reportable:
    """What a link lets its bearer report about: the stories of an edition, or one story alone, with their headlines."""

    newsletter: str
    issue: IssueId | None
    language: str | None
    title: str
    contact: str
    stories: tuple[tuple[str, str], ...]


def address_of_edition(room: Newsroom, issue_id: IssueId, edition: str) -> str:
    """Where readers of an edition report; the same for all of them, so that it tells nothing of who they are."""
    return f"{room.settings.base_url}/report/{room.signer.sign(Purpose.REPORT, f'{issue_id}|{edition}')}"


def address_of_story(room: Newsroom, newsletter: str, story_id: str) -> str:
    """Where whoever reads a story's own page reports, without host."""
    return f"/report/{room.signer.sign(Purpose.REPORT, f'{newsletter}|{story_id}')}"


def reportable(room: Newsroom, token: str) -> Reportable | None:
    """What that link is for; None for one that we did not make, or of an issue that has not left."""
    payload = room.signer.verify(Purpose.REPORT, token, room.clock.now())
    if payload is None:
        return None
    named, _, what = payload.partition("|")
    return _of_edition(room, IssueId.parse(named), what) if "/" in named else _of_story(room, named, what)


def report(room: Newsroom, about: Reportable, story: str, words: str) -> None:
    """Put it into the editors' queue; the same words about the same story are kept once.

    Raises `InputError` for no words, for too many, or for a story that the link is not for.
    """
    titles = dict(about.stories)
    if story and story not in titles:
        raise InputError("that story is not in this issue")
    if not story and about.issue is None:
        raise InputError("a story is missing")
    # As typed, with line ends of two: a long text is not even looked at, for ordering accents takes the square of it.
    kept = _plain(words) if len(words) <= 2 * MOST_WORDS else ""
    if not kept or len(kept) > MOST_WORDS:
        raise InputError(f"a report has 1 to {MOST_WORDS} characters")
    with in_turn(room):
        room.reader_reports.add(
            newsletter=about.newsletter,
            issue_id=about.issue,
            story=story,
            title=titles.get(story, about.title),
            words=kept,
            language=about.language or "",
            now=room.clock.now(),
        )


def _of_edition(room: Newsroom, issue_id: IssueId, key: str) -> Reportable | None:
    issue = room.issues.find(issue_id)
    if issue is None or issue.snapshot is None or issue.frozen_at is None:
        return None
    said, edition = issue.snapshot, Edition.parse(key)
    placed = [each.story for section in said.sections_of(edition) for each in section.stories]
    stories = tuple((story.id, story.title) for story in placed)
    contact = said.sender.reply_to or said.sender.address
    return Reportable(issue_id.newsletter, issue_id, edition.language, said.title, contact, stories)


def _of_story(room: Newsroom, name: str, story_id: str) -> Reportable | None:
    newsletter = room.plan.newsletters.get(name)
    try:
        story = room.stories.get(story_id)
    except NotFoundError:
        return None
    if newsletter is None:
        return None
    contact = newsletter.sender.reply_to or newsletter.sender.address
    return Reportable(name, None, None, newsletter.title, contact, ((story.id, story.title),))


def _plain(words: str) -> str:
    """Without what no screen can show, or what would turn the text around it about."""
    kept = (
        letter
        for letter in unicodedata.normalize("NFC", words.replace("\r\n", "\n"))
        if letter == "\n" or (unicodedata.category(letter) not in ("Cc", "Cs", "Co", "Cn") and letter not in _TURNING)
    )
    return "".join(kept).strip()


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
