"""Stories: what changed since, copies, related reading, editors' choices, drafts of notes."""

import json

import sqlalchemy as sa
from alembic import op

from newsletter.storage.keys import hashed
from newsletter.words import normalised

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNRELATED = sa.text("related_revision IS NULL")


def upgrade() -> None:
    op.add_column("story", sa.Column("changed", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("story", sa.Column("url_hash", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("story", sa.Column("title_hash", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("story", sa.Column("cluster", sa.String(length=1200), nullable=True))
    op.add_column("story", sa.Column("related", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("story", sa.Column("related_revision", sa.Integer(), nullable=True))
    _fill()
    for columns in (("country", "published_at"), ("changed",), ("url_hash",), ("title_hash",), ("cluster",)):
        op.create_index(op.f(f"ix_story_{'_'.join(columns)}"), "story", list(columns), unique=False)
    op.create_index("ix_story_unrelated", "story", ["published_at"], sqlite_where=UNRELATED, postgresql_where=UNRELATED)
    op.create_table(
        "story_choice",
        sa.Column("story", sa.String(length=1200), nullable=False),
        sa.Column("other", sa.String(length=1200), nullable=False),
        sa.Column("choice", sa.String(length=20), nullable=False),
        sa.Column("who", sa.String(length=320), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("story", "other", "choice", name=op.f("pk_story_choice")),
    )
    op.create_table(
        "story_event",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("story_id", BIG_ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", sa.String(length=320), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_story_event_story_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_event")),
    )
    op.create_index(op.f("ix_story_event_story_id"), "story_event", ["story_id"], unique=False)
    op.create_table(
        "draft",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("story", sa.String(length=1200), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
    )
    op.create_index(op.f("ix_draft_key"), "draft", ["key"], unique=False)
    op.create_index(op.f("ix_draft_at"), "draft", ["at"], unique=False)


def _fill() -> None:
    """Hashes of the stories that are there, a thousand at a time."""
    connection = op.get_bind()
    story = sa.table("story", *(sa.column(name) for name in ("id", "document", "changed", "url_hash", "title_hash")))
    last = 0
    while rows := connection.execute(
        sa.select(story.c.id, story.c.document).where(story.c.id > last).order_by(story.c.id).limit(1000)
    ).all():
        for row_id, document in rows:
            held = json.loads(document)
            connection.execute(
                sa.update(story)
                .where(story.c.id == row_id)
                .values(
                    changed=1,
                    url_hash=hashed(held.get("url_canonical") or held["url"]),
                    title_hash=hashed(normalised(held["title"])),
                )
            )
            last = row_id
