"""8217 against the bytes of the protocol page and of the DIVA manual (DEVICES §1.3, S6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from devices.ports import Status, WeightKind
from devices.scale import DRIVERS
from devices.scale.frames import Frame, Garbage, Reading, Reply
from devices.scale.toledo_8217 import UNCHANGED, Toledo8217Parser, parser_for_unit
from station.errors import InvalidInput

if TYPE_CHECKING:
    from tests.devices.scale.conftest import Bench

WEIGHT = bytes.fromhex("02 31 32 2E 33 34 35 0D")


def read(data: bytes, unit: str = "") -> list[Frame]:
    parser = Toledo8217Parser(unit)
    return parser.feed(data) + parser.idle() + parser.drop()


@pytest.mark.parametrize(
    ("data", "unit", "milligrams", "shown"),
    [
        (WEIGHT, "", 12_345_000, "kg"),
        (b"\x02 2.345\r", "", 2_345_000, "kg"),
        (b"\x0212.34\r", "", 5_597_330, "lb"),
        (b"\x02012.34\r", "", 5_597_330, "lb"),
        (WEIGHT, "kg", 12_345_000, "kg"),
        (b"\x02012.34\r", "kg", 12_340_000, "kg"),
        (b"\x0212.345\r", "lb", 5_599_598, "lb"),
        (b"\x02012.34\r", "oz", 349_833, "oz"),
        (b"\x02012345\r", "g", 12_345_000, "g"),
        (b"\x0200100\r", "g", 100_000, "g"),
    ],
)
def test_weights(data: bytes, unit: str, milligrams: int, shown: str) -> None:
    (found,) = read(data, unit)
    assert isinstance(found, Reading)
    assert found.mass is not None
    assert (found.mass.milligrams, found.mass.unit) == (milligrams, shown)
    assert (found.status, found.stable, found.kind, found.raw) == (Status.OK, True, WeightKind.GROSS, data)


def test_n_is_net() -> None:
    (found,) = read(b"\x0212.345N\r")
    assert isinstance(found, Reading)
    assert found.kind is WeightKind.NET


@pytest.mark.parametrize(
    ("status_byte", "status"),
    [
        (0x40, Status.OK),
        (0x41, Status.MOTION),
        (0x42, Status.OVERLOAD),
        (0x43, Status.OVERLOAD),
        (0x44, Status.UNDERLOAD),
        (0x45, Status.UNDERLOAD),
        (0x48, Status.NOT_ZEROED),
        (0x50, Status.OK),
        (0x60, Status.OK),
    ],
)
def test_a_status_is_never_a_weight(status_byte: int, status: Status) -> None:
    (found,) = read(bytes([0x02, 0x3F, status_byte, 0x0D]))
    assert isinstance(found, Reading)
    assert (found.status, found.mass, found.stable) == (status, None, False)


@pytest.mark.parametrize("status_byte", range(0x20, 0x40))
def test_a_status_byte_without_its_constant_bit_is_garbage(status_byte: int) -> None:
    (found,) = read(bytes([0x02, 0x3F, status_byte, 0x0D]))
    assert isinstance(found, Garbage)


@pytest.mark.parametrize("data", [b"\x02\r", b"\x02E\r"])
def test_answers_to_other_commands_are_no_weight(data: bytes) -> None:
    assert isinstance(read(data)[0], Reply)


@pytest.mark.parametrize(
    "data",
    [
        b"\x022.345\r",
        b"\x02112.345\r",
        b"\x0212345\r",
        b"\x021 .345\r",
        b"\x0212.3 5\r",
        b"\x0212,345\r",
        b"\x0212.345X\r",
        b"\x0212.345",
        b"12.345\r",
    ],
)
def test_what_is_not_exactly_a_layout_is_garbage(data: bytes) -> None:
    assert [type(found) for found in read(data)] == [Garbage]


def test_another_layout_has_to_prove_itself() -> None:
    frames = read(WEIGHT * 3 + b"\x0212.34\r" * 2 + WEIGHT + b"\x0212.34\r" * 3)
    units = [found.mass.unit for found in frames if isinstance(found, Reading) and found.mass]
    assert units == ["kg"] * 4 + ["lb"]


def test_an_answer_that_breaks_off_does_not_swallow_the_next() -> None:
    frames = read(WEIGHT[:4] + WEIGHT)
    assert [type(found) for found in frames] == [Garbage, Reading]


@pytest.mark.parametrize("unit", ["", "stone", "KG", "lb:oz"])
def test_a_unit_that_it_does_not_know(unit: str) -> None:
    with pytest.raises(InvalidInput, match="kg, lb, oz or g"):
        parser_for_unit(unit)


def test_the_row_makes_a_driver_in_a_unit() -> None:
    parser = DRIVERS["toledo_8217"].in_unit("lb").parser()
    (found,) = parser.feed(b"\x0212.345\r")
    assert isinstance(found, Reading)
    assert found.mass is not None
    assert found.mass.unit == "lb"


def test_a_scale_that_sends_a_weight_once_is_told_of_and_not_guessed_at(bench: Callable[..., Bench]) -> None:
    scale = bench("toledo_8217")
    scale.scale.ask()
    for answer in [b"\x02?A\r"] * 3 + [WEIGHT] + [b"\x02?@\r"] * 40:
        scale.receive(answer, 0.01)
        scale.rest(0.24)
    assert scale.accepted == []
    assert scale.refused == [UNCHANGED]
    assert [i.status for i in scale.indications[-2:]] == [Status.OK] * 2
    assert scale.indications[-1].gross_mg is None
