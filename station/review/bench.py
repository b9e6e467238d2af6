"""What a bench asks at a unit: its flags before the decision, and the audit's draw at CONFIRM.

One value holds everything that was published for it, so that the same unit gets the same flags until the next
publication, with or without a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from station.decision.books import ReasonBook
from station.decision.findings import read_findings
from station.decision.model import Case, Reason
from station.decision.second_look import disagrees
from station.inspection.facts import Photo
from station.inspection.record import Signalled
from station.review.doubts import DoubtBook, doubts, read_doubts
from station.review.draw import Draw, DrawKey, draw
from station.review.plan import Plan, Severity
from station.review.score import Score, Threshold, Weights, flags, score, starting_weights, threshold
from station.review.signals import Past, SignalBook, facts_of, fired, read_signals
from station.review.switching import Cell, Standing


@dataclass(frozen=True, slots=True)
class Reviewing:
    """What is in force."""

    signals: SignalBook
    weights: Weights
    limit: Threshold
    doubts: DoubtBook


@dataclass(frozen=True, slots=True)
class Auditing:
    """What the draw needs; a site without a key has no audit."""

    key: DrawKey
    plan: Plan
    standings: Mapping[Cell, Standing]
    """Cells that are not here stand at the start: normal."""


@dataclass(frozen=True, slots=True)
class Looked:
    """All that speaks for a second look before the decision."""

    flags: tuple[Reason, ...]
    """For ``Case.flags``."""
    score: Score
    versions: tuple[tuple[str, str], ...]

    @property
    def signalled(self) -> Signalled:
        """For the record."""
        names = tuple(part.signal.value for part in self.score.parts)
        return Signalled(names, self.score.score_milli, self.versions)


def shipped() -> Reviewing:
    """What is in force before anything was learned or published."""
    book = read_signals()
    return Reviewing(book, starting_weights(book), threshold((), book), read_doubts())


def look(
    case: Case,
    reviewing: Reviewing,
    reasons: ReasonBook,
    photos: Sequence[Photo] = (),
    serial_photo: str | None = None,
    past: Past | None = None,
) -> Looked:
    """Ask the signals and the rules of doubt about one unit.

    Args:
        case: as it will be decided, without these flags.
        reviewing: what is in force.
        reasons: for the words of declared and found reasons.
        photos: of the unit.
        serial_photo: photo that the serial number was read in.
        past: what is known of earlier units; None = nothing.
    """
    findings = read_findings(case)
    known = past if past is not None else Past()
    if known.photo_like is None:
        alike = next((photo.resembles for photo in photos if photo.resembles is not None), None)
        known = Past(known.serial_sold, known.returned_before, known.tracking_before, known.arrived, alike)
    facts = facts_of(
        case,
        findings,
        known,
        declared=reasons.label(findings.declared) if findings.declared is not None else "",
        found=reasons.label(findings.found_reason) if findings.found_reason is not None else "",
        differs=disagrees(findings, reasons),
    )
    unit = score(fired(facts), reviewing.signals, reviewing.weights)
    listed = (*flags(unit, reviewing.limit), *doubts(case, photos, serial_photo, reviewing.doubts))
    return Looked(listed, unit, (("signals", unit.version), ("doubts", reviewing.doubts.name)))


def audit(auditing: Auditing, unit_id: str, cell: Cell) -> Draw:
    """The draw for one unit, asked at CONFIRM and not before: who knows it earlier works differently."""
    standing = auditing.standings.get(cell)
    return draw(auditing.key, auditing.plan, unit_id, standing.severity if standing is not None else Severity.NORMAL)
