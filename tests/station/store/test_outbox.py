"""The journal seen as an outbox: what is pending, what the server said, which photos are due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from store_lab import START, SteadyClock, fact, inspection, photo

from station.errors import InvalidInput
from station.store import Store
from station.store.outbox import Acknowledgement, Unsent


def fill(store: Store, count: int, size: int = 0) -> None:
    for number in range(count):
        store.commit([fact("x.y", {"n": number, "pad": "p" * size})], actor="ines", drafts={})


def answer(*seqs: int, status: str = "accepted", generation: int = 1) -> list[Acknowledgement]:
    return [Acknowledgement(generation, seq, status) for seq in seqs]


def pending(store: Store, limit: int = 100, max_bytes: int = 1 << 20) -> list[int]:
    return [entry.seq for entry in store.pending_entries(limit, max_bytes)]


def test_pending_is_what_no_answer_names(store: Store) -> None:
    fill(store, 6)
    assert pending(store) == [1, 2, 3, 4, 5, 6]
    store.acknowledge(answer(1, 2, 4))
    assert pending(store) == [3, 5, 6]
    assert pending(store, limit=2) == [3, 5]
    store.acknowledge(answer(3, 6, 4))
    store.acknowledge(answer(3, 3))
    assert pending(store) == [5]
    store.acknowledge(answer(5))
    assert pending(store) == []
    fill(store, 1)
    assert pending(store) == [7]


def test_bytes_limit_the_batch_but_never_to_nothing(store: Store) -> None:
    fill(store, 5, size=1000)
    assert pending(store, max_bytes=2500) == [1, 2]
    assert pending(store, max_bytes=1) == [1]


def test_unsent_counts_and_says_since_when(store: Store, clock: SteadyClock) -> None:
    assert store.unsent() == Unsent(0, 0, None, 0)
    for _ in range(3):
        fill(store, 1)
        clock.move(minutes=1)
    store.commit([inspection(1, photos=(photo("a" * 64), photo("b" * 64)))], actor="ines", drafts={})
    assert store.unsent() == Unsent(4, 2, START, 0)
    store.acknowledge([*answer(1), *answer(3, status="quarantined")])
    assert store.unsent() == Unsent(2, 2, datetime(2026, 11, 22, 10, 1, tzinfo=UTC), 1)
    store.acknowledge(answer(2, 4))
    assert store.unsent() == Unsent(0, 2, None, 1)


@pytest.mark.parametrize("status", ["accepted", "duplicate", "quarantined", "conflict", "id_collision"])
def test_every_answer_but_retry_acknowledges(store: Store, status: str) -> None:
    fill(store, 1)
    store.acknowledge(answer(1, status=status))
    assert pending(store) == []


def test_an_answer_that_acknowledges_nothing_is_refused_whole(store: Store) -> None:
    fill(store, 2)
    with pytest.raises(InvalidInput, match="'retry' for entry 1/2 acknowledges nothing"):
        store.acknowledge([*answer(1), *answer(2, status="retry")])
    assert pending(store) == [1, 2]


def test_an_answer_for_an_entry_that_is_not_ours_does_not_undo_the_others(
    store: Store, expected_warnings: Callable[[str], None]
) -> None:
    expected_warnings("entries that are not in this journal: 1/3, 7/1, 1/0")
    fill(store, 2)
    store.acknowledge([*answer(1, 3), *answer(1, generation=7), *answer(0, 2)])
    assert pending(store) == []
    fill(store, 1)
    assert pending(store) == [3], "the answer came before the entry and says nothing about it"


def test_photos_are_due_after_their_entry_and_once(store: Store) -> None:
    a, b, c = ("a" * 64, "b" * 64, "c" * 64)
    store.commit([inspection(1, photos=(photo(c), photo(a)))], actor="ines", drafts={})
    store.commit([inspection(2, photos=(photo(b), photo(a)))], actor="ines", drafts={})
    assert store.photos_to_send(10) == ()
    store.acknowledge(answer(2))
    assert store.photos_to_send(10) == (b,)
    store.acknowledge(answer(1))
    assert store.photos_to_send(10) == (c, a, b)
    assert store.photos_to_send(1) == (c,)
    store.photo_sent(c)
    store.photo_sent(c)
    store.photo_lost(b, "gone from the disk")
    assert store.photos_to_send(10) == (a,)
    assert store.unsent().photos == 1
    store.photo_sent(b)
    store.photo_lost(b, "no")
    store.photo_sent(a)
    assert store.unsent().photos == 0


def test_small_values_survive_a_restart(open_store: Callable[..., Store]) -> None:
    with open_store() as store:
        assert store.sync_value("server_epoch") is None
        store.set_sync_value("server_epoch", "7")
        store.set_sync_value("server_epoch", "8")
    assert open_store().sync_value("server_epoch") == "8"


def test_a_new_generation_is_sent_after_the_old_one(open_store: Callable[..., Store]) -> None:
    with open_store() as store:
        fill(store, 2)
    store = open_store(station="bench-9")
    fill(store, 1)
    entries = store.pending_entries(10, 1 << 20)
    assert [(entry.station, entry.generation, entry.seq) for entry in entries] == [
        ("bench-1", 1, 1),
        ("bench-1", 1, 2),
        ("bench-9", 2, 1),
    ]
    assert [entry.seq for entry in store.pending_entries(2, 1 << 20)] == [1, 2]
    store.acknowledge([*answer(1, 2), *answer(1, generation=2)])
    assert store.unsent().entries == 0


def test_what_a_restored_server_lacks_is_pending_again(open_store: Callable[..., Store]) -> None:
    with open_store() as store:
        store.commit([inspection(1, photos=(photo("a" * 64),))], actor="ines", drafts={})
        fill(store, 4)
        store.acknowledge(answer(1, 2, 3, 5))
        store.photo_sent("a" * 64)
        assert store.reopen({1: 2}) == 2
        assert pending(store) == [3, 4, 5]
        assert store.unsent() == Unsent(3, 1, store.unsent().since, 0)
        assert store.photos_to_send(10) == ("a" * 64,)
        assert store.reopen({1: 99}) == 0
        assert store.reopen({}) == 2
        assert pending(store) == [1, 2, 3, 4, 5]
    with open_store() as store:
        assert pending(store) == [1, 2, 3, 4, 5]
