"""Protocols as TOML: read strictly into :class:`~station.inspection.protocol.Protocol`.

The file says what a person sees (short texts) and what each answer means (axis caps, defects, gates). What is *wrong
with the shape* is refused here; what is *unwise* is found by :mod:`station.inspection.protocol_lint`.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from station.errors import InvalidInput
from station.inspection.protocol import (
    Applies,
    Choice,
    Condition,
    Expects,
    Kind,
    NumberRule,
    Protocol,
    Question,
    Rework,
    Shortcut,
    Shot,
    Takes,
    Weighing,
    WeighRule,
)
from station.inspection.protocol_check import check_references
from station.toml_file import TomlFile, read_toml, typed

Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Category = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=80)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
Picture = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Steps = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class DefectKind(StrEnum):
    """Kinds of defect (DOMAIN.md)."""

    DEFORMATION = "deformation"
    DECONSTRUCTION = "deconstruction"
    SUPERFICIAL = "superficial"
    PENETRATION = "penetration"
    SPILLAGE = "spillage"
    MISSING_PART = "missing_part"
    ACTUATION = "actuation"


class Severity(StrEnum):
    MINOR = "minor"
    MAJOR = "major"


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class WhenPart(_Part, frozen=True, kw_only=True):
    answers: dict[Identifier, tuple[Identifier, ...]] = msgspec.field(default_factory=dict)
    reasons: tuple[Identifier, ...] = ()
    traits: tuple[Identifier, ...] = ()

    def condition(self) -> Condition:
        return Condition(dict(self.answers), self.reasons, self.traits)


class DefectPart(_Part, frozen=True, kw_only=True):
    kind: DefectKind
    severity: Severity


class ChoicePart(_Part, frozen=True, kw_only=True):
    id: Identifier
    label: Text
    hint: str = ""
    picture: Picture | None = None
    code: str | None = None
    axes: dict[Identifier, int] = msgspec.field(default_factory=dict)
    defects: tuple[DefectPart, ...] = ()
    gates: tuple[Identifier, ...] = ()
    clears: tuple[Identifier, ...] = ()
    found_reason: Identifier | None = None
    second_look: bool = False
    reason: str = ""
    rework_minutes: Minutes = 0
    range: tuple[Steps, Steps] | None = None
    is_: Literal["within", "below", "above", "off"] | None = msgspec.field(default=None, name="is")
    takes: Takes | None = None
    mends: tuple[Identifier, ...] = ()

    def choice(self, number: NumberRule | None) -> Choice:
        return Choice(
            id=self.id,
            label=self.label,
            hint=self.hint,
            picture=self.picture,
            code=self.code,
            axes=dict(self.axes) or None,
            defects=tuple((defect.kind.value, defect.severity.value) for defect in self.defects),
            gates=self.gates,
            clears=self.clears,
            found_reason=self.found_reason,
            second_look=self.second_look,
            reason=self.reason,
            rework_minutes=self.rework_minutes,
            ranges=self._ranges(number),
            takes=self.takes,
            mends=self.mends,
        )

    def _ranges(self, number: NumberRule | None) -> tuple[tuple[int, int], ...]:
        """What was written, or what target and tolerance say."""
        if self.range is not None or self.is_ is None:
            return (self.range,) if self.range is not None else ()
        if number is None or number.target is None or number.tolerance is None:
            text = f"choice {self.id!r} has is = {self.is_!r}, but its question has no 'target' with a 'tolerance'"
            raise InvalidInput(text)
        first, last = number.target - number.tolerance, number.target + number.tolerance
        below, above = (number.least, first - 1), (last + 1, number.most)
        chosen = {"within": ((first, last),), "below": (below,), "above": (above,), "off": (below, above)}[self.is_]
        ranges = tuple(one for one in chosen if one[0] <= one[1])
        if not ranges:
            raise InvalidInput(
                f"choice {self.id!r} has is = {self.is_!r}, but no number between least and most is that"
            )
        return ranges


class NumberPart(_Part, frozen=True, kw_only=True):
    unit: Annotated[str, msgspec.Meta(max_length=12)]
    decimals: Annotated[int, msgspec.Meta(ge=0, le=6)] = 0
    least: Steps
    most: Steps
    target: Steps | None = None
    tolerance: Annotated[int, msgspec.Meta(ge=0, le=10**12)] | None = None

    def rule(self) -> NumberRule:
        return NumberRule(self.unit, self.decimals, self.least, self.most, self.target, self.tolerance)


class ReworkPart(_Part, frozen=True, kw_only=True):
    task: Text
    minutes: Minutes


class QuestionPart(_Part, frozen=True, kw_only=True):
    id: Identifier
    text: Text
    why: Text
    choices: Annotated[tuple[ChoicePart, ...], msgspec.Meta(max_length=20)]
    when: WhenPart = WhenPart()
    type: Kind = Kind.CHOICE
    number: NumberPart | None = None
    expects: Expects | None = None
    longest: Annotated[int, msgspec.Meta(ge=1, le=200)] = 80
    rework: ReworkPart | None = None

    def question(self) -> Question:
        number = self.number.rule() if self.number is not None else None
        return Question(
            self.id,
            self.text,
            self.why,
            tuple(choice.choice(number) for choice in self.choices),
            self.when.condition(),
            kind=self.type,
            number=number,
            expects=self.expects,
            longest=self.longest,
            rework=Rework(self.rework.task, self.rework.minutes) if self.rework is not None else None,
        )


class ShotPart(_Part, frozen=True, kw_only=True):
    id: Identifier
    title: Text
    guide: Text
    when: WhenPart = WhenPart()
    must: bool = False


class ShortcutPart(_Part, frozen=True, kw_only=True):
    code: Annotated[str, msgspec.Meta(pattern=r"^RSC-[A-Z0-9-]{1,10}$")]
    label: Text
    answers: dict[Identifier, Identifier]
    unless_reasons: tuple[Identifier, ...] = ()


class WeighPart(_Part, frozen=True, kw_only=True):
    rule: Weighing
    why: str = ""
    tolerance_bp: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    tolerance_least_mg: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0


class AppliesPart(_Part, frozen=True, kw_only=True):
    merchant: Key | None = None
    category: Category | None = None
    sku: Key | None = None


class ProtocolPart(_Part, frozen=True, kw_only=True, tag_field="kind", tag="protocol"):
    """The whole file."""

    id: Category
    version: Annotated[int, msgspec.Meta(ge=1)]
    title: Text
    categories: tuple[Category, ...] = ()
    applies: tuple[AppliesPart, ...] = ()
    weigh: bool | WeighPart = True
    axes: tuple[Identifier, ...] = ()
    unasked: tuple[Identifier, ...] = ()
    shots: Annotated[tuple[ShotPart, ...], msgspec.Meta(max_length=40)]
    questions: Annotated[tuple[QuestionPart, ...], msgspec.Meta(max_length=60)]
    shortcuts: Annotated[tuple[ShortcutPart, ...], msgspec.Meta(max_length=10)] = ()
    texts: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)

    @property
    def weighing(self) -> WeighRule:
        if isinstance(self.weigh, bool):
            return WeighRule(Weighing.MAY_SKIP if self.weigh else Weighing.NEVER)
        part = self.weigh
        return WeighRule(part.rule, part.why, part.tolerance_bp, part.tolerance_least_mg)


def load_protocol(path: Path) -> Protocol:
    """Read one protocol file.

    Raises:
        InvalidInput: not TOML, an unknown key, a wrong type, two things with one id, or a reference to nothing.
    """
    return protocol_of(read_toml(path))


def protocol_of(file: TomlFile) -> Protocol:
    """Type a parsed protocol file.

    Raises:
        InvalidInput: as for :func:`load_protocol`.
    """
    part = typed(file, ProtocolPart)
    try:
        protocol = _protocol(part, file.sha256)
        check_references(protocol)
    except InvalidInput as error:
        raise InvalidInput(f"{file.source}: {error}") from error
    return protocol


def _protocol(part: ProtocolPart, sha256: str) -> Protocol:
    return Protocol(
        id=part.id,
        version=part.version,
        title=part.title,
        categories=part.categories,
        shots=tuple(Shot(shot.id, shot.title, shot.guide, shot.when.condition(), shot.must) for shot in part.shots),
        questions=tuple(question.question() for question in part.questions),
        shortcuts=tuple(
            Shortcut(shortcut.code, shortcut.label, dict(shortcut.answers), shortcut.unless_reasons)
            for shortcut in part.shortcuts
        ),
        weighing=part.weighing,
        sha256=sha256,
        axes=part.axes,
        applies=tuple(Applies(one.merchant, one.category, one.sku) for one in part.applies),
        unasked=part.unasked,
        texts=part.texts,
    )
