"""Programs that scan mail open every link, again and again: nothing comes of it.

`NEWSLETTER_CRAWLED` is how many mails are crawled; 50 take half a minute.
"""

from __future__ import annotations

import email
import os
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from html import unescape

from newsletter.newsroom import Newsroom

from .addresses import filled
from .conftest import BASE, ISSUE, SECOND, Visitor, dump
from .test_web_public import small_pages

MAILS = int(os.environ.get("NEWSLETTER_CRAWLED", "12"))
METHODS = ("GET", "HEAD", "OPTIONS")
OURS = re.compile(rf"{re.escape(BASE)}(/[^\s\"'<>]*)")
BROWSER = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1"}


def mails(room: Newsroom, count: int) -> list[EmailMessage]:
    """That many of the outbox, by turns of one newsletter and the other."""
    files = [sorted((room.outbox / str(issue)).glob("r[0-9]*.eml")) for issue in (ISSUE, SECOND)]
    chosen = [file for pair in zip(*files, strict=True) for file in pair][:count]
    return [email.message_from_bytes(file.read_bytes(), policy=default) for file in chosen]


def links_of(message: EmailMessage) -> Iterator[str]:
    """Every address of ours in a mail: in its header, in its HTML, in its text."""
    for value in message.values():
        yield from OURS.findall(re.sub(r"\s", "", str(value)))
    for kind in ("html", "plain"):
        body = message.get_body((kind,))
        assert body is not None
        yield from OURS.findall(unescape(body.get_content()))


def public_pages(room: Newsroom) -> set[str]:
    """Every page that needs no login, and every page of ours that one of those leads to."""
    visitor = Visitor(room)
    names = ("view", "unsubscribe", "report", "archive_newsletter", "archive_issue", "archive_editions", "archive_feed")
    found = {*small_pages(room), *(filled(room, name) for name in (*names, "archive", "archive_story", "livez"))}
    for path in sorted(found):
        answer = visitor.http.get(path)
        if "html" in answer.headers.get("content-type", ""):
            found.update(unescape(each) for each in re.findall(r'href="(/[^"#]*)', answer.text))
    return found


def without_figures(room: Newsroom) -> list[str]:
    return [line for line in dump(room) if not line.startswith('INSERT INTO "click_tally"')]


def test_no_look_at_any_link_or_page_changes_anything(busy: Newsroom) -> None:
    letters = mails(busy, MAILS)
    assert len(letters) == MAILS
    paths = {path for letter in letters for path in links_of(letter)} | public_pages(busy)
    kinds = {path.split("/")[1].partition("?")[0] for path in paths}
    assert {"unsubscribe", "preferences", "view", "report", "to", "archive", "flags", "subscribe", "static"} <= kinds
    assert sum(path.startswith("/unsubscribe/") for path in paths) >= MAILS
    visitor, before = Visitor(busy), dump(busy)
    for path in sorted(paths):
        for method in METHODS:
            for _ in range(3):
                answer = visitor.http.request(method, path, headers=BROWSER)
                assert answer.status_code in (200, 302, 404, 405, 400), (method, path)
                assert answer.status_code != 405 or method == "OPTIONS", path
                assert "set-cookie" not in answer.headers or path in ("/login", "/forgot"), path
    assert dump(busy) == before, "not while it is looked at"
    busy.click_counter.close()
    assert without_figures(busy) == before, "and afterwards nothing but how often stories were followed"
    followed = sum(each.clicks + each.scanned for each in busy.clicks.of(ISSUE))
    assert followed == 3 * sum(path.startswith("/to/") for path in paths), "what was asked for with GET, once each"
    assert busy.clicks.of(SECOND) == []
