"""Right column while the unit is inspected: the evidence as it grows."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from station.inspection.facts import Photo
from station.inspection.view import BenchView, ShotSlot
from ui.bench.facts import caption_height, fact_row
from ui.bench.live_stage import verdict_word
from ui.bench.speech import QT_TRANSLATE_NOOP, mass, say
from ui.theme.metrics import Role
from ui.widgets.ink import CENTRE, Column, Ink
from ui.widgets.panel import TILE_RADIUS, Card
from ui.widgets.pictures import Pictures

_EVIDENCE = QT_TRANSLATE_NOOP("Bench", "Evidence")
_WEIGHT = QT_TRANSLATE_NOOP("Bench", "Weight")
_SERIAL = QT_TRANSLATE_NOOP("Bench", "Serial")
_MATCHES = QT_TRANSLATE_NOOP("Bench", "matches the order")
_SHARP = QT_TRANSLATE_NOOP("Bench", "sharp")
_SOFT = QT_TRANSLATE_NOOP("Bench", "not sharp")
_DARK = QT_TRANSLATE_NOOP("Bench", "dark")
_TAKEN = QT_TRANSLATE_NOOP("Bench", "taken")
_SKIPPED = QT_TRANSLATE_NOOP("Bench", "skipped")
_NOW = QT_TRANSLATE_NOOP("Bench", "now")

_SHARP_FROM = 200
"""Same figure as the camera's own gate."""
_DARK_BELOW = 40


def photo_verdict(photo: Photo) -> tuple[str, str]:
    """(word, colour) for a photo's quality figures."""
    if photo.brightness < _DARK_BELOW:
        return say(_DARK), "attention"
    if photo.sharpness < 0:
        return say(_TAKEN), "muted"
    return (say(_SHARP), "done") if photo.sharpness >= _SHARP_FROM else (say(_SOFT), "attention")


