"""What came back, and who is paused for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "bounce",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("delivery", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("subscriber_id", row_id, nullable=False),
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("issue", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("sent_at", instant, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("fate", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bounce"),
        sa.UniqueConstraint("delivery", "kind", "digest", name="uq_bounce_delivery"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_bounce_subscriber_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_bounce_subscriber_id", "bounce", ["subscriber_id"])
    op.create_index("ix_bounce_issue", "bounce", ["issue", "kind", "provider"])
    op.create_index("ix_bounce_fate", "bounce", ["fate"])
    op.create_table(
        "bounce_pause",
        sa.Column("subscriber_id", row_id, nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("probe_at", instant, nullable=False),
        sa.Column("probed_at", instant),
        sa.Column("until", instant),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_bounce_pause"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_bounce_pause_subscriber_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_bounce_pause_until", "bounce_pause", ["until"])
