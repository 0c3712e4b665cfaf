"""Which transport the settings ask for, and which keys."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from newsletter.deliver.dkim import DkimKey, read_keys
from newsletter.deliver.lines import Lines
from newsletter.deliver.nowhere import NowhereTransport
from newsletter.deliver.outbox import OutboxTransport
from newsletter.deliver.pace import Pace
from newsletter.deliver.relay import Relay
from newsletter.deliver.smtp import SmtpTransport
from newsletter.errors import SettingError
from newsletter.model import IssueId
from newsletter.ports import Lanes, Transport
from newsletter.settings import Settings

__all__ = ["dkim_keys", "open_lines", "open_pace", "open_transport", "outbox_folder", "relay_of"]


def open_transport(settings: Settings, folder: Path | None = None) -> Transport:
    """The relay of `NEWSLETTER_SMTP_URL`, else the outbox writing into `folder` (unset: the desk's outbox/); in a
    rehearsal neither.

    Nothing is dialled or made yet. Raises `SettingError` for a URL that names no relay.
    """
    if settings.rehearsal:
        return NowhereTransport()
    if settings.smtp_url is None:
        return OutboxTransport(folder or settings.desk / "outbox")
    return SmtpTransport(relay_of(settings, settings.smtp_url))


def relay_of(settings: Settings, url: str) -> Relay:
    """The relay that a `NEWSLETTER_SMTP_URL` names, a file of authorities seen from the desk. Raises `SettingError`."""
    relay = Relay.parse(url, settings.smtp_password)
    return dataclasses.replace(relay, cafile=str(settings.desk / relay.cafile)) if relay.cafile else relay


def open_pace(settings: Settings, lanes: Lanes, priority: int, patient: bool = False) -> Pace | None:
    """How fast the relay of `NEWSLETTER_SMTP_URL` is sent to, and who goes first; None for the outbox, which takes what
    comes."""
    if settings.smtp_url is None:
        return None
    relay = Relay.parse(settings.smtp_url)
    return Pace(lanes, str(relay), relay.rate, priority, patient)


def open_lines(settings: Settings) -> Lines | None:
    """The lines that this process may have to that relay; None for the outbox, which is no server."""
    return None if settings.smtp_url is None else Lines(Relay.parse(settings.smtp_url).connections)


def outbox_folder(desk: Path, issue: IssueId) -> Path:
    """Where the outbox keeps an issue's mail: `outbox/NEWSLETTER/DATE`, with `-N` for a later one of the day."""
    return desk / "outbox" / issue.newsletter / issue.day


def dkim_keys(settings: Settings) -> tuple[DkimKey, ...]:
    """What messages are signed with; nothing where no key is set. Raises `SettingError` for half a setting."""
    asked = {
        "NEWSLETTER_DKIM_DOMAIN": settings.dkim_domain,
        "NEWSLETTER_DKIM_SELECTOR": settings.dkim_selector,
        "NEWSLETTER_DKIM_KEY_FILE": settings.dkim_key,
    }
    missing = [name for name, value in asked.items() if not value]
    if len(missing) == len(asked):
        return ()
    if missing:
        raise SettingError(f"{', '.join(missing)} must be set too: a signature needs domain, selector and key")
    return read_keys(settings.dkim_domain or "", settings.dkim_selector, settings.dkim_key or "")
