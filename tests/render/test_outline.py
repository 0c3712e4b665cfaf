"""What each shipped template says, in the order it is read: every word, link, language and direction of both parts.

The outlines in `outlines/` are read by people when they change: NEWSLETTER_OUTLINES=1 writes them anew.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from newsletter.model import Edition, Kind, NoteOrigin, PlacedStory, Snapshot, Sponsor, Story, SummaryOrigin
from newsletter.render import Templates, render_edition

from .conftest import make_related, make_snapshot, make_story

OUTLINES = Path(__file__).parent / "outlines"
_SAID = ("class", "lang", "dir", "href", "id", "alt", "width", "height")
_BLOCKS = ("p", "h1", "h2", "h3", "div", "td", "br", "a", "img", "body", "u")


class Outline(HTMLParser):
    """One line a run of words, each tag that says something before it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._words: list[str] = []
        self._within_style = False
        self.feed(html[html.index("<body") :])
        self.close()
        self._end_line()

    def _end_line(self) -> None:
        if words := " ".join("".join(self._words).split()):
            self.lines.append(words)
        self._words = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._within_style = tag == "style"
        said = [f"{name}={value}" for name, value in attrs if name in _SAID and value and tag not in ("table", "td")]
        if tag in _BLOCKS:
            self._end_line()
            if said or tag in ("h1", "h2", "h3"):
                self.lines.append(f"<{' '.join([tag, *said])}>")
        elif said:
            self._words.append(f"<{' '.join([tag, *said])}>")

    def handle_endtag(self, tag: str) -> None:
        self._within_style = False
        if tag in _BLOCKS:
            self._end_line()

    def handle_data(self, data: str) -> None:
        if not self._within_style:
            self._words.append(data)


def every_kind_of_card() -> Snapshot:
    """A short issue in which everything that a template can print is printed once at least."""

    def card(number: int, title: str, country: str, note: Sequence[str] = (), **changes: Any) -> Story:
        return make_story(
            number, title=title, country=country, summary="What happened, in one sentence.", note=tuple(note), **changes
        )

    model, human = ("What it means.", "And for whom."), ("A person wrote this.",)
    stories = [
        PlacedStory(card(1, "Labs keep their researchers at home", "CN", model), (make_related(1), make_related(2))),
        card(2, "北京的研究人员出国前须经批准", "CN", model, language="zh", outlet_language="zh", paywall=True),
        card(3, "Seoul backs a model", "KR", human, note_origin=NoteOrigin.HUMAN, note_approved_by=None, byline=()),
        card(4, "Courts weigh training data", "JP", kind=Kind.OPINION, summary_origin=SummaryOrigin.MODEL),
        card(
            5, "A data centre near Rayong", "TH", kind=Kind.PRESS_RELEASE, summary_origin=SummaryOrigin.EXTRACTIVE,
            tags=(), section="",
        ),
    ]  # fmt: skip
    sponsor = Sponsor("Harbour Bank", "Banking for the port.", "https://bank.example")
    return make_snapshot(*stories, word=("Good morning.", "Read on."), sponsor=sponsor)


@pytest.mark.parametrize("language", ["en", "ar", "zh-HK"])
@pytest.mark.parametrize("template", ["daily", "briefing", "breaking"])
def test_the_outline_is_the_approved_one(templates: Templates, template: str, language: str) -> None:
    issue = dataclasses.replace(every_kind_of_card(), template=template)
    rendered = render_edition(
        templates.compile(template), issue, Edition(issue.countries, language), "https://news.example"
    )
    head = [f"subject: {rendered.subject}", f"preheader: {rendered.preheader}", f"minutes: {rendered.minutes}"]
    said = "\n".join([*head, "", *Outline(rendered.html).lines, "", "=" * 20, "", rendered.text])
    said = said.replace("\ufdd0", "[").replace("\ufdd1", "]").rstrip() + "\n"
    path = OUTLINES / f"{template}-{language}.txt"
    if os.environ.get("NEWSLETTER_OUTLINES"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")
