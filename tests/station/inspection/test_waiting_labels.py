"""A label that was on its way when the plug was pulled is printed after the start, and says COPY."""

from __future__ import annotations

from pathlib import Path

import pytest

from station.errors import StoreFault
from station.identify.commands import Command
from station.inspection import record
from station.inspection.view import LabelJob
from station.store.reading import read_entries
from tests.station.inspection.bench import Bench, open_store


def confirmed(bench: Bench, rma: str = "RMA-2026-004711") -> LabelJob:
    """One unit from its parcel to its label."""
    [job] = bench.clean_unit(rma).labels
    return job


def after_a_crash(bench: Bench) -> Bench:
    """Another start over the same store; nothing of the old process is asked."""
    return Bench(bench.store)


def test_a_label_that_never_left_comes_back_as_a_copy(home: Path) -> None:
    with open_store(home) as store:
        job = confirmed(bench := Bench(store))
        assert job.copy == 0
        again = after_a_crash(bench).desk.labels_again()
        assert again is not None
        [copy] = again.labels
        assert (copy.lpn, copy.title, copy.grade, copy.tote) == (job.lpn, job.title, job.grade, job.tote)
        assert copy.copy == 1
        assert copy.job_id != job.job_id
        [twice] = after_a_crash(bench).desk.labels_again().labels  # type: ignore[union-attr]
        assert twice.copy == 2
    printed = [entry for entry in read_entries(home) if entry.kind == record.LABEL_PRINTED]
    assert len(printed) == 3, "every label that goes out is in the record"


def test_a_label_that_left_does_not_come_back(home: Path) -> None:
    """Negative control: without the word that it left, it does (the test above)."""
    with open_store(home) as store:
        bench = Bench(store)
        bench.desk.label_left(confirmed(bench).lpn)
        assert after_a_crash(bench).desk.labels_again() is None
        assert store.slots("label:") == ()


def test_several_come_back_in_the_order_in_which_they_were_made(home: Path) -> None:
    with open_store(home) as store:
        bench = Bench(store)
        jobs = [confirmed(bench, f"RMA-2026-00500{number}") for number in range(4)]
        bench.desk.label_left(jobs[1].lpn)
        again = after_a_crash(bench).desk.labels_again()
        assert again is not None
        assert [job.lpn for job in again.labels] == [jobs[0].lpn, jobs[2].lpn, jobs[3].lpn]


def test_one_label_that_left_answers_for_its_copies(home: Path) -> None:
    with open_store(home) as store:
        bench = Bench(store)
        job = confirmed(bench)
        [copy] = bench.give(Command.REPRINT).labels
        assert (copy.lpn, copy.copy) == (job.lpn, 1)
        bench.desk.label_left(job.lpn)
        assert after_a_crash(bench).desk.labels_again() is None


def test_copies_are_counted_on_over_a_restart(home: Path) -> None:
    with open_store(home) as store:
        bench = Bench(store)
        confirmed(bench)
        bench.give(Command.REPRINT)
        restarted = after_a_crash(bench)
        [copy] = restarted.give(Command.REPRINT).labels
        assert copy.copy == 2


def test_a_bench_without_a_printer_keeps_only_the_newest(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.inspection.waiting_labels._KEPT", 3)
    with open_store(home) as store:
        bench = Bench(store)
        jobs = [confirmed(bench, f"RMA-2026-0050{number:02d}") for number in range(6)]
        assert store.slots("label:") == tuple(f"label:{job.lpn}" for job in jobs[-3:])


def test_a_label_that_cannot_be_read_is_left_out_and_told(home: Path, expected_warnings: object) -> None:
    expected_warnings("label label:LPN1 cannot be printed again")  # type: ignore[operator]
    with open_store(home) as store:
        bench = Bench(store)
        job = confirmed(bench)
        store.commit([], actor="x", drafts={"label:LPN1": b"{"})
        again = after_a_crash(bench).desk.labels_again()
        assert again is not None
        assert [copy.lpn for copy in again.labels] == [job.lpn]


def test_a_store_that_cannot_write_says_so_and_the_label_is_still_known(home: Path) -> None:
    store = open_store(home)
    bench = Bench(store)
    job = confirmed(bench)
    store.close()
    with pytest.raises(StoreFault):
        bench.desk.label_left(job.lpn)
    with open_store(home) as reopened:
        again = Bench(reopened).desk.labels_again()
        assert again is not None
        assert [copy.lpn for copy in again.labels] == [job.lpn]
