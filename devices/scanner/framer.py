"""Cuts a scanner's bytes into scans."""

from __future__ import annotations

from dataclasses import dataclass

STX, ETX = 0x02, 0x03
MAX_SCAN = 4096
"""Bytes. A 2-D code holds up to some 3 KB."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How a scanner marks the end of a scan."""

    terminators: bytes = b"\r\n\t\x03"
    """Any of these ends a scan; STX before it is dropped. Empty = none, then only the gap ends it."""
    packet: bool = False
    """Only STX … ETX frames a scan: CR, LF and TAB between them belong to the code (2-D codes)."""
    gap_s: float | None = None
    """A pause that ends a scan, for scanners without a suffix; well above a USB adapter's 16 ms."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes that are no whole scan."""

    raw: bytes
    reason: str


class LineFramer:
    """Incremental and bounded. Empty scans do not exist, so CR LF and CR CR end one scan, not two.

    >>> LineFramer(Framing()).feed(b"]C1RMA-1\\r\\n]E0400638")
    [b']C1RMA-1']
    """

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._rest = bytearray()
        self._inside = False
        self._overflowed = False

    @property
    def has_rest(self) -> bool:
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes | Damaged]:
        """Whole scans without their terminators, and what was not one, in the order of the line."""
        out: list[bytes | Damaged] = []
        for byte in data:
            if self._framing.packet:
                self._packet_byte(byte, out)
            elif byte in self._framing.terminators:
                self._finish(out)
            elif byte == STX and ETX in self._framing.terminators and not self._rest:
                continue
            else:
                self._keep(byte, out)
        return out

    def gap(self) -> list[bytes | Damaged]:
        """The configured pause has passed."""
        out: list[bytes | Damaged] = []
        if self._framing.gap_s is not None and not self._framing.packet:
            self._finish(out)
        return out

    def drop(self) -> list[bytes | Damaged]:
        """The line broke off: half a code is never a code."""
        rest = bytes(self._rest)
        self._rest.clear()
        self._inside = self._overflowed = False
        return [Damaged(rest, "half a code: the scanner was unplugged in the middle of it; scan again")] if rest else []

    def _packet_byte(self, byte: int, out: list[bytes | Damaged]) -> None:
        if byte == STX:
            if self._inside and self._rest:
                out.append(Damaged(bytes(self._rest), "a code without its end; scan again"))
            self._rest.clear()
            self._inside, self._overflowed = True, False
        elif self._inside and byte == ETX:
            self._inside = False
            self._finish(out)
        elif self._inside:
            self._keep(byte, out)

    def _keep(self, byte: int, out: list[bytes | Damaged]) -> None:
        if self._overflowed:
            return
        if len(self._rest) < MAX_SCAN:
            self._rest.append(byte)
            return
        self._overflowed = True
        out.append(Damaged(bytes(self._rest[:64]), f"more than {MAX_SCAN} bytes without an end: is a suffix set?"))
        self._rest.clear()

    def _finish(self, out: list[bytes | Damaged]) -> None:
        if self._rest and not self._overflowed:
            scan = bytes(self._rest)
            out.append(Damaged(scan, "line noise, not a code") if _is_noise(scan) else scan)
        self._rest.clear()
        self._overflowed = False


def _is_noise(scan: bytes) -> bool:
    # No code that stands for goods holds NUL; a break on the line makes one.
    return b"\x00" in scan or not scan.strip(b"\x7f\xff\xfe")
