"""No sequence of answers, overrides, undo, correction, merge or permission passes a gate; one taken out is noticed."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from station.decision import gate_again, gate_machine, gate_search
from station.decision.gate_facts import must_not
from station.decision.gate_machine import Happening, Machine, Stand
from station.decision.gate_search import NotIndependent, Searched, search
from station.decision.gate_steps import Step
from station.decision.gates import FLOOR, GateBook
from station.decision.model import Disposition
from station.decision.rules import Rules
from station.inspection.protocol_walk import ALL_TRAITS

D = Disposition


def protocols(rules: Rules, *names: str):
    return tuple(protocol for protocol in rules.latest if protocol.id in names)


def without(rules: Rules, gate_id: str) -> Rules:
    """The rules with one gate out of the book, and nothing else standing in the way of what it forbids."""
    gates = tuple(rule for rule in rules.gates.gates if rule.id != gate_id)
    routes = tuple(
        msgspec.structs.replace(route, needs={}, pointless_at={}, only_found=()) for route in rules.routes.routes
    )
    book = GateBook(version=99, gates=gates)
    return replace(rules, gates=book, routes=msgspec.structs.replace(rules.routes, routes=routes))


ONE = ("small_brand",)
"""Controls need one policy: the gate that they take out is no policy's."""


@pytest.mark.slow
def test_nothing_passes_a_gate_in_all_shipped_protocols(rules):
    searched = search(rules)
    assert searched.holes == ()
    assert searched.sequences > 5_000
    assert searched.states > 100_000


def test_nothing_passes_a_gate(rules):
    """A part of the space; the slow test has the whole."""
    some = (("lithium",), ALL_TRAITS)
    searched = search(rules, protocols=protocols(rules, "electronics.phone", "hygiene"), mixes=some)
    assert searched.holes == ()
    assert searched.states > 10_000
    assert searched.decisions > 300


@pytest.mark.parametrize(
    ("gate_id", "where", "shortest"),
    [("lithium", "homeware", 1), ("recall", "homeware", 1), ("data_bearing", "homeware", 1), ("hygiene", "homeware", 1),
     ("expired", "hygiene", 3), ("destruction_ban", "homeware", 2)],
)  # fmt: skip
def test_a_gate_that_was_taken_out_is_found_by_the_shortest_sequence(rules, gate_id, where, shortest):
    trait = FLOOR[gate_id][0]
    mixes = ((trait.value,),) if trait is not None else ((),)
    searched = search(without(rules, gate_id), policies=ONE, protocols=protocols(rules, where), mixes=mixes)
    mine = [hole for hole in searched.holes if hole.rule.endswith(f"gate {gate_id}")]
    assert mine
    assert all(hole.disposition in FLOOR[gate_id][1] for hole in mine)
    assert len(mine[0].steps) <= shortest + 1
    assert mine[0].steps[0].startswith("answer ")
    assert {hole.rule.rpartition(" ")[2] for hole in searched.holes} <= {gate_id, "lithium"}


def first_hole(rules: Rules, protocol: str, mixes: tuple[tuple[str, ...], ...]) -> Searched:
    return search(rules, policies=ONE, first_only=True, protocols=protocols(rules, protocol), mixes=mixes)


def loosened(monkeypatch, machine: Machine, pair, target: Stand) -> None:
    monkeypatch.setitem(gate_machine.TABLES[machine], pair, target)


def test_a_proof_that_outranks_a_finding_is_noticed(rules, monkeypatch):
    loosened(monkeypatch, Machine.PROOF, (Stand.CLEAR, Happening.FOUND), Stand.CLEAR)
    assert first_hole(rules, "hygiene", (("hygiene",),)).holes


@pytest.mark.parametrize("what", [Happening.DENIED, Happening.SETTLED, Happening.PERMITTED])
def test_a_right_that_nobody_checks_is_noticed(rules, monkeypatch, what):
    monkeypatch.delitem(gate_machine.NEEDS, what)
    chosen = without(rules, "no such gate")  # all gates there, every way open
    mixes = (("destruction_ban",),)
    searched = first_hole(chosen, "homeware", mixes)
    assert searched.holes
    assert any("ida (inspector)" in step or "nobody" in step for step in searched.holes[0].steps)


@pytest.mark.parametrize("stands", [False, True])
def test_a_bench_that_forgets_the_first_inspection_is_noticed(rules, monkeypatch, stands):
    """Control: were one of the two not told to the second inspection, undo (or a second bench) would be a way past."""
    tell = gate_again.First.before

    def forget(first: gate_again.First, told: bool) -> Step:
        step = tell(first, told)
        return replace(step, do=lambda case: case) if told is stands else step

    monkeypatch.setattr(gate_again.First, "before", forget)
    searched = first_hole(rules, "electronics.audio", (("lithium",),))
    said = "stands" if stands else "is undone"
    steps = [step for hole in searched.holes for step in hole.steps if hole.rule.endswith("gate lithium")]
    assert any(step.endswith(said) and "swollen" in step for step in steps), steps


def test_a_carried_finding_that_an_answer_ends_is_noticed(rules, monkeypatch):
    for pair in ((Stand.CARRIED, Happening.PROVEN), (Stand.CARRIED, Happening.ASKED)):
        loosened(monkeypatch, Machine.PROOF, pair, Stand.CLEAR)
    searched = first_hole(rules, "electronics.audio", (("lithium",),))
    assert any("taken back" in step or "is undone" in step for hole in searched.holes for step in hole.steps)


def test_a_step_that_touches_another_gate_ends_the_search(rules, monkeypatch):
    monkeypatch.setattr(gate_search, "_own", lambda gate: ("nothing",))
    with pytest.raises(NotIndependent):
        first_hole(rules, "homeware", ((),))


def test_the_second_writing_of_the_rules_knows_what_must_not_happen(case):
    assert must_not(case(), noticed=False) == {}
    assert must_not(case({"power": "swollen"}), noticed=False)["lithium"] == set(D) - {D.QUARANTINE}
    assert set(must_not(case(), noticed=True)) == {"recall"}
