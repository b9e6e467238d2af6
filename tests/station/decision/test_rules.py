"""Loading rule files: what is refused, what comes on top, what stays loadable."""

# ruff: noqa: E501 (one case of a table is one line)

from __future__ import annotations

import re
from pathlib import Path

import pytest

from station.assets import asset
from station.decision.model import Disposition
from station.decision.rules import default_folders, folders_for, load_rules
from station.errors import InvalidInput
from station.returns.model import CatalogueItem


def shipped(*parts: str) -> str:
    return asset(*parts).read_text(encoding="utf-8")


def with_file(tmp_path: Path, text: str, name: str = "own.toml") -> tuple[Path, ...]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return (*default_folders(), path)


def item(category: str | None) -> CatalogueItem:
    return CatalogueItem("m", "s", "t", category)


@pytest.mark.parametrize(
    ("category", "protocol"),
    [
        ("apparel", "apparel"),
        ("apparel.shirts.linen", "apparel"),
        ("electronics.audio", "electronics.audio"),
        ("electronics.audio.wireless", "electronics.audio"),
        ("electronics.audiobooks", "electronics"),
        ("electronics.tablet", "electronics.tablet"),
        ("toys.baby", "toys"),
        ("cosmetics", "hygiene"),
        ("apparelx", None),
        ("garden", None),
        (None, None),
    ],
)
def test_the_longest_category_wins_by_whole_words(rules, category, protocol):
    found = rules.protocol_for(item(category))
    assert (found.id if found else None) == protocol


def test_a_merchants_folder_comes_on_top(tmp_path):
    home = tmp_path / "home"
    (home / "rules").mkdir(parents=True)
    fourth = shipped("policies", "small_brand.toml").replace('name = "small_brand"', 'name = "fourth"')
    (home / "rules" / "fourth.toml").write_text(fourth.replace("days = 30\n", "days = 14\n"), encoding="utf-8")
    newer = shipped("protocols", "apparel.toml").replace("version = 2", "version = 3").replace("Clothing", "Clothes")
    (home / "rules" / "apparel2.toml").write_text(newer, encoding="utf-8")
    rules = load_rules(folders_for(home))
    assert rules.policy("fourth").window_days("toys") == 14
    assert rules.protocol_for(item("apparel")).version == 3
    assert rules.protocol("apparel", 2).title == "Clothing"
    assert rules.protocol("apparel", 4) is None
    assert load_rules(folders_for(tmp_path / "none")).policy_names() == ("customer_first", "marketplace", "small_brand")


def test_the_hash_is_of_the_content_not_of_the_layout(tmp_path):
    same = "# another comment\n" + shipped("protocols", "apparel.toml").replace(" = ", "   =  ")
    rules = load_rules(with_file(tmp_path, same))
    assert rules.protocol("apparel", 2).sha256 == load_rules().protocol("apparel", 2).sha256


def test_unknown_names_say_what_there_is(rules):
    with pytest.raises(InvalidInput, match=r"no policy 'smallbrand'; did you mean 'small_brand'\?"):
        rules.policy("smallbrand")
    with pytest.raises(InvalidInput, match=r"no grading scheme 'letters'; expected one of: marketplace, standard"):
        rules.scheme("letters")


