"""The lint: silent on what ships, and each finding is found in a protocol broken on purpose."""

# ruff: noqa: E501 (one case of a table is one line)

from __future__ import annotations

import pytest

from station.assets import asset
from station.decision.rule_lint import lint_policy, lint_scheme
from station.decision.rules import Rules, load_rules
from station.inspection.lint_finding import Severity
from station.inspection.protocol_file import load_protocol, protocol_of
from station.inspection.protocol_lint import LintBooks, lint
from station.toml_file import parse_toml

SHIPPED = sorted(asset("protocols").glob("*.toml"))
AUDIO = asset("protocols", "electronics_audio.toml").read_text(encoding="utf-8")
APPAREL = asset("protocols", "apparel.toml").read_text(encoding="utf-8")
PHONE = asset("protocols", "electronics_phone.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.fixture(scope="module")
def books(rules) -> LintBooks:
    return LintBooks(rules.axes, rules.gates, tuple(rules.scheme(name) for name in rules.scheme_names()))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_has_nothing_to_change(path, books):
    # Drawings of the answers are a matter of their own: their lack is advice.
    assert {finding.code for finding in lint(load_protocol(path), books)} <= {"picture_unnamed"}


def test_shipped_schemes_and_policies_have_nothing_to_change(rules):
    for name in rules.scheme_names():
        assert lint_scheme(rules.scheme(name), rules.axes) == ()
    for name in rules.policy_names():
        assert lint_policy(rules.policy(name), rules) == ()


@pytest.mark.parametrize(
    ("text", "old", "new", "code"),
    [
        (APPAREL, 'label = "As new, tags on"', 'label = "As new, and the tags are still on it"', "text_too_long"),
        (APPAREL, 'hint = "never opened"', 'hint = "never opened, the bag is still closed all round and tight"', "text_too_long"),
        (APPAREL, 'text = "Can it be mended?"', 'text = "Do you think that it can be mended by somebody?"', "text_too_long"),
        (APPAREL, 'guide = "Lay it flat, front up"', 'guide = "Lay it flat on the mat so that the front is up and smooth"', "text_too_long"),
        (APPAREL, 'hint = "never opened"\n', "", "hint_missing"),
        (APPAREL, 'reason = "Worn or stained: needs cleaning"\n', "", "reason_missing"),
        (APPAREL, 'label = "As new, tags on"', 'label = "Bag still sealed"', "same_label"),
        (APPAREL, "axes = { function = 6, cosmetics = 8, packaging = 4 }\n", "", "no_effect"),
        (APPAREL, "axes = { function = 6, cosmetics = 8, packaging = 4 }", "axes = { function = 6, packaging = 4 }", "axis_not_judged"),
        (APPAREL, 'when = { answers = { look = ["damaged"] } }', 'when = { answers = { look = ["damaged"], seal = ["broken"] }, reasons = ["defective"], traits = [] }', "axis_not_judged"),
        (APPAREL, 'answers = { seal = "intact", look = "as_new" }', 'answers = { look = "as_new" }', "shortcut_incomplete"),
        (APPAREL, 'answers = { seal = "intact", look = "as_new" }', 'answers = { seal = "intact", look = "worn" }', "shortcut_not_clean"),
        (APPAREL, 'unless_reasons = ["defective", "damaged_in_transit", "wrong_item", "not_as_described", "missing_parts"]', "unless_reasons = []", "shortcut_not_refused"),
        (APPAREL, 'code = "RSC-CLEAN"', 'code = "RSC-SPOTLESS"', "shortcut_code"),
        (APPAREL, 'clears = ["hygiene"]', 'clears = ["hygiene"]\ngates = ["hygiene"]', "gate_contradiction"),
        (APPAREL, 'clears = ["hygiene"]', 'clears = ["hygiene", "recall"]', "gate_not_clearable"),
        (APPAREL, 'id = "as_new"\n', 'id = "as_new"\ncode = "RSC-CONFIRM"\n', "bad_code"),
        (APPAREL, 'id = "as_new"\n', 'id = "as_new"\ncode = "GRADE-A"\n', "bad_code"),
        (APPAREL, "function = 6, cosmetics = 9, packaging = 5", "function = 6, cosmetics = 7, packaging = 5", "unreachable_grade"),
        (AUDIO, 'label = "Cannot tell"', 'label = "Cannot tell"', None),
        (PHONE, 'code = "RSC-SEALED"\nlabel = "Sealed"', 'code = "RSC-CLEAN"\nlabel = "Clean"', "shortcut_clears_proof"),
        (PHONE, 'why = "Tilt the screen against the light"\nwhen = { answers = { power = ["works", "minor_fault", "dead"] } }', 'why = "Tilt the screen against the light"\nwhen = { answers = { power = ["works"], data = ["cannot_tell"] } }', "axis_not_judged"),
    ],
)  # fmt: skip
def test_each_finding_is_found(text, old, new, code, books):
    assert old in text
    broken = protocol_of(parse_toml(text.replace(old, new, 1), "broken.toml"))
    codes = {finding.code for finding in lint(broken, books) if finding.severity is Severity.ERROR}
    assert codes == set() if code is None else code in codes


def test_a_question_that_nothing_leads_to(books):
    never = APPAREL + (
        '\n[[questions]]\nid = "never"\ntext = "Why?"\nwhy = "No reason"\n'
        'when = { answers = { look = ["sealed"], damage = ["hole"] } }\n'
        'choices = [{ id = "a", label = "A", hint = "a", second_look = true, reason = "a" }, '
        '{ id = "b", label = "B", hint = "b", axes = { function = 6 } }]\n'
    )
    findings = lint(protocol_of(parse_toml(never, "broken.toml")), books)
    errors = [(f.code, f.where) for f in findings if f.severity is Severity.ERROR]
    assert errors == [("unreachable_question", "question 'never'")]


def test_six_choices_one_choice_and_a_long_clean_way(books):
    base = 'kind = "protocol"\nid = "x"\nversion = 1\ntitle = "X"\ncategories = ["x"]\nshots = []\n'
    question = '\n[[questions]]\nid = "q{n}"\ntext = "Q?"\nwhy = "W"\nchoices = [{choices}]\n'
    choice = '{{ id = "c{n}", label = "C{n}", hint = "h", axes = {{ function = 6, cosmetics = 9, packaging = 5 }} }}'

    def build(*sizes: int) -> str:
        return base + "".join(
            question.format(n=number, choices=", ".join(choice.format(n=n) for n in range(size)))
            for number, size in enumerate(sizes)
        )

    def codes(text: str) -> set[str]:
        findings = lint(protocol_of(parse_toml(text, "x.toml")), books)
        return {finding.code for finding in findings if finding.severity is Severity.ERROR}

    assert codes(build(2, 2, 2)) == {"shots_missing"}
    assert codes(build(6)) == {"shots_missing", "too_many_choices"}
    assert codes(build(1)) == {"shots_missing", "one_choice"}
    assert codes(build(2, 2, 2, 2)) == {"shots_missing", "clean_way_too_long"}
    many = codes(build(5, 5, 5, 5, 5, 5, 5, 5))
    assert "clean_way_too_long" in many
    assert "too_many_branches" not in many, "390 625 ways that are one state are no work"
