"""What brings goods back: who makes up most of it (Pareto), and where one reason gathers beyond chance (lift)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from station.analysis.basis import FULL_BP, Basis, bp, counted, percent, reasons_left_out, span
from station.analysis.excess import USUAL, Excess, Found, Group, Search, chance, find_excess
from station.analysis.linking import SoldLine
from station.analysis.unit import UnitSeen
from station.quantities import Money
from station.returns.sale import Sale

METHOD: Final = "causes@1"
ANY_REASON: Final = "(any reason)"
_VITAL_BP: Final = 8_000
_PARETO_LINES: Final = 50
_MOST_BP: Final = 8_000


_PLURAL: Final = {"category": "categories"}


class ReasonOf(StrEnum):
    """Whose word counts."""

    FOUND = "found"
    DECLARED = "declared"


_DIMENSIONS: Final = ("merchant", "category", "sku", "supplier", "lot", "listing", "channel")
"""In the order shown. The last four are known where sales tell them (a lot also where a code on the unit does)."""


@dataclass(frozen=True, slots=True)
class ParetoLine:
    """One name's part of all that came back."""

    value: str
    units: int
    share_bp: int
    cumulative_bp: int
    """With all lines above it."""
    lost: tuple[Money, ...]
    """What was paid less what is recovered, over the units where both are known, by currency."""


@dataclass(frozen=True, slots=True)
class Pareto:
    """Who makes up most of the returns."""

    dimension: str
    lines: tuple[ParetoLine, ...]
    """The most units first; at most 50."""
    names: int
    vital: int
    """So few names make up 80 % of the units."""
    units: int
    """Whose name in this dimension is known."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason that gathers somewhere."""

    excess: Excess
    inside: tuple[str, str] | None
    """(dimension, name) of the smallest group found too that holds most of these cases; None = there is none."""
    text: str


@dataclass(frozen=True, slots=True)
class Causes:
    """Pareto and lift."""

    paretos: tuple[Pareto, ...]
    causes: tuple[Cause, ...]
    """The clearest first."""
    text: tuple[str, ...]
    basis: Basis


def find_causes(
    units: Iterable[UnitSeen],
    *,
    reason_of: ReasonOf = ReasonOf.FOUND,
    sale_of: Mapping[str, Sale] | None = None,
    search: Search = USUAL,
) -> Causes:
    """Look for reasons that gather among what came back.

    Args:
        units: those that stand.
        reason_of: the reason that the inspection found, or the one the customer declared.
        sale_of: inspection id → the sale it came from, for supplier, lot, listing and channel.
        search: when a cause is named.
    """
    known = list(units)
    sale_of = sale_of or {}
    named = [(unit, _names(unit, sale_of.get(unit.inspection_id))) for unit in known]
    found = find_excess(_among_returned(named, reason_of), search)
    first, last = span(unit.confirmed_at for unit in known)
    without = sum(not _reason(unit, reason_of) for unit in known)
    return _result(
        tuple(_pareto(dimension, named) for dimension in _DIMENSIONS if any(dimension in names for _, names in named)),
        found,
        named,
        reason_of,
        f"returned units were {reason_of.value} {{case}}",
        Basis(
            METHOD,
            (
                f"A reason is the one {reason_of.value}. Of the units that came back, those with the reason ÷ all, in "
                "one group and in all others together.",
                *_DEFINITIONS,
            ),
            (("reason_of", reason_of.value), ("compared", "returned"), *search.parameters, *_looked(found)),
            len(known),
            # They are counted in the sizes of groups; they only speak for no reason.
            reasons_left_out(Counter({f"no reason {reason_of.value} (counted, but as no case)": without})),
            first,
            last,
        ),
    )


def find_causes_of_sold(
    lines: Iterable[SoldLine], *, reason_of: ReasonOf = ReasonOf.FOUND, search: Search = USUAL
) -> Causes:
    """Look for reasons that gather among what was sold: the stronger question, where sales were imported.

    Args:
        lines: sales with the units that came back of each.
        reason_of: the reason that the inspection found, or the one the customer declared.
        search: when a cause is named; sizes are units sold.
    """
    sold = list(lines)
    found = find_excess(_among_sold(sold, reason_of), search)
    named = [(unit, _names(unit, line.sale)) for line in sold for unit in line.units]
    first, last = span(line.sale.sold_at for line in sold)
    return _result(
        tuple(_pareto(dimension, named) for dimension in _DIMENSIONS if any(dimension in names for _, names in named)),
        found,
        named,
        reason_of,
        "units sold came back {case}",
        Basis(
            METHOD,
            (
                f"A reason is the one {reason_of.value}. Of the units sold, those that came back with the reason ÷ "
                "all, in one group and in all others together.",
                *_DEFINITIONS,
            ),
            (("reason_of", reason_of.value), ("compared", "sold"), *search.parameters, *_looked(found)),
            sum(line.sale.quantity for line in sold),
            (),
            first,
            last,
        ),
    )


_DEFINITIONS: Final = (
    "A cause is named where Fisher's exact test (one-sided) stands after the correction for everything that was looked "
    "at (Benjamini and Hochberg), in a group of the least size and with the least number of cases.",
    "Lift: the share in the group ÷ the share in all others.",
    "A cause is where a reason gathers, which is where to look; it is no proof of what makes it so.",
)


def _looked(found: Found) -> tuple[tuple[str, str], ...]:
    return ("places_looked_at", str(found.looked_at)), ("too_small", str(found.too_small))


