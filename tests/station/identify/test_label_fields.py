"""What a GS1 label says, and what it contradicts itself in."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.identify.interpret import interpret
from station.identify.label_fields import LabelFields, gs1_date, label_fields, label_fields_of_scan, together
from station.identify.scan import CandidateKind, Check

TODAY = date(2026, 3, 2)
GTIN = "09521234543213"


def read(text: str, aim: str | None = None) -> LabelFields:
    found = label_fields(text, aim, today=TODAY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "aim"),
    [
        (f"01{GTIN}1726123110L-7\x1d21HD7-22941", "]C1"),
        (f"01{GTIN}1726123110L-7\x1d21HD7-22941", "]d2"),
        (f"\x1d01{GTIN}1726123110L-7\x1d21HD7-22941", None),
        (f"(01){GTIN}(17)261231(10)L-7(21)HD7-22941", None),
        (f"https://id.gs1.org/01/{GTIN}/10/L-7/21/HD7-22941?17=261231", "]Q1"),
        (f"https://shop.example/some/path/01/{GTIN}/10/L-7/21/HD7-22941?17=261231&color=red", None),
    ],
)
def test_every_form_of_one_label_says_the_same(text: str, aim: str | None) -> None:
    expected = LabelFields(gtin=GTIN, serial="HD7-22941", lot="L-7", expiry=date(2026, 12, 31))
    assert read(text, aim) == expected


def test_a_scan_brings_its_aim_identifier_along() -> None:
    scan = f"]d201{GTIN}21HD7\x1d11250131".encode()
    assert label_fields_of_scan(scan, today=TODAY) == LabelFields(gtin=GTIN, serial="HD7", produced=date(2025, 1, 31))
    assert label_fields_of_scan(b"]E04006381333931", today=TODAY) is None


@pytest.mark.parametrize(
    "text", ["", "hello", "4006381333931", "(01)", "https://example.org/a", "]", "(21)" + "x" * 40]
)
def test_what_is_no_gs1_data_has_no_fields(text: str) -> None:
    assert label_fields(text, None, today=TODAY) is None


@pytest.mark.parametrize(
    ("ai", "name", "field", "values"),
    [
        ("21", "serial number", "serial", ("A1", "B2")),
        ("10", "lot", "lot", ("A1", "B2")),
        ("17", "expiry date", "expiry", ("261231", "270131")),
        ("15", "best-before date", "best_before", ("261231", "270131")),
        ("11", "production date", "produced", ("250101", "250102")),
        ("01", "GTIN", "gtin", (GTIN, "04006381333931")),
    ],
)
def test_a_field_given_twice_is_taken_from_neither(ai: str, name: str, field: str, values: tuple[str, str]) -> None:
    first, second = values
    twice = read(f"({ai}){first}({ai}){second}(30)5")
    assert getattr(twice, field) is None
    assert len(twice.problems) == 1
    for part in (name, repr(first), repr(second)):
        assert part in twice.problems[0]
    # the same value twice is no contradiction: the negative control
    same = read(f"({ai}){first}({ai}){first}(30)5")
    assert getattr(same, field) is not None
    assert same.problems == ()


def test_the_scan_with_two_serial_numbers_offers_none() -> None:
    candidates = interpret(f"(01){GTIN}(21)A1(21)B2")
    assert [one.kind for one in candidates] == [CandidateKind.GS1, CandidateKind.GTIN]
    assert candidates[0].check is Check.BAD
    assert "(21) is there twice" in candidates[0].reason
    same = interpret(f"(01){GTIN}(21)A1(21)A1")
    assert [one.key for one in same if one.kind is CandidateKind.SERIAL] == ["A1"]


def test_a_gtin_with_a_wrong_check_digit_is_not_taken() -> None:
    found = read("010952123454321421HD7", "]C1")
    assert found.gtin is None
    assert found.serial == "HD7"
    assert "expected 3" in found.problems[0]


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("260302", date(2026, 3, 2)),
        ("260200", date(2026, 2, 28)),
        ("280200", date(2028, 2, 29)),
        ("261200", date(2026, 12, 31)),
        ("760101", date(2076, 1, 1)),
        ("770101", date(1977, 1, 1)),
        ("990101", date(1999, 1, 1)),
        ("000101", date(2000, 1, 1)),
        ("260230", None),
        ("261301", None),
        ("260001", None),
        ("26123", None),
        ("２６１２３１", None),
    ],
)
def test_dates(digits: str, expected: date | None) -> None:
    assert gs1_date(digits, TODAY) == expected


def test_late_in_a_century_the_window_reaches_into_the_next() -> None:
    assert gs1_date("010101", date(2080, 1, 1)) == date(2101, 1, 1)
    assert gs1_date("310101", date(2080, 1, 1)) == date(2031, 1, 1)
    assert gs1_date("300101", date(2080, 1, 1)) == date(2130, 1, 1)


@given(st.dates(date(2001, 1, 1), date(2100, 12, 31)), st.integers(-49, 50))
def test_any_year_from_49_back_to_50_ahead_is_read_as_itself(today: date, away: int) -> None:
    meant = date(today.year + away, 5, 17)
    assert gs1_date(meant.strftime("%y%m%d"), today) == meant


def test_a_date_that_does_not_exist_is_named() -> None:
    found = read(f"01{GTIN}17260230", "]C1")
    assert found.expiry is None
    assert "'260230'" in found.problems[0]


@pytest.mark.parametrize(
    ("elements", "milligrams"),
    [
        ("(3103)001750", 1_750_000),
        ("(3100)000002", 2_000_000),
        ("(3105)000001", 10),
        ("(3202)000100", 453_592),
        ("(3570)000016", 453_592),
        ("(3103)001750(3202)000386", 1_750_000),
    ],
)
def test_net_weight(elements: str, milligrams: int) -> None:
    assert read(f"(01){GTIN}{elements}").net_weight_mg == milligrams


def test_two_different_net_weights_are_none() -> None:
    found = read(f"(01){GTIN}(3103)001750(3103)001760")
    assert found.net_weight_mg is None
    assert "weigh it" in found.problems[0]


def test_several_codes_on_one_label_complete_each_other_and_contradict_each_other() -> None:
    article, serial = LabelFields(gtin=GTIN), LabelFields(gtin=GTIN, serial="A1")
    assert together([article, serial]) == LabelFields(gtin=GTIN, serial="A1")
    found = together([serial, LabelFields(serial="B2", lot="7"), LabelFields(serial="A1")])
    assert (found.serial, found.lot, found.gtin) == (None, "7", GTIN)
    assert "'A1' and 'B2'" in found.problems[0]
    assert together([]) == LabelFields()


@given(st.text(max_size=60), st.sampled_from([None, "]C1", "]d2", "]Q3", "]e0", "]Q1", "]E0"]))
def test_any_text_is_read_or_refused(text: str, aim: str | None) -> None:
    found = label_fields(text, aim, today=TODAY)
    assert found is None or isinstance(found, LabelFields)
