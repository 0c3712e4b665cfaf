"""From the bytes of a feed to its text: the encoding it really has, and no declarations that could do harm."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

__all__ = ["declares_entities", "decode_feed", "root_element"]

# The superset that publishers mean by a name, after the WHATWG Encoding Standard, section 4.2.
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_LABELS = {
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-gbk": "gb18030",
    "windows-949": "cp949",
    "windows-874": "cp874",
}
_TRUSTED = re.compile(
    r"utf-8|utf-16(-[bl]e)?|cp(125[0-8]|866|874|932|949)|iso8859-\d+|koi8-[ru]|gb18030|big5hkscs|euc_jp|iso2022_jp|mac-(roman|cyrillic)"
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_DECLARED = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)")
# XML 1.0, section 2.2: characters that no document may hold.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MISC = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?:[^>\[\"']|\"[^\"]*\"|'[^']*')*>", re.DOTALL | re.IGNORECASE)
_SUBSET = re.compile(r"<!DOCTYPE(?:[^>\[\"']|\"[^\"]*\"|'[^']*')*\[", re.IGNORECASE)
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")


def decode_feed(data: bytes, content_type: str | None) -> str:
    """The text of a feed, by byte order mark, HTTP charset, XML declaration, UTF-8, then windows-1252.

    The first encoding that fits all bytes wins. windows-1252 fits anything, so it is believed last even when it
    (or ISO 8859-1, or ASCII) is what the server said. Never fails.
    """
    mark = next((mark for mark in _MARKS if data.startswith(mark[0])), None)
    candidates = [mark[1]] if mark else list(_candidates(data, content_type))
    for encoding in sorted(candidates, key=lambda name: name == "cp1252"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = data.decode(candidates[0] if mark else "cp1252", errors="replace")
    return _NOT_XML.sub("", text.removeprefix("\ufeff")).lstrip()


def declares_entities(text: str) -> bool:
    """Whether the document has an internal DTD subset or declares entities; a bare DOCTYPE is harmless."""
    position = _prolog_end(text)
    first_tag = _ROOT.search(text)
    return bool(_SUBSET.match(text, position)) or "<!ENTITY" in text[: first_tag.start() if first_tag else None].upper()


def root_element(text: str) -> str | None:
    """The name of the outermost element in lower case, None where there is none."""
    match = _ROOT.match(text, _prolog_end(text))
    return match[1].lower() if match else None


def _candidates(data: bytes, content_type: str | None) -> Iterator[str]:
    charset = _CHARSET.search(content_type or "")
    declared = _DECLARED.match(data[:1000])
    for label in (charset and charset[1], declared and declared[1].decode("ascii")):
        # A declaration that can be read as ASCII is not in UTF-16, whatever it says.
        if label and (name := _codec(label)) and not name.startswith("utf-16"):
            yield name
    yield "utf-8"


def _codec(label: str) -> str | None:
    try:
        name = codecs.lookup(_LABELS.get(label.lower(), label)).name
    except LookupError:
        return None
    name = _MEANT.get(name, name)
    return name if _TRUSTED.fullmatch(name) else None


def _prolog_end(text: str) -> int:
    position = 0
    while match := _MISC.match(text, position):
        position = match.end()
    return position
