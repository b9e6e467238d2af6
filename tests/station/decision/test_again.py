"""A recorded inspection decided again: the same bytes under its own version, named differences under another."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from station.canonical import canonical_json
from station.decision.again import Again, Recorded, recorded_protocol, run_again
from station.errors import InvalidInput
from station.identify.commands import Command
from station.inspection.protocol import Protocol
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.inspection.view import State
from tests.station.inspection.asking import MERCHANT, SERIAL, Asking, rules_with
from tests.station.inspection.test_protocol_kinds import WHOLE, read

FIRST = read()


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    bench = Asking(FIRST, mass_mg=100_000)
    bench.to_the_questions()
    bench.give(Command.CHOICE_1)
    bench.type("120.4")
    bench.scan(SERIAL)
    bench.type("a hinge")
    bench.give(Command.SECOND_LOOK)
    bench.give(Command.CONFIRM)
    assert bench.state is State.DONE
    (payload,) = [fact.payload for fact in bench.store.facts if fact.kind == INSPECTION_CONFIRMED]
    inspection = msgspec.json.decode(payload, type=Inspection)  # as it comes out of the journal
    unit = bench.desk._at.draft
    assert unit.parcel is not None
    return Recorded(inspection, unit.parcel.opened_at, MERCHANT, bench.store.article, unit.parcel.authorisation)


def run(recorded: Recorded, protocol: Protocol | None = None) -> Again:
    return run_again(recorded, rules_with(FIRST), protocol)


def test_the_same_version_gives_the_same_bytes(recorded: Recorded) -> None:
    assert recorded_protocol(recorded.inspection) == ("toys", 1)
    again = run(recorded)
    assert canonical_json(again.decision) == canonical_json(recorded.inspection.decision)
    assert (again.moved, again.dropped, again.unanswered) == ((), (), ())


def test_negative_control_another_answer_gives_other_bytes(recorded: Recorded) -> None:
    first, *others = recorded.inspection.answers
    bent = replace(recorded.inspection, answers=(replace(first, choice="dirty"), *others))
    assert canonical_json(run(replace(recorded, inspection=bent)).decision) != canonical_json(
        recorded.inspection.decision
    )


def test_a_number_is_read_by_the_new_ranges(recorded: Recorded) -> None:
    stricter = read(WHOLE.replace("version = 1", "version = 2").replace("tolerance = 5", "tolerance = 3"))
    again = run(recorded, stricter)
    assert again.moved == (("length", "right", "wrong"),)
    assert again.decision.second_look != recorded.inspection.decision.second_look
    looser = read(WHOLE.replace("version = 1", "version = 2").replace("tolerance = 5", "tolerance = 9"))
    assert run(recorded, looser).moved == ()


def test_questions_that_came_or_went_are_named(recorded: Recorded) -> None:
    fewer = replace(FIRST, version=2, questions=FIRST.questions[:3])
    assert run(recorded, fewer).dropped == ("serial", "note")
    asked_always = replace(FIRST.questions[1], when=FIRST.questions[0].when)
    more = replace(FIRST, version=2, questions=(FIRST.questions[0], asked_always, *FIRST.questions[2:]))
    again = run(recorded, more)
    assert again.unanswered == ("wipe",)
    assert again.decision.disposition.value == "quarantine", "what nobody asked is never assumed"


def test_a_version_that_is_not_here_is_said(recorded: Recorded) -> None:
    with pytest.raises(InvalidInput, match="toys@1 is not here"):
        run_again(recorded, rules_with(replace(FIRST, version=2)))
