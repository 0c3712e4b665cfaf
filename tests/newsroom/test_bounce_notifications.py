"""Amazon SNS is believed with its signature alone, of our topic, from the host of its region, and once."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError, NotFoundError, SettingError, SourceError
from newsletter.gather import fetch_outside
from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import notifications
from newsletter.newsroom.readership.bouncing import Fate
from newsletter.newsroom.readership.envelopes import token_of
from newsletter.settings import load_settings
from subscribers.bounces.model import BounceClass
from subscribers.bounces.ses import read_notification

from .test_bouncing import desk, holder, sent_desk, suppressed

__all__ = ["desk", "sent_desk"]

TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-{'0a' * 16}.pem"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: rsa.RSAPrivateKey, days: int = 30) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(now - timedelta(days=60)).not_valid_after(now + timedelta(days=days))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Amazon:
    """Signs, and answers for its host."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pem = certificate(KEY)

    def fetch(self, address: str, seconds: float, most: int) -> bytes:
        self.asked.append(address)
        return self.pem if address.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"


@pytest.fixture
def amazon() -> Iterator[Amazon]:
    notifications._kept.clear()
    yield Amazon()
    notifications._kept.clear()


@pytest.fixture
def room(desk: Newsroom) -> Iterator[Newsroom]:
    environ = {"NEWSLETTER_NOW": desk.clock.now().isoformat(), "NEWSLETTER_BOUNCES_TOPIC": TOPIC}
    with Newsroom.open(desk.desk, environ=environ) as opened:
        yield opened


def signed(room: Newsroom, version: str = "1", key: rsa.RSAPrivateKey = KEY, **fields: str) -> dict[str, str]:
    message = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": "{}",
        "Timestamp": room.clock.now().strftime("%Y-%m-%dT%H:%M:%S.123Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
    } | fields
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    return message | {"Signature": base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), algorithm)).decode()}


def bounced(room: Newsroom, number: int, **fields: Any) -> str:
    return json.dumps(
        {
            "notificationType": "Bounce",
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [
                    {
                        "emailAddress": holder(room, number),
                        "action": "failed",
                        "status": "5.1.1",
                        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                    }
                ],
            }
            | fields,
            "mail": {"source": f"bounce+{token_of(room, number)}@news.example.com"},
        }
    )


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_signed_bounce_is_taken_once(room: Newsroom, amazon: Amazon, version: str) -> None:
    message = signed(room, version, Message=bounced(room, 7), Subject="Amazon SES")
    first = notifications.take(room, json.dumps(message).encode(), amazon.fetch)
    again = notifications.take(room, json.dumps(message).encode(), amazon.fetch)
    assert first is not None
    assert again is not None
    assert (first.fate, again.fate) == (Fate.SUPPRESSED, Fate.KNOWN)
    assert suppressed(room) == {holder(room, 7)}
    assert amazon.asked == [CERTIFICATE]


def test_a_subscription_is_confirmed_at_amazon_alone(room: Newsroom, amazon: Amazon) -> None:
    confirm = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"
    fields = {"Type": "SubscriptionConfirmation", "Token": "abc"}
    message = signed(room, SubscribeURL=confirm, **fields)
    assert notifications.take(room, json.dumps(message).encode(), amazon.fetch) is None
    assert amazon.asked == [CERTIFICATE, confirm]
    for elsewhere in ("https://evil.example/", "http://sns.eu-west-1.amazonaws.com/", f"{HOST}.evil.example/"):
        with pytest.raises(InputError, match="none of https"):
            notifications.take(room, json.dumps(signed(room, SubscribeURL=elsewhere, **fields)).encode(), amazon.fetch)
    assert amazon.asked == [CERTIFICATE, confirm]


@pytest.mark.parametrize(
    "fields",
    [
        {"TopicArn": TOPIC + "x"},
        {"Timestamp": "2026-05-20T08:00:00.000Z"},
        {"Timestamp": "soon"},
        {
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem"
        },
        {"SigningCertURL": CERTIFICATE.replace("https", "http")},
        {"SigningCertURL": CERTIFICATE.replace("eu-west-1", "us-east-1")},
        {"SigningCertURL": CERTIFICATE.replace("https://", "https://me@")},
        {"SigningCertURL": CERTIFICATE.replace(".com/", ".com:444/")},
        {"SigningCertURL": f"{HOST}/bucket/SimpleNotificationService-{'0a' * 16}.pem"},
        {"SigningCertURL": f"{CERTIFICATE}\n"},
        {"SigningCertURL": f"{CERTIFICATE}?again=1"},
        {"SigningCertURL": "https://[::1/"},
    ],
)
def test_what_is_not_of_our_topic_asks_nobody_anything(room: Newsroom, amazon: Amazon, fields: dict[str, str]) -> None:
    with pytest.raises(InputError):
        notifications.take(room, json.dumps(signed(room, Message=bounced(room, 7), **fields)).encode(), amazon.fetch)
    assert amazon.asked == []
    assert suppressed(room) == set()


