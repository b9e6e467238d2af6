"""NCI SCP-01 and ECR against the bytes of the manuals (DEVICES §1.4, S6, S7)."""

from __future__ import annotations

import pytest

from devices.ports import Status, WeightKind
from devices.scale.frames import Frame, Garbage, Reading
from devices.scale.nci import UNKNOWN_QUESTION, NciParser

ECR = bytes.fromhex("0A 31 32 2E 33 34 35 4B 47 0D 0A 53 30 30 0D 03")


def read(data: bytes) -> list[Frame]:
    parser = NciParser()
    return parser.feed(data) + parser.idle() + parser.drop()


def only(data: bytes) -> Reading:
    (found,) = read(data)
    assert isinstance(found, Reading), found
    return found


@pytest.mark.parametrize(
    ("data", "milligrams", "unit", "interval_mg"),
    [
        (ECR, 12_345_000, "kg", 1_000),
        (b"\n  12.345kg\r\n00\r\x03", 12_345_000, "kg", 1_000),
        (b"\n  -0.250kg\r\n00\r\x03", -250_000, "kg", 1_000),
        (b"\n-  0.250kg\r\n00\r\x03", -250_000, "kg", 1_000),
        (b"\n00.200KG\r\nS00\r\x03", 200_000, "kg", 1_000),
        (b"\n012.34lb\r\n00\r\x03", 5_597_330, "lb", 4_536),
        (b"\n0012.34lb\r\n00\r\x03", 5_597_330, "lb", 4_536),
        (b"\n012.34oz\r\n00\r\x03", 349_833, "oz", 283),
        (b"\n 1234g \r\n00\r\x03", 1_234_000, "g", 1_000),
        (b"\n 12,345kg\r\n00\r\x03", 12_345_000, "kg", 1_000),
        (b"\n12lb 07.5oz\r\n00\r\x03", 5_655_730, "lb:oz", 2_835),
        (b"\n 1lb  0.0oz\r\n00\r\x03", 453_592, "lb:oz", 2_835),
        (b"\n  12.34LB\r00\x03", 5_597_330, "lb", 4_536),
    ],
)
def test_weights(data: bytes, milligrams: int, unit: str, interval_mg: int) -> None:
    found = only(data)
    assert found.mass is not None
    assert (found.mass.milligrams, found.mass.unit, found.mass.interval_mg) == (milligrams, unit, interval_mg)
    assert (found.status, found.stable, found.raw) == (Status.OK, True, data)


@pytest.mark.parametrize("prefix", ["S", ""])
@pytest.mark.parametrize(
    ("characters", "status"),
    [
        ("00", Status.OK),
        ("20", Status.OK),
        ("10", Status.MOTION),
        ("30", Status.MOTION),
        ("01", Status.UNDERLOAD),
        ("11", Status.UNDERLOAD),
        ("02", Status.OVERLOAD),
        ("12", Status.OVERLOAD),
        ("40", Status.FAULT),
        ("80", Status.FAULT),
        ("04", Status.FAULT),
        ("08", Status.FAULT),
        ("1p0", Status.MOTION),
        ("0r0", Status.OVERLOAD),
        ("0p8", Status.ZERO_ERROR),
        ("0pp0", Status.OK),
        ("000", Status.OK),
    ],
)
def test_a_status_alone_is_never_a_weight(prefix: str, characters: str, status: Status) -> None:
    found = only(f"\n{prefix}{characters}\r\x03".encode())
    assert (found.status, found.mass, found.stable) == (status, None, False)


@pytest.mark.parametrize(
    ("characters", "status", "has_mass"),
    [
        ("10", Status.MOTION, True),
        ("02", Status.OVERLOAD, False),
        ("01", Status.UNDERLOAD, False),
        ("04", Status.FAULT, False),
        ("0p8", Status.ZERO_ERROR, False),
    ],
)
def test_a_status_behind_a_weight_decides(characters: str, status: Status, has_mass: bool) -> None:
    found = only(f"\n  12.345kg\r\n{characters}\r\x03".encode())
    assert (found.status, found.mass is not None, found.stable) == (status, has_mass, False)


def test_the_third_character_says_net() -> None:
    assert only(b"\n012.34LB\r\nS0p4\r\x03").kind is WeightKind.NET
    assert only(b"\n012.34LB\r\nS0p0\r\x03").kind is WeightKind.UNKNOWN


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\n^^^^^^^kg\r\n02\r\x03", Status.OVERLOAD),
        (b"\n_______kg\r\n01\r\x03", Status.UNDERLOAD),
        (b"\n-------kg\r\n00\r\x03", Status.ZERO_ERROR),
        (b"\n^^^^^^KG\r\nS00\r\x03", Status.OVERLOAD),
        (b"\n HELLO kg\r\n00\r\x03", Status.FAULT),
    ],
)
def test_what_the_display_shows_instead_of_a_weight(data: bytes, status: Status) -> None:
    found = only(data)
    assert (found.status, found.mass) == (status, None)


def test_a_question_that_it_does_not_know() -> None:
    found = only(b"\n?\r\x03")
    assert (found.status, found.advice) == (Status.FAULT, UNKNOWN_QUESTION)


@pytest.mark.parametrize(
    "data",
    [
        b"\n2.345KG\r\nS00\r\x03",
        b"\n12.345G\r\nS00\r\x03",
        b"\n12.345KG\rS00\r\x03",
        b"\n12.345KG\r\nS0\r\x03",
        b"\n12.345KG\r\nS00\x03",
        b"12.345KG\r\nS00\r\x03",
        b"\n12 345KG\r\nS00\r\x03",
        b"\n12lb 16.5oz\r\n00\r\x03",
        b"\n1.345KG\r\nS00\r\x03",
        ECR[:-1],
        ECR[4:],
        bytes(byte | 0x80 for byte in ECR[:-1]) + b"\x03",
    ],
)
def test_garbage(data: bytes) -> None:
    assert not any(isinstance(found, Reading) and found.mass for found in read(data))
    assert any(isinstance(found, Garbage) for found in read(data)) or b"S0" in data[:12]


def test_an_answer_that_breaks_off_does_not_swallow_the_next() -> None:
    frames = read(ECR[:6] + ECR)
    assert [type(found) for found in frames] == [Garbage, Reading]
    assert frames[1].raw == ECR


def test_another_width_has_to_prove_itself() -> None:
    frames = read(ECR * 2 + b"\n 2.345 KG\r\nS00\r\x03" + b"\n012.345KG\r\nS00\r\x03" * 3)
    assert [isinstance(found, Reading) for found in frames] == [True, True, False, False, False, True]
