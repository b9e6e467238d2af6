"""What a record answers: queue items leave with who answered and how, and count in the review turnaround.

=====================================  =================  =======================================================
record                                 outcome            items
=====================================  =================  =======================================================
a decision that is in force            ``confirmed`` or   the unit's second looks; quarantined unless it stays
                                       ``changed``        there; contested
a void                                 ``voided``         of the inspection; contested, if that ends it
a correction                           ``corrected``      of the inspection; contested, if that ends it
anything else that ends a contest      ``resolved``       contested
=====================================  =================  =======================================================

*Contested* is kept here alone, from what ``sync.server.units`` made of the push. Its items are named by the entry that
raised the question, so that the same unit can come again after a decision. They do not follow from the journal bench by
bench, so a rebuild takes them from the units (:func:`refill`). All of this is done once, when an entry comes for the
first time; a replay of the journal settles nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, select

from station.inspection.record import InspectionVoided
from sync.protocol import QueueKind
from sync.server.applying import Applying
from sync.server.facts import Decided, Inspected
from sync.server.figures.builds import lock_shared, read_builds
from sync.server.figures.keeping import Counted
from sync.server.figures.unit import micros, name_of
from sync.server.figures.waiting import Changes, Item, settle, write
from sync.server.judge import Judged
from sync.server.storage import Database
from sync.server.storage.rows import entries, inspections
from sync.server.storage.rows_figures import queue_items
from sync.server.storage.rows_units import unit_decisions, units
from sync.server.units.changes import Changed
from sync.server.units.deciding import IN_FORCE
from sync.server.units.state import State

CONFIRMED: Final = "confirmed"
"""The lead decided what the inspection said."""
CHANGED: Final = "changed"
VOIDED: Final = "voided"
CORRECTED: Final = "corrected"
RESOLVED: Final = "resolved"

_OF_INSPECTION: Final = (QueueKind.SECOND_LOOK.value, QueueKind.QUARANTINED.value)
_CONTESTED: Final = QueueKind.CONTESTED.value
_QUARANTINE: Final = "quarantine"
_q = queue_items.c


def keep_contested(work: Applying, applied: Sequence[Judged]) -> None:
    """Put contested units into the queue, and out of it (an ``Applier``, behind the one that keeps units)."""
    concerned = [
        change for change in work.changes.judged if _is_contested(change.before) or _is_contested(change.after)
    ]
    if not concerned:
        return
    lock_shared(work.connection, work.site_id)
    by_entry = {entry.id: entry for entry in applied}
    for change in concerned:
        _keep_one(work, change, by_entry)


def _keep_one(work: Applying, change: Changed, by_entry: Mapping[str, Judged]) -> None:
    was, now = _is_contested(change.before), _is_contested(change.after)
    ruling = change.after.decided_by
    is_ruled = ruling is not None and (change.before is None or change.before.decided_by != ruling)
    there = [item for item in _open_items(work, change.lpn) if item.kind == _CONTESTED]
    if was and (is_ruled or not now):
        cause = by_entry.get(ruling if is_ruled and ruling is not None else change.cause)
        how = _outcome(change, cause, is_ruled=is_ruled)
        for item in there:
            _settle(work, _CONTESTED, item.item_id, cause.actor if cause is not None else "", how)
        there = []
    if not now:
        return
    name, since = (there[0].item_id, there[0].since_us) if there else (change.cause, micros(work.at))
    outcome = change.after.outcome
    refund = outcome.refund if outcome is not None else None
    waiting = _contested(
        name, since, work.station, change.after.because, change.unit_id, change.lpn, change.merchant_id, change.rma,
        change.sku, outcome.disposition if outcome is not None else None,
        (refund.minor, refund.currency) if refund is not None else None,
    )  # fmt: skip
    key = (_CONTESTED, name)
    for build in read_builds(work.connection, work.site_id).written:
        write(work.database, work.connection, work.site_id, build, Changes(gone={key}, come={key: waiting}))


def settle_ended(database: Database, connection: Connection, site_id: str, counted: Sequence[Counted]) -> None:
    """Before the queue forgets an inspection that was voided or corrected: who answered what was open about it."""
    ended: dict[str, tuple[str, str, datetime]] = {}
    for entry in counted:
        if isinstance(entry.fact, InspectionVoided):
            ended[entry.fact.inspection_id] = (entry.actor, VOIDED, entry.received_at)
        elif isinstance(entry.fact, Inspected) and entry.fact.corrects is not None:
            ended[entry.fact.corrects] = (entry.actor, CORRECTED, entry.received_at)
    if not ended:
        return
    live = read_builds(connection, site_id).live
    found = connection.execute(
        select(_q.kind, _q.item_id).where(
            _q.site_id == site_id, _q.build == live, _q.kind.in_(_OF_INSPECTION), _q.item_id.in_(sorted(ended))
        )
    ).all()
    for kind, item_id in found:
        by, outcome, at = ended[item_id]
        settle(database, connection, site_id, QueueKind(kind), item_id, by=by, outcome=outcome, at=at)


def settle_decided(database: Database, connection: Connection, site_id: str, counted: Sequence[Counted]) -> None:
    """After the queue knows these entries: a decision in force answers what was open about its unit when it came.

    Which of the two is counted first makes no difference: an inspection that is behind looks for the decision.
    """
    lpns = {entry.fact.lpn for entry in counted if isinstance(entry.fact, Decided)}
    lpns |= {entry.fact.lpn for entry in counted if isinstance(entry.fact, Inspected) and _asks(entry.fact)}
    if not lpns:
        return
    d = unit_decisions.c
    decisions = connection.execute(
        select(d.lpn, d.actor, d.disposition, d.refund_decision, d.refund_minor, entries.c.received_at)
        .join(entries, and_(entries.c.site_id == d.site_id, entries.c.id == d.entry_id))
        .where(d.site_id == site_id, d.lpn.in_(sorted(lpns)), d.outcome == IN_FORCE)
        .order_by(d.lpn, d.number)
    ).all()
    live = read_builds(connection, site_id).live if decisions else 0
    for decision in decisions:
        open_items = connection.execute(
            select(_q.kind, _q.item_id, _q.disposition, _q.value_minor, entries.c.received_at)
            .join(inspections, and_(inspections.c.site_id == _q.site_id, inspections.c.inspection_id == _q.item_id))
            .join(
                entries,
                and_(
                    entries.c.site_id == _q.site_id, entries.c.station == inspections.c.station,
                    entries.c.generation == inspections.c.generation, entries.c.seq == inspections.c.seq,
                ),
            )
            .where(_q.site_id == site_id, _q.build == live, _q.lpn == decision.lpn, _q.kind.in_(_OF_INSPECTION))
        ).all()  # fmt: skip
        for item in open_items:
            if item.received_at > decision.received_at:
                continue  # what came after a decision is another question
            if item.kind == QueueKind.QUARANTINED.value and decision.disposition == _QUARANTINE:
                continue  # it lies there still
            same = decision.disposition == item.disposition and _is_same_refund(decision, item)
            settle(
                database, connection, site_id, QueueKind(item.kind), item.item_id, by=decision.actor,
                outcome=CONFIRMED if same else CHANGED, at=decision.received_at,
            )  # fmt: skip


def _asks(fact: Inspected) -> bool:
    """Whether an inspection puts anything into the queue."""
    return bool(fact.decision.second_look) or fact.decision.disposition == _QUARANTINE


def refill(database: Database, connection: Connection, site_id: str, live: int, building: int) -> None:
    """Put the contested units into a build that is about to be read. The caller holds the lock alone."""
    connection.execute(delete(queue_items).where(_q.site_id == site_id, _q.build == building, _q.kind == _CONTESTED))
    known = {
        row.lpn: row
        for row in connection.execute(
            select(_q.lpn, _q.item_id, _q.since_us, _q.station).where(
                _q.site_id == site_id, _q.build == live, _q.kind == _CONTESTED
            )
        )
    }
    come: dict[tuple[str, str], Item] = {}
    for row in connection.execute(
        select(units).where(units.c.site_id == site_id, units.c.state == State.CONTESTED.value)
    ):
        old = known.get(row.lpn)
        # a unit that was contested before there was this queue: when it last changed is the best that is known
        name = old.item_id if old is not None else f"{row.first_inspection}:{row.version}"[:64]
        come[_CONTESTED, name] = _contested(
            name, old.since_us if old is not None else micros(row.updated_at), old.station if old is not None else "",
            row.because, row.unit_id, row.lpn, row.merchant_id, row.rma, row.sku, row.disposition,
            (row.refund_minor, row.refund_currency) if row.refund_minor is not None else None,
        )  # fmt: skip
    if come:
        write(database, connection, site_id, building, Changes(come=come))


def _contested(
    name: str, since_us: int, station: str, because: str | None, unit_id: str, lpn: str, merchant: str | None,
    rma: str | None, sku: str | None, disposition: str | None, refund: tuple[int, str] | None,
) -> Item:  # fmt: skip
    return {
        "kind": _CONTESTED, "item_id": name, "since_us": since_us, "station": station, "generation": 0, "seq": 0,
        "merchant": name_of(merchant), "reason": because or "", "unit_id": unit_id, "lpn": lpn,
        "rma": name_of(rma) if rma is not None else None, "sku": name_of(sku) if sku is not None else None,
        "disposition": disposition, "value_minor": refund[0] if refund else 0, "currency": refund[1] if refund else "",
    }  # fmt: skip


def _is_contested(unit: Any) -> bool:
    return unit is not None and unit.state is State.CONTESTED


def _outcome(change: Changed, cause: Judged | None, *, is_ruled: bool) -> str:
    if is_ruled:
        before = change.before.outcome if change.before is not None else None
        return CONFIRMED if before == change.after.outcome else CHANGED
    if cause is not None and isinstance(cause.fact, InspectionVoided):
        return VOIDED
    if cause is not None and isinstance(cause.fact, Inspected) and cause.fact.corrects is not None:
        return CORRECTED
    return RESOLVED


def _is_same_refund(decision: Any, item: Any) -> bool:
    return bool(decision.refund_decision is None or (decision.refund_minor or 0) == item.value_minor)


def _open_items(work: Applying, lpn: str) -> Sequence[Any]:
    live = read_builds(work.connection, work.site_id).live
    return work.connection.execute(
        select(_q.kind, _q.item_id, _q.since_us, _q.disposition, _q.value_minor, _q.currency).where(
            _q.site_id == work.site_id, _q.build == live, _q.lpn == lpn
        )
    ).all()  # fmt: skip


def _settle(work: Applying, kind: str, item_id: str, by: str, outcome: str) -> None:
    settle(work.database, work.connection, work.site_id, QueueKind(kind), item_id, by=by, outcome=outcome, at=work.at)
