"""Lines of a text file whose encoding and line ends nobody told us."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from station.errors import InvalidInput

MAX_LINE = 1_000_000
"""Characters; a longer line is cut into pieces, each of which is then refused."""

_MAGIC = {
    b"PK\x03\x04": "an Excel or ZIP file: open it, and save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: open it, and save the sheet as CSV UTF-8",
    b"%PDF": "a PDF: ask for the same report as CSV",
    b"\x1f\x8b": "gzip-compressed: unpack it first",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "a database",
}


class TextFile:
    """A file as lines; UTF-8, UTF-16 or Windows-1252, with LF, CRLF or CR.

    A line that is no UTF-8 is read as Windows-1252 by itself: files pasted together from two sources are common.

    Raises:
        InvalidInput: empty, or no text at all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        """Bytes."""
        self.position = 0
        """Bytes read so far, in steps of a buffer; for a progress display."""
        with path.open("rb") as file:
            start = file.read(4096)
        self._encoding = _encoding_of(start, path)

    def lines(self) -> Iterator[str]:
        """Yield every line with ``\\n`` at its end; the last has none if the file was cut off there."""
        with self.path.open("rb", buffering=0) as raw:
            counted = io.BufferedReader(_Counted(raw, self), 1 << 18)
            errors = "surrogateescape" if self._encoding == "utf-8-sig" else "replace"
            text = io.TextIOWrapper(counted, encoding=self._encoding, errors=errors, newline=None)
            while line := text.readline(MAX_LINE):
                yield line if line.isascii() else _repaired(line)


class _Counted(io.RawIOBase):
    """A raw file that tells its owner how far it has been read."""

    def __init__(self, raw: io.FileIO | BinaryIO, owner: TextFile) -> None:
        self._raw = raw
        self._owner = owner
        owner.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        count = self._raw.readinto(buffer) or 0  # type: ignore[union-attr,arg-type]
        self._owner.position += count
        return count


def _repaired(line: str) -> str:
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return line


def _encoding_of(start: bytes, path: Path) -> str:
    if not start:
        raise InvalidInput(f"{str(path)!r} is empty: expected a CSV file with a header line")
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            raise InvalidInput(f"{str(path)!r} is {what}")
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # UTF-16 without its mark: every second byte of Latin text is zero.
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > len(start) // 4 and even < odd // 8:
        return "utf-16-le"
    if even > len(start) // 4 and odd < even // 8:
        return "utf-16-be"
    if sum(byte < 32 and byte not in b"\t\n\r\x1a" for byte in start) > len(start) // 20:
        raise InvalidInput(f"{str(path)!r} is no text: expected a CSV file with a header line")
    return "utf-8-sig"
