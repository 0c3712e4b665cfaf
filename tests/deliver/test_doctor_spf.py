"""SPF records as people publish them, and as nobody should."""

from __future__ import annotations

import time
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.doctor import Diagnosis, Verdict, examine_spf
from newsletter.deliver.doctor.spf_record import is_spf, read_spf
from newsletter.testing import MemoryResolver

OK, WARNING, FAILED, LEFT_OUT = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.LEFT_OUT


def examined(record: str | None, **more: list[str]) -> Diagnosis:
    """What is said of example.net with that record; `more` are other names, `_` for `.`, below example.org."""
    zone: dict[str, list[str]] = {f"{name.replace('_', '.')}.example.org": lines for name, lines in more.items()}
    zone["example.net"] = ["A 192.0.2.1"] + ([f"TXT {record}"] if record is not None else [])
    return examine_spf(MemoryResolver(zone), "example.net", "mail.example.net")[0]


@pytest.mark.parametrize(
    ("record", "verdict", "words"),
    [
        ("v=spf1 a ~all", OK, "1 look-up) and ends in ~all"),
        ("V=SPF1 A -ALL", OK, "ends in -all"),
        ("v=spf1   ip4:192.0.2.0/24  ip6:2001:db8::/32   -all  ", OK, "0 look-ups"),
        ("v=spf1 a:example.net/24//64 -all", OK, "1 look-up"),
        ("v=spf1 ip4:192.0.2.1 -all a:gone.example.org redirect=gone.example.org", OK, "0 look-ups"),
        ("v=spf1 exists:%{i}._spf.example.org ?include:%{d2}.example.org ~all", OK, "2 look-ups"),
        ("v=spf1 exp=why.example.org a=unknown x-y.z=%{s} a -all", OK, "1 look-up"),
        ("v=spf1 -all", FAILED, "no server at all may send"),
        ("v=spf1 -mx -all", FAILED, "no server at all may send"),
        ('"v=spf1 a -all"', FAILED, 'there is no SPF record (“"v=spf1 a -all"” is none'),
        ("v=spf1 a ?all", WARNING, "ends in ?all"),
        ("v=spf1 a", WARNING, "has no all"),
        ("v=spf1", WARNING, "has no all"),
        ("v=spf1 a +all", FAILED, "anybody may send"),
        ("v=spf1 all", FAILED, "anybody may send"),
        ("v=spf1 ip4:0.0.0.0/0 -all", FAILED, "anybody may send"),
        ("v=spf1 a:example.net/0 -all", FAILED, "anybody may send"),
        ("v=spf1 ip6:::/0 -all", FAILED, "anybody may send"),
        ("v=spf1 a mx -all ", OK, "2 look-ups"),
        ("v=spf1 ipv4:192.0.2.1 -all", FAILED, "“ipv4:192.0.2.1” is no mechanism"),
        ("v=spf1 ip4 -all", FAILED, "lacks what ip4 is about"),
        ("v=spf1 ip4:192.0.2.300 -all", FAILED, "is no IPv4 network"),
        ("v=spf1 ip4:192.0.2.0/255.255.255.0 -all", FAILED, "is no IPv4 network"),
        ("v=spf1 ip4:2001:db8::1 -all", FAILED, "is no IPv4 network"),
        ("v=spf1 ip6:fe80::1%eth0 -all", FAILED, "is no IPv6 network"),
        ("v=spf1 a/33 -all", FAILED, "prefix that is too long"),
        ("v=spf1 a//129 -all", FAILED, "prefix that is too long"),
        ("v=spf1 include:example.org/24 -all", FAILED, "has a wrong end"),
        ("v=spf1 include: -all", FAILED, "wrong end"),
        ("v=spf1 include:localhost -all", FAILED, "names no domain"),
        ("v=spf1 include:a.123 -all", FAILED, "names no domain"),
        ("v=spf1 a:%{x}.example.org -all", FAILED, "names no domain"),
        ("v=spf1 -all:example.org", FAILED, "takes nothing behind it"),
        ("v=spf1 redirect=a.example.org redirect=b.example.org", FAILED, "stands there twice"),
        ("v=spf1 redirect= a", FAILED, "names no domain"),
        ("v=spf1\ta -all", FAILED, "there is no SPF record"),
        ("v=spf1 a\t-all", FAILED, "not printable ASCII"),
        ("v=spf1 a -all\x1b[2J", FAILED, "not printable ASCII"),
        ("v=spf1 a –all", FAILED, "not printable ASCII"),
        ("v=spf10 a -all", FAILED, "there is no SPF record"),
        (" v=spf1 a -all", FAILED, "there is no SPF record"),
        (f"v=spf1 {'ip4:192.0.2.1 ' * 5000}-all", FAILED, "longer than 4096"),
        ("v=spf1 include:gone.example.org -all", FAILED, "of gone.example.org, which it includes, is not there"),
        ("v=spf1 redirect=gone.example.org", FAILED, "of gone.example.org, which it includes, is not there"),
        ("v=spf1 include:example.net -all", FAILED, "example.net includes itself"),
        ("v=spf1 redirect=EXAMPLE.net.", FAILED, "example.net includes itself"),
        ("v=spf1 a:x.example.org a:y.example.org ~all", OK, "2 look-ups"),
        ("v=spf1 a:x.example.org mx:y.example.org exists:z.example.org ~all", FAILED, "3 names in the record"),
    ],
)
def test_one_record(record: str, verdict: Verdict, words: str) -> None:
    found = examined(record)
    assert words in found.message
    assert found.verdict is verdict
    assert found.message.isprintable()
    assert bool(found.fix) is (verdict is not OK)


