"""Each rule of the lint: the smallest file that trips it, and its repaired twin that does not."""

# ruff: noqa: E501 (one case of a table is one line)

from __future__ import annotations

from pathlib import Path

import pytest

from station.decision.rules import load_rules
from station.inspection.lint_finding import ADVICE, Severity
from station.inspection.protocol_file import protocol_of
from station.inspection.protocol_lint import LintBooks, lint, with_lines
from station.toml_file import parse_toml

RULES = load_rules()
SCHEMES = tuple(RULES.scheme(name) for name in RULES.scheme_names())

GOOD = """
kind = "protocol"
id = "lamps"
version = 1
title = "Lamps"
categories = ["lamps"]
unasked = ["data_bearing", "hygiene"]
shots = [{ id = "front", title = "Front", guide = "Lay it flat" }]

[[questions]]
id = "power"
text = "Does it light?"
why = "Switch it on once"
choices = [
  { id = "works", label = "Works", hint = "light comes on", picture = "p", axes = { function = 6 }, clears = ["lithium"] },
  { id = "dead", label = "Dead", hint = "no light", picture = "p", axes = { function = 2 }, clears = ["lithium"], reason = "No light" },
  { id = "hot", label = "Hot", hint = "warm or bent", picture = "p", gates = ["lithium"], reason = "Battery hot" },
]

[[questions]]
id = "look"
text = "How does it look?"
why = "Turn it once"
when = { answers = { power = ["works", "dead"] } }
choices = [
  { id = "new", label = "As new", hint = "no marks", picture = "p", axes = { cosmetics = 9, packaging = 5 } },
  { id = "dusty", label = "Dusty", hint = "dust, marks", picture = "p", axes = { cosmetics = 5, packaging = 3 }, reason = "Dusty" },
]

[[questions]]
id = "wipe"
text = "Is it clean now?"
why = "Dust is no scratch"
type = "yes_no"
rework = { task = "Wipe it", minutes = 3 }
when = { answers = { look = ["dusty"] } }
choices = [
  { id = "yes", label = "Yes", hint = "as new", picture = "p", axes = { cosmetics = 8, packaging = 4 }, mends = ["look"] },
  { id = "no", label = "No", hint = "it stays", picture = "p", axes = { cosmetics = 5 }, reason = "Marks stay" },
]

[[shortcuts]]
code = "RSC-CLEAN"
label = "Clean"
answers = { power = "works", look = "new" }
unless_reasons = ["defective", "damaged_in_transit"]
"""
LENGTH = """
[[questions]]
id = "length"
text = "How long is it?"
why = "Measure once"
type = "number"
number = { unit = "mm", least = 0, most = 100 }
choices = [
  { id = "short", label = "Short", range = [0, 49], axes = { function = 5 } },
  { id = "long", label = "Long", range = [50, 100], axes = { function = 6 } },
]
"""
SCAN = """
[[questions]]
id = "serial"
text = "Which number is on it?"
why = "As sold"
type = "scan"
expects = "serial"
choices = [
  { id = "same", label = "Same", takes = "same" },
  { id = "other", label = "Other", takes = "different", second_look = true, reason = "Another number" },
  { id = "unknown", label = "Not known", takes = "unknown" },
]
"""
ASK = """
[[questions]]
id = "q{n}"
text = "Is it so?"
why = "Look"
when = {{ answers = {{ look = ["{on}"] }} }}
choices = [
  {{ id = "a", label = "A", hint = "a", picture = "p", axes = {{ function = 6 }} }},
  {{ id = "b", label = "B", hint = "b", picture = "p", axes = {{ function = 3 }} }},
]
"""


def four(on: str, count: int = 4) -> str:
    return "".join(ASK.format(n=number, on=on) for number in range(count))


LOOK_WHEN = 'when = { answers = { power = ["works", "dead"] } }'
SHORTCUTS = "\n[[shortcuts]]"

