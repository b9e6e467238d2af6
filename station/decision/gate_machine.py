"""How a gate moves: one small table per kind of gate, who may cause what, and nothing besides.

A gate's stand is the fold of what happened to it, in order. Undo is the fold of a shorter history, so no row is needed
for it; two inspections of one unit that both stand keep the stricter of the two. What was *found* is never lowered by
a proof, only by taking the finding back, and a finding that was taken back after CONFIRM stays until a lead agrees.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from station.decision.model import Reason, Signature
from station.errors import IllegalTransition, OperatorError
from station.people.may import Act, permit


class Stand(StrEnum):
    """Where a gate stands."""

    NOT_ASKED = "not_asked"
    """Nothing about this unit asks for it."""
    UNPROVEN = "unproven"
    """Asked for, and nobody has proved anything: counts as raised."""
    POSSIBLE = "possible"
    """A recall notice fits; a person has to look. Counts as raised."""
    CARRIED = "carried"
    """An inspection that was taken back had found it; a lead has to agree. Counts as raised."""
    CLEAR = "clear"
    RAISED = "raised"
    RELEASED = "released"
    """Passed by a recorded permission. Counts as clear."""


class Happening(StrEnum):
    """What can happen to a gate."""

    ASKED = "asked"
    """A trait, a category or a date on the pack asks for it."""
    PROVEN = "proven"
    FOUND = "found"
    """An answer, a list, a date or another standing inspection raises it."""
    MATCHED = "matched"
    """A recall notice fits as far as the bench can tell."""
    CONFIRMED = "confirmed"
    DENIED = "denied"
    PERMITTED = "permitted"
    CARRIED = "carried"
    SETTLED = "settled"
    """A lead agrees that the finding that was taken back was wrong."""


class Machine(StrEnum):
    """Kinds of gate."""

    PROOF = "proof"
    """Cleared by a proof."""
    STANDING = "standing"
    """Nothing clears it."""
    PERMIT = "permit"
    """A recorded permission passes it."""
    RECALL = "recall"
    """One notice of a recall list against one unit."""


Table = dict[tuple[Stand, Happening], Stand]

_S, _H = Stand, Happening

_FOUND_AND_CARRIED: Table = {
    (_S.NOT_ASKED, _H.FOUND): _S.RAISED,
    (_S.RAISED, _H.FOUND): _S.RAISED,
    (_S.RAISED, _H.ASKED): _S.RAISED,
    (_S.NOT_ASKED, _H.CARRIED): _S.CARRIED,
    (_S.CARRIED, _H.CARRIED): _S.CARRIED,
    (_S.CARRIED, _H.ASKED): _S.CARRIED,
    (_S.CARRIED, _H.FOUND): _S.RAISED,
    (_S.CARRIED, _H.SETTLED): _S.NOT_ASKED,
}
_PROOF: Table = {
    **_FOUND_AND_CARRIED,
    (_S.NOT_ASKED, _H.ASKED): _S.UNPROVEN,
    (_S.UNPROVEN, _H.ASKED): _S.UNPROVEN,
    (_S.UNPROVEN, _H.PROVEN): _S.CLEAR,
    (_S.UNPROVEN, _H.FOUND): _S.RAISED,
    (_S.CLEAR, _H.PROVEN): _S.CLEAR,
    (_S.CLEAR, _H.ASKED): _S.CLEAR,
    (_S.CLEAR, _H.FOUND): _S.RAISED,
    (_S.RAISED, _H.PROVEN): _S.RAISED,
    (_S.CARRIED, _H.PROVEN): _S.CARRIED,
}

TABLES: dict[Machine, Table] = {
    Machine.PROOF: _PROOF,
    Machine.STANDING: {**_FOUND_AND_CARRIED, (_S.NOT_ASKED, _H.ASKED): _S.RAISED},
    Machine.PERMIT: {
        **_PROOF,
        (_S.UNPROVEN, _H.PERMITTED): _S.RELEASED,
        (_S.CLEAR, _H.PERMITTED): _S.CLEAR,
        (_S.RELEASED, _H.PERMITTED): _S.RELEASED,
        (_S.RELEASED, _H.ASKED): _S.RELEASED,
        (_S.RELEASED, _H.PROVEN): _S.RELEASED,
        (_S.RELEASED, _H.FOUND): _S.RAISED,
    },
    Machine.RECALL: {
        (_S.NOT_ASKED, _H.MATCHED): _S.POSSIBLE,
        (_S.POSSIBLE, _H.MATCHED): _S.POSSIBLE,
        (_S.POSSIBLE, _H.CONFIRMED): _S.RAISED,
        (_S.POSSIBLE, _H.DENIED): _S.CLEAR,
        (_S.POSSIBLE, _H.FOUND): _S.RAISED,
        (_S.CLEAR, _H.MATCHED): _S.POSSIBLE,
        (_S.CLEAR, _H.CONFIRMED): _S.RAISED,
        (_S.CLEAR, _H.DENIED): _S.CLEAR,
        (_S.CLEAR, _H.FOUND): _S.RAISED,
        (_S.RAISED, _H.MATCHED): _S.RAISED,
        (_S.RAISED, _H.CONFIRMED): _S.RAISED,
        (_S.RAISED, _H.FOUND): _S.RAISED,
    },
}
"""(stand, happening) → stand. A pair without a row is refused and changes nothing. A confirmed recall has no row that
ends it: it leaves with its notice."""

NEEDS: dict[Happening, Act] = {
    Happening.CONFIRMED: Act.INSPECT,
    Happening.DENIED: Act.DECIDE_HELD,
    Happening.SETTLED: Act.DECIDE_HELD,
    Happening.PERMITTED: Act.PASS_GATE,
}
"""What only a person may cause, and the right it takes. Anybody may make a gate stricter."""

STRICTNESS = (_S.NOT_ASKED, _S.CLEAR, _S.RELEASED, _S.UNPROVEN, _S.CARRIED, _S.POSSIBLE, _S.RAISED)
"""From loosest to strictest."""

PASSES = frozenset({Stand.NOT_ASKED, Stand.CLEAR, Stand.RELEASED})
"""Stands in which a gate forbids nothing."""


class Event(NamedTuple):
    """One thing that happened to a gate, with the sentence that it leaves."""

    what: Happening
    reason: Reason
    signed: tuple[Signature, ...] = ()


class Standing(NamedTuple):
    """Where a gate stands, since which event, and what was refused on the way."""

    stand: Stand
    reason: Reason | None = None
    refused: tuple[str, ...] = ()


UNTOUCHED = Standing(Stand.NOT_ASKED)


def step(machine: Machine, stand: Stand, event: Event) -> Stand:
    """Look up where a gate goes.

    Raises:
        IllegalTransition: no row; nothing may be changed.
        OperatorError: who signed may not cause this; says who could.
    """
    target = TABLES[machine].get((stand, event.what))
    if target is None:
        raise IllegalTransition(
            f"{event.what.value!r} is not possible for a {machine.value} gate that is {stand.value!r}"
        )
    right = NEEDS.get(event.what)
    if right is not None:
        authorise(right, event.signed)
    return target


def authorise(right: Act, signed: tuple[Signature, ...]) -> None:
    """Go on only if the signatures together carry this right.

    Raises:
        OperatorError: nobody signed, or nobody of them may.
    """
    if not signed:
        raise OperatorError(f"{right.value!r} needs a signature: say who agreed")
    first, others = signed[0], signed[1:]
    second = (others[0].person, others[0].roles) if others and others[0].proven else None
    permit(right, first.roles, person_id=first.person, proven=first.proven, second=second)


def fold(machine: Machine, events: Iterable[Event], start: Standing = UNTOUCHED) -> Standing:
    """Where a history leads. An event that may not happen leaves the gate as it was, and its refusal is kept."""
    standing = start
    for event in events:
        try:
            stand = step(machine, standing.stand, event)
        except OperatorError as refusal:  # an illegal transition is one too
            standing = Standing(standing.stand, standing.reason, (*standing.refused, str(refusal)))
            continue
        kept = stand is standing.stand and standing.reason is not None
        standing = Standing(stand, standing.reason if kept else event.reason, standing.refused)
    return standing


def stricter(one: Standing, other: Standing) -> Standing:
    """The stricter of two; the first where they are equal."""
    lead = other if STRICTNESS.index(other.stand) > STRICTNESS.index(one.stand) else one
    refused = tuple(dict.fromkeys((*one.refused, *other.refused)))
    return Standing(lead.stand, lead.reason, refused)


def diagram(machine: Machine) -> str:
    """The table as a Mermaid state diagram; rights in brackets, rows that change nothing left out."""
    lines = ["stateDiagram-v2", "    [*] --> not_asked"]
    for (stand, what), target in TABLES[machine].items():
        if target is stand:
            continue
        right = NEEDS.get(what)
        lines.append(f"    {stand} --> {target}: {what}" + (f" [{right.value}]" if right is not None else ""))
    return "\n".join(lines) + "\n"
