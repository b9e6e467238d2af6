"""The audit's switching rules, by a second reading of the standard written another way, and by its own clauses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import InvalidInput, OperatorError
from station.review.plan import Plan, Severity, read_plan
from station.review.switching import TABLE, Cell, Looked, Move, Standing, Turn, looked, standings, turned

PLAN = read_plan()
LOTS = (Turn.CLEARLY_ACCEPTED, Turn.ACCEPTED, Turn.NOT_ACCEPTED)


def test_every_pair_has_a_row_and_refused_turns_change_nothing() -> None:
    assert set(TABLE) == {(severity, turn) for severity in Severity for turn in Turn}
    refused = [pair for pair, move in TABLE.items() if move is Move.REFUSE]
    assert {severity for severity, _ in refused} == {Severity.NORMAL, Severity.TIGHTENED, Severity.REDUCED}
    for severity, turn in refused:
        with pytest.raises(OperatorError):
            turned(PLAN, Standing(severity), turn)


def by_history(results: list[bool]) -> Severity:
    """9.3.1 and 9.3.2 and 9.4 from the whole history, for lots that never count towards reduced."""
    severity, here = Severity.NORMAL, list[bool]()
    for accepted in results:
        here.append(accepted)
        if severity is Severity.NORMAL and not accepted and here[-5:].count(False) >= 2:
            severity, here = Severity.TIGHTENED, []
        elif severity is Severity.TIGHTENED and here[-5:] == [True] * 5:
            severity, here = Severity.NORMAL, []
        elif severity is Severity.TIGHTENED and here.count(False) >= 5:
            return Severity.EVERY
    return severity


@given(st.lists(st.booleans(), max_size=60))
def test_normal_and_tightened_are_what_the_history_says(results: list[bool]) -> None:
    standing = Standing()
    for accepted in results:
        standing = turned(PLAN, standing, Turn.ACCEPTED if accepted else Turn.NOT_ACCEPTED)
        if standing.severity is Severity.EVERY:
            break
    assert standing.severity is by_history(results)


def test_ten_clear_lots_reduce_and_one_merely_accepted_begins_again() -> None:
    standing = Standing()
    for _ in range(9):
        standing = turned(PLAN, standing, Turn.CLEARLY_ACCEPTED)
    assert (standing.severity, standing.score) == (Severity.NORMAL, 27)
    assert turned(PLAN, standing, Turn.CLEARLY_ACCEPTED).severity is Severity.REDUCED
    assert turned(PLAN, standing, Turn.ACCEPTED).score == 0
    reduced = turned(PLAN, standing, Turn.CLEARLY_ACCEPTED)
    assert turned(PLAN, reduced, Turn.ACCEPTED).severity is Severity.REDUCED
    assert turned(PLAN, reduced, Turn.NOT_ACCEPTED).severity is Severity.NORMAL
    assert turned(PLAN, reduced, Turn.UNSTEADY).severity is Severity.NORMAL


@given(st.lists(st.sampled_from(LOTS), max_size=80))
def test_nothing_but_a_clear_run_leads_to_reduced_and_nobody_jumps(turns: list[Turn]) -> None:
    standing, ways = Standing(), set()
    for turn in turns:
        now = turned(PLAN, standing, turn)
        ways.add((standing.severity, now.severity))
        if now.severity is Severity.REDUCED and standing.severity is Severity.NORMAL:
            assert turn is Turn.CLEARLY_ACCEPTED
            assert standing.score + 3 >= 30
        assert now.lots == standing.lots + 1
        standing = now
    allowed = {
        (Severity.NORMAL, Severity.TIGHTENED), (Severity.TIGHTENED, Severity.NORMAL),
        (Severity.NORMAL, Severity.REDUCED), (Severity.REDUCED, Severity.NORMAL), (Severity.TIGHTENED, Severity.EVERY),
    }  # fmt: skip
    assert {way for way in ways if way[0] is not way[1]} <= allowed


def test_sampling_resumes_only_after_a_run_of_right_units() -> None:
    standing = Standing(Severity.EVERY)
    for _ in range(PLAN.clearance - 1):
        standing = looked(PLAN, standing, disagrees=False)
    with pytest.raises(OperatorError, match="49 units in succession"):
        turned(PLAN, standing, Turn.RESUMED)
    again = looked(PLAN, standing, disagrees=True)
    assert again.clear == 0
    assert turned(PLAN, looked(PLAN, standing, disagrees=False), Turn.RESUMED).severity is Severity.TIGHTENED


def test_cells_do_not_touch_each_other() -> None:
    good, bad = Cell("ines", "apparel", "A"), Cell("ines", "apparel", "B")
    history = [one for _ in range(100) for one in (Looked(good), Looked(bad, disagrees=True))]
    cells = standings(PLAN, history)
    assert cells[good] == standings(PLAN, [Looked(good)] * 100)[good]
    assert (cells[good].severity, cells[bad].severity) == (Severity.NORMAL, Severity.TIGHTENED)
    assert standings(PLAN, [*history, *[Looked(bad, disagrees=True)] * 100])[bad].severity is Severity.EVERY


def test_the_shipped_numbers_and_what_is_refused(tmp_path: Path) -> None:
    numbers = {one: (PLAN.level(one).sample, PLAN.level(one).accept) for one in Severity}
    assert numbers[Severity.NORMAL] == (20, 2)
    assert numbers[Severity.TIGHTENED] == (20, 1)
    assert numbers[Severity.REDUCED] == (8, 1)
    assert PLAN.level(Severity.EVERY).share_ppm == 1_000_000
    text = (Path(__file__).parents[3] / "resources/review/sampling.toml").read_text(encoding="utf-8")
    for before, after, message in (
        ("accept = 2", "accept = 20", "rejects nothing"),
        ("share_ppm = 50_000", "share_ppm = 5_000", "must rise"),
        ("tighter_accept = 1", "tighter_accept = 3", "above the normal"),
        ('kind = "sampling"', 'kind = "signals"', "kind is 'signals'"),
    ):
        assert before in text
        file = tmp_path / "plan.toml"
        file.write_text(text.replace(before, after, 1), encoding="utf-8")
        with pytest.raises(InvalidInput, match=message):
            read_plan(file)


def test_a_plan_is_a_value() -> None:
    assert isinstance(PLAN, Plan)
    assert read_plan() == PLAN
    assert PLAN.id == "audit@1"
    assert len(PLAN.sha256) == 64
    assert replace(Standing(), score=3) != Standing()
