"""Everything that a send of this desk rests on, looked at: mail server, domains, settings, disk, database."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

from sqlalchemy.exc import SQLAlchemyError

from newsletter import deliver
from newsletter.clock import Clock
from newsletter.deliver import DkimKey, Relay, doctor
from newsletter.deliver.doctor import Address, Diagnosis, Resolver, Verdict, plain_domain, sentence
from newsletter.errors import NewsletterError, NoAnswerError, PlanError, SettingError
from newsletter.newsroom.room import Newsroom
from subscribers.database import is_current as subscribers_are_current

__all__ = ["Part", "examine"]

ALL = 55.0
"""Seconds for everything; starting up takes some of the minute, too."""

CLOCKS_APART = 2.0  # seconds
LITTLE, TOO_LITTLE = 1 << 30, 100 << 20  # bytes that are free

# Names that nobody can own (RFC 2606, RFC 6761): a starter desk's sender.
_NOBODYS = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$")

Check = Callable[[], Sequence[Diagnosis]]


@dataclass(frozen=True, slots=True)
class Part:
    """What was found about one side of the work."""

    name: str
    found: tuple[Diagnosis, ...]


def examine(room: Newsroom, resolver: Resolver | None = None, seconds: float = ALL) -> list[Part]:
    """Look at everything, side by side and within `seconds`; `resolver` stands in for this machine's name servers.

    Nothing is changed, no mail is sent, and what is wrong is a finding, never an exception.
    """
    relay, relay_fault = _relay(room)
    keys, key_fault = _keys(room)
    senders, plan_fault = _senders(room)
    names = _Names(room, doctor.Remembering(resolver or _name_servers()), relay, keys, senders)
    return _side_by_side(
        {
            "mail server": lambda: [*relay_fault, *_mail_server(room, relay)],
            "domains": lambda: [*plan_fault, *key_fault, *names.found()],
            "desk": lambda: [*_settings(room), *_disk(room)],
            "database": lambda: list(_database(room)),
        },
        seconds,
    )


def _side_by_side(checks: Mapping[str, Check], seconds: float) -> list[Part]:
    """What each check found, in their order; one that does not end in time is left running, and that is a finding."""
    end = time.monotonic() + seconds
    found: dict[str, Sequence[Diagnosis] | Exception] = {}
    # Nothing waits for a daemon thread when the program ends: a database that never answers cannot hold it up.
    threads = {
        name: threading.Thread(target=_kept, args=(found, name, check), daemon=True) for name, check in checks.items()
    }
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(0.0, end - time.monotonic()))
    return [Part(name, tuple(_outcome(name, found.get(name), seconds))) for name in checks]


def _kept(found: dict[str, Sequence[Diagnosis] | Exception], name: str, check: Check) -> None:
    try:
        found[name] = check()
    except Exception as error:  # noqa: BLE001 - raised again where somebody hears it
        found[name] = error


def _outcome(name: str, found: Sequence[Diagnosis] | Exception | None, seconds: float) -> Sequence[Diagnosis]:
    if isinstance(found, Exception):
        raise found
    if found is None:
        message = f"it had not answered after {seconds:g} s."
        return [Diagnosis(name, "", Verdict.FAILED, message, "Find out what holds it up, and try again.")]
    return found


# --- the mail server -------------------------------------------------------------------------------------


def _relay(room: Newsroom) -> tuple[Relay | None, list[Diagnosis]]:
    if room.settings.smtp_url is None:
        return None, [Diagnosis("SMTP", "outbox/", Verdict.OK, "NEWSLETTER_SMTP_URL is not set: mail goes to outbox/.")]
    try:
        return deliver.relay_of(room.settings, room.settings.smtp_url), []
    except SettingError as error:
        return None, [Diagnosis("SMTP", "NEWSLETTER_SMTP_URL", Verdict.FAILED, sentence(error))]


def _mail_server(room: Newsroom, relay: Relay | None) -> Iterator[Diagnosis]:
    if relay is not None:
        # Certificates are held against the system's clock, not against a rehearsal's.
        yield from doctor.examine_mail_server(relay, Clock().now())
    about = partial(Diagnosis, "live", "NEWSLETTER_LIVE")
    if room.settings.live:
        yield about(Verdict.OK, "the desk is live: mail may leave for everybody.")
    elif relay is None or relay.on_loopback:
        yield about(Verdict.OK, "the desk is not live; outbox and servers on this machine take everything.")
    else:
        allowed = len(room.settings.test_allow) or "none"
        message = f"the desk is not live: mail leaves only for whom NEWSLETTER_TEST_ALLOW names (entries: {allowed})."
        yield about(Verdict.WARNING, message, "Set NEWSLETTER_LIVE=true when it is to reach all readers.")


# --- the domains -----------------------------------------------------------------------------------------


def _name_servers() -> Resolver:
    from newsletter.deliver.doctor.name_servers import NameServers

    return NameServers()


def _keys(room: Newsroom) -> tuple[tuple[DkimKey, ...], list[Diagnosis]]:
    about = partial(Diagnosis, "DKIM", room.settings.dkim_domain or "")
    try:
        keys = deliver.dkim_keys(room.settings)
    except SettingError as error:
        return (), [about(Verdict.FAILED, sentence(error))]
    if keys:
        return keys, []
    message = "mail is not signed, and Gmail and Yahoo refuse unsigned mail of bulk senders."
    return (), [about(Verdict.WARNING, message, 'See "Signatures (DKIM)" in docs/sending.md.')]


def _senders(room: Newsroom) -> tuple[tuple[str, ...], list[Diagnosis]]:
    """The domains of the newsletters' From addresses, each once."""
    try:
        domains = (plain_domain(each.sender.domain) for each in room.plan.newsletters.values())
        return tuple(dict.fromkeys(domains)), []
    except PlanError as error:
        fix = "Mend what `newsletter schedule check` names."
        return (), [Diagnosis("schedule", "schedule.yaml", Verdict.FAILED, sentence(error.problems[0]), fix)]


