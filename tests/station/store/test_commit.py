"""One commit is one transaction: entries, the rows made from them, and drafts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from store_lab import (
    START,
    SteadyClock,
    decision,
    fact,
    inspection,
    label_printed,
    parcel_closed,
    parcel_opened,
    parcel_parked,
    photo,
    voided,
)

from station.decision.model import Disposition
from station.errors import Defect
from station.inspection.ports import BenchStore, RecentUnit, ShiftFigures
from station.journal.chain import check_chain
from station.journal.entry import Fact
from station.store import Store
from station.store.engine import make_engine
from station.store.outbox import Outbox
from station.store.rows import UtcTime


def everything(store: Store) -> list[tuple[int, str]]:
    return [(entry.seq, entry.kind) for entry in store.pending_entries(1000, 1 << 30)]


def test_store_is_both_ports(store: Store) -> None:
    bench: BenchStore = store
    outbox: Outbox = store
    assert bench.slots("") == ()
    assert outbox.station == "bench-1"


def test_entries_are_linked_and_numbered_without_gaps(store: Store) -> None:
    first = store.commit([fact("a.b", {"n": 1}), fact("a.c", {"n": 2})], actor="ines", drafts={})
    second = store.commit([fact("a.d", {"n": 3})], actor="otto", drafts={})
    entries = (*first, *second)
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert [entry.actor for entry in entries] == ["ines", "ines", "otto"]
    assert entries[0].recorded_at == "2026-11-22T10:00:00.000000Z"
    assert list(check_chain(entries)) == []
    assert store.pending_entries(10, 1 << 20) == entries


def test_drafts_are_kept_replaced_and_dropped_with_the_facts(store: Store) -> None:
    store.commit([], actor="ines", drafts={"parked:b": b"1", "current": b"\x00\xff", "parked:a": b"2"})
    store.commit([fact("a.b", {})], actor="ines", drafts={"parked:b": b"3", "current": None})
    assert store.draft("parked:b") == b"3"
    assert store.draft("current") is None
    assert store.slots("parked:") == ("parked:b", "parked:a"), "oldest first, also after a change"
    assert store.slots("parked%") == ()


@pytest.mark.parametrize(
    "payload", [b'{"b":1,"a":2}', b'{"a": 1}', b"not json", b'{"a":1.5}', b'{"a":"\\u0000"}', b"\xff"]
)
def test_what_is_not_canonical_does_not_get_in(store: Store, payload: bytes) -> None:
    with pytest.raises(Defect, match="payload of"):
        store.commit([fact("a.b", {}), Fact("a.b", 1, payload)], actor="ines", drafts={"current": b"x"})
    assert store.draft("current") is None
    assert everything(store) == []


def test_a_payload_that_breaks_its_schema_leaves_nothing(store: Store) -> None:
    with pytest.raises(Defect, match=r"inspection.confirmed.*schema 1"):
        store.commit(
            [parcel_opened("p"), fact("inspection.confirmed", {"inspection_id": "x"})],
            actor="ines",
            drafts={"current": b"x"},
        )
    assert everything(store) == []
    assert store.draft("current") is None
    store.commit([parcel_opened("p")], actor="ines", drafts={})
    assert everything(store) == [(1, "parcel.opened")]


def test_the_same_inspection_twice_is_our_bug_and_leaves_nothing(store: Store) -> None:
    store.commit([inspection(1)], actor="ines", drafts={})
    with pytest.raises(Defect, match="UNIQUE"):
        store.commit([inspection(1)], actor="ines", drafts={"current": b"x"})
    assert everything(store) == [(1, "inspection.confirmed")]
    assert store.draft("current") is None


def test_unknown_kinds_and_schemas_are_kept_and_make_no_rows(store: Store) -> None:
    future = Fact("inspection.confirmed", 2, b'{"new":"shape"}')
    store.commit([fact("lead.decided", {"x": [1, None, "é"]}), future], actor="lead", drafts={})
    assert everything(store) == [(1, "lead.decided"), (2, "inspection.confirmed")]
    assert store.recent(5) == ()


def test_recent_shows_what_stands_newest_first(store: Store) -> None:
    second_look = decision(Disposition.QUARANTINE, None, second_look=True)
    facts = [inspection(1), inspection(2, decided=second_look), inspection(3), voided(3)]
    store.commit(facts, actor="ines", drafts={})
    assert store.recent(5) == (
        RecentUnit("inspection-2", "Thing 2", None, Disposition.QUARANTINE, "R-14", True),
        RecentUnit("inspection-1", "Thing 1", "A", Disposition.RESTOCK, "R-14", False),
    )
    assert [unit.inspection_id for unit in store.recent(1)] == ["inspection-2"]


@pytest.mark.parametrize(
    ("facts", "standing"),
    [
        ([inspection(1)], {"1"}),
        ([inspection(1), voided(1)], set()),
        ([inspection(1), voided(1), voided(1)], set()),
        ([inspection(1), inspection(2, unit="unit-1", corrects="inspection-1")], {"2"}),
        ([inspection(1), voided(1), inspection(2, unit="unit-1", corrects="inspection-1")], {"2"}),
        ([inspection(1), inspection(2, unit="unit-1", corrects="inspection-1"), voided(2)], {"1"}),
        (
            [
                inspection(1),
                inspection(2, unit="unit-1", corrects="inspection-1"),
                inspection(3, unit="unit-1", corrects="inspection-2"),
                voided(3),
            ],
            {"2"},
        ),
        ([voided(9), inspection(1)], {"1"}),
    ],
)
def test_which_inspections_stand(store: Store, facts: list[Fact], standing: set[str]) -> None:
    store.commit(facts, actor="ines", drafts={})
    assert {unit.inspection_id.removeprefix("inspection-") for unit in store.recent(9)} == standing
    assert store.directory.inspected_units("m", "RMA-1") == ({1: 1} if standing else {})


def test_inspected_units_count_units_by_line(store: Store) -> None:
    facts = [
        inspection(1, line=1),
        inspection(2, line=1),
        inspection(3, line=2),
        inspection(4, line=None),
        inspection(5, line=1, rma="RMA-2"),
        inspection(6, line=1, merchant="other"),
        inspection(7, line=2),
        voided(7),
    ]
    store.commit(facts, actor="ines", drafts={})
    assert store.directory.inspected_units("m", "RMA-1") == {1: 2, 2: 1}
    assert store.directory.inspected_units("m", "RMA-9") == {}


def test_a_plate_once_given_stays_used(store: Store) -> None:
    store.commit([inspection(1), voided(1), label_printed(2)], actor="ines", drafts={})
    assert store.directory.lpn_is_used("LPN-1")
    assert store.directory.lpn_is_used("LPN-2")
    assert not store.directory.lpn_is_used("LPN-3")


def test_figures_of_the_shift(store: Store) -> None:
    assert store.figures(START, START) == ShiftFigures(0, 0, None, 0)
    minutes = [-90, 10, 20, 70, 75]
    facts = [
        inspection(number, at=START + timedelta(minutes=minute), seconds=10 * (number + 1))
        for number, minute in enumerate(minutes)
    ]
    facts += [inspection(9, at=START + timedelta(minutes=71)), voided(9)]
    facts += [parcel_opened("p1"), parcel_parked("p1"), parcel_opened("p2"), parcel_parked("p2"), parcel_closed("p2")]
    store.commit(facts, actor="ines", drafts={})
    assert store.figures(START, START + timedelta(minutes=75)) == ShiftFigures(
        units=4, this_hour=3, median_seconds=35, parked=1
    )


def test_work_on_a_parked_parcel_unparks_it(store: Store) -> None:
    store.commit([parcel_opened("p"), parcel_parked("p")], actor="ines", drafts={})
    assert store.figures(START, START).parked == 1
    store.commit([inspection(1, parcel="p")], actor="ines", drafts={})
    assert store.figures(START, START).parked == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor = 'x' WHERE seq = 1",
        "UPDATE journal SET payload = x'7b7d' WHERE seq = 1",
        "UPDATE journal SET payload = NULL, actor = 'x' WHERE seq = 1",
        "DELETE FROM journal WHERE seq = 2",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 1",
        "INSERT INTO journal SELECT 99, station, generation, 4, 'x', kind, schema, recorded_at, actor, payload, "
        "payload_sha256, hash, hash FROM journal WHERE seq = 2",
        "INSERT INTO journal SELECT 99, station, generation, 3, 'x', kind, schema, recorded_at, actor, payload, "
        "payload_sha256, prev_hash, hash FROM journal WHERE seq = 2",
    ],
)
def test_the_database_itself_refuses_to_change_the_journal(store: Store, home: Path, statement: str) -> None:
    entries = store.commit([fact("a.b", {}), fact("a.c", {})], actor="ines", drafts={})
    store.close()
    engine = make_engine(home / "station.db", "writer")
    with pytest.raises(sa.exc.IntegrityError, match=r"append-only|continue the chain"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    with engine.begin() as connection:  # the one change that is allowed: erasure
        connection.exec_driver_sql("UPDATE journal SET payload = NULL WHERE seq = 2")
        hashes = connection.exec_driver_sql("SELECT hash FROM journal ORDER BY seq").scalars().all()
    engine.dispose()
    assert hashes == [entry.hash for entry in entries]


def test_times_are_aware_or_refused() -> None:
    column = UtcTime()
    dialect = sa.create_engine("sqlite://").dialect
    with pytest.raises(Defect, match="naive datetime"):
        column.process_bind_param(datetime(2026, 1, 1), dialect)  # noqa: DTZ001
    moment = START + timedelta(microseconds=1)
    assert column.process_result_value(column.process_bind_param(moment, dialect), dialect) == moment


def test_readers_and_committers_never_get_in_each_others_way(store: Store) -> None:
    """Four threads commit, four read; nobody meets a lock, and the chain has everyone's facts."""
    failures: list[BaseException] = []
    done = threading.Event()

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    def write(name: str) -> None:
        for number in range(25):
            store.commit([inspection(f"{name}{number}")], actor=name, drafts={name: b"%d" % number})

    def read() -> None:
        while not done.is_set():
            shown = store.recent(1000)
            assert store.unsent().entries >= len(shown)
            store.directory.inspected_units("m", "RMA-1")

    writers = [threading.Thread(target=guarded, args=(lambda name=name: write(name),)) for name in "abcd"]
    readers = [threading.Thread(target=guarded, args=(read,)) for _ in range(4)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []
    entries = store.pending_entries(1000, 1 << 30)
    assert [entry.seq for entry in entries] == list(range(1, 101))
    assert list(check_chain(entries)) == []
    assert all(store.draft(name) == b"24" for name in "abcd")


def test_photos_of_an_inspection_are_rows(store: Store, clock: SteadyClock) -> None:
    store.commit([inspection(1, photos=(photo("a" * 64), photo("b" * 64)))], actor="ines", drafts={})
    store.commit([inspection(2, photos=(photo("a" * 64),))], actor="ines", drafts={})
    assert store.unsent().photos == 2
