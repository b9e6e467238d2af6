"""Wrong PINs, counted on disk: implements ``station.people.Lockouts``. A try is durable before it is looked at."""

from __future__ import annotations

import sqlalchemy as sa

from station.people import LockState
from station.store.engine import faults
from station.store.rows import LockoutRow, table
from station.store.writer import Writer

_lockouts = table(LockoutRow)


class StoreLockouts:
    """The counts of one bench. Safe from any thread; :class:`~station.people.Roster` keeps tries apart."""

    def __init__(self, writer: Writer, readers: sa.Engine) -> None:
        self._writer = writer
        self._readers = readers

    def state(self, person_id: str) -> LockState:
        """What is kept of somebody's wrong tries.

        Raises:
            StoreFault: it cannot be read; then nobody is let in.
        """
        with faults("reading wrong PINs"), self._readers.connect() as connection, connection.begin():
            row = connection.execute(
                sa.select(_lockouts.c.failures, _lockouts.c.owed_s, _lockouts.c.since_s, _lockouts.c.boot).where(
                    _lockouts.c.person_id == person_id
                )
            ).one_or_none()
        return LockState(*row) if row is not None else LockState()

    def keep(self, person_id: str, state: LockState) -> None:
        """Keep it durably; nothing to keep removes the row.

        Raises:
            StoreFault: it was not kept.
        """

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(_lockouts).where(_lockouts.c.person_id == person_id))
            if state != LockState():
                connection.execute(
                    sa.insert(_lockouts).values(
                        person_id=person_id, failures=state.failures, owed_s=state.owed_s, since_s=state.since_s,
                        boot=state.boot,
                    )
                )  # fmt: skip

        self._writer.call(work, doing="counting a PIN")