def test_a_missing_record_is_proposed() -> None:
    found = examined(None)
    assert found.verdict is FAILED
    assert found.record is not None
    assert found.record.zone_line == 'example.net. TXT "v=spf1 a:mail.example.net ~all"'


def test_two_records_are_none() -> None:
    zone = {"example.net": ["TXT v=spf1 -all", "TXT v=spf1 a -all", "TXT v=spf2 x"]}
    (found,) = examine_spf(MemoryResolver(zone), "example.net", "")
    assert "2 records" in found.message
    zone = {"example.net": ["TXT v=spf1 include:example.org -all"], "example.org": ["TXT v=spf1 -all"] * 2}
    (found,) = examine_spf(MemoryResolver(zone), "example.net", "")
    assert "of example.org, which it includes," in found.message


def test_look_ups_are_counted_through_includes() -> None:
    nine = {f"n{n}": ["TXT v=spf1 ip4:192.0.2.1 -all"] for n in range(9)}
    record = " ".join(f"include:n{n}.example.org" for n in range(9))
    assert "10 look-ups" in examined(f"v=spf1 {record} a ~all", **nine).message
    found = examined(f"v=spf1 {record} a a:example.net ~all", **nine)
    assert found.verdict is FAILED
    assert "takes 11 look-ups, and receivers give up after 10" in found.message
    deep = {f"d{n}": [f"TXT v=spf1 include:d{n + 1}.example.org -all"] for n in range(20)}
    deep["d20"] = ["TXT v=spf1 -all"]
    assert "takes 21 look-ups" in examined("v=spf1 include:d0.example.org ~all", **deep).message


def test_a_tree_of_includes_ends() -> None:
    wide = {f"w{n}": [f"TXT v=spf1 {f'include:w{n + 1}.example.org ' * 9}-all"] for n in range(50)}
    began = time.monotonic()
    found = examined("v=spf1 include:w0.example.org ~all", **wide)
    assert "more than 40 look-ups" in found.message
    assert time.monotonic() - began < 1


def test_a_loop_of_includes_ends() -> None:
    loop = {"a": ["TXT v=spf1 include:b.example.org -all"], "b": ["TXT v=spf1 redirect=a.example.org"]}
    found = examined("v=spf1 include:a.example.org ~all", **loop)
    assert found.verdict is FAILED
    assert "a.example.org includes itself" in found.message


