"""What readers report as wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "reader_report",
        sa.Column("id", BIG, nullable=False),
        sa.Column("newsletter", sa.String(length=120), nullable=False),
        sa.Column("issue_id", BIG, nullable=True),
        sa.Column("story", sa.String(length=1200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("taken_by", sa.String(length=320), nullable=True),
        sa.Column("taken_at", INSTANT, nullable=True),
        sa.Column("closed_by", sa.String(length=320), nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_reader_report_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reader_report")),
        sa.UniqueConstraint("digest", name=op.f("uq_reader_report_digest")),
    )
    op.create_index(op.f("ix_reader_report_issue_id"), "reader_report", ["issue_id"])
    op.create_index(op.f("ix_reader_report_newsletter_at"), "reader_report", ["newsletter", "at"])
    unclosed = sa.text("closed_at IS NULL")
    op.create_index("ix_reader_report_open", "reader_report", ["id"], sqlite_where=unclosed, postgresql_where=unclosed)
