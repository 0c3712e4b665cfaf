"""Links of stories: which ones may be shown, and one form for all spellings of the same address."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import courlan

from newsletter.gather.cleaning import visible

__all__ = ["absolute_link", "canonical_url"]

_LONGEST = 2_048
# Written as they stand in feeds, but not allowed in a URI (RFC 3986, section 2), and some end an HTML attribute.
_ESCAPED = str.maketrans({character: quote(character) for character in ' "<>\\^`{|}'})
_HOST = re.compile(r"[^\s/?#@\\%<>\"'`^{|}]+")
# Named whole, unlike courlan's list: that one drops every name that begins with "ga" or holds "_source", so that
# ?gallery=1 and ?gallery=2 would become one story.
_TRACKER = re.compile(
    r"(?:utm|mtm|pk|at|ns|vero|oly|hsa|itm)_[a-z_]+|mc_[ce]id|_ga|_gl|_hs(?:enc|mi)"
    r"|(?:fb|g|d|tw|y|ys|tt)clid|msclkid|[gw]braid|igshid|igsh|mkt_tok|xtor|cmpid|cmp|ncid|smid|ftag|ocid|spref",
    re.IGNORECASE,
)


def absolute_link(text: str, base: str = "") -> str | None:
    """The absolute http(s) address that `text` means, as given otherwise; None where there is no safe one.

    Relative references are resolved against `base`. Refused: other schemes, credentials, invisible characters,
    more than 2,048 characters.
    """
    text = re.sub(r"[\t\n\r]", "", text.strip())
    if not text or text != visible(text):
        return None
    try:
        link = urljoin(base, text) if base else text
        parts = urlsplit(link)
        _ = parts.port  # raises ValueError when it is no number
    except ValueError:
        return None
    fit = parts.scheme in ("http", "https") and parts.hostname and _HOST.fullmatch(parts.netloc)
    link = link.translate(_ESCAPED)
    return link if fit and len(link) <= _LONGEST else None


def canonical_url(url: str) -> str:
    """One spelling for an address: percent-encoded, no fragment, dot segments or tracking parameters, query sorted.

    Works on what `absolute_link` returned. Host and path are normalised by courlan.
    """
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}/"
    # "./" keeps a path that looks like an address ("/http://other.example/") a path.
    straight = urljoin(root, f"./{parts.path.lstrip('/')}")
    try:
        plain = str(courlan.normalize_url(straight))
    except ValueError:
        plain = straight
    pairs = (pair for pair in parts.query.split("&") if pair and not _TRACKER.fullmatch(pair.partition("=")[0]))
    query = quote("&".join(sorted(pairs)), safe="%&=+,;:@/?!$'()*[]~")
    scheme, netloc, path, _, _ = urlsplit(plain)
    return urlunsplit((scheme, netloc, _upper_escapes(path), _upper_escapes(query), ""))


def _upper_escapes(text: str) -> str:
    """`%e6` and `%E6` are the same (RFC 3986, section 6.2.2.1)."""
    return re.sub(r"%[0-9a-fA-F]{2}", lambda match: match[0].upper(), text)
