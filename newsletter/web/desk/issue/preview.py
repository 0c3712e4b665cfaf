"""Which preview an address asks for, and the mail's HTML on its way into a frame: a view of the bytes that go out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse

from newsletter.model import Issue
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.forced_dark import forced_dark
from newsletter.web.headers import mail_policy
from newsletter.web.our_flags import with_our_flags
from newsletter.web.pages import may

__all__ = ["FREQUENCIES", "Preview", "framed", "issue_preview"]

FREQUENCIES = ("daily", "weekly", "breaking")

_DARK_RULES = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_SCHEME = re.compile(r'(name="(?:supported-)?color-schemes?"\s+content=)"light dark"')


@dataclass(frozen=True, slots=True)
class Preview:
    """How a mail is to be shown. `countries` empty means the whole issue, `language` its first one.

    `frequency` is what a reader would have asked for, empty for whatever; `reader` the number of one of the desk's, who
    then chose all three. An address stands in none: it would be in histories, logs and chats.
    """

    part: str = "html"
    width: str = "desktop"
    look: str = "light"
    images: str = "on"
    countries: tuple[str, ...] = ()
    language: str = ""
    frequency: str = ""
    reader: int | None = None

    @classmethod
    def asked(cls, query: QueryParams, known: Sequence[str] = (), languages: Sequence[str] = ("",)) -> Preview:
        """The preview that a query describes; what it does not know falls back to the default."""
        wanted = {code for text in query.getlist("countries") for code in text.split(",")}
        chosen = tuple(country for country in known if country in wanted)
        return cls(
            part=_one_of(query.get("part"), ("html", "text", "source", "raw")),
            width=_one_of(query.get("width"), ("desktop", "tablet", "phone")),
            look=_one_of(query.get("look"), ("light", "dark", "forced")),
            images=_one_of(query.get("images"), ("on", "off")),
            countries=() if chosen == tuple(known) else chosen,
            language=_one_of(query.get("language"), languages),
            frequency=_one_of(query.get("frequency"), ("", *FREQUENCIES)),
        )

    @property
    def frame_query(self) -> str:
        """What the frame's own address says after the question mark."""
        images = "off" if self.images == "off" else ""
        countries = ",".join(self.countries)
        asked = {"look": self.look, "images": images, "countries": countries, "language": self.language}
        return urlencode({name: text for name, text in asked.items() if text})


def issue_preview(ask: Ask, shown: Issue) -> Preview:
    """The preview of that issue that a request describes. Who may not see addresses looks as no reader: whether there
    is one of that number is not told either."""
    snapshot, number = shown.snapshot, ask.query.get("reader", "")
    asked = Preview.asked(ask.query, snapshot.countries, snapshot.languages) if snapshot else Preview.asked(ask.query)
    if may(ask, "issue_reader") and number.isascii() and number.isdecimal() and len(number) < 18:
        return replace(asked, reader=int(number))
    return asked


def framed(html: str, preview: Preview, base_url: str) -> HTMLResponse:
    """The mail's HTML for a sandboxed frame, in one of its looks whatever the reader's screen says.

    Forced dark and images off are views of the same bytes, made here on their way out.
    """
    policy = mail_policy(framed=True, images=preview.images == "on")
    return HTMLResponse(_in_look(html, preview.look, base_url), headers=policy)


@lru_cache(maxsize=32)
def _in_look(html: str, look: str, base_url: str) -> bytes:
    dark = _DARK_RULES.sub("@media all" if look == "dark" else "@media not all", with_our_flags(html, base_url))
    shown = forced_dark(dark) if look == "forced" else dark
    scheme = "light" if look == "light" else "dark"
    return _SCHEME.sub(rf'\1"{scheme}"', shown).encode()


def _one_of(text: str | None, options: Sequence[str]) -> str:
    return text if text is not None and text in options else options[0]
