"""No reader ever sees a model's note that no editor approved: not in any sealed version of any issue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import ChecksFailedError
from newsletter.model import NoteOrigin, Provenance, Story
from newsletter.newsroom import Newsroom
from newsletter.newsroom.intake import stories
from newsletter.newsroom.issue import issues

from .conftest import NOW

NEWSLETTER = "asia-ai-daily"
COUNTRIES = ("CN", "JP", "KR", "IN", "SG")

acts = st.lists(
    st.sampled_from(["draft", "approve", "reject", "write", "poll", "poll with other words", "poll with a note"]),
    max_size=5,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=st.lists(acts, min_size=3, max_size=6), late=st.lists(acts, max_size=2))
def test_no_unapproved_note_reaches_a_sealed_issue(
    histories: list[list[str]], late: list[list[str]], light_room: Newsroom, a_story: Callable[..., Story]
) -> None:
    room = light_room
    with room.database.write() as connection:
        for table in ("story_event", "story_revision", "story", "issue_story", "edition", "issue_event", "issue"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    for number, history in enumerate(histories):
        first = a_story(
            f"s{number}", f"Quay{number} opens in port{number} of harbour{number}", country=COUNTRIES[number % 5]
        )
        room.stories.ingest([first], NOW)
        for step, act in enumerate(history):
            happen(room, first, act, f"Note{number}x{step}")
    draft = issues.build(room, NEWSLETTER)
    for number, history in enumerate(late):
        for step, act in enumerate(history):
            happen(room, room.stories.get(f"wire:s{number}"), act, f"Late{number}x{step}")
    held = {story.id: story.note for story in room.stories.list() if story.note and not story.shown_note}
    shown = {story.id: story.note for story in room.stories.list() if story.shown_note}
    try:
        sealed = issues.approve(room, draft.id, "chief@example.com")
    except ChecksFailedError:
        sealed = issues.approve(room, issues.build(room, NEWSLETTER).id, "chief@example.com")
    assert sealed.approved_by
    kept = room.seals.editions(draft.id, sealed.revision).values()
    assert kept
    everything = "\n".join(f"{each.subject} {each.preheader} {each.html} {each.text}" for each in kept)
    for story_id, note in held.items():
        assert not any(paragraph in everything for paragraph in note), (story_id, note)
    for story_id, note in shown.items():
        assert all(paragraph in everything for paragraph in note), (story_id, note)


def happen(room: Newsroom, first: Story, act: str, words: str) -> None:
    story = room.stories.get(first.id)
    match act:
        case "draft" if not story.note and "note" not in story.edited:
            made = Provenance("small-model", "p", "i")
            room.stories.edit(
                story.id,
                lambda s: replace(s, note=(words,), note_provenance=made),
                who="model",
                what="drafted",
                now=NOW,
            )
        case "approve" if story.note and not story.note_approved_by:
            stories.approve_note(room, story.id, "chief", note=story.note)
        case "reject" if story.note:
            stories.reject_note(room, story.id, "chief")
        case "write":
            stories.write_note(room, story.id, words, "chief")
            assert room.stories.get(story.id).note_origin is NoteOrigin.HUMAN
        case "poll":
            room.stories.ingest([first], NOW)
        case "poll with other words":
            room.stories.ingest([replace(first, summary=words)], NOW)
        case "poll with a note":
            room.stories.ingest([replace(first, note=(words,))], NOW)
