"""Gmail clips a mail near 102 KB: an edition fits itself under 95,000 bytes and loses no story doing so."""

from __future__ import annotations

import pytest

from newsletter.model import PlacedStory, Severity
from newsletter.ports import slot
from newsletter.render import preflight
from newsletter.render.edition import BYTE_BUDGET

THAI = "บริษัทระบุว่าศูนย์ข้อมูลแห่งใหม่จะใช้พลังงานแสงอาทิตย์ในเวลากลางวันและเริ่มดำเนินงานในเดือนตุลาคม "
CHINESE = "北京已要求领先实验室和初创企业的高级研究人员在出国前申请许可，新规涵盖创始人和首席研究员。"


def full_cards(count, story, related, **changes):
    countries = ("CN", "JP", "KR", "TH", "SG", "IN")
    return [
        PlacedStory(
            story(number, **{"country": countries[number * 6 // count], **changes}),
            tuple(related(3 * number + offset) for offset in range(3)),
        )
        for number in range(count)
    ]


def test_twelve_full_english_stories_fit_with_room(render, snapshot, story, related):
    rendered = render(snapshot(*full_cards(12, story, related), in_archive=True))
    assert rendered.html.count("Drafted with AI, checked by") == 12
    assert rendered.html.count("Related reading") == 12
    size = len(rendered.html.encode())
    print(f"12 full English stories: {size:,} bytes of HTML")
    assert size <= 85_000


@pytest.mark.parametrize(("words", "language"), [(THAI, "th"), (CHINESE, "zh")])
def test_forty_stories_of_heavy_scripts_fit_themselves(render, snapshot, story, related, read, words, language):
    cards = full_cards(
        40, story, related, title=words[:70], summary=words * 4, note=(words * 3,), outlet="สำนักข่าว", language=language
    )
    issue = snapshot(*cards)
    rendered = render(issue)
    assert len(rendered.html.encode()) <= BYTE_BUDGET
    page = read(rendered.html)
    assert rendered.stories == 40
    assert page.words.count(f"via {cards[0].story.outlet}") == 40
    for card in cards:
        assert card.story.url in page.links
        assert card.story.url in rendered.text
    assert slot("unsubscribe") in page.links
    findings = preflight(issue, [rendered], cards[0].story.published_at)
    assert [finding for finding in findings if finding.severity is Severity.BLOCKING] == []


def test_cards_become_compact_before_any_becomes_a_row(render, snapshot, story, related, read):
    rendered = render(snapshot(*full_cards(16, story, related)))
    page = read(rendered.html)
    assert len(rendered.html.encode()) <= BYTE_BUDGET
    full = page.words.count("Drafted with AI, checked by")
    assert 0 < full < 16
    assert page.words.count("#AI, #Government & Policy") == full, "a compact card has no tags"
    assert page.words.count("Related reading") == full, "and no related reading"
    assert page.words.count("Original reporting.") == 16
    assert "More from the region" not in page.words


def test_the_budget_is_that_of_the_design():
    assert BYTE_BUDGET == 95_000


def test_the_budget_is_of_bytes_and_not_of_letters(render, snapshot, story, related):
    rendered = render(snapshot(*full_cards(14, story, related, summary=THAI * 8, note=(THAI * 8,), language="th")))
    assert len(rendered.html) < BYTE_BUDGET - 10_000
    assert BYTE_BUDGET - 12_000 < len(rendered.html.encode()) <= BYTE_BUDGET


def test_what_does_not_fit_shrinks_from_the_end(render, snapshot, story, related, read):
    cards = full_cards(60, story, related)
    page = read(render(snapshot(*cards)).html)
    links = [link for link in page.links if link in {card.story.url for card in cards}]
    assert list(dict.fromkeys(links)) == [card.story.url for card in cards]
    assert "More from the region" in page.words
    assert links.count(cards[0].story.url) == 2
    assert links.count(cards[-1].story.url) == 1
    anchors = [link[1:] for link in page.links if link.startswith("#")]
    identities = {value for event in page.events if isinstance(event, tuple) for key, value in event[1] if key == "id"}
    assert set(anchors) <= identities


def test_the_text_part_keeps_every_note_and_tag(render, snapshot, story, related):
    rendered = render(snapshot(*full_cards(60, story, related)))
    assert rendered.text.count("Drafted with AI, checked by Mei Tan") == 60
    assert rendered.text.count("#Government & Policy") == 60
    assert rendered.text.count("Related reading: 3 stories") == 60
