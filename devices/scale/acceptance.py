"""When an indication is a weight: the one rule for every scale.

Context: whole-frame checks still let 10–28 % of one-bit errors through as valid wrong weights (DEVICES §1.11).
Decision: at least three equal settled indications spanning at least 0.4 s, without a silence, a damaged frame or
another value between them. Frames that arrive in one burst span no time, so a stale buffer is never a weight.
Price: 0.4 s per load.

A load is accepted once. The next acceptance needs a changed load, so that a frozen indication, or an item left on the
pan, cannot become the next unit's weight. What lies on the pan *before* the bench asks is accepted all the same.
Zero, less than two steps, negative, net and tare indications are no load.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices.ports import Indication, Status, WeightKind
from station.errors import Defect
from station.inspection.facts import StableSource, WeightReading

_MIN_LOAD_STEPS = 2
"""An empty pan may show ±1 step."""
_CHANGE_STEPS = 3
"""More than this many steps away is another load; less is the flicker of a settled one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How much agreement is enough."""

    count: int = 3
    span_s: float = 0.4
    max_gap_s: float = 1.2
    """A longer pause between two indications ends the run: what comes after it is not the same observation."""


DECLARED = Rule()
"""For scales that say "settled" themselves."""
INFERRED = Rule(count=5, span_s=1.0)
"""For scales that say nothing about rest: longer, and recorded as our inference."""


class Acceptor:
    """Watches the indications of one scale. Not thread-safe: it belongs to the port's owner thread."""

    def __init__(self, device: str, *, declared: Rule = DECLARED, inferred: Rule = INFERRED) -> None:
        self._device = device
        self._rules = {StableSource.SCALE: declared, StableSource.INFERRED: inferred}
        self._first: Indication | None = None
        self._last: Indication | None = None
        self._count = 0
        self._taken: Indication | None = None
        self._changes = 0
        self._answered = False
        self._asked = False

    def ask(self, *, same_load: bool = False) -> None:
        """The bench wants a weight from now on; the load that lies there counts, from fresh indications.

        Args:
            same_load: also a load that already answered an earlier question (after an undo).
        """
        self._asked = True
        if same_load or not self._answered:
            self._taken = None
            self._answered = False
        self.restart()

    def restart(self) -> None:
        """A damaged frame, a silence or an unplug: what was seen before counts no more."""
        self._first = self._last = None
        self._count = 0

    def feed(self, indication: Indication) -> WeightReading | None:
        """Take the next indication; return the weight if this one decides it."""
        self._notice_change(indication)
        settled = indication.stable or indication.stable_source is StableSource.INFERRED
        if indication.status is not Status.OK or not settled or not is_load(indication):
            self.restart()
            return None
        rule = self._rules[indication.stable_source]
        if self._first is None or self._last is None or not _continues(self._last, indication, rule):
            self.restart()
            self._first = indication
        self._last = indication
        self._count += 1
        spanned = indication.monotonic - self._first.monotonic
        if self._count < rule.count or spanned < rule.span_s or self._taken is not None:
            return None
        self._taken = indication
        self._answered = self._asked
        self._asked = False
        return _weight(indication, self._device)

    def _notice_change(self, indication: Indication) -> None:
        taken = self._taken
        if taken is None:
            return
        if indication.gross_mg is None:
            changed = indication.status in (Status.OVERLOAD, Status.UNDERLOAD)
        else:
            step = max(indication.interval_mg or 1, taken.interval_mg or 1)
            changed = abs(indication.gross_mg - (taken.gross_mg or 0)) > _CHANGE_STEPS * step
        # Two in a row: one damaged frame must not make the item that still lies there look like a new one.
        self._changes = self._changes + 1 if changed else 0
        if self._changes >= 2:
            self._taken = None
            self._answered = False
            self._changes = 0


def is_load(indication: Indication) -> bool:
    """Whether the indication says that goods lie on the pan, and how heavy they are, gross."""
    if indication.gross_mg is None or indication.interval_mg is None:
        return False
    if indication.kind in (WeightKind.NET, WeightKind.TARE):
        return False
    return indication.gross_mg >= _MIN_LOAD_STEPS * indication.interval_mg


def _continues(last: Indication, this: Indication, rule: Rule) -> bool:
    same = (last.gross_mg, last.unit, last.interval_mg, last.kind, last.stable_source, len(last.raw)) == (
        this.gross_mg,
        this.unit,
        this.interval_mg,
        this.kind,
        this.stable_source,
        len(this.raw),
    )
    return same and 0 <= this.monotonic - last.monotonic <= rule.max_gap_s


def _weight(indication: Indication, device: str) -> WeightReading:
    if indication.gross_mg is None or indication.interval_mg is None:
        raise Defect(f"{indication!r} is no weight: only loads may be accepted")
    return WeightReading(
        gross_mg=indication.gross_mg,
        stable_source=indication.stable_source,
        unit=indication.unit or "",
        interval_mg=indication.interval_mg,
        raw=indication.raw,
        device=device,
        taken_at=indication.at,
    )
