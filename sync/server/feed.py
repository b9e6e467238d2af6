"""What the centre tells the benches: topics of keyed items, each change with a revision.

Context: a client that asks "what came after revision N" loses a row for ever if revisions are given out before they
are committed (SYNC.md §3.4: a plain sequence does). Decision: the revision comes from the topic's row in
``feed_heads``, which the writing transaction locks; revisions become visible in their order. The same row carries the
count and the checksum of all live items, so that a bench can prove that it holds the same. Price: one writer per topic
at a time; reference data changes slowly.

Tombstones are kept for ``TOMBSTONES``; a cursor from before the last one that was cleared away must fetch anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from station.canonical import canonical_json
from station.errors import InvalidInput
from sync.protocol import NOTHING_FOLDED, FeedItem, FeedPage, Topic, fold_digests, item_digest
from sync.server.storage import Database
from sync.server.storage.rows import feed_heads, feed_items

PAGE: Final = 1000
"""Most items in one page."""
TOMBSTONES: Final = timedelta(days=90)
_FORMAT: Final = "1"
"""Part of every cursor; another one makes benches fetch anew."""
_AT_ONCE: Final = 500
_PAGE_BYTES: Final = 2 * 1024 * 1024
"""Bodies in one page; a page holds one item at least."""
_HEADS_S: Final = 1.0
"""How long a worker believes what it read of the topics' heads: far below any wait of a bench."""


class MustRefetch(Exception):
    """The cursor is of another server, or older than what was cleared away: begin without one."""


@dataclass(frozen=True, slots=True)
class Change:
    """One item as it shall be; ``body`` None = it is gone."""

    key: str
    body: object | None
    """Anything ``station.canonical`` takes."""


