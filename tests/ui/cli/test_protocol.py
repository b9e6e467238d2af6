"""``station protocol lint`` and ``cover``: clean on what ships, exit 1 on what is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from station.assets import asset
from station.errors import InvalidInput
from ui.cli.protocol import protocol

APPAREL = asset("protocols", "apparel.toml").read_text(encoding="utf-8")


def run(*arguments: str, home: Path) -> tuple[int, str]:
    result = CliRunner().invoke(protocol, list(arguments), obj=home)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def broken(tmp_path) -> Path:
    path = tmp_path / "broken.toml"
    text = APPAREL.replace("version = 2", "version = 3").replace('"Hole or tear"', '"Hole or tear in the cloth itself"')
    path.write_text(text, encoding="utf-8")
    return path


def test_what_ships_has_no_findings(tmp_path):
    code, output = run("lint", "--json", home=tmp_path)
    said = json.loads(output)
    assert (code, said["errors"], said["findings"]) == (0, 0, [])
    folders = (asset("protocols"), asset("policies"), asset("grading"))
    assert said["files"] == sum(len(list(folder.rglob("*.toml"))) for folder in folders)


def test_a_broken_file_is_exit_1(tmp_path, broken):
    code, output = run("lint", str(broken), home=tmp_path)
    assert code == 1
    line = broken.read_text(encoding="utf-8").splitlines().index('id = "hole"') + 1
    assert (
        f"{broken}:{line}: error: question 'damage', choice 'hole': label has 32 characters, at most 22: "
        "'Hole or tear in the cloth itself' [text_too_long]\n    say it shorter\n"
    ) in output
    assert "1 file, 1 error, " in output
    code, output = run("lint", "--json", str(broken.parent), home=tmp_path)
    assert code == 1
    errors = [f for f in json.loads(output)["findings"] if f["severity"] == "error"]
    assert [(f["code"], f["file"], f["line"]) for f in errors] == [("text_too_long", str(broken), line)]
    assert all(f["advice"] for f in errors)


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path):
    path = tmp_path / "typo.toml"
    path.write_text(APPAREL.replace("categories", "categorys"), encoding="utf-8")
    code, output = run("lint", str(path), home=tmp_path)
    assert code == 1
    assert "unknown key 'categorys'" in output
    assert "did you mean 'categories'?" in output


def test_a_policy_and_a_scheme_are_checked_too(tmp_path):
    policy = asset("policies", "small_brand.toml").read_text(encoding="utf-8")
    (tmp_path / "p.toml").write_text(
        policy.replace('"small_brand"', '"mine"').replace('"electronics" = 500', '"electronix" = 500'), encoding="utf-8"
    )
    scheme = asset("grading", "standard.toml").read_text(encoding="utf-8")
    (tmp_path / "s.toml").write_text(
        scheme.replace('"standard"', '"mine"').replace("function = 2, cosmetics = 3", "function = 4, cosmetics = 6"),
        encoding="utf-8",
    )
    (tmp_path / "t.toml").write_text(
        policy.replace('"small_brand"', '"other"').replace("basis_points = 5000", "basis_points = 500"),
        encoding="utf-8",
    )
    _, output = run("lint", "--json", str(tmp_path), home=tmp_path)
    found = {(Path(f["file"]).name, f["code"]) for f in json.loads(output)["findings"]}
    assert found == {("p.toml", "unknown_category"), ("t.toml", "deduction_order")}
    (tmp_path / "s.toml").write_text(
        scheme.replace('"standard"', '"mine"').replace(
            "function = 2, cosmetics = 3, packaging = 2", "function = 4, cosmetics = 6, packaging = 4"
        ),
        encoding="utf-8",
    )
    _, output = run("lint", "--json", str(tmp_path / "s.toml"), home=tmp_path)
    assert [f["code"] for f in json.loads(output)["findings"]] == ["unreachable_grade"]


def test_a_sites_own_rules_are_linted_with_the_rest(tmp_path, broken):
    (tmp_path / "rules").mkdir()
    broken.rename(tmp_path / "rules" / "broken.toml")
    code, output = run("lint", home=tmp_path)
    assert code == 1
    assert "text_too_long" in output


def test_cover_walks_everything(tmp_path):
    code, output = run("cover", "--json", home=tmp_path)
    assert code == 0
    covered = {entry["protocol"]: entry for entry in json.loads(output)["protocols"]}
    assert {"apparel", "electronics.audio", "homeware", "hygiene"} <= set(covered)
    assert all(entry["missed"] == [] and entry["branches"] > 5 for entry in covered.values())
    code, text = run("cover", "apparel", home=tmp_path)
    assert code == 0
    assert text.startswith("apparel@2: 28 branches, 28 outcomes, choices 11 of 11, longest 3 questions, clean unit 2\n")
    assert "shots         front 2  label 2" in text
    assert run("cover", "apparel", home=tmp_path) == (0, text), "the same every time"


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"no protocol 'garden'; there are: apparel, electronics"):
        run("cover", "garden", home=tmp_path)
    with pytest.raises(InvalidInput, match="no such file or folder"):
        run("lint", str(tmp_path / "nowhere.toml"), home=tmp_path)


def test_two_files_that_claim_the_same_are_named(tmp_path):
    path = tmp_path / "second.toml"
    path.write_text(APPAREL.replace('id = "apparel"', 'id = "clothes"'), encoding="utf-8")
    code, output = run("lint", "--json", str(path), home=tmp_path)
    (finding,) = json.loads(output)["findings"]
    assert (code, finding["code"]) == (1, "ambiguous_precedence")
    path.write_text(
        APPAREL.replace('id = "apparel"', 'id = "clothes"').replace(
            'categories = ["apparel"]', 'applies = [{ merchant = "acme", category = "apparel" }]'
        ),
        encoding="utf-8",
    )
    code, output = run("lint", "--json", str(path), home=tmp_path)
    assert (code, json.loads(output)["errors"]) == (0, 0)


def test_an_answer_given_beforehand_is_refused_by_name(tmp_path):
    path = tmp_path / "prefilled.toml"
    text = APPAREL.replace("version = 1", "version = 2")
    path.write_text(text.replace('why = "Check collar', 'default = "as_new"\nwhy = "Check collar'), encoding="utf-8")
    code, output = run("lint", "--json", str(path), home=tmp_path)
    (finding,) = json.loads(output)["findings"]
    assert (code, finding["code"]) == (1, "prefilled_answer")
    assert finding["line"] == path.read_text(encoding="utf-8").splitlines().index('default = "as_new"') + 1
    path.write_text(text, encoding="utf-8")
    assert run("lint", str(path), home=tmp_path)[0] == 0


def test_which_protocol_says_why(tmp_path):
    (tmp_path / "rules").mkdir()
    own = APPAREL.replace('id = "apparel"', 'id = "acme_shirts"').replace(
        'categories = ["apparel"]',
        'applies = [{ merchant = "acme", category = "apparel" }, { sku = "S-1" }]',
    )
    (tmp_path / "rules" / "acme.toml").write_text(own, encoding="utf-8")

    def which(*arguments: str) -> tuple[int, str | None, str]:
        code, output = run("which", "--json", *arguments, home=tmp_path)
        said = json.loads(output)
        return code, said["protocol"], said["why"]

    assert which("--category", "apparel.shirt")[:2] == (0, "apparel")
    code, chosen, why = which("--category", "apparel.shirt", "--merchant", "acme")
    assert (code, chosen) == (0, "acme_shirts")
    assert "category 'apparel', merchant 'acme'" in why
    assert "outranks 'apparel'" in why
    assert which("--sku", "S-1", "--category", "toys")[:2] == (0, "acme_shirts")
    assert which("--category", "nothing.known")[:2] == (1, None)
    code, text = run("which", "--category", "apparel", "--merchant", "acme", home=tmp_path)
    assert (code, text.splitlines()[1]) == (0, "  also fits: apparel@2, for category 'apparel'")
