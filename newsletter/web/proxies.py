"""Whose request it is that a proxy hands on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

__all__ = ["client_behind"]

MOST_HOPS = 20


def client_behind(peer: str, forwarded: Iterable[str], trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The nearest address to us that is not one of our proxies; `forwarded` are the `X-Forwarded-For` headers in order.

    Each proxy adds whom it heard at the end, so what stands left of the first stranger was written by that stranger,
    and is not believed. Without trusted proxies it is the peer, whatever a header says.
    """
    client = peer
    hops = [hop for header in forwarded for hop in header.split(",")][-MOST_HOPS:]
    while hops and _is_among(client, trusted):
        heard = _address(hops.pop().strip())
        if heard is None:  # no proxy of ours wrote that
            break
        client = str(heard)
    return client


def _is_among(text: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, without the port that some proxies write behind it; an IPv4 one also where IPv6 wraps it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
