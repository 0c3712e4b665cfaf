"""A claim is one row, and how far a send has come is another: no delivery is written twice.

What was in flight when the program stopped becomes an intent of its owner, so that `recover` settles it as before.
"""

import json
from itertools import groupby

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
STATES = ("queued", "sending", "submitted", "deferred", "rejected", "expired", "failed", "cancelled", "unknown")


def upgrade() -> None:
    op.create_table(
        "dispatch",
        sa.Column("issue_id", BIG_ID, nullable=False),
        sa.Column("message_seed", sa.String(length=64), nullable=False),
        sa.Column("message_domain", sa.String(length=255), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        *(sa.Column(state, sa.BigInteger(), nullable=False) for state in STATES),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_dispatch_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_dispatch")),
    )
    op.create_table(
        "intent",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("issue_id", BIG_ID, nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("deliveries", sa.Text(), nullable=False),
        sa.Column("committed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_intent_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intent")),
    )
    op.create_index(op.f("ix_intent_issue_id"), "intent", ["issue_id"], unique=False)
    op.drop_index(op.f("ix_delivery_issue_id_state_id"), "delivery")
    _carry_over(op.get_bind())
    with op.batch_alter_table("delivery") as batch:
        batch.drop_column("owner")
        batch.alter_column("message_id", existing_type=sa.String(length=320), nullable=True)
    begun = sa.text("not_before IS NOT NULL")
    op.create_index(
        op.f("ix_delivery_issue_id_not_before"),
        "delivery",
        ["issue_id", "not_before"],
        unique=False,
        sqlite_where=begun,
        postgresql_where=begun,
    )


def _carry_over(connection: sa.Connection) -> None:
    names = ("id", "issue_id", "subscriber_id", "state", "owner", "attempts")
    instants = (sa.column(name, INSTANT) for name in ("changed_at", "not_before"))
    delivery = sa.table("delivery", *map(sa.column, names), *instants)
    dispatch = sa.table("dispatch", *map(sa.column, ("issue_id", "message_seed", "message_domain", "reached", *STATES)))
    committed = sa.column("committed_at", INSTANT)
    intent = sa.table("intent", *map(sa.column, ("issue_id", "owner", "deliveries")), committed)
    counts = sa.select(delivery.c.issue_id, delivery.c.state, sa.func.count().label("number"))
    rows = connection.execute(
        counts.group_by(delivery.c.issue_id, delivery.c.state).order_by(delivery.c.issue_id)
    ).all()
    for issue_id, states in groupby(rows, key=lambda row: row.issue_id):
        last = sa.select(sa.func.max(delivery.c.subscriber_id)).where(delivery.c.issue_id == issue_id)
        values = dict.fromkeys(STATES, 0) | {row.state: row.number for row in states}
        values |= {"issue_id": issue_id, "message_seed": "", "message_domain": ""}
        connection.execute(sa.insert(dispatch).values(values | {"reached": connection.scalar(last)}))
    # What was never claimed lies behind the point reached now: its next try is due at once.
    unsent = sa.and_(delivery.c.state == "queued", delivery.c.not_before.is_(None))
    connection.execute(sa.update(delivery).where(unsent).values(not_before=delivery.c.changed_at))
    flying = sa.select(delivery).where(delivery.c.state == "sending").order_by(delivery.c.issue_id, delivery.c.owner)
    held = groupby(connection.execute(flying).all(), key=lambda row: (row.issue_id, row.owner or "nobody"))
    for (issue_id, owner), window in held:
        taken = list(window)
        values = {"issue_id": issue_id, "owner": owner, "deliveries": json.dumps([row.id for row in taken])}
        connection.execute(sa.insert(intent).values(values | {"committed_at": taken[0].changed_at}))
    begun = sa.update(delivery).where(delivery.c.state == "sending")
    connection.execute(begun.values(state="queued", attempts=delivery.c.attempts - 1, not_before=None))
