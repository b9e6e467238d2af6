"""Second looks that were settled here: read from the journal by an index of their own."""

from __future__ import annotations

from typing import Final

import msgspec
import sqlalchemy as sa

from station.errors import StoreFault
from station.review.settled import Settled
from station.store.entries import JOURNAL

_DECODER: Final = msgspec.json.Decoder(Settled)
SETTLED_LOOKS: Final = (
    sa.select(JOURNAL.c.payload)
    .where(sa.text("journal.kind = 'review.settled'"), JOURNAL.c.payload.is_not(None))
    .order_by(JOURNAL.c.position)
)
"""The kind as text, so that SQLite recognises the partial index."""


def settled_looks(connection: sa.Connection) -> tuple[Settled, ...]:
    """All of them, in the order settled.

    Raises:
        StoreFault: one is written in a way that this version cannot read.
    """
    try:
        return tuple(_DECODER.decode(payload) for payload in connection.execute(SETTLED_LOOKS).scalars())
    except msgspec.MsgspecError as error:
        raise StoreFault(f"a settled second look cannot be read by this version: {error}") from error
