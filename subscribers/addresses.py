"""What an address is, and when two of them are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from subscribers.errors import AddressError

__all__ = ["Address", "parse_address"]

# RFC 5321, section 4.5.3.1.3, less the angle brackets of a path.
_LONGEST = 254
# Local parts that are good whatever the domain; all others go through the validator whole.
_PLAIN = re.compile(r"[a-z0-9]+([._+-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Address:
    """`email` is what mail is sent to; `key` is the same for every way of writing that address.

    Case is folded in the domain only: whether `Ann@` and `ann@` are one mailbox is for their server to say
    (RFC 5321, section 2.4). Domains are A-labels (RFC 5890).
    """

    email: str
    key: str


def parse_address(text: str) -> Address:
    """Read an address as people type it; raises `AddressError` saying what is wrong with it.

    No name server is asked. `.test` domains (RFC 6761, section 6.2) are taken, for rehearsals.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        # Before anything looks at it: to order the accents of a long text takes the square of its length.
        shown = repr(text[: _LONGEST + 1])
        raise AddressError(f"{shown} is not an address: of {len(text):,} characters; {_LONGEST} are the most")
    local, _, given = text.rpartition("@")
    try:
        if _PLAIN.fullmatch(local) and given.isascii() and "--" not in given:
            a_labels = _judged(given)
        else:
            valid = _validated(text)
            local, a_labels = valid.local_part, valid.ascii_domain
    except EmailNotValidError as error:
        raise AddressError(f"{text!r} is not an address: {error}") from None
    return Address(f"{local}@{given if given.isascii() else a_labels}", f"{local}@{a_labels.casefold()}")


@lru_cache(maxsize=4096)
def _judged(domain: str) -> str:
    """An ASCII domain judged with a local part that cannot be at fault.

    A list has far fewer domains than addresses, and the domain takes most of the validator's 30 µs.
    """
    return _validated(f"a@{domain}").ascii_domain


def _validated(text: str) -> ValidatedEmail:
    return validate_email(text, check_deliverability=False, allow_smtputf8=True, test_environment=True)
