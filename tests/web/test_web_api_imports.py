"""Files of subscribers by the HTTP API: streamed, looked at or taken in by the rules of the command, row by row."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import imports
from newsletter.storage import EventKind, Role
from newsletter.web.guard import MOST_PUSHED, MOST_UPLOADED

from .conftest import NEWSLETTER, Visitor, dump
from .test_web_api import READER, Program, command

PATH = "/api/v1/subscribers/imports"
FILE = f"""\
email,newsletters,status,consent_at,consent_source,plan
ann@example.com,{NEWSLETTER},confirmed,2026-05-01,shop,gold
bob@example.com,{NEWSLETTER},,,,
{READER},{NEWSLETTER},,,,
nonsense,{NEWSLETTER},,,,
eve@example.com,no-such,,,,
"""


def send(program: Program, data: str | bytes, kind: str = "text/csv", **query: str) -> Any:
    return program.http.post(PATH, params=query, content=data, headers={"content-type": kind})


def done(program: Program, answer: Any) -> Any:
    """The report when it is whole."""
    assert answer.status_code in (200, 202), answer.text
    end = time.monotonic() + 30
    while (report := program.http.get(answer.headers["location"]).json())["state"] == "at work":
        assert time.monotonic() < end
        time.sleep(0.02)
    return report


def test_a_dry_run_says_what_would_happen_and_the_import_does_it_once(sent: Newsroom) -> None:
    program = Program(sent)
    looked = done(program, send(program, FILE, dry_run="true"))
    assert (looked["dry_run"], looked["rows"], looked["added"], looked["refused"]) == (True, 5, 2, 2)
    assert program.get("subscribers", email="ann@example.com").json()["subscribers"] == []
    taken = done(program, send(program, FILE))
    assert {key: taken[key] for key in ("state", "dry_run", "rows", "added", "changed", "refused")} == {
        "state": "done",
        "dry_run": False,
        "rows": 5,
        "added": 2,
        "changed": looked["changed"],
        "refused": 2,
    }
    assert [each["row"] for each in taken["refusals"]] == [5, 6]
    assert "no newsletter is named 'no-such'" in taken["refusals"][1]["reason"]
    (ann,) = program.get("subscribers", email="ann@example.com").json()["subscribers"]
    assert (ann["subscriptions"], ann["attributes"]) == ({NEWSLETTER: "confirmed"}, {"plan": "gold"})
    again = done(program, send(program, FILE))
    assert (again["added"], again["changed"], again["unchanged"], again["refused"]) == (0, 0, 3, 2)
    rejects = program.http.get(taken["rejects"])
    assert rejects.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(rejects.text)))
    assert rows[0][:3] == ["row", "reason", "email"]
    assert [row[2] for row in rows[1:]] == ["nonsense", "eve@example.com"]


def test_it_counts_as_the_command_does(sent: Newsroom) -> None:
    program = Program(sent)
    path = sent.desk / "readers.csv"
    path.write_text(FILE)
    told = command(sent, "subscribers", "import", str(path), "--dry-run")
    looked = done(program, send(program, FILE, dry_run="true"))
    assert {key: value for key, value in told.items() if key != "rejects"}.items() <= looked.items()


def test_newsletters_and_consent_are_said_for_the_whole_file(sent: Newsroom) -> None:
    program = Program(sent)
    data = "email,status\nann@example.com,confirmed\n"
    refused = send(program, data)
    assert refused.status_code == 422
    assert "newsletters" in refused.json()["detail"]
    without = done(program, send(program, data, newsletters=NEWSLETTER, dry_run="true"))
    assert "consent" in without["refusals"][0]["reason"]
    done(program, send(program, data, newsletters=NEWSLETTER, consent_source="fair, hall 3"))
    held = sent.subscribers.find("ann@example.com").subscriptions[NEWSLETTER]
    assert (held.status, held.consent_source) == ("confirmed", "fair, hall 3")
    assert send(program, data, newsletters="x").status_code == 404


def test_nobody_who_left_or_is_suppressed_comes_back(sent: Newsroom) -> None:
    program = Program(sent)
    sent.subscribers.unsubscribe(READER, None, sent.clock.now())
    sent.subscribers.suppress("ann@example.com", "complaint", sent.clock.now())
    taken = done(program, send(program, FILE))
    assert (taken["already_unsubscribed"], taken["suppressed"], taken["added"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (b"address\nann@example.com\n", "none is named email"),
        (FILE.encode("utf-16"), "this is UTF-16"),
        (b"\x89PNG\r\n\x1a\n\x00", "is not UTF-8"),
    ],
)
def test_what_is_no_table_is_refused_as_a_whole_and_not_kept(sent: Newsroom, data: bytes, why: str) -> None:
    program = Program(sent)
    program.get("me")
    before = dump(sent)
    answer = send(program, data)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert why in answer.json()["detail"]
    assert str(sent.desk) not in answer.text
    assert dump(sent) == before
    assert imports.kept(sent) == []


def test_other_types_other_roles_and_what_is_too_long_get_nowhere(sent: Newsroom) -> None:
    program = Program(sent)
    assert send(program, FILE, kind="application/json").status_code == 415
    assert send(program, FILE, dry_run="yes").status_code == 422
    assert send(program, FILE, commit="1").status_code == 422
    assert send(Program(sent, Role.APPROVER), FILE).status_code == 403
    assert Visitor(sent).http.post(PATH, content=FILE, headers={"content-type": "text/csv"}).status_code == 401
    assert imports.kept(sent) == []
    long = f"email,newsletters,note\nann@example.com,{NEWSLETTER},{'x' * 900}\n" * 2300
    assert len(long) > MOST_PUSHED
    assert done(program, send(program, long, dry_run="true"))["rows"] > 2000
    pieces = (b"x" * (1 << 20) for _ in range((MOST_UPLOADED >> 20) + 2))
    assert program.http.post(PATH, content=pieces, headers={"content-type": "text/csv"}).status_code == 413


def test_each_file_and_each_look_at_its_rejects_is_in_the_audit_log(sent: Newsroom) -> None:
    program = Program(sent)
    first, second = (done(program, send(program, FILE, dry_run=each)) for each in ("true", "false"))
    program.http.get(second["rejects"])
    lines = [(line.kind, line.who, line.remark) for line in reversed(sent.audit.lines())]
    assert lines == [
        ("api_import", "API token CRM", f"{first['id']}; dry run"),
        ("api_import", "API token CRM", f"{second['id']}; import"),
        ("api_import_rejects", "API token CRM", second["id"]),
    ]


def test_a_program_takes_no_place_from_the_files_of_people(sent: Newsroom) -> None:
    program = Program(sent)
    mine = imports.bring(sent, io.BytesIO(FILE.encode()), "a.csv", newsletters=(), consent_source="", who="anna")
    for _ in range(imports.MOST_KEPT + 1):
        done(program, send(program, FILE, dry_run="true"))
    assert imports.find(sent, mine.id).looked
    assert len(imports.kept(sent)) == imports.MOST_KEPT + 1


def test_programs_are_told_of_a_file_once_and_of_no_row(sent: Newsroom) -> None:
    now = sent.clock.now()
    hook = sent.webhooks.make("x", "https://x.example", "s", tuple(EventKind), with_address=False, who="x", now=now)
    program = Program(sent)
    done(program, send(program, FILE, dry_run="true"))
    done(program, send(program, FILE))
    done(program, send(program, FILE))
    (row,) = sent.webhooks.told(hook.id, 10)
    assert row.happening.kind == "subscribers.imported"
    assert (row.happening.data["rows"], row.happening.data["added"], row.happening.subscriber) == (5, 2, None)
