"""Random histories of a floor: what benches record, and how it reaches the centre."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec

from station.canonical import canonical_json
from station.decision.model import Alternative, Disposition, Reason, Refund
from station.identify.scan import RawScan
from station.inspection.facts import IdentityOutcome, Skipped, WeightJudgement, WeightVerdict
from station.inspection.record import (
    INSPECTION_CONFIRMED,
    INSPECTION_VOIDED,
    PARCEL_CLOSED,
    PARCEL_OPENED,
    PARCEL_PARKED,
    Inspection,
    InspectionVoided,
    ParcelClosed,
    ParcelOpened,
    ParcelParked,
)
from station.journal.entry import GENESIS, Entry, Fact, link
from station.quantities import Money
from station.returns.model import ArrivalKind
from sync.client.api import encode_push
from sync.protocol import PushRequest
from sync.server.judge import Judged, judge
from tests.sync.figures.oracle import Received
from tests.sync.material import an_inspection

START = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
STATIONS = ("bench-1", "bench-2", "bench-3")
_KINDS = {
    Inspection: INSPECTION_CONFIRMED, InspectionVoided: INSPECTION_VOIDED, ParcelOpened: PARCEL_OPENED,
    ParcelClosed: PARCEL_CLOSED, ParcelParked: PARCEL_PARKED,
}  # fmt: skip


def identity(dice: random.Random, at: datetime) -> str:
    """A UUIDv7 of a moment."""
    stamp = int(at.timestamp() * 1000)
    return str(uuid.UUID(int=stamp << 80 | 0x7 << 76 | dice.getrandbits(12) << 64 | 0b10 << 62 | dice.getrandbits(62)))


@dataclass
class Floor:
    """Benches that record."""

    dice: random.Random
    at: datetime = START
    entries: dict[str, list[tuple[Entry, object]]] = field(default_factory=lambda: {name: [] for name in STATIONS})
    inspections: list[tuple[str, Inspection]] = field(default_factory=list)
    parcels: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in STATIONS})

    def record(self, station: str, what: object) -> None:
        mine = self.entries[station]
        last = mine[-1][0] if mine else None
        self.at += timedelta(seconds=self.dice.choice((1, 20, 400, 9000)))
        made = link(
            Fact(_KINDS[type(what)], 1, canonical_json(what)), station=station, generation=1,
            seq=last.seq + 1 if last else 1, id=identity(self.dice, self.at),
            recorded_at=self.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            actor=self.dice.choice(("B-1", "B-2")), prev_hash=last.hash if last else GENESIS,
        )  # fmt: skip
        mine.append((made, what))

    def step(self, what: str, station: str) -> None:
        dice = self.dice
        if what == "open":
            parcel = identity(dice, self.at)
            self.parcels[station].append(parcel)
            scan = RawScan(b"RMA-1", "scanner-1", self.at)
            self.record(
                station, ParcelOpened(parcel, ArrivalKind.RMA, scan, f"RMA-{dice.randrange(9)}", "acme", self.at)
            )
        elif what in ("park", "close"):
            if self.parcels[station]:
                parcel = dice.choice(self.parcels[station])
                self.record(station, ParcelParked(parcel, "parked by the inspector", self.at) if what == "park"
                            else ParcelClosed(parcel, 1, (), self.at))  # fmt: skip
        elif what == "inspect":
            self._inspect(station, None, None)
        elif self.inspections:
            where, chosen = dice.choice(self.inspections)
            if what == "void":
                self.record(where, InspectionVoided(chosen.inspection_id, "undone", self.at))
            elif what == "correct":
                self._inspect(station, chosen, None)
            else:  # a cloned bench: the same inspection again, told differently
                self._inspect(station, None, chosen.inspection_id)

    def _inspect(self, station: str, corrected: Inspection | None, same_id: str | None) -> None:
        dice = self.dice
        plain = an_inspection(dice.randrange(1000))
        started = self.at + timedelta(seconds=dice.randrange(-3, 900))
        confirmed = self.at + timedelta(milliseconds=dice.choice((5_000, 61_234, 400_000, 5_000_000)))
        money = dice.choice((Money(5490, "EUR"), Money(1999, "USD"), None))
        refund = Refund(money, dice.choice(("full", "partial", "none")) if money else "manual", ())
        way = dice.choice((Disposition.RESTOCK, Disposition.REFURBISH, Disposition.QUARANTINE, Disposition.DESTROY))
        because = (Reason("override", "a person"),) if dice.random() < 0.2 else plain.decision.reasons
        looks = tuple(Reason(code, "look") for code in dice.sample(("wrong_serial", "photo_again"), dice.randrange(3)))
        worth = dice.choice((None, Money(-120, "EUR"), Money(3100, "EUR")))
        broken = dice.sample(("weight", "photo:front"), dice.randrange(3))
        decision = replace(
            plain.decision, disposition=way, refund=refund, reasons=because, second_look=looks,
            found_reason=dice.choice((None, "defective", "unwanted")),
            alternatives=(Alternative(way, worth, True, because[0]),),
        )  # fmt: skip
        parcel = dice.choice(
            [*self.parcels[station], identity(dice, self.at - timedelta(minutes=dice.randrange(3000)))]
        )
        made = replace(
            plain, inspection_id=same_id or identity(dice, self.at), parcel_id=parcel,
            unit_id=corrected.unit_id if corrected else identity(dice, self.at), photos=(),
            merchant_id=dice.choice(("acme", "zeta", None)), category=dice.choice(("audio", "shoes", None)),
            sku=dice.choice(("HD-1", "HD-2")), declared_reason=dice.choice((None, "defective", "unwanted")),
            identity=dice.choice((IdentityOutcome.MATCH, IdentityOutcome.WRONG_ITEM, IdentityOutcome.UNKNOWN)),
            judgement=dice.choice((None, *(WeightJudgement(v, 1, 2, 3, None) for v in list(WeightVerdict)[:4]))),
            weight=dice.choice((plain.weight, None)), decision=decision,
            skipped=tuple(Skipped(what, "broken") for what in broken),
            corrects=corrected.inspection_id if corrected else None, started_at=started, confirmed_at=confirmed,
        )  # fmt: skip
        self.inspections.append((station, made))
        self.record(station, made)


def judged(station: str, entries: Sequence[Entry], withheld: str | None = None) -> list[Judged]:
    request = msgspec.json.decode(encode_push(station, entries, withheld), type=PushRequest)
    return [judge(station, bytes(raw)) for raw in request.entries]


@dataclass(frozen=True)
class Push:
    """One request at the centre."""

    station: str
    entries: list[Judged]
    at: datetime


def deliveries(floor: Floor, received: list[Received]) -> Iterator[Push]:
    """Every entry reaches the centre: late, doubled, out of order between benches, some without payload at first.

    ``received`` grows by what has arrived whole.
    """
    dice = floor.dice
    at = {name: 0 for name in STATIONS}
    hollow: list[tuple[str, Entry, object, datetime]] = []
    now = floor.at + timedelta(seconds=5)

    def came(station: str, entry: Entry, what: object, when: datetime) -> None:
        received.append(Received(station, entry.generation, entry.seq, entry.id, entry.actor, what, when))

    while hollow or any(at[name] < len(floor.entries[name]) for name in STATIONS):
        now += timedelta(milliseconds=dice.choice((7, 900, 40_000, 4_000_000)))
        waiting = [name for name in STATIONS if at[name] < len(floor.entries[name])]
        if hollow and (not waiting or dice.random() < 0.2):
            station, entry, what, first = hollow.pop(dice.randrange(len(hollow)))
            came(station, entry, what, first)
            yield Push(station, judged(station, [entry]), now)
            continue
        station = dice.choice(waiting)
        count = dice.choice((1, 2, 5, 30))
        batch = floor.entries[station][at[station] : at[station] + count]
        at[station] += len(batch)
        if dice.random() < 0.25:
            entry, what = batch[0]
            at[station] += 1 - len(batch)
            hollow.append((station, entry, what, now))
            yield Push(station, judged(station, [entry], "refused again and again"), now)
            continue
        for entry, what in batch:
            came(station, entry, what, now)
        again = floor.entries[station][max(0, at[station] - len(batch) - dice.choice((0, 0, 3))) : at[station]]
        ready = {held[1].id for held in hollow}
        sent = [entry for entry, _ in again if entry.id not in ready]
        yield Push(station, judged(station, sent), now)
