"""Erasures without an address, changes of address, and how far the readers' journals are known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
instant = sa.DateTime(timezone=True)

_KINDS = "kind IN ('subscribe', 'link', 'data', 'leave', 'join')"


def upgrade() -> None:
    """Create three tables, and let requests be of three kinds more."""
    op.create_table(
        "erasure",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("salt", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.PrimaryKeyConstraint("digest", "salt", name="pk_erasure"),
    )
    op.create_index("ix_erasure_salt", "erasure", ["salt"])
    op.create_table(
        "address_change",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("subscriber_id", row_id, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("left_at", instant),
        sa.Column("joined_at", instant),
        sa.Column("ended_at", instant),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_address_change"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_address_change_subscriber_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_address_change_subscriber_id", "address_change", ["subscriber_id"])
    op.create_table(
        "journal_mark",
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("desk", name="pk_journal_mark"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _make_requests_anew()
        return
    op.drop_constraint("ck_subscriber_request_kind", "subscriber_request")
    op.create_check_constraint(op.f("ck_subscriber_request_kind"), "subscriber_request", _KINDS)


def _make_requests_anew() -> None:
    """SQLite changes no constraint of a table that is there (https://sqlite.org/lang_altertable.html, section 7)."""
    op.execute("ALTER TABLE subscriber_request RENAME TO subscriber_request_old")
    op.drop_index("ix_subscriber_request_address_key")
    op.drop_index("ix_subscriber_request_asked_at")
    made = op.create_table(
        "subscriber_request",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("newsletters", sa.JSON, nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("tried_at", instant),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("confirmed_at", instant),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber_request"),
        sa.CheckConstraint(_KINDS, name=op.f("ck_subscriber_request_kind")),
        sqlite_autoincrement=True,
    )
    columns = ", ".join(column.name for column in made.columns)
    op.execute(f"INSERT INTO subscriber_request ({columns}) SELECT {columns} FROM subscriber_request_old")  # noqa: S608
    op.execute("DROP TABLE subscriber_request_old")
    op.create_index("ix_subscriber_request_address_key", "subscriber_request", ["address_key", "asked_at"])
    op.create_index("ix_subscriber_request_asked_at", "subscriber_request", ["asked_at"])
