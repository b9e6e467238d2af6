"""Print strings against makers' tables and real captures (DEVICES §1.8)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.capture import read_capture
from devices.ports import Status, WeightKind
from devices.scale.frames import Frame, Garbage, Reading
from devices.scale.print_string import PrintStringParser
from station.inspection.facts import StableSource

REAL = bytes.fromhex("20 20 20 30 2E 33 36 30 20 6B 67 20 20 20 20 47 0D 0A")
"""From a Defender 3000."""
PADDED = b"  " + b"  0.360" + b" " + b"kg   " + b" " + b"G  " + b"\r\n"
"""The columns that the manual prints: a space behind the polarity, a legend of three."""
SBI16 = b"+   123.56 g  \r\n"
SBI22 = b"N     +   123.56 g  \r\n"
STR5 = b"\x02   12.34KG \r\n"


def parse(data: bytes) -> list[Frame]:
    parser = PrintStringParser()
    return parser.feed(data) + parser.idle()


def only(data: bytes) -> Reading:
    frames = parse(data)
    assert len(frames) == 1, frames
    assert isinstance(frames[0], Reading), frames
    return frames[0]


@pytest.mark.parametrize(
    ("frame", "milligrams", "interval_mg", "kind"),
    [
        (REAL, 360_000, 1_000, WeightKind.GROSS),
        (PADDED, 360_000, 1_000, WeightKind.GROSS),
        (b"-  1.640 kg    N\r\n", -1_640_000, 1_000, WeightKind.NET),
        (b"-  1.640 kg    NET\r\n", -1_640_000, 1_000, WeightKind.NET),
        (b"    12,5 kg    G\r\n", 12_500_000, 100_000, WeightKind.GROSS),
        (b"      12 lb    G\r\n", 5_443_108, 453_592, WeightKind.GROSS),
        (b" 12:07.5 lb:oz G\r\n", 5_655_730, 2_835, WeightKind.GROSS),
        (b"-  0.000 kg    G\r\n", 0, 1_000, WeightKind.GROSS),
        (SBI16, 123_560, 10, WeightKind.UNKNOWN),
        (b"-   123.56 g  \r\n", -123_560, 10, WeightKind.UNKNOWN),
        (b"+   1.2345 kg \r\n", 1_234_500, 100, WeightKind.UNKNOWN),
        (b"+  123.5[6]g  \r\n", 123_560, 10, WeightKind.UNKNOWN),
        (SBI22, 123_560, 10, WeightKind.UNKNOWN),
        (b"G#    +   123.56 g  \r\n", 123_560, 10, WeightKind.GROSS),
        (b"T1    +   123.56 g  \r\n", 123_560, 10, WeightKind.TARE),
        (STR5, 12_340_000, 10_000, WeightKind.GROSS),
        (b"\x02-   12.3LN \r\n", -5_579_186, 45_359, WeightKind.NET),
        (b"\x02   12.34KG \r", 12_340_000, 10_000, WeightKind.GROSS),
        (b"G     +     0.04 g  \r\n", 40, 10, WeightKind.GROSS),
        (b"+  12.34[5]kg \r\n", 12_345_000, 1_000, WeightKind.UNKNOWN),
        (b"N     +  123.5[6]g  \r\n", 123_560, 10, WeightKind.UNKNOWN),
        (b"+007.12/3 G S\r\n", 7_123, 1, WeightKind.UNKNOWN),  # real: its display shows 7.123
        (b"-65.4321KG S\r\n", -65_432_100, 100, WeightKind.UNKNOWN),
        (b"+00123.4 G S\r\n", 123_400, 100, WeightKind.UNKNOWN),
        (b"S    -  172.135 kg \r\n", -172_135_000, 1_000, WeightKind.UNKNOWN),
        (b"SI       58.237 g  \r\n", 58_237, 1, WeightKind.UNKNOWN),
        (b"\r+0012.34  lb g  \x03", 5_597_330, 4_536, WeightKind.GROSS),
        (b"\r-000123.  kg n  \x03", -123_000_000, 1_000_000, WeightKind.NET),
    ],
)
def test_stable_frames_of_the_makers(frame: bytes, milligrams: int, interval_mg: int, kind: WeightKind) -> None:
    found = only(frame)
    assert found.mass is not None
    assert (found.mass.milligrams, found.mass.interval_mg, found.kind) == (milligrams, interval_mg, kind)
    assert found.status is Status.OK
    assert found.stable
    assert found.stable_source is StableSource.SCALE
    assert found.raw == frame.lstrip(b"\r")


@pytest.mark.parametrize(
    ("frame", "milligrams", "kind"),
    [
        (b"     N       0.3747 g   \r\n", 375, WeightKind.NET),  # real: its display shows "Net 0.3747 g"
        (b"     G      -0.3747 g   \r\n", -375, WeightKind.GROSS),
        (b" G  12.34 lb\r\n", 5_597_330, WeightKind.GROSS),
        (b" N- 0.250 kg\r\n", -250_000, WeightKind.NET),
        (b" T  1.500 kg\r\n", 1_500_000, WeightKind.TARE),
        (b"+0012.345 kg\r\n", 12_345_000, WeightKind.UNKNOWN),
        (b"+0000.000 kg\r\n", 0, WeightKind.UNKNOWN),
    ],
)
def test_documented_layouts_that_say_nothing_about_rest(frame: bytes, milligrams: int, kind: WeightKind) -> None:
    found = only(frame)
    assert found.mass is not None
    assert (found.mass.milligrams, found.kind, found.status) == (milligrams, kind, Status.OK)
    assert (found.stable, found.stable_source) == (False, StableSource.INFERRED)


def test_a_question_mark_means_motion() -> None:
    found = only(b"    19.8 kg   ?G\r\n")
    assert found.mass is not None
    assert (found.mass.milligrams, found.status, found.stable) == (19_800_000, Status.MOTION, False)


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (b"+   123.56    \r\n", Status.MOTION),  # SBI: a blank unit is "not stable"
        (b"N     +   123.56    \r\n", Status.MOTION),
        (b"      H       \r\n", Status.OVERLOAD),
        (b"      L       \r\n", Status.UNDERLOAD),
        (b"      C       \r\n", Status.FAULT),
        (b"Stat        OFF   \r\n", Status.FAULT),
        (b"Err 101       \r\n", Status.FAULT),
        (b"Stat     ERR 101    \r\n", Status.FAULT),
        (b"^^^^^^^ kg\r\n", Status.OVERLOAD),
        (b"_______ kg\r\n", Status.UNDERLOAD),
        (b"-------\r\n", Status.ZERO_ERROR),
        (b"    Err 8.3\r\n", Status.OVERLOAD),
        (b"    Err 8.4\r\n", Status.UNDERLOAD),
        (b"ES\r\n", Status.FAULT),
        (b"OL\r\n", Status.OVERLOAD),
        (b"\x02   12.34KGM\r\n", Status.MOTION),
        (b"\x02   12.34KGI\r\n", Status.FAULT),
        (b"\x02   12.34KGO\r\n", Status.OVERLOAD),
        (b"\x02-  12.34KGO\r\n", Status.UNDERLOAD),
        (b"      12 PCS   G\r\n", Status.FAULT),
        (b"Stat        OFF     \r\n", Status.FAULT),
        (b"Stat      High      \r\n", Status.OVERLOAD),
        (b"      High    \r\n", Status.OVERLOAD),
        (b"      Low     \r\n", Status.UNDERLOAD),
        (b"      Cal     \r\n", Status.FAULT),
        (b"       --     \r\n", Status.FAULT),
        (b"Err 54        \r\n", Status.FAULT),
        (b"+00123.4 G U\r\n", Status.MOTION),
        (b"+00000.0 G E\r\n", Status.FAULT),
        (b"+000012.PC S\r\n", Status.FAULT),
        (b"SUI? -   58.237 kg \r\n", Status.MOTION),
        (b"SI ^    999.999 kg \r\n", Status.OVERLOAD),
        (b"SI v -    0.250 kg \r\n", Status.UNDERLOAD),
        (b" m  12.34 lb\r\n", Status.MOTION),
        (b" o  99.99 lb\r\n", Status.OVERLOAD),
        (b"+0012.34m lb g  \x03", Status.MOTION),
        (b"+0099.99o lb g  \x03", Status.OVERLOAD),
    ],
)
def test_what_is_not_settled_says_so(frame: bytes, status: Status) -> None:
    found = only(frame)
    assert found.status is status
    assert not found.stable
    assert found.mass is None or status is Status.MOTION


@pytest.mark.parametrize(
    "data",
    [
        b"   G\r\n",  # both starts are real: a capture begins in the middle of a frame
        b"S    99.9g  \r\n",
        bytes.fromhex("00007f7f") + b"    0.0 kg    G\r\n",  # a real log: noise ate one byte of this frame
        b"   .360 kg    G\r\n",
        b"   0.36  kg    G\r\n",
        b"   00.360 kg   G\r\n",
        b"ST,GS    20.7g  \r\n",
        b"ST,GS,1\xc5,  12.345 kg\r\n",
        b"12.5 \xf8C\r\n",
        bytes(byte | 0x80 for byte in REAL[:-2]) + b"\r\n",
        b"  12.345 kg\r\n",  # a plain line alone proves no layout
        b"4.54pH 24.7\xf8C ATC\r\n",  # a real pH meter, with its degree sign
        b"A    349.0\r",  # a real floor scale's ticket: a number without a unit
        b"GROSS WEIGHT    1152.0\r",
        b"STATUS \x81*\r\n",
        b"+07.12/3 G S\r\n",
        b"+00712/3 G S\r\n",
        b"+007.123/ G S\r\n",
        b"     N        0.3747 g   \r\n",
        b"SUI     58.237 kg \r\n",
    ],
)
def test_no_reading_from_half_frames_and_foreign_ones(data: bytes) -> None:
    frames = parse(data)
    assert [type(frame) for frame in frames] == [Garbage]


def test_after_noise_the_next_frame_counts() -> None:
    whole = b"     0.0 kg    G\r\n"
    frames = parse(bytes.fromhex("00007f7f") + whole[1:] + whole + bytes.fromhex("0000") + whole)
    assert [type(frame) for frame in frames] == [Garbage, Reading, Reading]
    assert [frame.raw for frame in frames[1:]] == [whole, whole]


def test_a_plain_layout_is_learnt_and_never_called_stable() -> None:
    frames = parse(b"  12.345 kg\r\n" * 4)
    assert [type(frame) for frame in frames] == [Garbage, Garbage, Reading, Reading]
    last = frames[-1]
    assert isinstance(last, Reading)
    assert last.mass is not None
    assert last.mass.milligrams == 12_345_000
    assert not last.stable
    assert last.stable_source is StableSource.INFERRED


def test_a_ticket_of_several_lines_gives_no_weight() -> None:
    """T-Scale JIK-6CAB, as captured: tare, gross, two counters, net, net, pieces."""
    ticket = (
        b"^KJIK000\r\n2023-11-07\r\n17:19:26\r\n  0.00 kg\r\n  1.94 kg\r\n0\r\n0\r\n  1.94 kg\r\n  1.94 kg\r\n"
        b"    0 pcs\r\n \r\n \r\nE\r\n~P1\r\n"
    )
    assert all(isinstance(frame, Garbage) for frame in parse(ticket * 20))


def test_adam_prints_a_plain_line() -> None:
    frames = parse(b"    1.234kg\r\n" * 3)
    assert isinstance(frames[-1], Reading)
    assert frames[-1].mass
    assert frames[-1].mass.milligrams == 1_234_000


@pytest.mark.parametrize("data", [b"12.5 \xf8C\r\n", b"   0.360 \xf8g    G\r\n"])
def test_a_degree_sign_is_not_called_a_wrong_baud_rate(data: bytes) -> None:
    """S12."""
    (frame,) = parse(data)
    assert isinstance(frame, Garbage)
    assert frame.reason == "no known print layout"


def test_a_lost_byte_does_not_turn_one_layout_into_another() -> None:
    """Without its first digit the manual's layout looks like the real one, with another weight."""
    weight = b"   12.345 kg    NET\r\n"
    damaged = b"   2.345 kg    NET\r\n"
    assert isinstance(parse(damaged)[0], Reading), "the premise: alone it is a valid frame"
    frames = parse(weight * 2 + damaged + weight)
    assert [type(frame) for frame in frames] == [Reading, Reading, Garbage, Reading]


