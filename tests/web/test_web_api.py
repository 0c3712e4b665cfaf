"""The HTTP API: what a program may see and do, page by page, in the shapes of the commands."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from newsletter.cli import newsletter
from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import requests
from newsletter.storage import Role
from newsletter.web.api import bearers
from newsletter.web.throttle import Throttle

from .conftest import ISSUE, NEWSLETTER, Visitor, dump

READER = "mei.tan@example.com"


class Program:
    """A client with a token of that role."""

    def __init__(self, room: Newsroom, role: Role = Role.ADMIN) -> None:
        self.room = room
        self.http = Visitor(room).http
        self.http.headers["authorization"] = f"Bearer {room.api_tokens.make('CRM', role, 'x', room.clock.now())}"

    def get(self, path: str, **query: object) -> Any:
        return self.http.get(f"/api/v1/{path}", params=query)

    def post(self, path: str, body: object) -> Any:
        return self.http.post(f"/api/v1/{path}", json=body)


def command(room: Newsroom, *words: str) -> Any:
    done = CliRunner().invoke(newsletter, ["--desk", str(room.desk), *words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def pages(program: Program, path: str, key: str, **query: object) -> list[Any]:
    found, after = [], {}
    while True:
        answer = program.get(path, **query, **after)
        assert answer.status_code == 200, answer.text
        found += answer.json()[key]
        if answer.json()["next"] is None:
            return found
        after = {"after": answer.json()["next"]}


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 5000])
def test_a_number_that_no_column_holds_is_no_address(review: Newsroom, number: str) -> None:
    """The first broke on PostgreSQL, the second for anybody, before it was asked who that is."""
    assert Program(review).get(f"subscribers/{number}").status_code == 404
    assert Visitor(review).http.get(f"/webhooks/{number}").status_code == 404
    assert Visitor(review).http.post(f"/reports/{number}").status_code == 404


def test_stories_come_in_pages_in_the_shape_of_the_command(sent: Newsroom) -> None:
    program = Program(sent, Role.VIEWER)
    stories = command(sent, "stories", "list")
    assert pages(program, "stories", "stories", limit=7) == stories
    some = [each for each in stories if each["country"] == "CN"]
    assert some
    assert pages(program, "stories", "stories", limit=3, country="CN") == some
    one = program.get("stories/one", id=stories[0]["id"]).json()
    assert one == command(sent, "stories", "show", stories[0]["id"])


def test_issues_come_in_pages_in_the_shape_of_the_command(sent: Newsroom) -> None:
    from newsletter.newsroom.issue import issues

    issues.build(sent, NEWSLETTER, extra=True)
    program = Program(sent, Role.VIEWER)
    listed = pages(program, "issues", "issues", limit=1)
    assert listed == command(sent, "issue", "list")
    assert len(listed) == 2
    assert pages(program, "issues", "issues", state="submitted") == [
        each for each in listed if "/2026-05-27" in each["issue"] and each["state"] == "submitted"
    ]
    assert program.get(f"issues/{ISSUE}").json() == command(sent, "issue", "show", str(ISSUE))
    assert program.get(f"issues/{ISSUE}/books").json() == command(sent, "issue", "status", str(ISSUE))
    assert program.get(f"issues/{ISSUE}-2").json()["issue"] == f"{ISSUE}/2"
    assert program.get("issues/none/2026-05-27").status_code == 404


def test_newsletters_tell_their_next_slots(sent: Newsroom) -> None:
    (told,) = Program(sent, Role.VIEWER).get("newsletters").json()["newsletters"]
    slots = told.pop("next")
    assert told == command(sent, "schedule", "list")[0]
    assert len(slots) == 5
    assert slots[0]["newsletter"] == NEWSLETTER


def test_a_withdrawn_story_bears_the_tokens_name(sent: Newsroom) -> None:
    program = Program(sent, Role.EDITOR)
    story = program.get("stories", limit=1).json()["stories"][0]["id"]
    assert program.post("stories/withdraw", {"id": story, "reason": "wrong"}).json()["status"] == "withdrawn"
    assert program.post("stories/withdraw", {"id": story, "reason": "wrong"}).status_code == 409
    assert sent.stories.events(story)[-1].who == "API token CRM"
    assert Program(sent, Role.VIEWER).post("stories/withdraw", {"id": story, "reason": "x"}).status_code == 403


def test_a_look_for_an_address_is_logged_by_number_and_head_looks_at_nothing(sent: Newsroom) -> None:
    program, number = Program(sent), sent.subscribers.find(READER).id
    for path in (f"subscribers?email={READER}", f"subscribers/{number}", "subscribers"):
        assert program.http.head(f"/api/v1/{path}").status_code == 200
    assert sent.audit.lines() == []
    for query in ({"email": READER}, {"email": "nobody@example.org"}, {"limit": 2}):
        assert program.get("subscribers", **query).status_code == 200
    remarks = [line.remark for line in reversed(sent.audit.lines())]
    assert remarks == [f"subscriber {number}", "an address without a subscriber", "2 subscribers"]


def test_only_an_admins_token_sees_subscribers_and_each_look_is_logged(sent: Newsroom) -> None:
    for role in (Role.VIEWER, Role.EDITOR, Role.APPROVER):
        assert Program(sent, role).get("subscribers").status_code == 403
    program = Program(sent)
    everybody = pages(program, "subscribers", "subscribers", limit=9)
    assert len(everybody) == len({each["id"] for each in everybody}) == len(sent.subscribers.page(limit=1000))
    (mei,) = program.get("subscribers", email=READER).json()["subscribers"]
    assert program.get("subscribers", begins="mei.").json()["subscribers"] == [mei]
    answer = program.get(f"subscribers/{mei['id']}")
    assert answer.json() == command(sent, "subscribers", "show", READER)
    assert answer.headers["cache-control"] == "no-store"
    assert mei == {key: value for key, value in answer.json().items() if key != "history"}
    lines = "\n".join(dump(sent))
    assert lines.count("'api_subscribers'") >= 4
    assert READER not in "".join(line for line in lines.splitlines() if 'INTO "audit"' in line or "INTO audit" in line)
    assert "'api_subscriber'" in lines


def test_who_is_added_is_asked_by_mail_unless_the_consent_is_told(sent: Newsroom) -> None:
    program = Program(sent)
    first = program.post("subscribers", {"email": "new@example.com", "newsletters": [NEWSLETTER], "name": "N"})
    assert (first.status_code, first.json()["fate"], first.json()["asked"]) == (201, "added", True)
    assert first.json()["subscriber"]["subscriptions"] == {NEWSLETTER: "pending"}
    requests.carry(sent)
    (letter,) = (sent.outbox / "readers").glob("*.eml")
    assert b"new@example.com" in letter.read_bytes()
    (asked,) = sent.subscribers.requests(6) or [sent.subscribers.request(1)]
    assert requests.confirm(sent, asked, [NEWSLETTER], network="192.0.2.0/24") is not None
    assert sent.subscribers.find("new@example.com").subscriptions[NEWSLETTER].status == "confirmed"
    again = program.post("subscribers", {"email": "new@example.com", "newsletters": [NEWSLETTER]})
    assert (again.status_code, again.json()["fate"], again.json()["asked"]) == (200, "unchanged", False)
    consent = {"at": "2026-05-01T08:00:00+08:00", "source": "shop"}
    told = program.post("subscribers", {"email": "c@example.com", "newsletters": [NEWSLETTER], "consent": consent})
    assert (told.json()["asked"], told.json()["subscriber"]["subscriptions"]) == (False, {NEWSLETTER: "confirmed"})
    held = sent.subscribers.find("c@example.com").subscriptions[NEWSLETTER]
    assert (held.consent_at.isoformat(), held.consent_source) == ("2026-05-01T00:00:00+00:00", "shop")


def test_a_list_that_is_sent_again_mails_nobody_again(sent: Newsroom) -> None:
    program = Program(sent)
    body = {"email": "new@example.com", "newsletters": [NEWSLETTER]}
    assert program.post("subscribers", body).json()["asked"] is True
    assert program.post("subscribers", body).json()["asked"] is False, "they are pending, and were asked"
    sent.subscribers.unsubscribe(READER, None, sent.clock.now())
    answer = program.post("subscribers", {"email": READER, "newsletters": [NEWSLETTER]}).json()
    assert (answer["fate"], answer["asked"]) == ("already_unsubscribed", False)
    assert len(sent.subscribers.requests(6)) == 1


def test_nobody_who_left_is_revived(sent: Newsroom) -> None:
    program = Program(sent)
    number = sent.subscribers.find(READER).id
    assert program.post(f"subscribers/{number}/unsubscribe", {}).json()["ended"] == [NEWSLETTER]
    assert program.post(f"subscribers/{number}/unsubscribe", {}).json()["ended"] == []
    consent = {"at": "2026-05-01T08:00:00+08:00", "source": "shop"}
    answer = program.post("subscribers", {"email": READER, "newsletters": [NEWSLETTER], "consent": consent}).json()
    assert (answer["fate"], answer["subscriber"]["subscriptions"]) == (
        "already_unsubscribed",
        {NEWSLETTER: "unsubscribed"},
    )
    assert program.post("suppressions", {"email": READER, "reason": "asked by post"}).json() == {"new": True}
    assert program.post("suppressions", {"email": READER}).json() == {"new": False}
    answer = program.post("subscribers", {"email": READER, "newsletters": [NEWSLETTER]}).json()
    assert (answer["fate"], answer["asked"], answer["subscriber"]["status"]) == ("suppressed", False, "suppressed")
    lift = {"email": READER, "reason": "asked back"}
    lifted = [program.post("suppressions/lift", lift).json() for _ in range(2)]
    assert lifted == [{"lifted": "asked by post"}, {"lifted": None}]
    whom = f"subscriber {sent.subscribers.find(READER).id}"
    again, first = (line.remark for line in sent.audit.lines(kind="api_unsuppress"))
    assert (first, again) == (f"was by hand; {whom}", f"was not suppressed; {whom}"), "what was typed may name somebody"
    assert [line.remark for line in sent.audit.lines(kind="api_suppress")] == [f"known; {whom}", f"new; {whom}"]


def test_preferences_change_as_far_as_they_are_named(sent: Newsroom) -> None:
    program, number = Program(sent), sent.subscribers.find(READER).id
    before = program.get(f"subscribers/{number}").json()
    after = program.post(f"subscribers/{number}/preferences", {"countries": ["jp", "CN"], "timezone": "UTC"}).json()
    assert (after["countries"], after["timezone"]) == (["CN", "JP"], "UTC")
    assert (after["frequency"], after["language"]) == (before["frequency"], before["language"])
    assert program.post(f"subscribers/{number}/preferences", {"countries": None}).json()["countries"] is None
    until = program.post(f"subscribers/{number}/preferences", {"paused_until": "2026-06-01T00:00:00+08:00"}).json()
    assert until["paused_until"] == "2026-05-31T16:00:00+00:00"
    history = program.get(f"subscribers/{number}").json()["history"]
    assert history[-1]["how"] == "API token CRM"
    assert sent.subscribers.get(number).decided_at is None, "a program sets defaults; the reader decides"


def test_what_readers_decided_is_left_and_said_to_be(sent: Newsroom) -> None:
    program, number = Program(sent), sent.subscribers.find(READER).id
    theirs = replace(sent.subscribers.preferences(number), countries=("JP",))
    sent.subscribers.set_preferences(number, theirs, sent.clock.now())
    before = sent.subscribers.show(READER)
    answer = program.post(f"subscribers/{number}/preferences", {"countries": ["CN"], "timezone": "Asia/Tokyo"}).json()
    assert (answer["countries"], answer["left"]) == (["JP"], ["countries", "timezone"])
    assert program.post(f"subscribers/{number}/preferences", {"countries": ["JP"]}).json()["left"] == []
    assert sent.subscribers.show(READER) == before
    remarks = [line.remark for line in reversed(sent.audit.lines(kind="api_subscriber_preferences"))]
    assert remarks == ["nothing; left countries, timezone", "nothing"]


def test_readers_decide_on_the_publishers_account_page_too_and_their_last_word_counts(sent: Newsroom) -> None:
    program, number = Program(sent), sent.subscribers.find(READER).id
    now = sent.clock.now()

    def decide(countries: list[str], at: datetime) -> Any:
        decision = {"at": at.isoformat(), "source": "account page 3"}
        return program.post(f"subscribers/{number}/preferences", {"countries": countries, "decision": decision})

    answer = decide(["JP"], now - timedelta(minutes=3)).json()
    assert (answer["countries"], answer["left"]) == (["JP"], [])
    held = sent.subscribers.get(number)
    assert held.decided_at == now - timedelta(minutes=3)
    line = program.get(f"subscribers/{number}").json()["history"][-1]
    assert (line["how"], line["decided"]) == ("API token CRM", "account page 3")
    assert program.post(f"subscribers/{number}/preferences", {"countries": None}).json()["left"] == ["countries"]
    assert decide(["SG"], now - timedelta(minutes=1)).json()["countries"] == ["SG"]
    assert decide(["SG"], now - timedelta(seconds=9)).json()["left"] == []
    late = decide(["CN"], now - timedelta(seconds=30)).json()
    assert (late["countries"], late["left"]) == (["SG"], ["countries"]), "a word that comes late is not the last one"
    future = decide(["CN"], now + timedelta(days=1))
    assert future.status_code == 422
    assert "future" in future.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "key"),
    [
        ("GET", "stories?order=title", None, "order"),
        ("GET", "stories?limit=1e2", None, "limit"),
        ("GET", "stories?limit=1&limit=2", None, "limit"),
        ("GET", "stories?limit=0", None, "limit"),
        ("GET", "me?x=1", None, "x"),
        ("GET", "subscribers?status=any", None, "status"),
        ("POST", "subscribers", {"email": "a@example.com", "newsletters": [NEWSLETTER], "admin": True}, "admin"),
        ("POST", "subscribers", {"email": "a@example.com", "newsletters": []}, "newsletters"),
        ("POST", "subscribers", {"email": "a@example.com", "newsletters": [7]}, "newsletters.0"),
        ("POST", "suppressions", {"email": "a@example.com", "reason": "\0"}, "reason"),
    ],
)
def test_what_no_operation_knows_is_named_and_changes_nothing(
    sent: Newsroom, method: str, path: str, body: object, key: str
) -> None:
    program = Program(sent)
    program.get("me")
    before = dump(sent)
    answer = program.http.request(method, f"/api/v1/{path}", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["key"] == key
    assert dump(sent) == before


def test_other_bodies_than_json_are_refused(sent: Newsroom) -> None:
    program = Program(sent)
    path = "/api/v1/suppressions"
    assert program.http.post(path, data={"email": "a@example.com"}).status_code == 415
    for broken in (b"", b"{", b"\xff", b"[" * 100_000):
        answer = program.http.post(path, content=broken, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["status"]) == (400, 400)


def test_a_program_that_asks_too_often_is_told_when_to_go_on(sent: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bearers, "_requests", Throttle(2, 60.0))
    monkeypatch.setattr(bearers, "_guesses", Throttle(2, 60.0))
    program = Program(sent)
    assert [program.get("me").status_code for _ in range(3)] == [200, 200, 429]
    assert 0 < int(program.get("me").headers["retry-after"]) <= 60
    stranger = Visitor(sent, "192.0.2.8").http
    assert [stranger.get("/api/v1/me").status_code for _ in range(3)] == [401, 401, 429]
    other = Program(sent, Role.VIEWER)
    stranger.headers["authorization"] = other.http.headers["authorization"]
    assert stranger.get("/api/v1/me").status_code == 200, "who has a token is not shut out by its neighbours"
