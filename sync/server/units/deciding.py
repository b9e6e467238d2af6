"""Take a decision on a unit, if it is on the unit as it is now and no gate forbids it.

At the centre a decision that cannot be taken leaves no trace but the refusal. One that a bench recorded while it was
offline is a fact: it is kept with why it took no effect, and the bench is told ``conflict``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec
from sqlalchemy import func, select, update

from station.decision.gate_machine import authorise
from station.decision.model import Disposition, GateState, Signature
from station.errors import OperatorError, StationError
from station.people.may import Act
from station.people.person import Role
from sync.protocol import Code, Status
from sync.server.applying import Applying, Verdict
from sync.server.facts import Decided, Derogated
from sync.server.judge import Judged
from sync.server.storage.rows import entries, inspections
from sync.server.storage.rows_units import unit_decisions, units
from sync.server.units import CENTRE
from sync.server.units.knowing import Known
from sync.server.units.state import questions, standing_of

IN_FORCE = "in_force"

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


_GATES = msgspec.json.Decoder(_Inspection)


def decide(work: Applying, entry: Judged, fact: Decided, derogable: Derogable) -> bool:
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
        code, why = _judge(work, fact, [claim.inspection_id for claim in standing], derogable)
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


def _judge(work: Applying, fact: Decided, standing: Sequence[str], derogable: Derogable) -> tuple[Code | None, str]:
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
    shut = [gate for gate in _forbidding(work, fact.disposition, standing) if gate not in passed]
    if shut:
        named = (f"{gate} ({refused[gate]})" if gate in refused else gate for gate in shut)
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
    known = set(Role)
    signed = tuple(
        Signature(who.person, tuple(Role(role) for role in who.roles if role in known), who.proven)
        for who in one.signed
    )
    try:
        authorise(Act.PASS_GATE, signed)
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


def _forbidding(work: Applying, disposition: str, standing: Sequence[str]) -> list[str]:
    """Gates that any inspection which stands has raised against a disposition; what cannot be read forbids too."""
    found = work.connection.execute(
        select(entries.c.payload)
        .join(
            inspections,
            (inspections.c.site_id == entries.c.site_id)
            & (inspections.c.station == entries.c.station)
            & (inspections.c.generation == entries.c.generation)
            & (inspections.c.seq == entries.c.seq),
        )
        .where(inspections.c.site_id == work.site_id, inspections.c.inspection_id.in_(list(standing)))
    ).scalars()
    shut: set[str] = set()
    for payload in found:
        if disposition == Disposition.QUARANTINE:
            continue  # holding is always allowed
        try:
            gates = _GATES.decode(payload or b"").decision.gates
        except msgspec.DecodeError:
            shut.add("an inspection whose gates cannot be read any more")
            continue
        shut |= {gate.id for gate in gates if gate.state == GateState.RAISED and disposition in gate.forbids}
    return sorted(shut)
