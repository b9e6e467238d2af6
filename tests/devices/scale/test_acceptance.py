"""The acceptance rule and the life of a scale, with bytes and times that the test chooses (DEVICES §8.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from devices.ports import Light, Status
from devices.scale.acceptance import Acceptor, Rule
from station.inspection.facts import StableSource

if TYPE_CHECKING:
    from tests.devices.scale.conftest import Bench

MakeBench = Callable[..., "Bench"]


def ohaus(grams: int, stability: str = " ", legend: str = "G") -> bytes:
    sign = "-" if grams < 0 else " "
    return f"{sign}{abs(grams) / 1000:7.3f} kg   {stability}{legend}\r\n".encode()


def sics(grams: int, flag: str = "S") -> bytes:
    return f"S {flag} {grams / 1000:10.3f} kg\r\n".encode()


def test_three_equal_settled_indications_over_0_4_s(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360)] * 4)
    assert scale.accepted == []  # 0.3 s between the first and the fourth
    scale.stream([ohaus(360)] * 2)
    assert scale.accepted == [360_000]
    reading = next(event.reading for event in scale.events if hasattr(event, "reading"))
    assert reading.raw == ohaus(360)
    assert reading.stable_source is StableSource.SCALE
    assert (reading.unit, reading.interval_mg, reading.device) == ("kg", 1_000, "scale-1")
    assert reading.taken_at == scale.indications[-1].at or reading.taken_at == scale.indications[-2].at


def test_at_a_slow_pace_three_are_needed(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360)] * 2, period_s=1.0)
    assert scale.accepted == []
    scale.stream([ohaus(360)], period_s=1.0)
    assert scale.accepted == [360_000]


def test_a_burst_of_old_frames_is_no_weight(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.receive(ohaus(360) * 200, 0.1)
    assert len(scale.indications) == 200
    assert scale.accepted == []


def test_without_the_span_a_burst_would_pass(bench: MakeBench) -> None:
    """The negative control of the test above."""
    scale = bench("print_string", Acceptor("scale-1", declared=Rule(span_s=0.0)))
    scale.receive(ohaus(360) * 200, 0.1)
    assert scale.accepted == [360_000]


def test_bytes_one_by_one_and_200_frames_at_once_are_the_same_indications(bench: MakeBench) -> None:
    data = b"".join(ohaus(300 + i % 7, "?" if i % 5 == 0 else " ") for i in range(200))
    singly, at_once = bench("print_string"), bench("print_string")
    for i in range(len(data)):
        singly.receive(data[i : i + 1], (0.0, 0.04, 0.01)[i % 3])
    at_once.receive(data)
    assert len(at_once.indications) == 200
    assert [(i.status, i.gross_mg, i.stable, i.raw) for i in singly.indications] == [
        (i.status, i.gross_mg, i.stable, i.raw) for i in at_once.indications
    ]


@pytest.mark.parametrize("seconds", [1.3, 5.0, 60.0])
def test_a_silence_ends_the_run(bench: MakeBench, seconds: float) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360)] * 3)
    scale.wait(seconds)
    scale.stream([ohaus(360)] * 3)
    assert scale.accepted == []
    scale.stream([ohaus(360)] * 3)
    assert scale.accepted == [360_000]


@pytest.mark.parametrize(
    "between",
    [
        ohaus(360, "?"),
        ohaus(361),
        b"   0.36 kg    G\r\n",
        b"    Err 8.3\r\n",
        b"   360.0 g     G\r\n",
        ohaus(360, legend="N"),
        b"\x00\x55\xff\r\n",
    ],
)
def test_anything_else_in_between_restarts_the_count(bench: MakeBench, between: bytes) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360)] * 4 + [between] + [ohaus(360)] * 4)
    assert scale.accepted == []
    scale.stream([ohaus(360)] * 2)
    assert scale.accepted == [360_000]


@pytest.mark.parametrize(
    "frame",
    [
        ohaus(0),
        ohaus(1),  # the flicker of an empty pan
        ohaus(-250),
        ohaus(360, "?"),
        ohaus(360, legend="N"),
        ohaus(360, legend="T"),
        b"    Err 8.3\r\n",
        b"+   123.56    \r\n",
        b"      H       \r\n",
    ],
)
def test_no_load_is_never_accepted(bench: MakeBench, frame: bytes) -> None:
    scale = bench("print_string")
    scale.stream([frame] * 100)
    assert len(scale.indications) == 100
    assert scale.accepted == []


def test_a_net_weight_is_explained_once(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360, legend="N")] * 20)
    assert scale.refused == ["the scale shows a net weight: clear its tare to weigh goods"]


def test_motion_of_mt_sics_is_never_inferred_to_be_rest(bench: MakeBench) -> None:
    scale = bench("mt_sics")
    scale.stream([sics(360, "D")] * 200)
    assert scale.accepted == []


def test_rest_that_no_scale_declares_is_inferred_later_and_says_so(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([b"  12.345 kg\r\n"] * 12)  # two to learn the layout, then 0.9 s
    assert scale.accepted == []
    scale.stream([b"  12.345 kg\r\n"] * 2)
    assert scale.accepted == [12_345_000]
    reading = next(event.reading for event in scale.events if hasattr(event, "reading"))
    assert reading.stable_source is StableSource.INFERRED
    assert not any(indication.stable for indication in scale.indications)


def test_one_load_is_accepted_once_however_long_it_lies(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360 + i % 3) for i in range(500) for _ in range(6)])
    assert scale.accepted == [360_000]


def test_the_next_load_needs_a_change(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360)] * 10 + [ohaus(0)] * 10 + [ohaus(360)] * 10)
    assert scale.accepted == [360_000, 360_000]
    scale.stream([ohaus(370)] * 10)
    assert scale.accepted == [360_000, 360_000, 370_000]


def test_one_damaged_frame_does_not_make_a_new_load(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360)] * 10 + [ohaus(860)] + [ohaus(360)] * 20)
    assert scale.accepted == [360_000]


def test_an_item_that_lies_there_before_the_bench_asks_counts(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360)] * 100)  # nobody wanted it yet
    scale.scale.ask()
    scale.stream([ohaus(360)] * 4)
    assert scale.accepted == [360_000]  # only fresh indications count
    scale.stream([ohaus(360)] * 4)
    assert scale.accepted == [360_000, 360_000]


def test_an_item_that_was_left_lying_is_not_the_next_units_weight(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.scale.ask()
    scale.stream([ohaus(360)] * 20)
    scale.scale.ask()
    scale.stream([ohaus(360)] * 100)
    assert scale.accepted == [360_000]
    scale.stream([ohaus(0)] * 5 + [ohaus(360)] * 10)
    assert scale.accepted == [360_000, 360_000]


def test_after_an_undo_the_same_load_may_be_asked_for_again(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.scale.ask()
    scale.stream([ohaus(360)] * 10)
    scale.scale.ask(same_load=True)
    scale.stream([ohaus(360)] * 10)
    assert scale.accepted == [360_000, 360_000]


def test_a_change_of_unit_keeps_each_unit_and_starts_anew(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([b"   0.360 kg    G\r\n"] * 4 + [b"   360.0 g     G\r\n"] * 4)
    assert {(i.gross_mg, i.unit) for i in scale.indications} == {(360_000, "kg"), (360_000, "g")}
    assert scale.accepted == []


def test_the_scale_is_asked_one_question_at_a_time(bench: MakeBench) -> None:
    scale = bench("mt_sics")
    scale.wait(0.9)
    assert [data for _, data in scale.sent] == [b"SI\r\n"]
    scale.receive(sics(288), 0.01)
    scale.wait(0.1)
    assert [data for _, data in scale.sent] == [b"SI\r\n"] * 2


def test_no_answer_is_told_once_and_a_late_answer_does_not_count(bench: MakeBench) -> None:
    scale = bench("mt_sics")
    scale.wait(0.05)
    for _ in range(2):
        scale.receive(sics(288), 0.1)
        scale.wait(0.15)
    scale.wait(1.5)  # the third question stays unanswered
    assert [i.status for i in scale.indications[-1:]] == [Status.NO_REPLY]
    assert scale.indications[-1].gross_mg is None
    scale.receive(sics(999), 0.01)
    assert scale.refused == ["answer to an older question, too late to count"]
    assert scale.indications[-1].status is Status.NO_REPLY
    scale.wait(0.2)
    scale.receive(sics(288), 0.01)
    assert scale.indications[-1].gross_mg == 288_000
    assert scale.accepted == []


def test_a_scale_that_streams_is_not_asked(bench: MakeBench) -> None:
    scale = bench("mt_sics")
    for _ in range(50):
        scale.receive(sics(288), 0.05)
        scale.wait(0.05)
    questions = len(scale.sent)
    for _ in range(50):
        scale.receive(sics(288), 0.05)
        scale.wait(0.05)
    assert len(scale.sent) == questions < 20
    assert scale.accepted == [288_000]
    scale.wait(2.5)
    assert len(scale.sent) > questions  # it has stopped: asked again


def test_the_light_tells_silent_from_working(bench: MakeBench) -> None:
    scale = bench("print_string")
    assert scale.scale.health(scale.now) is None
    scale.wait(2.1)
    light, detail = scale.scale.health(scale.now) or (None, "")
    assert light is Light.SILENT
    assert "continuous print" in detail
    assert [i.status for i in scale.indications] == [Status.NO_REPLY]
    scale.stream([ohaus(0)])
    assert scale.scale.health(scale.now) == (Light.WORKING, "")


def test_wrong_settings_are_diagnosed(bench: MakeBench) -> None:
    parity = bench("print_string")
    parity.stream([bytes(byte | 0x80 if byte.bit_count() % 2 else byte for byte in ohaus(360))] * 30)
    assert parity.indications == []
    light, detail = parity.scale.health(parity.now) or (None, "")
    assert light is Light.SILENT
    assert "7E1" in detail
    baud = bench("print_string")
    baud.stream([bytes.fromhex("00fe80f8e0fe00")] * 30)
    light, detail = baud.scale.health(baud.now) or (None, "")
    assert light is Light.SILENT
    assert "baud" in detail


def test_a_frame_that_pauses_in_the_middle_is_broken(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360)[:5]])
    scale.receive(ohaus(360)[5:], 0.8)
    assert scale.indications == []
    assert scale.refused[0] == "broken off in the middle of a frame"


def test_half_a_frame_at_unplug_is_dropped(bench: MakeBench) -> None:
    scale = bench("print_string")
    scale.stream([ohaus(360)] * 3 + [ohaus(360)[:9]])
    scale.events += scale.scale.broke_off()
    scale.scale.opened(scale.now)
    scale.stream([ohaus(360)[9:]] + [ohaus(360)] * 3)
    assert scale.accepted == []
    assert {i.gross_mg for i in scale.indications} == {360_000}
    assert "broken off in the middle of a frame" in scale.refused
