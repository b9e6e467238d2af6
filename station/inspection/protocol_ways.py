"""All ways through a protocol at once, by merging: 2^40 ways are walked in as many steps as there are different states.

Questions are asked in the order of the file and depend on earlier ones only, so a walk is a pass over the questions
with a set of states. Two ways are the same state where everything that a later question, shot or rework still looks at
is equal, and so is whatever the caller wants to know (its *facts*: caps of axes, gates raised, questions asked …). Each
state keeps how many ways lead to it and one example. Deterministic: no set order, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from station.errors import InvalidInput
from station.inspection.facts import Answer
from station.inspection.protocol import Choice, Condition, Protocol, Question, Shot
from station.inspection.protocol_walk import Situation, conditions, trait_mixes

F = TypeVar("F", bound=Hashable)

MOST_STEPS = 100_000
"""Steps that one budget allows: a second or two. A protocol that needs more is one that nobody can check."""
MOST_TRAITS = 8
"""Traits that one protocol may tell apart; the catalogue knows five."""


class TooManyWays(InvalidInput):
    """The walk was given up; what was found until then is not the whole truth."""


@dataclass(slots=True)
class Budget:
    """How many more steps may be walked. Shared by all walks over one protocol."""

    left: int = MOST_STEPS

    def spend(self, steps: int) -> None:
        """Raises: TooManyWays: nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise TooManyWays("too many different ways to walk to the end")


Path = tuple["Path", str, str] | None
"""Linked list of (question, choice), newest first: sharing it costs nothing."""


@dataclass(frozen=True, slots=True)
class End(Generic[F]):
    """One state after the last question."""

    situation: Situation
    facts: F
    ways: int
    """How many ways lead here."""
    path: Path

    @property
    def answers(self) -> tuple[Answer, ...]:
        """One of those ways."""
        return tuple(Answer(question, choice, "key") for question, choice in steps_of(self.path))


@dataclass(slots=True)
class Seen:
    """What was passed on the way."""

    choices: dict[tuple[str, str], int] = field(default_factory=dict)
    """(question, choice) → ways that give it."""
    shots: dict[str, int] = field(default_factory=dict)


def steps_of(path: Path) -> tuple[tuple[str, str], ...]:
    """Questions and choices of a way, in the order they were asked."""
    listed: list[tuple[str, str]] = []
    while path is not None:
        path, question, choice = path
        listed.append((question, choice))
    return tuple(reversed(listed))


def distinct_situations(protocol: Protocol) -> tuple[tuple[Situation, ...], ...]:
    """Situations in groups that this protocol treats alike; the first of a group stands for all of it.

    Raises:
        TooManyWays: it tells too many traits apart.
    """
    reasons: dict[str, None] = {}
    traits: dict[str, None] = {}
    every = tuple(conditions(protocol))
    for condition in every:
        reasons.update(dict.fromkeys(condition.reasons))
        traits.update(dict.fromkeys(condition.traits))
    if len(traits) > MOST_TRAITS:
        raise TooManyWays(f"it tells {len(traits)} traits apart, at most {MOST_TRAITS} can be checked")
    if len(reasons) * len(every) * 2 ** len(traits) > MOST_STEPS:
        raise TooManyWays(f"it tells {len(reasons)} reasons and {len(traits)} traits apart: too many to check")
    merged: dict[tuple[bool, ...], list[Situation]] = {}
    for reason in (None, *sorted(reasons)):
        for mix in trait_mixes(tuple(sorted(traits))):
            signature = tuple(_possible(condition, reason, mix) for condition in every)
            merged.setdefault(signature, []).append(Situation(reason, mix))
    return tuple(tuple(group) for group in merged.values())


def _possible(condition: Condition, reason: str | None, traits: tuple[str, ...]) -> bool:
    return Condition({}, condition.reasons, condition.traits).holds({}, reason, traits)


