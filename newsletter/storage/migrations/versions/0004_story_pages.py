"""Stories have pages in the archive: which ones an issue shows."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "story_page",
        sa.Column("issue_id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("story", sa.String(length=1200), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_story_page_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", "key", name=op.f("pk_story_page")),
    )
    op.create_index(op.f("ix_story_page_key"), "story_page", ["key"], unique=False)
