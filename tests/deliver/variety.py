"""Seeded words, readers and editions of every kind that may come before a message is made."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from newsletter.deliver import MailHeaders
from newsletter.model import (
    CountrySection,
    Edition,
    IssueId,
    NoteOrigin,
    PlacedStory,
    Recipient,
    RenderedEdition,
    Sender,
    Snapshot,
    Story,
)
from newsletter.ports import SLOT_NAMES, slot
from newsletter.render import Templates, render_edition
from tests.scripts import SCRIPTS

__all__ = ["DOMAINS", "Variety"]

THIEF = "thief@example.org"
INJECTIONS = (
    f"=?utf-8?q?a=0D=0ABcc=3A_{THIEF}?=",
    "=?utf-8?b?YQ0KQmNjOiB0aGllZkBleGFtcGxlLm9yZw==?=",
    f"=?utf-8?q?a?= =?utf-8?q?=0ABcc=3A_{THIEF}=0A=0A?=",
    *(f"a{end}Bcc: {THIEF}{end}{end}b" for end in ("\r\n", "\n", "\r", "\u2028", "\x0b", "\x85", "\x00\r\n")),
    *(f"a{end}.{end}MAIL FROM:<{THIEF}>{end}RCPT TO:<{THIEF}>{end}DATA{end}b" for end in ("\r\n", "\n", "\r")),
)
NASTY = (
    *(".", "..", ".a", "\n.", "\r\n.\r\n", "\n.\n", "\r.\r", "\nFrom me", "\n----\n", "=", "=\n", " \n", "\t", "\0"),
    *("x" * 80, "x" * 1200, "ก็" * 400, "<b>", "&amp;", "]]>", '"', "'", "\\", "(", ",", "@", "\u202e", "\u0301"),
    *("\x7f", "\x0b", "\x0c", "\u00a0"),
)
DOMAINS = {
    "example.com": "example.com",
    "xn--fsqu00a.example": "xn--fsqu00a.example",
    "faß.example": "xn--fa-hia.example",
    "例え.テスト": "xn--r8jz45g.xn--zckzah",
    "例子.测试": "xn--fsqu00a.xn--0zwm56d",
    "실례.테스트": "xn--9n2bp8q.xn--9t4b11yi5a",
    "пример.испытание": "xn--e1afmkfd.xn--80akhbyknj4f",
    "उदाहरण.परीक्षा": "xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g",
}
"""Domains and what they are in ASCII, mostly from IANA's test of internationalised domains
(https://www.iana.org/domains/reserved); faß is RFC 5891's own example of a letter that is not mapped."""
LOCAL_PARTS = ("kate", "kate+news", "k.a.t.e", "o'kate", "kate_-{|}~!#$%&*/?=^`", '"kate..k"', '"k@t,e"', '".(;kate)."')
UTF8_LOCAL_PARTS = ("кейт", "กานต์", "凯特", "kåte+ñ", "कटे")
ANY_SCRIPT, NEARLY_ASCII = (8, 4, 1, 2, 4), (0, 4, 2, 0, 9)
"""How often a word is of some script, nasty, an injection, any characters, or plain; the first make for base64, the
second for quoted-printable."""
NOW = datetime(2026, 5, 27, 0, 30, tzinfo=UTC)


class Variety:
    """Everything is drawn from `seed`: the same one makes the same again."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def words(self, most: int = 6, weights: Sequence[int] = ANY_SCRIPT) -> str:
        """Words of any script, with what should not stand in any text."""
        kinds = (self._script, self._nasty, self._injection, self._any, lambda: "plain words")
        drawn = self.dice.choices(kinds, weights, k=self.dice.randint(1, most))
        return self.dice.choice((" ", "", " ", "\n")).join([kind() for kind in drawn])

    def line(self) -> str:
        """Words for a header, of which some reader sees something."""
        return f"{self.dice.choice(SCRIPTS)} {self.words(4)}"

    def reader(self, number: int, edition: str) -> Recipient:
        """A recipient with an address that no other number has."""
        parts = UTF8_LOCAL_PARTS if self.dice.random() < 0.1 else LOCAL_PARTS
        local, domain = self.dice.choice(parts), self.dice.choice(list(DOMAINS))
        local = f'{local[:-1]}{number}"' if local.endswith('"') else f"{local}{number}"
        return Recipient(
            delivery=number,
            subscriber=number,
            email=f"{local}@{domain}",
            name=self.dice.choice((self.words, self._script, self._injection, str))(),
            edition=edition,
            message_id=f"<{self.dice.getrandbits(64):x}.{number}@example.com>",
        )

    def headers(self) -> MailHeaders:
        """What an issue says of itself, with and without what may be left out."""
        reply_to = self.dice.choice((None, "desk@example.com", "desk@faß.example"))
        return MailHeaders(
            issue=IssueId("any-news", date(2026, 5, 27), self.dice.randint(1, 3)),
            title=self.line(),
            sender=Sender(self.line(), "daily@example.com", reply_to),
            list_domain=self.dice.choice(("example.com", "news.example.com", "xn--fa-hia.example")),
            date=NOW + timedelta(seconds=self.dice.randrange(10**6)),
            archive_url=self.dice.choice((None, "https://news.example.com/archive/ไทย/")),
            unsubscribe_mailto=self.dice.choice((None, "leave@example.com")),
        )

    def rendered(self, templates: Templates) -> RenderedEdition:
        """An edition of the shipped templates, with such words in every field of its stories."""
        name = self.dice.choice(("daily", "briefing", "breaking"))
        stories = [self._story(number) for number in range(1 if name == "breaking" else self.dice.randint(1, 2))]
        section = CountrySection("CN", tuple(PlacedStory(story) for story in stories))
        snapshot = Snapshot(
            newsletter="any-news",
            date=date(2026, 5, 27),
            title=self.line(),
            template=name,
            sender=Sender(self.line(), "daily@example.com"),
            postal_address=self.line(),
            timezone="Asia/Singapore",
            languages=("en",),
            sections=(section,),
            lead=stories[0].id,
            subject=self.dice.choice((None, self.line())),
        )
        return render_edition(templates.compile(name), snapshot, Edition(("CN",), "en"), "https://news.example.com")

    def raw(self) -> RenderedEdition:
        """An edition that no template made: such words alone, with slots anywhere among them."""
        marks = [slot(name) for name in SLOT_NAMES]

        def body() -> str:
            weights = self.dice.choice((ANY_SCRIPT, NEARLY_ASCII))
            return "".join(self.words(weights=weights) + self.dice.choice(("", "\n", *marks)) for _ in range(8))

        return RenderedEdition(
            edition=Edition(("CN",), "en"),
            subject=self.line(),
            preheader="",
            html=body(),
            text=body(),
            stories=1,
            minutes=1,
        )

    def slots(self, recipient: Recipient) -> dict[str, str]:
        """The recipient's name and links; some end or begin where a line is broken."""
        tail = self.dice.choice(("", "." * 80, "?a=1&b=2&c=<>", "x" * 200, ".From", "/..", "'\""))
        links = {
            name: f"https://news.example.com/{name}/{recipient.delivery}{tail}"
            for name in ("unsubscribe", "preferences", "view", "report")
        }
        return links | {"name": recipient.name}

    def foreign(self, recipient: Recipient) -> bytes:
        """A message that somebody else wrote, with dots where lines begin."""
        head = self.dice.choice(([], [f"To: {recipient.message_id}", ""]))
        lines = [*head, *("." * self.dice.randint(0, 4) + self._dull() for _ in range(9)), recipient.message_id]
        return "\r\n".join(lines).encode() + self.dice.choice((b"", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"\r\n\r\n..\r\n"))

    def story_file(self) -> dict[str, object]:
        """A story as somebody's export has it, with such words in every field."""
        return {
            "title": self.line(),
            "outlet": self.line(),
            "country": "CN",
            "summary": self.words(20),
            "note": [self.words(20), self.words()],
            "note_approved_by": self.line(),
            "byline": [self.words()],
            "section": self.words(),
            "tags": [self.words(), self.words()],
        }

    def injection(self) -> str:
        """Words that try to be a header; none that a line of schedule.yaml cannot hold."""
        return f"{self._script()} {self.dice.choice([one for one in INJECTIONS if one.isprintable()])} {self._script()}"

    def _story(self, number: int) -> Story:
        return Story(
            source="wire",
            external_id=str(number),
            url=f"https://outlet.example/{number}?{self.dice.choice(('a=1&b=2', '.', 'x=' + 'y' * 300))}",
            title=self.line(),
            outlet=self.line(),
            published_at=NOW,
            summary=self.words(20),
            note=(self.words(20), self.words()),
            note_origin=self.dice.choice(list(NoteOrigin)),
            note_approved_by=self.line(),
            byline=(self.words(),),
            country="CN",
            section=self.words(),
            tags=(self.words(), self.words()),
            machine_tags={},
            language="en",
        )

    def _script(self) -> str:
        return self.dice.choice(SCRIPTS)

    def _nasty(self) -> str:
        return self.dice.choice(NASTY)

    def _injection(self) -> str:
        return self.dice.choice(INJECTIONS)

    def _any(self) -> str:
        """Any characters but halves of pairs, which no UTF-8 holds, and marks of slots."""
        drawn = (chr(self.dice.randrange(0x110000 if self.dice.random() < 0.2 else 0x3000)) for _ in range(9))
        return "".join(one for one in drawn if not 0xD800 <= ord(one) < 0xE000 and not 0xFDD0 <= ord(one) < 0xFDF0)

    def _dull(self) -> str:
        return self.dice.choice(("", "words", ".", "From here"))
