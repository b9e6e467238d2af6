"""An inspection as JSON: the documented example, and a clear refusal for each kind of bad input."""

# ruff: noqa: E501 (one case of a table is one line)

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.case_file import EXAMPLE, read_case
from station.decision.decide import decide
from station.decision.json_table import MOST_BYTES
from station.decision.model import Disposition
from station.decision.rules import load_rules
from station.errors import InvalidInput
from station.inspection.facts import WeightVerdict
from station.quantities import Money
from station.returns.model import Trait, Wish

RULES = load_rules()
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

BASE = {
    "policy": "small_brand",
    "item": {"sku": "HD7", "category": "electronics.audio", "traits": ["lithium"], "price": "129.00", "mass_g": 288},
    "return": {"reason": "unwanted", "paid": "129.00", "delivered_at": "2026-11-10"},
    "answers": {"power": "works", "look": "as_new"},
    "weight_g": 287,
}


def read(document, **kwargs):
    return read_case(json.dumps(document).encode(), RULES, now=NOW, **kwargs)


def test_the_example_of_the_help_is_read_and_decided():
    case = read_case(EXAMPLE.encode(), RULES, now=NOW)
    assert case.merchant.name == "Nordlicht Audio"
    assert case.item.traits == (Trait.LITHIUM, Trait.HYGIENE)
    assert case.item.accessories == (("charging case", 42_000),)
    assert case.line.paid == Money(12_900, "EUR")
    assert case.weight.verdict is WeightVerdict.PLAUSIBLE
    assert case.at == datetime(2026, 11, 22, 10, 17, tzinfo=UTC)
    decision = decide(case, RULES)
    assert decision.disposition is Disposition.RECYCLE  # the example's override
    assert {reason.code for reason in decision.second_look} == {"flagged", "look_skipped"}
    # 139.00 less its share 7.81 of the discount 10.00, less 4.60 of the promotion, with 3.82 of the shipping
    assert decision.refund.amount == Money(13_900 - 781 - 460 + 382, "EUR")
    assert case.line.wish is Wish.REFUND
    assert case.authorisation.order.lines[1].returned == 1
    assert case.authorisation.customs.commodity == "8518.3000"
    assert case.floor.places == ((Disposition.REFURBISH, Money(150, "EUR")),)


def test_the_short_form():
    case = read(BASE)
    assert case.at == NOW
    assert decide(case, RULES).disposition is Disposition.RESTOCK
    assert read(BASE, policy="marketplace").merchant.policy == "marketplace"
    assert read({**BASE, "answers": [{"question": "power", "choice": "works"}]}).answers[0].choice == "works"
    assert read({**BASE, "skipped": [{"what": "weight", "reason": "x"}]}).skipped[0].what == "weight"


def test_a_shortcut_answers_what_is_open_and_no_more():
    document = {key: value for key, value in BASE.items() if key != "answers"}
    case = read({**document, "shortcut": "RSC-CLEAN"})
    assert [(a.question, a.given_by) for a in case.answers] == [
        ("power", "shortcut:RSC-CLEAN"),
        ("look", "shortcut:RSC-CLEAN"),
    ]
    assert decide(case, RULES).disposition is Disposition.RESTOCK


@pytest.mark.parametrize(
    "paid", ["129.00", "129,00", "129.00 EUR", 129, 129.0, {"minor": 12900}, {"minor": 12900, "currency": "EUR"}]
)
def test_ways_to_write_money(paid):
    assert read({**BASE, "return": {"paid": paid}}).line.paid == Money(12_900, "EUR")


def test_money_is_exact_where_a_float_is_not():
    data = json.dumps({**BASE, "return": {"paid": "X"}}).replace('"X"', "90071992547409.93").encode()
    assert read_case(data, RULES, now=NOW).line.paid == Money(9_007_199_254_740_993, "EUR")


def test_a_judgement_instead_of_a_weight():
    document = {key: value for key, value in BASE.items() if key != "weight_g"}
    assert read({**document, "judgement": "too_heavy"}).weight.verdict is WeightVerdict.TOO_HEAVY
    light = read(
        {**document, "judgement": {"verdict": "too_light", "difference_g": -42, "missing_part": "case"}}
    ).weight
    assert (light.difference_mg, light.missing_part) == (-42_000, "case")
    assert read(document).weight is None


def test_an_unknown_article_needs_no_item():
    case = read({"policy": "small_brand", "identity": "unknown"})
    assert decide(case, RULES).disposition is Disposition.QUARANTINE


