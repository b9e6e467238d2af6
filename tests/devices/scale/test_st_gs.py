"""The comma family against makers' tables and two real captures (DEVICES §1.7; S3, S7, S12–S14, S20)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.capture import read_capture
from devices.ports import Status, WeightKind
from devices.scale.frames import Frame, Garbage, Reading, Reply
from devices.scale.st_gs import StGsParser
from station.inspection.facts import StableSource

AND = b"ST,+0012.345 kg\r\n"
AND18 = b"ST,GS,  12.345kg\r\n"
CAS22 = b"ST,GS,1\xc5,  12.345 kg\r\n"
DINI = b"ST,GS,  12.345,kg\r\n"
DINI_AF = b"ST,1,    12.345kg,       0.000kg\r\n"
NHB = b"ST,GS    20.7g  \r\n"
QHW = b"ST,GS,   245.6 g\r\n"
KERN = b"      12.345 kg \r\n"


def parse(data: bytes) -> list[Frame]:
    parser = StGsParser()
    return parser.feed(data) + parser.idle()


def only(data: bytes) -> Reading:
    frames = parse(data)
    assert len(frames) == 1, frames
    assert isinstance(frames[0], Reading), frames
    return frames[0]


@pytest.mark.parametrize(
    ("frame", "milligrams", "interval_mg", "kind"),
    [
        (AND, 12_345_000, 1_000, WeightKind.UNKNOWN),
        (b"ST,-0012.345 kg\r\n", -12_345_000, 1_000, WeightKind.UNKNOWN),
        (b"ST,+0000.000 kg\r\n", 0, 1_000, WeightKind.UNKNOWN),
        (b"ST,-0000.000 kg\r\n", 0, 1_000, WeightKind.UNKNOWN),
        (b"ST,+00123.45  g\r\n", 123_450, 10, WeightKind.UNKNOWN),
        (b"ST,+0012,345 kg\r\n", 12_345_000, 1_000, WeightKind.UNKNOWN),
        (b"ST,OK,+0012.345 kg\r\n", 12_345_000, 1_000, WeightKind.UNKNOWN),
        (b"ST,HI,+0012.345 kg\r\n", 12_345_000, 1_000, WeightKind.UNKNOWN),
        (CAS22, 12_345_000, 1_000, WeightKind.GROSS),
        (b"ST,NT,1\xc2,-  0.250 kg\r\n", -250_000, 1_000, WeightKind.NET),
        (AND18, 12_345_000, 1_000, WeightKind.GROSS),
        (b"ST,GS,+00012.3kg\r\n", 12_300_000, 100_000, WeightKind.GROSS),
        (b"ST,GS,+  27.26kg\r\n", 27_260_000, 10_000, WeightKind.GROSS),
        (b"ST,GS,+      0 g\r\n", 0, 1_000, WeightKind.GROSS),
        (b"ST,GS,+   5.00lb\r\n", 2_267_962, 4_536, WeightKind.GROSS),
        (b"ST,GS,-  107.0oz\r\n", -3_033_399, 2_835, WeightKind.GROSS),
        (b"ST,NT,  -0.500kg\r\n", -500_000, 1_000, WeightKind.NET),
        (b"ST,TR,   1.500kg\r\n", 1_500_000, 1_000, WeightKind.TARE),
        (b"ST,GS,  12,345kg\r\n", 12_345_000, 1_000, WeightKind.GROSS),
        (DINI, 12_345_000, 1_000, WeightKind.GROSS),
        (b"ST,1,  12.345kg,   0.000kg\r\n", 12_345_000, 1_000, WeightKind.GROSS),
        (DINI_AF, 12_345_000, 1_000, WeightKind.GROSS),
        (b"ST,1,    12.345kg,PT     0.500kg\r\n", 12_345_000, 1_000, WeightKind.GROSS),
        (NHB, 20_700, 100, WeightKind.GROSS),
        (QHW, 245_600, 100, WeightKind.GROSS),
        (b"M-       0.000 kg \r\n", 0, 1_000, WeightKind.UNKNOWN),
        (KERN, 12_345_000, 1_000, WeightKind.UNKNOWN),
        (b"         0.0 g  \r\n", 0, 100, WeightKind.UNKNOWN),
        (b"\x02ST,GS,  12.345kg\x03\r\n", 12_345_000, 1_000, WeightKind.GROSS),
    ],
)
def test_settled_frames_of_the_makers(frame: bytes, milligrams: int, interval_mg: int, kind: WeightKind) -> None:
    found = only(frame)
    assert found.mass is not None
    assert (found.mass.milligrams, found.mass.interval_mg, found.kind) == (milligrams, interval_mg, kind)
    assert (found.status, found.stable, found.stable_source) == (Status.OK, True, StableSource.SCALE)
    assert found.raw == frame


@pytest.mark.parametrize(
    "frame",
    [
        b"US,+0012.345 kg\r\n",
        b"US,GS,1\x85,  12.345 kg\r\n",
        b"US,GS,  12.345,kg\r\n",
        b"US,1,    12.345kg,       0.000kg\r\n",
    ],
)
def test_moving_frames_carry_their_weight_but_are_not_settled(frame: bytes) -> None:
    found = only(frame)
    assert (found.status, found.stable) == (Status.MOTION, False)
    assert found.mass is not None
    assert found.mass.milligrams == 12_345_000


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (b"OL,+9999.999 kg\r\n", Status.OVERLOAD),
        (b"OL,+0000.234 kg\r\n", Status.OVERLOAD),  # a stale number
        (b"OL,-9999.999 kg\r\n", Status.UNDERLOAD),
        (b"OL,GS,1\xa4,  ------ kg\r\n", Status.OVERLOAD),
        (b"OL,GS,  ------,kg\r\n", Status.OVERLOAD),
        (b"UL,GS,   0.000,kg\r\n", Status.UNDERLOAD),
        (b"OL,1,    99.999kg,       0.000kg\r\n", Status.OVERLOAD),
        (b"QT,+00012345 PC\r\n", Status.FAULT),
        (b"ST,+000123.4  %\r\n", Status.FAULT),
        (b"ST,GS,1\xd4,  12.345 kg\r\n", Status.FAULT),  # the hold lamp: an old number
        (b"ERR04\r\n", Status.FAULT),
        (b"EC,E01\r\n", Status.FAULT),
        (b"       Error\r\n", Status.FAULT),
        (b"         1.000 \r\n", Status.MOTION),  # Kern: no unit, not settled
        (b"          12 pcs\r\n", Status.FAULT),
    ],
)
def test_no_weight_is_never_zero(frame: bytes, status: Status) -> None:
    found = only(frame)
    assert (found.status, found.mass, found.stable) == (status, None, False)


@pytest.mark.parametrize("frame", [b"\x06\r\n", b"OK\r\n"])
def test_answers_that_say_nothing_about_the_load(frame: bytes) -> None:
    assert parse(frame) == [Reply(frame)]


@pytest.mark.parametrize(
    "frame",
    [
        b"S    20.7g  \r\n",  # a capture begins in the middle of a frame
        b"ST,GS,1\x85,  12.345 kg\r\n",  # settled, says the status; moving, say the lamps
        b"US,GS,1\xc5,  12.345 kg\r\n",
        b"ST,GS,1E,  12.345 kg\r\n",  # seven data bits: the lamp byte has lost its eighth
        b"ST,+012.345 kg\r\n",
        b"ST,+00012.345 kg\r\n",
        b"ST,GS,  012.345kg\r\n",
        b"ST,GS,  12.3.45kg\r\n",
        b"ST,GS,+  -0.25kg\r\n",
        b"ST,GS,  12 345kg\r\n",
        b"ST,GS,  12.345\r\n",
        b"ST,1,  12.345kg,   0.000lb\r\n",
        b"4.54pH 24.7\xf8C ATC\r\n",
        b"\xff\xfe\xfd\xfc\r\n",
    ],
)
def test_damaged_and_foreign_lines_are_refused(frame: bytes) -> None:
    assert [type(found) for found in parse(frame)] == [Garbage]


def test_a_layout_without_a_table_proves_itself() -> None:
    line = b"ST,GS, 12.345 kg\r\n"
    frames = parse(line * 4)
    assert [type(frame) for frame in frames] == [Garbage, Garbage, Reading, Reading]
    assert "3 to believe" in frames[0].reason if isinstance(frames[0], Garbage) else False
    interrupted = parse(line * 2 + b"nonsense\r\n" + line * 2)
    assert all(isinstance(frame, Garbage) for frame in interrupted)


def test_a_lost_byte_does_not_make_another_makers_frame() -> None:
    damaged = b"ST,GS,+012.345 kg\r\n"
    frames = parse(b"ST,GS,+0012.345 kg\r\n" * 2 + damaged * 2 + b"ST,GS,+0012.345 kg\r\n")
    assert [type(frame) for frame in frames] == [Reading, Reading, Garbage, Garbage, Reading]


def test_the_unit_may_change_between_frames() -> None:
    """S13."""
    frames = parse(b"ST,GS,   0.250kg\r\n" + b"ST,GS,   250.0 g\r\n")
    assert [(f.mass.milligrams, f.mass.unit) for f in frames if isinstance(f, Reading) and f.mass] == [
        (250_000, "kg"),
        (250_000, "g"),
    ]


@pytest.mark.parametrize(
    ("name", "counts", "masses"),
    [
        ("tscale_nhb.txt", {Status.OK: 405, Status.MOTION: 3}, {20_700}),
        ("tscale_qhw.txt", {Status.OK: 825, Status.MOTION: 4}, {245_200, 245_300, 245_400, 245_500, 245_600}),
    ],
)
def test_the_real_captures(shared_data: Path, name: str, counts: dict[Status, int], masses: set[int]) -> None:
    frames = parse(b"".join(chunk.data for chunk in read_capture(shared_data / "scales" / name)))
    readings = [frame for frame in frames if isinstance(frame, Reading)]
    assert Counter(reading.status for reading in readings) == counts
    assert {reading.mass.milligrams for reading in readings if reading.mass} == masses
    assert {reading.kind for reading in readings} == {WeightKind.GROSS}
    refused = [frame.raw for frame in frames if isinstance(frame, Garbage)]
    assert refused == ([b"S    20.7g  \r\n"] if "nhb" in name else [])


def test_a_megabyte_of_garbage_takes_no_memory() -> None:
    """S20."""
    parser = StGsParser()
    assert len(parser.feed(b"ST," * 350_000)) == 1
    assert parser.drop() == []


PARTS = [AND, AND18, CAS22, DINI, DINI_AF, NHB, QHW, KERN, *(bytes([b]) for b in b"STUOL,+-0123456789. kg\r\n\x00\xc5")]


@given(st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PARTS), max_size=40).map(b"".join)))
def test_any_bytes_in_any_pieces_give_the_same_frames(data: bytes) -> None:
    """S3."""
    whole, pieces = StGsParser(), StGsParser()
    at_once = whole.feed(data) + whole.idle() + whole.drop()
    singly = [frame for byte in data for frame in pieces.feed(bytes([byte]))] + pieces.idle() + pieces.drop()
    assert at_once == singly
    for frame in at_once:
        if isinstance(frame, Reading) and frame.mass is not None:
            assert frame.status in (Status.OK, Status.MOTION)
            number = frame.raw.split(b",", 2)[-1].split(b"kg")[0] if frame.raw[:3] != b"   " else frame.raw
            digits = bytes(byte for byte in number if byte in b"0123456789")
            assert str(abs(frame.mass.milligrams)).strip("0") in digits.decode()
