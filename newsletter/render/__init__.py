"""Turns an issue into editions: template compiling, HTML, text, subject, byte budget, preflight.

The doors open on first use, so that importing this room loads neither Jinja2 nor mjml nor premailer.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from newsletter.render.confined import render_edition, render_editions
    from newsletter.render.contrast import faint_colours
    from newsletter.render.facts import story_card
    from newsletter.render.filling import fill_html, fill_text
    from newsletter.render.findings import preflight
    from newsletter.render.letters import ReaderLetter, desk_letter
    from newsletter.render.linking import with_counted_links
    from newsletter.render.pictures import picture
    from newsletter.render.problems import check_template, render_sample
    from newsletter.render.template_files import TemplateFile
    from newsletter.render.templates import CompiledTemplate, Templates, subject_faults
    from newsletter.render.translating import is_language
    from newsletter.render.word_list import catalogue_for
    from newsletter.render.wording import (
        date_in_words,
        day_in_words,
        days_in_words,
        direction,
        listed,
        moment_in_words,
        short_date,
        written,
        zone_in_words,
    )

__all__ = [
    "FLAGS",
    "CompiledTemplate",
    "ReaderLetter",
    "TemplateFile",
    "Templates",
    "catalogue_for",
    "check_template",
    "date_in_words",
    "day_in_words",
    "days_in_words",
    "desk_letter",
    "direction",
    "faint_colours",
    "fill_html",
    "fill_text",
    "is_language",
    "listed",
    "moment_in_words",
    "picture",
    "preflight",
    "render_edition",
    "render_editions",
    "render_sample",
    "short_date",
    "story_card",
    "subject_faults",
    "with_counted_links",
    "written",
    "zone_in_words",
]

FLAGS = Path(__file__).parent / "flags"
"""Folder of the flags, `cn.png`, 40 × 30 pixels: a mail asks for them at BASE_URL/flags/."""

_DOORS = {
    "CompiledTemplate": "templates",
    "TemplateFile": "template_files",
    "ReaderLetter": "letters",
    "Templates": "templates",
    "catalogue_for": "word_list",
    "check_template": "problems",
    "desk_letter": "letters",
    "date_in_words": "wording",
    "day_in_words": "wording",
    "days_in_words": "wording",
    "direction": "wording",
    "listed": "wording",
    "moment_in_words": "wording",
    "faint_colours": "contrast",
    "fill_html": "filling",
    "fill_text": "filling",
    "is_language": "translating",
    "picture": "pictures",
    "preflight": "findings",
    "render_edition": "confined",
    "render_editions": "confined",
    "render_sample": "problems",
    "short_date": "wording",
    "story_card": "facts",
    "subject_faults": "templates",
    "with_counted_links": "linking",
    "written": "wording",
    "zone_in_words": "wording",
}


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)
