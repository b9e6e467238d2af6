"""The three profiles, rule by rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.cover import simulated_case
from station.decision.decide import decide
from station.decision.model import Disposition
from station.decision.rules import load_rules
from station.inspection.facts import IdentityOutcome
from station.inspection.protocol_walk import Branch, Situation
from station.quantities import Money
from station.returns.model import Trait

EUR = "EUR"
WORN = {"power": "works", "seal": "broken", "look": "light_wear"}
DEFECTIVE = {"power": "bad_sound", "seal": "intact", "look": "as_new"}
MISSING = {"power": "works", "seal": "intact", "look": "part_missing"}


def trail(decision):
    return [reason.text for reason in decision.refund.trail]


@pytest.mark.parametrize(
    ("policy", "reason", "answers", "decision", "minor"),
    [
        # 129.00 − 5 % fee 6.45 − label 4.90
        ("small_brand", "unwanted", None, "partial", 12_900 - 645 - 490),
        # light wear at cosmetics 6: 20 % = 25.80 on top
        ("small_brand", "unwanted", WORN, "partial", 12_900 - 645 - 2_580 - 490),
        ("small_brand", "arrived_late", None, "full", 12_900),
        ("small_brand", "defective", DEFECTIVE, "full", 12_900),
        # a part that did not come back: 25 % = 32.25; found reason is missing_parts, so the customer pays the label
        ("small_brand", "unwanted", MISSING, "partial", 12_900 - 645 - 3_225 - 490),
        ("marketplace", "unwanted", None, "partial", 12_900 - 499),
        ("marketplace", "size_too_small", None, "full", 12_900),
        ("marketplace", "unwanted", WORN, "partial", 12_900 - 1_935 - 499),
        ("marketplace", "defective", DEFECTIVE, "full", 12_900),
        ("customer_first", "unwanted", None, "full", 12_900),
        ("customer_first", "unwanted", WORN, "full", 12_900),
        ("customer_first", "defective", None, "full", 12_900),
    ],
)
def test_amounts(decided, policy, reason, answers, decision, minor):
    result = decided(answers, policy=policy, reason=reason)
    assert (result.refund.decision, result.refund.amount) == (decision, Money(minor, EUR)), trail(result)


def test_the_trail_says_every_rule_in_order(decided):
    assert trail(decided(WORN)) == [
        "Refund 91.85 EUR of 129.00 EUR: no longer wanted, within 30 days",
        "Within 30 days: day 12",
        "Restocking fee 5 %: 6.45 EUR",
        "Signs of use beyond trying it: 20 % less, 25.80 EUR",
        "Return label at the customer's cost: 4.90 EUR (free with an exchange)",
        "Offer an exchange before the refund",
        "Paid after this inspection",
    ]


def test_release_moments(decided):
    assert "Paid at the first scan: claw back 4.99 EUR" in trail(decided(policy="marketplace"))
    assert "Paid at the carrier's first scan" in trail(decided(policy="marketplace", reason="size_too_small"))
    first = trail(decided(policy="customer_first"))
    assert first[-2:] == ["Paid on receipt", "Open a task: call the customer"]
    cheap = decided(policy="customer_first", paid=Money(1_500, EUR), price=Money(1_500, EUR))
    assert "Up to 15.00 EUR the goods need not come back" in trail(cheap)
    dear = decided(policy="customer_first", paid=Money(1_501, EUR), price=Money(1_501, EUR))
    assert not any("need not come back" in text for text in trail(dear))


@pytest.mark.parametrize("paid", [None, Money(-1, EUR)])
def test_unknown_paid_goes_to_a_person_and_the_unit_goes_on(decided, paid):
    result = decided(paid=paid)
    assert (result.refund.decision, result.refund.amount) == ("manual", None)
    assert trail(result) == ["A person decides the refund", "What was paid is unknown"]
    assert result.disposition is Disposition.RESTOCK


def test_an_unknown_delivery_date(decided):
    strict = decided(delivered_days_ago=None)
    assert strict.refund.decision == "manual"
    assert trail(strict)[-1] == "Date of delivery unknown: the 30-day window cannot be checked"
    generous = decided(delivered_days_ago=None, policy="customer_first")
    assert generous.refund.decision == "full"
    assert "In doubt for the customer: taken as within the window" in trail(generous)


def test_late_and_our_error(decided):
    late = decided(delivered_days_ago=31)
    assert trail(late)[:2] == [
        "No refund: the return window is over",
        "1 day after the 30-day window closed on 2026-07-21",
    ]
    assert decided(delivered_days_ago=30).refund.decision == "partial"
    broken = decided(DEFECTIVE, delivered_days_ago=31, reason="defective")
    assert broken.refund.decision == "manual"
    assert broken.disposition is Disposition.QUARANTINE


def test_final_sale(decided):
    sold = decided({"look": "as_new"}, category="outlet.homeware", traits=(), protocol=None)
    assert sold.refund.decision == "manual"  # nothing covers it, so nobody judged it
    rules = load_rules()
    protocol = rules.protocol("homeware", 2)
    final = decided({"look": "as_new"}, category="outlet", traits=(), protocol=protocol)
    assert (final.refund.decision, trail(final)[0]) == ("none", "No refund: final sale")
    assert final.disposition is Disposition.SHIP_BACK
    ours = decided(
        {"look": "broken", "damage": "broken", "transit": "crushed"},
        category="outlet",
        traits=(),
        protocol=protocol,
        reason="damaged_in_transit",
    )
    assert ours.refund.decision == "full"
    assert "Final sale, but the error is ours" in trail(ours)


def test_the_wrong_item_that_the_customer_announced_is_our_error(decided):
    ours = decided(identity=IdentityOutcome.WRONG_ITEM, reason="wrong_item")
    assert (ours.refund.decision, ours.refund.amount) == ("full", Money(12_900, EUR))
    assert ours.disposition is Disposition.QUARANTINE
    assert decided(identity=IdentityOutcome.WRONG_ITEM, reason="unwanted").refund.decision == "manual"


def test_a_recall_costs_the_customer_nothing(decided):
    result = decided(traits=(Trait.HYGIENE, Trait.RECALLED))
    assert (result.refund.decision, result.disposition) == ("full", Disposition.QUARANTINE)
    assert "Our error (recalled): no fee, and we pay the way back" in trail(result)


def test_a_fault_that_was_declared_and_not_found(decided):
    strict = decided(reason="defective")
    assert strict.refund.decision == "partial"
    assert "Customer says defective; found: no fault found" in trail(strict)
    generous = decided(reason="defective", policy="customer_first")
    assert "In doubt for the customer: taken as defective" in trail(generous)


def test_a_reason_that_is_not_in_the_list_is_said(decided):
    assert "Reason 'grail' is not in the list: treated as other" in trail(decided(reason="grail"))


def test_rounding_is_half_up_to_a_minor_unit(decided):
    # 5 % of 9.90 is 0.495: fee 0.50
    result = decided(paid=Money(990, EUR))
    assert "Restocking fee 5 %: 0.50 EUR" in trail(result)
    assert result.refund.amount == Money(990 - 50 - 490, EUR)


def test_deductions_end_at_what_was_paid(decided):
    result = decided(paid=Money(300, EUR))
    assert (result.refund.decision, result.refund.amount) == ("none", Money(0, EUR))
    assert "Deductions end at what was paid: 3.00 EUR" in trail(result)
    assert result.disposition is not Disposition.SHIP_BACK


RULES = load_rules()


@given(
    st.sampled_from(RULES.policy_names()),
    st.sampled_from([None, *(reason.code for reason in RULES.reasons.reasons)]),
    st.integers(0, 10**9),
    st.sampled_from(["as_new", "light_wear", "part_missing", "broken"]),
)
def test_refund_and_deductions_add_up_to_what_was_paid(policy, reason, paid, look):
    """Every deduction's amount is in the trail, and with the refund they make the sum."""
    protocol = RULES.protocol("electronics", 2)
    from station.inspection.facts import Answer

    branch = Branch(Situation(reason, ()), (Answer("power", "works", "key"), Answer("look", look, "key")))
    case = simulated_case(protocol, branch, policy=policy, scheme="standard")
    import dataclasses

    case = dataclasses.replace(case, line=dataclasses.replace(case.line, paid=Money(paid, EUR)))
    refund = decide(case, RULES).refund
    assert refund.amount is not None
    taken = sum(
        _minor(step.text)
        for step in refund.trail
        if step.code.startswith(("restocking_fee", "diminished_", "way_back_ded"))
    )
    assert refund.amount.minor == max(0, paid - taken)


def _minor(text: str) -> int:
    amount = next(part for part in text.replace(":", ",").split(",")[::-1] if "EUR" in part).strip().split(" ")[0]
    whole, _, part = amount.partition(".")
    return int(whole) * 100 + int(part)
