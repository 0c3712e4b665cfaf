"""What every kind of source promises, one suite for all of them, against a real server and a real folder."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import SourceError
from newsletter.gather import open_source, source_kinds
from newsletter.gather.entries import NAME_LIMIT
from newsletter.model import Precision, Refusal, Story, StoryStatus
from newsletter.plan.values import SourcePlan
from newsletter.ports import Source, SourceState

from .conftest import NOW, Website

HOST = "https://news.example"

FEED = f"""<?xml version="1.0"?><rss version="2.0"><channel><title>The Example</title>
<item><title>First &amp;amp; best</title><link>{HOST}/1?utm_source=x#top</link><guid>{HOST}/?p=7</guid>
<pubDate>Wed, 27 May 2026 05:00:00 +0000</pubDate><category>AI</category><author>a@b.example (Ana B)</author>
<description>One &lt;b&gt;bold&lt;/b&gt; line.</description></item>
<item><title>Second</title><link>{HOST}/2</link><guid>two</guid></item>
<item><title></title><link>{HOST}/3</link></item></channel></rss>"""

JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "The Example",
    "items": [
        {"id": "7", "url": f"{HOST}/1?utm_source=x#top", "title": "First &amp; best", "tags": ["AI"],
         "date_published": "2026-05-27T05:00:00Z", "authors": [{"name": "Ana B"}], "summary": "One <b>bold</b> line."},
        {"id": "two", "url": "/2", "title": "Second"},
        {"id": "three", "url": f"{HOST}/3"},
    ],
}  # fmt: skip

POSTS = [
    {"id": 7, "guid": {"rendered": f"{HOST}/?p=7"}, "link": f"{HOST}/1?utm_source=x#top",
     "title": {"rendered": "First &#038; best"}, "date_gmt": "2026-05-27T05:00:00",
     "excerpt": {"rendered": "<p>One <b>bold</b> line.</p>"},
     "_embedded": {"author": [{"name": "Ana B"}], "wp:term": [[{"taxonomy": "category", "name": "AI", "slug": "ai"}]]}},
    {"id": 8, "guid": {"rendered": f"{HOST}/?p=8"}, "link": f"{HOST}/2", "title": {"rendered": "Second"}},
    {"id": 9, "guid": {"rendered": f"{HOST}/?p=9"}, "link": f"{HOST}/3", "title": {"rendered": ""}},
]  # fmt: skip

GHOST = {
    "posts": [
        {"id": "64a", "url": f"{HOST}/1?utm_source=x#top", "title": "First & best", "custom_excerpt": "One bold line.",
         "published_at": "2026-05-27T05:00:00.000+00:00", "authors": [{"name": "Ana B"}],
         "tags": [{"name": "AI", "visibility": "public"}, {"name": "#hidden", "visibility": "internal"}]},
        {"id": "64b", "url": f"{HOST}/2", "title": "Second"},
        {"id": "64c", "url": f"{HOST}/3", "title": None},
    ]
}  # fmt: skip

NINJS = {
    "items": [
        {"uri": "urn:1", "url": f"{HOST}/1?utm_source=x#top", "headlines": [{"role": "main", "value": "First & best"}],
         "firstCreated": "2026-05-27T05:00:00Z", "by": "Ana B", "subjects": [{"name": "AI"}],
         "descriptions": [{"value": "One bold line."}]},
        {"guid": "urn:2", "url": f"{HOST}/2", "headline": "Second"},
        {"guid": "urn:3", "url": f"{HOST}/3"},
    ]
}  # fmt: skip

FILE = "\n".join(
    json.dumps(each)
    for each in (
        {"external_id": "7", "url": f"{HOST}/1?utm_source=x#top", "title": "First & best", "tags": ["AI"],
         "published_at": "2026-05-27T05:00:00Z", "byline": ["Ana B"], "summary": "One bold line."},
        {"external_id": "two", "url": f"{HOST}/2", "title": "Second", "published_at": "2026-05-27"},
        {"external_id": "three", "url": f"{HOST}/3", "published_at": "2026-05-27"},
    )
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One kind, with what it serves in these tests: two stories and one entry without a title."""

    name: str
    path: str
    body: str
    empty: str
    key: str | None = None

    @property
    def module(self) -> str:
        return f"newsletter.gather.{self.name}"


