"""What the centre told: pages and cursors in one transaction, repeats without effect, swaps that no kill halves."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_lab import SteadyClock, fact

from station.canonical import canonical_json
from station.identify.scan import CandidateKind
from station.returns.keys import pair_key
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine
from station.store import Store
from station.store.feed import FeedChange, FeedEnd, Taken
from tests.conftest import WarningsOnTheLog

NOTHING = FeedEnd(0, "0" * 16)


def change(key: str, rev: int, body: object | None) -> FeedChange:
    text = None if body is None else canonical_json(body).decode()
    digest = None if text is None else hashlib.sha256(f"{key}\0{text}".encode()).hexdigest()[:16]
    return FeedChange(key, rev, text, digest)


def end_of(changes: Iterable[FeedChange]) -> FeedEnd:
    """What a topic comes to whose live items are these."""
    live = [change for change in changes if change.digest is not None]
    folded = 0
    for one in live:
        folded ^= int(one.digest or "0", 16)
    return FeedEnd(len(live), f"{folded:016x}")


def a_return(number: int, status: str = "open") -> ReturnAuthorisation:
    lines = (ReturnLine(1, f"SKU-{number}", 1),)
    return ReturnAuthorisation(f"RMA-{number}", "acme", None, lines, tracking=(f"TRACK{number}",), status=status)


def returned(number: int, rev: int, status: str = "open") -> FeedChange:
    return change(pair_key("acme", f"RMA-{number}"), rev, a_return(number, status))


def known(store: Store, number: int) -> str | None:
    found = store.directory.returns_by(CandidateKind.TRACKING, f"track{number}")
    return found[0].status if found else None


def test_a_page_and_its_cursor_survive_together(open_store: Callable[..., Store]) -> None:
    store = open_store()
    assert store.feed_mark("returns").cursor is None
    assert store.take_feed("returns", None, [returned(1, 1), returned(2, 2)], "c2", None) is Taken.APPLIED
    store.close()
    store = open_store()
    assert store.feed_mark("returns").cursor == "c2"
    assert (known(store, 1), known(store, 2), known(store, 3)) == ("open", "open", None)
    whole = [returned(1, 1), returned(2, 5, "closed")]
    assert store.take_feed("returns", "c2", [returned(2, 5, "closed")], "c5", end_of(whole)) is Taken.COMPLETE
    assert known(store, 2) == "closed"
    mark = store.feed_mark("returns")
    assert (mark.cursor, mark.refetching, mark.complete_at is not None) == ("c5", False, True)


def test_a_repeat_or_an_old_page_has_no_effect(store: Store) -> None:
    store.take_feed("returns", None, [returned(1, 1)], "c1", None)
    store.take_feed("returns", "c1", [change(pair_key("acme", "RMA-1"), 2, None)], "c2", NOTHING)
    assert known(store, 1) is None
    assert store.take_feed("returns", None, [returned(1, 1)], "c1", None) is Taken.STALE
    assert store.take_feed("returns", "c1", [returned(1, 1)], "c9", None) is Taken.STALE
    assert known(store, 1) is None, "a tombstone is not undone by what came before it"
    # within one cursor the revision decides
    store.take_feed("policies", None, [change("p", 7, "new")], "c7", None)
    newest = end_of([change("p", 7, "new")])
    assert store.take_feed("policies", "c7", [change("p", 6, "old")], "c8", newest) is Taken.COMPLETE
    assert store.feed_items("policies")[0].body == b'"new"'


def test_other_topics_are_kept_as_exact_text(store: Store) -> None:
    store.take_feed("people", None, [change("b", 1, {"n": 1}), change("a", 2, ["é"])], "c", None)
    assert [(one.key, one.rev, one.body) for one in store.feed_items("people")] == [
        ("a", 2, '["é"]'.encode()), ("b", 1, b'{"n":1}'),
    ]  # fmt: skip
    found = store.feed_item("people", "b")
    assert found is not None
    assert found.body == b'{"n":1}'
    assert store.feed_item("people", "z") is None
    assert store.feed_items("returns") == ()


def test_articles_and_merchants_reach_the_directory(store: Store) -> None:
    item = CatalogueItem("acme", "HD-7", "Headphones", "electronics.audio", gtins=("04260000000011",))
    store.take_feed("catalogue", None, [change(pair_key("acme", "HD-7"), 1, item)], "c1", None)
    store.take_feed("merchants", None, [change("acme", 1, Merchant("acme", "Acme", "small_brand"))], "c1", None)
    assert store.directory.items_by_code("04260000000011") == (item,)
    assert store.directory.merchant("acme") == Merchant("acme", "Acme", "small_brand")
    store.take_feed("catalogue", "c1", [change(pair_key("acme", "HD-7"), 2, None)], "c2", NOTHING)
    store.take_feed("merchants", "c1", [change("acme", 2, None)], "c2", NOTHING)
    assert store.directory.items_by_code("04260000000011") == ()
    assert store.directory.item("acme", "HD-7") is None
    assert store.directory.merchant("acme") is None


def test_a_file_and_the_feed_work_side_by_side(store: Store) -> None:
    store.put_returns([a_return(1), a_return(2)])
    store.take_feed("returns", None, [returned(2, 1, "closed"), returned(3, 2)], "c", None)
    assert (known(store, 1), known(store, 2), known(store, 3)) == ("open", "closed", "open")
    store.refetch_feed("returns")
    assert store.take_feed("returns", None, [returned(3, 9)], "d", end_of([returned(3, 9)])) is Taken.COMPLETE
    assert known(store, 1) == "open", "the centre never spoke of it, so it does not take it away"
    assert (known(store, 2), known(store, 3)) == (None, "open")


@pytest.mark.parametrize(
    "body",
    [
        {"merchant_id": "acme", "sku": "X", "title": "t", "category": None, "traits": ["from_the_future"]},
        {"merchant_id": "acme", "sku": "another", "title": "t", "category": None},
        ["not", "an", "article"],
    ],
    ids=["unknown trait", "another key", "another shape"],
)
def test_what_cannot_be_read_is_held_and_blocks_nothing(
    store: Store, body: object, expected_warnings: WarningsOnTheLog
) -> None:
    """An article that a newer centre describes must not be judged by what was known of it before."""
    before = CatalogueItem("acme", "X", "old", "toys")
    store.take_feed("catalogue", None, [change(pair_key("acme", "X"), 1, before)], "c1", None)
    assert store.directory.item("acme", "X") == before
    good = CatalogueItem("acme", "Y", "good", "toys")
    changes = [change(pair_key("acme", "X"), 2, body), change(pair_key("acme", "Y"), 3, good)]
    assert store.take_feed("catalogue", "c1", changes, "c3", end_of(changes)) is Taken.COMPLETE
    assert store.directory.item("acme", "X") is None, "not known: falls to hold"
    assert store.directory.item("acme", "Y") == good
    assert store.feed_items("catalogue")[0].body == canonical_json(body)
    expected_warnings("cannot be read by this program")


def test_a_wrong_checksum_refetches_that_topic_only(store: Store, expected_warnings: WarningsOnTheLog) -> None:
    store.commit([fact("x.y", {"n": 1})], actor="ines", drafts={})
    store.take_feed("people", None, [change("a", 1, 1)], "c1", None)
    lost = [returned(1, 1), returned(2, 2)]
    assert store.take_feed("returns", None, lost[:1], "c2", end_of(lost)) is Taken.MISMATCH
    expected_warnings("fetched anew")
    mark = store.feed_mark("returns")
    assert (mark.cursor, mark.refetching) == (None, True)
    assert known(store, 1) == "open", "what is here stays in force meanwhile"
    assert store.take_feed("returns", None, lost[:1], "s1", None) is Taken.APPLIED
    assert known(store, 2) is None, "nothing of the shadow is in force"
    assert store.take_feed("returns", "s1", lost[1:], "s2", end_of(lost)) is Taken.COMPLETE
    assert (known(store, 1), known(store, 2)) == ("open", "open")
    assert store.feed_mark("people").cursor == "c1"
    assert len(store.pending_entries(10, 1 << 20)) == 1


def test_a_shadow_that_does_not_fit_either_is_begun_again(store: Store, expected_warnings: WarningsOnTheLog) -> None:
    store.take_feed("returns", None, [returned(1, 1)], "c1", None)
    store.refetch_feed("returns")
    assert store.take_feed("returns", None, [returned(2, 1)], "s", FeedEnd(7, "0" * 16)) is Taken.MISMATCH
    expected_warnings("fetched anew")
    assert store.feed_mark("returns").cursor is None
    assert (known(store, 1), known(store, 2)) == ("open", None)
    # a lower revision than before: another server, whose numbers begin again
    assert store.take_feed("returns", None, [returned(1, 1, "closed")], "t", end_of([returned(1, 1, "closed")]))
    assert known(store, 1) == "closed"


_ITEMS = st.dictionaries(st.integers(0, 6), st.sampled_from(["open", "closed"]))


@given(st.lists(_ITEMS, min_size=1, max_size=5), st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_is_followed(store: Store, states: list[Mapping[int, str]], data: st.DataObject) -> None:
    """Against an oracle: after each complete fetch the directory is what the centre had, whichever way it came."""
    rev = 0
    here: dict[int, str] = {}
    store.refetch_feed("returns")
    for number, state in enumerate(states):
        if number and data.draw(st.booleans()):
            store.refetch_feed("returns")
        mark = store.feed_mark("returns")
        if mark.refetching:
            changes = [returned(one, (rev := rev + 1), status) for one, status in state.items()]
        else:
            changes = [
                returned(one, (rev := rev + 1), status) for one, status in state.items() if here.get(one) != status
            ]
            changes += [change(pair_key("acme", f"RMA-{one}"), (rev := rev + 1), None) for one in here.keys() - state]
        cut = data.draw(st.integers(0, len(changes)))
        store.take_feed("returns", mark.cursor, changes[:cut], f"half{rev}-{number}", None)
        end = end_of(returned(one, 1, status) for one, status in state.items())
        taken = store.take_feed("returns", f"half{rev}-{number}", changes[cut:], f"c{rev}-{number}", end)
        assert taken is Taken.COMPLETE
        here = dict(state)
        assert {one: status for one in range(7) if (status := known(store, one)) is not None} == here


def _swap_child(home: Path, die_at: int) -> int:
    """A process that swaps a shadow of 300 items and kills itself at its n-th statement."""
    code = f"""
