"""The published half of a DKIM key, and the tag lists it is written in."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver import DkimKey
from newsletter.deliver.doctor import Verdict, examine_dkim
from newsletter.deliver.doctor.dkim_record import record_of
from newsletter.deliver.doctor.tag_list import read_tags
from newsletter.testing import MemoryResolver

RSA = DkimKey("example.net", "news1", generate_private_key(65537, 2048))
SHORT = DkimKey("example.net", "news0", generate_private_key(65537, 1024))
ED = DkimKey("example.net", "ed1", Ed25519PrivateKey.generate())
OTHER = DkimKey("example.net", "news1", generate_private_key(65537, 2048))
P = record_of(RSA).value.partition("p=")[2]
NAME = "news1._domainkey.example.net"
PKCS1 = base64.b64encode(RSA.key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "verdict", "words"),
    [
        (f"v=DKIM1; k=rsa; p={P}", Verdict.OK, "is that of our key (rsa-sha256)"),
        (f"v=DKIM1;p={P}", Verdict.OK, ""),
        (f"p={P}", Verdict.OK, ""),
        (
            f" v = DKIM1 ;\t k = rsa ; h=sha1 : sha256; s=email; n=note; p = {P[:60]} {P[60:99]}\t{P[99:]} ; ",
            Verdict.OK,
            "",
        ),
        (f"v=DKIM1; p={PKCS1}", Verdict.OK, ""),
        (f"v=DKIM1; t=s; p={P}", Verdict.OK, ""),
        (f"v=DKIM1; t=y:s; p={P}", Verdict.WARNING, "t=y (testing)"),
        ("v=DKIM1; k=rsa; p=", Verdict.FAILED, "revoked"),
        ("v=DKIM1; k=rsa", Verdict.FAILED, "no p="),
        (f"v=DKIM1; k=ed25519; p={P}", Verdict.FAILED, "kind “ed25519”, and ours is rsa"),
        (f"v=DKIM1; k=\x1b; p={P}", Verdict.FAILED, "may not stand there"),
        (record_of(OTHER).value, Verdict.FAILED, "is not that of our private key"),
        ("v=DKIM1; p=@@@@", Verdict.FAILED, "is not that of our private key"),
        (f"v=DKIM1; p={P[:-8]}", Verdict.FAILED, "is not that of our private key"),
        (f"V=DKIM1; K=rsa; P={P}", Verdict.FAILED, "no p="),
        (f"v=dkim1; p={P}", Verdict.FAILED, "DKIM1, in capitals"),
        (f"k=rsa; v=DKIM1; p={P}", Verdict.FAILED, "must come first"),
        (f"v=DKIM1; h=sha1; p={P}", Verdict.FAILED, "does not allow sha256"),
        (f"v=DKIM1; s=tlsrpt; p={P}", Verdict.FAILED, "does not allow mail"),
        (f"v=DKIM1; p={P}; p={P}", Verdict.FAILED, "twice"),
        (f"v=DKIM1;; p={P}", Verdict.FAILED, "no tag=value"),
        ("news words", Verdict.FAILED, "no tag=value"),
        ("", Verdict.FAILED, "no tag=value"),
        (f"v=DKIM1; p={P}; n={'x' * 5000}", Verdict.FAILED, "longer than 4096"),
    ],
)
def test_one_record(text: str, verdict: Verdict, words: str) -> None:
    found = examine_dkim(MemoryResolver({NAME: [f"TXT {text}"]}), RSA)
    assert words in found.message
    assert found.verdict is verdict
    assert (found.record is not None) is (verdict is not Verdict.OK)
    assert found.message.isprintable()


def test_what_is_proposed_passes() -> None:
    for key in (RSA, ED):
        missing = examine_dkim(MemoryResolver({}), key)
        assert missing.verdict is Verdict.FAILED
        assert missing.record == record_of(key)
        published = MemoryResolver({missing.record.name: [f"TXT {missing.record.value}"]})
        assert examine_dkim(published, key).verdict is Verdict.OK
    assert record_of(ED).value.startswith("v=DKIM1; k=ed25519; p=")
    assert len(base64.b64decode(record_of(ED).value.partition("p=")[2])) == 32


def test_short_keys_several_records_and_silence() -> None:
    assert "1024 bits" in examine_dkim(MemoryResolver({}), SHORT).message
    two = examine_dkim(MemoryResolver({NAME: [f"TXT v=DKIM1; p={P}", "TXT v=DKIM1; p="]}), RSA)
    assert "2 records" in two.message
    assert examine_dkim(MemoryResolver({}, [NAME]), RSA).verdict is Verdict.LEFT_OUT
    alias = MemoryResolver({NAME: ["CNAME x.example.org"], "x.example.org": [f"TXT v=DKIM1; p={P}"]})
    assert examine_dkim(alias, RSA).verdict is Verdict.OK


PIECES = st.sampled_from(["v=DKIM1", "p=", P, "k=rsa", ";", "; ", "=", "t=y", " ", "\t", "é", "\x00", "h=", ":", "s=*"])


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=20).map("".join)))
def test_any_text_is_read_or_has_a_fault(text: str) -> None:
    found = read_tags(text)
    assert not (found.fault and found.tags)
    assert found.fault.isprintable()
    assert examine_dkim(MemoryResolver({NAME: [f"TXT {text}"]}), RSA).message.isprintable()
