"""What names a unit outside of its inspections is forgotten with it: quarantine, disputes, looks at planted units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from station.canonical import canonical_json
from station.identify.scan import RawScan
from station.inspection.record import INSPECTION_CONFIRMED, PARCEL_OPENED, Inspection, ParcelOpened
from station.journal.chain import check_chain
from station.journal.entry import Entry, Fact, link
from station.returns.model import ArrivalKind
from station.review.agreement.planted import GOLDEN, PLANTED, PREFIX, Golden, Planted, Why
from sync.protocol import ErasureReason, Status, Topic
from sync.server.feed import Feed
from sync.server.storage.rows import OF_AGREEMENT, disputes, entries
from tests.sync.material import START, STATION, an_inspection, chain, fact
from tests.sync.operations.test_erasing import Centre

SECRET = "Gustav-Street-7"
NEW_KIND = "inspection.annotated"
"""Of a bench that is newer than this server."""


@pytest.fixture
def centre(either_database: URL, tmp_path: Path) -> Iterator[Centre]:
    made = Centre(either_database, tmp_path / "photos")
    yield made
    made.database.close()


def says(unit: Inspection) -> Fact:
    note = {"inspection_id": unit.inspection_id, "note": SECRET}
    return Fact(NEW_KIND, 1, canonical_json(note))


def disputed(centre: Centre) -> str:
    with centre.database.reading() as connection:
        return b"".join(connection.scalars(select(disputes.c.entry))).decode()


def erase(centre: Centre, unit: Inspection) -> int:
    return centre.eraser.request("main", unit.unit_id, ErasureReason.REQUEST, "it@floor", START).entries


def on(centre: Centre, *facts: Fact) -> list[Status]:
    centre.chain = [*centre.chain, *chain(facts, centre.chain[-1])]
    return centre.push(centre.chain[-len(facts) :])


def test_quarantined_bytes_that_name_the_unit_go(centre: Centre) -> None:
    mine, other = centre.units[1], centre.units[2]
    assert on(
        centre, says(mine), says(other), Fact(INSPECTION_CONFIRMED, 1, b'{"unit_id":"%s"}' % mine.unit_id.encode())
    )
    assert erase(centre, mine) == 3
    kept = centre.entries()
    assert list(check_chain(kept)) == []
    assert [entry.payload is None for entry in kept] == [False, True, False, False, True, False, True]
    assert SECRET in str(kept[5].payload), "another unit's stays"


def test_disputed_bytes_that_name_the_unit_go(centre: Centre) -> None:
    mine, other = centre.units[1], centre.units[2]

    def forked(unit: Inspection, at: Entry) -> Entry:
        changed = fact(replace(unit, title=SECRET))
        return link(
            changed, station=STATION, generation=1, seq=at.seq, id=at.id, recorded_at=at.recorded_at, actor=at.actor,
            prev_hash=at.prev_hash,
        )  # fmt: skip

    assert centre.push([forked(mine, centre.chain[1])]) == [Status.ID_COLLISION]
    assert centre.push([forked(other, centre.chain[2])]) == [Status.ID_COLLISION]
    assert disputed(centre).count(SECRET) == 2
    assert erase(centre, mine) == 2
    left = disputed(centre)
    assert (left.count(SECRET), mine.unit_id in left, mine.lpn in left) == (1, False, False)
    with centre.database.reading() as connection:
        raw = connection.scalar(select(disputes.c.entry).where(disputes.c.seq == 2))
    assert msgspec.json.decode(raw)["id"] == centre.chain[1].id, "place, id and hashes stay"


def test_a_unit_that_went_round_again_is_forgotten_as_well(centre: Centre) -> None:
    mine = centre.units[1]
    planted = Planted("acme", "RMA-X", mine.inspection_id, Why.AGAIN, "bo", ("ana",), 7, "rule@1", START)
    other = replace(planted, rma="RMA-Y", subject=centre.units[2].inspection_id)
    agreed = Golden(mine.inspection_id, "B", {}, ("ana", "bo"), SECRET, START)
    looks = [replace(an_inspection(50 + n), rma=rma, title=SECRET) for n, rma in enumerate(("RMA-X", "RMA-Y"))]
    opened = ParcelOpened(
        looks[0].parcel_id, ArrivalKind.RMA, RawScan(SECRET.encode(), "scanner-1", START), "RMA-X", "acme", START
    )
    facts = [
        Fact(PLANTED, 1, canonical_json(planted)), Fact(PLANTED, 1, canonical_json(other)),
        Fact(GOLDEN, 1, canonical_json(agreed)), Fact(PREFIX + PARCEL_OPENED, 1, canonical_json(opened)),
        *(Fact(PREFIX + INSPECTION_CONFIRMED, 1, canonical_json(look)) for look in looks),
    ]  # fmt: skip
    assert set(on(centre, *facts)) == {Status.ACCEPTED}
    assert erase(centre, mine) == 5
    kept = centre.entries()
    assert list(check_chain(kept)) == []
    assert [entry.payload is None for entry in kept[4:]] == [True, False, True, True, True, False]
    told = {item.key for item in Feed(centre.database).page("main", Topic.ERASURES, None).items}
    assert told == {mine.unit_id, looks[0].unit_id}, "the bench that looked again is told by the id of then"


def test_the_index_is_used(centre: Centre) -> None:
    """Otherwise each erasure would read the whole journal."""
    query = select(func.count()).select_from(entries).where(entries.c.site_id == "main", OF_AGREEMENT)
    with centre.database.reading() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = str(connection.exec_driver_sql(explain + text).all())
    assert "site_id_kind" in plan or "entries_of_agreement" in plan, plan
