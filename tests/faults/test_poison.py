"""F14: one bad entry, first, in the middle or last, never stops the line, and both databases say the same of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from station.canonical import canonical_json
from station.errors import InvalidInput
from station.journal.entry import Fact, entry_hash, payload_hash
from sync.client.api import encode_push
from sync.protocol import PushRequest
from sync.server.errors import ApiError
from sync.server.journal import Journal
from sync.server.judge import judge
from sync.server.projection import project
from sync.server.routes.bodies import decode
from sync.server.storage import database_url, open_database
from sync.server.storage.rows import quarantine
from tests.faults.conftest import Postgres
from tests.sync.material import STATION, an_inspection, chain, fact, some_entries

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOOD, _ = some_entries(2)

TEXTS = st.one_of(
    st.sampled_from(
        ["", "\x00", "a\x00b", "x" * 64, "x" * 65, "é" * 64, "😀" * 40, "\ufffe", "\u2028", "'; DROP TABLE entries; --",
         "NaN", "-0", "2026-11-22T10:17:03.250000Z", "9999-99-99", "\\u0000", "\\ud800", "\x1b[2J", "%s", "{}"]
    ),
    st.text(max_size=70),
)  # fmt: skip
NUMBERS = st.one_of(
    st.sampled_from([-1, 0, 1, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, 10**40]),
    st.integers(),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "kind", "schema", "recorded_at", "actor", "payload_sha256", "prev_hash", "hash", "payload", "withheld")
INSPECTION = json.loads(canonical_json(an_inspection(1)))


@st.composite
def payloads(draw: st.DrawFn) -> tuple[str, int, bytes]:
    """A kind, a schema and a payload: an inspection with something odd in it, or anything."""
    kind = draw(st.sampled_from(["inspection.confirmed", "inspection.voided", "parcel.closed", "label.printed", "x.y"]))
    schema = draw(st.sampled_from([0, 1, 1, 1, 2, 2**31 - 1]))
    if draw(st.booleans()):
        body = dict(INSPECTION)
        for field in draw(st.lists(st.sampled_from(sorted(INSPECTION)), max_size=3)):
            body[field] = draw(VALUES)
        return kind, schema, json.dumps(body, ensure_ascii=draw(st.booleans())).encode(errors="replace")
    return (
        kind,
        schema,
        draw(st.one_of(VALUES.map(lambda value: json.dumps(value).encode()), st.text().map(str.encode))),
    )


@st.composite
def wires(draw: st.DrawFn) -> dict[str, object]:
    """An entry as it might travel: whole and odd, or damaged in its header."""
    kind, schema, payload = draw(payloads())
    (entry,) = chain([Fact(kind, schema, payload)])
    wire = json.loads(encode_push(STATION, [entry]))["entries"][0]
    for field in draw(st.lists(st.sampled_from(FIELDS), max_size=2, unique=True)):
        wire[field] = draw(VALUES)
    if draw(st.booleans()):
        wire[draw(TEXTS)] = draw(VALUES)
    if draw(st.booleans()):  # with a hash that fits: the oddness is the bench's own, not the line's
        refit(wire)
    return wire


def refit(wire: dict[str, object]) -> None:
    """Make the hashes fit what the entry says, as far as that can be hashed."""
    header = {
        name: wire[name] for name in ("generation", "seq", "id", "kind", "schema", "recorded_at", "actor", "prev_hash")
    }
    if isinstance(wire.get("payload"), str):
        wire["payload_sha256"] = payload_hash(str(wire["payload"]).encode(errors="replace"))
    try:
        wire["hash"] = entry_hash(station=STATION, payload_sha256=wire["payload_sha256"], **header)  # type: ignore[arg-type]
    except (InvalidInput, TypeError, ValueError, AttributeError):
        return


class Judges:
    """The same push to both databases, each from its empty beginning, undone afterwards."""

    def __init__(self, databases: dict[str, Journal]) -> None:
        self.journals = databases

    def answers(self, body: bytes) -> dict[str, list[tuple[object, ...]]]:
        return {name: self._push(journal, body) for name, journal in self.journals.items()}

    def _push(self, journal: Journal, body: bytes) -> list[tuple[object, ...]]:
        request = msgspec.json.decode(body, type=PushRequest)
        judged = [judge(request.station, bytes(raw)) for raw in request.entries]
        results = journal.push("main", request.station, judged, NOW).results
        found = sorted(((r.generation, r.seq, r.id, r.status, r.code, r.detail) for r in results), key=str)
        empty(journal)
        return found


def empty(journal: Journal) -> None:
    database = journal._database
    with database.writing() as connection:
        for table in ("entries", "heads", "quarantine", "disputes", "inspections", "endings", "photo_names"):
            connection.exec_driver_sql(f"DELETE FROM {table}")


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Judges]:
    sqlite = open_database(database_url(f"sqlite:///{tmp_path_factory.mktemp('judges') / 'x.sqlite3'}"))
    postgresql = open_database(postgres.database())
    yield Judges({"sqlite": Journal(sqlite, (project,)), "postgresql": Journal(postgresql, (project,))})
    sqlite.close()
    postgresql.close()


def batch(place: int, poison: dict[str, object]) -> bytes:
    """Three entries, one of them poisoned; the chain goes on over it."""
    poison = poison | {"generation": 1, "seq": place}
    before = chain([fact(an_inspection(n)) for n in range(place - 1)])
    good = {entry.seq: json.loads(encode_push(STATION, [entry]))["entries"][0] for entry in before}
    prev = poison["hash"] if isinstance(poison.get("hash"), str) and len(str(poison["hash"])) == 64 else "0" * 64
    last = replace(chain([fact(an_inspection(9))])[0], seq=place, hash=str(prev))
    behind = chain([fact(an_inspection(n)) for n in range(place, 3)], after=last)
    good |= {entry.seq: json.loads(encode_push(STATION, [entry]))["entries"][0] for entry in behind}
    listed = [poison if seq == place else good[seq] for seq in (1, 2, 3)]
    return json.dumps({"station": STATION, "entries": listed}).encode()


A_WIRE = json.loads(encode_push(STATION, GOOD[:1]))["entries"][0]


@given(poison=wires(), place=st.sampled_from([1, 2, 3]))
@example(poison=A_WIRE | {"actor": "a\x00b", "payload": "{}"}, place=1)
@example(poison=A_WIRE | {"a\x00b": 1}, place=2)
@example(poison=A_WIRE | {"recorded_at": "\x00", "kind": "\x00", "payload_sha256": "0" * 64}, place=3)
@example(poison=A_WIRE | {"withheld": "\x00", "payload": None}, place=1)
@example(poison=A_WIRE | {"schema": 2**63}, place=1)
@example(poison=A_WIRE | {"withheld": "x" * 100_000}, place=2)
def test_a_bad_entry_is_judged_alone_and_alike_by_both_databases(
    judges: Judges, poison: dict[str, object], place: int
) -> None:
    answers = judges.answers(batch(place, poison))
    assert answers["sqlite"] == answers["postgresql"]
    answered = {seq for _, seq, *_ in answers["sqlite"]}
    assert answered == {1, 2, 3}, "every entry has an answer"
    for _, seq, _, status, code, _ in answers["sqlite"]:
        if seq < place:
            assert (status, code) == ("accepted", None)
        if seq > place:  # behind it the line goes on, be it on a chain that cannot be checked
            assert status in ("accepted", "conflict"), code


@pytest.mark.parametrize("field", ["id", "kind", "recorded_at", "actor", "payload", "withheld"])
@pytest.mark.parametrize("text", ["\\ud800", "a\\udfffb", "\\ud800\\ud800"])
def test_what_is_no_text_at_all_is_refused_before_anything_is_kept(field: str, text: str) -> None:
    """A lone surrogate on the wire: 400, so the sender halves until the bad one stands alone."""
    raw = json.dumps(A_WIRE | {field: "@"}).replace('"@"', f'"{text}"')
    with pytest.raises(ApiError, match="cannot be read: "):
        decode(PushRequest, f'{{"station":"{STATION}","entries":[{raw}]}}'.encode())


@pytest.mark.parametrize("station", ["bench\x00", "\x00", "x" * 65, ""])
def test_a_station_that_no_database_could_name_is_refused(station: str) -> None:
    body = json.dumps({"station": station, "entries": []}).encode()
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=PushRequest)


def test_control_what_slips_past_the_judge_stops_one_database_only(judges: Judges) -> None:
    """Why the judge is strict: the same row goes into SQLite and not into PostgreSQL."""
    refused = []
    for name, journal in judges.journals.items():
        row = {
            "site_id": "main",
            "station": "s",
            "generation": 1,
            "seq": 1,
            "code": "c",
            "detail": "a\x00b",
            "since": NOW,
        }
        try:
            with journal._database.writing() as connection:
                connection.execute(quarantine.insert(), row)
        except DBAPIError:
            refused.append(name)
        empty(journal)
    assert refused == ["postgresql"]
