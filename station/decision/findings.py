"""What the answers say, read once: axis caps, defects, gates raised and cleared, contradictions.

Reading is total: an answer that does not fit the protocol is not an exception but a contradiction, and a contradiction
holds the unit. An answer that should not have been asked may raise a gate but never clears one.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from station.decision.model import Case, Reason
from station.inspection.entry import shown_value
from station.inspection.facts import Answer, IdentityOutcome
from station.inspection.plausibility import COMPLETE, EMPTY_BOX, PART_MISSING, SOMETHING_ELSE, WEIGHT_CHECK
from station.inspection.protocol import Choice, Protocol, Question

_INCOMPLETE = 2
"""Level of ``packaging`` that a part found missing at the weight check still allows."""


class Findings(msgspec.Struct, frozen=True):
    """The answers, understood."""

    declared: str | None
    traits: tuple[str, ...]
    answers: Mapping[str, str]
    caps: Mapping[str, int]
    """Axis → highest level still possible. An axis that is not here was looked at by nobody."""
    statements: tuple[Reason, ...]
    """What was found that is not as new, in the order of the questions."""
    defects: tuple[tuple[str, str], ...]
    raised: Mapping[str, Reason]
    cleared: Mapping[str, Reason]
    found_reason: str | None
    rework_minutes: int
    bench_minutes: int
    """Work that was already done at the bench (``Rework``), whether it helped or not."""
    problems: tuple[Reason, ...]
    """Contradictions and gaps; any of them holds the unit."""
    looks: tuple[Reason, ...]
    weight_answer: str | None
    part_missing: bool
    """Some answer says that a part is missing, so a light unit is explained."""
    rules_missing: Reason | None
    """Why this unit cannot be judged by any rule: unmapped article, no policy, no scheme."""


def sentence(question: Question, choice: Choice, value: str | None = None) -> Reason:
    """The record's sentence of one answer, with the value that was entered."""
    text = choice.reason or f"{question.text} {choice.label}"
    if value is not None:
        text = f"{text} ({shown_value(question, value)})"
    return Reason(f"answer_{question.id}_{choice.id}", text)


def read_findings(case: Case, rules_missing: Reason | None = None) -> Findings:
    """Understand the answers of a case.

    Args:
        case: anything; nothing is assumed about it.
        rules_missing: why no rule fits, if so.

    Returns:
        The findings; contradictions are in ``problems``.
    """
    declared = case.line.declared_reason if case.line is not None else None
    traits: tuple[str, ...] = tuple(case.item.traits) if case.item is not None else ()
    problems: list[Reason] = []
    chosen: dict[str, Answer] = {}
    for answer in case.answers:
        before = chosen.get(answer.question)
        if before is not None and before.choice != answer.choice:
            text = f"Two answers to {answer.question!r}: {before.choice!r} and {answer.choice!r}"
            problems.append(Reason("answers_contradict", text))
            continue
        chosen[answer.question] = answer
    reader = _Reader(declared, traits, {name: answer.choice for name, answer in chosen.items()}, problems)
    weight_answer = reader.weight_check(chosen)
    if case.protocol is not None:
        reader.read(case.protocol, chosen, case.answers)
    elif any(name != WEIGHT_CHECK for name in chosen):
        problems.append(Reason("answers_without_protocol", "Answers without a protocol cannot be judged"))
    if reader.found is None and case.identity is IdentityOutcome.WRONG_ITEM:
        reader.found = "wrong_item"
    return Findings(
        declared=declared,
        traits=traits,
        answers=reader.answers,
        caps=reader.caps,
        statements=tuple(reader.statements),
        defects=tuple(reader.defects),
        raised=reader.raised,
        cleared=reader.cleared,
        found_reason=reader.found,
        rework_minutes=reader.minutes,
        bench_minutes=reader.bench_minutes,
        problems=tuple(problems),
        looks=tuple(reader.looks),
        weight_answer=weight_answer,
        part_missing=any(kind == "missing_part" for kind, _ in reader.defects),
        rules_missing=rules_missing,
    )


