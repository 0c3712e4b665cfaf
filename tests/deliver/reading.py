"""Header fields as a test reads them."""

from __future__ import annotations

from email.headerregistry import AddressHeader

from newsletter.deliver.header_text import clean

__all__ = ["HEADER_NAMES", "mailboxes", "unspaced"]

HEADER_NAMES = [
    "To",
    "Message-ID",
    "List-Unsubscribe",
    "From",
    "Subject",
    "Date",
    "List-Id",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "Auto-Submitted",
    "Precedence",
    "MIME-Version",
    "List-Archive",
    "Reply-To",
    "Content-Type",
]
"""Every field that a message may have beside signatures, in their order."""


def mailboxes(header: AddressHeader) -> list[tuple[str, str]]:
    """Each name, unspaced, and address."""
    return [(unspaced(address.display_name), address.addr_spec) for address in header.addresses]


def unspaced(name: str) -> str:
    """Cleaned, and without blanks: Python 3.11 puts one between two encoded words of a display name."""
    return "".join(clean(name).split())
