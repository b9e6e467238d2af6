"""Rule files of the first version stay valid and mean what they meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from station.decision.decide import decide
from station.decision.rules import Rules, default_folders, load_rules
from station.quantities import Money

OLD = Path(__file__).parent / "old_rules"


@pytest.fixture
def old(tmp_path) -> Rules:
    for path in OLD.glob("*.toml"):
        text = path.read_text(encoding="utf-8").replace("version = 1\n", "version = 99\n", 1)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return load_rules((*default_folders(), tmp_path))


def test_the_drawn_unit_is_decided_as_it_was(case, old):
    unit = case({"power": "no_charge", "seal": "broken", "look": "light_wear"}, reason="defective")
    decision = decide(unit, old)
    assert dict(decision.versions)["routes"].startswith("routes@99 ")
    best = decision.alternatives[0]
    assert (best.disposition, best.value) == ("refurbish", Money(7_998 - 300 - 34 * 40, "EUR"))
    assert [what for what, _ in best.parts] == ["brings", "handling", "work"]
    assert decision.refund.amount == Money(12_900, "EUR")


def test_a_refund_of_an_old_policy_is_what_it_was(case, old):
    worn = {"power": "works", "seal": "broken", "look": "light_wear"}
    refund = decide(case(worn), old).refund
    assert (refund.amount, refund.method, refund.bonus) == (Money(12_900 - 645 - 2_580 - 490, "EUR"), "original", None)
    assert [reason.text for reason in refund.trail] == [
        "Refund 91.85 EUR of 129.00 EUR: no longer wanted, within 30 days",
        "Within 30 days: day 12",
        "Restocking fee 5 %: 6.45 EUR",
        "Signs of use beyond trying it: 20 % less, 25.80 EUR",
        "Return label at the customer's cost: 4.90 EUR (free with an exchange)",
        "Offer an exchange before the refund",
        "Paid after this inspection",
    ]
    market = decide(case(policy="marketplace"), old).refund
    assert market.claw_back == Money(499, "EUR")
