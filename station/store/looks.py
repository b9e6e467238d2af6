"""What the last photos of this bench looked like: a photo of one unit must not be evidence for another.

Only the last few hundred are compared. A longer memory would find more copies and accuse more innocents: two items of
one article lie differently, but among thousands some lie alike (the figures are in ``devices.camera.fingerprint``).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import sqlalchemy as sa

from station.store.rows import PhotoLookRow, table

REMEMBERED = 500
_looks = table(PhotoLookRow)
_LAST = sa.select(_looks.c.sha256, _looks.c.unit_id, _looks.c.bits).order_by(_looks.c.number.desc()).limit(REMEMBERED)


@dataclass(frozen=True, slots=True)
class PastLook:
    """One photo as it is compared."""

    sha256: str
    unit_id: str
    bits: int


class Looks:
    """The last looks in memory. Used by one thread."""

    def __init__(self, connection: sa.Connection) -> None:
        newest_first = connection.execute(_LAST).all()
        self._past = deque(
            (PastLook(sha256, unit_id, int.from_bytes(bits)) for sha256, unit_id, bits in reversed(newest_first)),
            maxlen=REMEMBERED,
        )

    def alike(self, bits: int, unit_id: str, at_most: int) -> str | None:
        """SHA-256 of the newest photo of *another* unit that differs in at most so many bits; None = there is none."""
        for past in reversed(self._past):
            if past.unit_id != unit_id and (past.bits ^ bits).bit_count() <= at_most:
                return past.sha256
        return None

    def remember(self, look: PastLook) -> None:
        self._past.append(look)


def write(connection: sa.Connection, look: PastLook) -> None:
    """Keep a look and let go of the oldest."""
    size = max(1, (look.bits.bit_length() + 7) // 8)
    row = {"sha256": look.sha256, "unit_id": look.unit_id, "bits": look.bits.to_bytes(size)}
    number = connection.execute(sa.insert(_looks), row).lastrowid
    connection.execute(sa.delete(_looks).where(_looks.c.number <= number - REMEMBERED))
