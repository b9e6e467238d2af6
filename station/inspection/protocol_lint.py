"""What is unwise in a protocol, found before an inspector meets it.

Each finding says where and what to do. Vague or long instructions are not followed (two steps are read, ten are not),
so lengths are limited; a clean unit must stay within three questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from station.decision.gates import DEROGABLE, GateBook
from station.decision.model import AxisLevel
from station.decision.scheme import AxisBook, GradingScheme
from station.identify.commands import BY_BARCODE, PREFIX
from station.inspection.protocol import Choice, Protocol, Question
from station.inspection.protocol_walk import MOST_BRANCHES, Branch, branches, situations

LABEL, HINT, TEXT, WHY, GUIDE, TITLE, REASON = 22, 40, 40, 60, 48, 22, 90
"""Longest texts in characters, by what a screen of the bench shows in one line at reading size."""
MOST_CHOICES, MOST_QUESTIONS_CLEAN, MOST_SHOTS = 5, 3, 5
NEVER_BY_CLEAN = frozenset({"data_bearing"})
"""Gates that the shortcut CLEAN must not clear: that proof is somebody's own act."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to change."""

    code: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class LintBooks:
    """What a protocol is checked against."""

    axes: AxisBook
    gates: GateBook
    schemes: tuple[GradingScheme, ...]


def lint(protocol: Protocol, books: LintBooks) -> tuple[Finding, ...]:
    """Check one protocol.

    Returns:
        All findings; empty = nothing to change.
    """
    ways: list[Branch] = []
    for situation in situations(protocol):
        found = list(branches(protocol, situation))
        if len(found) >= MOST_BRANCHES:
            text = f"{MOST_BRANCHES} ways through, or more: nobody can check them; make it smaller"
            return (*_texts(protocol), *_choices(protocol), Finding("too_many_branches", "questions", text))
        ways += found
    return (
        *_texts(protocol),
        *_choices(protocol),
        *_reachable(protocol, ways),
        *_axes(protocol, ways, books),
        *_grades(protocol, ways, books),
        *_clean(protocol, ways, books),
        *_shortcuts(protocol, books),
        *_gates(protocol, books),
    )


def _long(where: str, what: str, text: str, limit: int) -> list[Finding]:
    if len(text) <= limit:
        return []
    return [Finding("text_too_long", where, f"{what} has {len(text)} characters, at most {limit}: {text!r}")]


def _texts(protocol: Protocol) -> list[Finding]:
    found: list[Finding] = []
    for shot in protocol.shots:
        where = f"shot {shot.id!r}"
        found += _long(where, "title", shot.title, TITLE) + _long(where, "guide", shot.guide, GUIDE)
    for question in protocol.questions:
        where = f"question {question.id!r}"
        found += _long(where, "text", question.text, TEXT) + _long(where, "why", question.why, WHY)
        for choice in question.choices:
            at = f"{where}, choice {choice.id!r}"
            found += _long(at, "label", choice.label, LABEL) + _long(at, "hint", choice.hint, HINT)
            found += _long(at, "reason", choice.reason, REASON)
            if not choice.hint:
                found.append(Finding("hint_missing", at, "say in one line what it looks like"))
    for shortcut in protocol.shortcuts:
        found += _long(f"shortcut {shortcut.code!r}", "label", shortcut.label, LABEL)
    if not protocol.shots:
        found.append(Finding("shots_missing", "shots", "a record without a photo proves nothing: add one shot"))
    if len(protocol.shots) > MOST_SHOTS:
        found.append(Finding("too_many_shots", "shots", f"{len(protocol.shots)} shots, at most {MOST_SHOTS}"))
    return found


def _effect(choice: Choice) -> bool:
    return bool(
        choice.axes or choice.defects or choice.gates or choice.clears or choice.found_reason or choice.second_look
    )


