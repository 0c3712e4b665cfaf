"""The doctor asks the DNS: a dict and a real name server give the same answers, and no answer is not a crash."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address

import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.deliver.doctor import (
    Diagnosis,
    Remembering,
    Resolver,
    Verdict,
    examine_bounces,
    examine_dmarc,
    examine_spf,
)
from newsletter.deliver.doctor.diagnosis import DnsRecord, shown
from newsletter.deliver.doctor.name_servers import NameServers
from newsletter.deliver.doctor.resolver import LONGEST_TEXT, plain_domain
from newsletter.errors import NoAnswerError
from newsletter.testing import MemoryResolver
from tests.deliver.dns_server import name_server, silent_port

ZONE = {
    "example.net": ["TXT v=spf1 include:_spf.example.org mx ~all", "TXT other words", "MX 20 b.example.net",
                    "MX 10 a.example.net", "A 192.0.2.1", "AAAA 2001:db8::1"],
    "a.example.net": ["A 192.0.2.7"],
    "b.example.net": ["CNAME c.example.net"],
    "c.example.net": ["CNAME a.example.net"],
    "_spf.example.org": ["TXT v=spf1 ip4:198.51.100.0/24 -all"],
    "none.example.net": ["MX 0 ."],
    "round.example.net": ["CNAME square.example.net"],
    "square.example.net": ["CNAME round.example.net"],
    "bytes.example.net": ["TXT \xff\x00\x1b[31m"],
    "long.example.net": [f"TXT v=spf1 {'ip4:192.0.2.1 ' * 4200}-all"],
    "wide.example.net": [f"TXT {'k' * 3000}"],
    "empty.example.net": ["A 192.0.2.9"],
}  # fmt: skip


@pytest.fixture(params=["memory", "loopback"])
def resolver(request: pytest.FixtureRequest) -> Iterator[Resolver]:
    if request.param == "memory":
        yield MemoryResolver(ZONE, silent=("silent.example.net",))
    else:
        with name_server(ZONE, ("silent.example.net",)) as place:
            yield NameServers(place, each=0.5)


def test_both_resolvers_keep_the_contract(resolver: Resolver) -> None:
    assert sorted(resolver.texts("example.net")) == ["other words", "v=spf1 include:_spf.example.org mx ~all"]
    assert resolver.mail_servers("example.net") == ((10, "a.example.net"), (20, "b.example.net"))
    assert set(resolver.addresses("example.net")) == {ip_address("192.0.2.1"), ip_address("2001:db8::1")}
    assert resolver.addresses("b.example.net") == (ip_address("192.0.2.7"),)
    assert resolver.mail_servers("none.example.net") == ((0, ""),)
    assert resolver.texts("bytes.example.net") == ("\xff\x00\x1b[31m",)
    assert resolver.texts("wide.example.net") == ("k" * 3000,)
    assert len(resolver.texts("long.example.net")[0]) > LONGEST_TEXT
    for nothing in ("empty.example.net", "nowhere.example.net", "a..b", "x" * 70 + ".example.net", ""):
        assert resolver.texts(nothing) == ()
        assert resolver.mail_servers(nothing) == ()
    with pytest.raises(NoAnswerError, match="did not answer"):
        resolver.texts("silent.example.net")


def test_aliases_that_go_round_are_no_answer() -> None:
    with name_server(ZONE) as place, pytest.raises(NoAnswerError):
        NameServers(place, each=1).texts("round.example.net")


def test_a_record_is_judged_over_udp() -> None:
    with name_server(ZONE) as place:
        addresses = [ip_address("198.51.100.9"), ip_address("192.0.2.1")]
        found = examine_spf(NameServers(place), "example.net", "", addresses)
    assert [(each.verdict, each.place) for each in found] == [
        (Verdict.OK, "example.net"),
        (Verdict.OK, "example.net"),
    ]
    assert "2 look-ups" in found[0].message
    assert found[1].message == "192.0.2.1 gets softfail; that matters if the relay sends from there."


def test_silence_is_left_out_and_bounded_in_time() -> None:
    sock, port = silent_port()
    with sock:
        began = time.monotonic()
        servers = NameServers(("127.0.0.1", port), each=0.3, seconds=0.5)
        for _ in range(20):
            (found,) = examine_spf(servers, "example.net", "")
            assert found.verdict is Verdict.LEFT_OUT
        assert time.monotonic() - began < 2


def garbled(wire: bytes, how: str) -> bytes:
    """What a broken or hostile name server says to a question."""
    response = dns.message.make_response(dns.message.from_wire(wire))
    match how:
        case "noise":
            return bytes(range(60))
        case "noise behind the right id":
            return wire[:2] + bytes(range(60))
        case "a name that points to itself":
            head = wire[:2] + b"\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\x10\0\1"
            return head + b"\xc0\x0c\0\x10\0\1\0\0\0\1\0\1\0"
        case "nothing":
            return b""
        case "the question alone":
            return wire
        case "cut off, and no TCP":
            response.flags |= dns.flags.TC
        case "an error":
            response.set_rcode(dns.rcode.SERVFAIL)
    return response.to_wire()


@pytest.mark.parametrize(
    "how",
    ["noise", "noise behind the right id", "a name that points to itself", "nothing", "the question alone",
     "cut off, and no TCP", "an error"],
)  # fmt: skip
def test_an_answer_that_is_none_is_left_out(how: str) -> None:
    sock, port = silent_port()

    def speak() -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, sender = sock.recvfrom(4096)
                if not wire:
                    return
                sock.sendto(garbled(wire, how), sender)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        (found,) = examine_spf(NameServers(("127.0.0.1", port), each=0.3), "example.net", "")
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", ("127.0.0.1", port))
        thread.join()
        sock.close()
    assert found.verdict is Verdict.LEFT_OUT
    assert found.message.startswith("the name server did not answer")


def test_hostile_zones_are_judged_in_time() -> None:
    zone = {
        "big.net": [f"TXT v=spf1 {'a ' * 1500}-all"],
        "many.net": [f"TXT v=spf1 ip4:10.0.0.{n} -all" for n in range(1500)],
        "servers.net": [f"MX {n} \\027[31m{n}.servers.net." for n in range(900)],
        "upper.net": ["TXT V=SPF1 A:UPPER.NET. MX -ALL", "A 192.0.2.1", "MX 1 UPPER.NET."],
        "_dmarc.upper.net": ["TXT v=DMARC1; P=REJECT; ADKIM=S; ASPF=S; T=Y"],
        **{f"chain{n}.net": [f"CNAME chain{n + 1}.net"] for n in range(6)},
        "chain6.net": ["TXT v=spf1 a -all", "A 192.0.2.1"],
    }
    with name_server(zone) as place:
        resolver = NameServers(place)
        said = {name: examine_spf(resolver, name, "")[0].message for name in zone}
        assert "more than 40 look-ups" in said["big.net"]
        assert "1500 records" in said["many.net"]
        assert "2 look-ups" in said["upper.net"]
        assert "1 look-up" in said["chain0.net"]
        assert "none of its mail servers" in examine_bounces(resolver, "servers.net").message
        assert "quarantine, lowered by t=y" in examine_dmarc(resolver, "upper.net", [], "upper.net").message


def test_each_question_is_asked_once_silence_included() -> None:
    inner = MemoryResolver(ZONE, silent=("silent.example.net",))
    resolver = Remembering(inner)
    for name in ("example.net", "EXAMPLE.net.", "example.net"):
        assert len(resolver.texts(name)) == 2
        with pytest.raises(NoAnswerError):
            resolver.addresses("silent.example.net")
    assert inner.asked == [("TXT", "example.net"), ("A", "silent.example.net")]


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_name_has_an_answer(name: str) -> None:
    sock, port = silent_port()
    with sock, contextlib.suppress(NoAnswerError):
        NameServers(("127.0.0.1", port), each=0.001).texts(name)
    assert isinstance(plain_domain(name), str)


@given(st.text(max_size=400))
def test_a_strangers_words_are_printable_and_bounded(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 161


def test_a_long_record_is_written_in_several_strings() -> None:
    assert DnsRecord("a.example.net", "TXT", "k" * 300).zone_line == f'a.example.net. TXT "{"k" * 255}" "{"k" * 45}"'
    assert DnsRecord("example.net", "MX", "10 m.example.net.").zone_line == "example.net. MX 10 m.example.net."
    assert Diagnosis("SPF", "x", Verdict.OK, "fine.").record is None


def test_domains_have_one_form() -> None:
    assert plain_domain(" Bücher.Example. ") == "xn--bcher-kva.example"
    assert plain_domain("EXAMPLE.net") == "example.net"
