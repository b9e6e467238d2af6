"""A server that is updated and started again takes what its older version could not read: real processes."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED
from sync.client.api import encode_push
from tests.sync.material import STATION, ServerProcess, an_inspection, chain, fact, serve_words, until, void_of

HEADERS = {"Station-Protocol": "1", "Content-Type": "application/json"}


def serve_older(home: Path, words: list[str], says: Connection) -> None:
    """A version that does not know of inspections yet."""
    from sync.server import judge

    for key in [key for key in judge._DECODERS if key[0] in (INSPECTION_CONFIRMED, INSPECTION_VOIDED)]:
        del judge._DECODERS[key]
    judge._KNOWN_KINDS = frozenset(kind for kind, _ in judge._DECODERS)
    _serve_hasty(home, words, says)


def _serve_hasty(home: Path, words: list[str], says: Connection) -> None:
    """This version; keeps house at once instead of after half a minute."""
    from sync.server.operations.housekeeping import Housekeeping

    assert Housekeeping.__init__.__kwdefaults__ is not None
    Housekeeping.__init__.__kwdefaults__["first_s"] = 0.0
    serve_words(home, words, says)


def inspected(server: ServerProcess) -> list[tuple]:
    return server.rows("SELECT inspection_id FROM inspections ORDER BY seq")


def test_what_was_quarantined_takes_effect_after_an_update_and_a_restart(tmp_path: Path) -> None:
    units = [an_inspection(number) for number in range(3)]
    entries = chain([*(fact(unit) for unit in units), void_of(units[0])])
    with ServerProcess(tmp_path / "home", body=serve_older) as server:
        answer = httpx.post(
            f"{server.url}/v1/journal", content=encode_push(STATION, entries), headers=HEADERS, trust_env=False
        )
        assert {one["status"] for one in answer.json()["results"]} == {"quarantined"}, answer.text
        server.kill()
        server.start()  # the older version again: it can read no more than before
        assert (server.status()["quarantined"], inspected(server)) == (4, [])
        assert server.stop() == 0

        server.body = _serve_hasty
        server.start()
        until(lambda: server.status()["quarantined"] == 0, 20, "the quarantine is read again")
        assert inspected(server) == [(unit.inspection_id,) for unit in units]
        assert server.rows("SELECT count(*) FROM endings") == [(1,)]
        server.until_counted()
        unit = server.get(f"/v1/units/{units[1].lpn}")
        assert (unit.status_code, unit.json()["state"]) == (200, "inspected")
        assert server.get(f"/v1/units/{units[0].lpn}").json()["state"] == "voided"
        again = httpx.post(
            f"{server.url}/v1/journal", content=encode_push(STATION, entries), headers=HEADERS, trust_env=False
        )
        assert {one["status"] for one in again.json()["results"]} == {"duplicate"}, "sent again it changes nothing"