def test_a_lone_carriage_return_ends_a_frame_too() -> None:
    parser = PrintStringParser()
    assert parser.feed(STR5[:-1]) == []
    assert [frame.raw for frame in parser.idle()] == [STR5[:-1]]
    parser = PrintStringParser()
    assert [frame.raw for frame in parser.feed(STR5[:-1] * 3)] == [STR5[:-1]] * 2


def test_the_real_defender_capture(shared_data: Path) -> None:
    chunks = read_capture(shared_data / "scales" / "ohaus_defender3000_hex.txt")
    frames = parse(b"".join(chunk.data for chunk in chunks))
    readings = [frame for frame in frames if isinstance(frame, Reading)]
    assert isinstance(frames[0], Garbage)
    assert len(readings) == 454
    assert {(reading.mass.milligrams, reading.stable) for reading in readings if reading.mass} == {(360_000, True)}


@pytest.mark.parametrize("name", ["tscale_nhb.txt", "tscale_qhw.txt"])
def test_another_family_is_not_misread(shared_data: Path, name: str) -> None:
    chunks = read_capture(shared_data / "scales" / name)
    frames = parse(b"".join(chunk.data for chunk in chunks))
    assert len(frames) > 400
    assert all(isinstance(frame, Garbage) for frame in frames)


