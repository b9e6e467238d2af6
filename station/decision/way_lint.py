"""Ways through a protocol that end nowhere: graded, nothing holds it, and still no disposition is open for the unit."""

from __future__ import annotations

from collections.abc import Iterator

from station.decision.cover import simulated_case
from station.decision.decide import decide
from station.decision.gates import DEROGABLE
from station.decision.model import Decision
from station.decision.rules import Rules
from station.inspection.lint_finding import Finding, warning
from station.inspection.protocol import Protocol
from station.inspection.protocol_lint_ways import path_text
from station.inspection.protocol_outcome import Adder, Outcome
from station.inspection.protocol_walk import Branch
from station.inspection.protocol_ways import Budget, TooManyWays, all_ends

MOST_OUTCOMES = 2_000
"""Different results that are decided; more are for nobody to check (``too_many_branches`` has said so)."""


def lint_dispositions(protocol: Protocol, rules: Rules) -> tuple[Finding, ...]:
    """Decide every different outcome under every policy and scheme; one finding per policy."""
    return tuple(_dead_ends(protocol, rules))


def _dead_ends(protocol: Protocol, rules: Rules) -> Iterator[Finding]:
    adder, branches = Adder(protocol), []
    try:
        for end, _ in all_ends(protocol, Outcome(), adder.add, Budget()):
            branches.append((Branch(end.situation, end.answers), end.path))
            if len(branches) > MOST_OUTCOMES:
                return
    except TooManyWays:
        return  # said by the protocol's own lint
    for policy in rules.policy_names():
        for branch, path in branches:
            grades: list[str] = []
            for scheme in rules.scheme_names():
                decision = decide(simulated_case(protocol, branch, policy=policy, scheme=scheme), rules)
                if _is_dead_end(decision):
                    grades.append(f"{decision.grade.code if decision.grade is not None else 'none'} of {scheme!r}")
            if grades:
                text = f"grade {', '.join(grades)} has no way open under policy {policy!r}: every such unit is held"
                yield warning("no_disposition", path_text(path), text)
                break


def _is_dead_end(decision: Decision) -> bool:
    """No way is open, and no recorded permission would open one: a ban that is lifted is a wait, not an end."""
    if all(reason.code != "no_way_open" for reason in decision.reasons):
        return False
    waits = {f"gate_{gate}" for gate in DEROGABLE}
    return all(alternative.reason.code not in waits for alternative in decision.alternatives)


def lint_grades(rules: Rules) -> dict[str, tuple[Finding, ...]]:
    """Scheme → grades that no way of any protocol leads to: nobody could ever give them."""
    given: dict[str, set[str]] = {name: set() for name in rules.scheme_names()}
    for protocol in rules.latest:
        adder = Adder(protocol)
        judged = [axis for axis in rules.axes.axes if protocol.judges(axis.id)]
        try:
            ends = [adder.finish(end.facts) for end, _ in all_ends(protocol, Outcome(), adder.add, Budget())]
        except TooManyWays:
            return {}  # said by the protocol's own lint; without it nothing is known
        for caps in dict.fromkeys(outcome.caps for outcome in ends):
            levels = dict(caps)
            if all(axis.id in levels for axis in judged):
                known = tuple(axis.at(max(1, min(levels[axis.id], axis.best))) for axis in judged)
                for name in given:
                    given[name].add(rules.scheme(name).grade(known).code)
    return {
        name: tuple(
            warning("grade_never_given", f"grade {rule.code!r}", "no answers of any protocol lead to it")
            for rule in rules.scheme(name).grades
            if rule.code not in given[name]
        )
        for name in given
    }
