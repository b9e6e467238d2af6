"""Protocols as TOML: read strictly into :class:`~station.inspection.protocol.Protocol`.

The file says what a person sees (short texts) and what each answer means (axis caps, defects, gates). What is *wrong
with the shape* is refused here; what is *unwise* is found by :mod:`station.inspection.protocol_lint`.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from station.errors import InvalidInput
from station.inspection.protocol import Choice, Condition, Protocol, Question, Shortcut, Shot
from station.toml_file import TomlFile, did_you_mean, read_toml, typed

Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Category = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=80)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


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
    picture: str | None = None
    code: str | None = None
    axes: dict[Identifier, int] = msgspec.field(default_factory=dict)
    defects: tuple[DefectPart, ...] = ()
    gates: tuple[Identifier, ...] = ()
    clears: tuple[Identifier, ...] = ()
    found_reason: Identifier | None = None
    second_look: bool = False
    reason: str = ""
    rework_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0

    def choice(self) -> Choice:
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
        )


class QuestionPart(_Part, frozen=True, kw_only=True):
    id: Identifier
    text: Text
    why: Text
    choices: tuple[ChoicePart, ...]
    when: WhenPart = WhenPart()


class ShotPart(_Part, frozen=True, kw_only=True):
    id: Identifier
    title: Text
    guide: Text
    when: WhenPart = WhenPart()


class ShortcutPart(_Part, frozen=True, kw_only=True):
    code: Annotated[str, msgspec.Meta(pattern=r"^RSC-[A-Z0-9-]{1,10}$")]
    label: Text
    answers: dict[Identifier, Identifier]
    unless_reasons: tuple[Identifier, ...] = ()


class ProtocolPart(_Part, frozen=True, kw_only=True, tag_field="kind", tag="protocol"):
    """The whole file."""

    id: Category
    version: Annotated[int, msgspec.Meta(ge=1)]
    title: Text
    categories: tuple[Category, ...]
    weigh: bool = True
    shots: tuple[ShotPart, ...]
    questions: tuple[QuestionPart, ...]
    shortcuts: tuple[ShortcutPart, ...] = ()


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
    protocol = Protocol(
        id=part.id,
        version=part.version,
        title=part.title,
        categories=part.categories,
        shots=tuple(Shot(shot.id, shot.title, shot.guide, shot.when.condition()) for shot in part.shots),
        questions=tuple(
            Question(
                question.id,
                question.text,
                question.why,
                tuple(choice.choice() for choice in question.choices),
                question.when.condition(),
            )
            for question in part.questions
        ),
        shortcuts=tuple(
            Shortcut(shortcut.code, shortcut.label, dict(shortcut.answers), shortcut.unless_reasons)
            for shortcut in part.shortcuts
        ),
        weigh=part.weigh,
        sha256=file.sha256,
    )
    try:
        check_references(protocol)
    except InvalidInput as error:
        raise InvalidInput(f"{file.source}: {error}") from error
    return protocol


def check_references(protocol: Protocol) -> None:
    """Refuse a protocol that names things which do not exist or exist twice.

    Raises:
        InvalidInput: says where and which.
    """
    if not protocol.categories:
        raise InvalidInput("'categories' is empty: name at least one category that this protocol applies to")
    if not protocol.questions:
        raise InvalidInput("'questions' is empty: a condition nobody looked at cannot be graded")
    _unique("question", [question.id for question in protocol.questions])
    _unique("shot", [shot.id for shot in protocol.shots])
    _unique("shortcut", [shortcut.code for shortcut in protocol.shortcuts])
    questions = {question.id: question for question in protocol.questions}
    earlier: set[str] = set()
    for question in protocol.questions:
        where = f"question {question.id!r}"
        if not question.choices:
            raise InvalidInput(f"{where} has no choices")
        _unique(f"choice in {where}", [choice.id for choice in question.choices])
        _check_condition(question.when, questions, where)
        for name in question.when.answers:
            if name not in earlier:
                raise InvalidInput(f"{where} depends on question {name!r}, which does not come before it")
        earlier.add(question.id)
    for shot in protocol.shots:
        _check_condition(shot.when, questions, f"shot {shot.id!r}")
    for shortcut in protocol.shortcuts:
        for name, choice in shortcut.answers.items():
            _check_answer(name, choice, questions, f"shortcut {shortcut.code!r}")


def _check_condition(condition: Condition, questions: dict[str, Question], where: str) -> None:
    for name, choices in condition.answers.items():
        for choice in choices:
            _check_answer(name, choice, questions, where)


def _check_answer(name: str, choice: str, questions: dict[str, Question], where: str) -> None:
    question = questions.get(name)
    if question is None:
        raise InvalidInput(f"{where} names question {name!r}; {did_you_mean(name, list(questions))}")
    if question.choice(choice) is None:
        known = [known.id for known in question.choices]
        raise InvalidInput(f"{where} names choice {choice!r} of question {name!r}; {did_you_mean(choice, known)}")


def _unique(what: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidInput(f"{what} {name!r} is there twice: every id may be used once")
        seen.add(name)
