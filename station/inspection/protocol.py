"""A protocol: the versioned questions, shots and rules for a kind of goods, as data.

The flow asks a protocol three things: which shots are needed, which question is next, and whether a shortcut (SEALED,
CLEAN …) may answer the rest. A protocol never fills in an answer by itself: a shortcut is an act of the inspector,
and it is recorded as the one who gave the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """When something applies; all given parts must hold. An empty condition always holds."""

    answers: Mapping[str, tuple[str, ...]]
    """question id → choices one of which was given."""
    reasons: tuple[str, ...] = ()
    """Declared reasons one of which the customer gave."""
    traits: tuple[str, ...] = ()
    """Catalogue traits one of which the item has."""

    def holds(self, answers: Mapping[str, str], declared_reason: str | None, traits: tuple[str, ...]) -> bool:
        """Say whether this condition is met by the answers so far, the declared reason and the item's traits."""
        if any(answers.get(question) not in choices for question, choices in self.answers.items()):
            return False
        if self.reasons and declared_reason not in self.reasons:
            return False
        return not self.traits or any(trait in self.traits for trait in traits)


ALWAYS = Condition({})


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer with its consequences."""

    id: str
    label: str
    """Two or three words, shown on the button."""
    hint: str = ""
    """What it looks like, one line."""
    picture: str | None = None
    code: str | None = None
    """Command code that gives this answer by scan, e.g. ``RSC-GRADE-A``; None = by position (RSC-F1 …)."""
    axes: Mapping[str, int] | None = None
    """Axis → highest level that is still possible with this answer."""
    defects: tuple[tuple[str, str], ...] = ()
    """(kind, severity ``minor`` or ``major``), kinds of DOMAIN.md."""
    gates: tuple[str, ...] = ()
    """Gates that this answer raises, e.g. ``lithium``."""
    clears: tuple[str, ...] = ()
    """Gates that only this proof clears, e.g. ``data_bearing`` by "wiped, report attached"."""
    found_reason: str | None = None
    """Return reason that this answer establishes as found."""
    second_look: bool = False
    reason: str = ""
    """The sentence this answer puts into the record, complete without the question; empty = question and label."""
    rework_minutes: int = 0
    """Work that this finding costs before the unit can be sold, whole minutes."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with pictures; asked only when its condition holds."""

    id: str
    text: str
    why: str
    choices: tuple[Choice, ...]
    when: Condition = ALWAYS

    def choice(self, choice_id: str) -> Choice | None:
        return next((choice for choice in self.choices if choice.id == choice_id), None)


@dataclass(frozen=True, slots=True)
class Shot:
    """One photograph that the record needs."""

    id: str
    title: str
    """Evidence slot, e.g. ``Serial label``."""
    guide: str
    """What to do, e.g. ``Lay it flat, label up``."""
    when: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One scan that answers all questions of a clean unit."""

    code: str
    """Command code, e.g. ``RSC-CLEAN``."""
    label: str
    answers: Mapping[str, str]
    """question id → choice id, for every question that may be open."""
    unless_reasons: tuple[str, ...] = ()
    """Declared reasons under which it is refused: the customer says it is broken, so somebody must look."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A versioned protocol. The same id and version always have the same content (its hash is in the record)."""

    id: str
    version: int
    title: str
    categories: tuple[str, ...]
    """Category prefixes it applies to; the longest matching prefix wins."""
    shots: tuple[Shot, ...]
    questions: tuple[Question, ...]
    shortcuts: tuple[Shortcut, ...] = ()
    weigh: bool = True
    sha256: str = ""
    """Hash of the file's canonical content."""

    def shots_for(self, declared_reason: str | None, traits: tuple[str, ...]) -> tuple[Shot, ...]:
        """The shots that apply before any question is answered."""
        return tuple(shot for shot in self.shots if shot.when.holds({}, declared_reason, traits))

    def question(self, question_id: str) -> Question | None:
        return next((question for question in self.questions if question.id == question_id), None)

    def open_questions(
        self, answers: Mapping[str, str], declared_reason: str | None, traits: tuple[str, ...]
    ) -> tuple[Question, ...]:
        """Questions whose condition holds and that have no answer yet, in order."""
        return tuple(
            question
            for question in self.questions
            if question.id not in answers and question.when.holds(answers, declared_reason, traits)
        )

    def shortcut(self, code: str) -> Shortcut | None:
        return next((shortcut for shortcut in self.shortcuts if shortcut.code == code), None)
