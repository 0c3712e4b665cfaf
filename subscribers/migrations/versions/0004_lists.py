"""Long lists: subscriptions by status, addresses in the order of their bytes."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the index; on PostgreSQL, which compares by locale, set the collation (SQLite compares bytes)."""
    op.create_index("ix_subscription_status", "subscription", ["newsletter", "status", "subscriber_id"])
    if op.get_bind().dialect.name == "postgresql":
        for table in ("subscriber", "suppression"):
            op.execute(f'ALTER TABLE {table} ALTER COLUMN address_key TYPE text COLLATE "C"')
