"""MT-SICS. Source: MT-SICS reference manual, commands S, SI, SIR, Z, ZI, T, TI, TAC, I0–I4, @ (DEVICES §1.2)."""

from __future__ import annotations

from devices.simulators.platform import Platform


class MtSicsVoice:
    """Answers commands that end with CR LF; SIR repeats at 10 Hz until the next weight command."""

    _STABILITY_LIMIT_S = 3.0

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._line = b""
        self._answers: list[str] = []
        self._waiting_since: float | None = None
        self._repeat_at: float | None = None

    def hear(self, data: bytes, now: float) -> None:
        self._line += data
        while b"\n" in self._line:
            command, self._line = self._line.split(b"\n", 1)
            self._answer(command.rstrip(b"\r").decode("ascii", "replace"), now)
        self._line = self._line[-64:]

    def speak(self, now: float) -> bytes:
        if self._waiting_since is not None:
            if not self._platform.moving(now):
                self._answers.append(self._weight("S", now))
                self._waiting_since = None
            elif now - self._waiting_since > self._STABILITY_LIMIT_S:
                self._answers.append("S I")
                self._waiting_since = None
        if self._repeat_at is not None and now >= self._repeat_at:
            self._answers.append(self._weight("S", now))
            self._repeat_at = max(self._repeat_at + 0.1, now)
        lines, self._answers = self._answers, []
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _answer(self, command: str, now: float) -> None:
        if command in ("S", "SI", "SIR", "@"):
            self._waiting_since = self._repeat_at = None
        still = not self._platform.moving(now)
        match command:
            case "S":
                self._waiting_since = now
            case "SI":
                self._answers.append(self._weight("S", now))
            case "SIR":
                self._repeat_at = now
            case "Z":
                self._answers.append("Z A" if self._platform.zero(now) else "Z I")
            case "ZI":
                self._answers.append(("ZI S" if still else "ZI D") if self._platform.zero(now) else "ZI I")
            case "T" | "TI":
                self._platform.tare_mg = self._platform.gross_mg(now)
                flag = "S" if still else "D"
                self._answers.append(f"{command} {flag} {self._digits(self._platform.tare_mg)} kg")
            case "TAC":
                self._platform.tare_mg = 0
                self._answers.append("TAC A")
            case "@" | "I4":
                self._answers.append('I4 A "0123456789"')
            case "I2":
                self._answers.append('I2 A "SIM15 Standard 15.000 kg"')
            case "I0":
                names = ["I0", "I2", "I4", "S", "SI", "SIR", "T", "TAC", "TI", "Z", "ZI", "@"]
                self._answers += [f'I0 {"A" if name == "@" else "B"} 0 "{name}"' for name in names]
            case _:
                self._answers.append("ES")

    def _weight(self, name: str, now: float) -> str:
        if self._platform.overloaded:
            return f"{name} +"
        if self._platform.underloaded:
            return f"{name} -"
        net = self._platform.gross_mg(now) - self._platform.tare_mg
        return f"{name} {'D' if self._platform.moving(now) else 'S'} {self._digits(net)} kg"

    @staticmethod
    def _digits(mass_mg: int) -> str:
        return f"{mass_mg / 1_000_000:.3f}".rjust(10)
