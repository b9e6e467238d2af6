"""Coverage of a protocol: every branch is decided with a simulated item, and what was reached is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from station.decision.decide import decide
from station.decision.model import Case, Decision, Disposition
from station.decision.rules import Rules
from station.inspection.facts import IdentityOutcome, WeightJudgement, WeightVerdict
from station.inspection.protocol import Protocol
from station.inspection.protocol_walk import Branch, branches, situations
from station.quantities import Money
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine, Trait

_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
_PRICE = Money(8_990, "EUR")
UNGRADED = "none"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the branches of one protocol reach."""

    protocol: str
    version: int
    branches: int
    decisions: int
    choices: int
    choices_reached: int
    missed: tuple[str, ...]
    """Choices that no branch gives, as ``question=choice``."""
    longest: int
    longest_clean: int
    """Questions on the longest branch that needs no CONFIRM."""
    grades: dict[str, dict[str, int]]
    """Scheme → grade → branches; every grade is listed, 0 = never reached."""
    dispositions: dict[str, int]

    @property
    def complete(self) -> bool:
        """Every choice is given by some branch, and some branch is clean."""
        return not self.missed and self.longest_clean > 0


def simulated_case(protocol: Protocol, branch: Branch, *, policy: str, scheme: str) -> Case:
    """A plain unit that took this branch: right article, weight as expected, day 12 of the window."""
    merchant = Merchant("simulated", "Simulated", policy, scheme)
    situation = branch.situation
    item = CatalogueItem(
        merchant_id=merchant.id,
        sku="SIM-1",
        title=protocol.title,
        category=protocol.categories[0],
        price=_PRICE,
        mass_mg=288_000,
        traits=tuple(Trait(trait) for trait in situation.traits),
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
        weight=WeightJudgement(WeightVerdict.PLAUSIBLE, 0, 288_000, 5_760, None),
    )


def walk(protocol: Protocol, rules: Rules) -> Iterator[tuple[Branch, str, Decision]]:
    """Decide every branch under every grading scheme, with the first policy."""
    policy = rules.policy_names()[0]
    for situation in situations(protocol):
        for branch in branches(protocol, situation):
            for scheme in rules.scheme_names():
                yield branch, scheme, decide(simulated_case(protocol, branch, policy=policy, scheme=scheme), rules)


def cover_protocol(protocol: Protocol, rules: Rules) -> Coverage:
    """Walk a protocol to the end and count."""
    schemes = rules.scheme_names()
    grades = {name: {rule.code: 0 for rule in rules.scheme(name).grades} | {UNGRADED: 0} for name in schemes}
    dispositions: Counter[Disposition] = Counter()
    reached: set[tuple[str, str]] = set()
    count = decisions = longest = clean = 0
    for branch, scheme, decision in walk(protocol, rules):
        decisions += 1
        grades[scheme][decision.grade.code if decision.grade is not None else UNGRADED] += 1
        if scheme != schemes[0]:
            continue
        count += 1
        reached.update((answer.question, answer.choice) for answer in branch.answers)
        dispositions[decision.disposition] += 1
        longest = max(longest, len(branch.answers))
        if not decision.needs_confirm:
            clean = max(clean, len(branch.answers))
    every = [(question.id, choice.id) for question in protocol.questions for choice in question.choices]
    return Coverage(
        protocol=protocol.id,
        version=protocol.version,
        branches=count,
        decisions=decisions,
        choices=len(every),
        choices_reached=sum(pair in reached for pair in every),
        missed=tuple(f"{question}={choice}" for question, choice in every if (question, choice) not in reached),
        longest=longest,
        longest_clean=clean,
        grades=grades,
        dispositions={name.value: dispositions[name] for name in Disposition if dispositions[name]},
    )
