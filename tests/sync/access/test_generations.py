"""Restored and copied disks (F8, F9, R12), and the centre's word against a journal that was cut or made anew (F27)."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from station.clock import SystemClock
from station.errors import StoreFault
from station.inspection.record import JOURNAL_GENERATION, GenerationBegun
from station.journal.chain import Flaw
from station.store import Store, proof
from sync.client.api import HttpApi
from sync.client.lineage import Lineage
from tests.conftest import WarningsOnTheLog
from tests.sync.access.material import TOKEN, Bench, DoorServer, a_bench, open_bench


def copy_of(bench: Bench, to: Path) -> Path:
    """The disk as it stands, closed; the bench goes on afterwards."""
    bench.store.close()
    shutil.copytree(bench.home, to)
    bench.store = Store.open(bench.home, station=bench.store.station, clock=SystemClock(), ballast_bytes=0)
    return to


def begun(bench: Bench) -> list[GenerationBegun]:
    with closing(sqlite3.connect(bench.home / "station.db")) as db:
        rows = db.execute("SELECT payload FROM journal WHERE kind = ? ORDER BY position", (JOURNAL_GENERATION,))
        return [msgspec.json.decode(row[0], type=GenerationBegun) for row in rows]


def test_a_copied_disk_run_at_two_benches_loses_nothing(
    either_door: DoorServer, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("the server holds another entry")
    expected_warnings("cannot go on: the server holds another entry at 1/11; generation 2 begins")
    expected_warnings("another machine records as 'bench-1'", required=False)
    with a_bench(either_door, tmp_path / "one") as one:
        before = one.record(10)
        one.sync()
        two = open_bench(either_door, copy_of(one, tmp_path / "two"))
        try:
            meanwhile = two.loop()
            two.sync(loop=meanwhile)  # both are there, and nothing is wrong yet
            ours = one.record(5, first=100)
            one.sync()
            theirs = two.record(4, first=200)  # recorded before anybody knows
            states = two.sync(loop=meanwhile)
            assert states[-1].forked
            assert two.store.generation == 2
            later = two.record(3, first=300)
            two.sync(loop=meanwhile)
            ours += one.record(2, first=400)
            one.sync()
            assert one.store.generation == 1
            told = begun(two)
            assert [(fact.before, fact.before_seq) for fact in told] == [(1, 14)]
            assert "the server holds another entry at 1/11" in told[0].reason
            assert proof.verify(one.home).problems == ()
        finally:
            two.close()
        assert proof.verify(two.home).problems == ()
    held = {row[0] for row in either_door.table("SELECT id FROM entries")}
    kept = {row[0] for row in either_door.table("SELECT id FROM disputes")}
    assert held >= {entry.id for entry in before + ours + later}
    assert kept == {entry.id for entry in theirs}  # beside, for a lead
    assert len(held) == 10 + 7 + 3 + 1
    assert len(either_door.table("SELECT id FROM entries WHERE kind = 'journal.generation'")) == 1
    assert either_door.table("SELECT count(*) FROM inspections") == [(20,)]


def test_an_old_copy_put_back_is_noticed_before_anything_is_sent(
    door: DoorServer, bench: Bench, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("cannot go on: the server holds entry 1/8, which is not on this disk; generation 2 begins")
    bench.record(3)
    bench.sync()
    old = copy_of(bench, tmp_path / "yesterday")
    bench.record(5, first=10)
    bench.sync()
    restored = open_bench(door, old)
    try:
        states = restored.sync()
        assert states[-1].forked
        assert restored.store.generation == 2
        restored.record(2, first=50)
        restored.sync()
        assert restored.sync()[-1].unsent.entries == 0
        assert restored.store.generation == 2  # once is enough
    finally:
        restored.close()
    assert door.table("SELECT generation, seq FROM heads ORDER BY generation") == [(1, 8), (2, 3)]
    assert door.table("SELECT count(*) FROM disputes") == [(0,)]


def test_a_new_generation_is_above_all_that_the_server_knows(
    door: DoorServer, bench: Bench, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("cannot go on")
    expected_warnings("another machine records")
    bench.record(2)
    bench.sync()
    first, second = copy_of(bench, tmp_path / "a"), copy_of(bench, tmp_path / "b")
    bench.record(1, first=5)
    bench.sync()
    generations = []
    for home in (first, second):
        restored = open_bench(door, home)
        try:
            restored.sync()
            generations.append(restored.store.generation)
            restored.sync()
        finally:
            restored.close()
    assert generations == [2, 3]
    bench.sync()  # the true one learns that somebody uses its name
    assert bench.store.generation == 1


def test_without_lineage_the_copy_would_go_on_beside_the_truth(
    door: DoorServer, bench: Bench, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    """The control: then every record of the copy lands among the disputed ones, for ever."""
    from sync.client.drain import drain
    from tests.sync.material import SWIFT, dice

    expected_warnings("the server holds another entry")
    bench.record(2)
    bench.sync()
    two = open_bench(door, copy_of(bench, tmp_path / "two"))
    try:
        bench.record(1, first=5)
        bench.sync()
        for first in (10, 20, 30):
            two.record(1, first=first)
            drain(two.store, two.api, SystemClock(), dice(1), within_s=10, timing=SWIFT)
        assert two.store.generation == 1
    finally:
        two.close()
    assert door.table("SELECT count(*) FROM disputes") == [(3,)]


# the centre's word


def flaws(home: Path) -> set[Flaw]:
    return {problem.flaw for problem in proof.verify(home).problems}


def cut_to(home: Path, seq: int, *, cover: bool) -> None:
    """Somebody with the database in his hands takes the end of the journal away, and what points to it."""
    with closing(sqlite3.connect(home / "station.db")) as db:
        for name in [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]:
            db.execute(f'DROP TRIGGER "{name}"')
        db.execute("DELETE FROM journal WHERE seq > ?", (seq,))
        for table in ("inspections", "parcels", "photos", "labels"):
            db.execute(f"DELETE FROM {table} WHERE seq > ?", (seq,))
        if cover:
            db.execute("DELETE FROM acknowledgements WHERE seq > ?", (seq,))
            db.execute("UPDATE generations SET acked_through = ?", (seq,))
        db.commit()


def test_a_journal_that_was_cut_is_exposed_by_what_the_server_signed(door: DoorServer, tmp_path: Path) -> None:
    with a_bench(door, tmp_path / "bench") as bench:
        bench.record(6)
        bench.sync()
        bench.sync()
        (signed,) = bench.store.countersigned()
        assert (signed.generation, signed.seq, signed.station) == (1, 6, "bench-1")
        assert signed.key == bench.identity.enrolment.server_key
    home = bench.home
    assert flaws(home) == set()
    cut_to(home, 4, cover=True)
    problems = proof.verify(home).problems
    assert {problem.flaw for problem in problems} == {Flaw.COUNTERSIGNED}  # nothing else notices
    assert "it has entry 1/6, but it is not here" in problems[0].text
    with closing(sqlite3.connect(home / "station.db")) as db:
        db.execute("DELETE FROM sync_values WHERE key = 'countersigned_heads'")
        db.commit()
    assert flaws(home) == set()  # the control: the bench alone cannot know any more …


def test_what_the_bench_cannot_know_any_more_the_server_tells(
    door: DoorServer, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("cannot go on: the server holds entry 1/6, which is not on this disk")
    expected_warnings("journal|marker|store", required=False)
    with a_bench(door, tmp_path / "bench") as bench:
        bench.record(6)
        bench.sync()
    cut_to(bench.home, 4, cover=True)
    with closing(sqlite3.connect(bench.home / "station.db")) as db:
        db.execute("DELETE FROM sync_values")
        db.commit()
    for marker in bench.home.glob("*closed*"):
        marker.unlink()
    again = open_bench(door, bench.home)
    try:
        states = again.sync()
        assert states[-1].forked or again.store.generation > 1
    finally:
        again.close()


def test_a_journal_made_anew_and_a_changed_signature_are_exposed(door: DoorServer, tmp_path: Path) -> None:
    with a_bench(door, tmp_path / "bench") as bench:
        bench.record(2)
        bench.sync()
        bench.sync()
        (signed,) = bench.store.countersigned()
    database = bench.home / "station.db"

    def put(**changes: object) -> set[str]:
        value = json.dumps([msgspec.to_builtins(signed) | changes])
        with closing(sqlite3.connect(database)) as db:
            db.execute("UPDATE sync_values SET value = ? WHERE key = 'countersigned_heads'", (value,))
            db.commit()
        return {problem.text.partition(": ")[2] or problem.text for problem in proof.verify(bench.home).problems}

    assert put() == set()
    changed = f"what is kept as the server's signature of {signed.at} is none: it was changed"
    assert put(seq=1) == put(hash="0" * 64) == put(station="bench-2") == {changed}


def test_an_older_word_of_the_server_never_replaces_a_newer(bench: Bench) -> None:
    bench.record(2)
    bench.sync()
    bench.sync()
    (older,) = bench.store.countersigned()
    bench.record(1, first=7)
    bench.sync()
    bench.sync()
    (newer,) = bench.store.countersigned()
    assert (older.seq, newer.seq) == (2, 3)
    bench.store.keep_countersigned([older])
    assert bench.store.countersigned() == (newer,)


def test_without_enrolment_the_first_key_is_the_one_that_counts(door: DoorServer, tmp_path: Path) -> None:
    """The simple mode: the same word of the centre, with trust on first sight."""
    from sync.client.drain import drain
    from sync.client.loop import SyncLoop
    from tests.sync.material import SWIFT, dice

    api = HttpApi(door.url, token=TOKEN, clock=SystemClock())
    with Store.open(tmp_path / "plain", station="bench-7", clock=SystemClock(), ballast_bytes=0) as store:
        bench = Bench(tmp_path / "plain", store, None, api)  # type: ignore[arg-type]  # it has no identity
        bench.record(3)
        states: list[object] = []
        loop = SyncLoop(store, api, SystemClock(), dice(1), SWIFT, lineage=Lineage(store))
        loop.run(lambda: not store.unsent().entries, states.append)
        assert [(head.seq, head.station) for head in store.countersigned()] == [(3, "bench-7")]
        assert drain(store, api, SystemClock(), dice(1), within_s=5, timing=SWIFT).entries == 0
    api.close()
    assert proof.verify(tmp_path / "plain").problems == ()


def test_a_generation_can_only_begin_while_the_store_is_open(bench: Bench) -> None:
    bench.store.close()
    with pytest.raises(StoreFault, match="the store is closed"):
        bench.store.start_generation(reason="test", above=0)
