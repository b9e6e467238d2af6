"""Learned recovery: exactly mergeable, shrunken as the formula says, and as sure as it claims."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.decide import decide
from station.decision.model import Disposition
from station.decision.recovery import (
    Key,
    Outcome,
    RecoveryBook,
    Summary,
    check_recovery,
    ready,
    summary_of,
)
from station.decision.rules import default_folders, load_rules
from station.errors import InvalidInput
from station.quantities import Money

LIQUIDATE = Disposition.LIQUIDATE
PRICE = Money(10_000, "EUR")


def outcome(brought: int, sku: str = "HD7", category: str = "electronics.audio", grade: str = "A") -> Outcome:
    return Outcome("nl", sku, category, "standard", grade, LIQUIDATE, PRICE, Money(brought, "EUR"))


def counted(outcomes) -> Summary:
    summary = Summary()
    for one in outcomes:
        summary.add(one)
    return summary


def book_of(summary: Summary, **changes) -> RecoveryBook:
    return RecoveryBook(version=1, cells=tuple(summary.lines()), **changes)


def key(sku: str = "HD7", category: str = "electronics.audio", grade: str = "A") -> Key:
    return Key(category, "nl", sku, "standard", grade, LIQUIDATE)


outcomes = st.lists(st.builds(outcome, st.integers(0, 20_000), sku=st.sampled_from(["a", "b", "c"])), max_size=20)


@given(outcomes, outcomes, outcomes)
def test_summaries_merge_exactly_in_any_order_and_grouping(one, two, three):
    whole = counted([*one, *two, *three]).cells
    a, b, c = counted(one), counted(two), counted(three)
    assert a.merge(b).merge(c).cells == a.merge(b.merge(c)).cells == c.merge(a).merge(b).cells == whole
    assert summary_of(counted([*one, *two]).lines()).cells == a.merge(b).cells
    assert list(a.lines()) == list(summary_of(reversed(list(a.lines()))).lines())


@given(outcomes, st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 40))
def test_the_mean_is_the_two_credibility_formulas(given_outcomes, book_bp, strength_sku, strength_category):
    summary = counted(given_outcomes)
    recovery = ready(book_of(summary, strength_sku=strength_sku, strength_category=strength_category))
    for sku in ("a", "b", "never seen"):
        estimate = recovery.estimate(key(sku), book_bp)
        if not given_outcomes:
            assert estimate is None
            continue
        own = [one.share_bp for one in given_outcomes if one.sku == sku]
        others = [one.share_bp for one in given_outcomes if one.sku != sku]
        category = Fraction(strength_category * book_bp + sum(others), strength_category + len(others))
        mean = (strength_sku * category + sum(own)) / (strength_sku + len(own))
        assert estimate.mean_bp == (mean + Fraction(1, 2)).__floor__()
        assert (estimate.n, estimate.n_category) == (len(own), len(given_outcomes))
        every = [one.share_bp for one in given_outcomes]
        middle = Fraction(sum(every), len(every))
        scatter = sum((share - middle) ** 2 for share in every)
        variance = (strength_category * 1_500**2 + scatter) / (strength_category + len(every))
        weight = Fraction(strength_sku, strength_sku + len(own))
        whole = variance * (Fraction(1, strength_sku + len(own)) + weight**2 / (strength_category + len(others)))
        half = 1.95996 * float(whole) ** 0.5
        assert abs(estimate.high_bp - estimate.mean_bp - half) <= 2
        assert estimate.low_bp == max(0, 2 * estimate.mean_bp - estimate.high_bp)


def test_little_is_near_the_book_and_much_is_near_what_was_seen():
    few = ready(book_of(counted([outcome(9_000)]))).estimate(key(), 2_500)
    many = ready(book_of(counted([outcome(9_000)] * 2_000))).estimate(key(), 2_500)
    assert 2_500 < few.mean_bp < 3_500
    assert 8_900 < many.mean_bp <= 9_000
    assert many.high_bp - many.low_bp < few.high_bp - few.low_bp


@pytest.mark.parametrize("seen", [0, 1, 5, 40])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(seen):
    """Worlds drawn as the model believes: articles spread around their category, outcomes around their article."""
    dice = random.Random(seen)
    spread, between = 1_500, 1_500 / 12**0.5
    held, worlds = 0, 300
    for _ in range(worlds):
        middle = dice.gauss(5_000, spread / 20**0.5)
        truths = {f"s{n}": dice.gauss(middle, between) for n in range(12)}
        sales = [
            outcome(round(min(20_000, max(0, dice.gauss(truth, spread)))), sku)
            for sku, truth in truths.items()
            for _ in range(seen if sku == "s0" else 10)
        ]
        estimate = ready(book_of(counted(sales))).estimate(key("s0"), 5_000)
        held += estimate.low_bp <= truths["s0"] <= estimate.high_bp
    assert 0.90 <= held / worlds <= 0.995, held


def test_a_decision_uses_the_mean_and_says_how_sure_it_is(case, rules):
    unit = case({"power": "works", "seal": "broken", "look": "light_wear"})
    plain = decide(unit, rules)
    assert plain.disposition is Disposition.REFURBISH
    grade = plain.grade.code
    sales = [replace(outcome(9_400, grade=grade), price=PRICE) for _ in range(60)]
    learned = replace(rules, recovery=ready(book_of(counted(sales))))
    decision = decide(unit, learned)
    assert decision.disposition is LIQUIDATE
    best = decision.alternatives[0]
    estimate = learned.recovery.estimate(key(grade=grade), 2_500)
    assert dict(best.parts)["brings"] == (12_900 * estimate.mean_bp + 5_000) // 10_000
    assert "(learned: 60 of this article, 60 of its category; " in best.reason.text
    restock = next(way for way in decision.alternatives if way.disposition is Disposition.REFURBISH)
    assert "learned" not in restock.reason.text


def test_a_recovery_file_is_a_versioned_rule_file(tmp_path, case):
    path = tmp_path / "recovery.toml"
    cell = (
        '{ category = "electronics.audio", merchant = "nl", sku = "HD7", scheme = "standard", grade = "A", '
        'route = "liquidate", n = 2, total = 9000, squares = 41000000 }'
    )
    path.write_text(f'kind = "recovery"\nversion = 3\ncells = [{cell}]\n', encoding="utf-8")
    rules = load_rules((*default_folders(), path))
    assert dict(decide(case(), rules).versions)["recovery"].startswith("recovery@3 ")
    assert rules.recovery.estimate(key(), 0).n == 2
    path.write_text(f'kind = "recovery"\nversion = 3\ncells = [{cell.replace("41000000", "4")}]\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"line 1 \('HD7'\): n, total and squares do not fit together"):
        load_rules((*default_folders(), path))
    assert load_rules().recovery.book.cells == (), "nothing is learned before anything was sold"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (replace(outcome(5), brought=Money(5, "USD")), "price in EUR, brought in USD|brought USD"),
        (replace(outcome(5), price=Money(0, "EUR")), "expected a price above zero"),
        (replace(outcome(5), brought=Money(-1, "EUR")), "expected a price above zero"),
        (replace(outcome(5), brought=Money(100_051, "EUR")), "more than ten times"),
    ],
    ids=["currency", "no price", "negative", "too much"],
)
def test_an_outcome_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(InvalidInput, match=message):
        Summary().add(wrong)


def test_impossible_sums_are_refused():
    check_recovery(book_of(counted([outcome(1), outcome(9_999)])), "x")
