"""Who asks by public forms, and who has asked for too many mails: so many an hour of one network, or to one domain, and
so many a day to one mailbox, however it is spelled."""

from __future__ import annotations

import ipaddress

from newsletter.web.throttle import Throttle

__all__ = ["ask_for_mail", "network_of"]

_networks = Throttle(30, 60 * 60.0)
_domains = Throttle(1000, 60 * 60.0)
_mailboxes = Throttle(3, 24 * 60 * 60.0)
"""Spellings of one mailbox: Ann@, a.n.n@ and ann+x@ are one at most providers, and may be three people at another."""
_spelled = Throttle(1, 24 * 60 * 60.0)


def network_of(client: str) -> str:
    """The network that a client's address lies in: what one household or firm has of its own, /24 or /64."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client[:64]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False))


def ask_for_mail(network: str, address: str) -> bool:
    """Count one more; False where it is too many, which nobody is told."""
    address = address[:320]
    domain, mailbox = address.rpartition("@")[2].lower(), _mailbox(address)
    new = not _spelled.wait(address)
    if _networks.wait(network) or _domains.wait(domain) or (new and _mailboxes.wait(mailbox)):
        return False
    _networks.fail(network)
    _domains.fail(domain)
    if new:
        _mailboxes.fail(mailbox)
        _spelled.fail(address)
    return True


def _mailbox(address: str) -> str:
    """The mailbox that most providers take that address for: without case, dots, and what stands behind a plus."""
    local, _, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"
