"""Where the goods went, in units and kilograms, and the fields that the EU asks of those who discard unsold goods.

*Check before claiming compliance*: this counts what the record says; whether a unit is an "unsold consumer product" or
waste is a question of law, and what a contractor did with it is known from the contractor. Mass is integer milligrams
to the end.

Source: Regulation (EU) 2024/1781 (ESPR) Art. 2(37), Art. 24(1), Art. 25(5); the form is that of Implementing Regulation
(EU) 2026/2, which asks for customs codes and for financial years beginning from 2 March 2027 on. Order of waste
operations: Directive 2008/98/EC Art. 4. Donated goods are not discarded and not disclosed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from station.analysis.basis import Basis, bp, counted, percent, span
from station.analysis.unit import UnitSeen
from station.quantities import format_mass

METHOD: Final = "ledger@1"

OPERATIONS: Final = ("preparing_for_reuse", "recycling", "other_recovery", "disposal")
"""Waste operations in the order of the law's hierarchy."""

OPERATION_OF: Final[Mapping[str, str]] = {"recycle": "recycling", "destroy": "disposal"}
"""What a route is taken for unless told otherwise. Destroyed goods that were burnt for energy are *other recovery*
where the contractor's certificate says so."""

_WASTED: Final = frozenset({"destroy", "missing"})
"""As the centre's figure "diverted" has it."""

WITHDRAWAL: Final = frozenset(
    {"size_too_small", "size_too_large", "colour", "style", "unwanted", "arrived_late", "other"}
)
"""Declared reasons that are a change of mind: goods returned by right of withdrawal are unsold goods (Art. 2(37))."""


@dataclass(frozen=True, slots=True)
class Mass:
    """Units and what they weigh."""

    units: int
    weighed_mg: int
    """Sum of the gross masses of those that were weighed."""
    expected_mg: int
    """Sum of the catalogue's masses of those that were not."""
    without_mass: int
    """Units of which neither is known."""

    @property
    def known_mg(self) -> int:
        """What is known of all of them, measured or expected."""
        return self.weighed_mg + self.expected_mg


@dataclass(frozen=True, slots=True)
class RouteLine:
    """One way out of the house."""

    disposition: str
    mass: Mass
    share_bp: int
    """Of the units."""


@dataclass(frozen=True, slots=True)
class OperationLine:
    """One waste operation of one category."""

    operation: str
    mass: Mass
    share_bp: int
    """Of the category's discarded mass (of its units, where no mass is known)."""


