"""Subscribers, subscriptions with consent, suppressions, and everybody's history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "subscriber",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("countries", sa.JSON),
        sa.Column("frequency", sa.Text, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("timezone", sa.Text),
        sa.Column("paused_until", instant),
        sa.Column("decided_at", instant),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber"),
        sa.UniqueConstraint("address_key", name="uq_subscriber_address_key"),
        sa.CheckConstraint("frequency IN ('daily', 'weekly', 'breaking')", name=op.f("ck_subscriber_frequency")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "subscription",
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("subscriber_id", row_id, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("consent_at", instant),
        sa.Column("consent_source", sa.Text),
        sa.Column("changed_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("newsletter", "subscriber_id", name="pk_subscription"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name="fk_subscription_subscriber_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("status IN ('pending', 'confirmed', 'unsubscribed')", name=op.f("ck_subscription_status")),
        sa.CheckConstraint(
            "status <> 'confirmed' OR (consent_at IS NOT NULL AND consent_source IS NOT NULL)",
            name=op.f("ck_subscription_consent"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_subscription_subscriber_id", "subscription", ["subscriber_id"])
    op.create_table(
        "suppression",
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.PrimaryKeyConstraint("address_key", name="pk_suppression"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subscriber_event",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("subscriber_id", row_id, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber_event"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name="fk_subscriber_event_subscriber_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_subscriber_event_subscriber_id", "subscriber_event", ["subscriber_id"])
