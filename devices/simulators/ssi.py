"""A simulated Zebra scanner on SSI: packets, checksums, retries, and the faults of a bad line.

Written from the guide's tables (72E-40451: message layout, DECODE_DATA, CMD_ACK, CMD_NAK, PARAM_SEND, BEEP; DS4308
p. 7-15: two more attempts), not from our parser. As delivered it sends plain text; PARAM_SEND switches packets on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from devices.simulators.scanner import scanned_text
from devices.simulators.script import Command, hex_bytes, number
from station.errors import InvalidInput

CODE_TYPES = {"code39": 1, "code128": 3, "upca": 8, "ean8": 10, "ean13": 11, "gs1_128": 15, "datamatrix": 27, "qr": 28}
LARGEST = 255 - 5
"""Bytes of a code in one packet: the length is one byte, the header takes four and the code type one."""
_TIME_OUT_S = 2.0
_ATTEMPTS = 3
_PACKETED, _HANDSHAKE, _BEEP_NONE = 0xEE, 0x9F, 0xFF
KNOWN = "an SSI scanner knows scan, bytes, damage, lose, deaf, wait, unplug and quit"


@dataclass
class _Outgoing:
    opcode: int
    status: int
    data: bytes
    attempts: int = 0
    again_at: float = 0.0


class SsiSimulator:
    """Knows ``{"do":"scan","text":"…","type":"ean13","part":100}`` (``part`` = largest piece of a packet), ``bytes``,
    and for the next so many ``times``: ``damage`` (a wrong checksum), ``lose`` (nothing is sent), ``deaf`` (it does not
    hear its host's ACK or NAK).
    """

    def __init__(self, *, time_out_s: float = _TIME_OUT_S, packeted: bool = False) -> None:
        """
        Args:
            time_out_s: how long it waits for an acknowledgement before it sends a packet again.
            packeted: as if it had been told to already.
        """
        self._time_out_s = time_out_s
        self._parameters = {_PACKETED: int(packeted), _HANDSHAKE: 1}
        self._queue: list[_Outgoing] = []
        self._heard = bytearray()
        self._speech = bytearray()
        self._faults = {"damage": 0, "lose": 0, "deaf": 0}
        self.is_on = True
        self.beeps: list[int] = []
        self.given_up = 0
        """Packets that nobody acknowledged after three attempts."""
        self.sent = 0
        """Packets of codes that went out, each attempt counted."""

    def do(self, command: Command, now: float) -> tuple[bytes, float]:
        what = str(command["do"])
        if what in self._faults:
            self._faults[what] = int(number(command, "times"))
        elif what == "bytes":
            return hex_bytes(command), now
        elif what == "scan":
            return self._scan(command), now
        else:
            raise InvalidInput(f"{json.dumps(command)}: {KNOWN}")
        return b"", now

    def hear(self, data: bytes, now: float) -> None:
        self._heard += data
        while self._heard:
            if self._heard[0] < 4:  # a wake-up, or noise
                del self._heard[0]
                continue
            size = self._heard[0] + 2
            if len(self._heard) < size:
                return
            message = bytes(self._heard[:size])
            del self._heard[:size]
            total = sum(message[:-2]) + message[-2] * 256 + message[-1]
            if total % 65536:
                self._reply(0xD1, b"\x01")
            elif message[2] == 4:
                self._obey(message[1], message[4:-2], now)

    def speak(self, now: float) -> bytes:
        if self._queue and now >= self._queue[0].again_at:
            first = self._queue[0]
            if first.attempts == _ATTEMPTS:
                self.given_up += 1
                self._queue.clear()  # the rest of that code as well
            else:
                self._transmit(first, now)
        speech = bytes(self._speech)
        self._speech.clear()
        return speech

    def _scan(self, command: Command) -> bytes:
        text = scanned_text(command)
        kind = str(command.get("type", "code128"))
        if kind not in CODE_TYPES:
            raise InvalidInput(f"{json.dumps(command)}: type {kind!r} is none of {', '.join(CODE_TYPES)}")
        if not self.is_on:
            return b""
        if not self._parameters[_PACKETED]:
            return text
        part = int(number(command, "part")) if "part" in command else LARGEST
        if not 0 < part <= LARGEST:
            raise InvalidInput(f"{json.dumps(command)}: 'part' must be 1 to {LARGEST}")
        pieces = [text[start : start + part] for start in range(0, len(text), part)] or [b""]
        for number_, piece in enumerate(pieces, 1):
            status = 2 if number_ < len(pieces) else 0
            self._queue.append(_Outgoing(0xF3, status, bytes([CODE_TYPES[kind]]) + piece))
        return b""

    def _transmit(self, outgoing: _Outgoing, now: float) -> None:
        outgoing.attempts += 1
        outgoing.again_at = now + self._time_out_s
        self.sent += 1
        message = self._message(outgoing.opcode, outgoing.status + (outgoing.attempts > 1), outgoing.data)
        if self._takes("lose"):
            return
        if self._takes("damage"):
            message = message[:-1] + bytes([message[-1] ^ 0x40])
        self._speech += message
        if not self._parameters[_HANDSHAKE]:
            self._queue.remove(outgoing)

    def _obey(self, opcode: int, data: bytes, now: float) -> None:
        if opcode in (0xD0, 0xD1):
            self._answered(opcode, data, now)
            return
        if opcode == 0xC6:
            pairs = data[1:]
            if data[:1] and data[0] != _BEEP_NONE:
                self.beeps.append(data[0])
            for number_, value in zip(pairs[::2], pairs[1::2], strict=False):
                self._parameters[number_] = value
        elif opcode == 0xE6:
            self.beeps.append(data[0])
        elif opcode in (0xE9, 0xEA):
            self.is_on = opcode == 0xE9
        else:
            self._reply(0xD1, b"\x02")
            return
        self._reply(0xD0)

    def _answered(self, opcode: int, data: bytes, now: float) -> None:
        if not self._queue or not self._queue[0].attempts or self._takes("deaf"):
            return
        if opcode == 0xD0:
            del self._queue[0]
        elif data == b"\x01":
            self._queue[0].again_at = now

    def _takes(self, fault: str) -> bool:
        if not self._faults[fault]:
            return False
        self._faults[fault] -= 1
        return True

    def _reply(self, opcode: int, data: bytes = b"") -> None:
        self._speech += self._message(opcode, 0, data)

    @staticmethod
    def _message(opcode: int, status: int, data: bytes) -> bytes:
        message = bytearray((4 + len(data), opcode, 0, status)) + data
        total = 65536 - sum(message)
        return bytes(message + bytearray((total // 256 % 256, total % 256)))
