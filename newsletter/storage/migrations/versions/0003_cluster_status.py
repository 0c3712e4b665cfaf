"""Clusters are asked for by status: whether a copy is kept back takes one look, however many copies there are."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_index(op.f("ix_story_cluster"), "story")
    op.create_index(op.f("ix_story_cluster_status"), "story", ["cluster", "status"], unique=False)
