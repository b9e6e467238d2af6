"""How Alembic runs here: on the connection it is given, inside the caller's transaction."""

from alembic import context

from station.store.rows import Row

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Row.metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
