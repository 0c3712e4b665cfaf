"""What a reader sees: every element of the card this product was asked for, in both parts."""

from __future__ import annotations

import dataclasses
import itertools
import re
from datetime import UTC, datetime
from html import unescape

import pytest

from newsletter.model import Edition, Kind, NoteOrigin, PlacedStory, Precision, SummaryOrigin
from newsletter.ports import slot
from newsletter.render import render_edition
from newsletter.render.mirroring import mirrored

SEED_CARD = (
    "China",
    "AI News",
    "27 May 2026",
    "via TechCrunch",
    "by Kate Park",
    "China is increasingly keeping its best AI talent to itself",
    "AI Editor's Summary",
    "Drafted with AI, checked by Mei Tan",
    "#AI, #Government & Policy, #China, #travel ban",
    "Original reporting.",
    "We don't republish. Head to TechCrunch for the full story.",
    "Read at TechCrunch",
    "Related reading",
    "3 stories",
    "Seoul opens a visa for AI engineers",
)


def words_of(text: str) -> str:
    return " ".join(text.replace("\n> ", "\n").split())


def test_every_element_of_the_seed_card_stands_in_both_parts(render, snapshot, story, related, read):
    card = PlacedStory(story(), tuple(related(number) for number in (1, 2, 3)))
    rendered = render(snapshot(card))
    page = read(rendered.html)
    for words in (*SEED_CARD, card.story.summary, *card.story.note, *(row.title for row in card.related)):
        assert words in page.words
        assert words in words_of(rendered.text)
    assert page.links.count(card.story.url) == 2  # the headline and the button
    assert {row.url for row in card.related} <= set(page.links)
    assert all(row.url in rendered.text for row in card.related)
    flags = [image["src"] for image in page.images]
    assert flags.count("https://news.example/flags/cn.png") == 3  # in this issue, on the card, on a related row
    assert all(image["alt"] == "" and image["width"] == "20" and image["height"] == "15" for image in page.images)


def test_machine_tags_never_reach_a_reader(render, snapshot, story, read):
    rendered = render(snapshot(story(tags=("AI", "techcrunch-id:3126478", "byline:Kate Lim", "C#", "AI: policy"))))
    for part in (read(rendered.html).words, rendered.text):
        assert "#AI, #C#, #AI: policy" in part
    for part in (rendered.html, rendered.text):
        assert "3126478" not in part
        assert "Kate Lim" not in part


def test_nor_where_a_source_puts_them_into_byline_or_section(render, snapshot, story):
    rendered = render(snapshot(story(byline=("techcrunch-id:3126478", "Kate Park"), section="techcrunch-id: 77")))
    for part in (rendered.html, rendered.text):
        assert "techcrunch-id" not in part
        assert "by Kate Park" in part


def test_a_humans_note_is_not_called_ai(render, snapshot, story):
    rendered = render(snapshot(story(note_origin=NoteOrigin.HUMAN, note_approved_by=None)))
    assert "Editor's note" in rendered.text
    assert "Drafted with AI" not in rendered.text
    assert rendered.html.count("AI Editor&#39;s Summary") == 1  # where AI is explained
    assert "Editor&#39;s note" in rendered.html


def test_a_models_note_without_approval_is_not_shown(render, snapshot, story):
    held = story(note_approved_by=None)
    rendered = render(snapshot(held))
    assert held.note[0] not in words_of(rendered.text)
    assert held.note[0][:40] not in rendered.html


@pytest.mark.parametrize(
    ("origin", "label"),
    [(SummaryOrigin.MODEL, "Summary drafted with AI: China's"), (SummaryOrigin.EXTRACTIVE, "Extract: China's")],
)
def test_a_summary_says_when_a_machine_made_it(render, snapshot, story, read, origin, label):
    rendered = render(snapshot(story(summary_origin=origin)))
    assert label in read(rendered.html).words
    assert label in rendered.text


def test_a_press_release_is_never_original_reporting(render, snapshot, story, read):
    rendered = render(snapshot(story(kind=Kind.PRESS_RELEASE)))
    for text in (read(rendered.html).words, rendered.text):
        assert "Press release. Head to TechCrunch" in text
        assert "Original reporting" not in text


def test_paywall_and_language_stand_beside_the_button(render, snapshot, story, read):
    rendered = render(snapshot(story(paywall=True, outlet_language="zh")))
    for text in (read(rendered.html).words, rendered.text):
        assert "Read at TechCrunch · subscription · in Chinese" in text


