"""Everything that stands on the bench's screen: the widgets, made once, and how a view is filled into them."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from station.identify.commands import BY_COMMAND, COMMANDS, Command
from station.inspection.view import BenchView, State
from ui.bench import words
from ui.bench.ask_stage import AskStage
from ui.bench.bars import Banner, BenchIdentity, StepBar, TopBar
from ui.bench.compare_stage import CompareStage
from ui.bench.decision_stage import DecisionStage
from ui.bench.evidence import EvidencePanel
from ui.bench.help_page import HelpPage
from ui.bench.item_panel import ItemPanel
from ui.bench.labels import command_hint, command_key, command_word
from ui.bench.live_stage import LiveStage
from ui.bench.placement import CHOICES, SHORTCUTS, Placement, Side, Stage
from ui.bench.ready_stage import ReadyStage
from ui.bench.side_panels import RecentPanel, ResultPanel, WaysPanel
from ui.bench.speech import QT_TRANSLATE_NOOP, say
from ui.theme.look import Look
from ui.widgets.band import StatusBand
from ui.widgets.button import ActionButton, Weight
from ui.widgets.panel import Card, Surface
from ui.widgets.pictures import Pictures

_DONE = QT_TRANSLATE_NOOP("Bench", "Take this answer")
_DONE_HINT = QT_TRANSLATE_NOOP("Bench", "or press Enter")


class PaintMark(QWidget):
    """One pixel above everything: it is painted last, so its paint means that the view is on the screen."""

    painted = Signal()

    def paintEvent(self, event: QPaintEvent) -> None:
        self.painted.emit()


class Page(QWidget):
    """The parts of the window. One button per command exists for ever; a view labels and places it."""

    def __init__(self, identity: BenchIdentity, pictures: Pictures, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._pictures = pictures
        self.top_bar = TopBar(identity, self)
        self.band = StatusBand(self)
        self.banner = Banner(self)
        self.item = ItemPanel(pictures, self)
        self.ready = ReadyStage(self)
        self.compare = CompareStage(pictures, self)
        self.live = LiveStage(self)
        self.ask = AskStage(self)
        self.decision = DecisionStage(self)
        self.recent = RecentPanel(self)
        self.ways = WaysPanel(self)
        self.evidence = EvidencePanel(pictures, self)
        self.result = ResultPanel(self)
        self.step_bar = StepBar(self)
        self.stages: dict[Stage, Card] = {
            Stage.READY: self.ready,
            Stage.COMPARE: self.compare,
            Stage.LIVE: self.live,
            Stage.ASK: self.ask,
            Stage.DECISION: self.decision,
        }
        self.sides: dict[Side, Card] = {
            Side.RECENT: self.recent,
            Side.WAYS: self.ways,
            Side.EVIDENCE: self.evidence,
            Side.RESULT: self.result,
        }
        for panel in self.panels:
            panel.hide()
        self.buttons = {
            spec.command: ActionButton(f"action.{spec.command.value}", command_key(spec.command), self)
            for spec in COMMANDS
        }
        self.help = HelpPage(self)
        self.mark = PaintMark(self)
        self.mark.setGeometry(0, 0, 1, 1)

    @property
    def panels(self) -> tuple[Card, ...]:
        """The cards of the three columns."""
        return (self.item, *self.stages.values(), *self.sides.values())

    @property
    def surfaces(self) -> tuple[Surface, ...]:
        """All that is painted by hand, but the buttons and the live picture's parts."""
        return (self.top_bar, self.band, self.banner, *self.panels, self.step_bar, self.help)

    def set_look(self, look: Look) -> None:
        """Paint with another theme or size."""
        for surface in self.surfaces:
            surface.set_look(look)
        for button in self.buttons.values():
            button.set_look(look)

    def show_help(self, shown: bool) -> None:
        """Lay the page of keys over the columns, or take it away."""
        if shown != self.help_is_shown:
            self.help.setVisible(shown)
            if shown:
                self.help.raise_()
                self.mark.raise_()

    @property
    def help_is_shown(self) -> bool:
        return self.help.isVisibleTo(self)

    def fill(self, view: BenchView, placement: Placement, now: datetime) -> None:
        """Hand each part its share of a view; parts that show the same as before do nothing."""
        title, detail = words.words(view.notice)
        self.band.show_notice(view.notice.band, words.shape(view.notice), title, detail)
        self.top_bar.show_figures(view.figures)
        self.step_bar.show_step(view.step)
        if placement.has_item:
            self.item.show_item(view.item, now)
        match placement.stage:
            case Stage.READY:
                self.ready.show_view(view)
            case Stage.COMPARE:
                self.compare.show_mismatch(view.mismatch)
            case Stage.LIVE:
                self.live.show_view(view)
            case Stage.ASK:
                self.ask.show_view(view)
            case Stage.DECISION:
                self.decision.show_decision(view.decision)
        match placement.side:
            case Side.RECENT:
                self.recent.show_view(view)
            case Side.WAYS:
                self.ways.show_view(view)
            case Side.EVIDENCE:
                self.evidence.show_view(view)
            case Side.RESULT:
                self.result.show_view(view)
        self._label(view, placement)

    def _label(self, view: BenchView, placement: Placement) -> None:
        """Say on each button what it does now."""
        for command in placement.answers:
            if command in CHOICES:
                self._label_choice(view, command)
            elif command is Command.CONFIRM:
                self.buttons[command].show_as(say(_DONE), say(_DONE_HINT), Weight.CHOICE)
            else:
                self.buttons[command].show_as(_shortcut_word(view, command), command_hint(command), Weight.CHOICE)
        loud = view.state is State.MISMATCH
        for command in placement.column:
            main = command is placement.main
            weight = Weight.MAIN if main else Weight.CHOICE if loud or command in SHORTCUTS else Weight.PLAIN
            hint = command_hint(command) if loud or main or view.state is State.ITEM else ""
            self.buttons[command].show_as(_shortcut_word(view, command), hint, weight)
        for command in placement.foot:
            self.buttons[command].show_as(command_word(command), "", Weight.PLAIN)
        for command in placement.bar:
            self.buttons[command].show_as(command_word(command), "", Weight.BAR)

    def _label_choice(self, view: BenchView, command: Command) -> None:
        assert view.question is not None, "an answer is placed only where a question is"
        choice = view.question.buttons[CHOICES.index(command)]
        picture = self._pictures.answer(choice.picture)
        button = self.buttons[command]
        button.show_as(choice.label, choice.hint, Weight.CHOICE, has_picture=self._pictures.has_answer(choice.picture))
        if picture is not None:
            button.show_picture(picture)


def _shortcut_word(view: BenchView, command: Command) -> str:
    """The protocol's own name for a short cut, else the command's."""
    code = BY_COMMAND[command].barcode
    label = next((shortcut.label for shortcut in view.shortcuts if shortcut.code == code), "")
    return label[:1].upper() + label[1:] if label else command_word(command)
