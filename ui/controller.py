"""The one controller of the bench: events of devices and people → the desk; outcomes of the desk → the window.

Lives on the GUI thread and does no work of its own: it passes frozen values on and keeps what the devices' lights say.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from devices.barcodes.photo_reader import SeenInPhoto
from devices.camera.model import EXTRA_SHOT, FrameSeen, ShotTaken
from devices.ports import Indicated, Light, LightChanged, Refused, ScanArrived, ScanOutcome, WeightAccepted
from devices.printer.loop import Printed, PrintFailed, PrintWaits
from station.clock import Clock
from station.identify.commands import Command
from station.inspection.facts import Look, Photo
from station.inspection.seen import SeenCode
from station.inspection.view import BenchView, LabelJob, Outcome, Tone
from sync.client.states import SyncState
from ui.bench.bars import SHORT_DETAIL
from ui.bench.window import BenchWindow
from ui.labels import LabelWatch
from ui.lights import Lights
from ui.threads import DeskThread, Failed, Handled

if TYPE_CHECKING:
    from station.inspection.desk import Desk
    from ui.wedge_layout import LayoutVerdict

logger = logging.getLogger(__name__)

_FIGURES_EVERY_MS = 60_000
_SCAN_OUTCOMES: Mapping[Tone | None, ScanOutcome] = {
    Tone.REJECT: ScanOutcome.REJECTED,
    Tone.ATTENTION: ScanOutcome.ATTENTION,
}
"""What the scanner's own beeper says; every other tone is a scan that was taken."""


class ArmsCamera(Protocol):
    """What the controller asks of a camera, from the GUI thread; all of it returns at once."""

    def arm(self, shot_id: str, needs_change: bool, item_is_there: bool = False) -> None: ...

    def disarm(self) -> None: ...

    def shoot_now(self, shot_id: str | None = None) -> None: ...


class ToldScanner(Protocol):
    """What the controller says to a scanner."""

    def tell(self, outcome: ScanOutcome) -> None: ...


class AsksScale(Protocol):
    """What the controller asks of a scale."""

    def ask(self, *, same_load: bool = False) -> None: ...


