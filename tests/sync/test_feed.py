"""The feed: nothing is lost between two questions, whoever writes meanwhile. Both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.engine import URL

from station.errors import InvalidInput
from sync.protocol import NOTHING_FOLDED, Topic, fold_digests, item_digest
from sync.server.feed import TOMBSTONES, Change, Feed, MustRefetch
from sync.server.storage import Database, open_database
from sync.server.storage.rows import feed_items
from tests.postgres import MakeFresh

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SITE = "main"


class Copy:
    """A bench's copy of one topic, kept by asking again and again."""

    def __init__(self, feed: Feed, topic: Topic = Topic.RETURNS) -> None:
        self.feed = feed
        self.topic = topic
        self.items: dict[str, str] = {}
        self.cursor: str | None = None

    def pull(self, limit: int = 1000) -> None:
        while True:
            page = self.feed.page(SITE, self.topic, self.cursor, limit)
            for item in page.items:
                if item.body is None:
                    self.items.pop(item.key, None)
                else:
                    self.items[item.key] = item.body
            self.cursor = page.cursor
            if not page.more:
                digests = [item_digest(key, body) for key, body in self.items.items()]
                assert (page.count, page.checksum) == (len(self.items), fold_digests(NOTHING_FOLDED, *digests))
                return


@pytest.fixture
def database(either_database: URL) -> Iterator[Database]:
    made = open_database(either_database)
    yield made
    made.close()


def put(database: Database, *changes: Change, at: datetime = NOW, topic: Topic = Topic.RETURNS) -> int:
    with database.writing() as connection:
        return Feed(database).put(connection, SITE, topic, changes, at)


def test_a_copy_follows_changes_and_tombstones(database: Database) -> None:
    copy = Copy(Feed(database))
    copy.pull()
    assert copy.items == {}
    assert put(database, Change("a", {"x": 1}), Change("b", {"x": 2})) == 2
    copy.pull()
    assert copy.items == {"a": '{"x":1}', "b": '{"x":2}'}
    assert put(database, Change("a", None), Change("c", [1]), Change("b", {"x": 2})) == 2, "b is as it was"
    copy.pull()
    assert copy.items == {"b": '{"x":2}', "c": "[1]"}
    assert put(database, Change("never", None)) == 0


def test_other_topics_and_sites_are_not_mixed(database: Database) -> None:
    put(database, Change("a", 1))
    put(database, Change("a", 2), topic=Topic.CATALOGUE)
    with database.writing() as connection:
        Feed(database).put(connection, "other", Topic.RETURNS, [Change("z", 1)], NOW)
    copy = Copy(Feed(database))
    copy.pull()
    assert copy.items == {"a": "1"}


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_changes_between_two_pages_are_not_lost(database: Database, limit: int) -> None:
    put(database, *(Change(f"k{n}", n) for n in range(7)))
    feed = Feed(database)
    copy = Copy(feed)
    first = feed.page(SITE, Topic.RETURNS, None, limit)
    copy.items.update((item.key, item.body or "") for item in first.items)
    copy.cursor = first.cursor
    put(database, Change("k0", None), Change("k6", 60), Change("k7", 7))
    copy.pull(limit)
    assert copy.items == {**{f"k{n}": str(n) for n in range(1, 6)}, "k6": "60", "k7": "7"}


def test_a_cursor_of_another_server_or_time_must_begin_anew(database: Database) -> None:
    feed = Feed(database)
    put(database, Change("a", 1), Change("b", 1))
    copy = Copy(feed)
    copy.pull()
    put(database, Change("a", None), at=NOW)
    assert feed.clear_tombstones(NOW + TOMBSTONES - timedelta(days=1)) == 0
    assert feed.clear_tombstones(NOW + TOMBSTONES + timedelta(days=1)) == 1
    for cursor in (copy.cursor, "1.other.1", "0." + database.epoch + ".1", "nonsense", f"1.{database.epoch}.99"):
        with pytest.raises(MustRefetch):
            feed.page(SITE, Topic.RETURNS, cursor)
    anew = Copy(feed)
    anew.pull()
    assert anew.items == {"b": "1"}


@pytest.mark.parametrize("key", ["", "x" * 301, "a\x00b"])
def test_a_key_that_cannot_be_kept_is_refused(database: Database, key: str) -> None:
    with pytest.raises(InvalidInput, match="feed key"):
        put(database, Change(key, 1))


@given(st.lists(st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(0, 3)), max_size=5), max_size=8))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_leaves_a_copy_that_equals_the_centre(
    database: Database, history: list[list[tuple[str, int | None]]]
) -> None:
    copy = Copy(Feed(database), Topic.SETTINGS)
    for changes in history:
        put(database, *(Change(key, body) for key, body in changes), topic=Topic.SETTINGS)
        copy.pull(2)
    with database.reading() as connection:
        held = connection.execute(
            select(feed_items.c.key, feed_items.c.body).where(
                feed_items.c.topic == Topic.SETTINGS.value, feed_items.c.body.is_not(None)
            )
        )
        assert copy.items == {key: body for key, body in held}


def test_a_late_commit_is_not_lost(fresh_postgres: MakeFresh) -> None:
    """The interleaving that loses a row to every client where revisions come from a sequence (see the control)."""
    database = open_database(fresh_postgres())
    feed = Feed(database)
    copy = Copy(feed)
    begun, go_on = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with database.writing() as connection:
            feed.put(connection, SITE, Topic.RETURNS, [Change("slow", 1)], NOW)
            begun.set()
            assert go_on.wait(20)

    def fast_writer() -> None:
        put(database, Change("fast", 1))

    slow, fast = threading.Thread(target=slow_writer), threading.Thread(target=fast_writer)
    slow.start()
    assert begun.wait(20)
    fast.start()
    copy.pull()
    assert copy.items == {}, "the fast one waits for the slow one"
    go_on.set()
    slow.join(20)
    fast.join(20)
    copy.pull()
    assert copy.items == {"slow": "1", "fast": "1"}
    database.close()


def test_control_a_sequence_as_a_cursor_loses_a_row(fresh_postgres: MakeFresh) -> None:
    """Negative control: the same interleaving, with a ``bigserial``."""
    database = open_database(fresh_postgres())
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE naive (rev BIGSERIAL PRIMARY KEY, key TEXT)"))

    def after(rev: int) -> list[tuple[int, str]]:
        with database.reading() as connection:
            found = connection.execute(text("SELECT rev, key FROM naive WHERE rev > :rev ORDER BY rev"), {"rev": rev})
            return [(row.rev, row.key) for row in found]

    seen: list[str] = []
    with database.writing() as slow:
        slow.execute(text("INSERT INTO naive (key) VALUES ('slow')"))
        with database.writing() as fast:
            fast.execute(text("INSERT INTO naive (key) VALUES ('fast')"))
        first = after(0)
        seen += [key for _, key in first]
    seen += [key for _, key in after(first[-1][0])]
    assert seen == ["fast"], "the slow row is lost for ever"
    database.close()
