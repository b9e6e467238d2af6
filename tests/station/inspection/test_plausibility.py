"""What a weight says, and when it says nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.inspection.facts import StableSource, WeightJudgement, WeightReading, WeightVerdict
from station.inspection.plausibility import (
    WEIGHT_CHECK,
    judge_weight,
    tolerance_for,
    weight_question,
    weight_sentence,
)
from station.returns.model import CatalogueItem

V = WeightVerdict
G = 1_000
PARTS = (("charging case", 42 * G), ("cable", 18 * G), ("packaging", 70 * G))


def reading(gross_mg: int, interval_mg: int = G) -> WeightReading:
    at = datetime(2026, 7, 22, tzinfo=UTC)
    return WeightReading(gross_mg, StableSource.SCALE, "g", interval_mg, b"S S 1 g\r\n", "scale-1", at)


def item(mass_mg: int | None = 288 * G, tolerance_mg: int | None = 6 * G, accessories=PARTS) -> CatalogueItem:
    return CatalogueItem(
        "m", "s", "t", "electronics.audio", mass_mg=mass_mg, mass_tolerance_mg=tolerance_mg, accessories=accessories
    )


@pytest.mark.parametrize(
    ("gross", "verdict", "part"),
    [
        (286 * G, V.PLAUSIBLE, None),
        (294 * G, V.PLAUSIBLE, None),
        (282 * G, V.PLAUSIBLE, None),
        (294 * G + 1, V.TOO_HEAVY, None),
        (282 * G - 1, V.TOO_LIGHT, None),
        (246 * G, V.TOO_LIGHT, "charging case"),
        (270 * G, V.TOO_LIGHT, "cable"),
        (228 * G, V.TOO_LIGHT, None),  # both parts: no one part explains it
        (43 * G, V.EMPTY, None),  # under 15 %
        (44 * G, V.TOO_LIGHT, None),
        (70 * G, V.EMPTY, None),  # the packaging alone
        (76 * G, V.EMPTY, None),
        (77 * G, V.TOO_LIGHT, None),
        (0, V.EMPTY, None),
        (-1 * G, V.CANNOT_TELL, None),
    ],
)
def test_verdicts_on_a_fine_scale(gross, verdict, part):
    judgement = judge_weight(reading(gross), item())
    assert (judgement.verdict, judgement.missing_part) == (verdict, part)
    assert (judgement.difference_mg, judgement.expected_mg, judgement.tolerance_mg) == (gross - 288 * G, 288 * G, 6 * G)


def test_two_parts_that_both_fit_name_none():
    twins = item(accessories=(("cable", 18 * G), ("strap", 20 * G)))
    assert judge_weight(reading(269 * G), twins).missing_part is None
    assert judge_weight(reading(269 * G), item(accessories=(("cable", 18 * G),))).missing_part == "cable"


def test_a_part_lighter_than_the_tolerance_is_never_named():
    light = item(accessories=(("leaflet", 6 * G),))
    assert judge_weight(reading(281 * G), light).missing_part is None


@pytest.mark.parametrize(
    ("mass", "interval", "tolerance"),
    [(100 * G, G, 5 * G), (1_000 * G, G, 20 * G), (100 * G, 10 * G, 20 * G), (288_333, 1, 5_766)],
)
def test_without_a_tolerance_it_is_five_grams_two_percent_or_two_intervals(mass, interval, tolerance):
    assert tolerance_for(item(mass, None), interval) == tolerance


@pytest.mark.parametrize("unknown", [None, item(None), item(0), item(-5)])
def test_without_an_expected_mass_nothing_is_told(unknown):
    assert judge_weight(reading(10 * G), unknown).verdict is V.CANNOT_TELL


@pytest.mark.parametrize(
    ("gross", "verdict"),
    [
        (100 * G, V.CANNOT_TELL),  # even "as expected" proves nothing finer than the step
        (110 * G, V.CANNOT_TELL),
        (112 * G, V.CANNOT_TELL),
        (113 * G, V.TOO_HEAVY),
        (90 * G, V.CANNOT_TELL),
        (87 * G, V.TOO_LIGHT),
        (0, V.EMPTY),
    ],
)
def test_a_scale_coarser_than_the_tolerance_never_judges_below_its_step(gross, verdict):
    assert judge_weight(reading(gross, 10 * G), item(100 * G, 2 * G, ())).verdict is verdict


def test_an_interval_of_nothing_is_no_scale():
    assert judge_weight(reading(100 * G, 0), item(100 * G, 2 * G)).verdict is V.CANNOT_TELL


@given(
    st.integers(1, 5_000 * G),
    st.none() | st.integers(0, 500 * G),
    st.integers(1, 50 * G),
    st.integers(-(50 * G), 6_000 * G),
)
def test_a_difference_within_the_step_is_never_called_light_heavy_or_empty(mass, tolerance, interval, gross):
    judgement = judge_weight(reading(gross, interval), item(mass, tolerance))
    if abs(gross - mass) <= interval:
        assert judgement.verdict in (V.PLAUSIBLE, V.CANNOT_TELL)
    if judgement.verdict is V.TOO_HEAVY:
        assert gross > mass
    if judgement.verdict in (V.TOO_LIGHT, V.EMPTY):
        assert gross < mass
    if judgement.missing_part is not None:
        part = dict(PARTS)[judgement.missing_part]
        assert abs((mass - gross) - part) <= max(judgement.tolerance_mg, interval)


@pytest.mark.parametrize("verdict", list(V))
def test_every_verdict_has_a_sentence_and_a_question(verdict):
    judgement = WeightJudgement(verdict, -42 * G, 288 * G, 6 * G, None)
    assert weight_sentence(judgement)
    question = weight_question(judgement)
    assert question.id == WEIGHT_CHECK
    assert len({choice.id for choice in question.choices}) == 4
    assert all(len(choice.label) <= 22 for choice in question.choices)


def test_the_sentence_asks_for_the_part():
    judgement = judge_weight(reading(246 * G), item())
    assert weight_sentence(judgement) == "42 g lighter than expected: is the charging case inside?"
    assert weight_question(judgement).choices[0].hint == "the charging case is not there"
