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
from ui.widgets.ink import Column, Ink
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
        if self._slots:
            columns, least, most = self._grid(width)
            rows = -(-len(self._slots) // columns)
            gap = self.px(12)

            def slots(y: float, height: float) -> None:
                each = (height - self.px(12) - gap * (rows - 1)) / rows
                wide = (width - gap * (columns - 1)) / columns
                for number, slot in enumerate(self._slots):
                    left = x + (number % columns) * (wide + gap)
                    top = y + (number // columns) * (each + gap)
                    rect = QRectF(round(left), round(top), round(wide), round(each))
                    if columns == 1:
                        self._row(ink, rect, slot)
                    else:
                        self._tile(ink, rect, slot)

            base = rows * least + gap * (rows - 1) + self.px(12)
            column.add(base, slots, grow=rows * (most - least))
        for label, value, colour, rank in (
            (say(_WEIGHT), self._weight[0], self._weight[1], 1),
            (say(_SERIAL), self._serial, "text", 2),
        ):
            height, draw = fact_row(ink, x, width, label, value, colour=colour)
            column.add(height, draw, rank=rank, grow=self.px(6))
        column.paint(room.top(), room.bottom() + self.px(8))

    def _grid(self, width: float) -> tuple[int, float, float]:
        """Columns, least and most height of a slot: rows with words beside the picture, tiles where there are many."""
        least = self.look.line_height(Role.CAPTION) * 2 + 2
        below = 2 * (self.look.line_height(Role.BODY) + self.px(20))
        room = self.inner().height() - caption_height(self.look) - below
        count = len(self._slots)
        if count <= 4 or count * (least + self.px(12)) <= room:
            return 1, least, self.px(118)
        return 2, least, (width - self.px(12)) / 2 * 0.6

    def _row(self, ink: Ink, rect: QRectF, slot: ShotSlot) -> None:
        """The picture, and beside it which shot it is and what came of it."""
        look = self.look
        frame = QRectF(rect.left(), rect.top(), min(round(rect.height() * 16 / 10), rect.width() * 0.5), rect.height())
        self._picture(ink, frame, slot)
        word, colour, sign = self._verdict(slot)
        x = frame.right() + self.px(16)
        width = rect.right() - x
        line = look.line_height(Role.CAPTION)
        room = max(1, int(rect.height() // line) - (1 if word else 0))
        title = look.lines(slot.shot.title, Role.CAPTION, width, min(2, room))
        y = rect.top() + (rect.height() - title.height - (line if word else 0)) / 2
        dim = "muted" if slot.photo is None and slot.shot.id != self._current else "text"
        y += ink.text(x, y, width, slot.shot.title, Role.CAPTION, dim, lines=min(2, room), may_elide=True)
        if word:
            size = round(line * 0.8) if sign else 0
            if sign:
                ink.icon(sign, x, y + (line - size) / 2, size, colour)
                x += size + self.px(8)
            ink.text(x, y, rect.right() - x, word, Role.CAPTION, colour, may_elide=True)

    def _tile(self, ink: Ink, rect: QRectF, slot: ShotSlot) -> None:
        """A small picture with its title on its own ground: a picture behind words promises no contrast."""
        self._picture(ink, rect, slot)
        look, pad = self.look, self.px(8)
        _, colour, sign = self._verdict(slot)
        line = look.line_height(Role.CAPTION)
        size = round(line * 0.8) if sign else 0
        lead = size + self.px(6) if sign else 0
        width = min(look.width(slot.shot.title, Role.CAPTION) + 2, rect.width() - 4 * pad - lead)
        chip = QRectF(rect.left() + pad, rect.bottom() - pad - line, width + lead + 2 * pad, line)
        if slot.photo is not None:
            ink.box(chip, "surface", radius=self.px(6))
        if sign:
            ink.icon(sign, chip.left() + pad, chip.center().y() - size / 2, size, colour)
        x = chip.left() + pad + lead
        ink.text(x, chip.top(), width, slot.shot.title, Role.CAPTION, "text", may_elide=True)

    def _picture(self, ink: Ink, rect: QRectF, slot: ShotSlot) -> None:
        radius = self.px(TILE_RADIUS)
        if slot.photo is not None:
            pixmap = self._pictures.photo(slot.photo.sha256)
            if pixmap is not None:
                ink.picture(rect, pixmap, radius, crop=True)
            else:
                ink.box(rect, "raised", radius=radius)
        elif slot.shot.id == self._current:
            ink.box(rect, "raised", "accent", radius=radius, pen=max(2, self.px(3)))
            size = round(min(rect.height() * 0.5, self.px(48)))
            ink.icon("camera", rect.center().x() - size / 2, rect.center().y() - size / 2, size, "accent")
        else:
            ink.dashed(rect, "edge", radius, max(1.5, self.px(2)))

    def _verdict(self, slot: ShotSlot) -> tuple[str, str, str]:
        """(word, colour, icon) of a slot."""
        if slot.photo is not None:
            word, colour = photo_verdict(slot.photo)
            return word, colour, "triangle-alert" if colour == "attention" else "check"
        if slot.skipped:
            return say(_SKIPPED), "attention", ""
        return (say(_NOW), "accent", "") if slot.shot.id == self._current else ("", "muted", "")


def _caption(ink: Ink, x: float, y: float, width: float) -> None:
    ink.text(x, y, width, say(_EVIDENCE), Role.CAPTION, "muted")
