"""What went out and what the server said: the journal seen as an outbox."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as upsert

from station.errors import InvalidInput
from station.journal.entry import Entry
from station.store.entries import ENTRY_COLUMNS, GENERATIONS, JOURNAL
from station.store.outbox import Acknowledgement, Unsent
from station.store.rows import AcknowledgementRow, PhotoRow, SyncValueRow, table

logger = logging.getLogger(__name__)

_acks, _photos, _values = table(AcknowledgementRow), table(PhotoRow), table(SyncValueRow)

_STATUSES = frozenset({"accepted", "duplicate", "quarantined", "conflict", "id_collision"})

_unacknowledged = (
    JOURNAL.c.generation == sa.bindparam("generation"),
    JOURNAL.c.seq > sa.bindparam("mark"),
    ~sa.exists(sa.select(1).where(_acks.c.generation == JOURNAL.c.generation, _acks.c.seq == JOURNAL.c.seq)),
)
_MARKS = sa.select(GENERATIONS.c.generation, GENERATIONS.c.acked_through).order_by(GENERATIONS.c.generation)
_PENDING = sa.select(*ENTRY_COLUMNS).where(*_unacknowledged).order_by(JOURNAL.c.seq).limit(sa.bindparam("count"))
_FIRST_PENDING = (
    sa.select(JOURNAL.c.seq, JOURNAL.c.recorded_at).where(*_unacknowledged).order_by(JOURNAL.c.seq).limit(1)
)
_HELD: Final = ("accepted", "duplicate", "quarantined")
"""Answers after which the entry is in the server's chain; the others are kept beside it."""
_LAST_HELD = (
    sa.select(_acks.c.seq)
    .where(_acks.c.generation == sa.bindparam("generation"), _acks.c.status.in_(_HELD))
    .order_by(_acks.c.seq.desc())
    .limit(1)
)
_HEAD_SEQ = sa.select(sa.func.coalesce(sa.func.max(JOURNAL.c.seq), 0)).where(
    JOURNAL.c.generation == sa.bindparam("generation")
)
_ACKS_BEYOND = sa.select(sa.func.count()).where(
    _acks.c.generation == sa.bindparam("generation"), _acks.c.seq > sa.bindparam("mark")
)
# As text, so that SQLite recognises its partial indexes.
_QUARANTINED = sa.select(sa.func.count()).select_from(_acks).where(sa.text("status = 'quarantined'"))
_not_sent = sa.text("photos.sent_at IS NULL AND photos.lost_reason IS NULL")
_PHOTOS_UNSENT = sa.select(sa.func.count()).select_from(_photos).where(_not_sent)
_PHOTOS_TO_SEND = (
    sa.select(_photos.c.sha256)
    .where(
        _not_sent,
        sa.exists(sa.select(1).where(_acks.c.generation == _photos.c.generation, _acks.c.seq == _photos.c.seq)),
    )
    .order_by(_photos.c.generation, _photos.c.seq, _photos.c.position)
    .limit(sa.bindparam("count"))
)


def pending_entries(
    connection: sa.Connection, limit: int, max_bytes: int, after: tuple[int, int] | None = None
) -> tuple[Entry, ...]:
    """The oldest unacknowledged entries; at least one if any is pending.

    Args:
        limit: most entries, ≥ 1.
        max_bytes: payload bytes that the answer should stay within.
        after: (generation, seq) that is under way; only what comes behind it is wanted.
    """
    pending: list[Entry] = []
    size = 0
    for generation, acknowledged in connection.execute(_MARKS).all():
        if after is not None and generation < after[0]:
            continue
        mark = acknowledged if after is None or generation != after[0] else max(acknowledged, after[1])
        rows = connection.execute(
            _PENDING, {"generation": generation, "mark": mark, "count": max(1, limit) - len(pending)}
        )
        for row in rows:
            entry = Entry(*row)
            size += len(entry.payload or b"")
            if pending and size > max_bytes:
                return tuple(pending)
            pending.append(entry)
        if len(pending) >= limit:
            break
    return tuple(pending)


