"""A scale's protocol is found, and nothing that could zero, tare or print is ever sent (issue 3, part 1)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.capture import read_capture
from devices.discovery.detect import ANSWERS, PROBES, Detection, Detector, classify, parity_of
from devices.scale import DRIVERS
from devices.simulators.line import PtyLine
from devices.simulators.scale import ScaleSimulator
from devices.simulators.voices import VOICES
from devices.transport import LineSettings
from station.errors import DeviceFault
from tests.devices.discovery.bench import Babble, Bench, Noisy, Silent
from tests.devices.discovery.commands import PROTOCOLS, Protocol, single_bytes
from tests.devices.discovery.uart import carry

SERIAL_DRIVERS = [name for name in DRIVERS if name != "hid"]


def detect(bench: Bench) -> Detection:
    return Detector("bench", open_line=bench.open, monotonic=bench.monotonic).run()


@pytest.mark.parametrize("driver", SERIAL_DRIVERS)
@pytest.mark.parametrize(
    "line",
    [
        None,
        LineSettings(4800),
        LineSettings(2400, 7, "E"),
        LineSettings(19200),
        LineSettings(1200, 7, "E"),
        LineSettings(9600, 7, "E"),
    ],
    ids=str,
)
def test_every_scale_is_found_as_it_is_set(driver: str, line: LineSettings | None) -> None:
    bench = Bench.with_scale(driver, line)
    before = bench.pan()
    found = detect(bench).found
    assert bench.pan() == before, "nobody zeroed or tared it"
    assert not bench.is_open
    assert found is not None
    assert (found.driver, found.settings) == (driver, line or DRIVERS[driver].line)
    if found.poll is None:
        assert bench.sent == [], "a scale that talks is only listened to"


@pytest.mark.parametrize("state", ["motion", "overload"])
@pytest.mark.parametrize("driver", ["mt_sics", "sma", "cas", "toledo_continuous", "toledo_8217", "nci"])
def test_a_scale_that_gives_no_weight_now_is_found_too(driver: str, state: str) -> None:
    bench = Bench.with_scale(driver)
    if state == "overload":
        bench.platform.load(40_000_000, 0.0)
    else:
        bench.platform.shake(bench.now + 60)
    found = detect(bench)
    assert found.found is not None, found
    assert found.found.driver == driver


# What is sent


def everything_sent() -> list[tuple[bytes, LineSettings]]:
    """Each request with the settings at which it goes out, as a silent scale gets them, and the handshake's answers."""
    bench = Bench(Silent())
    detect(bench)
    assert {data for data, _ in bench.sent} == set(PROBES)
    return [*bench.sent, *((answer, DRIVERS["cas"].line) for answer in ANSWERS)]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_no_protocol_finds_a_dangerous_command_in_what_is_sent(protocol: Protocol) -> None:
    sent = [*PROBES, *ANSWERS]
    # one after the other, in any order, asked again and again: no two of them make a third
    for first, second in product(sent, repeat=2):
        assert not protocol.obeys(first * 3 + second * 3)
    assert not protocol.obeys(b"".join(data for data, _ in everything_sent()))


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_the_same_check_finds_each_dangerous_command(protocol: Protocol) -> None:
    """The negative control."""
    frames = {"between_lf_and_cr": b"\n%b\r", "lines": b"%b\r\n"}
    frame = frames.get(getattr(protocol.receiver, "__name__", ""), b"%b")
    for command in protocol.dangerous:
        assert command in protocol.obeys(b"SI\r\n" + frame % command + b"\nW\r")


LISTENING = [
    LineSettings(baud, *bits)
    for baud in (1200, 2400, 4800, 9600, 19200, 38400)
    for bits in ((8, "N"), (7, "E"), (7, "O"), (7, "N", 2))
]


