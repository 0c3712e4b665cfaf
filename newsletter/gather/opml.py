"""OPML 2.0 (opml.org/spec2), the form in which feed readers hand over their subscriptions: in and out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

from lxml import etree

from newsletter.countries import is_country
from newsletter.errors import InputError
from newsletter.gather.cleaning import clean_text
from newsletter.gather.encoding import declares_entities, decode_feed, root_element
from newsletter.gather.links import absolute_link
from newsletter.model import Refusal
from newsletter.plan.values import SourcePlan

__all__ = ["read_opml", "write_opml"]

_NAME_LIMIT = 120
_DEEPEST = 20
_KINDS = {"rss": "feed", "atom": "feed", "rdf": "feed", "feed": "feed", "jsonfeed": "jsonfeed", "json": "jsonfeed"}
_EXPORTED = ("feed", "jsonfeed")
# OPML has no attribute for what a desk calls a feed and where it files it; attributes in a namespace are its way out.
_DESK = "urn:newsletter:desk"
_ID, _COUNTRY = f"{{{_DESK}}}id", f"{{{_DESK}}}country"


def read_opml(data: bytes, name: str, taken: Collection[str] = ()) -> tuple[list[SourcePlan], list[Refusal]]:
    """The feeds of an OPML file as sources, each address once, and the outlines that are none.

    Ids are those that `write_opml` wrote, or made of the titles, other than those `taken`; a section is the title of
    the outline around. Raises `InputError` with file and line for a file that is no OPML.
    """
    root = _root(data, name)
    found: dict[str, SourcePlan] = {}
    refused: list[Refusal] = []
    ids = set(taken)
    for line, outline, section in _outlines(root):
        address = outline.get("xmlUrl")
        if address is None:
            continue
        title = clean_text(outline.get("title") or outline.get("text") or "", _NAME_LIMIT)
        url = absolute_link(address)
        kind = _KINDS.get((outline.get("type") or "rss").strip().lower(), "feed")
        if url is None:
            refused.append(Refusal(f"line {line}", f"xmlUrl is {address[:80]!r}; it must be an http(s) address"))
        elif url in found:
            refused.append(Refusal(f"line {line}", f"{url} stands in the file already, as {found[url].id}"))
        else:
            source_id = _free_id((outline.get(_ID, ""), title, _host(url)), ids)
            ids.add(source_id)
            outlet = title or _host(url)
            country = stated if is_country(stated := outline.get(_COUNTRY, "")) else None
            found[url] = SourcePlan(
                id=source_id, kind=kind, url=url, outlet=outlet, section=section or None, country=country
            )
    return list(found.values()), refused


def write_opml(sources: Iterable[SourcePlan], title: str) -> bytes:
    """The sources that are feeds as an OPML file, under an outline for each section, with their ids and countries."""
    opml = etree.Element("opml", version="2.0", nsmap={"desk": _DESK})
    etree.SubElement(etree.SubElement(opml, "head"), "title").text = title
    body = etree.SubElement(opml, "body")
    sections: dict[str, etree._Element] = {}
    for source in sources:
        if source.kind in _EXPORTED and source.url:
            holder = body
            if source.section:
                if source.section not in sections:
                    sections[source.section] = etree.SubElement(body, "outline", text=source.section)
                holder = sections[source.section]
            words = source.outlet or source.id
            kind = "rss" if source.kind == "feed" else "jsonfeed"
            outline = etree.SubElement(holder, "outline", type=kind, text=words, title=words, xmlUrl=source.url)
            outline.set(_ID, source.id)
            if source.country and is_country(source.country):
                outline.set(_COUNTRY, source.country)
    return bytes(etree.tostring(opml, encoding="utf-8", xml_declaration=True, pretty_print=True))


def _root(data: bytes, name: str) -> etree._Element:
    text = decode_feed(data, None)
    if declares_entities(text):
        raise InputError(f"{name}:1: it declares entities or a DTD of its own, which OPML does not need; not read")
    if root_element(text) != "opml":
        raise InputError(f"{name}:1: this is no OPML; a feed reader exports one, often as subscriptions.opml")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        # The text is what was decoded, whatever encoding the declaration names.
        return etree.fromstring(re.sub(r"\A\s*<\?xml.*?\?>", "", text, flags=re.DOTALL).encode(), parser)
    except etree.XMLSyntaxError as error:
        raise InputError(f"{name}:{error.lineno or 1}: not XML that can be read: {error.msg}") from None


def _outlines(root: etree._Element) -> Iterator[tuple[int, etree._Element, str]]:
    """Each outline with its line and the title of the one around it, in the file's order."""
    body = root.find("body")
    stack = [(outline, "", 0) for outline in reversed(body.findall("outline"))] if body is not None else []
    while stack:
        outline, section, depth = stack.pop()
        yield outline.sourceline or 1, outline, section
        if depth < _DEEPEST:
            inner = clean_text(outline.get("text") or outline.get("title") or "", _NAME_LIMIT)
            stack += [(each, inner, depth + 1) for each in reversed(outline.findall("outline"))]


def _free_id(names: Iterable[str], taken: Collection[str]) -> str:
    """A name in kebab case made of the first that has letters for it, with a number where it is taken."""
    base = next((made for name in names if (made := _kebab(name))), "feed")
    number = 1
    while (name := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return name


def _kebab(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")


def _host(url: str) -> str:
    return re.sub(r"^www\.", "", url.split("/")[2].split(":")[0])
