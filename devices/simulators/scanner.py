"""A simulated scanner on a serial line: sends what a script says it has read."""

from __future__ import annotations

import json

from devices.simulators.script import Command, hex_bytes
from station.errors import InvalidInput

_UNQUOTED = {"\\x1d": "\x1d", "\\x1e": "\x1e", "\\x04": "\x04"}


class ScannerSimulator:
    """Knows ``{"do":"scan","text":"…","aim":"]C1"}`` (aim may be absent) and ``{"do":"bytes","hex":"…"}``."""

    def __init__(self, suffix: bytes = b"\r") -> None:
        self._suffix = suffix

    def do(self, command: Command, now: float) -> tuple[bytes, float]:
        if command["do"] == "bytes":
            return hex_bytes(command), now
        if command["do"] != "scan":
            raise InvalidInput(f"{json.dumps(command)}: a scanner knows scan, bytes, wait, unplug and quit")
        text, aim = command.get("text"), command.get("aim", "")
        if not isinstance(text, str) or not isinstance(aim, str):
            raise InvalidInput(f"{json.dumps(command)} needs 'text', and 'aim' must be text like ]C1")
        for quoted, byte in _UNQUOTED.items():
            text = text.replace(quoted, byte)
        return (aim + text).encode() + self._suffix, now

    def hear(self, data: bytes, now: float) -> None:
        """Takes host commands silently, as most scanners do."""

    def speak(self, now: float) -> bytes:
        return b""
