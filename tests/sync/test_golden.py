"""The golden corpus: entries as released versions wrote them. Every later server must give the same answers.

``golden/entries-v1.jsonl`` has one case a line: ``name``, the entry exactly as it travels, and what is expected. It is
only ever added to: a new version writes a file of its own with ``python -m tests.sync.test_golden``.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import msgspec
import pytest

from station.canonical import canonical_json
from station.decision.model import Disposition
from station.inspection import record
from station.journal.entry import Entry, Fact, entry_hash, link, payload_hash
from station.returns.model import ArrivalKind
from sync.client.api import encode_push
from sync.protocol import WireEntry
from sync.server.judge import judge
from tests.sync.material import START, STATION, an_inspection, jpeg_of

CORPUS = Path(__file__).parent / "golden" / "entries-v1.jsonl"
CASES = [json.loads(line) for line in CORPUS.read_text().splitlines()] if CORPUS.exists() else []


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_entries_of_every_version_are_judged_as_ever(case: dict) -> None:
    assert judge(STATION, case["entry"].encode()).code == case["code"]


WHOLE = [case for case in CASES if case["digest"] and "tomorrow" not in case["name"]]


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case["name"])
def test_records_of_every_version_are_read_whole(case: dict) -> None:
    """Later versions add fields with defaults; nothing that was written may get lost or read otherwise."""
    payload = json.loads(json.loads(case["entry"])["payload"])
    fact = msgspec.convert(payload, type=getattr(record, case["fact"]))
    read = json.loads(msgspec.json.encode(fact))
    assert only(payload, read) == payload


def only(written: object, read: object) -> object:
    """What was read, without the fields that were not written then."""
    if isinstance(written, dict) and isinstance(read, dict):
        return {key: only(value, read[key]) for key, value in written.items() if key in read}
    if isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        return [only(one, other) for one, other in zip(written, read, strict=True)]
    return read


def test_the_corpus_has_every_kind() -> None:
    kinds = {json.loads(case["entry"]).get("kind") for case in CASES}
    known = {value for name, value in vars(record).items() if name.isupper() and isinstance(value, str)}
    assert known <= kinds


@pytest.mark.parametrize("case", [case for case in CASES if case["code"] is None], ids=lambda case: case["name"])
def test_the_header_hash_has_not_changed(case: dict) -> None:
    wire = msgspec.json.decode(case["entry"].encode(), type=WireEntry)
    header = {
        field: getattr(wire, field) for field in wire.__struct_fields__ if field not in ("hash", "payload", "withheld")
    }
    assert entry_hash(station=STATION, **header) == wire.hash


def make() -> list[dict]:
    """The corpus as this version writes it."""
    inspection = dataclasses.replace(
        an_inspection(7, [jpeg_of(1)]), inspection_id="01930000-0000-7000-8000-000000000001",
        unit_id="01930000-0000-7000-8000-000000000002", parcel_id="01930000-0000-7000-8000-000000000003",
    )  # fmt: skip
    bare = dataclasses.replace(
        inspection, weight=None, judgement=None, photos=(), merchant_id=None, rma=None, corrects=inspection.unit_id,
        decision=dataclasses.replace(inspection.decision, grade=None, disposition=Disposition.QUARANTINE),
    )  # fmt: skip
    scan = inspection.scans[0]
    facts = {
        "inspection": Fact(record.INSPECTION_CONFIRMED, 1, canonical_json(inspection)),
        "inspection without weight, photos, grade": Fact(record.INSPECTION_CONFIRMED, 1, canonical_json(bare)),
        "voided": Fact(record.INSPECTION_VOIDED, 1, canonical_json(record.InspectionVoided("i", "undo", START))),
        "parcel opened": Fact(record.PARCEL_OPENED, 1, canonical_json(
            record.ParcelOpened("p", ArrivalKind.UNANNOUNCED, scan, None, None, START))),
        "parcel parked": Fact(record.PARCEL_PARKED, 1, canonical_json(record.ParcelParked("p", "later", START))),
        "parcel closed": Fact(record.PARCEL_CLOSED, 1, canonical_json(record.ParcelClosed("p", 2, (1, 3), START))),
        "label": Fact(record.LABEL_PRINTED, 1, canonical_json(record.LabelPrinted("j", "LPN1", 0, START))),
        "a kind of tomorrow": Fact("review.decided", 1, b'{"a":1}'),
        "a schema of tomorrow": Fact(record.INSPECTION_CONFIRMED, 2, b'{"a":1}'),
        "a field of tomorrow": Fact(record.INSPECTION_VOIDED, 1,
                                    b'{"at":"2026-11-22T10:00:00Z","inspection_id":"i","note":{"x":[1]},"reason":"r"}'),
        "a field is missing": Fact(record.INSPECTION_VOIDED, 1, b'{"inspection_id":"i"}'),
        "money as a float": Fact(record.INSPECTION_CONFIRMED, 1,
                                 canonical_json(inspection).replace(b'"minor":5490', b'"minor":54.9')),
        "generation begun": Fact(record.JOURNAL_GENERATION, 1, canonical_json(
            record.GenerationBegun(1, 12, "a" * 64, "the server holds another entry at 1/12", START))),
    }  # fmt: skip
    cases = []
    entry: Entry | None = None
    for number, (name, each) in enumerate(facts.items(), 1):
        entry = link(
            each, station=STATION, generation=1, seq=number, id=f"01930000-0000-7000-8000-{number:012d}",
            recorded_at="2026-11-22T10:17:03.250000Z", actor="Zoë “B” 17",
            prev_hash=entry.hash if entry else "0" * 64,
        )  # fmt: skip
        wire = bytes(msgspec.json.decode(encode_push(STATION, [entry]), type=dict[str, msgspec.Raw])["entries"])[1:-1]
        judged = judge(STATION, wire)
        cases.append({
            "name": name, "code": judged.code, "fact": type(judged.fact).__name__ if judged.fact else None,
            "digest": payload_hash(msgspec.json.encode(judged.fact, order="sorted")) if judged.fact else None,
            "entry": wire.decode(),
        })  # fmt: skip
    return cases


if __name__ == "__main__":
    CORPUS.write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in make()))
