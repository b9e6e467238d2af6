"""The edges of the screen: who and how things are on top, the six steps at the foot, a calm notice in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from station.inspection.ports import ShiftFigures
from station.inspection.view import Step
from ui.bench.labels import step_word
from ui.bench.speech import QT_TRANSLATE_NOOP, duration, say
from ui.theme.metrics import Role
from ui.widgets.ink import CENTRE, Ink
from ui.widgets.panel import Surface

DEVICES = ("scanner", "scale", "camera", "printer")
_ICONS = {"scanner": "scan-barcode", "scale": "bench-scale", "camera": "camera", "printer": "printer"}
_SIDE = 32

_HOUR = QT_TRANSLATE_NOOP("Bench", "this hour")
_MEDIAN = QT_TRANSLATE_NOOP("Bench", "median {time}")
_THIS = QT_TRANSLATE_NOOP("Bench", "this one")
_ALL_SENT = QT_TRANSLATE_NOOP("Bench", "all sent")
_WAITING = QT_TRANSLATE_NOOP("Bench", "{count} waiting")
_SINCE = QT_TRANSLATE_NOOP("Bench", "{count} waiting since {time}")
_OFFLINE = QT_TRANSLATE_NOOP("Bench", "offline")
_PHOTO = QT_TRANSLATE_NOOP("Bench", "1 photo")
_PHOTOS = QT_TRANSLATE_NOOP("Bench", "{count} photos")
_ASIDE = QT_TRANSLATE_NOOP("Bench", "{count} set aside")
_PAUSED = QT_TRANSLATE_NOOP("Bench", "the server refuses")
_REVOKED = QT_TRANSLATE_NOOP("Bench", "shut out – call IT")
_REFUSED = {"paused": _PAUSED, "revoked": _REVOKED}
_LIGHTS = {
    "silent": QT_TRANSLATE_NOOP("Bench", "no answer"),
    "gone": QT_TRANSLATE_NOOP("Bench", "unplugged"),
    "unknown": QT_TRANSLATE_NOOP("Bench", "starting"),
}
_DEVICE_WORDS = {
    "scanner": QT_TRANSLATE_NOOP("Bench", "Scanner"),
    "scale": QT_TRANSLATE_NOOP("Bench", "Scale"),
    "camera": QT_TRANSLATE_NOOP("Bench", "Camera"),
    "printer": QT_TRANSLATE_NOOP("Bench", "Printer"),
}
SHORT_DETAIL = 14
"""Characters of a device's word that stand beside its sign; more goes into the line about the surroundings."""
"""A light's detail up to this many characters stands in the bar itself; longer ones are for the banner."""


@dataclass(frozen=True, slots=True)
class BenchIdentity:
    """Who works where."""

    bench: str
    hall: str
    inspector: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """Something on the right side of the top bar: its width and how to draw it at x."""

    width: float
    draw: Callable[[float], None]


