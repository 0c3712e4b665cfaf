"""The tables of the newsletter, but for subscribers: those live in their own house.

A story, a snapshot and a source's state are kept as one JSON document each (the value as the code knows it);
the columns beside it exist to be searched by.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from newsletter.model import DeliveryState

__all__ = [
    "METADATA",
    "Instant",
    "account",
    "account_mail",
    "api_token",
    "applied_plan",
    "audit",
    "click_link",
    "click_tally",
    "correction",
    "delivery",
    "desk_mail",
    "draft",
    "edition",
    "intent",
    "issue",
    "issue_event",
    "issue_progress",
    "issue_story",
    "lane",
    "login_link",
    "outcome_tally",
    "overlay",
    "reader_report",
    "recovery_code",
    "session",
    "source_state",
    "story",
    "story_choice",
    "story_event",
    "story_page",
    "story_revision",
    "webhook",
    "webhook_delivery",
    "webhook_event",
]


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite, which knows no zones, stores it without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no zone: instants are aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows only in a column that is exactly INTEGER.
BigId = sa.BigInteger().with_variant(Integer, "sqlite")

story = Table(
    "story",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("source", String(120), nullable=False),
    Column("external_id", String(1000), nullable=False),
    Column("country", String(60)),
    Column("status", String(20), nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("available_at", Instant, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
    # Numbers the transactions that changed stories, in the order of their commits: what the index has yet to learn.
    Column("changed", sa.BigInteger, nullable=False, server_default="0"),
    # What is known by when two stories are copies beyond doubt (see `keys_of` in compose), and the id of their lead.
    Column("url_hash", String(32), nullable=False, server_default=""),
    Column("title_hash", String(32), nullable=False, server_default=""),
    Column("cluster", String(1200)),
    # Related reading as [[story id, score, [reason]]], and the revision it was computed from: none where it waits.
    Column("related", Text, nullable=False, server_default="[]"),
    Column("related_revision", Integer),
    UniqueConstraint("source", "external_id"),
    Index(None, "available_at"),
    Index(None, "published_at"),
    Index(None, "country", "published_at"),
    Index(None, "changed"),
    Index(None, "url_hash"),
    Index(None, "title_hash"),
    Index(None, "cluster", "status"),
    Index(
        "ix_story_unrelated",
        "published_at",
        sqlite_where=sa.text("related_revision IS NULL"),
        postgresql_where=sa.text("related_revision IS NULL"),
    ),
)

story_choice = Table(
    "story_choice",
    METADATA,
    Column("story", String(1200), primary_key=True),
    Column("other", String(1200), primary_key=True),
    Column("choice", String(20), primary_key=True),
    Column("who", String(320), nullable=False),
    Column("at", Instant, nullable=False),
)

story_event = Table(
    "story_event",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("story_id", ForeignKey("story.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("who", String(320), nullable=False),
    Column("what", Text, nullable=False),
    Column("why", Text, nullable=False, default=""),
)

draft = Table(
    "draft",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("key", String(64), nullable=False, index=True),
    Column("story", String(1200), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("document", Text, nullable=False),
)

story_revision = Table(
    "story_revision",
    METADATA,
    Column("story_id", ForeignKey("story.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("document", Text, nullable=False),
)

source_state = Table(
    "source_state",
    METADATA,
    Column("source", String(120), primary_key=True),
    Column("document", Text, nullable=False),
)

issue = Table(
    "issue",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("newsletter", String(120), nullable=False),
    Column("local_date", sa.Date, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("due_at", Instant, nullable=False),
    Column("revision", Integer, nullable=False, default=0),
    Column("snapshot", Text),
    Column("window_end", Instant),
    Column("first_approved_by", String(320)),
    Column("approved_revision", Integer),
    Column("approved_by", String(320)),
    Column("approved_at", Instant),
    Column("frozen_at", Instant),
    Column("settled_at", Instant),
    Column("pruned_at", Instant),  # from when on its deliveries name nobody
    Column("edited_by", String(320)),  # the person who last changed what it says
    Column("not_before", Instant),  # when an approved issue may leave at the earliest, where that is not `due_at`
    Column("candidates", Integer, nullable=False, default=0),
    Column("excluded", sa.JSON, nullable=False, default=dict),
    UniqueConstraint("newsletter", "local_date", "number"),
    Index(None, "state"),
)

issue_event = Table(
    "issue_event",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("who", String(320), nullable=False),
    Column("from_state", String(20)),
    Column("to_state", String(20), nullable=False),
    Column("why", Text, nullable=False, default=""),
    Column("plan", String(12), nullable=False, server_default=""),  # of the schedule in force: how its digest begins
)

# What the desk's own people are told of an issue: each kind once to each `address`, a mail address or a name for a web
# address of the settings. `at` is when it was noted, then when it was last tried.
desk_mail = Table(
    "desk_mail",
    METADATA,
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(60), primary_key=True),
    Column("address", String(320), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("settled", sa.Boolean, nullable=False, default=False),
    Column("document", Text, nullable=False),
)
Index(
    "ix_desk_mail_open",
    desk_mail.c.issue_id,
    sqlite_where=sa.text("NOT settled"),
    postgresql_where=sa.text("NOT settled"),
)

# A fault that left in an issue: revisions below `right_from` have it. `mailed_in` is the issue that tells those who
# got one of them, `told_in` the next regular one, whose Corrections line names it.
correction = Table(
    "correction",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("story", String(1200), nullable=False),
    Column("title", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("right_from", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("who", String(320), nullable=False),
    Column("mailed_in", ForeignKey("issue.id")),
    Column("told_in", ForeignKey("issue.id")),
)

issue_story = Table(
    "issue_story",
    METADATA,
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True),
    Column("story", String(1200), primary_key=True, index=True),
)

# What an issue said in each of its revisions; the last is the issue's own `snapshot`.
issue_revision = Table(
    "issue_revision",
    METADATA,
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", String(320), nullable=False),
    Column("what", Text, nullable=False),
    Column("document", Text, nullable=False),
)

# The stories that an issue carries or offers as related reading, by the key of their pages in the archive.
story_page = Table(
    "story_page",
    METADATA,
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(20), primary_key=True, index=True),
    Column("story", String(1200), nullable=False),
)

edition = Table(
    "edition",
    METADATA,
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("key", String(1000), primary_key=True),
    Column("document", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
)

# No index on the state: it changes for every row, and an index would cost as much as the row. Who waits for an instant
# (a wave, a next try) or came back unsent stands in a small one.
delivery = Table(
    "delivery",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), nullable=False),
    Column("subscriber_id", BigId, nullable=False),
    Column("email", String(320), nullable=False),
    Column("name", String(300), nullable=False, default=""),
    Column("edition", String(1000), nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),  # of the issue, that it got or is to get
    Column("message_id", String(320)),  # of issues frozen before `issue_progress` had a seed
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("not_before", Instant),  # the reader's wave, or the next try; `IN_HAND` where such a one is claimed
    Column("code", Integer),
    Column("reply", Text, nullable=False, default=""),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("issue_id", "subscriber_id"),
    sqlite_autoincrement=True,  # an audience that is frozen anew gets numbers that no line of the journal knows
)
Index(
    None,
    delivery.c.issue_id,
    delivery.c.not_before,
    sqlite_where=delivery.c.not_before.is_not(None),
    postgresql_where=delivery.c.not_before.is_not(None),
)

# How far the sending of a frozen issue has come: the last subscriber that was claimed, and how many deliveries stand
# in each state. `message_seed` and `message_domain` make the Message-IDs; `turns` numbers the lines of the journal.
issue_progress = Table(
    "issue_progress",
    METADATA,
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True),
    Column("message_seed", String(64), nullable=False),
    Column("message_domain", String(255), nullable=False),
    Column("reached", BigInteger, nullable=False, default=0),
    Column("turns", BigInteger, nullable=False, default=0),
    # Where the database was restored from a backup: which turn that knew of, and the desks whose journals were read
    # since, as JSON.
    Column("restored", Text),
    *(Column(state.value, BigInteger, nullable=False, default=0) for state in DeliveryState),
)

# How many outcomes of each kind came in each minute of a send, by the provider of the reader's address.
outcome_tally = Table(
    "outcome_tally",
    METADATA,
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True),
    Column("minute", Instant, primary_key=True, index=True),
    Column("state", String(20), primary_key=True),
    Column("provider", String(60), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# A link to a story as an edition is mailed with it, the same for all its readers.
click_link = Table(
    "click_link",
    METADATA,
    Column("key", String(22), primary_key=True),
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("edition", String(1000), nullable=False),
    Column("place", Integer, nullable=False),
    Column("story", String(1200), nullable=False),
    Column("url", Text, nullable=False),
    Index(None, "issue_id", "revision", "edition", "place", unique=True),
)

# How often a link was followed in the hour that begins then: by people as far as anybody can tell, and by scanners.
click_tally = Table(
    "click_tally",
    METADATA,
    Column("key", ForeignKey("click_link.key", ondelete="CASCADE"), primary_key=True),
    Column("hour", Instant, primary_key=True),
    Column("clicks", Integer, nullable=False),
    Column("scanned", Integer, nullable=False),
)

# A window that a sender has in hand: the deliveries as JSON numbers. Their rows say queued meanwhile. No number comes
# twice: a sender that cannot know whether its commit stands says it again, of the same intent and no other.
intent = Table(
    "intent",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("owner", String(40), nullable=False),
    Column("deliveries", Text, nullable=False),
    Column("committed_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

# How fast a mail server is sent to, and who goes ahead on it: see `Lane`. Beside those there is one for each issue that
# is spread over a time, while it is sent.
lane = Table(
    "lane",
    METADATA,
    Column("name", String(300), primary_key=True),
    Column("free_at", Instant, nullable=False),
    Column("rate", sa.Float),
    Column("slowed_from", sa.Float),
    Column("changed_at", Instant),
    Column("urgent", Integer),  # the priority of who goes ahead, which said so last for `urgent_at`
    Column("urgent_at", Instant),
)

# What a reader says is wrong, about a story or about a whole issue (no `story`). Nothing tells which reader.
reader_report = Table(
    "reader_report",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("newsletter", String(120), nullable=False),
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), index=True),
    Column("story", String(1200), nullable=False),
    Column("title", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("language", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("digest", String(32), nullable=False, unique=True),  # the same words about the same thing are kept once
    Column("taken_by", String(320)),
    Column("taken_at", Instant),
    Column("closed_by", String(320)),
    Column("closed_at", Instant),
    Index(None, "newsletter", "at"),
)
Index(
    "ix_reader_report_open",
    reader_report.c.id,
    sqlite_where=reader_report.c.closed_at.is_(None),
    postgresql_where=reader_report.c.closed_at.is_(None),
)

# What operators decided beside schedule.yaml: a newsletter paused from `first` to `last`, a date skipped, an issue due
# at another instant, an extra issue. In force until `ended_at`.
overlay = Table(
    "overlay",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("newsletter", String(120), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("first", sa.Date, nullable=False),
    Column("last", sa.Date),
    Column("number", Integer, nullable=False),
    Column("due_at", Instant),
    Column("who", String(320), nullable=False),
    Column("why", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", String(320)),
)

# Schedules that every host of the desk follows, the latest; none (no document) gives each its own file back.
applied_plan = Table(
    "applied_plan",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("document", Text),
    Column("at", Instant, nullable=False),
    Column("who", String(320), nullable=False),
)

account = Table(
    "account",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("email", String(320), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("password_hash", String(300)),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("entered_at", Instant),
    # The secret is sealed; it counts once `totp_since` says that a code of it was shown. `totp_last` is the time step
    # of the last code that was taken.
    Column("totp_secret", Text),
    Column("totp_since", Instant),
    Column("totp_last", sa.BigInteger),
)

session = Table(
    "session",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("client", String(64), nullable=False),
    Column("agent", String(300), nullable=False),
)

# What a link does: it logs in, it lets a password be set, or it stands between a password and its code.
login_link = Table(
    "login_link",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("purpose", String(20), nullable=False, server_default="login"),
)

recovery_code = Table(
    "recovery_code",
    METADATA,
    Column("code_hash", String(64), primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
)

# A mail to one person of the desk about their account. Without an account it is for an address that has none: it was
# asked for all the same, and is settled from the start.
account_mail = Table(
    "account_mail",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), index=True),
    Column("kind", String(20), nullable=False),
    Column("at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("settled", sa.Boolean, nullable=False),
    Column("reply", Text, nullable=False),
)

api_token = Table(
    "api_token",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("role", String(20), nullable=False),
    Column("made_by", String(320), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
)

# Triggers of the database refuse to change or delete a row. `account_id` refers to nothing: a line outlives whoever
# it speaks of.
audit = Table(
    "audit",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(60), nullable=False, index=True),
    Column("who", String(320), nullable=False, index=True),
    Column("account_id", BigId),
    Column("what", String(400), nullable=False),
    Column("client", String(64), nullable=False),
    Column("remark", String(400), nullable=False),
)

# Where programs elsewhere are told what happens here. The secret is sealed; `off_at` is when it was switched off.
webhook = Table(
    "webhook",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("events", sa.JSON, nullable=False),
    Column("with_address", sa.Boolean, nullable=False),
    Column("made_by", String(320), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("failing_since", Instant),
    Column("off_at", Instant),
    Column("off_why", Text, nullable=False),
)

# What happened, written in the transaction in which it did. No address stands in `data`: who is erased is so here too.
webhook_event = Table(
    "webhook_event",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("uid", String(200), nullable=False, unique=True),
    Column("kind", String(60), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("subscriber_id", BigId, index=True),
    Column("data", sa.JSON, nullable=False),
)

# One event for one webhook: `next_at` is when it is due, NULL once it was taken or given up; `status` is of the last
# answer.
webhook_delivery = Table(
    "webhook_delivery",
    METADATA,
    Column("webhook_id", ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True),
    Column("event_id", ForeignKey("webhook_event.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("state", String(20), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", Instant, index=True),
    Column("tried_at", Instant),
    Column("status", Integer),
    Column("reply", Text, nullable=False),
)
