"""The bench window: shows one ``BenchView`` and reports what the inspector presses. It decides nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow

from station.clock import Clock, SystemClock
from station.identify.commands import COMMANDS, Command
from station.inspection.view import BenchView, State
from ui.bench.arrange import arrange
from ui.bench.bars import BenchIdentity
from ui.bench.page import Page
from ui.bench.placement import Placement, place
from ui.bench.protocol_words import translated
from ui.theme.look import Look
from ui.theme.metrics import Metrics, believable_dpi
from ui.theme.tokens import Theme
from ui.widgets.pictures import PhotoLoader, Pictures

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

__all__ = ["BenchIdentity", "BenchWindow"]

_KEYS = {spec.key: spec.command for spec in COMMANDS}


class BenchWindow(QMainWindow):
    """Shows what the desk says. All state lives in the view; the same view gives the same picture."""

    command_given = Signal(object, str)
    # Command, "key" or "touch"
    value_entered = Signal(str, str)
    # what was typed as an answer, "key" or "touch"
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
            picture_folder: where the reference pictures of catalogue and protocols are.
        """
        super().__init__()
        self.setObjectName("bench_window")
        self.setWindowTitle(f"{identity.bench} · {identity.hall}")
        self._clock = clock or SystemClock()
        self._theme = theme
        self._metrics = metrics
        self._scale = scale
        self._look: Look | None = None
        self._view: BenchView | None = None
        self._placement: Placement | None = None
        self._generation = 0
        self._unpainted: int | None = None
        self._picture_size = QSize()
        self.pictures = Pictures(photo_loader, picture_folder, self)
        self.page = Page(identity, self.pictures, self)
        self._tick = QTimer(self)
        self.setCentralWidget(self.page)
        self.setMinimumSize(960, 600)
        self._connect()
        self._tick.start(1000)

    def _connect(self) -> None:
        for command, button in self.page.buttons.items():
            button.setProperty("command", command.value)
            button.pressed.connect(self.touched)
            button.clicked.connect(self._button_clicked)
        self.page.mark.painted.connect(self._mark_painted)
        self._tick.timeout.connect(self._tell_time)
        self.pictures.arrived.connect(self._picture_arrived)

    # --- what is shown ------------------------------------------------------------------------------------------

    def show_view(self, view: BenchView) -> int:
        """Show a view; returns its generation number, which ``painted`` names once it is on the screen."""
        self._generation += 1
        view = translated(view)
        old, self._view, self._placement = self._view, view, place(view)
        if old is not None and (old.state is not view.state or old.notice != view.notice):
            self.show_help(False)
        self._refresh()
        self._unpainted = self._generation
        self.page.mark.update()
        return self._generation

    def show_frame(self, bgra: NDArray[uint8], still: float, hint: str) -> None:
        """Show one frame of the live picture; only the picture is painted again.

        Args:
            bgra: ``(height, width, 4) uint8``, contiguous, not written to again.
            still: 0…1, how far the ring has closed.
            hint: a few words on the picture, or ``""``.
        """
        self.page.live.picture.show_frame(bgra, still, hint)

    def show_indication(self, gross_mg: int | None, status: str, stable: bool) -> None:
        """Show the scale's live indication (words of ``devices.ports.Status``)."""
        self.page.live.weight.show_indication(gross_mg, status, stable)

    def show_light(self, device: str, light: str, detail: str) -> None:
        """Show how a device is: ``working``, ``silent`` or ``gone``, with a word for people."""
        self.page.top_bar.show_light(device, light, detail)
        if device == "camera" and light != "working":
            self.page.live.picture.clear()

    def show_sync(self, state: str, waiting: int, photos: int, since: datetime | None, quarantined: int) -> None:
        """Show what is unsent and since when; the state is ``online``, ``offline``, ``paused`` or ``revoked``."""
        self.page.top_bar.show_sync(state, waiting, photos, since, quarantined)

    def show_banner(self, text: str | None) -> None:
        """Show one calm line about the surroundings until it is cleared with None."""
        if (text or "") != self.page.banner.text:
            self.page.banner.show_text(text or "")
            self._arrange()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours at once."""
        self._theme = theme
        self._settle_look(force=True)

    def show_help(self, shown: bool) -> None:
        """Lay the page of keys over the columns, or take it away. Nothing waits for it."""
        self.page.show_help(shown)

    @Slot()
    def toggle_help(self) -> None:
        self.page.show_help(not self.page.help_is_shown)

    @Slot()
    def give_entry(self) -> None:
        """Hand over what stands in the field of a question, however it was asked for."""
        if self._takes_typing():
            self.value_entered.emit(self.page.ask.typed, "key")

    @Slot(str, QImage)
    def show_thumbnail(self, sha256: str, image: QImage) -> None:
        """Hand over a photo's picture that is in memory already; without it the loader is asked."""
        self.pictures.put(sha256, image)

    def picture_size(self) -> QSize:
        """Device pixels of the live picture's place: a frame of this shape needs no cropping."""
        return self.page.live.picture.size() * self.devicePixelRatioF()

    # --- size and content -----------------------------------------------------------------------------------------

    def _settle_look(self, *, force: bool = False) -> None:
        """Take the size that this window on this screen allows."""
        base = self._metrics
        if base is None:
            screen = self.screen()
            base = Metrics(believable_dpi(screen.physicalDotsPerInch(), screen.size().width()), self._scale)
        metrics = base.for_window(self.page.width(), self.page.height())
        if force or self._look is None or self._look.metrics != metrics:
            self._look = Look(self._theme, metrics)
            self.setPalette(self._look.palette())
            self.page.set_look(self._look)
            self.pictures.colour_answers(self._theme.text, self._theme.attention)
            self._refresh()
        else:
            self._arrange()

    def _refresh(self) -> None:
        if self._view is not None and self._placement is not None and self._look is not None:
            self.page.fill(self._view, self._placement, self._clock.now())
            self._tell_time()
        self._arrange()

    def _arrange(self) -> None:
        if self._look is None:
            return
        arrange(self.page, self._look, self._placement)
        size = self.picture_size()
        if self.page.live.isVisibleTo(self.page) and size != self._picture_size:
            self._picture_size = size
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
            QTimer.singleShot(0, self._report_painted)

    @Slot()
    def _report_painted(self) -> None:
        """After the event that painted has also brought the pixels to the screen."""
        if self._unpainted is not None:
            generation, self._unpainted = self._unpainted, None
            self.painted.emit(generation)

    @Slot()
    def _tell_time(self) -> None:
        now, view = self._clock.now(), self._view
        seconds = None
        if view is not None and view.unit_started_at is not None and view.state is not State.DONE:
            seconds = max(0, int((now - view.unit_started_at).total_seconds()))
        self.page.top_bar.show_time(now.astimezone().strftime("%H:%M"), seconds)

    @Slot(str)
    def _picture_arrived(self, key: str) -> None:
        """A picture was read: who shows it paints again; answers that wait for theirs become tiles."""
        if key.startswith("photo:"):
            self.page.evidence.update()
            return
        self.page.item.update()
        self.page.compare.update()
        question = self._view.question if self._view is not None else None
        if question is not None and any(choice.picture for choice in question.choices):
            self._refresh()

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
        if command is Command.BACK and self.page.help_is_shown:
            self.show_help(False)
        elif self._takes_typing() and self._typed(event, command):
            return
        elif command is not None:
            self.command_given.emit(command, "key")

    def _takes_typing(self) -> bool:
        asks = self._view is not None and self._view.state is State.QUESTIONS
        return asks and self.page.ask.takes_typing and not self.page.help_is_shown

    def _typed(self, event: QKeyEvent, command: Command | None) -> bool:
        """A key for the field of a question; False where it is none."""
        ask = self.page.ask
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.give_entry()
        elif event.key() == Qt.Key.Key_Backspace:
            ask.erase()
        elif command is Command.BACK and ask.typed:
            ask.clear()
        elif command is None and event.text().isprintable() and event.text():
            ask.type_text(event.text())
        else:
            return False
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.touched.emit()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and self._look is not None:
            self._settle_look(force=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.page.setGeometry(self.contentsRect())
        self._settle_look()
