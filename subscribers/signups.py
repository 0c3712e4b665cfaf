"""Sign-ups, checked field by field: from a caller's words, or from the cells of a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from subscribers.addresses import parse_address
from subscribers.errors import PreferenceError
from subscribers.model import PENDING, SignUp, Status, Subscription
from subscribers.preferences import (
    parse_countries,
    parse_frequency,
    parse_instant,
    parse_language,
    parse_name,
    parse_text,
    parse_timezone,
)

__all__ = ["COLUMNS", "Terms", "read_signup", "sign_up"]

COLUMNS = (
    "email",
    "newsletters",
    "name",
    "countries",
    "frequency",
    "language",
    "timezone",
    "status",
    "consent_at",
    "consent_source",
)
"""The columns of a subscriber file that mean something to us; every other one is an attribute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What whoever gives us a file says about all of it.

    `known` names every newsletter of this desk, `regions` what its schedule.yaml calls a country beside the ISO
    codes. `newsletters` are for rows that name none. `consent_source` vouches for confirmed rows that say
    nothing of their consent themselves.
    """

    known: frozenset[str]
    regions: frozenset[str] = frozenset()
    newsletters: tuple[str, ...] = ()
    consent_source: str | None = None


def sign_up(
    address: str,
    newsletters: Sequence[str],
    *,
    name: str | None = None,
    countries: Sequence[str] | None = None,
    frequency: str | None = None,
    language: str | None = None,
    timezone: str | None = None,
    attributes: Mapping[str, str] = MappingProxyType({}),
    wanted: Subscription = PENDING,
    regions: Collection[str] = (),
) -> SignUp:
    """A sign-up of which every field has been read and found good; an empty field says nothing.

    `wanted` is pending, or confirmed with its evidence. Raises `AddressError` or `PreferenceError` with the
    first fault.
    """
    if not newsletters:
        raise PreferenceError("no newsletter is named")
    if wanted.status == Status.UNSUBSCRIBED:
        raise PreferenceError("nobody signs up to be unsubscribed; status is confirmed or pending")
    if wanted.status == Status.CONFIRMED and not (wanted.consent_at and wanted.consent_source):
        raise PreferenceError("confirmed needs both consent_at and consent_source")
    return SignUp(
        address=parse_address(address),
        newsletters=tuple(dict.fromkeys(newsletters)),
        name=parse_name(name) if name else None,
        countries=parse_countries(countries, regions) if countries else None,
        frequency=parse_frequency(frequency) if frequency else None,
        language=parse_language(language) if language else None,
        timezone=parse_timezone(timezone) if timezone else None,
        attributes={_attribute_name(key): parse_text(text, key) for key, text in attributes.items() if text},
        wanted=wanted,
    )


def read_signup(cells: Mapping[str, str], attributes: Mapping[str, str], terms: Terms, now: datetime) -> SignUp:
    """The sign-up that a row asks for.

    `cells` holds stripped text by the names of `COLUMNS`. Raises `AddressError` or `PreferenceError`.
    """
    countries = cells.get("countries")
    return sign_up(
        cells.get("email", ""),
        _newsletters(cells.get("newsletters") or "", terms),
        name=cells.get("name"),
        countries=_several(countries) if countries else None,
        frequency=cells.get("frequency"),
        language=cells.get("language"),
        timezone=cells.get("timezone"),
        attributes=attributes,
        wanted=_wanted(cells, terms, now),
        regions=terms.regions,
    )


def _attribute_name(name: str) -> str:
    if name != name.strip() or not name.isprintable() or name.casefold() in ("", *COLUMNS):
        raise PreferenceError(f"an attribute cannot be named {name!r}; choose another name")
    return name


def _several(cell: str) -> list[str]:
    """The values of a cell. Where semicolons part the columns, people part these with commas."""
    return cell.replace(",", ";").split(";")


def _newsletters(text: str, terms: Terms) -> tuple[str, ...]:
    names = tuple(name.strip() for name in _several(text) if name.strip()) or terms.newsletters
    for name in names:
        if name not in terms.known:
            raise PreferenceError(f"no newsletter is named {name!r}; there are {', '.join(sorted(terms.known))}")
    return names


def _wanted(cells: Mapping[str, str], terms: Terms, now: datetime) -> Subscription:
    status = (cells.get("status") or Status.PENDING).lower()
    if status not in (Status.PENDING, Status.CONFIRMED):
        raise PreferenceError(f"status {status!r} is neither confirmed nor pending")
    stamp = cells.get("consent_at")
    consent_at = parse_instant(stamp) if stamp else None
    consent_source = parse_text(cells.get("consent_source") or "", "consent_source") or None
    if status == Status.CONFIRMED and terms.consent_source is not None:
        # Who vouches for the whole file does it now, where the row does not say when.
        consent_at, consent_source = consent_at or now, consent_source or terms.consent_source
    return Subscription(Status(status), consent_at, consent_source)
