"""What the centre told this bench: pages of a topic, each applied with its cursor in one transaction.

Context: a bench may be killed between any two statements, may be told the same page twice, and may come back after the
centre has forgotten what changed. Decision: a page is taken only if it continues the cursor that is kept here, and an
item only if its revision is higher; so a repeat has no effect. Count and checksum of what is held move with every page
and are compared with the centre's at the end of the topic. If they differ, or the cursor cannot be continued, the topic
is fetched anew into ``feed_shadow`` and swapped in one transaction: until then the bench works with what it had.
Price: during such a fetch the topic lies here twice.

Returns, articles and merchants go into the directory's tables, beside what was imported from files: the last writer of
a record wins, and what the centre withdraws is gone from the directory too. What this program cannot read is taken out
of the directory and kept as text: an article that is not known falls to *hold*, a wrong one might be restocked.
Nothing here touches the journal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, Protocol, TypeVar

import msgspec
import sqlalchemy as sa

from station.errors import InvalidInput
from station.returns.keys import split_pair
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation
from station.store import imports
from station.store.rows import FeedItemRow, FeedShadowRow, FeedTopicRow, table

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_topics, _items, _shadow = table(FeedTopicRow), table(FeedItemRow), table(FeedShadowRow)

_NOTHING: Final = "0" * 16
_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class FeedChange:
    """One item of a page."""

    key: str
    rev: int
    body: str | None
    """Exact text; None = it is gone."""
    digest: str | None
    """First 16 hex digits of what the topic's checksum is made of; None = it is gone."""


@dataclass(frozen=True, slots=True)
class FeedEnd:
    """What the whole topic must come to after this page."""

    count: int
    checksum: str


@dataclass(frozen=True, slots=True)
class FeedMark:
    """Where to go on."""

    cursor: str | None
    """None = from the beginning."""
    refetching: bool
    complete_at: datetime | None
    """When this bench last provably held what the centre had; UTC."""


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """One item as it is kept."""

    key: str
    rev: int
    body: bytes
    """Exactly as the centre wrote it."""


class Taken(StrEnum):
    """What became of a page."""

    APPLIED = "applied"
    COMPLETE = "complete"
    """Applied, and this bench now provably holds what the centre has."""
    MISMATCH = "mismatch"
    """Count or checksum differ: the topic will be fetched anew."""
    STALE = "stale"
    """The page does not continue what is kept here; nothing was done."""


class FeedStore(Protocol):
    """The store as the feed's client sees it. Implemented by ``station.store.Store``; safe from any thread."""

    def feed_mark(self, topic: str) -> FeedMark: ...

    def take_feed(
        self, topic: str, after: str | None, changes: Sequence[FeedChange], cursor: str, end: FeedEnd | None
    ) -> Taken: ...

    def refetch_feed(self, topic: str) -> None: ...


def mark(connection: sa.Connection, topic: str) -> FeedMark:
    """Where to go on with a topic."""
    row = _row(connection, topic)
    return FeedMark(row.shadow_cursor if row.refetching else row.cursor, row.refetching, row.complete_at)


def refetch(connection: sa.Connection, topic: str) -> None:
    """Begin to fetch a topic anew, beside what is in force."""
    _save(connection, _restarted(connection, _row(connection, topic)))


def take(
    connection: sa.Connection,
    topic: str,
    after: str | None,
    changes: Sequence[FeedChange],
    cursor: str,
    end: FeedEnd | None,
    now: datetime,
) -> Taken:
    """Apply one page and its cursor; the caller's transaction makes both durable together.

    Args:
        after: the cursor that the page was asked with.
        cursor: the one for the next question.
        end: what the whole topic must come to, with its last page.
    """
    row = _row(connection, topic)
    if after != (row.shadow_cursor if row.refetching else row.cursor):
        return Taken.STALE
    if row.refetching:
        added, folded = _into(connection, _shadow, topic, changes, lambda puts, drops: dict(puts))
        row = _replace(
            row,
            shadow_cursor=cursor,
            shadow_count=row.shadow_count + added,
            shadow_checksum=_fold(row.shadow_checksum, folded),
        )
        if end is not None and end == FeedEnd(row.shadow_count, row.shadow_checksum):
            _swap(connection, topic)
            row = _replace(_nothing(topic), cursor=cursor, count=end.count, checksum=end.checksum)
    else:
        added, folded = _into(
            connection, _items, topic, changes, lambda puts, drops: _to_directory(connection, topic, puts, drops)
        )
        row = _replace(row, cursor=cursor, count=row.count + added, checksum=_fold(row.checksum, folded))
    taken = Taken.APPLIED
    if end is not None and not row.refetching and end == FeedEnd(row.count, row.checksum):
        row, taken = _replace(row, complete_at=now), Taken.COMPLETE
    elif end is not None:
        logger.warning("feed %s: %s items are here, the centre has %s; it is fetched anew", topic, row.count, end.count)
        row, taken = _restarted(connection, row), Taken.MISMATCH
    _save(connection, row)
    return taken


