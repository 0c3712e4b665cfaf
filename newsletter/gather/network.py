"""The way out: every connection goes to an address that was looked up once and found to be outside.

A name is resolved, its addresses are judged, and the connection is made to a judged address itself: a second
look-up, which a hostile name server could answer differently, does not happen. TLS still names the host.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore
import httpx
from httpcore import SOCKET_OPTION

__all__ = ["InsideAddressError", "VettedNetwork", "host_and_port", "is_outside", "vetted_pool"]

_ADDRESSES_TRIED = 3
# Both embed IPv4 addresses: RFC 6052, section 2.1, and RFC 8215.
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class InsideAddressError(Exception):
    """The host has no address outside of this machine and its networks."""


def is_outside(address: str) -> bool:
    """Whether an IP address is on the public internet.

    Not so: private, loopback, link-local, multicast, reserved, shared (RFC 6598), and IPv6 forms that embed
    an IPv4 address, since they may lead to any of these (mapped, compatible, NAT64, 6to4, Teredo).
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped or ip.sixtofour or ip.teredo or any(ip in network for network in _NAT64):
            return False
        if ip < ipaddress.IPv6Address("::1:0:0:0"):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def vetted_pool(inside: tuple[str, int] | None, seconds: float) -> httpcore.ConnectionPool:
    """Connections of a `VettedNetwork` that all together take so many seconds at most; none is kept."""
    network = VettedNetwork(inside, time.monotonic() + seconds)
    return httpcore.ConnectionPool(ssl_context=_tls(), network_backend=network, max_keepalive_connections=0)


def host_and_port(address: httpx.URL) -> tuple[str, int]:
    """Where an http(s) address leads, as `VettedNetwork` is told of it."""
    return address.raw_host.decode(), address.port or (443 if address.scheme == "https" else 80)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class VettedNetwork(httpcore.NetworkBackend):
    """Connects to outside addresses and, where `inside` names one, to that host and port wherever it is.

    `deadline` is a `time.monotonic` instant after which every read and write fails: the limit on the whole.
    """

    def __init__(self, inside: tuple[str, int] | None, deadline: float) -> None:
        self._inside = inside
        self._deadline = deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of up to three judged addresses that answers; raises `InsideAddressError`."""
        addresses = _look_up(host, port)
        if (host, port) != self._inside:
            addresses = [address for address in addresses if is_outside(address)]
            if not addresses:
                raise InsideAddressError(host)
        failure: Exception | None = None
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                stream = self._backend.connect_tcp(
                    address, port, _remaining(self._deadline, timeout), local_address, socket_options
                )
                return _TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("it has no address")


class _TimedStream(httpcore.NetworkStream):
    """A stream whose reads and writes end at the deadline, however slowly the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _remaining(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _remaining(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = _remaining(self._deadline, timeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, limit), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _look_up(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"its name cannot be resolved ({error})") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _remaining(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time allowed for the whole answer is over")
    return left if timeout is None else min(left, timeout)
