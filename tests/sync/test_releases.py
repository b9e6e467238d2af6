"""F19: benches and centres of two releases in every combination.

===================  ===============================================  ==============================================
bench \\ centre       of then                                          of now
===================  ===============================================  ==============================================
of then              (what it was released with)                      ``golden/entries-v1.jsonl`` (``test_golden``)
of now               ``golden/shapes-v1.json``: what it knows it can  ``golden/entries-v2.jsonl``, every kind that
                     read, the rest it keeps until it is updated      is written now
===================  ===============================================  ==============================================

``shapes-v1`` is what the centre of the first release reads of each kind, as JSON Schema, written by that release.
``entries-v2`` is made once by ``python -m tests.sync.test_releases``, and never again for this release.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.engine import URL

from station.canonical import canonical_json
from station.decision.model import Derogation, Disposition, Earlier, GateAct, GateActKind, Signature
from station.inspection import record
from station.inspection.facts import Skipped
from station.journal.entry import Entry, Fact, link
from station.people.person import Role
from station.quantities import Money
from station.returns import decided
from station.returns.model import ArrivalKind
from station.review import settled
from station.review.agreement import planted
from station.review.draw import Draw, Severity
from sync.client.api import encode_push
from sync.protocol import PushRequest, Status, WireEntry
from sync.server import judge as judging
from sync.server.facts import KINDS
from sync.server.journal import Journal
from sync.server.judge import Judged, judge
from sync.server.projection import project
from sync.server.rereading import read_again
from sync.server.storage import Database, open_database
from sync.server.storage.rows import endings, entries, inspections, photo_names, quarantine
from tests.sync.material import START, STATION, an_inspection, jpeg_of

GOLDEN = Path(__file__).parent / "golden"
NOW_WRITTEN = GOLDEN / "entries-v2.jsonl"
CASES = [json.loads(line) for line in NOW_WRITTEN.read_text().splitlines()] if NOW_WRITTEN.exists() else []
THEN_KNOWN: dict[str, object] = json.loads((GOLDEN / "shapes-v1.json").read_text())
"""``kind schema`` → what the centre of then reads of it."""
CAME_LATER = {record.JOURNAL_GENERATION, decided.UNIT_DECIDED, settled.SETTLED, *planted.KINDS}
LATER = datetime(2026, 12, 24, tzinfo=UTC)


def wire_of(case: dict) -> WireEntry:
    return msgspec.json.decode(case["entry"].encode(), type=WireEntry)


def shape_of(wire: WireEntry) -> str:
    return f"{wire.kind} {wire.schema}"


def test_every_kind_that_is_written_or_read_has_a_golden_entry() -> None:
    written = {
        value
        for module in (record, decided)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    golden = {shape_of(wire_of(case)) for case in CASES}
    assert {f"{kind} {schema}" for kind, schema in KINDS} <= golden
    assert written <= {shape.split()[0] for shape in golden}


def test_every_field_of_every_kind_is_written_in_some_golden_entry() -> None:
    """A field that is null everywhere would be compared with nothing."""
    for kind, shape in ((record.INSPECTION_CONFIRMED, record.Inspection), (decided.UNIT_DECIDED, decided.UnitDecided)):
        filled: set[str] = set()
        for case in CASES:
            if wire_of(case).kind == kind:
                body = json.loads(wire_of(case).payload or "{}")
                filled |= {name for name, value in body.items() if value not in (None, [], "")}
        assert filled == {field.name for field in dataclasses.fields(shape)}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_centre_of_now_takes_it(case: dict) -> None:
    judged = judge(STATION, case["entry"].encode())
    assert (judged.code, judged.detail) == (None, "")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_centre_of_then_can_read_it_or_says_that_it_is_too_old(case: dict) -> None:
    wire = wire_of(case)
    shape = THEN_KNOWN.get(shape_of(wire))
    if shape is None:
        assert wire.kind in CAME_LATER, "a kind that the first release knew must be in its shapes"
    else:
        jsonschema_rs.validator_for(shape).validate(json.loads(wire.payload or ""))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("inspection", {"lpn": None}),
        ("inspection", {"decision": {}}),
        ("parcel opened", {"arrival": "by_drone"}),
        ("voided", {"at": 5}),
    ],
)
def test_control_a_shape_that_changed_under_the_same_schema_would_be_refused_then(name: str, change: dict) -> None:
    (case,) = [case for case in CASES if case["name"] == name]
    wire = wire_of(case)
    validator = jsonschema_rs.validator_for(THEN_KNOWN[shape_of(wire)])
    with pytest.raises(jsonschema_rs.ValidationError):
        validator.validate(json.loads(wire.payload or "") | change)


# A bench of now, a centre of then, and its update


@pytest.fixture
def database(either_database: URL) -> Iterator[Database]:
    made = open_database(either_database)
    yield made
    made.close()


class OfThen:
    """The centre of the first release: it knows no other kinds, and one list had a word less."""

    def __init__(self, database: Database) -> None:
        self.journal = Journal(database, (project,))

    def push(self, sent: list[dict]) -> Counter[tuple[Status, str | None]]:
        body = f'{{"station":"{STATION}","entries":[{",".join(case["entry"] for case in sent)}]}}'.encode()
        request = msgspec.json.decode(body, type=PushRequest)
        judged = [self._judged(judge(request.station, bytes(raw))) for raw in request.entries]
        results = self.journal.push("main", request.station, judged, START).results
        return Counter((result.status, result.code) for result in results)

    @staticmethod
    def _judged(by_now: Judged) -> Judged:
        if f"{by_now.kind} {by_now.schema}" not in THEN_KNOWN:
            return dataclasses.replace(by_now, code=judging.Code.UNKNOWN_KIND, detail="not known", fact=None)
        if b'"arrival":"carrier_rts"' in (by_now.payload or b""):
            return dataclasses.replace(by_now, code=judging.Code.BAD_PAYLOAD, detail="not in the list", fact=None)
        return by_now


def kept(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All that the centre holds and made of it."""
    with database.reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in (entries, quarantine, inspections, endings, photo_names)
        }


