"""Histories are read by day, too."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_subscriber_event_at", "subscriber_event", ["at"])
