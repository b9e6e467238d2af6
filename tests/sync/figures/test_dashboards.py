"""Dashboards over a large database: every question is answered from an index. How fast: ``station benchmark``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from sync.server.storage import Database, database_url, open_database
from tests.postgres import MakePostgres
from ui.benchmark import dashboards


@contextmanager
def heard(connection: Connection) -> Iterator[list[tuple[str, object]]]:
    """The statements that run meanwhile."""
    statements: list[tuple[str, object]] = []

    def hear(_c: object, _cursor: object, text: str, parameters: object, *_: object) -> None:
        statements.append((text, parameters))

    event.listen(connection, "before_cursor_execute", hear)
    yield statements
    event.remove(connection, "before_cursor_execute", hear)


def scans(connection: Connection, statements: list[tuple[str, object]]) -> list[str]:
    """Plans that read a whole table of ours."""
    embedded = connection.dialect.name == "sqlite"
    explain, whole = ("EXPLAIN QUERY PLAN", "SCAN ") if embedded else ("EXPLAIN", "Seq Scan on ")
    return [
        str(row[-1])
        for text, parameters in statements
        for row in connection.exec_driver_sql(f"{explain} {text}", parameters)  # type: ignore[arg-type]
        for table in ("figure_benches", "figure_merchants", "figure_labels", "queue_items")
        if f"{whole}{table}" in str(row[-1])
    ]


def check_all(database: Database, inspections: int) -> None:
    for name, ask in dashboards.questions(inspections).items():
        with database.reading() as connection:
            with heard(connection) as statements:
                ask(connection)
            assert statements, name
            assert scans(connection, statements) == [], name


def test_every_question_uses_an_index(tmp_path: Path) -> None:
    database = open_database(database_url(f"sqlite:///{tmp_path / 'server.sqlite3'}"))
    dashboards.fill(database, 100_000, waiting=3_000)
    check_all(database, 100_000)
    with database.reading() as connection:  # negative control
        assert scans(connection, [("SELECT sum(units) FROM figure_benches WHERE units > 5", ())]) != []
    database.close()


@pytest.mark.slow
def test_ten_million_inspections(make_postgres: MakePostgres) -> None:
    database = open_database(make_postgres(None))
    dashboards.fill(database, 10_000_000)
    check_all(database, 10_000_000)
    database.close()
