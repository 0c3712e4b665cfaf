"""One polite, bounded GET: what may be fetched, how long, how much, and from where."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpcore
import httpx

from newsletter.errors import ConfigurationError, SourceError
from newsletter.gather.links import absolute_link
from newsletter.gather.network import InsideAddressError, host_and_port, vetted_pool
from newsletter.gather.politeness import turn
from newsletter.plan.values import SourcePlan
from newsletter.ports import SourceState

__all__ = ["MAX_BYTES", "Answer", "check_address", "fetch", "fetch_outside", "why_not_called", "why_unreachable"]

MAX_BYTES = 10 * 1024 * 1024
_STEP_SECONDS = 10.0
_REDIRECTS = 5
_LONGEST_VALIDATOR = 500
_LONGEST_WAIT = timedelta(days=7)
_REQUEST_HEADERS = {
    "User-Agent": "newsdesk-newsletter",
    "Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip",
}

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would print every address at INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a source answered. `address` is where redirects ended; `body` is decompressed, at most 10 MiB.

    `total_pages` is how many pages a CMS says there are (X-WP-TotalPages of WordPress), None where it does not say.
    """

    address: str
    body: bytes | bytearray = b""
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    unchanged: bool = False
    gone: bool = False
    total_pages: int | None = None


def check_address(plan: SourcePlan) -> None:
    """Raise `ConfigurationError` unless the source has an absolute http(s) `url` without credentials."""
    try:
        usable = absolute_link(plan.url or "") and httpx.URL(plan.url or "").raw_host
    except httpx.InvalidURL:
        usable = None
    if not usable:
        raise ConfigurationError(
            f"source {plan.id}: url is {plan.url!r}; write an absolute http:// or https:// address, no password in it"
        )


def fetch(
    plan: SourcePlan, state: SourceState, now: datetime, *, address: str | None = None, accept: str | None = None
) -> Answer:
    """GET the source's url, unless it has not changed since `state`; or another `address` of its site.

    Follows up to five redirects, none of them inside: only the configured host and port may be there, and only
    with `allow_private`. Each connect and read takes at most 10 s, everything together `plan.timeout`. Raises
    `SourceError` with source, address and what to do.
    """
    configured = httpx.URL(plan.url or "")
    inside = host_and_port(configured) if plan.allow_private else None
    url = httpx.URL(address) if address else configured
    headers = _REQUEST_HEADERS | ({"Accept": accept} if accept else {}) | ({} if address else _conditions(state))
    with nullcontext() if inside else turn(url.host):
        return _get(plan, url, inside, headers, now)


def fetch_outside(address: str, seconds: float, most: int) -> bytes:
    """At most so many bytes that an https address answers with 200; no redirect is followed, and nothing inside is
    asked. Raises `SourceError`."""
    try:
        url = httpx.URL(address)
        if url.scheme != "https" or not url.host:
            raise SourceError(f"{address} is not fetched; only https is")
        with _reached(url, {"User-Agent": _REQUEST_HEADERS["User-Agent"]}, None, seconds, hops=0) as response:
            body = bytearray()
            for piece in response.iter_raw():
                body += piece
                if len(body) > most:
                    raise SourceError(f"{address} answers with more than {most:,} bytes")
            if response.status_code != httpx.codes.OK:
                raise SourceError(f"{address} answered {response.status_code}")
            return bytes(body)
    except _LostError as lost:
        raise SourceError(f"{lost.url} {lost.why}") from None
    except (*_HTTP_ERRORS, OSError) as error:
        raise SourceError(f"{address} did not answer ({str(error) or type(error).__name__})") from None


def why_unreachable(address: str, seconds: float) -> str | None:
    """Why a reader who follows the link would find nothing there; None where something answers.

    That a site turns programs away (401, 403, 429) says nothing about readers. Nothing inside is asked.
    """
    return _knock(address, "text/html, */*;q=0.5", seconds, lambda status: status in (404, 410) or status >= 500)


def why_not_called(address: str, seconds: float) -> str | None:
    """Why a call of the address came to nothing; None where it was answered with 2xx. Nothing inside is called."""
    return _knock(address, "*/*", seconds, lambda status: not 200 <= status < 300)


def _knock(address: str, accept: str, seconds: float, lost: Callable[[int], bool]) -> str | None:
    try:
        with _reached(httpx.URL(address), _REQUEST_HEADERS | {"Accept": accept}, None, seconds) as response:
            answered = f"answers {response.status_code} {response.reason_phrase}".strip()
            return answered if lost(response.status_code) else None
    except _LostError as lost_on_the_way:
        return lost_on_the_way.why
    except (*_HTTP_ERRORS, OSError) as error:
        return f"does not answer ({str(error) or type(error).__name__})"


def _get(
    plan: SourcePlan, url: httpx.URL, inside: tuple[str, int] | None, headers: dict[str, str], now: datetime
) -> Answer:
    try:
        with _reached(url, headers, inside, plan.timeout.total_seconds()) as response:
            return _answer(response, f"source {plan.id}: {response.url}", now)
    except _LostError as error:
        raise SourceError(f"source {plan.id}: {error.url} {error.why}; {error.advice}") from None
    except (*_HTTP_ERRORS, OSError) as error:
        raise SourceError(
            f"source {plan.id}: {url} did not answer ({str(error) or type(error).__name__});"
            " it is tried again at the next poll. Check the url if this goes on"
        ) from error