def records(connection: sa.Connection, topic: str) -> tuple[FeedRecord, ...]:
    """The items of a topic that are kept as text, by key."""
    found = connection.execute(
        sa.select(_items.c.key, _items.c.rev, _items.c.body)
        .where(_items.c.topic == topic, _items.c.body.is_not(None))
        .order_by(_items.c.key)
    )
    return tuple(FeedRecord(key, rev, body.encode()) for key, rev, body in found)


def record(connection: sa.Connection, topic: str, key: str) -> FeedRecord | None:
    """One item that is kept as text; None = there is none."""
    found = connection.execute(
        sa.select(_items.c.rev, _items.c.body).where(_items.c.topic == topic, _items.c.key == key)
    ).one_or_none()
    return FeedRecord(key, found.rev, found.body.encode()) if found is not None and found.body is not None else None


class _Row(msgspec.Struct, frozen=True):
    """``feed_topics`` as a value."""

    topic: str
    cursor: str | None = None
    count: int = 0
    checksum: str = _NOTHING
    refetching: bool = False
    shadow_cursor: str | None = None
    shadow_count: int = 0
    shadow_checksum: str = _NOTHING
    complete_at: datetime | None = None


_nothing = _Row
_replace = msgspec.structs.replace


def _row(connection: sa.Connection, topic: str) -> _Row:
    found = connection.execute(sa.select(_topics).where(_topics.c.topic == topic)).one_or_none()
    return _Row(*found) if found is not None else _Row(topic)


def _save(connection: sa.Connection, row: _Row) -> None:
    connection.execute(sa.insert(_topics).prefix_with("OR REPLACE"), msgspec.structs.asdict(row))


def _restarted(connection: sa.Connection, row: _Row) -> _Row:
    connection.execute(sa.delete(_shadow).where(_shadow.c.topic == row.topic))
    return _replace(row, refetching=True, shadow_cursor=None, shadow_count=0, shadow_checksum=_NOTHING)


def _fold(checksum: str, folded: int) -> str:
    return f"{int(checksum, 16) ^ folded:016x}"


_Place = Callable[[Mapping[str, str], Sequence[str]], Mapping[str, str]]
"""Puts bodies where they belong and says which of them are kept as text; the second is what is gone."""


def _into(
    connection: sa.Connection, target: sa.Table, topic: str, changes: Sequence[FeedChange], place: _Place
) -> tuple[int, int]:
    """Apply items to one of the two sets.

    Returns:
        By how much the count grew, and what the checksum is XORed with.
    """
    latest = {change.key: change for change in sorted(changes, key=lambda change: change.rev)}
    known = {
        key: (rev, digest)
        for key, rev, digest in connection.execute(
            sa.select(target.c.key, target.c.rev, target.c.digest).where(
                target.c.topic == topic, target.c.key.in_(list(latest))
            )
        )
    }
    added = folded = 0
    puts: dict[str, FeedChange] = {}
    drops: list[str] = []
    for key, change in latest.items():
        before = known.get(key)
        if before is not None and before[0] >= change.rev:
            continue
        if before is not None:
            folded ^= int(before[1], 16)
            added -= 1
        if change.body is None or change.digest is None:
            drops.append(key)
            continue
        folded ^= int(change.digest, 16)
        added += 1
        puts[key] = change
    texts = place({key: change.body for key, change in puts.items() if change.body is not None}, drops)
    if drops:
        connection.exec_driver_sql(
            f"DELETE FROM {target.name} WHERE topic = ? AND key = ?", [(topic, key) for key in drops]
        )
    if puts:
        rows = [(topic, key, change.rev, change.digest, texts.get(key)) for key, change in sorted(puts.items())]
        connection.exec_driver_sql(
            f"INSERT INTO {target.name} (topic, key, rev, digest, body) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (topic, key) DO UPDATE SET rev = excluded.rev, digest = excluded.digest, body = excluded.body "
            f"WHERE excluded.rev > {target.name}.rev",
            rows,
        )
    return added, folded


