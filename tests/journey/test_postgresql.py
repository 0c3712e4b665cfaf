"""The same desk on PostgreSQL."""

from __future__ import annotations

import secrets

import psycopg

from .conftest import Desk, Mailbox, schedule
from .test_rehearsed_day import ISSUE, stories


def test_the_days_issue_on_postgresql(desk: Desk, mailbox: Mailbox, postgresql: str) -> None:
    name = f"desk_{secrets.token_hex(6)}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    desk.environ["NEWSLETTER_DATABASE_URL"] = f"{postgresql}/{name}"
    desk.environ["NEWSLETTER_SMTP_URL"] = mailbox.url
    desk.environ["NEWSLETTER_NOW"] = "2026-05-27T05:30:00+08:00"
    assert "db upgrade" in desk.run("gather", code=1).stderr
    desk.run("db", "upgrade")
    desk.run("db", "upgrade")
    desk.write("schedule.yaml", schedule({"desk": "kind: folder, path: inbox"}, "CN, JP, KR"))
    desk.write("inbox/evening.jsonl", stories())
    rows = [f"reader{n}@example.com,{['CN', 'JP;KR', ''][n % 3]},confirmed,2026-01-01T00:00:00Z" for n in range(60)]
    desk.write("readers.csv", "\n".join(["email,countries,status,consent_at", *rows]))
    desk.run("subscribers", "import", "readers.csv", "--newsletter", "asia-ai-daily", "--consent-source", "test")
    desk.run("subscribers", "suppress", "reader5@example.com")
    desk.run("subscribers", "unsubscribe", "reader6@example.com")
    desk.run("gather")
    assert desk.run("issue", "build", "asia-ai-daily").stdout.strip() == ISSUE
    desk.run("issue", "approve", ISSUE, "--by", "chief@example.com")
    desk.run("issue", "send", ISSUE)
    books = desk.json("issue", "status", ISSUE)
    assert (books["state"], books["candidates"], books["balanced"]) == ("submitted", 60, True)
    assert books["excluded"]["suppressed"] == books["excluded"]["unsubscribed"] == 1
    assert len({address for address, _ in mailbox.taken}) == len(mailbox.taken) == 58
    assert desk.json("subscribers", "show", "reader6@example.com")["subscriptions"] == {"asia-ai-daily": "unsubscribed"}
    assert len(desk.json("stories", "related")) == 6
