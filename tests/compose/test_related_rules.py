"""Related reading on small corpora made by hand: each rule, and each way of writing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.model import Story, StoryStatus

from .conftest import relate

TOPIC = ("1", "Samsung raises memory chip output in Pyeongtaek")
MATCH = ("2", "Memory chip makers follow Samsung into Pyeongtaek boom")
OWN_WORDS = "Rival suppliers expect margins to narrow, warned brokers who visited both fabrication sites last week"
OTHERS = (
    ("3", "Monsoon floods close schools across Kerala"),
    ("4", "Tokyo court rules on music copyright"),
    ("5", "Hanoi plans a second metro line by 2030"),
    ("6", "Singapore Airlines orders forty jets"),
    ("7", "Jakarta moves ministries to Nusantara"),
)


@pytest.fixture
def corpus(a_story: Callable[..., Story]) -> list[Story]:
    return [a_story(*row) for row in (TOPIC, MATCH, *OTHERS)]


def offered(story: Story, corpus: list[Story], now: datetime, **more: Any) -> list[str]:
    return [related.id for related in relate([story], corpus, now=now, **more)[story.id]]


def test_the_match_is_offered_and_nothing_to_fill_up(corpus: list[Story], now: datetime) -> None:
    assert offered(corpus[0], corpus, now) == ["wire:2"]


def test_a_story_nothing_speaks_of_gets_an_empty_row(corpus: list[Story], now: datetime) -> None:
    assert relate([corpus[3]], corpus, now=now) == {"wire:4": ()}


def test_one_shared_word_is_not_enough(a_story: Callable[..., Story], corpus: list[Story], now: datetime) -> None:
    assert offered(a_story("9", "Samsung sued over washing machines in Ohio"), corpus, now) == []
    assert offered(a_story("9", "Samsung output"), corpus, now)[0] == "wire:1"


def test_a_story_need_not_be_in_the_corpus(corpus: list[Story], now: datetime) -> None:
    assert offered(corpus[0], corpus[1:], now) == ["wire:2"]


def test_a_related_row_is_frozen_as_it_stood_with_the_words_it_shares(corpus: list[Story], now: datetime) -> None:
    match = replace(corpus[1], section="Chips", country="KR")
    (row,) = relate([corpus[0]], [match, *corpus[2:]], now=now)["wire:1"]
    assert (row.title, row.url, row.outlet) == (match.title, match.url, match.outlet)
    assert (row.country, row.section, row.published_at) == ("KR", "Chips", match.published_at)
    assert set(row.reasons) == {"Samsung", "memory", "chip", "Pyeongtaek"}
    assert 0 < row.score <= 1


def test_never_a_banned_story(corpus: list[Story], now: datetime) -> None:
    assert offered(corpus[0], corpus, now, banned=frozenset({"wire:2"})) == []


@pytest.mark.parametrize("status", [status for status in StoryStatus if status is not StoryStatus.READY])
def test_only_ready_stories(status: StoryStatus, corpus: list[Story], now: datetime) -> None:
    assert offered(corpus[0], [replace(corpus[1], status=status), *corpus[2:]], now) == []


def test_never_a_story_under_embargo(corpus: list[Story], now: datetime) -> None:
    under = [replace(corpus[1], embargo=now + timedelta(seconds=1)), *corpus[2:]]
    assert offered(corpus[0], under, now) == []
    assert offered(corpus[0], under, now + timedelta(seconds=1)) == ["wire:2"]


@pytest.mark.parametrize(("days", "found"), [(0, True), (179, True), (180, True), (181, False), (-181, False)])
def test_the_window_is_180_days_from_the_story(days: int, found: bool, corpus: list[Story], now: datetime) -> None:
    then = [replace(corpus[1], published_at=now - timedelta(days=days)), *corpus[2:]]
    assert (offered(corpus[0], then, now) == ["wire:2"]) is found


def test_nearer_in_time_comes_first_but_never_a_much_weaker_match(
    a_story: Callable[..., Story], corpus: list[Story], now: datetime
) -> None:
    then = now - timedelta(days=60)
    older = a_story("a", "Samsung memory chip deal surprises Intel", published_at=then)
    newer = a_story("b", "Samsung memory chip orders jump worldwide")
    assert offered(corpus[0], [older, newer, *corpus[2:]], now) == ["wire:b", "wire:a"]
    assert offered(corpus[0], [replace(older, published_at=now), newer, *corpus[2:]], now) == ["wire:a", "wire:b"]
    weak = a_story("c", "Samsung union weighs chip pay strike over summer holidays")
    assert offered(corpus[0], [older, weak, *corpus[2:]], now)[0] == "wire:a"


@pytest.mark.parametrize(
    "copy",
    [
        {"title": "SAMSUNG raises memory-chip output, in Pyeongtaek!", "summary": OWN_WORDS},
        {"title": "Memory plans of Samsung in Pyeongtaek grow", "url": "https://example.com/1"},
        {"title": "UPDATE 1: Samsung raises memory chip output in Pyeongtaek"},
        {"title": "Samsung raising memory chips output in Pyeongtaek"},
    ],
    ids=["same title", "same address", "near-identical", "other endings"],
)
def test_never_another_copy_of_the_story(copy: dict[str, Any], corpus: list[Story], now: datetime) -> None:
    twin = replace(corpus[0], external_id="twin", url="https://other.example/twin", source="other")
    assert offered(corpus[0], [replace(twin, **copy), *corpus[1:]], now) == ["wire:2"]


def test_titles_of_nothing_but_small_words_can_be_copies_too(
    a_story: Callable[..., Story], corpus: list[Story], now: datetime
) -> None:
    said = a_story("a", "Snowden and Assange: I would do it again")
    again = a_story("b", "'I would do it again': Assange and Snowden")
    assert offered(said, [said, again, *corpus], now) == []


def test_of_near_duplicates_one_is_offered(corpus: list[Story], now: datetime) -> None:
    twin = replace(corpus[1], external_id="twin", url="https://other.example/twin", title=corpus[1].title + " today")
    assert len(offered(corpus[0], [*corpus, twin], now)) == 1


def test_at_most_limit(a_story: Callable[..., Story], corpus: list[Story], now: datetime) -> None:
    titles = (
        "Samsung memory chip prices climb again",
        "Pyeongtaek plant gives Samsung room for memory",
        "Output of chip lines at Pyeongtaek doubles",
        "Analysts doubt Samsung memory chip rally",
    )
    more = [a_story(f"m{number}", title) for number, title in enumerate(titles)]
    assert [len(offered(corpus[0], [*corpus, *more], now, limit=limit)) for limit in (0, 1, 3, 9)] == [0, 1, 3, 5]


def test_country_then_section_break_ties_and_nothing_else(
    a_story: Callable[..., Story], corpus: list[Story], now: datetime
) -> None:
    story = replace(corpus[0], country="KR", section="Chips")
    # The same score: the same words shared, and as many of as many letters of their own.
    near = a_story("z", "Samsung memory chip kovar plint dwugo", country="KR", section="Chips")
    same_country = a_story("y", "Samsung memory chip mufta brexo yinco", country="KR")
    far = a_story("x", "Samsung memory chip wixel gobbo fjark", country="US", section="Chips")
    rows = [far, same_country, near, *corpus[2:]]
    assert offered(story, rows, now) == ["wire:z", "wire:y", "wire:x"]
    better = a_story("w", "Samsung memory chip output wixel gobbo", country="US")
    assert offered(story, [better, *rows], now)[0] == "wire:w"


def test_the_answer_does_not_hang_on_the_order_of_the_corpus(corpus: list[Story], now: datetime) -> None:
    assert relate(corpus, corpus, now=now) == relate(corpus, corpus[::-1], now=now)


@pytest.mark.parametrize("titles", [[], [""], ["🙂"], ["the of and"]])
def test_a_corpus_without_words_offers_nothing(titles: list[str], a_story: Callable[..., Story], now: datetime) -> None:
    corpus = [a_story(str(number), title or " ") for number, title in enumerate(titles)]
    for asked in (a_story("q", "Samsung memory chips"), a_story("q", "…")):
        assert relate([asked], corpus, now=now) == {asked.id: ()}


def test_indexing_says_nothing(
    corpus: list[Story], now: datetime, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        relate(corpus, corpus, now=now)
    assert (caplog.text, *capfd.readouterr()) == ("", "", "")


WRITTEN = {
    "Chinese": (
        ("美国收紧人工智能芯片出口管制", "英伟达股价下跌,人工智能芯片出口受限", {"人工智能芯片出口"}),
        ("上海地铁新线路本周末开通", "北京大学公布招生计划", "台风登陆广东沿海", "人民币汇率保持稳定"),
    ),
    "Japanese": (
        ("日本銀行が利上げを決定、円相場は上昇", "円相場が反発、日本銀行の利上げを受けて", {"日本銀行", "円相場"}),
        (
            "東京の地下鉄で新しい路線が開業した",
            "京都大学が入学試験を発表",
            "台風が沖縄に接近している",
            "新幹線の運賃が変わる",
        ),
    ),
    "Korean": (
        ("삼성전자, 평택 반도체 공장 증설", "SK하이닉스도 삼성전자 따라 반도체 투자", {"삼성전자", "반도체"}),
        ("서울 지하철 요금 인상 결정", "부산 국제영화제 개막", "태풍 제주도 상륙", "한국은행 기준금리 동결"),
    ),
    "Thai": (
        (
            "ธนาคารแห่งประเทศไทยขึ้นอัตราดอกเบี้ยนโยบาย",
            "เงินบาทแข็งค่าหลังธนาคารแห่งประเทศไทยปรับอัตราดอกเบี้ย",
            {"ธนาคารแห่งประเทศไทย", "อัตราดอกเบี้ย"},
        ),
        ("ฝนตกหนักน้ำท่วมภาคใต้", "รถไฟฟ้าสายใหม่เปิดให้บริการ", "นักเรียนสอบเข้ามหาวิทยาลัย", "ฟุตบอลทีมชาติชนะ"),
    ),
    "Hindi": (
        ("भारतीय रिज़र्व बैंक ने ब्याज दर घटाई", "ब्याज दर पर रिज़र्व बैंक का बयान", {"रिज़र्व", "बैंक", "ब्याज", "दर"}),
        ("दिल्ली मेट्रो का नया मार्ग खुला", "मुंबई में भारी बारिश", "क्रिकेट टीम की जीत", "विश्वविद्यालय परीक्षा स्थगित"),
    ),
}


@pytest.mark.parametrize("script", WRITTEN)
def test_every_way_of_writing(script: str, a_story: Callable[..., Story], now: datetime) -> None:
    (title, match, reasons), others = WRITTEN[script]
    rows = [a_story("1", title), a_story("2", match), *(a_story(f"o{n}", t) for n, t in enumerate(others))]
    (row,) = relate(rows[:1], rows, now=now)["wire:1"]
    assert row.id == "wire:2"
    assert reasons <= set(row.reasons)
    assert all(reason in title for reason in row.reasons)
