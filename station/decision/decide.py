"""The whole answer for one unit: pure, total, and the same bytes for the same case and rules.

Order: findings → axes → grade → gates → refund → ways and their value → second look → tote. Gates outrank terms, terms
outrank money. Whatever does not fit any rule ends in quarantine with the reason, never in an exception.
"""

from __future__ import annotations

from msgspec.structs import replace

from station.decision.customs import customs_note
from station.decision.economics import value_routes
from station.decision.findings import Findings, read_findings
from station.decision.flips import flips_of
from station.decision.gates import UNMAPPED, evaluate, hold, is_unproven, same_serial
from station.decision.inputs import inputs_of, unit_of
from station.decision.learned_inputs import learned_inputs
from station.decision.model import (
    Alternative,
    AxisLevel,
    Case,
    Decision,
    Disposition,
    Gate,
    GateState,
    Reason,
)
from station.decision.refund import NONE, RefundAnswer, decide_refund
from station.decision.rules import Rules
from station.decision.scheme import GradingScheme
from station.decision.second_look import each_once, second_looks
from station.errors import InvalidInput
from station.inspection.facts import IdentityOutcome, WeightVerdict
from station.returns.policy import Policy

_CLEAN = (Disposition.RESTOCK, Disposition.REPACKAGE)


def decide(case: Case, rules: Rules) -> Decision:
    """Decide one unit.

    Args:
        case: what is known; nothing is assumed about it.
        rules: the loaded rule files.

    Returns:
        Grade, gates, disposition with all alternatives, refund, tote and second looks, each with its reasons.
    """
    policy, scheme, missing = _rules_for(case, rules)
    findings = _found_reason(case, read_findings(case, missing), rules)
    axes = _axes(case, findings, rules)
    grade = scheme.grade(axes) if scheme is not None and axes and case.identity is not IdentityOutcome.MISSING else None
    gates = evaluate(case, findings, rules.gates, rules.recalls)
    if grade is None and not any(gate.requires is not None and gate.state is GateState.RAISED for gate in gates):
        text = "Not every side of its condition was looked at: held"
        gates = (hold(UNMAPPED, "condition_not_judged", text), *gates)
    answer = decide_refund(case, policy, findings, gates, axes, rules.reasons, rules.gates)
    unit = unit_of(case, grade, gates, findings, refused=answer.refused)
    alternatives = value_routes(unit, policy, scheme, rules.routes, rules.gates, rules.recovery)
    proposed, why = _choose(gates, alternatives, answer, policy)
    disposition, override = _override(case, proposed, gates, alternatives)
    looks = second_looks(case, policy, findings, gates, rules.reasons)
    if override is not None and override.code == "override_refused":
        looks = (*looks, override)
    category = case.item.category if case.item is not None else None
    reasons = _reasons(case, gates, findings, why, override, rules)
    return Decision(
        grade=grade,
        gates=gates,
        disposition=disposition,
        reasons=reasons,
        alternatives=_with_chosen(disposition, alternatives, why if disposition is proposed else override or why),
        refund=answer.refund,
        tote=rules.totes.tote(disposition, category, _handling(case, gates, disposition, rules)),
        found_reason=findings.found_reason,
        second_look=looks,
        needs_confirm=_needs_confirm(gates, findings, disposition, looks, override, answer, rules),
        versions=_versions(case, policy, scheme, rules),
        flips=flips_of(unit, alternatives, rules.routes) if why.code == "worth_most" else (),
        inputs=(*inputs_of(case, unit), *learned_inputs(unit, rules.routes, rules.recovery)),
        customs=customs_note(case, policy, findings, axes, rules.reasons),
    )


