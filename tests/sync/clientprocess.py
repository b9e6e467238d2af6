"""A bench's sync as a process of its own, to be killed."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from station.clock import SystemClock
from sync.client.api import HttpApi
from sync.client.drain import drain
from tests.sync.material import SWIFT, FileOutbox


def main(outbox: str, url: str) -> None:
    """Send everything, then end."""
    api = HttpApi(url, token=None, clock=SystemClock())
    drain(FileOutbox(Path(outbox)), api, SystemClock(), random.Random(), within_s=60, timing=SWIFT)
    sys.exit(0)
