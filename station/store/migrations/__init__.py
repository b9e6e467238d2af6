"""Alembic's scripts. Each is one transaction on SQLite; ``station.store.schema`` runs them."""
