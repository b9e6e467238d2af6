"""The smallest change with which another way would have been chosen, exact to the minor unit and the minute.

For a unit whose way was chosen by value among several. More *cost* on the chosen way: the least amount at which the
next way comes first (equal values go by the route book's order). *Work*: the fewest minutes more, where the chosen way
is charged with them and some other is not; or the fewest minutes less, where it is the other way round. Nothing here
looks beyond what is allowed: no amount of money opens a way that a rule or a gate closes.
"""

from __future__ import annotations

from dataclasses import replace

from station.decision.books import RouteBook
from station.decision.model import Alternative, Disposition, Flip, Floor, Lever, Reason
from station.decision.worth import Unit
from station.quantities import Money


def flips_of(unit: Unit, alternatives: tuple[Alternative, ...], book: RouteBook) -> tuple[Flip, ...]:
    """The smallest flip of each lever; empty where money did not decide.

    Args:
        unit: as it was valued.
        alternatives: as ``value_routes`` gives them, best first.
        book: the routes they were valued with.
    """
    allowed = [way for way in alternatives if way.allowed]
    if len(allowed) < 2 or any(way.value is None for way in allowed):
        return ()
    best = allowed[0]
    assert best.value is not None  # mypy: checked above for all
    order = {route.disposition: number for number, route in enumerate(book.routes)}

    def short(way: Alternative) -> int:
        """What the way lacks to come before the best one."""
        assert best.value is not None
        assert way.value is not None
        gap = best.value.minor - way.value.minor
        return gap if order[way.disposition] < order[best.disposition] else gap + 1

    currency = best.value.currency
    second = allowed[1]
    cost = short(second)
    text = f"With {Money(cost, currency)} more cost on {_name(best)}, {_name(second)} would be chosen"
    flips = [Flip(Lever.COST, cost, second.disposition, Reason("flip_cost", text))]
    flips.extend(_work(unit, allowed, book, order))
    return tuple(flips)


def _work(unit: Unit, allowed: list[Alternative], book: RouteBook, order: dict[Disposition, int]) -> list[Flip]:
    """The fewest minutes more or less that change the way, if any number does."""
    rate = book.rework_per_minute.get(allowed[0].value.currency, 0) if allowed[0].value is not None else 0
    works = {route.disposition for route in book.routes if route.rework}
    best = allowed[0]
    charged = best.disposition in works
    if rate <= 0:
        return []
    least: int | None = None
    for way in allowed[1:]:
        if (way.disposition in works) is charged or way.value is None or best.value is None:
            continue
        gap = best.value.minor - way.value.minor
        lacks = gap if order[way.disposition] < order[best.disposition] else gap + 1
        minutes = -(-lacks // rate)
        least = minutes if least is None else min(least, minutes)
    if least is None or (not charged and least > unit.rework_minutes):
        return []
    change = least if charged else -least
    moved = {way.disposition: -rate * change if way.disposition in works else 0 for way in allowed}
    winner = min(
        allowed,
        key=lambda way: (-(way.value.minor if way.value else 0) - moved[way.disposition], order[way.disposition]),
    )
    more = "more" if change > 0 else "less"
    text = f"With {least} min {more} work {_name(winner)} would be chosen"
    return [Flip(Lever.WORK, change, winner.disposition, Reason("flip_work", text))]


def with_flip(unit: Unit, chosen: Disposition, flip: Flip) -> Unit:
    """The unit as it would be after the change; for proving a flip by deciding anew."""
    if flip.lever is Lever.WORK:
        return replace(unit, rework_minutes=unit.rework_minutes + flip.change)
    if unit.price is None:
        return unit
    extra = (*unit.floor.extra, (chosen, Money(flip.change, unit.price.currency)))
    floor: Floor = replace(unit.floor, extra=extra)
    return replace(unit, floor=floor)


def _name(way: Alternative) -> str:
    return way.disposition.value.replace("_", " ")
