"""SMA SCP-0499. Source: the standard, sections 4 and 5 (DEVICES §1.5)."""

from __future__ import annotations

from devices.simulators.platform import Platform


class SmaVoice:
    """Kilograms. Commands are LF, a letter, CR; W and P weigh, R repeats until the next command."""

    _REPEAT_S = 0.11

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._command: bytes | None = None
        self._out = b""
        self._repeat_at: float | None = None
        self._waits_for_rest = False

    def hear(self, data: bytes, now: float) -> None:
        for byte in data:
            if byte == 0x1B:
                self._command, self._repeat_at, self._waits_for_rest = None, None, False
            elif byte == 0x0A:
                self._command = b""
            elif self._command is not None and byte == 0x0D:
                command, self._command = self._command, None
                self._answer(command.decode("ascii", "replace"), now)
            elif self._command is not None:
                self._command = (self._command + bytes([byte]))[-16:]

    def speak(self, now: float) -> bytes:
        if self._waits_for_rest and not self._platform.moving(now):
            self._waits_for_rest = False
            self._out += self._weight(now)
        if self._repeat_at is not None and now >= self._repeat_at:
            self._repeat_at = now + self._REPEAT_S
            self._out += self._weight(now)
        out, self._out = self._out, b""
        return out

    def _answer(self, command: str, now: float) -> None:
        self._repeat_at, self._waits_for_rest = None, False
        match command:
            case "W":
                self._out += self._weight(now)
            case "P":
                self._waits_for_rest = True
            case "R":
                self._repeat_at = now
            case "Z":
                self._out += self._weight(now, error="" if self._platform.zero(now) else "E")
            case "T":
                self._platform.tare_mg = self._platform.gross_mg(now)
                self._out += self._weight(now)
            case "C":
                self._platform.tare_mg = 0
                self._out += self._weight(now)
            case "A":
                self._out += b"\nSMA:2/1.0\r"
            case "B":
                self._out += b"\nMFG:SIMULATED\r"
            case _:
                self._out += b"\n?\r"

    def _weight(self, now: float, error: str = "") -> bytes:
        pan = self._platform
        shown = pan.gross_mg(now) - pan.tare_mg
        state = error or ("O" if pan.overloaded else "U" if shown < 0 else "Z" if not shown else " ")
        if error:
            field, unit = "-" * 10, "   "
        else:
            field, unit = f"{shown / 1e6:10.3f}", "kg "
        mode, motion = "N" if pan.tare_mg else "G", "M" if pan.moving(now) else " "
        return f"\n{state}1{mode}{motion} {field}{unit}\r".encode()
