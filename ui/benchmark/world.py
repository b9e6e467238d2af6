"""Worlds to measure in: catalogues, returns and inspections of any size, made up but of realistic shape."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from station.canonical import canonical_json
from station.clock import SystemClock
from station.decision.decide import decide
from station.decision.model import Case
from station.decision.rules import load_rules
from station.identify.scan import RawScan
from station.ids import uuid7
from station.inspection.facts import Answer, IdentityOutcome, Photo, StableSource, WeightReading
from station.inspection.plausibility import judge_weight
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.journal.entry import Fact
from station.quantities import Money
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine
from station.store.store import Store

STATION = "bench-1"
_START = datetime(2026, 11, 1, tzinfo=UTC)


def gtin(number: int) -> str:
    """A valid GTIN-14 for an article's number."""
    body = f"0426{number:09d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


def item(number: int) -> CatalogueItem:
    return CatalogueItem(
        "m", f"SKU-{number:07d}", f"Linen shirt, model {number}", "apparel.shirts", (gtin(number),),
        (f"X00{number:07d}",), Money(4990, "EUR"), 312_000, 12_000,
    )  # fmt: skip


def authorisation(number: int, items: int) -> ReturnAuthorisation:
    line = ReturnLine(1, item(number % items).sku, 1, "unwanted", None, None, Money(4990, "EUR"))
    return ReturnAuthorisation(
        f"RMA-2026-{number:06d}", "m", f"ORD-{number}", (line,), (f"1Z{number:016d}",), _START, _START, _START
    )


def open_world(home: Path, *, items: int, returns: int, station: str = STATION) -> Store:
    """A store with so many articles and open returns."""
    store = Store.open(home, station=station, clock=SystemClock())
    store.put_merchants([Merchant("m", "Nordlicht", "small_brand")])
    store.put_items(item(number) for number in range(items))
    store.put_returns(authorisation(number, items) for number in range(returns))
    return store


def inspections(count: int, *, items: int = 1_000, photos: int = 2, first: int = 0) -> Iterator[Fact]:
    """Confirmed inspections as the bench writes them; their photos are named but not there.

    Args:
        first: number of the first one; units and returns go by it.
    """
    rules = load_rules()
    template: Inspection | None = None
    for number in range(first, first + count):
        article = item(number % items)
        at = _START + timedelta(seconds=number)
        reading = WeightReading(312_000, StableSource.SCALE, "g", 1_000, b"S S     312.000 g\r\n", "scale-1", at)
        if template is None:
            protocol = rules.protocol_for(article)
            answers = (Answer("look", "as_new", "shortcut:RSC-CLEAN"),)
            returned = authorisation(number, items)
            judgement = judge_weight(reading, article)
            case = Case(
                at, IdentityOutcome.MATCH, Merchant("m", "Nordlicht", "small_brand"), article, returned,
                returned.lines[0], protocol, answers, judgement,
            )  # fmt: skip
            template = Inspection(
                "", "", "", "", returned.id, "m", 1, article.sku, article.gtins[0], article.title, article.category,
                None, None, IdentityOutcome.MATCH, (RawScan(article.gtins[0].encode(), "scanner-1", at),), reading,
                judgement, (), answers, (), "unwanted", decide(case, rules), (), (), None, at, at,
            )  # fmt: skip
        named = tuple(
            Photo(f"{number * 2 + shot:064x}", 300_000, 1920, 1080, name, at, 800, 120, "camera-1")
            for shot, name in enumerate(("front", "label")[:photos])
        )
        yield Fact(INSPECTION_CONFIRMED, 1, canonical_json(_numbered(template, named, at, number)))


def _numbered(template: Inspection, photos: tuple[Photo, ...], at: datetime, number: int) -> Inspection:
    import dataclasses

    return dataclasses.replace(
        template, inspection_id=uuid7(), unit_id=uuid7(), lpn=f"LPN{number:010d}", parcel_id=uuid7(), photos=photos,
        rma=f"RMA-2026-{number:06d}", started_at=at, confirmed_at=at,
    )  # fmt: skip
