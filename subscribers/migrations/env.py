"""Runs the migrations on the connection that `subscribers.database.upgrade` opened."""

from __future__ import annotations

from alembic import context

from subscribers.database import VERSION_TABLE
from subscribers.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