def _rules_for(case: Case, rules: Rules) -> tuple[Policy | None, GradingScheme | None, Reason | None]:
    """Policy and scheme, and why no rule fits where one of them or the protocol is missing."""
    policy: Policy | None = None
    scheme: GradingScheme | None = None
    missing: Reason | None = None
    if case.merchant is None:
        missing = Reason("no_merchant", "No merchant is known for this parcel: held")
    else:
        try:
            policy = rules.policy(case.merchant.policy)
        except InvalidInput:
            missing = Reason("no_policy", f"No policy {case.merchant.policy!r} is on this station: held")
        try:
            scheme = rules.scheme(case.merchant.grading_scheme)
        except InvalidInput:
            missing = missing or Reason(
                "no_scheme", f"No grading scheme {case.merchant.grading_scheme!r} is on this station: held"
            )
    if case.item is None:
        missing = missing or Reason("no_article", "The article is not in the catalogue: held")
    elif case.item.category is None:
        missing = missing or Reason("unmapped", "The article has no category: held until it is mapped")
    elif case.protocol is None:
        text = f"No protocol covers {case.item.category!r}: held until there is one"
        missing = missing or Reason("no_protocol", text)
    if case.identity is not IdentityOutcome.MATCH and missing is not None and missing.code == "no_article":
        missing = None  # identity says it better
    return policy, scheme, missing


def _axes(case: Case, findings: Findings, rules: Rules) -> tuple[AxisLevel, ...]:
    """All axes, or none where some side of the condition was not looked at or the answers contradict each other."""
    if case.protocol is None or findings.problems:
        return ()
    levels: list[AxisLevel] = []
    for axis in rules.axes.axes:
        cap = findings.caps.get(axis.id)
        if cap is None:
            if case.protocol.judges(axis.id):
                return ()
            continue
        levels.append(axis.at(max(1, min(cap, axis.best))))
    return tuple(levels)


def _found_reason(case: Case, findings: Findings, rules: Rules) -> Findings:
    """Where no answer established a reason, compare the declared one with the condition.

    A fault that is declared and borne out counts as found; declared and not borne out on a fully judged unit is *no
    fault found*. Taste and fit can be neither.
    """
    declared = rules.reasons.reason(findings.declared)
    if findings.found_reason is None and findings.declared == "wrong_item" and case.identity is IdentityOutcome.MATCH:
        return replace(findings, found_reason="right_item_found")
    judged = case.protocol is not None and all(
        axis.id in findings.caps for axis in rules.axes.axes if case.protocol.judges(axis.id)
    )
    if findings.found_reason is not None or declared is None or not declared.evidence or not judged:
        return findings
    borne_out = any(axis in findings.caps and findings.caps[axis] <= level for axis, level in declared.evidence.items())
    return replace(findings, found_reason=declared.code if borne_out else "no_fault_found")


def _choose(
    gates: tuple[Gate, ...], alternatives: tuple[Alternative, ...], answer: RefundAnswer, policy: Policy | None
) -> tuple[Disposition, Reason]:
    """The route: what a gate requires, then what the terms require, then the best way that is left."""
    raised = [gate for gate in gates if gate.state is GateState.RAISED]
    for gate in raised:
        if gate.requires is not None:
            return gate.requires, gate.reason
    if answer.waits:
        return Disposition.QUARANTINE, Reason("waits_for_refund", "Held until a person has decided the refund")
    if answer.refused and policy is not None and policy.refund.refused_goods == "hold":
        return Disposition.QUARANTINE, Reason("refused_hold", "Refund refused: held for the customer")
    allowed = [alternative for alternative in alternatives if alternative.allowed]
    if not allowed:
        return Disposition.QUARANTINE, Reason("no_way_open", "No way is open for this unit: held")
    best = allowed[0]
    title = _title(best.disposition)
    if answer.refused:
        return best.disposition, Reason("refused_ship_back", "Refund refused: the goods go back to the customer")
    if best.value is None:
        return best.disposition, Reason("first_by_rule", f"{title} comes first by rule: no values known")
    if len(allowed) == 1:
        return best.disposition, Reason("only_way", f"{title} is the only way open")
    return best.disposition, Reason("worth_most", f"{title} is worth most: {best.value}")


