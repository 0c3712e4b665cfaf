"""Bounces are read from files, a Maildir and a real IMAP server: each once, and nothing is lost on the way."""

from __future__ import annotations

import json
import mailbox as maildirs
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from newsletter.cli import newsletter
from newsletter.errors import SettingError, SourceError, StorageError
from newsletter.model import IssueId
from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import bouncing, mailboxes
from newsletter.schedule import day
from newsletter.settings import load_settings
from tests.conftest import system_tool
from tests.subscribers.bounces.modern import SENDER
from tests.subscribers.test_bounce_reading import MODERN

from .dovecot_server import PASSWORD, Dovecot, dovecot
from .test_bouncing import LATER, addressed, desk, forgotten, holder, issue_id, sent_desk, suppressed

__all__ = ["desk", "issue_id", "sent_desk"]

NAMES = ("postfix, unknown", "gmail, no such user", "arf, abuse", "out of office", "postfix, waits", "qq, full")
SUPPRESSES = 3


def letters(room: Newsroom) -> list[bytes]:
    """Six messages about six deliveries; half of them suppress."""
    return [addressed(MODERN[name][1], room, number) for number, name in enumerate(NAMES, 1)]


def run(room: Newsroom, *words: str) -> tuple[int, Result]:
    """The exit code that `main` would end with, and what was said."""
    command = ["--desk", str(room.desk), "bounces", *words]
    done = CliRunner().invoke(newsletter, command, env={"NEWSLETTER_NOW": LATER}, standalone_mode=False)
    return getattr(done.exception, "exit_code", done.return_value or 0), done


def test_files_mboxes_and_folders_are_read_and_twice_changes_nothing(desk: Newsroom, tmp_path: Path) -> None:
    first, second, *rest = letters(desk)
    (tmp_path / "one.eml").write_bytes(first)
    box = b"".join(b"From MAILER-DAEMON Wed May 27 08:00:00 2026\n" + each.rstrip(b"\n") + b"\n\n" for each in rest)
    (tmp_path / "many.mbox").write_bytes(box)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "two.eml").write_bytes(second)
    (folder / "notes.txt").write_text("nothing of mail", encoding="utf-8")
    files = [str(tmp_path / name) for name in ("one.eml", "many.mbox", "folder")]
    code, done = run(desk, "read", *files, "--json")
    assert code == 0, done.output
    assert json.loads(done.stdout) == {
        "messages": 6,
        "classes": {"mailbox": 1, "address": 2, "complaint": 1, "delayed": 1, "reply": 1},
        "fates": {"suppressed": 3, "scored": 1, "ignored": 2},
        "unread": [],
        "unclear": [],
    }
    assert suppressed(desk) == {holder(desk, number) for number in (1, 2, 3)}
    shown = [desk.subscribers.show(holder(desk, number)) for number in range(1, 7)]
    code, again = run(desk, "read", *files)
    assert code == 0
    assert "4 known" in again.output
    assert [desk.subscribers.show(holder(desk, number)) for number in range(1, 7)] == shown
    assert (tmp_path / "many.mbox").read_bytes() == box