class BenchController(QObject):
    """Wires one window, one desk and the devices of one bench."""

    shown = Signal(object, int)  # Handled, generation of its view on the window

    def __init__(
        self,
        window: BenchWindow,
        desk: DeskThread,
        clock: Clock,
        *,
        keep_photo: Callable[[ShotTaken], tuple[Photo, Look]],
        play: Callable[[Tone], None],
        scanners: Mapping[str, ToldScanner] | None = None,
        scale: AsksScale | None = None,
        camera: ArmsCamera | None = None,
        second_camera: ArmsCamera | None = None,
        read_photo: Callable[[str, bytes, datetime], None] | None = None,
        print_label: Callable[[LabelJob], None] | None = None,
        scan_back: bool = False,
        wake_sync: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._window = window
        self._desk = desk
        self._clock = clock
        self._keep_photo = keep_photo
        self._play = play
        self._scanners = scanners or {}
        self._scale = scale
        self._camera = camera
        self._second_camera = second_camera
        self._read_photo = read_photo
        self._print_label = print_label
        self._labels = LabelWatch(window, desk, play, scan_back=scan_back)
        self._wake_sync = wake_sync
        self._lights = Lights()
        self._camera_notes: tuple[str, ...] = ()
        self._advised = ""
        self._is_shut_out = False
        """The device that the line about the surroundings speaks of."""
        self.view: BenchView | None = None
        window.command_given.connect(self.on_command)
        window.value_entered.connect(self.on_entered)
        desk.handled.connect(self.on_handled)
        desk.failed.connect(self.on_failed)
        desk.crashed.connect(self.on_crashed)
        self._minute = QTimer(self)
        self._minute.setInterval(_FIGURES_EVERY_MS)
        self._minute.timeout.connect(self.on_minute)
        self._minute.start()
        if print_label is not None:
            desk.submit("labels", lambda desk: desk.labels_again())

    # --- what arrives from people and devices ---------------------------------------------------------------------

    @Slot(object, str)
    def on_command(self, command: Command, given_by: str) -> None:
        """A key or a button."""
        detail = self._why_skip()
        self._desk.submit("command", lambda desk: desk.command(command, given_by, device_detail=detail))

    @Slot(str, str)
    def on_entered(self, typed: str, given_by: str) -> None:
        """A number, a text or a code was typed as an answer."""
        self._desk.submit("command", lambda desk: desk.entered(typed, given_by))

    @Slot(object)
    def on_scanner(self, event: object) -> None:
        match event:
            case ScanArrived(scan=scan):
                if not self._labels.lets_pass(scan):
                    self._tell(scan.source, ScanOutcome.ACCEPTED)
                    return
                # The thread that read it is a hop away: what the inspector waited for began with the last byte.
                age_s = (self._clock.now() - scan.at).total_seconds()
                born = self._clock.monotonic() - max(0.0, age_s)
                self._desk.submit("scan", lambda desk: desk.scan(scan), born, scan.source)
            case Refused(harmless=True):
                self._play(Tone.TICK)
            case Refused(reason=reason, raw=raw):
                logger.info("scan refused: %s %r", reason, raw[:64])
                self._desk.submit("scan", lambda desk: desk.refused_scan(raw, reason))
            case LightChanged():
                self._show_light("scanner", event)

    @Slot(object)
    def on_layout_tested(self, verdict: LayoutVerdict) -> None:
        """The layout test label was scanned through the keyboard."""
        self._window.show_banner(verdict.advice)
        self._play(Tone.ACCEPT if verdict.is_good else Tone.REJECT)

    @Slot(object)
    def on_scale(self, event: object) -> None:
        match event:
            case Indicated(indication=indication):
                self._window.show_indication(indication.gross_mg, indication.status.value, indication.stable)
            case WeightAccepted(reading=reading):
                self._desk.submit("weight", lambda desk: desk.weight(reading))
            case LightChanged():
                self._show_light("scale", event)

    @Slot(object)
    def on_camera(self, event: object) -> None:
        match event:
            case FrameSeen():
                self._window.show_frame(event.preview, event.still, event.hint)
                if event.notes != self._camera_notes:
                    self._camera_notes = event.notes
                    self._advise("camera notes", "; ".join(event.notes))
            case ShotTaken():
                self._desk.submit("photo", lambda desk: self._take(desk, event))
                if self._second_camera is not None:
                    self._second_camera.shoot_now(EXTRA_SHOT)
            case LightChanged():
                self._show_light("camera", event)

    @Slot(object)
    def on_second_camera(self, event: object) -> None:
        """Another view of whatever the first camera photographs; it has no picture on the screen."""
        match event:
            case ShotTaken():
                self._desk.submit("photo", lambda desk: self._take(desk, event))
            case LightChanged():
                self._show_light("camera", event)

    def _take(self, desk: Desk, shot: ShotTaken) -> Outcome | None:
        """Keep a photo, then tell the desk; on the desk's thread."""
        photo, look = self._keep_photo(shot)
        outcome = desk.photo(photo, look)
        if self._read_photo is not None and desk.wants_serial:
            self._read_photo(photo.sha256, shot.jpeg, shot.taken_at)
        return outcome

    @Slot(object)
    def on_codes(self, event: object) -> None:
        """What was read in a photo."""
        match event:
            case SeenInPhoto(photo=photo, found=found) if found:
                codes = [SeenCode(one.text, one.aim) for one in found]
                self._desk.submit("codes", lambda desk: desk.codes_in_photo(photo, codes))
            case SeenInPhoto(problem=problem) if problem:
                logger.info("a photo could not be read for codes: %s", problem)

    @Slot(object)
    def on_printer(self, event: object) -> None:
        match event:
            case PrintFailed(job=job, reason=reason, may_have_printed=maybe):
                advice = self.tr("look at the printer, then PRINT AGAIN") if maybe else self.tr("call IT")
                self._window.show_banner(self.tr("Label {0}: {1} – {2}").format(job.lpn, reason, advice))
            case PrintWaits(job=job, reason=reason):
                self._window.show_banner(self.tr("Label {0} waits: {1}").format(job.lpn, reason))
            case Printed(job=job, delivery=delivery):
                self._labels.printed(job, delivery)
            case LightChanged():
                self._show_light("printer", event)

    @Slot(object)
    def on_sync(self, state: object) -> None:
        if isinstance(state, SyncState):
            unsent = state.unsent
            word = "revoked" if state.revoked else state.state
            self._window.show_sync(word, unsent.entries, unsent.photos, unsent.since, unsent.quarantined)
            self._show_shut_out(state.revoked)

    def _show_shut_out(self, is_shut_out: bool) -> None:
        """Said once when it happens; the bar says it as long as it is so."""
        text = self.tr(
            "IT has shut this bench out. Nothing is lost: your work is kept here. Ask IT to let it in again."
        )
        if is_shut_out and not self._is_shut_out:
            self._window.show_banner(text)
        elif self._is_shut_out and not is_shut_out and self._window.page.banner.text == text:
            self._window.show_banner(None)
        self._is_shut_out = is_shut_out

    # --- what the desk answers ------------------------------------------------------------------------------------

    @Slot(object)
    def on_handled(self, handled: Handled) -> None:
        outcome: Outcome = handled.outcome
        before, self.view = self.view, outcome.view
        generation = self._window.show_view(outcome.view)
        if outcome.tone is not None:
            self._play(outcome.tone)
        if handled.what == "scan":
            self._tell(handled.source, _SCAN_OUTCOMES.get(outcome.tone, ScanOutcome.ACCEPTED))
        self._labels.recorded(outcome.view)
        for job in outcome.labels:
            if self._print_label is not None:
                self._print_label(job)
        self._carry_out(outcome)
        self._aim_camera(outcome.view)
        self._ask_scale(before, outcome.view)
        if self._wake_sync is not None and (before is None or before.recent != outcome.view.recent):
            self._wake_sync()
        self.shown.emit(handled, generation)

    @Slot(object)
    def on_failed(self, failed: Failed) -> None:
        """The desk could not write or read: nothing was changed, the screen stays and says so."""
        self._window.show_banner(str(failed.error))
        self._play(Tone.REJECT)
        self._tell(failed.source, ScanOutcome.REJECTED)

    @Slot(str)
    def on_crashed(self, text: str) -> None:
        self._window.show_banner(self.tr("The station hit a fault of its own ({0}). Nothing is lost.").format(text))
        self._play(Tone.REJECT)

    @Slot()
    def on_minute(self) -> None:
        self._desk.submit("minute", lambda desk: desk.show())

    # --- inside ---------------------------------------------------------------------------------------------------

    def _tell(self, device: str, outcome: ScanOutcome) -> None:
        scanner = self._scanners.get(device)
        if scanner is not None:
            scanner.tell(outcome)

    def _carry_out(self, outcome: Outcome) -> None:
        for command in outcome.asks:
            if command is Command.HELP:
                self._window.toggle_help()
            elif command is Command.CONFIRM:
                self._window.give_entry()
            elif command is Command.PHOTO and self._camera is not None:
                self._camera.shoot_now()

    def _aim_camera(self, view: BenchView) -> None:
        if self._camera is None:
            return
        if view.wants_photo and view.current_shot is not None:
            taken = any(slot.photo is not None for slot in view.shots)
            self._camera.arm(view.current_shot.id, taken, view.weight is not None)
        else:
            self._camera.disarm()

    def _ask_scale(self, before: BenchView | None, view: BenchView) -> None:
        """A weight is wanted anew; after an undo the load that already answered may answer again."""
        if self._scale is None or not view.wants_weight:
            return
        if before is None or not before.wants_weight or before.lpn != view.lpn:
            self._scale.ask(same_load=view.notice.code == "undone")

    def _show_light(self, device: str, event: LightChanged) -> None:
        light, detail = self._lights.changed(device, event)
        if device == "scale" and light is not Light.WORKING:
            self._window.show_indication(None, "no_reply", False)
        self._window.show_light(device, light.value, detail)
        self._advise(device, detail if len(detail) > SHORT_DETAIL else "")

    def _advise(self, about: str, text: str) -> None:
        """One calm line about the surroundings, for as long as it is so."""
        if text:
            self._advised = about
            self._window.show_banner(text[0].upper() + text[1:])
        elif self._advised == about:
            self._advised = ""
            self._window.show_banner(None)

    def _why_skip(self) -> str:
        """The reason a step is skipped for: the light of the device that the bench waits for."""
        if self.view is None:
            return ""
        device = "scale" if self.view.wants_weight else "camera"
        state = self._lights.of(device)
        if state is None:
            return f"no {device} is set up on this bench"
        light, detail = state
        return "" if light is Light.WORKING else f"{device}: {detail}"
