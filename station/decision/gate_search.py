"""A search through everything that can happen to a unit for a way past a gate; it finds none, or shows the shortest.

The space: every shipped protocol, every mix of traits, every sequence of answers; on top of each what people can do
besides answering (documents, dates, recall notices compared, permissions, findings taken back, a second inspection that
stands), signed by everybody who may and may not; then every override. Undo before CONFIRM leads to a shorter sequence,
which is in the space; after CONFIRM it leads to a second inspection: every sequence that found something, taken back or
standing, goes before every other sequence of the same unit (``gate_again``).

What is explored is the program itself (``read_findings``, ``evaluate``, ``decide``). Two reductions keep it small.
Steps that touch different gates may come in any order; that they touch no other gate is *checked*, not believed, for
every set of gates that is asked for. Units that look alike to what chooses the way (what is forbidden and required, and
the ways that would be open without any gate, in their order) are decided once. What must not happen is written down
here a second time, from ``FLOOR`` and the facts alone: it reads neither the gate file nor the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from station.decision.cover import simulated_case
from station.decision.decide import decide
from station.decision.findings import Findings, read_findings
from station.decision.gate_again import First, same_unit
from station.decision.gate_facts import must_not
from station.decision.gate_steps import NOTICED, Step, steps
from station.decision.gates import FLOOR, GateBook, evaluate
from station.decision.model import (
    Case,
    Disposition,
    Gate,
    GateState,
    Override,
)
from station.decision.recall import RecallBook
from station.decision.rules import Rules
from station.inspection.facts import Answer, IdentityOutcome
from station.inspection.protocol import Protocol
from station.inspection.protocol_walk import ALL_TRAITS, Branch, Situation, branches, conditions, trait_mixes
from station.returns.model import Trait


@dataclass(frozen=True, slots=True)
class Hole:
    """A way past a gate."""

    protocol: str
    traits: tuple[str, ...]
    steps: tuple[str, ...]
    """What to do, in order."""
    disposition: Disposition
    rule: str
    """What must not happen, and why."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What was looked at and what was found."""

    states: int
    """Distinct units: protocol, traits, answers, and what happened besides."""
    sequences: int
    """Sequences of answers, unfinished ones included."""
    decisions: int
    """Decisions that were taken."""
    holes: tuple[Hole, ...]
    """Shortest first, one for each gate and disposition; empty = proved."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one gate, or several together, do to a unit, by the fewest steps."""

    taken: tuple[Step, ...]
    forbids: frozenset[Disposition]
    requires: frozenset[Disposition]
    helps: frozenset[Disposition]
    """Ways that can remove what a raised gate objects to."""
    wrong: frozenset[tuple[str, frozenset[Disposition]]]

    @property
    def picture(self) -> tuple[object, ...]:
        return (self.forbids, self.requires, self.helps, self.wrong)

    def with_(self, other: _Outcome) -> _Outcome:
        return _Outcome(
            (*self.taken, *other.taken),
            self.forbids | other.forbids,
            self.requires | other.requires,
            self.helps | other.helps,
            self.wrong | other.wrong,
        )


_NOTHING = _Outcome((), frozenset(), frozenset(), frozenset(), frozenset())


_Gated = tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str], tuple[object, ...]]
"""Gates asked for, traits, gates raised and cleared by answers, and whether the unit is one that rules fit at all."""


def _own(gate: str) -> tuple[str, ...]:
    """What a step on a gate may touch: a confirmed recall raises the battery's gate too."""
    return ("recall", "lithium") if gate == "recall" else (gate,)


def _join(groups: list[list[_Outcome]]) -> list[_Outcome]:
    """Every different picture that one outcome of each gate makes together, where something must not happen."""
    together: dict[object, _Outcome] = {_NOTHING.picture: _NOTHING}
    for group in groups:
        joined: dict[object, _Outcome] = {}
        for one, other in product(together.values(), group):
            both = one.with_(other)
            known = joined.get(both.picture)
            if known is None or len(known.taken) > len(both.taken):
                joined[both.picture] = both
        together = joined
    return sorted((one for one in together.values() if one.wrong), key=lambda outcome: len(outcome.taken))


class NotIndependent(AssertionError):
    """A step touched another gate than its own: the search would prove nothing."""


