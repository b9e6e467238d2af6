"""The demo's hands for a person: scan, weigh and turn the simulated goods by a click, once the robot has stopped.

A small window of its own beside the bench. It drives the same simulators as the robot, with the same lines; the bench
cannot tell who did it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from station.identify.commands import BY_COMMAND, Command
from ui.demo.shift import UnitPlan
from ui.demo.stage import Stage

_COLUMNS = 3
_BUTTON_HEIGHT = 52


class Hands(QWidget):
    """Buttons for everything that needs hands."""

    play_again = Signal()

    def __init__(self, plans: tuple[UnitPlan, ...], stage: Stage) -> None:
        super().__init__(None, Qt.WindowType.Tool | Qt.WindowType.WindowStaysOnTopHint)
        self.setObjectName("demo_hands")
        self.setWindowTitle(self.tr("Demo: your hands"))
        self._plans = plans
        self._stage = stage
        self._index = 0
        self._turned = False
        self._unit = QLabel(self)
        self._unit.setTextFormat(Qt.TextFormat.PlainText)
        self._unit.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(self._unit)
        grid = QGridLayout()
        layout.addLayout(grid)
        acts: tuple[tuple[str, Callable[[], None]], ...] = (
            (self.tr("Scan the parcel"), self.scan_parcel),
            (self.tr("Scan the item"), self.scan_item),
            (self.tr("Scan another item"), self.scan_another),
            (self.tr("Set it on the scale"), self.put),
            (self.tr("Lay it on the mat"), self.lay),
            (self.tr("Turn it over"), self.turn),
            (self.tr("Scan CLEAN"), self.scan_clean),
            (self.tr("Scan CONFIRM"), self.scan_confirm),
            (self.tr("Take it away, next"), self.next_unit),
            (self.tr("Unplug the scale, 3 s"), self.unplug_scale),
            (self.tr("Cut the network"), self.cut_network),
            (self.tr("Play by itself again"), self.play_again.emit),
        )
        for number, (text, act) in enumerate(acts):
            button = QPushButton(text, self)
            button.setObjectName(f"hands_{number}")
            button.setAccessibleName(text)
            button.setMinimumHeight(_BUTTON_HEIGHT)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(act)
            grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)
            if act == self.cut_network:
                self._network = button
        self._describe()

    @Slot(int)
    def take_over(self, index: int) -> None:
        """Go on with this unit of the shift."""
        self._index = min(index, len(self._plans) - 1)
        self._describe()
        self.show()

    def scan_parcel(self) -> None:
        self._scan(self._plan.parcel_code or self._plan.rma, "]C0")

    def scan_item(self) -> None:
        self._scan(self._plan.item_code, self._plan.item_aim)

    def scan_another(self) -> None:
        other = next(plan for plan in self._plans if plan.item.sku != self._plan.item.sku)
        self._scan(other.item.gtins[0][1:], "]E0")

    def scan_clean(self) -> None:
        self._scan(BY_COMMAND[Command.CLEAN].barcode, "]C0")

    def scan_confirm(self) -> None:
        self._scan(BY_COMMAND[Command.CONFIRM].barcode, "]C0")

    def put(self) -> None:
        self._stage.scale.do("put", gross_mg=self._plan.gross_mg)
        self.lay()

    def lay(self) -> None:
        self._turned = False
        self._stage.camera.do("place", scene=self._plan.scene, variant="front", seed=self._index)

    def turn(self) -> None:
        self._turned = not self._turned
        self._stage.camera.do("turn", variant="label" if self._turned else "turned")

    def next_unit(self) -> None:
        self._stage.scale.do("remove")
        self._stage.camera.do("remove")
        self._index = (self._index + 1) % len(self._plans)
        self._describe()

    def unplug_scale(self) -> None:
        self._stage.scale.do("unplug", seconds=3.0)

    def cut_network(self) -> None:
        """Kill the server, or bring it back beside the GUI: it takes a second to start."""
        if self._stage.server_runs:
            self._stage.kill_server()
            self._network.setText(self.tr("Mend the network"))
        else:
            self._network.setText(self.tr("Cut the network"))
            threading.Thread(target=self._stage.start_server, name="server starts again", daemon=True).start()

    @property
    def index(self) -> int:
        """Number of the unit in hand, from 0."""
        return self._index

    @property
    def _plan(self) -> UnitPlan:
        return self._plans[self._index]

    def _scan(self, text: str, aim: str) -> None:
        self._stage.scanner.do("scan", text=text, aim=aim)

    def _describe(self) -> None:
        plan = self._plan
        grams = plan.gross_mg // 1000
        text = self.tr("In your hands: {0}, {1} g, return {2}. The customer said: {3}.")
        self._unit.setText(text.format(plan.item.title, grams, plan.rma, plan.reason.replace("_", " ")))
