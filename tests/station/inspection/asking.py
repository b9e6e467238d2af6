"""A desk over a store in memory, with any protocol and one article; a plain module for the tests beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from station.decision.model import Earlier
from station.decision.rules import Rules, load_rules
from station.identify.commands import Command
from station.identify.scan import CandidateKind, RawScan
from station.ids import uuid7
from station.inspection.desk import Desk, Seat
from station.inspection.facts import Photo, StableSource, WeightReading
from station.inspection.ports import RecentUnit, ShiftFigures, Sought
from station.inspection.protocol import Protocol
from station.inspection.view import Outcome, State
from station.inspection.weight.learned import MassHistory
from station.journal.entry import Entry, Fact
from station.quantities import Money
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine, Trait
from station.review.signals import Past
from tests.station.inspection.bench import START, TickingClock

RULES = load_rules()
GTIN = "4260123456788"
SERIAL = "HD7-22941"
MERCHANT = Merchant("m", "Merchant", RULES.policy_names()[0])


def rules_with(*protocols: Protocol) -> Rules:
    """The shipped rules with these protocols in place of the shipped ones."""
    newest: dict[str, Protocol] = {}
    for protocol in sorted(protocols, key=lambda protocol: protocol.version):
        newest[protocol.id] = protocol
    known = {(protocol.id, protocol.version): protocol for protocol in protocols}
    return replace(RULES, protocols=known, latest=tuple(newest.values()))


@dataclass
class World:
    """Directory, disk and store in one, as the desk sees them."""

    article: CatalogueItem
    reason: str | None = None
    facts: list[Fact] = field(default_factory=list)
    drafts: dict[str, bytes] = field(default_factory=dict)
    accepts_parcels: bool = True
    text: str | None = None

    @property
    def authorisation(self) -> ReturnAuthorisation:
        line = ReturnLine(1, self.article.sku, 1, self.reason, serial=SERIAL, paid=Money(4990, "EUR"))
        return ReturnAuthorisation(
            "RMA-2026-000001", "m", None, (line,), delivered_at=START - timedelta(days=9)
        )  # fmt: skip

    @property
    def directory(self) -> World:
        return self

    @property
    def disk_state(self) -> World:
        return self

    def returns_by(self, kind: CandidateKind, key: str) -> tuple[ReturnAuthorisation, ...]:
        return (self.authorisation,) if kind is CandidateKind.RMA and key == "RMA-2026-000001" else ()

    def items_by_code(self, key: str) -> tuple[CatalogueItem, ...]:
        return (self.article,) if key in self.article.gtins else ()

    def item(self, merchant_id: str, sku: str) -> CatalogueItem | None:
        return self.article if sku == self.article.sku else None

    def merchant(self, merchant_id: str) -> Merchant | None:
        return MERCHANT

    def inspected_units(self, merchant_id: str, rma: str) -> Mapping[int, int]:
        return {}

    def lpn_is_used(self, lpn: str) -> bool:
        return False

    def commit(self, facts: Sequence[Fact], *, actor: str, drafts: Mapping[str, bytes | None]) -> tuple[Entry, ...]:
        self.facts.extend(facts)
        for slot, body in drafts.items():
            if body is None:
                self.drafts.pop(slot, None)
            else:
                self.drafts[slot] = body
        return ()

    def draft(self, slot: str) -> bytes | None:
        return self.drafts.get(slot)

    def slots(self, prefix: str) -> tuple[str, ...]:
        return tuple(slot for slot in self.drafts if slot.startswith(prefix))

    def photo_like(self, bits: int, unit_id: str, at_most: int) -> str | None:
        return None

    def remember_photo(self, sha256: str, unit_id: str, bits: int) -> None:
        """Nothing is compared here."""

    def mass_history(self, merchant_id: str, sku: str) -> MassHistory:
        return MassHistory()

    def earlier_inspections(
        self, unit_id: str, lpn: str, merchant_id: str | None, rma: str | None, line: int | None
    ) -> tuple[Earlier, ...]:
        return ()

    def past(self, sought: Sought) -> Past:
        return Past()

    def recent(self, limit: int) -> tuple[RecentUnit, ...]:
        return ()

    def figures(self, since: datetime, now: datetime) -> ShiftFigures:
        return ShiftFigures(0, 0, None, 0)


class Asking:
    """One unit that is asked one protocol's questions."""

    def __init__(
        self,
        *protocols: Protocol,
        traits: tuple[str, ...] = (),
        reason: str | None = None,
        mass_mg: int | None = None,
    ) -> None:
        category = protocols[0].categories[0]
        item = CatalogueItem(
            "m", "SKU-1", "Thing", category, ("0" + GTIN,), price=Money(4990, "EUR"), mass_mg=mass_mg,
            traits=tuple(Trait(trait) for trait in traits),
        )  # fmt: skip
        self.store = World(item, reason)
        self.clock = TickingClock()
        self.start(*protocols)

    def start(self, *protocols: Protocol) -> None:
        """As after a start of the program with these rules."""
        self.rules = rules_with(*protocols)
        self.desk = Desk(self.store, self.rules, Seat("bench-1", "Ana"), self.clock, uuid7, START)
        self.last = self.desk.resume()

    @property
    def state(self) -> State:
        return self.last.view.state

    def scan(self, text: str) -> Outcome:
        self.last = self.desk.scan(RawScan(text.encode(), "scanner-1", self.clock.now()))
        return self.last

    def give(self, command: Command, detail: str = "") -> Outcome:
        self.last = self.desk.command(command, device_detail=detail)
        return self.last

    def type(self, text: str) -> Outcome:
        self.last = self.desk.entered(text)
        return self.last

    def weigh(self, gross_mg: int) -> None:
        reading = WeightReading(gross_mg, StableSource.SCALE, "g", 1000, b"S S", "scale-1", self.clock.now())
        self.last = self.desk.weight(reading) or self.last

    def photograph_all(self) -> list[str]:
        """All shots that are waited for now; returns their ids."""
        taken = []
        while self.last.view.wants_photo and self.last.view.current_shot is not None:
            shot = self.last.view.current_shot.id
            taken.append(shot)
            photo = Photo(f"{len(taken):064d}", 1, 640, 480, shot, self.clock.now(), 800, 120, "camera-1")
            self.last = self.desk.photo(photo) or self.last
        return taken

    def to_the_questions(self) -> None:
        """Parcel, item, weight as it may be, photos."""
        self.scan("RMA-2026-000001")
        self.scan(GTIN)
        if self.state is State.WEIGHT:
            self.weigh(self.store.article.mass_mg or 100_000)
        self.photograph_all()
