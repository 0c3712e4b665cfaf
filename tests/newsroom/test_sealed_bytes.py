"""Whatever happens around an approval, every message holds the bytes that were approved, slots aside."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import ChecksFailedError, NewsletterError
from newsletter.model import IssueId, IssueState, RenderedEdition, Story
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import correcting, sending
from newsletter.newsroom.issue import editing, issues, previews
from newsletter.ports import SLOT_NAMES, slot
from subscribers.signups import Terms

from .conftest import NOW

NAME = "asia-ai-daily"
CHIEF = "chief@example.com"
SLOTS = re.compile("|".join(map(slot, SLOT_NAMES)))
COUNTRIES = ("CN", "JP", "KR", "IN")
TABLES = (
    "story_event", "story_revision", "story", "correction", "issue_story", "edition", "issue_event", "delivery",
    "issue_progress", "issue", "subscription", "subscriber",
)  # fmt: skip

acts = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["edit", "build", "approve", "mend", "correct", "undo", "hold back"]), st.just([])),
        st.tuples(st.just("reader"), st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3, unique=True)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=acts, after=acts)
def test_what_leaves_was_approved(
    before: list[tuple[str, list[str]]],
    after: list[tuple[str, list[str]]],
    light_room: Newsroom,
    a_story: Callable[..., Story],
) -> None:
    room, numbers = light_room, count()
    with room.database.write() as connection:
        for table in TABLES:
            connection.exec_driver_sql(f"DELETE FROM {table}")
    for folder in (".journal", "outbox"):  # else the desk would know that its database has forgotten mail
        shutil.rmtree(room.desk / folder, ignore_errors=True)
    room.stories.ingest([a_story(place, f"News of harbour {place}", country=place) for place in COUNTRIES], NOW)
    happen(room, "reader", ["CN", "JP"], numbers)
    issue_id = issues.build(room, NAME).id
    for act, places in [*before, ("approve", []), *after]:
        happen(room, act, places, numbers, issue_id)
    issue = room.issues.get(issue_id)
    if issue.state is not IssueState.APPROVED:
        try:
            sending.send(room, issue_id)
        except ChecksFailedError:
            assert not sent_to(room, issue_id), "nothing leaves that is not approved"
            issues.approve(room, issues.build(room, NAME).id, CHIEF)
    try:
        sending.send(room, issue_id)
    except ChecksFailedError:
        assert not sent_to(room, issue_id)
        return
    issue = room.issues.get(issue_id)
    assert issue.approved_revision == issue.revision
    sealed = room.seals.editions(issue_id, issue.revision)
    rows = {row.email: row for row in room.deliveries.rows(issue_id)}
    assert rows
    for address, html, text in sent_to(room, issue_id):
        edition = sealed[rows[address].edition]
        assert made_of(html, edition.html), address
        assert made_of(text, edition.text), address
        assert rows[address].revision == issue.revision


def happen(room: Newsroom, act: str, places: list[str], numbers: count[int], issue_id: IssueId | None = None) -> None:
    number = next(numbers)
    if act == "reader":
        file = room.desk / "readers.csv"
        row = f"r{number}@example.com,confirmed,2026-01-01T00:00:00Z,{';'.join(places)}"
        file.write_text(f"email,status,consent_at,countries\n{row}\n", encoding="utf-8")
        terms = Terms(known=frozenset({NAME}), newsletters=(NAME,), consent_source="test")
        room.subscribers.import_file(file, terms, NOW)
    if act == "mend":
        story = room.stories.find(["wire:CN"])["wire:CN"]
        room.stories.ingest([replace(story, title=f"Mended harbour {number}")], NOW)
    if issue_id is None:
        return
    try:
        match act:
            case "edit":
                editing.edit(room, issue_id, subject=f"Ours {number}", who="ed@example.com")
            case "build":
                issues.build(room, NAME)
            case "approve":
                issues.approve(room, issue_id, CHIEF)
            case "correct":
                correcting.correct(room, issue_id, "wire:CN", who="ed@example.com")
            case "undo":
                correcting.undo(room, issue_id, who="ed@example.com")
            case "hold back":
                room.issues.hold_back(issue_id, NOW, "sender", "a check")
    except NewsletterError:
        pass  # it was not the moment for that


def sent_to(room: Newsroom, issue_id: IssueId) -> list[tuple[str, str, str]]:
    """Address, HTML and text of everything in the outbox that was sent by this very issue row."""
    found = []
    wanted = {row.message_id for row in room.deliveries.rows(issue_id)}
    for path in (room.desk / "outbox").rglob("*.eml"):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        if message["Message-ID"] not in wanted:
            continue
        html, text = message.get_body(("html",)), message.get_body(("plain",))
        assert html is not None
        assert text is not None
        found.append((message["To"].addresses[0].addr_spec, html.get_content(), text.get_content()))
    return found


def made_of(whole: str, sealed: str) -> bool:
    """Whether it is the sealed part with something in place of each slot."""
    constants = [re.escape(part) for part in SLOTS.split(sealed.replace("\r\n", "\n").rstrip("\n"))]
    return re.fullmatch(".*?".join(constants), whole.replace("\r\n", "\n").rstrip("\n"), re.DOTALL) is not None


def test_the_comparison_itself_notices_one_changed_letter(light_room: Newsroom, a_story: Callable[..., Story]) -> None:
    light_room.stories.ingest([a_story(place, f"News of {place}", country=place) for place in COUNTRIES], NOW)
    edition: RenderedEdition = previews.preview(light_room, issues.build(light_room, NAME).id)
    filled = SLOTS.sub("https://example.com/x", edition.html)
    assert made_of(filled, edition.html)
    assert not made_of(filled.replace("News of CN", "News of CM"), edition.html)
