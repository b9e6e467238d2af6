"""Protocols from files: what is read, what is refused, and how the shipped ones read to a person."""

# ruff: noqa: E501 (one case of a table is one line)

from __future__ import annotations

import pytest

from station.assets import asset
from station.errors import InvalidInput
from station.identify.commands import BY_BARCODE
from station.inspection.protocol_file import load_protocol, protocol_of
from station.inspection.protocol_walk import Situation, branches, situations
from station.toml_file import parse_toml

SHIPPED = sorted(asset("protocols").glob("*.toml"))

SMALL = """
kind = "protocol"
id = "toys"
version = 1
title = "Toys"
categories = ["toys"]
shots = [{ id = "front", title = "Front", guide = "Lay it flat" }]

[[questions]]
id = "look"
text = "How does it look?"
why = "Look once"
choices = [
  { id = "good", label = "Good", hint = "no marks", axes = { function = 6, cosmetics = 8, packaging = 4 } },
  { id = "bad", label = "Bad", hint = "marks" },
]

[[questions]]
id = "bad"
text = "How bad?"
why = "Look twice"
when = { answers = { look = ["bad"] } }
choices = [
  { id = "a", label = "Little", hint = "x", axes = { function = 4, cosmetics = 5, packaging = 3 } },
  { id = "b", label = "Much", hint = "y", axes = { function = 1, cosmetics = 1, packaging = 1 } },
]

[[shortcuts]]
code = "RSC-CLEAN"
label = "Clean"
answers = { look = "good" }
unless_reasons = ["defective", "damaged_in_transit"]
"""


def read(text: str):
    return protocol_of(parse_toml(text, "toys.toml"))


def test_a_file_becomes_a_protocol():
    protocol = read(SMALL)
    assert (protocol.id, protocol.version, protocol.weigh) == ("toys", 1, True)
    assert [q.id for q in protocol.open_questions({}, None, ())] == ["look"]
    assert [q.id for q in protocol.open_questions({"look": "bad"}, None, ())] == ["bad"]
    assert protocol.open_questions({"look": "good"}, None, ()) == ()
    assert protocol.shortcut("RSC-CLEAN").answers == {"look": "good"}
    assert len(protocol.sha256) == 64


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Toys"', 'titel = "Toys"', r"toys.toml:5: unknown key 'titel' in the top of the file; did you mean 'title'\?"),
        ('label = "Little"', 'lable = "Little"', r"unknown key 'lable' in questions\[1\]\.choices\[0\]; did you mean 'label'\?"),
        ('hint = "y"', "hint = 5", r"questions\[1\]\.choices\[1\]\.hint: Expected `str`, got `int`"),
        ("version = 1", "version = 0", "version: Expected `int` >= 1"),
        ('kind = "protocol"', 'kind = "policy"', "Invalid value 'policy'"),
        ('look = ["bad"]', 'look = ["worse"]', r"names choice 'worse' of question 'look'; expected one of: bad, good"),
        ('look = ["bad"]', 'lock = ["bad"]', r"names question 'lock'; did you mean 'look'\?"),
        ('answers = { look = "good" }', 'answers = { look = "god" }', r"shortcut 'RSC-CLEAN' names choice 'god'.*did you mean 'good'"),
        ('id = "b", label', 'id = "a", label', "choice in question 'bad' 'a' is there twice"),
        ('id = "bad"\ntext', 'id = "look"\ntext', "question 'look' is there twice"),
        ('categories = ["toys"]', "categories = []", "'categories' is empty"),
        ('categories = ["toys"]', 'categories = ["Toys!"]', "Expected `str` matching regex"),
        ('code = "RSC-CLEAN"', 'code = "CLEAN"', "Expected `str` matching regex"),
        ("function = 4", "function = 4.0", "floating point number 4.0"),
        ('why = "Look twice"', 'why = "Look twice" "x"', "is not valid TOML"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_place(old, new, message):
    assert old in SMALL
    with pytest.raises(InvalidInput, match=message) as caught:
        read(SMALL.replace(old, new, 1))
    assert str(caught.value).startswith("toys.toml")


def test_a_question_may_only_depend_on_an_earlier_one():
    first, second = SMALL.index("[[questions]]"), SMALL.index("[[questions]]", SMALL.index("[[questions]]") + 1)
    end = SMALL.index("[[shortcuts]]")
    turned = SMALL[:first] + SMALL[second:end] + SMALL[first:second] + SMALL[end:]
    with pytest.raises(InvalidInput, match="depends on question 'look', which does not come before it"):
        read(turned)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
class TestShipped:
    def test_reads_and_has_shots_with_guidance(self, path):
        protocol = load_protocol(path)
        assert protocol.shots
        assert all(shot.guide for shot in protocol.shots)

    def test_choices_fit_the_screen(self, path):
        for question in load_protocol(path).questions:
            assert 2 <= len(question.choices) <= 5
            for choice in question.choices:
                assert len(choice.label) <= 22
                assert choice.hint
                assert "\n" not in choice.hint

    def test_shortcuts_are_commands_and_are_refused_for_declared_faults(self, path):
        protocol = load_protocol(path)
        assert protocol.shortcut("RSC-SEALED") is not None
        for shortcut in protocol.shortcuts:
            assert shortcut.code in BY_BARCODE
            assert {"defective", "damaged_in_transit"} <= set(shortcut.unless_reasons)

    def test_nobody_is_asked_more_than_three_questions(self, path):
        protocol = load_protocol(path)
        longest = max(len(way.answers) for s in situations(protocol) for way in branches(protocol, s))
        assert longest <= 3

    def test_no_answer_is_given_beforehand(self, path):
        protocol = load_protocol(path)
        assert protocol.open_questions({}, None, ()) != ()
        way = next(branches(protocol, Situation(None, ())))
        assert all(answer.given_by == "key" for answer in way.answers)
