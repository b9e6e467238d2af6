"""Count entries into figures and queue: what the follower, a late entry and a rebuild have in common.

What is known of one inspection (``State``) is joined from entries; joining is commutative and idempotent. A change of
state changes the cells by *after − before*. So it does not matter in which order entries come, whether one comes twice
(a replay of the journal beside the follower does that), or how many benches speak of the same inspection: the row of
``figure_units`` is locked while its state changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from station.inspection.record import InspectionVoided, ParcelClosed, ParcelOpened, ParcelParked
from sync.server.facts import Inspected
from sync.server.figures import cells, waiting
from sync.server.figures.counting import CORRECTED, VOIDED, Cells, State, refund_token
from sync.server.figures.unit import Unit, unit_of
from sync.server.storage import Database
from sync.server.storage.rows_figures import figure_units

COUNTED: Final = (Inspected, InspectionVoided, ParcelOpened, ParcelClosed, ParcelParked)
"""Facts that figures and queue are made of."""

_NOTHING: Final = State()
_FIELDS: Final = Unit.__struct_fields__
_BLANK: Final[dict[str, object]] = dict.fromkeys(_FIELDS)
_STATE_COLUMNS: Final = [figure_units.c[name] for name in ("entry_id", "ended", "corrections", *_FIELDS)]


class Counted(NamedTuple):
    """One sound entry, as much of it as counts."""

    station: str
    generation: int
    seq: int
    id: str
    actor: str
    fact: object
    received_at: datetime
    """When the centre first had its place in the journal, UTC."""


def count_entries(
    database: Database, connection: Connection, site_id: str, builds: Sequence[int], entries: Iterable[Counted]
) -> None:
    """Join what entries say into builds. The caller is the one that counts at this site (``lock_following``).

    Args:
        entries: of one bench oldest first.
    """
    states: dict[str, State] = {}
    parcels: dict[str, waiting.Parcels] = {}
    for entry in entries:
        _read(entry, states, parcels)
    for build in builds:
        join_states(database, connection, site_id, build, states)
        for station, said in parcels.items():
            waiting.write_parcels(database, connection, site_id, station, build, said)


def _read(entry: Counted, states: dict[str, State], parcels: dict[str, waiting.Parcels]) -> None:
    fact = entry.fact
    if not isinstance(fact, COUNTED):
        return
    here = parcels.get(entry.station)
    if here is None:
        here = parcels[entry.station] = waiting.Parcels()
    place = waiting.Place(entry.generation, entry.seq)
    if isinstance(fact, Inspected):
        unit = unit_of(entry.station, entry.actor, fact, entry.received_at)
        _join(states, fact.inspection_id, State(entry.id, unit))
        if fact.corrects is not None:
            token = refund_token(unit.refund, unit.refund_minor, unit.currency)
            _join(states, fact.corrects, State(ended=CORRECTED, corrections=frozenset((token,))))
        here.move(fact.parcel_id[:64], place)
    elif isinstance(fact, InspectionVoided):
        _join(states, fact.inspection_id[:64], State(ended=VOIDED))
    elif isinstance(fact, ParcelOpened):
        here.opened[fact.parcel_id[:64]] = fact
    elif isinstance(fact, ParcelClosed):
        here.move(fact.parcel_id[:64], place)
    elif isinstance(fact, ParcelParked):
        here.parked.append((place, fact))
        here.move(fact.parcel_id[:64], place)


def _join(states: dict[str, State], inspection_id: str, said: State) -> None:
    known = states.get(inspection_id)
    states[inspection_id] = said if known is None else known.joined(said)


def join_states(
    database: Database, connection: Connection, site_id: str, build: int, states: Mapping[str, State]
) -> None:
    """Join states into those that are kept, and change cells and queue by the difference."""
    sums, queue = Cells(), waiting.Changes()
    new = {name: state for name, state in states.items() if state.unit is not None}
    rows = [_row(site_id, build, name, state) for name, state in sorted(new.items())]
    # As a rule an inspection comes once and before everything that is said about it.
    if rows and database.insert_if_all_new(connection, figure_units, rows):
        changed = {name: (_NOTHING, state) for name, state in new.items()}
        changed |= _merge(
            database, connection, site_id, build, {n: state for n, state in states.items() if n not in new}
        )
    else:
        changed = _merge(database, connection, site_id, build, states)
    for name, (before, after) in changed.items():
        sums.change(before, after)
        queue.change(name, before, after)
    cells.write(connection, site_id, build, sums)
    waiting.write(database, connection, site_id, build, queue)


def _merge(
    database: Database, connection: Connection, site_id: str, build: int, states: Mapping[str, State]
) -> dict[str, tuple[State, State]]:
    """Join states into rows that may be there already."""
    if not states:
        return {}
    names = sorted(states)
    database.insert_all(connection, figure_units, [_row(site_id, build, name, _NOTHING) for name in names])
    table = figure_units.c
    kept = connection.execute(
        select(table.inspection_id, *_STATE_COLUMNS)
        .where(table.site_id == site_id, table.build == build, table.inspection_id.in_(names))
        .order_by(table.inspection_id)
        .with_for_update()
    ).all()
    changed: dict[str, tuple[State, State]] = {}
    for row in kept:
        before = state_of(row[1:])
        after = before.joined(states[row[0]])
        if after != before:
            changed[row[0]] = (before, after)
    if changed:
        values = ("entry_id", "ended", "corrections", *_FIELDS)
        connection.execute(
            update(figure_units)
            .where(
                table.site_id == bindparam("at_site"), table.build == bindparam("at_build"),
                table.inspection_id == bindparam("at_name"),
            )
            .values({name: bindparam(f"new_{name}") for name in values}),
            [
                {"at_site": site_id, "at_build": build, "at_name": name}
                | {f"new_{key}": value for key, value in _columns(after).items()}
                for name, (_, after) in changed.items()
            ],
        )  # fmt: skip
    return changed


def state_of(row: Sequence[object]) -> State:
    """Read ``entry_id, ended, corrections`` and a unit's columns."""
    entry_id, ended, corrections, *unit = row
    return State(
        entry_id if isinstance(entry_id, str) else None,
        Unit(*unit) if entry_id is not None else None,  # type: ignore[arg-type]
        int(str(ended)),
        frozenset(str(corrections).split()),
    )


def _row(site_id: str, build: int, name: str, state: State) -> dict[str, object]:
    return {"site_id": site_id, "build": build, "inspection_id": name, **_columns(state)}


def _columns(state: State) -> dict[str, object]:
    unit = _BLANK if state.unit is None else msgspec.structs.asdict(state.unit)
    corrections = " ".join(sorted(state.corrections))
    return {"entry_id": state.entry_id, "ended": state.ended, "corrections": corrections, **unit}