def walk(
    protocol: Protocol,
    situation: Situation,
    start: F,
    step: Callable[[F, Question, Choice, Mapping[str, str]], F],
    budget: Budget,
    seen: Seen | None = None,
) -> tuple[End[F], ...]:
    """Walk every way of one situation.

    Args:
        start: the caller's facts before the first question.
        step: facts after an answer; also told the earlier answers that are still looked at.
        seen: filled with what was passed, with numbers of ways.

    Returns:
        One end per different (facts); ways are exact.

    Raises:
        TooManyWays: the budget is spent.
    """
    plan = _plan(protocol)
    states: dict[tuple[tuple[tuple[str, str], ...], F], tuple[int, Path]] = {((), start): (1, None)}
    reason, traits = situation.declared_reason, situation.traits
    for place in plan:
        after: dict[tuple[tuple[tuple[str, str], ...], F], tuple[int, Path]] = {}
        budget.spend(len(states) * (1 + len(place.live) // 4))
        for (live, facts), (ways, path) in states.items():
            known = dict(live)
            asked = place.what.when.holds(known, reason, traits)
            if isinstance(place.what, Shot):
                if asked and seen is not None:
                    seen.shots[place.what.id] = seen.shots.get(place.what.id, 0) + ways
                _add(after, (place.keep(known), facts), ways, path)
                continue
            if not asked:
                _add(after, (place.keep(known), facts), ways, path)
                continue
            question = place.what
            budget.spend(len(question.choices))
            for choice in question.choices:
                if seen is not None:
                    pair = (question.id, choice.id)
                    seen.choices[pair] = seen.choices.get(pair, 0) + ways
                given = {**known, question.id: choice.id}
                key = (place.keep(given), step(facts, question, choice, known))
                _add(after, key, ways, (path, question.id, choice.id))
        states = after
    ends: dict[F, tuple[int, Path]] = {}
    for (_, facts), (ways, path) in states.items():
        _add(ends, facts, ways, path)
    return tuple(End(situation, facts, ways, path) for facts, (ways, path) in ends.items())


K = TypeVar("K", bound=Hashable)


def _add(states: dict[K, tuple[int, Path]], key: K, ways: int, path: Path) -> None:
    before = states.get(key)
    states[key] = (ways, path) if before is None else (before[0] + ways, before[1])


@dataclass(frozen=True, slots=True)
class _Place:
    """One question or shot, and which answers are still looked at after it."""

    what: Question | Shot
    live: frozenset[str]

    def keep(self, known: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple((name, choice) for name, choice in known.items() if name in self.live)


def _plan(protocol: Protocol) -> tuple[_Place, ...]:
    """Questions in order, each shot as soon as everything it looks at is answered."""
    number = {question.id: place for place, question in enumerate(protocol.questions)}
    after: dict[int, list[Shot]] = {}
    for shot in protocol.shots:
        last = max((number[name] for name in shot.when.answers), default=-1)
        after.setdefault(last, []).append(shot)
    order: list[Question | Shot] = list(after.get(-1, ()))
    for place, question in enumerate(protocol.questions):
        order.extend((question, *after.get(place, ())))
    live: set[str] = set()
    places: list[_Place] = []
    for what in reversed(order):
        places.append(_Place(what, frozenset(live)))
        live.update(what.when.answers)
        if isinstance(what, Question):
            live.update(name for choice in what.choices for name in choice.mends)
    return tuple(reversed(places))


def all_ends(
    protocol: Protocol,
    start: F,
    step: Callable[[F, Question, Choice, Mapping[str, str]], F],
    budget: Budget,
    seen: Seen | None = None,
) -> Iterator[tuple[End[F], tuple[Situation, ...]]]:
    """Every end of every distinct situation, with the situations it stands for.

    Raises:
        TooManyWays: as :func:`walk` and :func:`distinct_situations`.
    """
    for group in distinct_situations(protocol):
        for end in walk(protocol, group[0], start, step, budget, seen):
            yield end, group
