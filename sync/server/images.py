"""Whether an upload is a photo as benches make them: whole, of a sane size, and silent about place and person.

Nothing is decoded: the segments say the size in pixels, and a decoder that is never started has no holes. What a bench
keeps is hashed there, so the server cannot strip a file: another file would have another name, and the record names
this one. Benches strip before they hash (``devices.camera.exif``); what still comes with a position, a person's name,
a maker's notes or something behind its end was put there by another program. It is refused and not set aside:
personal data nobody asked for is best not kept at all, and the bench still has the file. The advice says what to do.
Segments are believed by a list of what may be there, not of what may not.
Source: ITU-T T.81 Annex B; Exif 2.32 §4.6; SYNC.md §5.6; OWASP ASVS 5.0, 5.2.1, 5.2.2, 5.2.6, 14.2.8.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from station.errors import InvalidInput

MAX_PIXELS: Final = 25_000_000
MAX_HEAD: Final = 1 << 20
"""Bytes before the first scan; a colour profile has a few hundred kilobytes at most."""
_ICC: Final = b"ICC_PROFILE\x00"
_EXIF: Final = b"Exif\x00\x00"
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended, progressive: what everything can show. Lossless and arithmetic coding are for bombs."""
_TABLES: Final = frozenset({0xDB, 0xC4, 0xDD})
_SOS, _EOI = 0xDA, 0xD9
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""In a scan: neither a stuffed zero nor a restart."""
_FIRST: Final = frozenset({0x010F, 0x0110, 0x0112, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x0213, 0x8769})
_DETAIL: Final = frozenset(
    {0x829A, 0x829D, 0x8827, 0x8830, 0x9000, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9101, 0x9201, 0x9202, 0x9203,
     0x9204, 0x9207, 0x9208, 0x9209, 0x920A, 0x9290, 0x9291, 0x9292, 0xA000, 0xA001, 0xA002, 0xA003, 0xA402, 0xA403}
)  # fmt: skip
"""Exif tags about light and time. Not among them: position (8825), maker's notes (927C), serial numbers, owner, a
small picture inside (a second directory)."""


class PhotoCheck:
    """Reads along while a photo comes in. ``feed`` each piece, then ``finish``; both raise as soon as it is known."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._seen = 0
        self._in_scan = False
        self._scans = 0
        self._ended = False
        self.width = 0
        self.height = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            InvalidInput: says what is wrong.
        """
        self._rest += piece
        while self._step():
            pass

    def finish(self) -> None:
        """The file has ended.

        Raises:
            InvalidInput: too early.
        """
        if not self._ended:
            raise InvalidInput("the JPEG is cut off: its end marker is missing; read the file again")

    def _step(self) -> bool:
        """Take one thing off the front; False = more bytes are needed."""
        if self._ended:
            if self._rest:
                raise InvalidInput("there is something behind the end of the picture; only the photo may be sent")
            return False
        if self._in_scan:
            return self._skip_scan()
        if self._seen == 0:
            if len(self._rest) < 3:
                return False
            if self._rest[:3] != b"\xff\xd8\xff":
                raise InvalidInput("the bytes are not a JPEG (it begins with FF D8 FF)")
            self._take(2)
            return True
        return self._take_segment()

    def _skip_scan(self) -> bool:
        hit = _MARKER.search(self._rest)
        if hit is None:
            # the last byte may be the first half of a marker
            keep = 1 if self._rest[-1:] == b"\xff" else 0
            self._take(len(self._rest) - keep)
            return False
        self._take(hit.start())
        self._in_scan = False
        return True

    def _take_segment(self) -> bool:
        rest = self._rest
        while len(rest) >= 2 and rest[0] == 0xFF and rest[1] == 0xFF:
            self._take(1)  # fill bytes
        if len(rest) < 2:
            return False
        if rest[0] != 0xFF:
            raise InvalidInput(f"the JPEG is damaged at byte {self._seen}: expected a marker")
        marker = rest[1]
        if marker == _EOI:
            self._take(2)
            if not self._scans:
                raise InvalidInput("the JPEG holds no picture")
            self._ended = True
            return True
        if len(rest) < 4:
            return False
        (length,) = struct.unpack_from(">H", rest, 2)
        if length < 2:
            raise InvalidInput(f"the JPEG is damaged at byte {self._seen}: a segment of {length} bytes")
        if len(rest) < 2 + length:
            return False
        self._judge(marker, bytes(rest[4 : 2 + length]))
        self._take(2 + length)
        if not self._scans and self._seen > MAX_HEAD:
            raise InvalidInput(f"more than {MAX_HEAD} bytes come before the picture")
        return True

    def _judge(self, marker: int, body: bytes) -> None:
        if marker in _FRAMES:
            self._judge_frame(body)
        elif marker == _SOS:
            if not self.width:
                raise InvalidInput("the JPEG is damaged: a scan before its frame")
            self._scans += 1
            if self._scans > 100:
                raise InvalidInput("more than 100 scans: a picture that is made to keep its reader busy")
            self._in_scan = True
        elif marker in _TABLES:
            return
        elif 0xE0 <= marker <= 0xEF or marker == 0xFE:
            _judge_note(marker, body)
        else:
            raise InvalidInput(f"a segment FF{marker:02X}, which no bench writes")

    def _judge_frame(self, body: bytes) -> None:
        if self.width:
            raise InvalidInput("the JPEG holds two pictures")
        if len(body) < 6:
            raise InvalidInput("the JPEG is damaged: its frame is cut")
        self.height, self.width = struct.unpack_from(">HH", body, 1)
        if not self.width or not self.height:
            raise InvalidInput("the JPEG does not say its size")
        if self.width * self.height > MAX_PIXELS:
            raise InvalidInput(
                f"{self.width} × {self.height} pixels are more than {MAX_PIXELS // 1_000_000} million: "
                "set the camera to a smaller picture"
            )

    def _take(self, count: int) -> None:
        del self._rest[:count]
        self._seen += count


def _judge_note(marker: int, body: bytes) -> None:
    """What a segment that is not needed for showing may be: JFIF, our own Exif, a colour profile, Adobe's transform."""
    if marker == 0xE0 and body.startswith(b"JFIF\x00") and body[12:14] in (b"\x00\x00", b""):
        return
    if marker == 0xE1 and body.startswith(_EXIF):
        _judge_exif(body[len(_EXIF) :])
        return
    if (marker == 0xE2 and body.startswith(_ICC)) or (marker == 0xEE and body.startswith(b"Adobe")):
        return
    name = "a comment" if marker == 0xFE else f"metadata APP{marker - 0xE0}"
    raise InvalidInput(f"the photo carries {name}, which may name place or person; {_ADVICE}")


def _judge_exif(tiff: bytes) -> None:
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        detail = _judge_directory(tiff, order, first, _FIRST)
        if detail is not None:
            _judge_directory(tiff, order, detail, _DETAIL)
    except (struct.error, KeyError) as error:
        raise InvalidInput(f"the photo's Exif data are damaged; {_ADVICE}") from error


def _judge_directory(tiff: bytes, order: str, at: int, allowed: frozenset[int]) -> int | None:
    (count,) = struct.unpack_from(order + "H", tiff, at)
    detail = None
    for number in range(count):
        tag, _, _, value = struct.unpack_from(order + "HHII", tiff, at + 2 + 12 * number)
        if tag not in allowed:
            what = "its position" if tag == 0x8825 else f"the Exif tag {tag:04X}"
            raise InvalidInput(f"the photo carries {what}, which may name place or person; {_ADVICE}")
        if tag == 0x8769:
            detail = value
    (following,) = struct.unpack_from(order + "I", tiff, at + 2 + 12 * count)
    if following:
        raise InvalidInput(f"the photo carries a small picture of its own; {_ADVICE}")
    return detail


_ADVICE: Final = "benches strip that before they hash: bring this bench's program up to date and take the photo again"
