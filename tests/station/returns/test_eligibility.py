"""The window's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.rules import load_rules
from station.returns.eligibility import Verdict, check_window
from station.returns.model import ReturnAuthorisation
from station.returns.policy import Extension, Policy, Window, covers

RULES = load_rules()
SMALL, MARKET, FIRST = (RULES.policy(name) for name in ("small_brand", "marketplace", "customer_first"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def authorisation(delivered=None, ordered=None, announced=None) -> ReturnAuthorisation:
    return ReturnAuthorisation(
        "R", "m", None, (),
        delivered_at=at(delivered) if delivered else None,
        ordered_at=at(ordered) if ordered else None,
        authorised_at=at(announced) if announced else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "category", "delivered", "now", "verdict", "used"),
    [
        (SMALL, "apparel", "2026-03-01", "2026-03-31", Verdict.WITHIN, 30),
        (SMALL, "apparel", "2026-03-01", "2026-04-01", Verdict.LATE, 31),
        (SMALL, "apparel", "2026-03-01T23:59:59", "2026-03-31T23:59:59", Verdict.WITHIN, 30),
        (MARKET, "apparel", "2026-03-01", "2026-04-30", Verdict.WITHIN, 60),
        (MARKET, "electronics.audio", "2026-03-01", "2026-04-01", Verdict.LATE, 31),
        (MARKET, "homeware.lamps", "2026-03-01", "2026-05-30", Verdict.WITHIN, 90),
        (FIRST, "toys", "2026-03-01", "2027-03-08", Verdict.WITHIN, 372),
        (FIRST, "toys", "2026-03-01", "2027-03-09", Verdict.LATE, 373),
        (SMALL, None, "2026-03-01", "2026-02-01", Verdict.UNKNOWN, -28),
    ],
)
def test_window(policy, category, delivered, now, verdict, used):
    result = check_window(policy, category, authorisation(delivered), at(now))
    assert (result.verdict, result.days_used) == (verdict, used)
    assert result.reason.text


def test_a_slow_carrier_costs_the_customer_nothing():
    slow = authorisation("2026-03-01", announced="2026-03-29")
    assert check_window(SMALL, None, slow, at("2026-05-01")).verdict is Verdict.WITHIN
    by_receipt = msgspec.structs.replace(SMALL, window=msgspec.structs.replace(SMALL.window, counts_until="received"))
    assert check_window(by_receipt, None, slow, at("2026-05-01")).verdict is Verdict.LATE


@pytest.mark.parametrize(
    ("ordered", "delivered", "now", "verdict", "last"),
    [
        ("2026-11-20", "2026-11-22", "2027-01-31", Verdict.WITHIN, date(2027, 1, 31)),
        ("2026-11-20", "2026-11-22", "2027-02-01", Verdict.LATE, date(2027, 1, 31)),
        ("2026-10-31", "2026-11-02", "2027-01-15", Verdict.LATE, date(2026, 12, 2)),
        ("2026-12-26", "2026-12-28", "2027-01-28", Verdict.LATE, date(2027, 1, 27)),
        # close to the end the ordinary window is the longer one
        ("2026-12-25", "2027-01-10", "2027-02-09", Verdict.WITHIN, date(2027, 2, 9)),
    ],
)
def test_seasonal_extension_of_the_marketplace(ordered, delivered, now, verdict, last):
    result = check_window(MARKET, "electronics", authorisation(delivered, ordered), at(now))
    assert (result.verdict, result.last_day) == (verdict, last)


def test_the_extension_is_named_when_it_helps():
    result = check_window(MARKET, "electronics", authorisation("2026-11-22", "2026-11-20"), at("2027-01-20"))
    assert result.reason.text == "Within the holiday extension until 2027-01-31"


def test_a_season_across_new_year():
    season = Extension(name="winter", ordered_from="12-15", ordered_to="01-10", until="02-30")
    policy = msgspec.structs.replace(MARKET, window=Window(days=10, extensions=(season,)))
    december = check_window(policy, None, authorisation("2026-12-20", "2026-12-18"), at("2027-02-28"))
    january = check_window(policy, None, authorisation("2027-01-07", "2027-01-05"), at("2027-02-28"))
    outside = check_window(policy, None, authorisation("2027-01-13", "2027-01-11"), at("2027-02-28"))
    assert [result.last_day for result in (december, january)] == [date(2027, 2, 28)] * 2
    assert [december.verdict, january.verdict, outside.verdict] == [Verdict.WITHIN, Verdict.WITHIN, Verdict.LATE]


def test_no_return_and_no_date():
    assert check_window(SMALL, None, None, at("2026-03-01")).verdict is Verdict.UNKNOWN
    by_order = msgspec.structs.replace(SMALL, window=Window(days=30, counts_from="order"))
    assert check_window(by_order, None, authorisation("2026-03-01"), at("2026-03-02")).verdict is Verdict.UNKNOWN
    assert check_window(by_order, None, authorisation(None, "2026-03-01"), at("2026-03-31")).days_used == 30


@given(st.datetimes(), st.datetimes(), st.datetimes(), st.integers(0, 36_500))
def test_no_dates_break_it_and_one_more_day_never_helps(delivered, ordered, now, days):
    policy: Policy = msgspec.structs.replace(MARKET, window=msgspec.structs.replace(MARKET.window, days=days))
    promise = ReturnAuthorisation("R", "m", None, (), ordered_at=ordered, delivered_at=delivered)
    today = check_window(policy, None, promise, now)
    if now.year < 9999 and today.verdict is Verdict.LATE:
        assert check_window(policy, None, promise, now + timedelta(days=1)).verdict is Verdict.LATE


@pytest.mark.parametrize(
    ("prefix", "category", "yes"),
    [("a", "a", True), ("a", "a.b", True), ("a", "ab", False), ("", "a", True), ("a.b", "a", False)],
)
def test_prefixes_are_whole_words(prefix, category, yes):
    assert covers(prefix, category) is yes
