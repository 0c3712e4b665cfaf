"""Webhooks in the Standard Webhooks form: made, switched, tried by hand; their events carried until they are taken.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md says what a message looks
like. Each is told at least once, in no promised order.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import random
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newsletter import gather
from newsletter.errors import ChecksFailedError, InputError, NewsletterError, NothingToDoError, SettingError
from newsletter.newsroom.documents import webhook_document
from newsletter.newsroom.people import bell
from newsletter.newsroom.readership import replaying
from newsletter.newsroom.room import Newsroom
from newsletter.newsroom.sealing import seal, unseal
from newsletter.storage import AccountMailKind, AuditLine, EventKind, Fate, Role, Webhook, WebhookDelivery
from subscribers.errors import UnknownSubscriberError

if TYPE_CHECKING:
    from newsletter.gather.calling import Called

__all__ = [
    "LONGEST_NAME",
    "carry",
    "documents",
    "is_inside",
    "make",
    "send_again",
    "switch_off",
    "switch_on",
    "try_out",
]

log = logging.getLogger("newsletter.webhooks")

LONGEST_NAME = 80

PAUSES = tuple(
    timedelta(**each)
    for each in (
        *({"seconds": 5}, {"minutes": 5}, {"minutes": 30}, {"hours": 2}, {"hours": 5}, {"hours": 10}),
        *({"hours": 14}, {"hours": 20}, {"hours": 24}),
    )
)
"""Before each further try, as the specification has it: ten tries in three days."""

PATIENCE = timedelta(days=5)
"""A webhook that has taken nothing for so long is switched off."""

SECONDS = 15.0
"""For one call."""

AT_A_WAKING = 60.0
"""Seconds for one webhook; what is left has its turn at the next waking."""

MOST, AT_ONCE = 500, 4
"""Of events read at a time, and of webhooks called at the same time."""

_PURPOSE = "webhook secret"
_NOT_LIVE = "not sent: the desk is not live"
_OVERLOADED = (429, 502, 503, 504)


def make(
    room: Newsroom, name: str, url: str, events: Collection[str], *, with_address: bool, who: str
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which nobody is shown again; raises `InputError`."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"say in up to {LONGEST_NAME} characters which program it is for")
    if not events or set(events) - set(EventKind):
        raise InputError(f"choose at least one of the events {', '.join(EventKind)}")
    _check_address(room, url)
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    sealed = seal(room, _PURPOSE, secret)
    now = room.clock.now()
    made = room.webhooks.make(name, url.strip(), sealed, events, with_address=with_address, who=who, now=now)
    return made, secret


def documents(room: Newsroom) -> list[dict[str, object]]:
    """Every webhook as JSON, with how many events it was told and what came of them."""
    counts = room.webhooks.counts()
    return [
        webhook_document(each) | {"told": {str(fate): number for fate, number in counts.get(each.id, {}).items()}}
        for each in room.webhooks.all()
    ]


def switch_on(room: Newsroom, each: Webhook) -> None:
    """Tell it again what happens from now on."""
    if not room.webhooks.switch_on(each.id):
        raise NothingToDoError(f"{each.name} is on already")


def switch_off(room: Newsroom, each: Webhook, *, who: str) -> None:
    """Tell it nothing more; what waits is given up."""
    if not room.webhooks.switch_off(each.id, room.clock.now(), f"by {who}"):
        raise NothingToDoError(f"{each.name} is off already")


def send_again(room: Newsroom, each: Webhook, event: int) -> None:
    """Have an event that was taken or given up sent once more, under the same id."""
    if each.off_at is not None:
        raise ChecksFailedError(f"{each.name} is switched off; switch it on first")
    if not room.webhooks.again(each.id, event, room.clock.now()):
        raise NothingToDoError("that is waiting to be sent already, or is known no more")


def try_out(room: Newsroom, each: Webhook) -> Called:
    """Call it at once with an event `webhook.test`, which tells of nothing.

    A person asks, so it goes whether the desk is live or not; raises `ChecksFailedError` in a rehearsal.
    """
    if room.settings.rehearsal:
        raise ChecksFailedError("this is a rehearsal, from which nothing leaves")
    told = {"type": "webhook.test", "timestamp": _stamp(room.clock.now()), "data": {"webhook": each.name}}
    return _call(room, each, f"msg_{secrets.token_hex(16)}", told)


def carry(room: Newsroom, stop: Callable[[], bool] = lambda: False) -> None:
    """Tell each webhook what is due; the clock asks. Any number of processes may; one of them does it. No call is begun
    once `stop` says so."""
    if room.settings.rehearsal or not room.webhooks.waiting(room.clock.now()):
        return
    with room.database.hold("webhooks") as held:
        if held:
            replaying.catch_up(room)  # after a restored backup nothing is told of who was erased since
            numbers = room.webhooks.waiting(room.clock.now())
            with ThreadPoolExecutor(AT_ONCE, "webhook") as workers:
                list(workers.map(partial(_carry_to, room, stop), numbers))


def is_inside(room: Newsroom, url: str) -> bool:
    """Whether the machine's owner has named that host and port."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return (parts.hostname or "", port) in room.settings.webhooks_inside


