"""A lead's act on a gate, taken at the centre: what it makes of the gates of the inspections that stand.

Decision: nothing that was recorded is edited. The recorded facts are decided again, by the rules that the record names,
with the lead's acts beside them; the tables of ``gate_machine`` say what an act may do, and only the gate that an act
names can be let go. So a finding that was wrong leaves a gate that nobody has proved where nobody had proved it.
Price: where the rules of then are not here, or the record does not hold what it was decided from, the centre lets go
nothing: the unit is inspected again.

An act counts for the inspections that stood when it was taken; what is found later is another question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import msgspec

from station.decision.again import Recorded, run_again
from station.decision.as_of import rules_as_of
from station.decision.gate_machine import Event, Happening, Machine, Stand, fold, step
from station.decision.gates import is_unproven
from station.decision.goods_dates import marked
from station.decision.model import Gate, GateAct, GateActKind, GateState, Reason
from station.decision.recall import Fit, match_recalls
from station.decision.rules import Rules
from station.errors import InvalidInput, OperatorError
from station.inspection.record import Inspection

Books: TypeAlias = Callable[[], Rules]
"""The rule files of the centre, read when first needed."""

_RECALL: Final = "recall"
_HAPPENINGS: Final = {
    GateActKind.SETTLED: Happening.SETTLED,
    GateActKind.RECALL_CONFIRMED: Happening.CONFIRMED,
    GateActKind.RECALL_DENIED: Happening.DENIED,
}
"""What a lead can do at the centre. A document belongs to the bench, where the unit is."""
_READ: Final = msgspec.json.Decoder(Inspection)


def released(
    records: Mapping[str, bytes | None], before: Mapping[str, Sequence[GateAct]], acts: Sequence[GateAct], books: Books
) -> Mapping[str, tuple[Gate, ...]]:
    """What acts make of the gates of the inspections that stand.

    Args:
        records: inspection → its record; None = erased.
        before: inspection → acts that were in force for it already, in their order.
        acts: what is asked for now, with who signed.

    Returns:
        Inspection → all gates as they are now; without those that no act concerns.

    Raises:
        OperatorError: an act that changes nothing here, or that who signed may not do; says why.
    """
    taken: dict[str, list[GateAct]] = {name: list(before.get(name, ())) for name in records}
    judged = {name: _Judged(name, payload, books) for name, payload in records.items()}
    for act in acts:
        refusals = []
        for name, one in judged.items():
            try:
                one.check(act, taken[name])
            except OperatorError as refusal:
                refusals.append(str(refusal))
            else:
                taken[name].append(act)
        if len(refusals) == len(judged):
            raise OperatorError(refusals[0])
    return {name: one.gates(taken[name]) for name, one in judged.items() if taken[name]}


class _Judged:
    """One recorded inspection, decided again when it is first asked for."""

    def __init__(self, name: str, payload: bytes | None, books: Books) -> None:
        self._name, self._payload, self._books = name, payload, books
        self._known: tuple[Inspection, Rules] | None = None

    def check(self, act: GateAct, before: Sequence[GateAct]) -> None:
        """Go on only if the act changes where its gate stands, and who signed may cause that.

        Raises:
            OperatorError: says why not.
        """
        happening = _HAPPENINGS.get(act.kind)
        if happening is None:
            raise OperatorError(f"{act.kind.value!r} is done at the bench, where the unit is")
        inspection, rules = self._read()
        event = Event(happening, Reason(act.kind.value, act.kind.value), act.signed)
        if happening is Happening.SETTLED:
            rule = rules.gates.rule(act.subject)
            if rule is None:
                raise OperatorError(f"there is no gate {act.subject!r} that a lead could let go")
            stand = _stand_of(act.subject, self.gates(before))
            if stand is not Stand.CARRIED:
                raise OperatorError(
                    f"gate {act.subject!r} of this unit is {stand.value!r}: a lead lets go only what an inspection "
                    "had found that was taken back"
                )
            step(rule.machine, stand, event)
        else:
            step(Machine.RECALL, self._notice(inspection, rules, act.subject, before), event)

    def gates(self, acts: Sequence[GateAct]) -> tuple[Gate, ...]:
        """All gates with these acts.

        Raises:
            OperatorError: it cannot be decided again.
        """
        inspection, rules = self._read()
        return _again(replace(inspection, gate_acts=(*inspection.gate_acts, *acts)), rules)

    def _notice(self, inspection: Inspection, rules: Rules, notice: str, before: Sequence[GateAct]) -> Stand:
        basis = inspection.basis
        assert basis is not None
        pack = marked(inspection.scans, basis.at.date())
        for match in match_recalls(rules.recalls, basis.item, inspection.serial_found, pack.lot, pack.made):
            if match.notice.id == notice and match.fit is Fit.POSSIBLE:
                return fold(Machine.RECALL, _of_notice(notice, (*inspection.gate_acts, *before))).stand
        raise OperatorError(f"no recall notice {notice!r} asks for a person to compare this unit")

    def _read(self) -> tuple[Inspection, Rules]:
        if self._known is None:
            self._known = self._decided_again()
        return self._known

    def _decided_again(self) -> tuple[Inspection, Rules]:
        inspect_again = "inspect the unit again"
        if self._payload is None:
            raise OperatorError(f"inspection {self._name} was erased: {inspect_again}")
        try:
            inspection = _READ.decode(self._payload)
        except msgspec.MsgspecError as error:
            raise OperatorError(f"inspection {self._name} cannot be read here: {inspect_again}") from error
        if inspection.basis is None:
            raise OperatorError(f"inspection {self._name} does not say what it was decided from: {inspect_again}")
        try:
            rules = rules_as_of(self._books(), inspection.decision.versions)
            gates = _again(inspection, rules)
        except InvalidInput as error:
            raise OperatorError(f"inspection {self._name} cannot be decided again here: {error}") from error
        if _raised(gates) != _raised(inspection.decision.gates):
            raise OperatorError(f"inspection {self._name} is decided otherwise here than at its bench: {inspect_again}")
        return inspection, rules


def _again(inspection: Inspection, rules: Rules) -> tuple[Gate, ...]:
    basis = inspection.basis
    assert basis is not None
    recorded = Recorded(inspection, basis.at, basis.merchant, basis.item, basis.authorisation)
    return run_again(recorded, rules).decision.gates


def _raised(gates: Sequence[Gate]) -> list[tuple[str, str]]:
    return sorted((gate.id, gate.reason.code) for gate in gates if gate.state is GateState.RAISED)


def _stand_of(gate_id: str, gates: Sequence[Gate]) -> Stand:
    """Where a gate stands, by what was decided of it."""
    gate = next((gate for gate in gates if gate.id == gate_id), None)
    if gate is None:
        return Stand.NOT_ASKED
    if gate.state is GateState.CLEAR:
        return Stand.CLEAR
    if gate.reason.code == f"gate_{gate_id}_carried":
        return Stand.CARRIED
    if gate.reason.code == f"gate_{gate_id}_possible":
        return Stand.POSSIBLE
    return Stand.UNPROVEN if is_unproven(gate) else Stand.RAISED


def _of_notice(notice: str, acts: Sequence[GateAct]) -> Iterator[Event]:
    yield Event(Happening.MATCHED, Reason("matched", notice))
    for act in acts:
        happening = _HAPPENINGS.get(act.kind)
        if act.subject == notice and happening is not None:
            yield Event(happening, Reason(act.kind.value, notice), act.signed)


def gate_of(act: GateAct) -> str:
    """The gate that an act can let go: a notice's acts concern the recall gate."""
    return act.subject if act.kind is GateActKind.SETTLED else _RECALL
