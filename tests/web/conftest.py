"""A real desk with sample stories and readers: one whose issue is in review, one whose issue has been sent."""

from __future__ import annotations

import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.exceptions import StarletteDeprecationWarning

from newsletter.model import IssueId
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from newsletter.newsroom.programs import webhooks
from newsletter.storage import Account, EventKind, Role
from newsletter.web import passwords, recording
from newsletter.web.api import bearers
from newsletter.web.app import make_app
from newsletter.web.desk.account import totp_confirm as account_totp_confirm
from newsletter.web.desk.login import code as login_code
from newsletter.web.desk.login import forgot
from newsletter.web.desk.login import page as login
from newsletter.web.public import askers, report
from newsletter.web.sessions import form_token
from newsletter.web.throttle import Throttle
from subscribers.signups import Terms

from .browsing import ARGUMENTS

with warnings.catch_warnings():
    # Starlette's client would rather have httpx2; it works with httpx, which the product uses anyway.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

NEWSLETTER = "asia-ai-daily"
ISSUE = IssueId.parse("asia-ai-daily/2026-05-27")
BASE = "http://127.0.0.1:8000"
FLAGS = {"now": "2026-05-27T05:18:00+08:00", "base_url": BASE}
EARLIER = FLAGS | {"now": "2026-05-27T05:10:00+08:00"}


class Visitor:
    """A browser: a client of the application with the cookies it was given."""

    def __init__(self, room: Newsroom, address: str = "192.0.2.7") -> None:
        self.room = room
        self.http = TestClient(make_app(room), base_url=BASE, client=(address, 50000), follow_redirects=False)
        self.account: Account | None = None
        self.secret = ""

    def enter(self, role: Role) -> Visitor:
        """Log in as a new person of that role."""
        now = self.room.clock.now()
        self.account = self.room.accounts.add(f"{role}@desk.example", role, now)
        self.secret = self.room.accounts.open_session(self.account, now)
        self.http.cookies.set("newsletter-session", self.secret)
        return self

    def renew(self) -> Visitor:
        """A new session of the same person, whatever became of the last one."""
        assert self.account is not None
        self.secret = self.room.accounts.open_session(self.account, self.room.clock.now())
        self.http.cookies.clear()
        self.http.cookies.set("newsletter-session", self.secret)
        return self

    def order(self, path: str, **fields: str) -> Any:
        """Post a form of the desk."""
        return self.http.post(path, data={"token": self.token, **fields})

    @property
    def token(self) -> str:
        """What this visitor's forms carry."""
        return form_token(self.secret)


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Argon2 at its least: what it costs by default is not what these tests are about."""
    with pytest.MonkeyPatch.context() as patch:
        quick = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr("newsletter.storage.accounts.PasswordHasher", quick)
        yield


@pytest.fixture(scope="session")
def template_desks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two desks, made once: `review` and `sent`."""
    review, sent = tmp_path_factory.mktemp("desk") / "review", tmp_path_factory.mktemp("desk") / "sent"
    desks.make_sample_desk(review)
    with Newsroom.open(review, EARLIER, environ={}) as room:
        desks.fill_with_samples(room)
        assert all(polled.error is None for polled in gathering.gather_all(room, list(room.plan.sources.values())))
        issues.build(room, NEWSLETTER)
        hooks = "https://crm.example/hooks"
        webhooks.make(room, "CRM", hooks, [EventKind.ISSUE_SUBMITTED], with_address=False, who="chief@example.com")
    shutil.copytree(review, sent)
    with Newsroom.open(sent, EARLIER, environ={}) as room:
        issues.approve(room, ISSUE, "chief@example.com")
        assert sending.send(room, ISSUE).balanced
    return {"review": review, "sent": sent}


@pytest.fixture
def open_desk(template_desks: dict[str, Path], tmp_path: Path) -> Iterator[Callable[..., Newsroom]]:
    """Opens a fresh copy of one of the two desks, with settings of the test's own."""
    opened: list[Newsroom] = []

    def open_copy(which: str, **flags: str) -> Newsroom:
        folder = tmp_path / f"{which}{len(opened)}"
        shutil.copytree(template_desks[which], folder)
        opened.append(Newsroom.open(folder, FLAGS | flags, environ={}))
        return opened[-1]

    yield open_copy
    for room in opened:
        room.close()


