"""What a scanner is told, against scanners simulated from their makers' manuals; two scanners at one bench."""

from __future__ import annotations

import threading

import pytest

from devices.ports import Refused, ScanArrived, ScanOutcome
from devices.scanner import DuplicateGuard, Scanner, scanner_from
from devices.scanner.feedback import FEEDBACKS
from devices.simulators.scanner import ScannerSimulator
from tests.devices.scanner.wire import AT, Wire


def honeywell(**settings: object) -> tuple[Wire, ScannerSimulator]:
    device = ScannerSimulator(handshake="honeywell")
    return Wire(scanner_from("scanner-1", feedback="honeywell", **settings), device), device  # type: ignore[arg-type]


def datalogic() -> tuple[Wire, ScannerSimulator]:
    device = ScannerSimulator(handshake="datalogic")
    return Wire(scanner_from("scanner-1", feedback="datalogic"), device), device


def test_honeywell_waits_for_its_ack_and_gets_it() -> None:
    wire, device = honeywell()
    wire.scan("RMA-1", 0.0)
    wire.scan("RMA-2")
    assert wire.scans == [b"RMA-1", b"RMA-2"]
    assert device.heard == ["ack", "ack"]


def test_without_acks_the_same_scanner_sends_nothing_more() -> None:
    """The control: it is the ACK that lets the second code come."""
    device = ScannerSimulator(handshake="honeywell")
    wire = Wire(scanner_from("scanner-1"), device)
    wire.scan("RMA-1")
    wire.scan("RMA-2")
    assert wire.scans == [b"RMA-1"]


@pytest.mark.parametrize("times", [1, 2])
def test_a_damaged_code_is_asked_for_again(times: int) -> None:
    wire, device = honeywell()
    wire.do("damage", times=times)
    wire.scan("RMA-10442", 10.0)
    assert wire.scans == [b"RMA-10442"]
    assert device.heard == ["nak"] * times + ["ack"]
    assert [one.harmless for one in wire.refused] == [True] * times


def test_a_code_that_stays_damaged_is_given_up_and_the_scanner_let_go() -> None:
    wire, device = honeywell()
    wire.do("damage", times=3)
    wire.scan("RMA-1")
    wire.scan("RMA-2")
    assert wire.scans == [b"RMA-2"]
    assert device.heard == ["nak", "nak", "ack", "ack"]
    assert [one.harmless for one in wire.refused] == [True, True, False]


def test_a_damaged_code_that_is_not_sent_again_is_said_aloud() -> None:
    wire = Wire(scanner_from("scanner-1", feedback="honeywell"), ScannerSimulator())  # ACK/NAK is off at the scanner
    wire.do("damage", times=1)
    wire.scan("RMA-1", 10.0)
    assert [one.harmless for one in wire.refused] == [True, False]
    assert "not sent again" in wire.refused[-1].reason


def test_half_a_code_is_asked_for_again_not_glued_to_its_copy() -> None:
    wire, device = honeywell()
    device._waiting.append(b"RMA-10442")  # sent, but its end got lost on the line
    wire.to_host = b"RMA-10"
    wire.run(4.0)
    assert wire.scans == [b"RMA-10442"]
    assert device.heard == ["nak", "ack"]


@pytest.mark.parametrize(
    ("outcome", "heard"),
    [
        (ScanOutcome.ACCEPTED, ["good"]),
        (ScanOutcome.REJECTED, ["bad", "bad"]),
        (ScanOutcome.ATTENTION, ["high", "low", "high", "low"]),
    ],
)
def test_honeywell_beeps_the_outcome(outcome: ScanOutcome, heard: list[str]) -> None:
    wire, device = honeywell()
    wire.scan("RMA-1")
    wire.host.tell(outcome)
    wire.run(1.0)
    assert device.heard == ["ack", *heard]


def test_a_repeated_code_is_answered_at_once_for_nobody_else_will() -> None:
    wire, device = honeywell()
    wire.scan("RMA-1", 0.2)
    wire.scan("RMA-1", 0.2)
    assert wire.scans == [b"RMA-1"]
    assert device.heard == ["ack", "ack", "medium"]


@pytest.mark.parametrize(
    ("outcome", "heard"),
    [
        (ScanOutcome.ACCEPTED, ["beep"]),
        (ScanOutcome.ATTENTION, ["beep", "beep"]),
        (ScanOutcome.REJECTED, ["not on file", "on"]),
    ],
)
def test_datalogic_beeps_the_outcome_and_is_on_afterwards(outcome: ScanOutcome, heard: list[str]) -> None:
    wire, device = datalogic()
    wire.scan("RMA-1")
    wire.host.tell(outcome)
    wire.run(0.5)
    assert device.is_on is (outcome is not ScanOutcome.REJECTED)
    wire.run(2.0)
    assert device.heard == ["on", *heard]
    wire.scan("RMA-2")
    assert wire.scans == [b"RMA-1", b"RMA-2"]


