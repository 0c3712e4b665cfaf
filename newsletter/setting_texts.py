"""How the text of a setting becomes its value: each raises `ValueError` with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

__all__ = [
    "address",
    "base_url",
    "bounces_url",
    "choice",
    "count",
    "database",
    "days",
    "domain",
    "flag",
    "hosts",
    "leave_address",
    "networks",
    "speed",
    "topic",
    "words",
]


def flag(text: str) -> bool:
    """True or false, in the words that people use for it."""
    match text.strip().lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off" | "":
            return False
    raise ValueError("write true or false")


def words(text: str) -> tuple[str, ...]:
    """Parts with a comma between."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses, or networks of them."""
    try:
        return tuple(ip_network(part) for part in words(text))
    except ValueError as error:
        raise ValueError(f"{error}; write addresses such as 10.0.0.7 or networks such as 10.0.0.0/8") from None


def hosts(text: str) -> tuple[tuple[str, int], ...]:
    """Hosts with ports, in small letters."""
    found = []
    for part in words(text):
        host, _, port = part.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{part!r} is no host with a port; write 10.0.0.7:8080")
        found.append((host.strip("[]").lower(), int(port)))
    return tuple(found)


def choice(*words: str) -> Callable[[str], str]:
    """One of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"write {' or '.join(words)}")
        return text

    return parse


_ESCAPING = "in a password write @ : / ? # as %40 %3A %2F %3F %23"


def address(*schemes: str) -> Callable[[str], str]:
    """A web or mail server's URL of one of these schemes; no error repeats it, for it may hold a password."""

    def parse(text: str) -> str:
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts = urlsplit(text)
            named = parts.scheme in schemes and parts.hostname
        except ValueError:
            named = None  # its own words may repeat a piece of the password
        if not named:
            raise ValueError(f"it must begin with {begins} and a host; {_ESCAPING}")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError(f"after the host's colon stands a port, a number from 1 to 65535; {_ESCAPING}")
        return text

    return parse


def base_url(text: str) -> str:
    """Where the web pages are, without a slash at the end."""
    return address("http", "https")(text).rstrip("/")


def speed(text: str) -> float:
    """How many times as fast."""
    speed = float(text)
    if not 0 < speed <= 100_000:
        raise ValueError("write a number over 0 and up to 100000")
    return speed


def count(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise ValueError("write a whole number, 0 or more")
    return int(text)


def days(least: int) -> Callable[[str], int]:
    """A number of days, so many at least, or 0 for good."""

    def parse(text: str) -> int:
        days = count(text)
        if 0 < days < least or days > 36_500:
            raise ValueError(f"write a number of days from {least} to 36500, or 0 to keep it for good")
        return days

    return parse


def domain(text: str) -> str:
    """A domain as mail writes it, in ASCII (RFC 5890)."""
    return _mailbox(f"a@{text}", "write a domain such as example.com").partition("@")[2]


def bounces_url(text: str) -> str:
    """Where a mailbox is, without its password."""
    parts = urlsplit(text)
    local = parts.scheme == "maildir" and parts.path.startswith("/") and not parts.netloc
    distant = parts.scheme == "imaps" and parts.hostname and parts.username and parts.password is None
    if not local and not distant:
        raise ValueError("write maildir:/path or imaps://user@host/INBOX, its password in NEWSLETTER_BOUNCES_PASSWORD")
    return text


def topic(text: str) -> str:
    """The ARN of a topic of Amazon SNS."""
    if not re.fullmatch(r"arn:aws(-cn|-us-gov)?:sns:[a-z0-9-]{5,30}:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?", text):
        raise ValueError("write the topic's ARN, such as arn:aws:sns:us-east-1:123456789012:bounces")
    return text


def leave_address(text: str) -> str:
    """A mail address, also written as `mailto:`."""
    address = text.removeprefix("mailto:").partition("?")[0]
    return _mailbox(address, "write a mail address such as leave@example.com")


def _mailbox(text: str, advice: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError(advice) from None
    return found.ascii_email or found.normalized


def database(text: str) -> str:
    """A SQLAlchemy URL of a database that is supported."""
    if not text.startswith(("sqlite:", "sqlite+", "postgresql:", "postgresql+")):
        raise ValueError("SQLite and PostgreSQL are supported: sqlite:///newsletter.db, postgresql://user@host/name")
    return text
