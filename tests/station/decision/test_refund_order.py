"""Refunds from a whole order: nothing above what was paid, nothing below zero, whatever a policy says."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import replace

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from station.decision.decide import decide
from station.decision.model import Case, Decision, Disposition, Used
from station.decision.rules import load_rules
from station.inspection.facts import IdentityOutcome
from station.quantities import Money
from station.returns.model import Wish
from station.returns.order import Customs, Order, OrderLine, Promotion, paid_in_all
from station.returns.policy import CustomsRules, Deduction, Fees, Payer, Policy, RefundRules, Release, Shipping, Window
from tests.station.returns.test_order import an_order, come_back, eur

RULES = load_rules()
ORDER = Order(
    (OrderLine("HD7", 2, eur(12_900), tax_bp=1_900), OrderLine("BAG", 1, eur(2_000))),
    discount=eur(1_000), shipping=eur(490), duties=eur(600),
)  # fmt: skip


def with_policy(policy: Policy):
    return replace(RULES, _current_policies={policy.name: policy})


def profile(name: str, **tables) -> Policy:
    policy = RULES.policy(name)
    changed = {key: msgspec.structs.replace(getattr(policy, key), **value) for key, value in tables.items()}
    return msgspec.structs.replace(policy, **changed)


@pytest.fixture
def ordered(case):
    def build(order: Order = ORDER, *, wish: Wish = Wish.REFUND, policy: str = "small_brand", **changes) -> Case:
        built = case(changes.pop("answers", None), policy=policy, **changes)
        authorisation = replace(built.authorisation, order=order)
        return replace(built, authorisation=authorisation, line=replace(built.line, wish=wish))

    return build


def texts(decision: Decision) -> list[str]:
    return [reason.text for reason in decision.refund.trail]


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.refund.trail]


def test_a_unit_of_an_order_is_refunded_by_its_share(ordered):
    decision = decide(ordered(reason="arrived_late"), RULES)
    # 1000 over 12900, 12900, 2000: 464, 464, 72
    assert decision.refund.amount == eur(12_900 - 464)
    assert decision.refund.parts == (("paid", 12_436),)
    assert "Paid for it: 129.00 EUR, less 4.64 EUR as its share of discounts" in texts(decision)
    assert decision.refund.tax == eur(1_986), "19 % contained in 124.36"


def test_our_error_gives_back_the_shares_of_shipping_and_duties(ordered):
    bad = {"power": "bad_sound", "seal": "intact", "look": "as_new"}
    decision = decide(ordered(reason="defective", answers=bad), RULES)
    assert decision.refund.parts == (("paid", 12_436), ("shipping", 228), ("duties", 279))
    assert decision.refund.amount == eur(12_436 + 228 + 279)
    assert "Import duties paid: 2.79 EUR" in texts(decision)
    unwanted = decide(ordered(), RULES)
    assert {what for what, _ in unwanted.refund.parts} == {"paid", "fee", "way_back"}


def test_the_way_to_the_customer_comes_back_with_the_last_unit(ordered):
    lines = (replace(ORDER.lines[0], returned=1), replace(ORDER.lines[1], returned=1))
    last = replace(ORDER, lines=lines, shipping_refunded=eur(100), refunded=eur(14_000))
    decision = decide(ordered(last, reason="arrived_late"), RULES)
    assert dict(decision.refund.parts)["shipping"] == 390
    assert "The whole order came back: 3.90 EUR for the way to the customer" in texts(decision)


def test_no_more_than_what_is_left_of_the_order(ordered):
    nearly = replace(ORDER, refunded=eur(paid_in_all(ORDER) - 1_000))
    decision = decide(ordered(nearly, reason="arrived_late"), RULES)
    assert (decision.refund.amount, decision.refund.decision) == (eur(1_000), "partial")
    assert "No more than what is left of the order: 10.00 EUR" in texts(decision)


def test_an_order_that_does_not_know_the_unit_goes_to_a_person(ordered):
    other = Order((OrderLine("BAG", 1, eur(2_000)),))
    decision = decide(ordered(other), RULES)
    assert (decision.refund.decision, decision.refund.amount) == ("manual", None)
    assert codes(decision)[-1] == "refund_order_unclear"


def test_exchange_is_free_and_credit_has_its_bonus(ordered):
    exchange = decide(ordered(wish=Wish.EXCHANGE), RULES)
    assert (exchange.refund.method, exchange.refund.decision) == ("exchange", "full")
    assert {"restocking_fee_exchange", "way_back_exchange", "exchange"} <= set(codes(exchange))
    assert "exchange_first" not in codes(exchange)
    credit = decide(ordered(wish=Wish.CREDIT), RULES)
    assert credit.refund.method == "credit"
    assert credit.refund.bonus == credit.refund.amount.percent(500)
    assert credit.refund.amount == decide(ordered(), RULES).refund.amount, "the bonus is no part of what was paid"


def test_late_may_mean_store_credit(ordered):
    policy = profile("small_brand", window={"late": "credit"})
    decision = decide(ordered(delivered_days_ago=45), with_policy(policy))
    assert (decision.refund.method, decision.refund.decision) == ("credit", "partial")
    assert decision.refund.bonus is None
    assert decision.disposition is not Disposition.SHIP_BACK
    assert texts(decision)[0].endswith("after the 30-day window")


def test_the_instant_refund_and_what_comes_back_of_it(ordered):
    clawed = decide(ordered(policy="marketplace"), RULES)
    assert clawed.refund.claw_back == eur(499)
    known = replace(ORDER, released=eur(12_100))
    assert decide(ordered(known, policy="marketplace"), RULES).refund.claw_back == eur(12_100 - 12_436 + 499)
    small = replace(ORDER, released=eur(12_436 - 499 + 99))
    left = decide(ordered(small, policy="marketplace"), RULES)
    assert left.refund.claw_back is None
    assert "Paid at the first scan: 0.99 EUR too much, left to the customer" in texts(left)
    dear = Order((OrderLine("HD7", 1, eur(40_001)),))
    late = decide(ordered(dear, policy="marketplace"), RULES)
    assert "Too dear for the first scan: paid after this inspection" in texts(late)
    assert late.refund.claw_back is None
    refused = decide(ordered(policy="marketplace", delivered_days_ago=60), RULES)
    assert (refused.refund.decision, refused.refund.claw_back) == ("none", eur(12_436))


def test_the_fee_has_its_most_and_its_exchange(ordered):
    dear = Order((OrderLine("HD7", 1, eur(90_000)),))
    assert "Restocking fee 5 %, at most: 25.00 EUR" in texts(decide(ordered(dear), RULES))


def test_another_currency_settles_at_the_rate_of_the_sale(ordered):
    dollars = Order((OrderLine("HD7", 1, Money(14_111, "USD")),), rate=(92, 100))
    decision = decide(ordered(dollars, reason="arrived_late"), RULES)
    assert decision.refund.amount == Money(14_111, "USD")
    assert decision.refund.settles == eur(12_982)  # 12982.12
    assert decide(ordered(reason="arrived_late"), RULES).refund.settles is None


def test_the_statement_says_what_was_seen_and_asks_for_a_check(ordered):
    worn = {"power": "works", "seal": "broken", "look": "light_wear"}
    decision = decide(ordered(answers=worn), RULES)
    assert decision.refund.statement == (
        "Diminished value: 24.87 EUR of 124.36 EUR kept back. Signs of use beyond trying it: 20 %, 24.87 EUR; the "
        "inspection found cosmetics 6 of 9 (light wear). Policy small_brand, version 2. Check that the law in force "
        "allows this deduction before it is sent."
    )
    assert decide(ordered(), RULES).refund.statement == ""


def test_keep_it_leaves_out_what_has_to_come_back(case):
    cheap = {"paid": eur(900), "price": eur(900), "policy": "customer_first"}
    assert "keep_it" in codes(decide(case(**cheap), RULES))
    policy = profile("customer_first", refund={"keep_it_not": ("electronics",)})
    assert "keep_it" not in codes(decide(case(**cheap), with_policy(policy)))


# Any policy, any order: what must hold.


def a_policy(seed: int) -> Policy:
    dice = random.Random(seed)

    def share() -> int:
        return dice.choice((0, 100, 10_000, dice.randint(0, 10_000)))

    money = {"EUR": dice.choice((0, 1, 500, 100_000))}
    return Policy(
        name="any", version=1, title="Any", style="s", processing="p", routes=tuple(Disposition)[:8],
        window=Window(days=30, late=dice.choice(("refuse", "manual", "credit"))),
        shipping=Shipping(
            paid_by=dice.choice(tuple(Payer)), label_cost=money, free_on_exchange=dice.random() < 0.5,
            outbound=dice.choice(("never", "our_error", "complete")),
        ),
        refund=RefundRules(
            release=dice.choice(tuple(Release)), claw_back=True, claw_back_from=money, credit_bonus_bp=share(),
            promotions=dice.choice(("hold", "take_back")), duties=dice.choice(("never", "our_error", "always")),
            generous_on_doubt=dice.random() < 0.5,
        ),
        fees=Fees(restocking_bp=share(), most=dice.choice(({}, money))),
        deductions=tuple(
            Deduction(axis=axis, at_most=dice.randint(1, 5), basis_points=share(), reason="Worn")
            for axis in ("cosmetics", "packaging", "function")
        ),
        max_deduction_bp=share(),
    )  # fmt: skip


ANSWERS = (
    {"power": "works", "seal": "intact", "look": "as_new"},
    {"power": "works", "seal": "broken", "look": "light_wear"},
    {"power": "bad_sound", "seal": "intact", "look": "as_new"},
)


@settings(max_examples=250)
@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_partial_refunds_never_exceed_the_order_and_never_fall_below_zero(policy_seed, order_seed):
    """Every unit of an order comes back, one after the other, under any policy, each with its own story."""
    dice = random.Random(order_seed)
    rules, order = with_policy(a_policy(policy_seed)), an_order(order_seed)
    paid_out = shipping_out = 0
    units = [line.sku for line in order.lines for _ in range(line.quantity)]
    dice.shuffle(units)
    for sku in units:
        given_case = a_case(dice, order, sku)
        refund = decide(given_case, rules).refund
        if refund.amount is None or not refund.parts:
            event(refund.decision)
            order = come_back(order, sku, 0)
            continue
        parts = dict(refund.parts)
        assert sum(parts.values()) == refund.amount.minor >= 0
        assert len(parts) == len(refund.parts)
        assert refund.amount.minor <= parts.get("paid", 0) + parts.get("shipping", 0) + parts.get("duties", 0)
        assert refund.tax is None or 0 <= refund.tax.minor <= refund.amount.minor
        assert (refund.decision == "none") is (refund.amount.minor == 0 and parts.get("paid", 0) > 0)
        paid_out, shipping_out = paid_out + refund.amount.minor, shipping_out + parts.get("shipping", 0)
        order = replace(
            come_back(order, sku, parts.get("paid", 0)), refunded=eur(paid_out), shipping_refunded=eur(shipping_out)
        )
        assert paid_out <= paid_in_all(order)
        assert shipping_out <= (order.shipping.minor if order.shipping else 0)


def a_case(dice: random.Random, order: Order, sku: str) -> Case:
    from station.decision.cover import simulated_case
    from station.inspection.facts import Answer
    from station.inspection.protocol_walk import Branch, Situation

    answers = tuple(Answer(name, choice, "key") for name, choice in dice.choice(ANSWERS).items())
    reason = dice.choice(("unwanted", "defective", "arrived_late", None))
    protocol = RULES.protocol("electronics.audio", max(v for i, v in RULES.protocols if i == "electronics.audio"))
    plain = simulated_case(protocol, Branch(Situation(reason, ("hygiene",)), answers), policy="any", scheme="standard")
    line = replace(plain.line, sku=sku, wish=dice.choice(tuple(Wish)))
    return replace(plain, line=line, authorisation=dataclasses.replace(plain.authorisation, order=order))


# The border.


@pytest.mark.parametrize(
    ("answers", "changes", "used", "code"),
    [
        (None, {}, Used.UNUSED, "unwanted"),
        ({"power": "works", "seal": "broken", "look": "light_wear"}, {}, Used.USED, "unwanted"),
        (
            {"power": "bad_sound", "seal": "broken", "look": "light_wear"},
            {"reason": "defective"},
            Used.CANNOT_SAY,
            "faulty",
        ),
        (None, {"identity": IdentityOutcome.WRONG_SERIAL}, Used.CANNOT_SAY, "unwanted"),
        ({"power": "works"}, {}, Used.CANNOT_SAY, "unwanted"),
    ],
    ids=["as new", "worn", "defective and worn", "another serial", "half looked at"],
)
def test_was_it_used(case, answers, changes, used, code):
    built = case(answers, **changes)
    border = Customs("DE", "CH", "26CH0077", "8518.3000", eur(371))
    crossed = replace(built, authorisation=replace(built.authorisation, customs=border))
    note = decide(crossed, RULES).customs
    assert (note.used, note.reason_code) == (used, code)
    assert (note.entry, note.commodity, note.duty) == ("26CH0077", "8518.3000", eur(371))
    assert note.statement
    assert decide(built, RULES).customs is None


def test_a_merchant_words_what_unused_means(case):
    strict = msgspec.structs.replace(RULES.policy("small_brand"), customs=CustomsRules(unused_needs={"packaging": 5}))
    built = case()
    crossed = replace(built, authorisation=replace(built.authorisation, customs=Customs("DE", "CH")))
    assert decide(crossed, RULES).customs.used is Used.UNUSED
    assert decide(crossed, with_policy(strict)).customs.used is Used.USED


def test_a_promotion_is_taken_back_by_policy_only(ordered):
    order = Order(
        (OrderLine("HD7", 1, eur(12_900)), OrderLine("BAG", 1, eur(2_000))),
        promotion=Promotion(eur(2_000), eur(14_000)),
    )
    taken = decide(ordered(order, reason="arrived_late"), RULES)
    assert taken.refund.amount == eur(10_900)
    assert "The promotion does not hold for what is kept: 20.00 EUR less" in texts(taken)
    held = decide(ordered(order, reason="arrived_late", policy="customer_first"), RULES)
    assert held.refund.amount == eur(12_900 - 1_732)


def test_the_cap_rests_on_being_told_what_was_given_back(ordered):
    """Negative control: the same order that does not say so gives the unit's whole share again."""
    silent = decide(ordered(replace(ORDER, refunded=None), reason="arrived_late"), RULES)
    told = decide(ordered(replace(ORDER, refunded=eur(paid_in_all(ORDER))), reason="arrived_late"), RULES)
    assert silent.refund.amount == eur(12_436)
    assert (told.refund.amount, told.refund.decision) == (eur(0), "none")
