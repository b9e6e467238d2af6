"""The chance of each order, proved on orders it has not seen, in a world whose chances are known."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache
from math import exp, log

import pytest

from station.analysis.calibration import calibrate
from station.analysis.linking import SoldLine
from station.analysis.propensity import Propensity, learn_propensity
from station.errors import OperatorError
from tests.station.analysis.material import START, a_sale, a_unit

EFFECTS = {
    "several of the same article": 0.8,
    "one other article in the order": 0.4,
    "two or more other articles in the order": 0.7,
    "sold on marketplace": -0.5,
}
BACK = (a_unit(1),)


@cache
def world(seed: int = 1, *, shuffled: bool = False) -> tuple[SoldLine, ...]:
    dice = random.Random(seed)
    skus = {f"S{number}": log(rate / (1 - rate)) for number in range(60) for rate in [dice.betavariate(2, 14)]}
    rows = []
    for order in range(9000):
        others = (dice.random() < 0.25) + (dice.random() < 0.1)
        channel = dice.choice(["web", "web", "marketplace"])
        for sku in dice.sample(sorted(skus), 1 + others):
            many = 1 + (dice.random() < 0.15)
            odds = skus[sku] + (0.8 if many > 1 else 0) + (0, 0.4, 0.7)[others] - (0.5 if channel != "web" else 0)
            at = START + timedelta(minutes=order)
            sale = a_sale(order, sku, quantity=many, channel=channel, sold_at=at)
            rows.append((sale, dice.random() < 1 / (1 + exp(-odds))))
    came = [back for _, back in rows]
    if shuffled:
        dice.shuffle(came)
    return tuple(SoldLine(sale, BACK if back else ()) for (sale, _), back in zip(rows, came, strict=True))


@cache
def learnt() -> Propensity:
    return learn_propensity(world())


def test_promises_are_kept_on_orders_it_has_not_seen() -> None:
    proof = learnt().calibration
    assert proof.cases > 3000
    assert proof.ece_bp <= 300
    assert proof.brier < proof.brier_base * 0.97
    kept = sum(one.low_bp <= one.predicted_bp <= one.high_bp for one in proof.bins)
    assert kept >= 7, "at least seven of ten bins within what chance makes of them"
    assert [one.predicted_bp for one in proof.bins] == sorted(one.predicted_bp for one in proof.bins)
    assert proof.bins[-1].observed_bp > 3 * proof.bins[0].observed_bp


def test_the_effects_are_the_true_ones() -> None:
    """Standard errors are 0.08 to 0.15: a margin of 0.4 is three of them."""
    effects = {one.name: one.log_odds_milli / 1000 for one in learnt().effects}
    assert set(effects) == {"article", *EFFECTS}
    for name, true in EFFECTS.items():
        assert effects[name] == pytest.approx(true, abs=0.4), name
    assert effects["article"] == pytest.approx(1, abs=0.35)


def test_where_there_is_nothing_to_learn_it_promises_no_more_than_the_base() -> None:
    """The negative control: the same orders, what came back dealt out anew."""
    proof = learn_propensity(world(shuffled=True)).calibration
    assert proof.brier > proof.brier_base * 0.99
    assert proof.ece_bp <= 300
    assert proof.bins[-1].predicted_bp - proof.bins[0].predicted_bp < 800


def test_a_chance_says_why() -> None:
    model = learnt().model
    plain = model.chance(a_sale(1, "S1", channel="web"))
    several = model.chance(a_sale(1, "S1", channel="web", quantity=2), others=1)
    assert several.probability_bp > plain.probability_bp
    assert any("several of the same article" in why for why in several.why)
    unknown = model.chance(a_sale(1, "NEVER SOLD", channel="web"))
    assert 0 < unknown.probability_bp < 10_000


def test_no_sale_is_learnt_from_and_judged_by() -> None:
    parameters = dict(learnt().basis.parameters)
    parts = [int(parameters[name]) for name in ("articles_from_sales", "effects_from_sales", "proved_on_sales")]
    assert sum(parts) == learnt().basis.used == len(world())


def test_the_order_of_sales_makes_no_difference() -> None:
    again = learn_propensity(reversed(world()))
    assert again.calibration == learnt().calibration
    assert again.effects == learnt().effects


@pytest.mark.parametrize("many", [0, 1, 799])
def test_too_few_sales_is_said(many: int) -> None:
    with pytest.raises(OperatorError, match="Import older sales"):
        learn_propensity(world()[:many])


def test_nothing_came_back() -> None:
    with pytest.raises(OperatorError, match="nothing to tell apart"):
        learn_propensity(SoldLine(line.sale, ()) for line in world())


def test_a_model_that_lies_is_shown_as_one() -> None:
    dice = random.Random(3)
    came = [dice.random() < 0.1 for _ in range(5000)]
    honest, lying = calibrate([0.1] * 5000, came, 0.1), calibrate([0.4] * 5000, came, 0.1)
    assert honest.ece_bp < 300 < 2500 < lying.ece_bp
    assert lying.brier > lying.brier_base
    assert "no better" in lying.text
