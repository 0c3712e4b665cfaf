"""What people ask of us by public forms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table of requests."""
    op.create_table(
        "subscriber_request",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("newsletters", sa.JSON, nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("tried_at", instant),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("confirmed_at", instant),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber_request"),
        sa.CheckConstraint("kind IN ('subscribe', 'link')", name=op.f("ck_subscriber_request_kind")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscriber_request_address_key", "subscriber_request", ["address_key", "asked_at"])
    op.create_index("ix_subscriber_request_asked_at", "subscriber_request", ["asked_at"])
