"""Bad input: a clear message, the right exit code, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..servers import free_port
from .conftest import Desk, FeedServer, Mailbox, command, schedule

NEWSLETTER = "asia-ai-daily"
STORY = {
    "source": "desk",
    "external_id": "1",
    "url": "https://example.com/1",
    "title": "A story",
    "outlet": "Example Wire",
    "country": "CN",
    "summary": "What happened.",
    "published_at": "2026-05-26T10:00:00Z",
}


def test_broken_yaml_is_named_to_the_column(desk: Desk) -> None:
    text = schedule({"desk": "kind: folder, path: inbox"})
    desk.write("schedule.yaml", text.replace("timezone: Asia/Singapore", "timezone: Asia/Singapor"))
    refused = desk.run("schedule", "check", code=2)
    assert "schedule.yaml:3:13: defaults.timezone:" in refused.stderr
    assert "did you mean 'Asia/Singapore'?" in refused.stderr
    desk.write("schedule.yaml", text + "  broken: [1, 2\n")
    assert "schedule.yaml:" in desk.run("gather", code=2).stderr
    (problem, *_) = desk.json("schedule", "check", code=2)
    assert problem["line"] >= text.count("\n")


def test_a_web_page_instead_of_a_feed_and_a_host_that_is_not_there(desk: Desk, feed_server: FeedServer) -> None:
    feed_server.files["page"] = b"<!doctype html><html><title>Sign in</title><body>Please sign in</body></html>"
    feed_server.files["good"] = (
        b'<rss version="2.0"><channel><title>Good</title><item><title>Fine</title>'
        b"<link>https://example.com/fine</link></item></channel></rss>"
    )
    private = "allow_private: true, country: CN"
    desk.write(
        "schedule.yaml",
        schedule(
            {
                "page": f"kind: feed, url: {feed_server.address}/page, outlet: Page, {private}",
                "gone": f"kind: feed, url: 'http://127.0.0.1:{free_port()}/', outlet: Gone, {private}",
                "good": f"kind: feed, url: {feed_server.address}/good, outlet: Good, {private}",
            }
        ),
    )
    done = desk.run("gather")
    assert "1 new" in done.stdout
    assert "page" in done.stderr
    assert "HTML" in done.stderr
    assert "gone" in done.stderr
    assert desk.run("gather", "--source", "gone", code=1)
    assert desk.run("gather", "--source", "nowhere", code=2).stderr.startswith("Error: schedule.yaml has no source")
    assert [story["title"] for story in desk.json("stories", "list")] == ["Fine"]


def test_a_partly_bad_csv_is_taken_but_for_its_bad_rows(desk: Desk) -> None:
    file = desk.write(
        "readers.csv",
        "email,newsletters,countries,status,consent_at,consent_source\n"
        f"good@example.com,{NEWSLETTER},CN;JP,confirmed,2026-01-01T00:00:00Z,form\n"
        f"not-an-address,{NEWSLETTER},CN,pending,,\n"
        f"other@example.com,{NEWSLETTER},XX,pending,,\n"
        f"unproved@example.com,{NEWSLETTER},CN,confirmed,,\n"
        "lost@example.com,no-such-newsletter,CN,pending,,\n",
    )
    done = desk.run("subscribers", "import", str(file))
    assert "1 added" in done.stdout
    assert "4 rows refused" in done.stderr
    rejects = (desk.folder / "readers.csv.rejects.csv").read_text(encoding="utf-8")
    assert rejects.count("\n") == 5
    assert "no-such-newsletter" in rejects
    again = desk.json("subscribers", "import", str(file))
    assert (again["added"], again["changed"], again["unchanged"], again["refused"]) == (0, 0, 1, 4)
    bad = desk.write("bad.csv", "name\nnobody\n")
    assert "email" in desk.run("subscribers", "import", str(bad), code=2).stderr
    hopeless = desk.write("hopeless.csv", f"email,newsletters\nnope,{NEWSLETTER}\n")
    desk.run("subscribers", "import", str(hopeless), code=2)


def test_a_story_without_a_title_is_refused_with_its_place(desk: Desk) -> None:
    untitled = {key: value for key, value in STORY.items() if key != "title"}
    file = desk.write("stories.json", json.dumps([STORY, {**untitled, "external_id": "2"}]))
    done = desk.run("stories", "import", str(file))
    assert "1 new" in done.stdout
    assert "title" in done.stderr
    assert "2" in done.stderr
    alone = desk.write("alone.json", json.dumps([untitled]))
    assert "title" in desk.run("stories", "import", str(alone), code=2).stderr
    desk.write("inbox/mixed.jsonl", json.dumps(untitled) + "\n" + json.dumps({**STORY, "external_id": "3"}) + "\n")
    desk.write("inbox/broken.json", "{")
    desk.run("gather")
    assert sorted(story["external_id"] for story in desk.json("stories", "list")) == ["1", "3"]
    assert (desk.folder / "inbox/done/mixed.jsonl").exists()
    assert (desk.folder / "inbox/rejected/broken.json").exists()
    assert (desk.folder / "inbox/rejected/broken.json.reason.txt").read_text(encoding="utf-8").strip()


def ready_issue(desk: Desk, readers: int) -> str:
    desk.environ["NEWSLETTER_NOW"] = "2026-05-27T05:30:00+08:00"
    desk.write("schedule.yaml", schedule({"desk": "kind: folder, path: inbox"}))
    rows = [f"reader{n}@example.com,confirmed,2026-01-01T00:00:00Z" for n in range(readers)]
    desk.write("readers.csv", "\n".join(["email,status,consent_at", *rows]))
    desk.run("subscribers", "import", "readers.csv", "--newsletter", NEWSLETTER, "--consent-source", "test")
    desk.write("stories.json", json.dumps([STORY]))
    desk.run("stories", "import", "stories.json")
    issue = desk.run("issue", "build", NEWSLETTER).stdout.strip()
    assert issue == f"{NEWSLETTER}/2026-05-27"
    return issue


def test_a_server_that_refuses_one_recipient(desk: Desk, mailbox: Mailbox) -> None:
    mailbox.refused = frozenset({"reader3@example.com"})
    desk.environ["NEWSLETTER_SMTP_URL"] = mailbox.url
    issue = ready_issue(desk, 8)
    assert "not approved" in desk.run("issue", "send", issue, code=3).stderr
    desk.run("issue", "approve", issue)
    desk.run("issue", "approve", issue, code=4)
    desk.run("issue", "send", issue)
    books = desk.json("issue", "status", issue)
    assert (books["deliveries"]["submitted"], books["deliveries"]["rejected"], books["balanced"]) == (7, 1, True)
    (rejected,) = desk.json("issue", "recipients", issue, "--state", "rejected")
    assert rejected["email"] == "reader3@example.com"
    assert "no such mailbox here" in rejected["reply"]
    desk.run("issue", "send", issue, code=4)


def test_a_server_that_cannot_be_reached_or_trusted(desk: Desk, mailbox: Mailbox) -> None:
    issue = ready_issue(desk, 3)
    desk.run("issue", "approve", issue)
    nobody = {"NEWSLETTER_SMTP_URL": f"smtp://127.0.0.1:{free_port()}"}
    assert "cannot be reached" in desk.run("issue", "send", issue, code=1, environ=nobody).stderr
    unknown_authority = {"NEWSLETTER_SMTP_URL": mailbox.url.partition("&cafile")[0]}
    assert "certificate" in desk.run("issue", "send", issue, code=1, environ=unknown_authority).stderr
    assert mailbox.taken == []
    desk.run("issue", "send", issue, environ={"NEWSLETTER_SMTP_URL": mailbox.url})
    assert len(mailbox.taken) == 3
    assert desk.json("issue", "status", issue)["balanced"]


def test_strangers_get_nothing_until_the_desk_is_live(desk: Desk) -> None:
    issue = ready_issue(desk, 3)
    desk.run("issue", "approve", issue)
    outside = {"NEWSLETTER_SMTP_URL": "smtp://mail.example.com"}
    for words in (("send", issue), ("proof", issue, "stranger@example.net")):
        refused = desk.run("issue", *words, code=1, environ=outside)
        assert "NEWSLETTER_LIVE" in refused.stderr
    books = desk.json("issue", "status", issue)
    assert (books["state"], books["candidates"]) == ("approved", 0), "nothing was frozen"
    postponing = {"NEWSLETTER_SMTP_URL": "smtp://127.0.0.1:1"}
    desk.run("issue", "send", issue, code=1, environ=postponing)
    assert desk.json("issue", "status", issue)["candidates"] == 0, "a dead relay is found out before the freeze"
    contradiction = {**outside, "NEWSLETTER_LIVE": "true"}
    assert "NEWSLETTER_NOW" in desk.run("issue", "send", issue, code=2, environ=contradiction).stderr


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 6 MB of our own."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("missing permission: mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_a_disk_that_fills_while_sending(desk: Desk, small_disk: Path, mailbox: Mailbox) -> None:
    """The outbox fills the disk: the send stops with 1, and goes on where it stopped once there is room."""
    issue = ready_issue(desk, 400)
    desk.run("issue", "approve", issue)
    (desk.folder / "outbox").rmdir()
    (desk.folder / "outbox").symlink_to(small_disk)
    stopped = desk.run("issue", "send", issue, code=1)
    assert "full" in stopped.stderr or "No space" in stopped.stderr
    books = desk.json("issue", "status", issue)
    assert books["balanced"]
    assert books["deliveries"]["unknown"] == 0
    first = len(list(small_disk.rglob("*.eml")))
    assert 0 < first == books["deliveries"]["submitted"] < 400
    shutil.copytree(small_disk, desk.folder / "saved")
    for path in small_disk.iterdir():
        shutil.rmtree(path)
    (desk.folder / "outbox").unlink()
    (desk.folder / "outbox").mkdir()
    desk.run("issue", "send", issue)
    later = {path.name for path in (desk.folder / "outbox").rglob("*.eml")}
    earlier = {path.name for path in (desk.folder / "saved").rglob("*.eml")}
    assert not later & earlier, "nobody gets it twice"
    assert len(later | earlier) == 400
    assert desk.json("issue", "status", issue)["balanced"]


def test_a_database_disk_that_fills_while_sending(desk: Desk, small_disk: Path, mailbox: Mailbox) -> None:
    """No room for the ledger: what the server took is never sent again."""
    desk.environ["NEWSLETTER_SMTP_URL"] = mailbox.url
    desk.environ["NEWSLETTER_DATABASE_URL"] = f"sqlite:///{small_disk / 'newsletter.db'}"
    desk.run("db", "upgrade")
    issue = ready_issue(desk, 300)
    desk.run("issue", "approve", issue)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 4096))
    stopped = desk.run("issue", "send", issue, code=1)
    assert "disk" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    ballast.unlink()
    code = desk.run("issue", "send", issue, code=None).returncode
    books = desk.json("issue", "status", issue)
    assert code == (5 if books["doubts"] else 0)
    assert books["balanced"]
    addresses = [address for address, _ in mailbox.taken]
    assert len(addresses) == len(set(addresses)), "nobody gets it twice"
    assert len(addresses) >= books["deliveries"]["submitted"]


def test_a_folder_that_is_no_desk(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        return subprocess.run(command(*words), cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)

    for words in (("gather",), ("stories", "list"), ("run",), ("issue", "list")):
        done = run(*words)
        assert done.returncode in (1, 2), words
        assert "newsletter" in done.stderr, words
        assert "Traceback" not in done.stderr, words
    assert list(tmp_path.iterdir()) == [], "looking at an empty folder leaves nothing in it"
    assert run("--desk", "/nowhere", "gather").returncode == 2
