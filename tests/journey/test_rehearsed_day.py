"""A desk's day on a rehearsal's clock: two processes, one draft, one send."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ..servers import free_port, wait_until
from .conftest import Desk, Mailbox, schedule

pytestmark = pytest.mark.alone

ISSUE = "asia-ai-daily/2026-05-27"
SPEED = 240
MINUTE = timedelta(minutes=1)


def stories(count: int = 6) -> str:
    """A story file of yesterday evening, Singapore time."""
    countries = ("CN", "JP", "KR")
    lines = []
    for number in range(count):
        country = countries[number % 3]
        lines.append(
            f'{{"source": "desk", "external_id": "{number}", "url": "https://example.com/{number}",'
            f' "title": "Story {number} from {country}", "outlet": "Example Wire", "country": "{country}",'
            f' "summary": "What happened, in two calm sentences. And what comes next.",'
            f' "published_at": "2026-05-26T{10 + number}:00:00Z"}}'
        )
    return "\n".join(lines)


def prepared(desk: Desk, mailbox: Mailbox) -> Desk:
    desk.write("schedule.yaml", schedule({"desk": "kind: folder, path: inbox"}, "CN, JP, KR"))
    rows = [f"reader{n}@example.com,{['CN', 'JP;KR', ''][n % 3]},confirmed,2026-01-01T00:00:00Z" for n in range(30)]
    desk.write("readers.csv", "\n".join(["email,countries,status,consent_at", *rows]))
    desk.run("subscribers", "import", "readers.csv", "--newsletter", "asia-ai-daily", "--consent-source", "test")
    desk.write("inbox/evening.jsonl", stories())
    desk.environ["NEWSLETTER_SMTP_URL"] = mailbox.url
    return desk


def at(history: list[dict[str, str]], state: str) -> datetime:
    (found,) = [datetime.fromisoformat(step["at"]) for step in history if step["to"] == state]
    return found


def test_two_processes_draft_once_and_send_once(desk: Desk, mailbox: Mailbox) -> None:
    prepared(desk, mailbox)
    desk.environ["NEWSLETTER_NOW"] = f"2026-05-27T05:20:00+08:00@{time.time()}"
    desk.environ["NEWSLETTER_SPEED"] = str(SPEED)
    running = [desk.start("run", "--port", str(free_port())) for _ in range(2)]
    try:
        wait_until(lambda: "review" in desk.run("issue", "list", code=None).stdout)
        desk.run("issue", "approve", ISSUE, "--by", "chief@example.com")
        wait_until(lambda: desk.json("issue", "status", ISSUE)["state"] == "submitted", 60)
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in running]
    assert codes == [0, 0]
    history = desk.json("issue", "show", ISSUE)["history"]
    # On a busy machine the approval above comes after 06:45 of this clock, and the issue has waited for it.
    states = [step["to"] for step in history if step["to"] != "waiting"]
    assert states == ["planned", "review", "approved", "sending", "submitted"]
    drafted, sent = datetime(2026, 5, 26, 21, 30, tzinfo=UTC), datetime(2026, 5, 26, 23, 0, tzinfo=UTC)
    slack = 60 * MINUTE  # fifteen seconds of the machine's own time: others use it as well
    assert drafted <= at(history, "review") <= drafted + slack
    assert sent <= at(history, "sending") <= sent + slack
    assert [step["who"] for step in history if step["to"] == "approved"] == ["chief@example.com"]
    assert Counter(address for address, _ in mailbox.taken) == Counter({f"reader{n}@example.com": 1 for n in range(30)})
    assert desk.json("issue", "status", ISSUE)["balanced"]


def test_an_unapproved_issue_waits_and_a_late_approval_sends(desk: Desk, mailbox: Mailbox) -> None:
    prepared(desk, mailbox)
    desk.environ["NEWSLETTER_NOW"] = f"2026-05-27T06:30:00+08:00@{time.time()}"
    desk.environ["NEWSLETTER_SPEED"] = str(SPEED)
    process = desk.start("run", "--port", str(free_port()))
    try:
        wait_until(lambda: "not approved by 06:45" in desk.run("issue", "list", code=None).stdout)
        desk.run("issue", "send", ISSUE, code=3)
        time.sleep(8)
        assert mailbox.taken == [], "07:00 has passed, and nobody approved"
        desk.run("issue", "approve", ISSUE, "--by", "chief@example.com")
        wait_until(lambda: desk.json("issue", "status", ISSUE)["state"] == "submitted")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert len(mailbox.taken) == 30


def test_a_desk_that_was_down_too_long_says_so(desk: Desk, mailbox: Mailbox) -> None:
    prepared(desk, mailbox)
    desk.environ["NEWSLETTER_NOW"] = "2026-05-26T06:00:00+08:00"
    desk.run("issue", "build", "asia-ai-daily")
    desk.environ["NEWSLETTER_NOW"] = "2026-05-27T12:00:00+08:00"
    process = desk.start("run", "--only", "clock")
    try:
        wait_until(lambda: "missed" in desk.run("issue", "list", code=None).stdout)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    shown = desk.json("issue", "show", ISSUE)
    assert shown["state"] == "missed"
    assert "down" in shown["reason"]


def test_a_killed_send_is_repeated_without_mailing_anybody_twice(desk: Desk, mailbox: Mailbox) -> None:
    prepared(desk, mailbox)
    rows = [f"more{n}@example.com,,confirmed,2026-01-01T00:00:00Z" for n in range(400)]
    desk.write("more.csv", "\n".join(["email,countries,status,consent_at", *rows]))
    desk.run("subscribers", "import", "more.csv", "--newsletter", "asia-ai-daily", "--consent-source", "test")
    desk.environ["NEWSLETTER_NOW"] = "2026-05-27T05:30:00+08:00"
    desk.run("gather")
    desk.run("issue", "build", "asia-ai-daily")
    desk.run("issue", "approve", ISSUE, "--by", "chief@example.com")
    mailbox.pause = lambda: time.sleep(0.005)
    process = desk.start("issue", "send", ISSUE)
    wait_until(lambda: len(mailbox.taken) >= 150)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(30) == -9
    mailbox.pause = lambda: None
    time.sleep(0.5)  # what was on the wire arrives
    between = desk.json("issue", "status", ISSUE)
    assert between["balanced"]
    code = desk.run("issue", "send", ISSUE, code=None).returncode
    after = desk.json("issue", "status", ISSUE)
    assert code == (5 if after["doubts"] else 0)
    counts = Counter(address for address, _ in mailbox.taken)
    assert max(counts.values()) == 1, "nobody gets it twice"
    assert after["balanced"]
    assert after["deliveries"]["submitted"] + after["deliveries"]["unknown"] == 430
    assert after["doubts"] <= 4, "at most the one message of each connection that the server was asked to take"
    unknown = {row["email"] for row in desk.json("issue", "recipients", ISSUE, "--state", "unknown")}
    assert {f"more{n}@example.com" for n in range(400)} | {f"reader{n}@example.com" for n in range(30)} <= (
        set(counts) | unknown
    ), "nobody is lost"
