"""The queue: what presses more comes first, nothing starves, and less is lost than by first in, first out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.decision.decay import Decay
from station.errors import InvalidInput
from station.quantities import Money
from station.review.order import Claim, OrderBook, Waiting, in_order, lost_a_day, pick, place, read_order, score

BOOK = read_order()
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SHORT = Decay(half_life_days=30)


def unit(item: str = "u", **changes: object) -> Waiting:
    plain = Waiting(
        item, NOW - timedelta(hours=3), Money(8000, "EUR"), 10_000, NOW + timedelta(hours=5),
        Claim("amazon_safe_t", NOW + timedelta(days=2, minutes=5), Money(6000, "EUR")),
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_it_says_why() -> None:
    shown = place(unit(), NOW, BOOK)
    assert shown.text == (
        "loses 0.80 EUR/day; promise ends in 5 h; claim window (amazon_safe_t, 60.00 EUR) ends in 2 days; waits for 3 h"
    )
    late = place(unit(promise=NOW - timedelta(hours=30), claim=None, value=None), NOW, BOOK)
    assert late.text == "promise ended 30 h ago; waits for 3 h"


amounts = st.integers(0, 10**7)
hours = st.integers(-100, 2000).map(lambda one: NOW + timedelta(hours=one))
units = st.builds(
    Waiting, item=st.uuids().map(str), since=st.integers(0, 500).map(lambda one: NOW - timedelta(hours=one)),
    value=st.none() | st.builds(Money, amounts, st.sampled_from(["EUR", "USD", "XXX"])),
    lost_ppm_day=st.integers(0, 10**6), promise=st.none() | hours,
    claim=st.none() | st.builds(Claim, st.just("x"), hours, st.builds(Money, amounts, st.just("EUR"))),
    minutes=st.integers(1, 60),
)  # fmt: skip


@given(units, st.integers(1, 10**6), st.integers(2, 50))
def test_more_at_stake_never_comes_later(one: Waiting, more: int, longer: int) -> None:
    before = score(one, NOW, BOOK)
    assert before >= 0
    assert score(replace(one, lost_ppm_day=one.lost_ppm_day + more), NOW, BOOK) >= before
    assert score(replace(one, minutes=one.minutes * longer), NOW, BOOK) <= before
    if one.value is not None:
        assert score(replace(one, value=Money(one.value.minor + more, one.value.currency)), NOW, BOOK) >= before
    if one.promise is not None and one.promise - NOW >= timedelta(hours=2):
        sooner = replace(one, promise=one.promise - timedelta(minutes=30))
        assert score(sooner, NOW, BOOK) >= before
    if one.claim is not None and one.claim.ends <= NOW:
        assert score(replace(one, claim=None), NOW, BOOK) == before  # what is lost presses no more


@given(st.lists(units, max_size=40, unique_by=lambda one: one.item), st.integers(0, 30), st.randoms())
def test_the_list_is_what_picking_one_by_one_gives_whatever_its_order(
    queue: list[Waiting], looks: int, dice: random.Random
) -> None:
    shown = in_order(queue, NOW, BOOK, looks)
    left, picked = list(queue), []
    for turn in range(len(queue)):
        chosen = pick(left, NOW, BOOK, looks + turn)
        assert chosen is not None
        left.remove(chosen)
        picked.append(chosen)
    assert [one.waiting for one in shown] == picked
    assert pick([], NOW, BOOK, 0) is None
    dice.shuffle(queue)
    assert in_order(queue, NOW, BOOK, looks) == shown


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 12), st.integers(0, 9), st.integers(2, 7), st.randoms(use_true_random=False))
def test_nothing_starves(older: int, looks: int, every: int, dice: random.Random) -> None:
    """Whatever presses and however much comes, a unit with m older ones is looked at after n (m + 1) looks."""
    book = replace_every(every)
    poor = Waiting("poor", NOW - timedelta(hours=1))
    queue = [unit(f"old-{one}", since=NOW - timedelta(hours=2 + one)) for one in range(older)] + [poor]
    now = NOW
    for turn in range(every * (older + 1)):
        chosen = pick(queue, now, book, looks + turn)
        assert chosen is not None
        queue.remove(chosen)
        if chosen is poor:
            return
        now += timedelta(minutes=6)
        for one in range(dice.randrange(4)):
            pressing = replace(unit(), value=Money(10**7, "EUR"), promise=now + timedelta(hours=1), since=now)
            queue.append(replace(pressing, item=f"new-{turn}-{one}"))
    pytest.fail("it was passed over more often than the bound allows")


def test_by_score_alone_it_would_starve() -> None:
    """The control: without the oldest's turn the same unit waits for ever."""
    book, poor = replace_every(1000), Waiting("poor", NOW - timedelta(hours=1))
    queue = [poor, *(unit(f"rich-{one}", since=NOW) for one in range(200))]
    for turn in range(150):
        chosen = pick(queue, NOW, book, turn)
        assert chosen is not None
        assert chosen is not poor
        queue.remove(chosen)