def test_what_is_not_signed_is_refused(room: Newsroom, amazon: Amazon) -> None:
    good = signed(room, Message=bounced(room, 7))
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for bad in (
        good | {"Message": bounced(room, 8)},
        good | {"Signature": ""},
        good | {"Signature": "?"},
        good | {"SignatureVersion": "2"},
        good | {"SignatureVersion": "3"},
        good | {"Subject": "added"},
        {name: value for name, value in good.items() if name != "MessageId"},
        signed(room, key=other, Message=bounced(room, 7)),
    ):
        with pytest.raises(InputError):
            notifications.take(room, json.dumps(bad).encode(), amazon.fetch)
    for body in (b"", b"[]", b"\xff", b"[" * 100_000, b'{"TopicArn": 1}'):
        with pytest.raises(InputError):
            notifications.take(room, body, amazon.fetch)
    amazon.pem = certificate(KEY, days=-1)
    notifications._kept.clear()
    with pytest.raises(InputError, match="not valid"):
        notifications.take(room, json.dumps(good).encode(), amazon.fetch)
    assert suppressed(room) == set()


def test_without_a_topic_nothing_is_taken(desk: Newsroom, amazon: Amazon) -> None:
    with pytest.raises(NotFoundError):
        notifications.take(desk, b"{}", amazon.fetch)
    with pytest.raises(SettingError, match="ARN"):
        load_settings(desk.desk, {"NEWSLETTER_BOUNCES_TOPIC": "bounces"})


@pytest.mark.parametrize(
    "address", ["http://example.com/", "https://127.0.0.1:1/", "https://[::ffff:127.0.0.1]/", "https://"]
)
def test_nothing_inside_is_fetched(address: str) -> None:
    with pytest.raises(SourceError):
        fetch_outside(address, 2, 1000)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, BounceClass.ADDRESS),
        ({"bouncedRecipients": [], "bounceSubType": "NoEmail"}, BounceClass.ADDRESS),
        ({"bouncedRecipients": [], "bounceSubType": "Suppressed"}, BounceClass.OTHER),
        ({"bounceSubType": "MailboxFull"}, BounceClass.MAILBOX),
        ({"bounceType": "Transient"}, BounceClass.MAILBOX),
        ({"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": "a@b.c"}]}, BounceClass.REPLY),
        ({"bounceType": "Transient", "bounceSubType": "ContentRejected"}, BounceClass.POLICY),
        ({"bounceType": "Undetermined"}, BounceClass.UNKNOWN),
        ({"bouncedRecipients": [{"diagnosticCode": "smtp; 550 5.7.1 spam"}]}, BounceClass.POLICY),
    ],
)
def test_what_ses_tells_has_its_class(desk: Newsroom, fields: dict[str, Any], kind: BounceClass) -> None:
    assert read_notification(bounced(desk, 3, **fields)).kind is kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"notificationType": "Complaint", "complaint": {"complaintFeedbackType": "abuse"}}, BounceClass.COMPLAINT),
        ({"eventType": "Complaint", "complaint": {}}, BounceClass.COMPLAINT),
        ({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}}, BounceClass.UNKNOWN),
        (
            {"eventType": "Complaint", "complaint": {"complaintSubType": "OnAccountSuppressionList"}},
            BounceClass.UNKNOWN,
        ),
        ({"notificationType": "Delivery"}, BounceClass.DELIVERED),
        ({"eventType": "DeliveryDelay"}, BounceClass.DELAYED),
        ({"notificationType": "AmazonSnsSubscriptionSucceeded"}, BounceClass.UNKNOWN),
    ],
)
def test_complaints_and_the_rest(told: dict[str, Any], kind: BounceClass) -> None:
    assert read_notification(json.dumps(told)).kind is kind


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=9) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["notificationType", "bounce", "complaint", "bouncedRecipients", "status", "mail", "source"]
            ),
            inner | st.sampled_from(["Bounce", "Complaint", "Permanent"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON.map(json.dumps) | st.text(max_size=50))
@settings(max_examples=100, deadline=None)
def test_whatever_is_told_is_read(text: str) -> None:
    found = read_notification(text)
    assert isinstance(found.kind, BounceClass)
    assert found.words.isprintable()


def test_half_a_surrogate_pair_can_be_kept(room: Newsroom, amazon: Amazon) -> None:
    odd = [{"emailAddress": holder(room, 7), "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 \ud800\x00 unknown"}]
    message = signed(room, Message=bounced(room, 7, bouncedRecipients=odd))
    taken = notifications.take(room, json.dumps(message).encode(), amazon.fetch)
    assert taken is not None
    assert taken.fate is Fate.SUPPRESSED
