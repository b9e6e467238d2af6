"""A date in the code that nobody can read: the answer of who looked at the pack counts, a shortcut does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from station.decision.decide import decide
from station.decision.model import Disposition, Gate, GateState
from station.identify.commands import Command
from station.inspection.facts import Answer
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.inspection.recording import case_of
from station.inspection.view import State
from station.quantities import Money
from station.returns.model import CatalogueItem, ReturnLine, Trait
from station.store.reading import read_entries
from tests.station.inspection.bench import PAID, RULES, START, Bench, _return, open_store
from tests.station.inspection.test_taken_back import answer

CREAM = "4006381333931"
UNREADABLE, FAR, PAST = "260231", "291231", "251231"
"""As in (17): there is no 31st of February."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_store(tmp_path) as store:
        price, codes = Money(2990, "EUR"), ("0" + CREAM,)
        cream = CatalogueItem("m", "CREAM", "Face cream", "hygiene.cosmetics", codes, (), price, 120_000, 6_000)
        store.put_items([replace(cream, traits=(Trait.HYGIENE,))])
        store.put_returns([_return(6000, ReturnLine(1, "CREAM", 1, "unwanted", None, None, PAID))])
        yield Bench(store)


def begin(bench: Bench, date: str) -> None:
    bench.scan("RMA-2026-006000")
    bench.scan(f"]d201{'0' + CREAM}17{date}")
    bench.weigh(120)


def end(bench: Bench) -> tuple[Disposition, Gate]:
    if bench.state is State.CONFIRM:
        bench.give(Command.CONFIRM)
    assert bench.state is State.DONE
    entry = list(read_entries(bench.store.home, [INSPECTION_CONFIRMED]))[-1]
    decision = msgspec.json.decode(entry.payload or b"", type=Inspection).decision
    return decision.disposition, next(gate for gate in decision.gates if gate.id == "expired")


@pytest.mark.parametrize("ahead", [True, False], ids=["scanned ahead", "at the questions"])
@pytest.mark.parametrize("shortcut", ["RSC-CLEAN", "RSC-SEALED"])
@pytest.mark.parametrize(("date", "sold"), [(UNREADABLE, False), (FAR, True), (PAST, False)])
def test_a_shortcut_says_nothing_about_a_date_that_cannot_be_read(
    bench: Bench, date: str, sold: bool, shortcut: str, ahead: bool
) -> None:
    begin(bench, date)
    if ahead:
        bench.scan(shortcut)
    bench.photograph_all()
    if not ahead:
        bench.scan(shortcut)
    disposition, gate = end(bench)
    assert (disposition is Disposition.RESTOCK) is sold
    assert (gate.state is GateState.CLEAR) is sold


@pytest.mark.parametrize(("said", "sold"), [("good", True), ("cannot_tell", False), ("expired", False)])
def test_the_answer_of_who_looked_counts(bench: Bench, said: str, sold: bool) -> None:
    """The code was scanned before: whoever answers has the pack in hand."""
    begin(bench, UNREADABLE)
    bench.photograph_all()
    while bench.state is State.QUESTIONS:
        question = bench.last.view.question
        assert question is not None
        answer(bench, {"date": said, "seal": "intact", "look": "as_new"}.get(question.id, question.choices[0].id))
    disposition, gate = end(bench)
    assert (disposition is Disposition.RESTOCK) is sold
    assert (gate.state is GateState.CLEAR) is sold


def test_who_looks_after_a_refused_shortcut_is_heard(bench: Bench) -> None:
    begin(bench, UNREADABLE)
    bench.photograph_all()
    bench.scan("RSC-CLEAN")
    assert bench.state is State.CONFIRM, "it does not go to the shelf by itself"
    bench.give(Command.UNDO)
    while bench.state is State.QUESTIONS:
        question = bench.last.view.question
        assert question is not None
        answer(bench, {"date": "good", "seal": "intact", "look": "as_new"}.get(question.id, question.choices[0].id))
    assert end(bench)[0] is Disposition.RESTOCK


def test_a_past_date_outranks_every_answer(bench: Bench) -> None:
    begin(bench, PAST)
    at = bench.desk._at
    assert at.draft.unit is not None
    protocol = at.protocol(at.draft.unit)
    case = case_of(at.draft, at.draft.unit, protocol, START)
    for question in protocol.questions:
        for choice in question.choices:
            decision = decide(replace(case, answers=(Answer(question.id, choice.id, "key"),)), RULES)
            assert decision.disposition is not Disposition.RESTOCK
