"""Where more cases gather than elsewhere: groups compared with all the rest, and only what survives the search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from station.analysis.basis import bp
from station.analysis.exact import benjamini_hochberg, hypergeometric_tail


@dataclass(frozen=True, slots=True)
class Search:
    """How much must speak for a finding."""

    false_findings_bp: int = 500
    """Share of the findings that may be chance, in 1/10 000."""
    least_size: int = 20
    """Units that a group must have to be looked at."""
    least_cases: int = 3
    """Cases that a group must have to be named."""
    corrected: bool = True
    """False = each test for itself. For the demonstration of what that would find in noise."""

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """For the basis of a result."""
        return (
            ("false_findings_bp", str(self.false_findings_bp)),
            ("least_size", str(self.least_size)),
            ("least_cases", str(self.least_cases)),
        )


USUAL: Final = Search()
"""What a report asks for unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group and one kind of case, beside everything."""

    dimension: str
    """What groups: ``sku``, ``lot`` …"""
    value: str
    case: str
    """Which cases, e.g. a reason code."""
    cases: int
    """Of this kind in the group."""
    size: int
    """Of the group."""
    all_cases: int
    """Of this kind in all groups of the dimension together."""
    all_size: int


@dataclass(frozen=True, slots=True)
class Excess:
    """A group in which more cases gather than elsewhere."""

    group: Group
    share_bp: int
    elsewhere_bp: int
    lift: float | None
    """Share here over the share elsewhere, to 2 decimals; None = elsewhere there are none."""
    p: float
    """Probability of as many cases or more, did the group not matter (Fisher's exact test, one-sided)."""
    q: float
    """Share of false findings among those at least as clear as this one (Benjamini and Hochberg)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought."""

    excesses: tuple[Excess, ...]
    """The clearest first."""
    looked_at: int
    """Groups × kinds of cases that were large enough."""
    too_small: int
    """Those that were not."""


def find_excess(groups: Iterable[Group], search: Search) -> Found:
    """Search all groups at once.

    Groups with too few cases get a p of 1, so that asking for a minimum keeps the promised share of false findings.
    """
    looked_at = too_small = 0
    tried: list[tuple[float, Group]] = []
    for group in groups:
        if group.size < search.least_size or group.size >= group.all_size:
            too_small += 1
            continue
        looked_at += 1
        if group.cases >= search.least_cases:
            tried.append((hypergeometric_tail(group.cases, group.size, group.all_cases, group.all_size), group))
    probabilities = [p for p, _ in tried]
    corrected = benjamini_hochberg(probabilities, looked_at) if search.corrected else probabilities
    level = search.false_findings_bp / 10_000
    found = [_excess(group, p, q) for (p, group), q in zip(tried, corrected, strict=True) if q <= level]
    found.sort(key=lambda one: (one.p, one.group.dimension, one.group.value, one.group.case))
    return Found(tuple(found), looked_at, too_small)


def _excess(group: Group, p: float, q: float) -> Excess:
    cases, size = group.all_cases - group.cases, group.all_size - group.size
    lift = round(group.cases * size / (group.size * cases), 2) if cases else None
    return Excess(group, bp(group.cases, group.size) or 0, bp(cases, size) or 0, lift, _digits(p), _digits(q))


def _digits(probability: float) -> float:
    """Four digits are more than anybody reads, and the same on every machine."""
    return float(f"{probability:.4g}")


def chance(q: float) -> str:
    """How sure a finding is, for a person.

    >>> chance(0.0312), chance(0.00001)
    ('3.1 % of findings like this are chance', 'fewer than 1 in 1000 findings like this are chance')
    """
    if q < 0.001:
        return "fewer than 1 in 1000 findings like this are chance"
    return f"{q * 100:.1f} % of findings like this are chance"
