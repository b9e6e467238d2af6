"""The merged walk: the same as walking each way by itself, and bounded where that would never end."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from station.decision.cover import cover_protocol, simulated_case
from station.decision.decide import decide
from station.decision.findings import read_findings
from station.decision.rules import load_rules
from station.decision.way_lint import lint_dispositions
from station.inspection.protocol import Protocol
from station.inspection.protocol_lint import LintBooks, lint
from station.inspection.protocol_outcome import Adder, Outcome
from station.inspection.protocol_walk import MOST_BRANCHES, branches, situations
from station.inspection.protocol_ways import Budget, Seen, TooManyWays, all_ends, distinct_situations
from tests.station.inspection.any_protocol import protocols, read, tables

RULES = load_rules()
BOOKS = LintBooks(RULES.axes, RULES.gates, tuple(RULES.scheme(name) for name in RULES.scheme_names()))
FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def _added_up(protocol: Protocol, way) -> Outcome:
    """One way by itself, through the decision's own reader of answers: what the walk must come to."""
    findings = read_findings(simulated_case(protocol, way, policy=RULES.policy_names()[0], scheme="standard"))
    answers = {answer.question: answer.choice for answer in way.answers}
    chosen = [question.choice(answers[question.id]) for question in protocol.questions if question.id in answers]
    assert findings.problems == ()
    return Outcome(
        caps=tuple(sorted(findings.caps.items())),
        raised=frozenset(findings.raised),
        cleared=frozenset(findings.cleared),
        found_reason=findings.found_reason,
        rework_minutes=findings.rework_minutes,
        has_defects=bool(findings.defects),
        part_missing=findings.part_missing,
        second_look=bool(findings.looks),
        remark=any(choice.reason for choice in chosen),
        asked=len(way.answers),
    )


@FEW
@given(protocols())
def test_merging_loses_no_way_and_adds_none(protocol: Protocol) -> None:
    """Every different outcome, with how many ways lead to it, is what the ways one by one come to."""
    one_by_one: Counter[Outcome] = Counter()
    for situation in situations(protocol):
        ways = list(branches(protocol, situation))
        if len(ways) >= MOST_BRANCHES:
            return
        one_by_one.update(_added_up(protocol, way) for way in ways)
    merged: Counter[Outcome] = Counter()
    adder, seen = Adder(protocol), Seen()
    for end, group in all_ends(protocol, Outcome(), adder.add, Budget(), seen):
        merged[adder.finish(end.facts)] += end.ways * len(group)
    assert merged == one_by_one


@FEW
@given(protocols(most_questions=4))
def test_the_example_of_an_outcome_is_a_way_with_that_outcome(protocol: Protocol) -> None:
    adder = Adder(protocol)
    for end, _ in all_ends(protocol, Outcome(), adder.add, Budget()):
        known = {tuple((a.question, a.choice) for a in way.answers) for way in branches(protocol, end.situation)}
        assert tuple((answer.question, answer.choice) for answer in end.answers) in known


@FEW
@given(protocols())
def test_what_is_passed_is_what_the_ways_pass(protocol: Protocol) -> None:
    choices: set[tuple[str, str]] = set()
    shots: set[str] = set()
    for situation in situations(protocol):
        for way in branches(protocol, situation):
            answers = {answer.question: answer.choice for answer in way.answers}
            choices.update(answers.items())
            found = protocol.shots_for(situation.declared_reason, situation.traits, answers)
            shots.update(shot.id for shot in found)
    seen = Seen()
    for _ in all_ends(protocol, (), lambda facts, question, choice, known: facts, Budget(), seen):
        pass
    assert (set(seen.choices), set(seen.shots)) == (choices, shots)


def _survives(protocol: Protocol) -> None:
    findings = lint(protocol, BOOKS)
    assert all(finding.text and finding.advice and finding.where for finding in findings)
    lint_dispositions(protocol, RULES)
    coverage = cover_protocol(protocol, RULES)
    assert coverage == cover_protocol(protocol, RULES), "deterministic"
    lacking = {finding.where for finding in findings if finding.code == "unreachable_question"}
    assert lacking == {f"question {name!r}" for name in coverage.never["questions"]}


@settings(FEW, max_examples=15)
@given(protocols(most_questions=2))
def test_lint_and_cover_never_fall_over(protocol: Protocol) -> None:
    _survives(protocol)


