"""What every way is worth, and which one it is: gates first, then possibility, then money.

Value of a way = price as new × what the grade brings there − handling − the work that the answers found. Integer minor
units; shares round half up to a minor unit. Where a price or a cost is unknown nothing has a value, and the rule order
of the route book decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from station.decision.books import Route, RouteBook
from station.decision.gates import GateBook, forbidding_reason
from station.decision.model import Alternative, Disposition, Gate, GateState, Grade, Reason
from station.decision.scheme import GradeRule, GradingScheme
from station.quantities import Money
from station.returns.policy import Policy


@dataclass(frozen=True, slots=True)
class Unit:
    """What the economics look at."""

    grade: Grade | None
    gates: tuple[Gate, ...]
    price: Money | None
    rework_minutes: int
    found_reason: str | None
    refused: bool
    """The refund is refused, so the goods still belong to the customer."""


class _Worth(NamedTuple):
    """A value and its parts, all in minor units of its currency."""

    value: Money
    share_bp: int
    handling: int
    work: int


def value_routes(
    unit: Unit, policy: Policy | None, scheme: GradingScheme | None, routes: RouteBook, gates: GateBook
) -> tuple[Alternative, ...]:
    """List every way, best first, the impossible and forbidden ones behind with the rule that forbids them.

    Args:
        unit: grade, gates and price of the unit.
        policy: the merchant's policy; None = unknown, so nothing is offered.
        scheme: the grading scheme; None = unknown, so nothing has a value.
        routes: the ways, in rule order.
        gates: the gate book, for the ways that can remove what a gate objects to.

    Returns:
        One alternative per route of the book. Equal values keep the rule order.
    """
    helped = _helped(unit.gates, gates)
    forbidden = _forbidden(unit.gates, gates)
    rule = scheme.rule(unit.grade.code) if scheme is not None and unit.grade is not None else None
    levels = {axis.axis: axis.level for axis in unit.grade.axes} if unit.grade is not None else {}
    listed: list[tuple[int, Alternative]] = []
    for number, route in enumerate(routes.routes):
        worth = _value(route, unit, rule, routes)
        objection = forbidden.get(route.disposition) or _objection(
            route, unit, policy, levels, route.disposition in helped
        )
        reason = objection or Reason("route_value", _words(worth, unit))
        value = worth.value if isinstance(worth, _Worth) else None
        listed.append((number, Alternative(route.disposition, value, objection is None, reason)))
    by_money = all(alternative.value is not None for _, alternative in listed)

    def rank(entry: tuple[int, Alternative]) -> tuple[bool, int, int]:
        number, alternative = entry
        worth = alternative.value.minor if by_money and alternative.value is not None else 0
        return (not alternative.allowed, -worth, number)

    return tuple(alternative for _, alternative in sorted(listed, key=rank))


def _helped(gates: tuple[Gate, ...], book: GateBook) -> frozenset[Disposition]:
    ways: set[Disposition] = set()
    for gate in gates:
        rule = book.rule(gate.id) if gate.state is GateState.RAISED else None
        if rule is not None:
            ways.update(rule.work_for)
    return frozenset(ways)


def _forbidden(gates: tuple[Gate, ...], book: GateBook) -> dict[Disposition, Reason]:
    """Way → the first gate's rule that forbids it."""
    forbidden: dict[Disposition, Reason] = {}
    for gate in gates:
        if gate.state is GateState.RAISED:
            reason = forbidding_reason(gate, book)
            for disposition in gate.forbids:
                forbidden.setdefault(disposition, reason)
    return forbidden


def _objection(
    route: Route, unit: Unit, policy: Policy | None, levels: Mapping[str, int], helped: bool
) -> Reason | None:
    """The first rule that stands against a way that no gate forbids."""
    if route.only_refused != unit.refused:
        if route.only_refused:
            return Reason("route_only_refused", "Only goods whose refund is refused go back to the customer")
        return Reason("route_not_ours", "The refund is refused: the goods still belong to the customer")
    if not route.only_refused and (policy is None or route.disposition not in policy.routes):
        name = policy.title if policy is not None else "no policy"
        return Reason("route_not_offered", f"Not offered by this merchant's policy ({name})")
    if unit.grade is None:
        return Reason("route_ungraded", "Not graded, so this way cannot be chosen")
    for axis, least in route.needs.items():
        if levels.get(axis, 0) < least:
            return Reason(f"route_{route.disposition}_needs", route.needs_text)
    if route.only_found and unit.found_reason not in route.only_found:
        return Reason(f"route_{route.disposition}_not_found", route.only_found_text)
    if helped or not route.pointless_at:
        return None
    if all(levels.get(axis, 0) >= level for axis, level in route.pointless_at.items()):
        return Reason(f"route_{route.disposition}_pointless", route.pointless_text)
    return None


def _value(route: Route, unit: Unit, rule: GradeRule | None, book: RouteBook) -> _Worth | str:
    """Net value with its parts, or why there is none."""
    if unit.price is None:
        return "Price unknown: the rule order decides"
    if rule is None:
        return "Not graded: the rule order decides"
    currency = unit.price.currency
    handling, per_minute = route.cost.get(currency), book.rework_per_minute.get(currency)
    works = route.rework and unit.rework_minutes > 0
    if handling is None or (works and per_minute is None):
        return f"Costs in {currency} unknown: the rule order decides"
    share = rule.recovery_bp.get(route.disposition, 0)
    brings = unit.price.percent(share).minor if share else 0
    work = per_minute * unit.rework_minutes if works and per_minute is not None else 0
    value = Money(brings - handling - work, currency)
    return _Worth(value, share, handling, work)


def _words(worth: _Worth | str, unit: Unit) -> str:
    """How a value came about."""
    if isinstance(worth, str):
        return worth
    currency = worth.value.currency
    words = f"{percent(worth.share_bp)} of {unit.price}" if worth.share_bp else "Brings nothing"
    if worth.handling:
        words += f", less {Money(worth.handling, currency)} handling"
    if worth.work:
        words += f", less {Money(worth.work, currency)} for {unit.rework_minutes} min of work"
    return words


def percent(basis_points: int) -> str:
    """Basis points as a person reads them.

    >>> percent(1500), percent(250), percent(5)
    ('15 %', '2.5 %', '0.05 %')
    """
    whole, part = divmod(basis_points, 100)
    decimals = f"{part:02d}".rstrip("0")
    return f"{whole}.{decimals} %" if decimals else f"{whole} %"
