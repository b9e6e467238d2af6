"""A decision as a document and as text, and a stored one read back.

Decision: what is shown again is what was stored, byte for byte, and nothing is decided anew: rules and prices of then
need not be here any more. Price: a record from before some field existed is shown without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from station.decision.model import Alternative, Decision, GateState, Refund
from station.errors import InvalidInput
from station.quantities import Money

_MOST_BYTES: Final = 32 * 1024 * 1024


class _Stored(msgspec.Struct, frozen=True):
    """An inspection of the journal, of which only the decision matters here; its bytes stay as they are."""

    decision: msgspec.Raw = msgspec.Raw(b"")
    payload: str = ""
    """Of a line of an exported journal."""
    lpn: str = ""
    inspection_id: str = ""


def as_document(decision: Decision) -> dict[str, object]:
    """The decision as JSON types: axes, grade, gates, disposition, tote, reasons, alternatives, refund, …"""
    plain: dict[str, object] = msgspec.to_builtins(decision)
    grade = plain["grade"]
    axes = grade.pop("axes") if isinstance(grade, dict) else []
    return {"axes": axes, **plain, "versions": dict(decision.versions)}


def from_document(stored: bytes) -> Decision:
    """A decision from its stored bytes: as the journal has it, or as ``station decide --json`` printed it.

    Raises:
        InvalidInput: neither.
    """
    try:
        plain = msgspec.json.decode(stored)
        if isinstance(plain, dict) and "axes" in plain:
            if isinstance(plain.get("grade"), dict):
                plain["grade"]["axes"] = plain["axes"]
            versions = plain.get("versions")
            plain["versions"] = list(versions.items()) if isinstance(versions, dict) else versions
        return msgspec.convert(plain, Decision)
    except (msgspec.MsgspecError, TypeError, AttributeError) as error:
        raise InvalidInput(f"this is no decision that can be shown: {error}") from error


def stored_decision(record: str, home: Path) -> bytes:
    """The bytes of a stored decision.

    Args:
        record: a file (a printed decision, an inspection, or a line of an exported journal), or the licence plate or
            inspection id of a unit in this station's journal.
        home: the station's folder.

    Raises:
        InvalidInput: there is no such file and no such unit, or it holds no decision.
    """
    if Path(record).is_file():
        data = Path(record).read_bytes()
        if len(data) > _MOST_BYTES:
            raise InvalidInput(f"{record!r} has {len(data)} bytes; a record has at most {_MOST_BYTES}")
        return _decision_in(data.strip(), record)
    from station.inspection.record import INSPECTION_CONFIRMED
    from station.store.reading import read_entries
    from station.store.store import DATABASE

    if not (home / DATABASE).exists():
        raise InvalidInput(f"no file {record!r}, and no journal in {str(home)!r} to look for it as a unit")
    for entry in reversed(list(read_entries(home, (INSPECTION_CONFIRMED,)))):
        if entry.payload is None or record.encode() not in entry.payload:
            continue
        found = msgspec.json.decode(entry.payload, type=_Stored)
        if record in (found.lpn, found.inspection_id):
            return bytes(found.decision)
    raise InvalidInput(f"no file {record!r}, and no inspection in the journal with this licence plate or id")


def _decision_in(data: bytes, record: str) -> bytes:
    try:
        found = msgspec.json.decode(data, type=_Stored)
        if found.payload:
            found = msgspec.json.decode(found.payload.encode(), type=_Stored)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"{record!r} is no record of one unit: {error}") from error
    return bytes(found.decision) or data


def as_text(decision: Decision) -> str:
    """The decision for a person."""
    lines: list[str] = []
    if decision.grade is not None:
        lines.append(f"grade        {decision.grade.code}  {decision.grade.meaning}")
        lines += [f"  {a.axis:<10} {a.level} of {a.best}  {a.meaning}" for a in decision.grade.axes]
    else:
        lines.append("grade        none")
    for gate in decision.gates:
        state = "RAISED" if gate.state is GateState.RAISED else "clear "
        lines.append(f"gate {state}  {gate.id}: {gate.reason.text}")
    tote = f"  tote {decision.tote}" if decision.tote else ""
    confirm = "  (needs CONFIRM)" if decision.needs_confirm else ""
    lines.append(f"disposition  {decision.disposition}{tote}{confirm}")
    lines += [f"  - {reason.text}" for reason in decision.reasons]
    for way in decision.alternatives:
        lines += _way(way)
    lines += [f"flip         {flip.reason.text}" for flip in decision.flips]
    lines += _refund(decision.refund)
    if decision.found_reason is not None:
        lines.append(f"found        {decision.found_reason}")
    if decision.customs is not None:
        note = decision.customs
        lines.append(f"customs      {note.reason_code or 'no code'}  entry {note.entry or 'unknown'}: {note.statement}")
    lines += [f"second look  {reason.text}" for reason in decision.second_look]
    if decision.inputs:
        lines.append("from         " + ", ".join(f"{what} {text}" for what, text in decision.inputs))
    lines += [f"used         {what}: {version}" for what, version in sorted(decision.versions)]
    return "\n".join(lines)


def _way(way: Alternative) -> list[str]:
    value = str(way.value) if way.value is not None else "–"
    lines = [f"  {'  ' if way.allowed else 'x '}{way.disposition:<17}{value:>14}  {way.reason.text}"]
    if way.parts and way.value is not None and not way.allowed:
        parts = (f"{what} {Money(minor, way.value.currency)}" for what, minor in way.parts)
        lines.append(f"{'':<37}({', '.join(parts)})")
    return lines


def _refund(refund: Refund) -> list[str]:
    amount = f"  {refund.amount}" if refund.amount is not None else ""
    method = f"  as {refund.method}" if refund.method != "original" else ""
    lines = [f"refund       {refund.decision}{amount}{method}"]
    lines += [f"  - {reason.text}" for reason in refund.trail]
    named = (
        ("tax", refund.tax), ("bonus", refund.bonus), ("claw back", refund.claw_back), ("settles", refund.settles)
    )  # fmt: skip
    lines += [f"  {name}: {money}" for name, money in named if money is not None]
    if refund.statement:
        lines.append(f"statement    {refund.statement}")
    return lines
