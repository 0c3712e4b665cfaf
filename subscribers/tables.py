"""The tables of this house, for SQLite and PostgreSQL. Migrations stand beside it in `migrations/`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

__all__ = [
    "Instant",
    "address_change",
    "bounce",
    "bounce_pause",
    "erasure",
    "journal_mark",
    "metadata",
    "request",
    "subscriber",
    "subscriber_event",
    "subscription",
    "suppression",
]


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite keeps it without the zone, PostgreSQL as `timestamptz`."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no UTC offset: only aware datetimes are stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

# SQLite numbers rows only in a column of type INTEGER (https://sqlite.org/autoinc.html).
RowId = BigInteger().with_variant(Integer, "sqlite")

# Byte by byte, whatever the locale of the database: so an index finds whose address begins with a text, in order.
Key = Text().with_variant(Text(collation="C"), "postgresql")

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("email", Text, nullable=False),
    Column("address_key", Key, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("countries", JSON(none_as_null=True)),
    Column("frequency", Text, nullable=False),
    Column("language", Text),
    Column("timezone", Text),
    Column("paused_until", Instant),
    Column("decided_at", Instant),
    Column("attributes", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("frequency IN ('daily', 'weekly', 'breaking')", name="frequency"),
    # Links in mails name subscribers by number: the number of an erased one must not come back.
    sqlite_autoincrement=True,
)

subscription = Table(
    "subscription",
    metadata,
    Column("newsletter", Text, primary_key=True),
    Column("subscriber_id", RowId, ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True),
    Column("status", Text, nullable=False),
    Column("consent_at", Instant),
    Column("consent_source", Text),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("status IN ('pending', 'confirmed', 'unsubscribed')", name="status"),
    CheckConstraint("status <> 'confirmed' OR (consent_at IS NOT NULL AND consent_source IS NOT NULL)", name="consent"),
    Index("ix_subscription_subscriber_id", "subscriber_id"),
    # Counts by status, and the latest of a status, without a look at the rows.
    Index("ix_subscription_status", "newsletter", "status", "subscriber_id"),
    sqlite_with_rowid=False,
)

suppression = Table(
    "suppression",
    metadata,
    Column("address_key", Key, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

request = Table(
    "subscriber_request",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("newsletters", JSON, nullable=False),
    Column("choices", JSON, nullable=False),
    Column("language", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("network", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_at", Instant),
    Column("settled", Boolean, nullable=False),
    Column("reply", Text, nullable=False),
    Column("confirmed_at", Instant),
    CheckConstraint("kind IN ('subscribe', 'link', 'data', 'leave', 'join')", name="kind"),
    Index("ix_subscriber_request_address_key", "address_key", "asked_at"),
    Index("ix_subscriber_request_asked_at", "asked_at"),
    # A link to confirm names its request by number: that of one that is gone must not come back.
    sqlite_autoincrement=True,
)

subscriber_event = Table(
    "subscriber_event",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("subscriber_id", RowId, ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("ix_subscriber_event_subscriber_id", "subscriber_id"),
    Index("ix_subscriber_event_at", "at"),
)

# What came back of one message and told against its delivery: `delivery` and `issue` are names that whoever sent it
# gave. `sent_at` is when it was handed over, `at` when this was read, `provider` the domain it went to.
bounce = Table(
    "bounce",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("delivery", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("subscriber_id", RowId, ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    Column("newsletter", Text, nullable=False),
    Column("issue", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("fate", Text, nullable=False),
    UniqueConstraint("delivery", "kind", "digest"),
    Index("ix_bounce_subscriber_id", "subscriber_id"),
    Index("ix_bounce_issue", "issue", "kind", "provider"),
    Index("ix_bounce_fate", "fate"),
)

# Who is mailed nothing until `until`, after failures in a row since `since`. From `probe_at` on one message shows how
# things stand; `probed_at` is when it left. Settled, the row only says which failures were counted before.
bounce_pause = Table(
    "bounce_pause",
    metadata,
    Column("subscriber_id", RowId, ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("probe_at", Instant, nullable=False),
    Column("probed_at", Instant),
    Column("until", Instant),
    Index("ix_bounce_pause_until", "until"),
)

# An address that must not be mailed and that nobody here knows any more: a salted hash of its key, and why (`erased`,
# or what was stronger before).
erasure = Table(
    "erasure",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("salt", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_erasure_salt", "salt"),
)

# A subscriber who wants mail at another address: when the old one (`left_at`) and the new one (`joined_at`) agreed.
# `outcome`, once it has ended: changed, refused, replaced (by a later one), taken.
address_change = Table(
    "address_change",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("subscriber_id", RowId, ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    Column("email", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("network", Text, nullable=False),
    Column("left_at", Instant),
    Column("joined_at", Instant),
    Column("ended_at", Instant),
    Column("outcome", Text, nullable=False),
    Index("ix_address_change_subscriber_id", "subscriber_id"),
    # Links name a change by number.
    sqlite_autoincrement=True,
)

# The last line of each desk's readers' journal that this database knows of; see `subscribers.journal`.
journal_mark = Table(
    "journal_mark",
    metadata,
    Column("desk", Text, primary_key=True),
    Column("line", BigInteger, nullable=False),
)
