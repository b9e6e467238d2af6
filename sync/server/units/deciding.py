"""Take a decision on a unit, if it is on the unit as it is now and no gate forbids it.

At the centre a decision that cannot be taken leaves no trace but the refusal. One that a bench recorded while it was
offline is a fact: it is kept with why it took no effect, and the bench is told ``conflict``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import TypeAlias

import msgspec
from sqlalchemy import func, select, update

from station.decision.gate_machine import authorise
from station.decision.model import Disposition, Gate, GateAct, GateActKind, GateState, Signature
from station.errors import InvalidInput, OperatorError, StationError
from station.people.may import Act
from station.people.person import Role
from sync.protocol import Code, Status
from sync.server.applying import Applying, Verdict
from sync.server.facts import Acted, Decided, Derogated, Signed
from sync.server.judge import Judged
from sync.server.storage.rows import entries, inspections
from sync.server.storage.rows_units import unit_decisions, units
from sync.server.units import CENTRE
from sync.server.units.knowing import Known
from sync.server.units.releasing import Books, gate_of, released
from sync.server.units.state import questions, standing_of

IN_FORCE = "in_force"
_NOT_HERE = "a gate is let go where the lead signs in: at the centre, or at the bench before CONFIRM"

Derogable: TypeAlias = Callable[[], Mapping[str, tuple[str, ...]]]
"""Gates that a recorded permission may pass → the kinds that it may be of; none = any."""


class CannotDecide(StationError):
    """A decision at the centre that is not taken; nothing was written."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Gate(msgspec.Struct, frozen=True):
    id: str
    state: str
    forbids: list[str]


class _Gated(msgspec.Struct, frozen=True):
    gates: list[_Gate]


class _Inspection(msgspec.Struct, frozen=True):
    decision: _Gated


class _Acts(msgspec.Struct, frozen=True):
    gate_acts: list[Acted] = []


_GATES = msgspec.json.Decoder(_Inspection)
_ACTS = msgspec.json.Decoder(_Acts)


def decide(work: Applying, entry: Judged, fact: Decided, derogable: Derogable, books: Books) -> bool:
    """Take a decision, in the transaction of its entry.

    Returns:
        Whether it is in force.

    Raises:
        CannotDecide: at the centre only.
    """
    connection, site = work.connection, work.site_id
    taken = connection.execute(
        update(units)
        .where(units.c.site_id == site, units.c.lpn == fact.lpn, units.c.version == fact.base_version)
        .values(updated_at=work.at)
        .returning(units.c.beyond)
    ).one_or_none()
    settles: list[str] = []
    code: Code | None
    if taken is None:
        code, why = _why_not(work, fact)
    else:
        known = Known(connection, site, [fact.lpn])
        standing = standing_of(known.claims(known.rows[0]))
        settles = sorted(questions(standing, is_beyond=taken.beyond))
        code, why = _judge(work, fact, [claim.inspection_id for claim in standing], derogable, books)
    if code is not None and work.station == CENTRE:
        raise CannotDecide(code, why)
    if code is not None:
        work.verdicts[entry.id] = Verdict(Status.CONFLICT, code, why)
    number = connection.scalar(
        select(func.count()).where(unit_decisions.c.site_id == site, unit_decisions.c.lpn == fact.lpn)
    )
    connection.execute(
        unit_decisions.insert(),
        {
            "site_id": site, "entry_id": entry.id, "lpn": fact.lpn, "number": (number or 0) + 1,
            "outcome": IN_FORCE if code is None else code.value, "station": work.station, "actor": entry.actor,
            "base_version": fact.base_version, "inspection_id": fact.inspection_id, "disposition": fact.disposition,
            "refund_decision": fact.refund_decision,
            "refund_minor": fact.refund.minor if fact.refund is not None else None,
            "refund_currency": fact.refund.currency if fact.refund is not None else None,
            "settles": msgspec.json.encode(settles).decode(), "reason": fact.reason, "decided_at": fact.decided_at,
        },
    )  # fmt: skip
    return code is None


def _why_not(work: Applying, fact: Decided) -> tuple[Code, str]:
    version = work.connection.scalar(
        select(units.c.version).where(units.c.site_id == work.site_id, units.c.lpn == fact.lpn)
    )
    if version is None:
        return Code.NOT_ALLOWED, f"nobody has inspected a unit {fact.lpn!r}"
    return Code.STALE, f"the unit is at version {version}, the decision was on version {fact.base_version}"


def _judge(
    work: Applying, fact: Decided, standing: Sequence[str], derogable: Derogable, books: Books
) -> tuple[Code | None, str]:
    if fact.disposition not in set(Disposition):
        return Code.NOT_ALLOWED, f"there is no disposition {fact.disposition!r}"
    if not standing:
        return Code.NOT_ALLOWED, "no inspection of this unit stands"
    if fact.inspection_id is not None and fact.inspection_id not in standing:
        return Code.NOT_ALLOWED, f"the inspection {fact.inspection_id!r} is not of this unit, or no longer stands"
    wrong = _wrong_refund(fact)
    if wrong is not None:
        return Code.NOT_ALLOWED, wrong
    refused: dict[str, str] = {}
    passed: set[str] = set()
    kinds = derogable()
    for one in fact.derogations:
        why = _why_not_permitted(work, one, kinds)
        if why is None:
            passed.add(one.gate)
        else:
            refused[one.gate] = why
    records = _records(work, standing)
    try:
        before = _acts_before(work, fact.lpn)
        if fact.gate_acts and work.station != CENTRE:
            raise OperatorError(_NOT_HERE)
        acts = [_act(one) for one in fact.gate_acts]
        acted = released(records, before, acts, books) if acts or before else {}
    except (InvalidInput, OperatorError) as refusal:
        return Code.NOT_ALLOWED, str(refusal)
    lets_go = {name: {gate_of(act) for act in (*before.get(name, ()), *acts)} for name in acted}
    gates = _forbidding(fact.disposition, records, acted, lets_go)
    shut = {gate: why for gate, why in gates.items() if gate not in passed}
    if shut:
        shut |= {gate: refused[gate] for gate in shut if gate in refused}
        named = (f"{gate} ({shut[gate]})" if shut[gate] else gate for gate in sorted(shut))
        return Code.NOT_ALLOWED, f"{fact.disposition!r} is forbidden by: {', '.join(named)}"
    return None, ""