TWINS: dict[str, list[tuple[str, str, str, str]]] = {
    "text_too_long": [
        (GOOD, 'label = "Dead"', 'label = "It does not light up at all"', "question 'power', choice 'dead'")
    ],
    "too_many_words": [
        (GOOD, 'why = "Switch it on once"', 'why = "a b c d e f g h i j k l m n o"', "question 'power'")
    ],
    "too_many_steps": [(GOOD, 'guide = "Lay it flat"', 'guide = "Open it. Turn it. Lay it flat"', "shot 'front'")],
    "hint_missing": [(GOOD, 'hint = "no light", ', "", "question 'power', choice 'dead'")],
    "shots_missing": [
        (GOOD, 'shots = [{ id = "front", title = "Front", guide = "Lay it flat" }]', "shots = []", "shots")
    ],
    "too_many_shots": [
        (
            GOOD,
            "shots = [",
            "shots = [" + "".join(f'{{ id = "s{n}", title = "S", guide = "G" }}, ' for n in range(5)),
            "shots",
        )
    ],
    "too_many_choices": [
        (
            GOOD,
            '{ id = "dead"',
            "".join(
                f'{{ id = "x{n}", label = "X{n}", hint = "x", picture = "p", axes = {{ function = {n + 1} }}, clears = ["lithium"] }},\n'
                for n in range(3)
            )
            + '{ id = "dead"',
            "question 'power'",
        )
    ],
    "one_choice": [
        (
            GOOD,
            '  { id = "dusty", label = "Dusty", hint = "dust, marks", picture = "p", axes = { cosmetics = 5, packaging = 3 }, reason = "Dusty" },\n]\n\n[[questions]]\nid = "wipe"\ntext = "Is it clean now?"\nwhy = "Dust is no scratch"\ntype = "yes_no"\nrework = { task = "Wipe it", minutes = 3 }\nwhen = { answers = { look = ["dusty"] } }\n',
            ']\n\n[[questions]]\nid = "wipe"\ntext = "Is it clean now?"\nwhy = "Dust is no scratch"\ntype = "yes_no"\nrework = { task = "Wipe it", minutes = 3 }\n',
            "question 'look'",
        )
    ],
    "same_label": [(GOOD, 'label = "Dead"', 'label = "Works"', "question 'power'")],
    "no_effect": [
        (
            GOOD + LENGTH,
            "range = [50, 100], axes = { function = 6 }",
            "range = [50, 100]",
            "question 'length', choice 'long'",
        )
    ],
    "same_effect": [(GOOD + LENGTH, "function = 5 }", "function = 6 }", "question 'length'")],
    "reason_missing": [(GOOD, ', reason = "Battery hot"', "", "question 'power', choice 'hot'")],
    "bad_code": [(GOOD, '{ id = "dead",', '{ id = "dead", code = "RSC-UNDO",', "question 'power', choice 'dead'")],
    "unreachable_question": [
        (
            GOOD + four("dusty", 1),
            'look = ["dusty"] } }\nchoices = [\n  { id = "a"',
            'look = ["dusty"], power = ["hot"] } }\nchoices = [\n  { id = "a"',
            "question 'q0'",
        )
    ],
    "unreachable_shot": [
        (
            GOOD,
            'guide = "Lay it flat" }',
            'guide = "Lay it flat" }, { id = "no", title = "No", guide = "No", when = { answers = { power = ["hot"], look = ["new"] } } }',
            "shot 'no'",
        )
    ],
    "axis_not_judged": [(GOOD, "cosmetics = 9, packaging = 5", "cosmetics = 9", "power=works → look=new")],
    "axis_needed_by_scheme": [
        (GOOD, 'categories = ["lamps"]', 'categories = ["lamps"]\naxes = ["function", "packaging"]', "axes")
    ],
    "unreachable_grade": [
        (GOOD, "cosmetics = 9, packaging = 5", "cosmetics = 8, packaging = 4", "scheme 'marketplace'")
    ],
    "no_clean_way": [
        (
            GOOD,
            'hint = "light comes on", picture = "p", axes = { function = 6 }',
            'hint = "light comes on", picture = "p", axes = { function = 6 }, reason = "It lights"',
            "questions",
        )
    ],
    "clean_way_too_long": [(GOOD + four("new", 1), 'id = "q0"', "", "power=works → look=new → q0=a → q1=a")],
    "way_too_long": [
        (
            GOOD + four("dusty", 3),
            SHORTCUTS,
            four("dusty", 3).replace('"q', '"r') + SHORTCUTS,
            "power=works → look=dusty → wipe=yes → r0=a → r1=a → r2=a → q0=a → q1=a → q2=a",
        )
    ],
    "shortcut_code": [(GOOD, '"RSC-CLEAN"', '"RSC-SHINY"', "shortcut 'RSC-SHINY'")],
    "shortcut_incomplete": [
        (GOOD, 'answers = { power = "works", look = "new" }', 'answers = { power = "works" }', "shortcut 'RSC-CLEAN'")
    ],
    "shortcut_not_clean": [(GOOD, 'power = "works", look', 'power = "hot", look', "shortcut 'RSC-CLEAN'")],
    "shortcut_clears_proof": [
        (GOOD, 'clears = ["lithium"] }', 'clears = ["lithium", "data_bearing"] }', "shortcut 'RSC-CLEAN'")
    ],
    "shortcut_not_refused": [(GOOD, '"defective", "damaged_in_transit"', '"defective"', "shortcut 'RSC-CLEAN'")],
    "gate_contradiction": [
        (GOOD, 'gates = ["lithium"]', 'gates = ["lithium"], clears = ["lithium"]', "question 'power', choice 'hot'")
    ],
    "gate_not_clearable": [
        (GOOD, 'clears = ["lithium"] }', 'clears = ["lithium", "recall"] }', "question 'power', choice 'works'")
    ],
    "gate_never_asked": [
        (GOOD, 'axes = { function = 2 }, clears = ["lithium"]', "axes = { function = 2 }", "power=dead → look=new"),
        (GOOD, 'categories = ["lamps"]', 'categories = ["lamps", "electronics.phone.lamps"]', "questions"),
    ],
    "gate_cleared_unasked": [
        (
            GOOD + LENGTH,
            "axes = { function = 5 }",
            'axes = { function = 5 }, clears = ["lithium"]',
            "question 'length', choice 'short'",
        )
    ],
    "trait_not_asked": [(GOOD, '"data_bearing", "hygiene"', '"data_bearing"', "unasked")],
    "unasked_but_asked": [(GOOD, '"data_bearing", "hygiene"', '"data_bearing", "hygiene", "lithium"', "unasked")],
    "scan_unheeded": [
        (
            GOOD + SCAN,
            'takes = "different", second_look = true, reason = "Another number"',
            'takes = "different"',
            "question 'serial', choice 'other'",
        )
    ],
    "rework_helps_never": [(GOOD, ', mends = ["look"]', "", "question 'wipe'")],
    "mends_nothing": [
        (
            GOOD,
            'when = { answers = { look = ["dusty"] } }',
            'when = { answers = { power = ["works", "dead"] } }',
            "question 'wipe'",
        )
    ],
    "picture_missing": [
        (
            GOOD,
            'hint = "no light", picture = "p"',
            'hint = "no light", picture = "q"',
            "question 'power', choice 'dead'",
        )
    ],
    "picture_unnamed": [(GOOD, 'hint = "no light", picture = "p", ', 'hint = "no light", ', "questions")],
    "translation_missing": [(GOOD, SHORTCUTS, '\n[texts.de]\n"Lamps" = "Lampen"\n' + SHORTCUTS, "texts.de")],
    "translation_stale": [(GOOD, SHORTCUTS, '\n[texts.de]\n"Lambs" = "Lampen"\n' + SHORTCUTS, "texts.de")],
}
"""Code → (whole file, what is bent, how, where it is found)."""

