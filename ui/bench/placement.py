"""Which action stands where, and which panels a state shows. Pure: a table over the view, no widget."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from station.identify.commands import Command
from station.inspection.view import BenchView, State

CHOICES = (Command.CHOICE_1, Command.CHOICE_2, Command.CHOICE_3, Command.CHOICE_4, Command.CHOICE_5)
SHORTCUTS = (Command.CLEAN, Command.SEALED)
BAR = (Command.BACK, Command.UNDO, Command.SECOND_LOOK, Command.HELP)
"""Always at the foot of the screen, always in this order."""


class Stage(StrEnum):
    """What the middle shows: the one thing to do now."""

    READY = "ready"
    COMPARE = "compare"
    LIVE = "live"
    ASK = "ask"
    DECISION = "decision"


class Side(StrEnum):
    """What the right column shows."""

    RECENT = "recent"
    WAYS = "ways"
    EVIDENCE = "evidence"
    RESULT = "result"


_SHOWS = {
    State.IDLE: (Stage.READY, Side.RECENT),
    State.ITEM: (Stage.READY, Side.WAYS),
    State.MISMATCH: (Stage.COMPARE, Side.WAYS),
    State.WEIGHT: (Stage.LIVE, Side.EVIDENCE),
    State.WEIGHT_CHECK: (Stage.LIVE, Side.EVIDENCE),
    State.PHOTOS: (Stage.LIVE, Side.EVIDENCE),
    State.QUESTIONS: (Stage.ASK, Side.EVIDENCE),
    State.CONFIRM: (Stage.DECISION, Side.RESULT),
    State.DONE: (Stage.DECISION, Side.RESULT),
}

_MAIN = {State.CONFIRM: Command.CONFIRM}
"""The one button that is filled."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where everything of one view goes."""

    stage: Stage
    side: Side
    has_item: bool
    """The left column with the item's card is shown."""
    answers: tuple[Command, ...]
    """In the middle, as large as a glove needs."""
    foot: tuple[Command, ...]
    """A row at the foot of the middle card."""
    column: tuple[Command, ...]
    """In the right column, one below the other."""
    bar: tuple[Command, ...]
    """At the foot of the screen."""
    main: Command | None


def place(view: BenchView) -> Placement:
    """Give each action of a view exactly one place; none is left out, none is added but HELP."""
    stage, side = _SHOWS[view.state]
    given = tuple(dict.fromkeys(view.actions))
    choices = len(view.question.buttons) if view.question is not None else 0
    answers = tuple(command for command in CHOICES[:choices] if command in given)
    if view.question is not None and view.question.is_entered and stage is Stage.ASK and Command.CONFIRM in given:
        answers = (Command.CONFIRM, *answers)
    foot: tuple[Command, ...] = ()
    if stage is Stage.LIVE:
        foot = tuple(command for command in (Command.PHOTO, Command.SKIP) if command in given)
    elif view.state is State.IDLE:
        foot = tuple(command for command in given if command not in BAR and command not in answers)
    elif stage is Stage.ASK:
        answers += tuple(command for command in SHORTCUTS if command in given)
    elsewhere = {*answers, *foot, *BAR}
    return Placement(
        stage=stage,
        side=side,
        has_item=view.item is not None and view.state is not State.IDLE,
        answers=answers,
        foot=foot,
        column=tuple(command for command in given if command not in elsewhere),
        bar=tuple(command for command in BAR if command in given or command is Command.HELP),
        main=_MAIN.get(view.state) if _MAIN.get(view.state) in given else None,
    )