def _choices(protocol: Protocol) -> list[Finding]:
    found: list[Finding] = []
    leading = {
        (name, choice)
        for question in protocol.questions
        for name, choices in question.when.answers.items()
        for choice in choices
    }
    for question in protocol.questions:
        where = f"question {question.id!r}"
        if len(question.choices) > MOST_CHOICES:
            text = f"{len(question.choices)} choices, at most {MOST_CHOICES}: split the question"
            found.append(Finding("too_many_choices", where, text))
        if len(question.choices) < 2:
            found.append(Finding("one_choice", where, "a question with one answer asks nothing"))
        labels = [choice.label for choice in question.choices]
        if len(set(labels)) != len(labels):
            found.append(Finding("same_label", where, "two choices have the same label"))
        for choice in question.choices:
            at = f"{where}, choice {choice.id!r}"
            if not _effect(choice) and (question.id, choice.id) not in leading:
                found.append(Finding("no_effect", at, "has no axes, gate, defect or further question: why ask it?"))
            if (choice.defects or choice.gates or choice.second_look) and not choice.reason:
                found.append(Finding("reason_missing", at, "add 'reason', the sentence that goes into the record"))
            if choice.code is not None and not (choice.code.startswith(PREFIX) and len(choice.code) <= 14):
                found.append(
                    Finding("bad_code", at, f"{choice.code!r} must begin with {PREFIX} and have at most 14 signs")
                )
            elif choice.code in BY_BARCODE:
                found.append(
                    Finding("bad_code", at, f"{choice.code!r} is already the command {BY_BARCODE[choice.code].label!r}")
                )
    return found


def _reachable(protocol: Protocol, ways: list[Branch]) -> list[Finding]:
    asked = {(answer.question, answer.choice) for way in ways for answer in way.answers}
    questions = {question for question, _ in asked}
    return [
        Finding("unreachable_question", f"question {question.id!r}", "no answers before it lead here: check 'when'")
        for question in protocol.questions
        if question.id not in questions
    ]


def _taken(protocol: Protocol, way: Branch) -> list[tuple[Question, Choice]]:
    pairs = []
    for answer in way.answers:
        question = protocol.question(answer.question)
        choice = question.choice(answer.choice) if question is not None else None
        if question is not None and choice is not None:
            pairs.append((question, choice))
    return pairs


def _caps(taken: list[tuple[Question, Choice]]) -> dict[str, int]:
    caps: dict[str, int] = {}
    for _, choice in taken:
        for axis, level in (choice.axes or {}).items():
            caps[axis] = min(level, caps.get(axis, level))
    return caps


def _holds(taken: list[tuple[Question, Choice]], gates: GateBook) -> bool:
    raised = {gate for _, choice in taken for gate in choice.gates}
    return any((rule := gates.rule(gate)) is not None and rule.requires is not None for gate in raised)


def _path(way: Branch) -> str:
    return " → ".join(f"{answer.question}={answer.choice}" for answer in way.answers)


def _axes(protocol: Protocol, ways: list[Branch], books: LintBooks) -> list[Finding]:
    """Every way judges every axis, or ends in a hold."""
    found: dict[str, Finding] = {}
    for way in ways:
        taken = _taken(protocol, way)
        lacking = [axis.id for axis in books.axes.axes if axis.id not in _caps(taken)]
        if lacking and not _holds(taken, books.gates):
            path = _path(way)
            found.setdefault(
                path, Finding("axis_not_judged", path, f"nobody looked at {', '.join(lacking)} on this way")
            )
    return list(found.values())


def _grades(protocol: Protocol, ways: list[Branch], books: LintBooks) -> list[Finding]:
    """The best grade of a scheme must be reachable, or no unit of this kind could ever be sold as new."""
    reached: dict[str, set[str]] = {scheme.name: set() for scheme in books.schemes}
    for way in ways:
        levels = _levels(_caps(_taken(protocol, way)), books.axes)
        if levels:
            for scheme in books.schemes:
                reached[scheme.name].add(scheme.grade(levels).code)
    return [
        Finding(
            "unreachable_grade",
            f"scheme {scheme.name!r}",
            f"no answers lead to the best grade {scheme.grades[0].code!r}",
        )
        for scheme in books.schemes
        if scheme.grades[0].code not in reached[scheme.name]
    ]


