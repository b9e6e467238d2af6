"""A lead's decision on one unit, as it goes into a journal: the centre's own, or a bench's that was offline.

The shape is for ever, as those of ``station.inspection.record``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from station.decision.model import Derogation, Disposition, GateAct
from station.quantities import Money

UNIT_DECIDED: Final = "unit.decided"


@dataclass(frozen=True, slots=True)
class UnitDecided:
    """What a person decided, and on which state of the unit it was based."""

    lpn: str
    base_version: int
    """The unit's version that the person saw. A decision on an older one takes no effect: somebody looks again."""
    disposition: Disposition
    inspection_id: str | None
    """Which inspection counts where there are several; None = the one that owns the unit."""
    refund_decision: str | None
    """``full``, ``partial``, ``none`` or ``manual``; None = as that inspection says."""
    refund: Money | None
    reason: str
    """In the person's own words; never empty."""
    derogations: tuple[Derogation, ...]
    """Permissions to pass gates that allow it."""
    decided_at: datetime
    gate_acts: tuple[GateAct, ...] = ()
    """What the person did to the unit's gates: let go what was found and taken back, compared a recall notice."""
