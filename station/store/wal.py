"""A look at SQLite's write-ahead log before SQLite opens it.

SQLite reads a WAL up to the first frame whose checksum is wrong and silently forgets the rest: with one flipped byte,
half of the committed transactions are gone and ``integrity_check`` says ok (SYNC.md §2.5). So the commits that are in
the file are counted first, and compared with what SQLite then finds valid.
Source: sqlite.org/fileformat2.html §4 "The Write-Ahead Log".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_HEADER = 32
_FRAME = 24


@dataclass(frozen=True, slots=True)
class WalCommits:
    """Frames (from 1) that end a transaction of the log's current run."""

    frames: tuple[int, ...]

    def lost(self, valid_frames: int) -> int:
        """Transactions that were certainly committed and are not among the first ``valid_frames`` frames.

        The last one does not count: a power cut during a commit may leave its end on the disk without its beginning,
        and then nobody was told that it was saved. Before an earlier one's successor began, it had been flushed.
        """
        return max(0, sum(frame > valid_frames for frame in self.frames) - 1)


def read_commits(path: Path) -> WalCommits:
    """The commit frames in a WAL file, their checksums not looked at; none where there is no file.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return WalCommits(())
    with file:
        header = file.read(_HEADER)
        if len(header) < _HEADER:
            return WalCommits(())
        page_size = int.from_bytes(header[8:12])
        if not 512 <= page_size <= 65536 or page_size & (page_size - 1):
            page_size = 4096  # the header itself is damaged; every database of ours has this size
        frames: list[tuple[bytes, bool]] = []
        while len(frame := file.read(_FRAME)) == _FRAME:
            frames.append((frame[8:16], struct.unpack_from(">I", frame, 4)[0] != 0))
            file.seek(page_size, 1)
    if not frames:
        return WalCommits(())
    # Frames of an older run stay behind the current ones until they are overwritten; salts tell the runs apart.
    salts = header[16:24]
    if all(salt != salts for salt, _ in frames):
        salts = frames[0][0]
    return WalCommits(tuple(number for number, (salt, ends) in enumerate(frames, 1) if ends and salt == salts))
