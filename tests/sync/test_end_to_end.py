"""The real store of a bench, the real loop, a real server: what was confirmed is at the centre, photos and all."""

from __future__ import annotations

from pathlib import Path

from station.clock import SystemClock
from station.inspection.record import INSPECTION_CONFIRMED
from station.store import Store
from sync.client.api import HttpApi
from sync.client.drain import drain
from tests.conftest import WarningsOnTheLog
from tests.sync.faultproxy import Fate, FaultProxy
from tests.sync.material import STATION, SWIFT, LocalServer, an_inspection, dice, discrepancies, fact, jpeg_of, void_of


def test_from_confirm_to_centre(home: Path, local_server: LocalServer, expected_warnings: WarningsOnTheLog) -> None:
    expected_warnings("sync is|offline|cannot be reached", required=False)
    inspections, jpegs = [], []
    with Store.open(home, station=STATION, clock=SystemClock(), ballast_bytes=0) as store:
        entries = []
        for number in range(12):
            mine = [jpeg_of(number * 2), jpeg_of(number * 2 + 1)]
            jpegs += mine
            for jpeg in mine:
                store.photos.keep(jpeg)
            inspections.append(an_inspection(number, mine))
            entries += store.commit([fact(inspections[-1])], actor="B-17", drafts={})
        entries += store.commit([void_of(inspections[3])], actor="B-17", drafts={})
        with FaultProxy(local_server.port, 3) as proxy:
            proxy.ambush(b"POST /v1/journal", Fate.DROP_RESPONSE, Fate.DUPLICATE)
            api = HttpApi(proxy.url, token=None, clock=SystemClock(), deadline_s=5)
            drain(store, api, SystemClock(), dice(3), within_s=20, timing=SWIFT, with_photos=True)
            api.close()
        assert store.unsent().entries == store.unsent().photos == 0
        assert store.sync_value("server_epoch") == local_server.status()["epoch"]
    assert discrepancies(local_server, entries) == []
    expected = {"entries": 13, "inspections": 11, "inspections_received": 12, "photos": 24, "photos_missing": 0}
    assert local_server.status() | expected == local_server.status()
    assert local_server.status()["duplicates"] > 0
    assert {entry.kind for entry in entries} > {INSPECTION_CONFIRMED}
