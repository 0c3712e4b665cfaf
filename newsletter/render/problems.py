"""`newsletter template check`: everything that is wrong with a template folder, at once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from newsletter.errors import Problem, TemplateError
from newsletter.model import (
    CountrySection,
    Edition,
    Finding,
    Kind,
    NoteOrigin,
    PlacedStory,
    Related,
    RenderedEdition,
    Sender,
    Severity,
    Snapshot,
    Story,
    SummaryOrigin,
)
from newsletter.render.confined import render_edition
from newsletter.render.findings import preflight
from newsletter.render.template_files import Shelf, shipped_folders
from newsletter.render.templates import Templates

__all__ = ["check_template", "read_sample", "render_sample"]

_KINDS = {"kind": Kind, "note_origin": NoteOrigin, "summary_origin": SummaryOrigin}
_STORY_FIELDS = {field.name for field in dataclasses.fields(Story)}


def check_template(folder: Path, templates: Templates | None = None) -> list[Problem]:
    """Every fault of a mail folder: of its files, and of its `sample.json` rendered and put through the preflight.

    Its partials, theme and words are those of `templates`, or else what lies beside the folder before the shipped ones.
    """
    folder = folder.resolve()
    try:
        snapshot, rendered = render_sample(folder.name, templates or Templates([folder.parent]))
    except TemplateError as error:
        return list(error.problems)
    findings = preflight(snapshot, [rendered], max(placed.story.published_at for placed in snapshot.placed))
    return [_as_problem(folder, finding) for finding in findings if finding.severity is Severity.BLOCKING]


def render_sample(
    name: str, templates: Templates, base_url: str = "https://news.example"
) -> tuple[Snapshot, RenderedEdition]:
    """The issue of a mail's `sample.json`, rendered; raises `TemplateError` with every fault of its files."""
    shelf = Shelf([*templates.folders, *shipped_folders()])
    problems: list[Problem] = []
    try:
        template = templates.compile(name)
    except TemplateError as error:
        problems += error.problems
    sample = shelf.find(f"{name}/sample.json") or shelf.find("daily/sample.json") or Path(name, "sample.json")
    try:
        snapshot = read_sample(sample.read_text(encoding="utf-8-sig"), name)
    except json.JSONDecodeError as error:
        problems.append(Problem(str(sample), error.lineno, error.colno, error.msg))
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        problems.append(Problem(str(sample), 1, 1, f"this is not a sample issue: {_reason(error)}"))
    if problems:
        raise TemplateError(problems)
    edition = Edition(snapshot.countries, snapshot.languages[0])
    return snapshot, render_edition(template, snapshot, edition, base_url)


def read_sample(text: str, template: str) -> Snapshot:
    """An issue from a `sample.json`: its head, and `stories` in the form of story files with `related` among them.

    Raises `LookupError`, `TypeError`, `ValueError` or `AttributeError` for a document of another shape.
    """
    document = json.loads(text)
    sections: dict[str, list[PlacedStory]] = {}
    for row in document["stories"]:
        sections.setdefault(row["country"], []).append(_placed(row))
    placed = tuple(CountrySection(country, tuple(stories)) for country, stories in sections.items())
    return Snapshot(
        newsletter=document["newsletter"],
        date=date.fromisoformat(document["date"]),
        title=document["title"],
        template=template,
        sender=Sender(**document["sender"]),
        postal_address=document["postal_address"],
        timezone=document["timezone"],
        languages=tuple(document["languages"]),
        sections=placed,
        lead=placed[0].stories[0].story.id,
    )


def _placed(row: Mapping[str, Any]) -> PlacedStory:
    values = {name: _value(name, value) for name, value in row.items() if name != "related"}
    if unknown := values.keys() - _STORY_FIELDS:
        raise ValueError(f"a story has no {', '.join(sorted(unknown))}")
    related = (
        Related(**{**other, "published_at": datetime.fromisoformat(other["published_at"]), "score": 1.0})
        for other in row.get("related", ())
    )
    return PlacedStory(Story(**values), tuple(related))


def _value(name: str, value: Any) -> Any:
    if name in _KINDS:
        return _KINDS[name](value)
    if name == "published_at":
        return datetime.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _as_problem(folder: Path, finding: Finding) -> Problem:
    file = "body.txt" if "text" in finding.place else "body.mjml"
    return Problem(str(folder / file), 1, 1, f"{finding.message} {finding.fix}".strip(), finding.place)
