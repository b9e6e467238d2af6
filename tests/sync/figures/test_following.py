"""The follower: nothing is missing and nothing counted twice, whenever it is killed and however far it is behind."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from sync.client.api import encode_push
from sync.server.figures import Follower, catch_up, count_late, following
from sync.server.figures.following import behind, count_some
from sync.server.journal import Journal
from sync.server.projection import project
from sync.server.storage import Database
from sync.server.storage.rows_figures import figure_cursors
from tests.conftest import WarningsOnTheLog
from tests.sync.figures import oracle
from tests.sync.figures.history import START, STATIONS, Floor, Push, deliveries
from tests.sync.figures.test_figures import differences, dump, open_items
from tests.sync.material import ServerProcess

HEADERS = {"Station-Protocol": "1", "Content-Type": "application/json"}

NewSite = Callable[[], str]


class Killed(BaseException):
    """Like SIGKILL for the thread: nothing of it runs any more."""


def lived(seed: int, rounds: int = 12) -> tuple[list[Push], list[oracle.Received]]:
    floor = Floor(random.Random(seed))
    for number in range(rounds):
        for what in ("open", "inspect", "inspect", "correct", "park", "void"):
            floor.step(what, STATIONS[number % len(STATIONS)])
    received: list[oracle.Received] = []
    return list(deliveries(floor, received)), received


def only_push(database: Database, site: str, pushes: list[Push]) -> None:
    journal = Journal(database, (project,), late=(count_late,))
    for each in pushes:
        journal.push(site, each.station, each.entries, each.at)


def lag(database: Database) -> int:
    with database.reading() as connection:
        return behind(connection)[0]


def test_a_push_counts_nothing_and_the_follower_everything(database: Database, new_site: NewSite) -> None:
    site, (pushes, received) = new_site(), lived(1)
    only_push(database, site, pushes)
    assert lag(database) > 0
    assert dump(database, site)["figure_units"] == []
    assert catch_up(database, site) == lag_of(pushes)
    assert differences(database, site, received) == []
    assert open_items(database, site) == oracle.waiting(received)
    assert catch_up(database, site) == 0


def lag_of(pushes: list[Push]) -> int:
    return len({(push.station, entry.generation, entry.seq) for push in pushes for entry in push.entries})


@pytest.mark.parametrize("step", ["join_states", "write_parcels", "_move"])
def test_killed_in_the_middle_of_a_round(
    database: Database, new_site: NewSite, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Cursor and figures move together or not at all."""
    site, (pushes, received) = new_site(), lived(2)
    only_push(database, site, pushes)
    count_some(database, site, 7)
    before = dump(database, site)

    def die(*_arguments: object) -> None:
        raise Killed

    where = {"join_states": "keeping.join_states", "write_parcels": "waiting.write_parcels", "_move": "following._move"}
    monkeypatch.setattr(f"sync.server.figures.{where[step]}", die)
    with pytest.raises(Killed):
        catch_up(database, site)
    monkeypatch.undo()
    assert dump(database, site) == before
    catch_up(database, site)
    assert differences(database, site, received) == []
    assert open_items(database, site) == oracle.waiting(received)


def test_the_checks_see_a_cursor_that_ran_ahead(database: Database, new_site: NewSite) -> None:
    """Negative control: if the cursor moved without its entries, they would be missing for ever."""
    site, (pushes, received) = new_site(), lived(3)
    only_push(database, site, pushes)
    count_some(database, site, 5)
    with database.writing() as connection:
        connection.execute(
            update(figure_cursors).where(figure_cursors.c.site_id == site).values(seq=figure_cursors.c.seq + 10)
        )
    catch_up(database, site)
    assert differences(database, site, received) != []


def test_several_followers_count_everything_once(database: Database, new_site: NewSite) -> None:
    """As several workers do it, while pushes come in."""
    site, (pushes, received) = new_site(), lived(4, 18)
    ended = threading.Event()

    def follow() -> None:
        while not ended.is_set() or lag_here() > 0:
            try:
                count_some(database, site, 5)
            except OperationalError:  # PostgreSQL broke a deadlock with a late entry
                continue

    def lag_here() -> int:
        with database.reading() as connection:
            counted = connection.scalars(select(figure_cursors.c.seq).where(figure_cursors.c.site_id == site)).all()
        return lag_of(pushes) - sum(counted) if ended.is_set() else 1

    crew = [threading.Thread(target=follow) for _ in range(3)]
    for one in crew:
        one.start()
    only_push(database, site, pushes)
    ended.set()
    for one in crew:
        one.join(60)
    assert not any(one.is_alive() for one in crew)
    assert differences(database, site, received) == []
    assert open_items(database, site) == oracle.waiting(received)


def test_a_chain_that_cannot_be_counted_does_not_hold_up_the_others(
    database: Database, new_site: NewSite, monkeypatch: pytest.MonkeyPatch, expected_warnings: WarningsOnTheLog
) -> None:
    site, (pushes, received) = new_site(), lived(5)
    only_push(database, site, pushes)
    bad = STATIONS[1]
    expected_warnings(f"entries of {bad}/1 are not counted")
    plain = following.count_entries

    def defect(database: Database, connection: object, site_id: str, builds: object, counted: object) -> None:
        if any(entry.station == bad for entry in counted):  # type: ignore[attr-defined]
            raise ZeroDivisionError
        plain(database, connection, site_id, builds, counted)  # type: ignore[arg-type]

    monkeypatch.setattr(following, "count_entries", defect)
    follower = Follower(database)
    follower.start()
    waited = threading.Event()
    for _ in range(200):
        with database.reading() as connection:
            left = {row.station for row in connection.execute(following._BEHIND) if row.site_id == site}
        if left == {bad}:
            break
        waited.wait(0.1)
    follower.close()
    assert left == {bad}
    monkeypatch.undo()
    catch_up(database, site)
    assert differences(database, site, received) == []


def test_a_server_killed_behind_its_pushes_counts_at_its_next_start(either_database: URL, tmp_path: Path) -> None:
    floor = Floor(random.Random(6))
    for number in range(90):
        floor.step("inspect", STATIONS[number % 3])
    with ServerProcess(
        tmp_path / "home", "--database", either_database.render_as_string(hide_password=False)
    ) as server:
        for station in STATIONS:
            body = encode_push(station, [entry for entry, _ in floor.entries[station]])
            answer = httpx.post(server.url + "/v1/journal", content=body, headers=HEADERS, trust_env=False)
            assert {result["status"] for result in answer.json()["results"]} == {"accepted"}
            server.kill()  # the answer is out; whether anything of it was counted is a race
            server.start()
        server.until_counted()
        total = server.get(f"/v1/figures/checks?from={START.date()}&to=2026-12-15").json()["total"]
        units = total["figures"]["units"]["value"]
    assert units == 90