def test_what_cannot_be_read_is_named_and_costs_itself_only(desk: Newsroom, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(letters(desk)[0])
    (tmp_path / "forged.eml").write_bytes(MODERN["postfix, unknown"][1])
    (tmp_path / "empty.eml").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    names = [str(tmp_path / name) for name in ("gone.eml", "one.eml", "forged.eml", "empty.eml", "empty")]
    code, done = run(desk, "read", *names, "--json")
    assert code == 0
    said = json.loads(done.stdout)
    assert said["messages"] == 2
    assert [Path(each["name"]).name for each in said["unread"]] == ["gone.eml", "empty.eml", "empty"]
    assert said["unclear"] == [{"name": names[2], "why": "forged"}]
    assert f"{names[2]}: forged" in done.stderr
    assert run(desk, "read", names[0], names[4])[0] == 2
    assert run(desk, "read")[0] == 2


def test_held_providers_are_listed_and_decided(desk: Newsroom) -> None:
    assert run(desk, "held")[1].output == "Nothing is held.\n"
    assert run(desk, "held", "--json")[1].output == "[]\n"
    assert run(desk, "release", "big.example")[0] == 4
    assert run(desk, "confirm", "big.example")[0] == 4
    assert desk.audit.lines() == []


@pytest.mark.parametrize(("decision", "done"), [("release", "let be"), ("confirm", "suppressed")])
def test_what_is_decided_of_held_bounces_is_in_the_audit_log(desk: Newsroom, decision: str, done: str) -> None:
    forgotten(desk)
    assert run(desk, decision, "big.example", "--by", "anna")[0] == 0
    assert run(desk, decision, "big.example", "--by", "anna")[0] == 4
    (line,) = desk.audit.lines()
    assert (line.kind, line.who, line.remark) == ("bounce_settle", "anna", f"big.example: 7 {done}")


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    maildirs.Maildir(tmp_path / "mail")
    return tmp_path / "mail"


def asking(room: Newsroom, address: str, password: str = "") -> Newsroom:
    """The same desk with a mailbox."""
    environ = {"NEWSLETTER_NOW": LATER, "NEWSLETTER_BOUNCES_URL": address}
    if password:
        (room.desk / "imap.password").write_text(password + "\n", encoding="utf-8")
        environ["NEWSLETTER_BOUNCES_PASSWORD_FILE"] = "imap.password"
    return Newsroom.open(room.desk, environ=environ)


def test_a_maildir_is_emptied_into_its_folders(desk: Newsroom, maildir: Path) -> None:
    box = maildirs.Maildir(maildir)
    for each in [*letters(desk), MODERN["postfix, unknown"][1]]:
        box.add(each)
    with asking(desk, f"maildir:{maildir}") as room:
        day.take_back(room)
        assert len(suppressed(room)) == SUPPRESSES
        assert len(box) == 0
        assert len(maildirs.Maildir(maildir / ".done")) == 6
        assert len(maildirs.Maildir(maildir / ".unclear")) == 1
        again = mailboxes.poll(room)
        assert again is not None
        assert again.messages == 0


def test_a_message_is_put_away_only_once_it_is_committed(
    desk: Newsroom, maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = maildirs.Maildir(maildir)
    for each in letters(desk):
        box.add(each)
    calls = iter(range(99))

    def fails(room: Newsroom, data: bytes) -> bouncing.Taken:
        if next(calls) == 2:
            raise StorageError("the disk is full")
        return bouncing.take(room, data)

    with asking(desk, f"maildir:{maildir}") as room:
        with monkeypatch.context() as patch:
            patch.setattr(mailboxes, "take", fails)
            with pytest.raises(StorageError):
                mailboxes.poll(room)
        assert len(box) == 4
        mailboxes.poll(room)
        assert len(box) == 0
        assert len(suppressed(room)) == SUPPRESSES


def test_one_that_breaks_us_holds_up_no_other(desk: Newsroom, maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = maildirs.Maildir(maildir)
    for each in letters(desk):
        box.add(each)

    def breaks(room: Newsroom, data: bytes) -> bouncing.Taken:
        if b"Feedback-Type" in data:
            raise RuntimeError("a mistake of ours")
        return bouncing.take(room, data)

    monkeypatch.setattr(mailboxes, "take", breaks)
    with asking(desk, f"maildir:{maildir}") as room:
        mailboxes.poll(room)
    assert len(box) == 1


def test_a_mailbox_that_is_not_there_is_named(desk: Newsroom, tmp_path: Path) -> None:
    with asking(desk, f"maildir:{tmp_path / 'nowhere'}") as room, pytest.raises(SourceError, match="no Maildir"):
        mailboxes.poll(room)
    with asking(desk, "imaps://me@127.0.0.1:9/INBOX", "x") as room, pytest.raises(SourceError, match=r"127\.0\.0\.1"):
        mailboxes.poll(room)
    with asking(desk, "imaps://me@127.0.0.1:9/INBOX") as room, pytest.raises(SettingError, match="PASSWORD_FILE"):
        mailboxes.poll(room)


@pytest.mark.parametrize(
    "address", ["imap://me@host/INBOX", "imaps://me:pw@host/", "imaps://host/", "maildir:here", "x", "imaps://me@[::1/"]
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingError, match="BOUNCES_URL"):
        load_settings(tmp_path, {"NEWSLETTER_BOUNCES_URL": address})


@pytest.fixture(scope="module", params=["", "IMAP4rev1 UIDPLUS LITERAL+"], ids=["move", "copy"])
def imap(request: pytest.FixtureRequest) -> Iterator[Dovecot]:
    """A real server, once with MOVE and once without."""
    program = system_tool("dovecot", "dovecot-imapd")
    if os.geteuid() != 0:
        pytest.skip("Dovecot gives its mailboxes to users, for which it must be started as root")
    with dovecot(program, request.param) as running:
        yield running


def test_a_real_imap_server_is_emptied(desk: Newsroom, imap: Dovecot) -> None:
    for number, each in enumerate([*letters(desk), MODERN["postfix, unknown"][1]]):
        imap.put(f"{number}.x", each.replace(b"\n", b"\r\n"))
    with asking(desk, imap.address, PASSWORD) as room:
        reading = mailboxes.poll(room)
        assert reading is not None
        assert (reading.messages, len(reading.unclear)) == (7, 1)
        assert len(suppressed(room)) == SUPPRESSES
        assert (imap.count(".INBOX.done"), imap.count(".INBOX.unclear")) == (6, 1)
        again = mailboxes.poll(room)
        assert again is not None
        assert again.messages == 0
        imap.put("late.x", MODERN["163, no user"][1].replace(SENDER.encode(), b"x@y.example"))
        later = mailboxes.poll(room)
        assert later is not None
        assert later.unclear[0][1] == "unaddressed"


def test_a_wrong_password_or_authority_is_named(desk: Newsroom, imap: Dovecot) -> None:
    untrusted, nowhere = imap.address.partition("?")[0], imap.address.replace("INBOX", "Nowhere")
    for address, password, said in (
        (imap.address, "wrong", r"(?i)auth"),
        (untrusted, PASSWORD, r"(?i)certificate"),
        (nowhere, PASSWORD, r"Nowhere"),
    ):
        with asking(desk, address, password) as room, pytest.raises(SourceError, match=said):
            mailboxes.poll(room)


def test_a_rehearsal_asks_no_mailbox(desk: Newsroom, issue_id: IssueId) -> None:
    with asking(desk, "maildir:/nowhere") as room:
        import dataclasses

        room.settings = dataclasses.replace(room.settings, rehearsal=True)
        assert mailboxes.poll(room) is None
