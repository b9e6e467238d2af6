"""What is unwise in grading schemes and policies: grades nobody can get, deductions that do not fit together, typos."""

from __future__ import annotations

from itertools import pairwise

from station.decision.books import RouteBook
from station.decision.rules import Rules
from station.decision.scheme import AxisBook, GradingScheme
from station.inspection.lint_finding import Finding, warning
from station.returns.policy import Payer, Policy, Release, covers


def lint_scheme(scheme: GradingScheme, axes: AxisBook) -> tuple[Finding, ...]:
    """A grade whose minimum an earlier grade already accepts can never be given."""
    found: list[Finding] = []
    for number, rule in enumerate(scheme.grades):
        for earlier in scheme.grades[:number]:
            if all(rule.minimum.get(axis, 1) >= least for axis, least in earlier.minimum.items()):
                text = f"grade {earlier.code!r} comes first and takes every unit that could get it"
                found.append(Finding("unreachable_grade", f"grade {rule.code!r}", text))
                break
        if not rule.recovery_bp:
            text = "no way brings anything for it: give 'recovery_bp'"
            found.append(Finding("no_recovery", f"grade {rule.code!r}", text))
    meanings = [rule.meaning for rule in scheme.grades]
    if len(set(meanings)) != len(meanings):
        found.append(Finding("same_meaning", "grades", "two grades mean the same: nobody could tell them apart"))
    return tuple(found)


def lint_policy(policy: Policy, rules: Rules) -> tuple[Finding, ...]:
    """Deductions that contradict each other, categories that nothing has, money that is asked for and never taken."""
    found: list[Finding] = []
    for axis in dict.fromkeys(rule.axis for rule in policy.deductions):
        steps = sorted((rule for rule in policy.deductions if rule.axis == axis), key=lambda rule: rule.at_most)
        for lower, higher in pairwise(steps):
            where = f"deduction {lower.reason!r}"
            if lower.at_most == higher.at_most:
                found.append(Finding("deduction_twice", where, f"{axis} at most {lower.at_most} is there twice"))
            elif lower.basis_points < higher.basis_points:
                text = f"worse {axis} costs less than {higher.reason!r}: turn them round"
                found.append(Finding("deduction_order", where, text))
        hardest = max((rule.basis_points for rule in steps), default=0)
        if hardest > policy.max_deduction_bp:
            text = f"{axis} takes up to {hardest}, 'max_deduction_bp' allows {policy.max_deduction_bp}"
            found.append(Finding("deduction_capped", "max_deduction_bp", text))
    prefixes = [one.category for protocol in rules.latest for one in protocol.is_for if one.category is not None]
    tables = {"window.categories": policy.window.categories, "fees.categories": policy.fees.categories}
    for table, categories in tables.items():
        for category in categories:
            if not any(covers(prefix, category) or covers(category, prefix) for prefix in prefixes):
                found.append(Finding("unknown_category", table, f"no protocol covers {category!r}: a typo?"))
    pays = policy.shipping.paid_by is Payer.CUSTOMER or Payer.CUSTOMER in policy.shipping.by_reason.values()
    if pays and not policy.shipping.label_cost:
        text = "the customer pays the way back, but no cost is given: nothing is taken off"
        found.append(Finding("label_cost_missing", "shipping.label_cost", text))
    if policy.refund.release is Release.FIRST_SCAN and not policy.refund.claw_back:
        text = "money leaves at the first scan and none ever comes back: an empty box is paid"
        found.append(warning("no_claw_back", "refund.claw_back", text))
    keeps = policy.refund.keep_it_below
    for currency, least in policy.refund.claw_back_from.items():
        if least > policy.second_look.value_from.get(currency, least):
            text = f"{currency}: what a second person looks at would be left to the customer"
            found.append(warning("claw_back_from_high", "refund.claw_back_from", text))
    for currency, below in keeps.items():
        if below >= policy.second_look.value_from.get(currency, below + 1):
            text = f"{currency}: what a second person looks at need not come back at all"
            found.append(warning("keep_it_high", "refund.keep_it_below", text))
    currencies = {name: set(table) for name, table in _money_tables(policy).items() if table}
    every = set().union(*currencies.values()) if currencies else set()
    for name, known in currencies.items():
        if every - known:
            text = f"says nothing for {', '.join(sorted(every - known))}, which other tables of the policy name"
            found.append(warning("currency_missing", name, text))
    if not policy.routes:
        found.append(Finding("no_routes", "routes", "no way is offered: every unit would be held"))
    return tuple(found)


def _money_tables(policy: Policy) -> dict[str, dict[str, int]]:
    return {
        "shipping.label_cost": policy.shipping.label_cost,
        "refund.keep_it_below": policy.refund.keep_it_below,
        "refund.instant_up_to": policy.refund.instant_up_to,
        "refund.claw_back_from": policy.refund.claw_back_from,
        "fees.most": policy.fees.most,
        "second_look.value_from": policy.second_look.value_from,
    }


def lint_routes(book: RouteBook) -> tuple[Finding, ...]:
    """Steps of a freight table that no unit reaches, currencies that some costs lack, capacity that offers nothing."""
    found: list[Finding] = []
    every = {currency for route in book.routes for currency in route.cost}
    for route in book.routes:
        where = f"route {route.disposition.value!r}"
        tables = {"cost": route.cost, **{f"freight {n}": band.cost for n, band in enumerate(route.freight, 1)}}
        if route.quota is not None and route.quota.batch_freight:
            tables["quota.batch_freight"] = route.quota.batch_freight
        for name, table in tables.items():
            if every - set(table):
                text = f"{name} says nothing for {', '.join(sorted(every - set(table)))}: there the rule order decides"
                found.append(warning("currency_missing", where, text))
        for number, band in enumerate(route.freight):
            for earlier in route.freight[:number]:
                if _at_least(earlier.up_to_g, band.up_to_g) and _at_least(earlier.up_to_cm3, band.up_to_cm3):
                    text = f"freight {number + 1} is never reached: an earlier step takes every unit that fits it"
                    found.append(warning("freight_unreachable", where, text))
                    break
        if route.freight and (route.freight[-1].up_to_g is not None or route.freight[-1].up_to_cm3 is not None):
            text = "the last freight step has a limit: a unit beyond it, or of unknown mass, has no value"
            found.append(warning("freight_ends", where, text))
        if route.capacity_per_day == 0 or (route.quota is not None and route.quota.units == 0):
            found.append(Finding("no_room", where, "it never has a place: leave the way out"))
        if route.quota is not None and route.quota.minimum_batch > max(1, route.quota.units):
            found.append(Finding("batch_too_large", where, "a batch needs more units than the quota allows"))
    return tuple(found)


def _at_least(limit: int | None, other: int | None) -> bool:
    """Whether a limit lets through all that another one does; None = no limit."""
    return limit is None or (other is not None and limit >= other)
