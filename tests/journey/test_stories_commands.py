"""`newsletter stories …` and `newsletter sources …` as a person types them."""

from __future__ import annotations

import json

import pytest

from .conftest import Desk, schedule

STORIES = [
    ("1", "Samsung raises memory chip output in Pyeongtaek", "KR"),
    ("2", "Memory chip makers follow Samsung into Pyeongtaek boom", None),
    ("3", "Monsoon floods close schools across Kerala", None),
    ("4", "Twelve ways to sleep better", None),
    ("5", "Monsoon floods close schools across Kerala", None),
]


@pytest.fixture
def filled(desk: Desk) -> Desk:
    desk.write("schedule.yaml", schedule({"desk": "kind: folder, path: inbox"}, "CN, KR, IN"))
    rows = [
        {"source": "wire", "external_id": name, "url": f"https://e.example/{name}", "title": title, "outlet": "Wire",
         "published_at": f"2026-05-26T1{name}:00:00Z", "country": country}
        for name, title, country in STORIES
    ]  # fmt: skip
    desk.write("stories.json", json.dumps(rows))
    desk.run("stories", "import", "stories.json")
    return desk


def listed(desk: Desk, *words: str) -> list[str]:
    return [story["id"] for story in desk.json("stories", "list", *words)]


def test_filing_by_rule_and_by_an_editor(filled: Desk) -> None:
    stories = {story["id"]: story for story in filled.json("stories", "list")}
    assert (stories["wire:2"]["country"], stories["wire:2"]["country_origin"]) == ("KR", "rule")
    assert (stories["wire:3"]["country"], stories["wire:1"]["country_origin"]) == ("IN", "feed")
    assert listed(filled, "--undecided") == ["wire:4"]
    filled.run("stories", "file", "wire:4", "CN", "--by", "chief@example.com")
    assert listed(filled, "--undecided") == []
    shown = filled.json("stories", "show", "wire:4")
    assert (shown["country"], shown["country_origin"], shown["revision"]) == ("CN", "editor", 2)
    assert [(event["who"], event["what"]) for event in shown["history"]] == [("chief@example.com", "filed under CN")]
    filled.run("stories", "import", "stories.json")
    assert filled.json("stories", "show", "wire:4")["country"] == "CN"
    assert "is no country" in filled.run("stories", "file", "wire:4", "Chinna", code=2).stderr
    assert "waits for a country" in filled.run("stories", "file", "wire:4", "--off").stdout
    filled.run("stories", "file", "wire:4", "--off", code=4)
    filled.run("stories", "file", "wire:4", "CN", "--off", code=2)
    filled.run("stories", "file", "wire:2", "IN")
    assert "is filed under KR" in filled.run("stories", "file", "wire:2", "--off").stdout


def test_related_reading_has_scores_and_reasons_for_every_ready_story(filled: Desk) -> None:
    related = filled.json("stories", "related")
    assert set(related) == {f"wire:{name}" for name, _, _ in STORIES}
    (row,) = related["wire:1"]
    assert row["id"] == "wire:2"
    assert 0 < row["score"] <= 1
    assert "Pyeongtaek" in row["reasons"]
    assert related["wire:3"] == related["wire:4"] == []
    filled.run("stories", "pin", "wire:3", "wire:4")
    filled.run("stories", "ban", "wire:1", "wire:2")
    related = filled.json("stories", "related")
    assert ([row["id"] for row in related["wire:3"]], related["wire:1"]) == (["wire:4"], [])
    filled.run("stories", "ban", "wire:1", "wire:2", "--off")
    filled.run("stories", "ban", "wire:1", "wire:2", "--off", code=4)
    assert [row["id"] for row in filled.json("stories", "related", "wire:1")["wire:1"]] == ["wire:2"]
    assert "shares:" in filled.run("stories", "related", "wire:1").stdout


def test_copies_have_one_lead_and_events_are_suggested(filled: Desk) -> None:
    clusters = {story["id"]: story["cluster"] for story in filled.json("stories", "list")}
    assert clusters == {"wire:1": None, "wire:2": None, "wire:3": "wire:3", "wire:4": None, "wire:5": "wire:3"}
    (pair,) = filled.json("stories", "same")
    assert {pair["story"], pair["other"]} == {"wire:1", "wire:2"}
    filled.run("stories", "join", "wire:2", "wire:1")
    assert filled.json("stories", "show", "wire:2")["cluster"] == "wire:1"
    filled.run("stories", "part", "wire:5", "wire:3")
    assert filled.json("stories", "show", "wire:5")["cluster"] is None
    assert filled.json("stories", "same") == []


