"""DMARC (RFC 9989): what receivers do with our mail, and whether what we sign and send from aligns with From."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from newsletter.deliver.doctor.diagnosis import Diagnosis, DnsRecord, Verdict, sentence, shown
from newsletter.deliver.doctor.dmarc_record import (
    DmarcRecord,
    organizational_domain,
    policy_record,
    read_dmarc,
    tree_walk,
)
from newsletter.deliver.doctor.resolver import Resolver
from newsletter.errors import NoAnswerError

__all__ = ["examine_dmarc"]


@dataclass(frozen=True, slots=True)
class _Aligned:
    """Which of the two ways in which a message may pass align with its From."""

    dkim: bool
    spf: bool

    def __str__(self) -> str:
        words = [name for name, holds in (("DKIM", self.dkim), ("SPF", self.spf)) if holds]
        return f"our mail aligns by {' and '.join(words)}" if words else "our mail aligns neither by DKIM nor by SPF"

    def __bool__(self) -> bool:
        return self.dkim or self.spf


def examine_dmarc(resolver: Resolver, domain: str, signed_by: Sequence[str], bounces_to: str) -> Diagnosis:
    """What the DMARC record for a From domain means for our mail.

    `signed_by` are the domains of our DKIM keys, `bounces_to` is that of the envelope sender.
    """
    about = partial(Diagnosis, "DMARC", domain)
    try:
        walked = tree_walk(resolver, domain)
        record = policy_record(walked, domain)
        if record is None or record.void:
            return _without(resolver, domain, record)
        strict = record.strict_dkim, record.strict_spf
        aligned = _Aligned(
            any(_aligns(resolver, signer, domain, strict[0]) for signer in signed_by),
            _aligns(resolver, bounces_to, domain, strict[1]),
        )
        subdomain = record.domain != domain
        exists = not subdomain or bool(resolver.addresses(domain) or resolver.mail_servers(domain))
    except NoAnswerError as error:
        return about(Verdict.LEFT_OUT, sentence(error))
    return _judged(domain, record, record.policy(subdomain, exists), aligned)


def _aligns(resolver: Resolver, other: str, domain: str, strict: bool) -> bool:
    """Whether two domains are the same, or (relaxed) belong to the same organization."""
    if other == domain:
        return True
    if strict:
        return False
    ours = organizational_domain(tree_walk(resolver, domain), domain)
    return organizational_domain(tree_walk(resolver, other), other) == ours


def _without(resolver: Resolver, domain: str, record: DmarcRecord | None) -> Diagnosis:
    texts = resolver.texts(f"_dmarc.{domain}")
    number = sum(read_dmarc(domain, text) is not None for text in texts)
    if record is not None:
        message = f"receivers pass over the record of {shown(record.domain)}: {record.void}."
    elif number > 1:
        message = f"there are {number} DMARC records, and receivers pass over all of them."
    elif near := next((text for text in texts if "dmarc1" in text.lower()), ""):
        message = (
            f"“{shown(near, 40)}” is no DMARC record: it must begin with v=DMARC1 in capitals, and not be endless."
        )
    else:
        message = "there is no DMARC record, and Gmail and Yahoo ask bulk senders for one."
    fix = "Publish one, and make it stricter once its reports show that all your mail aligns."
    return Diagnosis("DMARC", domain, Verdict.WARNING, message, fix, _proposed(domain))


def _judged(domain: str, record: DmarcRecord, policy: str, aligned: _Aligned) -> Diagnosis:
    about = partial(Diagnosis, "DMARC", domain)
    testing = ", lowered by t=y" if record.testing else ""
    found = f"the record of {shown(record.domain)} asks for {policy}{testing}; {aligned}"
    if not aligned:
        fix = "Let NEWSLETTER_DKIM_DOMAIN or NEWSLETTER_BOUNCE_DOMAIN be the sender's domain or align with it."
        if policy == "none":
            return about(Verdict.WARNING, f"{found}.", fix)
        return about(Verdict.FAILED, f"{found}, so receivers {_DOES[policy]} it.", fix)
    if policy == "none":
        fix = "Ask for p=quarantine once reports show that all your mail aligns."
        return about(Verdict.WARNING, f"{found}; forged mail is let through.", fix)
    return about(Verdict.OK, f"{found}.")


_DOES = {"quarantine": "put aside", "reject": "refuse"}


def _proposed(domain: str) -> DnsRecord:
    return DnsRecord(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