@pytest.mark.slow
@settings(FEW, max_examples=60)
@given(protocols())
def test_lint_and_cover_never_fall_over_for_long(protocol: Protocol) -> None:
    _survives(protocol)


@pytest.mark.parametrize("name", ["apparel", "electronics.phone", "hygiene"])
def test_coverage_is_what_each_way_by_itself_decides(name: str) -> None:
    """Merged counting against brute force, on what ships."""
    protocol = next(protocol for protocol in RULES.latest if protocol.id == name)
    scheme = RULES.scheme_names()[0]
    grades: Counter[str] = Counter()
    dispositions: Counter[str] = Counter()
    for situation in situations(protocol):
        for way in branches(protocol, situation):
            decision = decide(simulated_case(protocol, way, policy=RULES.policy_names()[0], scheme=scheme), RULES)
            grades[decision.grade.code if decision.grade is not None else "none"] += 1
            dispositions[decision.disposition.value] += 1
    coverage = cover_protocol(protocol, RULES)
    assert {grade: count for grade, count in coverage.grades[scheme].items() if count} == dict(grades)
    assert coverage.dispositions == dict(dispositions)
    assert coverage.branches == dispositions.total()


def _forty(*, entangled: bool) -> Protocol:
    """40 yes-or-no questions: 2^40 ways. Entangled, a last question looks at all of them."""
    choices = [
        {"id": "yes", "label": "Yes", "hint": "so", "axes": {"function": 6, "cosmetics": 9, "packaging": 5}},
        {"id": "no", "label": "No", "hint": "not so", "axes": {"function": 5}},
    ]
    questions = [
        {"id": f"q{n}", "text": "Is it?", "why": "Look", "type": "yes_no", "choices": choices} for n in range(40)
    ]
    if entangled:
        when = {"answers": {f"q{n}": ["yes"] for n in range(40)}}
        questions.append({"id": "last", "text": "All?", "why": "Look", "choices": choices, "when": when})
    return read(
        {"kind": "protocol", "id": "x", "version": 1, "title": "X", "categories": ["x"], "shots": [],
         "questions": questions}
    )  # fmt: skip


def test_2_to_the_40_ways_are_walked_in_a_moment() -> None:
    started = time.process_time()
    coverage = cover_protocol(_forty(entangled=False), RULES)
    codes = {finding.code for finding in lint(_forty(entangled=False), BOOKS)}
    assert coverage.branches == 2**40
    assert coverage.outcomes < 10
    assert coverage.missed == ()
    assert "too_many_branches" not in codes
    assert {"clean_way_too_long", "way_too_long"} <= codes
    assert time.process_time() - started < 20  # CPU of this process; each way by itself would take centuries


def test_what_cannot_be_merged_is_given_up_and_says_so() -> None:
    started = time.process_time()
    protocol = _forty(entangled=True)
    findings = lint(protocol, BOOKS)
    assert [f.code for f in findings if f.code == "too_many_branches"] == ["too_many_branches"]
    coverage = cover_protocol(protocol, RULES)
    assert coverage.gave_up
    assert not coverage.complete
    assert time.process_time() - started < 60


def test_too_many_traits_are_given_up() -> None:
    base = _forty(entangled=False)
    many = tuple(
        replace(question, when=replace(question.when, traits=(f"trait_{number}",)))
        for number, question in enumerate(base.questions)
    )
    with pytest.raises(TooManyWays, match="40 traits"):
        distinct_situations(replace(base, questions=many))
    assert "too_many_branches" in {finding.code for finding in lint(replace(base, questions=many), BOOKS)}


@FEW
@given(tables())
def test_negative_control_a_lost_answer_is_noticed(table) -> None:
    """The comparison has teeth: one way more or less makes it fail."""
    protocol = read(table)
    ends = list(all_ends(protocol, (), lambda facts, question, choice, known: facts, Budget()))
    total = sum(end.ways * len(group) for end, group in ends)
    table["questions"][0]["choices"].append({"id": "one_more", "label": "One more", "hint": "x"})
    if table["questions"][0]["type"] != "yes_no" and not table["questions"][0]["when"]:
        more = list(all_ends(read(table), (), lambda facts, question, choice, known: facts, Budget()))
        assert sum(end.ways * len(group) for end, group in more) > total
