"""The return-to-vendor slip: which units go back to a vendor, why, each with its plate to be scanned on arrival."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
from PySide6.QtCore import QCoreApplication, Qt

from station.errors import InvalidInput
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection, InspectionVoided
from station.journal.entry import Entry
from ui.bench.speech import readable
from ui.printing.page import FAINT, INK, RULE, Box, MillimetrePen, Paper, Weight

_MARGIN = 12.0
_HEAD = 44.0
_FOOT = 26.0
_ROW = 20.0
_CODE = 56.0


@dataclass(frozen=True, slots=True)
class VendorUnit:
    """One row of the slip."""

    lpn: str
    title: str
    sku: str
    gtin: str
    serial: str
    grade: str
    why: str


@dataclass(frozen=True, slots=True)
class VendorParcel:
    """The head of the slip."""

    vendor: str
    authorisation: str
    """The vendor's own return number; empty = a line to write it on."""
    sender: str
    """Site and bench."""
    on: date


def units_for_vendor(entries: Iterable[Entry], lpns: Collection[str] = ()) -> tuple[VendorUnit, ...]:
    """The units of a journal that go back to a vendor, in the order in which they were confirmed.

    Args:
        entries: confirmations and voids, in order.
        lpns: only these; empty = all whose disposition is *return to vendor*.

    Raises:
        InvalidInput: a plate was never confirmed, or its unit goes elsewhere.
    """
    known: dict[str, Inspection] = {}
    for entry in entries:
        if entry.payload is None:
            continue
        if entry.kind == INSPECTION_CONFIRMED:
            inspection = msgspec.json.decode(entry.payload, type=Inspection)
            known[inspection.inspection_id] = inspection
        elif entry.kind == INSPECTION_VOIDED:
            known.pop(msgspec.json.decode(entry.payload, type=InspectionVoided).inspection_id, None)
    current = {inspection.lpn: inspection for inspection in known.values()}
    for lpn in lpns:
        if lpn not in current:
            raise InvalidInput(f"no confirmed unit carries the plate {lpn!r}; expected one that this bench inspected")
        if (found := current[lpn].decision.disposition.value) != "return_to_vendor":
            raise InvalidInput(f"{lpn!r} does not go back to a vendor: it was decided {found!r}")
    wanted = [one for one in current.values() if one.decision.disposition.value == "return_to_vendor"]
    return tuple(_unit(one) for one in wanted if not lpns or one.lpn in lpns)


def _unit(inspection: Inspection) -> VendorUnit:
    defects = ", ".join(readable(kind) for kind, _severity in inspection.defects)
    reason = inspection.decision.found_reason or inspection.declared_reason or ""
    grade = inspection.decision.grade
    return VendorUnit(
        lpn=inspection.lpn,
        title=inspection.title,
        sku=inspection.sku or "",
        gtin=inspection.gtin or "",
        serial=inspection.serial_found or inspection.serial_declared or "",
        grade=grade.code if grade is not None else "–",
        why="; ".join(part for part in (readable(reason), defects) if part),
    )


