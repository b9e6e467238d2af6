"""The register: who may change it, what benches are told, and how records are judged by the roles of their time."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from station.canonical import canonical_json
from station.decision.model import Reason as Because
from station.errors import InvalidInput
from station.people import (
    BenchKeys,
    MemoryLockouts,
    Moment,
    Proof,
    Reason,
    Refused,
    Role,
    Roster,
    SignedIn,
    SiteKey,
    open_sealed,
    seal,
)
from sync.protocol.people import PersonRequest
from sync.server.judge import judge
from sync.server.people.authority import adjusted
from sync.server.people.key import PeopleKey, load_people_key
from sync.server.storage.rows_people import authority_flags, buckets
from tests.sync.material import STATION, an_inspection, fact, void_of
from tests.sync.people.material import KEY, NOON, PeopleServer

EVERYTHING = [
    ("GET", "/v1/people", None), ("GET", "/v1/people/max", None), ("PUT", "/v1/people/max", {"name": "Max"}),
    ("PUT", "/v1/people/max/roles/lead", None), ("DELETE", "/v1/people/max/roles/lead", None),
    ("POST", "/v1/people/max/disable", None), ("POST", "/v1/people/max/enable", None),
    ("POST", "/v1/people/max/badge", None), ("PUT", "/v1/people/max/pin", {"pin": "409127"}),
    ("PUT", "/v1/people/max/password", {"password": "nine green trolleys"}),
]  # fmt: skip


def test_it_adds_somebody_and_a_bench_knows_them_offline(server_on_either: PeopleServer) -> None:
    """From IT's browser over the feed to the bench: the whole way, with real HTTP."""
    server = server_on_either
    server.add("ida", Role.ADMIN)
    ida = server.browser("ida")
    assert ida.ask("PUT", "/v1/people/max", json={"name": "Max Ott"}).status_code == 201
    assert ida.ask("PUT", "/v1/people/max/roles/inspector").status_code == 204
    badge = ida.ask("POST", "/v1/people/max/badge").json()["badge"]
    assert ida.ask("PUT", "/v1/people/max/pin", json={"pin": "409127"}).status_code == 204
    shown = ida.ask("GET", "/v1/people/max").json()
    assert (shown["has_badge"], shown["has_pin"], "has_password" in shown) == (True, True, False)
    assert (shown["roles"][0]["role"], shown["roles"][0]["given_by"]) == ("inspector", "ida")

    page = server.ask("GET", "/v1/feed/people").json()
    keys = BenchKeys(SiteKey(bytes.fromhex(server.ask("GET", "/v1/site-key").json()["key"])), b"p" * 32)
    people = [open_sealed(seal(item["body"], keys)) for item in page["items"]]
    roster = Roster(people, keys, MemoryLockouts(), NOON)
    found = roster.sign_in(badge, "409127", Moment(NOON, 0.0, "boot"))
    assert found == SignedIn("max", "Max Ott", frozenset({Role.INSPECTOR}), Proof.BADGE_AND_PIN, verified=True)
    # a new badge: the old one is worth nothing once the feed has said so
    ida.ask("POST", "/v1/people/max/badge")
    page = server.ask("GET", f"/v1/feed/people?after={page['cursor']}").json()
    people = [open_sealed(seal(item["body"], keys)) for item in page["items"]]
    again = Roster(people, keys, MemoryLockouts(), NOON).sign_in(badge, None, Moment(NOON, 0.0, "boot"))
    assert again == Refused(Reason.UNKNOWN_BADGE)


@pytest.mark.parametrize("role", [None, Role.INSPECTOR, Role.LEAD, Role.AUDITOR, Role.SERVICE])
def test_only_it_changes_people(server: PeopleServer, role: Role | None) -> None:
    server.add("max", Role.LEAD)
    server.add("eva", *([role] if role else []))
    before = server.people.register.person("main", "max")
    eva = server.browser("eva")
    for method, path, body in EVERYTHING:
        code = eva.ask(method, path, json=body).status_code
        assert code == (200 if (role, path) == (Role.AUDITOR, "/v1/people") else 403), (method, path)
        assert server.ask(method, path, json=body).status_code == 403, "a bench changes nobody"
    assert server.people.register.person("main", "max") == before


def test_verifiers_and_the_site_key_are_for_benches_alone(server: PeopleServer) -> None:
    server.add("ida", Role.ADMIN, Role.LEAD, Role.AUDITOR)
    ida = server.browser("ida")
    assert ida.ask("GET", "/v1/feed/people").status_code == 403
    assert ida.ask("GET", "/v1/site-key").status_code == 403


