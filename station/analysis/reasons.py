"""What customers declared beside what was found: where they agree, where they part, and where they part most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from station.analysis.basis import Basis, bp, counted, percent, reasons_left_out, span
from station.analysis.excess import USUAL, Excess, Group, Search, chance, find_excess
from station.analysis.unit import UnitSeen

METHOD: Final = "reasons@1"

DIMENSIONS: Final[dict[str, Callable[[UnitSeen], str]]] = {
    "sku": lambda unit: unit.sku,
    "merchant": lambda unit: unit.merchant,
    "category": lambda unit: unit.category,
    "declared": lambda unit: unit.declared,
    "inspector": lambda unit: unit.inspector,
}
_PARTED: Final = "parted"


@dataclass(frozen=True, slots=True)
class Cell:
    """Units with one pair of reasons; an empty reason = none was declared, or nothing was found."""

    declared: str
    found: str
    units: int


@dataclass(frozen=True, slots=True)
class Parting:
    """Where declared and found reason part more often than elsewhere."""

    excess: Excess
    most_often: Cell
    """The pair that this place has most."""
    text: str


@dataclass(frozen=True, slots=True)
class ReasonComparison:
    """Declared against found."""

    cells: tuple[Cell, ...]
    """The cross table, the most units first."""
    both: int
    """Units with a declared and a found reason."""
    agree: int
    agreement_bp: int | None
    same_group: int
    """Units with both, whose reasons do not contradict each other though they may differ."""
    same_group_bp: int | None
    unheard: int
    """Units where a fault was declared and nothing was found."""
    partings: tuple[Parting, ...]
    text: tuple[str, ...]
    basis: Basis


def compare_reasons(
    units: Iterable[UnitSeen],
    *,
    groups: Mapping[str, str] | None = None,
    faults: frozenset[str] = frozenset(),
    search: Search = USUAL,
) -> ReasonComparison:
    """Compare what was declared with what was found.

    Args:
        units: those that stand.
        groups: reason code → group; reasons of one group do not contradict each other. What is in no group is its own.
        faults: declared reasons that say that something is wrong with the goods.
        search: when a parting is named.
    """
    known = list(units)
    groups = groups or {}
    table = Counter((unit.declared, unit.found) for unit in known)
    judged = [unit for unit in known if unit.declared and unit.found]
    agree = sum(unit.declared == unit.found for unit in judged)
    same = sum(groups.get(unit.declared, unit.declared) == groups.get(unit.found, unit.found) for unit in judged)
    found = find_excess(_groups(judged), search)
    why = Counter(
        {
            "no reason was declared": sum(not unit.declared for unit in known),
            "a reason was declared, and nothing was found that speaks to it": sum(
                bool(unit.declared) and not unit.found for unit in known
            ),
        }
    )
    first, last = span(unit.confirmed_at for unit in known)
    cells = tuple(
        Cell(declared, seen, many)
        for (declared, seen), many in sorted(table.items(), key=lambda one: (-one[1], one[0]))
    )
    partings = tuple(_parting(one, judged) for one in found.excesses)
    unheard = sum(unit.declared in faults and not unit.found for unit in known)
    return ReasonComparison(
        cells=cells,
        both=len(judged),
        agree=agree,
        agreement_bp=bp(agree, len(judged)),
        same_group=same,
        same_group_bp=bp(same, len(judged)),
        unheard=unheard,
        partings=partings,
        text=_text(len(known), len(judged), agree, same, unheard, found.looked_at, partings),
        basis=Basis(
            METHOD,
            (
                "Agreement: units whose declared and found reason are the same ÷ units with both.",
                "Same group: units with both whose reasons lie in one group of the reasons file ÷ units with both.",
                "A parting is named where Fisher's exact test against all other units stands after the correction for "
                "everything that was looked at (Benjamini and Hochberg).",
            ),
            (*search.parameters, ("places_looked_at", str(found.looked_at)), ("too_small", str(found.too_small))),
            len(known),
            reasons_left_out(why),
            first,
            last,
        ),
    )


def _groups(judged: list[UnitSeen]) -> Iterable[Group]:
    parted = [unit.declared != unit.found for unit in judged]
    for dimension, of in DIMENSIONS.items():
        size: Counter[str] = Counter()
        cases: Counter[str] = Counter()
        for unit, apart in zip(judged, parted, strict=True):
            value = of(unit)
            if value:
                size[value] += 1
                cases[value] += apart
        all_size, all_cases = size.total(), cases.total()
        for value in sorted(size):
            yield Group(dimension, value, _PARTED, cases[value], size[value], all_cases, all_size)


def _parting(excess: Excess, judged: list[UnitSeen]) -> Parting:
    group = excess.group
    of = DIMENSIONS[group.dimension]
    pairs = Counter(
        (unit.declared, unit.found) for unit in judged if unit.declared != unit.found and of(unit) == group.value
    )
    (declared, found), many = min(pairs.items(), key=lambda one: (-one[1], one[0]))
    return Parting(
        excess,
        Cell(declared, found, many),
        f"{group.dimension} {group.value}: declared and found part at {group.cases} of {counted(group.size, 'unit')} "
        f"({percent(excess.share_bp)}; elsewhere {percent(excess.elsewhere_bp)}). Most often {declared!r} was declared "
        f"and {found!r} found ({many}). {chance(excess.q).capitalize()}.",
    )


def _text(
    units: int, both: int, agree: int, same: int, unheard: int, looked_at: int, partings: tuple[Parting, ...]
) -> tuple[str, ...]:
    if not both:
        return (f"Of {counted(units, 'unit')} none has both a declared and a found reason: nothing to compare.",)
    lines = [
        f"Declared and found reason are the same at {agree} of {counted(both, 'unit')} with both "
        f"({percent(bp(agree, both))}); they do not contradict each other at {same} ({percent(bp(same, both))})."
    ]
    if unheard:
        lines.append(f"At {counted(unheard, 'unit')} a fault was declared and nothing was found.")
    if not looked_at:
        lines.append("No article, merchant, category, reason or inspector has enough of them to be judged.")
    elif not partings:
        lines.append("No article, merchant, category, reason or inspector parts more often than chance explains.")
    return (*lines, *(one.text for one in partings))
