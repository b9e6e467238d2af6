"""What the money of one unit is computed from: gathered from the case once, and written down in the record."""

from __future__ import annotations

from collections.abc import Iterator

from station.decision.findings import Findings
from station.decision.model import Case, Gate, Grade
from station.decision.worth import Unit
from station.inspection.facts import IdentityOutcome
from station.quantities import format_mass
from station.returns.model import Wish


def unit_of(case: Case, grade: Grade | None, gates: tuple[Gate, ...], findings: Findings, *, refused: bool) -> Unit:
    """The unit as the economics look at it."""
    item = case.item
    return Unit(
        grade=grade,
        gates=gates,
        price=item.price if item is not None else None,
        rework_minutes=findings.rework_minutes,
        found_reason=findings.found_reason,
        refused=refused,
        merchant_id=item.merchant_id if item is not None else "",
        sku=item.sku if item is not None else "",
        category=item.category if item is not None else None,
        mass_mg=_mass(case),
        volume_cm3=item.volume_cm3 if item is not None else None,
        today=case.at.date(),
        floor=case.floor,
    )


def _mass(case: Case) -> int | None:
    """What the scale said, where it compared; else what the catalogue expects; None = unknown."""
    judged = case.weight
    if (
        judged is not None
        and judged.expected_mg is not None
        and judged.difference_mg is not None
        and case.identity is IdentityOutcome.MATCH
    ):
        return max(0, judged.expected_mg + judged.difference_mg)
    return case.item.mass_mg if case.item is not None else None


def inputs_of(case: Case, unit: Unit) -> tuple[tuple[str, str], ...]:
    """(what, text), in a fixed order; what is unknown is left out."""
    return tuple([one for one in _inputs(case, unit) if one[1]])


def _inputs(case: Case, unit: Unit) -> Iterator[tuple[str, str]]:
    line, promise = case.line, case.authorisation
    yield "price", str(unit.price) if unit.price is not None else ""
    yield "paid", str(line.paid) if line is not None and line.paid is not None else ""
    yield "work", f"{unit.rework_minutes} min" if unit.rework_minutes else ""
    yield "mass", format_mass(unit.mass_mg) if unit.mass_mg is not None else ""
    yield "volume", f"{unit.volume_cm3} cm3" if unit.volume_cm3 is not None else ""
    yield "declared", line.declared_reason or "" if line is not None else ""
    if line is not None and line.wish is not Wish.REFUND:
        yield "wish", line.wish.value
    if promise is not None:
        dates = (
            ("ordered", promise.ordered_at),
            ("delivered", promise.delivered_at),
            ("announced", promise.authorised_at),
        )
        for what, moment in dates:
            yield what, moment.date().isoformat() if moment is not None else ""
    for what, amounts in (("place", unit.floor.places), ("extra", unit.floor.extra)):
        for way, amount in amounts:
            yield f"{what}_{way}", str(amount)
    for way, taken in unit.floor.taken:
        yield f"taken_{way}", str(taken)
