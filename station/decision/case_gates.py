"""The part of an inspection's JSON that gates are decided by: permissions, acts of people, dates, lot and market."""

from __future__ import annotations

from collections.abc import Iterable

from station.decision.json_table import Table, kind_of, word_of
from station.decision.model import Derogation, GateAct, GateActKind, GoodsDate, Signature
from station.errors import InvalidInput
from station.people.person import Role

GATE_KEYS = ("derogations", "gate_acts", "good_until", "lot", "made", "market")
"""Keys of the document's top that this file reads."""

_UNREADABLE = "unreadable"


def read_derogations(top: Table) -> tuple[Derogation, ...]:
    """``{"destruction_ban": {"kind", "reference", "signed_by": {person: role or roles}}}``, or only the reference."""
    return tuple(_derogation(gate, value, f"derogations.{gate}") for gate, value in top.mapping("derogations").items())


def _derogation(gate: str, value: object, where: str) -> Derogation:
    if not isinstance(value, dict):
        return Derogation(gate, str(value))
    table = Table(value, where, ("kind", "reference", "signed_by"))
    return Derogation(gate, table.text("reference", needed=True), table.text("kind"), _signed(table))


def read_acts(top: Table) -> tuple[GateAct, ...]:
    """``[{"kind", "subject", "reference", "signed_by"}]``; subject = a gate, or a recall notice's id."""
    listed = top.get("gate_acts")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise InvalidInput(f"'gate_acts' must be a list, got {kind_of(listed)}")
    tables = [
        Table(entry, f"gate_acts[{at}]", ("kind", "subject", "reference", "signed_by"))
        for at, entry in enumerate(listed)
    ]
    return tuple(
        GateAct(
            table.choice("kind", GateActKind),
            table.text("subject", needed=True),
            table.text("reference"),
            _signed(table),
        )
        for table in tables
    )


def read_dates(top: Table) -> tuple[GoodsDate, ...]:
    """``"good_until": "2027-01-31"``, or ``"unreadable"``."""
    if not top.has("good_until"):
        return ()
    if top.text("good_until") == _UNREADABLE:
        return (GoodsDate(None, "entered"),)
    moment = top.time("good_until")
    return (GoodsDate(moment.date() if moment is not None else None, "entered"),)


def _signed(table: Table) -> tuple[Signature, ...]:
    """Who signed, in the order of the document."""
    found: list[Signature] = []
    for person, held in table.mapping("signed_by").items():
        where = f"{table.at('signed_by')}.{person}"
        names: Iterable[object] = held if isinstance(held, list) else (held,)
        roles: list[Role] = []
        for name in names:
            if not isinstance(name, str):
                raise InvalidInput(f"{where!r} must be a role in quotes, got {kind_of(name)}")
            roles.append(word_of(name, Role, where))
        found.append(Signature(person, tuple(roles)))
    return tuple(found)
