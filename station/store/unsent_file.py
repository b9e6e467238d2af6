"""What a broken PC had not sent, as one file: an ``Outbox`` that any PC can empty, as often as it likes."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from station.errors import InvalidInput, StoreFault
from station.journal.entry import Entry
from station.journal.lines import entry_of
from station.store.backup import MANIFEST, UNSENT_FORMAT
from station.store.outbox import Acknowledgement, Unsent

_LARGEST: Final = 8 << 20
"""Bytes of one photo; more is not one of ours."""


class _About(msgspec.Struct, frozen=True):
    format: str
    station: str
    entries: int
    photos: int
    entries_sha256: str


class UnsentFile:
    """Implements ``station.store.outbox.Outbox``. What was answered is remembered only until the end of the program."""

    def __init__(self, path: Path) -> None:
        """Read and check the whole file but the photos.

        Raises:
            InvalidInput: not such a file.
            StoreFault: it is damaged.
        """
        try:
            self._file = zipfile.ZipFile(path)
            about = msgspec.json.decode(self._file.read(MANIFEST), type=_About)
            lines = self._file.read("entries.jsonl")
        except zlib.error as error:
            raise StoreFault(f"{str(path)!r} is damaged: {error}; make it again on the old PC") from error
        except (zipfile.BadZipFile, KeyError, msgspec.MsgspecError) as error:
            raise InvalidInput(f"{str(path)!r} is not a file of 'station backup --unsent': {error}") from error
        except OSError as error:
            raise StoreFault(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
        if about.format != UNSENT_FORMAT or hashlib.sha256(lines).hexdigest() != about.entries_sha256:
            raise StoreFault(f"{str(path)!r} is damaged or of another program; make it again on the old PC")
        self.station = about.station
        self._entries = {(one.generation, one.seq): one for one in map(_entry, lines.splitlines())}
        self._answers: dict[tuple[int, int], Acknowledgement] = {}
        names = [name for name in self._file.namelist() if name.startswith("photos/")]
        self._photos = {name.removeprefix("photos/").removesuffix(".jpg"): name for name in names}
        self._values: dict[str, str] = {}
        self.lost: dict[str, str] = {}
        """Photos that could not be sent, and why."""

    @property
    def answers(self) -> Sequence[Acknowledgement]:
        """What the centre said so far."""
        return tuple(self._answers.values())

    def close(self) -> None:
        self._file.close()

    def pending_entries(self, limit: int, max_bytes: int, after: tuple[int, int] | None = None) -> tuple[Entry, ...]:
        pending: list[Entry] = []
        size = 0
        for place, entry in self._entries.items():
            if place in self._answers or (after is not None and place <= after):
                continue
            size += len(entry.payload or b"")
            if pending and (len(pending) >= limit or size > max_bytes):
                break
            pending.append(entry)
        return tuple(pending)

    def acknowledge(self, answers: Sequence[Acknowledgement]) -> None:
        for answer in answers:
            if (answer.generation, answer.seq) in self._entries:
                self._answers.setdefault((answer.generation, answer.seq), answer)

    def unsent(self) -> Unsent:
        left = [entry for place, entry in self._entries.items() if place not in self._answers]
        since = datetime.fromisoformat(left[0].recorded_at) if left else None
        quarantined = sum(answer.status == "quarantined" for answer in self._answers.values())
        return Unsent(len(left), len(self._photos), since, quarantined)

    def photos_to_send(self, limit: int) -> tuple[str, ...]:
        return tuple(self._photos)[:limit]

    def photo_bytes(self, sha256: str) -> bytes:
        try:
            info = self._file.getinfo(self._photos[sha256])
            content = self._file.read(info) if info.file_size <= _LARGEST else b""
        except (KeyError, OSError, zipfile.BadZipFile) as error:
            raise StoreFault(f"photo {sha256} cannot be read from the file: {error}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreFault(f"photo {sha256} is damaged in the file")
        return content

    def photo_sent(self, sha256: str) -> None:
        self._photos.pop(sha256, None)

    def photo_lost(self, sha256: str, reason: str) -> None:
        self.lost[sha256] = reason
        self._photos.pop(sha256, None)

    def at_server(self) -> Mapping[int, int]:
        last: dict[int, int] = {}
        for generation, seq in self._answers:
            last[generation] = max(seq, last.get(generation, 0))
        return last

    def reopen(self, held: Mapping[int, int]) -> int:
        again = [place for place in self._answers if place[1] > held.get(place[0], 0)]
        for place in again:
            del self._answers[place]
        return len(again)

    def sync_value(self, key: str) -> str | None:
        return self._values.get(key)

    def set_sync_value(self, key: str, value: str) -> None:
        self._values[key] = value


def _entry(line: bytes) -> Entry:
    try:
        return entry_of(line)
    except InvalidInput as error:
        raise StoreFault(f"an entry in the file cannot be used: {error}; make it again on the old PC") from error
