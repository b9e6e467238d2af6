"""A disk with a write cache, as a model: what a power cut may leave of a recorded run.

Bytes count as on the disk once their file was flushed after them, names once their folder was. Everything else is at
the mercy of the cut: each cached write is kept or lost on its own (in any order, a write also torn at a sector), names
are lost from some point on. That is more than ext4 ever loses, and what POSIX promises.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

SECTOR = 512
Step = tuple[object, ...]


class Disk:
    """What is on the disk and what is only in the cache, step by step."""

    def __init__(self, base: Path) -> None:
        """Start from a folder that is on the disk as it lies there."""
        self.base = base
        self.folders = {str(path) for path in base.rglob("*") if path.is_dir()} | {str(base)}
        self.names: dict[str, object] = {}
        self.files: dict[object, bytearray] = {}
        self.cached_bytes: dict[object, list[Step]] = {}
        self.cached_names: list[Step] = []
        self.acks: list[str] = []
        for path in base.rglob("*"):
            if path.is_file():
                key = ("base", str(path))
                self.names[str(path)] = key
                self.files[key] = bytearray(path.read_bytes())

    def take(self, step: Step) -> None:
        """One recorded step."""
        match step:
            case ("exists", str(path), node):
                self.files[node] = self.files[self.names[path]]
                self.names[path] = node
            case ("ack", str(text)):
                self.acks.append(text.strip())
            case ("write" | "truncate" | "extend", node, *_):
                self.cached_bytes.setdefault(node, []).append(step)
            case ("sync", node):
                for cached in self.cached_bytes.pop(node, []):
                    self._apply(cached)
            case ("syncdir", str(folder)):
                kept = [one for one in self.cached_names if not _is_in(one, folder)]
                for one in self.cached_names:
                    if _is_in(one, folder):
                        self._apply_name(one)
                self.cached_names = kept
            case _:
                self.cached_names.append(step)

    def cut(self, target: Path, rng: random.Random | None) -> None:
        """Pull the plug and lay what is left into ``target``.

        Args:
            target: a folder that does not exist.
            rng: decides what of the cache had got to the disk; None = nothing.
        """
        names, files = dict(self.names), {key: bytearray(content) for key, content in self.files.items()}
        folders = set(self.folders)
        if rng is not None:
            for step in self.cached_names[: rng.randint(0, len(self.cached_names))]:
                _apply_name(step, names, files, folders)
            for cached in self.cached_bytes.values():
                for step in cached:
                    if rng.random() < 0.5:
                        _apply(_torn(step, rng), files)
        target.mkdir()
        for folder in sorted(folders):
            (target / Path(folder).relative_to(self.base)).mkdir(exist_ok=True)
        for name, key in names.items():
            path = target / Path(name).relative_to(self.base)
            if str(Path(name).parent) in folders:
                path.write_bytes(files.get(key, b""))

    def _apply(self, step: Step) -> None:
        _apply(step, self.files)

    def _apply_name(self, step: Step) -> None:
        _apply_name(step, self.names, self.files, self.folders)


def _is_in(step: Step, folder: str) -> bool:
    return any(str(Path(str(path)).parent) == folder for path in step[1:] if isinstance(path, str))


def _torn(step: Step, rng: random.Random) -> Step:
    if step[0] == "write" and isinstance(step[3], bytes) and rng.random() < 0.2:
        sectors = len(step[3]) // SECTOR
        return (*step[:3], step[3][: SECTOR * rng.randint(0, sectors)])
    return step


def _apply(step: Step, files: dict[object, bytearray]) -> None:
    content = files.setdefault(step[1], bytearray())
    match step:
        case ("write", _, int(offset), bytes(data)):
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data)] = data
        case ("truncate", _, int(size)):
            del content[size:]
            content.extend(bytes(size - len(content)))
        case ("extend", _, int(size)):
            content.extend(bytes(max(0, size - len(content))))


def _apply_name(step: Step, names: dict[str, object], files: dict[object, bytearray], folders: set[str]) -> None:
    match step:
        case ("create", str(path), node):
            names[path] = node
            files.setdefault(node, bytearray())
        case ("mkdir", str(path)):
            folders.add(path)
        case ("unlink", str(path)):
            names.pop(path, None)
        case ("rename", str(old), str(new)):
            if old in names:
                names[new] = names.pop(old)


def run(base: Path, steps: Sequence[Step]) -> Disk:
    """A disk after some steps."""
    disk = Disk(base)
    for step in steps:
        disk.take(step)
    return disk
