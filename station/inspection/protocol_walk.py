"""Every way through a protocol: all branches, for every set of traits and every declared reason that it asks about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from station.inspection.facts import Answer
from station.inspection.protocol import Condition, Protocol
from station.returns.model import Trait

MOST_BRANCHES = 5_000
"""A protocol with more ways than this is not walked to the end: nobody could keep it in mind either."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known before the first question."""

    declared_reason: str | None
    traits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One complete way."""

    situation: Situation
    answers: tuple[Answer, ...]


def conditions(protocol: Protocol) -> Iterator[Condition]:
    """All conditions of a protocol."""
    for shot in protocol.shots:
        yield shot.when
    for question in protocol.questions:
        yield question.when


def situations(protocol: Protocol) -> tuple[Situation, ...]:
    """Every situation that this protocol can tell apart: its own reasons and one other, its own traits in every mix."""
    reasons: set[str] = set()
    traits: set[str] = set()
    for condition in conditions(protocol):
        reasons.update(condition.reasons)
        traits.update(condition.traits)
    mixes = trait_mixes(tuple(sorted(traits)))
    return tuple(Situation(reason, mix) for reason in (None, *sorted(reasons)) for mix in mixes)


def trait_mixes(traits: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Every subset."""
    return tuple(mix for size in range(len(traits) + 1) for mix in combinations(traits, size))


ALL_TRAITS = tuple(trait.value for trait in Trait)


def branches(protocol: Protocol, situation: Situation) -> Iterator[Branch]:
    """Walk depth first: answer the first open question in every way until none is open.

    At most :data:`MOST_BRANCHES` are given.
    """
    given = 0
    stack: list[tuple[Answer, ...]] = [()]
    while stack and given < MOST_BRANCHES:
        answers = stack.pop()
        known = {answer.question: answer.choice for answer in answers}
        open_now = protocol.open_questions(known, situation.declared_reason, situation.traits)
        if not open_now:
            given += 1
            yield Branch(situation, answers)
            continue
        question = open_now[0]
        stack.extend((*answers, Answer(question.id, choice.id, "key")) for choice in reversed(question.choices))
