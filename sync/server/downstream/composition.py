"""The room put together: outbox, endpoints and dispatcher over one database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from station.clock import Clock
from sync.server.downstream.addresses import Egress, parse_egress
from sync.server.downstream.dispatcher import Dispatcher
from sync.server.downstream.endpoints import Endpoints
from sync.server.downstream.outbox import Outbox
from sync.server.downstream.signing import WebhookKey, load_key
from sync.server.storage import Database

PRIVATE_VARIABLE: Final = "STATION_WEBHOOK_PRIVATE"
"""Networks that deliveries may reach although they are not public, with commas: ``10.1.0.0/16,192.168.5.7``."""
PLAIN_VARIABLE: Final = "STATION_WEBHOOK_PLAIN"
"""Hosts that deliveries may reach without TLS, with commas: ``erp.local``."""


class Downstream:
    """Everything that leaves for other systems. ``start`` it once, in the process that serves."""

    def __init__(self, database: Database, clock: Clock, key: WebhookKey, egress: Egress) -> None:
        self.outbox = Outbox(database)
        self.endpoints = Endpoints(database, self.outbox, key, egress)
        self._dispatcher = Dispatcher(database, self.outbox, self.endpoints, clock, egress)

    @classmethod
    def from_environment(
        cls, database: Database, clock: Clock, folder: Path, environment: Mapping[str, str] = os.environ
    ) -> Downstream:
        """Build it as IT has set it up.

        Args:
            folder: where the server's key lies, if the environment does not give it.

        Raises:
            InvalidInput: a setting cannot be read.
            StoreFault: the key cannot be kept.
        """
        egress = parse_egress(environment.get(PRIVATE_VARIABLE, ""), environment.get(PLAIN_VARIABLE, ""))
        return cls(database, clock, load_key(folder), egress)

    def start(self) -> None:
        self._dispatcher.start()

    def close(self) -> None:
        """End after the deliveries that are under way; before the database is closed."""
        self._dispatcher.stop()
