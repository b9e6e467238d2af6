"""The parts of this room put together, for the server and for IT's commands."""

from __future__ import annotations

from station.clock import Clock
from sync.server.access.register import Register
from sync.server.access.sealing import Sealing
from sync.server.access.signing import SigningKey
from sync.server.access.tokens import StationTokens
from sync.server.storage import Database


class Access:
    """One server's door."""

    def __init__(self, database: Database, clock: Clock, key: SigningKey) -> None:
        self.register = Register(database, clock)
        self.tokens = StationTokens(database, self.register, clock)
        self.sealing = Sealing(database, self.register, key)
        self.server_key = self.register.adopt(key)
        """Public; what hello and enrolment tell."""

    @property
    def server_id(self) -> str:
        return self.register.server_id
