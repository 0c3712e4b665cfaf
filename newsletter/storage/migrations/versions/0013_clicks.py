"""Links to stories that are counted, and how often they were followed."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "click_link",
        sa.Column("key", sa.String(length=22), nullable=False),
        sa.Column("issue_id", BIG, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("edition", sa.String(length=1000), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("story", sa.String(length=1200), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_click_link_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_click_link")),
    )
    op.create_index(
        op.f("ix_click_link_issue_id_revision_edition_place"),
        "click_link",
        ["issue_id", "revision", "edition", "place"],
        unique=True,
    )
    op.create_table(
        "click_tally",
        sa.Column("key", sa.String(length=22), nullable=False),
        sa.Column("hour", INSTANT, nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.Column("scanned", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["click_link.key"], name=op.f("fk_click_tally_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", "hour", name=op.f("pk_click_tally")),
    )
