"""Colours that cannot be read are named; those of the shipped theme can."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from newsletter.cli.template import template
from newsletter.render import Templates, faint_colours
from newsletter.render.contrast import contrast


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#FFFFFF", 21.0), ("#777777", "#FFFFFF", 4.48), ("#ffffff", "#FFFFFF", 1.0), ("red", "#FFFFFF", None)],
)
def test_the_ratio_is_that_of_wcag(one: str, other: str, ratio: float | None) -> None:
    found = contrast(one, other)
    assert found == ratio if ratio is None else found == pytest.approx(ratio, abs=0.01)


def test_the_shipped_theme_can_be_read() -> None:
    assert list(faint_colours(Templates().theme())) == []


def test_a_desks_faint_colour_is_named(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text('[light]\nmeta = "#9AA0A8"\n', encoding="utf-8")
    findings = list(faint_colours(Templates([tmp_path]).theme()))
    assert {finding.place for finding in findings} == {"theme.toml, light.meta"}
    found = [finding.message for finding in findings]
    assert [message.partition(" has")[0] for message in found] == [
        "light.meta on light.panel", "light.meta on light.page", "light.meta on light.note",
    ]  # fmt: skip


def test_template_check_names_a_faint_colour_and_passes(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text('[light]\nmeta = "#9AA0A8"\n', encoding="utf-8")
    Templates([tmp_path]).start("ours", "daily")
    done = CliRunner().invoke(template, ["check", str(tmp_path / "ours")], standalone_mode=False)
    assert done.return_value == 0
    assert "theme.toml, light.meta: light.meta on light.page has a contrast of" in done.stderr
    assert "warning" not in done.stdout


def test_short_colours_are_colours():
    assert contrast("#fff", "#000000") == contrast("#FFFFFF", "#000")
