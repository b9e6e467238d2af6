"""``station protocol grades`` and the words of others in ``station decide --json``."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from station.decision.case_file import EXAMPLE
from station.errors import InvalidInput
from tests.ui.cli.test_protocol import run
from ui.cli.decide import decide


def test_each_grade_with_its_meaning_and_others_words(tmp_path):
    code, text = run("grades", "marketplace", "--category", "apparel", home=tmp_path)
    assert code == 0
    lines = text.splitlines()
    assert lines[0] == "marketplace@1: Marketplace conditions, for apparel"
    at = next(number for number, line in enumerate(lines) if line.startswith("  used_very_good: Works, faint traces"))
    assert lines[at + 1 : at + 3] == ["      amazon     used_very_good", "      ebay       2990"]
    assert "      schema_org ~ RefurbishedCondition (refurbish)" in lines
    assert "      shopify    RESTOCKED" in lines
    with pytest.raises(InvalidInput, match="no grading scheme 'letters'; there are: marketplace, standard"):
        run("grades", "letters", home=tmp_path)


def test_json_says_what_is_lossy_with_ours_in_the_note(tmp_path):
    said = json.loads(run("grades", "--json", home=tmp_path)[1])
    worst = {scheme["name"]: scheme["grades"][-1] for scheme in said["schemes"]}["standard"]
    assert worst["meaning"] == "For parts or material only"
    amazon = next(one for one in worst["outward"] if one["target"] == "amazon")
    assert (amazon["value"], amazon["lossy"], amazon["note"]) == (None, True, "standard:D")


def test_a_decision_says_it_too(tmp_path):
    path = tmp_path / "unit.json"
    path.write_text(EXAMPLE, "utf-8")
    result = CliRunner().invoke(decide, [str(path), "--json"], obj=tmp_path)
    said = json.loads(result.output)["outward"]
    assert {(one["target"], one["what"]) for one in said} == {
        ("amazon", "condition"), ("amazon", "disposition"), ("ebay", "condition"), ("schema_org", "condition"),
        ("shopify", "disposition"),
    }  # fmt: skip
    assert all(one["note"] for one in said)
