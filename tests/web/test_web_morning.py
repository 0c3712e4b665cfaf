"""An editor's morning in a real browser: six newsletters, with scripts and without, by keyboard and by drag."""

from __future__ import annotations

import email
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from newsletter.model import IssueId, IssueState, Story
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from newsletter.storage import Role

from .browsing import faults, served, tab_to
from .conftest import EARLIER, FLAGS
from .sends import begin, send_some

NAMES = ("asia-ai-daily", "china", "japan", "korea", "india", "islands")
DAY = "2026-05-27"
CHIEF = "chief@desk.example"
NOTED = "desk:dukou-20617"
"""A story whose note of a model nobody has approved yet."""


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk of six newsletters, all in review."""
    folder = tmp_path_factory.mktemp("six") / "desk"
    desks.make_sample_desk(folder)
    plan = folder / "schedule.yaml"
    head, body = plan.read_text(encoding="utf-8").split("  asia-ai-daily:\n")
    copies = [body.replace("title: Asia AI Daily", f"title: {name.title()} AI") for name in NAMES[1:]]
    text = head + "".join(f"  {name}:\n{each}" for name, each in zip(NAMES, [body, *copies], strict=True))
    plan.write_text(text, encoding="utf-8")
    with Newsroom.open(folder, EARLIER, environ={}) as room:
        desks.fill_with_samples(room)
        assert all(polled.error is None for polled in gathering.gather_all(room, list(room.plan.sources.values())))
        room.stories.edit(
            NOTED, lambda held: replace(held, note_approved_by=None), who="x", what="held", now=room.clock.now()
        )
        for name in NAMES:
            issues.build(room, name)
        room.accounts.add(CHIEF, Role.APPROVER, room.clock.now())
    return folder


@pytest.fixture
def room(six: Path, tmp_path: Path) -> Iterator[Newsroom]:
    shutil.copytree(six, tmp_path / "desk")
    with Newsroom.open(tmp_path / "desk", FLAGS, environ={}) as opened:
        yield opened


@pytest.fixture
def address(room: Newsroom) -> Iterator[str]:
    with served(room) as where:
        yield where


@pytest.fixture
def enter(room: Newsroom, address: str, browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page that has logged in; what goes wrong on it is in `page.complaints`."""
    contexts = []

    def open_page(width: int = 1440, scheme: str = "light", **more: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **more))
        page = contexts[-1].new_page()
        page.set_default_timeout(45_000)
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
        chief = room.accounts.find(CHIEF)
        assert chief is not None
        page.goto(f"{address}/login/link/{room.accounts.make_login_link(chief, room.clock.now())}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def told(room: Newsroom, name: str) -> list[Story]:
    """The stories of a newsletter's draft as it is kept, in their order."""
    snapshot = room.issues.get(IssueId.parse(f"{name}/{DAY}")).snapshot
    assert snapshot is not None
    return [each.story for each in snapshot.placed]


def mails(room: Newsroom, name: str) -> dict[str, EmailMessage]:
    """What lies in the outbox of a newsletter's issue, by file name."""
    files = (room.outbox / name / DAY).glob("*.eml")
    return {file.name: email.message_from_bytes(file.read_bytes(), policy=default) for file in files}


def headlines(page: Any) -> list[str]:
    return page.locator("#stories [data-story] .headline").all_inner_texts()  # type: ignore[no-any-return]


def test_an_editors_morning(room: Newsroom, address: str, enter: Callable[..., Any]) -> None:
    page = enter()
    assert page.locator(".board tbody tr").count() == len(NAMES)
    page.get_by_role("link", name="China AI").click()
    first = headlines(page)

    page.locator("[data-story]").first.get_by_title("Down (Shift ↓)").click()
    page.wait_for_function("text => document.querySelector('[data-story] .headline').innerText !== text", arg=first[0])
    assert headlines(page) == [each.title for each in told(room, "china")] == [first[1], first[0], *first[2:]]
    page.get_by_role("button", name=f"Drop: {first[2]}").click()
    page.get_by_text("Dropped (1)").wait_for()
    assert first[2] not in headlines(page)
    assert first[2] not in [each.title for each in told(room, "china")]
    assert first[2] in [each.title for each in told(room, "japan")]
    assert page.url == f"{address}/issues/china/{DAY}"  # the view stays where it was

    # A story's words, in all six; a note of a model, approved once.
    page.get_by_role("link", name=first[0]).click()
    assert page.get_by_text("in the 5 other issues that tell it").is_visible()
    page.get_by_label("Headline").fill("A headline of our own")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/issues/china/{DAY}")
    for name in NAMES:
        assert "A headline of our own" in [each.title for each in told(room, name)], name
    page.locator(f"[data-story='{NOTED}'] .headline").click()
    page.get_by_text("waits for approval: readers do not see it").wait_for()
    page.get_by_role("button", name="Approve the note").click()
    page.get_by_text(f"approved by {CHIEF}", exact=True).wait_for()
    assert room.stories.get(NOTED).note_approved_by == CHIEF
    for name in NAMES:
        assert next(each for each in told(room, name) if each.id == NOTED).shown_note, name

    # Dark, as a phone shows it.
    page.goto(f"{address}/issues/china/{DAY}")
    page.get_by_role("link", name="Phone").click()
    page.get_by_role("link", name="Dark", exact=True).click()
    mail = page.frame_locator("iframe.mail")
    mail.get_by_text("A headline of our own").first.wait_for()
    colour = "getComputedStyle(document.querySelector('.panel, .panel > table')).backgroundColor"
    assert page.frames[1].evaluate(colour) == "rgb(24, 27, 32)"

    page.get_by_text("Send proof").first.click()
    page.get_by_role("button", name="Send proof").click()
    page.get_by_text(f"The proof is on its way to {CHIEF}").wait_for()
    (proof,) = mails(room, "china").values()
    assert (proof["To"].addresses[0].addr_spec, proof["Subject"][:8]) == (CHIEF, "[Proof] ")
    body = proof.get_body(("html",))
    assert body is not None
    assert "A headline of our own" in body.get_content()

    # Six approvals are six clicks.
    page.goto(address)
    for left in range(len(NAMES), 0, -1):
        buttons = page.get_by_role("button", name="Approve")
        assert buttons.count() == left
        buttons.first.click()
        page.wait_for_function("left => document.querySelectorAll('.board button').length < left", arg=left)
    assert page.get_by_text("Nothing waits for approval").is_visible()
    for name in NAMES:
        issue = room.issues.get(IssueId.parse(f"{name}/{DAY}"))
        assert (issue.state, issue.approved_by) == (IssueState.APPROVED, CHIEF)
    assert page.complaints == []


def test_a_send_is_watched_and_a_story_corrected_in_its_middle(
    room: Newsroom, address: str, enter: Callable[..., Any]
) -> None:
    issue_id = IssueId.parse(f"asia-ai-daily/{DAY}")
    issues.approve(room, issue_id, CHIEF)
    begin(room, issue_id)
    page = enter(bypass_csp=True)
    page.goto(f"{address}/issues/{issue_id}")
    assert page.locator("[data-count=submitted]").inner_text() == "0"
    number = 8
    send_some(room, issue_id, number)
    live = "text => document.querySelector('[data-count=submitted]').innerText === text"
    page.wait_for_function(live, arg=str(number))  # it saw that by itself
    assert page.locator("[data-count=left]").inner_text() == str(22 - number)
    assert faults(page, frames=False) == []
    page.get_by_role("link", name="Something is wrong").click()
    old = page.locator(".plain a").first.inner_text()
    page.locator(".plain a").first.click()
    page.get_by_label("Headline").fill("What it should have said")
    page.get_by_label("What was wrong").fill("The headline named the wrong firm.")
    page.get_by_role("button", name="Correct it").click()
    page.wait_for_url(f"**/issues/{issue_id}")
    assert "What it should have said" in headlines(page)
    assert room.issues.get(issue_id).state is IssueState.REVIEW
    about_the_fault = room.issues.get(IssueId.parse(f"{issue_id}/2"))
    assert about_the_fault.state is IssueState.REVIEW
    early = set(mails(room, "asia-ai-daily"))
    page.get_by_role("button", name="Approve").click()
    page.locator(".state.approved").wait_for()

    begin(room, issue_id)
    page.goto(f"{address}/issues/{issue_id}")
    assert page.locator("[data-count=submitted]").inner_text() == str(number)
    thread = threading.Thread(target=sending.send, args=(room, issue_id))
    thread.start()
    page.locator("[data-live]").wait_for(state="detached")  # it saw the end by itself
    thread.join(30)
    assert room.issues.books(issue_id).deliveries["submitted"] == 22
    says = {name: message.get_body(("plain",)) for name, message in mails(room, "asia-ai-daily").items()}
    texts = {name: " ".join(body.get_content().split()) for name, body in says.items() if body}
    assert (len(early), len(texts)) == (number, 22)
    assert {name for name, text in texts.items() if "What it should have said" in text} & early == set()
    assert {name for name, text in texts.items() if old in text} <= early
    assert sum("What it should have said" in text for text in texts.values()) > 5


def test_by_keyboard(room: Newsroom, address: str, enter: Callable[..., Any]) -> None:
    page = enter()
    page.goto(f"{address}/issues/asia-ai-daily/{DAY}")
    before = headlines(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") == before[1]
    page.keyboard.press("k")
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_function("text => document.querySelector('[data-story] .headline').innerText !== text", arg=before[0])
    assert headlines(page)[:2] == [before[1], before[0]]
    # The story is still in hand, and goes back.
    page.wait_for_function("text => document.activeElement.innerText === text", arg=before[0])
    page.keyboard.press("Shift+ArrowUp")
    page.wait_for_function("text => document.querySelector('[data-story] .headline').innerText === text", arg=before[0])
    page.wait_for_function("text => document.activeElement.innerText === text", arg=before[0])
    # With its buttons too, and the focus stays on the story.
    tab_to(page, f"Down: {before[0]}")
    page.keyboard.press("Enter")
    page.wait_for_function("text => document.querySelector('[data-story] .headline').innerText !== text", arg=before[0])
    page.wait_for_function("text => document.activeElement.innerText === text", arg=before[0])
    assert [each.title for each in told(room, "asia-ai-daily")][:2] == [before[1], before[0]]

    page.goto(f"{address}/issues/asia-ai-daily/{DAY}")
    tab_to(page, "Approve")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Undo approval").wait_for()
    issue_id = IssueId.parse(f"asia-ai-daily/{DAY}")
    assert room.issues.get(issue_id).state is IssueState.APPROVED
    begin(room, issue_id)
    page.goto(f"{address}/issues/{issue_id}")
    tab_to(page, "Stop")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Send the rest").wait_for()
    assert room.issues.get(issue_id).state is IssueState.STOPPED


def test_by_drag(room: Newsroom, address: str, enter: Callable[..., Any]) -> None:
    page = enter()
    page.goto(f"{address}/issues/china/{DAY}")
    before = headlines(page)
    grips = page.locator("[data-country] .grip")
    grips.nth(1).drag_to(page.locator("[data-story]").nth(0), target_position={"x": 20, "y": 4})
    page.wait_for_function("text => document.querySelector('[data-story] .headline').innerText === text", arg=before[1])
    page.get_by_text("Moved “").wait_for()
    assert headlines(page)[:2] == [before[1], before[0]]


def test_without_a_script(room: Newsroom, address: str, enter: Callable[..., Any]) -> None:
    page = enter(java_script_enabled=False)
    page.goto(f"{address}/issues/china/{DAY}")
    before = headlines(page)
    page.locator("[data-story]").first.get_by_title("Down (Shift ↓)").click()
    assert headlines(page)[:2] == [before[1], before[0]]
    page.get_by_role("button", name="Undo").click()
    assert headlines(page) == before
    page.get_by_role("button", name="Approve").click()
    assert page.locator(".state.approved").is_visible()
