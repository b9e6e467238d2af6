"""What a weight says about the contents: expected ± tolerance, and never finer than the scale can show.

The machine measures and asks; it accuses nobody. Where it disagrees it hands the inspector one ready question
(:func:`weight_question`), whose answer the decision understands.
"""

from __future__ import annotations

from collections.abc import Sequence

from station.inspection.facts import WeightJudgement, WeightReading, WeightVerdict
from station.inspection.protocol import Choice, Question
from station.inspection.weight.expected import DEFAULT_BUDGET, expected_of
from station.inspection.weight.explain import PACKAGING, Contents, OtherArticle, explain
from station.inspection.weight.learned import LearnedMass
from station.quantities import format_mass
from station.returns.model import CatalogueItem

WEIGHT_CHECK = "weight_check"
"""Id of the question that a disagreeing weight puts; it belongs to no protocol and every decision understands it."""

COMPLETE, PART_MISSING, SOMETHING_ELSE, EMPTY_BOX = "complete", "part_missing", "something_else", "empty_box"

_LEAST_MG = 5_000
_SHARE_BP = 200
_EMPTY_BP = 1_500


def tolerance_for(item: CatalogueItem, interval_mg: int) -> int | None:
    """Half width of the plausible range in milligrams: the catalogue's, or max(5 g, 2 %, 2 d).

    None = no expected mass is known.
    """
    if item.mass_mg is None or item.mass_mg <= 0:
        return None
    if item.mass_tolerance_mg is not None and item.mass_tolerance_mg >= 0:
        return item.mass_tolerance_mg
    return max(_LEAST_MG, item.mass_mg * _SHARE_BP // 10_000, 2 * max(interval_mg, 0))


def judge_weight(reading: WeightReading, item: CatalogueItem | None) -> WeightJudgement:
    """Compare an accepted indication with what the catalogue expects.

    The indication stands for a mass within one scale interval *d* of it. Where *d* is coarser than the tolerance, a
    difference of up to tolerance + *d* proves nothing either way, and the answer is *cannot tell*.

    Args:
        reading: an accepted, settled indication.
        item: the article; None = unknown.

    Returns:
        The verdict. ``missing_part`` names an accessory only where exactly one explains the difference.
    """
    expected = None if item is None else item.mass_mg
    interval = reading.interval_mg
    tolerance = None if item is None else tolerance_for(item, interval)
    if item is None or expected is None or tolerance is None:
        return WeightJudgement(WeightVerdict.CANNOT_TELL, None, None, None, None)
    difference = reading.gross_mg - expected
    if interval <= 0 or reading.gross_mg < 0:
        return WeightJudgement(WeightVerdict.CANNOT_TELL, difference, expected, tolerance, None)
    off = abs(difference)
    if interval > tolerance and off <= tolerance + interval:
        return WeightJudgement(WeightVerdict.CANNOT_TELL, difference, expected, tolerance, None)
    if off <= tolerance:
        return WeightJudgement(WeightVerdict.PLAUSIBLE, difference, expected, tolerance, None)
    if difference > 0:
        return WeightJudgement(WeightVerdict.TOO_HEAVY, difference, expected, tolerance, None)
    width = max(tolerance, interval)
    if reading.gross_mg * 10_000 < expected * _EMPTY_BP or _only_packaging(reading.gross_mg, item, width):
        return WeightJudgement(WeightVerdict.EMPTY, difference, expected, tolerance, None)
    return WeightJudgement(
        WeightVerdict.TOO_LIGHT, difference, expected, tolerance, _missing_part(-difference, item, width)
    )


def judge_learned(
    reading: WeightReading,
    item: CatalogueItem,
    learned: LearnedMass | None,
    others: Sequence[tuple[CatalogueItem, LearnedMass | None]] = (),
    budget: float = DEFAULT_BUDGET,
) -> WeightJudgement:
    """Like :func:`judge_weight`, with what was learned of this article and of the others in the same order.

    Args:
        reading: an accepted, settled indication.
        item: the article.
        learned: its mass as learned; None = too few units yet, so the catalogue's tolerance decides.
        others: other articles of the same order with what was learned of them.
        budget: share of complete units that may be doubted.
    """
    plain = judge_weight(reading, item)
    in_order = plain.verdict in (WeightVerdict.PLAUSIBLE, WeightVerdict.CANNOT_TELL)
    if learned is None and (in_order or plain.missing_part is not None or not others):
        return plain
    expected = expected_of(item, learned)
    known = [
        OtherArticle(other.sku, own)
        for other, mass in others
        if other.sku != item.sku and (own := expected_of(other, mass)) is not None
    ]
    found = explain(reading.gross_mg, reading.interval_mg, item, expected, known, budget)
    if expected is None or found.difference_mg is None:
        return plain
    if learned is None and found.contents is not Contents.SWAPPED:
        return plain  # the catalogue's own tolerance decides; only which article it is was open
    verdict = _verdict(found.contents, found.difference_mg)
    part = " and ".join(found.what) if found.contents is Contents.MISSING_PART and found.what else None
    fits = found.what[0] if found.contents is Contents.SWAPPED else None
    return WeightJudgement(
        verdict, found.difference_mg, expected.mass_mg, found.doubt_from_mg, part, fits, learned_from=expected.count
    )


def _verdict(contents: Contents, difference_mg: int) -> WeightVerdict:
    """The recorded word. It stays one of those that every station and centre of two releases knows."""
    match contents:
        case Contents.PLAUSIBLE:
            return WeightVerdict.PLAUSIBLE
        case Contents.CANNOT_TELL:
            return WeightVerdict.CANNOT_TELL
        case Contents.EMPTY:
            return WeightVerdict.EMPTY
        case _:
            return WeightVerdict.TOO_LIGHT if difference_mg < 0 else WeightVerdict.TOO_HEAVY


def _only_packaging(gross_mg: int, item: CatalogueItem, width_mg: int) -> bool:
    masses = [mass for name, mass in item.accessories if name == PACKAGING and mass > 0]
    return any(abs(gross_mg - mass) <= width_mg for mass in masses)


def _missing_part(lacking_mg: int, item: CatalogueItem, width_mg: int) -> str | None:
    """The one accessory whose absence fits; none where two fit or where the tolerance swallows it."""
    fitting = {
        name
        for name, mass in item.accessories
        if name != PACKAGING and mass > width_mg and abs(lacking_mg - mass) <= width_mg
    }
    return fitting.pop() if len(fitting) == 1 else None


def weight_sentence(judgement: WeightJudgement) -> str:
    """One plain sentence; it measures and asks, and accuses nobody."""
    difference = judgement.difference_mg
    amount = format_mass(abs(difference)) if difference is not None else ""
    than = f"the last {judgement.learned_from} in order" if judgement.learned_from else "expected"
    match judgement.verdict:
        case WeightVerdict.PLAUSIBLE:
            return "Weight as expected"
        case WeightVerdict.TOO_LIGHT | WeightVerdict.TOO_HEAVY if judgement.fits is not None:
            return f"Weighs like {judgement.fits} of the same order: which one is inside?"
        case WeightVerdict.TOO_LIGHT if judgement.missing_part is not None:
            return f"{amount} lighter than {than}: is the {judgement.missing_part} inside?"
        case WeightVerdict.TOO_LIGHT:
            return f"{amount} lighter than {than}: is everything inside?"
        case WeightVerdict.TOO_HEAVY:
            return f"{amount} heavier than {than}: is something else inside?"
        case WeightVerdict.EMPTY:
            return "Weighs like empty packaging: please look inside"
        case WeightVerdict.CANNOT_TELL:
            return "The weight cannot tell: no expected weight, or the scale is too coarse"


def weight_question(judgement: WeightJudgement) -> Question:
    """The question that a disagreeing weight puts, to be shown like any other; the answer's id is ``weight_check``."""
    part = judgement.missing_part
    missing = Choice(
        PART_MISSING, "A part is missing", f"the {part} is not there" if part else "something that belongs is not there"
    )
    complete = Choice(COMPLETE, "All there", "looked inside: nothing lacks, nothing extra")
    something = Choice(SOMETHING_ELSE, "Something else", "another article, or extra things inside")
    empty = Choice(EMPTY_BOX, "Nothing inside", "packaging only")
    order = {
        WeightVerdict.TOO_HEAVY: (something, complete, missing, empty),
        WeightVerdict.EMPTY: (empty, missing, something, complete),
    }.get(WeightVerdict.TOO_HEAVY if judgement.fits else judgement.verdict, (missing, complete, something, empty))
    return Question(WEIGHT_CHECK, weight_sentence(judgement), "The scale cannot see inside: you can", order)
