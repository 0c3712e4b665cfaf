"""Who may do what: one table from route to role. A route that is not in it cannot be served."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from newsletter.storage import Role

__all__ = ["ACCESS", "KEY", "PUBLIC", "Access", "Bearer", "Key", "allows"]

PUBLIC = None
"""No login: anybody, or whoever holds the token in the address."""


class Key(Enum):
    """A program that bears a key of schedule.yaml; no person's session opens these."""

    KEY = "key"


KEY = Key.KEY


@dataclass(frozen=True, slots=True)
class Bearer:
    """A program that bears an API token of at least that role; no person's session opens these."""

    role: Role


Access = Role | Key | Bearer | None

ACCESS: dict[str, Access] = {
    # The desk. Editors see counts, admins see addresses; the outbox holds whole messages with working links.
    "board": Role.VIEWER,
    "day_after": Role.VIEWER,
    "issue_list": Role.VIEWER,
    "issue": Role.VIEWER,
    "issue_mail": Role.VIEWER,
    "issue_approve": Role.APPROVER,
    "issue_arrange": Role.EDITOR,
    "issue_words": Role.EDITOR,
    "issue_story": Role.VIEWER,
    "issue_story_change": Role.EDITOR,
    "issue_revisions": Role.VIEWER,
    "issue_restore": Role.EDITOR,
    "issue_build": Role.EDITOR,
    "issue_proof": Role.EDITOR,
    "issue_undo": Role.APPROVER,
    "issue_stop": Role.APPROVER,
    "issue_rest": Role.APPROVER,
    "issue_cancel": Role.APPROVER,
    "issue_correct": Role.APPROVER,
    "issue_decide": Role.APPROVER,
    "issue_live": Role.VIEWER,
    "issue_recipients": Role.ADMIN,
    "report_list": Role.EDITOR,
    "report_change": Role.EDITOR,
    "issue_reader": Role.ADMIN,
    "story_list": Role.VIEWER,
    "story_file": Role.EDITOR,
    "subscriber_list": Role.ADMIN,
    "subscriber": Role.ADMIN,
    "subscriber_change": Role.ADMIN,
    "subscriber_data": Role.ADMIN,
    "subscriber_import": Role.ADMIN,
    "subscriber_upload": Role.ADMIN,
    "subscriber_file": Role.ADMIN,
    "subscriber_file_order": Role.ADMIN,
    "subscriber_rejects": Role.ADMIN,
    "subscriber_export": Role.ADMIN,
    "bounce_held": Role.ADMIN,
    "bounce_settle": Role.ADMIN,
    # Whoever may look sees what is due; what decides when readers hear from the desk is for admins.
    "schedule_list": Role.VIEWER,
    "schedule_newsletter": Role.VIEWER,
    "schedule_slot": Role.VIEWER,
    "schedule_pause": Role.ADMIN,
    "schedule_pause_all": Role.ADMIN,
    "schedule_resume": Role.ADMIN,
    "schedule_skip": Role.ADMIN,
    "schedule_move": Role.ADMIN,
    "schedule_extra": Role.ADMIN,
    "schedule_run": Role.ADMIN,
    "schedule_end": Role.ADMIN,
    "schedule_file": Role.ADMIN,
    "schedule_file_check": Role.ADMIN,
    "schedule_file_diff": Role.ADMIN,
    "schedule_file_save": Role.ADMIN,
    "schedule_file_schema": Role.ADMIN,
    "schedule_apply": Role.ADMIN,
    # What every mail is made from, by code that runs (in a sandbox) wherever mail is made.
    "template_list": Role.ADMIN,
    "template_start": Role.ADMIN,
    "template_file": Role.ADMIN,
    "template_check": Role.ADMIN,
    "template_mail": Role.ADMIN,
    "template_save": Role.ADMIN,
    "template_shipped": Role.ADMIN,
    "source_list": Role.VIEWER,
    "source_switch": Role.ADMIN,
    "outbox": Role.EDITOR,
    "outbox_folder": Role.EDITOR,
    "outbox_message": Role.EDITOR,
    "outbox_mail": Role.EDITOR,
    "logout": Role.VIEWER,
    # One's own account.
    "account": Role.VIEWER,
    "account_password": Role.VIEWER,
    "account_session_end": Role.VIEWER,
    "account_totp": Role.VIEWER,
    "account_totp_begin": Role.VIEWER,
    "account_totp_confirm": Role.VIEWER,
    "account_totp_codes": Role.VIEWER,
    "account_totp_end": Role.VIEWER,
    # The desk's people and programs, what they did, how the desk is set.
    "user_list": Role.ADMIN,
    "user_invite": Role.ADMIN,
    "user_role": Role.ADMIN,
    "user_disable": Role.ADMIN,
    "user_enable": Role.ADMIN,
    "user_link": Role.ADMIN,
    "user_totp": Role.ADMIN,
    "token_list": Role.ADMIN,
    "token_make": Role.ADMIN,
    "token_revoke": Role.ADMIN,
    "webhook_list": Role.ADMIN,
    "webhook_make": Role.ADMIN,
    "webhook": Role.ADMIN,
    "webhook_order": Role.ADMIN,
    "audit_list": Role.ADMIN,
    "setting_list": Role.ADMIN,
    # The way in.
    "login": PUBLIC,
    "login_code": PUBLIC,
    "login_link": PUBLIC,
    "forgot": PUBLIC,
    "password": PUBLIC,
    # Approvers by the link in their mail, and readers: the token in the address speaks for them.
    "approval": PUBLIC,
    "approval_mail": PUBLIC,
    "view": PUBLIC,
    "follow": PUBLIC,
    "unsubscribe": PUBLIC,
    "preferences": PUBLIC,
    "link_needed": PUBLIC,
    "subscribe": PUBLIC,
    "confirm": PUBLIC,
    "link_mail": PUBLIC,
    "data_mail": PUBLIC,
    "own_data": PUBLIC,
    "data_file": PUBLIC,
    "data_address": PUBLIC,
    "data_delete": PUBLIC,
    "address_change": PUBLIC,
    "report": PUBLIC,
    # Everybody.
    "archive": PUBLIC,
    "archive_newsletter": PUBLIC,
    "archive_issue": PUBLIC,
    "archive_editions": PUBLIC,
    "archive_feed": PUBLIC,
    "archive_story": PUBLIC,
    "flag": PUBLIC,
    "static": PUBLIC,
    # Programs: the action itself finds whose key it is.
    "story_push": KEY,
    "ghost_webhook": KEY,
    "bounces_sns": KEY,
    "me": Bearer(Role.VIEWER),
    "api_stories": Bearer(Role.VIEWER),
    "api_story": Bearer(Role.VIEWER),
    "api_story_withdraw": Bearer(Role.EDITOR),
    "api_newsletters": Bearer(Role.VIEWER),
    "api_issues": Bearer(Role.VIEWER),
    "api_issue": Bearer(Role.VIEWER),
    "api_books": Bearer(Role.VIEWER),
    "api_subscribers": Bearer(Role.ADMIN),
    "api_subscriber": Bearer(Role.ADMIN),
    "api_subscriber_add": Bearer(Role.ADMIN),
    "api_subscriber_preferences": Bearer(Role.ADMIN),
    "api_subscriber_unsubscribe": Bearer(Role.ADMIN),
    "api_import": Bearer(Role.ADMIN),
    "api_import_look": Bearer(Role.ADMIN),
    "api_import_rejects": Bearer(Role.ADMIN),
    "api_suppress": Bearer(Role.ADMIN),
    "api_unsuppress": Bearer(Role.ADMIN),
    "openapi": PUBLIC,
    # Operators.
    "livez": PUBLIC,
    "readyz": PUBLIC,
}

SPEAKS_ENGLISH = frozenset({"login", "login_code", "login_link", "forgot", "password", "approval", "approval_mail"})
"""Public, and for the desk's own people: their screens are in English, readers' pages in the reader's language."""

_ORDER = tuple(Role)


def allows(role: Role, needed: Role | Key | Bearer) -> bool:
    """Whether a person of that role may do what needs the other: each role includes the ones before it, none a key."""
    if not isinstance(needed, Role):
        return False
    return _ORDER.index(role) >= _ORDER.index(needed)
