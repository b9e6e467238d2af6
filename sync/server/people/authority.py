"""Whether whoever recorded something might do it *then*: judged when it arrives, by the roles at the record's time.

A record whose actor had no right is kept and applied as everything that happened at a bench – the unit lies on a shelf,
whoever put it there – and flagged for a lead: nothing is lost by a role that ended while the bench was offline, and
nothing passes unseen. A site that has no people in its register is not judged.
Time: the bench's own clock says when, but never later than the arrival; a record cannot come from the future.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, select

from station.inspection.record import (
    INSPECTION_CONFIRMED,
    INSPECTION_VOIDED,
    InspectionVoided,
)
from station.people import Act, RoleSpan, roles_at
from station.people.may import PERMISSIONS
from station.returns.decided import UNIT_DECIDED
from sync.protocol import AuthorityFlag, AuthorityFlags
from sync.server.applying import Applying
from sync.server.facts import Inspected
from sync.server.judge import Judged
from sync.server.people.audit import Event, note
from sync.server.storage import Database
from sync.server.storage.rows import inspections
from sync.server.storage.rows_people import authority_flags, people, person_roles

_ACTS: Final = {INSPECTION_CONFIRMED: Act.INSPECT, INSPECTION_VOIDED: Act.VOID_OWN, UNIT_DECIDED: Act.DECIDE_HELD}
"""What each kind of record asks for at the least. A decision on a unit is a lead's, as at the centre's own route, where
the role is asked for before anything is written; a bench may have recorded one while it was offline."""


class Code(StrEnum):
    """Why a record is flagged."""

    UNKNOWN_ACTOR = "unknown_actor"
    DISABLED = "disabled"
    NO_ROLE = "no_role"


def check_authority(work: Applying, applied: Sequence[Judged]) -> None:
    """Flag what its actor might not do (an ``Applier``). Two queries a push."""
    judged = [entry for entry in applied if entry.kind in _ACTS]
    if not judged:
        return
    for entry in judged:
        if _is_override(entry):
            note(Event.OVERRIDE, work.site_id, person=entry.actor, station=work.station, entry=entry.id)
    known = _People(work.connection, work.site_id, {entry.actor for entry in judged})
    if not known.anybody:
        return
    others = _others_inspections(work, judged)
    rows: list[dict[str, object]] = []
    for entry in judged:
        act = Act.OVERRIDE if _is_override(entry) else _ACTS[entry.kind]
        if (
            isinstance(entry.fact, InspectionVoided)
            and others.get(entry.fact.inspection_id, entry.actor) != entry.actor
        ):
            act = Act.VOID_ANY
        at = adjusted(entry.recorded_at, work.at)
        code = known.judge(entry.actor, act, at)
        if code is not None:
            rows.append(
                {
                    "site_id": work.site_id, "entry_id": entry.id, "station": work.station,
                    "generation": entry.generation, "seq": entry.seq, "actor": entry.actor, "act": act.value,
                    "code": code.value, "at": at,
                }
            )  # fmt: skip
            note(
                Event.UNAUTHORISED_ACT, work.site_id, station=work.station, seq=entry.seq, act=act.value, why=code.value
            )
    if rows:
        work.database.insert_all(work.connection, authority_flags, rows)


def list_flags(database: Database, site_id: str, after: str | None, limit: int) -> AuthorityFlags:
    """A page of what was flagged, the newest record first.

    Args:
        after: the last entry of the page before.
    """
    c = authority_flags.c
    query = select(authority_flags).where(c.site_id == site_id)
    if after is not None:
        query = query.where(c.entry_id < after)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(c.entry_id.desc()).limit(limit + 1)).all()
    found = [
        AuthorityFlag(row.entry_id, row.station, row.generation, row.seq, row.actor, row.act, row.code, row.at)
        for row in rows[:limit]
    ]
    return AuthorityFlags(found, found[-1].entry_id if len(rows) > limit else None)


def _is_override(entry: Judged) -> bool:
    """Whether the proposed route was not the one chosen (``station.decision.decide`` gives this reason)."""
    fact = entry.fact
    return isinstance(fact, Inspected) and any(reason.code == "override" for reason in fact.decision.reasons)


def adjusted(recorded_at: str, received_at: datetime) -> datetime:
    """When something was done, as far as it can be believed.

    >>> adjusted("2026-11-22T10:00:00Z", datetime(2026, 11, 23, tzinfo=UTC)).isoformat()
    '2026-11-22T10:00:00+00:00'
    >>> adjusted("2036-11-22T10:00:00Z", datetime(2026, 11, 23, tzinfo=UTC)).isoformat()
    '2026-11-23T00:00:00+00:00'
    """
    try:
        found = datetime.fromisoformat(recorded_at)
        return min(found.astimezone(UTC), received_at) if found.tzinfo is not None else received_at
    except (ValueError, OverflowError):
        return received_at


class _People:
    """Those who are named in one push."""

    def __init__(self, connection: Connection, site_id: str, actors: Iterable[str]) -> None:
        wanted = sorted(actors)
        self._spans: dict[str, list[RoleSpan]] = {}
        rows = connection.execute(
            select(
                people.c.id, people.c.active, people.c.changed_at, person_roles.c.role, person_roles.c.since,
                person_roles.c.until,
            )
            .select_from(people)
            .outerjoin(
                person_roles,
                (person_roles.c.site_id == people.c.site_id) & (person_roles.c.person_id == people.c.id),
            )
            .where(people.c.site_id == site_id, people.c.id.in_(wanted))
        ).all()  # fmt: skip
        self._disabled_at = {row.id: row.changed_at for row in rows if not row.active}
        for row in rows:
            spans = self._spans.setdefault(row.id, [])
            if row.role is not None:
                spans.append(RoleSpan(row.role, row.since, row.until))
        self.anybody = bool(rows) or (
            connection.scalar(select(people.c.id).where(people.c.site_id == site_id).limit(1)) is not None
        )

    def judge(self, actor: str, act: Act, at: datetime) -> Code | None:
        spans = self._spans.get(actor)
        if spans is None:
            return Code.UNKNOWN_ACTOR
        disabled_at = self._disabled_at.get(actor)
        if disabled_at is not None and at >= disabled_at:
            return Code.DISABLED
        return Code.NO_ROLE if PERMISSIONS[act].roles.isdisjoint(roles_at(spans, at)) else None


def _others_inspections(work: Applying, judged: Sequence[Judged]) -> dict[str, str]:
    """Who confirmed the inspections that are voided here."""
    voided = [entry.fact.inspection_id for entry in judged if isinstance(entry.fact, InspectionVoided)]
    if not voided:
        return {}
    found = work.connection.execute(
        select(inspections.c.inspection_id, inspections.c.actor).where(
            inspections.c.site_id == work.site_id, inspections.c.inspection_id.in_(voided)
        )
    )
    return {inspection_id: actor for inspection_id, actor in found}