class VendorSlip:
    """A ``Document``: head, one row a unit, a foot to sign."""

    def __init__(self, parcel: VendorParcel, units: Sequence[VendorUnit], paper: Paper = Paper.A4) -> None:
        """
        Raises:
            InvalidInput: there is no unit.
        """
        if not units:
            raise InvalidInput("no unit of this bench goes back to a vendor: there is nothing to list")
        self._parcel = parcel
        self._units = tuple(units)
        self._paper = paper
        self._rows = int((paper.height - 2 * _MARGIN - _HEAD - _FOOT) // _ROW)

    @property
    def title(self) -> str:
        return QCoreApplication.translate("Print", "Return to vendor")

    @property
    def paper(self) -> Paper:
        return self._paper

    @property
    def pages(self) -> int:
        return -(-len(self._units) // self._rows)

    def paint(self, pen: MillimetrePen, page: int) -> None:
        self._head(pen, page)
        first = page * self._rows
        y = _MARGIN + _HEAD
        for number, unit in enumerate(self._units[first : first + self._rows], first + 1):
            self._row(pen, number, unit, Box(_MARGIN, y, self._paper.width - 2 * _MARGIN, _ROW))
            y += _ROW
        if page == self.pages - 1:
            self._foot(pen)

    def _head(self, pen: MillimetrePen, page: int) -> None:
        say = QCoreApplication.translate
        width = self._paper.width - 2 * _MARGIN
        right = Qt.AlignmentFlag.AlignRight
        parcel = self._parcel
        pen.text(Box(_MARGIN, _MARGIN, width * 0.6, 9), self.title, size=8.5, weight=Weight.DISPLAY)
        of = say("Print", "{page} of {pages}").format(page=page + 1, pages=self.pages)
        pen.text(Box(_MARGIN + width * 0.6, _MARGIN, width * 0.4, 5), parcel.on.isoformat(), size=4.2, align=right)
        pen.text(Box(_MARGIN + width * 0.6, _MARGIN + 5, width * 0.4, 5), of, size=3.6, align=right, colour=FAINT)
        self._field(pen, Box(_MARGIN, _MARGIN + 14, width * 0.3, 12), say("Print", "From"), parcel.sender)
        self._field(pen, Box(_MARGIN + width * 0.32, _MARGIN + 14, width * 0.3, 12), say("Print", "To"), parcel.vendor)
        number = Box(_MARGIN + width * 0.64, _MARGIN + 14, width * 0.36, 12)
        if parcel.authorisation:
            self._field(pen, number, say("Print", "Their return number"), parcel.authorisation)
            pen.code(Box(number.x, number.bottom + 1, number.width, 10), parcel.authorisation, most_dots=4)
        else:
            self._field(pen, number, say("Print", "Their return number"), "")
            pen.fill(Box(number.x, number.bottom + 2, number.width, 0.25), INK)
        count = say("Print", "{count} units").format(count=len(self._units))
        pen.text(Box(_MARGIN, _MARGIN + 30, width * 0.5, 7), count, size=5.4, weight=Weight.SEMIBOLD)
        pen.fill(Box(_MARGIN, _MARGIN + _HEAD - 2, width, 0.5), INK)

    @staticmethod
    def _field(pen: MillimetrePen, box: Box, name: str, value: str) -> None:
        pen.text(Box(box.x, box.y, box.width, 4.5), name, size=3.3, colour=FAINT)
        pen.text(Box(box.x, box.y + 4.8, box.width, 6), value, size=4.8, weight=Weight.SEMIBOLD)

    def _row(self, pen: MillimetrePen, number: int, unit: VendorUnit, box: Box) -> None:
        pen.text(Box(box.x, box.y, 8, box.height), str(number), size=4.2, colour=FAINT)
        pen.code(Box(box.x + 8, box.y + 2.5, _CODE, 10.5), unit.lpn, align=Qt.AlignmentFlag.AlignLeft)
        pen.text(Box(box.x + 10.5, box.y + 13.5, _CODE, 4.5), unit.lpn, size=3.4)
        left = box.x + 8 + _CODE + 2
        width = box.right - left - 14
        pen.text(Box(left, box.y + 2, width, 6), unit.title, size=4.3, weight=Weight.SEMIBOLD, least=3.9)
        numbers = "  ·  ".join(part for part in (unit.sku, unit.gtin, unit.serial) if part)
        pen.text(Box(left, box.y + 7.6, width, 5), numbers, size=3.6, colour=FAINT, least=2.6)
        pen.text(Box(left, box.y + 12.6, width, 5), unit.why, size=3.8, least=2.8)
        right = Qt.AlignmentFlag.AlignRight
        pen.text(Box(box.right - 14, box.y, 14, box.height - 2), unit.grade, size=8.0, weight=Weight.BOLD, align=right)
        pen.fill(Box(box.x, box.bottom - 0.2, box.width, 0.2), RULE)

    def _foot(self, pen: MillimetrePen) -> None:
        say = QCoreApplication.translate
        width = (self._paper.width - 2 * _MARGIN - 10) / 2
        y = self._paper.height - _MARGIN - 8
        words = (say("Print", "Packed by, date"), say("Print", "Taken over by, date"))
        for place, what in enumerate(words):
            x = _MARGIN + place * (width + 10)
            pen.fill(Box(x, y, width, 0.3), INK)
            pen.text(Box(x, y + 1.5, width, 5), what, size=3.3, colour=FAINT)
