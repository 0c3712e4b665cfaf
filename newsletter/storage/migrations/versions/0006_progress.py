"""How far a send has come stands in `issue_progress`; the number of an intent never comes twice; a lane a server."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

STATES = ("queued", "sending", "submitted", "deferred", "rejected", "expired", "failed", "cancelled", "unknown")
NAMES = ("issue_id", "message_seed", "message_domain", "reached", *STATES)


def upgrade() -> None:
    op.create_table(
        "issue_progress",
        sa.Column("issue_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_seed", sa.String(length=64), nullable=False),
        sa.Column("message_domain", sa.String(length=255), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.Column("turns", sa.BigInteger(), nullable=False),
        *(sa.Column(state, sa.BigInteger(), nullable=False) for state in STATES),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issue.id"], name=op.f("fk_issue_progress_issue_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_issue_progress")),
    )
    columns: list[sa.ColumnClause[object]] = [sa.column(name) for name in NAMES]
    before, after = sa.table("dispatch", *columns), sa.table("issue_progress", *map(sa.column, (*NAMES, "turns")))
    kept = sa.select(*columns, sa.literal(0)).select_from(before)
    op.execute(sa.insert(after).from_select([*NAMES, "turns"], kept))
    op.drop_table("dispatch")
    with op.batch_alter_table("intent", recreate="auto", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("owner", existing_type=sa.String(length=40), existing_nullable=False)
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "lane",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("free_at", instant, nullable=False),
        sa.Column("rate", sa.Float(), nullable=True),
        sa.Column("slowed_from", sa.Float(), nullable=True),
        sa.Column("changed_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lane")),
    )
