"""Inspections and units as CSV that a spreadsheet opens without running anything.

Cells of text that a spreadsheet would take for a formula get an apostrophe in front, and so do those that begin with
one, so that :func:`plain` gives every text back. Numbers of ours stay numbers. UTF-8 with a signature, which is what
spreadsheets need to read it as UTF-8; commas, CR LF, quotes where needed.
Source: RFC 4180; OWASP "CSV Injection"; ASVS 5.0 1.2.10.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from station.errors import StoreFault
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection, InspectionVoided
from station.journal.entry import Entry
from station.quantities import Money

_DANGEROUS: Final = frozenset("=+-@\t\r\n\x00'|%＝＋－＠")
"""First characters that a spreadsheet may act on, the full-width ones included; and our own apostrophe."""

Cell: TypeAlias = "str | int | datetime | None"


class Table(StrEnum):
    """What a file holds."""

    INSPECTIONS = "inspections"
    """One row each, those that were corrected or taken back too; ``standing`` says which count."""
    UNITS = "units"
    """One row per unit: the inspection that counts."""


@dataclass(frozen=True, slots=True)
class _Row:
    entry: Entry
    fact: Inspection
    standing: str


_COLUMNS: Final[Mapping[str, Callable[[_Row], Cell]]] = {
    "inspection_id": lambda row: row.fact.inspection_id,
    "unit_id": lambda row: row.fact.unit_id,
    "lpn": lambda row: row.fact.lpn,
    "parcel_id": lambda row: row.fact.parcel_id,
    "standing": lambda row: row.standing,
    "corrects": lambda row: row.fact.corrects,
    "station": lambda row: row.entry.station,
    "generation": lambda row: row.entry.generation,
    "seq": lambda row: row.entry.seq,
    "entry_hash": lambda row: row.entry.hash,
    "inspector": lambda row: row.entry.actor,
    "started_at": lambda row: row.fact.started_at,
    "confirmed_at": lambda row: row.fact.confirmed_at,
    "merchant_id": lambda row: row.fact.merchant_id,
    "rma": lambda row: row.fact.rma,
    "line": lambda row: row.fact.line,
    "sku": lambda row: row.fact.sku,
    "gtin": lambda row: row.fact.gtin,
    "title": lambda row: row.fact.title,
    "category": lambda row: row.fact.category,
    "serial_declared": lambda row: row.fact.serial_declared,
    "serial_found": lambda row: row.fact.serial_found,
    "identity": lambda row: row.fact.identity.value,
    "weight_mg": lambda row: row.fact.weight.gross_mg if row.fact.weight else None,
    "weight_verdict": lambda row: row.fact.judgement.verdict.value if row.fact.judgement else None,
    "grade": lambda row: row.fact.decision.grade.code if row.fact.decision.grade else None,
    "disposition": lambda row: row.fact.decision.disposition.value,
    "tote": lambda row: row.fact.decision.tote,
    "reason_declared": lambda row: row.fact.declared_reason,
    "reason_found": lambda row: row.fact.decision.found_reason,
    "defects": lambda row: " ".join(f"{kind}:{severity}" for kind, severity in row.fact.defects),
    "second_look": lambda row: " ".join(reason.code for reason in row.fact.decision.second_look),
    "refund_decision": lambda row: row.fact.decision.refund.decision,
    "refund_minor": lambda row: amount.minor if (amount := row.fact.decision.refund.amount) else None,
    "refund_currency": lambda row: amount.currency if (amount := row.fact.decision.refund.amount) else None,
    "refund_amount": lambda row: _amount(row.fact.decision.refund.amount),
    "refund_method": lambda row: row.fact.decision.refund.method,
    "customs_reason": lambda row: note.reason_code if (note := row.fact.decision.customs) else None,
    "customs_used": lambda row: note.used.value if (note := row.fact.decision.customs) else None,
    "customs_entry": lambda row: note.entry if (note := row.fact.decision.customs) else None,
    "photos": lambda row: " ".join(photo.sha256 for photo in row.fact.photos),
    "why": lambda row: " ".join(reason.text for reason in row.fact.decision.reasons),
}
_NUMBERS: Final = frozenset({"generation", "seq", "line", "weight_mg", "refund_minor", "refund_amount"})

_INSPECTION: Final = msgspec.json.Decoder(Inspection)
_VOIDED: Final = msgspec.json.Decoder(InspectionVoided)


def write_csv(entries: Iterable[Entry], table: Table) -> Iterator[bytes]:
    """The file in pieces.

    Raises:
        StoreFault: an entry cannot be read; the text names it.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    yield b"\xef\xbb\xbf" + _drained(buffer)
    for row in _rows(entries, table):
        writer.writerow(
            [
                _number(value(row)) if name in _NUMBERS else guarded(_text(value(row)))
                for name, value in _COLUMNS.items()
            ]
        )
        yield _drained(buffer)


def guarded(text: str) -> str:
    """A text that no spreadsheet runs.

    >>> guarded("=1+1"), guarded("safe"), guarded("'quoted")
    ("'=1+1", 'safe', "''quoted")
    """
    first = text.lstrip(" \u00a0")[:1] if text[:1] in (" ", "\u00a0") else text[:1]
    return "'" + text if first in _DANGEROUS and first else text


def plain(cell: str) -> str:
    """The text that ``guarded`` was given.

    >>> plain("'=1+1"), plain("safe")
    ('=1+1', 'safe')
    """
    return cell[1:] if cell.startswith("'") else cell


def _rows(entries: Iterable[Entry], table: Table) -> Iterator[_Row]:
    read: list[tuple[Entry, Inspection]] = []
    ended: dict[str, str] = {}
    for entry in entries:
        if entry.payload is None or entry.kind not in (INSPECTION_CONFIRMED, INSPECTION_VOIDED):
            continue
        try:
            if entry.kind == INSPECTION_VOIDED:
                ended.setdefault(_VOIDED.decode(entry.payload).inspection_id, "voided")
                continue
            fact = _INSPECTION.decode(entry.payload)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise StoreFault(
                f"entry {entry.generation}/{entry.seq} ({entry.kind}) cannot be read: {error}; "
                "run 'station journal verify'"
            ) from error
        if fact.corrects is not None:
            ended[fact.corrects] = "corrected"
        read.append((entry, fact))
    rows = (_Row(entry, fact, ended.get(fact.inspection_id, "stands")) for entry, fact in read)
    if table is Table.INSPECTIONS:
        yield from rows
    else:
        yield from {row.fact.unit_id: row for row in rows if row.standing == "stands"}.values()


def _text(value: Cell) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return "" if value is None else str(value)


def _number(value: Cell) -> str:
    return "" if value is None else str(value)


def _amount(amount: Money | None) -> str | None:
    """Decimal text with a full stop and without the currency."""
    return str(amount).partition(" ")[0] if amount is not None else None


def _drained(buffer: io.StringIO) -> bytes:
    content = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return content
