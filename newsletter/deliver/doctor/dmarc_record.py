"""DMARC records and the walk up the DNS that finds them (RFC 9989, which took the place of RFC 7489)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newsletter.deliver.doctor.resolver import LONGEST_TEXT, Resolver, plain_domain

__all__ = ["POLICIES", "DmarcRecord", "organizational_domain", "policy_record", "read_dmarc", "tree_walk"]

POLICIES = ("none", "quarantine", "reject")
"""From the mildest to the strictest."""

MOST_LABELS = 8
"""A walk asks this many questions at most; of a longer name the labels between are passed over."""

_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcRecord:
    """What a domain asks receivers to do. `policies` holds p, sp and np as far as they are there and valid.

    `void` says why receivers pass the record over, though it is there. `psd` is "y" for a public suffix, "n" for an
    organizational domain, else "u".
    """

    domain: str
    policies: dict[str, str]
    strict_dkim: bool = False
    strict_spf: bool = False
    psd: str = "u"
    testing: bool = False
    void: str = ""

    def policy(self, subdomain: bool, exists: bool) -> str:
        """What is asked for mail that does not align: of the domain itself, or of one below it."""
        names = ("p",) if not subdomain else ("sp", "p") if exists else ("np", "sp", "p")
        asked = next((self.policies[name] for name in names if name in self.policies), "none")
        # t=y asks for one step less than what is written.
        return POLICIES[max(0, POLICIES.index(asked) - 1)] if self.testing else asked


def read_dmarc(domain: str, text: str) -> DmarcRecord | None:
    """Read the record of a domain; None for a text that is none. What cannot be understood in it is passed over."""
    if not _VERSION.match(text) or len(text) > LONGEST_TEXT:
        return None
    tags: dict[str, str] = {}
    for spec in text.split(";")[1:]:
        name, equals, value = (part.strip(" \t") for part in spec.partition("="))
        if equals:
            tags.setdefault(name.lower(), value.lower())
    policies = {name: tags[name] for name in ("p", "sp", "np") if tags.get(name) in POLICIES}
    wrong = next((name for name in ("p", "sp", "np") if name in tags and name not in policies), "")
    reports = any(re.match(r"[a-z][a-z0-9+.-]*:.", uri.strip()) for uri in tags.get("rua", "").split(","))
    return DmarcRecord(
        domain=domain,
        policies={} if wrong else policies,
        strict_dkim=tags.get("adkim") == "s",
        strict_spf=tags.get("aspf") == "s",
        psd=tags["psd"] if tags.get("psd") in ("y", "n") else "u",
        testing=tags.get("t") == "y",
        # With somebody to report to, such a record counts as p=none.
        void=f"its {wrong}= is none of none, quarantine, reject" if wrong and not reports else "",
    )


def tree_walk(resolver: Resolver, domain: str) -> list[DmarcRecord]:
    """The records from a domain upwards, its own first; raises `NoAnswerError`."""
    found: list[DmarcRecord] = []
    for place in _places(domain):
        records = [read_dmarc(place, text) for text in resolver.texts(f"_dmarc.{place}")]
        valid = [record for record in records if record is not None]
        if len(valid) != 1:  # of several, all are passed over
            continue
        found.append(valid[0])
        if valid[0].psd == "n" or (valid[0].psd == "y" and place != domain):
            break
    return found


def organizational_domain(walked: Sequence[DmarcRecord], domain: str) -> str:
    """The domain that stands for an organization, from the walk that began at `domain`."""
    for record in walked:
        if record.psd == "n":
            return record.domain
        if record.psd == "y" and record.domain != domain:
            return _last(domain, record.domain.count(".") + 2)
    return walked[-1].domain if walked else domain


def policy_record(walked: Sequence[DmarcRecord], domain: str) -> DmarcRecord | None:
    """The record that speaks for mail from `domain`: its own, else its organization's, else its public suffix's."""
    organization = organizational_domain(walked, domain)
    by_domain = {record.domain: record for record in walked}
    suffix = next((record for record in walked if record.psd == "y"), None)
    return by_domain.get(domain) or by_domain.get(organization) or suffix


def _places(domain: str) -> Iterator[str]:
    labels = domain.count(".") + 1
    yield domain
    for number in range(min(labels, MOST_LABELS) - 1, 0, -1):
        yield _last(domain, number)


def _last(domain: str, labels: int) -> str:
    return ".".join(plain_domain(domain).split(".")[-labels:])
