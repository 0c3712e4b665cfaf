"""A desk with editors and approvers, a real mail server, an alarm bell, and a clock that the test moves."""

from __future__ import annotations

import atexit
import email
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Any

from newsletter.clock import Clock
from newsletter.model import Issue, IssueId
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.people import telling
from newsletter.schedule import day
from subscribers.signups import Terms
from tests.desks import drop_story
from tests.servers import Answering, serving

from ..deliver.recording_server import RecordingServer

__all__ = ["ISSUE", "Bell", "Office", "listening"]

ISSUE = IssueId("asia", date(2026, 5, 27))
SCHEDULE = """\
version: 1
newsletters:
  asia:
    title: Asia Daily
    at: "07:00"
    timezone: Asia/Singapore
    days: [mon, tue, wed, thu, fri, sat, sun]
    sender: {name: Asia Daily, address: daily@example.com}
    postal_address: 1 Example Street
    countries: [CN, JP]
    approval: {mode: manual, by: "06:45", on_timeout: wait}
    stories: {min: 1, on_few: wait}
    editors: [ed@desk.example, may@desk.example]
    approvers: [chief@desk.example]
sources:
  desk: {kind: folder, path: inbox}
"""


@cache
def _made_once() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="office-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    desks.make_desk(folder / "desk")
    return folder / "desk"


class Bell:
    """What came to a web address: the JSON of every POST, and the path of every GET."""

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        self.called: list[str] = []
        self.answers = 204
        self.url = ""

    @property
    def kinds(self) -> list[str]:
        """The kinds of the alerts, in order."""
        return [alert["kind"] for alert in self.heard]


@contextmanager
def listening() -> Iterator[Bell]:
    """A web server of this machine."""
    bell = Bell()

    class Listening(Answering):
        def do_POST(self) -> None:
            bell.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer()

        def do_GET(self) -> None:
            bell.called.append(self.path)
            self._answer()

        def _answer(self) -> None:
            self.send_response(bell.answers)
            self.end_headers()

    with serving(Listening) as port:
        bell.url = f"http://127.0.0.1:{port}"
        yield bell


class Office:
    """The desk at work; `environ` is what its processes are started with."""

    def __init__(self, folder: Path, server: RecordingServer, bell: Bell, **environ: str) -> None:
        self.folder, self.server, self.bell = folder, server, bell
        if "NEWSLETTER_DATABASE_URL" in environ:
            desks.make_desk(folder)
        else:
            shutil.copytree(_made_once(), folder)  # an empty database of this schema takes a second to make
        self.environ = {"NEWSLETTER_SMTP_URL": server.url, "NEWSLETTER_ALERT_URL": f"{bell.url}/alerts", **environ}
        self.schedule()
        self.room = Newsroom.open(folder, environ=self.environ)
        if "NEWSLETTER_DATABASE_URL" in environ:
            desks.upgrade(self.room)
        self.at("2026-05-26 20:00")

    def schedule(self, **changes: str) -> None:
        """Write schedule.yaml, with lines of the newsletter replaced by key."""
        text = SCHEDULE
        for key, value in changes.items():
            line = f"    {key}: {value}\n"
            found = re.search(rf"^    {key}: .*\n", text, re.MULTILINE)
            text = text.replace(found[0], line) if found else text.replace("    title:", f"{line}    title:")
        (self.folder / "schedule.yaml").write_text(text, encoding="utf-8")

    def set_clock(self, wall: str) -> None:
        """What the clock of Singapore shows from now on."""
        moment = datetime.fromisoformat(f"{wall}+08:00").astimezone(UTC)
        self.room.clock = Clock(moment, anchor=0, unix=lambda: 0)

    def at(self, wall: str) -> None:
        """Set the clock, take what steps are due, and tell people."""
        self.set_clock(wall)
        day.tick(self.room)
        telling.tell(self.room)

    def story(self, number: int = 1, **values: object) -> None:
        """Drop a story into the inbox."""
        drop_story(self.folder / "inbox", number, **values)

    def readers(self, *emails: str) -> None:
        """Subscribe these addresses."""
        file = self.folder / "readers.csv"
        rows = "".join(f"{each},confirmed,2026-01-01T00:00:00Z\n" for each in emails)
        file.write_text(f"email,status,consent_at\n{rows}", encoding="utf-8")
        terms = Terms(known=frozenset({"asia"}), newsletters=("asia",), consent_source="test")
        self.room.subscribers.import_file(file, terms, self.room.clock.now())

    @property
    def issue(self) -> Issue:
        """Today's issue as it stands."""
        return self.room.issues.get(ISSUE)

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        """The mails to the desk that the server took, to everybody or to one address, in order."""
        parsed = [email.message_from_bytes(taken.undotted, policy=default) for taken in self.server.taken]
        letters = [mail for mail in parsed if isinstance(mail, EmailMessage) and mail["List-Id"] is None]
        return [mail for mail in letters if to is None or mail["To"] == to]

    def subjects(self, to: str = "ed@desk.example") -> list[str]:
        """What the mails to one address are about."""
        return [str(mail["Subject"]).partition(": ")[2] for mail in self.mails(to)]

    def link(self, to: str = "chief@desk.example") -> str:
        """The path of the newest link to approve that an address was mailed."""
        found = [re.search(r"http://[^/]+(/approve/\S+)", text_of(mail)) for mail in self.mails(to)]
        return next(match[1] for match in reversed(found) if match)


def text_of(mail: EmailMessage) -> str:
    """The text part."""
    part: Any = mail.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n")
