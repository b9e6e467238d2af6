"""Whether a return may come: the three policies that ship, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from station.decision.rules import Rules, load_rules
from station.quantities import Money
from station.returns.authorising import Answer, ReturnVerdict, authorise
from station.returns.model import CatalogueItem, ReturnAuthorisation, ReturnLine, Wish
from station.returns.policy import Payer, Policy

NOW = datetime(2026, 6, 15, 9, tzinfo=UTC)
ITEMS = {
    "HD": CatalogueItem("m", "HD", "Headphones", "electronics.audio"),
    "OUT": CatalogueItem("m", "OUT", "Last season", "outlet.shirts"),
}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


def ask(rules: Rules, policy: str | None, *lines: ReturnLine, days: int | None = 5) -> ReturnVerdict:
    delivered = NOW - timedelta(days=days) if days is not None else None
    asked = ReturnAuthorisation("RMA-1", "m", "O-1", lines, delivered_at=delivered, authorised_at=NOW)
    found = rules.policy(policy) if policy is not None else None
    return authorise(asked, found, ITEMS.get, rules.reasons, "EUR", NOW)


def line(sku: str = "HD", reason: str | None = "unwanted", minor: int | None = 5490, quantity: int = 1) -> ReturnLine:
    return ReturnLine(1, sku, quantity, reason, paid=Money(minor, "EUR") if minor is not None else None)


@pytest.mark.parametrize(
    ("policy", "given", "days", "answer", "why"),
    [
        ("small_brand", line(), 30, Answer.APPROVED, "window_open"),
        ("small_brand", line(), 31, Answer.REFUSED, "window_late"),
        ("small_brand", line(reason="defective"), 31, Answer.MANUAL, "window_late"),
        ("small_brand", line(), None, Answer.MANUAL, "window_unknown"),
        ("small_brand", line("OUT"), 5, Answer.REFUSED, "final_sale"),
        ("small_brand", line("OUT", "defective"), 5, Answer.APPROVED, "window_open"),
        ("small_brand", line("NEW"), 5, Answer.MANUAL, "article_unknown"),
        ("small_brand", line(reason="my own words"), 5, Answer.APPROVED, "window_open"),
        ("customer_first", line("NEW"), 5, Answer.APPROVED, "window_open"),
        ("customer_first", line(), None, Answer.APPROVED, "window_unknown"),
        ("customer_first", line(), 372, Answer.APPROVED, "window_open"),
        ("customer_first", line(), 373, Answer.MANUAL, "window_late"),
        ("marketplace", line(), 31, Answer.REFUSED, "window_late"),
        (None, line(), 5, Answer.MANUAL, "no_policy"),
    ],
    ids=lambda value: value.value if isinstance(value, Answer) else str(value)[:40],
)
def test_each_rule(
    rules: Rules, policy: str | None, given: ReturnLine, days: int | None, answer: Answer, why: str
) -> None:
    verdict = ask(rules, policy, given, days=days)
    assert (verdict.answer, verdict.lines[0].reasons[-1].code) == (answer, why)


def test_who_pays_the_way_back(rules: Rules) -> None:
    verdict = ask(rules, "small_brand", line())
    assert (verdict.payer, verdict.label) == (Payer.CUSTOMER, Money(490, "EUR"))
    assert ask(rules, "small_brand", line(reason="defective")).label is None
    assert ask(rules, "small_brand", line(reason="arrived_late")).payer is Payer.MERCHANT
    both = ask(rules, "small_brand", line(), replace(line(reason="wrong_item"), line=2))
    assert (both.payer, both.label) == (Payer.MERCHANT, None), "one parcel: our error pays it"
    assert ask(rules, "marketplace", line(reason="unwanted")).label == Money(499, "EUR")
    assert ask(rules, "marketplace", line(reason="defective")).payer is Payer.MERCHANT


@pytest.mark.parametrize(
    ("minor", "quantity", "keep"), [(700, 1, True), (701, 1, False), (350, 2, True), (351, 2, False), (None, 1, False)]
)
def test_keep_it_counts_all_that_would_come(rules: Rules, minor: int | None, quantity: int, keep: bool) -> None:
    verdict = ask(rules, "marketplace", line(minor=minor, quantity=quantity))
    assert verdict.keep is keep
    assert (verdict.label is None) is keep, "what nobody sends needs no label"


def test_lines_are_judged_by_themselves(rules: Rules) -> None:
    verdict = ask(rules, "small_brand", line(), replace(line("OUT"), line=2))
    assert [one.answer for one in verdict.lines] == [Answer.APPROVED, Answer.REFUSED]
    assert verdict.answer is Answer.APPROVED
    verdict = ask(rules, "small_brand", line(), replace(line("NEW"), line=2), replace(line("OUT"), line=3))
    assert verdict.answer is Answer.MANUAL
    assert ask(rules, "small_brand", line("OUT"), replace(line("OUT"), line=2)).answer is Answer.REFUSED


def changed(rules: Rules, policy: str, **tables: dict[str, object]) -> Policy:
    found = rules.policy(policy)
    parts = {key: msgspec.structs.replace(getattr(found, key), **value) for key, value in tables.items()}
    return msgspec.structs.replace(found, **parts)


def judge(rules: Rules, policy: Policy, *lines: ReturnLine, days: int = 5) -> ReturnVerdict:
    delivered = NOW - timedelta(days=days)
    asked = ReturnAuthorisation("RMA-1", "m", "O-1", lines, delivered_at=delivered, authorised_at=NOW)
    return authorise(asked, policy, ITEMS.get, rules.reasons, "EUR", NOW)


def test_what_has_to_come_back_is_not_kept_however_cheap(rules: Rules) -> None:
    policy = changed(rules, "marketplace", refund={"keep_it_not": ("electronics.audio",)})
    assert not judge(rules, policy, line(minor=100)).keep
    other = changed(rules, "marketplace", refund={"keep_it_not": ("electronics.phone",)})
    assert judge(rules, other, line(minor=100)).keep


def test_an_exchange_comes_back_for_free_where_the_policy_says_so(rules: Rules) -> None:
    exchanged = replace(line(), wish=Wish.EXCHANGE)
    assert judge(rules, rules.policy("small_brand"), exchanged).label is None
    paid = changed(rules, "small_brand", shipping={"free_on_exchange": False})
    assert judge(rules, paid, exchanged).label == Money(490, "EUR")


def test_late_for_store_credit_may_come(rules: Rules) -> None:
    policy = changed(rules, "small_brand", window={"late": "credit"})
    verdict = judge(rules, policy, line(), days=60)
    assert (verdict.answer, verdict.lines[0].reasons[-1].code) == (Answer.APPROVED, "late_credit")
    assert judge(rules, policy, line(reason="defective"), days=60).answer is Answer.MANUAL
