"""A protocol: the versioned questions, shots and rules for a kind of goods, as data.

The flow asks a protocol three things: which shots are needed, which question is next, and whether a shortcut (SEALED,
CLEAN …) may answer the rest. A protocol never fills in an answer by itself: a shortcut is an act of the inspector,
and it is recorded as the one who gave the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How a question is answered. Whatever the kind, what was entered becomes one of the question's choices."""

    CHOICE = "choice"
    YES_NO = "yes_no"
    NUMBER = "number"
    TEXT = "text"
    SCAN = "scan"


class Takes(StrEnum):
    """What a scan or a text must be for a choice to be the answer."""

    TEXT = "text"
    """Any text that was typed."""
    SAME = "same"
    """The code is the one that is expected."""
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """A code was read, but nothing is known to compare it with."""
    ANY = "any"
    """Any code."""


class Expects(StrEnum):
    """What a scanned code is compared with."""

    SERIAL = "serial"
    """The serial number of the order."""
    GTIN = "gtin"
    """A GTIN of the article."""
    ANY = "any"
    """Nothing: the code is kept as it is."""


class Weighing(StrEnum):
    """Whether these goods are weighed."""

    MUST = "must"
    """Skipped only where the scale itself does not work."""
    MAY_SKIP = "may_skip"
    """The inspector may go on without it; the reason stands in the record and a second person looks."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class WeighRule:
    """How these goods are weighed and how exactly."""

    rule: Weighing = Weighing.MAY_SKIP
    why: str = ""
    """Shown where SKIP is refused: why they must be weighed."""
    tolerance_bp: int | None = None
    """Half width of the plausible range as a share of the expected mass, basis points; the catalogue's own wins."""
    tolerance_least_mg: int = 0
    """The plausible range is never narrower than this, milligrams."""

    def tolerance_mg(self, expected_mg: int | None) -> int | None:
        """Half width of the plausible range by this rule; None = this protocol has no opinion."""
        if self.tolerance_bp is None or expected_mg is None or expected_mg <= 0:
            return None
        return max(self.tolerance_least_mg, (expected_mg * self.tolerance_bp + 5_000) // 10_000)


@dataclass(frozen=True, slots=True)
class NumberRule:
    """What number is asked for: integers in the smallest step of a named unit, e.g. tenths of a millimetre."""

    unit: str
    decimals: int
    """Digits after the point that a person types; 1 with ``mm`` = steps of 0.1 mm."""
    least: int
    """Smallest plausible number, in steps."""
    most: int
    target: int | None = None
    """What it should be, in steps."""
    tolerance: int | None = None
    """How far from the target is still right, in steps."""

    def shown(self, steps: int) -> str:
        """A number with its unit, as a person reads it.

        >>> NumberRule("mm", 1, 0, 5000).shown(1205)
        '120.5 mm'
        """
        sign = "-" if steps < 0 else ""
        whole, part = divmod(abs(steps), 10**self.decimals)
        digits = f"{whole}.{part:0{self.decimals}d}" if self.decimals else str(whole)
        return f"{sign}{digits} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Rework:
    """Something that the inspector does and then says whether it helped."""

    task: str
    """One short order, e.g. ``Wipe the screen``."""
    minutes: int
    """Time it takes, whole minutes; counted whether it helped or not."""


@dataclass(frozen=True, slots=True)
class Applies:
    """What a protocol is for. SKU outranks merchant + category, that outranks category; longer categories win."""

    merchant: str | None = None
    category: str | None = None
    sku: str | None = None

    def __str__(self) -> str:
        parts = (("SKU", self.sku), ("category", self.category), ("merchant", self.merchant))
        return ", ".join(f"{name} {value!r}" for name, value in parts if value is not None)


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
        for question, choices in self.answers.items():
            if answers.get(question) not in choices:
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
    ranges: tuple[tuple[int, int], ...] = ()
    """For a number: first and last value of each range that means this choice, in steps. Empty = a button."""
    takes: Takes | None = None
    """For a text or a scan: what must have been entered. None = a button."""
    mends: tuple[str, ...] = ()
    """Questions whose answers no longer count for the axes, because the rework helped. Gates they raised stay."""

    @property
    def is_button(self) -> bool:
        """Given by pressing it; the others are given by what was entered."""
        return not self.ranges and self.takes is None


@dataclass(frozen=True, slots=True)
class Question:
    """One question with pictures; asked only when its condition holds."""

    id: str
    text: str
    why: str
    choices: tuple[Choice, ...]
    when: Condition = ALWAYS
    kind: Kind = Kind.CHOICE
    number: NumberRule | None = None
    """Of a question of kind ``number``."""
    expects: Expects | None = None
    """Of a question of kind ``scan``."""
    longest: int = 80
    """Characters that a text may have."""
    rework: Rework | None = None
    """What to do before it is answered."""

    @property
    def buttons(self) -> tuple[Choice, ...]:
        """Choices to press, in order: the first is answer 1."""
        return tuple(choice for choice in self.choices if choice.is_button)

    @property
    def is_entered(self) -> bool:
        """Something can be typed or scanned as the answer."""
        return self.kind in (Kind.NUMBER, Kind.TEXT, Kind.SCAN)

    def choice(self, choice_id: str) -> Choice | None:
        for choice in self.choices:
            if choice.id == choice_id:
                return choice
        return None


@dataclass(frozen=True, slots=True)
class Shot:
    """One photograph that the record needs."""

    id: str
    title: str
    """Evidence slot, e.g. ``Serial label``."""
    guide: str
    """What to do, e.g. ``Lay it flat, label up``."""
    when: Condition = ALWAYS
    must: bool = False
    """Skipped only where the camera itself does not work."""


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
    weighing: WeighRule = WeighRule()
    sha256: str = ""
    """Hash of the file's canonical content."""
    axes: tuple[str, ...] = ()
    """Condition axes that it judges; empty = all there are."""
    applies: tuple[Applies, ...] = ()
    """Further goods it is for: of one merchant, or single SKUs."""
    unasked: tuple[str, ...] = ()
    """Gates that it knowingly never asks about: for an article that needs one, it stays closed."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language → English text → that text in the language."""

    @property
    def weigh(self) -> bool:
        """These goods are weighed at all."""
        return self.weighing.rule is not Weighing.NEVER

    @property
    def is_for(self) -> tuple[Applies, ...]:
        """Everything it applies to."""
        return (*(Applies(category=category) for category in self.categories), *self.applies)

    def shots_for(
        self, declared_reason: str | None, traits: tuple[str, ...], answers: Mapping[str, str] | None = None
    ) -> tuple[Shot, ...]:
        """The shots that apply with the answers so far; some answers ask for one more."""
        return tuple(shot for shot in self.shots if shot.when.holds(answers or {}, declared_reason, traits))

    def judges(self, axis: str) -> bool:
        """Whether units of this kind have this axis."""
        return not self.axes or axis in self.axes

    def question(self, question_id: str) -> Question | None:
        for question in self.questions:
            if question.id == question_id:
                return question
        return None

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
