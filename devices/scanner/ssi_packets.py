"""Packets of Zebra's Simple Serial Interface: lengths, checksums, commands, code types. Pure.

::

    length  opcode  source  status  data …  checksum (2 bytes, high first)
    12      F3      00      00      0B 34 30 30 36 33 38 31 33 33 33 39 33 31   FC 54

The length counts all but the checksum; the checksum is the two's complement of the sum of what the length counts;
source 0 is the decoder, 4 the host; status bit 0 says "sent again", bit 1 "more packets follow".

Source: Zebra Simple Serial Interface Programmer's Guide 72E-40451; DEVICES §2.3 (its vectors are in the tests); SE-923
integration guide p. 6-15 (DECODE_DATA). Not yet checked on hardware.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from devices.scanner.framer import Damaged

DECODER, HOST = 0x00, 0x04
RETRANSMIT, MORE = 0x01, 0x02
NAK_RESEND = 0x01
WAKE_UP = b"\x00"
"""Not a packet: what wakes a scanner from its low-power mode, whose first byte would be lost."""
_HEADER, _CHECKSUM = 4, 2
BAD_CHECKSUM = "a packet with a wrong checksum"
_SHOWN = 64
_AIM = re.compile(rb"\][A-Za-z][0-9A-Za-z]")


class Opcode(IntEnum):
    """The few that a host of a bench needs."""

    PARAM_SEND = 0xC6
    ACK = 0xD0
    NAK = 0xD1
    BEEP = 0xE6
    SCAN_ENABLE = 0xE9
    SCAN_DISABLE = 0xEA
    DECODE_DATA = 0xF3


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet whose checksum is right."""

    opcode: int
    status: int
    data: bytes
    raw: bytes

    @property
    def sent_again(self) -> bool:
        return bool(self.status & RETRANSMIT)

    @property
    def more(self) -> bool:
        return bool(self.status & MORE)


def checksum(body: bytes) -> bytes:
    """
    >>> checksum(bytes.fromhex("04D00400")).hex()
    'ff28'
    """
    return (-sum(body) & 0xFFFF).to_bytes(2, "big")


def command(opcode: int, data: bytes = b"", *, status: int = 0) -> bytes:
    """A packet of the host.

    >>> command(Opcode.BEEP, b"\\x00").hex(" ")
    '05 e6 04 00 00 ff 11'
    """
    body = bytes([_HEADER + len(data), opcode, HOST, status]) + data
    return body + checksum(body)


class PacketReader:
    """Incremental and bounded by the longest packet (257 bytes).

    A packet has no start byte, so after one wrong byte nothing that follows can be trusted, least of all the bytes of a
    2-D code that look like a packet. The line is stop-and-wait: the reader drops everything until the line is quiet,
    and the scanner is then asked to send its packet again.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._fault = ""
        self._bad = bytearray()

    @property
    def has_rest(self) -> bool:
        """Something is unfinished, or was not understood."""
        return bool(self._buffer or self._fault)

    def feed(self, data: bytes) -> list[Packet]:
        """Whole packets of the decoder, in the order of the line."""
        if self._fault:
            self._bad += data[: _SHOWN - len(self._bad)]
            return []
        self._buffer += data
        out: list[Packet] = []
        while self._buffer and not self._fault:
            packet = self._first()
            if packet is None:
                break
            out.append(packet)
        return out

    def quiet(self) -> Damaged | None:
        """The line has paused: what is unfinished will not be finished."""
        reason, raw = self._fault, bytes(self._bad)
        if not reason and self._buffer:
            reason, raw = "half a packet", bytes(self._buffer[:_SHOWN])
        self.clear()
        return Damaged(raw, reason) if reason else None

    def clear(self) -> None:
        self._buffer.clear()
        self._bad.clear()
        self._fault = ""

    def _first(self) -> Packet | None:
        length = self._buffer[0]
        raw = bytes(self._buffer[: length + _CHECKSUM])
        if length < _HEADER or (len(raw) > 2 and raw[2] != DECODER):
            self._give_up("bytes that are no packet of a scanner")
            return None
        if len(raw) < length + _CHECKSUM:
            return None
        if checksum(raw[:length]) != raw[length:]:
            self._give_up(BAD_CHECKSUM)
            return None
        del self._buffer[: len(raw)]
        return Packet(raw[1], raw[3], raw[_HEADER:length], raw)

    def _give_up(self, reason: str) -> None:
        self._fault = reason
        self._bad = self._buffer[:_SHOWN]
        self._buffer.clear()


_AIM_OF: dict[int, bytes] = {
    0x01: b"]A0",  # Code 39
    0x02: b"]F0",  # Codabar
    0x03: b"]C0",  # Code 128
    0x04: b"]S0",  # Discrete 2 of 5
    0x05: b"]R0",  # IATA 2 of 5
    0x06: b"]I0",  # Interleaved 2 of 5
    0x07: b"]G0",  # Code 93
    0x0C: b"]H0",  # Code 11
    0x0E: b"]M0",  # MSI
    0x0F: b"]C1",  # GS1-128
    0x11: b"]L0",  # PDF417
    0x13: b"]A4",  # Code 39 full ASCII
    0x18: b"]F0",  # NW-7
    0x19: b"]C0",  # ISBT 128
    0x1A: b"]L0",  # MicroPDF417
    0x28: b"]L0",  # Macro PDF417
    0x2C: b"]Q1",  # Micro QR
    0x2D: b"]z0",  # Aztec
    0x30: b"]e0",  # GS1 DataBar
    0x31: b"]e0",
    0x32: b"]e0",
    0xC1: b"]d2",  # GS1 DataMatrix
    0xC2: b"]Q3",  # GS1 QR
}
"""Code type → AIM identifier, only where the type says it all. Data Matrix (1B) and QR (1C) are left out: older
scanners report their GS1 kinds under the same types, and ``]d1`` would be a claim that it is none.

Source: Zebra scanner SDK, barcode types; Symbol CS3000 p. B-1; DEVICES §2.2.
"""

_RETAIL = {
    0x08: (b"]E0", (12,)),  # UPC-A
    0x09: (b"]E0", (8, 12, 13)),  # UPC-E0, as it is or in full
    0x10: (b"]E0", (8, 12, 13)),  # UPC-E1
    0x0A: (b"]E4", (8,)),  # EAN-8
    0x0B: (b"]E0", (13,)),  # EAN-13
    0x16: (b"]E0", (13,)),  # Bookland EAN in its long form
    0x48: (b"]E3", (14, 15)),  # UPC-A and EAN-13 with an add-on
    0x4B: (b"]E3", (15,)),
    0x88: (b"]E3", (17, 18)),
    0x8B: (b"]E3", (18,)),
}
"""Retail symbols, with the lengths in which a scanner sends them whole: other lengths lack their check digit."""


def with_aim(code_type: int, data: bytes) -> bytes:
    """A code with the AIM identifier that its type stands for; as it is where the scanner sends one, or none is sure.

    >>> with_aim(0x0B, b"4006381333931"), with_aim(0x48, b"01234567890512"), with_aim(0x1B, b"S17")
    (b']E04006381333931', b']E3001234567890512', b'S17')
    """
    if _AIM.match(data):
        return data
    if code_type not in _RETAIL:
        return _AIM_OF.get(code_type, b"") + data
    aim, lengths = _RETAIL[code_type]
    if len(data) not in lengths or not data.isdigit():
        return data
    # ]E3 promises the thirteen digits of EAN-13 in front of the add-on
    return aim + (b"0" if aim == b"]E3" and len(data) in (14, 17) else b"") + data
