"""Ways that end without a disposition, and the twin that has one."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from station.decision.model import Disposition
from station.decision.rules import Rules
from station.decision.way_lint import lint_dispositions, lint_grades
from station.inspection.protocol import Choice, Protocol
from station.returns.policy import Policy


def _with_gates(rules: Rules, *gates: str) -> Protocol:
    """Homeware whose first answer raises gates."""
    protocol = rules.protocol("homeware", 2)
    assert protocol is not None
    first, *others = protocol.questions
    choice: Choice = replace(first.choices[0], gates=gates, reason="Found")
    return replace(protocol, questions=(replace(first, choices=(choice, *first.choices[1:])), *others))


def test_all_ways_closed_is_found_and_the_twin_is_not(rules: Rules) -> None:
    policies = {
        key: _offering(policy, Disposition.RESTOCK, Disposition.LIQUIDATE) for key, policy in rules.policies.items()
    }
    narrow = replace(rules, policies=policies, _current_policies={policy.name: policy for policy in policies.values()})
    found = lint_dispositions(_with_gates(rules, "contaminated"), narrow)
    assert {finding.code for finding in found} == {"no_disposition"}
    assert any(finding.where.startswith("look=") for finding in found)
    assert lint_dispositions(_with_gates(rules, "contaminated"), rules) == ()


def _offering(policy: Policy, *routes: Disposition) -> Policy:
    return msgspec.structs.replace(policy, routes=routes)


def test_a_grade_that_no_protocol_gives_is_found_and_the_twin_is_not(rules: Rules) -> None:
    assert set(lint_grades(rules).values()) == {()}
    homeware = rules.protocol("homeware", 2)
    assert homeware is not None
    found = lint_grades(replace(rules, latest=(replace(homeware, questions=homeware.questions[:1]),)))
    assert {finding.code for findings in found.values() for finding in findings} == {"grade_never_given"}
