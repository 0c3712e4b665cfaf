"""Which class an enhanced status code has (RFC 3463, and the registry of IANA that RFC 5248 made)."""

from __future__ import annotations

import re

from subscribers.bounces.model import BounceClass

__all__ = ["class_of_code", "code_in"]

_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]|\d)")

# x.1.7 and x.1.8 are about the sender's address.
_OF_THE_SENDER = ("7", "8")
_NO_ADDRESS = ("0", "1", "2", "3", "6", "10")
# 5.2.3 and 5.3.4: the message is too long.
_TOO_LONG = (("2", "3"), ("3", "4"))


def code_in(text: str) -> str:
    """The first enhanced code that is more than `x.0.0`, else the first there is, else nothing."""
    found = [match[0] for match in _CODE.finditer(text[:4000])]
    return next((code for code in found if not code.endswith(".0.0")), found[0] if found else "")


def class_of_code(code: str) -> BounceClass | None:
    """The class of a failure with that code; None where the code alone says too little.

    A 4.x.x is a failure here because whoever sent the report has given up. 5.x.0 says "other", and 5.3.x and 5.5.x
    are what servers write that know no better (`550 5.5.0 … mailbox unavailable`, `553 5.3.0 … No such user here`).
    """
    first, subject, detail = code.split(".") if code else ("", "", "")
    if subject in ("6", "7") or (subject, detail) in _TOO_LONG or (subject == "1" and detail in _OF_THE_SENDER):
        return BounceClass.POLICY
    match first, subject:
        case "5", "1" if detail in _NO_ADDRESS:
            return BounceClass.ADDRESS
        case ("5", "2") if detail != "0":
            return BounceClass.MAILBOX
        case ("4", _) if code != "4.0.0":
            return BounceClass.MAILBOX
        case ("5", "4") | ("5", "1"):
            return BounceClass.OTHER
    return None
