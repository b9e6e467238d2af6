"""The demo's inspector: sees only the view on the screen, touches only scanner, scale and mat.

One act per new situation. In the window it works at a person's pace and stops for good as soon as somebody touches the
mouse, the keys or the real scanner; headless it works as fast as the bench answers.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from station.identify.commands import BY_COMMAND, Command
from station.inspection.view import BenchView, State
from ui.demo.shift import Twist, UnitPlan
from ui.demo.stage import Stage
from ui.threads import Handled

logger = logging.getLogger(__name__)

_GAP_UNITS = 3
"""Units that are inspected while the network is down."""
_UNPLUG_S = 1.5
_TRIGGER_MS = 800
"""Nobody reads the same code twice faster than this; the scanner's duplicate guard counts on it."""


@dataclass
class UnitRun:
    """What the robot did for one unit."""

    plan: UnitPlan
    scans: int = 0
    lpn: str | None = None
    acted: set[tuple[str, ...]] = field(default_factory=set)


class Robot(QObject):
    """Plays a shift through the simulators."""

    finished = Signal()
    stuck = Signal(str)  # what it was waiting for

    def __init__(self, plans: tuple[UnitPlan, ...], stage: Stage, *, pace_ms: int, patience_ms: int = 30_000) -> None:
        super().__init__()
        self._stage = stage
        self._pace_ms = pace_ms
        self.runs = [UnitRun(plan) for plan in plans]
        self._index = 0
        self._back_at: int | None = None
        self._view: BenchView | None = None
        self._active = True
        self._scanned: dict[str, QElapsedTimer] = {}
        """When each code was scanned last."""
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(patience_ms)
        self._patience.timeout.connect(self.on_out_of_patience)

    @property
    def finished_units(self) -> int:
        return self._index

    @property
    def playing(self) -> bool:
        return self._active

    @Slot()
    def stop(self) -> None:
        """A person takes over."""
        self._active = False
        self._patience.stop()

    def play(self, index: int) -> None:
        """Go on with this unit; whatever stands on the screen is a new situation."""
        self._active = True
        self._index = index
        if index < len(self.runs):
            self.runs[index].acted.clear()

    @Slot(object, int)
    def on_shown(self, handled: Handled, generation: int) -> None:
        """There is something new to see; it counts once it is painted."""
        self._view = handled.outcome.view

    @Slot(int)
    def on_painted(self, generation: int) -> None:
        """The screen has changed: think, then act."""
        view = self._view
        if view is None or not self._active or self._index >= len(self.runs):
            return
        situation = _situation(view)
        run = self.runs[self._index]
        if situation in run.acted:
            return
        run.acted.add(situation)
        self._patience.start()
        QTimer.singleShot(self._pace_ms, self.act)

    @Slot()
    def on_out_of_patience(self) -> None:
        view = self._view
        self._active = False
        where = f"{view.state.value} ({view.notice.code} {dict(view.notice.facts)})" if view is not None else "nothing"
        self.stuck.emit(f"unit {self._index + 1} of {len(self.runs)} waits at {where}")

    @Slot()
    def act(self) -> None:
        """Do the one thing that the screen asks for."""
        view = self._view
        if not self._active or view is None or self._index >= len(self.runs):
            return
        run = self.runs[self._index]
        match view.state:
            case State.IDLE:
                self._begin(run)
            case State.ITEM:
                self._show_item(run)
            case State.MISMATCH:
                self._answer_mismatch(run)
            case State.WEIGHT:
                self._weigh(run)
            case State.WEIGHT_CHECK | State.QUESTIONS:
                self._answer(run, view)
            case State.PHOTOS:
                self._pose(run, view)
            case State.CONFIRM:
                self._command(run, Command.CONFIRM)
            case State.DONE:
                self._after_done(run, view)

    # --- one unit -------------------------------------------------------------------------------------------------

    def _begin(self, run: UnitRun) -> None:
        self._network(run.plan)
        self._scan(run, run.plan.parcel_code or run.plan.item_code, "]C0" if run.plan.parcel_code else "")

    def _after_done(self, run: UnitRun, view: BenchView) -> None:
        if run.lpn is None and view.lpn is not None and view.unit_seconds is not None and run.scans > 0:
            run.lpn = view.lpn
            self._stage.scale.do("remove")
            self._stage.camera.do("remove")
            self._index += 1
            if self._index >= len(self.runs):
                self._patience.stop()
                self.end_network_gap()
                self.finished.emit()
                return
            run = self.runs[self._index]
            self._patience.start()
            run.acted.add(_situation(view))
        if run.plan.parcel_code is not None:
            self._begin(run)
        else:
            self._show_item(run)

    def _show_item(self, run: UnitRun) -> None:
        plan = run.plan
        if plan.twist is Twist.CORRECTED_SCAN and plan.wrong_code is not None and run.scans < 2:
            self._scan(run, plan.wrong_code, "]E0")
            return
        variant = "damaged" if plan.twist is Twist.DAMAGED_LITHIUM else "front"
        self._stage.camera.do("place", scene=plan.scene, variant=variant, seed=self._index)
        self._scan(run, plan.item_code, plan.item_aim)

    def _answer_mismatch(self, run: UnitRun) -> None:
        if run.plan.twist is Twist.WRONG_ITEM:
            self._command(run, Command.WRONG_ITEM)
        else:
            self._show_item_again(run)

    def _show_item_again(self, run: UnitRun) -> None:
        self._stage.camera.do("place", scene=run.plan.scene, variant="front", seed=self._index)
        self._scan(run, run.plan.item_code, run.plan.item_aim)

    def _weigh(self, run: UnitRun) -> None:
        if run.plan.twist is Twist.SCALE_UNPLUGGED:
            self._stage.scale.do("unplug", seconds=_UNPLUG_S)
        self._stage.scale.do("put", gross_mg=run.plan.gross_mg)

    def _pose(self, run: UnitRun, view: BenchView) -> None:
        taken = sum(1 for slot in view.shots if slot.photo is not None)
        if taken and view.current_shot is not None:
            self._stage.camera.do("turn", variant=_variant(view.current_shot.id, run.plan))

    def _answer(self, run: UnitRun, view: BenchView) -> None:
        question = view.question
        if question is None:
            return
        planned = run.plan.answers.get(question.id)
        if planned is None and not run.plan.answers and Command.CLEAN in view.actions:
            self._command(run, Command.CLEAN)
            return
        index = next((i for i, choice in enumerate(question.buttons) if choice.id == planned), 0)
        self._command(run, Command(f"choice_{index + 1}"))

    # --- hands ------------------------------------------------------------------------------------------------------

    def _scan(self, run: UnitRun, text: str, aim: str) -> None:
        last = self._scanned.get(text)
        since_ms = last.elapsed() if last is not None else _TRIGGER_MS
        if since_ms < _TRIGGER_MS:
            QTimer.singleShot(int(_TRIGGER_MS - since_ms), self, lambda: self._scan(run, text, aim))
            return
        self._scanned[text] = QElapsedTimer()
        self._scanned[text].start()
        run.scans += 1
        details = {"aim": aim} if aim else {}
        self._stage.scanner.do("scan", text=text, **details)

    def _command(self, run: UnitRun, command: Command) -> None:
        self._scan(run, BY_COMMAND[command].barcode, "]C0")

    def _network(self, plan: UnitPlan) -> None:
        if plan.twist is Twist.NETWORK_GAP and self._stage.server_runs:
            self._stage.kill_server()
            self._back_at = self._index + _GAP_UNITS
        elif self._back_at is not None and self._index >= self._back_at:
            self.end_network_gap()

    def end_network_gap(self) -> None:
        """Bring the server back, beside the GUI: it takes a second to start."""
        if self._back_at is not None:
            self._back_at = None
            threading.Thread(target=self._stage.start_server, name="server starts again", daemon=True).start()


def _situation(view: BenchView) -> tuple[str, ...]:
    """What makes two screens the same request to the inspector."""
    return (
        view.state.value,
        view.notice.code,
        view.question.id if view.question is not None else "",
        view.current_shot.id if view.current_shot is not None else "",
        view.lpn or "",
        str(len(view.recent)),
    )


def _variant(shot: str, plan: UnitPlan) -> str:
    """How the item must lie for a shot."""
    if "label" in shot or "serial" in shot:
        return "label"
    if plan.twist is Twist.BROKEN_SEAL and "seal" in shot:
        return "seal_broken"
    return "turned"
