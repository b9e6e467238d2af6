"""Ohaus print string.

Sources: Ohaus Defender 3000 manual EN-35 with the columns of a real capture
(``data/scales/ohaus_defender3000_hex.txt``), Ohaus RS232 command table.
"""

from __future__ import annotations

from devices.simulators.platform import Platform


class OhausVoice:
    """Prints continuously at 10 Hz; IP and P print once, SP once when stable, 0P stops, CP goes on."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._line = b""
        self._once: list[str] = []
        self._when_still = False
        self._next: float | None = 0.0

    def hear(self, data: bytes, now: float) -> None:
        self._line += data.replace(b"\r", b"\n")
        while b"\n" in self._line:
            command, self._line = self._line.split(b"\n", 1)
            if command:
                self._answer(command.decode("ascii", "replace"), now)
        self._line = self._line[-64:]

    def speak(self, now: float) -> bytes:
        lines, self._once = self._once, []
        if self._when_still and not self._platform.moving(now):
            self._when_still = False
            lines.append(self._print(now))
        if self._next is not None and now >= self._next:
            self._next = max(self._next + 0.1, now + 0.05)
            lines.append(self._print(now))
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _answer(self, command: str, now: float) -> None:
        match command:
            case "IP" | "P":
                self._once.append(self._print(now))
            case "SP":
                self._when_still = True
            case "CP":
                self._next = now
            case "0P":
                self._next = None
            case "Z":
                self._platform.zero(now)
            case "T":
                self._platform.tare_mg = self._platform.gross_mg(now)
            case _:
                self._once.append("ES")

    def _print(self, now: float) -> str:
        if self._platform.overloaded:
            return "    Err 8.3"
        if self._platform.underloaded:
            return "    Err 8.4"
        shown = self._platform.gross_mg(now) - self._platform.tare_mg
        columns = [
            "-" if shown < 0 else " ",
            f"{abs(shown) / 1_000_000:.3f}".rjust(7),
            " ",
            "kg".ljust(5),
            "?" if self._platform.moving(now) else " ",
            "N" if self._platform.tare_mg else "G",
        ]
        return "".join(columns)
