"""Story files: the format of the contract, and what becomes of everything else."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.gather import read_story_file, settle_country, source_kinds, story_document
from newsletter.model import CountryOrigin, Kind, NoteOrigin, Precision, Refusal, Story, StoryStatus, SummaryOrigin
from newsletter.plan.values import Plan, SourcePlan

NOW = datetime(2026, 5, 27, 5, 25, tzinfo=UTC)
FULL: dict[str, object] = {
    "source": "techcrunch", "external_id": "3126478", "url": "https://example.com/story",
    "guid": "https://example.com/?p=3126478", "published_precision": "exact",
    "title": "China keeps its talent", "summary": "A summary.", "note": ["One.", "Two."], "note_origin": "human",
    "note_approved_by": "Ann", "outlet": "TechCrunch", "outlet_language": "en", "paywall": True, "kind": "opinion",
    "byline": ["Kate Park"], "country": "CN", "also_countries": ["SG", "asia"], "section": "AI News",
    "embargo": "2026-05-28T08:00:00+08:00", "tags": ["AI", "C#", "Government & Policy"],
    "machine_tags": {"techcrunch-id": "3126478"}, "published_at": "2026-05-27T08:00:00+00:00", "language": "en",
}  # fmt: skip
LEAST: dict[str, object] = {
    "title": "T",
    "url": "https://e.example/1",
    "published_at": "2026-05-27T08:00:00Z",
    "outlet": "E",
}


def read(documents: object, source: SourcePlan | None = None) -> tuple[list[Story], list[Refusal]]:
    return read_story_file(json.dumps(documents).encode(), "day.json", source, NOW)


def one(documents: object, source: SourcePlan | None = None) -> Story:
    [story], refused = read(documents, source)
    assert refused == []
    return story


def test_every_field_of_the_contract() -> None:
    story = one(FULL)
    assert story.id == "techcrunch:3126478"
    assert (story.guid, story.url) == ("https://example.com/?p=3126478", "https://example.com/story")
    assert story.note == ("One.", "Two.")
    assert story.shown_note == story.note
    assert (story.note_origin, story.note_approved_by, story.kind, story.paywall) == (
        NoteOrigin.HUMAN,
        "Ann",
        Kind.OPINION,
        True,
    )
    assert (story.country, story.country_origin, story.also_countries) == ("CN", CountryOrigin.FEED, ("SG", "asia"))
    assert story.embargo == datetime(2026, 5, 28, tzinfo=UTC)
    assert story.tags == ("AI", "C#", "Government & Policy")
    assert story.machine_tags == {"techcrunch-id": "3126478"}
    assert story.published_at == datetime(2026, 5, 27, 8, tzinfo=UTC)


def test_the_least_a_story_needs() -> None:
    story = one(LEAST)
    assert (story.source, story.country, story.note_origin, story.kind) == (
        "import",
        None,
        NoteOrigin.MODEL,
        Kind.REPORT,
    )
    assert story.summary == ""
    assert len(story.external_id) == 32


def test_a_document_reads_back_equal() -> None:
    for story in (one(FULL), one(LEAST), one(LEAST | {"content": "<p>Long text.</p>", "published_at": "2026-05-27"})):
        assert one(json.loads(json.dumps(story_document(story)))) == story


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=30)


@given(
    st.fixed_dictionaries(
        {"title": words, "summary": words, "tags": st.lists(words, max_size=4), "byline": st.lists(words)}
    )
)
def test_what_was_read_once_reads_back_equal(fields: dict[str, object]) -> None:
    stories, _ = read(LEAST | fields)
    for story in stories:
        assert one(story_document(story)) == story


def test_the_glued_tag_string() -> None:
    glued = "#techcrunch-id:3126478#byline:Kate Park#AI#Government & Policy#China#travel ban"
    story = one(LEAST | {"source": "techcrunch", "tags": glued})
    assert story.id == "techcrunch:3126478"
    assert story.byline == ("Kate Park",)
    assert story.tags == ("AI", "Government & Policy", "China", "travel ban")
    assert story.country == "CN"


def test_the_source_gives_what_a_story_leaves_out() -> None:
    source = SourcePlan(
        id="desk", kind="folder", outlet="The Desk", country="SG", section="Trade", language="en", quote_limit=12
    )
    least = {key: value for key, value in LEAST.items() if key != "outlet"}
    story = one(least | {"summary": "One two three four"}, source)
    assert (story.source, story.outlet, story.section, story.language) == ("desk", "The Desk", "Trade", "en")
    assert (story.country, story.country_origin) == ("SG", CountryOrigin.SOURCE)
    assert story.summary == "One two…"
    assert one(LEAST | {"source": "elsewhere", "country": "asia"}, source).country == "asia"


def test_the_country_of_a_named_source_is_settled_by_the_plan() -> None:
    story = one(LEAST | {"source": "wire"})
    plan = Plan({}, {"wire": SourcePlan(id="wire", kind="feed", country="JP")}, {})
    settled = settle_country(story, plan)
    assert (settled.country, settled.country_origin) == ("JP", CountryOrigin.SOURCE)
    assert settle_country(one(FULL), plan).country == "CN"
    assert settle_country(story, Plan({}, {}, {})) == story


def test_the_extract_of_a_story_without_a_summary() -> None:
    story = one(LEAST | {"content": "<p>First sentence here.</p><p>Second one.</p>"})
    assert (story.summary, story.summary_origin) == ("First sentence here. Second one.", SummaryOrigin.EXTRACTIVE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": None}, "title is missing"),
        ({"title": "<p> </p>"}, "title is missing"),
        ({"title": ["x"]}, "title must be text, not a list"),
        ({"url": ""}, "url is missing"),
        ({"url": "javascript:alert(1)"}, "absolute http(s) address"),
        ({"url": "https://u:p@e.example/"}, "without a password"),
        ({"published_at": None}, "published_at is missing"),
        ({"published_at": "2026-05-27T08:00:00"}, "with its zone"),
        ({"published_at": "yesterday"}, "with its zone"),
        ({"published_at": True}, "published_at must be text, not true or false"),
        ({"published_precision": "roughly"}, "must be one of exact, day, fetched"),
        ({"embargo": "tomorrow"}, "embargo is 'tomorrow'"),
        ({"outlet": None}, "outlet is missing"),
        ({"country": "China"}, "country has 'China'"),
        ({"country": "XX"}, "country has 'XX'"),
        ({"country": 86}, "country has '86'"),
        ({"also_countries": ["SG", "Sg"]}, "also_countries has 'Sg'"),
        ({"note_origin": "robot"}, "must be one of model, human"),
        ({"kind": "advert"}, "must be one of report, opinion, press_release"),
        ({"paywall": "no"}, "paywall must be true or false, not a text"),
        ({"tags": {"a": 1}}, "tags must be a list of texts, not an object"),
        ({"byline": [1]}, "byline must be a list of texts"),
        ({"machine_tags": ["a:b"]}, "machine_tags must be an object"),
        ({"machine_tags": {"a b": "c"}}, "'a b' is no name"),
        ({"source": "a:b"}, "source is 'a:b'"),
        ({"language": "English, mostly"}, "language tag"),
    ],
)
def test_a_bad_story_is_refused_with_its_position_and_the_rest_is_taken(change: dict[str, object], reason: str) -> None:
    stories, [refusal] = read(
        [LEAST, LEAST | {"url": "https://e.example/2"} | change, LEAST | {"url": "https://e.example/3"}]
    )
    assert [story.url for story in stories] == ["https://e.example/1", "https://e.example/3"]
    assert refusal.where == "story 2"
    assert reason in refusal.reason


def test_what_is_no_object_and_what_comes_twice_is_refused() -> None:
    stories, refused = read([LEAST, "text", LEAST])
    assert len(stories) == 1
    assert [refusal.where for refusal in refused] == ["story 2", "story 3"]
    assert "which story 1 is already" in refused[1].reason


def test_unknown_keys_are_let_pass_and_not_kept() -> None:
    story = one(LEAST | {"id": "x:1", "status": "publish", "revision": 9, "cluster": None, "colour": "red"})
    assert story == one(LEAST)


@pytest.mark.parametrize("status", [None, "publish", 1, ["draft"], {"draft": 1}])
def test_a_status_that_is_none_of_ours_says_nothing(status: object) -> None:
    assert one(LEAST | {"status": status}).status is StoryStatus.READY


def test_a_list_of_the_desks_own_reads_back_with_the_desks_word() -> None:
    desks = one(LEAST | {"country": "JP", "country_origin": "editor", "status": "withdrawn"})
    assert (desks.country_origin, desks.status) == (CountryOrigin.EDITOR, StoryStatus.WITHDRAWN)
    assert one(json.loads(json.dumps(story_document(desks)))) == desks
    sent = one(LEAST | {"country": "JP", "country_origin": "editor"}, SourcePlan(id="wire", kind="feed"))
    assert sent.country_origin is CountryOrigin.FEED


def test_long_fields_are_cut() -> None:
    story = one(LEAST | {"title": "word " * 200, "summary": "word " * 900, "note": ["p"] * 9})
    assert (len(story.title) <= 300, len(story.summary) <= 1200, len(story.note)) == (True, True, 4)


def test_the_page_about_story_files_says_what_is_read_and_written() -> None:
    page = (Path(__file__).parents[2] / "docs" / "story-files.md").read_text(encoding="utf-8")
    example = json.loads(page.split("```json")[1].split("```")[0])
    [story], refused = read_story_file(json.dumps(example).encode(), "day.json", None, NOW)
    assert refused == []
    written = story_document(story)
    assert {key: written[key] for key in example} == example
    for key in written.keys() - {"url_canonical", "country_origin"}:
        assert f"`{key}`" in page, key


def test_lists_are_bounded_and_hold_each_once() -> None:
    story = one(
        LEAST | {"tags": ["AI", "AI", *map(str, range(900))], "byline": ["A", "A", *(f"N{n}" for n in range(99))]}
    )
    assert (story.tags[:3], len(story.tags)) == (("AI", "0", "1"), 60)
    assert (story.byline[:2], len(story.byline)) == (("A", "N0"), 30)


def test_a_date_far_ahead_is_a_slip() -> None:
    _, refused = read_story_file(json.dumps(LEAST | {"published_at": "2062-05-27"}).encode(), "day.json", None, NOW)
    assert [refusal.reason for refusal in refused] == ["published_at is '2062-05-27', more than a year ahead"]


def test_json_lines_name_the_line() -> None:
    lines = [json.dumps(LEAST), "", "{broken", json.dumps(LEAST | {"title": ""})]
    stories, refused = read_story_file("\r\n".join(lines).encode(), "day.jsonl", None, NOW)
    assert len(stories) == 1
    assert [refusal.where for refusal in refused] == ["line 3", "line 4"]


def test_csv_with_lists_flags_and_bad_rows() -> None:
    text = (
        "\ufefftitle,url,published_at,outlet,tags,byline,paywall,machine_tags,note,also_countries\r\n"
        'One,https://e.example/1,2026-05-27,E,AI;Chips,A;B,true,wire-id:7;topic:x,"First.\r\n\r\nSecond.",SG;MY\r\n'
        "\r\n"
        ",https://e.example/2,2026-05-27,E,,,,,,\r\n"
        "Three,https://e.example/3,2026-05-27,E,#AI#C,,maybe,,,\r\n"
        "Four,https://e.example/4,2026-05-27,E,,,,,,,too many\r\n"
    )
    [story], refused = read_story_file(text.encode(), "day.CSV", None, NOW)
    assert (story.tags, story.byline, story.paywall) == (("AI", "Chips"), ("A", "B"), True)
    assert (story.note, story.also_countries) == (("First.", "Second."), ("SG", "MY"))
    assert story.machine_tags == {"wire-id": "7", "topic": "x"}
    assert story.published_precision is Precision.DAY
    assert [refusal.where for refusal in refused] == ["line 6", "line 7", "line 8"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('Bad,"https://e.example/bad', "not CSV: ',' expected"),
        ('"Say "hi" now",https://e.example/bad,2026-05-27', "not CSV: ',' expected"),
        ("Caf\udce9,https://e.example/bad,2026-05-27", "not UTF-8"),
    ],
)
def test_a_row_that_is_no_row_costs_itself_only(row: str, why: str) -> None:
    rows = ["title,url,published_at,outlet", *(f'"T{n}","https://e.example/{n}",2026-05-27,E' for n in range(6))]
    rows.insert(4, row)
    data = "\n".join(rows).encode("utf-8", "surrogateescape")
    stories, refused = read_story_file(data, "day.csv", None, NOW)
    assert [story.title for story in stories] == [f"T{n}" for n in range(6)]
    assert [(refusal.where, refusal.reason.startswith(why)) for refusal in refused] == [("line 5", True)]


def test_a_cell_that_is_longer_than_a_reader_takes_costs_its_row() -> None:
    rows = ["title,url,published_at,outlet,summary", f'"T","https://e.example/1",2026-05-27,E,"{"word " * 40_000}"']
    rows.append("U,https://e.example/2,2026-05-27,E,short")
    [story], refused = read_story_file("\n".join(rows).encode(), "day.csv", None, NOW)
    assert (story.title, [str(each) for each in refused]) == (
        "U",
        ["line 2: not CSV: field larger than field limit (131072)"],
    )


@pytest.mark.parametrize("divider", [";", "\t"])
def test_a_table_as_other_spreadsheets_write_it(divider: str) -> None:
    rows = [("title", "url", "published_at", "outlet"), ("Tea, hot", "https://e.example/1", "2026-05-27", "E, F")]
    text = "\n".join(divider.join(row) for row in rows)
    [story], refused = read_story_file(text.encode(), "day.csv", None, NOW)
    assert (story.title, story.outlet, refused) == ("Tea, hot", "E, F", [])


def test_one_byte_in_another_encoding_costs_its_line() -> None:
    lines = [
        json.dumps(LEAST).encode(),
        b'{"title": "Caf\xe9"}',
        json.dumps(LEAST | {"url": "https://e.example/2"}).encode(),
    ]
    stories, refused = read_story_file(b"\n".join(lines), "day.jsonl", None, NOW)
    assert len(stories) == 2
    assert [(refusal.where, refusal.reason[:9]) for refusal in refused] == [("line 2", "not UTF-8")]


def test_a_saved_feed() -> None:
    data = (Path(__file__).parent / "fixtures" / "double-escaped.xml").read_bytes()
    stories, refused = read_story_file(data, "saved.xml", SourcePlan(id="ash", kind="folder", path="inbox"), NOW)
    assert [story.source for story in stories] == ["ash", "ash"]
    assert refused == []


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b'[{"title": "x"},\n {"title" "y"}]', "day.json", r"day.json:2:11: not JSON"),
        (b"[" * 100_000, "day.json", "day.json:1: not JSON"),
        (b'{"title": NaN}', "day.json", "NaN is not JSON"),
        (b"1" * 10_000, "day.json", "day.json:1: not JSON"),
        (b"\n\xff\xfe", "day.json", "day.json:2: not UTF-8"),
        (b"  \n", "day.jsonl", "day.jsonl:1: the file is empty"),
        (b"title: x\nurl: y\n", "day.jsonl", "day.jsonl:1: .*one JSON object a line"),
        (b"a,b\n1,2\n", "day.csv", "day.csv:1: the header has no column title, url, published_at"),
        (b'title,url,"published_at\nx,y,z\n', "day.csv", "day.csv:1: not CSV"),
        (b"title,url,published_at,url\n", "day.csv", "day.csv:1: .* column url more than once"),
        ("title,url,published_at\n".encode("utf-16"), "day.csv", "day.csv:1: not UTF-8"),
        (b"[]", "day.json", "day.json:1: the list has no story"),
        (b"<html>", "day.xml", "day.xml:1: .*an HTML page"),
        (b"x", "day.txt", "end in .json, .jsonl, .csv, .xml"),
    ],
)
def test_a_file_in_which_nothing_can_be_read_is_an_input_error(data: bytes, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_story_file(data, name, None, NOW)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*FULL, "content", "summary_origin", "x"]), values))
def test_no_value_makes_reading_fail(fields: dict[str, object]) -> None:
    stories, refused = read(LEAST | fields)
    assert len(stories) + len(refused) == 1


@given(st.binary(max_size=80), st.sampled_from(["a.json", "a.jsonl", "a.csv", "a.xml"]))
def test_no_bytes_raise_anything_but_an_input_error(data: bytes, name: str) -> None:
    with contextlib.suppress(InputError):
        read_story_file(data, name, None, NOW)


def test_the_room_is_light_to_enter() -> None:
    code = (
        "import sys, newsletter.gather; print(*{'feedparser', 'httpx', 'nh3', 'babel', 'courlan'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == ""
    assert source_kinds() == ("feed", "folder", "ghost", "jsonfeed", "ninjs", "wordpress")


def test_an_identity_holds_no_line_break_that_would_forge_a_row() -> None:
    assert one({**LEAST, "external_id": "7\n   fake:1   CN  forged"}).external_id == "7 fake:1 CN forged"


def test_a_tag_that_names_no_country_costs_no_story() -> None:
    assert one({**LEAST, "tags": ["country:China"]}).country is None


def test_a_draft_without_a_link_survives_export_and_import() -> None:
    draft = replace(one(FULL), url="", url_canonical="", status=StoryStatus.DRAFT)
    back = one(story_document(draft))
    assert (back.url, back.status, back.id) == ("", StoryStatus.DRAFT, draft.id)
    with_no_link = {name: value for name, value in FULL.items() if name != "url"}
    assert "url is missing" in str(read(with_no_link)[1][0])


def test_a_file_may_leave_to_schedule_yaml_what_that_says_of_its_source() -> None:
    cms = SourcePlan(id="cms", kind="push", outlet="The Daily", section="Chips", language="en")
    document = {name: value for name, value in LEAST.items() if name != "outlet"} | {"source": "cms"}
    data = json.dumps([document, LEAST]).encode()
    stories, refused = read_story_file(data, "day.json", None, NOW, {"cms": cms})
    assert [(story.source, story.outlet, story.section) for story in stories] == [
        ("cms", "The Daily", "Chips"), ("import", "E", ""),
    ]  # fmt: skip
    assert refused == []


def test_a_tag_whose_name_begins_with_a_mark_survives_export_and_import() -> None:
    story = replace(one(FULL), tags=("#MeToo", "C#", "AI"))
    assert one(story_document(story)).tags == story.tags