def test_a_date_that_no_source_gave_is_not_claimed(render, snapshot, story, read):
    rendered = render(snapshot(story(published_precision=Precision.FETCHED)))
    assert "AI News · via TechCrunch" in read(rendered.html).words


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "https://a.example/ b"])
def test_no_part_shows_an_address_that_is_none(render, snapshot, story, related, read, address):
    placed = PlacedStory(story(url=address), (related(1, url=address),))
    rendered = render(snapshot(placed, story(2)))
    assert address not in rendered.text
    assert address not in read(rendered.html).links


@pytest.mark.parametrize("in_archive", [True, False])
def test_related_reading_leads_to_our_own_page_where_the_archive_is_public(
    render, snapshot, story, related, read, in_archive
):
    issue = snapshot(PlacedStory(story(), (related(1),)), story(2), in_archive=in_archive)
    rendered = render(issue)
    own, outlet = f"/archive/{issue.newsletter}/stories/", related(1).url
    links = read(rendered.html).links
    assert any(own in link for link in links) == (own in rendered.text) == in_archive
    assert (outlet in links) == (outlet in rendered.text) != in_archive


def test_an_edition_holds_only_its_countries(render, real_day, read):
    rendered = render(real_day, ("JP", "SG"))
    assert rendered.stories == 4
    assert "4 stories from 2 countries" in read(rendered.html).words
    inside = {placed.story.url for placed in real_day.placed if placed.story.country in ("JP", "SG")}
    outside = {placed.story.url for placed in real_day.placed} - inside
    links = set(read(rendered.html).links)
    assert inside <= links
    assert not outside & links
    assert not [url for url in outside if url in rendered.text.split()]
    assert rendered.subject == "東京地裁、AI学習データの利用をめぐり初の判断を示す"


def test_the_frame_of_the_mail(render, real_day, read):
    page = read(render(real_day).html)
    for words in (
        "Read on the web",
        "GMAsia AI Daily",
        "Wednesday, 27 May 2026 · 12 stories from 6 countries · 8 min read",
        "In this issue",
        "How AI is used here",
        "You get this because you subscribed to GMAsia AI Daily.",
        "GMAsia Media, 1 Quay Road, Singapore 048623",
    ):
        assert words in page.words
    for name in ("unsubscribe", "preferences", "view", "report"):
        assert slot(name) in page.links
    assert "mailto:desk@gmasia.example" in page.links
    anchors = [link for link in page.links if link.startswith("#")]
    identities = {value for event in page.events if isinstance(event, tuple) for key, value in event[1] if key == "id"}
    assert len(anchors) == 6
    assert {anchor[1:] for anchor in anchors} <= identities


def test_markup_for_screen_readers(render, real_day, read):
    """Rules of the Email Markup Consortium that a parser can see: lang and dir inside body, roles, alt, headings."""
    page = read(render(real_day).html)
    tags = [event for event in page.events if isinstance(event, tuple)]
    article = next(dict(attributes) for tag, attributes in tags if dict(attributes).get("role") == "article")
    assert (article["lang"], article["dir"]) == ("en", "ltr")
    assert all(dict(attributes).get("role") == "presentation" for tag, attributes in tags if tag == "table")
    assert all("alt" in image for image in page.images)
    levels = [int(tag[1]) for tag, _ in tags if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))


def test_text_lines_are_narrow_and_addresses_whole(render, real_day):
    text = render(real_day).text
    assert max(len(line) for line in text.splitlines() if line.isascii()) <= 72
    order = [text.index(placed.story.url) for placed in real_day.placed]
    assert order == sorted(order)


def test_words_of_an_editor_win(render, snapshot, story):
    issue = snapshot(story(), subject="Our own words", preheader="And more of them")
    rendered = render(issue)
    assert (rendered.subject, rendered.preheader) == ("Our own words", "And more of them")
    assert "And more of them" in rendered.html


def test_the_hash_covers_what_is_mailed(render, snapshot, story):
    one = render(snapshot(story()))
    assert one.sha256 == render(snapshot(story())).sha256
    assert one.sha256 != render(snapshot(story(), preheader="Other")).sha256
    assert one.sha256 != render(snapshot(dataclasses.replace(story(), paywall=True))).sha256


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("timezone", ["America/New_York", "Pacific/Kiritimati"])
def test_a_date_at_the_edge_of_the_calendar_stops_nothing(render, snapshot, story, read, year, timezone):
    edge = datetime(year, 1, 1, tzinfo=UTC) if year == 1 else datetime(year, 12, 31, 23, tzinfo=UTC)
    assert story(1).title in read(render(snapshot(story(1, published_at=edge), timezone=timezone)).html).words


