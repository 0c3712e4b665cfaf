"""A name server on loopback, over UDP and TCP, that answers from the lines a `MemoryResolver` takes."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

Zone = Mapping[str, Sequence[str]]


def answer(zone: Zone, silent: Sequence[str], wire: bytes, most: int) -> bytes | None:
    """The answer to a query: aliases followed, NXDOMAIN, truncated beyond `most` bytes; None for silence."""
    query = dns.message.from_wire(wire)
    response = dns.message.make_response(query)
    (question,) = query.question
    name = question.name.to_text(omit_final_dot=True).lower()
    if name in silent:
        return None
    if name not in zone:
        response.set_rcode(dns.rcode.NXDOMAIN)
    for _ in range(8):
        lines = [line.partition(" ")[::2] for line in zone.get(name, ())]
        values = [value for kind, value in lines if kind == dns.rdatatype.to_text(question.rdtype)]
        if values:
            response.answer.append(records(name, question.rdtype, values))
            break
        alias = next((value for kind, value in lines if kind == "CNAME"), None)
        if alias is None:
            break
        response.answer.append(records(name, dns.rdatatype.CNAME, [f"{alias}."]))
        name = alias
    made = response.to_wire(max_size=65535)
    if len(made) <= most:
        return made
    response.answer.clear()
    response.flags |= dns.flags.TC
    return response.to_wire()


def records(name: str, kind: dns.rdatatype.RdataType, values: Sequence[str]) -> dns.rrset.RRset:
    made: list[Any] = []
    for value in values:
        if kind == dns.rdatatype.TXT:
            data = value.encode("latin-1")
            strings = [data[at : at + 255] for at in range(0, len(data), 255)]
            made.append(TXT(dns.rdataclass.IN, kind, strings))
        else:
            made.append(dns.rdata.from_text("IN", kind, value, origin=dns.name.root, relativize=False))
    return dns.rrset.from_rdata_list(dns.name.from_text(name), 60, made)


@contextmanager
def name_server(zone: Zone, silent: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """Run it: address and port."""

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            if (made := answer(zone, silent, data, 1200)) is not None:
                sock.sendto(made, self.client_address)

    class Tcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            wire = self.rfile.read(int.from_bytes(self.rfile.read(2), "big"))
            if (made := answer(zone, silent, wire, 65535)) is not None:
                self.wfile.write(len(made).to_bytes(2, "big") + made)

    with socketserver.UDPServer(("127.0.0.1", 0), Udp) as udp:
        port = udp.server_address[1]
        with socketserver.TCPServer(("127.0.0.1", port), Tcp) as tcp:
            threads = [threading.Thread(target=each.serve_forever, args=(0.02,)) for each in (udp, tcp)]
            for thread in threads:
                thread.start()
            yield "127.0.0.1", port
            for each in (udp, tcp):
                each.shutdown()
            for thread in threads:
                thread.join()


def silent_port() -> tuple[socket.socket, int]:
    """A UDP socket that takes questions and never answers."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock, int(sock.getsockname()[1])
