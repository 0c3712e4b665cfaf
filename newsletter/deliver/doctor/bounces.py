"""Whether bounces come back: a domain that takes mail has an MX or an address (RFC 5321 section 5.1)."""

from __future__ import annotations

from functools import partial

from newsletter.deliver.doctor.diagnosis import Diagnosis, DnsRecord, Verdict, sentence, shown
from newsletter.deliver.doctor.resolver import Resolver
from newsletter.errors import NoAnswerError

__all__ = ["examine_bounces"]

_LOOKED_AT = 10  # servers of one domain whose addresses are asked for


def examine_bounces(resolver: Resolver, domain: str) -> Diagnosis:
    """Whether mail to the domain of envelope senders has somewhere to go."""
    about = partial(Diagnosis, "bounces", domain)
    try:
        servers = resolver.mail_servers(domain)
        hosts = [host for _, host in servers if host]
        if servers and not hosts:
            message = "the domain says that it takes no mail (null MX, RFC 7505), so bounces are lost."
            return about(Verdict.FAILED, message, "Set NEWSLETTER_BOUNCE_DOMAIN to a domain that takes mail.")
        if not servers:
            return _by_address(resolver, domain)
        lost = [host for host in hosts[:_LOOKED_AT] if not resolver.addresses(host)]
    except NoAnswerError as error:
        return about(Verdict.LEFT_OUT, sentence(error))
    if len(lost) == len(hosts[:_LOOKED_AT]):
        message = f"none of its mail servers has an address ({shown(', '.join(lost))}), so bounces are lost."
        return about(Verdict.FAILED, message, "Let the MX records name servers that exist.")
    if lost or len(hosts) < len(servers):
        message = f"some MX records lead nowhere ({shown(', '.join(lost) or 'null MX beside others')})."
        return about(Verdict.WARNING, message, "Take them out.")
    return about(Verdict.OK, f"bounces come back by way of {shown(hosts[0])}.")


def _by_address(resolver: Resolver, domain: str) -> Diagnosis:
    about = partial(Diagnosis, "bounces", domain)
    if resolver.addresses(domain):
        message = "there is no MX record; bounces go to the domain's own address."
        return about(Verdict.WARNING, message, "Publish an MX record, unless a mail server listens there.")
    message = "the domain has neither MX nor address, so bounces are lost and many receivers refuse its mail."
    fix = "Publish an MX record with the server that takes its mail, such as this one."
    return about(Verdict.FAILED, message, fix, DnsRecord(domain, "MX", f"10 mail.{domain}."))