def test_a_headline_row_says_what_leads_to_a_press_release_or_another_language(daily, snapshot, story):
    odd = {"kind": Kind.PRESS_RELEASE, "outlet_language": "zh", "summary": "Long words. " * 90}
    issue = snapshot(*(story(number, **odd) for number in range(1, 45)))
    rendered = render_edition(daily, issue, Edition(issue.countries, "en"), "https://news.example")
    rows = rendered.html.split('class="r"')[1:]
    assert rows
    assert all("<b>Press release</b>" in row.split("</a>")[0] for row in rows)
    assert all("in Chinese" in row.split("</a>")[0] for row in rows)


def test_the_minutes_are_of_what_the_mail_shows(daily, render, snapshot, story):
    few = render(snapshot(*(story(number) for number in range(1, 4))))
    many = render(snapshot(*(story(number) for number in range(1, 45))))
    words = len(re.findall(r"\w+", re.sub(r"<[^>]*>|\ufdd0\w+\ufdd1", " ", many.html[many.html.index("<body") :])))
    assert few.minutes == 3
    assert words / 238 * 0.6 < many.minutes <= words / 238
    assert f"{many.minutes} min read" in many.html
    assert f"{many.minutes} min read" in many.text


def test_a_single_story_has_its_summary_for_a_preheader(render, snapshot, story):
    assert render(snapshot(story(1))).preheader.startswith("China's burgeoning artificial intelligence sector")


def test_a_subject_of_the_schedule_speaks_of_the_whole_issue(render, snapshot, story):
    issue = snapshot(story(1), story(2, country="JP"), subject_template="{{ sections|length }} and {{ preheader }}")
    assert render(issue).subject.startswith("2 and China is increasingly")


def test_words_of_the_other_direction_stand_apart(render, snapshot, story):
    issue = snapshot(story(1, outlet="Yahoo!", byline=("Kate Park",)), word=("Good morning!",))
    arabic = render(issue, language="ar").html
    assert "<bdi>Yahoo!</bdi>" in arabic
    assert '<span dir="auto">Good morning!</span>' in arabic
    assert '<span dir="auto">GMAsia Media, 1 Quay Road' in arabic
    assert "<bdi>Yahoo!" not in render(issue).html
    assert "<bdi>الجزيرة</bdi>" in render(snapshot(story(1, outlet="الجزيرة"))).html


def test_a_preheader_goes_on_with_the_other_countries(render, snapshot, story):
    stories = [
        ("CN", "Lead"),
        ("CN", "Second of China"),
        ("JP", "First of Japan"),
        ("JP", "Second of Japan"),
        ("KR", "Korea"),
    ]
    issue = snapshot(*(story(number, country=code, title=title) for number, (code, title) in enumerate(stories, 1)))
    rendered = render(issue)
    assert rendered.preheader == "First of Japan · Korea · Second of China · Second of Japan"
    assert rendered.subject == "Lead"
    assert rendered.preheader in rendered.html


def test_dates_are_those_of_the_newsletters_zone(render, snapshot, story, read):
    late = story(1, published_at=datetime(2026, 5, 26, 20, tzinfo=UTC))
    assert "27 May 2026 · via" in read(render(snapshot(late, timezone="Asia/Singapore")).html).words
    assert "26 May 2026 · via" in read(render(snapshot(late, timezone="UTC")).html).words


@pytest.mark.parametrize("name", ["daily", "briefing", "breaking", "correction"])
def test_no_line_begins_with_the_dot_that_parts_two_facts(templates, name):
    for page in (templates.compile(name).page, mirrored(templates.compile(name).page)):
        shown = unescape(re.sub(r"<[^>]*>", "", page))
        assert "\u00a0·" in shown
        assert not re.search(r"[ \t\n]·", shown)


def test_each_tag_stands_apart_from_the_direction_of_the_others(render, snapshot, story):
    html = render(snapshot(story(1, tags=("الذكاء الاصطناعي", "AI")))).html
    assert "<bdi>#الذكاء الاصطناعي</bdi>, <bdi>#AI</bdi>" in html


def test_what_was_sent_earlier_looks_linked(render, snapshot, story):
    html = render(snapshot(story(1), recap=(PlacedStory(story(2, title="A flash")),))).html
    assert re.search(r'<a class="r"[^>]*>(?:(?!</a>).)*<u[^>]*>A flash</u></a>', html)


def test_a_kind_among_facts_is_no_sentence(templates, snapshot, story, read):
    issue = snapshot(story(1, kind=Kind.PRESS_RELEASE), story(2, kind=Kind.OPINION), template="briefing")
    rendered = render_edition(templates.compile("briefing"), issue, Edition(issue.countries, "en"), "https://n.example")
    for text in (read(rendered.html).words, " ".join(rendered.text.split())):
        assert "· Press release ·" in text
        assert "· Opinion ·" in text
