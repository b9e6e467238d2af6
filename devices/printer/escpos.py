"""An ESC/POS printer on TCP port 9100 or a serial line: raster bitmap, cut, and status that is asked for.

Three kinds of question, told apart by the fixed bits of the answer. ``DLE EOT n`` is answered at once whatever the
printer is doing (``0xx1xx10`` binary). ``GS r 1`` is answered in its turn, after everything sent before it has been
carried out (``0xx0xxxx``): that answer is our proof that the label was worked off. A printer that is off line holds
what it was sent and prints it when it is on line again, so a label that was sent is never sent a second time by us.

Two traps. Real-time commands are carried out even where they stand inside a bitmap, so a status byte may come that
nobody asked for: answers are drained before each question, and read by their fixed bits. And a bitmap that breaks off
leaves the printer waiting for the rest of it: the next label would be swallowed. So the first label after a break, and
the first after our own start, is preceded by as many NULs as one band may still need: white, or nothing at all.

Not yet checked on hardware.
Source: Epson, ESC/POS Command Reference: ``DLE EOT``, ``GS r``, ``GS v 0``, ``GS V``, ``GS ( D``, ``ESC @``, and
"Notes of Real-time Commands". Lines are opened anew for each label as in python-escpos issue #437 and Odoo PR #208611;
an answer to the question before (escpos-rs issue #18) is what draining is for.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from devices.printer.line import Line, OpenLine, drain
from devices.printer.model import Delivery, PrinterState, PrintFault
from station.errors import DeviceFault, InvalidInput

if TYPE_CHECKING:
    from devices.printer.label import LabelImage

_DLE_EOT = b"\x10\x04"
_INIT = b"\x1b@"
_CUT = b"\x1dV\x42\x00"
"""``GS V 66 0``: feed to the cutter and cut."""
_IN_ORDER_STATUS = b"\x1dr\x01"
_NO_PULSE_NO_POWER_OFF = b"\x1d(D\x05\x00\x14\x01\x00\x02\x00"
"""``GS ( D``: ``DLE DC4`` inside a bitmap opens no drawer and switches nothing off."""
_DLE_DC4 = b"\x10\x14"
_BAND_ROWS = 64
_BAND_HEAD = 8
"""Bytes of ``GS v 0`` before its dots: the break may be in there."""
_HEAD_MM = 72.0
"""What an 80 mm roll printer can print on; wider bitmaps are cut off by the printer without a word."""

_PRINTER, _OFFLINE, _ERROR, _PAPER = 1, 2, 3, 4

_OFFLINE_CAUSES = (
    (0x04, "the cover is open: close it"),
    (0x20, "no paper: put in a new roll"),
    (0x08, "somebody holds its feed button"),
)
_ERROR_CAUSES = (
    (0x08, "the cutter is stuck: open the cover and clear it"),
    (0x20, "a fault that needs service: switch it off and call IT"),
    (0x40, "the print head is too hot: wait a minute"),
    (0x04, "a paper jam: open the cover and clear it"),
)
_PAPER_END = 0x60
_PAPER_NEAR_END = 0x0C


def printer_state(
    printer: int, paper: int | None = None, offline: int | None = None, error: int | None = None
) -> PrinterState:
    """What the four status bytes of ``DLE EOT`` say, each without its fixed bits.

    Args:
        printer: n = 1. Bit 3: off line.
        paper: n = 4. Bits 5, 6: no paper; bits 2, 3: nearly at its end. None = this model has no such status.
        offline: n = 2. Bit 2: cover open; bit 3: paper is being fed; bit 5: stopped by paper end; bit 6: error.
        error: n = 3. Bit 2: recoverable; bit 3: cutter; bit 5: unrecoverable; bit 6: recovers by itself.

    >>> printer_state(0x08, 0x00, 0x04).stops
    ('the cover is open: close it',)
    """
    stops = [words for bit, words in _OFFLINE_CAUSES if (offline or 0) & bit]
    stops += [words for bit, words in _ERROR_CAUSES if (error or 0) & bit]
    if (paper or 0) & _PAPER_END and "no paper: put in a new roll" not in stops:
        stops.append("no paper: put in a new roll")
    if not stops and printer & 0x20:
        stops.append("it waits for its feed button: press it")
    if not stops and printer & 0x08:
        stops.append("off line, for a reason it does not tell: look at its lights")
    near_end = not stops and (paper or 0) & _PAPER_NEAR_END
    return PrinterState(tuple(stops), ("the paper is nearly at its end",) if near_end else ())


def escpos_label(label: LabelImage) -> bytes:
    """One label: start afresh, the bitmap in bands, cut, and a question that is answered when all that is done."""
    parts = [_INIT]
    if _DLE_DC4 in label.bits:
        parts.append(_NO_PULSE_NO_POWER_OFF)
    per_row = label.bytes_per_row
    for top in range(0, label.height, _BAND_ROWS):
        rows = min(_BAND_ROWS, label.height - top)
        parts.append(b"\x1dv0\x00" + per_row.to_bytes(2, "little") + rows.to_bytes(2, "little"))
        parts.append(label.bits[top * per_row : (top + rows) * per_row])
    parts += [_CUT, _IN_ORDER_STATUS]
    return b"".join(parts)


class EscPosPrinter:
    """One printer (a ``LabelPrinter``)."""

    def __init__(
        self,
        address: str,
        open_line: OpenLine,
        *,
        timeout_s: float = 2.0,
        settle_s: float = 3.0,
        head_mm: float = _HEAD_MM,
    ) -> None:
        """
        Args:
            timeout_s: longest wait for an answer.
            settle_s: longest time one label takes to be printed.
            head_mm: width that it can print on. A wider label is turned, if that makes it fit.
        """
        self._address = address
        self._open_line = open_line
        self._timeout_s = timeout_s
        self._settle_s = settle_s
        self._head_mm = head_mm
        self._in_step = False
        """The printer is known to wait for a command, not for the rest of a bitmap."""
        self._broke_off = False
        """Half a label of ours may hang out of it."""
        self._owed = 0
        """Bytes that the printer may still take for the rest of that bitmap."""

    @property
    def address(self) -> str:
        return self._address

    def status(self) -> PrinterState:
        """Ask how it is.

        Raises:
            DeviceFault: it cannot be reached, or does not answer.
        """
        line = self._open_line()
        try:
            return self._state(line)
        finally:
            line.close()

    def print(self, label: LabelImage, job_id: str) -> Delivery:
        """Send one label to a ready printer and wait until it has been carried out.

        Raises:
            PrintFault: not ready, unreachable, silent or broken off; says whether the label may have been printed.
            InvalidInput: too wide for this printer, also when turned.
        """
        label = self._fitting(label)
        try:
            line = self._open_line()
        except DeviceFault as fault:
            raise PrintFault(str(fault), may_have_printed=False) from fault
        try:
            self._make_ready(line)
            return self._send(line, label)
        finally:
            line.close()

    def _fitting(self, label: LabelImage) -> LabelImage:
        most = round(self._head_mm * label.dpi / 25.4)
        if label.width <= most:
            return label
        if label.height <= most:
            return turned(label)
        raise InvalidInput(
            f"a label of {label.width} × {label.height} dots does not fit on the printer at {self._address}, which "
            f"prints {most} dots ({self._head_mm:g} mm) across; choose a smaller [printer] template"
        )

    def _make_ready(self, line: Line) -> None:
        try:
            state = self._state(line)
        except DeviceFault as fault:
            raise PrintFault(str(fault), may_have_printed=False) from fault
        if not state.ready:
            raise PrintFault(
                f"the printer at {self._address} is not ready: {', '.join(state.stops)}", may_have_printed=False
            )

    def _send(self, line: Line, label: LabelImage) -> Delivery:
        data = escpos_label(label)
        band = label.bytes_per_row * _BAND_ROWS
        if not self._in_step:
            data = bytes(max(self._owed, band) + _BAND_HEAD) + _INIT + (_CUT if self._broke_off else b"") + data
        self._in_step, self._broke_off, self._owed = False, True, band
        try:
            line.write(data)
            worked_off = self._in_order_answer(line, line.clearing_s(len(data)))
            after = self._state(line)
            self._in_step, self._broke_off = True, False
        except DeviceFault as fault:
            raise PrintFault(
                f"the connection to the printer at {self._address} broke while the label was sent; "
                f"it may have been printed: look, and reprint it if it is not there ({fault})",
                may_have_printed=True,
            ) from fault
        if not after.ready:
            raise PrintFault(
                f"the printer took the label, then stopped: {', '.join(after.stops)}; "
                "it prints it once that is done: look before you reprint",
                may_have_printed=True,
            )
        return Delivery.PRINTED if worked_off else Delivery.HANDED_OVER

    def _in_order_answer(self, line: Line, late_s: float) -> bool:
        """Whether the answer to ``GS r`` has come; a copy of the make may not know that question."""
        deadline = time.monotonic() + self._settle_s + late_s
        while (left := deadline - time.monotonic()) > 0:
            if any(byte & 0x90 == 0 for byte in line.read(left)):
                return True
        return False

    def _state(self, line: Line) -> PrinterState:
        drain(line)
        printer = self._ask(line, _PRINTER)
        if printer is None:
            raise DeviceFault(f"the printer at {self._address} does not answer: is it switched on, and ESC/POS?")
        paper = self._ask(line, _PAPER)
        offline = error = None
        if printer & 0x08:
            offline = self._ask(line, _OFFLINE)
            error = self._ask(line, _ERROR) if offline is None or offline & 0x40 else None
        return printer_state(printer, paper, offline, error)

    def _ask(self, line: Line, number: int) -> int | None:
        """One status byte without its fixed bits; None = no answer.

        The answer is one byte, alone: among many that something else sends, one or the other looks like a status.
        """
        line.write(_DLE_EOT + bytes([number]))
        deadline = time.monotonic() + self._timeout_s
        while (left := deadline - time.monotonic()) > 0:
            came = line.read(left)
            if len(came) == 1 and came[0] & 0x93 == 0x12:
                return came[0] & 0x6C
        return None


def turned(label: LabelImage) -> LabelImage:
    """The label a quarter turn on, so that its length runs along the roll."""
    from PIL import Image

    picture = label.picture().transpose(Image.Transpose.ROTATE_90)
    bits = bytes(value ^ 0xFF for value in picture.tobytes())
    spare = -picture.width % 8
    per_row = (picture.width + 7) // 8
    mask = 0xFF << spare & 0xFF
    clear = bytes(value & mask if (place + 1) % per_row == 0 else value for place, value in enumerate(bits))
    return replace(label, width=picture.width, height=picture.height, bits=clear)
