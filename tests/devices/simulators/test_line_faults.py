"""The faults of a simulated line, against what they are in the world and not against our parsers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.scale import DRIVERS
from devices.scale.frames import Garbage, Prompt, Reading
from devices.simulators.faults import LineFaults, resample, with_parity
from devices.simulators.scale import ScaleSimulator
from devices.simulators.voices import VOICES
from station.errors import InvalidInput

every_voice = pytest.mark.parametrize("driver", list(VOICES))
TEXT = b"S S      0.288 kg\r\n"


def life(driver: str, steps: dict[int, dict[str, object]], ticks: int = 300) -> list[tuple[float, bytes]]:
    """What a scale says in ticks of 20 ms when it is asked five times a second and its handshakes are kept."""
    scale, parser = ScaleSimulator(driver, 3), DRIVERS[driver].parser()
    spoken: list[tuple[float, bytes]] = []
    for tick in range(ticks):
        now = tick / 50
        if tick in steps:
            said, _ = scale.do(dict(steps[tick]), now)
            spoken.append((now, said))
        if tick % 10 == 0 and (poll := DRIVERS[driver].poll):
            scale.hear(poll, now)
        said = scale.speak(now)
        if said:
            spoken.append((now, said))
            for frame in parser.feed(said):
                if isinstance(frame, Prompt):
                    scale.hear(frame.send, now)
    return spoken


def readings(driver: str, spoken: list[tuple[float, bytes]]) -> list[Reading]:
    parser = DRIVERS[driver].parser()
    frames = [frame for _, data in spoken for frame in parser.feed(data)] + parser.idle()
    assert not any(isinstance(frame, Garbage) for frame in frames[3:]), frames
    return [frame for frame in frames if isinstance(frame, Reading)]


def weights(driver: str, spoken: list[tuple[float, bytes]]) -> set[int]:
    return {found.mass.milligrams for found in readings(driver, spoken) if found.mass and found.status == "ok"}


@every_voice
def test_put_and_remove_show_and_motion_says_so(driver: str) -> None:
    spoken = life(driver, {50: {"do": "put", "gross_mg": 288_000}, 200: {"do": "remove"}})
    if driver != "yaohua":  # says nothing about rest
        assert weights(driver, spoken) <= {0, 288_000}
    assert 288_000 in weights(driver, spoken)


@every_voice
def test_stuck_shows_the_old_value_settled(driver: str) -> None:
    steps: dict[int, dict[str, object]] = {
        10: {"do": "put", "gross_mg": 288_000},
        80: {"do": "stuck", "seconds": 3},
        90: {"do": "put", "gross_mg": 5_000_000},
    }
    spoken = life(driver, steps)
    assert weights(driver, [said for said in spoken if 1.4 < said[0] < 4.4]) == {288_000}
    assert 5_000_000 in weights(driver, spoken)


@every_voice
def test_motion_is_not_at_rest(driver: str) -> None:
    spoken = life(driver, {10: {"do": "put", "gross_mg": 288_000}, 80: {"do": "motion", "seconds": 2}})
    shaken = readings(driver, [said for said in spoken if 1.7 < said[0] < 3.5])
    settled = [found for found in shaken if found.stable]
    assert settled == []


@every_voice
def test_over_under_and_below_zero_are_no_weight(driver: str) -> None:
    for step in ({"do": "overload"}, {"do": "underload"}, {"do": "negative", "mg": 7_000}):
        spoken = life(driver, {0: step})
        later = [said for said in spoken if said[0] > 1.0]
        assert later or driver == "yaohua"  # has no word for any of them
        assert not any(mass > 0 for mass in weights(driver, later)) or driver == "yaohua", step


@every_voice
def test_the_same_seed_is_the_same_fault(driver: str) -> None:
    steps: dict[int, dict[str, object]] = {20: {"do": "noise", "rate": 0.1, "seconds": 3}, 60: {"do": "splice"}}
    assert life(driver, steps) == life(driver, steps)
    assert life(driver, steps) != life(driver, {})


def carried(fault: dict[str, object], chunks: int = 10) -> list[bytes]:
    line = LineFaults(1)
    assert line.do(fault, 0.0) == b""
    return [line.carry(TEXT, i / 10) for i in range(chunks)]


def test_drop_loses_that_many_bytes() -> None:
    assert carried({"do": "drop", "bytes": 3}) == [TEXT[3:]] + [TEXT] * 9
    assert carried({"do": "drop", "bytes": len(TEXT) + 1})[:3] == [b"", TEXT[1:], TEXT]
    every = b"".join(carried({"do": "drop", "every": 4, "seconds": 100}))
    assert len(every) == len(TEXT) * 10 * 3 // 4 + 1


def test_splice_runs_two_messages_together() -> None:
    first, second, third, *_ = carried({"do": "splice"})
    assert first == b""
    assert third == TEXT
    assert any(second == TEXT[:i] + TEXT[j:] for i in range(1, 20) for j in range(len(TEXT)))


def test_noise_flips_bits_at_its_rate_and_ends() -> None:
    spoken = b"".join(carried({"do": "noise", "rate": 0.2, "seconds": 0.5}))
    hit = [place for place, (a, b) in enumerate(zip(spoken, TEXT * 10, strict=True)) if a != b]
    assert 5 < len(hit) < 40
    assert max(hit) < 5 * len(TEXT)
    assert LineFaults(1).do({"do": "noise", "hex": "00007f7f"}, 0.0) == bytes.fromhex("00007f7f")


def test_late_delays_and_keeps_the_order() -> None:
    line = LineFaults(1)
    line.do({"do": "late", "by": 1.0, "seconds": 0.5}, 0.0)
    assert line.carry(b"1", 0.0) == b""
    assert line.carry(b"2", 0.9) == b""
    assert line.carry(b"", 1.0) == b"12"
    assert line.carry(b"3", 1.1) == b"3"


def test_parity_is_bit_seven() -> None:
    even, odd = with_parity(bytes(range(128))), with_parity(bytes(range(128)), odd=True)
    assert all(byte.bit_count() % 2 == 0 and byte & 0x7F == i for i, byte in enumerate(even))
    assert all(byte.bit_count() % 2 == 1 and byte & 0x7F == i for i, byte in enumerate(odd))


@given(st.binary(max_size=40))
def test_the_right_speed_changes_nothing(data: bytes) -> None:
    assert resample(data, 1.0) == data


@pytest.mark.parametrize("ratio", [0.98, 1.02])
def test_two_per_cent_off_is_what_a_uart_bears(ratio: float) -> None:
    data = random.Random(1).randbytes(200)
    for byte in data:
        assert resample(bytes([byte]), ratio) == bytes([byte])


def test_a_slower_device_makes_runs_of_equal_bits() -> None:
    assert resample(b"\x00", 0.5)[0] == 0x00
    received = resample(b"U" * 20, 0.25)
    assert set(received) <= {0xF0, 0x0F, 0x78, 0x87, 0xE1, 0x1E, 0xC3, 0x3C}
    assert len(received) > 40


def test_a_faster_device_loses_bytes() -> None:
    assert len(resample(TEXT, 4.0)) < len(TEXT) / 2


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "drop"},
        {"do": "noise", "rate": "often"},
        {"do": "wrong_baud", "ratio": 0},
        {"do": "wrong_baud", "ratio": 1},
        {"do": "parity", "kind": "mark"},
        {"do": "late"},
    ],
)
def test_a_fault_that_makes_no_sense(fault: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=str(fault["do"])):
        LineFaults(1).do(fault, 0.0)
