"""Bring a database to the newest revision inside the caller's transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from station.errors import StoreFault


def upgrade(connection: Connection) -> None:
    """Run what is missing. The caller holds the write lock and commits, so that a kill leaves old or new.

    Raises:
        StoreFault: the database is of a newer program.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreFault(
            f"the server's database cannot be brought up to date ({error}); if a newer version used it, "
            "start that one, or restore a backup made before"
        ) from error
