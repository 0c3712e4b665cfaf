"""SPF (RFC 7208): whether receivers can follow what a domain publishes about who may send for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_network

from newsletter.deliver.doctor.diagnosis import Diagnosis, DnsRecord, Verdict, sentence, shown
from newsletter.deliver.doctor.resolver import Address, Resolver
from newsletter.deliver.doctor.spf_record import SpfRecord, SpfTerm, is_spf, read_spf
from newsletter.errors import NoAnswerError

__all__ = ["examine_spf"]

MOST_TERMS, MOST_VOID, MOST_SERVERS = 10, 2, 10
"""What a receiver looks up before it gives up (section 4.6.4)."""

MOST_ADDRESSES = 4  # of the relay
COUNTED = 40  # behind this the number is of no interest, and a tree of includes may have no end
_ASKING = ("include", "a", "mx", "ptr", "exists")
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


class _BrokenError(Exception):
    """Why receivers cannot use the record (permerror)."""


@dataclass(slots=True)
class _Walk:
    """A walk through a record and all it includes, as for an address that nothing matches: what it takes at most."""

    resolver: Resolver
    records: dict[str, SpfRecord] = field(default_factory=dict)
    terms: int = 0
    void: int = 0
    wide_open: str = ""

    def follow(self, domain: str, path: tuple[str, ...] = (), passes: bool = True) -> None:
        """Go through a record; `passes` is whether what it lets pass does so in the record that included it."""
        if domain in path:
            raise _BrokenError(f"{shown(domain)} includes itself, by way of {shown(', '.join(path[1:]) or 'nobody')}")
        record = self._record(domain, path)
        for term in record.terms:
            if passes and term.whole_internet and term.qualifier == "+":
                self.wide_open = self.wide_open or domain
            if term.name in _ASKING:
                self._count()
                if not term.depends_on_mail:
                    self._ask(term, domain, (*path, domain), passes)
        if record.redirect:
            self._count()
            if "%" not in record.redirect:
                self.follow(record.redirect, (*path, domain), passes)

    def end(self, domain: str) -> str:
        """The qualifier that all others get; "" where the record has no end, or only a message could tell."""
        record = self.records.get(domain, SpfRecord())
        return record.end or (self.end(record.redirect) if record.redirect else "")

    def lets_nobody_pass(self, domain: str) -> bool:
        """Whether the record ends in `all` and each of its terms refuses."""
        record = self.records[domain]
        return bool(record.end) and all(term.qualifier == "-" for term in record.terms)

    def result(self, domain: str, address: Address) -> str | None:
        """The qualifier for mail of that address; None where only a message could tell."""
        record = self.records.get(domain)
        if record is None:
            return None
        for term in record.terms:
            matches = self._matches(term, domain, address)
            if matches is None:
                return None
            if matches:
                return term.qualifier
        return self.result(record.redirect, address) if record.redirect else "?"

    def _record(self, domain: str, path: tuple[str, ...]) -> SpfRecord:
        texts = [text for text in self.resolver.texts(domain) if is_spf(text)]
        of = f" of {shown(domain)}, which it includes," if path else ""
        if not texts:
            raise _BrokenError(f"the record{of} is not there")
        if len(texts) > 1:
            raise _BrokenError(f"there are {len(texts)} records{of} beginning with v=spf1, and only one is allowed")
        record = read_spf(texts[0])
        if record.fault:
            raise _BrokenError(f"the record{of} cannot be read: {record.fault}")
        self.records[domain] = record
        return record

    def _count(self) -> None:
        self.terms += 1
        if self.terms > COUNTED:
            raise _BrokenError(f"it takes more than {COUNTED} look-ups, and receivers give up after {MOST_TERMS}")

    def _ask(self, term: SpfTerm, domain: str, path: tuple[str, ...], passes: bool) -> None:
        target = term.target or domain
        match term.name:
            case "include":
                self.follow(target, path, passes and term.qualifier == "+")
            case "mx":
                servers = self.resolver.mail_servers(target)
                self.void += not servers
                if len(servers) > MOST_SERVERS:
                    raise _BrokenError(
                        f"mx of {shown(target)} has {len(servers)} servers, and receivers give up after {MOST_SERVERS}"
                    )
            case "a":
                self.void += not self.resolver.addresses(target)
            case "exists":
                self.void += not self._exists(target)

    def _matches(self, term: SpfTerm, domain: str, address: Address) -> bool | None:
        if term.name == "all":
            return True
        if term.network is not None:
            return address in term.network
        if term.depends_on_mail or term.name == "ptr":
            return None
        target = term.target or domain
        match term.name:
            case "include":
                result = self.result(target, address)
                return None if result is None else result == "+"
            case "exists":
                return self._exists(target)
            case "mx":
                names = [host for _, host in self.resolver.mail_servers(target) if host]
            case _:
                names = [target]
        prefix = term.prefixes[0 if address.version == 4 else 1]
        found = (one for name in names for one in self.resolver.addresses(name) if one.version == address.version)
        return any(address in ip_network((str(one), prefix), strict=False) for one in found)

    def _exists(self, name: str) -> bool:
        """Whether the name has an A record, which is what `exists` asks for (section 5.7)."""
        return any(found.version == 4 for found in self.resolver.addresses(name))


def examine_spf(resolver: Resolver, domain: str, relay: str, addresses: Sequence[Address] = ()) -> list[Diagnosis]:
    """What is wrong with the SPF record of an envelope sender's domain, and whether the relay's addresses pass.

    `relay` is the host to name in a record that is missing, "" where there is none.
    """
    about = partial(Diagnosis, "SPF", domain)
    walk = _Walk(resolver)
    try:
        texts = resolver.texts(domain)
        if not any(is_spf(text) for text in texts):
            return [_missing(domain, relay, texts)]
        walk.follow(domain)
    except _BrokenError as error:
        return [about(Verdict.FAILED, f"receivers cannot use the record: {error}.", "Mend the record; see RFC 7208.")]
    except NoAnswerError as error:
        return [about(Verdict.LEFT_OUT, sentence(error))]
    judged = _judged(walk, domain)
    if judged.verdict is Verdict.FAILED or not addresses:
        return [judged]
    return [judged, _note(walk, domain, addresses[:MOST_ADDRESSES])]


def _missing(domain: str, relay: str, texts: Sequence[str]) -> Diagnosis:
    near = next((text for text in texts if "spf1" in text.lower()), "")
    but = f" (“{shown(near, 40)}” is none: it must begin with v=spf1 and a space)" if near else ""
    value = f"v=spf1 a:{relay} ~all" if relay else "v=spf1 mx ~all"
    fix = "Publish one; a provider of mail says what to include instead of its server's name."
    message = f"there is no SPF record{but}, so nobody knows which servers may send for this domain."
    return Diagnosis("SPF", domain, Verdict.FAILED, message, fix, DnsRecord(domain, "TXT", value))


def _judged(walk: _Walk, domain: str) -> Diagnosis:
    about = partial(Diagnosis, "SPF", domain)
    if walk.terms > MOST_TERMS:
        message = f"the record takes {walk.terms} look-ups, and receivers give up after {MOST_TERMS}."
        return about(Verdict.FAILED, message, "Take includes out, or name networks with ip4: and ip6:.")
    if walk.void > MOST_VOID:
        message = f"{walk.void} names in the record lead nowhere, and receivers give up after {MOST_VOID}."
        return about(Verdict.FAILED, message, "Take out the names that no longer exist.")
    if walk.wide_open:
        message = f"by the record of {shown(walk.wide_open)} anybody may send for this domain."
        return about(Verdict.FAILED, message, "End it in ~all or -all, and name no network of prefix 0.")
    if walk.lets_nobody_pass(domain):
        message = "by the record no server at all may send for this domain."
        return about(Verdict.FAILED, message, "Name the servers that send, before -all.")
    end = walk.end(domain)
    if end in ("-", "~"):
        look_ups = f"{walk.terms} look-up{'' if walk.terms == 1 else 's'}"
        return about(Verdict.OK, f"the record can be followed ({look_ups}) and ends in {end}all.")
    ending = "ends in ?all" if end == "?" else "has no all at its end"
    return about(Verdict.WARNING, f"the record {ending}: nothing is said of other servers.", "End it in ~all or -all.")


def _note(walk: _Walk, domain: str, addresses: Sequence[Address]) -> Diagnosis:
    """Whether the relay's addresses pass; only a note, since a relay may send from other ones."""
    about = partial(Diagnosis, "SPF of the relay", domain)
    try:
        results = {address: walk.result(domain, address) for address in addresses}
    except NoAnswerError as error:
        return about(Verdict.LEFT_OUT, sentence(error))
    if None in results.values():
        return about(Verdict.LEFT_OUT, "whether the relay's addresses pass depends on the message.")
    others = [f"{address} gets {_RESULTS[result]}" for address, result in results.items() if result and result != "+"]
    if not others:
        return about(Verdict.OK, f"what its name stands for passes ({', '.join(map(str, results))}).")
    return about(Verdict.OK, f"{', '.join(others)}; that matters if the relay sends from there.")
