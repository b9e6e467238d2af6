"""Scan-back: the label that was printed is scanned from the unit it was stuck on; only then it counts as printed.

It is the one proof that costs nothing: a spooler takes jobs for a dead printer, a printer answers before the label is
peeled, and a label can end up on the neighbour's unit (DEVICES §5.3). Pure state: the caller says what happened and
does what it is told.

Decision: a scan is never lost. While a label waits, a command (UNDO, PRINT AGAIN …) passes as always. Another code is
held back once, with the name of the label that is missing; the same code again goes through, and the label is given up
and told as not confirmed. Price: one more scan for a person who wants to go on without the label.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from station.identify.commands import PREFIX
from station.identify.scan import RawScan
from station.identify.text import split_aim
from station.inspection.view import LabelJob


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The label is on its unit."""

    job: LabelJob
    at: datetime


@dataclass(frozen=True, slots=True)
class NotConfirmed:
    """Another code came where a label's plate was expected."""

    jobs: tuple[LabelJob, ...]
    """The labels that are missing, oldest first."""
    scanned: str
    given_up: bool
    """True = the scan went through and these labels are waited for no longer; False = it was held back, scan again."""
    at: datetime


ScanBackEvent: TypeAlias = Confirmed | NotConfirmed


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with a scan."""

    waiting: Waiting
    passes: bool
    """Hand the scan to the desk; False = it was meant for us and must not begin anything."""
    event: ScanBackEvent | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Which labels wait for their scan.

    >>> from datetime import UTC
    >>> now = datetime(2025, 1, 1, tzinfo=UTC)
    >>> job = LabelJob("1", "LPN7Q2K9", "Headphones", "B", "refurbish", "R-14")
    >>> answer = Waiting().label_left(job).scanned(RawScan(b"LPN7Q2K9", "scanner-1", now))
    >>> answer.passes, type(answer.event).__name__, answer.waiting.jobs
    (False, 'Confirmed', ())
    """

    jobs: tuple[LabelJob, ...] = ()
    """Oldest first."""
    held: str = ""
    """The code that was held back last."""

    def label_left(self, job: LabelJob) -> Waiting:
        """A label has left the printer. A copy takes the place of the one before it."""
        others = tuple(other for other in self.jobs if other.lpn != job.lpn)
        return Waiting((*others, job))

    def dropped(self, lpn: str) -> Waiting:
        """The label is not wanted any more: its unit was taken back."""
        return replace(self, jobs=tuple(job for job in self.jobs if job.lpn != lpn))

    def scanned(self, scan: RawScan) -> Answer:
        """Judge one scan, before the desk gets it."""
        _, payload = split_aim(scan.data)
        text = payload.decode("utf-8", "replace").strip()
        if not self.jobs or text.startswith(PREFIX):
            return Answer(self, passes=True)
        job = next((job for job in self.jobs if job.lpn == text), None)
        if job is not None:
            return Answer(self.dropped(text), passes=False, event=Confirmed(job, scan.at))
        if text == self.held:
            return Answer(Waiting(), passes=True, event=NotConfirmed(self.jobs, text, given_up=True, at=scan.at))
        held = replace(self, held=text)
        return Answer(held, passes=False, event=NotConfirmed(self.jobs, text, given_up=False, at=scan.at))
