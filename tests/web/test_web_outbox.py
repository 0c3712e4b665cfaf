"""Looking at caught mail, and at nothing else on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsletter.errors import NotFoundError
from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from newsletter.web.desk.outbox import caught

from .conftest import Visitor

FOLDER = ("asia-ai-daily", "2026-05-27")
PLACE = "/outbox/asia-ai-daily/2026-05-27"


def first(room: Newsroom) -> str:
    return min(path.name for path in room.outbox.joinpath(*FOLDER).iterdir())


def test_from_the_list_to_one_message(sent: Newsroom) -> None:
    visitor = Visitor(sent).enter(Role.EDITOR)
    assert PLACE in visitor.http.get("/outbox").text
    folder = visitor.http.get(PLACE).text
    assert "22 messages" in folder
    assert folder.count(".eml") == 22
    file = first(sent)
    page = visitor.http.get(f"{PLACE}/{file}").text
    assert "List-Unsubscribe-Post" in page
    assert f'src="{PLACE}/{file}/mail?look=light"' in page
    assert "Original reporting" in visitor.http.get(f"{PLACE}/{file}?part=text").text
    assert "Content-Transfer-Encoding" in visitor.http.get(f"{PLACE}/{file}?part=raw").text
    mail = visitor.http.get(f"{PLACE}/{file}/mail?look=dark")
    assert "@media all" in mail.text
    assert mail.headers["content-security-policy"].endswith("; sandbox")


def test_long_folders_come_in_pages(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*FOLDER)
    folder.mkdir(parents=True)
    for number in range(120):
        (folder / f"a{number:03}.eml").write_text(
            f"To: a{number}@example.com\r\nSubject: =?utf-8?q?=E2=9C=93?=\r\n\r\n"
        )
    shown, total = caught.messages(tmp_path, FOLDER, 50, 50)
    assert (total, len(shown), shown[0].file, shown[0].subject) == (120, 50, "a050.eml", "✓")
    (only,) = caught.folders(tmp_path)
    assert (only.path, only.count) == ("asia-ai-daily/2026-05-27", 120)


def test_no_outbox_is_an_empty_one(tmp_path: Path) -> None:
    assert caught.folders(tmp_path / "outbox") == []


ESCAPES = (
    "..",
    ".",
    "",
    "../secret.eml",
    "..\\secret.eml",
    "/etc/passwd",
    "secret.eml\0.eml",
    "link.eml",
    "fifo.eml",
    "folder.eml",
    ".hidden.eml",
    "note.txt",
    "~root.eml",
    "a" * 300 + ".eml",
)


def test_no_name_leads_out_of_the_folder(sent: Newsroom) -> None:
    secret = sent.desk / "secret.eml"
    secret.write_text("Subject: secret\r\n\r\nsecret words")
    folder = sent.outbox.joinpath(*FOLDER)
    (folder / "link.eml").symlink_to(secret)
    os.mkfifo(folder / "fifo.eml")
    (folder / "folder.eml").mkdir()
    (folder / "note.txt").write_text("secret words")
    (folder / ".hidden.eml").write_text("secret words")
    (sent.outbox / "elsewhere").symlink_to(sent.desk)
    (sent.outbox / "asia-ai-daily" / "linked").symlink_to(sent.desk)
    visitor = Visitor(sent).enter(Role.ADMIN)
    for name in ESCAPES:
        with pytest.raises(NotFoundError):
            caught.read_message(sent.outbox, FOLDER, name)
    for path in (("..", "x"), ("elsewhere", "inbox"), ("asia-ai-daily", "linked"), ("asia-ai-daily", "..")):
        with pytest.raises(NotFoundError):
            caught.read_message(sent.outbox, path, "secret.eml")
    coded = [
        "..%2fsecret.eml",
        "%2e%2e/secret.eml",
        "..%5csecret.eml",
        "link.eml",
        "fifo.eml",
        "secret.eml%00.eml",
        "....//secret.eml",
    ]
    for name in coded:
        for place in (PLACE, "/outbox/elsewhere/inbox", "/outbox/asia-ai-daily/linked", "/outbox/..%2f../x"):
            for tail in ("", "/mail"):
                answer = visitor.http.get(f"{place}/{name}{tail}")
                assert answer.status_code == 404, (place, name)
                assert "secret words" not in answer.text
    assert "22 messages" in visitor.http.get(PLACE).text
    assert "elsewhere" not in visitor.http.get("/outbox").text


def test_a_message_of_any_charset_is_shown(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*FOLDER)
    folder.mkdir(parents=True)
    (folder / "odd.eml").write_bytes(b"Content-Type: text/plain; charset=no-such\r\n\r\nplain \xff words\r\n")
    import email
    from email.policy import default

    message = email.message_from_bytes(caught.read_message(tmp_path, FOLDER, "odd.eml"), policy=default)
    assert "words" in caught.part(message, "plain")
    assert caught.part(message, "html") == ""
