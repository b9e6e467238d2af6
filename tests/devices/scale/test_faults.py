"""The faults of DEVICES §8.1 by number, for the whole instrument. S4, S5: test_corruption; S20: test_parsers;
S17, S18: test_transport and test_supervisor; S11, S12, S21: the tests of CAS, ST,GS and HID.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devices.capture import read_capture
from devices.ports import Light, Status
from devices.scale import DRIVERS
from devices.scale.acceptance import Acceptor, Rule
from devices.simulators.faults import resample, with_parity
from devices.transport import LineSettings
from station.inspection.facts import StableSource

if TYPE_CHECKING:
    from tests.devices.scale.conftest import Bench

MakeBench = Callable[..., "Bench"]

TOLEDO = bytes.fromhex("02 2D 30 20 20 20 31 32 33 34 20 20 20 20 20 30 0D 1A")
NCI = b"\n12.345KG\r\nS00\r\x03"
SMA = b"\n 1G       5.025lb \r"
W8217 = b"\x0212.345\r"
SICS = b"S S      0.288 kg\r\n"
OHAUS = b"   0.360 kg    G\r\n"
ONE_OF_EACH = {
    "mt_sics": (SICS, 288_000),
    "toledo_continuous": (TOLEDO, 1_234_000),
    "toledo_8217": (W8217, 12_345_000),
    "nci": (NCI, 12_345_000),
    "sma": (SMA, 2_279_302),
    "print_string": (OHAUS, 360_000),
}
each = pytest.mark.parametrize("driver", list(ONE_OF_EACH))


def statuses(bench: Bench) -> list[Status]:
    return [indication.status for indication in bench.indications]


def dialogue(bench: Bench, answer: bytes | None, seconds: float, delay_s: float = 0.02) -> None:
    """A scale that answers each question after a while, or not at all."""
    end = bench.now + seconds
    answered = len(bench.sent)
    while bench.now < end:
        bench.rest(0.05)
        if answer is not None and len(bench.sent) > answered:
            answered = len(bench.sent)
            bench.receive(answer, delay_s)


@each
def test_s1_a_log_that_begins_in_the_middle(bench: MakeBench, driver: str) -> None:
    message, mass = ONE_OF_EACH[driver]
    for cut in range(1, len(message)):
        scale = bench(driver)
        scale.stream([message[cut:]] + [message] * 8)
        assert scale.accepted == [mass]
        assert {i.gross_mg for i in scale.indications} <= {mass, None}


def test_s1_and_s2_the_real_beginnings(bench: MakeBench, shared_data: Path) -> None:
    scale = bench("print_string")
    for chunk in read_capture(shared_data / "scales" / "ohaus_defender3000_hex.txt"):
        scale.receive(chunk.data, 0.1)
    assert scale.indications
    assert scale.refused[0].startswith("no known")
    noisy = bench("print_string")
    noisy.stream([bytes.fromhex("00 00 7F 7F") + b"     0.0 kg    G\r\n", b"    19.8 kg    G\r\n"])
    assert [i.gross_mg for i in noisy.indications] == [0, 19_800_000]


@each
def test_s3_one_byte_at_a_time_with_pauses(bench: MakeBench, driver: str) -> None:
    message, mass = ONE_OF_EACH[driver]
    slow, quick = bench(driver), bench(driver)
    for i, byte in enumerate(message * 12):
        slow.receive(bytes([byte]), (0.0, 0.04, 0.013)[i % 3])
    quick.receive(message * 12, 0.1)
    assert len(slow.indications) >= 11
    assert [i.raw for i in slow.indications] == [i.raw for i in quick.indications][: len(slow.indications)]
    assert {i.gross_mg for i in slow.indications} == {mass}
    assert quick.accepted == []


@pytest.mark.parametrize(
    ("driver", "frame", "status"),
    [
        ("toledo_8217", "02 3F 41 0D", Status.MOTION),
        ("toledo_8217", "02 3F 42 0D", Status.OVERLOAD),
        ("toledo_8217", "02 3F 44 0D", Status.UNDERLOAD),
        ("toledo_8217", "02 3F 50 0D", Status.OK),
        ("toledo_8217", "02 3F 45 0D", Status.UNDERLOAD),
        ("nci", "0A 53 31 30 0D 03", Status.MOTION),
        ("nci", "0A 53 30 32 0D 03", Status.OVERLOAD),
        ("nci", "0A 53 30 31 0D 03", Status.UNDERLOAD),
        ("nci", "0A 53 30 70 30 0D 03", Status.OK),
        ("nci", "0A 53 31 70 70 30 0D 03", Status.MOTION),
    ],
)
def test_s6_a_status_instead_of_a_weight(bench: MakeBench, driver: str, frame: str, status: Status) -> None:
    scale = bench(driver)
    scale.stream([bytes.fromhex(frame)] * 20)
    assert statuses(scale) == [status] * 20
    assert {(i.gross_mg, i.unit, i.stable) for i in scale.indications} == {(None, None, False)}
    assert scale.accepted == []


@pytest.mark.parametrize(
    ("driver", "frame", "status"),
    [
        ("nci", b"\n^^^^^^^kg\r\n02\r\x03", Status.OVERLOAD),
        ("nci", b"\n_______kg\r\n01\r\x03", Status.UNDERLOAD),
        ("nci", b"\n-------kg\r\n00\r\x03", Status.ZERO_ERROR),
        ("sma", b"\nE1G  ----------   \r", Status.ZERO_ERROR),
        ("sma", b"\n 1G  ----------   \r", Status.MOTION),
        ("sma", b"\nO1G      35.000kg \r", Status.OVERLOAD),
        ("sma", b"\nU1G      -1.250kg \r", Status.UNDERLOAD),
        ("toledo_continuous", bytes.fromhex("022D34202020202020302020202020300D50"), Status.OVERLOAD),
        ("toledo_continuous", bytes.fromhex("022D70202020202020302020202020300D14"), Status.NOT_ZEROED),
    ],
)
def test_s7_dashes_and_overloads_that_still_send_a_number(
    bench: MakeBench, driver: str, frame: bytes, status: Status
) -> None:
    scale = bench(driver)
    scale.stream([frame] * 20)
    assert set(statuses(scale)) == {status}
    assert {i.gross_mg for i in scale.indications} == {None}
    assert scale.accepted == []


def test_s8_an_overload_that_looks_like_zero_is_no_load(bench: MakeBench) -> None:
    """Dibal sends 00.000 for an overload; it cannot be told from an empty pan, and neither is ever accepted."""
    scale = bench("toledo_8217")
    scale.stream([b"\x0200.000\r"] * 20)
    assert set(statuses(scale)) == {Status.OK}
    assert scale.accepted == []


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (b"S I\r\n", Status.MOTION),
        (b"S +\r\n", Status.OVERLOAD),
        (b"S -\r\n", Status.UNDERLOAD),
        (b"ES\r\n", Status.FAULT),
        (b"S S Error 10b\r\n", Status.FAULT),
    ],
)
def test_s9_mt_sics_says_what_is_wrong(bench: MakeBench, frame: bytes, status: Status) -> None:
    scale = bench("mt_sics")
    scale.stream([frame] * 10)
    assert set(statuses(scale)) == {status}
    assert {i.gross_mg for i in scale.indications} == {None}


@pytest.mark.parametrize(("driver", "answer"), [("mt_sics", SICS), ("toledo_8217", W8217), ("nci", NCI), ("sma", SMA)])
def test_s9_and_s16_a_late_answer_never_counts(bench: MakeBench, driver: str, answer: bytes) -> None:
    scale = bench(driver)
    dialogue(scale, answer, 20.0, delay_s=1.2)
    assert scale.accepted == []
    assert set(statuses(scale)) == {Status.NO_REPLY}
    assert set(scale.refused) == {"answer to an older question, too late to count"}
    dialogue(scale, answer, 5.0)
    assert len(scale.accepted) == 1


@pytest.mark.parametrize(("driver", "answer"), [("mt_sics", SICS), ("toledo_8217", W8217), ("nci", NCI), ("sma", SMA)])
@pytest.mark.parametrize("period_s", [0.5, 0.9, 1.3, 1.7, 2.3])
def test_a_recording_of_a_polled_scale_is_still_read_at_its_own_pace(
    bench: MakeBench, driver: str, answer: bytes, period_s: float
) -> None:
    """It answers nobody: as from a scale that was set to send by itself, slowly."""
    scale = bench(driver)
    for _ in range(20):
        scale.wait(period_s)
        scale.receive(answer)
    weights = [i for i in scale.indications if i.gross_mg is not None]
    assert len(weights) >= 14


@pytest.mark.parametrize(("driver", "answer"), [("mt_sics", SICS), ("toledo_8217", W8217), ("nci", NCI), ("sma", SMA)])
def test_s16_one_lost_answer_costs_two_seconds_and_no_more(bench: MakeBench, driver: str, answer: bytes) -> None:
    scale = bench(driver)
    dialogue(scale, None, 1.0)  # asked once, and the answer is lost
    dialogue(scale, answer, 2.5)
    assert len(scale.accepted) == 1


def test_s10_a_bad_check_is_refused_and_a_good_one_may_look_like_anything(bench: MakeBench) -> None:
    scale = bench("toledo_continuous")
    scale.stream([TOLEDO] * 3 + [TOLEDO[:-1] + b"\x1b"] * 20)
    assert len(scale.indications) == 3
    assert scale.accepted == []
    for weight, check in ((b"  5990", b"\r"), (b"  8899", b"\x02")):
        scale = bench("toledo_continuous")
        scale.stream([b"\x02\x2d\x30\x20" + weight + b"     0\r" + check] * 8)
        assert scale.accepted == [int(weight) * 1_000]
        assert scale.refused == []


def test_s13_units_and_commas(bench: MakeBench) -> None:
    scale = bench("sma")
    scale.stream([b"\n 1G      12.345kg \r"] * 2 + [b"\n 1G       12345g  \r"] * 2 + [b"\n 1G      12,345kg \r"] * 2)
    assert {i.gross_mg for i in scale.indications} == {12_345_000}
    assert [i.unit for i in scale.indications] == ["kg", "kg", "g", "g", "kg", "kg"]
    assert scale.accepted == []


@pytest.mark.parametrize(
    ("driver", "frame", "gross_mg"),
    [
        ("sma", b"\n 1G      -0.000kg \r", 0),
        ("sma", b"\nZ1G       0.000kg \r", 0),
        ("sma", b"\n 1N      -1.500kg \r", -1_500_000),
        ("nci", b"\n  -0.000kg\r\n00\r\x03", 0),
        ("toledo_continuous", bytes.fromhex("022D33202020203235302020313530300D74"), -250_000),
    ],
)
def test_s14_negative_zero_and_an_active_tare_are_no_load(
    bench: MakeBench, driver: str, frame: bytes, gross_mg: int
) -> None:
    scale = bench(driver)
    scale.stream([frame] * 20)
    assert {i.gross_mg for i in scale.indications} == {gross_mg}
    assert scale.accepted == []


@each
def test_s15_a_frozen_value_is_one_weight_and_not_the_next_units(bench: MakeBench, driver: str) -> None:
    message, mass = ONE_OF_EACH[driver]
    scale = bench(driver)
    for _ in range(4):
        scale.scale.ask()
        scale.stream([message] * 20)
    assert scale.accepted == [mass]


def test_s15_a_slow_drift_is_not_a_row_of_loads(bench: MakeBench) -> None:
    scale = bench("sma")
    scale.stream([f"\n 1G  {5 + i // 12 / 1000:10.3f}kg \r".encode() for i in range(400)])
    assert scale.accepted[0] == 5_000_000
    assert len(scale.accepted) < 12
    assert all(abs(later - earlier) >= 3_000 for earlier, later in pairwise(scale.accepted))


@each
def test_s16_silence_is_told_once_and_ends_every_run(bench: MakeBench, driver: str) -> None:
    message, mass = ONE_OF_EACH[driver]
    scale = bench(driver)
    scale.stream([message] * 3)
    scale.wait(5.0)
    assert statuses(scale)[-1] is Status.NO_REPLY
    assert statuses(scale).count(Status.NO_REPLY) == 1
    assert scale.indications[-1].gross_mg is None
    assert (scale.scale.health(scale.now) or (None, ""))[0] is Light.SILENT
    scale.stream([message] * 3)
    assert scale.accepted == []  # what repeats after the silence begins a new run
    scale.wait(2.5)
    scale.stream([message] * 9)
    assert scale.accepted == [mass]


def test_s16_without_the_gap_a_run_would_go_on_across_the_silence(bench: MakeBench) -> None:
    """The negative control: the same frames, a rule that does not mind pauses, and a line that tells no silence."""
    rule = Rule(max_gap_s=60.0)
    scale = bench("print_string", Acceptor("scale-1", declared=rule))
    scale.stream([OHAUS] * 3)
    scale.receive(b"", 5.0)
    scale.stream([OHAUS] * 3)
    assert scale.accepted == [360_000]


def health(bench: Bench) -> tuple[Light, str]:
    found = bench.scale.health(bench.now)
    assert found is not None
    return found


@pytest.mark.parametrize("driver", ["mt_sics", "print_string", "toledo_continuous", "sma"])
@pytest.mark.parametrize(("odd", "word"), [(False, "7E1"), (True, "7O1")])
def test_s19_a_parity_bit_read_as_data_is_diagnosed(bench: MakeBench, driver: str, odd: bool, word: str) -> None:
    scale = bench(driver)
    scale.stream([with_parity(ONE_OF_EACH[driver][0], odd=odd)] * 30)
    assert scale.accepted == []
    light, advice = health(scale)
    assert light is Light.SILENT
    assert word in advice


@pytest.mark.parametrize("driver", ["toledo_8217", "nci"])
def test_s19_a_seven_bit_protocol_is_read_through_a_line_that_hands_on_the_parity(
    bench: MakeBench, driver: str
) -> None:
    message, mass = ONE_OF_EACH[driver]
    scale = bench(driver)
    scale.stream([with_parity(message)] * 8)
    assert scale.accepted == [mass]
    odd = bench(driver)
    odd.stream([with_parity(message, odd=True)] * 30)
    assert odd.accepted == []
    assert "7O1" in health(odd)[1]
    told = bench(driver, line=LineSettings(data_bits=7, parity="O"))
    told.stream([with_parity(message, odd=True)] * 8)
    assert told.accepted == [mass]


@pytest.mark.parametrize("driver", ["toledo_8217", "nci"])
def test_s19_where_the_parity_arrives_every_flipped_bit_is_found(bench: MakeBench, driver: str) -> None:
    """Even with a rule that believes one indication."""
    single = Rule(count=1, span_s=0.0)
    message, mass = with_parity(ONE_OF_EACH[driver][0]), ONE_OF_EACH[driver][1]
    for place in range(len(message)):
        for bit in range(8):
            flipped = message[:place] + bytes([message[place] ^ 1 << bit]) + message[place + 1 :]
            acceptor = Acceptor("scale-1", declared=single, inferred=single)
            scale = bench(driver, acceptor)
            scale.stream([message] * 6)
            acceptor.ask(same_load=True)
            scale.stream([flipped] * 6)
            assert set(scale.accepted) == {mass}, (place, bit)


@pytest.mark.parametrize("driver", ["toledo_8217", "nci"])
def test_s19_without_a_parity_bit_it_would_be_believed(bench: MakeBench, driver: str) -> None:
    """The negative control of the test above: the same flips on a line that strips bit 7."""
    single = Rule(count=1, span_s=0.0)
    message, mass = ONE_OF_EACH[driver]
    scale = bench(driver, Acceptor("scale-1", declared=single, inferred=single))
    scale.stream([message.replace(b"2.3", b"2.7")])
    assert scale.accepted == [mass + 400_000]


@each
@pytest.mark.parametrize(("device_baud", "better"), [(2400, "2400"), (4800, "4800"), (1200, "1200"), (19200, "19200")])
def test_s19_a_wrong_speed_is_diagnosed_and_never_a_weight(
    bench: MakeBench, driver: str, device_baud: int, better: str
) -> None:
    scale = bench(driver)
    scale.stream([resample(ONE_OF_EACH[driver][0], device_baud / 9600)] * 40)
    assert scale.accepted == []
    light, advice = health(scale)
    assert light is Light.SILENT
    assert "baud" in advice
    assert better in advice or device_baud > 9600  # a few fast bytes may look like text


@each
def test_s19_what_is_wrong_is_told_once_and_not_with_every_byte(bench: MakeBench, driver: str) -> None:
    message = resample(ONE_OF_EACH[driver][0], 0.25)
    scale = bench(driver)
    told = set()
    for i in range(200):
        scale.receive(message[i % 5 :], 0.3)
        scale.rest(0.3)
        if i > 20:
            told.add(scale.scale.health(scale.now))
    assert len(told) == 1, told


def test_s19_a_driver_with_parity_on_an_8n1_line_names_both(bench: MakeBench) -> None:
    scale = bench("sma", line=LineSettings(data_bits=8, parity="E"))
    scale.stream([bytes.fromhex("00fe80f8e0fe00")] * 30)
    assert "8N1" in health(scale)[1]


def test_s19_text_of_another_protocol_is_not_called_a_wrong_speed(bench: MakeBench) -> None:
    scale = bench("sma")
    scale.stream([OHAUS] * 30)
    light, advice = health(scale)
    assert light is Light.SILENT
    assert "not one sma frame" in advice


@each
def test_scales_are_asked_no_faster_than_they_allow(bench: MakeBench, driver: str) -> None:
    scale = bench(driver)
    dialogue(scale, ONE_OF_EACH[driver][0] if DRIVERS[driver].poll else None, 10.0)
    times = [at for at, _ in scale.sent]
    assert bool(times) is (DRIVERS[driver].poll is not None)
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(times))
    if driver == "toledo_8217":
        assert all(later - earlier >= 0.25 for earlier, later in pairwise(times))


def test_what_a_scale_declares_and_what_is_inferred_are_kept_apart(bench: MakeBench) -> None:
    for driver, (message, _) in ONE_OF_EACH.items():
        scale = bench(driver)
        scale.stream([message] * 9)
        assert {i.stable_source for i in scale.indications} == {StableSource.SCALE}
        assert all(i.stable for i in scale.indications)
