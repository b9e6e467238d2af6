"""Which units go round again, to whom, and under which return. Pure: same journal, day and secret, same plan."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from station.analysis.basis import counted
from station.errors import OperatorError
from station.returns.model import ReturnAuthorisation, ReturnLine
from station.review.agreement.codes import Lot, alike
from station.review.agreement.planted import Golden, Planted, Why

RULE: Final = "plan@1"


@dataclass(frozen=True, slots=True)
class Seen:
    """A unit that somebody inspected and that may go round again."""

    inspection_id: str
    merchant_id: str
    rma: str
    line: int
    category: str
    inspector: str
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many blind looks a day has."""

    again: int = 4
    golden: int = 1
    youngest: timedelta = timedelta(hours=20)
    """A unit that was here an hour ago would be recognised."""
    oldest: timedelta = timedelta(days=7)
    """An older one has left the house."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What a lead has to carry: the unit in a carton with the fresh return's number on it."""

    planted: Planted
    authorisation: ReturnAuthorisation

    @property
    def text(self) -> str:
        return (
            f"Put the unit of inspection {self.planted.subject} into a carton marked {self.planted.rma} "
            f"and bring it to {self.planted.rater} with the others"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The blind looks of one day."""

    day: date
    errands: tuple[Errand, ...]
    left_out: tuple[str, ...]
    """Why there are not more, in sentences."""


def make_plan(
    day: date,
    seen: Sequence[Seen],
    golden: Mapping[str, tuple[Golden, Seen]],
    inspectors: Collection[str],
    return_of: Callable[[Seen], ReturnAuthorisation | None],
    is_free: Callable[[str], bool],
    *,
    secret: bytes,
    at: datetime,
    wanted: Wanted = Wanted(),
    before: Iterable[Planted] = (),
) -> Plan:
    """Choose the units of a day.

    Every cell of inspector × category gets its turn before any gets a second one; within a cell the draw decides, and
    between cells too.

    Args:
        seen: inspections that stand, of real goods.
        golden: inspection id → what was agreed, and the unit.
        inspectors: who works these days.
        return_of: the return of a unit as this station knows it.
        is_free: no return that is known carries this number.
        secret: the site's.
        at: when the fresh returns shall come in; their dates are moved there.
        before: what was planted; what came later than ``at`` does not count, so that a plan can be drawn again.
    """
    earlier = [one for one in before if one.at < at]
    done = {one.subject for one in earlier if one.why is Why.AGAIN}
    had = {(one.subject, one.rater) for one in earlier}
    known = [found for one in seen if (found := return_of(one)) is not None]
    numbers = _Numbers(known, {one.rma for one in earlier}, is_free)
    left: list[str] = []
    errands: list[Errand] = []
    ripe = [
        one for one in seen
        if one.inspection_id not in done
        and one.inspection_id not in golden
        and wanted.youngest <= at - one.confirmed_at <= wanted.oldest
    ]  # fmt: skip
    for one in _in_turn(ripe, day, secret):
        if len(errands) >= wanted.again:
            break
        try:
            errands += _errand(one, Why.AGAIN, {one.inspector}, inspectors, return_of(one), day, secret, at, numbers)
        except OperatorError as error:
            left.append(str(error))
    if len(errands) < wanted.again:
        left.append(f"Only {counted(len(errands), 'unit')} of {wanted.again} could be found to look at again")
    gold = sorted(golden, key=lambda name: _drawn(secret, day, Why.GOLDEN, name))
    placed = 0
    for name in gold:
        if placed >= wanted.golden:
            break
        agreed, unit = golden[name]
        not_by = {unit.inspector, *agreed.agreed_by, *(rater for subject, rater in had if subject == name)}
        try:
            made = _errand(unit, Why.GOLDEN, not_by, inspectors, return_of(unit), day, secret, at, numbers)
        except OperatorError as error:
            left.append(str(error))
            continue
        errands += made
        placed += len(made)
    if placed < wanted.golden:
        left.append(f"Only {counted(placed, 'golden item')} of {wanted.golden}: everybody else has seen them all")
    return Plan(day, tuple(errands), tuple(dict.fromkeys(left)))


def _in_turn(seen: Sequence[Seen], day: date, secret: bytes) -> list[Seen]:
    """Each cell's first before any cell's second; the draw decides within."""
    cells: dict[tuple[str, str], list[tuple[int, str, Seen]]] = defaultdict(list)
    for one in seen:
        drawn = _drawn(secret, day, Why.AGAIN, one.inspection_id)
        cells[one.inspector, one.category].append((drawn, one.inspection_id, one))
    turns = [
        (turn, drawn, name, one)
        for cell in cells.values()
        for turn, (drawn, name, one) in enumerate(sorted(cell, key=lambda entry: entry[:2]))
    ]
    return [one for *_, one in sorted(turns, key=lambda entry: entry[:3])]


def _drawn(secret: bytes, day: date, why: Why, inspection_id: str) -> int:
    return Lot(secret, RULE, why, day.isoformat(), inspection_id).number() - 2**63


def _errand(
    one: Seen, why: Why, not_by: Collection[str], inspectors: Collection[str], original: ReturnAuthorisation | None,
    day: date, secret: bytes, at: datetime, numbers: _Numbers,
) -> list[Errand]:  # fmt: skip
    """The errand, or none where nobody may look or nothing is known of the return."""
    raters = sorted(set(inspectors) - set(not_by))
    line = next((line for line in original.lines if line.line == one.line), None) if original is not None else None
    if not raters or original is None or line is None:
        return []
    lot = Lot(secret, RULE, "rater and numbers", day.isoformat(), one.inspection_id)
    rater = raters[lot.below(len(raters))]
    fresh = _like(original, line, one.confirmed_at, at, numbers, lot)
    drawn = _drawn(secret, day, why, one.inspection_id)
    planted = Planted(one.merchant_id, fresh.id, one.inspection_id, why, rater, tuple(sorted(not_by)), drawn, RULE, at)
    return [Errand(planted, fresh)]


class _Numbers:
    """The numbers of real returns, by kind, and those that are given away."""

    def __init__(self, known: Iterable[ReturnAuthorisation], taken: set[str], is_free: Callable[[str], bool]) -> None:
        self._known: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._taken = taken
        self._free = is_free
        by_code = {(found.merchant_id, found.id): found for found in known}
        for _, one in sorted(by_code.items()):
            self._known[one.merchant_id, "rma"].append(one.id)
            if one.order_id:
                self._known[one.merchant_id, "order"].append(one.order_id)
            self._known[one.merchant_id, "tracking"].extend(one.tracking)
            self._known[one.merchant_id, "lpn"].extend(one.lpns)

    def fresh(self, merchant_id: str, kind: str, code: str, lot: Lot) -> str:
        made = alike(code, self._known[merchant_id, kind], self._is_free, lot)
        self._taken.add(made)
        return made

    def _is_free(self, code: str) -> bool:
        return code not in self._taken and self._free(code)


def _like(
    original: ReturnAuthorisation, line: ReturnLine, was_at: datetime, at: datetime, numbers: _Numbers, lot: Lot
) -> ReturnAuthorisation:
    """The return of the same unit as if it came now: what can be told from real ones is not in it."""

    def fresh(kind: str, code: str) -> str:
        return numbers.fresh(original.merchant_id, kind, code, lot)

    moved = _moved((original.ordered_at, original.delivered_at, original.authorised_at), at - was_at)
    return replace(
        original,
        id=fresh("rma", original.id),
        order_id=fresh("order", original.order_id) if original.order_id and _has_digit(original.order_id) else None,
        lines=(replace(line, line=1, quantity=1),),
        tracking=tuple(fresh("tracking", code) for code in original.tracking),
        lpns=tuple(fresh("lpn", code) for code in original.lpns),
        ordered_at=moved[0],
        delivered_at=moved[1],
        authorised_at=moved[2],
        status="open",
    )


def _has_digit(code: str) -> bool:
    return re.search(r"\d", code) is not None


def _moved(moments: Sequence[datetime | None], by: timedelta) -> list[datetime | None]:
    """Moments moved together, by whole days, minutes or seconds where they themselves are no finer."""
    known = [moment.astimezone(UTC) for moment in moments if moment is not None]
    step = timedelta(days=1)
    if any(moment.hour or moment.minute for moment in known):
        step = timedelta(minutes=1)
    if any(moment.second for moment in known):
        step = timedelta(seconds=1)
    if any(moment.microsecond for moment in known):
        step = timedelta(microseconds=1)
    whole = by // step * step
    return [moment + whole if moment is not None else None for moment in moments]
