"""The flow's table: every pair of state and event, and random walks over it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import IllegalTransition
from station.inspection.view import State
from station.inspection.workflow import TABLE, Event, Guard, Needs, may, next_state

NOTHING = Needs(weight=False, weight_in_doubt=False, photo=False, answer=False, confirm=False)
UNIT_STATES = {State.WEIGHT, State.WEIGHT_CHECK, State.PHOTOS, State.QUESTIONS, State.CONFIRM}

needs = st.builds(
    Needs,
    weight=st.booleans(),
    weight_in_doubt=st.booleans(),
    photo=st.booleans(),
    answer=st.booleans(),
    confirm=st.booleans(),
)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_pair_either_has_a_row_or_is_refused(state: State, event: Event) -> None:
    if (state, event) in TABLE:
        assert may(state, event)
        assert isinstance(next_state(state, event, NOTHING), State)
    else:
        assert not may(state, event)
        with pytest.raises(IllegalTransition, match=event.value):
            next_state(state, event, NOTHING)


@pytest.mark.parametrize("targets", TABLE.values())
def test_every_row_ends_with_always(targets: tuple[tuple[Guard, State], ...]) -> None:
    assert targets[-1][0] is Guard.ALWAYS


def test_every_state_can_be_reached_and_left() -> None:
    reached = {target for targets in TABLE.values() for _, target in targets}
    left = {state for state, _ in TABLE}
    assert reached | {State.IDLE} == set(State)
    assert left == set(State)


@given(needs)
def test_nothing_missing_is_ever_passed_over(need: Needs) -> None:
    """The golden path stops at the first thing that is missing: a unit with an open need is never done."""
    state = next_state(State.ITEM, Event.IDENTIFIED, need)
    missing = need.weight or need.weight_in_doubt or need.photo or need.answer or need.confirm
    assert (state is State.DONE) == (not missing)


@given(st.lists(st.tuples(st.sampled_from(Event), needs), max_size=60))
def test_a_unit_is_only_confirmed_from_the_confirm_step_or_with_nothing_missing(
    steps: list[tuple[Event, Needs]],
) -> None:
    state = State.IDLE
    for event, need in steps:
        if not may(state, event):
            continue
        following = next_state(state, event, need)
        if following is State.DONE and state is not State.DONE:
            complete = need == Needs(False, False, False, False, False)
            assert complete or (state is State.CONFIRM and event is Event.CONFIRMED)
        state = following
