"""A desk's own names and flags: `countries.toml` among its templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import TemplateError
from newsletter.model import Edition
from newsletter.render import Templates, render_edition
from newsletter.render.own_countries import read_countries


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "countries.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_desk_names_countries_and_chooses_flags(write, snapshot, story) -> None:
    folder = write('[TW]\nen = "Chinese Taipei"\nflag = ""\n[HK]\nzh = "中國香港"\nflag = "cn.png"\n')
    template = Templates([folder]).compile("daily")
    issue = snapshot(story(1, country="TW"), story(2, country="HK"))
    english = render_edition(template, issue, Edition(("TW", "HK"), "en"), "https://news.example")
    assert "Chinese Taipei" in english.html
    assert "Chinese Taipei" in english.text
    assert "flags/tw.png" not in english.html
    assert "Hong Kong" in english.html
    assert "flags/cn.png" in english.html
    chinese = render_edition(template, issue, Edition(("TW", "HK"), "zh-Hant"), "https://news.example")
    assert "中國香港" in chinese.html
    assert "台灣" in chinese.html


def test_a_changed_file_is_seen_at_once(write, snapshot, story) -> None:
    templates = Templates([write('[CN]\nen = "PRC"\n')])
    first = templates.compile("daily")
    write('[CN]\nen = "Mainland China"\n')
    assert templates.compile("daily").digest != first.digest
    assert templates.compile("daily").countries == {"CN": {"en": "Mainland China"}}


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ('[CN]\nen = "x"\n[Formosa]\nen = "y"\n', 3, "'Formosa' is no country"),
        ('[CN]\nen = "x"\nflag = "tw.svg"\n', 3, "there is no flag 'tw.svg'"),
        ('[CN]\nflag = "../../x.png"\n', 2, "there is no flag"),
        ('[CN]\nEnglish = "x"\n', 2, "'English' is neither flag nor a language"),
        ("[CN]\nen = 5\n", 2, "en is text in quotes"),
        ('[CN]\nen = ""\n', 2, "the name in en is empty"),
        ('CN = "China"\n', 1, "has names by language"),
        ('[CN\nen = "x"\n', 1, "Expected ']'"),
    ],
)
def test_faults_are_named_with_their_line(write, text: str, line: int, why: str) -> None:
    with pytest.raises(TemplateError) as caught:
        read_countries([write(text)])
    problem = caught.value.problems[0]
    assert problem.line == line
    assert why in problem.message


def test_all_faults_at_once(write) -> None:
    with pytest.raises(TemplateError) as caught:
        read_countries([write('[XX]\nen = "x"\n[CN]\nflag = "no.gif"\n[asia]\nen = "Asia Pacific"\n')])
    assert len(caught.value.problems) == 2