def changed(path, value):
    document = json.loads(json.dumps(BASE))
    at = document
    for key in path[:-1]:
        at = at[key]
    if value is KeyError:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("polcy",), "x", r"unknown key 'polcy'; did you mean 'policy'\?"),
        (("item", "mass"), 1, r"unknown key 'item\.mass'; did you mean 'mass_g'\?"),
        (("return", "reson"), "x", r"unknown key 'return\.reson'; did you mean 'reason'\?"),
        (("policy",), "smal_brand", r"no policy 'smal_brand'; did you mean 'small_brand'\?"),
        (("policy",), KeyError, "no policy: give 'policy' or 'merchant.policy', one of: customer_first, marketplace, small_brand"),
        (("policy",), 5, "'policy' must be text in quotes, got a number '5'"),
        (("grading_scheme",), "letters", "no grading scheme 'letters'; expected one of: marketplace, standard"),
        (("merchant",), {"policy": "small_brand"}, "so put 'policy', 'grading_scheme' and 'currency' into it"),
        (("item",), [], "item must be an object"),
        (("item", "traits"), ["litium"], r"'item\.traits' = 'litium'; did you mean 'lithium'\?"),
        (("item", "traits"), "lithium", r"'item\.traits' must be a list of texts, got text 'lithium'"),
        (("item", "price"), "twelve", r"'item\.price': 'twelve' is not an amount: expected digits like 54\.90"),
        (("item", "price"), "1.234", r"'item\.price': '1\.234' has 3 decimals; EUR has 2"),
        (("item", "price"), "12 euro", r"'item\.price': 'euro' is not a currency"),
        (("item", "price"), True, r"'item\.price' must be an amount"),
        (("item", "mass_g"), "288", r"'item\.mass_g' must be a mass in grams, got text '288'"),
        (("weight_g",), 0.0001, "expected at most three decimals"),
        (("weight_g",), 1e300, "less than 1000 t"),
        (("judgement",), "plausible", "'weight_g' and 'judgement' are both there: give one"),
        (("return", "delivered_at"), "10.11.2026", r"'return\.delivered_at' = '10\.11\.2026' is not a time"),
        (("return", "delivered_at"), "2026-11-10T10:00:00", "has no time zone: add Z for UTC"),
        (("return", "quantity"), "2", r"'return\.quantity' must be a whole number"),
        (("return", "declared_reason"), "x", "mean the same: give one"),
        (("identity",), "matching", r"'identity' = 'matching'; did you mean 'match'\?"),
        (("answers", "colour"), "red", r"'answers\.colour': protocol 'electronics\.audio' has no such question; .*power, seal"),
        (("answers", "power"), "wroks", r"'answers\.power' = 'wroks'; did you mean 'works'\? \(known: bad_sound, cannot_tell"),
        (("answers", "power"), 3, r"'answers\.power' must be a choice in quotes, got a number"),
        (("answers", "weight_check"), "fine", r"'answers\.weight_check' = 'fine'; .*part_missing"),
        (("answers",), "works", "'answers' must be an object"),
        (("answers",), [{"question": "power"}], r"'answers\[0\]\.choice' is missing"),
        (("shortcut",), "RSC-CLEAN", "'answers' and 'shortcut' are both there"),
        (("item", "category"), "garden", r"'answers\.power': no protocol covers this article"),
        (("protocol",), "electronics.adio", r"'protocol' = 'electronics\.adio'; did you mean 'electronics\.audio'\?"),
        (("protocol",), "electronics.audio@7", r"versions of 'electronics\.audio' here: 2"),
        (("protocol",), "electronics.audio@x", r"versions of 'electronics\.audio' here: 2"),
        (("override",), {"disposition": "sell", "reason": "x"}, r"'override\.disposition' = 'sell'; expected one of: destroy"),
        (("override",), {"disposition": "restock"}, r"'override\.reason' is missing"),
        (("skipped",), {"weight": 1}, r"'skipped\.weight' must be the reason in quotes"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_the_place_and_what_is_allowed(path, value, message):
    with pytest.raises(InvalidInput, match=message):
        read(changed(path, value))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON: Expecting value in line 1"),
        (b"[]", "the document must be an object"),
        (b'{"policy": }', "line 1, column 12"),
        (b'{"policy": "a", "policy": "b"}', "key 'policy' is there twice"),
        (b'{"weight_g": NaN}', "NaN is not a number here"),
        (b'{"policy": "\xff"}', "not UTF-8 at byte 12"),
        (b"[" * 100_000, "not JSON that can be read"),
        (b" " * (MOST_BYTES + 1), "an inspection has at most"),
        (b'{"policy": "small_brand", "item": {"title": "\\ud800"}}', "not valid Unicode"),
        (b'{"weight_g": ' + b"9" * 5_000 + b"}", "not JSON that can be read"),
    ],
)
def test_what_is_not_a_document(data, message):
    with pytest.raises(InvalidInput, match=message):
        read_case(data, RULES, now=NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
places = st.sampled_from(
    [("policy",), ("item",), ("return",), ("answers",), ("weight_g",), ("at",), ("skipped",), ("override",), ("flags",),
     ("item", "price"), ("item", "traits"), ("item", "mass_g"), ("item", "accessories"), ("item", "category"),
     ("return", "paid"), ("return", "delivered_at"), ("return", "reason"), ("answers", "power"), ("derogations",),
     ("merchant",), ("judgement",), ("protocol",), ("identity",), ("scale_interval_g",), ("serial_found",)]
)  # fmt: skip


@given(places, json_values)
def test_any_value_anywhere_is_read_or_refused(path, value):
    document = changed(path, value)
    try:
        case = read(document)
    except InvalidInput:
        return
    assert decide(case, RULES).disposition in Disposition


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(data):
    with pytest.raises(InvalidInput):
        read_case(data, RULES, now=NOW)