def _carry_to(room: Newsroom, stop: Callable[[], bool], number: int) -> None:
    until = time.monotonic() + AT_A_WAKING
    try:
        for row in room.webhooks.due(number, room.clock.now(), MOST):
            if stop() or time.monotonic() > until:
                return
            each = room.webhooks.get(number)  # anew: somebody may have switched it off, or the last one was not taken
            if not _may_be_told(room, each) or not _carry_one(room, each, row):
                return
    except NewsletterError as error:
        log.warning("webhook %d could not be told: %s", number, error)
    except Exception:
        log.exception("webhook %d could not be told", number)


def _may_be_told(room: Newsroom, each: Webhook) -> bool:
    """Whether it is on and can be called; what waits for one that is not is given up."""
    if each.off_at is not None:
        room.webhooks.give_up(each.id)
        return False
    if _is_reached(room, each) and unseal(room, _PURPOSE, each.secret) is None:
        # No later try fares better, and what is sealed with a key that is gone does not come back by waiting.
        _give_up(room, each, room.clock.now(), "its secret was sealed with a key that is gone")
        return False
    return True


def _is_reached(room: Newsroom, each: Webhook) -> bool:
    return room.settings.live or is_inside(room, each.url)


def _carry_one(room: Newsroom, each: Webhook, row: WebhookDelivery) -> bool:
    """Tell it one event; False where the others had better wait."""
    if not _is_reached(room, each):
        room.webhooks.settle(row, Fate.LOST, None, _NOT_LIVE)
        return True
    now = room.clock.now()
    pause = PAUSES[min(row.tries, len(PAUSES) - 1)]
    next_at = now + pause * random.uniform(1.0, 1.1)  # noqa: S311 - that not all come at once, and no secret
    # Claimed before it is sent: who dies meanwhile leaves it due again, and it may arrive twice.
    claimed = room.webhooks.claim(row, now, next_at)
    if claimed is None:
        return True
    called = _call(room, each, row.happening.uid, _told(room, each, row))
    if called.taken:
        room.webhooks.settle(claimed, Fate.TAKEN, called.status, called.words)
        if each.failing_since is not None:
            room.webhooks.mark(each.id, None)
        return True
    last = claimed.tries > len(PAUSES)
    after = None if last else max(next_at, now + timedelta(seconds=called.wait))
    room.webhooks.settle(claimed, Fate.LOST if last else Fate.WAITING, called.status, called.words, after)
    return _look_after(room, each, called, now)


def _look_after(room: Newsroom, each: Webhook, called: Called, now: datetime) -> bool:
    """Switch off what is gone or has failed for too long; False where it is no use to go on for now."""
    log.warning("webhook %s did not take an event: %s", each.name, called.words)
    room.webhooks.mark(each.id, now)
    if called.status == 410:
        _give_up(room, each, now, "it answered 410 Gone")
        return False
    since = room.webhooks.get(each.id).failing_since
    if since is not None and now - since > PATIENCE:
        _give_up(room, each, now, f"it has taken nothing since {since:%Y-%m-%d %H:%M} UTC: {called.words}")
        return False
    return called.status is not None and called.status not in _OVERLOADED


def _give_up(room: Newsroom, each: Webhook, now: datetime, why: str) -> None:
    """Switch it off, and tell the admins."""
    if not room.webhooks.switch_off(each.id, now, why):
        return
    log.error("webhook %s was switched off: %s", each.name, why)
    room.audit.write(AuditLine(at=now, kind="webhook_off", who="clock", what=each.name, remark=why))
    for person in room.accounts.people():
        if person.account.role is Role.ADMIN and not person.account.disabled:
            room.account_mails.ask(person.account.email, AccountMailKind.WEBHOOK, now)
    if trouble := bell.ring(room, "webhook", None, f"The webhook {each.name} was switched off: {why}."):
        log.warning("%s", trouble)


def _told(room: Newsroom, each: Webhook, row: WebhookDelivery) -> dict[str, object]:
    data = dict(row.happening.data)
    if each.with_address and row.happening.subscriber is not None:
        try:
            data["email"] = room.subscribers.get(row.happening.subscriber).email
        except UnknownSubscriberError:
            data["email"] = None  # erased since
    return {"type": str(row.happening.kind), "timestamp": _stamp(row.happening.at), "data": data}


def _call(room: Newsroom, each: Webhook, uid: str, told: Mapping[str, object]) -> Called:
    secret = unseal(room, _PURPOSE, each.secret)
    if secret is None:
        raise SettingError(
            f"the secret of the webhook {each.name} was sealed with a key that NEWSLETTER_SECRET_KEY no longer holds;"
            " put the old key back behind the new one, or make the webhook anew"
        )
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    stamp = str(int(time.time()))  # whoever listens refuses what is old by the true time
    signed = b".".join([uid.encode(), stamp.encode(), body])
    mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "newsdesk-newsletter",
        "webhook-id": uid,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
    return gather.call(each.url, body, headers, SECONDS, is_inside(room, each.url))


def _check_address(room: Newsroom, url: str) -> None:
    advice = "write an https address, no password in it, such as https://crm.example.com/hooks"
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise InputError(advice) from None
    well = parts.hostname and parts.username is None and url.isprintable() and len(url) <= 2000
    if not well or (parts.scheme != "https" and not (parts.scheme == "http" and is_inside(room, url.strip()))):
        raise InputError(advice)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
