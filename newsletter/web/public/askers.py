"""Who has asked for too many mails by public forms: so many an hour from one network, or to one mail domain."""

from __future__ import annotations

from newsletter.web.throttle import Throttle

__all__ = ["ask_for_mail"]

_networks = Throttle(30, 60 * 60.0)
_domains = Throttle(1000, 60 * 60.0)


def ask_for_mail(network: str, address: str) -> bool:
    """Count one more; False where it is too many, which nobody is told."""
    domain = address.rpartition("@")[2].lower()[:255]
    if _networks.wait(network) or _domains.wait(domain):
        return False
    _networks.fail(network)
    _domains.fail(domain)
    return True
