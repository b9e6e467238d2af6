"""Every byte of every message lost, doubled, put in or flipped, and every splice: no wrong weight (S4, S5).

The harness takes each driver of the table and the examples in ``examples/DRIVER.py``; a driver without them fails.
Messages arrive as a line at 9600 baud delivers them, through the whole ``Scale``.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from devices.scale import DRIVERS
from devices.scale.acceptance import Acceptor, Rule
from tests.devices.scale.examples.table import Example

if TYPE_CHECKING:
    from tests.devices.scale.conftest import Bench

MakeBench = Callable[..., "Bench"]

INSERTED = b"0 9.-?G\r\n\x00\x02\x03S\xff"
_BYTE_S = 10 / 9600


def _examples() -> Iterator[tuple[str, str, Example]]:
    for driver in DRIVERS:
        module = importlib.import_module(f"tests.devices.scale.examples.{driver}")
        for name, example in module.EXAMPLES.items():
            yield driver, name, example


CASES = list(_examples())
every_example = pytest.mark.parametrize(
    ("driver", "example"), [(d, e) for d, _, e in CASES], ids=[f"{d}-{n}" for d, n, _ in CASES]
)


@pytest.fixture
def start(bench: MakeBench) -> Callable[[str, Example], Bench]:
    """A bench on which a driver listens in the example's unit and has heard what comes before the first weight."""

    def make(driver: str, example: Example, acceptor: Acceptor | None = None) -> Bench:
        made = bench(driver, acceptor, unit=example.unit)
        for _ in range(example.first):
            arrive(made, example.frame)
        made.rest(0.2)
        return made

    return make


def arrive(bench: Bench, message: bytes, period_s: float = 0.1) -> None:
    """One message in two reads, as a UART hands it on, then the rest of the period; polled scales are asked then."""
    half = len(message) // 2
    for piece in (message[:half], message[half:]):
        if piece:
            bench.receive(piece, len(piece) * _BYTE_S)
    bench.rest(max(0.0, period_s - len(message) * _BYTE_S))


def damaged(frame: bytes) -> Iterator[bytes]:
    """Each byte lost, doubled, flipped in each bit, and each of some bytes put before it."""
    for i in range(len(frame)):
        yield frame[:i] + frame[i + 1 :]
        yield frame[: i + 1] + frame[i:]
        for bit in range(8):
            yield frame[:i] + bytes([frame[i] ^ 1 << bit]) + frame[i + 1 :]
        for byte in INSERTED:
            yield frame[:i] + bytes([byte]) + frame[i:]


def wrong(bench: Bench, stream: list[bytes], right: set[int]) -> list[int]:
    for message in stream:
        arrive(bench, message)
    return [mass for mass in bench.accepted if mass not in right]


@every_example
def test_damage_among_good_messages(start: Callable[..., Bench], driver: str, example: Example) -> None:
    """First of all, alone, and twice in a row."""
    good = example.frame
    for bad in damaged(good):
        assert wrong(start(driver, example), [bad, good, bad, bad, good, good, good], {example.mass_mg}) == [], bad


@every_example
def test_in_turn_with_good_messages_and_then_the_line_is_well_again(
    start: Callable[..., Bench], driver: str, example: Example
) -> None:
    """Every second message is damaged, then none: soon the right weight is accepted, and never another."""
    good = example.frame
    for bad in list(damaged(good))[::9]:
        made = start(driver, example)
        assert wrong(made, [good, bad] * 6, {example.mass_mg}) == [], bad
        made.scale.ask(same_load=True)
        before = len(made.accepted)
        assert wrong(made, [good] * (9 if example.declared else 18), {example.mass_mg}) == [], bad
        assert len(made.accepted) > before, bad


@every_example
def test_splices_of_two_messages(start: Callable[..., Bench], driver: str, example: Example) -> None:
    first, second = example.frame, example.other
    for i in range(1, len(first)):
        for j in range(1, len(second)):
            made = start(driver, example)
            stream = [first, first[:i] + second[j:], second, second, second]
            assert wrong(made, stream, {example.mass_mg, example.other_mg}) == [], (i, j)