class TopBar(Surface):
    """Bench, hall, inspector; own pace; device lights; what is unsent; the clock."""

    def __init__(self, identity: BenchIdentity, parent: QWidget) -> None:
        super().__init__("top_bar", parent)
        self._identity = identity
        self._figures: ShiftFigures | None = None
        self._unit_time: int | None = None
        self._lights: dict[str, tuple[str, str]] = dict.fromkeys(DEVICES, ("unknown", ""))
        self._sync: tuple[str, int, int, datetime | None, int] = ("", 0, 0, None, 0)
        self._clock = ""
        self._describe()

    def show_figures(self, figures: ShiftFigures | None) -> None:
        if figures != self._figures:
            self._figures = figures
            self._describe()

    def show_light(self, device: str, light: str, detail: str) -> None:
        if self._lights.get(device) != (light, detail):
            self._lights[device] = (light, detail)
            self._describe()

    def show_sync(self, state: str, waiting: int, photos: int, since: datetime | None, quarantined: int) -> None:
        if (state, waiting, photos, since, quarantined) != self._sync:
            self._sync = (state, waiting, photos, since, quarantined)
            self._describe()

    def show_time(self, clock: str, unit_seconds: int | None) -> None:
        """The clock, and how long this unit has been on the bench."""
        if (clock, unit_seconds) != (self._clock, self._unit_time):
            self._clock, self._unit_time = clock, unit_seconds
            self.update()

    @property
    def sync_words(self) -> tuple[str, str]:
        """Icon and words for what is unsent; no words before anything is known."""
        state, waiting, photos, since, quarantined = self._sync
        parts = []
        offline = state == "offline"
        if not state:
            return "cloud", ""
        if state in _REFUSED:
            parts.append(say(_REFUSED[state]))
        elif offline:
            parts.append(say(_OFFLINE))
        if waiting:
            facts = {"count": str(waiting), "time": since.astimezone().strftime("%H:%M") if since else ""}
            parts.append(say(_SINCE if since and not offline else _WAITING, facts))
        elif photos:
            parts.append(say(_PHOTO) if photos == 1 else say(_PHOTOS, {"count": str(photos)}))
        if quarantined:
            parts.append(say(_ASIDE, {"count": str(quarantined)}))
        icon = "cloud-off" if offline else "cloud-alert" if quarantined or state in _REFUSED else "cloud"
        return icon, " · ".join(parts) or say(_ALL_SENT)

    def light_words(self, device: str) -> str:
        """What stands beside a device's sign: nothing while it works."""
        light, detail = self._lights[device]
        if light == "working":
            return detail if len(detail) <= SHORT_DETAIL else ""
        return detail if detail and len(detail) <= SHORT_DETAIL else say(_LIGHTS.get(light, _LIGHTS["unknown"]))

    def _describe(self) -> None:
        who = self._identity
        lights = "; ".join(f"{say(_DEVICE_WORDS[d])}: {self._lights[d][1] or self._lights[d][0]}" for d in DEVICES)
        self.setAccessibleName(f"{who.bench}, {who.hall}, {who.inspector}")
        self.setAccessibleDescription(f"{lights}; {self.sync_words[1]}")
        self.update()

    def ground(self, ink: Ink) -> None:
        ink.painter.fillRect(self.rect(), ink.look.colour("surface"))

    def draw(self, ink: Ink) -> None:
        for level in range(6):
            left, (right_width, right) = self._left(level), self._right(ink, level)
            if left[-1][1] + right_width <= self.width() - 2 * self.px(_SIDE) - self.px(30) or level == 5:
                break
        y = (self.height() - self.look.line_height(Role.BAR)) / 2
        for text, _, x, role, colour in left:
            ink.text(self.px(_SIDE) + x, y, self.width(), text, role, colour)
        x = self.width() - self.px(_SIDE) - right_width
        for piece in right:
            piece.draw(x)
            x += piece.width
        ink.painter.fillRect(QRectF(0, self.height() - 1, self.width(), 1), self.look.colour("line"))

    def _left(self, level: int) -> list[tuple[str, float, float, Role, str]]:
        """(text, right edge, x, role, colour); the hall goes first where it is crowded."""
        who, x = self._identity, 0.0
        rows = [(who.bench, Role.BAR_STRONG, "text"), (who.inspector, Role.BAR, "text")]
        if level < 3:
            rows.insert(1, (who.hall, Role.BAR, "muted"))
        placed = []
        for text, role, colour in rows:
            width = self.look.width(text, role)
            placed.append((text, x + width, x, role, colour))
            x += width + self.px(28)
        return placed

    def _right(self, ink: Ink, level: int) -> tuple[float, list[_Piece]]:
        """Width and pieces from left to right; level 0 shows all, higher ones leave out what is needed least."""
        pieces: list[_Piece] = []
        if self._figures is not None and level < 5:
            pieces += self._pace(ink, level)
            pieces.append(self._bar(ink))
        for device in DEVICES:
            pieces += self._light(ink, device, with_word=level < 4)
        pieces.append(self._bar(ink))
        icon, words = self.sync_words
        quiet = words == say(_ALL_SENT)
        pieces += [self._sign(ink, icon, "muted" if quiet else "text"), self._gap(12)]
        pieces += [self._word(ink, words, Role.BAR, "muted" if quiet else "text"), self._gap(26)]
        pieces.append(self._word(ink, self._clock, Role.BAR_STRONG, "text"))
        return sum(piece.width for piece in pieces), pieces

    def _pace(self, ink: Ink, level: int) -> list[_Piece]:
        figures = self._figures
        assert figures is not None
        pieces = [
            self._word(ink, str(figures.this_hour), Role.BAR_STRONG, "text"),
            self._gap(8),
            self._word(ink, say(_HOUR), Role.BAR, "muted"),
        ]
        median = figures.median_seconds
        if median is not None and level < 2:
            pieces.append(self._word(ink, " · " + say(_MEDIAN, {"time": duration(median)}), Role.BAR, "muted"))
        if self._unit_time is not None and level < 1:
            slow = median is not None and self._unit_time > 2 * median
            pieces.append(self._word(ink, f" · {say(_THIS)} ", Role.BAR, "muted"))
            colour = "attention" if slow else "text"
            pieces.append(self._word(ink, duration(self._unit_time), Role.BAR_STRONG, colour))
        return pieces

    def _light(self, ink: Ink, device: str, *, with_word: bool) -> list[_Piece]:
        light, _ = self._lights[device]
        colour = {"working": "done", "unknown": "muted"}.get(light, "attention")
        radius = max(4, self.px(7))

        def lamp(x: float) -> None:
            ink.dot(QPointF(x + radius, self.height() / 2), radius, colour, hollow=light != "working")

        words = self.light_words(device) if with_word else ""
        pieces = [_Piece(2 * radius, lamp), self._gap(12), self._sign(ink, _ICONS[device], "text")]
        if words:
            pieces += [
                self._gap(12),
                self._word(ink, words, Role.BAR, "muted" if light in ("working", "unknown") else "attention"),
            ]
        return [*pieces, self._gap(28 if device != DEVICES[-1] else 0)]

    def _gap(self, drawn: int) -> _Piece:
        return _Piece(self.px(drawn) if drawn else 0, lambda x: None)

    def _bar(self, ink: Ink) -> _Piece:
        side, height = self.px(30), self.look.line_height(Role.BAR)
        top = (self.height() - height) / 2

        def draw(x: float) -> None:
            ink.painter.fillRect(QRectF(x + side, top, max(1, self.px(2)), height), self.look.colour("edge"))

        return _Piece(2 * side + 2, draw)

    def _sign(self, ink: Ink, name: str, colour: str) -> _Piece:
        size = round(self.look.line_height(Role.BAR) * 0.95)
        return _Piece(size, lambda x: ink.icon(name, x, (self.height() - size) / 2, size, colour))

    def _word(self, ink: Ink, text: str, role: Role, colour: str) -> _Piece:
        y = (self.height() - self.look.line_height(role)) / 2
        width = self.look.width(text, role)
        return _Piece(width, lambda x: _discard(ink.text(x, y, width + 4, text, role, colour)))


