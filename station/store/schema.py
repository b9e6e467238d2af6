"""The database file's shape: recognised at every start, migrated only when it is not the newest.

Alembic is imported only for a migration; a normal start reads one row. A migration is one transaction, so that a kill
at any point leaves the old shape or the new one, and a copy of the file is kept from before.
"""

from __future__ import annotations

import logging
from pathlib import Path

import sqlalchemy as sa

from station.clock import Clock
from station.errors import StoreFault
from station.store.durable import make_folder, sync_file, sync_folder
from station.store.engine import APPLICATION_ID, faults

logger = logging.getLogger(__name__)

HEAD = "0008"
"""Revision that this program works with (the newest file in ``migrations/versions``)."""

_BACKUPS_KEPT = 3


def revision_of(connection: sa.Connection) -> str | None:
    """The revision a file has; None = empty.

    Raises:
        StoreFault: it is some other program's database.
    """
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    tables = set(connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type = 'table'").scalars())
    if not tables and not application:
        return None
    if application != APPLICATION_ID or "alembic_version" not in tables:
        raise StoreFault(
            f"{connection.engine.url.database!r} is not a station's database (application id {application:#x}, tables "
            f"{sorted(tables)[:5]}). Move it away or choose another --home."
        )
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def ensure(engine: sa.Engine, backups: Path, clock: Clock) -> str | None:
    """Bring a file to ``HEAD``.

    Args:
        engine: a writer's engine on the file.
        backups: folder for the copy made before a migration.
        clock: names the copy.

    Returns:
        The revision it was migrated from, None if there was nothing to migrate.

    Raises:
        StoreFault: not ours, from a newer program, or the disk failed; the file is as it was.
    """
    with faults("reading the database's version"), engine.connect() as connection, connection.begin():
        found = revision_of(connection)
    if found == HEAD:
        return None
    if found is not None:
        if found > HEAD:
            raise StoreFault(
                f"this database was written by a newer program (schema {found!r}, this one knows {HEAD!r}). "
                "Install the newer program again; nothing was changed."
            )
        _back_up(engine, backups / f"station-{found}-{clock.now():%Y%m%dT%H%M%S}.db")
    with faults("migrating the database"):
        upgrade(engine, HEAD)
    logger.info("database schema %s → %s", found, HEAD)
    return found


def upgrade(engine: sa.Engine, revision: str) -> None:
    """Migrate to a revision in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _back_up(engine: sa.Engine, target: Path) -> None:
    """Copy the database as it stands; the name appears only when the copy is whole."""
    partial = target.with_suffix(".tmp")
    try:
        make_folder(target.parent)
        partial.unlink(missing_ok=True)
        with faults("saving a copy of the database before its migration"), engine.connect() as connection:
            # VACUUM cannot run inside the transaction that SQLAlchemy would begin.
            connection.connection.cursor().execute("VACUUM INTO ?", (str(partial),)).close()
        sync_file(partial)
        partial.replace(target)
        sync_folder(target.parent)
        for old in sorted(target.parent.glob("station-*.db"), key=lambda path: path.stat().st_mtime)[:-_BACKUPS_KEPT]:
            old.unlink()
    except OSError as error:
        raise StoreFault(
            f"no copy of the database could be saved to {str(target)!r} before its migration: "
            f"{error.strerror or error}. Free some disk space and start again; nothing was changed."
        ) from error
