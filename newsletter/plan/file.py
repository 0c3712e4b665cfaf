"""Reads schedule.yaml: text to tree, tree to values with every fault noted, values to a `Plan`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from errno import ENOENT
from pathlib import Path
from typing import Any, NoReturn

from newsletter.errors import PlanError, Problem
from newsletter.model import Sender, Sponsor
from newsletter.plan import nodes
from newsletter.plan.advice import advise
from newsletter.plan.forms import INVALID, Reading
from newsletter.plan.holidays import calendar_text, parse_holidays
from newsletter.plan.shape import FILE, REQUIRED, SOURCE_NEEDS
from newsletter.plan.values import Approval, Calendar, CatchUp, Newsletter, Plan, PlanFiles, SourcePlan, StoriesRule

__all__ = ["load_plan", "plan_of", "read_plan"]

_USUAL, _BREAKING = 5, 9
"""Priorities of newsletters that name none; breaking news is the newsletter, or the template, of that name."""
MAX_BYTES = 4 * nodes.MAX_CHARACTERS


SegmentCheck = Callable[[Mapping[str, object]], Iterable[tuple[str, str]]]
"""Finds the faults of a segment: for each the path inside it, and what is wrong."""

SubjectCheck = Callable[[str], Iterable[str]]
"""Finds the faults of a template for subject lines."""

_Calendars = Callable[[str], str]
"""The text of the calendar file of that name; raises `OSError` or `PlanError`."""


def read_plan(
    path: Path,
    templates: Collection[str] = ("daily",),
    check_segment: SegmentCheck = lambda segment: (),
    check_subject: SubjectCheck = lambda subject: (),
) -> Plan:
    """The plan of a schedule.yaml; `templates` are the names of the templates there are.

    Paths in it are relative to the folder it lies in. Raises `PlanError` with every fault, also when the file
    is not there or is not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        _refuse(path.name, 1, 1, f"{path} cannot be read: {error.strerror}; `newsletter init` makes one")
    if len(data) > MAX_BYTES:
        _refuse(path.name, 1, 1, f"the file is larger than {MAX_BYTES} bytes; that is no schedule")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", errors="replace").rpartition("\n")
        line, column = before[0].count("\n") + (2 if before[1] else 1), len(before[2]) + 1
        _refuse(path.name, line, column, f"the byte {data[error.start]:#04x} is not UTF-8; save the file as UTF-8")
    return load_plan(text, path.name, path.parent, templates, check_segment, check_subject)


def load_plan(
    text: str,
    file: str,
    folder: Path,
    templates: Collection[str] = ("daily",),
    check_segment: SegmentCheck = lambda segment: (),
    check_subject: SubjectCheck = lambda subject: (),
) -> Plan:
    """The plan that `text` says; `file` is its name in errors, `folder` where calendar files are found.

    Raises `PlanError` with every fault at once, in the file's order.
    """
    calendars: dict[str, str] = {}

    def text_of(name: str) -> str:
        if name not in calendars:
            calendars[name] = calendar_text(folder / name, name)
        return calendars[name]

    plan = _load(text, file, text_of, templates, check_segment, check_subject)
    files = PlanFiles(text, calendars)
    return replace(plan, files=files, digest=files.digest)


def plan_of(
    files: PlanFiles,
    file: str,
    templates: Collection[str] = ("daily",),
    check_segment: SegmentCheck = lambda segment: (),
    check_subject: SubjectCheck = lambda subject: (),
) -> Plan:
    """The plan of files that were kept, calendars among them; no folder is looked at. Raises `PlanError`."""

    def text_of(name: str) -> str:
        try:
            return files.calendars[name]
        except KeyError:
            raise FileNotFoundError(ENOENT, "it was not kept with the schedule") from None

    plan = _load(files.schedule, file, text_of, templates, check_segment, check_subject)
    return replace(plan, files=files, digest=files.digest)


def _load(
    text: str,
    file: str,
    text_of: _Calendars,
    templates: Collection[str],
    check_segment: SegmentCheck,
    check_subject: SubjectCheck,
) -> Plan:
    root = nodes.compose(text, file)
    if isinstance(root, nodes.Scalar) and root.empty:
        _refuse(file, 1, 1, "the file is empty; `newsletter init` makes one that works")
    reading = Reading(file, _names(root, templates))
    values = reading.read(FILE, root, "")
    plan = None if values is INVALID else _plan(values, text_of, reading)
    for newsletter in plan.newsletters.values() if plan else ():
        for inner, message in check_segment(newsletter.segment):
            reading.fault(".".join(filter(None, ("newsletters", newsletter.name, "segment", inner))), message)
        for message in check_subject(newsletter.subject or ""):
            reading.fault(f"newsletters.{newsletter.name}.subject", message)
    if plan is None or reading.problems:
        raise PlanError(sorted(reading.problems, key=lambda found: (found.file != file, found.line, found.column)))
    return replace(plan, warnings=tuple(advise(plan, values, reading)))


def _names(root: nodes.Node, templates: Collection[str]) -> dict[str, Collection[str]]:
    """What the file names, read ahead, so that a value may refer to what stands further down."""
    tops = dict(_pairs(root))
    return {
        "template": sorted(templates),
        "region": [name for name, _ in _pairs(tops.get("regions"))],
        "calendar": [name for name, _ in _pairs(tops.get("calendars"))],
        "newsletter": [name for name, _ in _pairs(tops.get("newsletters"))],
    }


