"""Typed and scanned answers: every entry is one choice or a plain sentence, and a number is never a float."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import InvalidInput
from station.identify.interpret import interpret
from station.inspection.entry import Expected, read_code, read_entry, read_number, shown_value
from station.inspection.protocol import Choice, Expects, Kind, NumberRule, Question, Takes

LENGTH = NumberRule("mm", 1, 0, 5_000, target=1_200, tolerance=5)
BELT = Question(
    "belt",
    "How long is it?",
    "Measure once",
    (
        Choice("right", "As sold", ranges=((1_195, 1_205),)),
        Choice("wrong", "Not as sold", ranges=((0, 1_194), (1_206, 5_000))),
        Choice("cannot_tell", "Cannot tell", "torn off"),
    ),
    kind=Kind.NUMBER,
    number=LENGTH,
)
SERIAL = Question(
    "serial",
    "Which number?",
    "As sold",
    tuple(Choice(one.value, one.value, takes=one) for one in (Takes.SAME, Takes.DIFFERENT, Takes.UNKNOWN)),
    kind=Kind.SCAN,
    expects=Expects.SERIAL,
)
GTIN = Question("gtin", "Which article?", "As sold", SERIAL.choices, kind=Kind.SCAN, expects=Expects.GTIN)
NOTE = Question("note", "What broke?", "Say", (Choice("said", "Said", takes=Takes.TEXT),), kind=Kind.TEXT, longest=20)


@pytest.mark.parametrize(
    ("typed", "choice", "value"),
    [
        ("120", "right", "1200"),
        ("120.5", "right", "1205"),
        ("120,5 mm", "right", "1205"),
        (" 120.6 ", "wrong", "1206"),
        ("0", "wrong", "0"),
        ("+119.5MM", "right", "1195"),
    ],
)
def test_a_number_becomes_steps_and_a_choice(typed: str, choice: str, value: str) -> None:
    found, kept = read_entry(BELT, typed)
    assert (found.id, kept) == (choice, value)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "nothing was typed yet: type a number like 120.0 mm"),
        ("abc", "'abc' is no number"),
        ("12.55", "finer than asked for: 1 digits after the point"),
        ("1e3", "is no number"),
        ("12.", "is no number"),
        (".5", "is no number"),
        ("١٢", "is no number"),
        ("--1", "is no number"),
        ("-1", "-1.0 mm cannot be: expected 0.0 mm to 500.0 mm"),
        ("500.1", "500.1 mm cannot be"),
        ("4006381333931", "cannot be"),
        ("9" * 40, "is no number"),
        ("12 kg", "is no number"),
        ("x" * 500, "that is no answer"),
        ("1\x00", "that is no answer"),
        ("nan", "is no number"),
    ],
)
def test_garbage_is_refused_in_plain_words(typed: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_entry(BELT, typed)
    assert said in str(caught.value)


@given(st.text(max_size=300))
def test_any_text_is_an_answer_or_a_sentence(typed: str) -> None:
    for question in (BELT, SERIAL, GTIN, NOTE):
        try:
            choice, value = read_entry(question, typed)
        except InvalidInput as error:
            said = str(error)
            assert said
        else:
            assert choice in question.choices
            assert value


@given(st.binary(max_size=300))
def test_any_code_is_an_answer_or_a_sentence(data: bytes) -> None:
    text = data.decode("utf-8", "replace").strip()
    for question in (SERIAL, GTIN, BELT):
        try:
            choice, value = read_code(question, interpret(data), text, Expected("HD7-1", ("04260123456788",)))
        except InvalidInput as error:
            said = str(error)
            assert said
        else:
            assert choice in question.choices
            assert value.isprintable()


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_what_is_shown_reads_back_as_the_same_steps(steps: int, decimals: int) -> None:
    rule = NumberRule("mm", decimals, -(10**9), 10**9)
    assert read_number(rule, rule.shown(steps)) == steps
    assert read_number(rule, rule.shown(steps).replace(".", ",")) == steps


@pytest.mark.parametrize(
    ("scanned", "serial", "choice"),
    [
        ("HD7-22941", "HD7-22941", "same"),
        ("hd7-22941", " HD7-22941 ", "same"),
        ("HD7-22914", "HD7-22941", "different"),
        ("HD7-22941", None, "unknown"),
        ("]d201042601234567882" + "1HD7-22941", "HD7-22941", "same"),
        ("]C0HD7-22941", "HD7-22941", "same"),
    ],
)
def test_a_serial_is_compared_with_the_order(scanned: str, serial: str | None, choice: str) -> None:
    bare = scanned[3:] if scanned.startswith("]") else scanned
    found, value = read_code(SERIAL, interpret(scanned), bare, Expected(serial))
    assert found.id == choice
    assert value.casefold().startswith("hd7-229")


def test_an_article_is_compared_by_its_barcode() -> None:
    own = Expected(gtins=("04260123456788",))

    def read(code: str, expected: Expected = own) -> str:
        return read_code(GTIN, interpret(code), code, expected)[0].id

    assert read("4260123456788") == "same"
    assert read("4006381333931") == "different"
    assert read("4260123456788", Expected()) == "unknown"
    with pytest.raises(InvalidInput, match="no article's barcode"):
        read("4260123456789")  # its check digit is wrong: a misread is never "another article"
    with pytest.raises(InvalidInput, match="no article's barcode"):
        read("HELLO")


def test_a_text_is_kept_tidy_and_short() -> None:
    assert read_entry(NOTE, "  the  hinge ")[1] == "the hinge"
    with pytest.raises(InvalidInput, match="at most 20"):
        read_entry(NOTE, "the hinge of the left door")


def test_a_recorded_value_reads_as_it_was_meant() -> None:
    assert shown_value(BELT, "1205") == "120.5 mm"
    assert shown_value(BELT, "what") == "what"
    assert shown_value(NOTE, "the hinge") == "the hinge"
    assert shown_value(NOTE, None) == ""