KINDS = (
    Kind("feed", "/feed", FEED, "<rss version='2.0'><channel><title>x</title></channel></rss>"),
    Kind("jsonfeed", "/feed.json", json.dumps(JSON_FEED), '{"items": []}'),
    Kind("wordpress", "/wp-json/wp/v2/posts", json.dumps(POSTS), "[]"),
    Kind("ghost", "/ghost/api/content/posts/", json.dumps(GHOST), '{"posts": []}', key="0123456789abcdef"),
    Kind("ninjs", "/news.json", json.dumps(NINJS), '{"items": []}'),
)
FETCHED = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def plan_of(kind: Kind, website: Website, **fields: Any) -> SourcePlan:
    cms = kind.name in ("wordpress", "ghost")
    url = website.url("" if cms else kind.path)
    usual = {"id": "wire", "kind": kind.name, "url": url, "outlet": "The Wire", "allow_private": True}
    return SourcePlan(**(usual | fields))


@pytest.fixture
def opened(website: Website, tmp_path: Path) -> Callable[..., Source]:
    def open_kind(kind: Kind, body: str | None = None, **fields: Any) -> Source:
        website.serve(kind.path, (kind.body if body is None else body).encode())
        return open_source(plan_of(kind, website, **fields), tmp_path, kind.key)

    return open_kind


def test_every_kind_is_in_this_suite() -> None:
    assert {kind.name for kind in KINDS} | {"folder"} == set(source_kinds())


def assert_stories(stories: list[Story], refused: list[Refusal]) -> None:
    first, second = stories
    assert first.title == "First & best"
    assert first.url == f"{HOST}/1?utm_source=x#top"
    assert first.url_canonical == f"{HOST}/1"
    assert first.published_at == datetime(2026, 5, 27, 5, tzinfo=UTC)
    assert first.published_at.utcoffset() == timedelta(0)
    assert (first.byline, first.tags, first.summary) == (("Ana B",), ("AI",), "One bold line.")
    assert (second.title, second.external_id != first.external_id) == ("Second", True)
    (refusal,) = refused
    assert re.search(r"(entry|line) 3", refusal.where)
    assert "title" in refusal.reason


@FETCHED
def test_stories_come_in_clean_and_what_is_none_is_refused_by_place(kind: Kind, opened: Callable[..., Source]) -> None:
    fetched = opened(kind).fetch(SourceState(), NOW)
    assert_stories(list(fetched.stories), list(fetched.refused))
    assert {story.source for story in fetched.stories} == {"wire"}
    assert fetched.stories[1].published_precision is Precision.FETCHED
    assert fetched.state.polled_at == NOW


def test_a_folder_keeps_the_same_promises(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "day.jsonl").write_text(FILE, encoding="utf-8")
    source = open_source(SourcePlan(id="wire", kind="folder", path="inbox", outlet="The Wire"), tmp_path)
    fetched = source.fetch(SourceState(), NOW)
    assert_stories(list(fetched.stories), list(fetched.refused))
    fetched.settle()
    assert source.fetch(fetched.state, NOW).unchanged


@FETCHED
def test_a_second_poll_brings_nothing_else(kind: Kind, opened: Callable[..., Source], website: Website) -> None:
    source = opened(kind)
    first = source.fetch(SourceState(), NOW)
    second = source.fetch(first.state, NOW + timedelta(minutes=15))
    if second.unchanged:
        assert website.asked[-1][1]["If-None-Match"]
    else:
        later = [replace(story, gathered_at=NOW) for story in second.stories]
        dated = [replace(story, published_at=first.stories[n].published_at) for n, story in enumerate(later)]
        assert dated == list(first.stories)


@FETCHED
def test_a_source_without_stories_is_fine(kind: Kind, opened: Callable[..., Source]) -> None:
    fetched = opened(kind, kind.empty).fetch(SourceState(), NOW)
    assert (list(fetched.stories), list(fetched.refused)) == ([], [])


@FETCHED
def test_gone_for_good_switches_it_off(kind: Kind, opened: Callable[..., Source], website: Website) -> None:
    source = opened(kind)
    website.answer(kind.path, 410)
    state = source.fetch(SourceState(), NOW).state
    assert "remove source wire" in str(state.switched_off)


