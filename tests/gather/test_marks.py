"""Links, identity, tags and filing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.gather.filing import file_under, is_place
from newsletter.gather.identity import external_id_of
from newsletter.gather.links import absolute_link, canonical_url
from newsletter.gather.tags import TagSet, sort_tags, split_tags
from newsletter.model import CountryOrigin
from newsletter.plan.values import SourcePlan


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("/a/b", "http://base.example/a/b"),
        ("//cdn.example/x", "http://cdn.example/x"),
        (" http://h.example/a b\n", "http://h.example/a%20b"),
        ("http://h.example/新闻?q=é", "http://h.example/新闻?q=é"),
        ('http://h.example/"><script>', "http://h.example/%22%3E%3Cscript%3E"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("mailto:a@b.example", None),
        ("http://user:word@h.example/", None),
        ("http://good.example\\@evil.example/", None),
        ("http://h.example:port/", None),
        ("http://h.example/\u202egpj.exe", None),
        ("http://[::1", None),
        ("http://h.example/" + "a" * 2048, None),
        ("", None),
    ],
)
def test_only_links_that_may_be_shown_are_taken(written: str, link: str | None) -> None:
    assert absolute_link(written, "http://base.example/feed/all") == link


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("HTTP://Harbour.Example:80/a/../b/./c?b=2&a=%e6&utm_source=x#top", "http://harbour.example/b/c?a=%E6&b=2"),
        ("http://h.example/新闻/a?q=é", "http://h.example/%E6%96%B0%E9%97%BB/a?q=%C3%A9"),
        ("http://h.example", "http://h.example/"),
        ("https://h.example/?fbclid=1&gclid=2&mc_cid=3&xtor=RSS-1", "https://h.example/"),
        ("https://h.example/x?gallery=1&source=2&session=3", "https://h.example/x?gallery=1&session=3&source=2"),
        ("http://h.example/../../x", "http://h.example/x"),
    ],
)
def test_one_address_has_one_canonical_spelling(spelling: str, canonical: str) -> None:
    assert canonical_url(spelling) == canonical
    assert canonical_url(canonical) == canonical


@given(st.text(max_size=60), st.sampled_from(["", "http://h.example/", "https://新.example/a/"]))
def test_every_link_that_is_taken_has_a_stable_canonical_form(text: str, base: str) -> None:
    link = absolute_link(text, base)
    if link is not None:
        canonical = canonical_url(link)
        assert canonical_url(canonical) == canonical
        assert canonical.startswith(("http://", "https://"))


def test_identity_takes_the_first_that_exists() -> None:
    tags, guid, url = {"wire-id": "7"}, "https://wire.example/?p=3126478", "https://wire.example/x"
    assert external_id_of("wire", tags, "cms-1", guid, url) == "7"
    assert external_id_of("other", tags, "cms-1", guid, url) == "cms-1"
    hosts = {"wire.example"}
    assert external_id_of("other", {}, "", guid, url, hosts) == "3126478"
    assert external_id_of("other", {}, "", guid, url, {"other.example"}) == guid  # every site counts from 1
    assert external_id_of("other", {}, "", f"{guid}&page=2", url, hosts) == f"{guid}&page=2"
    assert (
        external_id_of("other", {}, "", "http://wire.example/?id=9&p=2", url, hosts) == "http://wire.example/?id=9&p=2"
    )
    assert (
        external_id_of("other", {}, None, "http://wire.example/?p=bp-11614", url) == "http://wire.example/?p=bp-11614"
    )
    hashed = external_id_of("other", {}, None, None, url)
    assert hashed == external_id_of("other", {}, None, None, url) != external_id_of("other", {}, None, None, url + "y")
    assert len(external_id_of("other", {}, None, "g" * 5_000, url)) == 32


def test_the_glued_form_is_identity_byline_and_four_visible_tags() -> None:
    glued = "#techcrunch-id:3126478#byline:Kate Park#AI#Government & Policy#China#travel ban"
    expected = TagSet(
        ("AI", "Government & Policy", "China", "travel ban"), ("Kate Park",), None, {"techcrunch-id": "3126478"}
    )
    assert sort_tags(split_tags(glued)) == expected
    assert sort_tags([glued]) == expected


@pytest.mark.parametrize(
    "written",
    [
        ["AI#techcrunch-id:3126478#byline:Kate Park#Travel"],
        ["#techcrunch-id: 3126478#byline: Kate Park#AI#Travel"],
        ["##techcrunch-id:3126478", "#byline:Kate Park", "AI", "Travel"],
        ["techcrunch-id\u200b:3126478", "byline:Kate Park", "AI", "Travel"],
        ["＃techcrunch-id：3126478＃byline：Kate Park＃AI＃Travel"],
        [" #techcrunch-id:3126478#byline:Kate Park#AI#Travel"],
        ["<b>#techcrunch-id:3126478</b>\n#byline:Kate Park\n#AI\n#Travel"],
        ["&#35;techcrunch-id:3126478&#35;byline:Kate Park&#35;AI&#35;Travel"],
        ["#TechCrunch-ID:3126478#Byline:Kate Park#AI#Travel"],
        ["\u200b#techcrunch-id:3126478#byline:Kate Park#AI#Travel"],
    ],
)
def test_machine_tags_are_known_however_they_are_written(written: list[str]) -> None:
    expected = TagSet(("AI", "Travel"), ("Kate Park",), None, {"techcrunch-id": "3126478"})
    assert sort_tags(written) == expected
    if len(written) == 1 and written[0].strip().startswith(("#", "<", "&", "＃")):
        assert sort_tags(split_tags(written[0])) == expected


@pytest.mark.parametrize(
    "tag",
    [
        "C#",
        "F#",
        "AI: the future",
        "9:30",
        "https://wire.example/x",
        "re:Invent",
        "Game|Life",
        "Spider-Man:Homecoming",
        "a:b",
    ],
)
def test_a_visible_tag_is_not_taken_for_a_machine_tag(tag: str) -> None:
    assert sort_tags([tag]) == TagSet(visible=(tag,))


def test_machine_tags_are_told_apart() -> None:
    sorted_tags = sort_tags(["topic:chips and fabs", "country:CN", "byline:A", "byline:B", "#AI", "", "  "])
    assert sorted_tags == TagSet(("AI",), ("A", "B"), "CN", {"topic": "chips and fabs"})


def test_countries_are_filed_by_machine_tag_then_tag_then_source_and_never_guessed() -> None:
    source = SourcePlan(id="s", kind="feed", country="SG")
    assert file_under(TagSet(country="asia", visible=("Japan",)), source) == ("asia", CountryOrigin.FEED)
    assert file_under(TagSet(visible=("Trade", "japan")), source) == ("JP", CountryOrigin.FEED)
    assert file_under(TagSet(visible=("Japan", "China")), source) == ("SG", CountryOrigin.SOURCE)
    assert file_under(TagSet(country="XX", visible=("Georgia",)), None) == (None, None)
    assert file_under(TagSet(visible=("European Union", "Asia")), None) == (None, None)


def test_a_place_is_a_country_code_or_a_region() -> None:
    assert all(map(is_place, ["CN", "SG", "asia", "south-east-asia"]))
    assert not any(map(is_place, ["China", "XX", "cn1", "", "Asia", "-"]))


def test_a_path_that_looks_like_an_address_stays_a_path() -> None:
    from newsletter.gather.links import canonical_url

    assert canonical_url("http://evil.example/http://bbc.example/x") == "http://evil.example/http:/bbc.example/x"
    assert canonical_url("http://evil.example/javascript:alert(1)").startswith("http://evil.example/")
    assert canonical_url("http://a.example/http://[").startswith("http://a.example/")
