"""How what is derived from the journal is kept: functions called in the transaction that stores the entries.

A projection that fails fails the push: nothing is answered that is not projected. So a projection may not raise for
what a bench may have recorded; what it cannot use it passes over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from sync.protocol import Code, Status
from sync.server.judge import Judged
from sync.server.storage import Database
from sync.server.units.changes import Changes


class Verdict(NamedTuple):
    """The answer for an entry that is kept but took no effect."""

    status: Status
    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class Applying:
    """Where and when entries are applied."""

    database: Database
    connection: Connection
    """In the transaction of the push."""
    site_id: str
    station: str
    at: datetime
    """When the server received them, UTC."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """Entry id → what the bench is answered, where it is not simply that the entry was accepted."""
    changes: Changes = field(default_factory=Changes)
    """What the entries made of units; there for the appliers behind ``Units``."""


Applier: TypeAlias = Callable[[Applying, Sequence[Judged]], None]
"""Takes sound entries that were stored for the first time just now, oldest first, each exactly once."""
