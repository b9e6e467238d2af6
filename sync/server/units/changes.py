"""What a push made of units: told to whoever keeps a queue or tells other systems, in the same transaction.

The usual push has only units that nobody had seen before; what they are is worked out when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from station.quantities import Money
from sync.server.facts import Inspected
from sync.server.units.state import Outcome, State, Unit


@dataclass(frozen=True, slots=True)
class Changed:
    """A unit that is another one than before this push."""

    lpn: str
    cause: str
    """Id of the last entry of the push that touched it."""
    before: Unit | None
    after: Unit
    unit_id: str
    merchant_id: str | None
    rma: str | None
    sku: str | None


class Changes:
    """All of one push; ``Units`` puts them in, appliers behind it read them."""

    def __init__(self) -> None:
        self._fresh: Mapping[str, tuple[str, Inspected]] = {}
        self.judged: Sequence[Changed] = ()
        """Units that are more than one inspection which nobody contests: each at most once, what changed only."""

    def take(self, fresh: Mapping[str, tuple[str, Inspected]], judged: Sequence[Changed]) -> None:
        """Replace what is known.

        Args:
            fresh: LPN → entry and fact of units that have one inspection.
        """
        self._fresh, self.judged = fresh, judged

    def fresh(self) -> Iterator[tuple[Changed, Inspected]]:
        """Units of one inspection that nobody had seen before."""
        for entry_id, fact in self._fresh.values():
            yield first_of(entry_id, fact), fact

    def __iter__(self) -> Iterator[Changed]:
        yield from (change for change, _ in self.fresh())
        yield from self.judged


def first_of(entry_id: str, fact: Inspected) -> Changed:
    """What the first inspection of a unit makes of it."""
    after = Unit(State.INSPECTED, None, fact.inspection_id, outcome_of(fact), None)
    return Changed(fact.lpn, entry_id, None, after, fact.unit_id, fact.merchant_id, fact.rma, fact.sku)


def outcome_of(fact: Inspected) -> Outcome:
    """What an inspection says."""
    refund = fact.decision.refund
    amount = Money(refund.amount.minor, refund.amount.currency) if refund.amount is not None else None
    return Outcome(fact.decision.disposition, refund.decision, amount)
