"""The simulated scales against the makers' tables; only the last test lets our parsers read them."""

from __future__ import annotations

import re

import pytest

from devices.ports import Status
from devices.scale import DRIVERS
from devices.scale.frames import Reading
from devices.simulators.scale import ScaleSimulator
from devices.simulators.scanner import ScannerSimulator
from station.errors import InvalidInput


def sics(simulator: ScaleSimulator, command: str, now: float) -> bytes:
    simulator.hear(f"{command}\r\n".encode(), now)
    return simulator.speak(now)


def test_mt_sics_answers_as_the_manual_says() -> None:
    scale = ScaleSimulator("mt_sics", seed=1)
    assert scale.speak(0.0) == b""
    assert sics(scale, "SI", 0.0) == b"S S      0.000 kg\r\n"
    scale.do({"do": "put", "gross_mg": 12_345_000}, 1.0)
    moving = sics(scale, "SI", 1.1)
    assert re.fullmatch(rb"S D .{10} kg\r\n", moving)
    assert moving != b"S D     12.345 kg\r\n"
    assert sics(scale, "S", 1.2) == b""  # waits for rest
    assert scale.speak(1.7) == b"S S     12.345 kg\r\n"
    assert sics(scale, "si", 2.0) == b"ES\r\n"
    assert sics(scale, "I4", 2.0) == b'I4 A "0123456789"\r\n'
    assert sics(scale, "@", 2.0) == b'I4 A "0123456789"\r\n'
    assert sics(scale, "Z", 2.0) == b"Z I\r\n"
    assert sics(scale, "T", 2.0) == b"T S     12.345 kg\r\n"
    assert sics(scale, "SI", 2.0) == b"S S      0.000 kg\r\n"
    assert sics(scale, "TAC", 2.0) == b"TAC A\r\n"
    scale.do({"do": "overload"}, 3.0)
    assert sics(scale, "SI", 5.0) == b"S +\r\n"
    assert sics(scale, "I0", 5.0).endswith(b'"@"\r\n')


def test_sir_repeats_until_the_next_command() -> None:
    scale = ScaleSimulator("mt_sics", seed=1)
    scale.hear(b"SIR\r\n", 0.0)
    spoken = b"".join(scale.speak(step / 100) for step in range(100))
    assert 9 <= spoken.count(b"\r\n") <= 11
    assert sics(scale, "SI", 1.0).count(b"\r\n") == 1
    assert scale.speak(2.0) == b""


def test_ohaus_prints_ten_times_a_second_in_the_real_columns() -> None:
    scale = ScaleSimulator("print_string", seed=1)
    scale.do({"do": "put", "gross_mg": 360_000}, -1.0)
    spoken = b"".join(scale.speak(step / 100) for step in range(100))
    assert spoken == b"   0.360 kg    G\r\n" * 10
    scale.hear(b"0P\r\n", 1.0)
    assert scale.speak(5.0) == b""
    scale.hear(b"IP\r\n", 5.0)
    assert scale.speak(5.0) == b"   0.360 kg    G\r\n"
    scale.do({"do": "remove"}, 6.0)
    scale.hear(b"P\r", 6.05)
    assert re.fullmatch(rb"[ -][ .\d]{7} kg   \?G\r\n", scale.speak(6.05))
    scale.hear(b"nonsense\r\n", 7.0)
    assert scale.speak(7.0) == b"ES\r\n"


@pytest.mark.parametrize("driver", ["mt_sics", "print_string"])
def test_silence_and_the_same_seed(driver: str) -> None:
    def life(seed: int) -> bytes:
        scale = ScaleSimulator(driver, seed)
        spoken = b""
        for step in range(200):
            if step == 20:
                scale.do({"do": "put", "gross_mg": 288_000}, step / 100)
            if step % 10 == 0:
                scale.hear(b"SI\r\n" if driver == "mt_sics" else b"", step / 100)
            spoken += scale.speak(step / 100)
        return spoken

    assert life(1) == life(1)
    assert life(1) != life(2)
    scale = ScaleSimulator(driver, 1)
    assert scale.do({"do": "silence", "seconds": 2}, 10.0) == (b"", 12.0)
    scale.hear(b"SI\r\n", 11.0)
    assert scale.speak(11.0) == b""


@pytest.mark.parametrize(
    "command",
    [
        {"do": "dance"},
        {"do": "put"},
        {"do": "put", "gross_mg": "heavy"},
        {"do": "put", "gross_mg": True},
        {"do": "silence", "seconds": -1},
        {"do": "noise", "hex": "xyz"},
        {"do": "noise"},
    ],
)
def test_a_wrong_command_is_refused_with_its_text(command: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=str(command["do"])):
        ScaleSimulator("mt_sics", 1).do(command, 0.0)


def test_a_scanner_sends_aim_text_and_suffix() -> None:
    scanner = ScannerSimulator()
    assert scanner.do({"do": "scan", "text": "RMA-1", "aim": "]C0"}, 1.0) == (b"]C0RMA-1\r", 1.0)
    assert scanner.do({"do": "scan", "text": "01\\x1d21"}, 1.0) == (b"01\x1d21\r", 1.0)
    assert scanner.do({"do": "bytes", "hex": "00 ff"}, 1.0) == (b"\x00\xff", 1.0)
    with pytest.raises(InvalidInput):
        scanner.do({"do": "scan"}, 1.0)


@pytest.mark.parametrize("driver", ["mt_sics", "print_string"])
def test_our_parser_understands_every_frame_of_the_simulator(driver: str) -> None:
    scale, parser = ScaleSimulator(driver, 3), DRIVERS[driver].parser()
    readings: list[Reading] = []
    for step in range(400):
        now = step / 50
        if step == 50:
            scale.do({"do": "put", "gross_mg": 288_000}, now)
        if step == 200:
            scale.do({"do": "overload"}, now)
        if step % 5 == 0 and driver == "mt_sics":
            scale.hear(b"SI\r\n", now)
        for frame in parser.feed(scale.speak(now)):
            assert isinstance(frame, Reading), frame
            readings.append(frame)
    assert len(readings) >= 70
    assert {r.mass.milligrams for r in readings if r.status is Status.OK and r.mass} == {0, 288_000}
    moving = [r for r in readings if r.status is Status.MOTION]
    assert moving
    assert all(r.mass and not r.stable for r in moving)
    assert readings[-1].status is Status.OVERLOAD
