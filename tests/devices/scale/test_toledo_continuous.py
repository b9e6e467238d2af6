"""Toledo Continuous against the frames and tables of the manuals (DEVICES §1.6, S10), not against our own writer."""

from __future__ import annotations

import pytest

from devices.ports import Status, WeightKind
from devices.scale.frames import Frame, Garbage, Reading
from devices.scale.toledo_continuous import ToledoContinuousParser, check_of

STABLE = bytes.fromhex("02 2D 30 20 20 20 31 32 33 34 20 20 20 20 20 30 0D 1A")
MOTION = bytes.fromhex("02 2D 38 20 20 20 31 32 33 34 20 20 20 20 20 30 0D 12")
NET = bytes.fromhex("02 2D 33 20 20 20 20 32 35 30 20 20 31 35 30 30 0D 74")
OUT_OF_RANGE = bytes.fromhex("02 2D 34 20 20 20 20 20 20 30 20 20 20 20 20 30 0D 50")
NOT_ZEROED = bytes.fromhex("02 2D 70 20 20 20 20 20 20 30 20 20 20 20 20 30 0D 14")
POUNDS = bytes.fromhex("02 2B 20 20 20 20 20 31 32 35 20 20 20 20 20 30 0D 3E")


def frame(
    word_a: int = 0x2D, word_b: int = 0x30, word_c: int = 0x20, weight: str = "  1234", tare: str = "     0"
) -> bytes:
    """A frame without its check, by the manual's tables."""
    return bytes([0x02, word_a, word_b, word_c]) + weight.encode() + tare.encode() + b"\r"


def checked(plain: bytes) -> bytes:
    return plain + bytes([(128 - sum(byte & 127 for byte in plain) % 128) % 128])


def read(data: bytes) -> list[Frame]:
    parser = ToledoContinuousParser()
    return parser.feed(data) + parser.idle() + parser.drop()


def only(data: bytes) -> Reading:
    frames = read(data)
    assert len(frames) == 1, frames
    assert isinstance(frames[0], Reading), frames
    return frames[0]


def garbage(frames: list[Frame]) -> bytes:
    return b"".join(found.raw for found in frames if isinstance(found, Garbage))


@pytest.mark.parametrize("without_check", [False, True])
@pytest.mark.parametrize(
    ("data", "status", "milligrams", "unit", "kind"),
    [
        (STABLE, Status.OK, 1_234_000, "kg", WeightKind.GROSS),
        (MOTION, Status.MOTION, 1_234_000, "kg", WeightKind.GROSS),
        (NET, Status.OK, -250_000, "kg", WeightKind.NET),
        (OUT_OF_RANGE, Status.OVERLOAD, None, None, WeightKind.GROSS),
        (NOT_ZEROED, Status.NOT_ZEROED, None, None, WeightKind.GROSS),
        (POUNDS, Status.OK, 5_669_905, "lb", WeightKind.GROSS),
    ],
)
def test_frames_of_the_manual(
    data: bytes, status: Status, milligrams: int | None, unit: str | None, kind: WeightKind, without_check: bool
) -> None:
    found = only(data[:-1] if without_check else data)
    assert (found.status, found.kind, found.stable) == (status, kind, status is Status.OK)
    assert (found.mass.milligrams if found.mass else None, found.mass.unit if found.mass else None) == (
        milligrams,
        unit,
    )
    assert found.raw == data[:-1]


@pytest.mark.parametrize("data", [STABLE, MOTION, NET, OUT_OF_RANGE, NOT_ZEROED, POUNDS])
def test_check_characters_of_the_manual(data: bytes) -> None:
    assert check_of(data[:-1]) == data[-1]


@pytest.mark.parametrize(
    ("code", "milligrams"),
    [
        (0, 123_400_000_000),
        (1, 12_340_000_000),
        (2, 1_234_000_000),
        (3, 123_400_000),
        (4, 12_340_000),
        (5, 1_234_000),
        (6, 123_400),
        (7, 12_340),
    ],
)
def test_every_decimal_point(code: int, milligrams: int) -> None:
    found = only(checked(frame(word_a=0x28 | code)))
    assert found.mass is not None
    assert found.mass.milligrams == milligrams


@pytest.mark.parametrize(("bits", "interval_mg"), [(0b01, 1_000), (0b10, 2_000), (0b11, 5_000)])
def test_the_step_is_the_scales_own(bits: int, interval_mg: int) -> None:
    found = only(checked(frame(word_a=0x25 | bits << 3)))
    assert found.mass is not None
    assert found.mass.interval_mg == interval_mg


@pytest.mark.parametrize("word_a", [0x2D, 0x0D, 0x4D, 0x6D])
@pytest.mark.parametrize("word_b", [0x30, 0x10])
@pytest.mark.parametrize("word_c", [0x20, 0x00, 0x40, 0x60])
def test_constant_bits_are_not_looked_at(word_a: int, word_b: int, word_c: int) -> None:
    for data in (checked(frame(word_a, word_b, word_c)), frame(word_a, word_b, word_c)):
        found = only(data)
        assert found.mass is not None
        assert (found.mass.milligrams, found.mass.unit, found.status) == (1_234_000, "kg", Status.OK)


@pytest.mark.parametrize(("code", "unit", "milligrams"), [(1, "g", 1_234), (2, "t", 1_234_000_000), (3, "oz", 34_983)])
def test_units_of_word_c(code: int, unit: str, milligrams: int) -> None:
    found = only(checked(frame(word_c=0x20 | code)))
    assert found.mass is not None
    assert (found.mass.unit, found.mass.milligrams) == (unit, milligrams)


