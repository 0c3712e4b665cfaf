"""One POST, bounded in time: to an address that somebody typed, outside alone, or to one that the machine's owner
named."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import httpcore
import httpx

from newsletter.gather.network import InsideAddressError, host_and_port, vetted_pool

__all__ = ["Called", "call"]


_LOST = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call: the status and its words; without an answer None, and why. `wait` is Retry-After, in
    seconds, at most a day."""

    status: int | None
    words: str
    wait: float = 0.0

    @property
    def taken(self) -> bool:
        """Whether whoever listens there took it."""
        return self.status is not None and 200 <= self.status < 300


def call(address: str, body: bytes, headers: Mapping[str, str], seconds: float, inside: bool) -> Called:
    """POST the body; no redirect is followed, and of the answer only the head is read. Raises nothing.

    The address is looked up once and connected to as it was judged; only with `inside` may it be of this machine's
    networks, and without TLS. A name and password in it are shown there (RFC 7617).
    """
    try:
        url = httpx.URL(address)
        if not url.host or (url.scheme != "https" and not (inside and url.scheme == "http")):
            return Called(None, "only https addresses are called")
        if url.userinfo:
            headers = {
                **headers,
                "Authorization": f"Basic {b64encode(f'{url.username}:{url.password}'.encode()).decode()}",
            }
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        pool = vetted_pool(host_and_port(url) if inside else None, seconds)
        with closing(pool), pool.stream("POST", target, headers=list(headers.items()), content=body) as answer:
            return Called(answer.status, _words(answer), _wait(answer))
    except InsideAddressError:
        return Called(None, "it leads to an inside address; NEWSLETTER_WEBHOOKS_INSIDE may name its host and port")
    except (*_LOST, httpx.InvalidURL, OSError) as error:
        return Called(None, f"it did not answer ({type(error).__name__})")


def _words(answer: httpcore.Response) -> str:
    reason = answer.extensions.get("reason_phrase", b"").decode("ascii", "replace")[:60]
    return f"{answer.status} {reason}".strip()


def _wait(answer: httpcore.Response) -> float:
    """Retry-After in seconds (RFC 9110, section 10.2.3); a date is left alone, our own pause is as good."""
    stated = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
    return min(float(stated), 86_400.0) if re.fullmatch(rb"[0-9]{1,7}", stated) else 0.0
