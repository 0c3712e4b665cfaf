"""Alembic's entry: runs the migrations on the connection that `newsletter.storage.schema` hands over."""

from alembic import context

from newsletter.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=context.config.attributes["version_table"],
)
with context.begin_transaction():
    context.run_migrations()
