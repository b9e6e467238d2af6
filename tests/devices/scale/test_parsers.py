"""What every parser of the table keeps to, whatever arrives: no exception, chunks do not matter, memory (S3, S20)."""

from __future__ import annotations

import gc
import importlib
import random
import sys
import tracemalloc
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ports import Status
from devices.scale import DRIVERS
from devices.scale.frames import Frame, Reading, ScaleParser

if TYPE_CHECKING:
    from tests.devices.scale.conftest import Bench

every_driver = pytest.mark.parametrize("driver", list(DRIVERS))

MESSAGES = {
    driver: [
        message
        for example in importlib.import_module(f"tests.devices.scale.examples.{driver}").EXAMPLES.values()
        for message in (example.frame, example.other)
    ]
    for driver in DRIVERS
}


def parser_of(driver: str) -> ScaleParser:
    return DRIVERS[driver].parser()


def end(parser: ScaleParser) -> list[Frame]:
    return parser.idle() + parser.drop()


def singly(driver: str, data: bytes) -> list[Frame]:
    parser = parser_of(driver)
    return [frame for byte in data for frame in parser.feed(bytes([byte]))] + end(parser)


def well_formed(frames: list[Frame]) -> None:
    for frame in frames:
        if isinstance(frame, Reading):
            assert frame.mass is None or frame.status in (Status.OK, Status.MOTION)
            assert not frame.stable or (frame.mass is not None and frame.status is Status.OK)


@every_driver
@given(data=st.data())
def test_any_bytes_in_any_pieces_are_the_same_frames(driver: str, data: st.DataObject) -> None:
    received = data.draw(st.binary(max_size=300))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(received)), max_size=6)))
    parser = parser_of(driver)
    frames: list[Frame] = []
    for start, stop in zip([0, *cuts], [*cuts, len(received)], strict=True):
        frames += parser.feed(received[start:stop])
    assert frames + end(parser) == singly(driver, received)
    well_formed(frames)


@every_driver
@given(data=st.data())
def test_broken_messages_in_any_pieces_are_the_same_frames(driver: str, data: st.DataObject) -> None:
    """Like the above, with bytes that get deep into the parser: whole messages, their parts, and noise."""
    message = st.sampled_from(MESSAGES[driver])
    part = st.builds(lambda whole, i, j: whole[i:j], message, st.integers(0, 12), st.integers(1, 24))
    received = b"".join(data.draw(st.lists(st.one_of(message, part, st.binary(max_size=3)), max_size=14)))
    size = data.draw(st.integers(1, 40))
    parser = parser_of(driver)
    frames = [frame for i in range(0, len(received), size) for frame in parser.feed(received[i : i + size])]
    frames += end(parser)
    assert frames == singly(driver, received)
    well_formed(frames)


@every_driver
def test_200_messages_at_once_and_byte_by_byte(driver: str) -> None:
    for message in MESSAGES[driver]:
        parser = parser_of(driver)
        at_once = parser.feed(message * 200) + end(parser)
        assert at_once == singly(driver, message * 200)
        assert sum(isinstance(frame, Reading) and frame.mass is not None for frame in at_once) >= 195 or (
            DRIVERS[driver].parser_for_unit is not None
        )


GARBAGE = {
    "random": lambda: random.Random(1).randbytes(1 << 20),
    "text": lambda: b"A" * (1 << 20),
    "beginnings": lambda: b"\x01\x02\x0a" * ((1 << 20) // 3),
}


def swallow(bench: Bench, garbage: bytes) -> None:
    """Feed it as it arrives; what the scale says about it is taken away, as a bench does."""
    for i in range(0, len(garbage), 4096):
        bench.receive(garbage[i : i + 4096], 0.004)
        bench.events.clear()


def held(root: object) -> int:
    """Bytes of everything that an object holds, except code."""
    seen: dict[int, object] = {}
    waiting = [root]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type | ModuleType | FunctionType | CodeType):
            continue
        seen[id(thing)] = thing
        waiting += gc.get_referents(thing)
    return sum(sys.getsizeof(thing) for thing in seen.values())


@every_driver
def test_a_megabyte_of_garbage_leaves_nothing_behind(bench: Callable[..., Bench], driver: str) -> None:
    made = bench(driver)
    fresh = held(made.scale)
    swallow(made, GARBAGE["random"]())
    assert held(made.scale) < fresh + 64_000
    assert held([made.scale, bytearray(64_000)]) > fresh + 64_000  # it would be noticed
    assert made.accepted == []


@pytest.mark.slow
@every_driver
@pytest.mark.parametrize("kind", list(GARBAGE))
def test_a_megabyte_of_garbage_needs_no_memory_meanwhile(bench: Callable[..., Bench], driver: str, kind: str) -> None:
    made = bench(driver)
    garbage = GARBAGE[kind]()
    tracemalloc.start()
    try:
        swallow(made, garbage)
        assert tracemalloc.get_traced_memory()[1] < 600_000
    finally:
        tracemalloc.stop()
    assert made.accepted == []
