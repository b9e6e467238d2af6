"""The file's shape: fresh, from an older program with data, killed on the way, from a newer program, not ours."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from store_lab import START, SteadyClock, fact, inspection, parcel_opened

from station.errors import StoreFault
from station.inspection.ports import ShiftFigures
from station.journal.entry import GENESIS
from station.store import Store, schema
from station.store.engine import make_engine
from station.store.entries import Head, append, begin_generation
from station.store.projection import project
from station.store.proof import rebuild, verify
from station.store.rows import Row

HERE = Path(__file__).parent


@pytest.fixture
def old_home(home: Path, clock: SteadyClock) -> Path:
    """A home of the first release, with two inspections in it."""
    home.mkdir(parents=True)
    engine = make_engine(home / "station.db", "writer")
    schema.upgrade(engine, "0001")
    facts = [
        parcel_opened("parcel-1"),
        inspection(1, seconds=41),
        inspection(2, seconds=17, at=START + timedelta(minutes=1)),
    ]
    numbers = iter(range(100))
    with engine.begin() as connection:
        generation = begin_generation(connection, station="bench-1", reason="new store", now=START)
        entries = append(
            connection,
            facts,
            behind=Head(generation, 0, GENESIS),
            station="bench-1",
            actor="ines",
            clock=clock,
            ids=lambda: f"id-{next(numbers)}",
        )
        for column in ("unit_seconds", "in_order", "serial"):  # for today's projection
            connection.exec_driver_sql(f"ALTER TABLE inspections ADD COLUMN {column} INTEGER")
        for entry in entries:
            project(connection, entry)
        for column in ("unit_seconds", "in_order", "serial"):
            connection.exec_driver_sql(f"ALTER TABLE inspections DROP COLUMN {column}")
    engine.dispose()
    return home


def schema_of(path: Path) -> list[tuple[str, str]]:
    engine = make_engine(path, "reader", read_only=True)
    with engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
        ).all()
    engine.dispose()
    return [(str(name), str(sql)) for name, sql in rows]


def test_head_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_the_scripts_make_what_the_rows_say(store: Store, home: Path) -> None:
    store.close()
    engine = make_engine(home / "station.db", "writer")
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        differences = compare_metadata(context, Row.metadata)
    engine.dispose()
    assert differences == []


def test_an_older_file_is_migrated_with_its_data_and_a_copy(old_home: Path, open_store: Callable[..., Store]) -> None:
    before = (old_home / "station.db").read_bytes()
    store = open_store()
    assert store.opening.migrated_from == "0001"
    assert store.figures(START, START + timedelta(minutes=59)) == ShiftFigures(2, 2, 29, 0)
    store.commit([inspection(3)], actor="ines", drafts={})
    store.close()
    assert verify(old_home).ok
    assert not rebuild(old_home, clock=SteadyClock()).changed, "the migration fills what the projection would"
    (copy,) = (old_home / "backups").iterdir()
    assert copy.name == "station-0001-20261122T100000.db"
    assert [name for name, _ in schema_of(copy) if name == "inspections_pace"] == []
    assert before[:16] == copy.read_bytes()[:16]
    assert open_store().opening.migrated_from is None


def test_a_migrated_file_has_the_shape_of_a_fresh_one(
    old_home: Path, tmp_path: Path, open_store: Callable[..., Store]
) -> None:
    open_store().close()
    open_store(tmp_path / "fresh").close()
    assert schema_of(old_home / "station.db") == schema_of(tmp_path / "fresh" / "station.db")


def test_few_copies_are_kept(old_home: Path, clock: SteadyClock, tmp_path: Path) -> None:
    original = (old_home / "station.db").read_bytes()
    for _ in range(5):
        (old_home / "station.db").write_bytes(original)
        clock.move(hours=1)
        Store.open(old_home, station="bench-1", clock=clock, ballast_bytes=0).close()
        (old_home / "closed.json").unlink()
    assert len(list((old_home / "backups").iterdir())) == 3


def test_killed_at_any_point_of_a_migration(old_home: Path, request: pytest.FixtureRequest) -> None:
    """The old shape or the new one, never between; and the next start finishes it."""
    if sys.platform != "linux":
        pytest.skip("traces system calls, which only Linux can")
    points = "1-2000" if request.config.getoption("--slow") else "1-2000/7"
    done = subprocess.run(
        [sys.executable, str(HERE / "ptrace_lab.py"), "kill", "migrate", str(old_home), points],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip(f"this kernel or sandbox forbids tracing: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert results[-1]["ended"]
    shapes = set()
    for result in results:
        home = Path(result["home"])
        # as the next start finds it
        with Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=0) as store:
            shapes.add(store.opening.migrated_from)
            assert store.opening.doubt is None
            assert store.figures(START, START + timedelta(hours=1)).median_seconds == 29
        assert verify(home).problems == ()
    assert shapes == {None, "0001"}, "some kills before the migration's commit and some after it"


def test_a_newer_programs_file_is_left_alone(store: Store, home: Path, open_store: Callable[..., Store]) -> None:
    store.commit([fact("x.y", {})], actor="ines", drafts={})
    store.close()
    engine = make_engine(home / "station.db", "writer")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    engine.dispose()
    before = (home / "station.db").read_bytes()
    with pytest.raises(StoreFault, match="newer program"):
        open_store()
    assert (home / "station.db").read_bytes() == before


def test_another_programs_file_is_left_alone(home: Path, open_store: Callable[..., Store]) -> None:
    home.mkdir(parents=True)
    engine = sa.create_engine(f"sqlite:///{home / 'station.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE recipes (name TEXT)")
    engine.dispose()
    with pytest.raises(StoreFault, match="not a station's database"):
        open_store()


def test_no_room_for_the_copy_stops_the_migration(old_home: Path, open_store: Callable[..., Store]) -> None:
    (old_home / "backups").write_text("a file is in the way")
    with pytest.raises(StoreFault, match="no copy of the database could be saved"):
        open_store()
    (old_home / "backups").unlink()
    assert open_store().opening.migrated_from == "0001"