@dataclass(frozen=True, slots=True)
class DisclosureLine:
    """Discarded goods of one category: the fields of ESPR Art. 24(1)."""

    category: str
    """Ours. The law's form asks for the customs code, which a person adds."""
    mass: Mass
    withdrawn: int
    """Units whose declared reason is a change of mind."""
    other_reasons: int
    """Units declared faulty, late by our error, or with no reason: whether they are "unsold" is for a lawyer."""
    reasons: tuple[tuple[str, int], ...]
    """Why they were discarded: (reason found, or else the code of the decision, units)."""
    derogations: tuple[tuple[str, int], ...]
    """Recorded permissions (Art. 25(5)): (gate, units)."""
    operations: tuple[OperationLine, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where everything went."""

    routes: tuple[RouteLine, ...]
    total: Mass
    diverted_mg: int
    diverted_bp: int | None
    """Diversion from landfill: mass of units neither destroyed nor missing ÷ mass of all units that were weighed."""
    discarded: tuple[DisclosureLine, ...]
    text: tuple[str, ...]
    basis: Basis


def keep_ledger(
    units: Iterable[UnitSeen],
    *,
    operation_of: Mapping[str, str] = OPERATION_OF,
    withdrawal: frozenset[str] = WITHDRAWAL,
) -> Ledger:
    """Add up the routes.

    Args:
        units: those that stand.
        operation_of: disposition → waste operation, for the routes that discard.
        withdrawal: declared reasons that are a change of mind.
    """
    known = list(units)
    by_route: defaultdict[str, list[UnitSeen]] = defaultdict(list)
    by_category: defaultdict[str, list[UnitSeen]] = defaultdict(list)
    for unit in known:
        by_route[unit.disposition].append(unit)
        if unit.disposition in operation_of:
            by_category[unit.category].append(unit)
    routes = tuple(
        RouteLine(route, _mass(members), bp(len(members), len(known)) or 0)
        for route, members in sorted(by_route.items(), key=lambda one: (-len(one[1]), one[0]))
    )
    weighed = sum(unit.mass_mg or 0 for unit in known)
    diverted = sum(unit.mass_mg or 0 for unit in known if unit.disposition not in _WASTED)
    discarded = tuple(
        _disclosed(category, by_category[category], operation_of, withdrawal) for category in sorted(by_category)
    )
    total = _mass(known)
    first, last = span(unit.confirmed_at for unit in known)
    return Ledger(
        routes,
        total,
        diverted,
        bp(diverted, weighed),
        discarded,
        _text(routes, total, bp(diverted, weighed), discarded),
        Basis(
            METHOD,
            (
                "Diversion from landfill: mass of units neither destroyed nor missing ÷ mass of all units that were "
                "weighed.",
                "Discarded: units decided to a route that a waste operation takes. Units on hold are not discarded "
                "yet; donated ones are not discarded.",
                "Mass: gross, with packaging, as weighed; the catalogue's where a unit was not weighed, kept apart.",
                "Check before claiming compliance (ESPR Art. 24): fields marked as such are counts of the record, no "
                "legal judgement.",
            ),
            tuple((f"operation of {route}", operation) for route, operation in sorted(operation_of.items())),
            len(known),
            (),
            first,
            last,
        ),
    )


def _mass(units: Iterable[UnitSeen]) -> Mass:
    many = weighed = expected = without = 0
    for unit in units:
        many += 1
        if unit.disposition == "missing":
            continue  # it was not there, so it weighs nothing here
        elif unit.mass_mg is not None:
            weighed += unit.mass_mg
        elif unit.expected_mg is not None:
            expected += unit.expected_mg
        else:
            without += 1
    return Mass(many, weighed, expected, without)


def _disclosed(
    category: str, units: list[UnitSeen], operation_of: Mapping[str, str], withdrawal: frozenset[str]
) -> DisclosureLine:
    mass = _mass(units)
    withdrawn = sum(unit.declared in withdrawal for unit in units)
    lines = []
    for operation in OPERATIONS:
        part = _mass(unit for unit in units if operation_of[unit.disposition] == operation)
        share = bp(part.known_mg, mass.known_mg) if mass.known_mg else bp(part.units, mass.units)
        lines.append(OperationLine(operation, part, share or 0))
    return DisclosureLine(
        category or "(no category)",
        mass,
        withdrawn,
        len(units) - withdrawn,
        _most(unit.found or unit.why or "(not said)" for unit in units),
        _most(gate for unit in units for gate in unit.derogations),
        tuple(lines),
    )


def _most(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(names).items(), key=lambda one: (-one[1], one[0])))


def _text(
    routes: tuple[RouteLine, ...], total: Mass, diverted_bp: int | None, discarded: tuple[DisclosureLine, ...]
) -> tuple[str, ...]:
    lines = [
        f"{line.disposition}: {counted(line.mass.units, 'unit')} ({percent(line.share_bp)}), "
        f"{format_mass(line.mass.known_mg)}"
        for line in routes
    ]
    lines.append(
        f"{counted(total.units, 'unit')}, {format_mass(total.weighed_mg)} weighed; "
        f"{percent(diverted_bp)} of it kept from landfill."
    )
    if total.without_mass:
        lines.append(f"{counted(total.without_mass, 'unit')} without a known mass: the kilograms are too low by them.")
    for one in discarded:
        ways = ", ".join(f"{line.operation} {percent(line.share_bp)}" for line in one.operations if line.mass.units)
        lines.append(
            f"Discarded, {one.category}: {counted(one.mass.units, 'unit')}, {format_mass(one.mass.known_mg)}: {ways}."
        )
    if discarded:
        lines.append("Check before claiming compliance: customs codes and the contractor's certificates are not here.")
    else:
        lines.append("Nothing was discarded.")
    return tuple(lines)
