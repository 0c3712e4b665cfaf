"""Extracts: where sentences end, what is no part of an article, and what stands in a few hundred characters of it."""

from __future__ import annotations

import json
import time
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.gather import entries
from newsletter.gather.cleaning import clean_text, shorten
from newsletter.gather.extract import extract, sentences
from newsletter.plan.values import SourcePlan
from newsletter.words import terms_of

from .conftest import NOW


@pytest.mark.parametrize(
    "found",
    [
        ["The port opened.", "Ships came."],
        ["He met Dr. Ana Reyes of the U.S. Senate at 5 p.m. on Monday.", "They spoke."],
        ["It left the U.S.", "The others stayed."],
        ["U.S. President J. R. Ames spoke.", "Nobody listened."],
        ["No. 5 is alive.", "Is it?", "No.", "It rose by 3.5 percent to $1.2bn."],
        ["Yahoo! is for sale.", "Who buys it?!", "Nobody…", "So it goes."],
        ["“We won. They lost,” she said.", "The others left."],
        ['He said "It is over. Go home." and left.', "All went."],
        ["She said: “Yes.”", "(It was a no.)", "«Oui.»", "Fin."],
        ["港口周一开放。", "船只在外等候！", "为什么？"],
        ["「明日から休む。」と市長は述べた。", "市民は驚いた。"],
        ["他说：“我们赢了。他们输了。”", "观众散去。"],
        ["부산항이 3.5% 늘었다.", "선박은 밖에서 기다린다."],
        ["Г. Иванов приехал в 5 тыс. домов.", "Все ушли."],
        ["बंदरगाह खुला।", "जहाज आए।"],
        ["An unclosed “quote goes on. And on."],
        ["Both. i.e. all."],
    ],
)
def test_where_sentences_end(found: list[str]) -> None:
    spaced = not any("\u3000" < character < "\u9fff" for character in found[0])
    assert sentences((" " if spaced else "").join(found)) == found


def test_thai_is_broken_at_spaces_and_not_at_foreign_words() -> None:
    text = " ".join(["ท่าเรือเปิดให้บริการในวันจันทร์ตามที่คาดไว้", "เรือ MV Lago 25 ลำรออยู่ด้านนอกของท่าเรือใหญ่"] * 4)
    parts = sentences(text)
    assert len(parts) > 2
    assert " ".join(parts) == text
    assert all("\u0e00" < part[0] < "\u0e7f" for part in parts)


ARTICLE = """
<h1>Harwick opens its third quay</h1>
<p>By Ana Brook</p>
<figure><img src="x.jpg"><figcaption>The quay on Monday. Photograph: Jo Reed/Agency</figcaption></figure>
<p>HARWICK, May 27 (Wire) - Harwick opened its third quay on Monday after 12 years of work, the port said.
It cost $4.5bn, twice what was planned.</p>
<h2>Ships wait</h2>
<p>Some 1,200 ships a year will land at the quay, 40% more than now. Dr. Olga Stein of the U.S. port union was pleased.
He said little else.</p>
<p>Read more: The fight for the quay</p>
<p>Residents of Harwick fear the noise. The mayor spoke of trees. Dogs barked all night at the moon over the hills.</p>
<p>Sign up for our newsletter. Follow us on Chirp.</p>
<p>© Harwick Post. All rights reserved.</p>
"""


@pytest.mark.parametrize("limit", [90, 120, 180, 240, 300, 420])
def test_an_extract_is_whole_sentences_of_the_article_in_order(limit: int) -> None:
    found = extract("Harwick opens its third quay", ARTICLE, limit)
    assert 0 < len(found) <= limit
    parts = sentences(found)
    places = [clean_text(ARTICLE).index(part) for part in parts]
    assert places == sorted(places)
    for chaff in (
        "Ana Brook",
        "Photograph",
        "Read more",
        "Sign up",
        "Chirp",
        "rights reserved",
        "Ships wait",
        "(Wire)",
    ):
        assert chaff not in found
    if limit >= 120:
        assert found.startswith("Harwick opened its third quay on Monday after 12 years of work, the port said.")


def test_what_fits_is_its_own_extract() -> None:
    assert extract("", "One thing. Two things.", 30) == "One thing. Two things."
    assert extract("", "<p>No mark at the end</p>", 30) == "No mark at the end"
    assert extract("Title", "Title One thing.", 30) == "One thing."
    assert extract("Title", "Titled, it was one thing.", 30) == "Titled, it was one thing."
    assert extract("Title", "<p>Title</p>", 30) == ""
    assert extract("", "One thing. Read more at the Post.", 60) == "One thing."
    assert extract("", "", 30) == extract("", "One thing.", 0) == ""
    assert extract("", "港口开放。</p><p>船来了。", 30) == "港口开放。船来了。"


def test_a_first_sentence_over_the_limit_is_cut_at_a_word() -> None:
    assert (
        extract("", "The port of Harwick opened its very long third quay on this Monday", 30)
        == "The port of Harwick opened…"
    )


def test_a_text_that_breaks_off_does_not_end_within_a_sentence() -> None:
    text = "The port opened on Monday with a party. " * 3 + "Ships from many harbours wait outs [&hellip;]"
    assert extract("", text, 130).endswith("party.")


def test_the_same_is_not_said_twice() -> None:
    text = " ".join(
        f"The port of Harwick opened its third quay on Monday{end}." for end in ("", " again", " once more")
    )
    assert len(sentences(extract("", f"{text} Dogs barked at the moon over green hills.", 150))) <= 2


