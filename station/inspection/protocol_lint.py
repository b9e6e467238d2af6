"""What is unwise in a protocol, found before an inspector meets it.

Each finding says where and what to do. Vague or long instructions are not followed (two steps are read, ten are not),
so lengths are limited; a clean unit must stay within three questions. What needs a walk over all ways is in
``protocol_lint_ways``; both are bounded, whatever the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from station.decision.gates import DEROGABLE, GateBook
from station.decision.scheme import AxisBook, GradingScheme
from station.identify.commands import BY_BARCODE, PREFIX
from station.inspection.answer_pictures import picture_file, picture_folders
from station.inspection.lint_finding import Finding, Severity, warning
from station.inspection.protocol import Choice, Kind, Protocol, Question, Takes
from station.inspection.protocol_lint_ways import lint_ways
from station.inspection.protocol_places import line_of, places

__all__ = ["Finding", "LintBooks", "Severity", "lint", "with_lines"]

LABEL, HINT, TEXT, WHY, GUIDE, TITLE, REASON = 22, 40, 40, 60, 48, 22, 90
"""Longest texts in characters, by what a screen of the bench shows in one line at reading size."""
MOST_CHOICES, MOST_SHOTS = 5, 5
MOST_WORDS, MOST_STEPS = 12, 2
"""Words of a sentence, and steps of one instruction, that are read at a bench."""
NEVER_BY_CLEAN = frozenset({"data_bearing"})
"""Gates that the shortcut CLEAN must not clear: that proof is somebody's own act."""

_SENTENCE = re.compile(r"[.;:!?]+")
_STEP = re.compile(r"[.;]+|,? then |,? and then ")


@dataclass(frozen=True, slots=True)
class LintBooks:
    """What a protocol is checked against."""

    axes: AxisBook
    gates: GateBook
    schemes: tuple[GradingScheme, ...]
    pictures: tuple[Path, ...] = field(default_factory=picture_folders)


def lint(protocol: Protocol, books: LintBooks) -> tuple[Finding, ...]:
    """Check one protocol.

    Returns:
        All findings; empty = nothing to change.
    """
    return (
        *_texts(protocol),
        *_choices(protocol),
        *_same_effect(protocol),
        *_entries(protocol),
        *_shortcuts(protocol),
        *_gates(protocol, books),
        *_schemes(protocol, books),
        *_pictures(protocol, books),
        *_translations(protocol),
        *lint_ways(protocol, books.axes, books.gates, books.schemes),
    )


def with_lines(findings: tuple[Finding, ...], text: str) -> tuple[Finding, ...]:
    """The findings with the lines of the file they are in."""
    known = places(text)
    return tuple(replace(finding, line=line_of(finding.where, known)) for finding in findings)


def _long(where: str, what: str, text: str, limit: int) -> Iterator[Finding]:
    if len(text) > limit:
        yield Finding("text_too_long", where, f"{what} has {len(text)} characters, at most {limit}: {text!r}")
    words = max((len(sentence.split()) for sentence in _SENTENCE.split(text)), default=0)
    if words > MOST_WORDS:
        yield warning("too_many_words", where, f"{what} has a sentence of {words} words, at most {MOST_WORDS}")


def _steps(where: str, what: str, text: str) -> Iterator[Finding]:
    steps = sum(1 for step in _STEP.split(text) if step.strip())
    if steps > MOST_STEPS:
        yield warning("too_many_steps", where, f"{what} has {steps} steps; two are read, ten are not")


def _texts(protocol: Protocol) -> Iterator[Finding]:
    for shot in protocol.shots:
        where = f"shot {shot.id!r}"
        yield from _long(where, "title", shot.title, TITLE)
        yield from _long(where, "guide", shot.guide, GUIDE)
        yield from _steps(where, "guide", shot.guide)
    for question in protocol.questions:
        where = f"question {question.id!r}"
        yield from _long(where, "text", question.text, TEXT)
        yield from _long(where, "why", question.why, WHY)
        if question.rework is not None:
            yield from _long(where, "task", question.rework.task, TEXT)
            yield from _steps(where, "task", question.rework.task)
        for choice in question.choices:
            at = f"{where}, choice {choice.id!r}"
            yield from _long(at, "label", choice.label, LABEL)
            yield from _long(at, "hint", choice.hint, HINT)
            yield from _long(at, "reason", choice.reason, REASON)
            if not choice.hint and choice.is_button:
                yield Finding("hint_missing", at, "nobody can see what it looks like")
    for shortcut in protocol.shortcuts:
        yield from _long(f"shortcut {shortcut.code!r}", "label", shortcut.label, LABEL)
    if not protocol.shots:
        yield Finding("shots_missing", "shots", "a record without a photo proves nothing")
    if len(protocol.shots) > MOST_SHOTS:
        yield Finding("too_many_shots", "shots", f"{len(protocol.shots)} shots, at most {MOST_SHOTS}")


