"""USB scales' reports (DEVICES §1.10; S3, S20, S21)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ports import Status
from devices.scale.frames import Frame, Garbage, Reading, Reply
from devices.scale.hid import KNOWN_USB_SCALES, HidParser, parse_report

if TYPE_CHECKING:
    from tests.devices.scale.conftest import Bench

HALF_KILO = bytes.fromhex("03 04 02 00 F4 01")


def parse(data: bytes) -> list[Frame]:
    """With one report before it, which is the previous weighing."""
    parser = HidParser()
    first = parser.feed(HALF_KILO)
    assert first == [Reply(HALF_KILO)]
    return parser.feed(data) + parser.drop()


def report(text: str) -> Reading:
    frames = parse(bytes.fromhex(text))
    assert len(frames) == 1, frames
    assert isinstance(frames[0], Reading), frames
    return frames[0]


@pytest.mark.parametrize(
    ("text", "milligrams", "interval_mg", "status", "stable"),
    [
        ("03 04 02 00 F4 01", 500_000, 1_000, Status.OK, True),
        ("03 04 0B FF 2A 00", 119_068, 2_835, Status.OK, True),  # 4.2 oz
        ("03 05 0B FF 03 00", -8_505, 2_835, Status.OK, False),  # the number is a magnitude
        ("03 02 02 00 00 00", 0, 1_000, Status.OK, True),
        ("03 03 02 00 F4 01", 500_000, 1_000, Status.MOTION, False),
        ("03 04 02 01 32 00", 500_000, 10_000, Status.OK, True),  # exponent +1 is not -1
        ("03 04 02 FE 32 00", 500, 10, Status.OK, True),
        ("03 04 02 02 05 00", 500_000, 100_000, Status.OK, True),
        ("03 04 03 FD 39 30", 12_345_000, 1_000, Status.OK, True),
        ("03 04 0C FE 39 30", 55_995_978, 4_536, Status.OK, True),
        ("03 04 01 00 39 30", 12_345, 1, Status.OK, True),
        ("03 04 08 FD 01 00", 1_000_000, 1_000_000, Status.OK, True),
        ("03 04 02 00 FF FF", 65_535_000, 1_000, Status.OK, True),
    ],
)
def test_weights(text: str, milligrams: int, interval_mg: int, status: Status, stable: bool) -> None:
    found = report(text)
    assert found.mass is not None
    assert (found.mass.milligrams, found.mass.interval_mg) == (milligrams, interval_mg)
    assert (found.status, found.stable) == (status, stable)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("03 01 02 00 00 00", Status.FAULT),
        ("03 06 0C FE 00 00", Status.OVERLOAD),
        ("03 06 02 00 F4 01", Status.OVERLOAD),  # a stale number
        ("03 06 00 00 00 00", Status.OVERLOAD),  # no unit while over
        ("03 07 02 00 00 00", Status.FAULT),
        ("03 08 02 00 00 00", Status.NOT_ZEROED),
        ("03 04 0A 00 10 00", Status.FAULT),  # troy ounces are not converted
        ("03 04 04 00 10 00", Status.FAULT),  # nor carats
    ],
)
def test_no_weight_is_never_zero(text: str, status: Status) -> None:
    found = report(text)
    assert (found.status, found.mass, found.stable) == (status, None, False)


@pytest.mark.parametrize(
    "text",
    [
        "03 00 02 00 F4 01",
        "03 09 02 00 F4 01",
        "03 04 00 00 F4 01",
        "03 04 0D 00 F4 01",
        "03 04 02 40 F4 01",
        "03 02 02 00 F4 01",  # "zero", and half a kilogram
        "03 04 08 02 F4 01",  # 50 000 t
    ],
)
def test_what_cannot_be_a_report(text: str) -> None:
    assert parse_report(bytes.fromhex(text)) is None
    frames = parse(bytes.fromhex(text) + HALF_KILO)
    assert [frame.raw for frame in frames if isinstance(frame, Reading)] == [HALF_KILO]
    assert any(isinstance(frame, Garbage) for frame in frames)


def test_the_first_report_after_opening_is_the_previous_weighing(bench: Callable[..., Bench]) -> None:
    """S21."""
    made = bench("hid")
    made.receive(HALF_KILO)
    assert made.indications == []
    made.stream([HALF_KILO] * 6)
    assert made.accepted == [500_000]
    made.scale.opened(made.now)
    made.receive(bytes.fromhex("03 04 02 00 2C 01"))
    assert all(indication.gross_mg == 500_000 for indication in made.indications)


@pytest.mark.parametrize("noise", [b"\x02\x01", b"\x02\x02", b"\x02\x00", b"\x00", b"\x00\x00"])
def test_other_reports_are_noise(noise: bytes) -> None:
    frames = parse(noise + HALF_KILO + noise + HALF_KILO)
    assert [frame.raw for frame in frames if isinstance(frame, Reading)] == [HALF_KILO] * 2
    assert not any(isinstance(frame, Garbage) for frame in frames)


@pytest.mark.parametrize("other", ["01 24", "01 24 01 00 00 00", "04 04 02 00 F4 01", "05 02 00 10 27", "03 04"])
def test_reports_of_other_kinds_give_no_weight(other: str) -> None:
    """Nor does a cut-off one; what follows is understood again."""
    frames = parse(bytes.fromhex(other) + HALF_KILO + HALF_KILO)
    readings = [frame for frame in frames if isinstance(frame, Reading)]
    assert {frame.raw for frame in readings} == {HALF_KILO}


def test_asleep_is_silent_with_a_hint(bench: Callable[..., Bench]) -> None:
    made = bench("hid")
    made.stream([HALF_KILO] * 3)
    made.wait(3.0)
    assert made.indications[-1].status is Status.NO_REPLY
    health = made.scale.health(made.now)
    assert health is not None
    assert "press its button" in health[1]


def test_known_scales_are_named() -> None:
    assert KNOWN_USB_SCALES[0x0922, 0x8003].startswith("Dymo")
    assert len(KNOWN_USB_SCALES) == 14


def test_a_megabyte_of_garbage_takes_no_memory() -> None:
    parser = HidParser()
    assert all(isinstance(f, Garbage) and len(f.raw) <= 64 for f in parser.feed(b"\x55" * 1_000_000))
    assert sum(len(f.raw) for f in parser.drop()) <= 64


PARTS = [HALF_KILO, bytes.fromhex("03 05 0B FF 03 00"), b"\x02\x01", *(bytes([b]) for b in b"\x00\x01\x02\x03\x04\xff")]


@given(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(PARTS), max_size=60).map(b"".join)))
def test_any_bytes_in_any_pieces_give_the_same_frames(data: bytes) -> None:
    whole, pieces = HidParser(), HidParser()
    at_once = whole.feed(data) + whole.idle() + whole.drop()
    singly = [frame for byte in data for frame in pieces.feed(bytes([byte]))] + pieces.idle() + pieces.drop()
    assert at_once == singly
