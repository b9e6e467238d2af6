"""A scanner that types like a keyboard: its keys become scans and never reach a button.

The fall-back of a bench without a serial scanner (DEVICES §2.4). ``wedge_timing`` decides, this file translates: Qt's
key events in, scans out, and what a person typed handed on. It sits on every window of the application that gets the
keyboard, before shortcuts and widgets see a key, and does nothing while a text field has the focus.

Single letters must not be shortcuts of a window under this filter: they come a moment late, and as keys only.
Not yet checked on hardware.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QEvent, QKeyCombination, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QWindow
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from devices.ports import Light, LightChanged, Refused, ScanArrived
from devices.scanner.duplicates import DuplicateGuard, why_refused
from station.clock import Clock, SystemClock
from station.errors import InvalidInput
from station.identify.scan import RawScan
from ui.wedge_layout import diagnose_layout, is_layout_test, repaired
from ui.wedge_timing import Do, Held, Key, Kind, Verdict, WedgeTiming

logger = logging.getLogger(__name__)

BADGE = "wedge"
_LATE_MS = 20
"""A timer later than this has waited for a busy window: keys that were typed meanwhile come first."""
_GS = "\x1d"
_CONTROLS = frozenset("\x04\x1c\x1d\x1e\x1f")
_Keys = Qt.Key
_Mods = Qt.KeyboardModifier
_MODIFIERS = frozenset(
    (_Keys.Key_Shift, _Keys.Key_Control, _Keys.Key_Alt, _Keys.Key_AltGr, _Keys.Key_Meta, _Keys.Key_NumLock)
)
_TERMINATORS = frozenset((_Keys.Key_Return, _Keys.Key_Enter, _Keys.Key_Tab))
_NUMBER_PAD = frozenset(
    (
        _Keys.Key_Insert,
        _Keys.Key_End,
        _Keys.Key_PageDown,
        _Keys.Key_Left,
        _Keys.Key_Clear,
        _Keys.Key_Right,
        _Keys.Key_Home,
        _Keys.Key_Up,
        _Keys.Key_PageUp,
        _Keys.Key_Delete,
    )
)
_FIRST_DEAD, _LAST_DEAD = int(_Keys.Key_Dead_Grave), int(_Keys.Key_Dead_Longsolidusoverlay)


def parse_prefix(text: str) -> int:
    """The key that a configuration names, with its modifiers; 0 = none.

    Raises:
        InvalidInput: no such key.

    >>> parse_prefix("F9") == int(Qt.Key.Key_F9), parse_prefix("")
    (True, 0)
    """
    if not text:
        return 0
    sequence = QKeySequence(text, QKeySequence.SequenceFormat.PortableText)
    keys = [sequence[place] for place in range(sequence.count())]  # type: ignore[index]
    if len(keys) != 1 or keys[0].key() == _Keys.Key_unknown:
        raise InvalidInput(f"[wedge] prefix = {text!r}: expected one key, e.g. F9 or Ctrl+B")
    return int(keys[0].toCombined())


class KeyboardWedge(QObject):
    """Watches the keyboard of one application. Lives on the GUI thread; start it once, stop it before the end."""

    happened = Signal(object)  # ScanArrived, Refused or LightChanged, as a device's thread emits them
    layout_tested = Signal(object)  # LayoutVerdict: the layout test label was scanned

    def __init__(
        self,
        *,
        prefix: str = "",
        device: str = BADGE,
        duplicate_s: float = 0.7,
        guard: DuplicateGuard | None = None,
        clock: Clock | None = None,
        repair: Mapping[str, str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            prefix: the key that the scanner sends first, e.g. ``F9``; empty = codes are told by their speed.
            guard: shared with the other scanners of the bench.
            repair: of a ``LayoutVerdict``, where the scanner cannot be set right.

        Raises:
            InvalidInput: the prefix is no key.
        """
        super().__init__(parent)
        self._prefix = parse_prefix(prefix)
        self._device = device
        self._duplicate_s = duplicate_s
        self._guard = guard or DuplicateGuard()
        self._clock = clock or SystemClock()
        self._repair = repair or {}
        self._timing = WedgeTiming(prefix=bool(self._prefix))
        self._held: list[tuple[QWindow, QKeyEvent]] = []
        self._taken: set[int] = set()
        """Keys whose press was taken: their release is taken too."""
        self._watched: list[QWindow] = []
        self._started = False
        self._giving_back = False
        self._alt_digits = ""
        self._seen = (0, 0.0)
        """Time of the last key: the system's, and ours when it was handled (both milliseconds)."""
        self._due = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._time_over)

    @property
    def badge(self) -> str:
        """What the screen shows while this is how the bench scans; empty = it does not."""
        return BADGE if self._started else ""

    def start(self) -> None:
        """Watch every window of the application from now on. Idempotent."""
        application = QGuiApplication.instance()
        if self.badge or not isinstance(application, QGuiApplication):
            return
        self._started = True
        application.focusWindowChanged.connect(self._focus_moved)
        self._focus_moved(QGuiApplication.focusWindow())
        logger.info("keyboard wedge is on, prefix %s", self._prefix or "none: codes are told by their speed")
        self.happened.emit(LightChanged(self._device, Light.WORKING, BADGE))

    def stop(self) -> None:
        """Let every key through again. Idempotent."""
        application = QGuiApplication.instance()
        if self.badge and isinstance(application, QGuiApplication):
            application.focusWindowChanged.disconnect(self._focus_moved)
        self._started = False
        self._timer.stop()
        self._give_back()
        for window in filter(isValid, self._watched):
            window.removeEventFilter(self)
        self._watched.clear()

    @Slot(QWindow)
    def _focus_moved(self, window: QWindow | None) -> None:
        if window is None:
            self._settle(self._timing.abandon())
            self._taken.clear()  # their releases go elsewhere
            self._alt_digits = ""
            return
        self._watched = [one for one in self._watched if isValid(one)]
        if window not in self._watched:
            window.installEventFilter(self)
            self._watched.append(window)

    @Slot()
    def _time_over(self) -> None:
        now = self._now_ms()
        if now - self._due > _LATE_MS:
            self._due = now + _LATE_MS / 2
            self._timer.start(_LATE_MS // 2)
            return
        self._settle(self._timing.expire(self._as_key_time(now)))
        self._arm()

    # --- keys -----------------------------------------------------------------------------------------------------

    def _pressed(self, window: QWindow, event: QKeyEvent) -> bool:
        key = self._translate(event)
        self._seen = (key.at_ms, self._now_ms())
        if self._collect_alt_digit(event):
            return True
        verdict = self._timing.press(key, in_field=_is_text_field_focused())
        self._settle(verdict)
        if verdict.do is Do.HOLD:
            self._held.append((window, _copy(event)))
        elif verdict.do is Do.TAKE:
            self._taken.add(event.key())
        self._arm()
        return verdict.do is not Do.PASS

    def _released(self, window: QWindow, event: QKeyEvent) -> bool:
        if event.isAutoRepeat():
            return False
        if event.key() == _Keys.Key_Alt and self._alt_digits:
            self._alt_character(event)
        self._timing.release(event.key())
        if event.key() in self._taken:
            self._taken.discard(event.key())
            return True
        if any(held.key() == event.key() for _, held in self._held):
            self._held.append((window, _copy(event)))
            return True
        return False

    def _collect_alt_digit(self, event: QKeyEvent) -> bool:
        """Alt+029: amid a code each digit is part of one character, which is complete when Alt goes up."""
        is_digit = _Keys.Key_0 <= event.key() <= _Keys.Key_9
        if not (is_digit and _mods(event) == _Mods.AltModifier and self._timing.is_following):
            return False
        self._alt_digits = (self._alt_digits + chr(event.key()))[-4:]
        self._taken.add(event.key())
        self._arm()
        return True

    def _alt_character(self, event: QKeyEvent) -> None:
        value, self._alt_digits = int(self._alt_digits), ""
        if not 0 < value < 256:
            return
        at_ms = event.timestamp() or int(self._now_ms())
        kind = Kind.CONTROL if chr(value) in _CONTROLS else Kind.CHARACTER
        self._seen = (at_ms, self._now_ms())
        self._settle(self._timing.press(Key(at_ms, kind, chr(value)), in_field=_is_text_field_focused()))
        self._timing.release(0)
        self._arm()

    def _translate(self, event: QKeyEvent) -> Key:
        return Key(
            at_ms=event.timestamp() or int(self._now_ms()),
            kind=self._kind(event),
            text=_text(event),
            code=event.key(),
            shift=bool(event.modifiers() & _Mods.ShiftModifier),
            repeat=event.isAutoRepeat(),
        )

    def _kind(self, event: QKeyEvent) -> Kind:
        key, mods = event.key(), _mods(event)
        if self._prefix and QKeyCombination(mods, Qt.Key(key)).toCombined() == self._prefix:
            return Kind.PREFIX
        if key == _Keys.Key_CapsLock:
            return Kind.CAPS_LOCK
        if key in _MODIFIERS:
            return Kind.MODIFIER
        if key in _TERMINATORS and mods == _Mods.NoModifier:
            return Kind.TERMINATOR
        if (key, mods) in ((_Keys.Key_J, _Mods.ControlModifier), (_Keys.Key_Down, _Mods.NoModifier)):
            return Kind.LINE_FEED
        text = _text(event)
        if text in _CONTROLS:
            return Kind.CONTROL
        if text.isprintable() and text and not _is_command(mods):
            return Kind.CHARACTER
        if _FIRST_DEAD <= key <= _LAST_DEAD:
            return Kind.LOST
        if key in _NUMBER_PAD and event.modifiers() & _Mods.KeypadModifier:
            return Kind.LOST
        return Kind.OTHER

    # --- what was decided -----------------------------------------------------------------------------------------

    def _settle(self, verdict: Verdict) -> None:
        if verdict.held is Held.GIVE_BACK:
            self._give_back()
        elif verdict.held is Held.DROP:
            self._taken.update(held.key() for _, held in self._held if held.type() == QEvent.Type.KeyPress)
            self._taken.difference_update(held.key() for _, held in self._held if held.type() == QEvent.Type.KeyRelease)
            self._held.clear()
        if verdict.refused is not None:
            self.happened.emit(Refused(self._device, verdict.refused, verdict.typed.encode()))
        if verdict.scan is not None:
            self._scanned(verdict.scan)

    def _scanned(self, text: str) -> None:
        if is_layout_test(text):
            self.layout_tested.emit(diagnose_layout(text))
            return
        data = repaired(text, self._repair).encode()
        by = self._guard.counted_by(data, self._device, self._clock.monotonic(), self._duplicate_s)
        if by:
            reason = why_refused(self._device, by, self._duplicate_s)
            self.happened.emit(Refused(self._device, reason, data, harmless=True))
        else:
            self.happened.emit(ScanArrived(RawScan(data, self._device, self._clock.now())))

    def _give_back(self) -> None:
        held, self._held = self._held, []
        self._giving_back = True
        try:
            for window, event in held:
                if isValid(window):
                    QCoreApplication.sendEvent(window, event)
        finally:
            self._giving_back = False

    def _arm(self) -> None:
        deadline = self._timing.deadline_ms
        if deadline is None:
            self._timer.stop()
            return
        wait_ms = max(1, int(deadline - self._as_key_time(self._now_ms())) + 1)
        self._due = self._now_ms() + wait_ms
        self._timer.start(wait_ms)

    def _now_ms(self) -> float:
        return self._clock.monotonic() * 1000

    def _as_key_time(self, now_ms: float) -> int:
        """Ours → the system's: what has passed since the last key was handled, on top of its time."""
        return self._seen[0] + int(now_ms - self._seen[1])

    # --- Qt -------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._giving_back or not isinstance(event, QKeyEvent) or not isinstance(watched, QWindow):
            return False
        match event.type():
            case QEvent.Type.ShortcutOverride:
                if self._timing.wants(self._translate(event), in_field=_is_text_field_focused()):
                    event.accept()  # it comes again as a key, and is no shortcut
                    return True
            case QEvent.Type.KeyPress:
                return self._pressed(watched, event)
            case QEvent.Type.KeyRelease:
                return self._released(watched, event)
        return False


def _mods(event: QKeyEvent) -> Qt.KeyboardModifier:
    return event.modifiers() & ~(_Mods.KeypadModifier | _Mods.GroupSwitchModifier)


def _is_command(mods: Qt.KeyboardModifier) -> bool:
    """Ctrl, Alt or Meta, but not Ctrl and Alt together: that is AltGr on Windows."""
    pressed = mods & (_Mods.ControlModifier | _Mods.AltModifier | _Mods.MetaModifier)
    return pressed not in (_Mods.NoModifier, _Mods.ControlModifier | _Mods.AltModifier)


def _text(event: QKeyEvent) -> str:
    mods = _mods(event)
    if (event.key(), mods) in (
        (_Keys.Key_F8, _Mods.NoModifier),
        (_Keys.Key_BracketRight, _Mods.ControlModifier),
    ):
        return _GS
    return event.text()


def _is_text_field_focused() -> bool:
    widget = QApplication.focusWidget()
    return widget is not None and widget.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)


def _copy(event: QKeyEvent) -> QKeyEvent:
    return QKeyEvent(
        event.type(),
        event.key(),
        event.modifiers(),
        event.nativeScanCode(),
        event.nativeVirtualKey(),
        event.nativeModifiers(),
        event.text(),
        event.isAutoRepeat(),
        event.count(),
    )
