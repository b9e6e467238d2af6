"""Protocols with numbers, texts, scans, rework, weigh rules and two axes: what is read and what is refused."""

# ruff: noqa: E501 (one case of a table is one line)

from __future__ import annotations

import pytest

from station.errors import InvalidInput
from station.inspection.protocol import Applies, Expects, Kind, Protocol, Weighing
from station.inspection.protocol_file import protocol_of
from station.toml_file import parse_toml

WHOLE = """
kind = "protocol"
id = "toys"
version = 1
title = "Toys"
categories = ["toys"]
applies = [{ merchant = "acme", category = "games" }, { sku = "T-1" }]
axes = ["function", "cosmetics"]
unasked = ["lithium"]
weigh = { rule = "must", why = "parts get lost", tolerance_bp = 150, tolerance_least_mg = 2000 }
shots = [
  { id = "front", title = "Front", guide = "Lay it flat", must = true },
  { id = "mark", title = "Mark", guide = "Show the mark", when = { answers = { look = ["dirty"] } } },
]

[[questions]]
id = "look"
text = "How does it look?"
why = "Look once"
choices = [
  { id = "good", label = "Good", hint = "no marks", picture = "toy-good", axes = { function = 6, cosmetics = 8 } },
  { id = "dirty", label = "Dirty", hint = "dust, marks", axes = { function = 6, cosmetics = 5 } },
]

[[questions]]
id = "wipe"
text = "Is it clean now?"
why = "Dust is no scratch"
type = "yes_no"
rework = { task = "Wipe it", minutes = 3 }
when = { answers = { look = ["dirty"] } }
choices = [
  { id = "yes", label = "Yes", hint = "as new", axes = { function = 6, cosmetics = 8 }, mends = ["look"] },
  { id = "no", label = "No", hint = "it stays", axes = { cosmetics = 5 } },
]

[[questions]]
id = "length"
text = "How long is it?"
why = "Measure once"
type = "number"
number = { unit = "mm", decimals = 1, least = 0, most = 5000, target = 1200, tolerance = 5 }
choices = [
  { id = "right", label = "Right", is = "within" },
  { id = "wrong", label = "Wrong", is = "off", second_look = true, reason = "Not as long as sold" },
  { id = "cannot", label = "Cannot tell", hint = "torn off" },
]

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

[[questions]]
id = "note"
text = "What is broken?"
why = "The vendor asks"
type = "text"
longest = 60
choices = [{ id = "said", label = "Said", takes = "text" }]
"""


def read(text: str = WHOLE) -> Protocol:
    return protocol_of(parse_toml(text, "toys.toml"))


def test_everything_is_read() -> None:
    protocol = read()
    kinds = {question.id: question.kind for question in protocol.questions}
    assert kinds == {
        "look": Kind.CHOICE, "wipe": Kind.YES_NO, "length": Kind.NUMBER, "serial": Kind.SCAN, "note": Kind.TEXT,
    }  # fmt: skip
    assert protocol.is_for == (
        Applies(category="toys"), Applies(merchant="acme", category="games"), Applies(sku="T-1"),
    )  # fmt: skip
    assert protocol.weighing.rule is Weighing.MUST
    assert [shot.must for shot in protocol.shots] == [True, False]
    assert (protocol.judges("function"), protocol.judges("packaging")) == (True, False)
    length = protocol.question("length")
    assert length is not None
    assert [choice.ranges for choice in length.choices] == [((1195, 1205),), ((0, 1194), (1206, 5000)), ()]
    assert [choice.id for choice in length.buttons] == ["cannot"]
    serial = protocol.question("serial")
    assert serial is not None
    assert (serial.expects, serial.buttons) == (Expects.SERIAL, ())


def test_a_photo_may_be_asked_for_by_an_answer() -> None:
    protocol = read()
    assert [shot.id for shot in protocol.shots_for(None, ())] == ["front"]
    assert [shot.id for shot in protocol.shots_for(None, (), {"look": "dirty"})] == ["front", "mark"]


@pytest.mark.parametrize(("expected_mg", "tolerance"), [(None, None), (0, None), (100_000, 2_000), (1_000_000, 15_000)])
def test_the_weigh_rule_says_the_tolerance(expected_mg: int | None, tolerance: int | None) -> None:
    assert read().weighing.tolerance_mg(expected_mg) == tolerance


