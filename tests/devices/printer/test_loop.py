"""The queue with a real printer process on a real socket: once, never twice, and nothing lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from devices.ports import Light, LightChanged
from devices.printer.loop import Printed, PrinterEvent, PrintFailed, PrintWaits
from station.inspection.view import LabelJob


def job(number: int, lpn: str | None = None, tote: str = "R-14") -> LabelJob:
    return LabelJob(f"job-{number}", lpn or f"LPN{number:05d}", "Halden ANC headphones", "B", "refurbish", tote)


def printed(events: list[PrinterEvent]) -> list[str]:
    return [event.job.job_id for event in events if isinstance(event, Printed)]


def lights(events: list[PrinterEvent]) -> list[Light]:
    return [event.light for event in events if isinstance(event, LightChanged)]


def test_a_label_is_printed_dot_for_dot(running: Any, printer_process: Any) -> None:
    running.loop.submit(job(1, "9912345678"))
    running.wait_until(lambda events: printed(events) == ["job-1"])
    event = next(event for event in running.events if isinstance(event, Printed))
    paper = Image.open(printer_process.papers()[0])
    symbols = zxingcpp.read_barcodes(np.asarray(paper.convert("L")))
    assert [(symbol.text, symbol.symbology_identifier) for symbol in symbols] == [("9912345678", "]C0")]
    (running_png := printer_process.folder / "sent.png").write_bytes(event.png)
    assert np.array_equal(np.asarray(paper), np.asarray(Image.open(running_png)))
    assert lights(running.events) == [Light.WORKING]


def test_the_same_job_twice_is_one_label(running: Any, printer_process: Any) -> None:
    for _ in range(3):
        running.loop.submit(job(1))
    running.loop.submit(job(2))
    running.wait_until(lambda events: printed(events) == ["job-1", "job-2"])
    assert len(printer_process.papers()) == 2


@pytest.mark.parametrize(
    ("fault", "cure", "words"),
    [
        ("paper_out", "paper_in", "no paper"),
        ("head_open", "head_close", "head is open"),
        ("pause", "resume", "paused"),
        ("mute", "unmute", "does not answer"),
        ("unplug", "plug", "cannot be reached"),
    ],
)
def test_a_printer_that_is_not_ready_gets_nothing_and_catches_up(
    fault: str, cure: str, words: str, running: Any, printer_process: Any, expected_warnings: Any
) -> None:
    expected_warnings(f"printer-1 is (silent|gone) .*{words}")
    running.wait_until(lambda events: lights(events) == [Light.WORKING])
    printer_process.do(fault)
    running.loop.submit(job(1))
    running.loop.submit(job(2))
    running.wait_until(lambda events: any(isinstance(event, PrintWaits) for event in events))
    wait = next(event for event in running.events if isinstance(event, PrintWaits))
    assert wait.job.job_id == "job-1"
    assert words in wait.reason
    assert [waiting.job_id for waiting in running.loop.waiting()] == ["job-1", "job-2"]
    assert lights(running.events)[-1] is (Light.GONE if fault == "unplug" else Light.SILENT)

    printer_process.do(cure)
    running.wait_until(lambda events: printed(events) == ["job-1", "job-2"])
    assert printer_process.codes() == [["LPN00001"], ["LPN00002"]]
    assert len(printer_process.papers()) == 2
    assert lights(running.events)[-1] is Light.WORKING
    assert running.loop.waiting() == ()


def test_a_line_that_breaks_in_the_middle_is_never_tried_again_by_itself(
    running: Any, printer_process: Any, expected_warnings: Any
) -> None:
    expected_warnings("may have been printed")
    # on a busy machine the line is up again before the printer behind it answers in time; the loop says so, and asks on
    expected_warnings("printer-1 is silent .* does not answer", required=False)
    printer_process.do("reset_mid_job")
    running.loop.submit(job(1))
    running.loop.submit(job(2))
    running.wait_until(lambda events: printed(events) == ["job-2"])
    failure = next(event for event in running.events if isinstance(event, PrintFailed))
    assert (failure.job.job_id, failure.may_have_printed) == ("job-1", True)
    assert "may have been printed" in failure.reason
    assert [failed.job_id for failed in running.loop.failed()] == ["job-1"]
    assert len(printer_process.papers()) == 1

    again = running.loop.reprint("job-1")
    assert again is not None
    assert again.copy == 1
    running.wait_until(lambda events: printed(events) == ["job-2", "job-1"])
    assert running.loop.failed() == ()
    assert running.loop.reprint("job-1") is None


def test_a_label_that_cannot_be_composed_does_not_stop_the_queue(
    running: Any, printer_process: Any, expected_warnings: Any
) -> None:
    expected_warnings("label job-1 for LPN00001 was not printed")
    running.loop.submit(job(1, tote="A-TOTE-NAME-FAR-TOO-LONG"))
    running.loop.submit(job(2))
    running.wait_until(lambda events: printed(events) == ["job-2"])
    failure = next(event for event in running.events if isinstance(event, PrintFailed))
    assert not failure.may_have_printed
    assert "does not fit" in failure.reason
    assert len(printer_process.papers()) == 1


def test_the_simulator_refuses_a_step_it_does_not_know(printer_process: Any) -> None:
    printer_process.send("explode")
    assert "unknown step 'explode'" in str(printer_process.wait_for("error")["error"])
    printer_process.do("paper_out")