class Feed:
    """All topics of all sites."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._heads: dict[str, tuple[float, dict[str, int]]] = {}

    def put(self, connection: Connection, site_id: str, topic: Topic, changes: Iterable[Change], at: datetime) -> int:
        """Write changes in the caller's transaction; what is so already is passed over.

        Returns:
            How many items changed.

        Raises:
            InvalidInput: a body that canonical JSON refuses, or a key that is empty or too long.
        """
        wanted: dict[str, str | None] = {}
        for change in changes:
            if not 0 < len(change.key) <= 300 or "\x00" in change.key:
                raise InvalidInput(f"feed key {change.key[:80]!r}: expected 1 to 300 characters, no NUL")
            wanted[change.key] = None if change.body is None else canonical_json(change.body).decode()
        if not wanted:
            return 0
        head = self._lock_head(connection, site_id, topic)
        known = self._digests(connection, site_id, topic, list(wanted))
        rev, count, checksum = head.rev, head.count, head.checksum
        rows: list[dict[str, object]] = []
        for key, body in wanted.items():
            before = known.get(key)
            after = None if body is None else item_digest(key, body)
            if before == after:
                continue
            rev += 1
            count += (after is not None) - (before is not None)
            checksum = fold_digests(checksum, *(digest for digest in (before, after) if digest is not None))
            rows.append(
                {
                    "site_id": site_id, "topic": topic.value, "key": key, "rev": rev, "body": body, "digest": after,
                    "changed_at": at,
                }
            )  # fmt: skip
        for first in range(0, len(rows), _AT_ONCE):
            part = rows[first : first + _AT_ONCE]
            keys = [str(row["key"]) for row in part]
            connection.execute(delete(feed_items).where(*_here(site_id, topic), feed_items.c.key.in_(keys)))
            self._database.insert_all(connection, feed_items, part)
        if rows:
            connection.execute(
                update(feed_heads)
                .where(feed_heads.c.site_id == site_id, feed_heads.c.topic == topic.value)
                .values(rev=rev, count=count, checksum=checksum)
            )
        return len(rows)

    def page(self, site_id: str, topic: Topic, cursor: str | None, limit: int = PAGE) -> FeedPage:
        """What changed after a cursor; without one everything that is there now.

        Raises:
            MustRefetch: the cursor cannot be continued.
        """
        with self._database.reading() as connection:
            head = _head(connection, site_id, topic)
            after = self._read_cursor(cursor, head)
            query = (
                select(feed_items.c.key, feed_items.c.rev, feed_items.c.body)
                .where(*_here(site_id, topic), feed_items.c.rev > after)
                .order_by(feed_items.c.rev)
                .limit(min(max(1, limit), PAGE))
            )
            if cursor is None:
                query = query.where(feed_items.c.body.is_not(None))
            found: list[FeedItem] = []
            size = 0
            for key, rev, body in connection.execute(query.execution_options(yield_per=100)):
                size += len(body or "")
                if found and size > _PAGE_BYTES:
                    break
                found.append(FeedItem(key, rev, body))
        is_full = len(found) == min(max(1, limit), PAGE) or size > _PAGE_BYTES
        reached = found[-1].rev if found and is_full else head.rev
        more = reached < head.rev
        if cursor is None and more:
            # a fetch of everything leaves tombstones out on its later pages too
            return FeedPage(topic, found, self._cursor(reached, fresh=True), more)
        if more:
            return FeedPage(topic, found, self._cursor(reached, fresh=False), more)
        return FeedPage(topic, found, self._cursor(reached, fresh=False), False, head.count, head.checksum)

    def heads(self, site_id: str) -> dict[str, int]:
        """The newest revision of each topic, not older than a second; for every answer to a bench."""
        known = self._heads.get(site_id)
        if known is None or time.monotonic() - known[0] > _HEADS_S:
            query = select(feed_heads.c.topic, feed_heads.c.rev).where(feed_heads.c.site_id == site_id)
            at = time.monotonic()
            with self._database.reading() as connection:
                known = at, {topic: rev for topic, rev in connection.execute(query)}
            self._heads[site_id] = known
        return known[1]

    def item(self, connection: Connection, site_id: str, topic: Topic, keys: Sequence[str]) -> Mapping[str, str]:
        """Live items of a topic by their keys: here the centre itself looks up what it told."""
        query = select(feed_items.c.key, feed_items.c.body).where(
            *_here(site_id, topic), feed_items.c.key.in_(keys), feed_items.c.body.is_not(None)
        )
        return {key: body for key, body in connection.execute(query)}

    def clear_tombstones(self, now: datetime) -> int:
        """Forget what has been gone for long. Cursors from before that must fetch anew."""
        cleared = 0
        old = (feed_items.c.body.is_(None), feed_items.c.changed_at < now - TOMBSTONES)
        with self._database.writing() as connection:
            newest = connection.execute(
                select(feed_items.c.site_id, feed_items.c.topic, func.max(feed_items.c.rev), func.count())
                .where(*old)
                .group_by(feed_items.c.site_id, feed_items.c.topic)
            ).all()
            for site_id, topic, horizon, count in newest:
                self._lock_head(connection, site_id, Topic(topic))
                connection.execute(
                    update(feed_heads)
                    .where(feed_heads.c.site_id == site_id, feed_heads.c.topic == topic)
                    .values(horizon=horizon)
                )
                cleared += count
            connection.execute(delete(feed_items).where(*old))
        return cleared

    def _cursor(self, rev: int, *, fresh: bool) -> str:
        return f"{_FORMAT}.{self._database.epoch}.{rev}{'.f' if fresh else ''}"

    def _read_cursor(self, cursor: str | None, head: _Head) -> int:
        if cursor is None:
            return 0
        parts = cursor.split(".")
        if len(parts) not in (3, 4) or parts[:2] != [_FORMAT, self._database.epoch] or not parts[2].isdecimal():
            raise MustRefetch(f"the cursor {cursor[:80]!r} is not one of this server")
        rev = int(parts[2])
        if rev > head.rev or (rev < head.horizon and parts[3:] != ["f"]):
            raise MustRefetch(f"what changed after revision {rev} is not known any more")
        return rev

    def _lock_head(self, connection: Connection, site_id: str, topic: Topic) -> _Head:
        self._database.insert_all(
            connection,
            feed_heads,
            [
                {
                    "site_id": site_id, "topic": topic.value, "rev": 0, "count": 0, "checksum": NOTHING_FOLDED,
                    "horizon": 0,
                }
            ],
        )  # fmt: skip
        return _head(connection, site_id, topic, lock=True)

    @staticmethod
    def _digests(connection: Connection, site_id: str, topic: Topic, keys: Sequence[str]) -> Mapping[str, str | None]:
        known: dict[str, str | None] = {}
        for first in range(0, len(keys), _AT_ONCE):
            query = select(feed_items.c.key, feed_items.c.digest).where(
                *_here(site_id, topic), feed_items.c.key.in_(keys[first : first + _AT_ONCE])
            )
            known.update((key, digest) for key, digest in connection.execute(query))
        return known


@dataclass(frozen=True, slots=True)
class _Head:
    rev: int = 0
    count: int = 0
    checksum: str = NOTHING_FOLDED
    horizon: int = 0
    """Tombstones up to this revision may have been cleared away."""


def _head(connection: Connection, site_id: str, topic: Topic, *, lock: bool = False) -> _Head:
    query = select(feed_heads.c.rev, feed_heads.c.count, feed_heads.c.checksum, feed_heads.c.horizon).where(
        feed_heads.c.site_id == site_id, feed_heads.c.topic == topic.value
    )
    found = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _Head(*found) if found is not None else _Head()


def _here(site_id: str, topic: Topic) -> tuple[ColumnElement[bool], ...]:
    return feed_items.c.site_id == site_id, feed_items.c.topic == topic.value