@pytest.mark.parametrize(("written", "rule"), [("true", Weighing.MAY_SKIP), ("false", Weighing.NEVER)])
def test_the_old_way_to_say_it_stays_valid(written: str, rule: Weighing) -> None:
    line = next(line for line in WHOLE.splitlines() if line.startswith("weigh"))
    protocol = read(WHOLE.replace(line, f"weigh = {written}"))
    assert (protocol.weighing.rule, protocol.weigh) == (rule, rule is not Weighing.NEVER)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('is = "within"', "range = [1195, 1204]", "1205 to 1205 means no choice"),
        ('is = "within"', "range = [1190, 1205]", "1190 means both 'wrong' and 'right'|1195 means both"),
        ('is = "within"', "range = [1205, 1195]", "has a range from 1205 to 1195"),
        ('is = "off"', "range = [0, 9999]", "reaches outside 0 to 5000"),
        ('is = "off"', 'is = "below"', "1206 to 5000 means no choice"),
        (', is = "within"', "", "1195 to 1205 means no choice"),
        ("target = 1200, tolerance = 5", "target = 1200", "'target' and 'tolerance' belong together|has no 'target' with"),
        ("target = 1200, tolerance = 5", "target = 1200, tolerance = 9000", "no number between least and most is that|reaches outside"),
        ("target = 1200", "target = 9000", "outside 0 to 5000|reaches outside|turn it round"),
        ("least = 0, most = 5000", "least = 5000, most = 0", "is not below 'most'|no number between"),
        ("decimals = 1", "decimals = 1.5", "floating point number 1.5"),
        ('type = "number"', 'type = "text"', "'number' and type = 'number' belong together"),
        ('expects = "serial"\n', "", "'expects' and type = 'scan' belong together"),
        ('takes = "unknown"', 'takes = "any"', "must take 'same', 'different', 'unknown', each once"),
        ('takes = "text"', 'takes = "same"', "must take 'text', each once; got 'same'"),
        ('{ id = "no", label = "No"', '{ id = "maybe", label = "No"', "is yes or no: its choices are 'yes', 'no'"),
        ('mends = ["look"]', 'mends = ["length"]', "mends 'length', which is no question before it"),
        ('rework = { task = "Wipe it", minutes = 3 }\n', "", "mends 'look', but no 'rework' says what is done"),
        ('hint = "dust, marks", ', 'hint = "dust", range = [0, 1], ', "'range' and 'is' are for numbers"),
        ('{ sku = "T-1" }', '{ merchant = "acme" }', "needs a 'category' or a 'sku'"),
        ('{ sku = "T-1" }', '{ sku = "T-1", category = "toys" }', "give the SKU or the category, not both"),
        ('{ sku = "T-1" }', '{ category = "toys" }', "\"category 'toys'\" is there twice"),
        ('axes = ["function", "cosmetics"]', 'axes = ["function", "function"]', "axis 'function' is there twice"),
        ('picture = "toy-good"', 'picture = "../../etc/passwd"', "Expected `str` matching regex"),
        ('rule = "must"', 'rule = "maybe"', "Invalid enum value 'maybe'"),
        ("tolerance_bp = 150", "tolerance_bp = 0", "Expected `int` >= 1"),
        ('id = "look"\ntext', 'id = "look"\ndefault = "good"\ntext', "unknown key 'default'"),
    ],
)  # fmt: skip
def test_what_could_mean_two_things_or_none_is_refused(old: str, new: str, message: str) -> None:
    assert old in WHOLE
    with pytest.raises(InvalidInput, match=message) as caught:
        read(WHOLE.replace(old, new, 1))
    assert str(caught.value).startswith("toys.toml")


def test_a_shortcut_cannot_type() -> None:
    short = '\n[[shortcuts]]\ncode = "RSC-CLEAN"\nlabel = "Clean"\nanswers = { look = "good", length = "LENGTH" }\n'
    with pytest.raises(InvalidInput, match="what must be typed or scanned cannot come with a shortcut"):
        read(WHOLE + short.replace("LENGTH", "right"))
    assert read(WHOLE + short.replace("LENGTH", "cannot")).shortcuts


def test_a_file_with_too_much_in_it_is_refused() -> None:
    one = '\n[[questions]]\nid = "q{n}"\ntext = "A?"\nwhy = "B"\nchoices = [{{ id = "a", label = "A" }}]\n'
    with pytest.raises(InvalidInput, match="length <= 60"):
        read(WHOLE + "".join(one.format(n=number) for number in range(80)))