def test_datalogic_is_enabled_again_once_it_listens() -> None:
    """Commands are ignored for up to 30 s after a reset; a scanner that another host disabled would stay so."""
    wire, device = datalogic()
    device.is_on = False
    device.heard.clear()
    wire.run(40.0)
    assert device.heard == ["on"]
    wire.scan("RMA-1")
    assert wire.scans == [b"RMA-1"]


def test_what_was_told_before_an_unplug_is_not_beeped_after_it() -> None:
    for wire, device in (honeywell(), datalogic()):
        wire.host.tell(ScanOutcome.REJECTED)
        list(wire.host.broke_off())
        wire.host.opened(wire.now)
        wire.run(5.0)
        assert device.heard in ([], ["on", "on"])


def test_without_feedback_nothing_is_ever_sent() -> None:
    scanner = Scanner("scanner-1", feedback=FEEDBACKS["none"]())
    scanner.opened(0.0)
    list(scanner.received(b"RMA-1\rRMA\x00\r", AT, 1.0))
    scanner.tell(ScanOutcome.REJECTED)
    assert all(scanner.tick(AT, now / 10, quiet=True)[0] == b"" for now in range(10, 600))


# --- two scanners at one bench ----------------------------------------------------------------------------------------


def pair(guard: DuplicateGuard | None, *, window_ms: int = 700) -> tuple[Scanner, Scanner]:
    both = tuple(Scanner(f"scanner-{n}", duplicate_s=window_ms / 1000, guard=guard) for n in (1, 2))
    for one in both:
        one.opened(0.0)
    return both[0], both[1]


def counted(scanner: Scanner, data: bytes, now: float) -> list[bool]:
    return [isinstance(event, ScanArrived) for event in scanner.received(data + b"\r", AT, now)]


@pytest.mark.parametrize(("after_s", "twice"), [(0.08, False), (0.69, False), (0.8, True)])
@pytest.mark.parametrize("second", [b"]C0RMA-1", b"RMA-1"])
def test_two_scanners_count_one_label_once(after_s: float, twice: bool, second: bytes) -> None:
    left, right = pair(DuplicateGuard())
    assert counted(left, b"]C0RMA-1", 50.0) == [True]
    (event,) = right.received(second + b"\r", AT, 50.0 + after_s)
    assert isinstance(event, ScanArrived) is twice
    if isinstance(event, Refused):
        assert event.harmless
        assert "scanner-1 has read the same code" in event.reason


def test_without_a_shared_guard_the_label_counts_twice() -> None:
    """The control."""
    left, right = pair(None)
    assert counted(left, b"RMA-1", 50.0) == counted(right, b"RMA-1", 50.1) == [True]


def test_two_labels_at_two_scanners_are_two_and_a_window_of_nothing_refuses_nothing() -> None:
    left, right = pair(DuplicateGuard())
    assert counted(left, b"RMA-1", 50.0) == counted(right, b"RMA-2", 50.0) == [True]
    left, right = pair(DuplicateGuard(), window_ms=0)
    assert counted(left, b"RMA-1", 50.0) == counted(right, b"RMA-1", 50.0) == counted(left, b"RMA-1", 50.0) == [True]


def test_a_label_under_a_scanner_counts_again_when_the_window_is_over() -> None:
    left, _ = pair(DuplicateGuard())
    assert [counted(left, b"RMA-1", 50.0 + 0.3 * n)[0] for n in range(6)] == [True, False, False, True, False, False]


def test_of_many_threads_exactly_one_counts() -> None:
    guard = DuplicateGuard()
    results: list[str | None] = []
    start = threading.Barrier(8)

    def read(number: int) -> None:
        start.wait()
        for code in range(200):
            results.append(guard.counted_by(b"RMA-%d" % code, f"scanner-{number}", 1.0, 0.7))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == 1600
    assert results.count(None) == 200


def test_the_guard_forgets_the_oldest_beyond_its_bound() -> None:
    guard = DuplicateGuard()
    for code in range(10_000):
        guard.counted_by(b"RMA-%d" % code, "scanner-1", 1.0, 0.7)
    assert guard.counted_by(b"RMA-9999", "scanner-1", 1.0, 0.7) == "scanner-1"
    assert guard.counted_by(b"RMA-0", "scanner-1", 1.0, 0.7) is None