def _effect(choice: Choice) -> tuple[object, ...]:
    """Everything an answer leads to by itself."""
    axes = tuple(sorted((choice.axes or {}).items()))
    return (
        axes, choice.defects, choice.gates, choice.clears, choice.found_reason, choice.second_look,
        choice.rework_minutes, choice.mends,
    )  # fmt: skip


def _leading(protocol: Protocol) -> set[tuple[str, str]]:
    """Answers that a later question or shot looks at."""
    conditions = [*(question.when for question in protocol.questions), *(shot.when for shot in protocol.shots)]
    return {
        (name, choice) for condition in conditions for name, choices in condition.answers.items() for choice in choices
    }


def _choices(protocol: Protocol) -> Iterator[Finding]:
    leading = _leading(protocol)
    for question in protocol.questions:
        where = f"question {question.id!r}"
        if len(question.buttons) > MOST_CHOICES:
            yield Finding("too_many_choices", where, f"{len(question.buttons)} choices, at most {MOST_CHOICES}")
        if len(question.choices) < 2 and not _keeps_value(question):
            yield Finding("one_choice", where, "a question with one answer asks nothing")
        labels = [choice.label for choice in question.choices]
        if len(set(labels)) != len(labels):
            yield Finding("same_label", where, "two choices have the same label")
        for choice in question.choices:
            yield from _choice(question, choice, f"{where}, choice {choice.id!r}", leading)


def _keeps_value(question: Question) -> bool:
    """What is entered is the answer, so no consequence is needed."""
    return question.kind in (Kind.TEXT, Kind.SCAN)


def _choice(question: Question, choice: Choice, at: str, leading: set[tuple[str, str]]) -> Iterator[Finding]:
    has_effect = any(_effect(choice)) or question.rework is not None or _keeps_value(question)
    if not has_effect and (question.id, choice.id) not in leading:
        yield Finding("no_effect", at, "has no axes, gate, defect or further question: why ask it?")
    if (choice.defects or choice.gates or choice.second_look) and not choice.reason:
        yield Finding("reason_missing", at, "the record would not say what was found")
    if choice.code is not None and not (choice.code.startswith(PREFIX) and len(choice.code) <= 14):
        yield Finding("bad_code", at, f"{choice.code!r} must begin with {PREFIX} and have at most 14 signs")
    elif choice.code in BY_BARCODE:
        yield Finding("bad_code", at, f"{choice.code!r} is already the command {BY_BARCODE[choice.code].label!r}")


def _same_effect(protocol: Protocol) -> Iterator[Finding]:
    """A question whose every answer leads to the same is answered "right" whatever is pressed."""
    leading = _leading(protocol)
    for question in protocol.questions:
        if len(question.choices) < 2 or _keeps_value(question):
            continue
        if any((question.id, choice.id) in leading for choice in question.choices):
            continue
        effects = {(_effect(choice), choice.reason) for choice in question.choices}
        if len(effects) == 1 and any(_effect(question.choices[0])):
            yield warning("same_effect", f"question {question.id!r}", "every answer leads to the same: it asks nothing")


def _entries(protocol: Protocol) -> Iterator[Finding]:
    for question in protocol.questions:
        where = f"question {question.id!r}"
        for choice in question.choices:
            at = f"{where}, choice {choice.id!r}"
            if choice.takes is Takes.DIFFERENT and not (choice.second_look or choice.gates):
                yield Finding("scan_unheeded", at, "another code than expected leads to nothing")
            if choice.clears and not choice.is_button:
                gates = ", ".join(choice.clears)
                yield Finding("gate_cleared_unasked", at, f"clears {gates} by what was typed or scanned: nobody looked")
        if question.rework is None:
            continue
        mended = {name for choice in question.choices for name in choice.mends}
        if not mended:
            yield warning("rework_helps_never", where, "no answer says what the work has mended")
        for name in sorted(mended - question.when.answers.keys()):
            yield warning("mends_nothing", where, f"is asked whatever was answered to {name!r}, which it mends")


