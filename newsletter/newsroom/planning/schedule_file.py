"""schedule.yaml changed by the application: comments and order kept, checked as a whole before it is put in place."""

from __future__ import annotations

import codecs
import difflib
import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.files import replace_file
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Plan, Slot, Timetable

__all__ = [
    "SHOWN",
    "Change",
    "diff_of",
    "edit_newsletter",
    "next_runs",
    "parse",
    "put_in_place",
    "retype",
    "rewrite",
    "text_of",
]

SHOWN = 10
"""How many of the next runs a change is shown with."""

_COMMENT = re.compile(r"(?:^|\s)(#.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Change:
    """A schedule.yaml as it would be: what is different about it, and the next ten runs it leads to.

    `before` is the SHA-256 of the file that it was made from.
    """

    data: bytes
    before: str
    plan: Plan
    diff: str
    runs: tuple[Slot, ...]


def edit_newsletter(room: Newsroom, name: str, changes: Mapping[str, object]) -> Change:
    """A change of some keys of one newsletter, for `put_in_place`; nothing is written yet.

    Keys are dotted (`stories.max`), values are plain ones: texts, numbers, flags, lists, mappings. None takes a key
    out, so that the default holds. Raises `PlanError` for what would not be valid, `InputError` for a newsletter
    that is not in this desk's file, and `NothingToDoError` where it says all of that already.
    """

    def change(document: Any) -> None:
        table = (document.get("newsletters") or {}).get(name)
        if not isinstance(table, dict):
            raise InputError(f"{room.plan_file} has no newsletter {name!r}")
        for key, value in changes.items():
            _set(table, key.split("."), value)

    changed = rewrite(room, change)
    old, new = room.in_force.read_file().newsletters, changed.plan.newsletters
    if {**old, name: None} != {**new, name: None}:
        raise ChecksFailedError(f"that would change more than {name}; change {room.plan_file.name} by hand")
    return changed


def rewrite(room: Newsroom, change: Callable[[Any], None]) -> Change:
    """schedule.yaml as `change` leaves it, which is given the document as mappings and lists; nothing is written yet.

    Raises `PlanError` when the file cannot be read or would not be valid, `ChecksFailedError` when a comment would be
    lost, and `NothingToDoError` where nothing is different.
    """
    room.in_force.read_file()  # a broken file is told with line and column
    data = room.plan_file.read_bytes()
    mark, ending = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b"", "\r\n" if b"\r\n" in data else "\n"
    old = data.decode("utf-8-sig").replace("\r\n", "\n")
    yaml = _round_trip(old)
    document = yaml.load(old)
    change(document)
    stream = io.StringIO()
    yaml.dump(document, stream)
    new = stream.getvalue()
    if new == old:
        raise NothingToDoError(f"{room.plan_file.name} says that already")
    plan = room.in_force.read_text(new)
    if lost := [comment for comment in _COMMENT.findall(old) if comment not in new]:
        raise ChecksFailedError(f"that would lose the comment {lost[0]!r}; change {room.plan_file.name} by hand")
    diff = diff_of(old, new, room.plan_file.name, f"{room.plan_file.name} (changed)")
    written = mark + new.replace("\n", ending).encode()
    return Change(written, hashlib.sha256(data).hexdigest(), plan, diff, next_runs(room, plan))


def text_of(room: Newsroom) -> str:
    """schedule.yaml as it lies there, lines ended by `\\n`; raises `InputError` where there is nothing to be read."""
    return _decoded(room, _read(room))


def retype(room: Newsroom, began: str, text: str) -> Change:
    """schedule.yaml with `text` for what it says, kept as it was typed; nothing is written yet.

    `began` is what `text_of` said when somebody began to type. Raises `ChecksFailedError` when the file says something
    else by now, `PlanError` for what would not be valid, and `NothingToDoError` where nothing is different.
    """
    data = _read(room)
    old = _decoded(room, data)
    if old != began:
        raise ChecksFailedError(f"somebody has changed {room.plan_file.name} since you opened it")
    if text == old:
        raise NothingToDoError(f"{room.plan_file.name} says that already")
    plan = room.in_force.read_text(text)
    mark, ending = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b"", "\r\n" if b"\r\n" in data else "\n"
    written = mark + text.replace("\n", ending).encode()
    diff = diff_of(old, text, room.plan_file.name, f"{room.plan_file.name} (changed)")
    return Change(written, hashlib.sha256(data).hexdigest(), plan, diff, next_runs(room, plan))


def next_runs(room: Newsroom, plan: Plan) -> tuple[Slot, ...]:
    """What would be due next under that plan, with what people have decided beside the present one."""
    now = room.clock.now()
    known = room.bare_database.exists
    overlays = room.overlays.in_force(now.date()) if known else {}
    return tuple(Timetable(plan, overlays).upcoming(now, SHOWN))


def put_in_place(room: Newsroom, change: Change) -> None:
    """Write the change: all of it or nothing. Raises `ChecksFailedError` when the file was changed meanwhile."""
    with room.database.hold(f"file {room.plan_file}") as held:
        if not held or hashlib.sha256(room.plan_file.read_bytes()).hexdigest() != change.before:
            raise ChecksFailedError(f"{room.plan_file} was changed meanwhile and is left as it is; begin again")
        replace_file(room.plan_file.resolve(), change.data)


def parse(text: str) -> object:
    """A value as it is written in the file (`"07:30"`, `[mon, fri]`); raises `InputError`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError):
        raise InputError(f'{text!r} is no value; write it as in the file: "07:30", 14, [mon, fri]') from None


def diff_of(old: str, new: str, before: str, after: str) -> str:
    """What is different, line by line, as `diff -u` has it; empty where nothing is."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), before, after, n=1, lineterm="")
    return "\n".join(lines)


def _read(room: Newsroom) -> bytes:
    try:
        return room.plan_file.read_bytes()
    except OSError as error:
        raise InputError(f"{room.plan_file}: {error.strerror}") from None


def _decoded(room: Newsroom, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise InputError(f"{room.plan_file} is not UTF-8; save it as that") from None


def _round_trip(text: str) -> Any:
    """A YAML that writes as `text` is written, in indentation and quotes."""
    from ruamel.yaml import YAML
    from ruamel.yaml.util import load_yaml_guess_indent

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    _, sequence, dash = load_yaml_guess_indent(text)
    inner = re.search(r"^[^\s#][^\n]*:[ \t]*(?:#.*)?\r?\n(?:[ \t]*(?:#.*)?\r?\n)*( +)[^\s#-]", text, re.MULTILINE)
    mapping = len(inner[1]) if inner else 2
    if dash is None:
        yaml.indent(mapping=mapping)
    else:
        yaml.indent(mapping=mapping, sequence=sequence or dash + 2, offset=dash)
    return yaml


def _set(table: Any, keys: Sequence[str], value: object) -> None:
    """Set a value in a mapping, in mappings of it; quotes and the kind of brackets stay as they were."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

    key, *inner = keys
    old = table.get(key)
    if inner:
        if not isinstance(old, dict):
            old = table[key] = CommentedMap()
            old.fa.set_flow_style()
        _set(old, inner, value)
    elif value is None:
        table.pop(key, None)
    elif isinstance(value, list | tuple | dict):
        made = CommentedMap(value) if isinstance(value, dict) else CommentedSeq(value)
        if not isinstance(old, CommentedMap | CommentedSeq) or old.fa.flow_style():
            made.fa.set_flow_style()
        table[key] = made
    elif isinstance(value, str) and isinstance(old, DoubleQuotedScalarString | SingleQuotedScalarString):
        table[key] = type(old)(value)
    else:
        table[key] = value
