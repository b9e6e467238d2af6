"""What becomes of each label after it has left for the printer, and the scan that proves it (a site's option)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QCoreApplication

from devices.printer.model import Delivery
from devices.printer.scan_back import Confirmed, NotConfirmed, Waiting
from station.identify.scan import RawScan
from station.inspection.view import BenchView, LabelJob, Tone
from ui.threads import DeskThread

if TYPE_CHECKING:
    from station.inspection.desk import Desk


class ShowsBanner(Protocol):
    def show_banner(self, text: str | None) -> None: ...


class LabelWatch:
    """Belongs to the controller, on the GUI thread."""

    def __init__(self, window: ShowsBanner, desk: DeskThread, play: Callable[[Tone], None], *, scan_back: bool) -> None:
        """
        Args:
            scan_back: a label counts as printed only when it was scanned.
        """
        self._window = window
        self._desk = desk
        self._play = play
        self._scan_back = scan_back
        self._waiting = Waiting()

    def printed(self, job: LabelJob, delivery: Delivery) -> None:
        """The printer has taken a label."""
        if self._scan_back:
            self._waiting = self._waiting.label_left(job)
            self._window.show_banner(_tr("Scan the label {0} on its unit").format(job.lpn))
            return
        self._is_there(job)
        if delivery is Delivery.HANDED_OVER:
            self._window.show_banner(_tr("Label {0} was handed over: look at the printer").format(job.lpn))
        else:
            self._window.show_banner(None)

    def lets_pass(self, scan: RawScan) -> bool:
        """Say whether a scan is for the desk; one that confirms a label is not, and must not begin a new unit."""
        answer = self._waiting.scanned(scan)
        self._waiting = answer.waiting
        match answer.event:
            case Confirmed(job=job):
                self._is_there(job)
                self._window.show_banner(None)
                self._play(Tone.ACCEPT)
            case NotConfirmed(jobs=jobs, given_up=False):
                words = _tr("Scan the label {0} first, or the same code again to go on without it")
                self._window.show_banner(words.format(jobs[0].lpn))
                self._play(Tone.REJECT)
            case NotConfirmed(jobs=jobs):
                names = ", ".join(job.lpn for job in jobs)
                self._window.show_banner(_tr("Label {0} was not confirmed: PRINT AGAIN if it is missing").format(names))
            case None:
                pass
        return answer.passes

    def recorded(self, view: BenchView) -> None:
        """A unit that was taken back needs no label any more."""
        if view.notice.code == "undone" and view.lpn is not None:
            self._waiting = self._waiting.dropped(view.lpn)

    def _is_there(self, job: LabelJob) -> None:
        def left(desk: Desk) -> None:
            desk.label_left(job.lpn)

        self._desk.submit("label", left)


def _tr(text: str) -> str:
    return QCoreApplication.translate("LabelWatch", text)
