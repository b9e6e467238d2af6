"""What is unwise in policies and route books is found; what ships is clean."""

from __future__ import annotations

import msgspec
import pytest

from station.decision.books import Band, Quota, Route, RouteBook
from station.decision.model import Disposition
from station.decision.rule_lint import lint_policy, lint_routes
from station.decision.rules import load_rules

RULES = load_rules()


def test_what_ships_is_clean():
    assert lint_routes(RULES.routes) == ()
    for name in RULES.policy_names():
        assert lint_policy(RULES.policy(name), RULES) == ()


@pytest.mark.parametrize(
    ("table", "changes", "code"),
    [
        ("refund", {"claw_back": False}, "no_claw_back"),
        ("refund", {"claw_back_from": {"EUR": 60_000}}, "claw_back_from_high"),
        ("refund", {"keep_it_below": {"EUR": 50_000}}, "keep_it_high"),
        ("shipping", {"label_cost": {"EUR": 499}}, "currency_missing"),
    ],
)
def test_each_finding_of_a_policy(table, changes, code):
    policy = RULES.policy("marketplace")
    changed = msgspec.structs.replace(policy, **{table: msgspec.structs.replace(getattr(policy, table), **changes)})
    assert code in [finding.code for finding in lint_policy(changed, RULES)]


EUR = {"EUR": 1}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cost": {"USD": 1}}, "currency_missing"),
        ({"freight": (Band(cost={"USD": 1}),)}, "currency_missing"),
        ({"freight": (Band(cost=EUR), Band(up_to_g=5, cost=EUR), Band(cost=EUR))}, "freight_unreachable"),
        (
            {"freight": (Band(up_to_g=9, cost=EUR), Band(up_to_g=5, up_to_cm3=3, cost=EUR), Band(cost=EUR))},
            "freight_unreachable",
        ),
        ({"freight": (Band(up_to_g=9, cost=EUR),)}, "freight_ends"),
        ({"capacity_per_day": 0}, "no_room"),
        ({"quota": Quota(units=0, period_days=9)}, "no_room"),
        ({"quota": Quota(units=5, period_days=9, minimum_batch=6)}, "batch_too_large"),
        ({"freight": (Band(up_to_g=9, up_to_cm3=1, cost=EUR), Band(up_to_g=5, cost=EUR), Band(cost=EUR))}, None),
    ],
)
def test_each_finding_of_a_route_book(changes, code):
    plain = Route(disposition=Disposition.RECYCLE, title="R", cost=EUR)
    other = msgspec.structs.replace(plain, disposition=Disposition.LIQUIDATE, **changes)
    codes = {finding.code for finding in lint_routes(RouteBook(version=1, routes=(plain, other)))}
    assert codes == (set() if code is None else {code})