def obeyed_at_another_speed(data: bytes, sent_at: LineSettings, line: LineSettings, *, strict: bool) -> set[bytes]:
    """What scales whose commands are single bytes would do; the others need a terminator that a garbled line lacks."""
    heard = carry(data, sent_at, line, strict=strict)
    seven_bits = bytes(byte & 0x7F for byte in heard)
    obeyed: set[bytes] = set()
    for protocol in PROTOCOLS:
        if protocol.receiver is not single_bytes or protocol.name.endswith(("scanner", "printer")):
            continue
        if not protocol.eight_bits:
            obeyed |= protocol.obeys(heard) | protocol.obeys(seven_bits)
        elif line == LineSettings(line.baud):
            obeyed |= protocol.obeys(heard)
    return obeyed - {b"B"}  # 8217: asks for the result of a self-test that was not begun


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
def test_nor_does_a_scale_that_is_set_to_another_speed(strict: bool) -> None:
    for (data, sent_at), line in product(dict.fromkeys(everything_sent()), LISTENING):
        assert not obeyed_at_another_speed(data, sent_at, line, strict=strict), (data, str(sent_at), str(line))


@pytest.mark.parametrize(
    ("data", "sent_at", "line", "command"),
    [
        (b"SI\r\n", LineSettings(4800, 7, "E"), LineSettings(2400), b"P"),
        (b"Q\r\n", LineSettings(4800), LineSettings(1200, 7, "E"), b"T"),
        (b"98000001\r\n", LineSettings(2400), LineSettings(1200, 7, "N", 2), b"Z"),
    ],
)
def test_a_garbled_line_is_a_real_danger(
    data: bytes, sent_at: LineSettings, line: LineSettings, command: bytes
) -> None:
    """The negative control: other requests for a weight would not pass."""
    assert command in obeyed_at_another_speed(data, sent_at, line, strict=False)


@pytest.mark.parametrize("driver", SERIAL_DRIVERS)
def test_no_simulated_scale_is_changed_by_every_request_at_once(driver: str) -> None:
    bench = Bench.with_scale(driver)
    before = bench.pan()
    for data in (*PROBES, *ANSWERS) * 3:
        bench.voice.hear(data, bench.now)
        bench.voice.speak(bench.now)
        bench.now += 0.3
    assert bench.pan() == before


def test_the_pan_would_show_it() -> None:
    """The negative control: with commands of the makers' tables, simulated scales do change."""
    commands = {
        "mt_sics": (b"Z\r\n", b"T\r\n"),
        "toledo_8217": (b"Z", b"T"),
        "nci": (b"Z\r",),
        "sma": (b"\nZ\r", b"\nT\r"),
    }
    commands |= {"print_string": (b"Z\r\n", b"T\r\n")}
    for driver, words in commands.items():
        for word in words:
            bench = Bench.with_scale(driver)
            before = bench.pan()
            bench.voice.hear(word, bench.now)
            bench.voice.speak(bench.now)
            assert bench.pan() != before, (driver, word)


def test_what_a_driver_asks_by_itself_is_not_sent_unless_it_is_known_to_be_safe() -> None:
    polls = {name: driver.poll for name, driver in DRIVERS.items() if driver.poll is not None and name != "hid"}
    assert set(polls.values()) <= set(PROBES), f"a new poll is not asked in detection until it is proven here: {polls}"


# What is understood


def test_silence_is_told_with_what_to_do() -> None:
    found = detect(Bench(Silent()))
    assert found.candidates == ()
    assert "switched on" in found.sentence
    assert "--driver" in found.sentence


@pytest.mark.parametrize(
    "text",
    [
        b"4006381333931\r",
        b"]C1RMA-104233\r\n",
        b"hello, this is a router console\r\n",
        b"$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M*76\r\n",
        bytes(range(256)),
    ],
)
def test_what_is_no_scale_is_not_taken_for_one_and_is_asked_nothing(text: bytes) -> None:
    bench = Bench(Babble(text))
    found = detect(bench)
    assert found.candidates == ()
    assert "Is it a scale?" in found.sentence
    assert bench.sent == []


