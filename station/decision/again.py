"""A recorded inspection, decided again: under the version it was made with (the same bytes), or under another one.

What an inspector answered is a fact; what it means is the protocol's. So under another version the answers are read
anew: a number goes into the range that it now lies in, a code keeps its comparison, a button keeps its id. Answers to
questions that this version does not ask are dropped, questions that are new stay open (and an open question holds the
unit): both are named, because such a difference is a difference of questions, not of grades. A shortcut was an act of
the inspector under its meaning of then: where it now means something else, it counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from station.decision.decide import decide
from station.decision.goods_dates import marked
from station.decision.model import Case, Decision, Reason
from station.decision.rules import Rules
from station.errors import InvalidInput
from station.inspection.facts import Answer, IdentityOutcome
from station.inspection.plausibility import WEIGHT_CHECK
from station.inspection.protocol import Choice, Protocol, Question
from station.inspection.record import Inspection
from station.inspection.recording import ASKED_SECOND_LOOK, PHOTO_AGAIN
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation

_SHORTCUT = "shortcut:"
_ASKED = frozenset({ASKED_SECOND_LOOK.code, PHOTO_AGAIN.code})
"""Second looks that the bench asked for: they are part of the case, not of the rules' answer."""
ASKED_BY_SIGNALS = ("look_signals_", "look_doubt_")
"""How the codes of ``station.review`` begin: they go into the case as well."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One inspection with what stands beside it in the journal and the feed."""

    inspection: Inspection
    opened_at: datetime
    """When its parcel was opened: windows are counted to then."""
    merchant: Merchant | None
    item: CatalogueItem | None
    authorisation: ReturnAuthorisation | None


@dataclass(frozen=True, slots=True)
class Again:
    """What another look at the same facts gives."""

    decision: Decision
    protocol: Protocol | None
    moved: tuple[tuple[str, str, str], ...]
    """(question, choice then, choice now) where the same entry now means something else."""
    dropped: tuple[str, ...]
    """Answers to questions that this version does not ask."""
    unanswered: tuple[str, ...]
    """Questions of this version that nobody was asked."""
    refused: tuple[str, ...] = ()
    """Shortcuts that this version would have refused, or that mean something else in it."""


def recorded_protocol(inspection: Inspection) -> tuple[str, int] | None:
    """The protocol that an inspection was made with; None = it had none.

    Raises:
        InvalidInput: the record names it in a way that is not ours.
    """
    named = next((version for what, version in inspection.decision.versions if what == "protocol"), None)
    if named is None:
        return None
    protocol_id, at, version = named.partition(" ")[0].partition("@")
    if not at or not (version.isascii() and version.isdigit()):
        raise InvalidInput(f"the record names its protocol {named!r}; expected id@version")
    return protocol_id, int(version)


def run_again(recorded: Recorded, rules: Rules, protocol: Protocol | None = None) -> Again:
    """Decide a recorded inspection.

    Args:
        rules: policies, schemes and books to decide by.
        protocol: the version to read the answers with; None = the one it was made with.

    Raises:
        InvalidInput: it was made with a version that ``rules`` do not have.
    """
    own = recorded_protocol(recorded.inspection)
    if protocol is None:
        protocol = _own_protocol(recorded.inspection, rules)
    is_own = protocol is None or own == (protocol.id, protocol.version)
    read = _read_anew(recorded, protocol if not is_own else None)
    case = _case(recorded, protocol, read.answers)
    unanswered: tuple[str, ...] = ()
    present = recorded.inspection.identity is not IdentityOutcome.MISSING
    if protocol is not None and present and (case.answers or not is_own):
        given = {answer.question: answer.choice for answer in case.answers}
        traits = tuple(recorded.item.traits) if recorded.item is not None else ()
        open_now = protocol.open_questions(given, recorded.inspection.declared_reason, traits)
        unanswered = tuple(question.id for question in open_now)
    return Again(decide(case, rules), protocol, read.moved, read.dropped, unanswered, read.refused)


def _own_protocol(inspection: Inspection, rules: Rules) -> Protocol | None:
    named = recorded_protocol(inspection)
    if named is None:
        return None
    found = rules.protocol(*named)
    if found is None:
        raise InvalidInput(f"protocol {named[0]}@{named[1]} is not here: add its file to the rules to run it again")
    return found


