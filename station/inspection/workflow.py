"""The one table of the flow: what may happen in which state, and what comes next.

Each row is (state, event) → the first target whose guard holds. A pair without a row raises ``IllegalTransition`` and
changes nothing. No other file knows what comes next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from station.errors import Defect, IllegalTransition
from station.inspection.view import State


class Event(StrEnum):
    """What can happen to the unit on the bench."""

    PARCEL_OPENED = "parcel_opened"
    IDENTIFIED = "identified"
    MISMATCHED = "mismatched"
    MISMATCH_DROPPED = "mismatch_dropped"
    """The inspector put the wrong thing aside; the right item is awaited again."""
    WEIGHED = "weighed"
    WEIGH_AGAIN = "weigh_again"
    WEIGHT_EXPLAINED = "weight_explained"
    PHOTOGRAPHED = "photographed"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    SECOND_LOOK = "second_look"
    SERIAL_SEEN = "serial_seen"
    GATE_ACTED = "gate_acted"
    """A document, a recall notice that was compared, a lead who agrees."""
    PERMITTED = "permitted"
    CONFIRMED = "confirmed"


class Guard(StrEnum):
    """A question about the draft *after* the event; the table needs no more than these."""

    ALWAYS = "always"
    NEEDS_WEIGHT = "needs_weight"
    WEIGHT_IN_DOUBT = "weight_in_doubt"
    NEEDS_PHOTO = "needs_photo"
    NEEDS_ANSWER = "needs_answer"
    NEEDS_CONFIRM = "needs_confirm"


@dataclass(frozen=True, slots=True)
class Needs:
    """The draft's answers to the guards."""

    weight: bool
    weight_in_doubt: bool
    photo: bool
    answer: bool
    confirm: bool

    def holds(self, guard: Guard) -> bool:
        return {
            Guard.ALWAYS: True,
            Guard.NEEDS_WEIGHT: self.weight,
            Guard.WEIGHT_IN_DOUBT: self.weight_in_doubt,
            Guard.NEEDS_PHOTO: self.photo,
            Guard.NEEDS_ANSWER: self.answer,
            Guard.NEEDS_CONFIRM: self.confirm,
        }[guard]


Target = tuple[Guard, State]

_FORWARD: tuple[Target, ...] = (
    (Guard.NEEDS_WEIGHT, State.WEIGHT),
    (Guard.WEIGHT_IN_DOUBT, State.WEIGHT_CHECK),
    (Guard.NEEDS_PHOTO, State.PHOTOS),
    (Guard.NEEDS_ANSWER, State.QUESTIONS),
    (Guard.NEEDS_CONFIRM, State.CONFIRM),
    (Guard.ALWAYS, State.DONE),
)
"""The golden path: the first thing that is still missing."""


def _stay(state: State) -> tuple[Target, ...]:
    return ((Guard.ALWAYS, state),)


TABLE: dict[tuple[State, Event], tuple[Target, ...]] = {
    (State.IDLE, Event.PARCEL_OPENED): _stay(State.ITEM),
    (State.ITEM, Event.IDENTIFIED): _FORWARD,
    (State.ITEM, Event.MISMATCHED): _stay(State.MISMATCH),
    (State.MISMATCH, Event.IDENTIFIED): _FORWARD,
    (State.MISMATCH, Event.MISMATCHED): _stay(State.MISMATCH),
    (State.MISMATCH, Event.MISMATCH_DROPPED): _stay(State.ITEM),
    (State.WEIGHT, Event.WEIGHED): _FORWARD,
    (State.WEIGHT, Event.SKIPPED): _FORWARD,
    (State.WEIGHT, Event.ANSWERED): _stay(State.WEIGHT),
    (State.WEIGHT, Event.SECOND_LOOK): _stay(State.WEIGHT),
    (State.WEIGHT, Event.SERIAL_SEEN): _stay(State.WEIGHT),
    (State.WEIGHT, Event.GATE_ACTED): _stay(State.WEIGHT),
    (State.WEIGHT, Event.PERMITTED): _stay(State.WEIGHT),
    (State.WEIGHT_CHECK, Event.WEIGHT_EXPLAINED): _FORWARD,
    (State.WEIGHT_CHECK, Event.WEIGH_AGAIN): _stay(State.WEIGHT),
    (State.WEIGHT_CHECK, Event.SECOND_LOOK): _stay(State.WEIGHT_CHECK),
    (State.WEIGHT_CHECK, Event.SERIAL_SEEN): _stay(State.WEIGHT_CHECK),
    (State.WEIGHT_CHECK, Event.GATE_ACTED): _stay(State.WEIGHT_CHECK),
    (State.WEIGHT_CHECK, Event.PERMITTED): _stay(State.WEIGHT_CHECK),
    (State.PHOTOS, Event.PHOTOGRAPHED): _FORWARD,
    (State.PHOTOS, Event.SKIPPED): _FORWARD,
    (State.PHOTOS, Event.ANSWERED): _stay(State.PHOTOS),
    (State.PHOTOS, Event.SECOND_LOOK): _stay(State.PHOTOS),
    (State.PHOTOS, Event.SERIAL_SEEN): _stay(State.PHOTOS),
    (State.PHOTOS, Event.GATE_ACTED): _stay(State.PHOTOS),
    (State.PHOTOS, Event.PERMITTED): _stay(State.PHOTOS),
    (State.QUESTIONS, Event.ANSWERED): _FORWARD,
    (State.QUESTIONS, Event.PHOTOGRAPHED): _stay(State.QUESTIONS),
    (State.QUESTIONS, Event.SECOND_LOOK): _stay(State.QUESTIONS),
    (State.QUESTIONS, Event.SERIAL_SEEN): _stay(State.QUESTIONS),
    (State.QUESTIONS, Event.GATE_ACTED): _stay(State.QUESTIONS),
    (State.QUESTIONS, Event.PERMITTED): _stay(State.QUESTIONS),
    (State.CONFIRM, Event.CONFIRMED): _stay(State.DONE),
    (State.CONFIRM, Event.PHOTOGRAPHED): _stay(State.CONFIRM),
    (State.CONFIRM, Event.SECOND_LOOK): _stay(State.CONFIRM),
    (State.CONFIRM, Event.SERIAL_SEEN): _stay(State.CONFIRM),
    (State.CONFIRM, Event.GATE_ACTED): _stay(State.CONFIRM),
    (State.CONFIRM, Event.PERMITTED): _stay(State.CONFIRM),
    (State.DONE, Event.IDENTIFIED): _FORWARD,
    (State.DONE, Event.MISMATCHED): _stay(State.MISMATCH),
    (State.DONE, Event.PARCEL_OPENED): _stay(State.ITEM),
}
"""ANSWERED at WEIGHT and PHOTOS: a shortcut scanned ahead of time is kept and nobody has to wait for the camera."""


def may(state: State, event: Event) -> bool:
    """Say whether the table has a row."""
    return (state, event) in TABLE


def next_state(state: State, event: Event, needs: Needs) -> State:
    """Look up what comes next.

    Args:
        needs: guards of the draft with the event already applied.

    Raises:
        IllegalTransition: no row for this pair; nothing may be changed.
    """
    targets = TABLE.get((state, event))
    if targets is None:
        raise IllegalTransition(f"{event.value!r} is not possible while the bench waits at {state.value!r}")
    for guard, target in targets:
        if needs.holds(guard):
            return target
    raise Defect(f"no target for {event.value!r} at {state.value!r}: a row must end with ALWAYS")