def acknowledge(connection: sa.Connection, answers: Sequence[Acknowledgement], now: datetime) -> None:
    """Keep the server's answers and move the marks; an entry that has an answer keeps its first one.

    Raises:
        InvalidInput: a status that acknowledges nothing.
    """
    for answer in answers:
        if answer.status not in _STATUSES:
            raise InvalidInput(
                f"{answer.status!r} for entry {answer.generation}/{answer.seq} acknowledges nothing: expected one of "
                f"{', '.join(sorted(_STATUSES))}"
            )
    heads = {
        generation: connection.execute(_HEAD_SEQ, {"generation": generation}).scalar_one()
        for generation in {answer.generation for answer in answers}
    }
    known = [answer for answer in answers if 1 <= answer.seq <= heads[answer.generation]]
    if len(known) < len(answers):
        # One wrong answer must not undo the right ones that came with it.
        unknown = [f"{answer.generation}/{answer.seq}" for answer in answers if answer not in known]
        logger.warning("the server answered for entries that are not in this journal: %s", ", ".join(unknown[:10]))
    if not known:
        return
    connection.execute(
        upsert(_acks).on_conflict_do_nothing(),
        [
            {
                "generation": answer.generation,
                "seq": answer.seq,
                "status": answer.status,
                "code": answer.code,
                "acknowledged_at": now,
            }
            for answer in known
        ],
    )
    for generation in sorted({answer.generation for answer in known}):
        _move_mark(connection, generation, heads[generation])


def _move_mark(connection: sa.Connection, generation: int, head: int) -> None:
    mark = connection.execute(
        sa.select(GENERATIONS.c.acked_through).where(GENERATIONS.c.generation == generation)
    ).scalar_one()
    first = connection.execute(_FIRST_PENDING, {"generation": generation, "mark": mark}).one_or_none()
    connection.execute(
        sa.update(GENERATIONS)
        .where(GENERATIONS.c.generation == generation)
        .values(acked_through=head if first is None else first.seq - 1)
    )


def at_server(connection: sa.Connection) -> dict[int, int]:
    """Generation → the last seq that the server said it holds."""
    found: dict[int, int] = {}
    for generation, _ in connection.execute(_MARKS).all():
        last = connection.execute(_LAST_HELD, {"generation": generation}).scalar_one_or_none()
        if last is not None:
            found[generation] = last
    return found


def reopen(connection: sa.Connection, held: Mapping[int, int]) -> int:
    """Make pending again what the server no longer holds, and every photo unconfirmed.

    A server that was restored from a backup is filled up again from here. What it says of a photo it has is asked
    anew; nothing is sent twice for it.

    Args:
        held: generation → last seq that the server holds; a generation that is absent is not there at all.

    Returns:
        How many entries are pending again.
    """
    opened = 0
    for generation, mark in connection.execute(_MARKS).all():
        last = held.get(generation, 0)
        beyond = (_acks.c.generation == generation, _acks.c.seq > last)
        opened += connection.execute(sa.select(sa.func.count()).select_from(_acks).where(*beyond)).scalar_one()
        connection.execute(sa.delete(_acks).where(*beyond))
        connection.execute(
            sa.update(GENERATIONS).where(GENERATIONS.c.generation == generation).values(acked_through=min(mark, last))
        )
    connection.execute(sa.update(_photos).values(sent_at=None))
    return opened


def unsent(connection: sa.Connection) -> Unsent:
    """What the sync bar shows."""
    entries, since = 0, None
    for generation, mark in connection.execute(_MARKS).all():
        at = {"generation": generation, "mark": mark}
        count = (
            connection.execute(_HEAD_SEQ, at).scalar_one() - mark - connection.execute(_ACKS_BEYOND, at).scalar_one()
        )
        if count and since is None:
            since = datetime.fromisoformat(connection.execute(_FIRST_PENDING, at).one().recorded_at)
        entries += count
    return Unsent(
        entries=entries,
        photos=connection.execute(_PHOTOS_UNSENT).scalar_one(),
        since=since,
        quarantined=connection.execute(_QUARANTINED).scalar_one(),
    )


def photos_to_send(connection: sa.Connection, limit: int) -> tuple[str, ...]:
    """Photos of acknowledged entries that are not at the server, oldest first."""
    return tuple(connection.execute(_PHOTOS_TO_SEND, {"count": limit}).scalars())


def photo_sent(connection: sa.Connection, sha256: str, now: datetime) -> None:
    """Note that the server has a photo; the first time counts."""
    connection.execute(
        sa.update(_photos)
        .where(_photos.c.sha256 == sha256, _photos.c.sent_at.is_(None))
        .values(sent_at=now, lost_reason=None)
    )


def photo_lost(connection: sa.Connection, sha256: str, reason: str) -> None:
    """Note that a photo cannot be sent; one that was sent stays sent."""
    connection.execute(
        sa.update(_photos).where(_photos.c.sha256 == sha256, _photos.c.sent_at.is_(None)).values(lost_reason=reason)
    )


def sync_value(connection: sa.Connection, key: str) -> str | None:
    """A small value of the sync client's; None = never set."""
    return connection.execute(sa.select(_values.c.value).where(_values.c.key == key)).scalar_one_or_none()


def set_sync_value(connection: sa.Connection, key: str, value: str) -> None:
    """Keep a small value of the sync client's."""
    insert = upsert(_values)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["key"], set_={"value": insert.excluded.value}),
        {"key": key, "value": value},
    )
