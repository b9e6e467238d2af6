"""Every field that DOMAIN.md names is a field of the three shipped profiles."""

from __future__ import annotations

import pytest

from station.decision.rules import load_rules
from station.returns.policy import Payer, Release

RULES = load_rules()


@pytest.mark.parametrize(
    ("name", "days", "paid_by", "release", "call", "exchange", "generous", "season"),
    [
        ("marketplace", 30, Payer.MERCHANT, Release.FIRST_SCAN, False, False, False, True),
        ("customer_first", 365, Payer.MERCHANT, Release.RECEIPT, True, False, True, False),
        ("small_brand", 30, Payer.CUSTOMER, Release.INSPECTION, False, True, False, True),
    ],
)
def test_profiles(name, days, paid_by, release, call, exchange, generous, season):
    policy = RULES.policy(name)
    assert policy.window.days == days
    assert policy.window.counts_from == "delivery"
    assert policy.shipping.paid_by is paid_by
    assert policy.shipping.free_on_exchange
    assert policy.refund.release is release
    assert (policy.refund.call_task, policy.refund.exchange_first) == (call, exchange)
    assert policy.refund.generous_on_doubt is generous
    assert bool(policy.window.extensions) is season
    assert policy.style
    assert policy.processing


def test_the_marketplace_claws_back_and_makes_the_customer_pay_for_some_reasons():
    policy = RULES.policy("marketplace")
    assert policy.refund.claw_back
    assert policy.shipping.by_reason["unwanted"] is Payer.CUSTOMER
    assert {policy.window_days(category) for category in ("apparel", "electronics", "homeware")} == {30, 60, 90}


@pytest.mark.parametrize(("category", "days"), [("apparel.shirts", 60), ("apparels", 30), (None, 30), ("toys", 30)])
def test_window_days(category, days):
    assert RULES.policy("marketplace").window_days(category) == days


def test_fees_by_category():
    policy = RULES.policy("small_brand")
    assert [policy.restocking_bp(category) for category in ("electronics.audio", "apparel", None)] == [500, 0, 0]


def test_final_sale_by_category():
    policy = RULES.policy("small_brand")
    assert policy.is_final_sale("X", "outlet.shoes")
    assert not policy.is_final_sale("X", "apparel")
    assert not policy.is_final_sale(None, None)
