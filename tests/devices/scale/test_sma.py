"""SMA SCP-0499 against the bytes of the manuals (DEVICES §1.5, S7)."""

from __future__ import annotations

import pytest

from devices.ports import Status, WeightKind
from devices.scale.frames import Frame, Garbage, Reading, Reply
from devices.scale.sma import UNKNOWN_QUESTION, SmaParser

STABLE = bytes.fromhex("0A 20 31 47 20 20 20 20 20 20 20 35 2E 30 32 35 6C 62 20 0D")
ZERO = bytes.fromhex("0A 5A 31 47 20 20 20 20 20 20 20 30 2E 30 30 30 6B 67 20 0D")
NET_MOTION = bytes.fromhex("0A 20 31 4E 4D 20 20 20 20 20 20 37 2E 36 35 30 6B 67 20 0D")


def read(data: bytes) -> list[Frame]:
    parser = SmaParser()
    return parser.feed(data) + parser.idle() + parser.drop()


def only(data: bytes) -> Reading:
    (found,) = read(data)
    assert isinstance(found, Reading), found
    return found


@pytest.mark.parametrize(
    ("data", "milligrams", "unit", "status", "kind"),
    [
        (STABLE, 2_279_302, "lb", Status.OK, WeightKind.GROSS),
        (ZERO, 0, "kg", Status.OK, WeightKind.GROSS),
        (NET_MOTION, 7_650_000, "kg", Status.MOTION, WeightKind.NET),
        (b"\n 1g      5.0255kg \r", 5_025_500, "kg", Status.OK, WeightKind.GROSS),
        (b"\n 1n      5.0255kg \r", 5_025_500, "kg", Status.OK, WeightKind.NET),
        (b"\n 1T       1.500kg \r", 1_500_000, "kg", Status.OK, WeightKind.TARE),
        (b"\n 1G      -1.250kg \r", -1_250_000, "kg", Status.OK, WeightKind.GROSS),
        (b"\n 1G        1234g  \r", 1_234_000, "g", Status.OK, WeightKind.GROSS),
        (b"\n 1G       12.345kg \r", 12_345_000, "kg", Status.OK, WeightKind.GROSS),
        (b"\n 2G  x    5.025kg \r", None, "", Status.OK, WeightKind.GROSS),
    ],
)
def test_weights(data: bytes, milligrams: int | None, unit: str, status: Status, kind: WeightKind) -> None:
    if milligrams is None:
        assert isinstance(read(data)[0], Garbage)
        return
    found = only(data)
    assert found.mass is not None
    assert (found.mass.milligrams, found.mass.unit, found.kind) == (milligrams, unit, kind)
    assert (found.status, found.stable, found.raw) == (status, status is Status.OK, data)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\nO1G      35.000kg \r", Status.OVERLOAD),
        (b"\nU1G      -1.250kg \r", Status.UNDERLOAD),
        (b"\nE1G  ----------   \r", Status.ZERO_ERROR),
        (b"\nI1G  ----------   \r", Status.ZERO_ERROR),
        (b"\nT1G  ----------   \r", Status.FAULT),
        (b"\ne1G       5.000kg \r", Status.FAULT),
        (b"\n 1G  ----------   \r", Status.MOTION),
        (b"\n 1GM ----------   \r", Status.MOTION),
        (b"\n 1G          12pcs\r", Status.FAULT),
        (b"\n 1G       5.025l/o\r", Status.FAULT),
        (b"\n?\r", Status.FAULT),
        (b"\n!\r", Status.FAULT),
    ],
)
def test_a_weight_that_is_sent_all_the_same_is_not_taken(data: bytes, status: Status) -> None:
    found = only(data)
    assert (found.status, found.mass, found.stable) == (status, None, False)


def test_a_question_that_it_does_not_know() -> None:
    assert only(b"\n?\r").advice == UNKNOWN_QUESTION


@pytest.mark.parametrize(
    "data", [b"\nSMA:2/1.0\r", b"\nMFG:FAIRBANKS\r", b"\nCAP:kg :15.000:1:3\r", b"\n    \r", b"\nRE  \r"]
)
def test_answers_to_other_commands(data: bytes) -> None:
    assert isinstance(read(data)[0], Reply)


@pytest.mark.parametrize(
    "data",
    [
        STABLE[:-3] + STABLE[-2:],
        STABLE[:6] + STABLE[7:],
        STABLE[:6] + b"  " + STABLE[6:],
        STABLE[:10] + b"1 5.02" + STABLE[16:],
        STABLE.replace(b"5.025", b"05.25"),
        STABLE[1:],
        b"\n 1G       5.025 lb\r",
        bytes(byte | 0x80 for byte in STABLE),
    ],
)
def test_garbage(data: bytes) -> None:
    assert not any(isinstance(found, Reading) and found.mass for found in read(data)), read(data)


def test_crlf_at_the_end_is_padding() -> None:
    frames = read((STABLE + b"\n") * 3)
    assert [type(found) for found in frames] == [Reading] * 3


def test_another_width_has_to_prove_itself() -> None:
    eleven = b"\n 1G       12.345kg \r"
    frames = read(STABLE * 2 + eleven * 3)
    assert [isinstance(found, Reading) for found in frames] == [True, True, False, False, True]
