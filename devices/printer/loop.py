"""The label queue on its owner thread: prints in order, keeps what cannot be printed, never prints twice by itself."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from devices.ports import Light, LightChanged
from devices.printer.model import Delivery, LabelPrinter, PrintFault, Unreachable
from devices.printer.template import LabelTemplate
from station.clock import Clock, SystemClock
from station.errors import DeviceFault, StationError
from station.inspection.view import LabelJob

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_RETRY_S = (0.5, 1.0, 2.0, 5.0)
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Printed:
    """The label left without a fault; ``delivery`` says how sure it is that it is on paper."""

    job: LabelJob
    at: datetime
    png: bytes
    """The label as it was printed."""
    delivery: Delivery = Delivery.PRINTED


@dataclass(frozen=True, slots=True)
class PrintWaits:
    """Nothing was sent; the job stays in the queue and is tried again by itself."""

    job: LabelJob
    reason: str


@dataclass(frozen=True, slots=True)
class PrintFailed:
    """The job left the queue without a sure label; ``reprint`` prints it again, marked COPY."""

    job: LabelJob
    reason: str
    may_have_printed: bool


PrinterEvent: TypeAlias = Printed | PrintWaits | PrintFailed | LightChanged


class PrinterLoop:
    """The label printer of a bench. ``run`` belongs to one thread; every other method may be called from any thread."""

    def __init__(
        self,
        printer: LabelPrinter,
        template: LabelTemplate,
        *,
        name: str = "printer-1",
        check_every_s: float = 5.0,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._printer = printer
        self._template = template
        self._check_every_s = check_every_s
        self._clock: Clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._queue: deque[LabelJob] = deque()
        self._known: dict[tuple[str, int], None] = {}
        self._failed: dict[str, LabelJob] = {}
        self._light: LightChanged | None = None
        self._said: tuple[tuple[str, int], str] | None = None

    def submit(self, job: LabelJob) -> None:
        """Queue a label. The same job and copy number a second time is ignored: a label is printed once."""
        key = (job.job_id, job.copy)
        with self._changed:
            if key in self._known:
                return
            self._known[key] = None
            while len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._queue.append(job)
            self._changed.notify_all()

    def waiting(self) -> tuple[LabelJob, ...]:
        """Jobs that are not printed yet, the next one first."""
        with self._changed:
            return tuple(self._queue)

    def failed(self) -> tuple[LabelJob, ...]:
        """Jobs whose label may or may not exist, oldest first."""
        with self._changed:
            return tuple(self._failed.values())

    def reprint(self, job_id: str) -> LabelJob | None:
        """Queue a failed job again as a copy; None if no such job has failed."""
        with self._changed:
            job = self._failed.pop(job_id, None)
        if job is None:
            return None
        again = replace(job, copy=job.copy + 1)
        self.submit(again)
        return again

    def run(self, should_stop: Callable[[], bool], emit: Callable[[PrinterEvent], None]) -> None:
        """Print until ``should_stop()``, which is asked at least every 0.1 s between labels.

        Never raises for what the printer does. What is still queued at the end stays in ``waiting()``.
        """
        attempt = 0
        check_at = float("-inf")
        while not should_stop():
            job = self._next(_POLL_S)
            if job is not None:
                done = self._print(job, emit)
                check_at = time.monotonic() + self._check_every_s
                attempt = 0 if done else attempt + 1
                if not done:
                    _pause(_RETRY_S[min(attempt - 1, len(_RETRY_S) - 1)], should_stop)
            elif time.monotonic() >= check_at:
                self._check(emit)
                check_at = time.monotonic() + self._check_every_s

    def _next(self, timeout_s: float) -> LabelJob | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._queue), timeout_s)
            return self._queue[0] if self._queue else None

    def _leave(self, job: LabelJob, *, failed: bool) -> None:
        with self._changed:
            if self._queue and self._queue[0] is job:
                self._queue.popleft()
            if failed:
                self._failed[job.job_id] = job
                while len(self._failed) > _REMEMBERED:
                    del self._failed[next(iter(self._failed))]
            else:
                self._failed.pop(job.job_id, None)

    def _print(self, job: LabelJob, emit: Callable[[PrinterEvent], None]) -> bool:
        """Try one job; True when it has left the queue."""
        from devices.printer.label import compose, label_fields

        try:
            label = compose(self._template, label_fields(job))
            delivery = self._printer.print(label, job.job_id)
        except PrintFault as fault:
            return self._fault(job, fault, emit)
        except StationError as error:
            # The label itself is wrong; the printer is not to blame, and trying again would not help.
            logger.error("label %s for %s was not printed: %s", job.job_id, job.lpn, error)
            self._leave(job, failed=False)
            emit(PrintFailed(job, str(error), may_have_printed=False))
            return True
        self._leave(job, failed=False)
        self._show(Light.WORKING, "", emit)
        logger.info("label %s for %s %s, copy %d", job.job_id, job.lpn, delivery.value, job.copy)
        emit(Printed(job, self._clock.now(), label.png(), delivery))
        return True

    def _fault(self, job: LabelJob, fault: PrintFault, emit: Callable[[PrinterEvent], None]) -> bool:
        self._show(Light.SILENT if fault.may_have_printed else self._light_for(fault), str(fault), emit)
        if fault.may_have_printed:
            self._leave(job, failed=True)
            emit(PrintFailed(job, str(fault), may_have_printed=True))
            return True
        said = ((job.job_id, job.copy), str(fault))
        if said != self._said:
            self._said = said
            emit(PrintWaits(job, str(fault)))
        return False

    def _check(self, emit: Callable[[PrinterEvent], None]) -> None:
        try:
            status = self._printer.status()
        except DeviceFault as fault:
            self._show(self._light_for(fault), str(fault), emit)
            return
        if status.ready:
            self._show(Light.WORKING, ", ".join(status.remarks), emit)
        else:
            self._show(Light.SILENT, f"{self.name}: {', '.join(status.stops)}", emit)

    @staticmethod
    def _light_for(fault: DeviceFault) -> Light:
        """Unreachable is gone; one that could be reached is there, but cannot print."""
        return (
            Light.GONE if isinstance(fault, Unreachable) or isinstance(fault.__cause__, Unreachable) else Light.SILENT
        )

    def _show(self, light: Light, detail: str, emit: Callable[[PrinterEvent], None]) -> None:
        event = LightChanged(self.name, light, detail)
        if event == self._light:
            return
        self._light = event
        level = logging.INFO if light is Light.WORKING else logging.WARNING
        logger.log(level, "%s is %s %s", self.name, light.value, detail)
        emit(event)


def _pause(seconds: float, should_stop: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not should_stop() and (left := until - time.monotonic()) > 0:
        time.sleep(min(_POLL_S, left))