import importlib.util, os, signal, sys
from pathlib import Path
def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec); sys.modules[name] = module; spec.loader.exec_module(module)
    return module
here = Path({str(Path(__file__).parent)!r})
lab = load("store_lab", here / "store_lab.py")
tests = load("feed_tests", here / "test_feed.py")
import sqlalchemy as sa
from station.store import Store
store = Store.open(Path({str(home)!r}), station="bench-1", clock=lab.SteadyClock(), ballast_bytes=0)
left = [{die_at}]
def count(*_):
    left[0] -= 1
    if left[0] == 0: os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(sa.Engine, "before_cursor_execute", count)
sa.event.listen(sa.Engine, "commit", count)
mark = store.feed_mark("returns")
assert mark.refetching and mark.cursor == "s1", mark
store.take_feed("returns", "s1", tests.NEW[150:], "s2", tests.end_of(tests.NEW))
print("swapped", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.count("swapped")


OLD = [returned(number, number + 1) for number in range(200)]
NEW = [returned(number, number + 1, "closed") for number in range(100, 400)]


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_killed_at_any_statement_of_a_swap(home: Path, request: pytest.FixtureRequest) -> None:
    """Before or after, never between; the journal is untouched, and the next start goes on (SYNC.md F21)."""
    with Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=0) as store:
        store.commit([fact("x.y", {"n": 1})], actor="ines", drafts={})
        store.take_feed("returns", None, OLD, "c200", end_of(OLD))
        store.refetch_feed("returns")
        store.take_feed("returns", None, NEW[:150], "s1", None)
    seen = set()
    points = range(1, 60) if request.config.getoption("--slow") else range(2, 40, 4)
    for die_at in points:
        swapped = _swap_child(home, die_at)
        with Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=0) as store:
            statuses = [known(store, number) for number in range(400)]
            mark = store.feed_mark("returns")
            assert len(store.pending_entries(10, 1 << 20)) == 1
        after = mark.cursor == "s2"
        if after:
            assert statuses == [None] * 100 + ["closed"] * 300
            assert not mark.refetching
            seen.add("after")
            break
        assert not swapped, "it said so, then it must be there"
        assert statuses == ["open"] * 200 + [None] * 200, die_at
        assert (mark.cursor, mark.refetching) == ("s1", True)
        seen.add("before")
    assert seen == {"before", "after"}, "some kills before the commit and one after it"


def test_the_control_a_swap_in_two_transactions_is_seen_halved(home: Path) -> None:
    """What the test above looks for does happen where a swap is not one transaction."""
    with Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=0) as store:
        store.take_feed("returns", None, OLD, "c200", end_of(OLD))
        for number in range(100):
            store.take_feed(
                "returns", "c200", [change(pair_key("acme", f"RMA-{number}"), 900 + number, None)], "c200", None
            )
        statuses = [known(store, number) for number in range(400)]
    assert statuses not in (["open"] * 200 + [None] * 200, [None] * 100 + ["closed"] * 300)
