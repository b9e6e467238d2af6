"""SIGTERM in the middle of pushes: what is under way is answered, what was answered is there."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from sync.client.api import encode_push
from tests.sync.material import ServerProcess, an_inspection, fact, until
from tests.sync.operations.chains import chain_of

_BENCHES = 4
_BATCH = 20


class Bench(threading.Thread):
    """Pushes batch after batch until the server is gone; remembers what was acknowledged."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__()
        self.station = name
        self.acknowledged: set[str] = set()
        self.broken: str | None = None
        self.answered = 0
        self._url = url
        self._entries = chain_of(name, [fact(an_inspection(number)) for number in range(_BATCH * 40)])

    def run(self) -> None:
        with httpx.Client(base_url=self._url, headers={"Station-Protocol": "1"}, trust_env=False) as client:
            for first in range(0, len(self._entries), _BATCH):
                batch = self._entries[first : first + _BATCH]
                try:
                    answer = client.post("/v1/journal", content=encode_push(self.station, batch), timeout=20)
                except httpx.ConnectError:
                    return  # it does not listen any more: nothing was sent
                except httpx.HTTPError as error:
                    self.broken = repr(error)  # sent, and no answer: allowed only for a killed server
                    return
                if answer.status_code == 503:
                    return
                assert answer.status_code == 200
                self.acknowledged |= {one["id"] for one in answer.json()["results"] if one["status"] == "accepted"}
                self.answered += 1


@pytest.mark.parametrize("how", ["term", "kill"])
def test_what_was_acknowledged_is_there(tmp_path: Path, how: str) -> None:
    """``kill`` is the control: there pushes are broken off, and still nothing acknowledged is lost."""
    with ServerProcess(tmp_path / "home") as server:
        benches = [Bench(server.url, f"bench-{number}") for number in range(_BENCHES)]
        for bench in benches:
            bench.start()
        until(lambda: sum(bench.answered for bench in benches) >= 2 * _BENCHES, 30, "pushes are flowing")
        if how == "term":
            assert server.stop() == 0
        else:
            server.kill()
        for bench in benches:
            bench.join(30)
            assert not bench.is_alive()
        there = {row[0] for row in server.rows("SELECT id FROM entries")}
        for bench in benches:
            assert bench.acknowledged <= there
        if how == "term":
            acknowledged = set().union(*(bench.acknowledged for bench in benches))
            assert there == acknowledged, "everything that was stored was answered"
            assert '"ERROR"' not in server.log()
