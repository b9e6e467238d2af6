"""Alembic migrations of the central database. Each runs in one transaction, so that a kill leaves old or new."""
