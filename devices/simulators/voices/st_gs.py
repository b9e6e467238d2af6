"""The comma family: A&D (the one that ``VOICES`` has), and CAS, Dini Argeo and Kern in their own columns.

Sources: A&D EK-L p. 30 and FX-i command table; CAS CI-600D p. 74; Dini Argeo 3590 technical manual p. 65, 68 and 69;
Kern FKB p. 37 (DEVICES §1.7).
"""

from __future__ import annotations

from devices.simulators.platform import Platform

_PERIOD_S = 0.1


class _Printer:
    """Sends a frame ten times a second if it streams, and answers commands that end with CR LF."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._heard = b""
        self._answers: list[bytes] = []
        self._when_still = False
        self._next: float | None = 0.0

    def hear(self, data: bytes, now: float) -> None:
        self._heard += data.replace(b"\r", b"\n")
        while b"\n" in self._heard:
            command, self._heard = self._heard.split(b"\n", 1)
            if command:
                self._answer(command.decode("ascii", "replace"), now)
        self._heard = self._heard[-64:]

    def speak(self, now: float) -> bytes:
        sent, self._answers = self._answers, []
        if self._when_still and not self._platform.moving(now):
            self._when_still = False
            sent.append(self._frame(now))
        if self._next is not None and now >= self._next:
            self._next = max(self._next + _PERIOD_S, now + _PERIOD_S / 2)
            sent.append(self._frame(now))
        return b"".join(sent)

    def _answer(self, command: str, now: float) -> None:
        raise NotImplementedError

    def _frame(self, now: float) -> bytes:
        raise NotImplementedError

    def _shown_mg(self, now: float) -> int:
        return self._platform.gross_mg(now) - self._platform.tare_mg

    def _status(self, now: float, over: str = "OL", under: str = "UL") -> str:
        if self._platform.overloaded:
            return over
        if self._platform.underloaded:
            return under
        return "US" if self._platform.moving(now) else "ST"


class AndVoice(_Printer):
    """A&D: sign and eight characters with zeros in front; nines while out of range."""

    def _answer(self, command: str, now: float) -> None:
        match command:
            case "Q" | "SI":
                self._next = None
                self._answers.append(self._frame(now))
            case "S":
                self._next = None
                self._when_still = True
            case "SIR":
                self._next = now
            case "C":
                self._next = None
                self._when_still = False
            case "Z" | "R":
                self._answers.append(b"\x06\r\n" if self._platform.zero(now) else b"EC,E02\r\n")
            case "T":
                self._platform.tare_mg = self._platform.gross_mg(now)
                self._answers.append(b"\x06\r\n")
            case "?TN":
                self._answers.append(b"TN,     EK-15KL\r\n")
            case _:
                self._answers.append(b"EC,E01\r\n")

    def _frame(self, now: float) -> bytes:
        status = self._status(now, under="OL")
        if status == "OL":
            return b"OL,-9999.999 kg\r\n" if self._platform.underloaded else b"OL,+9999.999 kg\r\n"
        shown = self._shown_mg(now)
        return f"{status},{'-' if shown < 0 else '+'}{abs(shown) / 1e6:08.3f} kg\r\n".encode()


class CasLampVoice(_Printer):
    """CAS NT and CI: 22 bytes, of which the eighth shows the lamps."""

    def _answer(self, command: str, now: float) -> None:
        if command == "Z":
            self._platform.zero(now)
        elif command == "T":
            self._platform.tare_mg = self._platform.gross_mg(now)

    def _frame(self, now: float) -> bytes:
        status = self._status(now)
        shown, tared = self._shown_mg(now), bool(self._platform.tare_mg)
        lamps = 0x80 | (status == "ST") << 6 | (not tared) << 2 | tared << 1 | (shown == 0)
        sign = "-" if shown < 0 else " "
        number = "  ------" if status in ("OL", "UL") else f"{sign}{abs(shown) / 1e6:7.3f}"
        head = f"{status},{'NT' if tared else 'GS'},1".encode()
        return head + bytes([lamps]) + f",{number} kg\r\n".encode()


class DiniVoice(_Printer):
    """Dini Argeo 3590: the standard string, or with ``af`` gross and tare with their units."""

    def __init__(self, platform: Platform, *, af: bool = False) -> None:
        super().__init__(platform)
        self._af = af

    def _answer(self, command: str, now: float) -> None:
        match command:
            case "READ" | "R":
                self._next = None
                self._answers.append(self._frame(now))
            case "ZERO" | "Z":
                self._platform.zero(now)
                self._answers.append(b"OK\r\n")
            case "TARE" | "T":
                self._platform.tare_mg = self._platform.gross_mg(now)
                self._answers.append(b"OK\r\n")
            case "CLEAR" | "C":
                self._platform.tare_mg = 0
                self._answers.append(b"OK\r\n")
            case _:
                self._answers.append(b"ERR04\r\n")

    def _frame(self, now: float) -> bytes:
        status = self._status(now)
        gross, tare = self._platform.gross_mg(now) / 1e6, self._platform.tare_mg / 1e6
        if self._af:
            return f"{status},1,{gross:10.3f}kg,  {tare:10.3f}kg\r\n".encode()
        mode, shown = ("NT", gross - tare) if tare else ("GS", gross)
        return f"{status},{mode},{shown:8.3f},kg\r\n".encode()


class KernVoice(_Printer):
    """Kern DE, FKB: sends nothing unasked; single letters without a line end; no unit while it moves."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self._next = None

    def hear(self, data: bytes, now: float) -> None:
        for letter in data.decode("ascii", "replace"):
            self._answer(letter, now)

    def _answer(self, command: str, now: float) -> None:
        if command == "w":
            self._answers.append(self._frame(now))
        elif command == "s":
            self._when_still = True
        elif command == "t":
            self._platform.tare_mg = self._platform.gross_mg(now)

    def _frame(self, now: float) -> bytes:
        status = self._status(now)
        if status in ("OL", "UL"):
            return b"       Error\r\n"
        shown = self._shown_mg(now)
        unit = "kg " if status == "ST" else ""
        return f" {'-' if shown < 0 else ' '}{abs(shown) / 1e6:10.3f} {unit}\r\n".encode()
