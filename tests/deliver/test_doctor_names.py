"""The doctor asks the DNS: a dict and a real name server give the same answers, and no answer is not a crash."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.deliver.doctor import Diagnosis, Remembering, Resolver, Verdict, examine_spf
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
        (Verdict.OK, "example.net from 198.51.100.9"),
        (Verdict.OK, "example.net from 192.0.2.1"),
    ]
    for word, each in zip(("2 look-ups", "passes", "softfail"), found, strict=True):
        assert word in each.message


def test_silence_is_left_out_and_bounded_in_time() -> None:
    sock, port = silent_port()
    with sock:
        began = time.monotonic()
        servers = NameServers(("127.0.0.1", port), each=0.3, seconds=0.5)
        for _ in range(20):
            (found,) = examine_spf(servers, "example.net", "")
            assert found.verdict is Verdict.LEFT_OUT
        assert time.monotonic() - began < 2


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