class Banner(Surface):
    """One calm line about the surroundings; stays until it is cleared."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("banner", parent)
        self.text = ""
        self.hide()

    def show_text(self, text: str) -> None:
        self.text = text
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        self.update()

    def needed_height(self) -> int:
        return self.look.line_height(Role.BODY) + self.px(20)

    def draw(self, ink: Ink) -> None:
        side = self.px(_SIDE)
        rect = QRectF(self.rect()).adjusted(side, 0, -side, 0)
        ink.box(rect, "raised", "attention", radius=self.px(12), pen=1.5)
        size = round(self.look.line_height(Role.BODY) * 0.9)
        ink.icon("triangle-alert", rect.left() + self.px(18), rect.center().y() - size / 2, size, "attention")
        x = rect.left() + self.px(18) + size + self.px(14)
        y = rect.center().y() - self.look.line_height(Role.BODY) / 2
        ink.text(x, y, rect.right() - x - self.px(18), self.text, Role.BODY, may_elide=True)


class StepBar(Surface):
    """Six steps; the current one is filled, done ones have a check. The window puts buttons at its right."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("step_bar", parent)
        self._step = Step.PARCEL
        self._room = 0

    def show_step(self, step: Step) -> None:
        if step != self._step or not self.accessibleName():
            self._step = step
            self.setAccessibleName(step_word(step))
            self.update()

    def set_room(self, pixels: int) -> None:
        """How much of the bar the steps may take."""
        if pixels != self._room:
            self._room = pixels
            self.update()

    def ground(self, ink: Ink) -> None:
        ink.painter.fillRect(self.rect(), ink.look.colour("surface"))
        ink.painter.fillRect(QRectF(0, 0, self.width(), 1), ink.look.colour("line"))

    def draw(self, ink: Ink) -> None:
        steps = list(Step)
        worded = [True] * len(steps)
        gap = self.px(10)
        if self._width(worded, gap) > self._room:
            gap = self.px(4)
        if self._width(worded, gap) > self._room:
            worded = [step is self._step for step in steps]
        x: float = self.px(_SIDE)
        for number, (step, has_word) in enumerate(zip(steps, worded, strict=True)):
            x += self._pill(ink, x, number, step, has_word=has_word) + gap

    def _width(self, worded: list[bool], gap: float) -> float:
        return sum(self._pill_width(step, has_word=has_word) + gap for step, has_word in zip(Step, worded, strict=True))

    def _pill_width(self, step: Step, *, has_word: bool) -> float:
        role = Role.STRONG if step is self._step else Role.BODY
        word = self.look.width(step_word(step), role) + self.px(10) if has_word else 0
        return 2 * self._pad(has_word=has_word) + self._mark() + word

    def _pad(self, *, has_word: bool) -> int:
        return self.px(20 if has_word else 8)

    def _mark(self) -> int:
        return round(self.look.line_height(Role.CAPTION) * 1.1)

    def _pill(self, ink: Ink, x: float, number: int, step: Step, *, has_word: bool) -> float:
        look = self.look
        current, done = step is self._step, number < list(Step).index(self._step)
        width, height = self._pill_width(step, has_word=has_word), look.line_height(Role.BODY) + self.px(26)
        y = (self.height() - height) / 2
        if current:
            ink.box(QRectF(x, y, width, height), "text", radius=height / 2)
        colour = "surface" if current else "text" if done else "muted"
        mark = self._mark()
        centre = QPointF(x + self._pad(has_word=has_word) + mark / 2, self.height() / 2)
        if done:
            ink.dot(centre, mark / 2, "done")
            size = round(mark * 0.7)
            ink.icon("check", centre.x() - size / 2, centre.y() - size / 2, size, "surface")
        else:
            ring = QRectF(centre.x() - mark / 2, centre.y() - mark / 2, mark, mark)
            ink.box(ring, None, colour, radius=mark / 2, pen=max(1.5, self.px(2.5)))
            line = look.line_height(Role.CHIP, 82)
            ink.text(
                ring.left(), centre.y() - line / 2, mark, str(number + 1), Role.CHIP, colour, align=CENTRE, percent=82
            )
        if has_word:
            role = Role.STRONG if current else Role.BODY
            left = x + self._pad(has_word=True) + mark + self.px(10)
            ink.text(left, centre.y() - look.line_height(role) / 2, width, step_word(step), role, colour)
        return width


def _discard(_height: int) -> None:
    """Draw callbacks return nothing."""
