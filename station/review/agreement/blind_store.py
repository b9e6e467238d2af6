"""The store as the desk sees it where units are planted: what is recorded of them enters the journal under kinds of
their own, while the screen goes on as for any unit.

A planted unit must count in "just done" and in the pace, must not be inspected twice, and its plate must be taken, or
the inspector would see a difference; it must not count anywhere else. So this object keeps the little that the screen
needs in draft slots, written in the transaction that writes the facts.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from station.canonical import canonical_json
from station.decision.model import Disposition, Earlier
from station.errors import InvalidInput
from station.identify.scan import CandidateKind
from station.inspection import record
from station.inspection.draft import load, replay
from station.inspection.ports import BenchStore, Directory, DiskRoom, RecentUnit, ShiftFigures, Sought
from station.inspection.stepper import CURRENT
from station.inspection.weight.learned import MassHistory
from station.journal.entry import Entry, Fact
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation
from station.review.agreement.plan import Errand
from station.review.agreement.planted import PREFIX
from station.review.signals import Past

_RETURN: Final = "blind:return:"
_PARCEL: Final = "blind:parcel:"
_UNIT: Final = "blind:unit:"
_OPEN, _PARKED = b"open", b"parked"
_HOUR: Final = timedelta(hours=1)


def slots_of(errands: Sequence[Errand]) -> dict[str, bytes | None]:
    """Draft slots by which a bench knows a planted return; written with the entries that say that it was planted."""
    return {_slot(errand.planted.merchant_id, errand.planted.rma): _print(errand.authorisation) for errand in errands}


def _slot(merchant_id: str | None, rma: str | None) -> str:
    return f"{_RETURN}{merchant_id}:{rma}"


def _print(authorisation: ReturnAuthorisation) -> bytes:
    """A fingerprint. If a shop should ever send a return of the same number, that one is real and counts as real."""
    return hashlib.sha256(canonical_json(authorisation)).digest()


class _Named(msgspec.Struct, frozen=True):
    """What a fact may say of whom it concerns."""

    rma: str | None = None
    merchant_id: str | None = None
    parcel_id: str | None = None
    inspection_id: str | None = None
    lpn: str | None = None


class _Grade(msgspec.Struct, frozen=True):
    code: str


class _Decision(msgspec.Struct, frozen=True):
    disposition: Disposition
    tote: str
    grade: _Grade | None = None
    second_look: list[object] = []


class _Unit(msgspec.Struct, frozen=True):
    """What the screen needs of a planted unit that is done; read from an inspection, kept in its slot."""

    inspection_id: str
    parcel_id: str
    lpn: str
    merchant_id: str | None
    rma: str | None
    line: int | None
    title: str
    decision: _Decision
    started_at: datetime
    confirmed_at: datetime

    @property
    def recent(self) -> RecentUnit:
        found = self.decision
        grade = found.grade.code if found.grade is not None else None
        looks = bool(found.second_look)
        return RecentUnit(self.inspection_id, self.title, grade, found.disposition, found.tote, looks)


_NAMED: Final = msgspec.json.Decoder(_Named)
_READ_UNIT: Final = msgspec.json.Decoder(_Unit)


class BlindStore:
    """Implements ``BenchStore`` over another one. Used by the desk's thread."""

    def __init__(self, store: BenchStore) -> None:
        self._store = store
        self._returns = {slot: store.draft(slot) or b"" for slot in store.slots(_RETURN)}
        self._parcels: dict[str, bytes] = {}
        self._units: dict[str, _Unit] = {}
        for slot in store.slots(_PARCEL) if self._returns else ():
            self._parcels[slot.removeprefix(_PARCEL)] = store.draft(slot) or _OPEN
        for slot in store.slots(_UNIT) if self._returns else ():
            kept = store.draft(slot)
            if kept is not None:
                self._units[slot.removeprefix(_UNIT)] = _READ_UNIT.decode(kept)
        self.directory: Directory = _BlindDirectory(store, self._units)
        """With what is known of planted units as if they were real."""

    @property
    def disk_state(self) -> DiskRoom:
        return self._store.disk_state

    def commit(self, facts: Sequence[Fact], *, actor: str, drafts: Mapping[str, bytes | None]) -> tuple[Entry, ...]:
        """Write facts and drafts in one durable transaction; what concerns a planted unit gets its own kind."""
        if not self._returns:
            return self._store.commit(facts, actor=actor, drafts=drafts)
        work = _Work(self._is_planted_return, self._parcels, self._units)
        told = [work.take(fact) for fact in facts]
        entries = self._store.commit(told, actor=actor, drafts={**drafts, **work.slots})
        self._parcels.update(work.parcels)
        self._units.update(work.units)
        for gone in work.gone:
            self._units.pop(gone, None)
        return entries

    def draft(self, slot: str) -> bytes | None:
        return self._store.draft(slot)

    def slots(self, prefix: str) -> tuple[str, ...]:
        return self._store.slots(prefix)

    def photo_like(self, bits: int, unit_id: str, at_most: int) -> str | None:
        """As the store's; the very same unit does look the same, so of a planted one nothing is said."""
        if self._parcels and self._on_the_bench() in self._parcels:
            return None
        return self._store.photo_like(bits, unit_id, at_most)

    def remember_photo(self, sha256: str, unit_id: str, bits: int) -> None:
        self._store.remember_photo(sha256, unit_id, bits)

    def mass_history(self, merchant_id: str, sku: str) -> MassHistory:
        return self._store.mass_history(merchant_id, sku)

    def earlier_inspections(
        self, unit_id: str, lpn: str, merchant_id: str | None, rma: str | None, line: int | None
    ) -> tuple[Earlier, ...]:
        """As the store's; of a planted unit that was taken back nothing is known, so its gates are judged anew."""
        return self._store.earlier_inspections(unit_id, lpn, merchant_id, rma, line)

    def past(self, sought: Sought) -> Past:
        """As the store's; a planted unit was here before, of course, so of it nothing is said."""
        return Past() if sought.parcel_id in self._parcels else self._store.past(sought)

    def recent(self, limit: int) -> tuple[RecentUnit, ...]:
        """The last units that were done here, newest first; ids are UUIDv7, so their order is that of time."""
        real = self._store.recent(limit)
        if not self._units:
            return real
        both = [*real, *(unit.recent for unit in self._units.values())]
        return tuple(sorted(both, key=lambda unit: unit.inspection_id, reverse=True)[:limit])

    def figures(self, since: datetime, now: datetime) -> ShiftFigures:
        """The bench's own pace with the planted units in it; the median stays that of the others if there are any."""
        real = self._store.figures(since, now)
        mine = [unit for unit in self._units.values() if since <= unit.confirmed_at <= now]
        took = sorted(max(0, int((unit.confirmed_at - unit.started_at).total_seconds())) for unit in mine)
        middle = took[len(took) // 2] if took else None
        return ShiftFigures(
            units=real.units + len(mine),
            this_hour=real.this_hour + sum(unit.confirmed_at > now - _HOUR for unit in mine),
            median_seconds=real.median_seconds if real.median_seconds is not None else middle,
            parked=real.parked + sum(state == _PARKED for state in self._parcels.values()),
        )

    def _is_planted_return(self, merchant_id: str | None, rma: str | None) -> bool:
        expected = self._returns.get(_slot(merchant_id, rma))
        if expected is None or rma is None:
            return False
        known = self._store.directory.returns_by(CandidateKind.RMA, rma)
        return any(one.merchant_id == merchant_id and _print(one) == expected for one in known)

    def _on_the_bench(self) -> str | None:
        saved = self._store.draft(CURRENT)
        if saved is None:
            return None
        try:
            parcel = replay(load(saved)).parcel
        except InvalidInput:
            return None
        return parcel.id if parcel is not None else None


class _Work:
    """One commit: which facts are of planted units, and what is to be kept of them once they are written."""

    def __init__(
        self,
        is_planted_return: Callable[[str | None, str | None], bool],
        parcels: Mapping[str, bytes],
        units: Mapping[str, _Unit],
    ) -> None:
        self._is_planted_return = is_planted_return
        self._before = parcels
        self._done = units
        self.parcels: dict[str, bytes] = {}
        self.units: dict[str, _Unit] = {}
        self.gone: list[str] = []
        self.slots: dict[str, bytes | None] = {}

    def take(self, fact: Fact) -> Fact:
        """The fact as it is written."""
        named = _NAMED.decode(fact.payload)
        if not self._is_planted(fact.kind, named):
            return fact
        self._keep(fact, named)
        return Fact(PREFIX + fact.kind, fact.schema, fact.payload)

    def _is_planted(self, kind: str, named: _Named) -> bool:
        if kind == record.PARCEL_OPENED:
            return self._is_planted_return(named.merchant_id, named.rma)
        if named.parcel_id is not None:
            return named.parcel_id in self._before or named.parcel_id in self.parcels
        if named.inspection_id is not None:
            return named.inspection_id in self._done
        known = (*self._done.values(), *self.units.values())
        return named.lpn is not None and any(unit.lpn == named.lpn for unit in known)

    def _keep(self, fact: Fact, named: _Named) -> None:
        state = _PARKED if fact.kind == record.PARCEL_PARKED else _OPEN
        if named.parcel_id is not None:
            self.parcels[named.parcel_id] = state
            self.slots[_PARCEL + named.parcel_id] = state
        if fact.kind == record.INSPECTION_CONFIRMED:
            unit = _READ_UNIT.decode(fact.payload)
            self.units[unit.inspection_id] = unit
            self.slots[_UNIT + unit.inspection_id] = msgspec.json.encode(unit)
        elif fact.kind == record.INSPECTION_VOIDED and named.inspection_id is not None:
            self.gone.append(named.inspection_id)
            self.slots[_UNIT + named.inspection_id] = None


class _BlindDirectory:
    """Implements ``Directory``: planted units that are done count as done, and their plates as taken."""

    def __init__(self, store: BenchStore, units: Mapping[str, _Unit]) -> None:
        self._real = store.directory
        self._units = units

    def returns_by(self, kind: CandidateKind, key: str) -> tuple[ReturnAuthorisation, ...]:
        return self._real.returns_by(kind, key)

    def items_by_code(self, key: str) -> tuple[CatalogueItem, ...]:
        return self._real.items_by_code(key)

    def item(self, merchant_id: str, sku: str) -> CatalogueItem | None:
        return self._real.item(merchant_id, sku)

    def merchant(self, merchant_id: str) -> Merchant | None:
        return self._real.merchant(merchant_id)

    def inspected_units(self, merchant_id: str, rma: str) -> Mapping[int, int]:
        real = self._real.inspected_units(merchant_id, rma)
        mine = Counter(
            unit.line
            for unit in self._units.values()
            if unit.line is not None and (unit.merchant_id, unit.rma) == (merchant_id, rma)
        )
        return {**real, **{line: real.get(line, 0) + many for line, many in mine.items()}} if mine else real

    def lpn_is_used(self, lpn: str) -> bool:
        return self._real.lpn_is_used(lpn) or any(unit.lpn == lpn for unit in self._units.values())
