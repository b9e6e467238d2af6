"""Two inspections of one unit: what the first really found, taken back or still standing, before every second one.

The first is an inspection as the bench would record it (its answers decided by the program itself), the second sees it
as the bench would show it (``Earlier``). What must not happen then is written down from the first one's facts alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from station.decision.gate_facts import found_by
from station.decision.gate_steps import Step
from station.decision.gates import FLOOR
from station.decision.model import Case, Disposition, Earlier, Gate, GateState


@dataclass(frozen=True, slots=True)
class First:
    """One first inspection."""

    case: Case
    gates: tuple[Gate, ...]
    """All gates, as its record has them."""

    @property
    def found(self) -> frozenset[str]:
        """Gates of the floor that it found something for."""
        return found_by(self.case)

    @property
    def shape(self) -> tuple[object, ...]:
        """Firsts of one shape mean the same to every second inspection."""
        return (self.found, frozenset(gate.id for gate in self.gates if gate.state is GateState.RAISED))

    def before(self, stands: bool) -> Step:
        """What a second inspection begins with."""
        answers = ", ".join(f"{answer.question} = {answer.choice}" for answer in self.case.answers) or "nothing"
        what = "stands" if stands else "is undone"
        earlier = Earlier("I-0", self.gates, stands)

        def do(case: Case) -> Case:
            return replace(case, earlier=(*case.earlier, earlier))

        return Step("", f"an inspection that answered {answers} {what}", do)

    def must_not(self, stands: bool) -> dict[str, frozenset[Disposition]]:
        """Gate → what must not happen to the unit any more, whatever is answered the second time.

        Taken back: what held the unit holds it until a lead agrees. Standing: everything that was found counts.
        """
        return {gate: FLOOR[gate][1] for gate in self.found if stands or FLOOR[gate][2] is not None}


def same_unit(case: Case) -> object:
    """Inspections for which this is equal may be of one unit: the same article under the same protocol."""
    return (case.protocol.id if case.protocol is not None else None, tuple(case.item.traits) if case.item else None)