def search(
    rules: Rules,
    *,
    protocols: tuple[Protocol, ...] | None = None,
    mixes: tuple[tuple[str, ...], ...] = trait_mixes(ALL_TRAITS),
    policies: tuple[str, ...] | None = None,
    first_only: bool = False,
) -> Searched:
    """Look through the whole space.

    Args:
        rules: as loaded, or with something taken out to see that the search notices.
        protocols: only these; None = the newest version of all.
        mixes: traits of the units; default = every mix.
        policies: only these; None = all.
        first_only: end with the first unit that has a hole, to see that there is one; it need not be the shortest.

    Raises:
        NotIndependent: a step touched another gate than its own.
    """
    looking = _Search(rules, mixes, policies or rules.policy_names())
    return looking.run(protocols if protocols is not None else rules.latest, first_only=first_only)


class _Search:
    def __init__(self, rules: Rules, mixes: tuple[tuple[str, ...], ...], policies: tuple[str, ...]) -> None:
        self.mixes = mixes
        self.plain = replace(rules, recalls=RecallBook(version=1))
        self.noticed = replace(rules, recalls=NOTICED)
        self.ungated = replace(self.plain, gates=GateBook(version=1, gates=()))
        self.policies = policies
        self.scheme = rules.scheme_names()[0]
        self.steps = steps(rules)
        self.states = self.sequences = self.decisions = 0
        self.holes: dict[tuple[str, Disposition], tuple[int, Hole]] = {}
        self._seen: set[object] = set()
        self._decided: set[object] = set()
        self._checked: set[object] = set()
        self._outcomes: dict[object, tuple[int, list[_Outcome]]] = {}
        self._groups: dict[object, list[_Outcome]] = {}
        self._joined: dict[object, list[_Outcome]] = {}
        self._leanings: dict[object, tuple[object, frozenset[Disposition]]] = {}
        self._firsts: dict[object, dict[object, First]] = {}
        self._again: dict[object, list[_Outcome]] = {}

    def run(self, protocols: tuple[Protocol, ...], *, first_only: bool) -> Searched:
        sequences = sorted(self._sequences(protocols), key=lambda pair: pair[0])
        cases = [(case, read_findings(case)) for _, case in sequences]
        for case, findings in cases:
            self._note_first(case, findings)
        for case, findings in (*cases, *((case, read_findings(case)) for case in self._strangers(protocols[0]))):
            self._look(case, findings)
            if self.holes and first_only:
                break
        found = sorted(self.holes.values(), key=lambda pair: pair[0])
        return Searched(self.states, self.sequences, self.decisions, tuple(hole for _, hole in found))

    def _sequences(self, protocols: tuple[Protocol, ...]) -> Iterator[tuple[int, Case]]:
        """Every sequence of answers, unfinished ones included."""
        for protocol in protocols:
            reasons = (None, *sorted({reason for condition in conditions(protocol) for reason in condition.reasons}))
            for traits, reason in product(self.mixes, reasons):
                situation = Situation(reason, traits)
                bare = simulated_case(protocol, Branch(situation, ()), policy=self.policies[0], scheme=self.scheme)
                known: set[tuple[Answer, ...]] = set()
                for way in branches(protocol, situation):
                    for length in range(len(way.answers) + 1):
                        answers = way.answers[:length]
                        if answers not in known:
                            known.add(answers)
                            self.sequences += 1
                            yield length, replace(bare, answers=answers)

    def _strangers(self, protocol: Protocol) -> Iterator[Case]:
        """Units that are not the announced one, that nothing covers, or whose answers contradict each other."""
        situation = Situation(None, ())
        way = next(iter(branches(protocol, situation)))
        case = simulated_case(protocol, way, policy=self.policies[0], scheme=self.scheme)
        for identity in IdentityOutcome:
            if identity not in (IdentityOutcome.MATCH, IdentityOutcome.MISSING):
                yield replace(case, identity=identity)
        yield replace(case, protocol=None, answers=())
        yield replace(case, item=None)
        yield replace(case, merchant=None)
        if case.item is not None:
            yield replace(case, item=replace(case.item, category=None))
        for answer in case.answers:
            question = protocol.question(answer.question)
            for choice in question.choices if question is not None else ():
                if choice.id != answer.choice:
                    yield replace(case, answers=(*case.answers, replace(answer, choice=choice.id)))

    def _note_first(self, case: Case, findings: Findings) -> None:
        """Keep an inspection that found something: it may be taken back, or stand beside another one."""
        if findings.raised:
            first = First(case, tuple(self._gates(case, findings).values()))
            self._firsts.setdefault(same_unit(case), {}).setdefault(first.shape, first)

    def _second_inspections(self, case: Case, findings: Findings, gated: _Gated) -> list[_Outcome]:
        """What this inspection comes to where each first one of the same unit was taken back, or stands."""
        firsts = self._firsts.get(same_unit(case), {})
        key = (gated, frozenset(firsts))
        if key not in self._again:
            own = must_not(case, noticed=False)
            found: dict[object, _Outcome] = {}
            for first, stands in product(firsts.values(), (False, True)):
                step = first.before(stands)
                wrong = own | first.must_not(stands)
                gates = self._gates(step.do(case), findings)
                outcome = self._outcome(tuple({*gates, *wrong}), (step,), gates, wrong)
                found.setdefault(outcome.picture, outcome)
            self.states += 2 * len(firsts)
            self._again[key] = [outcome for outcome in found.values() if outcome.wrong]
        return self._again[key]

    def _look(self, case: Case, findings: Findings) -> None:
        alike = (
            case.protocol.id if case.protocol is not None else None,
            case.item.category if case.item is not None else None,
            case.identity,
            case.merchant is None,
            tuple(sorted(findings.caps.items())),
            findings.declared,
            findings.found_reason,
            findings.rework_minutes,
            bool(findings.problems),
        )
        category = case.item.category if case.item is not None else None
        asked = frozenset(rule.id for rule in self.plain.gates.gates if rule.asked_by(findings.traits, category))
        rest = (case.identity, bool(findings.problems), case.protocol is None, case.item is None, case.merchant is None)
        gated = (asked, frozenset(findings.traits), frozenset(findings.raised), frozenset(findings.cleared), rest)
        if (alike, gated) in self._seen:
            return
        self._seen.add((alike, gated))
        if gated not in self._outcomes:
            if (asked, case.identity) not in self._checked:
                self._checked.add((asked, case.identity))
                self._check_independent(case, findings)
            self._outcomes[gated] = self._all_outcomes(case, findings, gated)
        count, outcomes = self._outcomes[gated]
        self.states += count
        outcomes = [*outcomes, *self._second_inspections(case, findings, gated)]
        for policy in self.policies:
            mine = replace(case, merchant=replace(case.merchant, policy=policy)) if case.merchant is not None else case
            if (alike, policy) not in self._leanings:
                self.decisions += 1
                made = decide(mine, self.ungated)
                ways = tuple((way.disposition, way.allowed) for way in made.alternatives)
                self._leanings[alike, policy] = (ways, made.disposition), frozenset(w for w, open_ in ways if open_)
            leaning, open_ways = self._leanings[alike, policy]
            for outcome in outcomes:
                self._decide(mine, outcome, leaning, open_ways)

    def _all_outcomes(self, case: Case, findings: Findings, gated: _Gated) -> tuple[int, list[_Outcome]]:
        """How many combinations of the gates' outcomes there are, and those of them that differ."""
        base = self._gates(case, findings)
        wrong = must_not(case, noticed=False)
        groups: list[list[_Outcome]] = []
        for name in dict.fromkeys((*base, *wrong, *FLOOR, *(step.gate for step in self.steps))):
            asked, traits, raised, cleared, rest = gated
            facts = [(one in asked, one in raised, one in cleared) for one in _own(name)]
            key = (name, tuple(facts), traits & self._reads(name), rest)
            if key not in self._groups:
                self._groups[key] = self._group(name, case, findings, base, wrong)
            groups.append(self._groups[key])
        pictures = frozenset(frozenset(outcome.picture for outcome in group) for group in groups)
        if pictures not in self._joined:
            self._joined[pictures] = _join(groups)
        return prod(len(group) for group in groups), self._joined[pictures]

    def _reads(self, name: str) -> frozenset[str]:
        """Traits that bear on a gate."""
        read: set[str] = {Trait.RECALLED}
        for one in _own(name):
            rule, floor = self.plain.gates.rule(one), FLOOR.get(one)
            read.update(rule.raised_with if rule is not None else ())
            read.update(trait for trait in (floor[0] if floor else None, rule.trait if rule else None) if trait)
        return frozenset(read)

    def _ways_to_touch(self, name: str) -> Iterator[tuple[Step, ...]]:
        """One step; of a recall also two, one after the other."""
        mine = [step for step in self.steps if step.gate == name]
        yield from ((step,) for step in mine)
        if name == "recall":
            noticed = [step for step in mine if step.noticed]
            yield from product(noticed, noticed)

    def _group(
        self, name: str, case: Case, findings: Findings, base: dict[str, Gate], wrong: dict[str, frozenset[Disposition]]
    ) -> list[_Outcome]:
        """The different outcomes of one gate."""
        own = _own(name)
        first = self._outcome((name,), (), base, wrong)
        found: dict[object, _Outcome] = {first.picture: first}
        rules = [rule for one in own if (rule := self.plain.gates.rule(one)) is not None]
        book = GateBook(version=1, gates=tuple(rules))
        for taken in self._ways_to_touch(name):
            noticed = any(step.noticed for step in taken)
            after = self._after(case, taken)
            gates = self._gates(after, findings, noticed=noticed, book=book)
            outcome = self._outcome(own, taken, gates, must_not(after, noticed))
            found.setdefault(outcome.picture, outcome)
        return list(found.values())

    def _check_independent(self, case: Case, findings: Findings) -> None:
        base = self._gates(case, findings)
        for name in dict.fromkeys(step.gate for step in self.steps):
            for taken in self._ways_to_touch(name):
                gates = self._gates(self._after(case, taken), findings, noticed=any(step.noticed for step in taken))
                for other in base.keys() | gates.keys():
                    if other not in _own(name) and base.get(other) != gates.get(other):
                        raise NotIndependent(f"{taken[0].words!r} touches {other!r}")

    def _outcome(
        self,
        names: tuple[str, ...],
        taken: tuple[Step, ...],
        gates: dict[str, Gate],
        wrong: dict[str, frozenset[Disposition]],
    ) -> _Outcome:
        raised = [gates[name] for name in names if name in gates and gates[name].state is GateState.RAISED]
        rules = [rule for gate in raised if (rule := self.plain.gates.rule(gate.id)) is not None]
        return _Outcome(
            taken,
            frozenset(way for gate in raised for way in gate.forbids),
            frozenset(gate.requires for gate in raised if gate.requires is not None),
            frozenset(way for rule in rules for way in rule.work_for),
            frozenset((name, wrong[name]) for name in names if name in wrong),
        )

    @staticmethod
    def _after(case: Case, taken: tuple[Step, ...]) -> Case:
        for step in taken:
            case = step.do(case)
        return case

    def _gates(
        self, case: Case, findings: Findings, *, noticed: bool = False, book: GateBook | None = None
    ) -> dict[str, Gate]:
        rules = self.noticed if noticed else self.plain
        return {gate.id: gate for gate in evaluate(case, findings, book or rules.gates, rules.recalls)}

    def _decide(self, case: Case, outcome: _Outcome, leaning: object, open_ways: frozenset[Disposition]) -> None:
        picture = (leaning, *outcome.picture)
        if picture in self._decided:
            return
        self._decided.add(picture)
        rules = self.noticed if any(step.noticed for step in outcome.taken) else self.plain
        after = self._after(case, outcome.taken)
        self.decisions += 1
        self._judge(after, outcome, decide(after, rules).disposition, None)
        for wanted in sorted({way for _, ways in outcome.wrong for way in ways}):
            gates = frozenset(name for name, ways in outcome.wrong if wanted in ways)
            key = (wanted, wanted in open_ways, wanted in outcome.forbids, outcome.requires, gates)
            if key in self._decided:
                continue
            self._decided.add(key)
            self.decisions += 1
            forced = decide(replace(after, override=Override(wanted, "I want it so")), rules)
            self._judge(after, outcome, forced.disposition, wanted)

    def _judge(self, case: Case, outcome: _Outcome, disposition: Disposition, wanted: Disposition | None) -> None:
        for gate, forbidden in outcome.wrong:
            if disposition not in forbidden:
                continue
            words = [f"answer {answer.question} = {answer.choice}" for answer in case.answers]
            words += [step.words for step in outcome.taken]
            if wanted is not None:
                words.append(f"override to {wanted}")
            known = self.holes.get((gate, disposition))
            if known is None or known[0] > len(words):
                traits = tuple(case.item.traits) if case.item is not None else ()
                name = case.protocol.id if case.protocol is not None else "no protocol"
                rule = f"{disposition} must not happen: gate {gate}"
                self.holes[gate, disposition] = (len(words), Hole(name, traits, tuple(words), disposition, rule))