class _Reader:
    """Collects while reading; only :func:`read_findings` sees it."""

    def __init__(
        self, declared: str | None, traits: tuple[str, ...], answers: dict[str, str], problems: list[Reason]
    ) -> None:
        self.declared, self.traits, self.answers, self.problems = declared, traits, answers, problems
        self.caps: dict[str, int] = {}
        self.statements: list[Reason] = []
        self.defects: list[tuple[str, str]] = []
        self.raised: dict[str, Reason] = {}
        self.cleared: dict[str, Reason] = {}
        self.looks: list[Reason] = []
        self.found: str | None = None
        self.minutes = 0
        self.bench_minutes = 0
        self.mended: frozenset[str] = frozenset()

    def weight_check(self, chosen: Mapping[str, Answer]) -> str | None:
        answer = chosen.get(WEIGHT_CHECK)
        if answer is None:
            return None
        if answer.choice == PART_MISSING:
            self.caps["packaging"] = _INCOMPLETE
            self.defects.append(("missing_part", "major"))
            self.statements.append(Reason("weight_check_part_missing", "A part is missing"))
            self.found = "missing_parts"
        elif answer.choice not in (COMPLETE, SOMETHING_ELSE, EMPTY_BOX):
            self.problems.append(_unknown_choice(WEIGHT_CHECK, answer.choice))
        return answer.choice

    def read(self, protocol: Protocol, chosen: Mapping[str, Answer], given: tuple[Answer, ...]) -> None:
        known = {question.id for question in protocol.questions} | {WEIGHT_CHECK}
        for name in chosen:
            if name not in known:
                self.problems.append(Reason("answer_unknown_question", f"Answer to an unknown question {name!r}"))
        self.mended = self._mended(protocol, chosen)
        for question in protocol.questions:
            answer = chosen.get(question.id)
            asked = question.when.holds(self.answers, self.declared, self.traits)
            if answer is None:
                if asked:
                    self.problems.append(Reason(f"unanswered_{question.id}", f"Not answered: {question.text}"))
                continue
            choice = question.choice(answer.choice)
            if choice is None:
                self.problems.append(_unknown_choice(question.id, answer.choice))
            elif asked:
                self._take(question, choice, answer.value)
            else:
                self._take_unasked(question, choice, answer)
        # Every answer as it was given, so that two answers that contradict each other both raise what they raise.
        for answer in given:
            if chosen[answer.question] is answer:
                continue
            asked_for = protocol.question(answer.question)
            other = asked_for.choice(answer.choice) if asked_for is not None else None
            if asked_for is not None and other is not None:
                self._raise(asked_for, other, answer.value)
        self._check_shortcuts(protocol, chosen)

    def _mended(self, protocol: Protocol, chosen: Mapping[str, Answer]) -> frozenset[str]:
        """Questions whose answers a rework that helped has overtaken; only an answer that was asked for mends."""
        mended: set[str] = set()
        for question in protocol.questions:
            answer = chosen.get(question.id)
            choice = question.choice(answer.choice) if answer is not None else None
            if choice is not None and question.when.holds(self.answers, self.declared, self.traits):
                mended.update(choice.mends)
        return frozenset(mended)

    def _take(self, question: Question, choice: Choice, value: str | None) -> None:
        reason = sentence(question, choice, value)
        if question.rework is not None:
            self.bench_minutes += question.rework.minutes
        if question.id not in self.mended:
            for axis, level in (choice.axes or {}).items():
                self.caps[axis] = min(level, self.caps.get(axis, level))
            self.minutes += choice.rework_minutes
        self.defects.extend(choice.defects)
        self._raise(question, choice, value)
        for gate in choice.clears:
            self.cleared.setdefault(gate, reason)
        if choice.found_reason is not None and self.found is None:
            self.found = choice.found_reason
        if choice.second_look:
            self.looks.append(reason)
        if choice.defects or choice.gates or choice.second_look or choice.reason:
            self.statements.append(reason)

    def _take_unasked(self, question: Question, choice: Choice, answer: Answer) -> None:
        self._raise(question, choice, answer.value)
        if not answer.given_by.startswith("shortcut:"):
            text = f"Answered without being asked: {question.text}"
            self.problems.append(Reason(f"answered_unasked_{question.id}", text))

    def _raise(self, question: Question, choice: Choice, value: str | None) -> None:
        for gate in choice.gates:
            self.raised.setdefault(gate, sentence(question, choice, value))

    def _check_shortcuts(self, protocol: Protocol, chosen: Mapping[str, Answer]) -> None:
        codes = {
            answer.given_by.partition(":")[2] for answer in chosen.values() if answer.given_by.startswith("shortcut:")
        }
        for code in sorted(codes):
            shortcut = protocol.shortcut(code)
            if shortcut is None:
                self.problems.append(Reason("shortcut_unknown", f"This protocol has no shortcut {code!r}"))
            elif self.declared is not None and self.declared in shortcut.unless_reasons:
                text = f"{shortcut.label!r} cannot answer a return declared as {self.declared.replace('_', ' ')}"
                self.problems.append(Reason("shortcut_refused", text))
            elif any(
                shortcut.answers.get(name) != answer.choice
                for name, answer in chosen.items()
                if answer.given_by == f"shortcut:{code}"
            ):
                text = f"{shortcut.label!r} does not give these answers"
                self.problems.append(Reason("shortcut_contradicts", text))


def _unknown_choice(question: str, choice: str) -> Reason:
    return Reason("answer_unknown_choice", f"Unknown answer {choice!r} to question {question!r}")
