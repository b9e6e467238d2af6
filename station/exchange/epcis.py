"""Inspections as an EPCIS 2.0 document (JSON-LD): receiving → inspecting → what was decided.

Decisions. *Event ids* are UUIDs of version 5 over the entry's id and the step, not CBV's hash ids: those would change
with the settings of an export. *Things* are named by a GS1 Digital Link with GTIN and serial where both were read, else
by the licence plate as a URN; an EPC URN would need the length of a company prefix, which a scan does not tell. *The
third event* is the route that the decision opened, by the table in DOMAIN.md: CBV's disposition is a state, ours a
decision, so ours stands beside it as ``rs:disposition``; nothing is ever decommissioned by a decision alone, so the
action is always OBSERVE. *A correction or an undo* is an ``errorDeclaration`` on the events concerned, with the ids of
those that replace them; nothing is left out. Nobody's name and nobody's badge is in it.

Source: GS1 EPCIS 2.0 §7.4.1.2 (error declarations), §7.3.7 (sensor elements); CBV 2.0 §7.1, §7.2, §7.3, §8.2; UN/ECE
Recommendation 20 (KGM). The mapping of dispositions: DOMAIN.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeAlias
from urllib.parse import quote

import msgspec

from station.decision.model import Disposition, GateState
from station.errors import StoreFault
from station.inspection.facts import IdentityOutcome
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection, InspectionVoided
from station.journal.entry import Entry

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_OURS: Final = "urn:returns-station:epcis:"
_NAMESPACE: Final = uuid.UUID("6ba0e2a1-3f52-5d0c-9f43-7f1d6ac2b1de")
_MG_DIGITS: Final = 6
_GS1_SERIAL: Final = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
"""GS1 AI encodable character set 82. Source: GS1 General Specifications, figure 7.11-1."""

Json: TypeAlias = dict[str, object]

_ROUTES: Final[Mapping[Disposition, tuple[str, str]]] = {
    Disposition.RESTOCK: ("stocking", "sellable_accessible"),
    Disposition.REPACKAGE: ("repackaging", "sellable_not_accessible"),
    Disposition.REFURBISH: ("repairing", "unavailable"),
    Disposition.LIQUIDATE: ("shipping", "non_sellable_other"),
    Disposition.RETURN_TO_VENDOR: ("shipping", "returned"),
    Disposition.DONATE: ("shipping", "non_sellable_other"),
    Disposition.RECYCLE: ("decommissioning", "disposed"),
    Disposition.DESTROY: ("destroying", "destroyed"),
    Disposition.SHIP_BACK: ("shipping", "returned"),
}
"""Our decision → bizStep and disposition. *Quarantine* is holding, with what the inspection found; *missing* has no
third event: there is nothing to move."""

_MISMATCH: Final = {
    IdentityOutcome.WRONG_ITEM: "mismatch_class",
    IdentityOutcome.UNEXPECTED: "mismatch_class",
    IdentityOutcome.WRONG_SERIAL: "mismatch_instance",
    IdentityOutcome.MISSING: "mismatch_quantity",
}
_GATES: Final = {"recall": "recalled", "recalled": "recalled", "expired": "expired", "expiry": "expired"}

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_INSPECTION: Final = msgspec.json.Decoder(Inspection)
_VOIDED: Final = msgspec.json.Decoder(InspectionVoided)


@dataclass(frozen=True, slots=True)
class Ended:
    """Why an inspection no longer counts."""

    at: datetime
    reason: str
    """CBV error reason."""
    by: str | None
    """Id of the entry that replaces it; None = nothing does."""


def write_document(entries: Iterable[Entry], created: datetime) -> Iterator[bytes]:
    """The document in pieces, so that its length does not matter.

    Args:
        entries: a journal's; kinds other than inspections are passed over. They are gone through once.

    Raises:
        StoreFault: an inspection cannot be read; the text names it.
    """
    head = {
        "@context": [CONTEXT, {"rs": _OURS}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": _time(created),
    }
    yield _ENCODER.encode(head)[:-1] + b',"epcisBody":{"eventList":[\n'
    between = b""
    for event in epcis_events(entries):
        yield between + _ENCODER.encode(event)
        between = b",\n"
    yield b"\n]}}\n"


def epcis_events(entries: Iterable[Entry]) -> Iterator[Json]:
    """The events of all inspections, in the order of the journal."""
    read = [(entry, fact) for entry in entries if (fact := _fact(entry)) is not None]
    ended: dict[str, Ended] = {}
    for entry, fact in read:
        if isinstance(fact, InspectionVoided):
            ended.setdefault(fact.inspection_id, Ended(fact.at, "did_not_occur", None))
        elif fact.corrects is not None:
            ended[fact.corrects] = Ended(fact.confirmed_at, "incorrect_data", entry.id)
    for entry, fact in read:
        if isinstance(fact, Inspection):
            yield from inspection_events(entry, fact, ended.get(fact.inspection_id))


def inspection_events(entry: Entry, fact: Inspection, ended: Ended | None) -> Iterator[Json]:
    """One inspection: it was received, it was inspected, and it goes somewhere."""
    found = state_of(fact)
    steps = {"receiving": (fact.started_at, "returned"), "inspecting": (fact.confirmed_at, found)}
    if fact.decision.disposition is Disposition.QUARANTINE:
        holding = found if found not in ("conformant", "damaged") else "non_conformant"
        steps["holding"] = (fact.confirmed_at, holding)
    elif fact.decision.disposition in _ROUTES:
        step, state = _ROUTES[fact.decision.disposition]
        steps[step] = (fact.confirmed_at, state)
    for step, (at, state) in steps.items():
        event: Json = {
            "type": "ObjectEvent",
            "eventID": event_id(entry.id, step),
            "eventTime": _time(at),
            "eventTimeZoneOffset": "+00:00",
            "action": "OBSERVE",
            "bizStep": step,
            "disposition": state,
            "epcList": [thing_of(fact)],
            "readPoint": {"id": _urn("bench", entry.station)},
        }
        if fact.rma is not None:
            transaction = _urn("rma", *filter(None, [fact.merchant_id]), fact.rma)
            event["bizTransactionList"] = [{"type": "rma", "bizTransaction": transaction}]
        if step == "inspecting":
            event |= _findings(entry, fact)
        if ended is not None:
            event["errorDeclaration"] = {
                "declarationTime": _time(ended.at),
                "reason": ended.reason,
                **({"correctiveEventIDs": [event_id(ended.by, step)]} if ended.by is not None else {}),
            }
        event["rs:lpn"] = fact.lpn
        yield event


def _findings(entry: Entry, fact: Inspection) -> Json:
    more: Json = {"rs:entry": entry.hash, "rs:identity": fact.identity.value}
    more["rs:disposition"] = fact.decision.disposition.value
    if fact.decision.grade is not None:
        more["rs:grade"] = fact.decision.grade.code
    if fact.decision.customs is not None:
        more["rs:customsReason"] = fact.decision.customs.reason_code
        more["rs:customsUsed"] = fact.decision.customs.used.value
    weight = fact.weight
    if weight is not None:
        device = _urn("device", entry.station, weight.device)
        more["sensorElementList"] = [
            {
                "sensorMetadata": {"time": _time(weight.taken_at), "deviceID": device},
                "sensorReport": [{"type": "Mass", "value": kilograms(weight.gross_mg), "uom": "KGM"}],
            }
        ]
    return more


def state_of(fact: Inspection) -> str:
    """What the inspection found, as a CBV disposition.

    Identity comes first, then recall and expiry, then damage: the gravest is told.
    """
    if fact.identity in _MISMATCH:
        return _MISMATCH[fact.identity]
    raised = [gate.id for gate in fact.decision.gates if gate.state is GateState.RAISED]
    for gate in raised:
        if gate in _GATES:
            return _GATES[gate]
    if any(severity == "major" for _, severity in fact.defects):
        return "damaged"
    sound = fact.decision.disposition in (Disposition.RESTOCK, Disposition.REPACKAGE) and not raised
    return "conformant" if sound and fact.identity is IdentityOutcome.MATCH else "non_conformant"


def thing_of(fact: Inspection) -> str:
    """The unit's name for others.

    A serial that GS1's rules do not allow in an element string is not forced into one.
    """
    gtin, serial = fact.gtin, fact.serial_found
    if gtin and serial and len(serial) <= 20 and _GS1_SERIAL.issuperset(serial) and len(gtin) == 14 and gtin.isdigit():
        return f"https://id.gs1.org/01/{gtin}/21/{quote(serial, safe='')}"
    return _urn("lpn", fact.lpn)


def kilograms(mass_mg: int) -> Decimal:
    """Exactly this mass in kilograms, written without an exponent.

    >>> str(kilograms(286_000)), str(kilograms(1)), str(kilograms(-1_500_000)), str(kilograms(0))
    ('0.286', '0.000001', '-1.5', '0')
    """
    sign = "-" if mass_mg < 0 else ""
    whole, part = divmod(abs(mass_mg), 10**_MG_DIGITS)
    decimals = f"{part:0{_MG_DIGITS}d}".rstrip("0")
    return Decimal(f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}")


def event_id(entry_id: str, step: str) -> str:
    """The same for the same entry and step, for ever.

    >>> event_id("0", "inspecting") == event_id("0", "inspecting") != event_id("0", "receiving")
    True
    """
    return uuid.uuid5(_NAMESPACE, f"{entry_id}/{step}").urn


def _fact(entry: Entry) -> Inspection | InspectionVoided | None:
    if entry.payload is None or entry.kind not in (INSPECTION_CONFIRMED, INSPECTION_VOIDED):
        return None
    decoder = _INSPECTION if entry.kind == INSPECTION_CONFIRMED else _VOIDED
    try:
        return decoder.decode(entry.payload)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise StoreFault(
            f"entry {entry.generation}/{entry.seq} ({entry.kind}) cannot be read: {error}; run 'station journal verify'"
        ) from error


def _urn(*parts: str) -> str:
    return "urn:returns-station:" + ":".join(quote(part, safe="") for part in parts)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