SECOND = IssueId.parse("tomorrow-in-asia/2026-05-27")
LANGUAGES = ("en", "ar", "ja")


@pytest.fixture(scope="session")
def busy_desk(template_desks: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two newsletters in three languages with an issue each that was sent to 64 readers of their own countries; clicks
    are counted in mails of `ISSUE`, and not in those of `SECOND`."""
    folder = tmp_path_factory.mktemp("busy") / "desk"
    shutil.copytree(template_desks["review"], folder)
    plan = folder / "schedule.yaml"
    head, body = plan.read_text(encoding="utf-8").split(f"  {NEWSLETTER}:\n")
    body = body.replace("archive: public", f"languages: [{', '.join(LANGUAGES)}]\n    archive: public")
    other = body.replace("title: Asia AI Daily", "title: Tomorrow in Asia")
    counted = body.replace("archive: public", "archive: public\n    clicks: true")
    plan.write_text(f"{head}  {NEWSLETTER}:\n{counted}  {SECOND.newsletter}:\n{other}", encoding="utf-8")
    with Newsroom.open(folder, EARLIER, environ={}) as room:
        file = folder / "more.csv"
        countries = ("CN;JP", "", "IN;VN")
        rows = [
            f"r{number}@example.org,{ISSUE.newsletter};{SECOND.newsletter},{countries[number // 3 % 3]},daily,"
            f"{LANGUAGES[number % 3]},confirmed,2026-01-01T00:00:00Z,test\n"
            for number in range(64)
        ]
        columns = "email,newsletters,countries,frequency,language,status,consent_at,consent_source\n"
        file.write_text(columns + "".join(rows), encoding="utf-8")
        room.subscribers.import_file(file, Terms(known=frozenset(room.plan.newsletters)), room.clock.now())
        for issue_id in (ISSUE, SECOND):
            issues.build(room, issue_id.newsletter)
            issues.approve(room, issue_id, "chief@example.com")
            assert sending.send(room, issue_id).balanced
    return folder


@pytest.fixture
def busy(busy_desk: Path, tmp_path: Path) -> Iterator[Newsroom]:
    """A fresh copy of the desk with two newsletters."""
    shutil.copytree(busy_desk, tmp_path / "busy")
    with Newsroom.open(tmp_path / "busy", FLAGS, environ={}) as room:
        yield room


@pytest.fixture
def review(open_desk: Callable[..., Newsroom]) -> Newsroom:
    """A desk whose issue waits to be approved."""
    return open_desk("review")


@pytest.fixture
def sent(open_desk: Callable[..., Newsroom]) -> Newsroom:
    """A desk whose issue lies in the outbox."""
    return open_desk("sent")


@pytest.fixture(autouse=True)
def _fresh_throttles(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is braked by what another one tried."""
    for module in (login, login_code, account_totp_confirm, passwords):
        old = module._throttle
        monkeypatch.setattr(module, "_throttle", Throttle(old._limit, old._seconds))
    others = ((forgot, "_addresses"), (forgot, "_networks"), (recording, "_failed_lines"))
    for module, name in (
        *others,
        (bearers, "_guesses"),
        (bearers, "_requests"),
        (askers, "_networks"),
        (askers, "_domains"),
        (askers, "_mailboxes"),
        (askers, "_spelled"),
        (report, "_networks"),
        (report, "_everybody"),
    ):
        old = getattr(module, name)
        monkeypatch.setattr(module, name, Throttle(old._limit, old._seconds))


@pytest.fixture(autouse=True)
def _patient_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists wait for their figures, however busy the machine is."""
    monkeypatch.setattr("newsletter.web.figures.MOMENT", 10.0)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """Debian's Chromium, for as long as a module lasts: its driver holds the event loop of the thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


def dump(room: Newsroom) -> list[str]:
    """Every row of the desk's database, as SQL."""
    with sqlite3.connect(room.desk / "newsletter.db") as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


def also_in_arabic(room: Newsroom) -> None:
    """The desk's newsletter in a second language, its draft built again."""
    text = room.plan_file.read_text(encoding="utf-8")
    text = text.replace("archive: public", "languages: [en, ar]\n    archive: public")
    room.plan_file.write_text(text, encoding="utf-8")
    issues.build(room, NEWSLETTER)
