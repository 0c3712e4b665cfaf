"""One SPF record, read into its terms (RFC 7208 sections 4.5, 4.6 and 12). Nothing is asked here."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from newsletter.deliver.doctor.diagnosis import shown
from newsletter.deliver.doctor.resolver import LONGEST_TEXT, plain_domain

__all__ = ["SpfRecord", "SpfTerm", "is_spf", "read_spf"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_MECHANISM = re.compile(r"([-+?~]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?![A-Za-z0-9._=-])(.*)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)")
_PLACE = re.compile(r"(?::([^/]+(?:/(?!/?\d+(?:$|/))[^/]*)*))?(?:/(\d{1,2}))?(?://(\d{1,3}))?")
_MACRO = r"%\{[slodiphcrtv]\d{0,3}r?[-.+,/_=]*\}|%%|%_|%-"
_SPEC = re.compile(rf"(?:{_MACRO}|[!-$&-~])+", re.IGNORECASE)
_TOP_LABEL = re.compile(r"(?!\d+$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_VISIBLE = re.compile(r"[ -~]*")

_NEEDS_PLACE = ("include", "exists", "ip4", "ip6")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfTerm:
    """A mechanism. `target` is "" for the domain of the record itself; `prefixes` are those for IPv4 and for IPv6."""

    qualifier: str
    name: str
    target: str = ""
    prefixes: tuple[int, int] = (32, 128)
    network: Network | None = None

    @property
    def depends_on_mail(self) -> bool:
        """Whether only a message could tell what is asked for (macros)."""
        return "%" in self.target

    @property
    def whole_internet(self) -> bool:
        """Whether it matches any address."""
        return self.name == "all" or (self.network is not None and self.network.prefixlen == 0) or 0 in self.prefixes


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """The mechanisms up to `all`, behind which nobody looks, and whose record goes on; or the `fault`."""

    terms: tuple[SpfTerm, ...] = ()
    redirect: str = ""
    fault: str = ""

    @property
    def end(self) -> str:
        """The qualifier of `all`; "" where there is none."""
        return self.terms[-1].qualifier if self.terms and self.terms[-1].name == "all" else ""


def is_spf(text: str) -> bool:
    """Whether a TXT record is meant as SPF (section 4.5)."""
    return _VERSION.match(text) is not None


def read_spf(text: str) -> SpfRecord:
    """Read a record that `is_spf`; what cannot be read is its `fault`."""
    if len(text) > LONGEST_TEXT:
        return SpfRecord(fault=f"it is longer than {LONGEST_TEXT} characters")
    if not _VISIBLE.fullmatch(text):
        return SpfRecord(fault="it holds characters that are not printable ASCII")
    terms: list[SpfTerm] = []
    modifiers: dict[str, str] = {}
    for word in text[len("v=spf1") :].split(" "):
        if not word:
            continue
        fault = _modifier(word, modifiers) if _MODIFIER.fullmatch(word) else _mechanism(word, terms)
        if fault:
            return SpfRecord(fault=f"“{shown(word, 60)}” {fault}")
    ends = [place for place, term in enumerate(terms) if term.name == "all"]
    return SpfRecord(tuple(terms[: ends[0] + 1] if ends else terms), "" if ends else modifiers.get("redirect", ""))


def _modifier(word: str, seen: dict[str, str]) -> str:
    """Note a modifier; returns what is wrong with it, or ""."""
    name, _, value = word.partition("=")
    name = name.lower()
    if name in ("redirect", "exp"):
        if name in seen:
            return "stands there twice"
        if not _is_spec(value):
            return "names no domain"
        seen[name] = value if "%" in value else plain_domain(value)
    return ""


def _mechanism(word: str, terms: list[SpfTerm]) -> str:
    """Add a mechanism; returns what is wrong with it, or ""."""
    matched = _MECHANISM.fullmatch(word)
    if matched is None:
        return "is no mechanism of SPF"
    qualifier, name, rest = matched[1] or "+", matched[2].lower(), matched[3]
    if name in _NEEDS_PLACE and not rest.startswith(":"):
        return f"lacks what {name} is about; write {name}:…"
    if name in ("ip4", "ip6"):
        network = _network(rest[1:], 4 if name == "ip4" else 6)
        if network is None:
            return f"is no {'IPv4' if name == 'ip4' else 'IPv6'} network"
        terms.append(SpfTerm(qualifier=qualifier, name=name, network=network))
        return ""
    return _asking(qualifier, name, rest, terms)


def _asking(qualifier: str, name: str, rest: str, terms: list[SpfTerm]) -> str:
    """Add one of the mechanisms that have a domain, and `all`."""
    if name == "all":
        terms.append(SpfTerm(qualifier=qualifier, name=name))
        return "takes nothing behind it" if rest else ""
    place = _PLACE.fullmatch(rest)
    if place is None or (name not in ("a", "mx") and (place[2] or place[3])):
        return "has a wrong end"
    prefixes = int(place[2] or 32), int(place[3] or 128)
    if prefixes[0] > 32 or prefixes[1] > 128:
        return "has a prefix that is too long"
    if place[1] and not _is_spec(place[1]):
        return "names no domain"
    target = place[1] or ""
    target = target if "%" in target else plain_domain(target)
    terms.append(SpfTerm(qualifier=qualifier, name=name, target=target, prefixes=prefixes))
    return ""


def _is_spec(text: str) -> bool:
    """Whether that is a domain-spec (section 7.1): visible characters and macros, at its end a macro or a top label."""
    if not _SPEC.fullmatch(text):
        return False
    rest, dot, top = text.removesuffix(".").rpartition(".")
    return text.endswith("}") or bool(dot and rest and _TOP_LABEL.fullmatch(top))


def _network(text: str, version: int) -> Network | None:
    # Python also takes a netmask for a prefix, and a zone behind an address.
    if not re.fullmatch(r"[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?", text):
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return network if network.version == version else None
