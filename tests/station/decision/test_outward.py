"""What others call our grades and ways: there and back where it is not lossy, and said where it is."""

from __future__ import annotations

from itertools import product

import msgspec
import pytest

from station.decision.model import Disposition
from station.decision.outward import Said, grades_of, outward_of, told, ways_of, word
from station.decision.rules import default_folders, load_rules
from station.errors import InvalidInput

RULES = load_rules()
MAPS = {table.name: table for table in RULES.outward}
CATEGORIES = (None, "apparel.shirts", "footwear", "electronics.phone", "electronics.audio", "homeware.books", "toys")
REASONS = (None, "defective", "expired", "damaged_in_transit", "used", "unwanted")
GRADES = {name: tuple(rule.code for rule in RULES.scheme(name).grades) for name in RULES.scheme_names()}
CONDITIONS = [
    Said(category, scheme, grade, way, None)
    for scheme, grades in GRADES.items()
    for category, grade, way in product(CATEGORIES, grades, (Disposition.RESTOCK, Disposition.REFURBISH))
]
WAYS = [Said("toys", "standard", "B", way, found) for way, found in product(Disposition, REASONS)]
EVERYTHING = [*CONDITIONS, *WAYS]


@pytest.mark.parametrize("table", RULES.outward, ids=lambda table: table.name)
def test_what_is_not_lossy_comes_back_and_what_is_is_said(table):
    told_exactly = told_lossy = 0
    for said in EVERYTHING:
        for one in told(table, said, GRADES[said.scheme]):
            ours = f"{said.scheme}:{said.grade}" if one.what == "condition" else said.way.value
            assert one.note == ours
            if one.value is None:
                assert one.lossy
                continue
            back = (
                [f"{said.scheme}:{grade}" for grade in grades_of(table, said, GRADES[said.scheme], one.value)]
                if one.what == "condition"
                else [way.value for way in ways_of(table, said, one.value)]
            )
            assert ours in back
            assert one.lossy is (back != [ours])
            told_exactly += not one.lossy
            told_lossy += one.lossy
    assert told_lossy
    assert told_exactly


@pytest.mark.parametrize(
    ("target", "said", "value", "lossy"),
    [
        ("amazon", Said(None, "marketplace", "used_good", Disposition.RESTOCK, None), "used_good", False),
        ("amazon", Said(None, "standard", "D", Disposition.RECYCLE, None), None, True),
        ("schema_org", Said(None, "standard", "B", Disposition.REFURBISH, None), "RefurbishedCondition", True),
        ("schema_org", Said(None, "marketplace", "new", Disposition.RESTOCK, None), "NewCondition", False),
        ("ebay", Said("apparel", "marketplace", "used_very_good", Disposition.RESTOCK, None), "2990", False),
        ("ebay", Said("homeware.books", "marketplace", "used_very_good", Disposition.RESTOCK, None), "4000", False),
        ("ebay", Said("toys", "marketplace", "used_very_good", Disposition.RESTOCK, None), "3000", True),
        ("ebay", Said("electronics.phone", "standard", "B", Disposition.REFURBISH, None), "2020", False),
        ("ebay", Said("electronics.audio", "standard", "B", Disposition.REFURBISH, None), "2500", True),
        ("ebay", Said("electronics.audio", "standard", "D", Disposition.LIQUIDATE, None), "7000", False),
        ("ebay", Said("cosmetics", "standard", "D", Disposition.RECYCLE, None), None, True),
    ],
)
def test_conditions(target, said, value, lossy):
    (one,) = (one for one in told(MAPS[target], said, GRADES[said.scheme]) if one.what == "condition")
    assert (one.value, one.lossy) == (value, lossy)


@pytest.mark.parametrize(
    ("target", "way", "found", "value", "lossy"),
    [
        ("shopify", "restock", None, "RESTOCKED", False),
        ("shopify", "missing", None, "MISSING", False),
        ("shopify", "refurbish", None, "PROCESSING_REQUIRED", True),
        ("shopify", "ship_back", None, None, True),
        ("amazon", "restock", "defective", "SELLABLE", True),
        ("amazon", "liquidate", "defective", "DEFECTIVE", True),
        ("amazon", "recycle", "expired", "EXPIRED", True),
        ("amazon", "refurbish", "damaged_in_transit", "CARRIER_DAMAGED", True),
        ("amazon", "liquidate", "used", "CUSTOMER_DAMAGED", True),
        ("amazon", "quarantine", None, None, True),
    ],
)
def test_dispositions(target, way, found, value, lossy):
    said = Said(None, "", "", Disposition(way), found)
    (one,) = (one for one in told(MAPS[target], said, ()) if one.what == "disposition")
    assert (one.value, one.lossy, one.note) == (value, lossy, way)


def test_a_hold_is_nobodys_damage():
    for said in EVERYTHING:
        if said.way is Disposition.QUARANTINE:
            assert word(MAPS["amazon"].dispositions, said) not in ("SELLABLE", "CUSTOMER_DAMAGED")


def test_a_decision_carries_its_words(decided):
    decision = decided({"power": "works", "seal": "intact", "look": "sealed"})
    words = {
        (one.target, one.what): one
        for one in outward_of(decision, "electronics.audio", RULES.outward, RULES.scheme("standard"))
    }
    assert words["amazon", "disposition"].value == "SELLABLE"
    assert words["shopify", "disposition"].value == "RESTOCKED"
    assert words["ebay", "condition"].note == "standard:A"
    assert words["ebay", "condition"].version.startswith("ebay@1 ")
    held = outward_of(decided(category="garden", answers=()), "garden", RULES.outward, None)
    assert {one.what for one in held} == {"disposition"}, "what nobody graded has no condition"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ('{ value = "X", grades = ["A"] }', "'grades' need their 'scheme'"),
        ('{ value = "X", scheme = "standard", grades = ["E"] }', "unknown grade 'E'"),
        ('{ value = "X", scheme = "letters" }', "unknown scheme 'letters'"),
        ('{ value = "X", found = ["brocken"] }', "unknown reason 'brocken'"),
        ('{ value = "X" }, { value = "Y", ways = ["restock"] }', "'Y' is never reached"),
        ('{ value = "X", way = ["restock"] }', "unknown key 'way'"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path, rule, text):
    path = tmp_path / "own.toml"
    path.write_text(f'kind = "outward"\nname = "own"\nversion = 1\ntitle = "Own"\nconditions = [{rule}]\n', "utf-8")
    with pytest.raises(InvalidInput, match=text):
        load_rules((*default_folders(), path))


def test_a_sites_own_table_comes_on_top(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        'kind = "outward"\nname = "shopify"\nversion = 2\ntitle = "Own"\ndispositions = [{ value = "ALL" }]\n', "utf-8"
    )
    rules = load_rules((*default_folders(), path))
    (table,) = (table for table in rules.outward if table.name == "shopify")
    assert table.version == 2
    assert dict(rules.book_versions) == dict(RULES.book_versions), "no decision looks at them"
    assert msgspec.to_builtins(table)["dispositions"][0]["value"] == "ALL"