def test_what_the_centre_of_then_could_not_read_takes_effect_after_its_update(database: Database) -> None:
    then = OfThen(database)
    answers = then.push(CASES)
    assert {status for status, _ in answers} == {Status.ACCEPTED, Status.QUARANTINED}, "each of them counts as sent"
    assert {code for _, code in answers} == {None, "unknown_kind", "bad_payload"}
    before = kept(database)
    assert len(before["quarantine"]) == sum(n for (status, _), n in answers.items() if status is Status.QUARANTINED)

    updated: list[Judged] = []
    journal = Journal(database, (project, lambda _work, sound: updated.extend(sound)))
    assert read_again(database, journal, LATER) == len(before["quarantine"])
    assert read_again(database, journal, LATER) == 0, "once"
    after = kept(database)
    assert after["quarantine"] == []
    assert [one.code for one in updated] == [None] * len(before["quarantine"])
    assert len(updated) == len(before["quarantine"]), "each took its effect once"
    assert then.push(CASES) == {(Status.DUPLICATE, None): len(CASES)}, "sent again it is the same"


def test_after_the_update_it_is_as_if_it_had_come_then(
    database: Database, either_database: URL, tmp_path: Path
) -> None:
    from sync.server.storage import database_url

    OfThen(database).push(CASES)
    read_again(database, Journal(database, (project,)), LATER)
    straight = open_database(database_url(f"sqlite:///{tmp_path / 'straight.sqlite3'}"))
    body = [judge(STATION, case["entry"].encode()) for case in CASES]
    Journal(straight, (project,)).push("main", STATION, body, START)
    assert kept(database) == kept(straight)
    straight.close()