def test_a_megabyte_of_garbage_takes_no_memory() -> None:
    parser = PrintStringParser()
    frames = parser.feed(b"\x55" * 1_000_000)
    assert len(frames) == 1
    assert len(frames[0].raw) <= 256
    assert parser.drop() == []
    after = PrintStringParser()
    after.feed(b"\x55" * 10_000)
    assert [frame.raw for frame in after.feed(b"\r\n" + REAL)] == [REAL]


@given(st.binary(max_size=400))
def test_any_bytes_in_any_pieces_give_the_same_frames(data: bytes) -> None:
    whole, pieces = PrintStringParser(), PrintStringParser()
    at_once = whole.feed(data) + whole.idle() + whole.drop()
    singly = [frame for byte in data for frame in pieces.feed(bytes([byte]))] + pieces.idle() + pieces.drop()
    assert at_once == singly


OTHERS = [b"+007.12/3 G S\r\n", b"SUI? -   58.237 kg \r\n", b"     N       0.3747 g   \r\n", b"\r+0012.34  kg g  \x03"]
ALPHABET = [REAL, PADDED, SBI16, SBI22, STR5, *OTHERS, *(bytes([b]) for b in b" +-?GN0123456789.,[]kglb\r\n\x02\x00")]


@given(st.lists(st.sampled_from(ALPHABET), max_size=60))
def test_a_reading_has_its_digits_in_its_bytes(parts: list[bytes]) -> None:
    for frame in parse(b"".join(parts)):
        if isinstance(frame, Reading) and frame.mass is not None:
            assert frame.status in (Status.OK, Status.MOTION)
            digits = bytes(byte for byte in frame.raw if byte in b"0123456789").lstrip(b"0")
            if frame.mass.unit in ("g", "kg", "mg", "t") and b"0.3747" not in frame.raw:  # tenths of a milligram
                assert str(abs(frame.mass.milligrams)).rstrip("0") == digits.decode().rstrip("0")