def _why_not_permitted(work: Applying, one: Derogated, kinds: Mapping[str, tuple[str, ...]]) -> str | None:
    """Why a permission passes nothing; None = it passes its gate."""
    if work.station != CENTRE:
        # A bench cannot prove who gave a permission while it was offline.
        return "a permission counts where the people who give it sign in: two leads repeat it at the centre"
    if one.gate not in kinds:
        return "no permission passes this gate"
    if not one.reference.strip():
        return "the permission has no document's number"
    if one.kind is None:
        return None  # taken as it was taken when it was recorded
    if kinds[one.gate] and one.kind not in kinds[one.gate]:
        return f"a permission of kind {one.kind!r}: expected one of {', '.join(kinds[one.gate])}"
    try:
        authorise(Act.PASS_GATE, _signatures(one.signed))
    except OperatorError as refusal:
        return str(refusal)
    return None


def _wrong_refund(fact: Decided) -> str | None:
    decision, amount = fact.refund_decision, fact.refund
    if decision is None:
        return None if amount is None else "a refund's amount needs its decision"
    if decision not in ("full", "partial", "none", "manual"):
        return f"there is no refund decision {decision!r}: expected full, partial, none or manual"
    if decision == "manual":
        return None if amount is None else "'manual' has no amount yet"
    if amount is None or amount.minor < 0 or (decision == "none") != (amount.minor == 0):
        return f"the refund decision {decision!r} does not fit the amount {amount.minor if amount else None!r}"
    return None


def _signatures(signed: Sequence[Signed]) -> tuple[Signature, ...]:
    known = set(Role)
    return tuple(
        Signature(who.person, tuple(Role(role) for role in who.roles if role in known), who.proven) for who in signed
    )


def _act(one: Acted) -> GateAct:
    """What was done to a gate.

    Raises:
        OperatorError: nothing that this version knows.
    """
    if one.kind not in set(GateActKind):
        raise OperatorError(f"nothing {one.kind!r} can be done to a gate: expected one of {', '.join(GateActKind)}")
    return GateAct(GateActKind(one.kind), one.subject, one.reference, _signatures(one.signed))


def _acts_before(work: Applying, lpn: str) -> Mapping[str, Sequence[GateAct]]:
    """Inspection → what earlier decisions in force did to its gates, in their order."""
    d = unit_decisions.c
    found = work.connection.execute(
        select(entries.c.payload, d.settles)
        .join(entries, (entries.c.site_id == d.site_id) & (entries.c.id == d.entry_id))
        .where(d.site_id == work.site_id, d.lpn == lpn, d.outcome == IN_FORCE, entries.c.payload.is_not(None))
        .order_by(d.number)
    )
    acts: dict[str, list[GateAct]] = {}
    for payload, settles in found:
        done = [_act(one) for one in _ACTS.decode(payload).gate_acts]
        for name in msgspec.json.decode(settles, type=list[str]) if done else ():
            acts.setdefault(name, []).extend(done)
    return acts


def _records(work: Applying, standing: Sequence[str]) -> Mapping[str, bytes | None]:
    """Inspection → its record; None = erased."""
    found = work.connection.execute(
        select(inspections.c.inspection_id, entries.c.payload)
        .join(
            inspections,
            (inspections.c.site_id == entries.c.site_id)
            & (inspections.c.station == entries.c.station)
            & (inspections.c.generation == entries.c.generation)
            & (inspections.c.seq == entries.c.seq),
        )
        .where(inspections.c.site_id == work.site_id, inspections.c.inspection_id.in_(list(standing)))
        .order_by(inspections.c.inspection_id)
    )
    return {name: payload for name, payload in found}


def _forbidding(
    disposition: str, records: Mapping[str, bytes | None], acted: Mapping[str, Sequence[Gate]],
    lets_go: Mapping[str, Set[str]],
) -> dict[str, str]:  # fmt: skip
    """Gates that any inspection which stands has raised against a disposition (→ why, where it is another one than was
    recorded); what cannot be read forbids too.

    Args:
        acted: inspection → its gates after what leads did to them.
        lets_go: inspection → gates that those acts can let go; all others stay as they were recorded.
    """
    if disposition == Disposition.QUARANTINE:
        return {}  # holding is always allowed
    shut: dict[str, str] = {}
    for name, payload in records.items():
        try:
            recorded = _GATES.decode(payload or b"").decision.gates
        except msgspec.DecodeError:
            shut["an inspection whose gates cannot be read any more"] = ""
            continue
        free = lets_go.get(name, frozenset())
        for gate in recorded:
            if gate.state == GateState.RAISED and disposition in gate.forbids and gate.id not in free:
                shut.setdefault(gate.id, "")
        for one in acted.get(name, ()):
            if one.state is GateState.RAISED and disposition in one.forbids:
                shut[one.id] = shut.get(one.id) or one.reason.text
    return shut