def test_what_no_version_can_read_stays_where_it_is(database: Database) -> None:
    journal = Journal(database, (project,))
    old = [json.loads(line) for line in (GOLDEN / "entries-v1.jsonl").read_text().splitlines()]
    journal.push("main", STATION, [judge(STATION, case["entry"].encode()) for case in old], START)
    before = kept(database)
    assert len(before["quarantine"]) == len([case for case in old if case["code"]]) > 3
    assert read_again(database, journal, LATER) == 0
    assert kept(database) == before


def test_more_than_a_batch_is_read_again(database: Database) -> None:
    made: list[Entry] = []
    for number in range(250):
        voided = record.InspectionVoided(f"i{number}", "undo", START)
        made.append(_linked(_fact(record.INSPECTION_VOIDED, voided), number + 1, made[-1] if made else None))
    judged = [judge(STATION, _wire(entry)) for entry in made]
    unread = [dataclasses.replace(one, code=judging.Code.UNKNOWN_KIND, fact=None) for one in judged]
    journal = Journal(database, (project,))
    journal.push("main", STATION, unread, START)
    assert read_again(database, journal, LATER) == 250
    assert len(kept(database)["endings"]) == 250


# The corpus as this version writes it


def make() -> Iterator[dict]:
    lead = Signature("Ana", (Role.LEAD,))
    permission = Derogation("destruction_ban", "BR-2026-17", "beyond_repair", (lead, Signature("Bo", (Role.LEAD,))))
    inspection = dataclasses.replace(
        an_inspection(7, [jpeg_of(1), jpeg_of(2)]), inspection_id="01930000-0000-7000-8000-000000000001",
        unit_id="01930000-0000-7000-8000-000000000002", parcel_id="01930000-0000-7000-8000-000000000003",
        serial_photo="c" * 64, skipped=(Skipped("weight", "the scale is broken"),), corrects="an earlier one",
        gate_acts=(GateAct(GateActKind.SETTLED, "lithium", "", (lead,)),), derogations=(permission,),
        earlier=(Earlier("an earlier one", (), stands=False),), market="DE",
        basis=record.Basis(START, None, None, None),
        audit=Draw(drawn=True, plan="audit@1", severity=Severity.NORMAL, share_ppm=50_000, key="a" * 16),
        signalled=record.Signalled(("wrong_serial",), 1500, (("signals", "signals@1 " + "b" * 64),)),
    )  # fmt: skip
    scan = inspection.scans[0]
    for number, disposition in enumerate(Disposition):
        decision = dataclasses.replace(inspection.decision, disposition=disposition)
        one = dataclasses.replace(inspection, inspection_id=f"i{number}", decision=decision)
        name = "inspection" if number == 0 else f"inspection, {disposition.value}"
        yield {"name": name, "fact": Fact(record.INSPECTION_CONFIRMED, 1, canonical_json(one))}
    bare = dataclasses.replace(
        inspection, inspection_id="bare", weight=None, judgement=None, photos=(), merchant_id=None, rma=None, sku=None,
        line=None, gtin=None, category=None, declared_reason=None, corrects=None, serial_photo=None, skipped=(),
        decision=dataclasses.replace(inspection.decision, grade=None),
    )  # fmt: skip
    yield {"name": "inspection with nothing", "fact": Fact(record.INSPECTION_CONFIRMED, 1, canonical_json(bare))}
    yield {"name": "voided", "fact": _fact(record.INSPECTION_VOIDED, record.InspectionVoided("i1", "undo", START))}
    for arrival in ArrivalKind:
        name = "parcel opened" if arrival is ArrivalKind.RMA else f"parcel opened, {arrival.value}"
        opened = record.ParcelOpened(f"p-{arrival.value}", arrival, scan, "R-1",
                                     "acme", START)  # fmt: skip
        yield {"name": name, "fact": _fact(record.PARCEL_OPENED, opened)}
    yield {"name": "parcel parked", "fact": _fact(record.PARCEL_PARKED, record.ParcelParked("p", "later", START))}
    yield {"name": "parcel closed", "fact": _fact(record.PARCEL_CLOSED, record.ParcelClosed("p", 2, (1, 3), START))}
    yield {"name": "label", "fact": _fact(record.LABEL_PRINTED, record.LabelPrinted("j", "LPN1", 1, START))}
    yield {"name": "generation begun", "fact": _fact(record.JOURNAL_GENERATION, record.GenerationBegun(
        1, 12, "a" * 64, "the server holds another entry at 1/12", START))}  # fmt: skip
    ruling = decided.UnitDecided(
        "LPN000000007", 1, Disposition.DONATE, "i1", "partial", Money(1250, "EUR"), "the box is open",
        (Derogation("destruction_ban", "BR-2026-17"),), START + timedelta(days=1),
    )  # fmt: skip
    yield {"name": "unit decided", "fact": _fact(decided.UNIT_DECIDED, ruling)}
    permitted = dataclasses.replace(
        ruling, lpn="LPN000000008", derogations=(permission,),
        gate_acts=(GateAct(GateActKind.SETTLED, "lithium", "", (lead,)),),
    )  # fmt: skip
    yield {"name": "unit decided, signed by two", "fact": _fact(decided.UNIT_DECIDED, permitted)}
    yield {"name": "second look settled", "fact": _fact(settled.SETTLED, settled.Settled(
        "i1", "u1", True, ("wrong_serial",), True, "Ana", "apparel", "B", "Bo", START))}  # fmt: skip
    yield {"name": "golden", "fact": _fact(planted.GOLDEN, planted.Golden(
        "i1", "B", {"look": "worn"}, ("Ana", "Bo"), "looked together", START))}  # fmt: skip
    yield {"name": "planted", "fact": _fact(planted.PLANTED, planted.Planted(
        "acme", "R-9", "i1", planted.Why.AGAIN, "Cem", ("Ana",), -7, "blind@1", START))}  # fmt: skip
    blind = {
        record.PARCEL_OPENED: record.ParcelOpened("p-blind", ArrivalKind.RMA, scan, "R-9", "acme", START),
        record.PARCEL_PARKED: record.ParcelParked("p-blind", "later", START),
        record.PARCEL_CLOSED: record.ParcelClosed("p-blind", 1, (), START),
        record.INSPECTION_CONFIRMED: dataclasses.replace(inspection, inspection_id="i-blind", rma="R-9"),
        record.INSPECTION_VOIDED: record.InspectionVoided("i-blind", "undo", START),
        record.LABEL_PRINTED: record.LabelPrinted("j-blind", "LPN9", 0, START),
    }
    for kind, payload in blind.items():
        yield {"name": f"blind, {kind}", "fact": _fact(planted.PREFIX + kind, payload)}


def _fact(kind: str, payload: object) -> Fact:
    return Fact(kind, 1, canonical_json(payload))


def _linked(fact: Fact, number: int, last: Entry | None) -> Entry:
    return link(
        fact, station=STATION, generation=1, seq=number, id=f"01930000-0000-7000-8000-{number:012d}",
        recorded_at="2026-11-23T10:17:03.250000Z", actor="Zoë “B” 17", prev_hash=last.hash if last else "0" * 64,
    )  # fmt: skip


def _wire(entry: Entry) -> bytes:
    return bytes(msgspec.json.decode(encode_push(STATION, [entry]), type=dict[str, msgspec.Raw])["entries"])[1:-1]


if __name__ == "__main__":
    last: Entry | None = None
    lines = []
    for number, made in enumerate(make(), 1):
        last = _linked(made["fact"], number, last)
        lines.append(json.dumps({"name": made["name"], "entry": _wire(last).decode()}, ensure_ascii=False) + "\n")
    NOW_WRITTEN.write_text("".join(lines))
