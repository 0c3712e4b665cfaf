"""The second factor of an account: set up, asked for at the login, given up.

The secret has to be known in clear to check a code, so at rest it is sealed with `NEWSLETTER_SECRET_KEY`: who finds a
backup of the database has no codes.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.errors import ChecksFailedError, SettingError
from newsletter.newsroom.people import totp
from newsletter.newsroom.room import Newsroom
from newsletter.newsroom.sealing import seal, unseal
from newsletter.storage import Account, SecondFactor

__all__ = ["Offer", "accepts", "begin", "confirm", "end", "new_codes", "offered"]

RECOVERY_CODES = 10
_PURPOSE = "second factor"
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without l, o, 0 and 1, which people mistake for one another: 32 letters, 5 bits each."""

# Telephones go by the true time, also when the desk's own clock rehearses another day.
_seconds = time.time


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret to take into an authenticator app, as text and as address."""

    secret: str
    uri: str


def begin(room: Newsroom, who: Account) -> None:
    """Offer a new secret; it counts once a code of it was shown."""
    if not room.second_factors.offer(who, _seal(room, totp.new_secret())):
        raise ChecksFailedError("codes are asked for already; give them up first")


def offered(room: Newsroom, who: Account) -> Offer | None:
    """The secret that waits for its first code."""
    found = room.second_factors.of(who)
    if found is None or found.since is not None:
        return None
    secret = _unseal(room, found)
    host = urlsplit(room.settings.base_url).hostname or "localhost"
    return Offer(secret, totp.uri(secret, who.email, f"Newsdesk {host}"))


def confirm(room: Newsroom, who: Account, code: str) -> tuple[str, ...] | None:
    """Ask for codes from now on, since the right one was shown; returns the recovery codes, None for a wrong code."""
    found = room.second_factors.of(who)
    if found is None or found.since is not None:
        raise ChecksFailedError("no secret waits for its first code; begin anew")
    step = totp.matching_step(_unseal(room, found), code, _seconds())
    codes = _codes()
    if step is None or not room.second_factors.confirm(who, found.sealed, step, _bare(codes), room.clock.now()):
        return None
    return codes


def accepts(room: Newsroom, who: Account, code: str) -> bool:
    """Whether that is a code of the account's app which was not taken before, or a recovery code; it is used up."""
    bare = "".join(code.lower().split()).replace("-", "")
    if len(bare) > totp.DIGITS:
        return room.second_factors.use_recovery_code(who, bare)
    found = room.second_factors.of(who)
    if found is None or found.since is None:
        return False
    step = totp.matching_step(_unseal(room, found), bare, _seconds())
    return step is not None and room.second_factors.use_step(who, step)


def new_codes(room: Newsroom, who: Account) -> tuple[str, ...]:
    """Ten new recovery codes; the old ones are void."""
    codes = _codes()
    room.second_factors.renew_codes(who, _bare(codes))
    return codes


def end(room: Newsroom, who: Account) -> None:
    """Ask for no codes any more; every session of the account ends."""
    room.second_factors.forget(who)


def _codes() -> tuple[str, ...]:
    return tuple(
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    )


def _bare(codes: tuple[str, ...]) -> list[str]:
    return [code.replace("-", "") for code in codes]


def _seal(room: Newsroom, secret: str) -> str:
    return seal(room, _PURPOSE, secret)


def _unseal(room: Newsroom, found: SecondFactor) -> str:
    secret = unseal(room, _PURPOSE, found.sealed)
    if secret is None:
        raise SettingError(
            "the second factor was sealed with a key that NEWSLETTER_SECRET_KEY no longer holds; put the old key back"
            " behind the new one, or `newsletter users forget-totp EMAIL`"
        )
    return secret