def _swap(connection: sa.Connection, topic: str) -> None:
    """Put the shadow in force: what differs goes into the directory, all of it becomes ``feed_items``."""
    at = {"topic": topic}
    gone = connection.execute(_GONE, at).scalars().all()
    for first in range(0, len(gone), _BATCH):
        _to_directory(connection, topic, {}, gone[first : first + _BATCH])
    texts: dict[str, str] = {}
    last = ""
    while part := connection.execute(_CHANGED, {**at, "last": last, "most": _BATCH}).all():
        kept = _to_directory(connection, topic, {key: body for key, body in part}, ())
        if topic in _DIRECTORY:
            texts.update(kept)
        last = part[-1][0]
    connection.execute(sa.delete(_items).where(_items.c.topic == topic))
    body = sa.null() if topic in _DIRECTORY else _shadow.c.body
    connection.execute(
        sa.insert(_items).from_select(
            ["topic", "key", "rev", "digest", "body"],
            sa.select(_shadow.c.topic, _shadow.c.key, _shadow.c.rev, _shadow.c.digest, body).where(
                _shadow.c.topic == topic
            ),
        )
    )
    for key, text in texts.items():
        connection.execute(sa.update(_items).where(_items.c.topic == topic, _items.c.key == key).values(body=text))
    connection.execute(sa.delete(_shadow).where(_shadow.c.topic == topic))


_TOPIC: sa.BindParameter[str] = sa.bindparam("topic")
_same = sa.and_(_items.c.topic == _shadow.c.topic, _items.c.key == _shadow.c.key)
_GONE = sa.select(_items.c.key).where(_items.c.topic == _TOPIC, ~sa.exists(sa.select(1).where(_same)))
_CHANGED = (
    sa.select(_shadow.c.key, _shadow.c.body)
    .where(
        _shadow.c.topic == _TOPIC,
        _shadow.c.key > sa.bindparam("last"),
        ~sa.exists(sa.select(1).where(_same, _items.c.digest == _shadow.c.digest)),
    )
    .order_by(_shadow.c.key)
    .limit(sa.bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class _Shelf(Generic[_T]):
    """Where the records of one topic lie in the directory."""

    type: type[_T]
    name_of: Callable[[str], tuple[str, str]]
    """(merchant, name) from the item's key."""
    name_in: Callable[[_T], tuple[str, str]]
    """The same from the record."""
    write: Callable[[sa.Connection, Sequence[_T]], object]
    drop: Callable[[sa.Connection, Sequence[tuple[str, str]]], None]

    def place(self, connection: sa.Connection, puts: Mapping[str, str], drops: Sequence[str]) -> Mapping[str, str]:
        """Write and forget records; what cannot be read is forgotten too, and returned."""
        found: list[_T] = []
        unread: dict[str, str] = {}
        for key, body in puts.items():
            try:
                found.append(self._read(key, body))
            except (msgspec.MsgspecError, InvalidInput, UnicodeError, RecursionError) as error:
                logger.warning("feed: %r cannot be read by this program: %s", key[:80], error)
                unread[key] = body
        gone = [name for name in map(self._name, (*drops, *unread)) if name is not None]
        if gone:
            self.drop(connection, gone)
        if found:
            self.write(connection, found)
        return unread

    def _read(self, key: str, body: str) -> _T:
        one = msgspec.json.decode(body, type=self.type)
        if self.name_in(one) != self.name_of(key):
            raise InvalidInput(f"it is about {self.name_in(one)!r}")
        return one

    def _name(self, key: str) -> tuple[str, str] | None:
        try:
            return self.name_of(key)
        except InvalidInput:
            return None  # it never was in the directory


_DIRECTORY: Final[dict[str, _Shelf[ReturnAuthorisation] | _Shelf[CatalogueItem] | _Shelf[Merchant]]] = {
    "returns": _Shelf(
        ReturnAuthorisation, split_pair, lambda one: (one.merchant_id, one.id), imports.write_returns,
        imports.drop_returns,
    ),
    "catalogue": _Shelf(
        CatalogueItem, split_pair, lambda one: (one.merchant_id, one.sku), imports.write_items, imports.drop_items,
    ),
    "merchants": _Shelf(
        Merchant, lambda key: (key, key), lambda one: (one.id, one.id), imports.write_merchants,
        lambda connection, owned: imports.drop_merchants(connection, [owner for owner, _ in owned]),
    ),
}  # fmt: skip


def _to_directory(
    connection: sa.Connection, topic: str, puts: Mapping[str, str], drops: Sequence[str]
) -> Mapping[str, str]:
    """Write records into the directory's tables, where the topic belongs there.

    Returns:
        What has to be kept as text: all of another topic, or what this program cannot read.
    """
    shelf = _DIRECTORY.get(topic)
    return dict(puts) if shelf is None else shelf.place(connection, puts, drops)
