"""What an inspection found is not forgotten by taking it back: a real desk and store, every way of going back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from station.decision.decide import decide
from station.decision.model import Derogation, Disposition, GateAct, GateActKind, GateState, Signature
from station.identify.commands import Command
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.inspection.recording import case_of
from station.inspection.view import State
from station.people.person import Role
from station.store.proof import rebuild, verify
from station.store.reading import read_entries
from station.store.store import Store
from tests.station.inspection.bench import HEADPHONES, RULES, SHIRT, Bench, TickingClock, open_store

PARCEL, ITEM = "RMA-2026-004712", f"]d2010{HEADPHONES}21HD7-22941"
CHOICES = [command for command in Command if command.value.startswith("choice_")]
ANA, IDA = Signature("ana", (Role.LEAD,)), Signature("ida", (Role.INSPECTOR,))
BADGE = Signature("ana", (Role.LEAD,), proven=False)
MOST = 12
"""Undos from the finished unit to an empty bench, and some into nothing."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_store(tmp_path) as store:
        yield Bench(store)


def answer(bench: Bench, choice: str) -> None:
    question = bench.last.view.question
    assert question is not None
    bench.give(CHOICES[[one.id for one in question.choices].index(choice)])


def go_on(bench: Bench, wanted: dict[str, str]) -> Inspection:
    """From wherever the bench stands to the confirmed unit, with these answers and the first one otherwise."""
    for _ in range(30):
        if bench.state is State.IDLE:
            bench.scan(PARCEL)
        elif bench.state is State.ITEM:
            bench.scan(ITEM)
        elif bench.state is State.WEIGHT:
            bench.weigh(288)
        elif bench.state is State.PHOTOS:
            bench.photograph_all()
        elif bench.state is State.QUESTIONS:
            question = bench.last.view.question
            assert question is not None
            answer(bench, wanted.get(question.id, question.choices[0].id))
        elif bench.state is State.CONFIRM:
            bench.give(Command.CONFIRM)
        else:
            break
    assert bench.state is State.DONE
    return inspections(bench.store)[-1]


def inspections(store: Store) -> list[Inspection]:
    found = read_entries(store.home, [INSPECTION_CONFIRMED])
    return [msgspec.json.decode(entry.payload, type=Inspection) for entry in found if entry.payload]


def ways_back(bench: Bench, undos: int) -> Inspection:
    """A swollen battery is found and confirmed, taken back by so many steps, and then found flat and cool."""
    found = go_on(bench, {"power": "swollen"})
    assert found.decision.disposition is Disposition.QUARANTINE
    for _ in range(undos):
        bench.give(Command.UNDO)
    return go_on(bench, {"power": "works"})


@pytest.mark.parametrize("undos", range(2, MOST))
def test_no_way_back_forgets_a_swollen_battery(bench: Bench, undos: int) -> None:
    again = ways_back(bench, undos)
    assert [one.choice for one in again.answers if one.question == "power"] == ["works"]
    assert again.decision.disposition is Disposition.QUARANTINE
    gate = next(gate for gate in again.decision.gates if gate.id == "lithium")
    assert (gate.state, gate.reason.code) == (GateState.RAISED, "gate_lithium_carried")
    assert [(one.stands, bool(one.gates)) for one in again.earlier] == [(False, True)]


