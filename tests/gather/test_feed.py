"""Parsing: every trap of real feeds, each in a small fixture of our own; then the real ones."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import SourceError
from newsletter.gather.feed import parse as parse_feed
from newsletter.model import CountryOrigin, Precision, Refusal, Story, SummaryOrigin
from newsletter.plan.values import SourcePlan

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime.fromisoformat("2026-05-27T05:25:00+00:00")
PLAN = SourcePlan(id="wire", kind="feed", rights_confirmed_by="test")


def parse(
    name: str, plan: SourcePlan = PLAN, address: str = "http://feeds.example/all", content_type: str | None = None
) -> tuple[list[Story], list[Refusal]]:
    return parse_feed((FIXTURES / name).read_bytes(), plan, NOW, address=address, content_type=content_type)


def stories(name: str, plan: SourcePlan = PLAN, address: str = "http://feeds.example/all") -> list[Story]:
    found, refused = parse(name, plan, address)
    assert refused == []
    return found


def stamps(found: list[Story]) -> list[str]:
    return [f"{story.published_at:%Y-%m-%dT%H:%M:%S} {story.published_precision}" for story in found]


def test_shift_jis_behind_a_comment() -> None:
    [story] = stories("shift-jis.rdf")
    assert (story.title, story.outlet, story.language) == ("港の朝、静か。", "海岸通信①", "ja")
    assert (story.byline, story.tags) == (("umi",), ("小言",))
    assert story.external_id == story.guid == story.url == "http://kaigan.example/200601/030402.php"
    assert stamps([story]) == ["2006-01-02T19:02:09 exact"]


def test_euc_kr_and_september_with_four_letters() -> None:
    found = stories("euc-kr.xml")
    assert [story.title for story in found] == ["항만 물동량 증가", "첫 눈"]
    assert stamps(found) == ["2005-09-26T01:00:00 exact", "2005-09-15T00:00:00 day"]


def test_undeclared_windows_1252_and_portuguese_dates() -> None:
    [story] = stories("undeclared-windows-1252.xml")
    assert (story.title, story.summary) == ("Eleições: “não” na cidade", "Resultado da votação.")
    assert story.language is None
    assert stamps([story]) == ["2018-09-24T22:42:40 exact"]


@pytest.mark.parametrize(
    "content_type", [None, "text/xml", "text/xml; charset=ISO-8859-1", "application/xml; charset=us-ascii"]
)
def test_utf_8_is_recognised_whatever_file_and_server_say(content_type: str | None) -> None:
    [story], _ = parse("declared-wrongly.xml", content_type=content_type)
    assert story.title == "Zürich grüßt"


def test_a_server_that_names_another_charset_does_not_garble_the_declared_one() -> None:
    found, _ = parse("euc-kr.xml", content_type="text/xml; charset=utf-8")
    assert found[0].title == "항만 물동량 증가"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"])
def test_marks_and_sixteen_bits(encoding: str) -> None:
    text = (
        (FIXTURES / "iri.rdf").read_text(encoding="utf-8").replace("UTF-8", "UTF-16" if "16" in encoding else "UTF-8")
    )
    [story], _ = parse_feed(text.encode(encoding), PLAN, NOW, address="http://feeds.example/")
    assert story.title == "新闻奖"


def test_without_a_guid_identity_comes_from_the_canonical_link() -> None:
    found = stories("no-guid.xml")
    assert [story.title for story in found] == ["Port reopens", "Another"]
    first = found[0]
    assert first.guid is None
    assert first.url == "http://harbour.example/a/../port.ece?utm_source=RSS&utm_medium=RSS&id=7#top"
    assert first.url_canonical == "http://harbour.example/port.ece?id=7"
    assert len(first.external_id) == 32
    assert stamps([first]) == ["2016-06-14T18:15:57 exact"]


@pytest.mark.parametrize("address", ["http://hill.example/account/feed/all", ""])
def test_relative_links_are_resolved_against_the_feed(address: str) -> None:
    [story] = stories("relative.atom", address=address)
    assert story.url == "http://hill.example/livewire/mayor-agrees"
    assert story.guid == "tag:hill.example,2005:Decorator/270060"
    assert (story.title, story.byline) == ("Mayor & council agree", ("Esme Field", "Jon Roe"))
    assert stamps([story]) == ["2017-11-08T23:15:58 exact"]
    assert story.summary.startswith("The mayor agreed with the council on Tuesday night. Both sides signed. Votes")
    assert story.summary_origin is SummaryOrigin.EXTRACTIVE


def test_a_quote_limit_bounds_what_is_quoted() -> None:
    [story] = stories("relative.atom", SourcePlan(id="hill", kind="feed", quote_limit=60, rights_confirmed_by="test"))
    assert story.summary == "The mayor agreed with the council on Tuesday night."
    [silent] = stories("relative.atom", SourcePlan(id="hill", kind="feed", quote_limit=0, rights_confirmed_by="test"))
    assert silent.summary == ""


def test_empty_items_nested_in_real_ones_are_no_stories() -> None:
    found = stories("nested-empty.xml")
    assert [story.title for story in found] == ["First", "Second"]
    assert stamps(found) == ["2018-01-17T20:50:00 exact", "2018-01-13T13:00:00 exact"]


def test_a_story_without_a_date_is_as_old_as_its_fetching() -> None:
    found = stories("undated.xml")
    assert [story.published_precision for story in found] == [Precision.FETCHED, Precision.FETCHED]
    assert {story.published_at for story in found} == {NOW}
    assert found[0].outlet == "Page & Turner"


def test_zone_without_a_space_and_mail_name_authors() -> None:
    found = stories("tight-zone-and-mail-author.xml")
    assert stamps(found[:2]) == ["2005-12-27T04:08:54 exact", "2005-12-21T06:06:24 exact"]
    assert [story.byline for story in found] == [("Chris Lui",), (), ()]
    assert found[0].guid == "http://wire.example/A.Asp?lang=_c&id=1"


def test_double_escaped_titles_and_cms_numbers() -> None:
    concert, numbered = stories("double-escaped.xml")
    assert (concert.title, concert.summary) == ("Beyoncé sings for AT&T", "A concert in Flint.")
    assert concert.summary_origin is SummaryOrigin.PUBLISHER
    assert concert.external_id == "http://ash.example/?p=bp-11614"
    assert (numbered.external_id, numbered.guid) == ("3126478", "http://ash.example/?p=3126478")
    assert numbered.summary == "The whole text stands here and is long enough."
    assert numbered.summary_origin is SummaryOrigin.EXTRACTIVE


def test_a_foreign_default_namespace_and_a_repeated_story() -> None:
    [story] = stories("foreign-namespace.xml")
    assert story.title == "Торгівля зросла"


def test_iri_links_stand_as_given() -> None:
    [story] = stories("iri.rdf")
    assert story.url == story.guid == "http://welle.example/新闻奖/a-18317568?maca=chi"
    assert story.url_canonical == "http://welle.example/%E6%96%B0%E9%97%BB%E5%A5%96/a-18317568?maca=chi"


def test_a_feed_that_is_not_well_formed_is_still_read() -> None:
    [story] = stories("not-well-formed.xml")
    assert (story.title, story.url) == ("Bread & butter’s price", "http://world.example/1?a=1&b=2")
    assert story.country == "JP"


def test_one_guid_at_two_links_is_refused_and_at_one_link_is_one_story() -> None:
    item = "<item><guid isPermaLink='false'>7</guid><title>{}</title><link>http://wire.example/{}</link></item>"
    items = "".join(
        item.format(*pair) for pair in (("First", "1"), ("First, again", "1?utm_source=rss"), ("Second", "2"))
    )
    found, refused = parse_feed(
        f"<rss version='2.0'><channel>{items}</channel></rss>".encode(), PLAN, NOW, address="http://wire.example/feed"
    )
    assert [story.title for story in found] == ["First"]
    assert refused == [Refusal("entry 3", "it has the identity of 'First' (7), and another link")]


def test_guids_stand_as_given_and_bad_entries_do_not_stop_good_ones() -> None:
    found, refused = parse("not-permalinks.xml")
    assert [story.title for story in found] == ["Numbers as guids", "Good after bad"]
    assert (found[0].guid, found[0].external_id) == ("1559104147038", "1559104147038")
    assert [refusal.where for refusal in refused] == ["entry 2", "entry 3", "entry 4"]
    assert "no http(s) link" in refused[0].reason
    assert "no title" in refused[1].reason


def test_countries_come_from_the_feed_before_the_source() -> None:
    found = stories("countries.xml", SourcePlan(id="filed", kind="feed", country="MY", section="Trade", outlet="Filed"))
    assert [(story.country, story.country_origin) for story in found] == [
        ("JP", CountryOrigin.FEED),
        ("MY", CountryOrigin.SOURCE),
        ("SG", CountryOrigin.FEED),
        ("MY", CountryOrigin.SOURCE),
    ]
    assert found[2].tags == ("China",)
    assert {story.section for story in found} == {"Trade"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((FIXTURES / "page.html").read_bytes(), "an HTML page"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": []}', "is JSON"),
        (b"", "an empty answer"),
        (b"Not found", "is text"),
        (b"<urlset><url/></urlset>", "XML document <urlset>"),
        ((FIXTURES / "entities.xml").read_bytes(), "declares entities"),
        ((FIXTURES / "entities.xml").read_bytes().decode().encode("utf-16"), "declares entities"),
        (b"<!-- <rss> --><!DOCTYPE rss [ <!ELEMENT rss ANY> ]><rss version='2.0'/>", "declares entities"),
        (b"junk <!ENTITY a 'b'><rss version='2.0'><channel/></rss>", "declares entities"),
        (b"\x00\x01\x02\xff", "is text"),
    ],
)
def test_what_is_no_feed_is_named(data: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=r"source wire: http://feeds.example/all") as caught:
        parse_feed(data, PLAN, NOW, address="http://feeds.example/all")
    assert words in str(caught.value)


LONG = "a" * 2_000


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ("<a>" * 300_000, "over 300,000 elements"),
        ("<category>c</category>" * 20_001, "over 20,000 categories"),
        ("<a " + "b='' " * 200 + ">", "over 200 attributes"),
        (f"<item><author>{LONG}</author></item>", "a name of over 1,000"),
        (f"<item><dc:creator><![CDATA[{LONG}]]></dc:creator></item>", "a name of over 1,000"),
        ("<item><author>" + "aaa<b></b>" * 200 + "</author></item>", "a name of over 1,000"),
        (f"<item><Author>never closed {LONG}", "a name of over 1,000"),
        ("<name>n</name>" * 5_001, "over 5,000 names"),
    ],
)
def test_what_would_take_a_parser_too_long_is_refused_at_once(inner: str, words: str) -> None:
    begun = time.process_time()
    with pytest.raises(SourceError, match=words):
        parse_feed(f"<rss version='2.0'><channel>{inner}".encode(), PLAN, NOW, address="http://feeds.example/")
    assert time.process_time() - begun < 1


def test_a_feed_without_stories_is_a_feed() -> None:
    assert parse_feed(b"<rss version='2.0'><channel><title>x</title></channel></rss>", PLAN, NOW, address="") == (
        [],
        [],
    )


SEEDS = [path.read_bytes() for path in sorted(FIXTURES.iterdir())]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A fixture with a few stretches cut out, doubled or overwritten."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 40))
        piece = draw(st.one_of(st.binary(max_size=12), st.just(bytes(data[start : start + length]) * 2)))
        data[start : start + length] = piece
    return bytes(data)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(mutated(), st.binary(max_size=200)), st.sampled_from([None, "text/xml; charset=idna", "a; charset=gbk"])
)
def test_no_bytes_raise_anything_but_a_source_error(data: bytes, content_type: str | None) -> None:
    try:
        found, _ = parse_feed(data, PLAN, NOW, address="http://feeds.example/", content_type=content_type)
    except SourceError:
        return
    for story in found:
        assert story.title
        assert story.url.startswith(("http://", "https://"))
        assert story.external_id


def real_feeds(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "feeds").iterdir() if path.suffix in (".xml", ".rdf", ".atom"))


def test_every_real_feed_equals_what_was_read_by_hand(test_data: Path) -> None:
    paths = real_feeds(test_data)
    assert len(paths) >= 20
    for path in paths:
        expected = json.loads(path.with_name(f"{path.name}.expected.json").read_bytes())
        found, refused = parse_feed(
            path.read_bytes(), PLAN, NOW, address=expected.get("retrieved_from") or "http://feeds.example/"
        )
        whole = expected["whole_file"]
        repeated = whole["duplicate_ids"] or whole["duplicate_links"]
        assert len(refused) == whole["without_title"], path.name
        assert len(found) == expected["n_entries"] - len(refused) - repeated, path.name
        for story, entry in zip(found, expected["entries"], strict=False):
            assert as_expected(story) == {key: entry[key] for key in as_expected(story)} | spaced(entry), path.name


def spaced(entry: dict[str, object]) -> dict[str, object]:
    """The entry's title and time, in the form the comparison asks for (feeds/README.md)."""
    return {"title": " ".join(str(entry["title"]).split()), "published": entry["published"]}


def as_expected(story: Story) -> dict[str, object]:
    dated = story.published_precision is not Precision.FETCHED
    return {
        "id": story.guid,
        "link": story.url,
        "title": story.title,
        "published": f"{story.published_at:%Y-%m-%dT%H:%M:%SZ}" if dated else None,
        "author": "; ".join(story.byline) or None,
        "categories": list(story.tags),
    }
