"""What must be forgotten goes, its hashes stay; what is held stays; a kill between leaves nothing behind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import URL

from station.clock import SystemClock
from station.errors import StoreFault
from station.inspection.record import Inspection
from station.journal.chain import check_chain
from station.journal.entry import Entry
from sync.client.api import encode_push
from sync.protocol import ErasureReason, PushRequest, Status
from sync.server.errors import ApiError
from sync.server.journal import Journal
from sync.server.judge import judge
from sync.server.operations.erasing import _NAMES_THE_RETURN, Eraser, Retention
from sync.server.operations.housekeeping import Housekeeping, keep_house
from sync.server.photos import PhotoFolder, PhotoMissing, PhotoRegister
from sync.server.projection import project
from sync.server.routes.bodies import decode
from sync.server.storage import Database, open_database
from sync.server.storage.all_rows import metadata
from sync.server.storage.rows import entries as entry_rows
from sync.server.storage.rows import inspections
from tests.conftest import WarningsOnTheLog
from tests.sync.material import START, STATION, an_inspection, chain, fact, jpeg_of, until

SHARED = jpeg_of(99)
"""A photo that two units name."""


class Centre:
    """A server's database and photos, without the server."""

    def __init__(self, url: URL, folder: Path) -> None:
        self.database: Database = open_database(url)
        self.photos = PhotoFolder(folder)
        self.register = PhotoRegister(self.database, self.photos)
        self.eraser = Eraser(self.database, self.photos)
        self.journal = Journal(self.database, (project,))
        mine = [[jpeg_of(n), *([SHARED] if n < 2 else [])] for n in range(4)]
        self.units: list[Inspection] = [an_inspection(n, jpegs) for n, jpegs in enumerate(mine)]
        self.chain = chain([fact(one) for one in self.units])
        self.push(self.chain)
        for jpeg in {jpeg for jpegs in mine for jpeg in jpegs}:
            self.put(jpeg)

    def push(self, some: list[Entry]) -> list[Status]:
        request = decode(PushRequest, encode_push(STATION, some))
        judged = [judge(STATION, bytes(raw)) for raw in request.entries]
        return [one.status for one in self.journal.push("main", STATION, judged, START).results]

    def put(self, jpeg: bytes) -> None:
        upload = self.photos.receive(name_of(jpeg))
        upload.write(jpeg)
        upload.keep()
        self.register.note("main", name_of(jpeg), len(jpeg), START)

    def entries(self) -> list[Entry]:
        names = Entry.__dataclass_fields__
        with self.database.reading() as connection:
            rows = connection.execute(select(*(entry_rows.c[name] for name in names)).order_by(entry_rows.c.seq))
            return [Entry(*row) for row in rows]


