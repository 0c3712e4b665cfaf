"""A story's own page in the archive: related reading leads there, and what became of the story reaches its reader."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from newsletter.model import Edition, NoteOrigin, Snapshot, Story, StoryStatus, page_key, story_address
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.issue import issues, previews

from .conftest import BASE, ISSUE, NEWSLETTER, Visitor, also_in_arabic, dump


def drafted(room: Newsroom) -> Snapshot:
    snapshot = room.issues.get(ISSUE).snapshot
    assert snapshot is not None
    return snapshot


def story_links(room: Newsroom, kind: str = "html") -> list[str]:
    """Where the issue's related reading leads."""
    whole = previews.preview(room, ISSUE)
    page = rf"{re.escape(BASE)}(/archive/{NEWSLETTER}/stories/[0-9a-f]{{20}})"
    return sorted(set(re.findall(page, getattr(whole, kind))))


def test_related_reading_leads_to_the_stories_own_pages(sent: Newsroom) -> None:
    links = story_links(sent)
    assert links
    assert links == story_links(sent, "text")
    visitor = Visitor(sent)
    related = {each.id: each for placed in drafted(sent).placed for each in placed.related}
    for each in related.values():
        answer = visitor.http.get(story_address("", NEWSLETTER, each.id))
        assert answer.status_code == 200
        assert answer.headers["x-robots-tag"] == "all"
        assert each.title in html.unescape(answer.text)
        assert f'class="button ink" href="{html.escape(each.url)}"' in answer.text
    assert {story_address("", NEWSLETTER, each) for each in related} == set(links)


def test_a_story_that_no_issue_has_shown_has_no_page(sent: Newsroom, review: Newsroom) -> None:
    visitor = Visitor(sent)
    shown = {sent.story_pages.find(NEWSLETTER, page_key(story.id)) is not None: story for story in sent.stories.list()}
    assert visitor.http.get(story_address("", NEWSLETTER, shown[True].id)).status_code == 200
    assert visitor.http.get(story_address("", NEWSLETTER, shown[False].id)).status_code == 404
    assert visitor.http.get(f"/archive/{NEWSLETTER}/stories/{'0' * 20}").status_code == 404
    assert visitor.http.get(f"/archive/no-such/stories/{page_key(shown[True].id)}").status_code == 404
    early = Visitor(review).http.get(story_links(review)[0])
    assert early.status_code == 404
    assert "opens when the issue goes out" in early.text


def test_a_storys_page_tells_what_became_of_it(sent: Newsroom) -> None:
    visitor, now = Visitor(sent), sent.clock.now()
    story = next(placed.story for placed in drafted(sent).placed if placed.related)
    address = story_address("", NEWSLETTER, story.id)

    def changed(change: Callable[[Story], Story]) -> str:
        sent.stories.edit(story.id, change, who="chief@example.com", what="changed it", now=now)
        return html.unescape(visitor.http.get(address).text)

    assert "A corrected headline" in changed(lambda story: replace(story, title="A corrected headline"))
    note = {"note": ("Not for readers yet",), "note_origin": NoteOrigin.MODEL, "note_approved_by": None}
    assert "Not for readers yet" not in changed(lambda story: replace(story, **note))
    under_embargo = changed(lambda story: replace(story, embargo=now + timedelta(hours=1)))
    assert "cannot be read here at present" in under_embargo
    assert "A corrected headline" not in under_embargo
    assert visitor.http.get(address).status_code == 404
    held = changed(lambda story: replace(story, embargo=None, status=StoryStatus.HELD))
    assert "cannot be read here at present" in held
    assert "A corrected headline" not in held
    withdrawn = changed(lambda story: replace(story, status=StoryStatus.WITHDRAWN))
    assert "This story was withdrawn." in withdrawn
    assert "A corrected headline" not in withdrawn
    assert visitor.http.get(address).status_code == 410


def test_a_storys_page_speaks_the_editions_language(open_desk: Callable[..., Newsroom]) -> None:
    room = open_desk("review")
    also_in_arabic(room)
    issues.approve(room, ISSUE, "chief@example.com")
    sending.send(room, ISSUE)
    snapshot = drafted(room)
    assert snapshot.languages == ("en", "ar")
    arabic = previews.sealed_or_rendered(room, room.issues.get(ISSUE), Edition(snapshot.countries, "ar"))
    link = re.search(rf'{re.escape(BASE)}(/archive/[^"]*/stories/[^"]*)"', arabic.html)
    assert link is not None
    assert link[1].endswith("?lang=ar")
    visitor = Visitor(room)
    page = visitor.http.get(link[1]).text
    assert '<html lang="ar" dir="rtl">' in page
    assert "Related reading" not in page
    assert "Original reporting" not in page
    assert '<html lang="en" dir="ltr">' in visitor.http.get(link[1].removesuffix("ar") + "xx").text


def test_looking_at_a_storys_page_changes_nothing(sent: Newsroom) -> None:
    before = dump(sent)
    for link in story_links(sent):
        Visitor(sent).http.get(link)
        Visitor(sent).http.head(link)
    assert dump(sent) == before
