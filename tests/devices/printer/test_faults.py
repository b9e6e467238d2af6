"""Every printer fault of the fault list (DEVICES §8.2 and the ones next to it), on ZPL and ESC/POS, TCP and serial.

The printers are processes on real sockets and pseudo-terminals; what counts is what a scanner reads in the tray.
"""

from __future__ import annotations

from typing import Any

import pytest

from devices.ports import Light, LightChanged
from devices.printer.label import compose, label_fields
from devices.printer.line import serial_opener
from devices.printer.loop import Printed, PrinterEvent, PrintFailed, PrintWaits
from devices.printer.model import Delivery, PrintFault, Unreachable
from devices.printer.symbol import python_barcode_modules
from devices.printer.template import load_template
from devices.printer.zpl import zpl_label
from station.errors import Defect, DeviceFault, InvalidInput
from station.inspection.view import LabelJob

UNIT = load_template("unit")


def job(number: int, lpn: str | None = None) -> LabelJob:
    return LabelJob(f"job-{number}", lpn or f"LPN{number:05d}", "Halden ANC headphones", "B", "refurbish", "R-14")


def label(number: int, lpn: str | None = None) -> Any:
    return compose(UNIT, label_fields(job(number, lpn)))


def printed(events: list[PrinterEvent]) -> list[str]:
    return [event.job.lpn for event in events if isinstance(event, Printed)]


def test_a_label_arrives_on_every_line(any_printer: Any) -> None:
    assert any_printer.printer().print(label(1, "9912345678"), "job-1") is Delivery.PRINTED
    assert any_printer.codes() == [["9912345678"]]
    assert any_printer.spoilt() == []


def test_hs_time_out(either_printer: Any) -> None:
    """A printer that says nothing is not ready: nothing is sent to it."""
    either_printer.do("mute")
    with pytest.raises(DeviceFault, match="does not answer"):
        either_printer.printer().status()
    with pytest.raises(PrintFault, match="does not answer") as caught:
        either_printer.printer().print(label(1), "job-1")
    assert not caught.value.may_have_printed
    either_printer.do("unmute")
    assert either_printer.codes() == []
    assert either_printer.printer().status().ready


@pytest.mark.parametrize(
    ("fault", "cure", "words"), [("paper_out", "paper_in", "no paper"), ("head_open", "head_close", "is open: close")]
)
def test_paper_out_and_head_open(fault: str, cure: str, words: str, either_printer: Any) -> None:
    either_printer.do(fault)
    assert words in ", ".join(either_printer.printer().status().stops)
    with pytest.raises(PrintFault, match=words) as caught:
        either_printer.printer().print(label(1), "job-1")
    assert not caught.value.may_have_printed
    either_printer.do(cure)
    assert either_printer.printer().status().ready
    assert either_printer.codes() == []


def test_ribbon_out(printer_process: Any) -> None:
    printer_process.do("ribbon_out")
    with pytest.raises(PrintFault, match="no ribbon") as caught:
        printer_process.printer().print(label(1), "job-1")
    assert not caught.value.may_have_printed
    printer_process.do("ribbon_in")
    assert printer_process.printer().print(label(1), "job-1") is Delivery.PRINTED


def test_cutter_jam_and_paper_nearly_at_its_end(escpos_printer: Any) -> None:
    printer = escpos_printer.printer()
    escpos_printer.do("paper_low")
    assert printer.status().ready
    assert printer.status().remarks == ("the paper is nearly at its end",)
    escpos_printer.do("cutter_jam")
    assert printer.status().stops == ("the cutter is stuck: open the cover and clear it",)


@pytest.mark.parametrize("how", ["reset_mid_job", "off_mid_job"])
def test_half_sent_job_then_reset_or_switched_off(how: str, any_printer: Any) -> None:
    """TCP reset, serial unplug, power cut in the middle: unsure, never sent again, the next one whole."""
    printer = any_printer.printer()
    assert printer.print(label(1), "job-1") is Delivery.PRINTED
    any_printer.do(how)
    with pytest.raises(PrintFault, match="may have been printed") as caught:
        printer.print(label(2), "job-2")
    assert caught.value.may_have_printed
    any_printer.do("plug")
    assert printer.print(label(3), "job-3") is Delivery.PRINTED
    codes = any_printer.codes()
    assert codes[0] == ["LPN00001"]
    assert codes[-1] == ["LPN00003"]
    assert all("LPN00002" not in found for found in codes), "half a label must not read as one"
    assert any_printer.spoilt() == []