FRAGMENTS = st.sampled_from(
    ["The port opened. ", "Dr. ", "U.S. ", "“", "”", '"', "<p>", "</p>", "<br><br>", "\n\n", "。", "」", "港口",
     "ท่าเรือ ", "...", "…", "Read more ", "BEIJING, May 27 (AP) - ", "3.5", "!", " ", "&lt;p&gt;", "\ue000", "word ",
     "[…]", "By Jo Reed"]
)  # fmt: skip


@given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=9)), max_size=60).map("".join), st.integers(0, 120))
def test_any_text_gives_clean_text_within_the_limit(markup: str, limit: int) -> None:
    found = extract("The port", markup, limit)
    assert len(found) <= limit
    assert found == extract("The port", markup, limit)
    assert clean_text(found) == found
    assert "\ue000" not in found


@pytest.mark.parametrize(
    "hostile",
    ["." * 16_000, "a. " * 6_000, "A. " * 6_000, '"A. ' * 4_000, "。" * 16_000, "“A b. " * 3_000, "<br>" * 4_000,
     "\n " * 8_000, "A " * 8_000, "the post " * 2_000, "X" * 16_000, "ก " * 8_000, "A b c. " * 3_000,
     "." + '"' * 16_000, "<p>" * 6_000]
)  # fmt: skip
def test_a_hostile_text_costs_little(hostile: str) -> None:
    begun = time.process_time()
    extract("a", hostile, 300)
    assert time.process_time() - begun < 0.5


def test_an_article_takes_a_few_milliseconds() -> None:
    words = [f"harbour{number % 83}" for number in range(880)]
    text = " ".join(" ".join(words[at : at + 22]).capitalize() + "." for at in range(0, 880, 22))
    assert len(sentences(text)) == 40
    extract("Harbour7", text, 300)
    costs = []
    for _ in range(7):
        begun = time.process_time()
        extract("Harbour7 harbour9", text, 300)
        costs.append(time.process_time() - begun)
    print(f"40 sentences: {sorted(costs)[3] * 1e3:.1f} ms")
    assert sorted(costs)[3] < 0.025  # 4 ms on the machine this was written on


KINDS = {"xml": "feed", "atom": "feed", "rdf": "feed", "golkar-wp": "wordpress", "ghost": "ghost", "ninjs": "ninjs"}


def _texts(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Title, summary and whole text of each entry of a real file, as markup."""
    seen: list[tuple[str, str, str]] = []
    real = entries.summarise

    def spy(title: str, written: str, full: str, plan: SourcePlan) -> object:
        seen.append((title, written, full))
        return real(title, written, full, plan)

    monkeypatch.setattr(entries, "summarise", spy)
    kind = next(kind for key, kind in KINDS.items() if key in name)
    plan = SourcePlan(id="real", kind=kind, url="http://real.example/")
    import_module(f"newsletter.gather.{kind}").parse(
        (folder / name).read_bytes(), plan, NOW, address="http://real.example/"
    )
    return seen


def _overlap(first: str, second: str) -> float:
    """ROUGE-1 as F over terms."""
    counts = Counter(terms_of(first)), Counter(terms_of(second))
    both = sum((counts[0] & counts[1]).values())
    return 2 * both / max(1, sum(counts[0].values()) + sum(counts[1].values()))


def _lead(title: str, markup: str, limit: int) -> str:
    """The first sentences that fit: the yardstick, and a hard one for news."""
    text, whole = "", clean_text(markup).removeprefix(title).lstrip()
    for sentence in sentences(whole):
        if len(f"{text} {sentence}") > limit:
            break
        text = f"{text} {sentence}".strip()
    return text or shorten(whole, limit)


def test_extracts_say_what_their_publishers_summaries_say(test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Guardian's standfirsts against the text below them; WordPress's are its first words: they favour the lead."""
    pairs: dict[str, list[tuple[str, str, str]]] = {}
    for title, written, _ in _texts(test_data / "feeds", "guardian-world-2022-09-25.xml", monkeypatch):
        standfirst, _, rest = written.partition("</p>")
        if len(clean_text(rest)) > 300:
            pairs.setdefault("guardian", []).append((title, clean_text(standfirst), rest))
    for name in ("golkar-2019-12-05.xml", "golkar-wp-posts-news-2019-05-13.json"):
        for title, written, full in _texts(test_data / "feeds", name, monkeypatch):
            pairs.setdefault("golkar", []).append((title, clean_text(written), full))
    for outlet, texts in pairs.items():
        mine = [_overlap(extract(title, full, 300), summary) for title, summary, full in texts]
        lead = [_overlap(_lead(title, full, 300), summary) for title, summary, full in texts]
        means = sum(mine) / len(mine), sum(lead) / len(lead)
        print(f"{outlet}: {len(texts)} texts, extract {means[0]:.3f}, lead {means[1]:.3f}")
        assert means[0] > 0.85 * means[1]


def test_real_texts_give_extracts_that_stand_by_themselves(test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = 0
    for path in sorted((test_data / "feeds").iterdir()):
        if path.name.endswith(".expected.json") or not any(key in path.name for key in KINDS):
            continue
        expected = json.loads(path.with_name(f"{path.name}.expected.json").read_text())
        assert expected
        for title, written, full in _texts(test_data / "feeds", path.name, monkeypatch):
            found = extract(title, full or written, 300)
            counted += bool(found)
            assert len(found) <= 300
            assert extract(title, full or written, 300) == found
            assert extract(title, found, 300) == found, "an extract is its own extract"
    assert counted > 1_000
