"""A visit to the mail server: everything up to the login, and goodbye. No MAIL is said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from newsletter.deliver.dialling import Extensions, Patience, Secured, dial, secured, take_leave, tls_context
from newsletter.deliver.doctor.diagnosis import Diagnosis, Verdict, sentence, shown
from newsletter.deliver.relay import Relay
from newsletter.errors import SettingError, TransportError

__all__ = ["examine_mail_server"]

SOON = timedelta(days=14)
ALL = 40.0
"""Seconds for the whole visit."""

_PATIENCE = Patience(connect=10, greeting=20, command=10, goodbye=1)


def examine_mail_server(
    relay: Relay, now: datetime, patience: Patience = _PATIENCE, seconds: float = ALL
) -> list[Diagnosis]:
    """Dial the relay as a send does, log in, and hang up; `now` (aware UTC) is what its certificate is held against."""
    try:
        extensions, tls = asyncio.run(_visit(relay, patience, seconds))
    except (TransportError, SettingError) as error:
        words = sentence(str(error).removeprefix(f"{relay}: "))
        return [Diagnosis("SMTP", str(relay), Verdict.FAILED, words, _ASK)]
    except TimeoutError:
        message = f"the mail server had not taken us after {seconds:g} s."
        return [Diagnosis("SMTP", str(relay), Verdict.FAILED, message, _ASK)]
    return list(_told(relay, extensions, tls, now))


_ASK = "Nothing can be sent until this is mended; if the settings are right, ask who runs the server."


async def _visit(relay: Relay, patience: Patience, seconds: float) -> tuple[Extensions, Secured | None]:
    async with asyncio.timeout(seconds):
        line, extensions = await dial(relay, tls_context(relay), patience)
    found = secured(line)
    await take_leave(line, patience)
    return extensions, found


def _told(relay: Relay, extensions: Extensions, tls: Secured | None, now: datetime) -> Iterator[Diagnosis]:
    about = str(relay)
    yield Diagnosis("SMTP", about, Verdict.OK, "the mail server answers and takes us.")
    yield _tls(relay, tls, now)
    if relay.user:
        yield Diagnosis("login", about, Verdict.OK, f"the login of {shown(relay.user)} is taken.")
    else:
        yield Diagnosis("login", about, Verdict.LEFT_OUT, "NEWSLETTER_SMTP_URL names no user.")
    yield _pipelining(about, extensions)
    yield Diagnosis("extensions", about, Verdict.OK, _offered(extensions))


def _tls(relay: Relay, tls: Secured | None, now: datetime) -> Diagnosis:
    about = partial(Diagnosis, "TLS", str(relay))
    if tls is None and relay.on_loopback:
        return about(Verdict.OK, "mail goes there in the clear, which on this machine does no harm.")
    if tls is None:
        message = "mail goes there in the clear: everybody on the way can read and change it."
        return about(Verdict.WARNING, message, "Take starttls=never out of NEWSLETTER_SMTP_URL.")
    found = f"{tls.version}, and the certificate holds until {tls.expires:%Y-%m-%d %H:%M} UTC"
    if tls.expires - now < SOON:
        return about(Verdict.WARNING, f"{found}, which is soon.", "See that it is renewed: without it nothing is sent.")
    return about(Verdict.OK, f"{found}.")


def _pipelining(place: str, extensions: Extensions) -> Diagnosis:
    about = partial(Diagnosis, "PIPELINING", place)
    if extensions.pipelining:
        return about(Verdict.OK, "the server takes commands ahead.")
    message = "the server offers no PIPELINING: each message costs five round trips instead of one."
    return about(Verdict.WARNING, message, "Allow it on the server, or count on a slower send.")


def _offered(extensions: Extensions) -> str:
    size = "no SIZE"
    if extensions.announces_size:
        limit = extensions.largest
        size = "SIZE without a limit" if limit is None else f"SIZE (up to {limit / 1e6:.1f} MB a message)"
    utf8 = "SMTPUTF8" if extensions.smtputf8 else "no SMTPUTF8 (addresses must be ASCII)"
    eight = "8BITMIME" if extensions.eight_bit else "no 8BITMIME (which we do not need)"
    return f"it offers {size}, {utf8}, {eight}."