def replace_every(every: int) -> OrderBook:
    return msgspec.structs.replace(BOOK, oldest_every=every)


def test_a_days_loss_is_the_decays() -> None:
    assert lost_a_day(None, 3) == 0
    assert lost_a_day(SHORT, 0) == 1_000_000 - SHORT.left_ppm(1)
    assert lost_a_day(Decay(table=((10, 5000),)), 10) == 0
    assert lost_a_day(Decay(table=((1, 0),)), 5) == 0


def test_what_is_no_queue_or_book_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="'u' waits twice"):
        in_order([unit(), unit()], NOW, BOOK)
    text = (Path(__file__).parents[3] / "resources/review/order.toml").read_text(encoding="utf-8")
    for before, after, message in (
        ("default =", "other =", "'default'"),
        ('"order"', '"claims"', "kind is"),
        ("oldest_every = 10", "oldest_every = 1", "oldest_every"),
    ):
        file = tmp_path / "order.toml"
        file.write_text(text.replace(before, after, 1), encoding="utf-8")
        with pytest.raises(InvalidInput, match=message):
            read_order(file)


# A desk at work, against first in, first out

Discipline = Callable[[list[Waiting], datetime, int], Waiting]


@dataclass(frozen=True)
class Made:
    waiting: Waiting
    decay: Decay


@dataclass(frozen=True)
class Lost:
    value: int
    promises: int
    claims: int
    longest_h: int


def stream(load: float, seed: int, days: int = 4) -> list[Made]:
    """Arrivals of eight-hour days at a desk that manages one unit in six minutes and is 80 % busy at load 1."""
    dice, made, at = random.Random(seed), [], 0.0
    while at < days * 480:
        at += dice.expovariate(load * 0.8 / 6.0)
        since = NOW + timedelta(minutes=at)
        value = Money(round(dice.lognormvariate(8.3, 0.9)), "EUR")
        decay = Decay(half_life_days=dice.choice((14, 45, 120, 365)))
        promise = since + timedelta(hours=dice.uniform(0.5, 10)) if dice.random() < 0.8 else None
        ends = since + timedelta(hours=dice.uniform(1, 40))
        claim = Claim("x", ends, value) if dice.random() < 0.15 else None
        one = Waiting(
            f"{len(made):05d}", since, value, lost_a_day(decay, 0), promise, claim, dice.choice((3, 5, 6, 10))
        )
        made.append(Made(one, decay))
    return made


def work(made: list[Made], choose: Discipline) -> Lost:
    """One desk, around the clock of worked hours, until all is done; the same arrivals for each discipline."""
    decays = {one.waiting.item: one.decay for one in made}
    queue: list[Waiting] = []
    now, place_, looks = NOW, 0, 0
    value = promises = claims = 0
    longest = timedelta(0)
    while queue or place_ < len(made):
        while place_ < len(made) and made[place_].waiting.since <= now:
            queue.append(made[place_].waiting)
            place_ += 1
        if not queue:
            now = made[place_].waiting.since
            continue
        one = choose(queue, now, looks)
        queue.remove(one)
        looks += 1
        now += timedelta(minutes=one.minutes)
        assert one.value is not None
        days = (now - one.since) / timedelta(days=1)
        half = decays[one.item].half_life_days or 1
        value += round(one.value.minor * (1 - 0.5 ** (days / half)))
        promises += one.promise is not None and now > one.promise
        if one.claim is not None and now > one.claim.ends:
            claims += one.claim.amount.minor * 4 // 10
        longest = max(longest, now - one.since)
    return Lost(value, promises, claims, longest // timedelta(hours=1))


def oldest_first(queue: list[Waiting], now: datetime, looks: int) -> Waiting:
    return queue[0]


def by_order(queue: list[Waiting], now: datetime, looks: int) -> Waiting:
    chosen = pick(queue, now, BOOK, looks)
    assert chosen is not None
    return chosen


@pytest.mark.parametrize("load", [1, 2, 3, 4, 5])
def test_less_is_lost_than_by_first_in_first_out(load: int) -> None:
    seeds = (1, 2, 3)
    fifo = [work(stream(load, seed, 2), oldest_first) for seed in seeds]
    ours = [work(stream(load, seed, 2), by_order) for seed in seeds]
    for _name, several in (("fifo", fifo), ("ours", ours)):
        [sum(getattr(one, key) for one in several) for key in ("value", "promises", "claims")]
    assert sum(one.value for one in ours) < sum(one.value for one in fifo)
    assert sum(one.promises for one in ours) < sum(one.promises for one in fifo)
    assert sum(one.claims for one in ours) <= sum(one.claims for one in fifo)