def _levels(caps: Mapping[str, int], axes: AxisBook) -> tuple[AxisLevel, ...]:
    if any(axis.id not in caps for axis in axes.axes):
        return ()
    return tuple(axis.at(max(1, min(caps[axis.id], axis.best))) for axis in axes.axes)


def _clean(protocol: Protocol, ways: list[Branch], books: LintBooks) -> list[Finding]:
    """A clean unit costs at most three questions."""
    longest: Branch | None = None
    for way in ways:
        taken = _taken(protocol, way)
        clean = not any(choice.defects or choice.gates or choice.second_look or choice.reason for _, choice in taken)
        if (
            clean
            and way.situation.declared_reason is None
            and (longest is None or len(way.answers) > len(longest.answers))
        ):
            longest = way
    if longest is None:
        return [Finding("no_clean_way", "questions", "no way through is without a fault: a clean unit cannot pass")]
    if len(longest.answers) > MOST_QUESTIONS_CLEAN:
        text = f"a clean unit is asked {len(longest.answers)} questions, at most {MOST_QUESTIONS_CLEAN}"
        return [Finding("clean_way_too_long", _path(longest), text)]
    return []


def _shortcuts(protocol: Protocol, books: LintBooks) -> list[Finding]:
    found: list[Finding] = []
    for shortcut in protocol.shortcuts:
        where = f"shortcut {shortcut.code!r}"
        if shortcut.code not in BY_BARCODE:
            found.append(Finding("shortcut_code", where, "no such command: see the command sheet"))
        gaps: set[str] = set()
        for situation in situations(protocol):
            if situation.declared_reason in shortcut.unless_reasons:
                continue
            gaps.update(_open_after(protocol, shortcut.answers, situation.declared_reason, situation.traits))
        for name in sorted(gaps):
            found.append(Finding("shortcut_incomplete", where, f"question {name!r} can stay open: answer it too"))
        for name, choice_id in shortcut.answers.items():
            question = protocol.question(name)
            choice = question.choice(choice_id) if question is not None else None
            if choice is None:
                continue
            if choice.gates or choice.defects or choice.second_look:
                text = f"answers {name!r} with {choice_id!r}, which is not clean"
                found.append(Finding("shortcut_not_clean", where, text))
            proofs = NEVER_BY_CLEAN.intersection(choice.clears)
            if shortcut.code == "RSC-CLEAN" and proofs:
                text = f"clears {', '.join(sorted(proofs))}: that proof must be given by an answer of its own"
                found.append(Finding("shortcut_clears_proof", where, text))
        if "defective" not in shortcut.unless_reasons or "damaged_in_transit" not in shortcut.unless_reasons:
            text = "refuse it for 'defective' and 'damaged_in_transit': somebody must look"
            found.append(Finding("shortcut_not_refused", where, text))
    return found


def _open_after(
    protocol: Protocol, answers: Mapping[str, str], reason: str | None, traits: tuple[str, ...]
) -> list[str]:
    """Questions that stay open when a shortcut answers every open question it can, one after the other."""
    given: dict[str, str] = {}
    while True:
        open_now = protocol.open_questions(given, reason, traits)
        answerable = [question for question in open_now if question.id in answers]
        if not answerable:
            return [question.id for question in open_now]
        given[answerable[0].id] = answers[answerable[0].id]


def _gates(protocol: Protocol, books: LintBooks) -> list[Finding]:
    """A choice that raises and clears the same gate contradicts itself; some gates no answer can clear."""
    found: list[Finding] = []
    for question in protocol.questions:
        for choice in question.choices:
            where = f"question {question.id!r}, choice {choice.id!r}"
            for gate in set(choice.gates).intersection(choice.clears):
                found.append(Finding("gate_contradiction", where, f"raises and clears {gate!r}"))
            for gate in choice.clears:
                rule = books.gates.rule(gate)
                if rule is not None and rule.proof == "none":
                    how = (
                        "only a recorded permission passes it"
                        if gate in DEROGABLE
                        else "nothing at the bench clears it"
                    )
                    found.append(Finding("gate_not_clearable", where, f"clears {gate!r}, but {how}"))
    return found