def _reason(unit: UnitSeen, reason_of: ReasonOf) -> str:
    return unit.found if reason_of is ReasonOf.FOUND else unit.declared


def _names(unit: UnitSeen, sale: Sale | None) -> dict[str, str]:
    """Under which names a unit is counted; what is unknown is not there."""
    names = {"merchant": unit.merchant, "category": unit.category, "sku": unit.sku, "lot": unit.lot}
    if sale is not None:
        names |= {"supplier": sale.supplier, "listing": sale.listing, "channel": sale.channel}
        names["lot"] = names["lot"] or sale.lot
    return {dimension: value for dimension, value in names.items() if value}


def _among_returned(named: list[tuple[UnitSeen, dict[str, str]]], reason_of: ReasonOf) -> Iterator[Group]:
    sizes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    cases: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for unit, names in named:
        reason = _reason(unit, reason_of)
        for dimension, value in names.items():
            sizes[dimension][value] += 1
            if reason:
                cases[dimension, reason][value] += 1
    yield from _grouped(sizes, cases)


def _among_sold(sold: list[SoldLine], reason_of: ReasonOf) -> Iterator[Group]:
    sizes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    cases: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for line in sold:
        sale = line.sale
        names = {
            "merchant": sale.merchant_id, "sku": sale.sku, "supplier": sale.supplier, "lot": sale.lot,
            "listing": sale.listing, "channel": sale.channel,
        }  # fmt: skip
        for dimension, value in names.items():
            if not value:
                continue
            sizes[dimension][value] += sale.quantity
            for unit in line.units:
                cases[dimension, ANY_REASON][value] += 1
                if reason := _reason(unit, reason_of):
                    cases[dimension, reason][value] += 1
    yield from _grouped(sizes, cases)


def _grouped(sizes: Mapping[str, Counter[str]], cases: Mapping[tuple[str, str], Counter[str]]) -> Iterator[Group]:
    for (dimension, reason), counts in sorted(cases.items()):
        size = sizes[dimension]
        all_cases, all_size = counts.total(), size.total()
        for value in sorted(size):
            yield Group(dimension, value, reason, counts[value], size[value], all_cases, all_size)


def _pareto(dimension: str, named: list[tuple[UnitSeen, dict[str, str]]]) -> Pareto:
    units: Counter[str] = Counter()
    lost: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for unit, names in named:
        value = names.get(dimension)
        if value is None:
            continue
        units[value] += 1
        if unit.original is not None and unit.recovered is not None:
            lost[value][unit.original.currency] += unit.original.minor - unit.recovered.minor
    total, so_far, vital = units.total(), 0, 0
    lines = []
    for value, many in sorted(units.items(), key=lambda one: (-one[1], one[0])):
        vital += so_far * FULL_BP < total * _VITAL_BP
        so_far += many
        money = tuple(Money(minor, currency) for currency, minor in sorted(lost[value].items()))
        lines.append(ParetoLine(value, many, bp(many, total) or 0, bp(so_far, total) or 0, money))
    return Pareto(dimension, tuple(lines[:_PARETO_LINES]), len(lines), vital, total)


def _result(
    paretos: tuple[Pareto, ...],
    found: Found,
    named: list[tuple[UnitSeen, dict[str, str]]],
    reason_of: ReasonOf,
    words: str,
    basis: Basis,
) -> Causes:
    causes = tuple(_cause(one, _inside(one, found, named, reason_of), words) for one in found.excesses)
    lines = [
        f"{one.vital} of {one.names} {_PLURAL.get(one.dimension, one.dimension + 's')} make up 80 % of "
        f"{counted(one.units, 'unit')}."
        for one in paretos
        if one.names > 1
    ]
    if not basis.used:
        lines.append("There are no units to look at.")
    elif not found.looked_at:
        lines.append(f"No group is large enough to be judged: none of {found.too_small} has the least size.")
    elif not causes:
        lines.append(f"Nothing gathers beyond chance: {counted(found.looked_at, 'place')} looked at.")
    return Causes(paretos, causes, (*lines, *(cause.text for cause in causes)), basis)


def _inside(
    excess: Excess, found: Found, named: list[tuple[UnitSeen, dict[str, str]]], reason_of: ReasonOf
) -> Group | None:
    """A smaller group that was found too and holds most of these cases: the place to look first."""
    group = excess.group
    smaller = [one.group for one in found.excesses if one.group.case == group.case and one.group.size < group.size]
    if not smaller:
        return None
    shared: Counter[tuple[str, str]] = Counter()
    for unit, names in named:
        if names.get(group.dimension) == group.value and group.case in (ANY_REASON, _reason(unit, reason_of)):
            shared.update(names.items())
    held = [one for one in smaller if shared[one.dimension, one.value] * FULL_BP >= group.cases * _MOST_BP]
    return min(held, key=lambda one: (one.size, one.dimension, one.value), default=None)


def _cause(excess: Excess, inside: Group | None, words: str) -> Cause:
    group = excess.group
    case = "for any reason" if group.case == ANY_REASON else group.case
    ratio = f"{excess.lift:g} times as often as elsewhere" if excess.lift is not None else "and nowhere else"
    there = f" Most of these are of {inside.dimension} {inside.value}: look there first." if inside is not None else ""
    return Cause(
        excess,
        (inside.dimension, inside.value) if inside is not None else None,
        f"{group.dimension} {group.value}: {group.cases} of {group.size} {words.format(case=case)} "
        f"({percent(excess.share_bp)}; elsewhere {percent(excess.elsewhere_bp)}), {ratio}. "
        f"{chance(excess.q).capitalize()}.{there}",
    )