@pytest.mark.parametrize("word_c", [0x24, 0x25, 0x26, 0x27, 0x30])
def test_what_may_be_another_mass_is_a_fault_with_advice(word_c: int) -> None:
    """Troy units, a ton of unknown size, no unit, and the expanded display whose point makers count differently."""
    found = only(checked(frame(word_c=word_c)))
    assert (found.status, found.mass) == (Status.FAULT, None)
    assert "set" in found.advice or "switch" in found.advice


def test_below_zero() -> None:
    assert only(checked(frame(word_b=0x36, weight="     0"))).status is Status.UNDERLOAD
    negative = only(checked(frame(word_b=0x32, weight="    12")))
    assert (negative.status, negative.mass and negative.mass.milligrams) == (Status.OK, -12_000)


@pytest.mark.parametrize("weight", ["001234", "  1234", " 01234"])
@pytest.mark.parametrize("tare", ["     0", "000000", "      ", "  1500"])
def test_blanks_and_zeros_pad(weight: str, tare: str) -> None:
    for data in (frame(weight=weight, tare=tare), checked(frame(weight=weight, tare=tare))):
        found = only(data)
        assert found.mass is not None
        assert found.mass.milligrams == 1_234_000


@pytest.mark.parametrize("weight", ["1234  ", "12 345", "      ", "******", " -1234", "  12.4"])
def test_a_weight_that_is_no_number_is_garbage(weight: str) -> None:
    assert all(isinstance(found, Garbage) for found in read(checked(frame(weight=weight))))


def test_an_overload_may_show_anything() -> None:
    assert only(checked(frame(word_b=0x34, weight="------"))).status is Status.OVERLOAD


def test_the_short_form() -> None:
    for data in (frame(tare=""), checked(frame(tare=""))):
        found = only(data)
        assert found.mass is not None
        assert found.mass.milligrams == 1_234_000
    stream = read(frame(tare="") * 8)
    assert len(stream) == 8
    assert all(isinstance(found, Reading) for found in stream)


@pytest.mark.parametrize("weight", ["  5990", "  8899", "  1234"])
def test_a_check_may_be_cr_or_stx(weight: str) -> None:
    data = checked(frame(weight=weight))
    frames = read(data * 10)
    assert len(frames) == 10
    assert all(isinstance(found, Reading) and found.raw == data[:-1] for found in frames)


@pytest.mark.parametrize("weight", ["  8899", "  1234"])
def test_a_plain_stream_is_read_whole(weight: str) -> None:
    """Also where the check character would have been the STX of the next frame."""
    frames = read(frame(weight=weight) * 10)
    assert len(frames) == 10
    assert all(isinstance(found, Reading) for found in frames)


def test_a_plain_frame_is_given_out_at_its_last_byte_once_the_stream_is_known() -> None:
    parser = ToledoContinuousParser()
    parser.feed(frame() * 4)
    assert len(parser.feed(frame())) == 1


def test_a_line_feed_behind_the_frame_is_padding() -> None:
    frames = read((frame() + b"\n") * 10)
    assert len(frames) == 10
    assert all(isinstance(found, Reading) for found in frames)


def test_a_bad_check_is_garbage() -> None:
    for wrong in set(range(128)) - {STABLE[-1], 0x02, 0x0A}:
        frames = read(STABLE[:-1] + bytes([wrong]) + STABLE)
        assert [type(found) for found in frames] == [Garbage, Reading], wrong


def test_once_proven_a_missing_check_is_garbage() -> None:
    frames = read(STABLE * 2 + MOTION[:-1] * 50 + STABLE)
    readings = [found for found in frames if isinstance(found, Reading)]
    assert [found.status for found in readings] == [Status.OK] * 3
    parser = ToledoContinuousParser()
    parser.feed(STABLE * 2)
    assert parser.feed(MOTION[:-1]) == []
    assert parser.idle() == []
    assert [type(found) for found in parser.drop()] == [Garbage]


def test_a_line_that_hands_the_check_on_late() -> None:
    """Some device servers and recordings cut at the CR."""
    parser = ToledoContinuousParser()
    frames: list[Frame] = []
    for _ in range(6):
        frames += parser.feed(STABLE[:-1]) + parser.idle() + parser.feed(STABLE[-1:]) + parser.idle()
    assert [type(found) for found in frames] == [Reading] * 6
    damaged = parser.feed(MOTION[:-1]) + parser.idle() + parser.feed(b"\x13") + parser.idle()
    assert [type(found) for found in damaged] == [Garbage]


def test_without_proof_a_single_damaged_check_looks_like_a_plain_frame() -> None:
    """The negative control: that is why the proof is remembered, and why the acceptance rule wants equal frames."""
    frames = read(MOTION[:-1] + STABLE)
    assert [found.status for found in frames if isinstance(found, Reading)] == [Status.MOTION, Status.OK]


def test_a_stream_taken_for_plain_turns_out_to_be_checked() -> None:
    parser = ToledoContinuousParser()
    parser.feed(frame() * 5)
    frames = parser.feed(STABLE * 3 + STABLE[:5] + b"9" + STABLE[6:])
    assert len([found for found in frames if isinstance(found, Reading)]) == 3
    assert parser.idle()[0].raw.startswith(b"\x02")


@pytest.mark.parametrize("cut", range(1, 18))
def test_a_stream_that_begins_in_the_middle(cut: int) -> None:
    frames = read(STABLE[cut:] + STABLE * 3)
    assert [found.raw for found in frames if isinstance(found, Reading)] == [STABLE[:-1]] * 3
    assert len(garbage(frames)) == 18 - cut


def test_noise_between_frames_is_skipped() -> None:
    frames = read(STABLE * 2 + bytes.fromhex("00007f7fff") + STABLE)
    assert all(isinstance(found, Reading) for found in frames)
