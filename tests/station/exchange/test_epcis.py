"""EPCIS documents: valid by GS1's schema and by CBV's words, exact, the same in every export."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.model import Disposition, Gate, GateState, Reason
from station.errors import StoreFault
from station.exchange.epcis import epcis_events, event_id, write_document
from station.inspection.facts import IdentityOutcome
from station.inspection.record import Inspection
from tests.conftest import SHARED_DATA
from tests.station.exchange.inspections import inspections, journal_of
from tests.sync.material import an_inspection, chain

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Check = Callable[[dict], None]


@pytest.fixture(scope="module")
def check() -> Check:
    """GS1's schema, and beside it the enumerations, because the schema lets any other URI pass as a word."""
    folder = SHARED_DATA / "epcis"
    if not folder.is_dir():
        pytest.skip(f"GS1's schema is not on this machine ({folder})")
    schema = json.loads((folder / "EPCIS-JSON-Schema.json").read_text())
    validator = jsonschema_rs.Draft7Validator(schema, validate_formats=True)

    def words(name: str) -> frozenset[str]:
        definition = json.loads((folder / f"{name}-JSON-Schema.json").read_text())["definitions"][name]
        return frozenset(definition["anyOf"][1]["enum"])

    steps, states = words("bizStep"), words("disposition")
    reasons, types = words("error-reason"), words("bizTransaction-type")

    def check(document: dict) -> None:
        errors = [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(document)]
        assert not errors, errors[:3]
        for event in document["epcisBody"]["eventList"]:
            assert event["bizStep"] in steps
            assert event["disposition"] in states
            assert all(item["type"] in types for item in event.get("bizTransactionList", []))
            assert event.get("errorDeclaration", {"reason": "incorrect_data"})["reason"] in reasons

    return check


def document_of(made: Sequence[Inspection], voided: Sequence[Inspection] = ()) -> dict:
    return json.loads(b"".join(write_document(journal_of(made, voided), AT)), parse_float=Decimal)


def as_json(document: dict) -> dict:
    return json.loads(json.dumps(document, default=float))


@given(made=st.lists(inspections(), min_size=1, max_size=3))
def test_every_inspection_gives_a_valid_document(check: Check, made: list[Inspection]) -> None:
    document = document_of(made, made[:1])
    check(as_json(document))
    masses = [
        report["value"]
        for event in document["epcisBody"]["eventList"]
        for element in event.get("sensorElementList", [])
        for report in element["sensorReport"]
    ]
    assert [Decimal(value) * 10**6 for value in masses] == [each.weight.gross_mg for each in made if each.weight]
    ids = [event["eventID"] for event in document["epcisBody"]["eventList"]]
    assert len(set(ids)) == len(ids)


def test_negative_control_the_check_sees_a_word_that_the_schema_lets_pass(check: Check) -> None:
    document = as_json(document_of([an_inspection(1)]))
    document["epcisBody"]["eventList"][0]["bizStep"] = "transforming:x"
    with pytest.raises(AssertionError):
        check(document)
    document["epcisBody"]["eventList"][0]["bizStep"] = "receiving"
    document["epcisBody"]["eventList"][0]["action"] = "LOOK"
    with pytest.raises(AssertionError):
        check(document)


def test_an_empty_journal_is_a_valid_document(check: Check) -> None:
    check(document_of([]))


def test_the_story_of_one_clean_unit() -> None:
    unit = replace(an_inspection(1), serial_found="HD7/22 941")
    (entry,) = journal_of([unit])
    received, inspected, routed = epcis_events([entry])
    assert [(e["bizStep"], e["disposition"]) for e in (received, inspected, routed)] == [
        ("receiving", "returned"), ("inspecting", "non_conformant"), ("repairing", "unavailable"),
    ]  # fmt: skip
    assert inspected["epcList"] == [f"urn:returns-station:lpn:{unit.lpn}"], "a blank is in no GS1 serial"
    assert inspected["bizTransactionList"] == [
        {"type": "rma", "bizTransaction": "urn:returns-station:rma:acme:RMA-2026-000001"}
    ]
    assert msgspec.json.encode(inspected["sensorElementList"]) == (
        b'[{"sensorMetadata":{"time":"2026-11-22T10:17:04.250Z","deviceID":"urn:returns-station:device:bench-1:scale-1"},'
        b'"sensorReport":[{"type":"Mass","value":"0.286","uom":"KGM"}]}]'
    )
    assert (inspected["rs:disposition"], inspected["rs:grade"], inspected["rs:lpn"]) == ("refurbish", "B", unit.lpn)
    whole = b"".join(write_document([entry], AT))
    assert b'"value":0.286,' in whole, "a number, exact"
    assert b"B-17" not in whole, "no badge"


