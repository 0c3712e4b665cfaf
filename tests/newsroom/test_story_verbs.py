"""What editors do to stories, and what outlives the next poll."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from newsletter.errors import ChecksFailedError, InputError, NotFoundError, NothingToDoError
from newsletter.model import CountryOrigin, NoteOrigin, Provenance, Story, StoryStatus
from newsletter.newsroom import Newsroom
from newsletter.newsroom.intake import related, stories
from newsletter.newsroom.issue import issues

from .conftest import NOW

CHIPS = "Samsung raises memory chip output"
NOTE = ("A first paragraph.", "A second one.")
MADE = Provenance("small-model", "p" * 16, "i" * 16)


@pytest.fixture
def chips(room: Newsroom, a_story: Callable[..., Story]) -> Story:
    room.stories.ingest([a_story("chips", CHIPS, country=None)], NOW)
    return room.stories.get("wire:chips")


def test_an_editors_country_is_locked(room: Newsroom, chips: Story) -> None:
    assert [story.id for story in room.stories.list(undecided=True)] == [chips.id]
    filed = stories.file_under(room, chips.id, "KR", "chief")
    assert (filed.country, filed.country_origin, filed.revision) == ("KR", CountryOrigin.EDITOR, 2)
    room.stories.ingest([replace(chips, country="US", country_origin=CountryOrigin.FEED, summary="More.")], NOW)
    again = room.stories.get(chips.id)
    assert (again.country, again.summary, again.revision) == ("KR", "More.", 3)
    assert list(room.stories.list(undecided=True)) == []
    for spelt in ("kr", "South Korea", "south korea"):
        assert stories.file_under(room, chips.id, spelt, "chief").country == "KR"
    for wrong in ("Korea", "asia", "EU", ""):
        with pytest.raises(InputError, match="is no country"):
            stories.file_under(room, chips.id, wrong, "chief")


def test_a_status_is_the_desks_and_stays(room: Newsroom, chips: Story) -> None:
    stories.set_status(room, chips.id, StoryStatus.HELD, "chief", "checking")
    room.stories.ingest([replace(chips, summary="More.")], NOW)
    assert room.stories.get(chips.id).status is StoryStatus.HELD
    stories.set_status(room, chips.id, StoryStatus.WITHDRAWN, "chief", "wrong")
    with pytest.raises(NothingToDoError):
        stories.set_status(room, chips.id, StoryStatus.WITHDRAWN, "chief", "wrong")
    with pytest.raises(InputError, match="say why"):
        stories.set_status(room, chips.id, StoryStatus.WITHDRAWN, "chief", " ")
    with pytest.raises(InputError, match="cannot become held"):
        stories.set_status(room, chips.id, StoryStatus.HELD, "chief")
    assert [(e.who, e.what, e.why) for e in room.stories.events(chips.id)] == [
        ("chief", "held", "checking"),
        ("chief", "withdrawn", "wrong"),
    ]
    with pytest.raises(NotFoundError):
        stories.set_status(room, "wire:nothing", StoryStatus.HELD, "chief")


@pytest.mark.parametrize("status", [StoryStatus.HELD, StoryStatus.WITHDRAWN])
def test_what_is_kept_back_is_so_in_every_copy(
    room: Newsroom, a_story: Callable[..., Story], status: StoryStatus
) -> None:
    text = "The report says that the plant in Pyeongtaek will make a third more chips from next spring on."
    copy = a_story("copy", "Chips: Samsung to make more", summary=text, source="other", hours_ago=0.5)
    room.stories.ingest([a_story("chips", CHIPS, summary=text, url=copy.url)], NOW)
    related.keep_up(room)
    stories.set_status(room, "wire:chips", status, "chief", "false")
    # From another source, with another headline, and only after the first was kept back.
    room.stories.ingest([copy, a_story("next", "Samsung memory chip output and prices rise")], NOW)
    related.keep_up(room)

    assert stories.copies_of(room, room.stories.get("wire:chips")) == [copy.id]
    assert room.stories.statuses([copy.id, "wire:next"]) == {copy.id: status, "wire:next": StoryStatus.READY}
    issue = issues.build(room, "asia-ai-daily")
    assert issue.snapshot is not None
    assert [placed.story.id for placed in issue.snapshot.placed] == ["wire:next"]
    assert related.offers(room, [room.stories.get("wire:next")]) == {"wire:next": []}

    related.choose(room, copy.id, "wire:chips", related.Choice.APART, "chief")
    assert room.stories.statuses([copy.id]) == {copy.id: StoryStatus.READY}


def test_a_near_copy_of_what_was_withdrawn_is_one_with_it(room: Newsroom, a_story: Callable[..., Story]) -> None:
    text = "The report says that the plant in Pyeongtaek will make a third more memory chips from next spring on."
    room.stories.ingest([a_story("chips", CHIPS, summary=text)], NOW)
    related.keep_up(room)
    stories.set_status(room, "wire:chips", StoryStatus.WITHDRAWN, "chief", "false")
    room.stories.ingest([a_story("copy", f"{CHIPS} by a third", summary=text, source="other")], NOW)
    related.keep_up(room)
    assert room.stories.statuses(["other:copy"]) == {"other:copy": StoryStatus.WITHDRAWN}


def test_a_draft_without_a_link_cannot_be_released_and_its_link_releases_it(room: Newsroom, chips: Story) -> None:
    linkless = replace(chips, external_id="9", url="", url_canonical="", status=StoryStatus.DRAFT)
    room.stories.ingest([linkless], NOW)
    with pytest.raises(InputError, match="has no link"):
        stories.set_status(room, "wire:9", StoryStatus.READY, "chief")
    room.stories.ingest([replace(linkless, url="https://example.com/9", status=StoryStatus.READY)], NOW)
    assert room.stories.get("wire:9").status is StoryStatus.READY


def drafted(room: Newsroom, story_id: str) -> Story:
    return room.stories.edit(
        story_id,
        lambda story: replace(story, note=NOTE, note_provenance=MADE),
        who="model small-model",
        what="note drafted",
        now=NOW,
    )


def test_a_drafted_note_is_held_and_outlives_polls(room: Newsroom, chips: Story) -> None:
    assert drafted(room, chips.id).shown_note == ()
    assert room.stories.ingest([chips], NOW).unchanged == 1
    assert room.stories.get(chips.id).note == NOTE
    with pytest.raises(ChecksFailedError, match="changed since it was read"):
        stories.approve_note(room, chips.id, "chief", note=["Something else."])
    approved = stories.approve_note(room, chips.id, "chief", note=NOTE)
    assert approved.shown_note == NOTE
    assert approved.note_provenance == MADE
    with pytest.raises(NothingToDoError):
        stories.approve_note(room, chips.id, "chief")
    assert room.stories.ingest([chips], NOW).unchanged == 1


def test_an_approval_covers_the_words_it_was_given_for(room: Newsroom, chips: Story) -> None:
    drafted(room, chips.id)
    stories.approve_note(room, chips.id, "chief")
    room.stories.ingest([replace(chips, summary="Nothing of this is true any more.")], NOW)
    again = room.stories.get(chips.id)
    assert again.note == NOTE
    assert again.shown_note == ()
    undone = room.stories.events(chips.id)[-1]
    assert (undone.who, undone.what) == ("source wire", "note waits for approval again")
    assert undone.why == "the headline or summary changed; chief had approved it"


def test_a_note_of_the_publishers_own_comes_and_goes_with_it(room: Newsroom, chips: Story) -> None:
    theirs = replace(chips, note=NOTE, note_approved_by="Their Editor")
    room.stories.ingest([theirs], NOW)
    assert room.stories.get(chips.id).shown_note == NOTE
    room.stories.ingest([chips], NOW)
    assert room.stories.get(chips.id).note == ()


def test_an_editors_note_stays_and_a_rejected_one_does_not_come_back(room: Newsroom, chips: Story) -> None:
    drafted(room, chips.id)
    written = stories.write_note(room, chips.id, "<b>My</b> own words.\n \n", "chief")
    assert (written.shown_note, written.note_origin) == (("My own words.",), NoteOrigin.HUMAN)
    assert written.note_provenance is None
    room.stories.ingest([replace(chips, note=("Theirs.",))], NOW)
    assert room.stories.get(chips.id).note == ("My own words.",)
    stories.reject_note(room, chips.id, "chief", "not good")
    room.stories.ingest([replace(chips, note=("Theirs again.",))], NOW)
    assert room.stories.get(chips.id).note == ()
    with pytest.raises(InputError, match="empty"):
        stories.write_note(room, chips.id, " ", "chief")


def test_a_note_that_is_too_long_is_refused_whole(light_room: Newsroom, a_story: Callable[..., Story]) -> None:
    light_room.stories.ingest([a_story("chips", CHIPS)], NOW)
    with pytest.raises(InputError, match="has 5 paragraphs"):
        stories.write_note(light_room, "wire:chips", "\n\n".join(["One."] * 5), "chief")
    with pytest.raises(InputError, match="paragraph 2 of the note has 2001 characters"):
        stories.write_note(light_room, "wire:chips", "One.\n\n" + "x" * 2001, "chief")
    assert light_room.stories.get("wire:chips").note == ()


def test_a_source_takes_back_what_it_sent_and_brings_nothing_back_that_the_desk_withdrew(
    room: Newsroom, chips: Story
) -> None:
    room.stories.ingest([replace(chips, status=StoryStatus.WITHDRAWN)], NOW)
    assert room.stories.get(chips.id).status is StoryStatus.WITHDRAWN
    assert [(event.who, event.what) for event in room.stories.events(chips.id)] == [("source wire", "withdrawn")]
    assert room.stories.ingest([chips], NOW).unchanged == 1


def test_words_are_found_in_any_script_best_first(room: Newsroom, a_story: Callable[..., Story]) -> None:
    room.stories.ingest(
        [
            a_story("1", "Samsung raises chip output"),
            a_story("2", "Chips and more chips: Samsung's chip year", country="KR"),
            a_story("3", "人工智能的发展", summary="北京发布规划"),
            a_story("4", "กรุงเทพน้ำท่วมหนัก"),
            a_story("5", "Nothing of that", status=StoryStatus.HELD),
        ],
        NOW,
    )

    def found(words: str, **only: object) -> list[str]:
        return [story.external_id for story in stories.search(room, words, **only)]  # type: ignore[arg-type]

    assert found("samsung CHIPS") == ["2", "1"]
    assert found("samsung chips", country="KR") == ["2"]
    assert found("samsung chips", limit=1) == ["2"]
    assert found("人工智能") == ["3"]
    assert found("北京 规划") == ["3"]
    assert found("京") == found("展") == found("北 划") == ["3"]
    assert found("茶") == []
    assert found("น้ำท่วม") == ["4"]
    assert found("nothing that", status=StoryStatus.HELD) == []
    assert found("samsung quays") == []
    assert found("…") == []
    room.stories.ingest([a_story("1", "Micron raises chip output")], NOW)
    assert found("micron") == ["1"]
    assert found("samsung") == ["2"]
