"""DMARC as RFC 9989 has it: records found by walking up the tree, alignment, and what that means for our mail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.doctor import Diagnosis, Verdict, examine_bounces, examine_dmarc
from newsletter.deliver.doctor.dmarc_record import organizational_domain, policy_record, read_dmarc, tree_walk
from newsletter.testing import MemoryResolver

OK, WARNING, FAILED, LEFT_OUT = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.LEFT_OUT
DOMAIN = "news.example.net"


def zone(**records: str) -> dict[str, list[str]]:
    """DMARC records by domain, `_` for `.`; DOMAIN exists."""
    made = {f"_dmarc.{name.replace('_', '.')}": [f"TXT {text}"] for name, text in records.items()}
    return made | {DOMAIN: ["A 192.0.2.1"]}


def examined(signed_by: str = DOMAIN, bounces_to: str = DOMAIN, **records: str) -> Diagnosis:
    return examine_dmarc(MemoryResolver(zone(**records)), DOMAIN, [signed_by] if signed_by else [], bounces_to)


@pytest.mark.parametrize(
    ("records", "verdict", "words"),
    [
        ({}, WARNING, "there is no DMARC record"),
        ({"news_example_net": "v=DMARC1; p=reject"}, OK, "of news.example.net asks for reject"),
        ({"example_net": "v=DMARC1; p=reject"}, OK, "of example.net asks for reject"),
        ({"example_net": "v=DMARC1; p=reject; sp=none"}, WARNING, "asks for none"),
        ({"example_net": "v=DMARC1; p=none; sp=quarantine; np=reject"}, OK, "asks for quarantine"),
        ({"news_example_net": "v=DMARC1; p=none; sp=reject"}, WARNING, "asks for none"),
        ({"net": "v=DMARC1; p=reject; psd=y"}, OK, "of net asks for reject"),
        ({"news_example_net": "v=DMARC1; p=reject; t=y"}, OK, "quarantine, lowered by t=y"),
        ({"news_example_net": "v=DMARC1; p=quarantine; t=y"}, WARNING, "none, lowered by t=y"),
        ({"news_example_net": "v=DMARC1"}, WARNING, "asks for none"),
        ({"news_example_net": "v=DMARC1; P = Reject ; pct=20; x=y; nonsense;;"}, OK, "asks for reject"),
        ({"news_example_net": "v = DMARC1;p=reject"}, OK, "asks for reject"),
        ({"news_example_net": "v=DMARC1; p=refuse"}, WARNING, "its p= is none of none, quarantine, reject"),
        ({"news_example_net": "v=DMARC1; p=reject; sp=x"}, WARNING, "its sp= is none"),
        ({"news_example_net": "v=DMARC1; p=refuse; rua=mailto:a@example.net"}, WARNING, "asks for none"),
        ({"news_example_net": "v=dmarc1; p=reject"}, WARNING, "“v=dmarc1; p=reject” is no DMARC record"),
        ({"news_example_net": "p=reject; v=DMARC1"}, WARNING, "is no DMARC record"),
        ({"news_example_net": "v=DMARC12; p=reject"}, WARNING, "is no DMARC record"),
        ({"news_example_net": f"v=DMARC1; p=reject; {'x' * 5000}"}, WARNING, "is no DMARC record"),
        ({"news_example_net": "v=DMARC1; p=reject\x1b[31m"}, WARNING, "its p= is none"),
    ],
)
def test_the_policy(records: dict[str, str], verdict: Verdict, words: str) -> None:
    found = examined(**records)
    assert words in found.message
    assert found.verdict is verdict
    assert found.message.isprintable()


def test_a_missing_record_is_proposed_and_several_are_none() -> None:
    found = examined()
    assert found.record is not None
    assert found.record.zone_line == (
        '_dmarc.news.example.net. TXT "v=DMARC1; p=none; rua=mailto:dmarc@news.example.net"'
    )
    two = MemoryResolver({f"_dmarc.{DOMAIN}": ["TXT v=DMARC1; p=none", "TXT v=DMARC1; p=reject"]})
    assert "2 DMARC records" in examine_dmarc(two, DOMAIN, [], DOMAIN).message


@pytest.mark.parametrize(
    ("signed_by", "bounces_to", "records", "words"),
    [
        (DOMAIN, DOMAIN, {"example_net": "v=DMARC1; p=reject"}, "by DKIM and SPF"),
        ("example.net", "b.example.net", {"example_net": "v=DMARC1; p=reject"}, "by DKIM and SPF"),
        ("example.net", DOMAIN, {"example_net": "v=DMARC1; p=reject; adkim=s"}, "aligns by SPF"),
        ("example.net", "b.example.net", {"example_net": "v=DMARC1; p=reject; aspf=s"}, "aligns by DKIM"),
        ("", "mailer.example.org", {"example_net": "v=DMARC1; p=reject"}, "neither"),
        ("mailer.example.org", "mailer.example.org", {"example_net": "v=DMARC1; p=quarantine"}, "neither"),
        # Two organizations below one public suffix.
        ("other.net", "other.net", {"example_net": "v=DMARC1; p=reject", "net": "v=DMARC1; psd=y"}, "neither"),
        # Its own organization: nothing above it counts.
        ("example.net", "example.net",
         {"news_example_net": "v=DMARC1; p=reject; psd=n", "example_net": "v=DMARC1; p=reject"}, "neither"),
        ("a.b.news.example.net", "", {"news_example_net": "v=DMARC1; p=reject; psd=n"}, "by DKIM"),
    ],
)  # fmt: skip
def test_alignment(signed_by: str, bounces_to: str, records: dict[str, str], words: str) -> None:
    found = examined(signed_by, bounces_to, **records)
    assert words in found.message
    assert found.verdict is (FAILED if words == "neither" else OK)


def test_what_does_not_align_fails_only_where_somebody_minds() -> None:
    assert examined("", "example.org", example_net="v=DMARC1; p=none").verdict is WARNING
    assert examined("", "example.org", example_net="v=DMARC1; p=quarantine; t=y").verdict is WARNING
    refused = examined("", "example.org", example_net="v=DMARC1; p=reject")
    assert "so receivers refuse it" in refused.message
    assert "NEWSLETTER_DKIM_DOMAIN" in refused.fix


def test_a_name_that_does_not_exist_has_a_policy_of_its_own() -> None:
    record = {"_dmarc.example.net": ["TXT v=DMARC1; p=none; sp=none; np=reject"]}
    assert "asks for reject" in examine_dmarc(MemoryResolver(record), DOMAIN, [DOMAIN], DOMAIN).message
    record[DOMAIN] = ["MX 10 mail.example.net"]
    assert "asks for none" in examine_dmarc(MemoryResolver(record), DOMAIN, [DOMAIN], DOMAIN).message


def test_the_walk_of_a_long_name_takes_eight_questions() -> None:
    resolver = MemoryResolver({})
    assert tree_walk(resolver, "a.b.c.d.e.f.g.h.i.j.mail.example.com") == []
    assert [name for _, name in resolver.asked] == [
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com",
        "_dmarc.i.j.mail.example.com",
        "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    ]
    resolver.asked.clear()
    tree_walk(resolver, "a.b.c.d.e.mail.example.com")
    assert len(resolver.asked) == 8


def test_the_organizational_domain() -> None:
    start = "a.mail.example.com"

    def organization(**records: str) -> str:
        return organizational_domain(tree_walk(MemoryResolver(zone(**records)), start), start)

    plain = "v=DMARC1; p=none"
    assert organization() == start
    assert organization(mail_example_com=plain, example_com=plain) == "example.com"
    assert organization(com=f"{plain}; psd=y") == "example.com"
    assert organization(mail_example_com=f"{plain}; psd=n", example_com=plain) == "mail.example.com"
    assert organization(a_mail_example_com=f"{plain}; psd=y", example_com=plain) == "example.com"
    assert organization(example_com=f"{plain}; psd=y", com=plain) == "mail.example.com"


def test_a_record_between_does_not_speak() -> None:
    records = zone(mail_example_com="v=DMARC1; p=reject", example_com="v=DMARC1; p=none")
    walked = tree_walk(MemoryResolver(records), "a.mail.example.com")
    found = policy_record(walked, "a.mail.example.com")
    assert found is not None
    assert found.domain == "example.com"


def test_no_answer_is_left_out() -> None:
    for silent in (f"_dmarc.{DOMAIN}", "_dmarc.example.net", "_dmarc.example.org"):
        resolver = MemoryResolver(zone(news_example_net="v=DMARC1; p=reject"), [silent])
        assert examine_dmarc(resolver, DOMAIN, ["example.org"], DOMAIN).verdict is LEFT_OUT


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_text_is_a_record_or_none(text: str, name: str) -> None:
    read_dmarc(name, text)
    assert read_dmarc(DOMAIN, f"v=DMARC1;{text}") is not None
    found = examined(example_net=f"v=DMARC1; {text}", news_example_net=text)
    assert found.message.isprintable()


@pytest.mark.parametrize(
    ("records", "verdict", "words"),
    [
        ({"example.net": ["MX 10 m.example.net"], "m.example.net": ["A 192.0.2.1"]}, OK, "by way of m.example.net"),
        ({"example.net": ["MX 0 ."]}, FAILED, "null MX"),
        ({"example.net": ["MX 0 .", "MX 10 m.example.net"], "m.example.net": ["A 192.0.2.1"]}, WARNING,
         "null MX beside"),
        ({"example.net": ["MX 10 m.example.net", "MX 20 n.example.net"], "m.example.net": ["AAAA ::2"]}, WARNING,
         "n.example.net"),
        ({"example.net": ["MX 10 m.example.net"]}, FAILED, "none of its mail servers has an address (m.example.net)"),
        ({"example.net": ["A 192.0.2.1"]}, WARNING, "no MX record"),
        ({}, FAILED, "neither MX nor address"),
    ],
)  # fmt: skip
def test_bounces_come_back(records: dict[str, list[str]], verdict: Verdict, words: str) -> None:
    found = examine_bounces(MemoryResolver(records), "example.net")
    assert words in found.message
    assert found.verdict is verdict
    assert examine_bounces(MemoryResolver(records, ["example.net"]), "example.net").verdict is LEFT_OUT
