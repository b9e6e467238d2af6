"""A simulated scanner on a serial line: sends what a script says it has read, and does what its host tells it.

Written from the makers' manuals: Honeywell 3310g p. 2-22 (ACK/NAK) and Xenon p. 111 (Host ACK), Datalogic Magellan
9300i p. 469 and 800i p. 153 (host commands).
"""

from __future__ import annotations

import json

from devices.simulators.script import Command, hex_bytes, number
from station.errors import InvalidInput

_UNQUOTED = {"\\x1d": "\x1d", "\\x1e": "\x1e", "\\x04": "\x04", "\\r": "\r", "\\n": "\n"}

HANDSHAKES = ("none", "honeywell", "datalogic")
KNOWN = "a scanner knows scan, bytes, damage, wait, unplug and quit"


def scanned_text(command: Command) -> bytes:
    """A scan's ``aim`` and ``text`` as bytes.

    Raises:
        InvalidInput: no text.
    """
    text, aim = command.get("text"), command.get("aim", "")
    if not isinstance(text, str) or not isinstance(aim, str):
        raise InvalidInput(f"{json.dumps(command)} needs 'text', and 'aim' must be text like ]C1")
    for quoted, byte in _UNQUOTED.items():
        text = text.replace(quoted, byte)
    return (aim + text).encode()


class ScannerSimulator:
    """Knows ``{"do":"scan","text":"…","aim":"]C1"}`` (aim may be absent), ``{"do":"bytes","hex":"…"}``, and
    ``{"do":"damage","times":2}``: the next so many transmissions come out damaged.
    """

    def __init__(self, suffix: bytes = b"\r", *, prefix: bytes = b"", handshake: str = "none") -> None:
        """
        Args:
            prefix: sent before each code, e.g. STX.
            handshake: ``honeywell`` waits for ACK after each code and sends it again on NAK.
        """
        self._prefix, self._suffix = prefix, suffix
        self._handshake = handshake
        self._damaged = 0
        self._waiting: list[bytes] = []
        """Codes not yet acknowledged; the first is the one that was sent."""
        self._speech = bytearray()
        self._escape = bytearray()
        self.heard: list[str] = []
        """What it did for its host: ``ack``, ``nak``, ``good``, ``bad``, ``low``, ``medium``, ``high``, ``beep``,
        ``not on file``, ``on``, ``off``."""
        self.is_on = True

    def do(self, command: Command, now: float) -> tuple[bytes, float]:
        if command["do"] == "bytes":
            return hex_bytes(command), now
        if command["do"] == "damage":
            self._damaged = int(number(command, "times"))
            return b"", now
        if command["do"] != "scan":
            raise InvalidInput(f"{json.dumps(command)}: {KNOWN}")
        text = scanned_text(command)
        if not self.is_on:
            return b"", now
        if self._handshake != "honeywell":
            return self._transmit(text), now
        self._waiting.append(text)
        return (self._transmit(text) if len(self._waiting) == 1 else b""), now

    def hear(self, data: bytes, now: float) -> None:
        for byte in data:
            if self._handshake == "honeywell":
                self._hear_honeywell(byte)
            elif self._handshake == "datalogic":
                self._hear_datalogic(byte)

    def speak(self, now: float) -> bytes:
        speech = bytes(self._speech)
        self._speech.clear()
        return speech

    def _transmit(self, text: bytes) -> bytes:
        if self._damaged:
            self._damaged -= 1
            text = text[:1] + b"\x00" + text[2:]
        return self._prefix + text + self._suffix

    def _hear_honeywell(self, byte: int) -> None:
        if self._escape or byte == 0x1B:
            self._escape.append(byte)
            if byte == ord(","):
                names = {"4": "low", "5": "medium", "6": "high", "7": "good", "8": "bad"}
                self.heard.append(names.get(self._escape[1:-1].decode("latin-1"), "?"))
                self._escape.clear()
        elif byte == 0x06 and self._waiting:
            self.heard.append("ack")
            del self._waiting[0]
            if self._waiting:
                self._speech += self._transmit(self._waiting[0])
        elif byte == 0x15 and self._waiting:
            self.heard.append("nak")
            self._speech += self._transmit(self._waiting[0])

    def _hear_datalogic(self, byte: int) -> None:
        match byte:
            case 0x45:
                self.heard.append("on")
                self.is_on = True
            case 0x44:
                self.heard.append("off")
                self.is_on = False
            case 0x01 | 0x07:
                self.heard.append("beep")
            case 0x46:
                self.heard.append("not on file")
                self.is_on = False
