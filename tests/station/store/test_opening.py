"""Opening: one program at a time, doubts found, and work going on where it can."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pysqlite3
import pytest
from store_lab import SteadyClock, fact

from station.errors import StoreFault
from station.store import Store
from station.store.proof import verify
from station.store.wal import read_commits

OPEN_AND_WAIT = """
import sys
from pathlib import Path
from station.clock import SystemClock
from station.store import Store
store = Store.open(Path(sys.argv[1]), station="bench-1", clock=SystemClock(), ballast_bytes=0)
print("open", flush=True)
sys.stdin.read()
"""


def commit(store: Store, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        store.commit([fact("x.y", {"n": number, "pad": "p" * 3000})], actor="ines", drafts={"last": b"%d" % number})


def abandoned(home: Path, tmp_path: Path, store: Store) -> Path:
    """A copy of a home in use, as a killed process would leave it: WAL and all, no marker."""
    target = tmp_path / "abandoned"
    shutil.copytree(home, target, ignore=shutil.ignore_patterns("*-shm"))
    assert (target / "station.db-wal").stat().st_size > 0
    return target


def test_importing_the_package_costs_nothing() -> None:
    script = "import station.store, sys; print([m for m in ('sqlalchemy', 'pysqlite3', 'alembic') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_a_normal_start_does_not_import_alembic(store: Store, home: Path) -> None:
    store.close()
    script = (
        "import sys; from pathlib import Path; from station.store import Store; "
        "from station.clock import SystemClock; "
        f"Store.open(Path({str(home)!r}), station='bench-1', clock=SystemClock()).close(); "
        "print('alembic' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "False"


def test_a_second_program_is_refused_until_the_first_dies(home: Path, open_store: Callable[..., Store]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OPEN_AND_WAIT, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(StoreFault, match=rf"already open in another station program \(process {first.pid}\)"):
            open_store()
        report = verify(home)  # looking is allowed
        assert report.ok
        assert "another process" in report.notes[0]
        first.kill()
        first.wait()
        store = open_store()
        assert not store.opening.clean
        assert store.opening.doubt is None


def test_control_without_the_lock_two_programs_write_one_chain(
    home: Path, open_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second goes on where it began: what it saves cannot be a link of the chain any more."""
    monkeypatch.setattr("station.store.durable._lock", lambda descriptor: None)
    first, second = open_store(), open_store()
    commit(first, 2)
    with pytest.raises(Exception, match=r"UNIQUE|constraint|saving") as refused:
        commit(second, 1, first=50)
    assert refused.value is not None
    assert len(first.pending_entries(10, 1 << 20)) == 2


def test_a_second_store_in_the_same_process_is_refused_too(store: Store, open_store: Callable[..., Store]) -> None:
    with pytest.raises(StoreFault, match="already open"):
        open_store()
    commit(store, 1)


def test_a_clean_close_leaves_one_file_and_a_marker(home: Path, open_store: Callable[..., Store]) -> None:
    with open_store() as store:
        assert store.opening.clean
        commit(store, 3)
        assert not (home / "closed.json").exists()
    assert not (home / "station.db-wal").exists()
    assert json.loads((home / "closed.json").read_bytes())["seq"] == 3
    store.close()
    again = open_store()
    assert again.opening.clean
    assert again.generation == 1


def test_after_a_kill_everything_is_there(home: Path, tmp_path: Path, open_store: Callable[..., Store]) -> None:
    store = open_store()
    commit(store, 20)
    found = open_store(abandoned(home, tmp_path, store))
    assert not found.opening.clean
    assert found.opening.doubt is None
    assert found.generation == 1
    assert len(found.pending_entries(100, 1 << 20)) == 20
    assert found.draft("last") == b"19"