@dataclass(frozen=True, slots=True)
class _Names:
    """What the DNS says of this desk's domains."""

    room: Newsroom
    resolver: Resolver
    relay: Relay | None
    keys: tuple[DkimKey, ...]
    senders: tuple[str, ...]

    def found(self) -> Iterator[Diagnosis]:
        own = plain_domain(self.room.settings.bounce_domain or "")
        addresses = self._relay_addresses()
        name = self.relay.host if self.relay and addresses else ""
        for domain in (own,) if own else self.senders:
            if (nobodys := self._nobodys("SPF", domain)) is not None:
                yield nobodys
                continue
            yield from doctor.examine_spf(self.resolver, domain, name, addresses)
            yield doctor.examine_bounces(self.resolver, domain)
        for key in self.keys:
            yield self._nobodys("DKIM", plain_domain(key.domain)) or doctor.examine_dkim(self.resolver, key)
        signed_by = [plain_domain(key.domain) for key in self.keys]
        for domain in self.senders:
            yield self._nobodys("DMARC", domain) or doctor.examine_dmarc(
                self.resolver, domain, signed_by, own or domain
            )

    def _nobodys(self, check: str, domain: str) -> Diagnosis | None:
        """A finding where a domain is a name for examples, of which the DNS tells nothing."""
        if not _NOBODYS.search(domain):
            return None
        about = partial(Diagnosis, check, domain)
        message = "this is a name for examples (RFC 2606)"
        fix = "Give `sender` in schedule.yaml an address of your own domain."
        if self.relay is None or self.relay.on_loopback:
            return about(Verdict.LEFT_OUT, f"{message}, and no mail leaves this machine.", fix)
        return about(Verdict.FAILED, f"{message}: mail from it is refused.", fix)

    def _relay_addresses(self) -> tuple[Address, ...]:
        """Where the relay listens; nothing for one on this machine, which sends from who knows where."""
        if self.relay is None or self.relay.on_loopback:
            return ()
        try:
            return (ip_address(self.relay.host),)
        except ValueError:
            pass
        try:
            return self.resolver.addresses(self.relay.host)
        except NoAnswerError:
            return ()


