"""The desk's own people: invited, given another role, kept out, let in again; their passwords."""

from __future__ import annotations

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Account, AccountMailKind, Role

__all__ = [
    "LEAST_PASSWORD",
    "LONGEST_PASSWORD",
    "change_password",
    "change_role",
    "check_new_password",
    "disable",
    "enable",
    "forgot",
    "invite",
    "mail_link",
    "password_by_link",
    "role_of",
]

LEAST_PASSWORD, LONGEST_PASSWORD = 12, 1000
"""Characters. Length is what counts; rules about digits and signs only make people write passwords down
(NIST SP 800-63B, section 3.1.1.2)."""

_COMMON = (
    *("password", "newsletter", "newsdesk", "qwertyuiop", "letmein", "welcome", "administrator", "changeme"),
    *("1234567890", "iloveyou", "correcthorsebatterystaple"),
)


def invite(room: Newsroom, email: str, role: Role) -> Account:
    """A new account without a password, and a mail to its owner with a link to set one. Raises `InputError`."""
    account = room.accounts.add(_address(email), role, room.clock.now())
    room.account_mails.ask(account.email, AccountMailKind.INVITATION, room.clock.now())
    return account


def mail_link(room: Newsroom, account: Account) -> None:
    """Mail the account's owner a link to set a password: an invitation once more, or a new password."""
    if account.disabled:
        raise ChecksFailedError(f"{account.email} is disabled; enable the account first")
    kind = AccountMailKind.PASSWORD if account.has_password else AccountMailKind.INVITATION
    room.account_mails.ask(account.email, kind, room.clock.now())


def forgot(room: Newsroom, email: str) -> None:
    """Mail a link to set a password to whoever has an account of that address; takes as long where nobody has."""
    room.account_mails.ask(email, AccountMailKind.PASSWORD, room.clock.now())


def change_role(room: Newsroom, account: Account, role: Role, *, by: Account | None = None) -> None:
    """Give somebody another role; every session of theirs ends. Nobody changes their own."""
    if by is not None and by.id == account.id:
        raise ChecksFailedError("your own role is changed by another admin")
    if account.role is role:
        raise NothingToDoError(f"{account.email} is {role} already")
    room.accounts.change_role(account.id, role)


def disable(room: Newsroom, account: Account, *, by: Account | None = None) -> None:
    """Keep somebody out; every session and link of theirs ends. Nobody keeps out themselves."""
    if by is not None and by.id == account.id:
        raise ChecksFailedError("your own account is disabled by another admin")
    if account.disabled:
        raise NothingToDoError(f"{account.email} is disabled already")
    room.accounts.disable(account.id, room.clock.now())


def enable(room: Newsroom, account: Account) -> None:
    """Let somebody in again, with the password they had."""
    if not account.disabled:
        raise NothingToDoError(f"{account.email} is enabled already")
    room.accounts.enable(account.id)


def change_password(room: Newsroom, account: Account, password: str) -> None:
    """Give the account a new password; every session of it ends, and its owner is told by mail."""
    check_new_password(password, account.email)
    room.accounts.set_password(account.id, password)
    room.account_mails.ask(account.email, AccountMailKind.CHANGED, room.clock.now())


def password_by_link(room: Newsroom, token: str, account: Account, password: str) -> bool:
    """Set a password by the link in a mail, once; False where somebody was quicker."""
    check_new_password(password, account.email)
    if room.accounts.set_password_by(token, password, room.clock.now()) is None:
        return False
    if account.has_password:
        room.account_mails.ask(account.email, AccountMailKind.CHANGED, room.clock.now())
    return True


def check_new_password(password: str, email: str) -> None:
    """Raise `InputError` for a password that is among the first to be guessed."""
    if not LEAST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(f"A password has at least {LEAST_PASSWORD} characters. A few words make a good one.")
    letters = "".join(character for character in password.lower() if character.isalnum())
    known = (*_COMMON, "".join(filter(str.isalnum, email.lower().partition("@")[0])))
    if len(set(letters)) < 5 or letters.rstrip("0123456789") in known or letters in known or email == password.lower():
        raise InputError("This password would be among the first to be guessed. Take another one.")


def role_of(text: str) -> Role:
    """The role of that name; raises `InputError`."""
    if text not in set(Role):
        raise InputError(f"choose one of the roles {', '.join(Role)}")
    return Role(text)


def _address(email: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise InputError("write a mail address such as anna@example.com") from None
    return found.normalized.lower()
