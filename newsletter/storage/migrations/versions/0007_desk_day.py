"""The desk's day: overlays, applied schedules, mails to editors, corrections; which revision each reader got."""

from typing import Literal

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "overlay",
        sa.Column("id", BIG, nullable=False),
        sa.Column("newsletter", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("who", sa.String(length=320), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.String(length=320), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overlay")),
    )
    op.create_index(op.f("ix_overlay_newsletter"), "overlay", ["newsletter"])
    op.create_table(
        "applied_plan",
        sa.Column("id", BIG, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", sa.String(length=320), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applied_plan")),
    )
    op.create_table(
        "desk_mail",
        sa.Column("issue_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_desk_mail_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", "kind", "address", name=op.f("pk_desk_mail")),
    )
    op.create_index(
        "ix_desk_mail_open",
        "desk_mail",
        ["issue_id"],
        sqlite_where=sa.text("NOT settled"),
        postgresql_where=sa.text("NOT settled"),
    )
    op.create_table(
        "correction",
        sa.Column("id", BIG, nullable=False),
        sa.Column("issue_id", BIG, nullable=False),
        sa.Column("story", sa.String(length=1200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("right_from", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", sa.String(length=320), nullable=False),
        sa.Column("mailed_in", BIG, nullable=True),
        sa.Column("told_in", BIG, nullable=True),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_correction_issue_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["mailed_in"], ["issue.id"], name=op.f("fk_correction_mailed_in")),
        sa.ForeignKeyConstraint(["told_in"], ["issue.id"], name=op.f("fk_correction_told_in")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_issue_id"), "correction", ["issue_id"])
    op.add_column("issue", sa.Column("edited_by", sa.String(length=320), nullable=True))
    op.add_column("issue", sa.Column("not_before", INSTANT, nullable=True))
    op.add_column("issue_event", sa.Column("plan", sa.String(length=12), nullable=False, server_default=""))
    op.add_column("issue_progress", sa.Column("restored", sa.Text(), nullable=True))
    op.add_column("lane", sa.Column("urgent", sa.Integer(), nullable=True))
    op.add_column("lane", sa.Column("urgent_at", INSTANT, nullable=True))
    # An audience that is frozen anew, after an undo, gets numbers that no line of the journal knows.
    recreate: Literal["always", "never"] = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("delivery", recreate=recreate, table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
    op.execute(
        "UPDATE delivery SET revision = (SELECT approved_revision FROM issue WHERE issue.id = delivery.issue_id)"
        " WHERE EXISTS (SELECT 1 FROM issue WHERE issue.id = delivery.issue_id AND approved_revision > 1)"
    )