def test_roles_have_a_history_that_nothing_erases(server_on_either: PeopleServer) -> None:
    server, register = server_on_either, server_on_either.people.register
    server.add("ida", Role.ADMIN)
    server.add("max", Role.LEAD)
    assert not register.give("main", "max", Role.LEAD, by="ida"), "it holds already"
    server.clock.forward(3600)
    assert register.end("main", "max", Role.LEAD, by="ida")
    assert not register.end("main", "max", Role.LEAD, by="ida")
    server.clock.forward(3600)
    register.give("main", "max", Role.LEAD, by="ida")
    held = [(one.since - NOON, one.until and one.until - NOON) for one in register.person("main", "max").roles]
    hour = timedelta(hours=1)
    assert held == [(0 * hour, hour), (2 * hour, None)]


def test_the_last_admin_stays(server: PeopleServer) -> None:
    server.add("ida", Role.ADMIN)
    ida = server.browser("ida")
    assert ida.ask("DELETE", "/v1/people/ida/roles/admin").status_code == 409
    assert ida.ask("POST", "/v1/people/ida/disable").status_code == 409
    server.add("max", Role.ADMIN)
    assert ida.ask("DELETE", "/v1/people/ida/roles/admin").status_code == 204


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/people/max", {"name": "Max", "roles": ["admin"]}),
        ("/v1/people/max", {"name": "Max", "site_id": "other"}),
        ("/v1/people/max", {"name": "Max", "active": False}),
        ("/v1/people/max", {"name": ""}),
        ("/v1/people/max", {"name": "Max\u0000"}),
        ("/v1/people/max", {"name": "Max", "login": "MAX"}),
        ("/v1/people/max", {"name": "Max", "login": "ida"}),
        ("/v1/people/max", {}),
        ("/v1/people/max/pin", {"pin": "123456"}),
        ("/v1/people/max/pin", {"pin": 409127}),
        ("/v1/people/max/password", {"password": "short"}),
        ("/v1/people/max/password", {"password": "aaaaaaaaaaaaaa"}),
    ],
    ids=range(12),
)
def test_wrong_input_changes_nothing(server: PeopleServer, path: str, body: dict[str, object]) -> None:
    server.add("ida", Role.ADMIN)
    server.add("max", Role.LEAD)
    before = server.people.register.person("main", "max")
    answer = server.browser("ida").ask("PUT", path, json=body)
    assert answer.status_code == 400
    assert not any(str(value) in answer.text for key, value in body.items() if key in ("pin", "password"))
    assert server.people.register.person("main", "max") == before


@pytest.mark.parametrize("person", ["..", "a%2Fb", "%00", "a b", "x" * 65, "é"])
def test_ids_that_are_none(server: PeopleServer, person: str) -> None:
    server.add("ida", Role.ADMIN)
    assert server.browser("ida").ask("PUT", f"/v1/people/{person}", json={"name": "X"}).status_code in (400, 404, 405)
    assert [one.id for one in server.people.register.everybody("main")] == ["ida"]


# records judged by the roles of their time


def push(server: PeopleServer, actor: str, *facts: tuple[object, datetime]) -> None:
    from station.ids import uuid7
    from station.journal.entry import GENESIS, link

    held = server.service.journal.heads("main", STATION)
    seq, prev = (held[-1].seq, held[-1].hash) if held else (0, GENESIS)
    judged = []
    for each, at in facts:
        seq += 1
        entry = link(each, station=STATION, generation=1, seq=seq, id=uuid7(), recorded_at=at.isoformat(), actor=actor,
                     prev_hash=prev)  # fmt: skip
        prev = entry.hash
        wire = {"generation": 1, "seq": seq, "id": entry.id, "kind": entry.kind, "schema": entry.schema,
                "recorded_at": entry.recorded_at, "actor": actor, "payload_sha256": entry.payload_sha256,
                "prev_hash": entry.prev_hash, "hash": entry.hash, "payload": entry.payload.decode()}  # fmt: skip
        judged.append(judge(STATION, json.dumps(wire).encode()))
    server.service.journal.push("main", STATION, judged, server.clock.now())


def flags(server: PeopleServer) -> list[tuple[int, str, str]]:
    with server.service.database.reading() as connection:
        query = select(authority_flags.c.seq, authority_flags.c.act, authority_flags.c.code)
        return [tuple(row) for row in connection.execute(query.order_by(authority_flags.c.seq))]


