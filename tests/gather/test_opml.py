"""OPML in and out: what feed readers export, what is none, and back again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.gather import read_opml, write_opml
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.intake import sources
from newsletter.plan.values import SourcePlan

FILE = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="2.0"><head><title>My feeds</title></head><body>
<outline text="Tech" title="Tech">
  <outline type="rss" text="TechCrunch" xmlUrl="https://techcrunch.example/feed/" htmlUrl="https://techcrunch.example"/>
  <outline type="rss" text="Caf\xe9 &amp; Code" xmlUrl="https://cafe.example/rss"/>
  <outline text="Deeper"><outline type="jsonfeed" text="Blog" xmlUrl="https://blog.example/feed.json"/></outline>
</outline>
<outline type="rss" xmlUrl="https://www.untitled.example/atom"/>
<outline type="rss" text="TechCrunch" xmlUrl="https://other.example/feed"/>
<outline type="rss" text="Again" xmlUrl="https://cafe.example/rss"/>
<outline type="rss" text="Script" xmlUrl="javascript:alert(1)"/>
<outline type="link" text="A page" url="https://page.example"/>
</body></opml>"""


def test_feeds_come_in_with_ids_outlets_and_sections() -> None:
    found, refused = read_opml(FILE, "subs.opml", ["blog"])
    assert [(each.id, each.kind, each.outlet, each.section) for each in found] == [
        ("techcrunch", "feed", "TechCrunch", "Tech"),
        ("cafe-code", "feed", "Café & Code", "Tech"),
        ("blog-2", "jsonfeed", "Blog", "Deeper"),
        ("untitled-example", "feed", "untitled.example", None),
        ("techcrunch-2", "feed", "TechCrunch", None),
    ]
    assert [(each.where, each.reason.split()[0]) for each in refused] == [
        ("line 10", "https://cafe.example/rss"),
        ("line 11", "xmlUrl"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no OPML"),
        (b"<rss/>", "no OPML"),
        (b'{"feeds": []}', "no OPML"),
        (b"<opml><body><outline></body></opml>", "subs.opml:1: not XML"),
        (b"<opml>\n<body>\n<outline text='a'", "subs.opml:3: not XML"),
        (b"<!DOCTYPE o [<!ENTITY a 'b'>]><opml><body/></opml>", "declares entities"),
    ],
)
def test_what_is_no_opml_is_said_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_opml(data, "subs.opml", [])


def test_an_opml_without_feeds_is_empty() -> None:
    assert read_opml(b"<opml><head/></opml>", "x.opml", []) == ([], [])
    deep = b"<outline text='x'>" * 90 + b"</outline>" * 90
    assert read_opml(b"<opml><body>" + deep + b"</body></opml>", "x", []) == ([], [])
    with pytest.raises(InputError, match="depth"):
        read_opml(b"<opml><body>" + b"<outline>" * 900, "x", [])


words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20).filter(lambda t: "<" not in t)


@given(st.lists(st.tuples(words, words, st.sampled_from(["feed", "jsonfeed"])), max_size=6))
def test_what_goes_out_comes_in_again(rows: list[tuple[str, str, str]]) -> None:
    plans = [
        SourcePlan(
            id=f"s{n}", kind=kind, url=f"https://e.example/{n}?a=1&b=2", outlet=outlet, section=section, country="JP"
        )
        for n, (outlet, section, kind) in enumerate(rows)
    ]
    data = write_opml([*plans, SourcePlan(id="desk", kind="folder", path="inbox")], "All & <everything>")
    found, refused = read_opml(data, "out.opml", [])
    assert refused == []
    assert {(each.url, each.kind, each.id, each.country) for each in found} == {
        (each.url, each.kind, each.id, each.country) for each in plans
    }


def test_a_title_without_latin_letters_gives_way_to_the_host() -> None:
    data = "<opml><body><outline text='朝日' xmlUrl='https://www.asahi.example/rss'/></body></opml>".encode()
    [found], _ = read_opml(data, "x.opml", [])
    assert (found.id, found.outlet) == ("asahi-example", "朝日")


def test_a_desk_takes_a_list_of_feeds_and_keeps_its_comments(tmp_path: Path) -> None:
    desks.make_sample_desk(tmp_path / "desk")
    (tmp_path / "subs.opml").write_bytes(FILE)
    with Newsroom.open(tmp_path / "desk", environ={}) as room:
        before = room.plan_file.read_text(encoding="utf-8")
        new, refused = sources.import_opml(room, tmp_path / "subs.opml")
        assert len(new) == 5
        assert room.plan.sources["cafe-code"].outlet == "Café & Code"
        after = room.plan_file.read_text(encoding="utf-8")
        comments = [line.split("#", 1)[1] for line in before.splitlines() if "#" in line]
        assert comments
        assert all(comment in after for comment in comments)
        again, left_out = sources.import_opml(room, tmp_path / "subs.opml")
        assert (list(again), len(left_out)) == ([], len(refused) + 5)
        assert room.plan_file.read_text(encoding="utf-8") == after
        (tmp_path / "out.opml").write_bytes(sources.export_opml(room))
        found, _ = read_opml((tmp_path / "out.opml").read_bytes(), "out.opml", [])
        assert len(found) == 5
        (desk,) = [standing for standing in sources.standings(room) if standing.source.id == "desk"]
        assert (desk.stories, desk.next_poll) == (0, None)