class _LostError(Exception):
    """The way led to no answer: `why`, as the end of a sentence about `url`, and what its owner can do."""

    def __init__(self, url: object, why: str, advice: str) -> None:
        super().__init__(why)
        self.url, self.why, self.advice = url, why, advice


@contextmanager
def _reached(
    url: httpx.URL, headers: dict[str, str], inside: tuple[str, int] | None, seconds: float, hops: int = _REDIRECTS
) -> Iterator[httpx.Response]:
    """The answer, not yet read, at the end of at most so many redirects; everything together takes `seconds`."""
    pool, at = vetted_pool(inside, seconds), url
    with closing(pool), httpx.Client(transport=_PoolTransport(pool), timeout=_STEP_SECONDS, trust_env=False) as client:
        for _ in range(hops + 1):
            try:
                with client.stream("GET", at, headers=headers) as response:
                    if not response.has_redirect_location:
                        yield response
                        return
                    location = absolute_link(response.headers["location"], str(response.url))
            except InsideAddressError as error:
                why = f"leads to an inside address ({error}), which is not fetched"
                raise _LostError(at, why, "if that is meant, name it as url and set allow_private: true") from None
            if location is None:
                raise _LostError(at, "redirects to no http(s) address", "correct its url")
            at = httpx.URL(location)
    raise _LostError(url, f"redirects more than {hops} times" if hops else "redirects", "correct its url")


_HTTP_ERRORS = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpx.HTTPError,
    httpx.InvalidURL,
)


class _PoolTransport(httpx.BaseTransport):
    """httpx over a pool of ours: httpx's own transport cannot be given a network backend."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        answer = self._pool.handle_request(
            httpcore.Request(request.method, url, headers=request.headers.raw, extensions=request.extensions)
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


def _conditions(state: SourceState) -> dict[str, str]:
    """RFC 9110, section 13.1: ask only for what is newer than what we have."""
    stated = {"If-None-Match": state.etag, "If-Modified-Since": state.last_modified}
    return {name: value for name, value in stated.items() if value}


def _answer(response: httpx.Response, where: str, now: datetime) -> Answer:
    address = str(response.url)
    status = response.status_code
    if status == httpx.codes.NOT_MODIFIED:
        return Answer(address=address, unchanged=True)
    if status == httpx.codes.GONE:
        return Answer(address=address, gone=True)
    if status != httpx.codes.OK:
        until = _retry_at(response.headers.get("retry-after", ""), now)
        raise SourceError(f"{where} answered {status} {response.reason_phrase}; {_advice(status, until)}", until)
    return Answer(
        address=address,
        body=_body(response, where),
        content_type=response.headers.get("content-type"),
        etag=_validator(response, "etag"),
        last_modified=_validator(response, "last-modified"),
        total_pages=_count(response.headers.get("x-wp-totalpages", "")),
    )


def _validator(response: httpx.Response, name: str) -> str | None:
    value = response.headers.get(name, "")
    return value if 0 < len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable() else None


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _advice(status: int, until: datetime | None) -> str:
    if until:
        return f"it asks not to be polled again before {until:%Y-%m-%d %H:%M:%S} UTC"
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return "it does not let this desk in: ask its owner"
    if 400 <= status < 500 and status != httpx.codes.TOO_MANY_REQUESTS:
        return "correct its url in schedule.yaml"
    return "it is tried again at the next poll"


def _retry_at(text: str, now: datetime) -> datetime | None:
    """Retry-After in seconds or as a date (RFC 9110, section 10.2.3), as an instant in UTC; within a week, or none."""
    try:
        if re.fullmatch(r"[0-9]{1,7}", text):
            until = now + timedelta(seconds=int(text))
        else:
            until = parsedate_to_datetime(text)
            until = until if until.tzinfo else until.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return min(until.astimezone(UTC), now + _LONGEST_WAIT) if until > now else None


def _body(response: httpx.Response, where: str) -> bytearray:
    """The whole body. It grows in place: joined pieces would be there twice, for each of the sources asked at once."""
    body = bytearray()
    for piece in _bounded(response, where):
        body += piece
    return body


def _bounded(response: httpx.Response, where: str) -> Iterator[bytes]:
    """The body, decompressed piece by piece: a bomb is cut off at the limit, not measured after it went off."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", "deflate", ""):
        raise SourceError(f"{where} answered in {encoding!r}, which was not asked for; its owner should send gzip")
    inflate = zlib.decompressobj(wbits=47) if encoding not in ("identity", "") else None  # 47: gzip or zlib
    left = MAX_BYTES
    for piece in response.iter_raw():
        try:
            plain = inflate.decompress(piece, left + 1) if inflate else piece
        except zlib.error as error:
            raise SourceError(f"{where} sent damaged gzip data ({error}); it is tried again at the next poll") from None
        left -= len(plain)
        if left < 0:
            raise SourceError(f"{where} is larger than {MAX_BYTES // 2**20} MiB; ask its owner for a shorter feed")
        yield plain
    if inflate and not inflate.eof:
        raise SourceError(f"{where} broke off within its gzip data; it is tried again at the next poll")
