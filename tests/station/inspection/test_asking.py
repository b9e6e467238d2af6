"""The bench asks: numbers, texts, scans, rework, photos by answer, weigh rules, and the version of the beginning."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.identify.commands import Command
from station.inspection.protocol import Kind, Protocol, Takes
from station.inspection.protocol_walk import Situation, branches
from station.inspection.view import Band, State
from tests.station.inspection.any_protocol import REASONS, TRAITS, protocols
from tests.station.inspection.asking import GTIN, SERIAL, Asking
from tests.station.inspection.test_protocol_kinds import WHOLE, read


def toys(text: str = WHOLE) -> Protocol:
    return read(text)


@pytest.fixture
def bench() -> Asking:
    asking = Asking(toys(), mass_mg=100_000)
    asking.to_the_questions()
    return asking


def answers(bench: Asking) -> dict[str, tuple[str, str | None]]:
    unit = bench.desk._at.draft.unit
    assert unit is not None
    return {answer.question: (answer.choice, answer.value) for answer in unit.answers}


def asked(bench: Asking) -> str | None:
    question = bench.last.view.question
    return question.id if question is not None else None


def test_from_the_first_question_to_the_record(bench: Asking) -> None:
    assert asked(bench) == "look"
    bench.give(Command.CHOICE_2)  # dirty: one more photo is asked for, then the rework
    assert (bench.state, bench.photograph_all()) == (State.PHOTOS, ["mark"])
    assert asked(bench) == "wipe"
    assert bench.last.view.notice.code == "rework"
    assert bench.last.view.notice.facts["task"] == "Wipe it"
    bench.give(Command.CHOICE_1)
    assert asked(bench) == "length"
    bench.type("120.4")
    assert asked(bench) == "serial"
    bench.scan(SERIAL)
    assert asked(bench) == "note"
    bench.type(" a  hinge ")
    assert bench.state in (State.CONFIRM, State.DONE)
    assert answers(bench) == {
        "look": ("dirty", None),
        "wipe": ("yes", None),
        "length": ("right", "1204"),
        "serial": ("same", SERIAL),
        "note": ("said", "a hinge"),
    }
    decision = bench.last.view.decision
    assert decision is not None
    assert decision.grade is not None
    assert decision.grade.code == "A", "it was wiped: the dust no longer counts"
    assert {axis.axis: axis.level for axis in decision.grade.axes} == {"function": 6, "cosmetics": 8}


def test_a_rework_that_did_not_help_changes_nothing(bench: Asking) -> None:
    bench.give(Command.CHOICE_2)
    bench.photograph_all()
    bench.give(Command.CHOICE_2)
    bench.type("120")
    bench.scan(SERIAL)
    bench.type("nothing")
    decision = bench.last.view.decision
    assert decision is not None
    assert decision.grade is not None
    assert {axis.axis: axis.level for axis in decision.grade.axes} == {"function": 6, "cosmetics": 5}


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "nothing was typed yet"), ("abc", "is no number"), ("900", "cannot be"), ("1.23", "finer than asked for")],
)
def test_garbage_is_refused_and_the_question_stays(bench: Asking, typed: str, said: str) -> None:
    bench.give(Command.CHOICE_1)
    before = bench.store.drafts["current"]
    bench.type(typed)
    assert bench.last.view.notice.band is Band.REJECT
    assert said in bench.last.view.notice.facts["why"]
    assert (asked(bench), bench.store.drafts["current"]) == ("length", before)
    bench.type("120")
    assert asked(bench) == "serial"


def test_a_scan_is_no_number_and_a_number_is_no_scan(bench: Asking) -> None:
    bench.give(Command.CHOICE_1)
    bench.scan("120")  # a barcode lies in the way: it is not put into the wrong field
    assert (bench.last.view.notice.code, asked(bench)) == ("not_now", "length")
    bench.give(Command.CHOICE_1)  # the button: cannot tell
    assert answers(bench)["length"] == ("cannot", None)
    bench.scan("RSC-F1")
    assert (bench.last.view.notice.code, asked(bench)) == ("not_now", "serial")
    bench.type("HD7-22914")  # typed by hand, compared all the same
    assert answers(bench)["serial"] == ("other", "HD7-22914")


def test_confirm_takes_what_stands_in_the_field_and_nothing_else(bench: Asking) -> None:
    bench.give(Command.CHOICE_1)
    before = bench.store.drafts["current"]
    bench.scan("RSC-CONFIRM")
    assert bench.last.asks == (Command.CONFIRM,), "the window hands over what was typed"
    assert bench.store.drafts["current"] == before
    assert Command.CONFIRM in bench.last.view.actions


def test_undo_takes_an_entry_back(bench: Asking) -> None:
    bench.give(Command.CHOICE_1)
    bench.type("120")
    bench.give(Command.UNDO)
    assert asked(bench) == "length"
    assert "length" not in answers(bench)


def test_what_must_be_weighed_is_skipped_only_without_a_scale() -> None:
    bench = Asking(toys(), mass_mg=100_000)
    bench.scan("RMA-2026-000001")
    bench.scan(GTIN)
    bench.give(Command.SKIP)
    assert (bench.state, bench.last.view.notice.facts["why"]) == (State.WEIGHT, "parts get lost")
    bench.give(Command.SKIP, "scale: unplugged")
    assert bench.state is State.PHOTOS
    bench.give(Command.SKIP)
    assert (bench.state, bench.last.view.notice.facts["why"]) == (State.PHOTOS, "this photo is needed: Lay it flat")
    bench.give(Command.SKIP, "camera: gone")
    assert bench.state is State.QUESTIONS


def test_negative_control_what_may_be_skipped_is_skipped() -> None:
    text = WHOLE.replace('rule = "must"', 'rule = "may_skip"').replace(", must = true", "")
    bench = Asking(toys(text), mass_mg=100_000)
    bench.scan("RMA-2026-000001")
    bench.scan(GTIN)
    bench.give(Command.SKIP)
    bench.give(Command.SKIP)
    assert bench.state is State.QUESTIONS


@pytest.mark.parametrize(("off_mg", "state"), [(1_900, State.PHOTOS), (2_100, State.WEIGHT_CHECK)])
def test_the_protocols_tolerance_judges_the_weight(off_mg: int, state: State) -> None:
    """1.5 % of 100 g would be 1.5 g; the rule's least is 2 g."""
    bench = Asking(toys(), mass_mg=100_000)
    bench.scan("RMA-2026-000001")
    bench.scan(GTIN)
    bench.weigh(100_000 - off_mg)
    assert bench.state is state
    assert bench.last.view.tolerance_mg == 2_000


