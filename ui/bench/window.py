"""The bench window: shows one ``BenchView`` and reports what the inspector presses. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QMouseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from station.clock import Clock, SystemClock
from station.identify.commands import BY_COMMAND, COMMANDS, Command
from station.inspection.view import BenchView, State
from ui.bench import words
from ui.bench.ask_stage import AskStage, grid, grid_height, paired, row_height
from ui.bench.bars import Banner, BenchIdentity, StepBar, TopBar
from ui.bench.compare_stage import CompareStage
from ui.bench.decision_stage import DecisionStage
from ui.bench.evidence import EvidencePanel
from ui.bench.help_page import HelpPage
from ui.bench.item_panel import ItemPanel
from ui.bench.labels import command_hint, command_key, command_word
from ui.bench.live_stage import LiveStage
from ui.bench.placement import SHORTCUTS, Placement, Side, Stage, place
from ui.bench.ready_stage import ReadyStage
from ui.bench.side_panels import RecentPanel, ResultPanel, WaysPanel
from ui.theme.look import Look
from ui.theme.metrics import GAP_MM, Metrics, believable_dpi
from ui.theme.tokens import Theme
from ui.widgets.band import HEIGHT as BAND_HEIGHT
from ui.widgets.band import StatusBand
from ui.widgets.button import ActionButton, Weight
from ui.widgets.panel import GAP, PAD, Card, Surface
from ui.widgets.pictures import PhotoLoader, Pictures

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

__all__ = ["BenchIdentity", "BenchWindow"]

_KEYS = {spec.key: spec.command for spec in COMMANDS}
_CHOICE_NUMBER = {
    Command.CHOICE_1: 0,
    Command.CHOICE_2: 1,
    Command.CHOICE_3: 2,
    Command.CHOICE_4: 3,
    Command.CHOICE_5: 4,
}
_LEFT, _RIGHT, _WHOLE = 480, 420, 1856
"""Column widths of the drawings; the middle takes the rest."""


class PaintMark(QWidget):
    """One pixel above everything: it is painted last, so its paint means that the view is on the screen."""

    painted = Signal()

    def paintEvent(self, event: QPaintEvent) -> None:
        self.painted.emit()


class BenchWindow(QMainWindow):
    """Shows what the desk says. All state lives in the view; the same view gives the same picture."""

    command_given = Signal(object, str)
    # Command, "key" or "touch"
    touched = Signal()
    # a person pressed something: a key, a button, anywhere
    painted = Signal(int)
    # generation number of the view that is on the screen now
    picture_resized = Signal(QSize)
    # device pixels of the live picture's place: frames of this size are drawn without scaling

    def __init__(
        self,
        identity: BenchIdentity,
        theme: Theme,
        *,
        metrics: Metrics | None = None,
        scale: float = 1.0,
        photo_loader: PhotoLoader | None = None,
        picture_folder: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make the window.

        Args:
            metrics: the screen's density; None = asked from the screen.
            scale: enlargement wished by IT, with ``metrics=None``.
            photo_loader: reads a photo's JPEG by its SHA-256; called on a worker.
            picture_folder: where the catalogue's reference pictures are.
        """
        super().__init__()
        self.setObjectName("bench_window")
        self.setWindowTitle(f"{identity.bench} · {identity.hall}")
        self._clock = clock or SystemClock()
        self._theme = theme
        self._fixed_metrics = metrics
        self._scale = scale
        self._look: Look | None = None
        self._view: BenchView | None = None
        self._placement: Placement | None = None
        self._generation = 0
        self._unpainted: int | None = None
        self.pictures = Pictures(photo_loader, picture_folder, self)
        self._make(identity)
        self._connect()
        self.setMinimumSize(960, 600)
        self._tick.start(1000)

    def _make(self, identity: BenchIdentity) -> None:
        root = QWidget(self)
        root.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        root.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, False)
        self.setCentralWidget(root)
        self._root = root
        self.top_bar = TopBar(identity, root)
        self.band = StatusBand(root)
        self.banner = Banner(root)
        self.item_panel = ItemPanel(self.pictures, root)
        self.ready = ReadyStage(root)
        self.compare = CompareStage(self.pictures, root)
        self.live = LiveStage(root)
        self.ask = AskStage(root)
        self.decision = DecisionStage(root)
        self.recent = RecentPanel(root)
        self.ways = WaysPanel(root)
        self.evidence = EvidencePanel(self.pictures, root)
        self.result = ResultPanel(root)
        self.step_bar = StepBar(root)
        self._stages: dict[Stage, Card] = {
            Stage.READY: self.ready,
            Stage.COMPARE: self.compare,
            Stage.LIVE: self.live,
            Stage.ASK: self.ask,
            Stage.DECISION: self.decision,
        }
        self._sides: dict[Side, Card] = {
            Side.RECENT: self.recent,
            Side.WAYS: self.ways,
            Side.EVIDENCE: self.evidence,
            Side.RESULT: self.result,
        }
        self._surfaces: tuple[Surface, ...] = (
            self.top_bar,
            self.band,
            self.banner,
            self.item_panel,
            *self._stages.values(),
            *self._sides.values(),
            self.step_bar,
        )
        for surface in (self.item_panel, *self._stages.values(), *self._sides.values()):
            surface.hide()
        self.buttons = {
            spec.command: ActionButton(f"action.{spec.command.value}", command_key(spec.command), root)
            for spec in COMMANDS
        }
        self.help_page = HelpPage(root)
        self._mark = PaintMark(root)
        self._mark.setGeometry(0, 0, 1, 1)
        self._tick = QTimer(self)

    def _connect(self) -> None:
        for command, button in self.buttons.items():
            button.pressed.connect(self.touched)
            button.setProperty("command", command.value)
            button.clicked.connect(self._button_clicked)
        self._mark.painted.connect(self._mark_painted)
        self._tick.timeout.connect(self._tell_time)
        self.pictures.arrived.connect(self._picture_arrived)

    # --- what is shown ------------------------------------------------------------------------------------------

    def show_view(self, view: BenchView) -> int:
        """Show a view; returns its generation number, which ``painted`` names once it is on the screen."""
        self._generation += 1
        old, self._view = self._view, view
        if old is not None and (old.state is not view.state or old.notice != view.notice):
            self.show_help(False)
        if self._look is not None:
            self._fill(view)
            self._arrange()
        self._unpainted = self._generation
        self._mark.update()
        return self._generation

    def show_frame(self, bgra: NDArray[uint8], still: float, hint: str) -> None:
        """Show one frame of the live picture; only the picture is painted again.

        Args:
            bgra: ``(height, width, 4) uint8``, contiguous, not written to again.
            still: 0…1, how far the ring has closed.
            hint: a few words on the picture, or ``""``.
        """
        self.live.picture.show_frame(bgra, still, hint)

    def show_indication(self, gross_mg: int | None, status: str, stable: bool) -> None:
        """Show the scale's live indication (words of ``devices.ports.Status``)."""
        self.live.weight.show_indication(gross_mg, status, stable)

    def show_light(self, device: str, light: str, detail: str) -> None:
        """Show how a device is: ``working``, ``silent`` or ``gone``, with a word for people."""
        self.top_bar.show_light(device, light, detail)
        if device == "camera" and light != "working":
            self.live.picture.clear()

    def show_sync(self, state: str, waiting: int, photos: int, since: datetime | None, quarantined: int) -> None:
        """Show what is unsent and since when."""
        self.top_bar.show_sync(state, waiting, photos, since, quarantined)

    def show_banner(self, text: str | None) -> None:
        """Show one calm line about the surroundings until it is cleared with None."""
        if (text or "") != self.banner.text:
            self.banner.show_text(text or "")
            self._arrange()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours at once."""
        self._theme = theme
        self._settle_look(force=True)

    def show_help(self, shown: bool) -> None:
        """Lay the page of keys over the columns, or take it away. Nothing waits for it."""
        if shown != self.help_page.isVisibleTo(self._root):
            self.help_page.setVisible(shown)
            if shown:
                self.help_page.raise_()
                self._mark.raise_()

    @Slot()
    def toggle_help(self) -> None:
        self.show_help(not self.help_page.isVisibleTo(self._root))

    @Slot(str, QImage)
    def show_thumbnail(self, sha256: str, image: QImage) -> None:
        """Hand over a photo's picture that is in memory already; without it the loader is asked."""
        self.pictures.put(sha256, image)

    # --- filling ------------------------------------------------------------------------------------------------

    def _fill(self, view: BenchView) -> None:
        now = self._clock.now()
        self._placement = place(view)
        title, detail = words.words(view.notice)
        self.band.show_notice(view.notice.band, words.shape(view.notice), title, detail)
        self.top_bar.show_figures(view.figures)
        self.step_bar.show_step(view.step)
        if self._placement.has_item:
            self.item_panel.show_item(view.item, now)
        match self._placement.stage:
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
        match self._placement.side:
            case Side.RECENT:
                self.recent.show_view(view)
            case Side.WAYS:
                self.ways.show_view(view)
            case Side.EVIDENCE:
                self.evidence.show_view(view)
            case Side.RESULT:
                self.result.show_view(view)
        self._label_buttons(view, self._placement)
        self._tell_time()

    def _label_buttons(self, view: BenchView, placement: Placement) -> None:
        for command in placement.answers:
            button = self.buttons[command]
            number = _CHOICE_NUMBER.get(command)
            if number is not None and view.question is not None and number < len(view.question.choices):
                choice = view.question.choices[number]
                picture = self.pictures.catalogue(choice.picture)
                button.show_as(choice.label, choice.hint, Weight.CHOICE, has_picture=picture is not None)
                if picture is not None:
                    button.show_picture(picture)
            else:
                button.show_as(self._shortcut_word(view, command), command_hint(command), Weight.CHOICE)
        loud = view.state is State.MISMATCH
        for command in placement.column:
            weight = Weight.MAIN if command is placement.main else Weight.CHOICE if loud else Weight.PLAIN
            if command in SHORTCUTS:
                weight = Weight.CHOICE
            roomy = loud or view.state is State.ITEM or command is placement.main
            hint = command_hint(command) if roomy else ""
            self.buttons[command].show_as(self._shortcut_word(view, command), hint, weight)
        for command in placement.foot:
            hint = command_hint(command) if placement.stage is Stage.READY else ""
            self.buttons[command].show_as(command_word(command), hint, Weight.PLAIN)
        for command in placement.bar:
            self.buttons[command].show_as(command_word(command), "", Weight.BAR)

    @staticmethod
    def _shortcut_word(view: BenchView, command: Command) -> str:
        code = BY_COMMAND[command].barcode
        label = next((shortcut.label for shortcut in view.shortcuts if shortcut.code == code), "")
        return label[:1].upper() + label[1:] if label else command_word(command)

    # --- arranging ----------------------------------------------------------------------------------------------

    def _settle_look(self, *, force: bool = False) -> None:
        """Take the size that this window on this screen allows."""
        size = self._root.size()
        base = self._fixed_metrics
        if base is None:
            screen = self.screen()
            dpi = believable_dpi(screen.physicalDotsPerInch(), screen.size().width())
            base = Metrics(dpi, self._scale)
        metrics = replace(base, zoom=1.0).for_window(size.width(), size.height())
        if not force and self._look is not None and self._look.metrics == metrics:
            return
        look = Look(self._theme, metrics)
        self._look = look
        self.setPalette(look.palette())
        for surface in (*self._surfaces, self.help_page):
            surface.set_look(look)
        for button in self.buttons.values():
            button.set_look(look)
        if self._view is not None:
            self._fill(self._view)
        self._arrange()

    def _arrange(self) -> None:
        """Give everything its place: arithmetic only, no layout pass."""
        look, view, placement = self._look, self._view, self._placement
        if look is None:
            return
        px, width, height = look.metrics.drawn, self._root.width(), self._root.height()
        gap, side = px(GAP), px(32)
        top = px(72, 9)
        self.top_bar.setGeometry(0, 0, width, top)
        band = px(BAND_HEIGHT, 24)
        self.band.setGeometry(0, top, width, band)
        foot = max(px(116), look.metrics.mm(15) + px(28))
        self.step_bar.setGeometry(0, height - foot, width, foot)
        y = top + band + max(px(20), 8)
        if self.banner.text:
            self.banner.setGeometry(0, y, width, self.banner.needed_height())
            y += self.banner.needed_height() + px(16)
        room = QRect(side, y, width - 2 * side, height - foot - y - max(px(22), 8))
        self.help_page.setGeometry(room)
        if view is None or placement is None:
            return
        self._arrange_columns(room, placement, gap)
        self._arrange_bar(QRect(0, height - foot, width, foot), placement, side)
        shown = {*placement.answers, *placement.foot, *placement.column, *placement.bar}
        for command, button in self.buttons.items():
            button.setVisible(command in shown)
        self._mark.raise_()

    def _arrange_columns(self, room: QRect, placement: Placement, gap: int) -> None:
        stage, side = self._stages[placement.stage], self._sides[placement.side]
        if placement.stage is Stage.READY and placement.side is Side.RECENT:
            half = (room.width() - gap) // 2
            middle = QRect(room.left(), room.top(), half, room.height())
            right = QRect(room.left() + half + gap, room.top(), room.width() - half - gap, room.height())
        else:
            # The columns keep the drawing's proportions; the right one needs room for two words beside a key.
            left_width = room.width() * _LEFT // _WHOLE if placement.has_item else 0
            right_width = max(room.width() * _RIGHT // _WHOLE, self._px_mm(62))
            left_end = room.left() + left_width + (gap if left_width else 0)
            self.item_panel.setGeometry(room.left(), room.top(), left_width, room.height())
            right = QRect(room.right() + 1 - right_width, room.top(), right_width, room.height())
            middle = QRect(left_end, room.top(), right.left() - gap - left_end, room.height())
        stage.setGeometry(middle)
        side.setGeometry(right)
        self.item_panel.setVisible(placement.has_item)
        for panel in (*self._stages.values(), *self._sides.values()):
            panel.setVisible(panel is stage or panel is side)
        self._arrange_stage(middle, placement)
        self._arrange_side(right, placement)

    def _arrange_stage(self, middle: QRect, placement: Placement) -> None:
        px, look = self._px, self._settled()
        pad, gap = px(PAD), self._button_gap()
        answers = [self.buttons[command] for command in placement.answers]
        foot = [self.buttons[command] for command in placement.foot]
        if placement.stage is Stage.READY:
            height = max((button.target_height() for button in foot), default=0)
            self.ready.reserve(height + px(16) if foot else 0)
            y = middle.bottom() + 1 - pad - height
            width = min(sum(max(b.width_for_label() + px(60), px(300)) for b in foot), middle.width() - 2 * pad)
            self._row(foot, QRect(middle.center().x() - width // 2, y, width, height), gap)
        elif placement.stage is Stage.LIVE:
            foot_height = max((button.target_height() for button in foot), default=0)
            widths = [max(button.width_for_label(), look.metrics.mm(24)) for button in foot]
            if sum(widths) > middle.width() * 0.36:
                widths = [max(button.stacked_width(), look.metrics.mm(18)) for button in foot]
            foot_width = sum(widths) + gap * len(widths)
            inner = middle.width() - 2 * px(14)
            answers_height = row_height(answers, inner, gap)
            if answers_height > px(170):
                answers_height = grid_height(answers, inner, gap)
            self.live.arrange(answers_height, foot_height, foot_width)
            strip = self.live.weight.geometry().translated(middle.topLeft())
            x = strip.right() + 1
            for button, width in zip(reversed(foot), reversed(widths), strict=True):
                x -= width
                button.setGeometry(x, strip.bottom() + 1 - foot_height - px(4), width, foot_height)
                x -= gap
            below = self.live.picture.geometry().translated(middle.topLeft()).bottom() + 1 + px(14)
            area = QRect(middle.left() + px(14), below, inner, answers_height)
            if answers and answers_height == row_height(answers, inner, gap):
                self._row(answers, area, gap)
            else:
                for button, rect in zip(answers, grid(answers, area, gap), strict=True):
                    button.setGeometry(rect)
            self._tell_picture_size()
        elif placement.stage is Stage.ASK:
            plain = [self.buttons[c] for c in placement.answers if c not in SHORTCUTS]
            shortcuts = [self.buttons[c] for c in placement.answers if c in SHORTCUTS]
            rects = self.ask.arrange(plain, shortcuts)
            for button, rect in zip([*plain, *shortcuts], rects, strict=True):
                button.setGeometry(rect.translated(middle.topLeft()))

    def _arrange_side(self, right: QRect, placement: Placement) -> None:
        """Ways out hang from the top; in the other states buttons stand at the foot of the column."""
        pad, gap = self._px(PAD), self._button_gap()
        width = right.width() - 2 * pad
        buttons = [self.buttons[command] for command in placement.column]
        rows = [[b] for b in buttons] if placement.side is Side.WAYS else paired(buttons, (width - gap) // 2)
        heights = [max(b.height_for((width - gap * (len(row) - 1)) // len(row)) for b in row) for row in rows]
        panel = self._sides[placement.side]
        if placement.side is Side.WAYS:
            y = right.top() + pad + self.ways.head_height()
        else:
            total = sum(heights) + gap * len(heights)
            panel.reserve(total if buttons else 0)
            y = right.bottom() + 1 - pad - total + gap
        for row, height in zip(rows, heights, strict=True):
            self._row(row, QRect(right.left() + pad, y, width, height), gap)
            y += height + gap

    def _arrange_bar(self, bar: QRect, placement: Placement, side: int) -> None:
        """Buttons with key and word side by side; one above the other where the steps need the room."""
        gap = self._button_gap()
        buttons = [self.buttons[command] for command in placement.bar]
        height = max((button.target_height() for button in buttons), default=0)
        widths = [max(button.width_for_label(), self._px_mm(15)) for button in buttons]
        if sum(widths) > bar.width() * 0.46:
            widths = [button.stacked_width() for button in buttons]
        x = bar.right() + 1 - side
        for button, width in zip(reversed(buttons), reversed(widths), strict=True):
            x -= width
            button.setGeometry(x, bar.top() + (bar.height() - height) // 2, width, height)
            x -= gap
        self.step_bar.set_room(x - side)

    @staticmethod
    def _row(buttons: Sequence[ActionButton], area: QRect, gap: int) -> None:
        if buttons:
            width = (area.width() - gap * (len(buttons) - 1)) // len(buttons)
            for number, button in enumerate(buttons):
                button.setGeometry(area.left() + number * (width + gap), area.top(), width, area.height())

    def _settled(self) -> Look:
        assert self._look is not None
        return self._look

    def _px(self, drawn: float) -> int:
        return self._settled().metrics.drawn(drawn)

    def _px_mm(self, millimetres: float) -> int:
        return self._settled().metrics.mm(millimetres)

    def _button_gap(self) -> int:
        return self._settled().metrics.drawn(14, GAP_MM)

    def picture_size(self) -> QSize:
        """Device pixels of the live picture's place: a frame of this shape needs no cropping."""
        return self.live.picture.size() * self.devicePixelRatioF()

    def _tell_picture_size(self) -> None:
        size = self.picture_size()
        if size != self.property("picture_size"):
            self.setProperty("picture_size", size)
            self.picture_resized.emit(size)

    # --- what happens -------------------------------------------------------------------------------------------

    @Slot()
    def _button_clicked(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.command_given.emit(Command(sender.property("command")), "touch")

    @Slot()
    def _mark_painted(self) -> None:
        if self._unpainted is not None:
            QTimer.singleShot(0, self, self._report_painted)

    @Slot()
    def _report_painted(self) -> None:
        """After the event that painted has also brought the pixels to the screen."""
        if self._unpainted is not None:
            generation, self._unpainted = self._unpainted, None
            self.painted.emit(generation)

    @Slot()
    def _tell_time(self) -> None:
        now = self._clock.now()
        view = self._view
        seconds = None
        if view is not None and view.unit_started_at is not None and view.state is not State.DONE:
            seconds = max(0, int((now - view.unit_started_at).total_seconds()))
        self.top_bar.show_time(now.astimezone().strftime("%H:%M"), seconds)

    @Slot(str)
    def _picture_arrived(self, key: str) -> None:
        if key.startswith("photo:"):
            self.evidence.update()
            return
        for panel in (self.item_panel, self.compare):
            panel.update()
        if (
            self._view is not None
            and self._look is not None
            and any(choice.picture for choice in (self._view.question.choices if self._view.question else ()))
        ):
            self._fill(self._view)
            self._arrange()

    # --- Qt -----------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys come from the one table. Enter and Space are in no row of it, so a scanner's Enter presses nothing."""
        self.touched.emit()
        event.accept()
        if event.isAutoRepeat():
            return
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        name = QKeySequence(int(modifiers.value) | event.key()).toString(QKeySequence.SequenceFormat.PortableText)
        command = _KEYS.get(name)
        if command is Command.BACK and self.help_page.isVisibleTo(self._root):
            self.show_help(False)
        elif command is not None:
            self.command_given.emit(command, "key")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.touched.emit()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and self._view is not None and self._look is not None:
            self._settle_look(force=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QCoreApplication.sendPostedEvents(self._root, QEvent.Type.LayoutRequest.value)
        self._settle_look()
        self._arrange()
