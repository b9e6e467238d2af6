"""Every action has exactly one place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from station.identify.commands import Command
from station.inspection.view import BenchView, State
from ui.bench.gallery_views import VIEWS
from ui.bench.placement import Placement, place


def _placed(placement: Placement) -> list[Command]:
    return [*placement.answers, *placement.foot, *placement.column, *placement.bar]


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_the_fixtures_actions_stand_once(view: BenchView) -> None:
    placed = _placed(place(view))
    assert len(placed) == len(set(placed))
    assert set(placed) == {*view.actions, Command.HELP}


@pytest.mark.parametrize("state", State)
def test_no_action_is_lost_whatever_the_desk_offers(state: State) -> None:
    """A newer desk may offer anything anywhere; the screen shows it."""
    base = next((view for view in VIEWS.values() if view.state is state), VIEWS["01-idle"])
    view = replace(base, state=state, actions=tuple(Command))
    placed = _placed(place(view))
    assert len(placed) == len(set(placed))
    assert set(placed) == set(Command)


def test_the_gallery_shows_every_state() -> None:
    assert {view.state for view in VIEWS.values()} == set(State)