def test_a_unit_goes_on_under_the_version_it_was_begun_with() -> None:
    first = toys()
    bench = Asking(first, mass_mg=100_000)
    bench.to_the_questions()
    bench.give(Command.CHOICE_1)
    newer = replace(first, version=2, questions=first.questions[:1], sha256="2" * 64)
    bench.start(newer)  # the old file is gone altogether
    assert (bench.state, asked(bench)) == (State.QUESTIONS, "length")
    bench.type("120")
    bench.scan(SERIAL)
    bench.type("none")
    assert bench.last.view.decision is not None
    assert ("protocol", f"toys@1 {first.sha256}") in bench.last.view.decision.versions


def test_negative_control_the_next_unit_gets_the_new_version() -> None:
    first = toys()
    newer = replace(first, version=2, questions=first.questions[:1], sha256="2" * 64)
    bench = Asking(first, newer, mass_mg=100_000)
    bench.to_the_questions()
    bench.give(Command.CHOICE_1)
    assert bench.state in (State.CONFIRM, State.DONE), "one question only"


def _enter(bench: Asking, choice_id: str) -> None:
    """Give an answer as a person would: press its button, type a number of its range, scan a fitting code."""
    question = bench.last.view.question
    assert question is not None
    choice = question.choice(choice_id)
    assert choice is not None
    if choice.is_button:
        bench.give(Command(f"choice_{question.buttons.index(choice) + 1}"))
    elif question.number is not None:
        bench.type(question.number.shown(choice.ranges[0][0]))
    elif question.kind is Kind.TEXT:
        bench.type("a word")
    elif question.expects == "gtin":
        bench.scan(GTIN if choice.takes is Takes.SAME else "4006381333931")
    else:
        bench.scan(SERIAL if choice.takes is Takes.SAME else "HD7-0001")


def _possible(protocol: Protocol) -> Protocol:
    """Without the answers that this bench cannot give: its article and its serial number are known."""
    questions = []
    for question in protocol.questions:
        choices = tuple(choice for choice in question.choices if choice.takes is not Takes.UNKNOWN)
        questions.append(replace(question, choices=choices))
    return replace(protocol, questions=tuple(questions))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    protocols(most_questions=3),
    st.sampled_from([(), *((trait,) for trait in TRAITS)]),
    st.sampled_from([None, *REASONS]),
)
def test_the_bench_takes_exactly_the_ways_that_the_walk_knows(
    protocol: Protocol, traits: tuple[str, ...], reason: str | None
) -> None:
    """Every way of the walk can be gone at a real desk, and at each step the desk offers what the walk offers."""
    protocol = _possible(protocol)
    known = [
        tuple((answer.question, answer.choice) for answer in way.answers)
        for way in branches(protocol, Situation(reason, traits))
    ]
    for way in known[:25]:
        bench = Asking(protocol, traits=traits, reason=reason)
        bench.to_the_questions()
        for place, (question, choice) in enumerate(way):
            assert asked(bench) == question
            offered = {one.id for one in bench.last.view.question.choices}  # type: ignore[union-attr]
            beginning = way[:place]
            assert offered == {other[place][1] for other in known if other[:place] == beginning}
            _enter(bench, choice)
            bench.photograph_all()
        assert bench.state in (State.CONFIRM, State.DONE), "nothing more is asked than the walk knows"
