"""Serial numbers in photos: proof where they fit, nothing where they do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from station.inspection.seen import SeenCode, serial_in_photo
from station.inspection.view import State
from tests.station.inspection.bench import Bench, open_store

GTIN = "04260123457327"
OTHER = "04006381333931"


@pytest.mark.parametrize(
    ("codes", "shipped", "serial"),
    [
        ([("HD7-22941", "]C0")], "HD7-22941", "HD7-22941"),
        ([(f"01{GTIN}21ABC123", "]d2")], None, "ABC123"),
        ([(f"01{GTIN}21ABC123", "]d2"), ("HD7-22941", "]C0")], "HD7-22941", "HD7-22941"),
        ([(f"01{GTIN}21ABC123", "]d2"), (f"01{GTIN}21XYZ", "]C1")], None, None),
        ([(f"01{OTHER}21ABC123", "]d2")], None, None),
        ([("ABC123", "]C0")], None, None),
        ([("4260123457327", "]E0")], "HD7-22941", None),
        ([], "HD7-22941", None),
    ],
)
def test_what_a_photo_proves(codes: list[tuple[str, str]], shipped: str | None, serial: str | None) -> None:
    assert serial_in_photo([SeenCode(*code) for code in codes], shipped, (GTIN,)) == serial


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store = open_store(tmp_path)
    yield Bench(store)
    store.close()


def test_the_shipped_serial_in_a_photo_is_taken_and_survives_a_restart(bench: Bench) -> None:
    bench.scan("RMA-2026-004712")
    bench.scan("HAL")
    bench.weigh(288)
    assert bench.state is State.PHOTOS
    assert bench.desk.wants_serial
    bench.photograph()
    photo = bench.last.view.shots[0].photo
    assert photo is not None
    assert bench.desk.codes_in_photo(photo.sha256, [SeenCode("SOMETHING", "]C0")]) is None
    assert bench.desk.codes_in_photo("0" * 64, [SeenCode("HD7-22941", "]C0")]) is None, "not a photo of this unit"
    outcome = bench.desk.codes_in_photo(photo.sha256, [SeenCode("HD7-22941", "]C0")])
    assert outcome is not None
    assert (outcome.view.serial_found, bench.desk.wants_serial) == ("HD7-22941", False)
    again = bench.new_desk()
    assert again.resume().view.serial_found == "HD7-22941"


def test_where_no_serial_is_expected_nothing_is_read(bench: Bench) -> None:
    bench.scan("RMA-2026-004711")
    assert not bench.desk.wants_serial
    bench.scan("04260000000010")
    assert not bench.desk.wants_serial
