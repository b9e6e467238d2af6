"""Read again what was quarantined only because this server was too old for it, or read too strictly.

Context: benches are updated before their server, after it, or never; an entry of a kind or schema that the server does
not know is kept whole and quarantined, and the bench counts it as sent (SYNC.md R10). Decision: a server that starts,
and every hour, judges the bytes of those entries anew; what can be read now takes its effect as of when it was
received, as if it had come to this version. Price: effects of one bench may come out of their order; the projections
stand that, since a payload that arrives late comes like that too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, select

from sync.protocol import Code
from sync.server.journal import Journal
from sync.server.judge import Judged, judge_payload
from sync.server.storage import Database
from sync.server.storage.rows import entries, quarantine

logger = logging.getLogger(__name__)

_PERHAPS: Final = (Code.UNKNOWN_KIND, Code.UNKNOWN_SCHEMA, Code.BAD_PAYLOAD)
"""Codes that another version of this program may take back (a bad payload: a newer bench knows one more word of a
list). What does not fit its hash is not read by any."""
_BATCH: Final = 100
"""Entries of one transaction: a push of the same bench waits for no more."""


def read_again(database: Database, journal: Journal, now: datetime) -> int:
    """Let every quarantined entry that this version can read take its effect.

    Killed anywhere, the rest is done the next time; several workers may do it at once.

    Args:
        now: UTC.

    Returns:
        How many entries took effect.
    """
    q = quarantine.c
    with database.reading() as connection:
        chains = connection.execute(
            select(q.site_id, q.station, q.generation)
            .where(q.code.in_(_PERHAPS))
            .distinct()
            .order_by(q.site_id, q.station, q.generation)
        ).all()
    count = 0
    for site_id, station, generation in chains:
        again = _Again(site_id, station, generation)
        while not again.at_end:
            count += journal.take_again(site_id, station, generation, again.next, now)
    if count:
        logger.info("read again what was quarantined", extra={"entries": count})
    return count


class _Again:
    """The quarantined entries of one chain in their order, a batch at a time."""

    def __init__(self, site_id: str, station: str, generation: int) -> None:
        self.at_end = False
        self._after = 0
        e, q = entries.c, quarantine.c
        there = and_(
            e.site_id == q.site_id, e.station == q.station, e.generation == q.generation, e.seq == q.seq
        )  # fmt: skip
        self._query = (
            select(
                e.generation, e.seq, e.id, e.kind, e.schema, e.recorded_at, e.actor, e.payload, e.payload_sha256,
                e.prev_hash, e.hash, e.received_at, e.code,
            )
            .join(quarantine, there)
            .where(q.site_id == site_id, q.station == station, q.generation == generation, q.code.in_(_PERHAPS),
                   e.payload.is_not(None))
            .order_by(e.seq)
            .limit(_BATCH)
        )  # fmt: skip

    def next(self, connection: Connection) -> Iterable[tuple[Judged, datetime]]:
        """Those of the next batch that this version says something else of, and when they were received."""
        found = connection.execute(self._query.where(entries.c.seq > self._after)).all()
        self.at_end = len(found) < _BATCH
        for row in found:
            self._after = row.seq
            code, detail, fact = judge_payload(row.kind, row.schema, row.payload)
            if code != row.code:
                judged = Judged(
                    row.generation, row.seq, row.id, row.kind, row.schema, row.recorded_at, row.actor, row.payload,
                    row.payload_sha256, row.prev_hash, row.hash, b"", row.id, code, detail, fact,
                )  # fmt: skip
                yield judged, row.received_at
