"""Every byte of every frame lost, doubled or flipped, and every splice: never an accepted wrong weight (S4, S5)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from devices.scale.acceptance import Acceptor, Rule

if TYPE_CHECKING:
    from tests.devices.scale.conftest import Bench

MakeBench = Callable[..., "Bench"]

FRAMES: dict[str, tuple[str, bytes, bytes, int, int]] = {
    "mt_sics": ("mt_sics", b"S S     12.345 kg\r\n", b"S S      0.876 kg\r\n", 12_345_000, 876_000),
    "lb_oz": ("mt_sics", b"S S   12:07.50 lb:oz\r\n", b"S S    1:15.00 lb:oz\r\n", 5_655_730, 878_835),
    "ohaus": ("print_string", b"  12.345 kg    G\r\n", b"   0.876 kg    G\r\n", 12_345_000, 876_000),
    "ohaus_manual": ("print_string", b"   12.345 kg    G  \r\n", b"    0.876 kg    G  \r\n", 12_345_000, 876_000),
    "sbi16": ("print_string", b"+   123.56 g  \r\n", b"+     8.76 g  \r\n", 123_560, 8_760),
    "sbi22": ("print_string", b"N     +   123.56 g  \r\n", b"N     +     8.76 g  \r\n", 123_560, 8_760),
    "str5": ("print_string", b"\x02   12.34KG \r\n", b"\x02    0.87KG \r\n", 12_340_000, 870_000),
    "learnt": ("print_string", b"  12.345 kg\r\n", b"   0.876 kg\r\n", 12_345_000, 876_000),
}
LAYOUTS = list(FRAMES)
INSERTED = b"0 9.-?G\r\n\x00\x02S\xff"


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
    bench.stream(stream)
    return [mass for mass in bench.accepted if mass not in right]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_damaged_frame_among_good_ones(bench: MakeBench, layout: str) -> None:
    driver, frame, _, mass, _ = FRAMES[layout]
    accepted_anything = 0
    for bad in damaged(frame):
        for stream in ([bad] + [frame] * 6, [frame] * 2 + [bad] + [frame] * 3 + [bad, bad] + [frame] * 6):
            made = bench(driver)
            assert wrong(made, stream, {mass}) == [], bad
            accepted_anything += bool(made.accepted)
    assert accepted_anything > 0 or layout == "learnt"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_damage_in_turn_with_good_frames(bench: MakeBench, layout: str) -> None:
    """A cable that damages every second frame for a whole second."""
    driver, frame, _, mass, _ = FRAMES[layout]
    for bad in damaged(frame):
        assert wrong(bench(driver), [frame, bad] * 8, {mass}) == [], bad


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name not in ("learnt", "mt_sics", "lb_oz")])
def test_the_same_byte_lost_from_every_frame(bench: MakeBench, layout: str) -> None:
    """Exact columns refuse even what repeats itself for ever."""
    driver, frame, _, mass, _ = FRAMES[layout]
    for i in range(len(frame)):
        bad = frame[:i] + frame[i + 1 :]
        assert wrong(bench(driver), [bad] * 20, {mass}) == [], bad


@pytest.mark.parametrize("layout", LAYOUTS)
def test_splices_of_two_frames(bench: MakeBench, layout: str) -> None:
    driver, first, second, first_mass, second_mass = FRAMES[layout]
    for i in range(1, len(first)):
        for j in range(1, len(second)):
            splice = first[:i] + second[j:]
            stream = [first] * 2 + [splice] + [second] * 5
            assert wrong(bench(driver), stream, {first_mass, second_mass}) == [], splice


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


def soak(bench: MakeBench, layout: str, seeds: range) -> int:
    """Loads that change on a line that damages bytes, in reads of any size; returns how many weights were accepted."""
    driver, first, second, first_mass, second_mass = FRAMES[layout]
    accepted = 0
    for seed in seeds:
        chance = random.Random(seed)
        made = bench(driver)
        for frame in (first, second, first):
            for _ in range(chance.randrange(5, 30)):
                data = noisy(frame, chance, rate=0.01)
                cut = chance.randrange(len(data) + 1)
                made.receive(data[:cut], 0.05)
                made.receive(data[cut:], 0.05)
        assert set(made.accepted) <= {first_mass, second_mass}, seed
        accepted += len(made.accepted)
    return accepted


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_bad_cable(bench: MakeBench, layout: str) -> None:
    assert soak(bench, layout, range(25)) > 10


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_bad_cable_for_long(bench: MakeBench, layout: str) -> None:
    assert soak(bench, layout, range(1000)) > 300


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_the_rule_wrong_weights_come_through(bench: MakeBench, layout: str) -> None:
    """The negative control: with one indication instead of three the same damage is believed."""
    driver, frame, _, mass, _ = FRAMES[layout]
    single = Rule(count=1, span_s=0.0)
    believed = 0
    for bad in damaged(frame):
        acceptor = Acceptor("scale-1", declared=single, inferred=single)
        # a learnt layout has to be known before damage can look like it
        known = [frame] * 3 if layout == "learnt" else []
        made = bench(driver, acceptor)
        made.stream(known)
        acceptor.ask(same_load=True)
        believed += bool(wrong(made, [bad] * 1, {mass}))
    assert believed > 0