def test_the_rest_of_a_broken_label_does_not_swallow_the_next_also_after_our_own_restart(serial_printer: Any) -> None:
    serial_printer.do("reset_mid_job")
    with pytest.raises(PrintFault):
        serial_printer.printer().print(label(1), "job-1")
    serial_printer.do("plug")
    assert serial_printer.printer().print(label(2), "job-2") is Delivery.PRINTED
    assert [found for found in serial_printer.codes() if found][-1] == ["LPN00002"]
    assert serial_printer.spoilt() == []


def test_blindly_the_next_label_would_be_swallowed(zpl_serial_printer: Any) -> None:
    """Negative control of the one above: a driver that does not ask whether half a label is still in there."""

    def blindly(number: int) -> None:
        line = serial_opener(zpl_serial_printer.address, 9600)()
        try:
            line.write(zpl_label(label(number), "x"))
            line.read(0.5)
        finally:
            line.close()

    zpl_serial_printer.do("reset_mid_job")
    with pytest.raises(DeviceFault):
        blindly(1)
    zpl_serial_printer.do("plug")
    blindly(2)
    assert ["LPN00002"] not in zpl_serial_printer.codes()


def test_unplugged(any_printer: Any) -> None:
    printer = any_printer.printer()
    any_printer.do("unplug")
    with pytest.raises(Unreachable, match="cannot be reached"):
        printer.status()
    with pytest.raises(PrintFault, match="cannot be reached") as caught:
        printer.print(label(1), "job-1")
    assert not caught.value.may_have_printed
    any_printer.do("plug")
    assert printer.print(label(1), "job-1") is Delivery.PRINTED


def test_two_labels_queued_while_paper_is_out_print_once_each_in_order(
    either_printer: Any, running_either: Any, expected_warnings: Any
) -> None:
    expected_warnings("printer-1 is silent .*no paper")
    either_printer.do("paper_out")
    running_either.loop.submit(job(1))
    running_either.loop.submit(job(2))
    running_either.wait_until(lambda events: any(isinstance(event, PrintWaits) for event in events))
    assert [waiting.lpn for waiting in running_either.loop.waiting()] == ["LPN00001", "LPN00002"]
    either_printer.do("paper_in")
    running_either.wait_until(lambda events: len(printed(events)) == 2)
    assert either_printer.codes() == [["LPN00001"], ["LPN00002"]]
    lights = [event.light for event in running_either.events if isinstance(event, LightChanged)]
    assert lights[-1] is Light.WORKING


def test_reprint_is_idempotent(running_either: Any, either_printer: Any, expected_warnings: Any) -> None:
    """PRINT AGAIN pressed three times on one broken job is one copy."""
    expected_warnings("may have been printed|cannot be reached|does not answer")
    either_printer.do("reset_mid_job")
    running_either.loop.submit(job(1))
    running_either.wait_until(lambda events: any(isinstance(event, PrintFailed) for event in events))
    either_printer.do("plug")
    again = [running_either.loop.reprint("job-1") for _ in range(3)]
    running_either.loop.submit(job(1))
    running_either.wait_until(lambda events: len(printed(events)) == 1)
    running_either.loop.submit(job(2))
    running_either.wait_until(lambda events: len(printed(events)) == 2)
    assert [copy.copy for copy in again if copy is not None] == [1]
    assert [found for found in either_printer.codes() if found] == [["LPN00001"], ["LPN00002"]]


def test_text_that_begins_with_99_is_blocked_by_the_decode_back_gate() -> None:
    """python-barcode 0.16.1 drops the 99; without a second writer the label is refused, with one it is right."""
    broken = python_barcode_modules("9912345678") == python_barcode_modules("12345678")
    if broken:
        with pytest.raises(Defect, match="does not read back"):
            compose(UNIT, label_fields(job(1, "9912345678")), writers=(python_barcode_modules,))
    assert compose(UNIT, label_fields(job(1, "9912345678"))).module_dots == 4


def test_bars_narrower_than_two_dots_are_refused() -> None:
    with pytest.raises(InvalidInput, match="under 2 dots"):
        label(1, "A1B2C3D4E5F6G7H8I9J0K1L2M3N4O5P6Q7")