ELSEWHERE = {
    "unreadable", "prefilled_answer", "ambiguous_precedence",  # tests/ui/cli/test_protocol.py: before a protocol is
    "too_many_branches",  # test_protocol_ways.py
    "no_disposition", "grade_never_given",  # tests/station/decision/test_way_lint.py
    "unknown_category", "no_recovery", "same_meaning", "deduction_twice", "deduction_order", "deduction_capped",
    "label_cost_missing", "no_routes",  # of policies and schemes
}  # fmt: skip


@pytest.fixture
def books(tmp_path: Path) -> LintBooks:
    (tmp_path / "p.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    return LintBooks(RULES.axes, RULES.gates, SCHEMES, (tmp_path,))


def _found(text: str, books: LintBooks) -> dict[str, list[tuple[str, int | None]]]:
    found: dict[str, list[tuple[str, int | None]]] = {}
    for finding in with_lines(lint(protocol_of(parse_toml(text, "x.toml")), books), text):
        assert finding.advice == ADVICE[finding.code]
        found.setdefault(finding.code, []).append((finding.where, finding.line))
    return found


CASES = [pytest.param(code, *case, id=f"{code}-{n}") for code, cases in TWINS.items() for n, case in enumerate(cases)]


@pytest.mark.parametrize(("code", "whole", "old", "new", "where"), CASES)
def test_a_broken_file_trips_it_and_its_twin_does_not(
    code: str, whole: str, old: str, new: str, where: str, books: LintBooks
) -> None:
    assert old in whole
    broken = whole.replace(old, new, 1)
    if code == "clean_way_too_long":
        broken = GOOD + four("new", 2)
    assert code not in _found(whole, books), "the repaired twin"
    found = _found(broken, books)
    assert where in [place for place, _ in found.get(code, [])], found


def test_the_good_file_has_nothing_to_change(books: LintBooks) -> None:
    assert _found(GOOD, books) == {}


def test_each_rule_has_its_twins() -> None:
    assert set(TWINS) | ELSEWHERE == set(ADVICE)
    assert not set(TWINS) & ELSEWHERE


def test_a_finding_knows_its_line(books: LintBooks) -> None:
    broken = GOOD.replace(', reason = "Battery hot"', "").replace("cosmetics = 9, packaging = 5", "cosmetics = 9")
    lines = broken.splitlines()
    hot = next(number for number, line in enumerate(lines, 1) if 'id = "hot"' in line)
    new = next(number for number, line in enumerate(lines, 1) if 'id = "new"' in line)
    found = _found(broken, books)
    assert found["reason_missing"] == [("question 'power', choice 'hot'", hot)]
    assert found["axis_not_judged"] == [("power=works → look=new", new)]


def test_errors_and_advice_are_told_apart(books: LintBooks) -> None:
    findings = lint(protocol_of(parse_toml(GOOD.replace(', reason = "Battery hot"', ""), "x.toml")), books)
    assert [(f.code, f.severity) for f in findings] == [("reason_missing", Severity.ERROR)]
    findings = lint(protocol_of(parse_toml(GOOD.replace(', mends = ["look"]', ""), "x.toml")), books)
    assert [(f.code, f.severity) for f in findings] == [("rework_helps_never", Severity.WARNING)]
