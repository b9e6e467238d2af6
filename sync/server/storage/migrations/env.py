"""Alembic's environment: the connection and its transaction belong to the caller (``runner.upgrade``)."""

from alembic import context

from sync.server.storage.all_rows import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
