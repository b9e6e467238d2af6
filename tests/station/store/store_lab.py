"""Facts, clocks and scenarios that the store's tests share; imported by the tests and by the processes they kill."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from station.canonical import canonical_json
from station.decision.model import Decision, Disposition, Grade, Reason, Refund
from station.identify.scan import RawScan
from station.inspection import record
from station.inspection.facts import IdentityOutcome, Photo, StableSource, WeightReading
from station.journal.entry import Fact
from station.quantities import Money
from station.returns.model import ArrivalKind
from station.store import Store

START = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


class SteadyClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()

    def move(self, **parts: float) -> None:
        self.at += timedelta(**parts)


class TickingClock(SteadyClock):
    """A second later at every look."""

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def counting_ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"00000000-0000-7000-8000-{next(numbers):012d}"


def fact(kind: str, payload: object, schema: int = 1) -> Fact:
    return Fact(kind, schema, canonical_json(payload))


def raw_scan(data: bytes, at: datetime = START) -> RawScan:
    return RawScan(data, "scanner-1", at)


def parcel_opened(parcel: str, *, rma: str | None = "RMA-1", merchant: str | None = "m", at: datetime = START) -> Fact:
    opened = record.ParcelOpened(parcel, ArrivalKind.RMA, raw_scan(b"\x1d" + parcel.encode(), at), rma, merchant, at)
    return fact(record.PARCEL_OPENED, opened)


def parcel_parked(parcel: str, reason: str = "box wet", at: datetime = START) -> Fact:
    return fact(record.PARCEL_PARKED, record.ParcelParked(parcel, reason, at))


def parcel_closed(parcel: str, units: int = 1, at: datetime = START) -> Fact:
    return fact(record.PARCEL_CLOSED, record.ParcelClosed(parcel, units, (), at))


def photo(sha256: str, size: int = 10, at: datetime = START) -> Photo:
    return Photo(sha256, size, 640, 480, "front", at, 5000, 120, "camera-1")


def decision(
    disposition: Disposition = Disposition.RESTOCK, grade: str | None = "A", *, second_look: bool = False
) -> Decision:
    reason = Reason("clean", "Clean and complete.")
    return Decision(
        grade=Grade(grade, "as new", "standard", 1, ()) if grade is not None else None,
        gates=(),
        disposition=disposition,
        reasons=(reason,),
        alternatives=(),
        refund=Refund(Money(5490, "EUR"), "full", (reason,)),
        tote="R-14",
        found_reason=None,
        second_look=(reason,) if second_look else (),
        needs_confirm=False,
        versions=(("protocol", "apparel@1"),),
    )


def inspection(
    number: int | str,
    *,
    parcel: str = "parcel-1",
    unit: str | None = None,
    line: int | None = 1,
    rma: str | None = "RMA-1",
    merchant: str | None = "m",
    photos: tuple[Photo, ...] = (),
    corrects: str | None = None,
    at: datetime = START,
    seconds: int = 30,
    decided: Decision | None = None,
) -> Fact:
    """A confirmed inspection ``inspection-<number>`` of unit ``unit-<number>`` with plate ``LPN-<number>``."""
    weight = WeightReading(286_000, StableSource.SCALE, "g", 100, b"S S 286.0 g\r\n", "scale-1", at)
    return fact(
        record.INSPECTION_CONFIRMED,
        record.Inspection(
            inspection_id=f"inspection-{number}",
            unit_id=unit or f"unit-{number}",
            lpn=f"LPN-{number}",
            parcel_id=parcel,
            rma=rma,
            merchant_id=merchant,
            line=line,
            sku="SKU-1",
            gtin="04260000000004",
            title=f"Thing {number}",
            category="apparel.top",
            serial_declared=None,
            serial_found=None,
            identity=IdentityOutcome.MATCH,
            scans=(raw_scan(b"4260000000004", at),),
            weight=weight,
            judgement=None,
            photos=photos,
            answers=(),
            defects=(),
            declared_reason="size_too_small",
            decision=decided or decision(),
            skipped=(),
            timings=(),
            corrects=corrects,
            started_at=at - timedelta(seconds=seconds),
            confirmed_at=at,
        ),
    )


def voided(number: int | str, at: datetime = START) -> Fact:
    return fact(record.INSPECTION_VOIDED, record.InspectionVoided(f"inspection-{number}", "undo", at))


def label_printed(number: int | str, copy: int = 0, at: datetime = START) -> Fact:
    return fact(record.LABEL_PRINTED, record.LabelPrinted(f"job-{number}", f"LPN-{number}", copy, at))


def jpeg(number: int, size: int = 20_000) -> bytes:
    """Bytes that look like no other photo's."""
    body = b"".join(hashlib.sha256(b"%d-%d" % (number, block)).digest() for block in range(size // 32))
    return b"\xff\xd8" + body + b"\xff\xd9"


def work_a_shift(home: Path, say: Callable[[str], None], *, units: int = 3, synchronous: str = "FULL") -> None:
    """Photograph and confirm some units, saying of each what has been promised to be durable.

    Says ``photo SHA`` when ``keep`` has returned and ``entry SEQ ID SHA DRAFT`` when ``commit`` has.
    """
    with Store.open(
        home,
        station="bench-1",
        clock=TickingClock(),
        ballast_bytes=0,
        synchronous=synchronous,  # type: ignore[arg-type]
    ) as store:
        first = int(store.draft("unit") or b"0")
        for number in range(first + 1, first + 1 + units):
            kept = store.photos.keep(jpeg(number))
            say(f"photo {kept.sha256}")
            facts = [
                parcel_opened(f"parcel-{number}"),
                inspection(number, parcel=f"parcel-{number}", photos=(photo(kept.sha256, kept.size),)),
            ]
            for entry in store.commit(facts, actor="ines", drafts={"unit": b"%d" % number}):
                say(f"entry {entry.seq} {entry.id} {kept.sha256} {number}")
