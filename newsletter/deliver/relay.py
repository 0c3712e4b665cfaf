"""The mail server as `NEWSLETTER_SMTP_URL` names it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.errors import SettingError

__all__ = ["Relay"]

_CONNECTIONS = 8
_KEYS = ("starttls", "connections", "messages", "rate", "cafile")
_PER = {"": 1, "s": 1, "min": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where to dial and how. `starttls` is True when nothing but the greeting may pass before TLS stands.

    `connections` are at once, from this process; each carries up to `messages`. `rate` is in messages a second, of all
    senders together. `cafile` names a PEM file of authorities trusted instead of the system's (a publisher's own, or a
    test's).
    """

    host: str
    port: int
    tls: bool = False
    starttls: bool = True
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    connections: int = _CONNECTIONS
    messages: int | None = None
    rate: float | None = None
    cafile: str | None = None

    @classmethod
    def parse(cls, url: str, password: str | None = None) -> Relay:
        """Read `smtp[s]://[user[:password]@]host[:port]?starttls=require|never&connections=N&messages=N&rate=N/min
        &cafile=PATH`.

        `password` serves where the URL has none. Without a port: 465 for smtps, 587 with a user, else 25. Raises
        `SettingError`.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise SettingError("NEWSLETTER_SMTP_URL must look like smtp://user@mail.example.com:587")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := options.keys() - set(_KEYS):
            raise SettingError(f"NEWSLETTER_SMTP_URL: {', '.join(unknown)} is no option; there are {', '.join(_KEYS)}")
        tls = parts.scheme == "smtps"
        user = unquote(parts.username) if parts.username else None
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if tls else 587 if user else 25),
            tls=tls,
            starttls=not tls and _starttls(options.get("starttls"), parts.hostname),
            user=user,
            password=unquote(parts.password) if parts.password else password,
            connections=_number(options, "connections", 200) or _CONNECTIONS,
            messages=_number(options, "messages", 1_000_000),
            rate=_rate(options.get("rate")),
            cafile=options.get("cafile"),
        )

    @property
    def on_loopback(self) -> bool:
        """Whether the server is this machine, by its name alone: no lookup decides about that."""
        return _on_loopback(self.host)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def _on_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _starttls(option: str | None, host: str) -> bool:
    if option not in (None, "require", "never"):
        raise SettingError(f"NEWSLETTER_SMTP_URL: starttls={option} is neither require nor never")
    return option == "require" if option else not _on_loopback(host)


def _number(options: Mapping[str, str], name: str, most: int) -> int | None:
    option = options.get(name)
    if option is None:
        return None
    if not option.isdecimal() or not 1 <= int(option) <= most:
        raise SettingError(f"NEWSLETTER_SMTP_URL: {name}={option} is no number from 1 to {most:,}")
    return int(option)


def _rate(option: str | None) -> float | None:
    """Messages a second, from `20`, `20/s`, `500/min` or `10000/h`."""
    if option is None:
        return None
    number, _, per = option.partition("/")
    if not number.isdecimal() or not 1 <= int(number) <= 1_000_000 or per not in _PER:
        raise SettingError(f"NEWSLETTER_SMTP_URL: rate={option} is no rate; write 20/s, 500/min or 10000/h")
    return int(number) / _PER[per]
