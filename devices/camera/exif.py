"""What a photo says about itself: when and by which camera it was taken. Never where, never by whom.

The record of a photo (unit, inspector, hash) is in the station's store; the file carries only what helps a person who
holds nothing but the file. Pictures that come from elsewhere lose everything else before they are kept: position, maker
notes, serial numbers, the small picture inside, further pictures behind the end.
Source: Exif 2.32 (JEITA CP-3451E), 4.6.2 (directories), 4.6.5 (tags); TIFF 6.0, section 2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from devices.camera.jpeg import APP0, APP1, APP2, APP14, COM, Jpeg, Segment, parse_jpeg
from station.errors import InvalidInput

SOFTWARE = "Returns inspection station"
_HEADER = b"Exif\x00\x00"
_ICC = b"ICC_PROFILE\x00"
_ASCII, _SHORT, _LONG, _UNDEFINED = 2, 3, 4, 7
_ORIENTATION = 0x0112
_EXIF_DIRECTORY = 0x8769


@dataclass(frozen=True, slots=True)
class Origin:
    """What is written into a photo."""

    camera: str
    """The camera's name on this bench, e.g. ``camera-1``."""
    taken_at: datetime
    """UTC."""


def exif_segment(origin: Origin) -> Segment:
    """The APP1 segment with camera, software and the time with its offset from UTC."""
    taken = origin.taken_at.astimezone(UTC)
    when = _text(taken.strftime("%Y:%m:%d %H:%M:%S"))
    pictures = [(0x0110, _ASCII, _text(origin.camera)), (0x0131, _ASCII, _text(SOFTWARE)), (0x0132, _ASCII, when)]
    details = [
        (0x9000, _UNDEFINED, b"0232"),
        (0x9003, _ASCII, when),
        (0x9010, _ASCII, _text("+00:00")),
        (0x9011, _ASCII, _text("+00:00")),
        (0x9291, _ASCII, _text(f"{taken.microsecond // 1000:03d}")),
    ]
    first = _directory([*pictures, (_EXIF_DIRECTORY, _LONG, bytes(4))], at=8)
    second_at = 8 + len(first)
    first = _directory([*pictures, (_EXIF_DIRECTORY, _LONG, struct.pack(">I", second_at))], at=8)
    tiff = b"MM\x00\x2a" + struct.pack(">I", 8) + first + _directory(details, at=second_at)
    return Segment(APP1, _HEADER + tiff)


def _text(text: str) -> bytes:
    return text.encode("ascii", "replace") + b"\x00"


def _directory(entries: list[tuple[int, int, bytes]], at: int) -> bytes:
    """One TIFF directory with its values behind it, for the offset ``at``; tags must be in order."""
    table, values = struct.pack(">H", len(entries)), b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, value in entries:
        count = len(value) // {_SHORT: 2, _LONG: 4}.get(kind, 1)
        table += struct.pack(">HHI", tag, kind, count)
        if len(value) <= 4:
            table += value.ljust(4, b"\x00")
        else:
            table += struct.pack(">I", values_at + len(values))
            values += value + b"\x00" * (len(value) % 2)
    return table + bytes(4) + values


def orientation(data: bytes) -> int:
    """How the picture must be turned to be upright, 1…8; 1 = it is, or the file does not say.

    Raises:
        InvalidInput: not a JPEG.
    """
    return _orientation_in(parse_jpeg(data))


def _orientation_in(jpeg: Jpeg) -> int:
    for segment in jpeg.head:
        if segment.marker == APP1 and segment.body.startswith(_HEADER):
            try:
                return _orientation_of(segment.body[len(_HEADER) :])
            except (struct.error, KeyError):
                return 1
    return 1


def _orientation_of(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}[tiff[:2]]
    (at,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, at)
    for number in range(count):
        tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, at + 2 + 12 * number)
        if tag == _ORIENTATION and kind == _SHORT and 1 <= value <= 8:
            return int(value)
    return 1


def strip_metadata(data: bytes) -> bytes:
    """The same picture without anything about place, person or device, turned upright.

    Kept are what the decoder needs (JFIF, Adobe's colour transform) and the colour profile. A picture that lies on its
    side is turned and encoded again at quality 92; any other keeps its pixels bit by bit.

    Raises:
        InvalidInput: not a JPEG, cut off, or no picture in it.
    """
    jpeg = parse_jpeg(data)
    profile = tuple(segment for segment in jpeg.head if segment.marker == APP2 and segment.body.startswith(_ICC))
    if _orientation_in(jpeg) != 1:
        upright = parse_jpeg(_turned(data))
        return Jpeg((*upright.head[:1], *profile, *upright.head[1:]), upright.scans).packed()
    return Jpeg(tuple(_needed(jpeg.head)), jpeg.scans).packed()


def _needed(head: tuple[Segment, ...]) -> list[Segment]:
    kept = []
    for segment in head:
        jfif = segment.marker == APP0 and segment.body.startswith(b"JFIF\x00")
        if jfif:
            # JFIF may hold a small picture of its own: keep its fixed part and say 0 × 0.
            kept.append(Segment(APP0, segment.body[:12].ljust(12, b"\x00") + b"\x00\x00"))
        elif _is_harmless(segment):
            kept.append(segment)
    return kept


def _is_harmless(segment: Segment) -> bool:
    if segment.marker == APP2:
        return segment.body.startswith(_ICC)
    if segment.marker == APP14:
        return segment.body.startswith(b"Adobe")
    return segment.marker != COM and not 0xE0 <= segment.marker <= 0xEF


def _turned(data: bytes) -> bytes:
    import cv2
    import numpy as np

    # IMREAD_COLOR applies the orientation that the file names.
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InvalidInput(f"the JPEG of {len(data)} bytes holds no picture that can be read: copy it again")
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
