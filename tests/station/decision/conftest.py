"""A unit on the bench that tests bend one fact at a time: headphones, unwanted, twelve days after delivery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from station.decision.decide import decide
from station.decision.model import Case, Decision
from station.decision.rules import Rules, load_rules
from station.inspection.facts import Answer, IdentityOutcome, WeightJudgement, WeightVerdict
from station.quantities import Money
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine, Trait

AT = datetime(2026, 7, 22, 10, 17, tzinfo=UTC)
PRICE = Money(12_900, "EUR")
AS_EXPECTED = WeightJudgement(WeightVerdict.PLAUSIBLE, -2_000, 288_000, 6_000, None)

CLEAN = {
    "electronics.audio": {"power": "works", "seal": "intact", "look": "as_new"},
    "apparel": {"look": "as_new"},
    "homeware": {"look": "as_new"},
}


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load_rules()


@pytest.fixture
def case(rules: Rules) -> Callable[..., Case]:
    """Build a case; keywords of the item, the line and the case itself are told apart by name."""

    def build(
        answers: Mapping[str, str] | tuple[Answer, ...] | None = None,
        *,
        category: str | None = "electronics.audio",
        traits: tuple[Trait, ...] = (Trait.LITHIUM, Trait.HYGIENE),
        price: Money | None = PRICE,
        paid: Money | None = PRICE,
        reason: str | None = "unwanted",
        serial: str | None = None,
        policy: str = "small_brand",
        scheme: str = "standard",
        sku: str = "HD7",
        delivered_days_ago: int | None = 12,
        given_by: str = "key",
        **changes: Any,
    ) -> Case:
        merchant = Merchant("nl", "Nordlicht Audio", policy, scheme)
        item = CatalogueItem("nl", sku, "Halden ANC", category, price=price, mass_mg=288_000, traits=traits)
        line = ReturnLine(1, sku, 1, reason, serial=serial, paid=paid)
        delivered = None if delivered_days_ago is None else AT - timedelta(days=delivered_days_ago)
        authorisation = ReturnAuthorisation("RMA-1", "nl", None, (line,), delivered_at=delivered)
        if answers is None:
            answers = CLEAN.get(category or "", {})
        whole = Case(
            at=AT,
            identity=IdentityOutcome.MATCH,
            merchant=merchant,
            item=item,
            authorisation=authorisation,
            line=line,
            protocol=rules.protocol_for(item),
            answers=answers
            if isinstance(answers, tuple)
            else tuple(Answer(question, choice, given_by) for question, choice in answers.items()),
            weight=AS_EXPECTED,
        )
        return replace(whole, **changes)

    return build


@pytest.fixture
def decided(case: Callable[..., Case], rules: Rules) -> Callable[..., Decision]:
    def build(*args: Any, **kwargs: Any) -> Decision:
        return decide(case(*args, **kwargs), rules)

    return build
