"""What a protocol may never be, refused when its file is read: references to nothing, two things with one name, an
entry that means two answers or none. After this the bench can walk it without a doubt.
"""

from __future__ import annotations

from collections.abc import Mapping

from station.errors import InvalidInput
from station.inspection.protocol import Condition, Expects, Kind, NumberRule, Protocol, Question, Takes
from station.toml_file import did_you_mean

_TAKES = {
    (Kind.TEXT, None): (Takes.TEXT,),
    (Kind.SCAN, Expects.ANY): (Takes.ANY,),
    (Kind.SCAN, Expects.SERIAL): (Takes.SAME, Takes.DIFFERENT, Takes.UNKNOWN),
    (Kind.SCAN, Expects.GTIN): (Takes.SAME, Takes.DIFFERENT, Takes.UNKNOWN),
}
"""What the choices of a question must take between them, so that every entry means one of them."""

YES, NO, CANNOT_TELL = "yes", "no", "cannot_tell"


def check_references(protocol: Protocol) -> None:
    """Refuse a protocol that names things which do not exist or exist twice, or whose entries mean nothing.

    Raises:
        InvalidInput: says where and which.
    """
    if not protocol.is_for:
        raise InvalidInput("'categories' is empty: name at least one category that this protocol applies to")
    for applies in protocol.applies:
        if applies.category is None and applies.sku is None:
            raise InvalidInput("'applies' needs a 'category' or a 'sku': a merchant alone sells too many things")
        if applies.category is not None and applies.sku is not None:
            raise InvalidInput(f"'applies' has {applies}: give the SKU or the category, not both")
    _unique("'applies' for", [str(applies) for applies in protocol.is_for])
    if not protocol.questions:
        raise InvalidInput("'questions' is empty: a condition nobody looked at cannot be graded")
    _unique("question", [question.id for question in protocol.questions])
    _unique("shot", [shot.id for shot in protocol.shots])
    _unique("shortcut", [shortcut.code for shortcut in protocol.shortcuts])
    _unique("axis", list(protocol.axes))
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
        _check_kind(question, where)
        _check_mending(question, earlier, where)
        earlier.add(question.id)
    for shot in protocol.shots:
        _check_condition(shot.when, questions, f"shot {shot.id!r}")
    for shortcut in protocol.shortcuts:
        for name, choice in shortcut.answers.items():
            where = f"shortcut {shortcut.code!r}"
            _check_answer(name, choice, questions, where)
            if not _choice_is_button(questions[name], choice):
                raise InvalidInput(
                    f"{where} answers {name!r}: what must be typed or scanned cannot come with a shortcut"
                )


def _choice_is_button(question: Question, choice_id: str) -> bool:
    choice = question.choice(choice_id)
    return choice is not None and choice.is_button


def _check_kind(question: Question, where: str) -> None:
    """Each kind has what it needs and nothing else, and every entry means exactly one choice."""
    if (question.number is not None) != (question.kind is Kind.NUMBER):
        raise InvalidInput(f"{where}: 'number' and type = 'number' belong together")
    if (question.expects is not None) != (question.kind is Kind.SCAN):
        raise InvalidInput(f"{where}: 'expects' and type = 'scan' belong together")
    if question.kind is Kind.YES_NO:
        ids = {choice.id for choice in question.choices}
        if not {YES, NO} <= ids <= {YES, NO, CANNOT_TELL}:
            raise InvalidInput(f"{where} is yes or no: its choices are 'yes', 'no' and, if wanted, 'cannot_tell'")
    if question.number is not None:
        _check_number(question.number, question, where)
    elif any(choice.ranges for choice in question.choices):
        raise InvalidInput(f"{where}: 'range' and 'is' are for numbers: give it type = 'number'")
    needed = _TAKES.get((question.kind, question.expects), ())
    taken = [choice.takes for choice in question.choices if choice.takes is not None]
    if sorted(taken) != sorted(needed):
        words = ", ".join(repr(one.value) for one in needed) or "none"
        got = ", ".join(repr(one.value) for one in taken) or "none"
        raise InvalidInput(f"{where}: its choices must take {words}, each once; got {got}")


def _check_number(number: NumberRule, question: Question, where: str) -> None:
    if number.least >= number.most:
        raise InvalidInput(f"{where}: 'least' {number.least} is not below 'most' {number.most}")
    if (number.target is None) != (number.tolerance is None):
        raise InvalidInput(f"{where}: 'target' and 'tolerance' belong together")
    if number.target is not None and not number.least <= number.target <= number.most:
        raise InvalidInput(f"{where}: target {number.target} is outside {number.least} to {number.most}")
    spans = sorted((*span, choice.id) for choice in question.choices for span in choice.ranges)
    at, before = number.least, ""
    for first, last, name in spans:
        if first > last:
            raise InvalidInput(f"{where}: choice {name!r} has a range from {first} to {last}: turn it round")
        if first < number.least or last > number.most:
            raise InvalidInput(f"{where}: choice {name!r} reaches outside {number.least} to {number.most}")
        if first < at:
            raise InvalidInput(f"{where}: {first} means both {before!r} and {name!r}: it can mean only one")
        if first > at:
            raise InvalidInput(f"{where}: {at} to {first - 1} means no choice: extend a range")
        at, before = last + 1, name
    if at <= number.most:
        raise InvalidInput(f"{where}: {at} to {number.most} means no choice: extend a range")


def _check_mending(question: Question, earlier: set[str], where: str) -> None:
    for choice in question.choices:
        for name in choice.mends:
            if question.rework is None:
                raise InvalidInput(f"{where}: choice {choice.id!r} mends {name!r}, but no 'rework' says what is done")
            if name not in earlier:
                raise InvalidInput(f"{where}: choice {choice.id!r} mends {name!r}, which is no question before it")


def _check_condition(condition: Condition, questions: Mapping[str, Question], where: str) -> None:
    for name, choices in condition.answers.items():
        for choice in choices:
            _check_answer(name, choice, questions, where)


def _check_answer(name: str, choice: str, questions: Mapping[str, Question], where: str) -> None:
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
