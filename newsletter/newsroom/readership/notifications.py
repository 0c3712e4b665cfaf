"""What Amazon SES tells of bounces by way of Amazon SNS: believed only with Amazon's signature, from one topic.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from newsletter import gather
from newsletter.errors import InputError, NotFoundError, SourceError
from newsletter.newsroom.readership.bouncing import Taken, take_report
from newsletter.newsroom.room import Newsroom
from subscribers.bounces.ses import read_notification

__all__ = ["Fetch", "take"]

log = logging.getLogger("newsletter.bounces")

Fetch = Callable[[str, float, int], bytes]
"""See `gather.fetch_outside`."""

_FRESH = timedelta(hours=1)
"""As long as SNS goes on trying; what is older is sent again by somebody else."""

_SECONDS, _MOST = 10.0, 64 * 1024
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")

_kept: dict[str, bytes] = {}
_fetching = threading.Lock()


def take(room: Newsroom, body: bytes, fetch: Fetch = gather.fetch_outside) -> Taken | None:
    """Take one message of the topic in the settings; None for one that only confirms the subscription.

    Harmless to repeat. Raises `NotFoundError` where no topic is set, `InputError` for what is not of that topic, not
    signed by Amazon or over an hour old, and `SourceError` when the certificate cannot be had; SNS then tries again.
    """
    topic = room.settings.bounces_topic
    if topic is None:
        raise NotFoundError("this desk takes no messages of Amazon SNS; NEWSLETTER_BOUNCES_TOPIC names the topic")
    message = _fields(body)
    if message.get("TopicArn") != topic:
        raise InputError("the message is of another topic than NEWSLETTER_BOUNCES_TOPIC")
    _check_age(message, room.clock.now())
    _check_signature(message, topic, fetch)
    match message.get("Type"):
        case "Notification":
            text = message.get("Message", "")
            digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
            return take_report(room, read_notification(text), digest)
        case "SubscriptionConfirmation":
            fetch(_address(message.get("SubscribeURL", ""), topic), _SECONDS, _MOST)
            log.info("the subscription to %s is confirmed", topic)
    return None


def _fields(body: bytes) -> Mapping[str, str]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("the body is no JSON") from None
    if not isinstance(found, dict):
        raise InputError("the body is no JSON object")
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _check_age(message: Mapping[str, str], now: datetime) -> None:
    try:
        at = datetime.fromisoformat(message.get("Timestamp", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError("the message has no Timestamp") from None
    if abs(now - at) > _FRESH:
        raise InputError("the message is over an hour old, or the clocks differ")


def _check_signature(message: Mapping[str, str], topic: str, fetch: Fetch) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.x509 import load_pem_x509_certificate

    # Version 1 is what topics have by default; its SHA-1 is Amazon's choice.
    algorithm: hashes.HashAlgorithm
    match message.get("SignatureVersion"):
        case "1":
            algorithm = hashes.SHA1()  # noqa: S303
        case "2":
            algorithm = hashes.SHA256()
        case _:
            raise InputError("the SignatureVersion is neither 1 nor 2")
    address = _address(message.get("SigningCertURL", ""), topic)
    parts = urlsplit(address)
    # With a query it would be another address each time, and each would be fetched, and push out what is kept.
    if parts.query or not _CERTIFICATE.fullmatch(parts.path):
        raise InputError("the SigningCertURL names no certificate of Amazon SNS")
    try:
        certificate = load_pem_x509_certificate(_certificate(address, fetch))
        key = certificate.public_key()
        if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
            raise InputError("the certificate of the message is not valid at this time")
        if not isinstance(key, rsa.RSAPublicKey):
            raise InputError("the certificate of the message has no RSA key")
        given = base64.b64decode(message.get("Signature", ""), validate=True)
        key.verify(given, _signed(message), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, binascii.Error, ValueError):
        raise InputError("the signature does not fit the message") from None


def _signed(message: Mapping[str, str]) -> bytes:
    names = _NOTIFICATION if message.get("Type") == "Notification" else _CONFIRMATION
    lines = [f"{name}\n{message[name]}\n" for name in names if name in message]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _address(text: str, topic: str) -> str:
    """The same address, if it is one of SNS in the topic's own region: our setting says which host is asked."""
    _, partition, _, region, *_ = topic.split(":")
    host = f"sns.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")
    try:
        parts = urlsplit(text)
        good = parts.scheme == "https" and parts.netloc == host and not parts.fragment
    except ValueError:
        good = False
    if not good or not text.isascii() or not text.isprintable():
        raise InputError(f"an address in the message is none of https://{host}")
    return text


def _certificate(address: str, fetch: Fetch) -> bytes:
    """The certificate there, asked for once; of strangers' messages no two are asked about at a time."""
    if address not in _kept:
        if not _fetching.acquire(blocking=False):
            raise SourceError("a certificate of Amazon SNS is being fetched; send the message again")
        try:
            fetched = fetch(address, _SECONDS, _MOST)
        finally:
            _fetching.release()
        if len(_kept) > 8:
            _kept.clear()
        _kept[address] = fetched
    return _kept[address]
