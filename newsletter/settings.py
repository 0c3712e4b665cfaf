"""Settings of one installation: defaults < newsletter.toml < .env < environment < command-line flags."""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from newsletter import setting_texts as texts
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


FIELDS = (
    Setting(
        "database_url", "any SQLAlchemy URL of SQLite or PostgreSQL", texts.database, "sqlite:///newsletter.db", True
    ),
    Setting(
        "smtp_url",
        "the relay, smtp:// or smtps:// with ?starttls=require|never&connections=N&messages=N&rate=N/min&cafile=PATH;"
        " unset: the outbox",
        texts.address("smtp", "smtps"),
        secret=True,
    ),
    Setting("smtp_password", "password for the mail server, where the URL has none", str, secret=True),
    Setting("live", "until true, mail to strangers refuses to start", texts.flag, "false"),
    Setting("test_allow", "addresses or @domains that may get mail while not live", texts.words, ""),
    Setting("base_url", "public address of the web pages, used in links", texts.base_url, "http://127.0.0.1:8000"),
    Setting(
        "trusted_proxies",
        "addresses or networks (10.0.0.0/8) of proxies before the pages; only theirs X-Forwarded-For is believed",
        texts.networks,
        "",
    ),
    Setting("secret_key", "signs tokens; several keys, newest first", texts.words, secret=True),
    Setting(
        "on_unknown",
        "what a repeated send does with mail in flight when a sender died: hold it, or send it again",
        texts.choice("hold", "resend"),
        "hold",
    ),
    Setting(
        "summary_url",
        "an OpenAI-compatible endpoint that drafts AI Editor's Summaries, such as http://127.0.0.1:8080/v1",
        texts.address("http", "https"),
    ),
    Setting("summary_model", "the model asked for there", str),
    Setting("summary_key", "the key sent to it", str, secret=True),
    Setting("summary_budget", "how many notes may be asked for in a day (UTC); then it stops", texts.count, "200"),
    Setting("dkim_domain", "sign every message for this domain (DKIM)", str),
    Setting(
        "dkim_selector", "the name of the key in the DNS; two names for an RSA and an Ed25519 key", texts.words, ""
    ),
    Setting("dkim_key", "the private key as PEM; NEWSLETTER_DKIM_KEY_FILE names its file", str, secret=True),
    Setting("bounce_domain", "domain of envelope senders; unset: the sender's", texts.domain),
    Setting(
        "bounces_url",
        "the mailbox of the envelope senders, asked every minute: maildir:/path, or imaps://user@host/INBOX",
        texts.bounces_url,
    ),
    Setting("bounces_topic", "the topic of Amazon SNS that Amazon SES tells of bounces, arn:aws:sns:…", texts.topic),
    Setting("bounces_password", "password of that mailbox on an IMAP server", str, secret=True),
    Setting("unsubscribe_mailto", "address for the mailto form of List-Unsubscribe", texts.leave_address),
    Setting(
        "keep_deliveries", "days from which on nothing names the readers of a settled issue", texts.days(30), "365"
    ),
    Setting("keep_bounces", "days for which what came back of messages is kept", texts.days(30), "365"),
    Setting("keep_requests", "days for which it is kept what was asked for by public forms", texts.days(8), "30"),
    Setting("keep_pending", "days after which who never confirmed anything is forgotten", texts.days(30), "365"),
    Setting("keep_desk_mails", "days for which the desk's own mails are kept", texts.days(30), "180"),
    Setting("keep_sessions", "days for which ended sessions of the desk's people are kept", texts.days(1), "30"),
    Setting("keep_webhook_events", "days for which it is kept what webhooks were told", texts.days(8), "30"),
    Setting("keep_audit", "days for which the audit log is kept; 0: for good", texts.days(366), "0"),
    Setting("alert_url", "alerts go there as a JSON POST", texts.address("http", "https"), secret=True),
    Setting(
        "webhooks_inside",
        "hosts with ports inside your network, such as 10.0.0.7:8080, that webhooks may go to; also while not live",
        texts.hosts,
        "",
    ),
    Setting("now", "an ISO time at which a rehearsal's clock starts", str),
    Setting("speed", "how many times as fast a rehearsal's clock runs", texts.speed, "1"),
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