@FETCHED
@pytest.mark.parametrize(
    "body",
    ["", "<html><body>Not found</body></html>", '{"error": "no"}', "[1, 2", '"text"', "{" * 100_000, "NaN", "\0\1"],
    ids=["nothing", "page", "other json", "cut", "a text", "deep", "NaN", "bytes"],
)
def test_what_is_something_else_is_an_error_that_names_it(
    kind: Kind, body: str, opened: Callable[..., Source], website: Website
) -> None:
    source = opened(kind, body)
    with pytest.raises(SourceError, match=rf"source wire: .*{website.port}") as caught:
        source.fetch(SourceState(), NOW)
    assert kind.key is None or kind.key not in str(caught.value)


@FETCHED
def test_a_later_answer_may_be_asked_for_by_retry_after(
    kind: Kind, opened: Callable[..., Source], website: Website
) -> None:
    source = opened(kind)
    website.answer(kind.path, 503, Retry_After="120")
    with pytest.raises(SourceError, match="503") as caught:
        source.fetch(SourceState(), NOW)
    assert caught.value.retry_at == NOW + timedelta(seconds=120)


@FETCHED
def test_a_picture_needs_confirmed_rights(kind: Kind, opened: Callable[..., Source]) -> None:
    pictures = {
        "feed": FEED.replace("<guid>two", '<enclosure url="/p.png" type="image/png"/><guid>two'),
        "jsonfeed": json.dumps(
            JSON_FEED | {"items": [JSON_FEED["items"][0], {**JSON_FEED["items"][1], "image": "/p.png"}]}
        ),  # type: ignore[index]
        "wordpress": json.dumps([POSTS[0], POSTS[1] | {"_embedded": {"wp:featuredmedia": [{"source_url": "/p.png"}]}}]),
        "ghost": json.dumps({"posts": [GHOST["posts"][0], GHOST["posts"][1] | {"feature_image": "/p.png"}]}),  # type: ignore[operator]
        "ninjs": json.dumps(
            [
                NINJS["items"][0],
                NINJS["items"][1] | {"associations": [{"type": "picture", "renditions": [{"href": "/p.png"}]}]},
            ]  # type: ignore[operator]
        ),
    }
    allowed = opened(kind, pictures[kind.name], rights_confirmed_by="chief").fetch(SourceState(), NOW)
    image = allowed.stories[1].image
    assert image is not None
    assert image.url.endswith("/p.png")
    forbidden = opened(kind, pictures[kind.name]).fetch(SourceState(), NOW)
    assert forbidden.stories[1].image is None


# --- the CMS kinds ------------------------------------------------------------------------------------------


def test_wordpress_through_its_api_and_through_its_feed_is_one_story() -> None:
    plan = SourcePlan(id="wire", kind="wordpress", outlet="x")
    posts, _ = import_module("newsletter.gather.wordpress").parse(json.dumps(POSTS).encode(), plan, NOW, address=HOST)
    feed, _ = import_module("newsletter.gather.feed").parse(FEED.encode(), plan, NOW, address=HOST)
    assert posts[0].id == feed[0].id == "wire:7"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name in ("wordpress", "ghost")], ids=lambda k: k.name)
