"""Scanned candidates against announced lines: outcome, line, serial number."""

import pytest

from station.identify.interpret import interpret
from station.identify.match import match_item
from station.identify.scan import Candidate, CandidateKind, Check
from station.inspection.facts import IdentityOutcome
from station.returns.model import CatalogueItem, ReturnLine

PHONES = CatalogueItem(
    "acme", "HP-7", "Headphones", "electronics.audio", gtins=("04006381333931",), codes=("X001ABCDEF", "B0ABCDEF12")
)
SHIRT = CatalogueItem("acme", "TS-M", "T-Shirt", "apparel.tops", gtins=("00036000291452",))
LINES = [
    (ReturnLine(1, "HP-7", 1, serial="HD7-22941"), PHONES),
    (ReturnLine(2, "TS-M", 2), SHIRT),
    (ReturnLine(3, "HP-7", 1, serial="HD7-30000"), PHONES),
    (ReturnLine(4, "MUG", 1), None),
]
MATCH, WRONG_SERIAL, UNKNOWN = IdentityOutcome.MATCH, IdentityOutcome.WRONG_SERIAL, IdentityOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("scan", "outcome", "line", "serial"),
    [
        ("4006381333931", MATCH, 0, None),
        ("]E04006381333931", MATCH, 0, None),
        ("036000291452", MATCH, 1, None),
        ("]E00036000291452", MATCH, 1, None),
        ("(01)04006381333931(21)HD7-22941", MATCH, 0, "HD7-22941"),
        ("(01)04006381333931(21)hd7-30000", MATCH, 2, "hd7-30000"),
        ("(01)04006381333931(21)HD7-99999", WRONG_SERIAL, 0, "HD7-99999"),
        ("(01)04006381333931(21)HD7-2294I", WRONG_SERIAL, 0, "HD7-2294I"),
        ("(01)00036000291452(21)S-1", MATCH, 1, "S-1"),
        ("(01)04006381333931(10)LOT1", MATCH, 0, None),
        ("https://id.gs1.org/01/04006381333931/21/HD7-30000", MATCH, 2, "HD7-30000"),
        ("HD7-30000", MATCH, 2, "HD7-30000"),
        ("S/N: HD7-30000", MATCH, 2, "HD7-30000"),
        ("X001ABCDEF", MATCH, 0, None),
        ("b0abcdef12", MATCH, 0, None),
        ("mug", MATCH, 3, None),
        ("(240)TS-M(10)7", MATCH, 1, None),
        ("4006381333930", UNKNOWN, None, None),
        ("9780201379624", UNKNOWN, None, None),
        ("(01)09780201379624(21)HD7-22941", UNKNOWN, None, "HD7-22941"),
        ("HD7-99999", UNKNOWN, None, None),
        ("RSC-CLEAN", UNKNOWN, None, None),
        ("", UNKNOWN, None, None),
    ],
)
def test_outcomes(scan: str, outcome: IdentityOutcome, line: int | None, serial: str | None) -> None:
    found = match_item(interpret(scan), LINES)
    assert (found.outcome, found.line, found.serial_found) == (outcome, line, serial)
    assert found.reason


def test_a_line_without_a_serial_number_is_preferred_by_a_bare_article_code() -> None:
    lines = [(ReturnLine(1, "HP-7", 1, serial="A"), PHONES), (ReturnLine(2, "HP-7", 1), PHONES)]
    assert match_item(interpret("4006381333931"), lines).line == 1
    assert match_item(interpret("(01)04006381333931(21)A"), lines).line == 0
    assert match_item(interpret("(01)04006381333931(21)B"), lines).line == 1


def test_the_reason_says_what_was_compared() -> None:
    wrong = match_item(interpret("(01)04006381333931(21)HD7-99999"), LINES)
    assert "'HD7-99999'" in wrong.reason
    assert "'HD7-22941'" in wrong.reason
    assert wrong.gtin == "04006381333931"
    unknown = match_item(interpret("9780201379624"), LINES)
    assert unknown.reason == "read GTIN 09780201379624; announced is SKU 'HP-7', SKU 'TS-M', SKU 'HP-7', SKU 'MUG'"


def test_a_bad_check_digit_never_matches() -> None:
    candidates = [Candidate(CandidateKind.GTIN, "04006381333931", "misread", check=Check.BAD)]
    assert match_item(candidates, LINES).outcome is UNKNOWN


def test_nothing_announced_matches_nothing() -> None:
    assert match_item(interpret("4006381333931"), []).outcome is UNKNOWN