@pytest.mark.parametrize(
    ("parts", "old", "new", "message"),
    [
        (("protocols", "apparel.toml"), 'title = "Clothing"', 'title = "Clothes"', "raise 'version' instead of changing what was used"),
        (("policies", "small_brand.toml"), "exchange_first", "exchange_frist", r":\d+: unknown key 'exchange_frist' in refund; did you mean 'exchange_first'\?"),
        (("policies", "small_brand.toml"), "days = 30", 'days = "30"', "window.days: Expected `int`, got `str`"),
        (("policies", "small_brand.toml"), "days = 30", "days = 30.5", "floating point number 30.5"),
        (("policies", "small_brand.toml"), '"restock", ', '"restok", ', "Invalid enum value 'restok'"),
        (("policies", "small_brand.toml"), "arrived_late = ", "arived_late = ", r"unknown reason 'arived_late'; did you mean 'arrived_late'\?"),
        (("policies", "small_brand.toml"), 'axis = "packaging", at_most = 2', 'axis = "packaging", at_most = 9', "packaging = 9, expected 1 to 5"),
        (("policies", "small_brand.toml"), 'until = "01-15"', 'until = "13-15"', "window.extensions"),
        (("policies", "small_brand.toml"), 'kind = "policy"', 'kind = "polices"', r"kind = 'polices'; did you mean 'policy'\?"),
        (("policies", "small_brand.toml"), 'kind = "policy"', "", "'kind' is missing"),
        (("policies", "small_brand.toml"), 'kind = "policy"', 'kind = "policy"\nsha256 = "x"', "the hash is computed"),
        (("policies", "small_brand.toml"), "[window]", "[window", "is not valid TOML"),
        (("policies", "gates.toml"), 'id = "recall"', 'id = "recal"', "gate 'recall' is missing"),
        (("policies", "gates.toml"), 'forbids = ["restock", "repackage"]\nraised_text = "Hygiene', 'forbids = ["restock"]\nraised_text = "Hygiene', "gate 'hygiene' must also forbid repackage"),
        (("policies", "gates.toml"), 'proof = "none"\nrequires', 'proof = "answer"\nrequires', "no answer at the bench ends a recall"),
        (("policies", "gates.toml"), 'trait = "lithium"', 'trait = "hygiene"', "must be asked for by trait 'lithium'"),
        (("policies", "gates.toml"), 'handling = "hazmat"', 'handling = "hazmat"\nderogable = true', "gate 'lithium' cannot be derogable"),
        (("policies", "gates.toml"), 'id = "contaminated"', 'id = "weight"', "computed and cannot be redefined"),
        (("policies", "gates.toml"), 'forbids = ["destroy", "recycle"]', 'forbids = ["destroy", "quarantine"]', "a hold must always be possible"),
        (("policies", "routes.toml"), "function = 6, cosmetics = 8", "functon = 6, cosmetics = 8", r"unknown axis 'functon'; did you mean 'function'\?"),
        (("policies", "reasons.toml"), 'code = "no_fault_found"', 'code = "nff"', "the program finds it by itself"),
        (("grading", "standard.toml"), 'code = "D"', 'code = "C"', "a grade code is there twice"),
        (("grading", "standard.toml"), 'only"', 'only"\nminimum = { function = 2 }', "so that every unit has a grade"),
        (("grading", "standard.toml"), "function = 3, cosmetics = 6", "function = 7, cosmetics = 6", "function = 7, expected 1 to 6"),
        (("protocols", "apparel.toml"), "cosmetics = 7", "cosmetics = 10", "cosmetics = 10, expected 1 to 9"),
        (("protocols", "apparel.toml"), 'gates = ["contaminated"]', 'gates = ["dirty"]', "unknown gate 'dirty'"),
        (("protocols", "apparel.toml"), 'traits = ["hygiene"]', 'traits = ["higiene"]', r"unknown trait 'higiene'; did you mean 'hygiene'\?"),
        (("protocols", "apparel.toml"), 'found_reason = "used"', 'found_reason = "usd"', r"unknown reason 'usd'; did you mean 'used'\?"),
        (("protocols", "apparel.toml"), 'id = "apparel"', 'id = "clothes"', "category 'apparel' already belongs to protocol"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_place(tmp_path, parts, old, new, message):
    text = shipped(*parts)
    assert old in text, "the fixture must change something"
    changed = text.replace(old, new, 1)
    if "raise 'version'" not in message:
        changed = re.sub(r"^version = \d+$", "version = 99", changed, count=1, flags=re.MULTILINE)
    with pytest.raises(InvalidInput, match=message) as caught:
        load_rules(with_file(tmp_path, changed))
    assert "own.toml" in str(caught.value)


def test_a_missing_folder_and_a_missing_book(tmp_path):
    with pytest.raises(InvalidInput, match="no such file or folder of rules"):
        load_rules((tmp_path / "nowhere",))
    with pytest.raises(InvalidInput, match="no rule file of kind 'axes' was found"):
        load_rules((asset("protocols"),))


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_bytes(b'kind = "\xff"')
    with pytest.raises(InvalidInput, match="is not UTF-8 at byte 8"):
        load_rules((*default_folders(), path))


@pytest.mark.parametrize(
    ("disposition", "category", "handling", "tote"),
    [
        (Disposition.RESTOCK, "apparel.shirts", "", "S-02"),
        (Disposition.RESTOCK, None, "", "S-01"),
        (Disposition.REFURBISH, "electronics.audio", "", "R-14"),
        (Disposition.QUARANTINE, "apparel", "", "Q-01"),
        (Disposition.QUARANTINE, "electronics.phone", "hazmat", "H-01"),
        (Disposition.QUARANTINE, None, "unheard_of", "Q-01"),
        (Disposition.MISSING, "apparel", "", ""),
    ],
)
def test_totes(rules, disposition, category, handling, tote):
    assert rules.totes.tote(disposition, category, handling) == tote


def test_every_disposition_that_can_be_put_away_has_a_tote(rules):
    lacking = [d for d in Disposition if d is not Disposition.MISSING and not rules.totes.tote(d, None)]
    assert lacking == []
