"""Parts of addresses that name an issue."""

from __future__ import annotations

from starlette.convertors import Convertor, IntegerConvertor, register_url_convertor

__all__ = ["register_convertors"]


class _IssuePart(Convertor[str]):
    """An issue id as part of an address: `asia-ai-daily/2026-05-27`, `asia-ai-daily/2026-05-27/2`."""

    regex = r"[a-z0-9][a-z0-9-]*/[0-9]{4}-[0-9]{2}-[0-9]{2}(?:/[1-9][0-9]{0,3})?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _ArchivedPart(_IssuePart):
    """An issue of a newsletter in the archive: `2026-05-27`, `2026-05-27-2`."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[1-9][0-9]{0,3})?"


class _Number(IntegerConvertor):
    """A number in an address, of no more digits than a column holds: Python reads none of over 4,300, and PostgreSQL
    refuses what passes 64 bits. A longer one is no address of ours."""

    regex = "[0-9]{1,18}"


def register_convertors() -> None:
    """Let routes say `{issue:issue}`, `{day:archived}`, and `{number:int}` of a number that a column holds."""
    register_url_convertor("int", _Number())
    register_url_convertor("issue", _IssuePart())
    register_url_convertor("archived", _ArchivedPart())
