"""What was typed or scanned → the choice it means and the value to keep, or a plain sentence why it cannot be one.

Numbers never become floats: ``12.5`` with one decimal is the integer 125. Every number in the plausible range means
exactly one choice (``protocol_file`` refuses anything else), so reading is total: a choice, or a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

from station.errors import InvalidInput
from station.identify.scan import Candidate, CandidateKind, Check
from station.inspection.protocol import Choice, Expects, Kind, NumberRule, Question, Takes

LONGEST = 200
"""Characters of an entry that are looked at; more is no answer to any question."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a scanned code is compared with."""

    serial: str | None = None
    """Serial number that was shipped; None = not known."""
    gtins: tuple[str, ...] = ()


def read_entry(question: Question, typed: str) -> tuple[Choice, str]:
    """Understand what was typed.

    Returns:
        The choice that it means, and the value for the record: steps as an integer, or the text.

    Raises:
        InvalidInput: it is no answer; the sentence says what would be.
    """
    text = " ".join(typed.split())
    if not question.is_entered:
        raise InvalidInput("this question is answered with its buttons")
    if not text:
        raise InvalidInput(f"nothing was typed yet: {_wanted(question)}")
    if len(text) > LONGEST or not text.isprintable():
        raise InvalidInput(f"that is no answer: {_wanted(question)}")
    if question.number is not None:
        steps = read_number(question.number, text)
        return _of_number(question, steps), str(steps)
    if question.kind is Kind.TEXT:
        if len(text) > question.longest:
            raise InvalidInput(f"{len(text)} letters are too many: at most {question.longest}")
        return _taking(question, Takes.TEXT), text
    raise InvalidInput(_wanted(question))


def read_code(
    question: Question, candidates: tuple[Candidate, ...], text: str, expected: Expected
) -> tuple[Choice, str]:
    """Understand a scanned (or typed) code as the answer to a question of kind ``scan``.

    Args:
        candidates: what the code may be.
        text: the code as it was read.

    Raises:
        InvalidInput: it is no such code; the sentence says what to scan.
    """
    if question.kind is not Kind.SCAN:
        raise InvalidInput(f"{text!r} was scanned: {_wanted(question)}")
    if not text or len(text) > LONGEST:
        raise InvalidInput("that code cannot be read whole: scan it again")
    if question.expects is Expects.GTIN:
        gtin = _gtin(candidates)
        if gtin is None:
            raise InvalidInput(f"{text!r} is no article's barcode: scan the one with 8 to 14 digits")
        return _compared(question, gtin in expected.gtins if expected.gtins else None), gtin
    if question.expects is Expects.SERIAL:
        serial = _whole(_serial(candidates) or text)
        known = expected.serial.strip().casefold() if expected.serial else None
        return _compared(question, serial.strip().casefold() == known if known is not None else None), serial
    return _taking(question, Takes.ANY), _whole(text)


def _whole(code: str) -> str:
    """The code, if a person could read it."""
    if not code.isprintable():
        raise InvalidInput("that code cannot be read whole: scan it again")
    return code


def read_number(rule: NumberRule, text: str) -> int:
    """Read a number as integer steps.

    Raises:
        InvalidInput: not a number, too many decimals, another unit, or not plausible.

    >>> read_number(NumberRule("mm", 1, 0, 5000), "120,5 mm")
    1205
    """
    plain = text.strip()
    if rule.unit and plain.casefold().endswith(rule.unit.casefold()):
        plain = plain[: len(plain) - len(rule.unit)].rstrip()
    sign = -1 if plain.startswith("-") else 1
    whole, point, part = plain.removeprefix("-").removeprefix("+").replace(",", ".").partition(".")
    digits = whole + part
    if not whole or (point and not part) or not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        raise InvalidInput(f"{text!r} is no number: {_example(rule)}")
    if len(part) > rule.decimals:
        places = f"{rule.decimals} digits after the point" if rule.decimals else "a whole number"
        raise InvalidInput(f"{text!r} is finer than asked for: {places}, {_example(rule)}")
    steps = sign * int(digits.ljust(len(whole) + rule.decimals, "0"))
    if not rule.least <= steps <= rule.most:
        raise InvalidInput(
            f"{rule.shown(steps)} cannot be: expected {rule.shown(rule.least)} to {rule.shown(rule.most)}"
        )
    return steps


def shown_value(question: Question, value: str | None) -> str:
    """A recorded value as a person reads it; empty where there is none."""
    if value is None:
        return ""
    if question.number is not None:
        digits = value.removeprefix("-")
        return question.number.shown(int(value)) if digits.isascii() and digits.isdigit() else value
    return value


def _of_number(question: Question, steps: int) -> Choice:
    for choice in question.choices:
        if any(first <= steps <= last for first, last in choice.ranges):
            return choice
    raise InvalidInput("no answer of this question fits that number: press one of the answers")


def _compared(question: Question, same: bool | None) -> Choice:
    takes = Takes.UNKNOWN if same is None else Takes.SAME if same else Takes.DIFFERENT
    return _taking(question, takes)


def _taking(question: Question, takes: Takes) -> Choice:
    found = next((choice for choice in question.choices if choice.takes is takes), None)
    if found is None:
        raise InvalidInput("no answer of this question fits that: press one of the answers")
    return found


def _gtin(candidates: tuple[Candidate, ...]) -> str | None:
    for candidate in candidates:
        if candidate.check is Check.BAD:
            continue
        if candidate.kind is CandidateKind.GTIN:
            return candidate.key
        if (inside := candidate.element("01")) is not None:
            return inside
    return None


def _serial(candidates: tuple[Candidate, ...]) -> str | None:
    for candidate in candidates:
        if (inside := candidate.element("21")) is not None:
            return inside
    return next((candidate.key for candidate in candidates if candidate.kind is CandidateKind.SERIAL), None)


def _wanted(question: Question) -> str:
    if question.number is not None:
        return f"type {_example(question.number)}"
    if question.kind is Kind.SCAN:
        return "scan the code"
    if question.kind is Kind.TEXT:
        return "type a few words"
    return "press one of the answers"


def _example(rule: NumberRule) -> str:
    return f"a number like {rule.shown(rule.target if rule.target is not None else (rule.least + rule.most) // 2)}"
