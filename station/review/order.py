"""Which waiting unit is looked at next: what an hour more of waiting costs, per minute of work.

Three things are lost by waiting: value, day by day; the promise to the customer, all at once when it ends; a claim
against a marketplace or carrier, all at once when its window ends. A loss that comes at a moment counts as if it came
evenly until then, so it presses the more the nearer it is; what can no longer be kept presses no more. The sum is
divided by the minutes that the look takes.

Nothing starves: every n-th look goes to what has waited longest. So a unit with *m* older ones before it is looked at
after n × (m + 1) looks at most: what arrives later is younger, each n-th look takes one of those m + 1 away, and it is
the oldest of them at the latest when the others are gone. That holds at any load, and costs one look in n.

All integers: the same queue has the same order everywhere.
Sources: W. E. Smith (1956), Naval Research Logistics Quarterly 3 (weight over work is best for losses that grow
steadily); A. P. J. Vepsäläinen & T. E. Morton (1987), Management Science 33 (pressing of due dates on top of it).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec

from station.assets import asset
from station.decision.decay import WHOLE_PPM, Decay
from station.decision.model import Reason
from station.errors import InvalidInput
from station.quantities import Money
from station.toml_file import read_toml, typed

_MICRO: Final = 1_000_000
_DAY_MINUTES: Final = 24 * 60
_BP: Final = 10_000

Amount = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class OrderBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What waiting costs. The whole file."""

    kind: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    source: str
    oldest_every: Annotated[int, msgspec.Meta(ge=2, le=1000)]
    """Every so-many-th look takes what has waited longest."""
    soonest_minutes: Annotated[int, msgspec.Meta(ge=1, le=_DAY_MINUTES)]
    """What ends sooner presses as if it ended then."""
    promise_cost: dict[str, Amount]
    """Currency → what a broken promise costs, minor units."""
    claim_chance_bp: dict[str, Annotated[int, msgspec.Meta(ge=0, le=_BP)]]
    """Name of the claim → chance that it is paid, in 1/10 000; ``default`` for all others."""
    rates_ppm: dict[str, Annotated[int, msgspec.Meta(ge=1, le=10**9)]]
    """Currency → worth of one minor unit in that of the first currency, parts per million; for comparing alone."""
    sha256: str = ""

    @property
    def name(self) -> str:
        return f"order@{self.version} {self.sha256}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What can be claimed and until when."""

    name: str
    ends: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class Waiting:
    """One unit in the queue."""

    item: str
    """Its name in the queue; the last word where everything else is equal."""
    since: datetime
    value: Money | None = None
    """What it brings when it is sold today; None = unknown, and counts as nothing."""
    lost_ppm_day: int = 0
    """Share of that value that a day takes, parts per million (:func:`lost_a_day`)."""
    promise: datetime | None = None
    """When the customer was promised an answer; None = no promise, or it was kept already."""
    claim: Claim | None = None
    minutes: int = 6
    """Work of the look."""


@dataclass(frozen=True, slots=True)
class Place:
    """A unit with why it stands where it does."""

    waiting: Waiting
    score: int
    """Loss by one minute more of waiting per minute of work, millionths of a minor unit of the first currency."""
    reasons: tuple[Reason, ...]
    by_age: bool = False
    """It stands here because it has waited longest, not by its score."""

    @property
    def text(self) -> str:
        """All reasons in one line."""
        return "; ".join(reason.text for reason in self.reasons)


def read_order(path: Path | None = None) -> OrderBook:
    """Read a book of what waiting costs.

    Args:
        path: None = the shipped one.

    Raises:
        InvalidInput: not such a file, or it lacks the default chance or any rate.
    """
    path = path if path is not None else asset("review", "order.toml")
    file = read_toml(path)
    book = msgspec.structs.replace(typed(file, OrderBook), sha256=file.sha256)
    if book.kind != "order":
        raise InvalidInput(f"{path}: kind is {book.kind!r}, expected 'order'")
    if "default" not in book.claim_chance_bp or not book.rates_ppm:
        raise InvalidInput(f"{path}: expected 'default' in claim_chance_bp and at least one rate")
    return book


def lost_a_day(decay: Decay | None, days: int) -> int:
    """What the next day takes of a value, parts per million of what is left; 0 where nothing decays.

    Args:
        decay: of the goods' category (``station.decision.decay.decay_for``).
        days: that it has waited already, 0 or more.
    """
    if decay is None:
        return 0
    now, then = decay.left_ppm(days), decay.left_ppm(days + 1)
    return (now - then) * WHOLE_PPM // now if now else 0


def score(unit: Waiting, now: datetime, book: OrderBook) -> int:
    """What one more minute of waiting costs per minute of work. Never below zero, and more where more is at stake."""
    press = 0
    if unit.value is not None and unit.lost_ppm_day > 0:
        press += _worth(unit.value, book) * unit.lost_ppm_day // _DAY_MINUTES
    for amount, ends in _ends(unit, book):
        left = _minutes(ends - now)
        if left >= unit.minutes:  # later it cannot be kept
            press += amount * _MICRO // max(left, book.soonest_minutes)
    return press // max(1, unit.minutes)


