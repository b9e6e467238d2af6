"""The next parcel on a simulated floor: less value-weighted lateness than first come, first served."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.analysis.next_parcel import Bench, Waiting, choose_next
from station.quantities import Money
from tests.station.analysis.material import START

SKILLS = ("lithium", "electronics")
BENCHES = tuple(
    Bench(f"bench-{number}", frozenset(SKILLS if number == 0 else SKILLS[1:] if number < 3 else ()))
    for number in range(6)
)
Rule = Callable[[list[Waiting], Bench, int], str | None]


def floor(seed: int, load: float, many: int = 260) -> list[Waiting]:
    """A day's parcels; six benches keep up at load 1."""
    dice = random.Random(seed)
    parcels, at = [], 0.0
    for number in range(many):
        work = int(dice.lognormvariate(6.0, 0.5))
        at += dice.expovariate(load * 6 / 457)
        needs = frozenset(skill for skill, share in zip(SKILLS, (0.08, 0.25), strict=True) if dice.random() < share)
        promised = dice.choice([2, 8, 24]) * 3600
        arrived = START + timedelta(seconds=int(at))
        value = Money(int(dice.lognormvariate(8, 1.2)), "EUR") if dice.random() < 0.9 else None
        parcels.append(Waiting(f"p{number:04}", arrived, arrived + timedelta(seconds=promised), value, work, needs))
    return parcels


def ours(waiting: list[Waiting], bench: Bench, now: int) -> str | None:
    choice = choose_next(waiting, bench, BENCHES, START + timedelta(seconds=now))
    return choice.parcel_id if choice is not None else None


def first_come(waiting: list[Waiting], bench: Bench, now: int) -> str | None:
    able = [one for one in waiting if one.needs <= bench.skills]
    return min(able, key=lambda one: (one.arrived_at, one.parcel_id)).parcel_id if able else None


def lived(parcels: list[Waiting], rule: Rule) -> tuple[int, int, int]:
    """Value-weighted lateness, the longest wait in seconds, and how many were done."""
    free = [(0, number) for number in range(len(BENCHES))]
    heapq.heapify(free)
    coming = sorted(parcels, key=lambda one: one.arrived_at)
    waiting: dict[str, Waiting] = {}
    late = longest = done = 0
    while coming or waiting:
        now, number = heapq.heappop(free)
        while coming and (coming[0].arrived_at - START).total_seconds() <= now:
            one = coming.pop(0)
            waiting[one.parcel_id] = one
        chosen = rule(list(waiting.values()), BENCHES[number], now)
        if chosen is None:
            heapq.heappush(free, (now + 30, number))
            continue
        one = waiting.pop(chosen)
        assert one.needs <= BENCHES[number].skills, "a bench took what it may not"
        end = START + timedelta(seconds=now + one.work_s)
        worth = one.value.minor if one.value is not None else 500
        late += worth * max(0, int((end - one.due_at).total_seconds()))
        longest = max(longest, now - int((one.arrived_at - START).total_seconds()))
        done += 1
        heapq.heappush(free, (now + one.work_s, number))
    return late, longest, done


def first_due(waiting: list[Waiting], bench: Bench, now: int) -> str | None:
    able = [one for one in waiting if one.needs <= bench.skills]
    return min(able, key=lambda one: (one.due_at, one.parcel_id)).parcel_id if able else None


@pytest.mark.parametrize("load", [1.0, 1.6, 2.0, 5.0])
def test_less_value_is_late_than_first_come_first_served(load: float) -> None:
    mine = theirs = 0
    for seed in range(2):
        parcels = floor(seed, load)
        mine_late, longest, done = lived(parcels, ours)
        assert done == len(parcels), "nobody's parcel is forgotten"
        assert longest < 24 * 3600
        mine += mine_late
        theirs += lived(parcels, first_come)[0]
    assert mine <= theirs
    if load > 1.5:
        assert mine < theirs // 10


def test_where_not_all_can_be_in_time_it_also_beats_the_nearest_promise_first() -> None:
    """Promises of a quarter of the time at five times the load: what is late should be what is worth little."""
    parcels = [replace(one, due_at=one.arrived_at + (one.due_at - one.arrived_at) / 4) for one in floor(1, 5.0, 400)]
    mine, nearest, first = (lived(parcels, rule)[0] for rule in (ours, first_due, first_come))
    assert mine < nearest // 2 < nearest < first


def test_the_same_queue_gives_the_same_choice() -> None:
    parcels = floor(3, 3.0)
    now = START + timedelta(hours=1)
    chosen = choose_next(parcels, BENCHES[0], BENCHES, now)
    dice = random.Random(1)
    for _ in range(5):
        dice.shuffle(parcels)
        assert choose_next(parcels, BENCHES[0], BENCHES, now) == chosen


def one(number: int, **changes: object) -> Waiting:
    values: dict[str, object] = {
        "parcel_id": f"p{number}", "arrived_at": START, "due_at": START + timedelta(hours=8),
        "value": Money(5000, "EUR"), "work_s": 300, "needs": frozenset(),
    }  # fmt: skip
    return Waiting(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "better",
    [
        {"value": Money(9000, "EUR")},
        {"due_at": START + timedelta(hours=2)},
        {"due_at": START - timedelta(hours=2)},
        {"work_s": 200},
        {"needs": frozenset({"lithium"})},
    ],
    ids=["worth more", "due sooner", "late", "quicker", "rare skill"],
)
def test_what_makes_a_parcel_come_first(better: dict[str, object]) -> None:
    chosen = choose_next([one(1), one(2, **better)], BENCHES[0], BENCHES, START)
    assert chosen is not None
    assert chosen.parcel_id == "p2"


def test_a_choice_says_why() -> None:
    chosen = choose_next([one(1, needs=frozenset({"lithium"}))], BENCHES[0], BENCHES, START)
    assert chosen is not None
    assert chosen.text == "50.00 EUR at stake, 7 h 55 min to spare, about 5 min of work, 1 of 6 benches can do it"
    late = choose_next([one(1, value=None)], BENCHES[0], BENCHES, START + timedelta(hours=9))
    assert late is not None
    assert late.text == "value unknown, 1 h 5 min late, about 5 min of work"
    assert choose_next([one(1, needs=frozenset({"lithium"}))], BENCHES[4], BENCHES, START) is None
    assert choose_next([], BENCHES[0], BENCHES, START) is None


@given(
    st.integers(-(10**9), 10**12), st.integers(-(10**6), 10**7), st.integers(0, 10**6),
    st.sets(st.sampled_from(SKILLS)), st.integers(0, 10**6),
)  # fmt: skip
def test_any_parcel_has_a_score(value: int, due_s: int, work_s: int, needs: set[str], later: int) -> None:
    parcel = one(
        1, value=Money(value, "EUR"), due_at=START + timedelta(seconds=due_s), work_s=work_s, needs=frozenset(needs)
    )
    now = choose_next([parcel], BENCHES[0], BENCHES, START)
    then = choose_next([parcel], BENCHES[0], BENCHES, START + timedelta(seconds=later))
    assert now is not None
    assert then is not None
    assert 0 <= now.score <= then.score, "waiting never makes a parcel less urgent"
