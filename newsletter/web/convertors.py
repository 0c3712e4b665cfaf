"""Parts of addresses that name an issue."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor

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


def register_convertors() -> None:
    """Let routes say `{issue:issue}` and `{day:archived}`."""
    register_url_convertor("issue", _IssuePart())
    register_url_convertor("archived", _ArchivedPart())
