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
    from newsletter.render.letters import desk_letter
    from newsletter.render.linking import with_counted_links
    from newsletter.render.pictures import picture
    from newsletter.render.problems import check_template
    from newsletter.render.templates import CompiledTemplate, Templates, subject_faults
    from newsletter.render.translating import is_language
    from newsletter.render.word_list import catalogue_for
    from newsletter.render.wording import direction, short_date

__all__ = [
    "FLAGS",
    "CompiledTemplate",
    "Templates",
    "catalogue_for",
    "check_template",
    "desk_letter",
    "direction",
    "faint_colours",
    "fill_html",
    "fill_text",
    "is_language",
    "picture",
    "preflight",
    "render_edition",
    "render_editions",
    "short_date",
    "story_card",
    "subject_faults",
    "with_counted_links",
]

FLAGS = Path(__file__).parent / "flags"
"""Folder of the flags, `cn.png`, 40 × 30 pixels: a mail asks for them at BASE_URL/flags/."""

_DOORS = {
    "CompiledTemplate": "templates",
    "Templates": "templates",
    "catalogue_for": "word_list",
    "check_template": "problems",
    "desk_letter": "letters",
    "direction": "wording",
    "faint_colours": "contrast",
    "fill_html": "filling",
    "fill_text": "filling",
    "is_language": "translating",
    "picture": "pictures",
    "preflight": "findings",
    "render_edition": "confined",
    "render_editions": "confined",
    "short_date": "wording",
    "story_card": "facts",
    "subject_faults": "templates",
    "with_counted_links": "linking",
}


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)
