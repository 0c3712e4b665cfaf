"""What programs were told is found by its age, for pruning, and by its reader, for an erasure."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_index(op.f("ix_webhook_event_at"), "webhook_event", ["at"])
    op.create_index(op.f("ix_webhook_event_subscriber_id"), "webhook_event", ["subscriber_id"])
