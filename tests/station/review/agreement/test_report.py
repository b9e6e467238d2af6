"""The report and the cards on simulated floors whose truth is known."""

from __future__ import annotations

import re
from collections import Counter

from station.review.agreement.coaching import make_card
from station.review.agreement.ratings import Ratings
from station.review.agreement.report import ALL, About, make_report
from tests.station.review.agreement.sim import GOODS, LADDER, LADDERS, LOOKS, MILD, SHARP, Eye, a_floor

EYES = dict.fromkeys(("ana", "bo", "cy", "dee"), SHARP)


BLURRED: Eye = ((0.6, 0.4, 0, 0), (0.4, 0.6, 0, 0), *SHARP[2:])
"""Cannot tell A from B."""


def words(protocol: str, question: str, choice: str) -> tuple[str, str]:
    return "How does it look?", choice.replace("_", " ")


def true_boundary(eye: Eye, at: int) -> float:
    """Scott's pi of two people with one eye at the boundary behind ``at``, from what is so and what they say."""
    good = [sum(eye[truth][: at + 1]) for truth in range(4)]
    both = sum(share * (p * p + (1 - p) * (1 - p)) for share, p in zip(GOODS, good, strict=True))
    say = sum(share * p for share, p in zip(GOODS, good, strict=True))
    chance = say * say + (1 - say) * (1 - say)
    return (both - chance) / (1 - chance)


def test_boundaries_are_found_within_their_intervals_over_seeds() -> None:
    """40 floors: the truth of each boundary lies in its 95 % interval in at least 90 % of them."""
    hits: Counter[str] = Counter()
    for seed in range(40):
        for measure in make_report(a_floor(seed, 150, EYES), LADDERS).measures:
            if measure.about is About.BOUNDARY and measure.category == ALL:
                found = measure.agreement
                assert found.low is not None
                assert found.high is not None
                at = LADDER.index(measure.name.removeprefix("standard: ")[0])
                hits[measure.name] += found.low <= true_boundary(SHARP, at) <= found.high
    assert len(hits) == 3
    assert min(hits.values()) >= 36, hits


def test_near_misses_count_less_with_weights_and_everything_is_there() -> None:
    report = make_report(a_floor(1, 300, EYES), LADDERS)
    by_about = {
        measure.about: measure.agreement.kappa for measure in report.measures if measure.category == "electronics"
    }
    plain, linear, quadratic = (
        by_about[about] or 0.0 for about in (About.GRADE, About.GRADE_LINEAR, About.GRADE_QUADRATIC)
    )
    assert plain < linear < quadratic
    assert {About.BOUNDARY, About.DEFECT, About.QUESTION} <= by_about.keys()
    assert report.basis.used == 300
    assert report.basis.method == "agreement@1"


def test_what_people_see_differently_is_named_and_no_person_is() -> None:
    report = make_report(a_floor(2, 300, dict.fromkeys(("ana", "bo"), BLURRED)), LADDERS)
    assert any("A or better" in line for line in report.text)
    assert not re.search(r"\b(ana|bo)\b", repr(report))


def test_with_little_to_go_by_the_report_says_so_and_gives_no_number() -> None:
    nothing = make_report(Ratings((), ()), LADDERS)
    assert nothing.text == ("No item was looked at by two people yet: plan some blind looks first",)
    assert nothing.measures == ()
    few = make_report(a_floor(3, 20, EYES), LADDERS)
    assert few.measures
    assert all(measure.agreement.kappa is None and measure.agreement.why for measure in few.measures)


def test_a_card_says_what_this_person_sees_otherwise_with_the_photos() -> None:
    floor = a_floor(4, 400, {**EYES, "dee": MILD}, golden=200)
    card = make_card(floor, "dee", words)
    top = next(point for point in card.points if point.question.endswith("look"))
    assert (top.own, top.others) == (LOOKS["A"], LOOKS["B"])
    assert top.times >= 10
    assert top.times <= top.of
    assert f"{top.times} of {top.of} times" in top.text
    assert "you say 'as new' where 'light wear'" in top.text
    own = {sha for own, _ in floor.of("dee") for _, sha in own.photos}
    for look in top.looks:
        assert look.photos
        assert set(look.photos) <= own
    counted = sum(
        own.answers["look"] == "as_new" and ref.answers["look"] == "light_wear" for own, ref in floor.of("dee")
    )
    assert top.times == counted
    for other in ("ana", "bo", "cy", "worst", "rank", "error"):
        assert not re.search(rf"\b{other}\b", repr(card.text))


def test_who_sees_the_same_gets_a_kind_word_and_strangers_a_plain_one() -> None:
    exact = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))
    card = make_card(a_floor(5, 100, dict.fromkeys(("ana", "bo"), exact)), "ana", words)
    assert card.points == ()
    assert card.same_grade == card.compared == 100
    assert "Thank you" in card.text[0]
    assert make_card(a_floor(5, 10, EYES), "nobody", words).text == (
        "None of your units was looked at by somebody else yet",
    )
