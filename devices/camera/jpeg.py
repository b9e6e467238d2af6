"""A JPEG as a row of segments, without decoding it. Pure functions on bytes.

Source: ITU-T T.81, B.1.1 (markers) and B.2.1 (order); Exif 2.32, 4.7 (APP1); CIPA DC-007 (further pictures in APP2 and
behind the end marker).
"""

from __future__ import annotations

from dataclasses import dataclass

from station.errors import InvalidInput

SOI = b"\xff\xd8"
EOI = b"\xff\xd9"
APP0, APP1, APP2, APP14, COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_SOS = 0xDA
_RESTARTS = range(0xD0, 0xD8)


@dataclass(frozen=True, slots=True)
class Segment:
    marker: int
    """Second byte of the marker, e.g. ``APP1``."""
    body: bytes
    """Without the two length bytes."""

    def packed(self) -> bytes:
        return bytes((0xFF, self.marker)) + (len(self.body) + 2).to_bytes(2, "big") + self.body


@dataclass(frozen=True, slots=True)
class Jpeg:
    """One picture, from its start to its end marker."""

    head: tuple[Segment, ...]
    """All segments before the first scan."""
    scans: bytes
    """From the first scan to the end marker, both included."""

    def packed(self) -> bytes:
        return SOI + b"".join(segment.packed() for segment in self.head) + self.scans


def parse_jpeg(data: bytes) -> Jpeg:
    """Take a JPEG apart; whatever follows its end marker is left out.

    Raises:
        InvalidInput: not a JPEG, or cut off.
    """
    if not data.startswith(SOI):
        raise InvalidInput(f"{data[:8]!r}… is no JPEG: expected it to begin with FF D8")
    head: list[Segment] = []
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":
            at += 1  # fill bytes (T.81 B.1.1.2)
        if at + 4 > len(data):
            raise InvalidInput(f"the JPEG of {len(data)} bytes is cut off in its head: copy the file again")
        if data[at] != 0xFF:
            raise InvalidInput(f"the JPEG is damaged: expected a marker at byte {at}, got {data[at : at + 4]!r}")
        marker = data[at + 1]
        if marker == _SOS:
            return Jpeg(tuple(head), data[at : _end(data, at)])
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            raise InvalidInput(f"the JPEG of {len(data)} bytes is cut off in its head: copy the file again")
        head.append(Segment(marker, data[at + 4 : at + 2 + length]))
        at += 2 + length


def _end(data: bytes, at: int) -> int:
    """Offset behind the end marker that belongs to the scans from ``at`` on."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        marker = data[at + 1]
        if marker == EOI[1]:
            return at + 2
        if marker in (0x00, 0xFF) or marker in _RESTARTS:
            at += 1 if marker == 0xFF else 2
        else:
            # A table or the next scan of a progressive picture: its own bytes may hold anything.
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    raise InvalidInput(f"the JPEG of {len(data)} bytes has no end: it is cut off, copy it again")


def is_whole(data: bytes) -> bool:
    """Say whether a JPEG can be decoded to its end, as it must when it is read back.

    Both are needed: OpenCV before 5.0 paints the missing part grey and calls it a picture (DEVICES §4.5).
    """
    import cv2
    import numpy as np

    try:
        parse_jpeg(data)
    except InvalidInput:
        return False
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8) is not None


def insert_after_jfif(data: bytes, segment: Segment) -> bytes:
    """Put a segment behind SOI and JFIF's APP0; not a bit of the picture changes."""
    at = 2
    if data[2:4] == bytes((0xFF, APP0)):
        at += 2 + int.from_bytes(data[4:6], "big")
    return data[:at] + segment.packed() + data[at:]
