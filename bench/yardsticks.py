"""How others send the same issue: rendered for each reader and handed to smtplib, or our messages by other clients.

    python -m bench.yardsticks DESK ISSUE PORT WAY COUNT

prints `{"wall": seconds, "cpu": seconds, "sent": messages}` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import resource
import smtplib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from itertools import cycle, islice
from pathlib import Path

import aiosmtplib
import jinja2
from mjml import mjml2html
from premailer import Premailer

from bench.sending import CONNECTIONS
from newsletter import deliver
from newsletter.deliver.relay import Relay
from newsletter.deliver.smtp import SmtpTransport
from newsletter.model import Edition, IssueId, Message, Recipient, Sender, Snapshot
from newsletter.newsroom import Newsroom
from newsletter.render.facts import arrange, cards_of, facts_of
from newsletter.render.filling import fill_text
from newsletter.render.templates import CompiledTemplate

__all__ = ["OUR_WIRE", "WAYS"]

_FEW = 50


def per_reader(room: Newsroom, issue: IssueId, port: int, count: int) -> None:
    """What most programs do: template, inlined styles and MIME for each reader, one after the other."""
    found = room.issues.get(issue)
    assert found.snapshot is not None
    compiled = room.templates.compile(found.snapshot.template)
    edition = Edition(found.snapshot.countries[:2], "en")
    page = _styled_page(compiled)
    words = compiled.html_in("en")[1]
    facts = _facts(found.snapshot, edition)
    text = room.seals.editions(issue, found.approved_revision or 0)[edition.key].text
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(count):
            slots = _links(number)
            html = page.render({**facts, **words, "slots": slots | {"name": f"Reader {number}"}})
            message = EmailMessage()
            message["From"], message["To"] = "daily@example.com", f"reader{number}@example.com"
            message["Subject"], message["Message-ID"] = "The day's issue", f"<{number}@example.com>"
            message["List-Unsubscribe"] = f"<{slots['unsubscribe']}>"
            message.set_content(fill_text(text, slots | {"name": f"Reader {number}"}))
            message.add_alternative(Premailer(html, disable_validation=True).transform(), subtype="html")
            server.send_message(message)


def by_our_wire(room: Newsroom, issue: IssueId, port: int, count: int) -> None:
    """The same few messages again and again on our own lines, with nobody who makes or remembers any: what the server
    itself can take."""
    messages = list(_messages(room, issue, _FEW))
    transport = SmtpTransport(Relay.parse(f"smtp://127.0.0.1:{port}?connections={CONNECTIONS}"))

    async def lane(number: int) -> None:
        connection = await transport.connect()
        await connection.carry(islice(cycle(messages), number), lambda outcome: None)
        await connection.close()

    async def all_lanes() -> None:
        share, rest = divmod(count, CONNECTIONS)
        await asyncio.gather(*(lane(share + (place < rest)) for place in range(CONNECTIONS)))

    asyncio.run(all_lanes())


def by_smtplib(room: Newsroom, issue: IssueId, port: int, count: int) -> None:
    """Our messages, handed to the standard library's client."""
    with smtplib.SMTP("127.0.0.1", port) as server:
        for message in _messages(room, issue, count):
            server.sendmail(message.envelope_from, [message.envelope_to], message.data)


def by_aiosmtplib(room: Newsroom, issue: IssueId, port: int, count: int) -> None:
    """Our messages, by as many aiosmtplib clients as we take connections."""
    messages = _messages(room, issue, count)

    async def lane() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for message in messages:
                await client.sendmail(message.envelope_from, [message.envelope_to], message.data)

    async def all_lanes() -> None:
        await asyncio.gather(*(lane() for _ in range(CONNECTIONS)))

    asyncio.run(all_lanes())


OUR_WIRE = "our lines alone, a few ready messages: the sink's own limit"
WAYS: Mapping[str, Callable[[Newsroom, IssueId, int, int], None]] = {
    OUR_WIRE: by_our_wire,
    "rendered for each reader (Jinja2, premailer, EmailMessage), smtplib": per_reader,
    "our messages, smtplib": by_smtplib,
    f"our messages, aiosmtplib, {CONNECTIONS} clients": by_aiosmtplib,
}


def _messages(room: Newsroom, issue: IssueId, count: int) -> Iterator[Message]:
    sealed = room.seals.editions(issue, room.issues.get(issue).approved_revision or 0)
    sender = Sender("Daily", "daily@example.com")
    headers = deliver.MailHeaders(
        issue=issue, title="Daily", sender=sender, list_domain="example.com", date=room.clock.now()
    )
    made = {key: deliver.compile_message(edition, headers) for key, edition in sealed.items()}
    keys = sorted(made)
    for number in range(count):
        slots = _links(number)
        address = f"reader{number}@example.com"
        reader = Recipient(
            delivery=number, subscriber=number, email=address, name="", edition="", message_id=f"<{number}@example.com>"
        )
        yield made[keys[number % len(keys)]].message(reader, slots | {"name": ""}, "bounce@example.com")


def _links(number: int) -> dict[str, str]:
    names = ("unsubscribe", "preferences", "view", "report")
    return {name: f"https://news.example.com/{name}/{number}" for name in names}


def _styled_page(compiled: CompiledTemplate) -> jinja2.Template:
    """The template as HTML that still has its style sheets, as a program has it that inlines them for each reader."""
    html = mjml2html(compiled.html.text.replace(' inline="inline"', ""), fonts={})
    environment = jinja2.Environment(
        autoescape=True,
        block_start_string="<!--%",
        block_end_string="%-->",
        comment_start_string="<!--#",
        comment_end_string="#-->",
    )
    environment.filters["url"] = str
    return environment.from_string(html)


def _facts(snapshot: Snapshot, edition: Edition) -> Mapping[str, object]:
    cards = cards_of(snapshot, edition, "https://news.example.com", {})
    facts = facts_of(snapshot, edition, cards)
    facts["preheader"] = ""
    return arrange(facts, cards, ["full"] * len(cards))


def main() -> None:
    """One way, measured from the first message to the last."""
    desk, issue, port, way, count = sys.argv[1:]
    with Newsroom.open(Path(desk), environ={}) as room:
        _ = room.plan, room.database, room.templates.compile("daily")
        before, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        WAYS[way](room, IssueId.parse(issue), int(port), int(count))
        wall, after = time.perf_counter() - before, resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
    print(json.dumps({"wall": wall, "cpu": spent, "sent": int(count)}))


if __name__ == "__main__":
    main()
