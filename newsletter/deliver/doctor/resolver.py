"""What the doctor asks the DNS, as a port: tests answer from a dict, the product from name servers."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol, TypeVar

from newsletter.errors import NoAnswerError

__all__ = ["LONGEST_TEXT", "Address", "MailServer", "Remembering", "Resolver", "plain_domain"]

LONGEST_TEXT = 4096
"""Characters of a text that are looked at; an RSA key of 16,384 bits has 2,800."""

Address = IPv4Address | IPv6Address
MailServer = tuple[int, str]
"""Preference and host of an MX record; the host is "" where a domain takes no mail (RFC 7505)."""

Found = TypeVar("Found")


class Resolver(Protocol):
    """Looks records up. Nothing there (NXDOMAIN, or no such record) is an empty answer; aliases are followed.

    Called by one thread at a time; each call is bounded in time. Raises `NoAnswerError` and nothing else, whatever the
    name looks like. What is returned is a stranger's: a text may hold any character, and is cut behind `LONGEST_TEXT`.
    """

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records, each with its strings joined as they stand (RFC 7208 section 3.3)."""
        ...

    def mail_servers(self, name: str) -> tuple[MailServer, ...]:
        """The MX records, most preferred first."""
        ...

    def addresses(self, name: str) -> tuple[Address, ...]:
        """The A and AAAA records."""
        ...


class Remembering:
    """A resolver that asks another one only once for each thing, and remembers silence, too."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._said: dict[tuple[str, str], object] = {}

    def texts(self, name: str) -> tuple[str, ...]:
        return self._once("TXT", name, self._resolver.texts)

    def mail_servers(self, name: str) -> tuple[MailServer, ...]:
        return self._once("MX", name, self._resolver.mail_servers)

    def addresses(self, name: str) -> tuple[Address, ...]:
        return self._once("A", name, self._resolver.addresses)

    def _once(self, kind: str, name: str, ask: Callable[[str], tuple[Found, ...]]) -> tuple[Found, ...]:
        key = (kind, name.lower().rstrip("."))
        if key not in self._said:
            try:
                self._said[key] = ask(key[1])
            except NoAnswerError as error:
                self._said[key] = error
        said = self._said[key]
        if isinstance(said, NoAnswerError):
            raise said
        return said  # type: ignore[return-value]  # each kind has its own type of answer


def plain_domain(name: str) -> str:
    """A domain in the one form that is compared and asked for: lower case, ASCII (RFC 5890), no dot at its end."""
    name = name.strip().rstrip(".").lower()
    if name.isascii():
        return name
    import idna

    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        return name
