"""Who takes a reader's mail, as far as the address tells: providers differ in what they defer and refuse."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["OTHERS", "provider_of"]

OTHERS = "others"
"""Every domain that is none of the large providers' own; who takes its mail only DNS could tell."""

_DOMAINS = {
    "gmail.com": "Google",
    "googlemail.com": "Google",
    "msn.com": "Microsoft",
    "yahoo.co.jp": "Yahoo! JAPAN",  # a firm of its own, with mail servers of its own
    "ymail.com": "Yahoo",
    "rocketmail.com": "Yahoo",
    "aol.com": "Yahoo",
    "icloud.com": "Apple",
    "me.com": "Apple",
    "mac.com": "Apple",
    "qq.com": "Tencent",
    "foxmail.com": "Tencent",
    "163.com": "NetEase",
    "126.com": "NetEase",
    "yeah.net": "NetEase",
    "naver.com": "Naver",
    "hanmail.net": "Kakao",
    "daum.net": "Kakao",
    "kakao.com": "Kakao",
    "docomo.ne.jp": "Docomo",
    "ezweb.ne.jp": "KDDI",
    "au.com": "KDDI",
    "softbank.ne.jp": "SoftBank",
    "i.softbank.jp": "SoftBank",
    "proton.me": "Proton",
    "protonmail.com": "Proton",
    "gmx.de": "GMX",
    "gmx.net": "GMX",
    "web.de": "GMX",
    "mail.ru": "Mail.ru",
    "yandex.ru": "Yandex",
}
_FAMILIES = {"hotmail": "Microsoft", "live": "Microsoft", "outlook": "Microsoft", "yahoo": "Yahoo"}
_FAMILY = re.compile(rf"({'|'.join(_FAMILIES)})\.(?:com?\.)?(?:com|[a-z]{{2}})")


def provider_of(address: str) -> str:
    """The provider's name, or `OTHERS`."""
    return _of_domain(address.rpartition("@")[2])


@lru_cache(10_000)
def _of_domain(domain: str) -> str:
    folded = domain.lower()
    family = _FAMILY.fullmatch(folded)
    return _DOMAINS.get(folded) or (_FAMILIES[family[1]] if family else OTHERS)
