"""Every pair of the gates' tables, every role, and what undo and merge do to them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.gate_machine import (
    NEEDS,
    PASSES,
    STRICTNESS,
    TABLES,
    Event,
    Happening,
    Machine,
    Stand,
    Standing,
    diagram,
    fold,
    step,
    stricter,
)
from station.decision.model import Reason, Signature
from station.errors import IllegalTransition, OperatorError
from station.people.person import Role

LEADS = (Signature("ana", (Role.LEAD,)), Signature("bo", (Role.LEAD,)))
PAIRS = list(product(Machine, Stand, Happening))


def event(what: Happening, signed=LEADS) -> Event:
    return Event(what, Reason(what, f"because {what}"), signed)


@pytest.mark.parametrize(("machine", "stand", "what"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_every_pair_goes_where_its_row_says_or_is_refused(machine, stand, what):
    target = TABLES[machine].get((stand, what))
    if target is None:
        with pytest.raises(IllegalTransition):
            step(machine, stand, event(what))
        assert fold(machine, [event(what)], Standing(stand)).stand is stand
    else:
        assert step(machine, stand, event(what)) is target


SIGNED = {
    "nobody": (),
    "inspector": (Signature("ida", (Role.INSPECTOR,)),),
    "admin": (Signature("ina", (Role.ADMIN,)), Signature("ino", (Role.ADMIN,))),
    "auditor": (Signature("aud", (Role.AUDITOR,)),),
    "badge": (Signature("ana", (Role.LEAD,), proven=False), LEADS[1]),
    "lead": LEADS[:1],
    "same lead twice": (LEADS[0], LEADS[0]),
    "lead and inspector": (LEADS[0], Signature("ida", (Role.INSPECTOR,))),
    "second by badge": (LEADS[0], Signature("bo", (Role.LEAD,), proven=False)),
    "two leads": LEADS,
}
MAY = {
    Happening.PERMITTED: {"two leads"},
    Happening.DENIED: {"lead", "same lead twice", "lead and inspector", "second by badge", "two leads"},
    Happening.CONFIRMED: {"inspector", "badge", "lead", "same lead twice", "lead and inspector", "second by badge",
                          "two leads"},
}  # fmt: skip
MAY[Happening.SETTLED] = MAY[Happening.DENIED]


@pytest.mark.parametrize("who", SIGNED)
@pytest.mark.parametrize("what", list(NEEDS))
def test_only_who_may_causes_it(what, who):
    for machine, (stand, happening) in ((m, pair) for m in Machine for pair in TABLES[m]):
        if happening is not what:
            continue
        if who in MAY[what]:
            step(machine, stand, event(what, SIGNED[who]))
        else:
            with pytest.raises(OperatorError):
                step(machine, stand, event(what, SIGNED[who]))
            refused = fold(machine, [event(what, SIGNED[who])], Standing(stand, Reason("r", "why")))
            assert (refused.stand, len(refused.refused)) == (stand, 1)


@pytest.mark.parametrize("machine", list(Machine))
def test_nothing_loosens_what_was_found_but_a_right(machine):
    """From RAISED no event leads out; whatever lets a gate pass that did not is a proof or takes a right."""
    for (stand, what), target in TABLES[machine].items():
        if stand is Stand.RAISED:
            assert target is Stand.RAISED
        if stand not in PASSES and target in PASSES:
            assert what is Happening.PROVEN or what in NEEDS


def test_nobody_proves_a_recall_or_a_standing_gate_away():
    for machine in (Machine.RECALL, Machine.STANDING):
        assert not any(what in (Happening.PROVEN, Happening.PERMITTED) for _, what in TABLES[machine])


happenings = st.builds(event, st.sampled_from(Happening), st.sampled_from(list(SIGNED.values())))
histories = st.lists(happenings, max_size=12)


@given(st.sampled_from(Machine), histories, happenings)
def test_undo_is_the_shorter_history_and_merging_never_loosens(machine, history, last):
    before = fold(machine, history)
    assert fold(machine, [last], before) == fold(machine, [*history, last])
    assert fold(machine, [*history, last][:-1]) == before
    other = fold(machine, [last])
    merged = stricter(before, other)
    assert STRICTNESS.index(merged.stand) == max(STRICTNESS.index(one.stand) for one in (before, other))
    assert stricter(other, before).stand is merged.stand
    assert stricter(before, before).stand is before.stand


@given(st.sampled_from(Machine), histories)
def test_after_a_finding_nothing_passes(machine, history):
    """A FOUND anywhere in a history keeps the gate shut for ever, whoever signs."""
    start = Standing(Stand.CLEAR) if machine is Machine.RECALL else Standing(Stand.NOT_ASKED)
    assert fold(machine, [event(Happening.FOUND), *history], start).stand is Stand.RAISED


def test_the_diagram_has_every_row_that_changes_something():
    for machine in Machine:
        drawn = diagram(machine)
        rows = [(pair, target) for pair, target in TABLES[machine].items() if target is not pair[0]]
        assert len(drawn.splitlines()) == len(rows) + 2
        for (stand, what), target in rows:
            assert f"{stand} --> {target}: {what}" in drawn
    assert "unproven --> released: permitted [pass_gate]" in diagram(Machine.PERMIT)