@pytest.mark.parametrize("noise", [b"\x00\x00\x7f\x7f", b"AT\r", b"~\x00\x78\xf0~"])
def test_power_up_noise_and_modem_probes_are_silence(noise: bytes) -> None:
    bench = Bench.with_scale("mt_sics")
    bench.voice = Noisy(bench.voice, noise, at=bench.now + 0.3)
    found = detect(bench).found
    assert found is not None
    assert found.driver == "mt_sics"


def test_equally_good_explanations_are_told_and_none_is_chosen() -> None:
    twins = {name: replace(DRIVERS["print_string"], name=name) for name in ("one", "other")}
    bench = Bench.with_scale("print_string")
    found = Detector("bench", open_line=bench.open, drivers=twins, monotonic=bench.monotonic).run()
    assert found.found is None
    assert {candidate.driver for candidate in found.candidates} == {"one", "other"}
    assert "one, other" in found.sentence
    assert "--driver" in found.sentence


@given(st.binary(min_size=64, max_size=600))
def test_garbage_is_no_scale(data: bytes) -> None:
    assert classify(data, LineSettings()) == ()


@given(st.sampled_from(SERIAL_DRIVERS), st.binary(max_size=300), st.integers(0, 40))
def test_any_piece_of_any_stream_can_be_classified(driver: str, noise: bytes, start: int) -> None:
    bench = Bench.with_scale(driver)
    said = b""
    for _ in range(100):
        bench.now += 0.02
        said += bench.voice.speak(bench.now)
    for found in classify(noise + said[start:], LineSettings()):
        assert 0.9 <= found.share <= 1.0
        assert found.frames >= 3


@pytest.mark.parametrize("parity", ["E", "O"])
def test_a_parity_bit_is_told_from_data(parity: str) -> None:
    data = carry(b"ST,GS,+0012.345 kg\r\n", LineSettings(9600, 7, parity), LineSettings())
    assert parity_of(data) == (parity, 1)
    assert parity_of(b"ST,GS,1\xc5,  12.345 kg\r\n" * 3) is None, "the CAS lamp byte is no parity"


@pytest.mark.parametrize(
    ("file", "driver"),
    [("ohaus_defender3000_hex.txt", "print_string"), ("tscale_qhw.txt", "st_gs"), ("tscale_nhb.txt", "st_gs")],
)
def test_real_captures_are_classified(shared_data: Path, file: str, driver: str) -> None:
    path = shared_data / "scales" / file
    data = b"".join(chunk.data for chunk in read_capture(path))
    assert [found.driver for found in classify(data, LineSettings())] == [driver]


# Through the kernel


@contextmanager
def running(driver: str) -> Iterator[tuple[str, ScaleSimulator, PtyLine]]:
    line, simulator, stopping = PtyLine(), ScaleSimulator(driver, 1), threading.Event()
    simulator.do({"do": "put", "gross_mg": 200_000}, time.monotonic())

    def serve() -> None:
        while not stopping.is_set():
            simulator.hear(line.read(0.01), time.monotonic())
            said = simulator.speak(time.monotonic())
            if said:
                line.write(said)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield line.port, simulator, line
    finally:
        stopping.set()
        thread.join()
        line.close()


@pytest.mark.parametrize(
    "driver",
    [pytest.param("mt_sics", marks=pytest.mark.slow), "toledo_continuous", pytest.param("cas", marks=pytest.mark.slow)],
)
def test_through_a_real_pseudo_terminal(driver: str) -> None:
    with running(driver) as (port, _, _):
        found = Detector(port).run().found
    assert found is not None
    assert found.driver == driver


def test_an_unplug_meanwhile_is_a_fault() -> None:
    bench = Bench(Silent(), unplug_at=100.7)
    with pytest.raises(DeviceFault, match="unplugged"):
        detect(bench)
    assert not bench.is_open


def test_a_port_that_floods_is_bounded() -> None:
    bench = Bench(Babble(b"x" * 9_000))
    assert len(detect(bench).heard) <= 64


def test_every_serial_driver_has_a_simulator() -> None:
    assert set(SERIAL_DRIVERS) <= set(VOICES)
