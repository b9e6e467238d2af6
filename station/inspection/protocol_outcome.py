"""What the answers of one way add up to: everything about a unit's condition that a decision can look at.

The facts of a walk (``protocol_ways``): small, hashable, and equal for two ways that no decision can tell apart. The
decision itself reads the answers (``station.decision.findings``); a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from station.inspection.protocol import Choice, Protocol, Question

Pending = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The sum of the answers so far."""

    caps: tuple[tuple[str, int], ...] = ()
    """Axis → highest level still possible, sorted by axis."""
    raised: frozenset[str] = frozenset()
    cleared: frozenset[str] = frozenset()
    found_reason: str | None = None
    rework_minutes: int = 0
    has_defects: bool = False
    part_missing: bool = False
    second_look: bool = False
    remark: bool = False
    """Some answer has a sentence for the record: the unit is not spotless."""
    asked: int = 0
    """Questions answered."""
    pending: Pending = ()
    """Answers whose axes a later rework may still overtake."""

    @property
    def levels(self) -> dict[str, int]:
        return dict(self.caps)

    @property
    def clean(self) -> bool:
        """Nothing to remark: a unit that passes with its last answer."""
        return not (self.has_defects or self.raised or self.second_look or self.remark)


class Adder:
    """Adds answers up for one protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self._choices = {
            (question.id, choice.id): choice for question in protocol.questions for choice in question.choices
        }
        number = {question.id: place for place, question in enumerate(protocol.questions)}
        self._number = number
        self._until: dict[str, int] = {}
        for question in protocol.questions:
            for choice in question.choices:
                for name in choice.mends:
                    self._until[name] = max(self._until.get(name, -1), number[question.id])

    def add(self, before: Outcome, question: Question, choice: Choice, known: Mapping[str, str]) -> Outcome:
        """The sum after one more answer."""
        place = self._number[question.id]
        pending = tuple(pair for pair in before.pending if pair[0] not in choice.mends)
        after = replace(
            before,
            raised=before.raised | frozenset(choice.gates),
            cleared=before.cleared | frozenset(choice.clears),
            found_reason=before.found_reason or choice.found_reason,
            has_defects=before.has_defects or bool(choice.defects),
            part_missing=before.part_missing or any(kind == "missing_part" for kind, _ in choice.defects),
            second_look=before.second_look or choice.second_look,
            remark=before.remark or bool(choice.reason),
            asked=before.asked + 1,
        )
        if self._until.get(question.id, -1) > place:
            pending = (*pending, (question.id, choice.id))
        else:
            after = _with(after, choice)
        ripe = [pair for pair in pending if self._until[pair[0]] <= place]
        for pair in ripe:
            after = _with(after, self._choices[pair])
        return replace(after, pending=tuple(pair for pair in pending if pair not in ripe))

    def finish(self, outcome: Outcome) -> Outcome:
        """The sum at the end of a way: what no rework overtook counts."""
        for pair in outcome.pending:
            outcome = _with(outcome, self._choices[pair])
        return replace(outcome, pending=())


def _with(outcome: Outcome, choice: Choice) -> Outcome:
    caps = outcome.levels
    for axis, level in (choice.axes or {}).items():
        caps[axis] = min(level, caps.get(axis, level))
    return replace(
        outcome, caps=tuple(sorted(caps.items())), rework_minutes=outcome.rework_minutes + choice.rework_minutes
    )
