"""Coverage of a protocol: all ways are walked by merging, each different outcome is decided for a simulated item.

Merged, never sampled: ways that no decision can tell apart (``protocol_outcome``) are decided once and counted with
their number. Every outcome is decided under every grading scheme; besides, one fact at a time is bent: every weight
verdict with every answer to its question, every declared reason that the rules treat differently, every trait of the
catalogue. (Their product is not walked: gates, weight and reason are looked at independently of each other.)
Deterministic, and bounded by the walk's budget: where it gives up, ``gave_up`` says so and nothing is complete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from station.decision.decide import decide
from station.decision.model import Case, Decision, Disposition, GateState
from station.decision.rules import Rules
from station.inspection.facts import Answer, IdentityOutcome, WeightJudgement, WeightVerdict
from station.inspection.plausibility import COMPLETE, EMPTY_BOX, PART_MISSING, SOMETHING_ELSE, WEIGHT_CHECK
from station.inspection.protocol import Protocol
from station.inspection.protocol_outcome import Adder, Outcome
from station.inspection.protocol_walk import Branch, Situation
from station.inspection.protocol_ways import Budget, End, Seen, TooManyWays, all_ends
from station.quantities import Money
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine, Trait

_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
_PRICE = Money(8_990, "EUR")
UNGRADED = "none"
_DOUBTFUL = (WeightVerdict.TOO_LIGHT, WeightVerdict.TOO_HEAVY, WeightVerdict.EMPTY)
_WEIGHT_ANSWERS = (COMPLETE, PART_MISSING, SOMETHING_ELSE, EMPTY_BOX)
MOST_DECISIONS = 6_000
"""Decisions for one protocol; beyond that the bending of single facts stops and ``gave_up`` says so."""
MOST_OUTCOMES = 4_000
"""Different results of one protocol; beyond that the whole walk is given up: nobody could look at them."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the ways of one protocol reach."""

    protocol: str
    version: int
    branches: int
    """Ways through, exactly, over all situations that it tells apart."""
    outcomes: int
    """Different results of those ways."""
    decisions: int
    choices: int
    choices_reached: int
    missed: tuple[str, ...]
    """Choices that no way gives, as ``question=choice``."""
    longest: int
    longest_clean: int
    """Questions on the longest way that needs no CONFIRM."""
    grades: dict[str, dict[str, int]]
    """Scheme → grade → ways; every grade is listed, 0 = never reached."""
    dispositions: dict[str, int]
    """Disposition → ways, weight as expected, under the first scheme."""
    questions: dict[str, int] = field(default_factory=dict)
    """Question → ways that ask it."""
    shots: dict[str, int] = field(default_factory=dict)
    gates: dict[str, dict[str, int]] = field(default_factory=dict)
    """Gate → ``raised`` or ``clear`` → decisions, of every gate that was looked at or is named in the protocol."""
    verdicts: dict[str, dict[str, int]] = field(default_factory=dict)
    """Weight verdict → disposition → decisions."""
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    """Declared reason (of those that the rules treat alike, the first) → disposition → decisions."""
    never: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What was never reached, by kind: questions, choices, shots, grades, gates, dispositions."""
    gave_up: str = ""
    """Why the walk is not the whole truth; empty = it is."""

    @property
    def complete(self) -> bool:
        """Every question, choice and shot is reached by some way, and some way is clean."""
        lacking = any(self.never.get(kind) for kind in ("questions", "choices", "shots"))
        return not (self.gave_up or self.missed or lacking) and self.longest_clean > 0


def simulated_case(protocol: Protocol, branch: Branch, *, policy: str, scheme: str) -> Case:
    """A plain unit that took this branch: right article, weight as expected, day 12 of the window."""
    merchant = Merchant("simulated", "Simulated", policy, scheme)
    situation = branch.situation
    known = {trait.value for trait in Trait}
    applies = protocol.is_for[0]
    item = CatalogueItem(
        merchant_id=merchant.id,
        sku=applies.sku or "SIM-1",
        title=protocol.title,
        category=applies.category or "simulated",
        price=_PRICE,
        mass_mg=288_000,
        traits=tuple(Trait(trait) for trait in situation.traits if trait in known),
    )
    line = ReturnLine(1, item.sku, 1, situation.declared_reason, paid=_PRICE)
    delivered = _AT - timedelta(days=12)
    return Case(
        at=_AT,
        identity=IdentityOutcome.MATCH,
        merchant=merchant,
        item=item,
        authorisation=ReturnAuthorisation("SIM", merchant.id, None, (line,), delivered_at=delivered),
        line=line,
        protocol=protocol,
        answers=branch.answers,
        weight=_weighed(WeightVerdict.PLAUSIBLE),
    )


def _weighed(verdict: WeightVerdict) -> WeightJudgement:
    return WeightJudgement(verdict, 0, 288_000, 5_760, None)


def cover_protocol(protocol: Protocol, rules: Rules, budget: Budget | None = None) -> Coverage:
    """Walk a protocol to the end and count."""
    count = _Count(protocol, rules)
    try:
        count.walk(budget or Budget())
    except TooManyWays as error:
        count.gave_up = str(error)
    return count.coverage()


class _Count:
    """Counts while walking; only :func:`cover_protocol` sees it."""

    def __init__(self, protocol: Protocol, rules: Rules) -> None:
        self.protocol, self.rules = protocol, rules
        self.policy = rules.policy_names()[0]
        self.schemes = rules.scheme_names()
        self.seen = Seen()
        self.gave_up = ""
        self.branches = self.outcomes = self.decisions = self.longest = self.clean = 0
        self.grades = {
            name: {rule.code: 0 for rule in rules.scheme(name).grades} | {UNGRADED: 0} for name in self.schemes
        }
        self.dispositions: Counter[Disposition] = Counter()
        self.reached: set[Disposition] = set()
        self.gates: dict[str, Counter[str]] = {}
        self.verdicts: dict[str, Counter[str]] = {}
        self.reasons: dict[str, Counter[str]] = {}

    def walk(self, budget: Budget) -> None:
        adder = Adder(self.protocol)
        for end, group in all_ends(self.protocol, Outcome(), adder.add, budget, self.seen):
            self._end(end, len(group))
            if self.decisions <= MOST_DECISIONS:
                self._bend(end)
            else:
                self.gave_up = f"more than {MOST_DECISIONS} decisions: single facts were not bent on every way"

    def _end(self, end: End[Outcome], stands_for: int) -> None:
        ways = end.ways * stands_for
        self.branches += ways
        self.outcomes += 1
        if self.outcomes > MOST_OUTCOMES:
            raise TooManyWays(f"more than {MOST_OUTCOMES} different results")
        self.longest = max(self.longest, end.facts.asked)
        for scheme in self.schemes:
            decision = self._decide(self._case(end.situation, end.answers, scheme))
            self.grades[scheme][decision.grade.code if decision.grade is not None else UNGRADED] += ways
            if scheme == self.schemes[0]:
                self.dispositions[decision.disposition] += ways
                if not decision.needs_confirm:
                    self.clean = max(self.clean, end.facts.asked)

    def _bend(self, end: End[Outcome]) -> None:
        """One fact at a time."""
        plain = self._case(end.situation, end.answers, self.schemes[0])
        for verdict in WeightVerdict:
            for answers in _weight_answers(verdict, end.answers):
                decision = self._decide(replace(plain, weight=_weighed(verdict), answers=answers))
                self.verdicts.setdefault(verdict.value, Counter())[decision.disposition.value] += 1
        for reason in self._reasons():
            line = replace(plain.line, declared_reason=reason) if plain.line is not None else None
            situation = Situation(reason, end.situation.traits)
            if line is None or not _same_questions(self.protocol, end, situation):
                continue
            decision = self._decide(replace(plain, line=line))
            self.reasons.setdefault(reason, Counter())[decision.disposition.value] += 1
        for trait in Trait:
            situation = Situation(end.situation.declared_reason, (*end.situation.traits, trait.value))
            if trait.value not in end.situation.traits and _same_questions(self.protocol, end, situation):
                self._decide(self._case(situation, end.answers, self.schemes[0]))

    def _case(self, situation: Situation, answers: tuple[Answer, ...], scheme: str) -> Case:
        return simulated_case(self.protocol, Branch(situation, answers), policy=self.policy, scheme=scheme)

    def _decide(self, case: Case) -> Decision:
        decision = decide(case, self.rules)
        self.decisions += 1
        self.reached.add(decision.disposition)
        for gate in decision.gates:
            self.gates.setdefault(gate.id, Counter())[gate.state.value] += 1
        return decision

    def _reasons(self) -> tuple[str, ...]:
        """One declared reason of each sort that rules tell apart, the first of its sort."""
        policy = self.rules.policy(self.policy)
        named = {reason for shortcut in self.protocol.shortcuts for reason in shortcut.unless_reasons}
        sorts: dict[tuple[object, ...], str] = {}
        for reason in self.rules.reasons.reasons:
            evidence = tuple(sorted(reason.evidence.items()))
            paid_by = policy.shipping.by_reason.get(reason.code)
            sort = (evidence, reason.our_error, reason.soft, reason.code in named, paid_by)
            sorts.setdefault(sort, reason.code)
        return tuple(sorts.values())

    def coverage(self) -> Coverage:
        protocol, seen = self.protocol, self.seen
        every = [(question.id, choice.id) for question in protocol.questions for choice in question.choices]
        missed = tuple(f"{question}={choice}" for question, choice in every if (question, choice) not in seen.choices)
        questions: Counter[str] = Counter()
        for (question, _), ways in seen.choices.items():
            questions[question] += ways
        return Coverage(
            protocol=protocol.id,
            version=protocol.version,
            branches=self.branches,
            outcomes=self.outcomes,
            decisions=self.decisions,
            choices=len(every),
            choices_reached=len(every) - len(missed),
            missed=missed,
            longest=self.longest,
            longest_clean=self.clean,
            grades=self.grades,
            dispositions={name.value: self.dispositions[name] for name in Disposition if self.dispositions[name]},
            questions={question.id: questions[question.id] for question in protocol.questions},
            shots={shot.id: seen.shots.get(shot.id, 0) for shot in protocol.shots},
            gates=self._gate_table(),
            verdicts=_sorted(self.verdicts),
            reasons=_sorted(self.reasons),
            never=self._never(missed, questions),
            gave_up=self.gave_up,
        )

    def _gate_table(self) -> dict[str, dict[str, int]]:
        states = [state.value for state in GateState]
        named = {gate for question in self.protocol.questions for choice in question.choices for gate in choice.gates}
        return {
            gate: {state: self.gates.get(gate, Counter())[state] for state in states}
            for gate in sorted({*self.gates, *named})
        }

    def _never(self, missed: tuple[str, ...], questions: Counter[str]) -> dict[str, tuple[str, ...]]:
        choices = [choice for question in self.protocol.questions for choice in question.choices]
        gates = {f"{gate} raised" for choice in choices for gate in choice.gates}
        gates |= {f"{gate} clear" for choice in choices for gate in choice.clears}
        looked_at = {f"{gate} {state}" for gate, states in self.gates.items() for state, n in states.items() if n}
        return {
            "questions": tuple(q.id for q in self.protocol.questions if not questions[q.id]),
            "choices": missed,
            "shots": tuple(shot.id for shot in self.protocol.shots if not self.seen.shots.get(shot.id)),
            "grades": tuple(
                f"{scheme}:{grade}"
                for scheme, grades in self.grades.items()
                for grade, count in grades.items()
                if not count and grade != UNGRADED
            ),
            "gates": tuple(sorted(gates - looked_at)),
            "dispositions": tuple(
                one.value for one in Disposition if one not in self.reached and one is not Disposition.MISSING
            ),
        }


def _sorted(table: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {key: dict(sorted(counts.items())) for key, counts in table.items()}


def _weight_answers(verdict: WeightVerdict, answers: tuple[Answer, ...]) -> Iterator[tuple[Answer, ...]]:
    """A doubtful weight is always explained by the inspector, in each of the ways there are."""
    if verdict not in _DOUBTFUL:
        yield answers
        return
    for choice in _WEIGHT_ANSWERS:
        yield (Answer(WEIGHT_CHECK, choice, "key"), *answers)


def _same_questions(protocol: Protocol, end: End[Outcome], situation: Situation) -> bool:
    """Whether an item in another situation is asked exactly the questions of this way."""
    given = {answer.question: answer.choice for answer in end.answers}
    reason, traits = situation.declared_reason, situation.traits
    return all(question.when.holds(given, reason, traits) is (question.id in given) for question in protocol.questions)