def name_of(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()


@pytest.fixture
def centre(either_database: URL, tmp_path: Path) -> Iterator[Centre]:
    made = Centre(either_database, tmp_path / "photos")
    yield made
    made.database.close()


def test_a_unit_is_forgotten_and_the_chain_still_verifies(centre: Centre) -> None:
    unit = centre.units[1]
    done = centre.eraser.request("main", unit.unit_id, ErasureReason.REQUEST, "it@floor", START)
    assert (done.entries, done.photos, done.subject, done.requested_by) == (1, 1, unit.unit_id, "it@floor")
    assert done.done_at is not None
    kept = centre.entries()
    assert list(check_chain(kept)) == []
    assert [entry.payload is None for entry in kept] == [False, True, False, False]
    assert [entry.hash for entry in kept] == [entry.hash for entry in centre.chain]
    with pytest.raises(PhotoMissing):
        centre.register.read("main", name_of(jpeg_of(1)))
    assert not centre.photos.holds(name_of(jpeg_of(1)))
    assert centre.register.read("main", name_of(SHARED)) == SHARED, "another unit names it too"
    assert centre.eraser.listed("main").erasures == [done]


def test_no_derived_row_leads_to_the_return_any_more(centre: Centre) -> None:
    """Every table that has both a unit and a return's number is emptied; others keep theirs."""
    both = [table for table in metadata.sorted_tables if {"unit_id", "rma"} <= set(table.columns.keys())]
    assert {table.name for table in both} == {table.name for table in _NAMES_THE_RETURN}
    unit = centre.units[1]
    centre.eraser.request("main", unit.unit_id, ErasureReason.REQUEST, "", START)
    with centre.database.reading() as connection:
        left = {row.unit_id: row.rma for row in connection.execute(select(inspections))}
    assert left.pop(unit.unit_id) is None
    assert None not in left.values()


def test_the_chain_check_would_notice_a_changed_hash(centre: Centre) -> None:
    """Negative control: erasing is no licence to change the header."""
    from dataclasses import replace

    kept = centre.entries()
    kept[2] = replace(kept[2], payload=None, payload_sha256="0" * 64)
    assert list(check_chain(kept)) != []


def test_what_was_forgotten_does_not_come_back(centre: Centre) -> None:
    centre.eraser.request("main", centre.units[0].unit_id, ErasureReason.REQUEST, "", START)
    assert set(centre.push(centre.chain)) == {Status.DUPLICATE}
    assert centre.entries()[0].payload is None
    assert centre.register.held("main", [name_of(jpeg_of(0))]) == {name_of(jpeg_of(0))}, "nobody shall send it again"


def test_a_kill_before_the_bytes_are_gone_is_finished_later(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("could not be erased yet")

    def broken(_sha256: str) -> None:
        raise StoreFault("the disk is away")

    with monkeypatch.context() as patched:
        patched.setattr(centre.photos, "delete", broken)
        done = centre.eraser.request("main", centre.units[2].unit_id, ErasureReason.LEGAL, "", START)
        assert done.done_at is None
        assert centre.photos.holds(name_of(jpeg_of(2)))
    assert centre.eraser.finish("main", START) == 1
    assert not centre.photos.holds(name_of(jpeg_of(2)))
    assert centre.eraser.listed("main").erasures[0].done_at is not None


def test_evidence_of_a_claim_is_kept_until_the_hold_is_lifted(centre: Centre) -> None:
    unit = centre.units[3].unit_id
    centre.eraser.hold("main", unit, "carrier claim 17", "lead", None, START)
    with pytest.raises(ApiError) as refused:
        centre.eraser.request("main", unit, ErasureReason.REQUEST, "", START)
    assert (refused.value.status, refused.value.code) == (409, "held")
    later = START + timedelta(days=400)
    assert centre.eraser.retain("main", Retention(timedelta(days=90), None), later) == 3
    assert centre.photos.holds(name_of(jpeg_of(3)))
    assert centre.eraser.lift("main", unit).held is False
    assert centre.eraser.retain("main", Retention(timedelta(days=90), None), later) == 1
    assert not centre.photos.holds(name_of(jpeg_of(3)))
    assert not centre.photos.holds(name_of(SHARED))
    with pytest.raises(ApiError, match="is not held"):
        centre.eraser.lift("main", unit)
    with pytest.raises(ApiError, match="no inspection of unit"):
        centre.eraser.request("main", "nobody", ErasureReason.REQUEST, "", START)


def test_retention_counts_days_and_is_done_once(centre: Centre) -> None:
    policy = Retention(timedelta(days=90), timedelta(days=700))
    assert centre.eraser.retain("main", policy, START + timedelta(days=89)) == 0
    assert all(entry.payload is not None for entry in centre.entries())
    assert centre.eraser.retain("main", policy, START + timedelta(days=91)) == 4
    assert centre.eraser.retain("main", policy, START + timedelta(days=91)) == 0
    assert all(entry.payload is not None for entry in centre.entries()), "records are kept longer than photos"
    assert centre.eraser.retain("main", policy, START + timedelta(days=701)) == 4
    assert all(entry.payload is None for entry in centre.entries())
    assert list(check_chain(centre.entries())) == []
    assert centre.eraser.retain("main", policy, START + timedelta(days=702)) == 0


def test_the_server_finishes_what_a_crash_left(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(centre.eraser, "finish", lambda *_: 0)  # the process died here
        centre.eraser.request("main", centre.units[2].unit_id, ErasureReason.REQUEST, "", START)
    assert centre.photos.holds(name_of(jpeg_of(2)))
    with closing(Housekeeping(centre.database, centre.photos, SystemClock(), first_s=0.01, every_s=0.01)):
        until(lambda: not centre.photos.holds(name_of(jpeg_of(2))), 10, "the photo is gone")
        until(lambda: centre.eraser.listed("main").erasures[0].done_at is not None, 10, "and noted")


def test_a_failing_step_does_not_keep_the_others(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("could not be erased yet|finishing erasures did not work")
    done: list[object] = []

    def broken(_sha256: str) -> None:
        raise StoreFault("the disk is away")

    monkeypatch.setattr(centre.photos, "delete", broken)
    monkeypatch.setattr(centre.database, "make_partitions", done.append)
    centre.eraser.request("main", centre.units[2].unit_id, ErasureReason.REQUEST, "", START)
    keep_house(centre.database, centre.photos, SystemClock())
    assert len(done) == 1
