"""F2: kill -9 during the Alembic upgrade leaves the old schema or the new one, on both databases, with data in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, inspect
from sqlalchemy.engine import URL

import sync.server.storage.migrations
from station.errors import StoreFault
from sync.server.storage import database_url, open_database
from sync.server.storage.all_rows import metadata
from sync.server.storage.database import HEAD
from sync.server.storage.migrations import runner

_FOLDER = str(sync.server.storage.migrations.__path__[0])
_FIRST = "0001"


def at_revision(url: URL, revision: str) -> None:
    """A database as an older program left it, with a fact in it."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", _FOLDER)
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.exec_driver_sql("INSERT INTO server_facts VALUES ('main', 'epoch', 'of-the-old-program')")
    engine.dispose()


def shape(url: URL) -> tuple[str, set[str]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        tables = set(inspect(connection).get_table_names())
    engine.dispose()
    return str(revision), tables


@pytest.mark.parametrize("statements", [7, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 19, 40))])
def test_it_is_old_or_new(empty_database: URL, statements: int) -> None:
    at_revision(empty_database, _FIRST)
    before = shape(empty_database)
    code = f"""
import os
from sqlalchemy import event, make_url
from sync.server.storage import database, open_database
from sync.server.storage.migrations import runner
upgrade = runner.upgrade
def killed(connection):
    made = 0
    @event.listens_for(connection, "after_cursor_execute")
    def count(conn, cursor, statement, *rest):
        global made
        if statement.lstrip().upper().startswith(("CREATE", "ALTER", "UPDATE", "DROP", "INSERT")):
            made += 1
            if made == {statements}:
                os.kill(os.getpid(), 9)
    upgrade(connection)
made = 0
runner.upgrade = killed
open_database(database.database_url({empty_database.render_as_string(hide_password=False)!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False, capture_output=True, text=True)
    assert done.returncode in (0, -9), done.stderr
    after = shape(empty_database)
    if done.returncode == -9:
        assert after == before
    else:
        assert after[0] == HEAD
    database = open_database(empty_database)
    try:
        assert database.epoch == "of-the-old-program"
        with database.reading() as connection:
            assert differences(connection) == []
    finally:
        database.close()
    assert shape(empty_database)[0] == HEAD


def test_control_without_its_transaction_it_is_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same death in a migration whose statements count one by one: a shape that no version knows."""
    url = database_url(f"sqlite:///{tmp_path / 'server.sqlite3'}")
    at_revision(url, _FIRST)
    before = shape(url)
    whole = runner.upgrade

    class Died(StoreFault):
        pass

    def bare(connection: Connection) -> None:
        connection.exec_driver_sql("COMMIT")
        made = 0

        @event.listens_for(connection, "after_cursor_execute")
        def _count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            nonlocal made
            made += statement.lstrip().upper().startswith(("CREATE", "ALTER"))
            if made == 7:
                raise Died

        whole(connection)

    monkeypatch.setattr(runner, "upgrade", bare)
    with pytest.raises(Died):
        open_database(url)
    revision, tables = shape(url)
    assert revision != HEAD
    assert tables > before[1], "some of it is there"


def differences(connection: Connection) -> list[object]:
    """Tables and columns; partitions and their keys are PostgreSQL's own."""
    found = compare_metadata(MigrationContext.configure(connection), metadata)
    return [
        one for one in found if isinstance(one, tuple) and str(one[0]) in ("add_table", "add_column", "remove_column")
    ]


def test_every_released_schema_comes_to_the_newest(empty_database: URL) -> None:
    revisions = [one.revision for one in ScriptDirectory(_FOLDER).walk_revisions()]
    assert revisions[0] == HEAD
    at_revision(empty_database, revisions[len(revisions) // 2])
    database = open_database(empty_database)
    database.close()
    assert shape(empty_database)[0] == HEAD
