"""Middle once the unit is decided: the letter with its meaning, why, and what each way is worth."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from station.decision.model import Alternative, AxisLevel, Decision
from ui.bench.facts import caption_height
from ui.bench.labels import axis_word, disposition_word
from ui.bench.speech import QT_TRANSLATE_NOOP, money, say
from ui.theme.metrics import Role
from ui.widgets.ink import RIGHT, Column, Ink
from ui.widgets.panel import Card

_WORTH = QT_TRANSLATE_NOOP("Bench", "What each way is worth")
_FORBIDDEN = QT_TRANSLATE_NOOP("Bench", "Where it may not go")
_UNGRADED = QT_TRANSLATE_NOOP("Bench", "Not graded")
_LEVEL = QT_TRANSLATE_NOOP("Bench", "{axis} {level} of {best}")
_MORE = QT_TRANSLATE_NOOP("Bench", "and {count} more in the record")
_UNKNOWN_WORTH = QT_TRANSLATE_NOOP("Bench", "no price known")
_SECOND = QT_TRANSLATE_NOOP("Bench", "A second person looks at it: {why}")


class DecisionStage(Card):
    """Grade, axes, reasons, and the alternatives as bars on one scale."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("decision_stage", "", parent)
        self._decision: Decision | None = None

    def show_decision(self, decision: Decision | None) -> None:
        if decision == self._decision:
            return
        self._decision = decision
        if decision is not None:
            grade = f"{decision.grade.code}: {decision.grade.meaning}" if decision.grade else say(_UNGRADED)
            self.setAccessibleName(f"{grade}. {disposition_word(decision.disposition.value)}")
            self.setAccessibleDescription(" ".join(reason.text for reason in decision.reasons))
        self.update()

    def draw(self, ink: Ink) -> None:
        decision = self._decision
        if decision is None:
            return
        room = self.inner()
        column = Column(gap=0)
        head = self._head_height(decision)
        column.add(head + self.px(16), lambda y, height: self._head(ink, y, head))
        sentences = self._sentences(decision)
        for number, (text, icon, colour) in enumerate(sentences):
            self._reason(column, ink, text, icon, colour, rank=0 if number == 0 else 20 + number)
        shown = self._worth_order(decision)
        if shown:
            caption = say(_WORTH if any(way.value is not None for way in shown) else _FORBIDDEN)
            column.add(self.px(20) + caption_height(self.look), lambda y, h: self._caption(ink, y, h, caption), rank=10)
        for number, alternative in enumerate(shown):
            self._bar(column, ink, alternative, shown, rank=9 if number < 2 else 28 + number)
        column.paint(room.top(), room.bottom() + self.px(8))

    def _head_height(self, decision: Decision) -> float:
        letter = round(self.look.measure(Role.GRADE).capHeight()) if decision.grade else 0
        _, width = self._beside(decision)
        words: float = self.look.lines(self._meaning(decision), Role.HEAD, width, 2).height
        words += self._axes_height(decision, width)
        return max(letter + self.px(8), words)

    def _beside(self, decision: Decision) -> tuple[float, float]:
        """Where the words beside the letter begin, and how wide they may be."""
        room = self.inner()
        lead = self.look.width(decision.grade.code, Role.GRADE) + self.px(36) if decision.grade else self.px(92)
        return room.left() + lead, room.width() - lead

    @staticmethod
    def _meaning(decision: Decision) -> str:
        return decision.grade.meaning if decision.grade else say(_UNGRADED)

    def _head(self, ink: Ink, y: float, height: float) -> None:
        decision, look, room = self._decision, self.look, self.inner()
        assert decision is not None
        if decision.grade:
            measure = look.measure(Role.GRADE)
            line = look.line_height(Role.GRADE)
            top = y + (height - measure.capHeight()) / 2
            baseline_gap = (line - measure.ascent() - measure.descent()) / 2 + measure.ascent() - measure.capHeight()
            ink.text(room.left(), top - baseline_gap, room.width(), decision.grade.code, Role.GRADE)
        else:
            size = self.px(64)
            ink.icon("shield-alert", room.left(), y + (height - size) / 2, size, "attention")
        x, width = self._beside(decision)
        words = look.lines(self._meaning(decision), Role.HEAD, width, 2).height + self._axes_height(decision, width)
        top = y + (height - words) / 2
        top += ink.text(x, top, width, self._meaning(decision), Role.HEAD, lines=2)
        if decision.grade:
            self._axes(ink, x, top, width, decision.grade.axes)

    def _axis_text(self, axis: AxisLevel) -> str:
        return say(_LEVEL, {"axis": axis_word(axis.axis), "level": str(axis.level), "best": str(axis.best)})

    def _axes_rows(self, decision: Decision, width: float) -> int:
        """Rows that the axes need when each has a meter beside its words."""
        if decision.grade is None:
            return 0
        x, rows = 0.0, 1
        for axis in decision.grade.axes:
            need = self._axis_width(axis)
            if x and x + need > width:
                rows, x = rows + 1, 0.0
            x += need + self.px(30)
        return rows if decision.grade.axes else 0

    def _axis_width(self, axis: AxisLevel) -> float:
        return self.look.width(self._axis_text(axis), Role.SMALL)

    def _axes_height(self, decision: Decision, width: float) -> float:
        return self._axes_rows(decision, width) * (self.look.line_height(Role.SMALL) + self.px(20))

    def _axes(self, ink: Ink, x: float, y: float, width: float, axes: tuple[AxisLevel, ...]) -> None:
        """Words, and under them a meter with one tick per level."""
        look = self.look
        left = x
        for axis in axes:
            need = self._axis_width(axis)
            if left > x and left + need > x + width:
                left, y = x, y + look.line_height(Role.SMALL) + self.px(20)
            ink.text(left, y, need + 2, self._axis_text(axis), Role.SMALL, "muted")
            gap, ticks = self.px(4), max(1, axis.best)
            tick = (need - gap * (ticks - 1)) / ticks
            base = y + look.line_height(Role.SMALL) + self.px(3)
            for number in range(ticks):
                rect = QRectF(left + number * (tick + gap), base, tick, max(4, self.px(6)))
                ink.painter.fillRect(rect, look.colour("accent" if number < axis.level else "line"))
            left += need + self.px(30)

    def _sentences(self, decision: Decision) -> list[tuple[str, str, str]]:
        """(text, icon, colour): raised gates and second looks are marked, plain reasons have a bullet."""
        gates = {gate.reason.code for gate in decision.gates if gate.state.value == "raised"}
        rows = []
        for reason in decision.reasons:
            gated = reason.code in gates
            rows.append((reason.text, "shield-alert" if gated else "", "attention" if gated else "muted"))
        known = {reason.text for reason in decision.reasons}
        for reason in decision.second_look:
            if reason.text not in known:
                rows.append((say(_SECOND, {"why": reason.text}), "triangle-alert", "attention"))
        return rows

    def _reason(self, column: Column, ink: Ink, text: str, icon: str, colour: str, *, rank: int) -> None:
        room, look = self.inner(), self.look
        lead = self.px(44)
        lines = look.lines(text, Role.BODY, room.width() - lead, 2)
        pad = max(4, self.px(11))

        def draw(y: float, height: float) -> None:
            ink.rule(room.left(), y, room.width())
            line = look.line_height(Role.BODY)
            top = y + (height - lines.height) / 2
            if icon:
                size = round(line * 0.86)
                ink.icon(icon, room.left(), top + (line - size) / 2, size, colour)
            else:
                size = max(6, self.px(10))
                ink.dot(
                    QRectF(room.left() + self.px(8), top + (line - size) / 2, size, size).center(), size / 2, colour
                )
            ink.text(room.left() + lead, top, room.width() - lead, text, Role.BODY, lines=2, may_elide=True)

        column.add(lines.height + 2 * pad, draw, rank=rank, grow=self.px(10))

    @staticmethod
    def _worth_order(decision: Decision) -> list[Alternative]:
        """What was chosen first, then what else is allowed and has a value, then what a rule forbids; at most six.

        Where nothing has a value, because a rule decides alone, the ways that it forbids.
        """
        chosen = [a for a in decision.alternatives if a.disposition is decision.disposition and a.value is not None]
        valued = [a for a in decision.alternatives if a.value is not None and a not in chosen]
        valued.sort(key=lambda a: (not a.allowed, -(a.value.minor if a.value else 0)))
        return (chosen + valued)[:6] or [a for a in decision.alternatives if not a.allowed][:5]

    def _caption(self, ink: Ink, y: float, height: float, text: str) -> None:
        room = self.inner()
        top = y + height - caption_height(self.look)
        ink.text(room.left(), top, room.width(), text, Role.CAPTION, "muted")

    def _bar(self, column: Column, ink: Ink, way: Alternative, shown: list[Alternative], *, rank: int) -> None:
        room, look, decision = self.inner(), self.look, self._decision
        assert decision is not None
        chosen = way.disposition is decision.disposition
        best = max((a.value.minor for a in shown if a.value and a.allowed), default=1) or 1
        share = abs(way.value.minor) / best if way.value is not None else 0
        value = money(way.value) if way.value is not None else ""
        name = disposition_word(way.disposition.value)
        role = Role.STRONG if chosen else Role.BODY
        name_width = max(look.width(disposition_word(a.disposition.value), Role.STRONG) for a in shown) + self.px(24)
        values = [look.width(money(a.value), Role.STRONG) for a in shown if a.value is not None]
        value_width = max(values, default=0) + self.px(8)
        line = look.line_height(Role.BODY)

        def draw(y: float, height: float) -> None:
            top = y + (height - line) / 2
            colour = "text" if way.allowed else "muted"
            ink.text(room.left(), top, name_width, name, role, colour)
            x, width = room.left() + name_width, room.width() - name_width - value_width - self.px(16)
            bar = max(8, self.px(20))
            if way.allowed:
                length = max(bar * 0.6, width * share) if way.value and way.value.minor > 0 else bar * 0.6
                rect = QRectF(x, y + (height - bar) / 2, length, bar)
                ink.box(rect, "accent" if chosen else "edge", radius=bar / 2)
            else:
                size = round(line * 0.72)
                ink.icon("lock", x, y + (height - size) / 2, size, "muted")
                small = top + (line - look.line_height(Role.SMALL)) / 2
                room_for_why = width - size - self.px(10)
                ink.text(
                    x + size + self.px(10), small, room_for_why, way.reason.text, Role.SMALL, "muted", may_elide=True
                )
            ink.text(room.right() - value_width, top, value_width, value, role, colour, align=RIGHT)

        column.add(line + max(6, self.px(16)), draw, rank=rank, grow=self.px(8))
