"""Splice: an edition becomes constant bytes once; a reader's message is one join of them.

Nothing is rendered or parsed per reader. What differs are three header fields and the slots, which are escaped
for the part they stand in, transfer-encoded, and set between the constant stretches.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from newsletter.deliver.dkim import DkimKey, Signature
from newsletter.deliver.encoding import EncodedPart, encode_part
from newsletter.deliver.header_text import ascii_domain, clean
from newsletter.deliver.headers import READER_FIELDS, MailHeaders, constant_fields, reader_fields
from newsletter.errors import InputError
from newsletter.model import Message, Recipient, RenderedEdition, WireContent
from newsletter.ports import SLOT_NAMES, slot

__all__ = ["SplicedEdition", "compile_message", "part_head"]

_MARKUP = re.compile(b"[&<>\"']")


@dataclass(frozen=True, slots=True)
class SplicedEdition:
    """An edition compiled for mailing. `constant` ends the header, `opening` ends where the text part's content begins,
    and so on."""

    headers: MailHeaders
    constant: bytes
    opening: bytes
    text: EncodedPart
    between: bytes
    html: EncodedPart
    closing: bytes
    open_slots: frozenset[str]
    signatures: tuple[Signature, ...] = ()

    def message(self, recipient: Recipient, slots: Mapping[str, str], envelope_from: str) -> Message:
        """The finished message for one reader; `slots` holds plain text for every name of `open_slots`.

        Raises `InputError` when a slot is missing, or address, name or links cannot be written into a mail.
        """
        try:
            text = markup = {name: clean(slots[name]).encode() for name in self.open_slots}
        except KeyError:
            missing = ", ".join(sorted(self.open_slots - slots.keys()))
            raise InputError(f"no {missing} given for delivery {recipient.delivery}") from None
        if _MARKUP.search(b"".join(text.values())):
            markup = {name: html.escape(value.decode()).encode() for name, value in text.items()}
        address = ascii_domain(recipient.email)
        fields = reader_fields(self.headers, recipient, address, slots["unsubscribe"])
        body = (self.opening, *self.text.fill(text), self.between, *self.html.fill(markup), self.closing)
        signed: list[bytes] = []
        if self.signatures:
            whole = b"".join(body)
            signed = [signature.field(fields, whole) for signature in self.signatures]
        content = WireContent((*signed, fields, self.constant, *body))
        return Message(recipient.delivery, envelope_from, address, content)


def compile_message(
    rendered: RenderedEdition,
    headers: MailHeaders,
    known: Mapping[str, str] = MappingProxyType({}),
    keys: Sequence[DkimKey] = (),
) -> SplicedEdition:
    """Compile an edition once; `known` are slots that are the same for all its readers, `keys` sign each message.

    Raises `ConfigurationError` when the newsletter's own addresses cannot be written.
    """
    words, page = rendered.text, rendered.html
    for name, value in known.items():
        words = words.replace(slot(name), clean(value))
        page = page.replace(slot(name), html.escape(clean(value)))
    text, markup = encode_part(words), encode_part(page)
    # "=_" occurs neither in quoted-printable nor in base64, so no content can hold the boundary (RFC 2045 6.7).
    boundary = f"=_{rendered.sha256[:32]}"
    content_type = f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'
    constant = constant_fields(headers, rendered.subject) + content_type.encode()
    return SplicedEdition(
        headers,
        constant + b"\r\n",
        part_head(boundary, "plain", text),
        text,
        b"\r\n" + part_head(boundary, "html", markup),
        markup,
        f"\r\n--{boundary}--\r\n".encode(),
        frozenset(SLOT_NAMES) - known.keys(),
        tuple(Signature(key, constant, READER_FIELDS) for key in keys),
    )


def part_head(boundary: str, kind: str, part: EncodedPart) -> bytes:
    """What stands before a part's content: the boundary, its type and its encoding."""
    return (
        f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {part.encoding}\r\n\r\n"
    ).encode()