# --- the desk --------------------------------------------------------------------------------------------


def _settings(room: Newsroom) -> Iterator[Diagnosis]:
    settings = room.settings
    about = partial(Diagnosis, "settings")
    if settings.secret_key:
        yield about("NEWSLETTER_SECRET_KEY", Verdict.OK, "there is a key that signs links.")
    else:
        fix = "`newsletter init` makes one and keeps it in .env."
        yield about("NEWSLETTER_SECRET_KEY", Verdict.FAILED, "there is no key, and links need one.", fix)
    if settings.live and not settings.base_url.startswith("https://"):
        message = "the desk is live, and its links do not begin with https://; one-click unsubscribing needs that."
        yield about("NEWSLETTER_BASE_URL", Verdict.WARNING, message, "Set it to the public https address of the pages.")
    else:
        yield about("NEWSLETTER_BASE_URL", Verdict.OK, f"links lead to {settings.base_url}.")
    if settings.unsubscribe_mailto:
        yield about("NEWSLETTER_UNSUBSCRIBE_MAILTO", Verdict.OK, "readers may unsubscribe by mail.")
    else:
        message = "it is not set: mail programs without one-click have nowhere to write to."
        yield about("NEWSLETTER_UNSUBSCRIBE_MAILTO", Verdict.WARNING, message, "Set it to an address somebody reads.")
    if settings.now:
        message = "the desk rehearses: its clock began at a time of your choice."
        yield about("NEWSLETTER_NOW", Verdict.WARNING, message, "Unset it for real issues.")


def _disk(room: Newsroom) -> list[Diagnosis]:
    about = partial(Diagnosis, "disk", str(room.desk))
    try:
        with tempfile.TemporaryFile(dir=room.desk) as probe:
            probe.write(b"x")
        free = shutil.disk_usage(room.desk).free
    except OSError as error:
        message = f"the folder cannot be written to: {error.strerror}."
        return [about(Verdict.FAILED, message, "Give this program's user the right to write there, or make room.")]
    message = f"{free / (1 << 30):.1f} GiB are free."
    if free < LITTLE:
        verdict = Verdict.FAILED if free < TOO_LITTLE else Verdict.WARNING
        return [about(verdict, message, "Make room: a disk that fills up ends a send.")]
    return [about(Verdict.OK, f"the folder can be written to, and {message}")]


def _database(room: Newsroom) -> Iterator[Diagnosis]:
    place = "NEWSLETTER_DATABASE_URL"
    try:
        place = room.bare_database.url.set(query={}).render_as_string()
        current = subscribers_are_current(room.database.engine)
        apart = _apart(room)
    except (NewsletterError, SQLAlchemyError, ImportError) as error:
        yield Diagnosis("database", place, Verdict.FAILED, sentence(str(error).partition("\n")[0]))
        return
    about = partial(Diagnosis, "database", place)
    if not current:
        yield about(Verdict.FAILED, "the subscribers' tables are of another version.", "Run `newsletter db upgrade`.")
        return
    yield about(Verdict.OK, "it answers, and its schema is this version's.")
    yield _clocks(place, apart)


def _apart(room: Newsroom) -> float | None:
    """By how many seconds the database's clock is ahead of this machine's; None for SQLite, which has none."""
    before = Clock().now()
    told = room.database.time()
    return None if told is None else (told - before - (Clock().now() - before) / 2).total_seconds()


def _clocks(place: str, apart: float | None) -> Diagnosis:
    about = partial(Diagnosis, "clock", place)
    if apart is None:
        return about(Verdict.LEFT_OUT, "SQLite has no clock of its own to compare ours with.")
    if abs(apart) > CLOCKS_APART:
        message = f"the database's clock and this machine's are {abs(apart):.1f} s apart."
        return about(Verdict.WARNING, message, "Have both follow NTP; deadlines and retries go by them.")
    return about(Verdict.OK, "the database's clock and this machine's agree.")
