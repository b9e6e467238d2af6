"""How what is derived from the journal is kept: functions called in the transaction that stores the entries.

A projection that fails fails the push: nothing is answered that is not projected. So a projection may not raise for
what a bench may have recorded; what it cannot use it passes over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection

from sync.server.judge import Judged
from sync.server.storage import Database


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


Applier: TypeAlias = Callable[[Applying, Sequence[Judged]], None]
"""Takes sound entries that were stored for the first time just now, oldest first, each exactly once."""
