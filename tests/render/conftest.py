"""Stories and issues for the tests of the render room, and the shipped template, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from newsletter.model import (
    CountrySection,
    Edition,
    Kind,
    NoteOrigin,
    PlacedStory,
    Related,
    RenderedEdition,
    Sender,
    Snapshot,
    Story,
    SummaryOrigin,
)
from newsletter.render import CompiledTemplate, Templates, render_edition

BASE_URL = "https://news.example"
MORNING = datetime(2026, 5, 27, 0, 30, tzinfo=UTC)

SUMMARY = (
    "China's burgeoning artificial intelligence sector is not only generating world-class talent but also increasingly"
    " retaining these skilled professionals within its borders. This trend signifies a strategic shift by Beijing to"
    " consolidate its AI expertise domestically, rather than seeing its brightest minds leave."
    " The implications extend to the global AI landscape, potentially altering the balance of technological power."
    " This effort is a key component of a broader ambition to become a global leader in AI development and application."
)
FIRST_PARAGRAPH = (
    "The increasing retention of top AI talent within China has significant implications for Asia's tech ecosystem. It"
    " suggests a maturing domestic AI industry that offers competitive opportunities and fosters innovation locally,"
    " potentially reducing the brain drain that many developing economies experience."
)
SECOND_PARAGRAPH = (
    "This dynamic also affects markets by limiting the availability of highly skilled professionals for international"
    " companies, including those in other Asian countries. It could drive up the cost of AI talent elsewhere in Asia."
)
NOTE = (FIRST_PARAGRAPH, SECOND_PARAGRAPH)

_TITLES = (
    ("CN", "en", "China is increasingly keeping its best AI talent to itself", "Circuit Daily"),
    ("CN", "zh", "北京要求顶尖人工智能研究人员出国前须经批准", "南岸科技"),
    ("KR", "en", "Seoul backs a sovereign model with three chipmakers", "Hangang Post"),
    ("KR", "ko", "정부, 국산 인공지능 반도체에 1조 2천억 원 투자한다", "한강신문"),
    ("JP", "ja", "東京地裁、AI学習データの利用をめぐり初の判断を示す", "港経済新聞"),
    ("JP", "en", "Osaka robot maker tests hotel porters that learn from guests", "Minato Business"),
    ("TH", "th", "ไทยเปิดศูนย์ข้อมูลพลังงานแสงอาทิตย์แห่งใหม่ที่ระยอง", "เจ้าพระยานิวส์"),
    ("TH", "en", "Bangkok hospitals share one triage model across 40 wards", "Chao Phraya News"),
    ("SG", "en", "Singapore writes the first test suite for agents in banking", "Strait Ledger"),
    ("SG", "en", "Port of Singapore lets software plan the night shift", "Strait Ledger"),
    (
        "IN",
        "en",
        "Bengaluru start-up trains speech models in 22 languages for less than a film's budget",
        "Deccan Wire",
    ),
    ("IN", "en", "Courts in Delhi pilot machine translation of judgments", "Deccan Wire"),
)
_SUMMARIES = {
    "en": SUMMARY,
    "zh": "北京已要求领先实验室和初创企业的高级研究人员在出国前申请许可。新规涵盖创始人和首席研究员，本月起生效。" * 2,
    "ja": "新聞社三社が求めた差し止めについて、裁判所は学習段階での複製を適法としつつ、出力の類似性は別途争えるとした。"
    * 2,
    "ko": "과학기술정보통신부는 국산 가속기로 공공 모델을 학습시키는 사업에 1조 2천억 원의 절반을 지원하기로 했다." * 2,
    "th": "บริษัทระบุว่าศูนย์ข้อมูลแห่งใหม่จะใช้พลังงานแสงอาทิตย์ในเวลากลางวันและเริ่มดำเนินงานในเดือนตุลาคม " * 4,
}


class Reading(HTMLParser):
    """What a reader gets of an HTML part: `words`, `links`, `images`, and the tags in their order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.events: list[object] = []
        self.feed(html)
        self.close()
        self.words = " ".join("".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.events.append((tag, tuple(attrs)))
        values = dict(attrs)
        if tag == "a":
            self.links.append(values.get("href") or "")
        if tag == "img":
            self.images.append(values)

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
        if data.strip():
            self.events.append(" ".join(data.split()))


def make_related(number: int = 1, **changes: Any) -> Related:
    values: dict[str, Any] = {
        "id": f"wire:r{number}",
        "title": (
            "Seoul opens a visa for AI engineers",
            "Chip start-ups test new export lanes for parts",
            "台積電在熊本增建第三座工廠",
        )[number % 3],
        "url": f"https://wire.example/related/{number}",
        "outlet": "Asia Wire",
        "country": ("KR", "CN", "TW")[number % 3],
        "section": "AI News",
        "published_at": MORNING - timedelta(days=number),
        "score": 3.5,
        "reasons": ("chips",),
    }
    return Related(**{**values, **changes})


def make_story(number: int = 1, **changes: Any) -> Story:
    values: dict[str, Any] = {
        "source": "wire",
        "external_id": str(number),
        "url": f"https://outlet.example/2026/05/27/story-{number}",
        "title": "China is increasingly keeping its best AI talent to itself",
        "outlet": "TechCrunch",
        "published_at": MORNING,
        "summary": SUMMARY,
        "note": NOTE,
        "note_approved_by": "Mei Tan",
        "byline": ("Kate Park",),
        "country": "CN",
        "section": "AI News",
        "tags": ("AI", "Government & Policy", "China", "travel ban"),
        "machine_tags": {"techcrunch-id": "3126478", "byline": "Kate Park"},
        "language": "en",
    }
    return Story(**{**values, **changes})


def make_snapshot(*stories: Story | PlacedStory, **changes: Any) -> Snapshot:
    sections: dict[str, list[PlacedStory]] = {}
    for story in stories:
        placed = story if isinstance(story, PlacedStory) else PlacedStory(story)
        sections.setdefault(placed.story.country or "asia", []).append(placed)
    held = tuple(CountrySection(country, tuple(group)) for country, group in sections.items())
    values: dict[str, Any] = {
        "newsletter": "asia-ai-daily",
        "date": date(2026, 5, 27),
        "title": "GMAsia AI Daily",
        "template": "daily",
        "sender": Sender("GMAsia", "daily@gmasia.example", "desk@gmasia.example"),
        "postal_address": "GMAsia Media, 1 Quay Road, Singapore 048623",
        "timezone": "Asia/Singapore",
        "languages": ("en",),
        "sections": held,
        "lead": held[0].stories[0].story.id if held else "",
    }
    return Snapshot(**{**values, **changes})


def a_real_day() -> Snapshot:
    """12 stories from 6 countries in five languages, each kind of card among them."""
    odd: dict[int, dict[str, Any]] = {
        1: {"outlet_language": "zh", "paywall": True, "byline": ()},
        2: {"note_origin": NoteOrigin.HUMAN, "note_approved_by": None, "note": (SECOND_PARAGRAPH,)},
        3: {"outlet_language": "ko", "note": ()},
        4: {"outlet_language": "ja", "note": ("この判断は、他の係争中の訴訟にも影響するとみられる。",)},
        5: {"kind": Kind.OPINION, "summary_origin": SummaryOrigin.MODEL, "note": ()},
        6: {"outlet_language": "th", "note": ()},
        7: {"kind": Kind.PRESS_RELEASE, "summary_origin": SummaryOrigin.EXTRACTIVE, "note": ()},
        9: {"note_approved_by": None},
    }
    stories = []
    for number, (country, language, title, outlet) in enumerate(_TITLES):
        changes = {"country": country, "language": language, "title": title, "outlet": outlet, **odd.get(number, {})}
        story = make_story(number + 1, summary=_SUMMARIES[language], **changes)
        stories.append(PlacedStory(story, tuple(make_related(n) for n in range(1, 4))))
    return make_snapshot(*stories)


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates()


@pytest.fixture(scope="session")
def daily(templates: Templates) -> CompiledTemplate:
    return templates.compile("daily")


@pytest.fixture(scope="session")
def render(daily: CompiledTemplate) -> Callable[..., RenderedEdition]:
    """Renders a snapshot as the edition of all its countries, or of `countries`."""

    def rendered(snapshot: Snapshot, countries: tuple[str, ...] = (), language: str = "en") -> RenderedEdition:
        return render_edition(daily, snapshot, Edition(countries or snapshot.countries, language), BASE_URL)

    return rendered


@pytest.fixture(scope="session")
def story() -> Callable[..., Story]:
    return make_story


@pytest.fixture(scope="session")
def related() -> Callable[..., Related]:
    return make_related


@pytest.fixture(scope="session")
def snapshot() -> Callable[..., Snapshot]:
    return make_snapshot


@pytest.fixture(scope="session")
def real_day() -> Snapshot:
    return a_real_day()


@pytest.fixture(scope="session")
def read() -> Callable[[str], Reading]:
    """Parses HTML as a mail program does."""
    return Reading
