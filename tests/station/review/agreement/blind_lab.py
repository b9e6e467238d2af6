"""A bench with planted returns; a plain module for the tests beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from station.canonical import canonical_json
from station.identify.scan import CandidateKind
from station.ids import uuid7
from station.inspection.desk import Desk, Seat
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.journal.entry import Entry, Fact
from station.returns.model import ReturnAuthorisation
from station.review.agreement.blind_store import BlindStore, slots_of
from station.review.agreement.plan import Errand, Plan, Seen, Wanted, make_plan
from station.review.agreement.planted import PLANTED
from station.store.reading import read_entries
from station.store.store import Store
from tests.station.inspection.bench import RULES, START, Bench, TickingClock

SECRET = b"a secret of thirty-two bytes ok!"
SOON = Wanted(again=2, golden=0, youngest=timedelta(0))


class BlindBench(Bench):
    """The bench as ``BenchApp`` makes it: the desk sees the store through ``BlindStore``."""

    def __init__(self, store: Store, inspector: str = "Ana") -> None:
        self.inspector = inspector
        super().__init__(store)
        # later than whoever was here before, with photos of its own
        self.clock = TickingClock(START + timedelta(minutes=len(store.slots("past:"))))
        self.photos = 100 * store.unsent().entries
        self.desk = self.new_desk()
        self.last = self.desk.resume()

    def new_desk(self) -> Desk:
        return Desk(BlindStore(self.store), RULES, Seat("bench-1", self.inspector), self.clock, uuid7, START)


def seen_in(entries: tuple[Entry, ...]) -> list[Seen]:
    out = []
    for entry in entries:
        if entry.kind == INSPECTION_CONFIRMED and entry.payload is not None:
            fact = msgspec.json.decode(entry.payload, type=Inspection)
            out.append(
                Seen(fact.inspection_id, fact.merchant_id or "", fact.rma or "", fact.line or 0, fact.category or "",
                     entry.actor, fact.confirmed_at)
            )  # fmt: skip
    return out


def return_of(store: Store, one: Seen) -> ReturnAuthorisation | None:
    found = store.directory.returns_by(CandidateKind.RMA, one.rma)
    return found[0] if found else None


def plan_for(home: Path, store: Store, inspectors: tuple[str, ...] = ("Ana", "Bo"), wanted: Wanted = SOON) -> Plan:
    at = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    return make_plan(
        at.date(), seen_in(read_entries(home)), {}, inspectors, lambda one: return_of(store, one),
        lambda code: not store.directory.returns_by(CandidateKind.RMA, code), secret=SECRET, at=at, wanted=wanted,
    )  # fmt: skip


def plant(store: Store, plan: Plan) -> tuple[Errand, ...]:
    """What ``station agreement plan`` does."""
    store.put_returns(errand.authorisation for errand in plan.errands)
    facts = [Fact(PLANTED, 1, canonical_json(errand.planted)) for errand in plan.errands]
    store.commit(facts, actor="lead", drafts=slots_of(plan.errands))
    return plan.errands
