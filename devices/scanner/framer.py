"""Cuts a scanner's bytes into scans."""

from __future__ import annotations

from dataclasses import dataclass

from station.errors import InvalidInput

STX, ETX = 0x02, 0x03
MAX_SCAN = 4096
"""Bytes. A 2-D code holds up to some 3 KB."""
GAP_S = 0.08
"""The pause that ends a scan without a suffix: well above the 16 ms that a USB adapter collects bytes for."""
_SHOWN = 64
"""Bytes of a fault that are kept."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How a scanner marks the end of a scan."""

    terminators: bytes = b"\r\n\t\x03"
    """Any of these ends a scan; STX before it is dropped. Empty = none, then only the gap ends it."""
    packet: bool = False
    """Only STX … ETX frames a scan: CR, LF and TAB between them belong to the code (2-D codes)."""
    gap_s: float | None = None
    """A pause that ends a scan, for scanners without a suffix."""
    trimmed: bytes = b""
    """Taken off both ends of a scan: the other half of a two-byte suffix."""


_FRAMINGS = {
    "any": Framing(),
    "cr": Framing(b"\r", trimmed=b"\n"),
    "lf": Framing(b"\n", trimmed=b"\r"),
    "tab": Framing(b"\t", trimmed=b"\r\n"),
    "packet": Framing(packet=True),
    "none": Framing(b"", gap_s=GAP_S),
}


def framing_of(suffix: str) -> Framing:
    """What the configuration's word means.

    Raises:
        InvalidInput: no such word.

    Source: DEVICES §2.1.
    """
    if suffix not in _FRAMINGS:
        raise InvalidInput(f"suffix = {suffix!r}: expected one of {', '.join(_FRAMINGS)}")
    return _FRAMINGS[suffix]


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
        self._begun = False
        """STX has opened what is in ``_rest``."""
        self._overflowed = False
        self._outside = bytearray()
        """What came between two packets."""

    @property
    def has_rest(self) -> bool:
        """Something has begun and not ended."""
        return bool(self._rest or self._outside or self._overflowed or self._begun)

    def feed(self, data: bytes) -> list[bytes | Damaged]:
        """Whole scans without their terminators, and what was not one, in the order of the line."""
        out: list[bytes | Damaged] = []
        for byte in data:
            if self._framing.packet:
                self._packet_byte(byte, out)
            elif byte in self._framing.terminators:
                self._finish(out)
            elif byte == STX and ETX in self._framing.terminators and (self._begun or not self._rest):
                self._begin(out)
            elif self._rest or byte not in self._framing.trimmed:
                self._keep(byte, out)
        return out

    def gap(self) -> list[bytes | Damaged]:
        """The configured pause has passed."""
        out: list[bytes | Damaged] = []
        if self._framing.gap_s is not None and not self._framing.packet:
            self._finish(out)
        return out

    def stale(self) -> list[bytes | Damaged]:
        """No byte has come for so long that what has begun will not end: the next scan must not be glued to it."""
        out: list[bytes | Damaged] = []
        self._finish_outside(out)
        if self._rest:
            out.append(Damaged(bytes(self._rest), "a code without its end: set the scanner's suffix, or scan again"))
        self._clear()
        return out

    def drop(self) -> list[bytes | Damaged]:
        """The line broke off: half a code is never a code."""
        rest = bytes(self._rest)
        self._outside.clear()
        self._clear()
        return [Damaged(rest, "half a code: the scanner was unplugged in the middle of it; scan again")] if rest else []

    def _packet_byte(self, byte: int, out: list[bytes | Damaged]) -> None:
        if byte == STX:
            self._finish_outside(out)
            self._begin(out)
        elif not self._begun:
            self._keep_outside(byte, out)
        elif byte == ETX:
            self._finish(out)
        else:
            self._keep(byte, out)

    def _begin(self, out: list[bytes | Damaged]) -> None:
        if self._rest:
            out.append(Damaged(bytes(self._rest), "a code without its end; scan again"))
        self._clear()
        self._begun = True

    def _keep(self, byte: int, out: list[bytes | Damaged]) -> None:
        if self._overflowed:
            return
        if len(self._rest) < MAX_SCAN:
            self._rest.append(byte)
            return
        self._overflowed = True
        out.append(Damaged(bytes(self._rest[:_SHOWN]), f"more than {MAX_SCAN} bytes without an end: is a suffix set?"))
        self._rest.clear()

    def _keep_outside(self, byte: int, out: list[bytes | Damaged]) -> None:
        if byte in b"\r\n\t":
            self._finish_outside(out)
        elif len(self._outside) < _SHOWN:
            self._outside.append(byte)

    def _finish_outside(self, out: list[bytes | Damaged]) -> None:
        # a scanner without packets would else be read in silence for ever
        if self._outside and not is_noise(bytes(self._outside)):
            reason = "not between STX and ETX: set the scanner to send them, or the station's suffix to 'any'"
            out.append(Damaged(bytes(self._outside), reason))
        self._outside.clear()

    def _finish(self, out: list[bytes | Damaged]) -> None:
        scan = bytes(self._rest)
        if self._framing.trimmed:
            scan = scan.rstrip(self._framing.trimmed)
        if scan and not self._overflowed:
            out.append(Damaged(scan, "line noise, not a code") if is_noise(scan) else scan)
        self._clear()

    def _clear(self) -> None:
        self._rest.clear()
        self._begun = self._overflowed = False


def is_noise(scan: bytes) -> bool:
    """No code: what a cable, a plug or a wrong speed makes of an idle line."""
    # No code that stands for goods holds NUL; a break on the line makes one.
    return b"\x00" in scan or not scan.strip(b"\x7f\xff\xfe")
