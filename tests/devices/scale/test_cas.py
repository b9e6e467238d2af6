"""CAS's handshake (DEVICES §1.9; S3, S11, S20)."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ports import Status
from devices.scale.cas import ACK, DC1, ENQ, NAK, CasParser
from devices.scale.frames import Frame, Garbage, Prompt, Reading

if TYPE_CHECKING:
    from tests.devices.scale.conftest import Bench

SETTLED = bytes.fromhex("01 02 53 20 30 31 2E 32 33 34 6B 67 65 03 04")
MOVING = bytes.fromhex("01 02 55 2D 30 30 2E 32 35 30 6B 67 6D 03 04")
"""Both as the maker prints them."""


def framed(data: bytes) -> bytes:
    return b"\x01\x02" + data + bytes([reduce(xor, data)]) + b"\x03\x04"


def parse(data: bytes) -> list[Frame]:
    parser = CasParser()
    return parser.feed(data) + parser.idle()


@pytest.mark.parametrize(
    ("frame", "milligrams", "interval_mg", "status"),
    [
        (SETTLED, 1_234_000, 1_000, Status.OK),
        (MOVING, -250_000, 1_000, Status.MOTION),
        (framed(b"S 000234 g"), 234_000, 1_000, Status.OK),
        (framed(b"S  2.345kg"), 2_345_000, 1_000, Status.OK),
        (framed(b"S-00.000kg"), 0, 1_000, Status.OK),
        (framed(b"S 005.00lb"), 2_267_962, 4_536, Status.OK),
    ],
)
def test_weights(frame: bytes, milligrams: int, interval_mg: int, status: Status) -> None:
    (found,) = parse(frame)
    assert isinstance(found, Reading)
    assert found.mass is not None
    assert (found.mass.milligrams, found.mass.interval_mg, found.status) == (milligrams, interval_mg, status)
    assert (found.stable, found.raw) == (status is Status.OK, frame)


def test_an_overflow_has_no_weight() -> None:
    (found,) = parse(framed(b"SF15.009kg"))
    assert isinstance(found, Reading)
    assert (found.status, found.mass) == (Status.OVERLOAD, None)


def frame_with_check(check: int) -> tuple[bytes, int]:
    """A settled weight whose BCC is this byte, and its milligrams."""
    for grams in range(100_000):
        data = f"S {grams / 1000:06.3f}kg".encode()
        if reduce(xor, data) == check:
            return framed(data), grams * 1_000
    raise AssertionError(f"no weight has the check {check:#04x}")


def test_the_check_may_be_any_byte_a_weight_can_have() -> None:
    """Digits reach sixteen checks; with the other units' letters also the bytes that begin and end frames."""
    seen = {reduce(xor, f"S {grams / 1000:06.3f}kg".encode()) for grams in range(100_000)}
    for check in seen:
        frame, milligrams = frame_with_check(check)
        (found,) = parse(frame)
        assert isinstance(found, Reading)
        assert found.mass
        assert found.mass.milligrams == milligrams


@pytest.mark.parametrize("check", [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x11, 0x15])
def test_a_check_that_is_a_control_character_cuts_nothing(check: int) -> None:
    """S11. Whatever the data, a frame is cut by its length: these are no weights, and one piece all the same."""
    data = bytearray(b"S 01.234kg")
    data[9] = reduce(xor, data[:9]) ^ check
    frame = b"\x01\x02" + bytes(data) + bytes([check]) + b"\x03\x04"
    frames = parse(frame + SETTLED)
    assert [type(found) for found in frames] == [Garbage, Reading]
    assert b"".join(found.raw for found in frames) == frame + SETTLED


def test_a_missing_eot() -> None:
    short = SETTLED[:-1]
    parser = CasParser()
    assert parser.feed(short) == []
    (found,) = parser.idle()
    assert isinstance(found, Reading)
    assert found.raw == short
    frames = parse(ACK + short + ACK + short + SETTLED)
    assert [type(frame) for frame in frames] == [Prompt, Reading, Prompt, Reading, Reading]


def test_three_naks_then_ack() -> None:
    frames = parse(NAK * 3 + ACK + SETTLED)
    assert [(f.send if isinstance(f, Prompt) else f.raw) for f in frames] == [ENQ, ENQ, ENQ, DC1, SETTLED]


def test_the_fourth_nak_is_a_status_and_the_count_begins_anew() -> None:
    frames = parse(NAK * 4 + NAK)
    assert [type(frame) for frame in frames] == [Prompt, Prompt, Prompt, Reading, Prompt]
    assert isinstance(frames[3], Reading)
    assert (frames[3].status, frames[3].mass) == (Status.FAULT, None)


@pytest.mark.parametrize("position", range(15))
def test_a_lost_byte_is_never_a_weight_and_the_next_frame_is_read(position: int) -> None:
    broken = SETTLED[:position] + SETTLED[position + 1 :]
    frames = parse(broken + MOVING + MOVING)
    readings = [frame for frame in frames if isinstance(frame, Reading)]
    if position == 14:
        assert [frame.raw for frame in readings] == [broken, MOVING[:-1], MOVING]  # its EOT is not waited for
    else:
        assert [frame.raw for frame in readings] == [MOVING, MOVING]
        assert any(isinstance(frame, Garbage) for frame in frames)


def test_the_whole_dialogue_on_a_bench(bench: Callable[..., Bench]) -> None:
    """ENQ, three times not ready, ready, weight: five of them are a weight."""
    made = bench("cas")
    for _ in range(6):
        asked = len(made.sent)
        made.wait(0.25)
        assert made.sent[asked][1] == ENQ
        made.receive(NAK)
        made.wait(0.05)
        assert made.sent[-1][1] == ENQ
        made.receive(ACK)
        made.wait(0.05)
        assert made.sent[-1][1] == DC1
        made.receive(SETTLED)
    assert made.accepted == [1_234_000]
    assert made.refused == []


def test_noise_and_garbage() -> None:
    """S20."""
    assert [type(frame) for frame in parse(b"\x00\x7f\xff" + ACK)] == [Prompt]
    parser = CasParser()
    assert all(isinstance(f, Garbage) and len(f.raw) <= 64 for f in parser.feed(b"\x55" * 1_000_000))
    assert sum(len(f.raw) for f in parser.drop()) <= 64


ALPHABET = [SETTLED, MOVING, SETTLED[:-1], ACK, NAK, *(bytes([b]) for b in b"\x01\x02\x03\x04S 01.kge\x00")]


@given(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(ALPHABET), max_size=40).map(b"".join)))
def test_any_bytes_in_any_pieces_give_the_same_frames(data: bytes) -> None:
    whole, pieces = CasParser(), CasParser()
    at_once = whole.feed(data) + whole.idle() + whole.drop()
    singly = [frame for byte in data for frame in pieces.feed(bytes([byte]))] + pieces.idle() + pieces.drop()
    assert at_once == singly