def test_a_record_is_judged_by_the_roles_at_its_own_time(server_on_either: PeopleServer) -> None:
    server, register = server_on_either, server_on_either.people.register
    one, two = an_inspection(1), an_inspection(2)
    push(server, "B-17", (fact(one), NOON))
    assert flags(server) == [], "a site without people is not judged"
    server.add("ida", Role.ADMIN)
    server.add("max", Role.INSPECTOR)
    server.add("mia", Role.INSPECTOR)
    server.clock.forward(3600)
    register.end("main", "max", Role.INSPECTOR, by="ida")
    register.set_active("main", "mia", False, by="ida")
    server.clock.forward(3600)
    then, now = NOON + timedelta(minutes=30), server.clock.now()
    push(server, "max", (fact(two), then), (fact(an_inspection(3)), now), (void_of(two), then))
    push(server, "mia", (fact(an_inspection(4)), then), (fact(an_inspection(5)), now), (void_of(two), then))
    push(server, "who", (fact(an_inspection(6)), now))
    push(server, "max", (fact(an_inspection(7)), now + timedelta(days=3650)))
    push(server, "max", (fact(an_inspection(8)), NOON - timedelta(days=3650)))
    assert flags(server) == [
        (3, "inspect", "no_role"), (6, "inspect", "disabled"), (7, "void_any", "no_role"),
        (8, "inspect", "unknown_actor"), (9, "inspect", "no_role"), (10, "inspect", "no_role"),
    ]  # fmt: skip
    assert server.ask("GET", "/v1/status").json()["quarantined"] == 0, "kept and applied, for a lead to look at"


def test_control_judged_by_the_roles_of_the_arrival_honest_work_would_be_flagged(
    server: PeopleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = server.people.register
    server.add("ida", Role.ADMIN)
    server.add("max", Role.INSPECTOR)
    server.clock.forward(3600)
    register.end("main", "max", Role.INSPECTOR, by="ida")
    server.clock.forward(3600)
    then = NOON + timedelta(minutes=30)
    push(server, "max", (fact(an_inspection(1)), then))
    assert flags(server) == []
    monkeypatch.setattr("sync.server.people.authority.adjusted", lambda _recorded_at, arrival: arrival)
    push(server, "max", (fact(an_inspection(2)), then))
    assert flags(server) == [(2, "inspect", "no_role")]


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-11-23T11:00:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00"]
)
def test_a_time_that_cannot_be_read_is_the_arrival(text: str) -> None:
    assert adjusted(text, datetime(2026, 11, 23, tzinfo=UTC)) == datetime(2026, 11, 23, tzinfo=UTC)


def test_an_override_is_written_down_with_who_and_where(server: PeopleServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sync.server.security")
    plain = an_inspection(1)
    chosen = replace(plain.decision, reasons=(Because("override", "Recycle chosen by a person"),))
    push(server, "max", (fact(plain), NOON), (fact(replace(an_inspection(2), decision=chosen)), NOON))
    said = [vars(one) for one in caplog.records if one.name == "sync.server.security"]
    assert [(one["event"], one["person"], one["station"]) for one in said] == [("override", "max", STATION)]


# the key


def test_another_key_than_the_databases_is_refused(server: PeopleServer) -> None:
    KEY.check(server.service.database)
    KEY.check(server.service.database)
    with pytest.raises(InvalidInput, match="another key"):
        PeopleKey(b"l" * 32).check(server.service.database)


def test_the_key_is_made_once_for_this_user_alone(tmp_path) -> None:
    first = load_people_key(tmp_path / "keys", {})
    assert load_people_key(tmp_path / "keys", {}).site("main") == first.site("main")
    assert first.site("main") != first.site("other")
    assert (tmp_path / "keys" / "people.key").stat().st_mode & 0o77 == 0
    assert load_people_key(tmp_path, {"STATION_SERVER_KEY": "ab" * 32}).site("main") != first.site("main")
    with pytest.raises(InvalidInput, match="64 hexadecimal"):
        load_people_key(tmp_path, {"STATION_SERVER_KEY": "ab"})


def test_what_the_feed_says_is_canonical_and_the_sites_alone(server: PeopleServer) -> None:
    register = server.people.register
    register.put("main", "max", PersonRequest("Max"), by="test")
    register.put("other", "eva", PersonRequest("Eva"), by="test")
    items = server.ask("GET", "/v1/feed/people").json()["items"]
    assert [item["key"] for item in items] == ["max"]
    assert canonical_json(json.loads(items[0]["body"])).decode() == items[0]["body"]


def test_old_buckets_are_cleared_away(server: PeopleServer) -> None:
    from sync.server.limits import SIGN_IN

    limiter = server.people.sign_in.limiter
    limiter.take("main", "old", SIGN_IN, NOON - timedelta(days=2))
    limiter._taken = 999
    limiter.take("main", "new", SIGN_IN, NOON)
    with server.service.database.reading() as connection:
        assert list(connection.scalars(select(buckets.c.name))) == ["new"]
