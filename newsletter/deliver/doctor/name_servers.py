"""The resolver that asks this machine's name servers, through dnspython."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.rdatatype
import dns.resolver

from newsletter.deliver.doctor.resolver import LONGEST_TEXT, Address, MailServer
from newsletter.errors import NoAnswerError

__all__ = ["NameServers"]

EACH, ALL = 5.0, 40.0
"""Seconds for one question, and for all that this object is ever asked."""


class NameServers:
    """A `Resolver`. `servers` (address, port) stand in for those of /etc/resolv.conf.

    Its time runs from when it is made; whatever is asked later than `seconds` after that gets no answer.
    """

    def __init__(self, servers: tuple[str, int] | None = None, *, each: float = EACH, seconds: float = ALL) -> None:
        self._each, self._end = each, time.monotonic() + seconds
        self._servers = servers
        self._resolver: dns.resolver.Resolver | None = None

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records; bytes that are no ASCII become the Latin-1 characters of that number."""
        return tuple(_text(record.strings) for record in self._ask(name, "TXT"))

    def mail_servers(self, name: str) -> tuple[MailServer, ...]:
        """The MX records, most preferred first."""
        found = ((record.preference, record.exchange.to_text(omit_final_dot=True)) for record in self._ask(name, "MX"))
        return tuple(sorted((preference, "" if host in (".", "@") else host) for preference, host in found))

    def addresses(self, name: str) -> tuple[Address, ...]:
        """The A and AAAA records."""
        return tuple(ip_address(record.address) for kind in ("A", "AAAA") for record in self._ask(name, kind))

    def _ask(self, name: str, kind: str) -> Iterator[Any]:
        left = min(self._each, self._end - time.monotonic())
        if left <= 0:
            raise NoAnswerError("the time for all questions is used up")
        try:
            answer = self._ready().resolve(name, kind, lifetime=left, raise_on_no_answer=False, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return
        except dns.resolver.NoNameservers:  # SERVFAIL, REFUSED, or an answer that cannot be read
            raise NoAnswerError("the name server did not answer (it reports an error of its own)") from None
        except (dns.exception.Timeout, dns.resolver.NoResolverConfiguration, OSError):
            raise NoAnswerError("the name server did not answer") from None
        except (dns.exception.DNSException, ValueError):
            return  # no name that could stand in the DNS
        # An answer may hold the aliases on the way only.
        yield from (record for record in answer.rrset or () if record.rdtype == dns.rdatatype.from_text(kind))

    def _ready(self) -> dns.resolver.Resolver:
        if self._resolver is None:
            self._resolver = dns.resolver.Resolver(configure=self._servers is None)
            if self._servers is not None:
                self._resolver.nameservers, self._resolver.port = [self._servers[0]], self._servers[1]
        return self._resolver


def _text(strings: tuple[bytes, ...]) -> str:
    # One character more than is looked at shows that there was more.
    return b"".join(strings)[: LONGEST_TEXT + 1].decode("latin-1")
