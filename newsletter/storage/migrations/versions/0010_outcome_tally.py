"""The course of a send: outcomes by minute, kind and provider."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "outcome_tally",
        sa.Column("issue_id", BIG, nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_outcome_tally_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", "minute", "state", "provider", name=op.f("pk_outcome_tally")),
    )
    op.create_index(op.f("ix_outcome_tally_minute"), "outcome_tally", ["minute"])