def _shortcuts(protocol: Protocol) -> Iterator[Finding]:
    for shortcut in protocol.shortcuts:
        where = f"shortcut {shortcut.code!r}"
        if shortcut.code not in BY_BARCODE:
            yield Finding("shortcut_code", where, "no such command")
        for name, choice_id in shortcut.answers.items():
            question = protocol.question(name)
            choice = question.choice(choice_id) if question is not None else None
            if choice is None:
                continue
            if choice.gates or choice.defects or choice.second_look:
                yield Finding("shortcut_not_clean", where, f"answers {name!r} with {choice_id!r}, which is not clean")
            proofs = NEVER_BY_CLEAN.intersection(choice.clears)
            if shortcut.code == "RSC-CLEAN" and proofs:
                yield Finding("shortcut_clears_proof", where, f"clears {', '.join(sorted(proofs))}, a proof of its own")
        if "defective" not in shortcut.unless_reasons or "damaged_in_transit" not in shortcut.unless_reasons:
            text = "can be used for 'defective' or 'damaged_in_transit', where somebody must look"
            yield Finding("shortcut_not_refused", where, text)


def _gates(protocol: Protocol, books: LintBooks) -> Iterator[Finding]:
    """A choice that raises and clears the same gate contradicts itself; some gates no answer can clear."""
    for question in protocol.questions:
        for choice in question.choices:
            where = f"question {question.id!r}, choice {choice.id!r}"
            for gate in sorted(set(choice.gates).intersection(choice.clears)):
                yield Finding("gate_contradiction", where, f"raises and clears {gate!r}")
            for gate in choice.clears:
                rule = books.gates.rule(gate)
                if rule is not None and rule.proof == "none":
                    permitted = "only a recorded permission passes it"
                    how = permitted if gate in DEROGABLE else "nothing at the bench clears it"
                    yield Finding("gate_not_clearable", where, f"clears {gate!r}, but {how}")


def _schemes(protocol: Protocol, books: LintBooks) -> Iterator[Finding]:
    """An axis that these goods do not have must be one that the scheme can do without."""
    absent = [axis.id for axis in books.axes.axes if not protocol.judges(axis.id)]
    for scheme in books.schemes:
        for axis in absent:
            grades = [rule.code for rule in scheme.grades if rule.minimum.get(axis, 1) > 1]
            if grades and axis not in scheme.optional:
                text = f"grades {', '.join(grades)} of scheme {scheme.name!r} need {axis}, which nobody judges here"
                yield Finding("axis_needed_by_scheme", "axes", text)


def _pictures(protocol: Protocol, books: LintBooks) -> Iterator[Finding]:
    lacking: list[str] = []
    for question in protocol.questions:
        for choice in question.buttons:
            if choice.picture is None:
                lacking.append(f"{question.id}={choice.id}")
            elif picture_file(choice.picture, books.pictures) is None:
                where = f"question {question.id!r}, choice {choice.id!r}"
                yield Finding("picture_missing", where, f"there is no picture {choice.picture!r}")
    if lacking:
        more = f" and {len(lacking) - 4} more" if len(lacking) > 4 else ""
        text = f"{len(lacking)} answers have no picture: {', '.join(lacking[:4])}{more}"
        yield warning("picture_unnamed", "questions", text)


def _translations(protocol: Protocol) -> Iterator[Finding]:
    """Where a protocol is translated at all, all of it is."""
    shown = _shown(protocol)
    for language, table in protocol.texts.items():
        where = f"texts.{language}"
        missing = [text for text in shown if not table.get(text, "").strip()]
        stale = [text for text in table if text not in shown]
        if missing:
            yield warning(
                "translation_missing", where, f"{len(missing)} texts are not translated, first: {missing[0]!r}"
            )
        if stale:
            yield warning("translation_stale", where, f"{len(stale)} texts are nowhere shown, first: {stale[0]!r}")


def _shown(protocol: Protocol) -> Mapping[str, None]:
    """Every text that an inspector reads."""
    texts: list[str] = [protocol.title]
    for shot in protocol.shots:
        texts += (shot.title, shot.guide)
    for question in protocol.questions:
        texts += (question.text, question.why)
        if question.rework is not None:
            texts.append(question.rework.task)
        for choice in question.choices:
            texts += (choice.label, choice.hint, choice.reason)
    texts += (shortcut.label for shortcut in protocol.shortcuts)
    return dict.fromkeys(text for text in texts if text)
