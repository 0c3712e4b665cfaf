"""An editor's morning in a real browser: six newsletters, with scripts and without, by keyboard and by drag."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from newsletter.storage import Role

from .browsing import served
from .conftest import EARLIER, FLAGS

NAMES = ("asia-ai-daily", "china", "japan", "korea", "india", "islands")
DAY = "2026-05-27"


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
        for name in NAMES:
            issues.build(room, name)
        room.accounts.add("chief@desk.example", Role.APPROVER, room.clock.now())
    return folder


@pytest.fixture
def room(six: Path, tmp_path: Path) -> Iterator[Newsroom]:
    import shutil

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
        chief = room.accounts.find("chief@desk.example")
        assert chief is not None
        page.goto(f"{address}/login/link/{room.accounts.make_login_link(chief, room.clock.now())}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def begin(room: Newsroom, issue_id: IssueId) -> None:
    """Freeze the audience and send nothing yet; in a thread, for the browser's driver holds this one's event loop."""
    with ThreadPoolExecutor(1) as apart:
        frozen = apart.submit(
            sending.send, room, issue_id, stop=lambda: room.issues.get(issue_id).frozen_at is not None
        )
        frozen.result(60)
    assert room.issues.get(issue_id).state is IssueState.SENDING


def headlines(page: Any) -> list[str]:
    return page.locator("#stories [data-story] .headline").all_inner_texts()  # type: ignore[no-any-return]


def test_an_editors_morning(room: Newsroom, address: str, enter: Callable[..., Any]) -> None:
    page = enter()
    assert page.locator(".board tbody tr").count() == len(NAMES)
    page.get_by_role("link", name="China AI").click()
    first = headlines(page)

    page.locator("[data-story]").first.get_by_title("Down (Shift ↓)").click()
    page.wait_for_function("text => document.querySelector('[data-story] .headline').innerText !== text", arg=first[0])
    assert headlines(page)[:2] == [first[1], first[0]]
    page.get_by_role("button", name=f"Drop: {first[2]}").click()
    page.get_by_text("Dropped (1)").wait_for()
    assert first[2] not in headlines(page)
    assert page.url == f"{address}/issues/china/{DAY}"  # the view stays where it was

    # A story's words, in all six; a note of a model, approved once.
    page.get_by_role("link", name=first[0]).click()
    assert page.get_by_text("in the 5 other issues that tell it").is_visible()
    page.get_by_label("Headline").fill("A headline of our own")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/issues/china/{DAY}")
    for name in NAMES:
        snapshot = room.issues.get(IssueId.parse(f"{name}/{DAY}")).snapshot
        assert snapshot is not None
        assert "A headline of our own" in [each.story.title for each in snapshot.placed], name

    # Dark, as a phone shows it.
    page.get_by_role("link", name="Phone").click()
    page.get_by_role("link", name="Dark", exact=True).click()
    mail = page.frame_locator("iframe.mail")
    mail.get_by_text("A headline of our own").first.wait_for()
    colour = "getComputedStyle(document.querySelector('.panel, .panel > table')).backgroundColor"
    assert page.frames[1].evaluate(colour) == "rgb(24, 27, 32)"

    page.get_by_text("Send proof").first.click()
    page.get_by_role("button", name="Send proof").click()
    page.get_by_text("The proof is on its way to chief@desk.example").wait_for()

    # Six approvals are six clicks.
    page.goto(address)
    for left in range(len(NAMES), 0, -1):
        buttons = page.get_by_role("button", name="Approve")
        assert buttons.count() == left
        buttons.first.click()
        page.wait_for_function("left => document.querySelectorAll('.board button').length < left", arg=left)
    assert page.get_by_text("Nothing waits for approval").is_visible()
    assert page.complaints == []


def test_a_send_is_watched_and_a_story_corrected_in_its_middle(
    room: Newsroom, address: str, enter: Callable[..., Any]
) -> None:
    issue_id = IssueId.parse(f"asia-ai-daily/{DAY}")
    issues.approve(room, issue_id, "chief@desk.example")
    begin(room, issue_id)
    page = enter()
    page.goto(f"{address}/issues/{issue_id}")
    assert page.get_by_text("Still to send").is_visible()
    page.get_by_role("link", name="Something is wrong").click()
    page.locator(".plain a").first.click()
    page.get_by_label("Headline").fill("What it should have said")
    page.get_by_label("What was wrong").fill("The headline named the wrong firm.")
    page.get_by_role("button", name="Correct it").click()
    page.wait_for_url(f"**/issues/{issue_id}")
    assert "What it should have said" in headlines(page)
    assert room.issues.get(issue_id).state is IssueState.REVIEW
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Undo approval").wait_for()

    begin(room, issue_id)
    page.goto(f"{address}/issues/{issue_id}")
    assert page.locator("[data-count=submitted]").inner_text() == "0"
    sender = threading.Thread(target=sending.send, args=(room, issue_id))
    sender.start()
    page.locator("[data-live]").wait_for(state="detached")  # it saw the end by itself
    sender.join(30)
    assert room.issues.books(issue_id).deliveries["submitted"] == 22


def test_by_keyboard(room: Newsroom, address: str, enter: Callable[..., Any]) -> None:
    page = enter()
    page.goto(f"{address}/issues/china/{DAY}")
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
    page.get_by_role("button", name="Approve").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Undo approval").wait_for()


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