@pytest.mark.parametrize(
    ("driver", "example"),
    [(d, e) for d, _, e in CASES if e.loses_a_byte],
    ids=[f"{d}-{n}" for d, n, e in CASES if e.loses_a_byte],
)
def test_the_same_byte_lost_from_every_message(start: Callable[..., Bench], driver: str, example: Example) -> None:
    """Exact columns refuse even what repeats itself for ever."""
    for i in range(len(example.frame)):
        bad = example.frame[:i] + example.frame[i + 1 :]
        assert wrong(start(driver, example), [bad] * 12, {example.mass_mg}) == [], bad


@every_example
def test_without_the_rule_wrong_weights_come_through(
    start: Callable[..., Bench], driver: str, example: Example
) -> None:
    """The negative control: with one indication instead of three the same damage is believed.

    A check by itself stops every single damage, but it does not stop two bits that cancel out.
    """
    single = Rule(count=1, span_s=0.0)
    believed = 0
    for bad in _twice_flipped(example.frame) if example.checked else damaged(example.frame):
        acceptor = Acceptor("scale-1", declared=single, inferred=single)
        made = start(driver, replace(example, first=example.first + 3), acceptor)
        acceptor.ask(same_load=True)
        believed += bool(wrong(made, [bad, example.frame], {example.mass_mg}))
        if believed:
            return
    pytest.fail("nothing wrong was believed: this harness would not notice a missing rule")


def _twice_flipped(frame: bytes) -> Iterator[bytes]:
    for i in range(len(frame)):
        for j in range(i):
            for bit in range(7):
                twice = bytearray(frame)
                twice[i] ^= 1 << bit
                twice[j] ^= 1 << bit
                yield bytes(twice)


@every_example
def test_a_check_stops_every_single_damage(start: Callable[..., Bench], driver: str, example: Example) -> None:
    """Even without the rule."""
    if not example.checked:
        return
    single = Rule(count=1, span_s=0.0)
    for bad in damaged(example.frame):
        acceptor = Acceptor("scale-1", declared=single, inferred=single)
        made = start(driver, replace(example, first=example.first + 3), acceptor)
        acceptor.ask(same_load=True)
        assert wrong(made, [bad, example.frame], {example.mass_mg}) == [], bad


def noisy(frame: bytes, chance: random.Random, rate: float) -> bytes:
    """Each byte lost, doubled, replaced or flipped with the given probability."""
    out = bytearray()
    for byte in frame:
        if chance.random() >= rate:
            out.append(byte)
            continue
        match chance.randrange(4):
            case 0:
                out += bytes([byte, byte])
            case 1:
                out.append(chance.randrange(256))
            case 2:
                out.append(byte ^ 1 << chance.randrange(8))
    return bytes(out)


def soak(start: Callable[..., Bench], driver: str, example: Example, seeds: range) -> int:
    """Loads that change on a line that damages bytes; returns how many weights were accepted."""
    accepted = 0
    for seed in seeds:
        chance = random.Random(seed)
        made = start(driver, example)
        for message in (example.frame, example.other, example.frame):
            for _ in range(chance.randrange(5, 30)):
                arrive(made, noisy(message, chance, rate=0.01))
        assert set(made.accepted) <= {example.mass_mg, example.other_mg}, seed
        accepted += len(made.accepted)
    return accepted


@every_example
def test_a_bad_cable(start: Callable[..., Bench], driver: str, example: Example) -> None:
    assert soak(start, driver, example, range(10)) > (5 if example.declared else 0)


@pytest.mark.slow
@every_example
def test_a_bad_cable_for_long(start: Callable[..., Bench], driver: str, example: Example) -> None:
    assert soak(start, driver, example, range(1000)) > (300 if example.declared else 100)
