"""Every check, blocking and warning, seen to fail and to pass."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.model import Severity, Sponsor, StoryStatus
from newsletter.ports import slot
from newsletter.render import preflight

NOW = datetime(2026, 5, 27, 1, tzinfo=UTC)


@pytest.fixture
def issue(snapshot, story):
    return snapshot(*(story(number) for number in range(1, 5)))


def checks(snapshot, rendered, severity=Severity.BLOCKING, **more):
    return [finding.check for finding in preflight(snapshot, [rendered], NOW, **more) if finding.severity is severity]


def test_a_good_issue_has_no_finding(issue, render):
    assert preflight(issue, [render(issue)], NOW) == []


def broken(rendered, **parts):
    return dataclasses.replace(rendered, **parts)


@pytest.mark.parametrize(
    ("check", "spoil"),
    [
        ("size", lambda it: {"html": it.html + " " * 80_000}),
        ("unsubscribe", lambda it: {"html": it.html.replace(slot("unsubscribe"), slot("view"))}),
        ("unsubscribe", lambda it: {"text": it.text.replace(slot("unsubscribe"), "")}),
        ("unsubscribe", lambda it: {"html": it.html.replace(">Unsubscribe<", "> &#x2800;<")}),
        ("unsubscribe", lambda it: {"html": it.html.replace(">Unsubscribe<", '><i style="display:none">Go</i><')}),
        ("postal address", lambda it: {"html": it.html.replace("1 Quay Road", "")}),
        ("postal address", lambda it: {"text": it.text.replace("1 Quay Road", "")}),
        ("outlet", lambda it: {"html": it.html.replace("TechCrunch", "")}),
        ("outlet", lambda it: {"text": it.text.replace("TechCrunch", "")}),
        ("story link", lambda it: {"html": it.html.replace("story-3", "story-0")}),
        ("story link", lambda it: {"text": it.text.replace("story-3", "story-0")}),
        ("leftover tokens", lambda it: {"html": it.html.replace("</h1>", "<!--% endif %--></h1>")}),
        ("leftover tokens", lambda it: {"html": it.html.replace("</h1>", "<mj-text></h1>")}),
        ("leftover tokens", lambda it: {"text": it.text + "\ufdd0nam\ufdd1"}),
        ("leftover tokens", lambda it: {"preheader": "Good morning " + slot("name")}),
        ("leftover tokens", lambda it: {"subject": "Good morning " + slot("name")}),
        ("no story", lambda it: {"stories": 0}),
    ],
)
def test_blocking_checks(issue, render, check, spoil):
    rendered = render(issue)
    found = checks(issue, broken(rendered, **spoil(rendered)))
    assert set(found) == {check}


def test_an_unsubscribe_link_behind_the_clip_is_none(issue, render):
    rendered = render(issue)
    late = broken(rendered, html=rendered.html.replace("<h1", "ไ" * 32_000 + "<h1"))
    assert set(checks(issue, late)) == {"size", "unsubscribe"}
    findings = [finding for finding in preflight(issue, [late], NOW) if finding.check == "unsubscribe"]
    assert "comes after the first 95,000 bytes" in findings[0].message, "the link is there; more words would not help"


@pytest.mark.parametrize("part", ["html", "text"])
def test_each_story_of_an_outlet_names_it(issue, render, part):
    rendered = render(issue)
    text = getattr(rendered, part)
    named = text.count("TechCrunch")
    assert checks(issue, broken(rendered, **{part: text.replace("TechCrunch", "them", named - 4)})) == []
    assert set(checks(issue, broken(rendered, **{part: text.replace("TechCrunch", "them", named - 3)}))) == {"outlet"}


def test_every_edition_is_looked_at(render, snapshot, story):
    issue = snapshot(*(story(number, country=("CN", "JP")[number % 2]) for number in range(1, 9)))
    first, last = render(issue), render(issue, ("JP",))
    mute = broken(last, text=last.text.replace(slot("unsubscribe"), ""))
    places = [finding.place for finding in preflight(issue, [first, mute], NOW)]
    assert places == [f"edition {last.edition.key}, text"]


def test_a_picture_with_an_alt_is_a_way_out(issue, render):
    rendered = render(issue)
    drawn = broken(rendered, html=rendered.html.replace(">Unsubscribe<", '><img src="x.png" alt="Unsubscribe"><'))
    assert checks(issue, drawn) == []


@pytest.mark.parametrize("part", ["html", "text"])
def test_a_sponsor_that_a_part_leaves_out_blocks(issue, render, part):
    sponsored = dataclasses.replace(issue, sponsor=Sponsor("Harbour Bank", "Banking for the port"))
    rendered = render(sponsored)
    assert checks(sponsored, rendered) == []
    found = preflight(sponsored, [broken(rendered, **{part: getattr(render(issue), part)})], NOW)
    assert [(finding.check, finding.message) for finding in found] == [
        ("sponsor", f"The sponsor 'Harbour Bank' is not named in the {part} part.")
    ]


@pytest.mark.parametrize("part", ["html", "text"])
def test_an_editors_word_that_a_part_leaves_out_blocks(issue, render, part):
    spoken = dataclasses.replace(issue, word=("Good morning!", "Two stories to read twice."))
    assert checks(spoken, render(spoken)) == []
    mute = broken(render(spoken), **{part: getattr(render(issue), part)})
    assert checks(spoken, mute) == ["editor's word"]


def test_a_missing_address_is_mended_where_it_is_missing(issue, render):
    bare = broken(render(issue), text=render(issue).text.replace("1 Quay Road", ""))
    assert preflight(issue, [bare], NOW)[0].fix == "Print {{issue.postal_address}}."
    homeless = dataclasses.replace(issue, postal_address="")
    assert preflight(homeless, [render(homeless)], NOW)[0].fix == "Set postal_address in schedule.yaml."


def test_a_subject_is_measured_in_columns(issue, render):
    wide = dataclasses.replace(issue, subject="北京要求顶尖人工智能研究人员" * 3)
    assert checks(wide, render(wide), Severity.WARNING) == ["subject length"]


@pytest.mark.parametrize("title", ["", "\u3164\u115f", "\u2800", "\u200e\u200f", "\u180e"])
def test_a_headline_that_shows_nothing_blocks(render, snapshot, story, title):
    issue = snapshot(story(1), story(2, title=title), story(3))
    assert checks(issue, render(issue)) == ["headline"]


def test_a_story_whose_address_is_a_slot_leads_nowhere(render, snapshot, story):
    issue = snapshot(story(1), story(2, url=slot("unsubscribe")), story(3))
    rendered = render(issue)
    assert checks(issue, rendered) == ["story link"]
    assert rendered.html.count(slot("unsubscribe")) == render(snapshot(story(1))).html.count(slot("unsubscribe"))


def test_a_model_note_without_approval_that_is_shown_blocks(issue, render, snapshot, story):
    rendered = render(issue)
    withdrawn = snapshot(*(story(number, note_approved_by=None) for number in range(1, 5)))
    assert set(checks(withdrawn, rendered)) == {"note approval"}
    assert checks(withdrawn, render(withdrawn)) == []
    assert set(checks(withdrawn, render(withdrawn), Severity.WARNING)) == {"note approval"}


def test_stories_that_changed_since_the_snapshot_block(issue, render):
    rendered = render(issue)
    assert checks(issue, rendered, changed={"wire:2": StoryStatus.WITHDRAWN}) == ["story status"]
    finding = preflight(issue, [rendered], NOW, {"wire:2": StoryStatus.WITHDRAWN})[0]
    assert (finding.place, finding.message) == ("story wire:2", "This story, or a copy of it, is withdrawn.")
    assert finding.fix


def test_embargo_blocks_until_it_ends(render, snapshot, story):
    issue = snapshot(*(story(number, embargo=NOW + timedelta(hours=1)) for number in range(1, 5)))
    assert set(checks(issue, render(issue))) == {"embargo"}
    assert preflight(issue, [render(issue)], NOW + timedelta(hours=1)) == []


def test_a_link_that_leads_nowhere_blocks(render, snapshot, story):
    issue = snapshot(story(1, url="javascript:alert(1)"), story(2), story(3))
    assert checks(issue, render(issue)) == ["story link"]


def test_warnings(issue, render, snapshot, story):
    long = snapshot(*(story(number, title="A headline that goes on " * 4) for number in range(1, 5)))
    assert checks(long, render(long), Severity.WARNING) == ["headline length"] * 4
    few = snapshot(story(1))
    assert checks(few, render(few), Severity.WARNING) == ["few stories"]
    alone = dataclasses.replace(few, breaking=True)
    assert checks(alone, render(alone), Severity.WARNING) == []
    wordy = dataclasses.replace(issue, subject="An editor's own subject line " * 3)
    assert checks(wordy, render(wordy), Severity.WARNING) == ["subject length"]
    rendered = render(issue)
    assert checks(issue, broken(rendered, html=rendered.html.replace(' alt=""', "", 1)), Severity.WARNING) == [
        "alt text"
    ]
    padding = " " * (96_000 - len(rendered.html.encode()))
    assert checks(issue, broken(rendered, html=rendered.html + padding), Severity.WARNING) == ["size"]


@pytest.mark.parametrize(("size", "blocks"), [(101_999, False), (102_000, True)])
def test_gmail_clips_at_102_000_bytes(issue, render, size, blocks):
    rendered = render(issue)
    padded = broken(rendered, html=rendered.html + " " * (size - len(rendered.html.encode())))
    assert ("size" in checks(issue, padded)) is blocks


@pytest.mark.parametrize(("letters", "told"), [(70, False), (71, True)])
def test_headlines_over_70_characters_are_told(render, snapshot, story, letters, told):
    issue = snapshot(story(1, title="x" * letters), story(2), story(3))
    assert ("headline length" in checks(issue, render(issue), Severity.WARNING)) is told


@pytest.mark.parametrize(("stories", "told"), [(2, True), (3, False)])
def test_fewer_than_three_stories_are_told(render, snapshot, story, stories, told):
    issue = snapshot(*(story(number) for number in range(stories)))
    assert ("few stories" in checks(issue, render(issue), Severity.WARNING)) is told


@pytest.mark.parametrize("part", ["html", "text"])
def test_a_hidden_note_is_looked_for_in_both_parts(render, snapshot, story, part):
    issue = snapshot(story(1, note=("Nobody approved these words.",), note_approved_by=None), story(2), story(3))
    rendered = render(issue)
    assert checks(issue, rendered) == []
    mark = "</h1>" if part == "html" else "IN THIS ISSUE"
    leaked = getattr(rendered, part).replace(mark, f"Nobody approved these words. {mark}", 1)
    assert checks(issue, broken(rendered, **{part: leaked})) == ["note approval"]


def test_an_issue_without_editions_or_stories_blocks(issue, render, snapshot):
    assert [finding.check for finding in preflight(issue, [], NOW)] == ["no story"]
    empty = snapshot()
    assert "no story" in checks(empty, render(empty))


def test_blocking_findings_come_first(issue, render):
    rendered = broken(render(issue), subject="x" * 61, text="")
    severities = [finding.severity for finding in preflight(issue, [rendered], NOW)]
    assert severities == sorted(severities)
    assert len(set(severities)) == 2
