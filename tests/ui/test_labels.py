"""What becomes of a label after the printer took it: confirmed by a scan where the site wants that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from devices.printer.model import Delivery
from station.identify.scan import RawScan
from station.inspection.view import Band, BenchView, LabelJob, Notice, State, Step, Tone
from ui.labels import LabelWatch

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
JOB = LabelJob("job-1", "LPNQ7K2M9XT41R", "Headphones", "B", "refurbish", "R-14")


class Bench:
    """Window, desk and sound of one bench, as the watch sees them."""

    def __init__(self, *, scan_back: bool) -> None:
        self.banner: str | None = None
        self.there: list[str] = []
        self.tones: list[Tone] = []
        self.watch = LabelWatch(self, self, self.tones.append, scan_back=scan_back)  # type: ignore[arg-type]

    def show_banner(self, text: str | None) -> None:
        self.banner = text

    def submit(self, what: str, task: Callable[[object], None]) -> None:
        task(self)

    def label_left(self, lpn: str) -> None:
        self.there.append(lpn)

    def scan(self, text: str) -> bool:
        return self.watch.lets_pass(RawScan(text.encode(), "scanner-1", NOW))


@pytest.mark.parametrize(
    ("delivery", "banner"),
    [(Delivery.PRINTED, None), (Delivery.HANDED_OVER, "Label LPNQ7K2M9XT41R was handed over: look at the printer")],
)
def test_without_scan_back_the_printers_word_counts(delivery: Delivery, banner: str | None) -> None:
    bench = Bench(scan_back=False)
    bench.watch.printed(JOB, delivery)
    assert (bench.there, bench.banner) == ([JOB.lpn], banner)
    assert bench.scan("RMA-2026-004711")


def test_a_label_counts_when_it_is_scanned_and_begins_no_unit() -> None:
    bench = Bench(scan_back=True)
    bench.watch.printed(JOB, Delivery.PRINTED)
    assert (bench.there, bench.banner) == ([], "Scan the label LPNQ7K2M9XT41R on its unit")
    assert not bench.scan("]C0" + JOB.lpn)
    assert (bench.there, bench.banner, bench.tones) == ([JOB.lpn], None, [Tone.ACCEPT])
    assert bench.scan("]C0" + JOB.lpn), "the second time it is a scan like any other"


def test_another_code_is_held_back_once_and_commands_never() -> None:
    bench = Bench(scan_back=True)
    bench.watch.printed(JOB, Delivery.PRINTED)
    assert bench.scan("RSC-UNDO")
    assert not bench.scan("RMA-2026-004712")
    assert JOB.lpn in (bench.banner or "")
    assert bench.tones == [Tone.REJECT]
    assert bench.scan("RMA-2026-004712")
    assert "was not confirmed" in (bench.banner or "")
    assert bench.there == []


def test_a_unit_that_was_taken_back_needs_no_label() -> None:
    bench = Bench(scan_back=True)
    bench.watch.printed(JOB, Delivery.PRINTED)
    undone = BenchView(State.ITEM, Step.ITEM, Notice(Band.IDLE, "undone"), actions=(), lpn=JOB.lpn)
    bench.watch.recorded(undone)
    assert bench.scan("RMA-2026-004712")