def test_a_cms_is_asked_for_what_changed_page_by_page(
    kind: Kind, website: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty-five pages of changes take three polls of ten pages at most; nothing is passed over."""

    def post(number: int) -> dict[str, Any]:
        if kind.name == "ghost":
            return {"id": f"g{number}", "url": f"{HOST}/{number}", "title": f"Title {number}"}
        return {"id": number, "link": f"{HOST}/{number}", "title": {"rendered": f"Title {number}"}}

    def page(request: Any) -> None:
        number = int(re.search(r"[?&]page=(\d+)", request.path)[1])  # type: ignore[index]
        body = [post(number)] if number <= 25 else []
        request.send_response(200)
        if kind.name == "wordpress":
            request.send_header("X-WP-TotalPages", "25")
        request.end_headers()
        request.wfile.write(json.dumps({"posts": body} if kind.name == "ghost" else body).encode())

    website.pages[kind.path] = page
    monkeypatch.setattr(f"{kind.module}._A_PAGE", 1)
    source = open_source(plan_of(kind, website), tmp_path, kind.key)
    first = source.fetch(SourceState(), NOW)
    assert [story.title for story in first.stories] == ["Title 1"]
    assert len(website.asked) == 1
    titles: list[str] = []
    state = first.state
    for poll in range(1, 4):
        fetched = source.fetch(state, NOW + timedelta(hours=poll))
        titles += [story.title for story in fetched.stories]
        state = fetched.state
    assert list(dict.fromkeys(titles)) == [f"Title {number}" for number in range(1, 26)]
    assert re.fullmatch(r"2026-05-27T06:25:00Z", str(state.cursor))
    asked = next(path for path, *_ in website.asked[1:] if ("modified_after" in path or "updated_at" in path))
    assert "2026-05-27" in asked


def test_nothing_moves_past_a_reading_and_what_was_scheduled_is_seen(website: Website, tmp_path: Path) -> None:
    """A site that sorts as WordPress does: an edit moves a post to the end, and publishing leaves `modified` alone."""
    start = datetime(2026, 5, 27, 6, tzinfo=UTC)
    public: dict[int, datetime] = {number: start + timedelta(seconds=number) for number in range(1, 151)}
    changed = dict(public)

    def answer(request: Any) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        of, after = (public, "after") if asked["orderby"] == "date" else (changed, "modified_after")
        since = datetime.fromisoformat(asked.get(after, "2000-01-01T00:00:00Z"))
        posts = sorted((number for number in public if of[number] > since), key=of.__getitem__)
        posts = posts if asked["order"] == "asc" else posts[::-1]
        at = (int(asked["page"]) - 1) * 100
        body = [
            {"id": number, "link": f"{HOST}/{number}", "title": {"rendered": f"Title {number}"}}
            for number in posts[at : at + 100]
        ]
        request.send_response(200)
        request.send_header("X-WP-TotalPages", str(-(-len(posts) // 100)))
        request.end_headers()
        request.wfile.write(json.dumps(body).encode())
        if asked["page"] == "1" and after in asked and asked["orderby"] == "modified" and len(website.asked) < 6:
            changed[1] = start + timedelta(hours=1)

    kind = next(kind for kind in KINDS if kind.name == "wordpress")
    website.pages[kind.path] = answer
    source = open_source(plan_of(kind, website), tmp_path, kind.key)
    state = replace(SourceState(), cursor="2026-05-27T05:00:00Z")
    fetched = source.fetch(state, start + timedelta(hours=2))
    assert {story.title for story in fetched.stories} == {f"Title {number}" for number in range(1, 151)}

    public[999], changed[999] = start + timedelta(hours=3), start - timedelta(hours=3)
    fetched = source.fetch(fetched.state, start + timedelta(hours=4))
    assert "Title 999" in {story.title for story in fetched.stories}


def test_an_agencys_item_without_an_address_is_a_draft() -> None:
    plan = SourcePlan(id="ntb", kind="ninjs", outlet="NTB")
    parse = import_module("newsletter.gather.ninjs").parse
    item = {"uri": "urn:1", "headlines": [{"value": "Nyhet"}], "firstCreated": "2026-05-27T05:00:00Z"}
    (story,), refused = parse(json.dumps(item).encode(), plan, NOW, address="")
    assert (story.url, story.status, refused) == ("", StoryStatus.DRAFT, [])
    withheld = item | {"pubStatus": "withheld"}
    assert parse(json.dumps([withheld]).encode(), plan, NOW, address="")[1][0].reason.startswith(
        "its status is withheld"
    )


# --- real data -----------------------------------------------------------------------------------------------

KIND_OF = {"wordpress-rest-posts": "wordpress", "ghost-content-api": "ghost", "jsonfeed": "jsonfeed", "ninjs": "ninjs"}


def test_every_real_file_equals_what_was_read_by_hand(test_data: Path) -> None:
    files = sorted((test_data / "feeds").glob("*.expected.json"))
    assert len(files) >= 32
    for file in files:
        expected = json.loads(file.read_text(encoding="utf-8"))
        kind = KIND_OF.get(expected["kind"], "feed")
        plan = SourcePlan(id="wire", kind=kind, outlet="The Wire", url=f"{HOST}/feed")
        address = expected.get("retrieved_from") or f"{HOST}/feed"
        data = (file.parent / expected["file"]).read_bytes()
        stories, _ = import_module(f"newsletter.gather.{kind}").parse(data, plan, NOW, address=address)
        for story, entry in zip(stories, expected["entries"], strict=False):
            assert_as_expected(story, entry, expected["file"])


def assert_as_expected(story: Story, entry: dict[str, Any], file: str) -> None:
    assert squeezed(story.title) == squeezed(entry["title"]), file
    assert story.guid == entry["id"], file
    if entry["link"] is not None:
        assert story.url == entry["link"], file
    assert squeezed("; ".join(story.byline)) == squeezed(entry["author"] or ""), file
    if "wp_id" in entry:
        assert story.external_id == str(entry["wp_id"])
    assert [*story.tags] == [squeezed(each) for each in entry["categories"]], file
    dated = story.published_precision is not Precision.FETCHED
    stamp = f"{story.published_at:%Y-%m-%dT%H:%M:%SZ}" if dated else None
    assert stamp in entry.get("published_accept", [entry["published"]]), file


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


# --- whatever comes ------------------------------------------------------------------------------------------

SEEDS = [(kind.module, kind.body.encode()) for kind in KINDS]


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Cut, doubled, swapped and overwritten in up to eight places."""
    piece = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        at, length = dice.randrange(len(piece) + 1), dice.randrange(60)
        new = dice.choice(
            (b"", bytes(dice.randrange(256) for _ in range(dice.randrange(8))), bytes(piece[at : at + length]) * 2,
             b"null", b"[]", b"{}", b'"', b"<![CDATA[", b"&#x0;", b"1e999", b"-1", "\u202e\ufdd0".encode())
        )  # fmt: skip
        piece[at : at + length] = new
    return bytes(piece)


def test_two_thousand_mutated_feeds_raise_nothing_else(test_data: Path) -> None:
    dice = random.Random(20260527)
    real = []
    for file in sorted((test_data / "feeds").glob("*.expected.json")):
        expected = json.loads(file.read_text(encoding="utf-8"))
        data = (file.parent / expected["file"]).read_bytes()
        real.append((f"newsletter.gather.{KIND_OF.get(expected['kind'], 'feed')}", data[:6_000]))
    plan = SourcePlan(id="wire", kind="feed", outlet="The Wire")
    taken = refused = errors = 0
    for number in range(2_000):
        module, data = dice.choice(SEEDS if number % 2 else real)
        body = mutated(data, dice) if number % 10 else dice.randbytes(dice.randrange(400))
        try:
            stories, refusals = import_module(module).parse(body, plan, NOW, address=f"{HOST}/feed")
        except SourceError:
            errors += 1
            continue
        taken += len(stories)
        refused += len(refusals)
        for story in stories:
            assert_sound(story)
    print(f"2,000 feeds: {taken} stories, {refused} refused entries, {errors} errors, 0 crashes")
    assert taken > 2_000
    assert errors > 100


def assert_sound(story: Story) -> None:
    assert story.title
    assert story.url.startswith(("http://", "https://")) or (story.url == "" and story.status is StoryStatus.DRAFT)
    assert story.external_id
    assert story.published_at.tzinfo is not None
    assert len(story.title) <= 300
    assert len(story.summary) <= 1_200
    assert all(name and len(name) <= NAME_LIMIT for name in story.byline)
    for text in (story.title, story.summary, story.rights, *story.tags, *story.byline):
        assert not re.search("[\x00-\x1f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef]", text)


KEYS = ["id", "url", "title", "items", "posts", "guid", "rendered", "tags", "authors", "name", "uri", "headline"]
KEYS += ["date_gmt", "_embedded", "wp:term", "associations", "headlines", "subject", "link", "image"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(json_values, st.sampled_from([kind for kind in KINDS if kind.name != "feed"]))
def test_any_json_is_stories_refusals_or_an_error(value: object, kind: Kind) -> None:
    plan = SourcePlan(id="wire", kind=kind.name, outlet="The Wire")
    for body in (value, [value], {"items": [value]}, {"posts": [value]}):
        try:
            stories, _ = import_module(kind.module).parse(json.dumps(body).encode(), plan, NOW, address=f"{HOST}/feed")
        except SourceError:
            continue
        for story in stories:
            assert_sound(story)
