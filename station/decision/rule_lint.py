"""What is unwise in grading schemes and policies: grades nobody can get, deductions that do not fit together, typos."""

from __future__ import annotations

from itertools import pairwise

from station.decision.rules import Rules
from station.decision.scheme import AxisBook, GradingScheme
from station.inspection.protocol_lint import Finding
from station.returns.policy import Payer, Policy, covers


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
    if not policy.routes:
        found.append(Finding("no_routes", "routes", "no way is offered: every unit would be held"))
    return tuple(found)