def _ends(unit: Waiting, book: OrderBook) -> list[tuple[int, datetime]]:
    """(amount, when it is lost)."""
    found = []
    if unit.promise is not None:
        found.append((_promise_cost(unit, book), unit.promise))
    if unit.claim is not None:
        chance = book.claim_chance_bp.get(unit.claim.name, book.claim_chance_bp["default"])
        found.append((_worth(unit.claim.amount, book) * chance // _BP, unit.claim.ends))
    return found


def _promise_cost(unit: Waiting, book: OrderBook) -> int:
    first = next(iter(book.rates_ppm))
    currency = unit.value.currency if unit.value is not None else first
    known = currency if currency in book.promise_cost else first
    return _worth(Money(book.promise_cost.get(known, 0), known), book)


def _worth(money: Money, book: OrderBook) -> int:
    """An amount for comparing; a currency without a rate counts as the first one."""
    return max(0, money.minor) * book.rates_ppm.get(money.currency, _MICRO) // _MICRO


def _minutes(span: timedelta) -> int:
    return span // timedelta(minutes=1)


def reasons(unit: Waiting, now: datetime) -> tuple[Reason, ...]:
    """Why a unit presses, in plain words; what is nearest its end stands first."""
    ends: list[tuple[datetime, Reason]] = []
    if unit.promise is not None:
        ends.append((unit.promise, Reason("order_promise", f"promise {_until(unit.promise - now)}")))
    if unit.claim is not None:
        text = f"claim window ({unit.claim.name}, {unit.claim.amount}) {_until(unit.claim.ends - now)}"
        ends.append((unit.claim.ends, Reason("order_claim", text)))
    listed = [reason for _, reason in sorted(ends, key=lambda one: one[0])]
    loss = _loss(unit)
    if loss is not None:
        listed.insert(0, Reason("order_loses", f"loses {loss}/day"))
    listed.append(Reason("order_waits", f"waits for {span_text(now - unit.since)}"))
    return tuple(listed)


def _loss(unit: Waiting) -> Money | None:
    if unit.value is None or unit.value.minor <= 0 or unit.lost_ppm_day <= 0:
        return None
    lost = (unit.value.minor * unit.lost_ppm_day + WHOLE_PPM // 2) // WHOLE_PPM
    return Money(lost, unit.value.currency) if lost else None


def _until(left: timedelta) -> str:
    return f"ends in {span_text(left)}" if left > timedelta(0) else f"ended {span_text(-left)} ago"


def span_text(span: timedelta) -> str:
    """A span as a person reads it.

    >>> span_text(timedelta(hours=5, minutes=10)), span_text(timedelta(days=2.5))
    ('5 h', '2 days')
    """
    minutes = max(0, _minutes(span))
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 2 * _DAY_MINUTES:
        return f"{minutes // 60} h"
    return f"{minutes // _DAY_MINUTES} days"


def place(unit: Waiting, now: datetime, book: OrderBook, *, by_age: bool = False) -> Place:
    """One unit with its score and its reasons."""
    told = reasons(unit, now)
    if by_age:
        told = (Reason("order_oldest", "has waited longest"), *told)
    return Place(unit, score(unit, now, book), told, by_age)


def _age(unit: Waiting) -> tuple[datetime, str]:
    return unit.since, unit.item


def pick(queue: Sequence[Waiting], now: datetime, book: OrderBook, looks: int) -> Waiting | None:
    """The next unit to look at; None = nothing waits.

    Args:
        queue: what waits now, in any order.
        now: aware.
        book: what waiting costs.
        looks: how many looks this queue has given out before; every n-th takes the oldest.
    """
    if not queue:
        return None
    if (looks + 1) % book.oldest_every == 0:
        return min(queue, key=_age)
    return min(queue, key=lambda unit: (-score(unit, now, book), *_age(unit)))


def in_order(queue: Sequence[Waiting], now: datetime, book: OrderBook, looks: int = 0) -> tuple[Place, ...]:
    """The whole queue as it would be worked off from now on if nothing came and time stood still.

    Two sorts; ten thousand units took 0.35 s of CPU, most of it for the sentences.

    Args:
        queue: what waits, each item once.
        now: aware.
        book: what waiting costs.
        looks: as in ``pick``.
    """
    ranked = _by(queue, lambda unit: (-score(unit, now, book), *_age(unit)))
    oldest = _by(queue, _age)
    taken: set[str] = set()
    places = []
    for turn in range(looks + 1, looks + len(queue) + 1):
        by_age = turn % book.oldest_every == 0
        heap = oldest if by_age else ranked
        while heap[0][1] in taken:
            heapq.heappop(heap)
        _, item, unit = heapq.heappop(heap)
        taken.add(item)
        places.append(place(unit, now, book, by_age=by_age))
    return tuple(places)


def _by(
    queue: Sequence[Waiting], key: Callable[[Waiting], tuple[object, ...]]
) -> list[tuple[tuple[object, ...], str, Waiting]]:
    items = [unit.item for unit in queue]
    if len(set(items)) != len(items):
        twice = next(item for item in items if items.count(item) > 1)
        raise InvalidInput(f"{twice!r} waits twice in this queue: expected each item once")
    return sorted((key(unit), unit.item, unit) for unit in queue)
