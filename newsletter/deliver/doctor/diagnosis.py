"""What the doctor says of one thing: how it is, in one sentence, and what to do where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Diagnosis", "DnsRecord", "Verdict", "sentence", "shown"]

_STRING = 255  # bytes of one character-string in a TXT record (RFC 1035 section 3.3)


class Verdict(StrEnum):
    """How something is; what could not be looked at is left out, which is neither good nor bad."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A record to publish in the DNS."""

    name: str
    kind: str
    value: str

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file (RFC 1035 section 5.1), a long text in several strings."""
        if self.kind != "TXT":
            return f"{self.name}. {self.kind} {self.value}"
        strings = (self.value[at : at + _STRING] for at in range(0, len(self.value), _STRING))
        return f"{self.name}. TXT " + " ".join(f'"{string}"' for string in strings)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding of the doctor: which check, of what (a domain, a server, a folder), and what came of it."""

    check: str
    place: str
    verdict: Verdict
    message: str
    fix: str = ""
    record: DnsRecord | None = None


def shown(text: str, most: int = 160) -> str:
    """Words of a stranger, fit to be shown: printable and no longer than `most` characters."""
    cut = text[:most] + ("…" if len(text) > most else "")
    return "".join(c if c.isprintable() else "?" for c in cut)


def sentence(error: object) -> str:
    """The words of an error of ours as a finding's sentence, which ends like one."""
    words = shown(str(error), 400)
    return words if words.endswith((".", "?", "!", "…")) else f"{words}."
