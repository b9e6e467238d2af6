"""What must not happen to a unit, written a second time: from the floor and the facts alone, to check by.

It reads neither the gate file nor the tables of the gates.
"""

from __future__ import annotations

from dataclasses import replace

from station.decision.gate_machine import authorise
from station.decision.gates import FLOOR
from station.decision.model import (
    Case,
    Derogation,
    Disposition,
    GateAct,
    GateActKind,
    Signature,
)
from station.errors import OperatorError
from station.inspection.facts import IdentityOutcome
from station.people.may import Act
from station.returns.model import Trait

NOTICE_ID = "R-1"
"""The notice of the simulated recall list."""
_D = Disposition
_NOT_HELD = frozenset(Disposition) - {_D.QUARANTINE}


def must_not(case: Case, noticed: bool) -> dict[str, frozenset[Disposition]]:
    """Gate → dispositions that must not happen to this unit, by the facts alone."""
    traits = frozenset(case.item.traits) if case.item is not None else frozenset()
    raised, cleared = _said(case)
    wrong: dict[str, frozenset[Disposition]] = {}
    if case.identity is not IdentityOutcome.MATCH:
        return {"identity": _NOT_HELD}
    said: dict[str, str] = {}
    if any(said.setdefault(answer.question, answer.choice) != answer.choice for answer in case.answers):
        wrong["answers"] = _NOT_HELD
    if case.protocol is None or case.item is None or case.item.category is None or case.merchant is None:
        wrong["unmapped"] = _NOT_HELD
    recalled = Trait.RECALLED in traits or (
        noticed and _acted(case, GateActKind.RECALL_CONFIRMED, NOTICE_ID, Act.INSPECT)
    )
    denied = _acted(case, GateActKind.RECALL_DENIED, NOTICE_ID, Act.DECIDE_HELD)
    proven = cleared | {act.subject for act in case.gate_acts if _proves(act)}
    today = case.at.date()
    bad = set(raised)
    if recalled or (noticed and not denied):
        bad.add("recall")
    if Trait.LITHIUM in traits and recalled:
        bad.add("lithium")
    for gate in ("lithium", "data_bearing", "hygiene"):
        if FLOOR[gate][0] in traits and gate not in proven:
            bad.add(gate)
    _, by_hand = _said(replace(case, answers=tuple(one for one in case.answers if "shortcut" not in one.given_by)))
    unread = any(one.good_until is None for one in case.dates) and "expired" not in by_hand
    if unread or any(one.good_until is not None and one.good_until < today for one in case.dates):
        bad.add("expired")
    if Trait.DESTRUCTION_BAN in traits and not any(_permits(one) for one in case.derogations):
        bad.add("destruction_ban")
    for earlier in case.earlier:
        for before in earlier.gates:
            settled = _acted(case, GateActKind.SETTLED, before.id, Act.DECIDE_HELD)
            if earlier.stands or (before.requires is not None and not settled):
                bad.add(before.id)
    return wrong | {gate: FLOOR[gate][1] for gate in bad if gate in FLOOR}


def found_by(case: Case) -> frozenset[str]:
    """Gates of the floor that an inspection found something for, as against proving nothing."""
    if case.identity is not IdentityOutcome.MATCH:
        return frozenset()
    raised, _ = _said(case)
    return frozenset(raised) & frozenset(FLOOR)


def _said(case: Case) -> tuple[set[str], set[str]]:
    raised: set[str] = set()
    cleared: set[str] = set()
    for answer in case.answers:
        question = case.protocol.question(answer.question) if case.protocol is not None else None
        choice = question.choice(answer.choice) if question is not None else None
        if choice is not None:
            raised.update(choice.gates)
            cleared.update(choice.clears)
    return raised, cleared


def _may(right: Act, signed: tuple[Signature, ...]) -> bool:
    try:
        authorise(right, signed)
    except OperatorError:
        return False
    return True


def _acted(case: Case, kind: GateActKind, subject: str, right: Act) -> bool:
    return any(act.kind is kind and act.subject == subject and _may(right, act.signed) for act in case.gate_acts)


def _proves(act: GateAct) -> bool:
    return act.kind is GateActKind.PROOF and bool(act.reference.strip()) and _may(Act.INSPECT, act.signed)


def _permits(one: Derogation) -> bool:
    return (
        one.gate == "destruction_ban" and bool(one.kind and one.reference.strip()) and _may(Act.PASS_GATE, one.signed)
    )