def test_a_damaged_wal_is_noticed_kept_and_a_new_generation_begins(
    home: Path, tmp_path: Path, open_store: Callable[..., Store], expected_warnings: Callable[[str], None]
) -> None:
    store = open_store()
    commit(store, 20)
    damaged = abandoned(home, tmp_path, store)
    wal = damaged / "station.db-wal"
    content = bytearray(wal.read_bytes())
    content[len(content) // 2] ^= 0x10
    wal.write_bytes(content)

    report = verify(damaged)
    assert [problem.flaw for problem in report.problems] == ["wal"]
    assert wal.read_bytes() == content, "verify changes nothing"

    expected_warnings("damaged write-ahead log is kept")
    expected_warnings("cannot be continued")
    found = open_store(damaged)
    assert found.generation == 2
    assert found.opening.doubt is not None
    assert "committed transactions" in found.opening.doubt
    left = len(found.pending_entries(100, 1 << 20))
    assert 0 < left < 20, "SQLite forgets the rest, and says nothing"
    assert [path.read_bytes() for path in (damaged / "damaged").iterdir()] == [content]
    commit(found, 2)
    assert [entry.seq for entry in found.pending_entries(100, 1 << 20)][left:] == [1, 2]
    found.close()
    assert verify(damaged).ok


def test_control_sqlite_alone_loses_the_damaged_end_without_a_word(
    home: Path, tmp_path: Path, open_store: Callable[..., Store]
) -> None:
    """Why the log is read by us too: to SQLite a damaged frame is where the log ends, and the rest never was."""
    store = open_store()
    commit(store, 20)
    damaged = abandoned(home, tmp_path, store)
    wal = damaged / "station.db-wal"
    content = bytearray(wal.read_bytes())
    content[len(content) // 2] ^= 0x10
    wal.write_bytes(content)
    with closing(pysqlite3.connect(damaged / "station.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (left,) = database.execute("SELECT count(*) FROM journal").fetchone()
    assert 0 < left < 20


@pytest.mark.parametrize("position", [8, 17, 25, 32 + 2, 32 + 9, 32 + 20, 32 + 24 + 100])
def test_no_byte_at_the_start_of_the_wal_is_flipped_unseen(
    home: Path, tmp_path: Path, open_store: Callable[..., Store], position: int,
    expected_warnings: Callable[..., None],
) -> None:  # fmt: skip
    store = open_store()
    commit(store, 6)
    damaged = abandoned(home, tmp_path, store)
    wal = damaged / "station.db-wal"
    content = bytearray(wal.read_bytes())
    content[position] ^= 0x01
    wal.write_bytes(content)
    expected_warnings("write-ahead log is kept")
    expected_warnings("cannot be continued")
    found = open_store(damaged)
    assert found.opening.doubt is not None
    assert found.generation == 2, "a generation's number is never used twice"


def test_a_database_that_is_gone_begins_a_new_generation(
    home: Path, open_store: Callable[..., Store], expected_warnings: Callable[[str], None]
) -> None:
    with open_store() as store:
        commit(store, 1)
    (home / "station.db").unlink()
    expected_warnings("the database file was gone")
    assert open_store().generation == 2


def test_a_torn_end_of_the_wal_is_no_reason_for_doubt(
    home: Path, tmp_path: Path, open_store: Callable[..., Store]
) -> None:
    """A commit that a power cut interrupted was promised to nobody."""
    store = open_store()
    commit(store, 6)
    torn = abandoned(home, tmp_path, store)
    wal = torn / "station.db-wal"
    frames = read_commits(wal).frames
    content = wal.read_bytes()
    page = 4096 + 24
    start, end = 32 + frames[-2] * page, 32 + frames[-1] * page
    wal.write_bytes(content[:start] + bytes(end - start - page) + content[end - page : end])
    found = open_store(torn)
    assert found.opening.doubt is None
    assert len(found.pending_entries(100, 1 << 20)) == 5


def test_yesterdays_copy_begins_a_new_generation(
    home: Path, tmp_path: Path, open_store: Callable[..., Store], expected_warnings: Callable[[str], None]
) -> None:
    with open_store() as store:
        commit(store, 3)
    shutil.copy(home / "station.db", tmp_path / "yesterday.db")
    with open_store() as store:
        commit(store, 2)
    shutil.copy(tmp_path / "yesterday.db", home / "station.db")
    expected_warnings("closed at entry 1/5 and now ends at 1/3")
    with open_store() as store:
        assert store.generation == 2
        commit(store, 1)
    assert [(head.generation, head.seq) for head in verify(home).heads] == [(1, 3), (2, 1)]


def test_a_journal_shorter_than_its_acknowledgements_begins_a_new_generation(
    home: Path, open_store: Callable[..., Store], expected_warnings: Callable[[str], None]
) -> None:
    from station.store.engine import make_engine

    with open_store() as store:
        commit(store, 2)
    engine = make_engine(home / "station.db", "writer")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE generations SET acked_through = 5")
    engine.dispose()
    report = verify(home)
    assert [(problem.flaw, problem.seq) for problem in report.problems] == [("acknowledged", 5)]
    expected_warnings("the server has entry 1/5")
    assert open_store().generation == 2


def test_a_broken_tail_is_not_built_upon(home: Path, tmp_path: Path, open_store: Callable[..., Store]) -> None:
    with open_store() as store:
        commit(store, 3)
    (home / "closed.json").unlink()
    database = home / "station.db"
    content = database.read_bytes()
    assert content.count(b'{"n":1,"pad"') == 1
    database.write_bytes(content.replace(b'{"n":1,"pad"', b'{"n":7,"pad"'))
    with pytest.raises(StoreFault, match="entry 1/2: the payload's"):
        open_store()
    assert database.read_bytes() == content.replace(b'{"n":1,"pad"', b'{"n":7,"pad"')


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"SQLite format 3\x00" + bytes(4080)])
def test_what_is_not_a_database_is_said_so(home: Path, open_store: Callable[..., Store], content: bytes) -> None:
    home.mkdir(parents=True)
    (home / "station.db").write_bytes(content)
    with pytest.raises(StoreFault, match=r"database|journal"):
        open_store()


def test_a_home_that_cannot_be_made_is_said_so(tmp_path: Path, open_store: Callable[..., Store]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFault, match="cannot be used"):
        open_store(tmp_path / "file" / "home")


def test_clock_may_jump_but_order_stays(open_store: Callable[..., Store], clock: SteadyClock) -> None:
    store = open_store()
    commit(store, 1)
    clock.move(days=-4000)
    commit(store, 1, first=1)
    entries = store.pending_entries(10, 1 << 20)
    assert [entry.seq for entry in entries] == [1, 2]
    assert entries[0].recorded_at > entries[1].recorded_at
