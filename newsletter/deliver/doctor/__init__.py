"""Looks at what a send rests on outside this machine: the mail server, and what the DNS says of our domains.

Each check is a function to findings, those about domains over a `Resolver`; `newsletter.newsroom.doctor` asks for them.
"""

from newsletter.deliver.doctor.bounces import examine_bounces
from newsletter.deliver.doctor.diagnosis import Diagnosis, DnsRecord, Verdict, sentence
from newsletter.deliver.doctor.dkim_record import examine_dkim
from newsletter.deliver.doctor.dmarc import examine_dmarc
from newsletter.deliver.doctor.mail_server import examine_mail_server
from newsletter.deliver.doctor.resolver import Address, Remembering, Resolver, plain_domain
from newsletter.deliver.doctor.spf import examine_spf

__all__ = [
    "Address",
    "Diagnosis",
    "DnsRecord",
    "Remembering",
    "Resolver",
    "Verdict",
    "examine_bounces",
    "examine_dkim",
    "examine_dmarc",
    "examine_mail_server",
    "examine_spf",
    "plain_domain",
    "sentence",
]