def test_a_serial_that_gs1_allows_names_the_thing_by_a_digital_link() -> None:
    unit = replace(an_inspection(1), serial_found="HD7/22%941")
    events = list(epcis_events(journal_of([unit])))
    assert {tuple(event["epcList"]) for event in events} == {
        ("https://id.gs1.org/01/04260000000011/21/HD7%2F22%25941",)
    }


@pytest.mark.parametrize(
    ("identity", "disposition", "gate", "defect", "expected"),
    [
        (IdentityOutcome.MATCH, Disposition.RESTOCK, None, None, ["conformant", "sellable_accessible"]),
        (IdentityOutcome.MATCH, Disposition.REPACKAGE, None, "minor", ["conformant", "sellable_not_accessible"]),
        (IdentityOutcome.MATCH, Disposition.RECYCLE, None, "major", ["damaged", "disposed"]),
        (IdentityOutcome.MATCH, Disposition.DESTROY, "expired", None, ["expired", "destroyed"]),
        (IdentityOutcome.MATCH, Disposition.QUARANTINE, "recall", "major", ["recalled", "recalled"]),
        (IdentityOutcome.MATCH, Disposition.QUARANTINE, "lithium", "major", ["damaged", "non_conformant"]),
        (IdentityOutcome.WRONG_ITEM, Disposition.QUARANTINE, None, None, ["mismatch_class", "mismatch_class"]),
        (IdentityOutcome.WRONG_SERIAL, Disposition.QUARANTINE, "recall", None, ["mismatch_instance"] * 2),
        (IdentityOutcome.UNEXPECTED, Disposition.SHIP_BACK, None, None, ["mismatch_class", "returned"]),
        (IdentityOutcome.UNKNOWN, Disposition.QUARANTINE, None, None, ["non_conformant", "non_conformant"]),
        (IdentityOutcome.MISSING, Disposition.MISSING, None, None, ["mismatch_quantity"]),
        (IdentityOutcome.MATCH, Disposition.LIQUIDATE, None, None, ["non_conformant", "non_sellable_other"]),
        (IdentityOutcome.MATCH, Disposition.DONATE, None, None, ["non_conformant", "non_sellable_other"]),
        (IdentityOutcome.MATCH, Disposition.RETURN_TO_VENDOR, None, None, ["non_conformant", "returned"]),
    ],
)  # fmt: skip
def test_what_was_found_and_decided_in_cbv_words(
    identity: IdentityOutcome, disposition: Disposition, gate: str | None, defect: str | None, expected: list[str]
) -> None:
    unit = an_inspection(1)
    raised = (Gate(gate, GateState.RAISED, Reason(gate, "because"), ()),) if gate else ()
    decision = replace(unit.decision, disposition=disposition, gates=raised)
    defects = (("deformation", defect),) if defect else ()
    events = epcis_events(journal_of([replace(unit, identity=identity, decision=decision, defects=defects)]))
    assert [event["disposition"] for event in events][1:] == expected


def test_a_correction_and_an_undo_are_declared_and_nothing_is_left_out(check: Check) -> None:
    first, other = an_inspection(1), an_inspection(2)
    second = replace(an_inspection(1), corrects=first.inspection_id)
    entries = journal_of([first, second, other], [other])
    events = list(epcis_events(entries))
    assert len(events) == 9
    assert {e["errorDeclaration"]["reason"] for e in events[:3]} == {"incorrect_data"}
    assert events[1]["errorDeclaration"]["correctiveEventIDs"] == [events[4]["eventID"]]
    assert not any("errorDeclaration" in event for event in events[3:6])
    assert {e["errorDeclaration"]["reason"] for e in events[6:]} == {"did_not_occur"}
    assert events[4]["eventID"] == event_id(entries[1].id, "inspecting")
    check(as_json(document_of([first, second, other], [other])))


def test_the_same_journal_gives_the_same_bytes() -> None:
    entries = journal_of([an_inspection(number) for number in range(3)])
    assert b"".join(write_document(entries, AT)) == b"".join(write_document(entries, AT))


def test_an_entry_that_cannot_be_read_is_named() -> None:
    (entry,) = journal_of([an_inspection(1)])
    with pytest.raises(StoreFault, match="entry 1/1"):
        list(epcis_events([replace(entry, payload=b"{}")]))
    assert list(epcis_events([replace(entry, payload=None)])) == [], "erased"
    assert list(epcis_events(chain([]))) == []
