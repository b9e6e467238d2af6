"""What every way is worth, and which one it is: gates first, then possibility, then money.

``worth`` says what one way is worth. Here the ways are ordered: those that are possible first, by value, equal values
in the order of the route book. Where the value of any possible way is unknown no two can be compared, and the rule
order decides alone; ways that are not possible change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from station.decision.books import Route, RouteBook
from station.decision.gates import GateBook, forbidding_reason
from station.decision.model import Alternative, Disposition, Floor, Gate, GateState, Reason
from station.decision.recovery import NO_RECOVERY, Recovery
from station.decision.scheme import GradingScheme
from station.decision.worth import Unit, Worth, percent, terms_of, words, worth_of
from station.returns.policy import Policy

__all__ = ["Unit", "percent", "value_routes"]


def value_routes(
    unit: Unit, policy: Policy | None, scheme: GradingScheme | None, routes: RouteBook, gates: GateBook,
    recovery: Recovery = NO_RECOVERY,
) -> tuple[Alternative, ...]:  # fmt: skip
    """List every way, best first, the impossible and forbidden ones behind with the rule that forbids them.

    Args:
        unit: grade, gates and price of the unit.
        policy: the merchant's policy; None = unknown, so nothing is offered.
        scheme: the grading scheme; None = unknown, so nothing has a value.
        routes: the ways, in rule order.
        gates: the gate book, for the ways that can remove what a gate objects to.
        recovery: what was learned from outcomes.

    Returns:
        One alternative per route of the book. Equal values keep the rule order.
    """
    helped = _helped(unit.gates, gates)
    forbidden = _forbidden(unit.gates, gates)
    rule = scheme.rule(unit.grade.code) if scheme is not None and unit.grade is not None else None
    levels = {axis.axis: axis.level for axis in unit.grade.axes} if unit.grade is not None else {}
    terms = terms_of(unit, rule, routes, recovery)
    listed: list[tuple[int, Alternative]] = []
    for number, route in enumerate(routes.routes):
        worth = terms if isinstance(terms, str) else worth_of(route, unit, terms)
        objection = forbidden.get(route.disposition) or _objection(
            route, unit, policy, levels, route.disposition in helped
        )
        reason = objection or Reason("route_value", words(worth, unit))
        value, parts = (worth.value, worth.parts) if isinstance(worth, Worth) else (None, ())
        listed.append((number, Alternative(route.disposition, value, objection is None, reason, parts)))
    by_money = all(alternative.value is not None for _, alternative in listed if alternative.allowed)

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
        if levels.get(axis, least) < least:  # an axis that this kind of goods does not have closes no way
            return Reason(f"route_{route.disposition}_needs", route.needs_text)
    if route.only_found and unit.found_reason not in route.only_found:
        return Reason(f"route_{route.disposition}_not_found", route.only_found_text)
    pointless = route.pointless_at and all(
        levels.get(axis, level) >= level for axis, level in route.pointless_at.items()
    )
    if pointless and not helped:
        return Reason(f"route_{route.disposition}_pointless", route.pointless_text)
    return _full(route, unit.floor)


def _full(route: Route, floor: Floor) -> Reason | None:
    """No place left today, or nothing left of what somebody takes off us in a period."""
    taken = dict(floor.taken).get(route.disposition)
    if taken is None:
        return None
    if route.capacity_per_day is not None and taken >= route.capacity_per_day:
        return Reason(f"route_{route.disposition}_full", f"All {route.capacity_per_day} places of today are taken")
    if route.quota is not None and taken >= route.quota.units:
        text = f"All {route.quota.units} units of these {route.quota.period_days} days are taken"
        return Reason(f"route_{route.disposition}_quota", text)
    return None
