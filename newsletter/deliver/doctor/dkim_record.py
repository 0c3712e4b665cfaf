"""The record of a DKIM key (RFC 6376 section 3.6.1, RFC 8463): whether it is there, and is that of our key."""

from __future__ import annotations

import base64
import binascii
from functools import partial

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from newsletter.deliver.dkim import DkimKey
from newsletter.deliver.doctor.diagnosis import Diagnosis, DnsRecord, Verdict, sentence, shown
from newsletter.deliver.doctor.resolver import Resolver
from newsletter.deliver.doctor.tag_list import read_tags
from newsletter.errors import NoAnswerError

__all__ = ["examine_dkim", "record_of"]

LEAST_BITS = 2048
"""Bits that an RSA key of a signer should have at least (RFC 8301 section 3.2)."""


def record_of(key: DkimKey) -> DnsRecord:
    """The record to publish for a key."""
    kind, public = _public(key)
    value = f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"
    return DnsRecord(f"{key.selector}._domainkey.{key.domain}", "TXT", value)


def examine_dkim(resolver: Resolver, key: DkimKey) -> Diagnosis:
    """What is wrong with the published half of a key, or that it is as it should be."""
    record = record_of(key)
    about = partial(Diagnosis, "DKIM", record.name)
    if isinstance(key.key, RSAPrivateKey) and key.key.key_size < LEAST_BITS:
        message = f"the key has {key.key.key_size} bits, and receivers want {LEAST_BITS} or more."
        return about(Verdict.FAILED, message, "Make a new one under a new selector, as docs/sending.md says.")
    try:
        texts = resolver.texts(record.name)
    except NoAnswerError as error:
        return about(Verdict.LEFT_OUT, sentence(error))
    if not texts:
        return about(Verdict.FAILED, "there is no such record, so no signature holds.", "Publish it.", record)
    if len(texts) > 1:
        message = f"there are {len(texts)} records, and which of them a receiver takes is chance."
        return about(Verdict.FAILED, message, "Leave only this one.", record)
    fault = _fault(texts[0], key)
    if fault:
        fix = "Publish the record of the key that NEWSLETTER_DKIM_KEY_FILE holds."
        return about(Verdict.FAILED, f"{fault}, so no signature holds.", fix, record)
    if "y" in _words(read_tags(texts[0]).tags.get("t", "")):
        message = "the record says t=y (testing): receivers treat signed mail like unsigned mail."
        return about(Verdict.WARNING, message, "Take t=y out once signatures hold.", record)
    return about(Verdict.OK, f"the record is there and is that of our key ({key.algorithm}).")


def _fault(text: str, key: DkimKey) -> str:
    """Why no receiver can verify our signatures with that record, or ""."""
    found = read_tags(text)
    tags, (kind, public) = found.tags, _public(key)
    if found.fault:
        return f"the record cannot be read: {found.fault}"
    if "v" in tags and (tags["v"] != "DKIM1" or next(iter(tags)) != "v"):
        return "v= must come first and be DKIM1, in capitals"
    if "p" not in tags:
        return "the record has no p=, which holds the key"
    if not tags["p"]:
        return "the key is revoked (its p= is empty)"
    if (published := tags.get("k", "rsa")) != kind:
        return f"the record is for a key of the kind “{shown(published, 20)}”, and ours is {kind}"
    if "h" in tags and "sha256" not in _words(tags["h"]):
        return "h= does not allow sha256, which we sign with"
    if not _words(tags.get("s", "*")) & {"*", "email"}:
        return "s= does not allow mail"
    if _bare(tags["p"], kind) != _bare(base64.b64encode(public).decode(), kind):
        return "the public key there is not that of our private key"
    return ""


def _public(key: DkimKey) -> tuple[str, bytes]:
    """The tag `k=` and the bytes of `p=`."""
    if isinstance(key.key, RSAPrivateKey):
        return "rsa", key.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "ed25519", key.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _bare(encoded: str, kind: str) -> object:
    """What two forms of one public key have in common: RSA keys are published with and without their envelope."""
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    if kind != "rsa":
        return data
    try:
        key = load_der_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return data
    return key.public_numbers() if isinstance(key, RSAPublicKey) else data


def _words(value: str) -> set[str]:
    return {word.strip() for word in value.split(":")}
