"""A language that lacks words is told, and gets a file to say them in."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import TemplateError
from newsletter.render import Templates, catalogue_for, is_language
from newsletter.render.translating import read_catalogues, words_in


def test_a_new_language_is_a_file_of_words_to_say(tmp_path: Path) -> None:
    templates = Templates([tmp_path])
    lacking = templates.unsaid("sv")
    assert "Related reading" in lacking
    assert ("%(num)s story", "%(num)s stories") in lacking
    path = tmp_path / "words" / "sv.po"
    path.parent.mkdir()
    path.write_bytes(catalogue_for("sv", path, lacking))
    assert templates.unsaid("sv") == lacking, "an empty msgstr says nothing"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('msgid "Related reading"\nmsgstr ""', 'msgid "Related reading"\nmsgstr "Läs mer"'))
    assert len(templates.unsaid("sv")) == len(lacking) - 1
    path.write_bytes(catalogue_for("sv", path, templates.unsaid("sv")))
    assert words_in("sv", read_catalogues([tmp_path])).text["_"]("Related reading") == "Läs mer", "nothing said is lost"


@pytest.mark.parametrize("language", ["en", "en-GB", "id", "zh-HK", "ar"])
def test_the_shipped_languages_lack_nothing(language: str) -> None:
    assert Templates().unsaid(language) == []


def test_words_of_a_desks_own_template_are_lacking_too(tmp_path: Path) -> None:
    templates = Templates([tmp_path])
    templates.start("own", "daily")
    body = tmp_path / "own" / "body.txt"
    body.write_text(body.read_text(encoding="utf-8") + '{{ _("Our own words") }}\n', encoding="utf-8")
    assert templates.unsaid("id") == ["Our own words"]


def test_a_catalogue_is_called_by_a_language(tmp_path: Path) -> None:
    assert is_language("zh_Hant")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "svenska.po").write_text('msgid "Unsubscribe"\nmsgstr "Avsluta"\n', encoding="utf-8")
    with pytest.raises(TemplateError, match=r"svenska\.po:1:1: 'svenska' is no language"):
        read_catalogues([tmp_path])
