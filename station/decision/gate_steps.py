"""What people can do to a unit besides answering, and what comes to light: the moves of the search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product

from station.decision.gate_facts import NOTICE_ID
from station.decision.gates import FLOOR
from station.decision.model import (
    Case,
    Derogation,
    Earlier,
    Gate,
    GateAct,
    GateActKind,
    GateState,
    GoodsDate,
    Reason,
    Signature,
)
from station.decision.recall import Notice, RecallBook
from station.decision.rules import Rules
from station.people.person import Role

_IDA = Signature("ida", (Role.INSPECTOR,))
_ANA, _BO = Signature("ana", (Role.LEAD,)), Signature("bo", (Role.LEAD,))
_INA = Signature("ina", (Role.ADMIN, Role.AUDITOR))
NOTICED = RecallBook(version=1, notices=(Notice(id=NOTICE_ID, text="May overheat", skus=("SIM-1",)),))
"""A list that names the simulated article."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a person can do or that comes to light, besides an answer."""

    gate: str
    """The only gate that it may touch."""
    words: str
    do: Callable[[Case], Case]
    noticed: bool = False
    """It needs the recall list to name the article."""


def steps(rules: Rules) -> tuple[Step, ...]:
    """Everything that can happen besides an answer."""
    return (*_documents(), *_dates(), *_recalls(), *_permissions(rules), *_inspections(rules))


def _act(gate: str, words: str, act: GateAct, *, noticed: bool = False) -> Step:
    return Step(gate, words, lambda case: replace(case, gate_acts=(*case.gate_acts, act)), noticed)


def _documents() -> Iterator[Step]:
    for gate in ("lithium", "data_bearing", "hygiene", "recall", "destruction_ban"):
        for reference, who in product(("DOC-1", " "), (_IDA, _INA)):
            words = f"{who.person} ({who.roles[0]}) records document {reference!r} for {gate}"
            yield _act(gate, words, GateAct(GateActKind.PROOF, gate, reference, (who,)))


def _dates() -> Iterator[Step]:
    def dated(days: int | None) -> Callable[[Case], Case]:
        def do(case: Case) -> Case:
            until: date | None = None if days is None else case.at.date() + timedelta(days=days)
            return replace(case, dates=(*case.dates, GoodsDate(until, "(17)")))

        return do

    def by_shortcut(case: Case) -> Case:
        answers = tuple(replace(answer, given_by="shortcut:RSC-CLEAN") for answer in case.answers)
        return replace(dated(None)(case), answers=answers)

    yield Step("expired", "the date on the pack cannot be read, and a shortcut gave the answers", by_shortcut)
    for days, words in (
        (-1, "the date on the pack is past"),
        (3650, "the date on the pack is far"),
        (None, "the date on the pack cannot be read"),
    ):
        yield Step("expired", words, dated(days))


def _recalls() -> Iterator[Step]:
    yield Step("recall", "a recall notice names the article", lambda case: case, noticed=True)
    for kind, who in product((GateActKind.RECALL_CONFIRMED, GateActKind.RECALL_DENIED), (_IDA, _INA, _ANA)):
        words = f"a recall notice names the article; {who.person} ({who.roles[0]}): {kind}"
        yield _act("recall", words, GateAct(kind, NOTICE_ID, "", (who,)), noticed=True)


def _permissions(rules: Rules) -> Iterator[Step]:
    def permitted(one: Derogation) -> Callable[[Case], Case]:
        return lambda case: replace(case, derogations=(*case.derogations, one))

    for rule in rules.gates.gates:
        good = (rule.derogation_kinds or ("any",))[0]
        two = (_ANA, _BO)
        signers: tuple[tuple[Signature, ...], ...] = ((), (_IDA,), (_ANA,), (_ANA, _ANA), (_INA, _INA), two)
        every = product((good, ""), ("D-1", " "), signers)
        for kind, reference, signed in every if rule.derogable else ((good, "D-1", two),):
            who = " and ".join(f"{one.person} ({one.roles[0]})" for one in signed) or "nobody"
            words = f"{who} permits {rule.id}, kind {kind!r}, document {reference!r}"
            yield Step(rule.id, words, permitted(Derogation(rule.id, reference, kind, signed)))


def _inspections(rules: Rules) -> Iterator[Step]:
    def after(gate: Gate, stands: bool) -> Callable[[Case], Case]:
        return lambda case: replace(case, earlier=(*case.earlier, Earlier("I-0", (gate,), stands)))

    for gate_id, (_, least, requires) in FLOOR.items():
        gate = Gate(gate_id, GateState.RAISED, Reason("found", f"{gate_id} was found"), tuple(sorted(least)), requires)
        yield Step(gate_id, f"another inspection that stands raised {gate_id}", after(gate, True))
        yield Step(gate_id, f"an inspection that raised {gate_id} is taken back", after(gate, False))
    for gate_id, who in product(FLOOR, (_IDA, _ANA)):
        act = GateAct(GateActKind.SETTLED, gate_id, "", (who,))
        before = Gate(gate_id, GateState.RAISED, Reason("found", "found"), (), FLOOR[gate_id][2])
        words = f"an inspection that raised {gate_id} is taken back; {who.person} ({who.roles[0]}) settles it"

        def do(case: Case, before: Gate = before, act: GateAct = act) -> Case:
            earlier = (*case.earlier, Earlier("I-0", (before,), False))
            return replace(case, earlier=earlier, gate_acts=(*case.gate_acts, act))

        yield Step(gate_id, words, do)
