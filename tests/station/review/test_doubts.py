"""Rules of doubt, and what a bench gets: flags in the case, second looks in the decision, a draw at CONFIRM."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from station.decision.decide import decide
from station.decision.model import Case, Disposition, Flip, Lever, Reason
from station.decision.rules import Rules
from station.errors import InvalidInput
from station.inspection.facts import Answer, IdentityOutcome, Photo, Skipped, WeightJudgement, WeightVerdict
from station.inspection.plausibility import COMPLETE, WEIGHT_CHECK
from station.quantities import Money
from station.review.bench import Auditing, audit, look, shipped
from station.review.doubts import CODES, close_call, doubts, read_doubts
from station.review.draw import DrawKey
from station.review.plan import Severity, read_plan
from station.review.signals import Past, Signal
from station.review.switching import Cell, Standing

BOOK = read_doubts()
WHEN = datetime(2026, 11, 3, tzinfo=UTC)
GOOD = Photo("ab" * 32, 1000, 1920, 1080, "front", WHEN, 900, 130, "camera-1")
LIGHT = WeightJudgement(WeightVerdict.TOO_LIGHT, -42_000, 288_000, 6_000, None)


def codes(found: tuple[Reason, ...]) -> list[str]:
    return [reason.code for reason in found]


def test_each_rule_speaks_and_a_clear_unit_is_let_go(case: Callable[..., Case]) -> None:
    clear = case()
    assert doubts(clear, [GOOD, replace(GOOD, sharpness=-1)], None, BOOK) == ()
    assert codes(doubts(clear, [replace(GOOD, sharpness=20)], None, BOOK)) == ["look_doubt_photo_unclear"]
    assert codes(doubts(clear, [replace(GOOD, brightness=2)], None, BOOK)) == ["look_doubt_photo_unclear"]
    assert codes(doubts(clear, [], None, BOOK)) == ["look_doubt_no_photo"]
    assert doubts(replace(clear, skipped=(Skipped("photo:front", "camera off"),)), [], None, BOOK) == ()
    assert doubts(replace(clear, identity=IdentityOutcome.MISSING), [], None, BOOK) == ()
    dear = case(paid=Money(30_000, "EUR"))
    assert codes(doubts(dear, [GOOD], GOOD.sha256, BOOK)) == ["look_doubt_serial_photo"]
    assert doubts(clear, [GOOD], GOOD.sha256, BOOK) == ()
    said = replace(clear, weight=LIGHT, answers=(*clear.answers, Answer(WEIGHT_CHECK, COMPLETE, "key")))
    assert codes(doubts(said, [GOOD], None, BOOK)) == ["look_doubt_weight_answer"]
    assert doubts(replace(said, weight=clear.weight), [GOOD], None, BOOK) == ()


def test_a_close_call_about_a_dear_unit(case: Callable[..., Case], rules: Rules) -> None:
    dear = case(paid=Money(20_000, "EUR"))
    decision = replace(
        decide(dear, rules), disposition=Disposition.RESTOCK,
        flips=(Flip(Lever.COST, 90, Disposition.LIQUIDATE, Reason("flip", "x")),
               Flip(Lever.WORK, 1, Disposition.DONATE, Reason("flip", "x"))),
    )  # fmt: skip
    found = close_call(dear, decision, BOOK)
    assert found is not None
    assert found.text == "A close call: with 0.90 EUR more cost it would be liquidate"
    assert close_call(case(paid=Money(9_000, "EUR")), decision, BOOK) is None
    far = replace(decision, flips=(Flip(Lever.COST, 101, Disposition.LIQUIDATE, Reason("flip", "x")),))
    assert close_call(dear, far, BOOK) is None
    assert set(CODES) >= {found.code}


def test_flags_reach_the_decision_and_nothing_is_said_twice(case: Callable[..., Case], rules: Rules) -> None:
    reviewing = shipped()
    clear = case()
    quiet = look(clear, reviewing, rules.reasons, [GOOD])
    assert quiet.flags == ()
    assert decide(clear, rules).second_look == ()
    again = look(clear, reviewing, rules.reasons, [GOOD], past=Past(returned_before=WHEN))
    decided = decide(replace(clear, flags=again.flags), rules)
    assert codes(decided.second_look) == ["look_signals_unit_twice"]
    assert "came back before, on 2026-11-03" in decided.second_look[0].text
    assert decided.needs_confirm
    empty = replace(clear, weight=WeightJudgement(WeightVerdict.EMPTY, -250_000, 288_000, 6_000, None))
    copied = replace(GOOD, resembles="cd" * 32)
    listed = decide(replace(empty, flags=look(empty, reviewing, rules.reasons, [copied]).flags), rules).second_look
    assert codes(listed)[:2] == ["look_signals_empty_box", "look_signals_photo_twice"]
    wrong = replace(clear, identity=IdentityOutcome.WRONG_ITEM)
    texts = [
        reason.text
        for reason in decide(
            replace(wrong, flags=look(wrong, reviewing, rules.reasons, [GOOD]).flags), rules
        ).second_look
    ]
    assert texts.count("Another article than the one announced") == 1
    serial = case(serial="A1", serial_found="B2")
    listed = decide(replace(serial, flags=look(serial, reviewing, rules.reasons, [GOOD]).flags), rules).second_look
    assert [reason.text for reason in listed if "erial" in reason.text] == ["Serial number B2 here, A1 was shipped"]
    sure = replace(reviewing, weights=replace(reviewing.weights, hits={Signal.EMPTY_BOX: (3, 8)}))
    listed = decide(replace(empty, flags=look(empty, sure, rules.reasons, [GOOD]).flags), rules).second_look
    (only,) = [reason.text for reason in listed if "please look" in reason.text]
    assert only.endswith("(such a look found something 3 of 8 times)")
    assert dict(again.versions).keys() == {"signals", "doubts"}


def test_flags_and_rules_cost_little(case: Callable[..., Case], rules: Rules) -> None:
    """CPU time of this process; ten times the half millisecond that is promised, for a busy machine."""
    reviewing, one = shipped(), case()
    began = time.process_time()
    for _ in range(200):
        look(one, reviewing, rules.reasons, [GOOD, GOOD, GOOD], past=Past(returned_before=WHEN))
    spent = (time.process_time() - began) / 200
    assert spent < 0.005


def test_the_draw_follows_the_cell() -> None:
    plan, key = read_plan(), DrawKey(bytes(32))
    watched, other = Cell("ines", "apparel", "A"), Cell("ines", "apparel", "B")
    auditing = Auditing(key, plan, {watched: Standing(Severity.EVERY)})
    assert all(audit(auditing, str(unit), watched).drawn for unit in range(50))
    drawn = [audit(auditing, str(unit), other) for unit in range(400)]
    assert {one.severity for one in drawn} == {Severity.NORMAL}
    assert 3 <= sum(one.drawn for one in drawn) <= 45
    assert drawn[0].plan == "audit@1"
    assert drawn[0].key == key.name


def test_what_is_no_book_is_refused(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "resources/review/doubts.toml").read_text(encoding="utf-8")
    for before, after, message in (
        ("brightness_to = 235", "brightness_to = 5", "to be lower"),
        ('"doubts"', '"doubt"', "kind is"),
    ):
        file = tmp_path / "doubts.toml"
        file.write_text(text.replace(before, after, 1), encoding="utf-8")
        with pytest.raises(InvalidInput, match=message):
            read_doubts(file)
