"""Configuration → the printer: what kind, over which line.

``zpl`` and ``escpos`` talk over TCP or a serial line; ``system`` goes through the operating system's spooler, which
needs Qt and is therefore handed in by the composition root.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from devices.printer.escpos import EscPosPrinter
from devices.printer.line import OpenLine, TcpLine, serial_opener
from devices.printer.model import LabelPrinter
from devices.printer.zpl_printer import ZplPrinter
from station.errors import InvalidInput

RAW_PORT = 9100
KINDS = ("zpl", "escpos", "system")

MakeSystemPrinter: TypeAlias = Callable[[str], LabelPrinter]
"""Queue's name → printer."""

_SERIAL = re.compile(r"/|usb:|com\d+$|\\\\\.\\com\d+$|(socket|loop|rfc2217)://", re.IGNORECASE)
_HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:]+\]|[^:\[\]\s]+)(:(?P<port>[0-9]{1,5}))?")


def printer_from(
    kind: str,
    address: str,
    *,
    baud: int = 9600,
    timeout_s: float = 2.0,
    system: MakeSystemPrinter | None = None,
) -> LabelPrinter:
    """Make the printer that a bench is configured for. Nothing is opened yet.

    Args:
        kind: one of ``KINDS``.
        address: ``HOST``, ``HOST:PORT`` (9100 unless said), a serial port, or the system printer's name.
        baud: of a serial printer.
        timeout_s: longest wait for an answer.
        system: makes a printer that the operating system drives.

    Raises:
        InvalidInput: an unknown kind, or not an address.
    """
    if kind == "system":
        if system is None:
            raise InvalidInput("[printer] kind = 'system' works in the bench's own window only; expected zpl or escpos")
        return system(address)
    if kind not in KINDS:
        raise InvalidInput(f"[printer] kind = {kind!r}: expected one of {', '.join(KINDS)}")
    open_line = line_opener(address, baud=baud, timeout_s=timeout_s)
    if kind == "zpl":
        return ZplPrinter(address, open_line, timeout_s=timeout_s)
    return EscPosPrinter(address, open_line, timeout_s=timeout_s)


def line_opener(address: str, *, baud: int = 9600, timeout_s: float = 2.0) -> OpenLine:
    """How to open the line to a printer.

    Raises:
        InvalidInput: neither a serial port nor ``HOST`` or ``HOST:PORT``.
    """
    if _SERIAL.match(address):
        return serial_opener(address, baud)
    found = _HOST_PORT.fullmatch(address)
    port = int(found["port"] or RAW_PORT) if found else 0
    if found is None or not 0 < port < 65536:
        raise InvalidInput(
            f"[printer] address = {address!r}: expected HOST, HOST:PORT (e.g. 10.0.0.7:9100) or a serial port"
        )
    host = found["host"].strip("[]")
    return lambda: TcpLine(host, port, timeout_s)