def test_search_hold_release_withdraw(filled: Desk) -> None:
    found = filled.json("stories", "search", "monsoon", "FLOODS")
    assert {story["id"] for story in found} == {"wire:3", "wire:5"}
    filled.run("stories", "hold", "wire:3", "--reason", "checking")
    assert [story["id"] for story in filled.json("stories", "search", "monsoon", "--status", "held")] == ["wire:3"]
    assert "wire:3" not in filled.json("stories", "related")
    filled.run("stories", "release", "wire:3")
    filled.run("stories", "reject", "wire:5", "--reason", "double")
    filled.run("stories", "withdraw", "wire:3", code=2)
    filled.run("stories", "withdraw", "wire:3", "--reason", "wrong")
    filled.run("stories", "withdraw", "wire:3", "--reason", "wrong", code=4)
    assert listed(filled, "--status", "withdrawn") == ["wire:3"]
    assert "is no status" in filled.run("stories", "list", "--status", "lost", code=2).stderr


def test_notes_are_shown_written_approved_and_rejected(filled: Desk) -> None:
    assert "has no note" in filled.run("stories", "note", "wire:1").stdout
    filled.run("stories", "note", "wire:1", "--approve", code=4)
    filled.write("note.txt", "First paragraph.\n\nSecond one.\n")
    filled.run("stories", "note", "wire:1", "--write", "note.txt", "--by", "chief")
    shown = filled.json("stories", "show", "wire:1")
    assert (shown["note"], shown["note_origin"]) == (["First paragraph.", "Second one."], "human")
    filled.run("stories", "note", "wire:1", "--reject")
    assert filled.json("stories", "show", "wire:1")["note"] == []
    assert filled.json("stories", "notes") == []
    assert "NEWSLETTER_SUMMARY_URL" in filled.run("stories", "draft", code=2).stderr


def test_sources_in_and_out(filled: Desk) -> None:
    outline = "<outline type='rss' text='Globe' xmlUrl='https://globe.example/rss'/>"
    filled.write("subs.opml", f"<opml version='2.0'><body>{outline}</body></opml>")
    assert "globe: https://globe.example/rss" in filled.run("sources", "import", "subs.opml").stdout
    filled.run("sources", "import", "subs.opml", code=4)
    filled.run("sources", "import", "stories.json", code=2)
    assert [source["id"] for source in filled.json("sources", "list")] == ["desk", "globe"]
    assert 'xmlUrl="https://globe.example/rss"' in filled.run("sources", "export").stdout
    filled.run("sources", "export", "--out", "out.opml")
    assert b"globe.example" in (filled.folder / "out.opml").read_bytes()
    assert "cannot be written" in filled.run("sources", "export", "--out", "no/such/out.opml", code=2).stderr
    filled.run("schedule", "check")


def test_a_list_of_the_desk_is_a_file_of_stories(filled: Desk) -> None:
    filled.run("stories", "withdraw", "wire:1", "--reason", "wrong")
    filled.run("stories", "file", "wire:4", "KR")
    filled.write("back.json", filled.run("stories", "list", "--json").stdout)
    assert "0 new, 0 revised" in filled.run("stories", "import", "back.json").stdout
    filled.write("one.json", json.dumps([filled.json("stories", "show", "wire:1") | {"source": "copy"}]))
    filled.run("stories", "import", "one.json")
    assert filled.json("stories", "show", "copy:1")["status"] == "withdrawn"


def test_an_empty_list_says_what_may_be_a_slip(filled: Desk) -> None:
    assert "has no source 'typo': it has desk" in filled.run("stories", "list", "--source", "typo").stdout
    assert "'China' is neither" in filled.run("stories", "search", "chips", "--country", "China").stdout
    assert "too common" in filled.run("stories", "search", "the", "and").stdout
    assert filled.run("stories", "list", "--status", "held").stdout == "No such stories.\n"


def test_every_story_is_written_to_a_file(filled: Desk) -> None:
    assert "5 stories written to all.jsonl" in filled.run("stories", "export", "--out", "all.jsonl").stderr
    assert "0 new, 0 revised, 5 known" in filled.run("stories", "import", "all.jsonl").stdout
    assert "cannot be written" in filled.run("stories", "export", "--out", "no/such/all.jsonl", code=2).stderr


def test_a_pin_of_what_is_kept_back_says_so(filled: Desk) -> None:
    filled.run("stories", "hold", "wire:4")
    assert "it is held" in filled.run("stories", "pin", "wire:3", "wire:4").stderr
    filled.run("stories", "release", "wire:4")
    assert "(Wire; chosen by an editor)" in filled.run("stories", "related", "wire:3").stdout


def test_one_decision_about_a_note_at_a_time(filled: Desk) -> None:
    (filled.folder / "note.txt").write_bytes("Mine.\n \nTwo: caf\xe9.".encode("latin-1"))
    assert "byte 17 is not UTF-8" in filled.run("stories", "note", "wire:1", "--write", "note.txt", code=2).stderr
    filled.write("note.txt", "Mine.\n \nTwo.")
    for words in (("--approve", "--reject"), ("--reject", "--write", "note.txt")):
        assert "stand alone" in filled.run("stories", "note", "wire:1", *words, code=2).stderr
    filled.run("stories", "note", "wire:1", "--write", "note.txt")
    assert filled.json("stories", "show", "wire:1")["note"] == ["Mine.", "Two."]
