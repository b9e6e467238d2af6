"""What only shows when every way through a protocol is walked: dead ends, unjudged axes, gates that nobody asked about.

Bounded: the walk merges equal states and has a budget; where it gives up, a finding says so and nothing else that
needs the whole truth is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from station.decision.gates import GateBook, GateRule
from station.decision.model import AxisLevel
from station.decision.scheme import AxisBook, GradingScheme
from station.inspection.lint_finding import Finding, warning
from station.inspection.protocol import Protocol
from station.inspection.protocol_outcome import Adder, Outcome
from station.inspection.protocol_walk import Situation
from station.inspection.protocol_ways import (
    Budget,
    End,
    Path,
    Seen,
    TooManyWays,
    all_ends,
    distinct_situations,
    steps_of,
)
from station.returns.policy import covers

MOST_QUESTIONS_CLEAN, MOST_QUESTIONS = 3, 6
"""Questions that a clean unit, and any unit, is asked."""

Ways = list[tuple[End[Outcome], tuple[Situation, ...]]]


def lint_ways(
    protocol: Protocol,
    axes: AxisBook,
    gates: GateBook,
    schemes: tuple[GradingScheme, ...],
    budget: Budget | None = None,
) -> Iterator[Finding]:
    """Walk and judge."""
    budget = budget or Budget()
    try:
        yield from _reachable(protocol, budget)
        yield from _shortcuts(protocol)
        adder = Adder(protocol)
        ways = [(_finished(end, adder), group) for end, group in all_ends(protocol, Outcome(), adder.add, budget)]
    except TooManyWays as error:
        yield Finding("too_many_branches", "questions", f"the check gave up: {error}")
        return
    yield from _axes(protocol, ways, axes, gates)
    yield from _grades(protocol, ways, axes, schemes)
    yield from _lengths(ways)
    yield from _gates(protocol, ways, gates)


def _finished(end: End[Outcome], adder: Adder) -> End[Outcome]:
    return End(end.situation, adder.finish(end.facts), end.ways, end.path)


def _reachable(protocol: Protocol, budget: Budget) -> Iterator[Finding]:
    seen = Seen()
    for _ in all_ends(protocol, (), lambda facts, question, choice, known: facts, budget, seen):
        pass
    asked = {question for question, _ in seen.choices}
    for question in protocol.questions:
        if question.id not in asked:
            where = f"question {question.id!r}"
            yield Finding("unreachable_question", where, "no answers before it lead here: it is never asked")
    for shot in protocol.shots:
        if shot.id not in seen.shots:
            yield Finding("unreachable_shot", f"shot {shot.id!r}", "no way through asks for it: it is never taken")


def _shortcuts(protocol: Protocol) -> Iterator[Finding]:
    """A shortcut leaves no question open, in any situation in which it may be used."""
    for shortcut in protocol.shortcuts:
        gaps: set[str] = set()
        for group in distinct_situations(protocol):
            for situation in group:
                if situation.declared_reason not in shortcut.unless_reasons:
                    gaps.update(_open_after(protocol, shortcut.answers, situation))
        for name in sorted(gaps):
            yield Finding("shortcut_incomplete", f"shortcut {shortcut.code!r}", f"question {name!r} can stay open")


def _open_after(protocol: Protocol, answers: Mapping[str, str], situation: Situation) -> list[str]:
    """Questions that stay open when a shortcut answers every open question it can, in the order of the file."""
    given: dict[str, str] = {}
    left: list[str] = []
    for question in protocol.questions:
        if not question.when.holds(given, situation.declared_reason, situation.traits):
            continue
        if question.id in answers:
            given[question.id] = answers[question.id]
        else:
            left.append(question.id)
    return left


def path_text(path: Path) -> str:
    """A way as a person reads it."""
    return " → ".join(f"{question}={choice}" for question, choice in steps_of(path)) or "no question is asked"


def _is_held(outcome: Outcome, gates: GateBook) -> bool:
    """Some answer raises a gate that holds the unit whatever else is so."""
    return any((rule := gates.rule(gate)) is not None and rule.requires is not None for gate in outcome.raised)


def _axes(protocol: Protocol, ways: Ways, axes: AxisBook, gates: GateBook) -> Iterator[Finding]:
    """Every way judges every axis that these goods have, or ends in a hold."""
    told: set[tuple[str, ...]] = set()
    for end, _ in ways:
        lacking = tuple(axis.id for axis in axes.axes if protocol.judges(axis.id) and axis.id not in end.facts.levels)
        if lacking and lacking not in told and not _is_held(end.facts, gates):
            told.add(lacking)
            text = f"nobody looks at {', '.join(lacking)} on this way ({end.ways} like it)"
            yield Finding("axis_not_judged", path_text(end.path), text)


def _grades(protocol: Protocol, ways: Ways, axes: AxisBook, schemes: tuple[GradingScheme, ...]) -> Iterator[Finding]:
    """The best grade of a scheme must be reachable, or no unit of this kind could ever be sold as new."""
    judged = [axis for axis in axes.axes if protocol.judges(axis.id)]
    reached: dict[str, set[str]] = {scheme.name: set() for scheme in schemes}
    for caps in dict.fromkeys(end.facts.caps for end, _ in ways):
        levels = dict(caps)
        if all(axis.id in levels for axis in judged):
            known: tuple[AxisLevel, ...] = tuple(axis.at(max(1, min(levels[axis.id], axis.best))) for axis in judged)
            for scheme in schemes:
                reached[scheme.name].add(scheme.grade(known).code)
    for scheme in schemes:
        best = scheme.grades[0].code
        if best not in reached[scheme.name]:
            where = f"scheme {scheme.name!r}"
            yield Finding("unreachable_grade", where, f"no answers lead to the best grade {best!r}")


def _lengths(ways: Ways) -> Iterator[Finding]:
    """A clean unit costs at most three questions, any unit a handful."""
    clean = [end for end, group in ways if end.facts.clean and any(one.declared_reason is None for one in group)]
    if not clean:
        yield Finding("no_clean_way", "questions", "no way through is without a fault: a clean unit cannot pass")
    else:
        longest = max(clean, key=lambda end: end.facts.asked)
        if longest.facts.asked > MOST_QUESTIONS_CLEAN:
            text = f"a clean unit is asked {longest.facts.asked} questions, at most {MOST_QUESTIONS_CLEAN}"
            yield Finding("clean_way_too_long", path_text(longest.path), text)
    worst = max((end for end, _ in ways), key=lambda end: end.facts.asked)
    if worst.facts.asked > MOST_QUESTIONS:
        text = f"{worst.facts.asked} questions are asked on this way, at most {MOST_QUESTIONS}"
        yield warning("way_too_long", path_text(worst.path), text)


def _gates(protocol: Protocol, ways: Ways, gates: GateBook) -> Iterator[Finding]:
    """Where an article needs a gate, every way settles it: raised, cleared, held anyway or a second look."""
    choices = [choice for question in protocol.questions for choice in question.choices]
    mentioned = {gate for choice in choices for gate in (*choice.gates, *choice.clears)}
    for gate in protocol.unasked:
        if gate in mentioned:
            yield warning("unasked_but_asked", "unasked", f"{gate!r} is asked about by a question")
    for rule in gates.gates:
        if rule.proof == "none" or (rule.trait is None and not rule.categories):
            continue
        by_category = _asked_by_category(rule, protocol)
        if rule.id not in mentioned:
            if by_category:
                text = f"{rule.id!r} is asked for by the category, and no question is about it: {rule.unproven_text}"
                yield Finding("gate_never_asked", "questions", text)
            elif rule.trait is not None and rule.id not in protocol.unasked:
                text = f"an article marked {rule.trait!s} would stop at {rule.id!r} every time: {rule.unproven_text}"
                yield warning("trait_not_asked", "unasked", text)
            continue
        for end, group in ways:
            settled = rule.id in end.facts.raised | end.facts.cleared
            if settled or end.facts.second_look or _is_held(end.facts, gates):
                continue
            if by_category or _may_have(rule, protocol, group):
                text = f"{rule.id!r} is neither raised nor cleared on this way: {rule.unproven_text}"
                yield Finding("gate_never_asked", path_text(end.path), text)
                break


def _asked_by_category(rule: GateRule, protocol: Protocol) -> bool:
    own = [applies.category for applies in protocol.is_for if applies.category is not None]
    return any(covers(prefix, category) for prefix in rule.categories for category in own)


def _may_have(rule: GateRule, protocol: Protocol, group: tuple[Situation, ...]) -> bool:
    """Whether an article with the gate's trait can be in one of these situations."""
    if rule.trait is None:
        return False
    conditions = [*(question.when for question in protocol.questions), *(shot.when for shot in protocol.shots)]
    if all(rule.trait not in condition.traits for condition in conditions):
        return True
    return any(rule.trait in situation.traits for situation in group)
