"""Rows that belong to one return, wherever in the file they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

_Part = TypeVar("_Part")


class Groups(Generic[_Part]):
    """Collects parts by key and hands a group out as soon as its last run of rows has ended.

    Args:
        scattered: from the survey: key → number of runs, for keys that have more than one.
    """

    def __init__(self, scattered: dict[str, int]) -> None:
        self._left = dict(scattered)
        self._open: dict[str, list[_Part]] = {}
        self._current: str | None = None

    def enter(self, key: str) -> Iterator[list[_Part]]:
        """Say that a row of this key comes next; yields the group that is complete by that."""
        if key != self._current:
            yield from self._leave()
            self._current = key

    def add(self, part: _Part) -> list[_Part]:
        """Add to the current group and return the parts it has so far."""
        if self._current is None:
            raise LookupError("enter a group before adding to it")
        parts = self._open.setdefault(self._current, [])
        parts.append(part)
        return parts

    def parts(self) -> list[_Part]:
        """The parts of the current group so far."""
        return self._open.get(self._current, []) if self._current is not None else []

    def finish(self) -> Iterator[list[_Part]]:
        """Hand out what is still open."""
        yield from self._leave()
        # Left over only where the survey took a single run for several.
        for key in list(self._open):
            yield self._open.pop(key)

    def _leave(self) -> Iterator[list[_Part]]:
        key = self._current
        if key is None:
            return
        self._current = None
        if key in self._left:
            self._left[key] -= 1
            if self._left[key] > 0:
                return
        parts = self._open.pop(key, None)
        if parts is not None:
            yield parts
