"""Yaohua's four forms (DEVICES §1.9; S3, S14, S20)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ports import Status, WeightKind
from devices.scale import DRIVERS
from devices.scale.frames import Frame, Garbage, Reading, Reply
from devices.scale.yaohua import READ_GROSS, YaohuaParser, parser_for_unit
from station.errors import InvalidInput
from station.inspection.facts import StableSource

PUSHED = bytes.fromhex("02 2B 30 31 32 33 34 35 33 31 39 03")
"""+12.345, as the maker prints it."""
REVERSED = b"=00.1000-"
A12E = b"WG004.139kg3D\r\n"


def parse(data: bytes, unit: str = "kg") -> list[Frame]:
    parser = YaohuaParser(unit)
    return parser.feed(data) + parser.idle()


def only(data: bytes, unit: str = "kg") -> Reading:
    frames = parse(data, unit)
    assert len(frames) == 1, frames
    assert isinstance(frames[0], Reading), frames
    return frames[0]


@pytest.mark.parametrize(
    ("frame", "milligrams", "interval_mg", "kind"),
    [
        (PUSHED, 12_345_000, 1_000, WeightKind.UNKNOWN),
        (b"\x02+00326001C\x03", 3_260_000_000, 1_000_000, WeightKind.UNKNOWN),  # a real A9
        (b"\x02+003290013\x03", 3_290_000_000, 1_000_000, WeightKind.UNKNOWN),  # a real A9
        (b"\x02-000250319\x03", -250_000, 1_000, WeightKind.UNKNOWN),
        (b"\x02+00326001<\x03", 3_260_000_000, 1_000_000, WeightKind.UNKNOWN),  # the A22's check
        (b"\x02AB+01234531:\x03", 12_345_000, 1_000, WeightKind.GROSS),
        (b"\x02AB+01234531A\x03", 12_345_000, 1_000, WeightKind.GROSS),
        (b"\x02AC+01234531B\x03", 12_345_000, 1_000, WeightKind.TARE),
        (b"\x02AD+01234531C\x03", 12_345_000, 1_000, WeightKind.NET),
        (A12E, 4_139_000, 1_000, WeightKind.GROSS),
        (b"WN-00.250kg21\r\n", -250_000, 1_000, WeightKind.NET),
        (b"WT004.139kg2E\r\n", 4_139_000, 1_000, WeightKind.TARE),
    ],
)
def test_frames_with_a_check(frame: bytes, milligrams: int, interval_mg: int, kind: WeightKind) -> None:
    found = only(frame)
    assert found.mass is not None
    assert (found.mass.milligrams, found.mass.interval_mg, found.kind) == (milligrams, interval_mg, kind)
    assert (found.status, found.raw) == (Status.OK, frame)


@pytest.mark.parametrize("frame", [PUSHED, A12E])
def test_rest_is_never_declared(frame: bytes) -> None:
    found = only(frame)
    assert (found.stable, found.stable_source) == (False, StableSource.INFERRED)


@pytest.mark.parametrize(
    ("frame", "milligrams", "kind"),
    [
        (REVERSED, -1_000_000, WeightKind.UNKNOWN),
        (b"=543.2100", 12_345_000, WeightKind.UNKNOWN),
        (b"=00010000", 1_000_000_000, WeightKind.UNKNOWN),
        (b"ww004.139kg\r\n", 4_139_000, WeightKind.GROSS),
        (b"wn-0000.1kg\r\n", -100_000, WeightKind.NET),
        (b"wt010.000lb\r\n", 4_535_924, WeightKind.TARE),
    ],
)
def test_forms_without_a_check_prove_themselves(frame: bytes, milligrams: int, kind: WeightKind) -> None:
    frames = parse(frame * 4)
    assert [type(found) for found in frames] == [Garbage, Garbage, Reading, Reading]
    last = frames[-1]
    assert isinstance(last, Reading)
    assert last.mass is not None
    assert (last.mass.milligrams, last.kind, last.raw) == (milligrams, kind, frame)
    broken = parse(frame * 2 + b"=x" + frame * 2)
    assert not any(isinstance(found, Reading) for found in broken)


@pytest.mark.parametrize(
    ("frame", "status"), [(b"         OL23\r\n", Status.OVERLOAD), (b"         LO23\r\n", Status.UNDERLOAD)]
)
def test_out_of_range(frame: bytes, status: Status) -> None:
    found = only(frame)
    assert (found.status, found.mass) == (status, None)


@pytest.mark.parametrize(
    "frame",
    [
        PUSHED[:9] + b"18\x03",
        PUSHED[:3] + PUSHED[4:],
        b"\x02+0123453\x03",
        b"\x02*012345318\x03",
        b"WG004.139kg3E\r\n",
        b"WG004.139kg\r\n",
        b"WG04.139kg0D\r\n",
        b"ww004.139kg3D\r\n",
        b"         OL24\r\n",
        b"=00.10.0-",
        b"=00 1000-",
    ],
)
def test_damaged_frames_are_refused(frame: bytes) -> None:
    assert [type(found) for found in parse(frame)] == [Garbage]


def test_answers_that_are_no_weight() -> None:
    assert parse(b"\x02AA00\x03") == [Reply(b"\x02AA00\x03")]
    assert DRIVERS["yaohua"].poll is None
    assert bytes.fromhex("02 41 42 30 33 03") == READ_GROSS  # the manual's own table


def test_every_single_changed_byte_is_refused() -> None:
    """What the check is for: none of 12 × 255 damaged frames is another weight."""
    believed = 0
    for position in range(len(PUSHED)):
        for value in range(256):
            frame = PUSHED[:position] + bytes([value]) + PUSHED[position + 1 :]
            if value == PUSHED[position]:
                continue
            masses = {f.mass.milligrams for f in parse(frame) if isinstance(f, Reading) and f.mass}
            assert masses == set(), frame
            believed += len(masses)
    assert believed == 0


def test_a_frame_that_broke_off_does_not_swallow_the_next() -> None:
    for cut in range(1, len(PUSHED)):
        frames = parse(PUSHED[:cut] + PUSHED)
        assert [f.raw for f in frames if isinstance(f, Reading)] == [PUSHED], cut
    for cut in range(1, len(REVERSED)):
        frames = parse(REVERSED * 3 + REVERSED[:cut] + REVERSED)
        assert [f.raw for f in frames if isinstance(f, Reading)] == [REVERSED, REVERSED], cut


def test_the_unit_is_the_one_that_the_indicator_is_set_to() -> None:
    frame = only(b"\x02+012345319\x03", "lb")
    assert frame.mass is not None
    assert (frame.mass.unit, frame.mass.milligrams) == ("lb", 5_599_598)
    (found,) = DRIVERS["yaohua"].in_unit("lb").parser().feed(PUSHED)
    assert isinstance(found, Reading)
    assert found.mass
    assert found.mass.unit == "lb"
    with pytest.raises(InvalidInput, match="stone"):
        parser_for_unit("stone")


def test_a_megabyte_of_garbage_takes_no_memory() -> None:
    parser = YaohuaParser()
    assert all(isinstance(f, Garbage) and len(f.raw) <= 32 for f in parser.feed(b"\x55" * 1_000_000))
    assert sum(len(f.raw) for f in parser.drop()) <= 32


PARTS = [PUSHED, REVERSED, A12E, b"ww004.139kg\r\n", *(bytes([b]) for b in b"\x02\x03=+-0123456789.WGkg\r\n\x00")]


@given(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(PARTS), max_size=40).map(b"".join)))
def test_any_bytes_in_any_pieces_give_the_same_frames(data: bytes) -> None:
    whole, pieces = YaohuaParser(), YaohuaParser()
    at_once = whole.feed(data) + whole.idle() + whole.drop()
    singly = [frame for byte in data for frame in pieces.feed(bytes([byte]))] + pieces.idle() + pieces.drop()
    assert at_once == singly