def test_what_an_include_opens() -> None:
    wide = ["TXT v=spf1 +all"]
    assert "by the record of x.example.org anybody" in examined("v=spf1 include:x.example.org -all", x=wide).message
    assert examined("v=spf1 -include:x.example.org ~all", x=wide).verdict is OK
    assert examined("v=spf1 include:x.example.org ~all", x=["TXT v=spf1 ?all"]).verdict is OK
    assert examined("v=spf1 redirect=x.example.org", x=["TXT v=spf1 ~all"]).verdict is OK
    assert examined("v=spf1 redirect=x.example.org", x=["TXT v=spf1 ?all"]).verdict is WARNING
    assert examined("v=spf1 redirect=%{d}.example.org").verdict is WARNING


def test_too_many_mail_servers() -> None:
    many = [f"MX {n} m{n}.example.org" for n in range(11)]
    assert "11 servers" in examined("v=spf1 mx:x.example.org -all", x=many).message
    assert examined("v=spf1 mx:x.example.org -all", x=many[1:]).verdict is OK


@pytest.mark.parametrize(
    ("address", "record", "words"),
    [
        ("192.0.2.9", "ip4:192.0.2.0/24 -all", "passes (192.0.2.9)"),
        ("192.0.2.9", "a:x.example.org/24 -all", "passes"),
        ("192.0.2.9", "a:x.example.org -all", "gets fail"),
        ("192.0.2.9", "mx:m.example.org/31 ~all", "passes"),
        ("192.0.2.9", "?include:i.example.org ~all", "gets neutral"),
        ("192.0.2.9", "include:j.example.org ~all", "gets softfail"),
        ("192.0.2.9", "redirect=i.example.org", "passes"),
        ("192.0.2.9", "a", "gets neutral"),
        ("192.0.2.9", "exists:x.example.org -all", "passes"),
        ("192.0.2.9", "exists:%{i}.example.org -all", "depends on the message"),
        ("192.0.2.9", "ptr -all", "depends on the message"),
        ("192.0.2.9", "include:%{d}.example.org -all", "depends on the message"),
        ("192.0.2.9", "redirect=%{d}.example.org", "depends on the message"),
        ("2001:db8::9", "a:x.example.org//32 -all", "passes"),
        ("2001:db8::9", "ip4:192.0.2.0/24 -all", "gets fail"),
    ],
)
def test_the_relays_address(address: str, record: str, words: str) -> None:
    zone = {
        "example.net": [f"TXT v=spf1 {record}"],
        "x.example.org": ["A 192.0.2.1", "AAAA 2001:db8::1"],
        "m.example.org": ["MX 1 n.example.org"],
        "n.example.org": ["A 192.0.2.8"],
        "i.example.org": ["TXT v=spf1 a:x.example.org/28 -all"],
        "j.example.org": ["TXT v=spf1 -a:x.example.org/28 +ip4:203.0.113.1 -all"],
    }
    _, note = examine_spf(MemoryResolver(zone), "example.net", "", [ip_address(address)])
    assert words in note.message
    assert note.verdict in (OK, LEFT_OUT)


def test_no_answer_is_left_out_wherever_it_comes() -> None:
    zone = {
        "example.net": ["TXT v=spf1 include:a.example.org mx:b.example.org -all"],
        "a.example.org": ["TXT v=spf1 -all"],
    }
    for silent in ("example.net", "a.example.org", "b.example.org"):
        (found,) = examine_spf(MemoryResolver(zone, [silent]), "example.net", "", [ip_address("192.0.2.1")])
        assert (found.verdict, found.message) == (LEFT_OUT, "the name server did not answer.")


WORDS = st.sampled_from(
    ["a", "mx", "all", "+all", "-", "include:", "redirect=", "exp=", "ip4:", "ip6:", "/24", "//64", "%{", "d2r.}", "%%",
     "example.net", "x.example.org", "1.2.3.4", "::1", " ", "  ", "ptr", "exists:", ".", "=", ":", "é", "\x00"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=30).map("".join)))
def test_any_text_is_read_or_has_a_fault(text: str) -> None:
    record = read_spf(f"v=spf1 {text}")
    assert not record.fault or record.fault.isprintable()
    assert isinstance(is_spf(text), bool)
    found = examined(f"v=spf1 {text}", x=[f"TXT v=spf1 {text}", "A 192.0.2.1", "MX 1 x.example.org"])
    assert found.message.isprintable()
    assert found.verdict in Verdict
