"""Ways that end without a disposition, and the twin that has one."""

from __future__ import annotations

from dataclasses import replace

from station.decision.rules import Rules
from station.decision.way_lint import lint_dispositions
from station.inspection.protocol import Choice, Protocol


def _with_gates(rules: Rules, *gates: str) -> Protocol:
    """Homeware whose first answer raises gates."""
    protocol = rules.protocol("homeware", 1)
    assert protocol is not None
    first, *others = protocol.questions
    choice: Choice = replace(first.choices[0], gates=gates, reason="Found")
    return replace(protocol, questions=(replace(first, choices=(choice, *first.choices[1:])), *others))


def test_all_ways_closed_is_found_and_the_twin_is_not(rules: Rules) -> None:
    policies = {key: replace_routes(policy, ("restock", "liquidate")) for key, policy in rules.policies.items()}
    narrow = replace(rules, policies=policies, _current_policies={policy.name: policy for policy in policies.values()})
    found = lint_dispositions(_with_gates(rules, "contaminated"), narrow)
    assert {finding.code for finding in found} == {"no_disposition"}
    assert any(finding.where.startswith("look=") for finding in found)
    assert lint_dispositions(_with_gates(rules, "contaminated"), rules) == ()


def replace_routes(policy, routes):  # type: ignore[no-untyped-def]
    import msgspec

    return msgspec.structs.replace(policy, routes=tuple(routes))
