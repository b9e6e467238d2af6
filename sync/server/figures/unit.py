"""One inspection as the figures see it. Pure: what is counted is a function of the record and of when it arrived.

Durations come from the bench's own clock, except for the way to the centre. A clock that jumped gives no duration
rather than a wrong one. Amounts that no return can have are left out, so that no record can overflow a sum.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from sync.server.facts import Inspected, worth_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
DAY_US: Final = 86_400_000_000
_LONGEST_MS: Final = 10 * 366 * 86_400_000
"""Ten years; longer is a clock that was wrong."""
_HEAVIEST_MG: Final = 10**9
_DEAREST_MINOR: Final = 10**12
_NAME: Final = 100
"""Characters of a name that tell it from others; longer ones would not fit into an index."""


class Unit(msgspec.Struct, frozen=True):
    """The columns of ``figure_units`` behind its state, in their order."""

    station: str
    inspector: str
    day: int
    """UTC day of the confirmation, days since 1970-01-01."""
    confirmed_us: int
    merchant: str
    """Empty = unknown, as with all names here."""
    category: str
    sku: str
    grade: str
    disposition: str
    identity: str
    declared: str
    found: str
    refund: str
    currency: str
    """Of all three amounts; empty = there is none."""
    refund_minor: int | None
    original_minor: int | None
    """What was paid; the record says it where all of it is refunded."""
    recovered_minor: int | None
    """Net value of the way that was decided, as the bench computed it."""
    cycle_ms: int | None
    dock_ms: int | None
    sync_ms: int | None
    verdict: str
    mass_mg: int | None
    overridden: int
    skipped: str
    """Steps, joined by newlines, sorted."""
    looks: str
    """Codes of what asks for a second look, joined by newlines, in the record's order."""
    unit_id: str
    lpn: str
    rma: str | None


def micros(moment: datetime) -> int:
    """Microseconds since 1970; a moment without a zone is taken as UTC."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _US


def name_of(text: str | None) -> str:
    """A name that fits into a key."""
    return (text or "")[:_NAME]


def unit_of(station: str, actor: str, fact: Inspected, received: datetime) -> Unit:
    """Read what is counted.

    Args:
        received: when the centre first had its place in the journal.
    """
    decision, refund = fact.decision, fact.decision.refund
    confirmed = micros(fact.confirmed_at)
    paid = refund.amount
    worth = worth_of(decision)
    currency = paid.currency if paid is not None else worth.currency if worth is not None else ""
    refunded = _amount(paid.minor) if paid is not None else None
    return Unit(
        station=station,
        inspector=name_of(actor),
        day=confirmed // DAY_US,
        confirmed_us=confirmed,
        merchant=name_of(fact.merchant_id),
        category=name_of(fact.category),
        sku=name_of(fact.sku),
        grade=decision.grade.code if decision.grade is not None else "",
        disposition=decision.disposition,
        identity=fact.identity,
        declared=name_of(fact.declared_reason),
        found=name_of(decision.found_reason),
        refund=refund.decision,
        currency=currency,
        refund_minor=refunded,
        original_minor=refunded if refund.decision == "full" else None,
        recovered_minor=_amount(worth.minor) if worth is not None and worth.currency == currency else None,
        cycle_ms=_duration(micros(fact.started_at), confirmed) if fact.started_at is not None else None,
        dock_ms=_duration(_made_us(fact.parcel_id), confirmed),
        sync_ms=_duration(confirmed, micros(received)),
        verdict=fact.judgement.verdict if fact.judgement is not None else "",
        mass_mg=fact.weight.gross_mg if fact.weight is not None and 0 < fact.weight.gross_mg <= _HEAVIEST_MG else None,
        overridden=int(any(reason.code == "override" for reason in decision.reasons)),
        skipped="\n".join(sorted({name_of(step.what) for step in fact.skipped})),
        looks="\n".join(dict.fromkeys(name_of(look.code) for look in decision.second_look)),
        unit_id=fact.unit_id,
        lpn=fact.lpn,
        rma=fact.rma[:_NAME] if fact.rma is not None else None,
    )


def _amount(minor: int) -> int | None:
    return minor if abs(minor) <= _DEAREST_MINOR else None


def _duration(begin_us: int | None, end_us: int) -> int | None:
    if begin_us is None:
        return None
    duration = (end_us - begin_us) // 1000
    return duration if 0 <= duration <= _LONGEST_MS else None


def _made_us(identity: str) -> int | None:
    """When a UUIDv7 was made: a parcel's is made when its first code is read. Source: RFC 9562 §5.7.

    >>> _made_us("019a0d5c-1c00-7000-8000-000000000000")
    1761160731648000
    >>> _made_us("parcel-1") is None
    True
    """
    if len(identity) != 36 or identity[14] != "7":
        return None
    try:
        return int(identity[:8] + identity[9:13], 16) * 1000
    except ValueError:
        return None
