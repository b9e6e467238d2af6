"""What must be forgotten goes at the centre and at the bench that recorded it; hashes stay, the rest stays whole."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pysqlite3
import pytest
from sqlalchemy import select

from station.canonical import canonical_json
from station.clock import SystemClock
from station.identify.scan import RawScan
from station.inspection.record import PARCEL_OPENED, Inspection, ParcelOpened
from station.journal.entry import Fact
from station.returns.model import ArrivalKind
from station.review.agreement.planted import PLANTED, PREFIX, Planted, Why
from station.store import Store, proof
from station.store.entries import JOURNAL
from station.store.feed import FeedChange
from station.store.outbox import Acknowledgement
from sync.client.api import HttpApi
from sync.client.forgetting import Forgetting
from sync.client.loop import SyncLoop
from sync.protocol import Topic
from sync.server.storage.all_rows import metadata
from tests.sync.centre.house import House, fact, of_unit, plate
from tests.sync.material import START, SWIFT, until

SECRET = "Gustav-Street-7"
"""What a customer wrote; nowhere afterwards."""


def opened(parcel_id: str, rma: str) -> Fact:
    scan = RawScan(f"{SECRET} {rma}".encode(), "scanner-1", START)
    return Fact(PARCEL_OPENED, 1, canonical_json(ParcelOpened(parcel_id, ArrivalKind.RMA, scan, rma, "acme", START)))


def ask_return(house: House, rma: str) -> str:
    merchant = {"id": "acme", "name": "Acme", "policy": "small_brand", "grading_scheme": "standard", "currency": "EUR"}
    assert house.by("lea").ask("PUT", "/v1/merchants/acme", json=merchant).status_code == 200
    answer = house.by("lea").ask(
        "POST", "/v1/returns", headers={"Idempotency-Key": rma},
        json={"merchant_id": "acme", "rma": rma, "order_id": f"{SECRET}-order",
              "lines": [{"sku": "HD-1", "quantity": 2, "reason": "unwanted", "comment": SECRET}]},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return str(answer.json()["return_id"])


def rows_with(house: House, *marks: str) -> list[str]:
    """Tables of the centre that say one of these anywhere."""
    found = []
    with house.server.service.database.reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                if any(mark in str(tuple(row)) for mark in marks):
                    found.append(table.name)
                    break
    return found


def erase(house: House, unit: Inspection) -> None:
    answer = house.by("ida").ask("POST", "/v1/erasures", json={"unit_id": unit.unit_id})
    assert answer.status_code == 202, answer.text


def test_the_return_and_the_parcel_go_with_their_last_unit(house: House) -> None:
    rma = plate("RMA")
    return_id = ask_return(house, rma)
    first = of_unit(plate("GONE"), rma=rma, line=1)
    second = of_unit(plate("GONE"), rma=rma, line=1, parcel_id=first.parcel_id)
    bench = house.bench()
    made = bench.push(opened(first.parcel_id, rma), fact(first), fact(second))
    assert house.decide(first.lpn, reason=f"spoke with {SECRET}").status_code == 200
    assert {"entries", "authorisations", "unit_lines"} <= set(rows_with(house, SECRET, rma))

    erase(house, first)
    assert house.get(f"/v1/returns/{return_id}").status_code == 200, "another unit of it is kept"
    assert "authorisations" in rows_with(house, rma)
    erase(house, second)
    assert house.get(f"/v1/returns/{return_id}").status_code == 404
    left = set(rows_with(house, SECRET, rma))
    # the feed's tombstone and the idempotency key keep the number by which the shop named it, and nothing else
    assert left <= {"feed_items", "return_requests"}, left
    assert rows_with(house, SECRET) == []
    again = house.by("lea").ask(
        "POST", "/v1/returns", headers={"Idempotency-Key": rma},
        json={"merchant_id": "acme", "rma": rma, "order_id": f"{SECRET}-order",
              "lines": [{"sku": "HD-1", "quantity": 2, "reason": "unwanted", "comment": SECRET}]},
    )  # fmt: skip
    assert (again.status_code, again.json()["error"]["code"]) == (410, "erased")
    assert {one["status"] for one in bench.send(made)} == {"duplicate"}, "what the bench sends again stays forgotten"
    assert rows_with(house, SECRET) == []


def test_control_another_return_is_untouched(house: House) -> None:
    rma, other = plate("RMA"), plate("RMA")
    kept = ask_return(house, other)
    ask_return(house, rma)
    unit, stays = of_unit(plate("GONE"), rma=rma, line=1), of_unit(plate("STAYS"), rma=other, line=1)
    house.bench().push(opened(unit.parcel_id, rma), fact(unit), opened(stays.parcel_id, other), fact(stays))
    erase(house, unit)
    assert house.get(f"/v1/returns/{kept}").status_code == 200
    assert {"entries", "authorisations", "inspections", "units", "unit_lines"} <= set(rows_with(house, other))
    erase(house, stays)


class Bench:
    """A bench with its store and its sync loop, as the desktop app puts them together."""

    def __init__(self, name: str, home: Path, house: House) -> None:
        self.store = Store.open(home, station=name, clock=SystemClock(), ballast_bytes=0)
        self._api = HttpApi(house.server.url, token=None, clock=SystemClock())
        self.loop = SyncLoop(
            self.store, self._api, SystemClock(), random.Random(1), SWIFT, feed=self.store,
            forgetting=Forgetting(self.store),
        )  # fmt: skip

    def kept(self) -> list[tuple[str, bool]]:
        """Hash of each entry, and whether its content is here."""
        with closing(pysqlite3.connect(f"file:{self.store.home / 'station.db'}?mode=ro", uri=True)) as raw:
            return list(raw.execute(f"SELECT hash, payload IS NOT NULL FROM {JOURNAL.name} ORDER BY seq"))

    def close(self) -> None:
        self._api.close()
        self.store.close()


@pytest.fixture
def bench(house: House, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(plate("bench"), tmp_path / "bench", house)
    yield made
    made.close()


def test_a_bench_forgets_what_it_is_told_and_keeps_its_chain(house: House, bench: Bench) -> None:
    gone, stays = of_unit(plate("GONE")), of_unit(plate("STAYS"))
    bench.store.commit([fact(gone), fact(stays)], actor="ines", drafts={})
    until(lambda: bench.loop.step() >= 0 and bench.store.unsent().entries == 0, 20, "sent")
    before = bench.kept()
    assert [is_here for _, is_here in before] == [True, True]
    erase(house, gone)

    def is_forgotten() -> bool:
        bench.loop.step()
        return not all(is_here for _, is_here in bench.kept())

    until(is_forgotten, 20, "the bench has heard of it")
    assert [is_here for _, is_here in bench.kept()] == [False, True]
    assert [digest for digest, _ in bench.kept()] == [digest for digest, _ in before]
    bench.store.close()
    assert proof.verify(bench.store.home).problems == ()


def test_a_bench_forgets_a_unit_that_went_round_again_without_knowing(house: House, bench: Bench) -> None:
    gone = of_unit(plate("ROUND"))
    look, stays = of_unit(plate("AGAIN")), of_unit(plate("OTHER"))
    look = replace(look, rma="RMA-PLANTED", merchant_id="acme", title=SECRET)
    planted = Planted("acme", "RMA-PLANTED", gone.inspection_id, Why.AGAIN, "ines", ("bo",), 7, "rule@1", START)
    facts = [
        fact(gone), Fact(PLANTED, 1, canonical_json(planted)),
        *(Fact(PREFIX + one.kind, 1, one.payload) for one in (fact(look), fact(stays))),
    ]  # fmt: skip
    bench.store.commit(facts, actor="ines", drafts={})
    until(lambda: bench.loop.step() >= 0 and bench.store.unsent().entries == 0, 20, "sent")
    before = bench.kept()
    erase(house, gone)

    def is_forgotten() -> bool:
        bench.loop.step()
        return [is_here for _, is_here in bench.kept()].count(False) >= 2

    until(is_forgotten, 20, "the bench has heard of both")
    assert [is_here for _, is_here in bench.kept()] == [False, True, False, True]
    assert [digest for digest, _ in bench.kept()] == [digest for digest, _ in before]
    assert SECRET not in "".join(rows_with(house, SECRET))
    bench.store.close()
    assert proof.verify(bench.store.home).problems == ()


def test_what_is_not_at_the_centre_yet_is_not_forgotten(house: House, bench: Bench) -> None:
    """The list may be ahead of the bench: a record that was never sent would be lost."""
    unsent = of_unit(plate("UNSENT"))
    bench.store.commit([fact(unsent)], actor="ines", drafts={})
    at = house.server.clock.now()
    body = {"unit_id": unsent.unit_id, "erasure_id": plate("erasure")}
    told = FeedChange(unsent.unit_id, 1, json.dumps({**body, "asked_at": at.isoformat()}), "0" * 16)
    bench.store.take_feed(Topic.ERASURES.value, None, [told], "cursor", None)
    forgetting = Forgetting(bench.store)
    assert (forgetting.obey(), bench.kept()[0][1]) == (0, True)
    bench.store.acknowledge([Acknowledgement(1, 1, "accepted")])
    assert (forgetting.obey(), bench.kept()[0][1]) == (1, False)
    assert forgetting.obey() == 0
