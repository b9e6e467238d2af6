"""What goes into the outbox: with the push, once, in the order of each unit."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from station.errors import InvalidInput
from sync.protocol.downstream import EndpointChange, Replay
from sync.server.downstream import events
from sync.server.downstream.endpoints import NotThere
from sync.server.downstream.signing import WebhookKey, load_key
from sync.server.storage import Database
from sync.server.storage.rows_downstream import deliveries
from tests.sync.downstream.conftest import SITE, Bench
from tests.sync.downstream.receiver import Receiver
from tests.sync.material import an_inspection, fact, void_of


def test_without_an_endpoint_nothing_is_written(bench: Bench) -> None:
    bench.inspect(3)
    assert bench.states() == {}


def test_the_first_inspection_of_a_unit_says_four_things_to_every_endpoint(bench: Bench, receiver: Receiver) -> None:
    one = bench.subscribe(receiver).endpoint.endpoint_id
    two = bench.subscribe(receiver, events.REFUND).endpoint.endpoint_id
    made = bench.push([fact(an_inspection(1)), fact(an_inspection(2))])
    assert {(d.event_id, d.type) for d in bench.endpoints.deliveries(SITE, one, None, 50)} == {
        (f"{entry.id}_{kind.split('.')[1]}", kind)
        for entry in made
        for kind in (events.CONFIRMED, events.REFUND, events.MOVED, events.STATUS)
    }
    assert [d.type for d in bench.endpoints.deliveries(SITE, two, None, 50)] == [events.REFUND] * 2


def test_an_event_is_a_cloud_event_without_a_person_in_it(bench: Bench, receiver: Receiver) -> None:
    bench.subscribe(receiver, events.CONFIRMED)
    inspection = an_inspection(7)
    (entry,) = bench.push([fact(inspection)])
    bench.dispatcher().run_once()
    body = receiver.received[0].event
    assert body == {
        "specversion": "1.0", "id": f"{entry.id}_inspection", "source": "urn:returns-station:main:bench-1",
        "type": "returns.inspection.confirmed", "subject": inspection.lpn, "time": "2026-11-22T10:17:19.250000Z",
        "datacontenttype": "application/json",
        "data": {
            "inspection_id": inspection.inspection_id, "unit_id": inspection.unit_id, "lpn": inspection.lpn,
            "merchant_id": "acme", "rma": inspection.rma, "sku": inspection.sku, "parcel_id": inspection.parcel_id,
            "identity": "match", "grade": "B", "disposition": "refurbish", "photos": [], "corrects": None,
        },
    }  # fmt: skip
    assert b"B-17" not in receiver.received[0].body, "the inspector's badge"


def test_pushing_again_puts_nothing_in_twice(bench: Bench, receiver: Receiver) -> None:
    bench.subscribe(receiver)
    made = bench.push([fact(an_inspection(number)) for number in range(5)])
    bench.push_again(made)
    bench.push_again(made[2:])
    assert len(bench.states()) == 20
    assert bench.dispatcher().run_once() == 20
    bench.push_again(made)
    assert bench.dispatcher().run_once() == 0


def test_the_key_of_a_delivery_is_what_keeps_it_single(bench: Bench, receiver: Receiver) -> None:
    """The same events handed over twice, as by an applier that runs twice, are there once."""
    bench.subscribe(receiver)
    event = events.make_event(
        "e1", events.MOVED, "unit", source="urn:x", subject="s", time=bench.clock.now(), data={"unit_id": "unit"}
    )
    with bench.database.writing() as connection:
        assert bench.outbox.enqueue(connection, SITE, [event], bench.clock.now()) == 1
    with bench.database.writing() as connection:
        assert bench.outbox.enqueue(connection, SITE, [event], bench.clock.now()) == 0
    assert bench.dispatcher().run_once() == 1


def test_negative_control_without_the_key_it_would_be_sent_twice(lite: Bench, receiver: Receiver) -> None:
    lite.subscribe(receiver)
    with lite.database.writing() as connection:
        columns = ", ".join(column.name for column in deliveries.columns)
        connection.exec_driver_sql(f"CREATE TABLE loose AS SELECT {columns} FROM downstream_deliveries")
        connection.exec_driver_sql("DROP TABLE downstream_deliveries")
        connection.exec_driver_sql("ALTER TABLE loose RENAME TO downstream_deliveries")
    event = events.make_event("e1", events.MOVED, "u", source="urn:x", subject="s", time=lite.clock.now(), data={})
    for _ in range(2):
        with lite.database.writing() as connection:
            lite.outbox.enqueue(connection, SITE, [event], lite.clock.now())
    lite.dispatcher().run_once()
    assert receiver.ids() == ["e1", "e1"]


def test_a_push_that_fails_leaves_no_event(bench: Bench, receiver: Receiver) -> None:
    bench.subscribe(receiver)

    class Pulled(Exception):
        pass

    def pull(*_: object) -> None:
        raise Pulled

    bench.journal._appliers = (*bench.journal._appliers, pull)
    with pytest.raises(Pulled):
        bench.inspect()
    assert bench.states() == {}


def test_a_void_and_a_correction_come_behind_what_they_concern(bench: Bench, receiver: Receiver) -> None:
    bench.subscribe(receiver, events.CONFIRMED, events.CORRECTED, events.VOIDED)
    first = an_inspection(1)
    second = an_inspection(1, corrects=first.inspection_id)
    second = type(second)(**{**{f: getattr(second, f) for f in second.__dataclass_fields__}, "unit_id": first.unit_id})
    bench.push([fact(first)])
    bench.clock.forward(-3600)  # the server's clock is set back between the pushes
    bench.push([fact(second)])
    bench.push([void_of(second)])
    bench.clock.forward(3600)
    bench.dispatcher().run_once()
    assert [(r.event["type"], r.unit) for r in receiver.received] == [
        (events.CONFIRMED, first.unit_id), (events.CORRECTED, first.unit_id), (events.VOIDED, first.unit_id),
    ]  # fmt: skip


def test_a_void_of_something_unknown_still_goes_out(bench: Bench, receiver: Receiver) -> None:
    bench.subscribe(receiver)
    unknown = an_inspection(1)
    bench.push([void_of(unknown)])
    bench.dispatcher().run_once()
    assert receiver.received[0].event["data"] == {
        "inspection_id": unknown.inspection_id, "unit_id": None, "lpn": None,
    }  # fmt: skip


def test_an_endpoint_that_is_off_gets_nothing_and_a_replay_makes_it_whole(bench: Bench, receiver: Receiver) -> None:
    here = bench.subscribe(receiver).endpoint.endpoint_id
    since = bench.clock.now()
    bench.inspect(1)
    bench.dispatcher().run_once()
    bench.endpoints.change(SITE, here, EndpointChange(active=False), bench.clock.now())
    missed = bench.push([fact(an_inspection(number)) for number in range(10, 13)])
    assert len(bench.states()) == 4
    bench.endpoints.change(SITE, here, EndpointChange(active=True), bench.clock.now())
    done = bench.endpoints.replay(SITE, here, Replay(since=since), bench.clock.now())
    assert (done.again, done.new) == (4, 12)
    before = len(receiver.received)
    bench.dispatcher().run_once()
    assert {f"{entry.id}_refund" for entry in missed} <= set(receiver.ids()[before:])
    assert len(receiver.ids()[before:]) == 16


def test_replay_of_named_events_keeps_their_ids(bench: Bench, receiver: Receiver) -> None:
    here = bench.subscribe(receiver, events.CONFIRMED).endpoint.endpoint_id
    (entry,) = bench.push([fact(an_inspection(1))])
    bench.dispatcher().run_once()
    done = bench.endpoints.replay(SITE, here, Replay(events=[f"{entry.id}_inspection", "nothing"]), bench.clock.now())
    assert (done.again, done.new) == (1, 0)
    bench.dispatcher().run_once()
    assert receiver.ids() == [f"{entry.id}_inspection"] * 2
    for wrong in (Replay(), Replay(events=["x"], since=datetime(2026, 1, 1, tzinfo=UTC))):
        with pytest.raises(InvalidInput):
            bench.endpoints.replay(SITE, here, wrong, bench.clock.now())


def test_what_is_old_goes_and_what_waits_stays(bench: Bench, receiver: Receiver) -> None:
    off = bench.subscribe(receiver, events.REFUND).endpoint.endpoint_id
    bench.subscribe(receiver, events.MOVED)
    bench.inspect(2)
    bench.endpoints.change(SITE, off, EndpointChange(active=False), bench.clock.now())
    bench.dispatcher().run_once()
    assert sorted(bench.states().values()) == ["delivered", "delivered", "pending", "pending"]
    assert bench.outbox.purge(bench.clock.now() + timedelta(days=6)) == 0
    assert bench.outbox.purge(bench.clock.now() + timedelta(days=8)) == 2
    assert bench.outbox.purge(bench.clock.now() + timedelta(days=31)) == 2, "held for one that is off"


def test_no_secret_is_in_the_database(bench: Bench, receiver: Receiver) -> None:
    made = bench.subscribe(receiver)
    rotated = bench.endpoints.rotate(SITE, made.endpoint.endpoint_id, bench.clock.now())
    with bench.database.reading() as connection:
        everything = str(connection.exec_driver_sql("SELECT * FROM downstream_endpoints").all())
    for secret in (made.secret, rotated.secret):
        assert secret.startswith("whsec_")
        assert secret.removeprefix("whsec_") not in everything


def test_endpoints_that_cannot_be(bench: Bench, receiver: Receiver) -> None:
    here = bench.subscribe(receiver).endpoint.endpoint_id
    with pytest.raises(InvalidInput, match="no event type 'nonsense'"):
        bench.endpoints.change(SITE, here, EndpointChange(types=["nonsense"]), bench.clock.now())
    with pytest.raises(InvalidInput, match="https"):
        bench.endpoints.change(SITE, here, EndpointChange(url="http://example.com/"), bench.clock.now())
    for call in (
        lambda: bench.endpoints.delete(SITE, "x"),
        lambda: bench.endpoints.delete("other-site", here),
        lambda: bench.endpoints.rotate(SITE, "x", bench.clock.now()),
        lambda: bench.endpoints.replay(SITE, "x", Replay(events=["e"]), bench.clock.now()),
        lambda: bench.endpoints.deliveries("other-site", here, None, 5),
    ):
        with pytest.raises(NotThere):
            call()
    bench.inspect()
    bench.endpoints.delete(SITE, here)
    assert bench.states() == {}


def test_keys_of_two_starts_are_one(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATION_SERVER_KEY", raising=False)
    first, second = load_key(tmp_path / "keys"), load_key(tmp_path / "keys")
    assert first.secret("main", "e", 1) == second.secret("main", "e", 1)
    others = {WebhookKey(bytes(32)).check, first.check, load_key(tmp_path / "other").check}
    assert len(others) == 3
    monkeypatch.setenv("STATION_SERVER_KEY", "nonsense")
    with pytest.raises(InvalidInput, match="64 hexadecimal"):
        load_key(tmp_path / "keys")


def test_a_replay_of_many_goes_in_steps(lite: Bench, receiver: Receiver) -> None:
    since = lite.clock.now()
    for first in range(0, 600, 100):
        lite.push([fact(an_inspection(number)) for number in range(first, first + 100)])
    here = lite.subscribe(receiver, events.REFUND).endpoint.endpoint_id
    assert lite.endpoints.replay(SITE, here, Replay(since=since), lite.clock.now()).new == 600
    assert lite.endpoints.replay(SITE, here, Replay(since=since), lite.clock.now()).new == 0
    with lite.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(deliveries)) == 600


def test_the_tables_are_what_the_migration_makes(empty_database: URL, open_bench: Callable[[URL], Bench]) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from sync.server.storage.all_rows import metadata

    database: Database = open_bench(empty_database).database
    with database.writing() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    assert not [difference for difference in found if "downstream" in json.dumps(str(difference))]