def _case(recorded: Recorded, protocol: Protocol | None, answers: tuple[Answer, ...]) -> Case:
    inspection, authorisation = recorded.inspection, recorded.authorisation
    lines = authorisation.lines if authorisation is not None else ()
    line = next((line for line in lines if line.line == inspection.line), None)
    on_pack = marked(inspection.scans, recorded.opened_at.date())
    return Case(
        at=recorded.opened_at,
        identity=inspection.identity,
        merchant=recorded.merchant,
        item=recorded.item,
        authorisation=authorisation,
        line=line,
        protocol=protocol,
        answers=answers,
        weight=inspection.judgement,
        skipped=inspection.skipped,
        flags=tuple(reason for reason in inspection.decision.second_look if _is_of_the_case(reason)),
        serial_found=inspection.serial_found,
        lot=on_pack.lot,
        made=on_pack.made,
        dates=on_pack.dates,
        derogations=inspection.derogations,
        gate_acts=inspection.gate_acts,
        earlier=inspection.earlier,
        market=inspection.market,
    )


def _is_of_the_case(look: Reason) -> bool:
    return look.code in _ASKED or look.code.startswith(ASKED_BY_SIGNALS)


@dataclass(frozen=True, slots=True)
class _Read:
    """Answers as another version understands them."""

    answers: tuple[Answer, ...]
    moved: tuple[tuple[str, str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def _read_anew(recorded: Recorded, protocol: Protocol | None) -> _Read:
    """Read the answers with another protocol; None = with their own, where they mean what they meant."""
    answers = recorded.inspection.answers
    if protocol is None:
        return _Read(answers)
    traits: tuple[str, ...] = tuple(recorded.item.traits) if recorded.item is not None else ()
    declared = recorded.inspection.declared_reason
    refused = tuple(code for code in _shortcuts(answers) if not _stands(code, answers, protocol, declared))
    given = {answer.question: answer for answer in answers}
    kept = [answer for answer in answers if answer.question == WEIGHT_CHECK]
    known: dict[str, str] = {answer.question: answer.choice for answer in kept}
    moved: list[tuple[str, str, str]] = []
    for question in protocol.questions:
        answer = given.get(question.id)
        if answer is None or answer.given_by.removeprefix(_SHORTCUT) in refused:
            continue
        choice = _choice_now(question, answer)
        if choice is None or not question.when.holds(known, declared, traits):
            continue
        known[question.id] = choice.id
        if choice.id != answer.choice:
            moved.append((question.id, answer.choice, choice.id))
        kept.append(replace(answer, choice=choice.id, given_by=answer.given_by.partition(":")[0]))
    dropped = tuple(answer.question for answer in answers if answer.question not in known)
    return _Read(tuple(kept), tuple(moved), dropped, refused)


def _shortcuts(answers: tuple[Answer, ...]) -> tuple[str, ...]:
    """Codes of the shortcuts that gave some of these answers."""
    used = (answer.given_by.removeprefix(_SHORTCUT) for answer in answers if answer.given_by.startswith(_SHORTCUT))
    return tuple(dict.fromkeys(used))


def _stands(code: str, answers: tuple[Answer, ...], protocol: Protocol, declared: str | None) -> bool:
    """Whether a shortcut still gives the answers that it gave, and would not be refused."""
    shortcut = protocol.shortcut(code)
    if shortcut is None or declared in shortcut.unless_reasons:
        return False
    return all(
        shortcut.answers.get(answer.question) == answer.choice
        for answer in answers
        if answer.given_by == _SHORTCUT + code and protocol.question(answer.question) is not None
    )


def _choice_now(question: Question, answer: Answer) -> Choice | None:
    """What an answer means in this version; None = it means nothing."""
    if answer.value is not None and question.number is not None:
        digits = answer.value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            return None
        steps = int(answer.value)
        ranges = ((choice, span) for choice in question.choices for span in choice.ranges)
        return next((choice for choice, (first, last) in ranges if first <= steps <= last), None)
    return question.choice(answer.choice)