class EvidencePanel(Card):
    """A slot for every photo that the record needs, then weight and serial."""

    def __init__(self, pictures: Pictures, parent: QWidget) -> None:
        super().__init__("evidence_panel", "", parent)
        self._pictures = pictures
        self._slots: tuple[ShotSlot, ...] = ()
        self._current: str | None = None
        self._weight = ("–", "muted")
        self._serial = "–"

    def show_view(self, view: BenchView) -> None:
        current = view.current_shot.id if view.current_shot else None
        weight = self._weight_text(view)
        serial = self._serial_text(view)
        if (view.shots, current, weight, serial) == (self._slots, self._current, self._weight, self._serial):
            return
        self._slots, self._current, self._weight, self._serial = view.shots, current, weight, serial
        taken = sum(1 for slot in view.shots if slot.photo is not None)
        self.setAccessibleName(f"{say(_EVIDENCE)}: {taken}/{len(view.shots)}")
        self.setAccessibleDescription(f"{say(_WEIGHT)}: {weight[0]}; {say(_SERIAL)}: {serial}")
        self.update()

    @staticmethod
    def _weight_text(view: BenchView) -> tuple[str, str]:
        if view.weight is None:
            return "–", "muted"
        measured = mass(view.weight.gross_mg)
        return (f"{measured} · {verdict_word(view.judgement)}" if view.judgement else measured), "text"

    @staticmethod
    def _serial_text(view: BenchView) -> str:
        if not view.serial_found:
            return "–"
        expected = view.item.serial if view.item else None
        return say(_MATCHES) if expected == view.serial_found else view.serial_found

    def draw(self, ink: Ink) -> None:
        room, look = self.inner(), self.look
        x, width = room.left(), room.width()
        column = Column(gap=0)
        head = caption_height(look)
        column.add(head, lambda y, _: _caption(ink, x, y - self.px(4), width), rank=9)
        columns, least, most = self._grid(width)
        if self._slots:
            rows = -(-len(self._slots) // columns)
            gap = self.px(14)

            def slots(y: float, height: float) -> None:
                each = (height - self.px(14) - gap * (rows - 1)) / rows
                tile = (width - gap * (columns - 1)) / columns
                for number, slot in enumerate(self._slots):
                    left = x + (number % columns) * (tile + gap)
                    top = y + (number // columns) * (each + gap)
                    self._slot(ink, QRectF(round(left), round(top), round(tile), round(each)), slot)

            base = rows * least + gap * (rows - 1) + self.px(14)
            column.add(base, slots, grow=rows * (most - least))
        for label, value, colour, rank in (
            (say(_WEIGHT), self._weight[0], self._weight[1], 1),
            (say(_SERIAL), self._serial, "text", 2),
        ):
            height, draw = fact_row(ink, x, width, label, value, colour=colour)
            column.add(height, draw, rank=rank, grow=self.px(6))
        column.paint(room.top(), room.bottom() + self.px(8))

    def _grid(self, width: float) -> tuple[int, float, float]:
        """Columns, least and most height of a slot: one column while the slots stay large enough to judge."""
        rows_below = 2 * (self.look.line_height(Role.BODY) + self.px(26))
        room = self.inner().height() - caption_height(self.look) - rows_below
        count = max(1, len(self._slots))
        one = (room - self.px(14) * count) / count
        if one >= self.px(104) or count == 1:
            return 1, min(one, self.px(80)), width * 0.5
        tile = (width - self.px(14)) / 2
        return 2, max(self.look.line_height(Role.CAPTION) * 2, self.px(56)), tile * 0.72

    def _slot(self, ink: Ink, rect: QRectF, slot: ShotSlot) -> None:
        radius, look = self.px(TILE_RADIUS), self.look
        if slot.photo is not None:
            pixmap = self._pictures.photo(slot.photo.sha256)
            if pixmap is not None:
                ink.picture(rect, pixmap, radius)
            else:
                ink.box(rect, "raised", radius=radius)
            word, colour = photo_verdict(slot.photo)
            self._tag(ink, rect, word, colour, top=True)
            self._tag(ink, rect, slot.shot.title, "text", top=False)
            return
        current = slot.shot.id == self._current
        if current:
            ink.box(rect, "raised", "accent", radius=radius, pen=max(2, self.px(3)))
        else:
            ink.dashed(rect, "edge", radius, max(1.5, self.px(2)))
        pad = self.px(10)
        title = look.lines(slot.shot.title, Role.CAPTION, rect.width() - 2 * pad, 2)
        below = say(_SKIPPED) if slot.skipped else say(_NOW) if current else ""
        line = look.line_height(Role.CAPTION)
        height = title.height + (line if below else 0)
        if below and height > rect.height() - 4:
            below, height = "", title.height
        y = rect.top() + (rect.height() - height) / 2
        width = rect.width() - 2 * pad
        y += ink.text(
            rect.left() + pad, y, width, slot.shot.title, Role.CAPTION, "text" if current else "muted",
            align=CENTRE, lines=2, may_elide=True,
        )  # fmt: skip
        if below:
            colour = "attention" if slot.skipped else "accent"
            ink.text(rect.left() + pad, y, width, below, Role.CAPTION, colour, align=CENTRE)

    def _tag(self, ink: Ink, rect: QRectF, text: str, colour: str, *, top: bool) -> None:
        """A word on a picture stands on its own ground, or nobody can promise its contrast."""
        look, pad, inset = self.look, self.px(10), self.px(8)
        height = look.line_height(Role.CAPTION) + self.px(4)
        if not top and rect.height() < 2 * height + 3 * inset:
            return
        width = min(look.width(text, Role.CAPTION) + 2, rect.width() - 2 * inset - 2 * pad)
        chip = QRectF(0, 0, width + 2 * pad, height)
        if top:
            chip.moveTopRight(rect.topRight())
            chip.translate(-inset, inset)
        else:
            chip.moveBottomLeft(rect.bottomLeft())
            chip.translate(inset, -inset)
        ink.box(chip, "surface", radius=self.px(6))
        ink.text(chip.left() + pad, chip.top() + self.px(2), width, text, Role.CAPTION, colour, may_elide=True)


def _caption(ink: Ink, x: float, y: float, width: float) -> None:
    ink.text(x, y, width, say(_EVIDENCE), Role.CAPTION, "muted")