@pytest.mark.parametrize("undos", [2, MOST - 1])
def test_control_a_bench_that_forgets_lets_it_through(
    bench: Bench, undos: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were nothing known of earlier inspections, the same ways would lead to the shelf."""
    monkeypatch.setattr(bench.store, "earlier_inspections", lambda *_: ())
    assert ways_back(bench, undos).decision.disposition is not Disposition.QUARANTINE


def test_it_is_kept_over_a_restart_and_a_second_and_third_time(bench: Bench) -> None:
    ways_back(bench, 2)
    for _ in range(2):
        bench.desk = bench.new_desk()
        bench.last = bench.desk.resume()
        bench.give(Command.UNDO)
        bench.give(Command.UNDO)
        again = go_on(bench, {"power": "works"})
        assert again.decision.disposition is Disposition.QUARANTINE
    assert len(again.earlier) == 3, "each inspection that was taken back, the oldest first"
    gate = next(gate for gate in again.decision.gates if gate.id == "lithium")
    assert gate.reason.text.count("Found before") == 1


@pytest.mark.parametrize(
    ("signed", "goes"),
    [((ANA,), True), ((IDA,), False), ((BADGE,), False), ((), False)],
    ids=["lead", "inspector", "badge alone", "nobody"],
)
def test_a_lead_agrees_and_it_goes_on(bench: Bench, signed: tuple[Signature, ...], goes: bool) -> None:
    ways_back(bench, 3)
    bench.give(Command.UNDO)  # the CONFIRM: back at the decision
    assert bench.state is State.CONFIRM
    bench.last = bench.desk.gate_act(GateAct(GateActKind.SETTLED, "lithium", "looked at it", signed))
    assert bench.code == ("not_now" if not goes else bench.code)
    bench.desk = bench.new_desk()  # what was signed is durable
    bench.last = bench.desk.resume()
    bench.give(Command.CONFIRM)
    last = inspections(bench.store)[-1]
    assert (last.decision.disposition is not Disposition.QUARANTINE) is goes
    assert bool(last.gate_acts) is goes
    if goes:
        assert last.gate_acts[0].signed == (ANA,)


def test_an_act_is_undone_like_an_answer(bench: Bench) -> None:
    ways_back(bench, 3)
    bench.give(Command.UNDO)
    bench.last = bench.desk.gate_act(GateAct(GateActKind.SETTLED, "lithium", "", (ANA,)))
    assert bench.last.view.decision is not None
    assert bench.last.view.decision.disposition is not Disposition.QUARANTINE
    bench.give(Command.UNDO)
    assert bench.last.view.decision is not None
    assert bench.last.view.decision.disposition is Disposition.QUARANTINE


def test_a_permission_needs_its_number_and_two_leads(bench: Bench) -> None:
    bo = Signature("bo", (Role.LEAD,))
    bench.scan("RMA-2026-004711")
    bench.scan(SHIRT)
    for reference, signed, code in (
        ("  ", (ANA, bo), "not_now"),
        ("D-1", (ANA,), "not_now"),
        ("D-1", (ANA, ANA), "not_now"),
    ):
        bench.last = bench.desk.permit(Derogation("destruction_ban", reference, "beyond_repair", signed))
        assert bench.code == code
    permission = Derogation("destruction_ban", "D-1", "beyond_repair", (ANA, bo))
    bench.last = bench.desk.permit(permission)
    assert bench.code != "not_now"
    bench.weigh(312)
    bench.photograph_all()
    bench.scan("RSC-CLEAN")
    assert inspections(bench.store)[-1].derogations == (permission,)


def test_nothing_is_signed_where_no_unit_is_open(bench: Bench) -> None:
    assert bench.desk.gate_act(GateAct(GateActKind.SETTLED, "lithium", "", (ANA,))).view.notice.code == "not_now"


def test_other_lines_and_other_returns_are_not_held(bench: Bench) -> None:
    bench.clean_unit("RMA-2026-005000")
    bench.give(Command.UNDO)
    bench.scan("RSC-CLEAN")
    taken, again = inspections(bench.store)
    assert taken.corrects is None
    assert again.corrects == taken.inspection_id
    assert again.decision.disposition is Disposition.RESTOCK, "a clean unit that was taken back is no finding"
    bench.clean_unit("RMA-2026-005001")
    assert inspections(bench.store)[-1].earlier == ()


def test_what_cannot_be_read_any_more_holds_the_unit(bench: Bench) -> None:
    ways_back(bench, 2)
    store = bench.store
    first = inspections(store)[0]
    store._writer.call(  # as an erasure does
        lambda connection: connection.exec_driver_sql(
            "UPDATE journal SET payload = NULL WHERE kind = ? AND seq = "
            "(SELECT seq FROM inspections WHERE inspection_id = ?)",
            (INSPECTION_CONFIRMED, first.inspection_id),
        ),
        doing="erasing",
    )
    bench.give(Command.UNDO)
    bench.give(Command.UNDO)
    again = go_on(bench, {"power": "works"})
    assert again.decision.disposition is Disposition.QUARANTINE
    assert "earlier_unreadable" in [gate.reason.code for gate in again.decision.gates]


def test_the_record_holds_what_the_decision_looked_at(bench: Bench) -> None:
    """The recorded decision comes out again, to the byte, from the draft and the record's own fields."""
    again = ways_back(bench, 2)
    at = bench.desk._at
    assert at.draft.unit is not None
    protocol = at.protocol(at.draft.unit)
    case = case_of(at.draft, at.draft.unit, protocol, again.confirmed_at, again.earlier, again.market)
    assert msgspec.json.encode(decide(case, RULES)) == msgspec.json.encode(again.decision)


def test_it_is_all_made_from_the_journal(bench: Bench) -> None:
    ways_back(bench, MOST - 1)
    home = bench.store.home
    bench.store.close()
    assert verify(home).problems == ()
    assert not rebuild(home, clock=TickingClock()).changed
