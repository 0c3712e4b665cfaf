"""Stories pushed by programs: whose key, which story, once; and webhooks of Ghost, signed."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import issues, previews
from newsletter.storage import Role

from .conftest import Visitor, dump

KEY, OTHER, SECRET = "push-key-0123456789", "other-key-0123456789", "hook-secret"
STORY = {
    "external_id": "7",
    "url": "https://cms.example/7",
    "title": "Seoul subway goes cashless",
    "published_at": "2026-05-27T04:00:00+08:00",
    "tags": "#cms-id:7#byline:Ana B#AI",
}


@pytest.fixture
def room(review: Newsroom) -> Newsroom:
    (review.desk / "push.key").write_text(KEY, encoding="utf-8")
    (review.desk / "other.key").write_text(OTHER, encoding="utf-8")
    (review.desk / "hook.key").write_text(SECRET, encoding="utf-8")
    plan = review.plan_file.read_text(encoding="utf-8")
    sources = """sources:
  cms: {kind: push, key: "file:push.key", outlet: The CMS}
  rival: {kind: push, key: "file:other.key", outlet: The Rival}
  unset: {kind: push, key: "file:nowhere.key", outlet: Nobody}
  blog: {kind: ghost, url: https://blog.example, key: "file:push.key", webhook_key: "file:hook.key", outlet: The Blog}
"""
    review.plan_file.write_text(plan.replace("sources:\n", sources, 1), encoding="utf-8")
    return review


def push(room: Newsroom, body: object, key: str = KEY) -> tuple[int, dict[str, object]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Visitor(room).http.post("/api/v1/stories", content=data, headers={"authorization": f"Bearer {key}"})
    return answer.status_code, answer.json()


def test_a_story_comes_in_once_and_again_as_a_revision(room: Newsroom) -> None:
    assert push(room, STORY) == (200, {"source": "cms", "new": 1, "revised": 0, "known": 0, "refused": []})
    assert push(room, [STORY])[1]["known"] == 1
    assert push(room, STORY | {"title": "Seoul subway drops cash"})[1]["revised"] == 1
    story = room.stories.get("cms:7")
    assert (story.title, story.revision, story.outlet) == ("Seoul subway drops cash", 2, "The CMS")
    assert (story.byline, story.tags, story.country) == (("Ana B",), ("AI",), "KR")


def test_one_key_files_under_its_own_source_alone(room: Newsroom) -> None:
    status, said = push(room, [STORY, STORY | {"external_id": "8", "source": "rival", "tags": []}])
    assert (status, said["new"]) == (200, 1)
    assert "files no stories of another source" in str(said["refused"])
    assert push(room, STORY, OTHER)[1]["source"] == "rival"


@pytest.mark.parametrize(
    "shown", ["", "Bearer ", "Bearer wrong", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer \u00e9"]
)
def test_nobody_without_a_key(room: Newsroom, shown: str) -> None:
    before = dump(room)
    answer = (
        Visitor(room)
        .enter(Role.ADMIN)
        .http.post("/api/v1/stories", content=json.dumps(STORY), headers={"authorization": shown.encode("latin-1")})
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "cms:7" not in "".join(set(dump(room)) - set(before))


@pytest.mark.parametrize("body", [b"", b"{", b"[1, 2", b"\xff", b"[" * 100_000, b"NaN"])
def test_what_is_no_story_file_is_400(room: Newsroom, body: bytes) -> None:
    status, said = push(room, body)
    assert status == 400
    assert "pushed.json" in str(said["detail"])


def test_wholly_bad_is_422_with_places(room: Newsroom) -> None:
    status, said = push(room, [{"title": "No link"}, 7])
    assert status == 422
    assert [each["where"] for each in said["refused"]] == ["story 1", "story 2"]  # type: ignore[union-attr, index]


def test_more_than_a_form_holds_and_less_than_too_much(room: Newsroom) -> None:
    many = [
        STORY | {"external_id": str(n), "url": f"https://cms.example/{n}", "summary": "x" * 300, "tags": []}
        for n in range(500)
    ]
    assert push(room, many)[1]["new"] == 500
    answer = Visitor(room).http.delete("/api/v1/stories")
    assert (answer.status_code, answer.json()["detail"]) == (405, "DELETE is not possible here")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert Visitor(room).http.post("/api/v1/nothing").json()["detail"] == "there is no such address"
    assert Visitor(room).http.post("/api/v1/stories", content=b"x" * 2_200_000).status_code == 413


def signed(body: bytes, now: float, *, old: bool = False) -> dict[str, str]:
    stamp = str(int(now * 1000))
    digest = hmac.new(SECRET.encode(), body if old else body + stamp.encode(), hashlib.sha256).hexdigest()
    return {"x-ghost-signature": f"sha256={digest}, t={stamp}"}


def hook(**post: object) -> bytes:
    usual = {"id": "64a", "url": "https://blog.example/a/", "title": "Tokyo court rules", "status": "published",
             "published_at": "2026-05-27T04:00:00.000Z"}  # fmt: skip
    return json.dumps({"post": {"current": usual | post, "previous": {}}}).encode()


@pytest.mark.parametrize("old", [False, True], ids=["now", "before 5.87"])
def test_a_webhook_of_ghost(room: Newsroom, old: bool) -> None:
    now = room.clock.now().timestamp()
    http = Visitor(room).http
    answer = http.post("/api/v1/sources/blog/ghost", content=hook(), headers=signed(hook(), now, old=old))
    assert (answer.status_code, answer.json()["new"]) == (200, 1)
    assert room.stories.get("blog:64a").country == "JP"
    draft = hook(id="64b", status="draft")
    assert http.post("/api/v1/sources/blog/ghost", content=draft, headers=signed(draft, now)).json()["new"] == 0


def test_a_webhook_that_is_not_theirs(room: Newsroom) -> None:
    now = room.clock.now().timestamp()
    http = Visitor(room).http
    for headers in ({}, {"x-ghost-signature": "sha256=00, t=1"}, signed(b"other", now), signed(hook(), now - 400)):
        assert http.post("/api/v1/sources/blog/ghost", content=hook(), headers=headers).status_code == 400
    assert http.post("/api/v1/sources/cms/ghost", content=hook(), headers=signed(hook(), now)).status_code == 404
    assert http.post("/api/v1/sources/no/ghost", content=hook(), headers=signed(hook(), now)).status_code == 404


def test_machine_tags_reach_no_reader(room: Newsroom) -> None:
    """Not on a screen, not in a version of the mail, not in the text part."""
    push(room, STORY | {"tags": "#cms-id:7#byline:Ana B#AI#Government & Policy"})
    issue = issues.build(room, "asia-ai-daily")
    visitor = Visitor(room).enter(Role.VIEWER)
    texts = [visitor.http.get(path).text for path in ("/archive/", "/stories", f"/issues/{issue.id}")]
    for edition in previews.editions(room, issue):
        rendered = previews.preview(room, issue.id, countries=edition.edition.countries)
        texts += [rendered.html, rendered.text, rendered.subject, rendered.preheader]
    assert any("Seoul subway" in text for text in texts)
    assert any("Government &amp; Policy" in text for text in texts)
    for text in texts:
        assert "cms-id" not in text
        assert "byline:" not in text


def test_bounces_of_a_topic_that_is_not_set_are_nobodys(room: Newsroom) -> None:
    before = dump(room)
    answer = Visitor(room).http.post("/api/v1/bounces/sns", content=b'{"Type": "Notification"}')
    assert answer.status_code == 404
    assert "NEWSLETTER_BOUNCES_TOPIC" in answer.json()["detail"]
    assert dump(room) == before