def _pairs(node: nodes.Node | None) -> Iterator[tuple[str, nodes.Node]]:
    if isinstance(node, nodes.Mapping):
        yield from ((key.text, value) for key, value in node.entries if isinstance(key, nodes.Scalar))


def _plan(values: dict[str, Any], text_of: _Calendars, reading: Reading) -> Plan:
    if "newsletters" not in values:
        reading.fault("", "newsletters is missing; write newsletters: {} for a desk that has none yet")
    calendars = {
        name: Calendar(name, _dates(name, table, text_of, reading)) for name, table in _tables(values, "calendars")
    }
    sources = {name: _source(name, table, reading) for name, table in _tables(values, "sources")}
    defaults = values.get("defaults", {})
    newsletters = {
        name: _newsletter(name, _merge(defaults, table), calendars, reading)
        for name, table in _tables(values, "newsletters")
        if defaults is not INVALID
    }
    return Plan(
        newsletters={name: found for name, found in newsletters.items() if found},
        sources={name: found for name, found in sources.items() if found},
        calendars=calendars,
        regions=values.get("regions", {}),
    )


def _tables(values: Mapping[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    tables = values.get(key, {})
    return ((name, table) for name, table in ({} if tables is INVALID else tables).items() if table is not INVALID)


def _dates(name: str, table: Mapping[str, Any], text_of: _Calendars, reading: Reading) -> frozenset[date]:
    path = f"calendars.{name}"
    if len(table) != 1:
        reading.fault(path, "a calendar has either dates: [2026-12-25] or ics: FILE")
    if (dates := table.get("dates", INVALID)) is not INVALID:
        return frozenset(dates)
    if (ics := table.get("ics", INVALID)) is not INVALID:
        try:
            return parse_holidays(text_of(ics), ics)
        except OSError as error:
            reading.fault(f"{path}.ics", f"{ics} cannot be read: {error.strerror}")
        except PlanError as error:
            reading.problems.extend(error.problems)
    return frozenset()


def _source(name: str, table: dict[str, Any], reading: Reading) -> SourcePlan | None:
    kind = table.get("kind")
    needs = ("kind",) if kind is None else SOURCE_NEEDS.get(str(kind), ())
    missing = [key for key in needs if key not in table]
    for key in missing:
        reading.fault(f"sources.{name}", f"{key} is missing" + (f"; a {kind} needs one" if kind else ""))
    return None if missing or not _readable(table) else SourcePlan(id=name, **table)


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `under` key by key, mappings in them too; lists are taken whole."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _newsletter(
    name: str, table: dict[str, Any], calendars: Mapping[str, Calendar], reading: Reading
) -> Newsletter | None:
    if not _complete(name, table, reading) or not _readable(table):
        return None
    stories = StoriesRule(**table.pop("stories", {}))
    if stories.min > stories.max:
        reading.fault(f"newsletters.{name}.stories.min", f"min {stories.min} is more than max {stories.max}")
    _check_best_of(name, stories, table.get("not_again_from", ()), reading)
    table.setdefault("priority", _BREAKING if "breaking" in (name, table.get("template")) else _USUAL)
    sponsor = table.pop("sponsor", None)
    if sponsor is not None and "name" not in sponsor:
        reading.fault(f"newsletters.{name}.sponsor", "name is missing; a sponsor is named: name: Harbour Bank")
        return None
    return Newsletter(
        name=name,
        sponsor=Sponsor(**sponsor) if sponsor else None,
        sender=Sender(**table.pop("sender")),
        approval=Approval(**table.pop("approval", {})),
        catch_up=CatchUp(**table.pop("catch_up", {})),
        stories=stories,
        days=frozenset(table.pop("days")),
        skip=_skipped(table.pop("skip", ()), calendars),
        **table.pop("delivery", {}),
        **table,
    )


def _check_best_of(name: str, stories: StoriesRule, not_again_from: Collection[str], reading: Reading) -> None:
    for place, other in enumerate(stories.best_of):
        path = f"newsletters.{name}.stories.best_of[{place}]"
        if other == name:
            reading.fault(path, f"{name} cannot be the best of itself: none of its readers gets a story twice")
        elif other in not_again_from:
            reading.fault(path, f"{other} is in not_again_from too, so none of its stories could be told")


def _complete(name: str, table: Mapping[str, Any], reading: Reading) -> bool:
    complete = True
    for key, example in REQUIRED.items():
        outer, _, inner = key.partition(".")
        holder = table.get(outer) if inner else table
        if isinstance(holder, dict) and (inner or outer) not in holder:
            reading.fault(f"newsletters.{name}", f"{key} is missing; write it here or under defaults: {example}")
            complete = False
    return complete


def _readable(value: object) -> bool:
    if isinstance(value, dict):
        return all(_readable(inner) for inner in value.values())
    return value is not INVALID


def _skipped(items: Sequence[str | date], calendars: Mapping[str, Calendar]) -> dict[date, str]:
    skipped: dict[date, str] = {}
    for item in items:
        if isinstance(item, date):
            skipped.setdefault(item, item.isoformat())
        elif item in calendars:
            for day in sorted(calendars[item].dates):
                skipped.setdefault(day, item)
    return skipped


def _refuse(file: str, line: int, column: int, message: str) -> NoReturn:
    raise PlanError([Problem(file, line, column, message)])
