"""Settings of one installation: defaults < newsletter.toml < .env < environment < command-line flags."""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from newsletter.clock import Clock
from newsletter.errors import SettingError

__all__ = ["FIELDS", "Setting", "Settings", "load_settings"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: how it is written in the environment, what it means, and how its text becomes a value."""

    name: str
    help: str
    parse: Callable[[str], Any]
    default: str | None = None
    secret: bool = False

    @property
    def variable(self) -> str:
        """`NEWSLETTER_…`, its name in `.env` and the environment."""
        return f"NEWSLETTER_{self.name.upper()}"


def _flag(text: str) -> bool:
    match text.strip().lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off" | "":
            return False
    raise ValueError("write true or false")


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part) for part in _list(text))
    except ValueError as error:
        raise ValueError(f"{error}; write addresses such as 10.0.0.7 or networks such as 10.0.0.0/8") from None


def _hosts(text: str) -> tuple[tuple[str, int], ...]:
    found = []
    for part in _list(text):
        host, _, port = part.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{part!r} is no host with a port; write 10.0.0.7:8080")
        found.append((host.strip("[]").lower(), int(port)))
    return tuple(found)


def _choice(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"write {' or '.join(words)}")
        return text

    return parse


_ESCAPING = "in a password write @ : / ? # as %40 %3A %2F %3F %23"


def _address(*schemes: str) -> Callable[[str], str]:
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


def _base_url(text: str) -> str:
    return _address("http", "https")(text).rstrip("/")


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed <= 100_000:
        raise ValueError("write a number over 0 and up to 100000")
    return speed


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise ValueError("write a whole number, 0 or more")
    return int(text)


def _days(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        days = _count(text)
        if 0 < days < least or days > 36_500:
            raise ValueError(f"write a number of days from {least} to 36500, or 0 to keep it for good")
        return days

    return parse


def _domain(text: str) -> str:
    """A domain as mail writes it, in ASCII (RFC 5890)."""
    return _mailbox(f"a@{text}", "write a domain such as example.com").partition("@")[2]


def _bounces_url(text: str) -> str:
    """Where a mailbox is, without its password."""
    parts = urlsplit(text)
    local = parts.scheme == "maildir" and parts.path.startswith("/") and not parts.netloc
    distant = parts.scheme == "imaps" and parts.hostname and parts.username and parts.password is None
    if not local and not distant:
        raise ValueError("write maildir:/path or imaps://user@host/INBOX, its password in NEWSLETTER_BOUNCES_PASSWORD")
    return text


def _topic(text: str) -> str:
    if not re.fullmatch(r"arn:aws(-cn|-us-gov)?:sns:[a-z0-9-]{5,30}:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?", text):
        raise ValueError("write the topic's ARN, such as arn:aws:sns:us-east-1:123456789012:bounces")
    return text


def _leave_address(text: str) -> str:
    address = text.removeprefix("mailto:").partition("?")[0]
    return _mailbox(address, "write a mail address such as leave@example.com")


def _mailbox(text: str, advice: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError(advice) from None
    return found.ascii_email or found.normalized


def _database(text: str) -> str:
    if not text.startswith(("sqlite:", "sqlite+", "postgresql:", "postgresql+")):
        raise ValueError("SQLite and PostgreSQL are supported: sqlite:///newsletter.db, postgresql://user@host/name")
    return text


FIELDS = (
    Setting("database_url", "any SQLAlchemy URL of SQLite or PostgreSQL", _database, "sqlite:///newsletter.db", True),
    Setting(
        "smtp_url",
        "the relay, smtp:// or smtps:// with ?starttls=require|never&connections=N&messages=N&rate=N/min&cafile=PATH;"
        " unset: the outbox",
        _address("smtp", "smtps"),
        secret=True,
    ),
    Setting("smtp_password", "password for the mail server, where the URL has none", str, secret=True),
    Setting("live", "until true, mail to strangers refuses to start", _flag, "false"),
    Setting("test_allow", "addresses or @domains that may get mail while not live", _list, ""),
    Setting("base_url", "public address of the web pages, used in links", _base_url, "http://127.0.0.1:8000"),
    Setting(
        "trusted_proxies",
        "addresses or networks (10.0.0.0/8) of proxies before the pages; only theirs X-Forwarded-For is believed",
        _networks,
        "",
    ),
    Setting("secret_key", "signs tokens; several keys, newest first", _list, secret=True),
    Setting(
        "on_unknown",
        "what a repeated send does with mail in flight when a sender died: hold it, or send it again",
        _choice("hold", "resend"),
        "hold",
    ),
    Setting(
        "summary_url",
        "an OpenAI-compatible endpoint that drafts AI Editor's Summaries, such as http://127.0.0.1:8080/v1",
        _address("http", "https"),
    ),
    Setting("summary_model", "the model asked for there", str),
    Setting("summary_key", "the key sent to it", str, secret=True),
    Setting("summary_budget", "how many notes may be asked for in a day (UTC); then it stops", _count, "200"),
    Setting("dkim_domain", "sign every message for this domain (DKIM)", str),
    Setting("dkim_selector", "the name of the key in the DNS; two names for an RSA and an Ed25519 key", _list, ""),
    Setting("dkim_key", "the private key as PEM; NEWSLETTER_DKIM_KEY_FILE names its file", str, secret=True),
    Setting("bounce_domain", "domain of envelope senders; unset: the sender's", _domain),
    Setting(
        "bounces_url",
        "the mailbox of the envelope senders, asked every minute: maildir:/path, or imaps://user@host/INBOX",
        _bounces_url,
    ),
    Setting("bounces_topic", "the topic of Amazon SNS that Amazon SES tells of bounces, arn:aws:sns:…", _topic),
    Setting("bounces_password", "password of that mailbox on an IMAP server", str, secret=True),
    Setting("unsubscribe_mailto", "address for the mailto form of List-Unsubscribe", _leave_address),
    Setting("keep_deliveries", "days from which on nothing names the readers of a settled issue", _days(30), "365"),
    Setting("keep_bounces", "days for which what came back of messages is kept", _days(30), "365"),
    Setting("keep_requests", "days for which it is kept what was asked for by public forms", _days(8), "30"),
    Setting("keep_pending", "days after which who never confirmed anything is forgotten", _days(30), "365"),
    Setting("keep_desk_mails", "days for which the desk's own mails are kept", _days(30), "180"),
    Setting("keep_sessions", "days for which ended sessions of the desk's people are kept", _days(1), "30"),
    Setting("keep_webhook_events", "days for which it is kept what webhooks were told", _days(8), "30"),
    Setting("keep_audit", "days for which the audit log is kept; 0: for good", _days(366), "0"),
    Setting("alert_url", "alerts go there as a JSON POST", _address("http", "https"), secret=True),
    Setting(
        "webhooks_inside",
        "hosts with ports inside your network, such as 10.0.0.7:8080, that webhooks may go to; also while not live",
        _hosts,
        "",
    ),
    Setting("now", "an ISO time at which a rehearsal's clock starts", str),
    Setting("speed", "how many times as fast a rehearsal's clock runs", _speed, "1"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a desk, parsed, with where each came from (`origins`, by setting name).

    `rehearsal` is no setting: it marks the copy of a desk that `newsletter rehearse` works on, which asks no source
    for stories, and whose mail goes nowhere.
    """

    desk: Path
    database_url: str
    smtp_url: str | None
    smtp_password: str | None
    live: bool
    test_allow: tuple[str, ...]
    base_url: str
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    secret_key: tuple[str, ...] | None
    on_unknown: str
    summary_url: str | None
    summary_model: str | None
    summary_key: str | None
    summary_budget: int
    dkim_domain: str | None
    dkim_selector: tuple[str, ...]
    dkim_key: str | None
    bounce_domain: str | None
    bounces_url: str | None
    bounces_topic: str | None
    bounces_password: str | None
    unsubscribe_mailto: str | None
    keep_deliveries: int
    keep_bounces: int
    keep_requests: int
    keep_pending: int
    keep_desk_mails: int
    keep_sessions: int
    keep_webhook_events: int
    keep_audit: int
    alert_url: str | None
    webhooks_inside: tuple[tuple[str, int], ...]
    now: str | None
    speed: float
    origins: Mapping[str, str]
    rehearsal: bool = False

    def clock(self) -> Clock:
        """The clock that the desk goes by."""
        return Clock.parse(self.now, self.speed)

    def absolute_database_url(self) -> str:
        """`database_url` with a relative SQLite path resolved against the desk."""
        scheme, separator, path = self.database_url.partition(":///")
        if scheme.startswith("sqlite") and separator and path and not path.startswith(("/", ":memory:", "file:")):
            return f"{scheme}:///{self.desk / path}"
        return self.database_url

    def secret(self, place: str | None) -> str | None:
        """The secret kept at `env:NAME` (the environment, or .env) or `file:PATH` (seen from the desk); None for None.

        Raises `SettingError` naming the place where there is none.
        """
        if place is None:
            return None
        kind, _, name = place.partition(":")
        if kind == "env":
            found = os.environ.get(name) or _dotenv_layer(self.desk / ".env").get(name)
        else:
            try:
                found = (self.desk / name).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingError(f"{place}: {getattr(error, 'strerror', 'it is not UTF-8')}") from None
        if not found:
            raise SettingError(f"{place} holds nothing; put the secret there")
        return found

    def table(self) -> list[dict[str, str]]:
        """One row a setting: variable, value as text (secrets masked), origin, meaning."""
        return [
            {
                "variable": field.variable,
                "value": _shown(field, getattr(self, field.name)),
                "origin": self.origins[field.name],
                "meaning": field.help,
            }
            for field in FIELDS
        ]


def load_settings(
    desk: Path, environ: Mapping[str, str] = os.environ, flags: Mapping[str, str] | None = None
) -> Settings:
    """Gather the settings of the desk folder; raises `SettingError` naming the variable and its origin."""
    desk = desk.resolve()
    if not desk.is_dir():
        raise SettingError(f"{desk} is no folder; `newsletter init {desk}` makes a desk there")
    layers = (
        ("newsletter.toml", _toml_layer(desk / "newsletter.toml")),
        (".env", _dotenv_layer(desk / ".env")),
        ("environment", dict(environ)),
        ("command line", {f"NEWSLETTER_{k.upper()}": v for k, v in (flags or {}).items()}),
    )
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for field in FIELDS:
        text, origin = field.default, "default"
        for name, layer in layers:
            found = _read(field, layer, desk)
            if found is not None:
                text, origin = found, name
        try:
            values[field.name] = None if text is None else field.parse(text)
        except ValueError as error:
            shown = "" if field.secret else f" is {text!r}"
            raise SettingError(f"{field.variable}{shown} (from {origin}): {error}") from None
        origins[field.name] = origin
    settings = Settings(desk=desk, origins=origins, **values)
    if settings.live and settings.now:
        raise SettingError("NEWSLETTER_NOW rehearses a day and is refused while NEWSLETTER_LIVE is true; unset one")
    settings.clock()
    return settings


def _read(field: Setting, layer: Mapping[str, str], desk: Path) -> str | None:
    text = layer.get(field.variable)
    file = layer.get(f"{field.variable}_FILE")
    if file:
        try:
            return (desk / file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingError(f"{field.variable}_FILE names {file}: {error.strerror}") from None
    return text or None


def _toml_layer(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path.name}: {error}") from None
    known = {field.name for field in FIELDS} | {f"{field.name}_file" for field in FIELDS}
    for key in table:
        if key not in known:
            names = ", ".join(field.name for field in FIELDS)
            raise SettingError(f"{path.name}: {key} is not a setting; there are {names}")
    return {f"NEWSLETTER_{key.upper()}": _toml_text(value) for key, value in table.items()}


def _toml_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value)


def _dotenv_layer(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    from dotenv import dotenv_values

    return {key: value for key, value in dotenv_values(path, interpolate=False).items() if value is not None}


def _shown(field: Setting, value: object) -> str:
    if value is None:
        return ""
    if field.name in ("database_url", "smtp_url"):
        return _without_password(str(value))
    if field.secret:
        return "••••••"
    if isinstance(value, tuple):
        return ",".join(":".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without_password(url: str) -> str:
    """The URL with whatever could be a password masked: what stands between the first colon behind the scheme and
    the last @, and values of fields whose name holds "pass"."""
    scheme, separator, rest = url.partition("://")
    before, at, after = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    masked = f"{user}{':••••••' if colon else ''}{at}{after}"
    return scheme + separator + re.sub(r"(?i)([?&][^=&]*pass[^=&]*=)[^&]*", r"\1••••••", masked)


assert {f.name for f in FIELDS} == {f.name for f in dataclasses.fields(Settings)} - {"desk", "origins", "rehearsal"}