def _override(
    case: Case, proposed: Disposition, gates: tuple[Gate, ...], alternatives: tuple[Alternative, ...]
) -> tuple[Disposition, Reason | None]:
    """A person's choice, where no gate forbids it. A hold is always possible while there is something to hold."""
    if case.override is None or case.override.disposition is proposed:
        return proposed, None
    wanted = case.override.disposition
    forbidding = next((gate for gate in gates if gate.state is GateState.RAISED and wanted in gate.forbids), None)
    route = next((alternative for alternative in alternatives if alternative.disposition is wanted), None)
    possible = wanted is Disposition.QUARANTINE or (route is not None and route.allowed)
    if forbidding is None and possible and case.override.reason.strip():
        return wanted, Reason("override", f"{_title(wanted)} chosen by a person: {case.override.reason}")
    why = (
        forbidding.reason.text
        if forbidding is not None
        else "no reason was given"
        if not case.override.reason.strip()
        else route.reason.text
        if route is not None
        else "not a way that can be chosen"
    )
    return proposed, Reason("override_refused", f"{_title(wanted)} was asked for and is not possible: {why}")


def _reasons(
    case: Case, gates: tuple[Gate, ...], findings: Findings, why: Reason, override: Reason | None, rules: Rules
) -> tuple[Reason, ...]:
    """Most important first, each sentence once: gates, what was found, why this way, what is in order."""
    listed: list[Reason] = [override] if override is not None else []
    raised = [gate for gate in gates if gate.state is GateState.RAISED and not rules.is_quiet(gate.id)]
    held = any(gate.requires is not None for gate in raised)
    # Where the unit is held anyway, what nobody had to look at is no reason.
    listed.extend(gate.reason for gate in raised if gate.requires is not None or not (held and is_unproven(gate)))
    listed.extend(findings.statements)
    if why.code == "no_way_open":
        listed.extend(gate.reason for gate in gates if gate.state is GateState.RAISED and rules.is_quiet(gate.id))
    if len(findings.problems) > 1:
        listed.extend(findings.problems[1:3])
    listed.append(why)
    fine = _in_order(case)
    if fine is not None:
        listed.append(fine)
    return each_once(listed)


def _in_order(case: Case) -> Reason | None:
    """What was checked and is as it should be."""
    if case.identity is not IdentityOutcome.MATCH:
        return None
    weighed = case.weight is not None and case.weight.verdict is WeightVerdict.PLAUSIBLE
    what = "Serial matches the order" if same_serial(case) else "Article matches the return"
    return Reason("in_order", f"{what}; weight as expected" if weighed else what)


def _with_chosen(
    disposition: Disposition, alternatives: tuple[Alternative, ...], why: Reason
) -> tuple[Alternative, ...]:
    """Hold and *missing* are no ways to earn money; where one is chosen it leads the list."""
    if any(alternative.disposition is disposition for alternative in alternatives):
        return alternatives
    return (Alternative(disposition, None, True, why), *alternatives)


def _handling(case: Case, gates: tuple[Gate, ...], disposition: Disposition, rules: Rules) -> str:
    if disposition is not Disposition.QUARANTINE:
        return ""
    for gate in gates:
        rule = rules.gates.rule(gate.id)
        if gate.state is not GateState.RAISED or rule is None or not rule.handling:
            continue
        if not is_unproven(gate) or case.identity is IdentityOutcome.MATCH:
            return rule.handling
    return ""


def _needs_confirm(
    gates: tuple[Gate, ...], findings: Findings, disposition: Disposition, looks: tuple[Reason, ...],
    override: Reason | None, answer: RefundAnswer, rules: Rules,
) -> bool:  # fmt: skip
    if looks or override is not None or findings.defects or disposition not in _CLEAN:
        return True
    if any(gate.state is GateState.RAISED and not rules.is_quiet(gate.id) for gate in gates):
        return True
    return answer.refund.decision == NONE


def _versions(
    case: Case, policy: Policy | None, scheme: GradingScheme | None, rules: Rules
) -> tuple[tuple[str, str], ...]:
    protocol = case.protocol
    used: list[tuple[str, str]] = []
    if protocol is not None:
        used.append(("protocol", f"{protocol.id}@{protocol.version} {protocol.sha256}"))
    if scheme is not None:
        used.append(("scheme", f"{scheme.name}@{scheme.version} {scheme.sha256}"))
    if policy is not None:
        used.append(("policy", f"{policy.name}@{policy.version} {policy.sha256}"))
    return (*used, *rules.book_versions)


def _title(disposition: Disposition) -> str:
    return disposition.value.replace("_", " ").capitalize()
