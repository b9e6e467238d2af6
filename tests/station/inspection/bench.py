"""A desk over a real store with a small known world; a plain module for the tests beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from station.decision.rules import load_rules
from station.identify.commands import Command
from station.identify.scan import RawScan
from station.ids import uuid7
from station.inspection.desk import Desk, Seat
from station.inspection.facts import Look, Photo, StableSource, WeightReading
from station.inspection.view import Outcome, State
from station.quantities import Money
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine, Trait
from station.store.store import Store

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HEADPHONES = "4260123456788"
SHIRT = "4260123457327"
MUG = "4260123457563"


class TickingClock:
    """Every look at the clock is a tenth of a second later."""

    def __init__(self, at: datetime = START) -> None:
        self._now = at

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=100)
        return self._now

    def monotonic(self) -> float:
        return (self.now() - START).total_seconds()


def _item(sku: str, gtin: str, title: str, category: str | None, mass_g: int, **more: object) -> CatalogueItem:
    return CatalogueItem(
        "m",
        sku,
        title,
        category,
        ("0" + gtin,),
        (),
        Money(4990, "EUR"),
        mass_g * 1000,
        6_000,
        **more,  # type: ignore[arg-type]
    )


ITEMS = (
    _item(
        "HAL", HEADPHONES, "Halden ANC headphones", "electronics.audio", 288,
        accessories=(("charging case", 42_000),), traits=(Trait.LITHIUM, Trait.HYGIENE), serialised=True,
    ),
    _item("SHIRT", SHIRT, "Linen shirt", "apparel.shirts", 312),
    _item("MUG", MUG, "Stoneware mug", "homeware.kitchen", 395),
    _item("ODD", "4006381333931", "Something unmapped", None, 100),
)  # fmt: skip


def _return(number: int, *lines: ReturnLine) -> ReturnAuthorisation:
    return ReturnAuthorisation(
        f"RMA-2026-{number:06d}", "m", f"O-{number}", lines, (f"1Z999AA1012345678{number % 10}",),
        START - timedelta(days=12), START - timedelta(days=9), START - timedelta(days=3),
    )  # fmt: skip


PAID = Money(4990, "EUR")


def returns() -> list[ReturnAuthorisation]:
    return [
        _return(4711, ReturnLine(1, "SHIRT", 1, "unwanted", None, None, PAID)),
        _return(4712, ReturnLine(1, "HAL", 1, "defective", "stopped charging", "HD7-22941", PAID)),
        _return(
            4713,
            ReturnLine(1, "SHIRT", 2, "size_too_small", None, None, PAID),
            ReturnLine(2, "MUG", 1, "unwanted", None, None, PAID),
        ),
        _return(4714, ReturnLine(1, "ODD", 1, "unwanted", None, None, PAID)),
        *(_return(n, ReturnLine(1, "SHIRT", 1, "unwanted", None, None, PAID)) for n in range(5000, 5030)),
    ]


def open_store(home: Path) -> Store:
    store = Store.open(home, station="bench-1", clock=TickingClock(), ballast_bytes=1 << 16)
    store.put_merchants([Merchant("m", "Nordlicht", "small_brand")])
    store.put_items(ITEMS)
    store.put_returns(returns())
    return store


RULES = load_rules()


class Bench:
    """Hands on a desk: what an inspector does, in the words of the tests."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = TickingClock()
        self.photos = 0
        self.desk = self.new_desk()
        self.last = self.desk.resume()

    def new_desk(self) -> Desk:
        """As after a start of the program."""
        return Desk(self.store, RULES, Seat("bench-1", "Ana"), self.clock, uuid7, START)

    @property
    def state(self) -> State:
        return self.last.view.state

    @property
    def code(self) -> str:
        return self.last.view.notice.code

    def scan(self, text: str) -> Outcome:
        self.last = self.desk.scan(RawScan(text.encode(), "scanner-1", self.clock.now()))
        return self.last

    def give(self, command: Command) -> Outcome:
        self.last = self.desk.command(command)
        return self.last

    def weigh(self, gross_g: int) -> Outcome | None:
        reading = WeightReading(
            gross_g * 1000, StableSource.SCALE, "g", 1000, b"S S     %d g\r\n" % gross_g, "scale-1", self.clock.now()
        )
        outcome = self.desk.weight(reading)
        self.last = outcome or self.last
        return outcome

    def photograph(self, look: Look | None = None) -> Outcome | None:
        """One real JPEG's worth of bytes for the shot that is waited for."""
        shot = self.last.view.current_shot
        self.photos += 1
        stored = self.store.photos.keep(b"\xff\xd8\xff\xe0 picture %d \xff\xd9" % self.photos)
        photo = Photo(
            stored.sha256, stored.size, 640, 480, shot.id if shot is not None else "extra", self.clock.now(), 800, 120,
            "camera-1",
        )  # fmt: skip
        outcome = self.desk.photo(photo, look)
        self.last = outcome or self.last
        return outcome

    def photograph_all(self) -> None:
        while self.last.view.wants_photo:
            self.photograph()

    def clean_unit(self, parcel: str, item: str = SHIRT, gross_g: int = 312) -> Outcome:
        """The golden path: three scans."""
        self.scan(parcel)
        self.scan(item)
        self.weigh(gross_g)
        self.photograph_all()
        return self.scan("RSC-CLEAN")
