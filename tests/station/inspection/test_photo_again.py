"""A photo of one unit is no evidence for another: what looks the same asks for a second look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from station.inspection.facts import Look
from station.inspection.view import State
from station.store.looks import REMEMBERED
from station.store.store import Store
from tests.station.inspection.bench import SHIRT, Bench, open_store

AT_MOST = 36
A, B = int("c3" * 128, 16), int("5a" * 128, 16)
SENTENCE = "A photo shows the same as a photo of another unit"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path)
    yield made
    made.close()


def inspect(bench: Bench, parcel: str, *looks: int) -> list[str]:
    """One unit with photos that look like this; the reasons for a second look that the decision gives."""
    bench.scan(parcel)
    bench.scan(SHIRT)
    bench.weigh(312)
    for bits in looks:
        bench.photograph(Look(bits, AT_MOST))
    bench.photograph_all()
    bench.scan("RSC-CLEAN")
    if bench.state is State.CONFIRM:
        bench.scan("RSC-CONFIRM")
    assert bench.state is State.DONE
    decision = bench.last.view.decision
    assert decision is not None
    return [reason.text for reason in decision.second_look]


def flipped(bits: int, count: int) -> int:
    for place in range(count):
        bits ^= 1 << (place * 17)
    return bits


def test_the_same_picture_for_another_unit_is_noticed(store: Store) -> None:
    bench = Bench(store)
    assert SENTENCE not in inspect(bench, "RMA-2026-005000", A)
    assert SENTENCE in inspect(bench, "RMA-2026-005001", flipped(A, AT_MOST))
    assert SENTENCE not in inspect(bench, "RMA-2026-005002", flipped(A, 2 * AT_MOST + 1), B)


def test_retakes_of_one_unit_are_no_copies(store: Store) -> None:
    assert SENTENCE not in inspect(Bench(store), "RMA-2026-005003", A, A, A)


def test_it_is_remembered_over_a_restart(tmp_path: Path) -> None:
    with open_store(tmp_path) as first:
        inspect(Bench(first), "RMA-2026-005004", A)
    with Store.open(tmp_path, station="bench-1", clock=Bench(first).clock, ballast_bytes=1 << 16) as again:
        assert SENTENCE in inspect(Bench(again), "RMA-2026-005005", A)


def test_only_the_last_photos_are_compared(store: Store) -> None:
    store.remember_photo("0" * 64, "unit-0", A)
    for number in range(REMEMBERED):
        store.remember_photo(f"{number:064x}", f"unit-{number + 1}", B ^ (number << 300))
    assert store.photo_like(A, "unit-x", AT_MOST) is None
    assert store.photo_like(B ^ (3 << 300), "unit-x", 0) == f"{3:064x}"
