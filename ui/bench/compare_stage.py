"""Middle after a mismatch: expected and scanned side by side, the difference shown, nobody accused."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from station.inspection.facts import IdentityOutcome
from station.inspection.view import ItemCard, Mismatch
from ui.bench.facts import caption_height
from ui.bench.item_panel import picture_tile
from ui.bench.speech import QT_TRANSLATE_NOOP, say, shorten
from ui.theme.metrics import Role
from ui.widgets.ink import Ink
from ui.widgets.panel import TILE_RADIUS, Card
from ui.widgets.pictures import Pictures

_EXPECTED = QT_TRANSLATE_NOOP("Bench", "Expected")
_ONE_OF = QT_TRANSLATE_NOOP("Bench", "One of {count} expected")
_SCANNED = QT_TRANSLATE_NOOP("Bench", "Scanned")
_UNKNOWN = QT_TRANSLATE_NOOP("Bench", "Not in the catalogue")
_NOTHING = QT_TRANSLATE_NOOP("Bench", "Nothing more")


class CompareStage(Card):
    """Two tiles. Codes of equal length have their differing characters underlined."""

    def __init__(self, pictures: Pictures, parent: QWidget) -> None:
        super().__init__("compare_stage", "", parent)
        self._pictures = pictures
        self._mismatch: Mismatch | None = None

    def show_mismatch(self, mismatch: Mismatch | None) -> None:
        if mismatch == self._mismatch:
            return
        self._mismatch = mismatch
        if mismatch is not None:
            expected = mismatch.expected[0].title if mismatch.expected else say(_NOTHING)
            scanned = mismatch.scanned_title or mismatch.scanned_text
            self.setAccessibleName(f"{say(_EXPECTED)}: {expected}. {say(_SCANNED)}: {scanned}")
        self.update()

    def draw(self, ink: Ink) -> None:
        mismatch = self._mismatch
        if mismatch is None:
            return
        room = self.inner()
        gap = self.px(28)
        half = (room.width() - gap) / 2
        left = QRectF(room.left(), room.top(), half, room.height())
        right = left.translated(half + gap, 0)
        expected = mismatch.expected[0] if mismatch.expected else None
        serials = mismatch.outcome is IdentityOutcome.WRONG_SERIAL
        wanted = self._code(expected, serials)
        count = len(mismatch.expected)
        caption = say(_EXPECTED) if count < 2 else say(_ONE_OF, {"count": str(count)})
        if self.look.width(caption, Role.CAPTION) > half:
            caption = say(_EXPECTED)
        titles = [card.title for card in mismatch.expected] or [say(_NOTHING)]
        self._tile(ink, left, caption, expected.picture if expected else None, titles, wanted, "")
        title = mismatch.scanned_title or (titles[0] if serials else say(_UNKNOWN))
        picture = mismatch.scanned_picture or (expected.picture if serials and expected else None)
        self._tile(ink, right, say(_SCANNED), picture, [title], mismatch.scanned_text, wanted, framed=True)

    @staticmethod
    def _code(card: ItemCard | None, serials: bool) -> str:
        if card is None:
            return ""
        if serials and card.serial:
            return card.serial
        return card.gtin.lstrip("0") if card.gtin else card.sku or ""

    def _tile(
        self,
        ink: Ink,
        rect: QRectF,
        caption: str,
        picture: str | None,
        titles: list[str],
        code: str,
        against: str,
        *,
        framed: bool = False,
    ) -> None:
        look, x, width = self.look, rect.left(), rect.width()
        y = rect.top() + ink.text(x, rect.top(), width, caption, Role.CAPTION, "muted")
        y = rect.top() + caption_height(look)
        lines = 3 if len(titles) == 1 else 2
        words = sum(look.lines(title, Role.HEAD, width, lines).height for title in titles[:2])
        words += look.line_height(Role.DETAIL) * 2 + self.px(30)
        height = min(self.px(380), rect.bottom() - y - words)
        if height > self.px(70):
            frame = QRectF(x, y, width, height)
            picture_tile(self, ink, frame, picture, self._pictures)
            if framed:
                ink.box(frame, None, "text", radius=self.px(TILE_RADIUS), pen=max(3, self.px(4)))
            y += height + self.px(18)
        for title in titles[:2]:
            y += ink.text(x, y, width, title, Role.HEAD, lines=lines)
        most = self._most(code, width)
        self._compared(ink, x, y + self.px(4), width, shorten(code, most), shorten(against, most))

    def _most(self, code: str, width: float) -> int:
        """How many characters of a code one line holds."""
        most = len(code)
        while most > 8 and self.look.width(shorten(code, most), Role.DETAIL) > width:
            most -= 1
        return most

    def _compared(self, ink: Ink, x: float, y: float, width: float, code: str, against: str) -> None:
        """A code in tabular figures; where another of the same length differs, the characters are marked."""
        look = self.look
        differ = sum(one != other for one, other in zip(code, against, strict=False))
        alike = len(code) == len(against) and differ <= len(code) // 3
        if not alike or look.width(code, Role.DETAIL) > width:
            ink.text(x, y, width, code, Role.DETAIL, "muted", lines=2)
            return
        start = x
        height = look.line_height(Role.DETAIL)
        for one, other in zip(code, against, strict=True):
            advance = look.width(one, Role.DETAIL)
            if one != other:
                thick = max(3, self.px(4))
                ink.painter.fillRect(QRectF(start, y + height - thick / 2, advance, thick), look.colour("attention"))
            ink.text(start, y, advance + 2, one, Role.DETAIL, "text" if one != other else "muted")
            start += advance
