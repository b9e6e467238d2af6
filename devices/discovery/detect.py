"""Finds out what a scale speaks, on a port that a person named: listens first, then asks for a weight.

Context: sending every known command until something answers would zero, tare or print on somebody's scale, and what is
harmless in one protocol is a command in another. Decision: a port that talks is only listened to; a silent one is sent
the five requests of ``PROBES`` and nothing else, whatever a driver's own request is. Their bytes are LF, CR, W, S, I
and ENQ: none of them zeroes, tares, prints or changes a setting in any protocol of this house, alone or together, and
the test suite also reads them as a receiver at every other speed and parity would. Price: a scale that answers nothing
else, or prints on demand only, is not found; its driver has to be named.

Source: DEVICES §1.1 (order), §1.2-1.9 (commands). Not yet checked on hardware.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from devices.ports import Status, Transport
from devices.probes import is_probe
from devices.scale import DRIVERS, ScaleDriver
from devices.scale.frames import Garbage, Prompt, Reading, Reply, strip_noise
from devices.transport import LineSettings, open_transport
from station.inspection.facts import StableSource

PROBES = (b"\nW\r", b"SI\r\n", b"W\r", b"W", b"\x05")
"""All that is ever sent to find a protocol, in this order: SMA, MT-SICS, NCI and ECR, 8217, CAS."""
_NOT_IN_SEVEN_BITS = b"SI\r\n"
"""With a parity bit, a scale at half the speed reads a P in it: "print" in the protocols of single bytes."""
ANSWERS = (b"\x11",)
"""What a scale may be told when it asks to go on: DC1, which in the CAS handshake means "the weight, please"."""

LISTEN_S = 1.5
_ANSWER_S = 0.5
"""A scale answers within some tens of milliseconds."""
_BETWEEN_S = 0.2
"""8217: at least this long between two commands (DEVICES §1.3)."""
_ASKED = 3
_SLICE_S = 0.05
_SPEEDS = (9600, 4800, 2400, 19200, 1200)
_ENOUGH_SHARE = 0.9
_HEARD_FRAMES, _ASKED_FRAMES = 3, 2
_SAME_SHARE = 0.05
_MAX_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Candidate:
    """A protocol that explains the bytes."""

    driver: str
    settings: LineSettings
    frames: int
    """Indications understood."""
    share: float
    """Part of the bytes that whole frames explain, 0 to 1."""
    declared: bool
    """The frames say themselves whether the weight is settled."""
    poll: bytes | None = None
    """What it answered to; None = it sends by itself."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found on a port."""

    candidates: tuple[Candidate, ...]
    """Best first; more than one = they explain the bytes equally well, and a person has to decide."""
    sentence: str
    """The result for people, with what to do."""
    heard: bytes = b""
    """The last bytes that came, at most 64."""

    @property
    def found(self) -> Candidate | None:
        return self.candidates[0] if len(self.candidates) == 1 else None


def classify(
    data: bytes,
    settings: LineSettings,
    *,
    least: int = _HEARD_FRAMES,
    poll: bytes | None = None,
    drivers: Mapping[str, ScaleDriver] = DRIVERS,
) -> tuple[Candidate, ...]:
    """Which protocols explain these bytes, equally well the best ones.

    Args:
        settings: at which they were received; a parity bit that was received as the eighth data bit is found.
        least: indications that a candidate must have.
        poll: what they answer to.

    >>> [found.driver for found in classify(b"S S     12.345 kg\\r\\n" * 3, LineSettings())]
    ['mt_sics']
    """
    bits = parity_of(data) if settings.data_bits == 8 else None
    if bits is not None:
        data = bytes(byte & 0x7F for byte in data)
        settings = replace(settings, data_bits=7, parity=bits[0], stop_bits=bits[1])
    scored = (_score(driver, data, settings, poll) for driver in drivers.values() if driver.name != "hid")
    fit = [found for found in scored if found.frames >= least and found.share >= _ENOUGH_SHARE]
    if not fit:
        return ()
    share = max(found.share for found in fit)
    best = [found for found in fit if found.share >= share - _SAME_SHARE]
    # a looser grammar reads a stricter one's frames too, and then has to guess whether the weight is settled
    declared = [found for found in best if found.declared]
    return tuple(sorted(declared or best, key=lambda found: -found.frames))


def parity_of(data: bytes) -> tuple[str, int] | None:
    """Parity and stop bits of a seven-bit line that was read as eight bits; None = no sign of one.

    >>> parity_of(bytes(byte | (byte.bit_count() % 2) << 7 for byte in b"ST,GS,  12.345kg"))
    ('E', 1)
    >>> parity_of(b"ST,GS,  12.345kg") is None
    True
    """
    if len(data) < 8 or not any(byte & 0x80 for byte in data):
        return None
    odd = sum(byte.bit_count() % 2 for byte in data) / len(data)
    if all(byte & 0x80 for byte in data):
        return "N", 2  # the eighth bit was the first of two stop bits
    return ("E", 1) if odd < 0.05 else ("O", 1) if odd > 0.95 else None


def _score(driver: ScaleDriver, data: bytes, settings: LineSettings, poll: bytes | None) -> Candidate:
    parser = driver.parser()
    frames = [*parser.feed(data), *parser.idle()]
    # a recording begins and ends in the middle of a frame
    lead = len(frames[0].raw) if frames and isinstance(frames[0], Garbage) else 0
    rest = sum(len(frame.raw) for frame in parser.drop())
    # a refused command is answered in much the same words by scales that have nothing else in common
    whole = [frame for frame in frames if isinstance(frame, Reading) and frame.status is not Status.FAULT]
    explained = sum(len(frame.raw) for frame in frames if isinstance(frame, Reading | Reply | Prompt))
    share = min(1.0, explained / max(1, len(data) - lead - rest))
    weighed = [frame for frame in whole if frame.mass is not None]
    declared = bool(weighed) and all(frame.stable_source is StableSource.SCALE for frame in weighed)
    return Candidate(driver.name, settings, len(whole), share, declared, poll)


class Detector:
    """Detects on one port; each attempt opens it anew and closes it again."""

    def __init__(
        self,
        port: str,
        *,
        open_line: Callable[[str, LineSettings], Transport] = open_transport,
        drivers: Mapping[str, ScaleDriver] = DRIVERS,
        monotonic: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] = lambda text: None,
        listen_s: float = LISTEN_S,
    ) -> None:
        """
        Args:
            say: hears what is being tried, for progress.
        """
        self._port = port
        self._open_line = open_line
        self._drivers = drivers
        self._monotonic = monotonic
        self._say = say
        self._listen_s = listen_s

    def run(self) -> Detection:
        """Listen, and ask if nothing is heard.

        Raises:
            DeviceFault: the port cannot be opened, or is unplugged meanwhile.
        """
        heard = b""
        for settings in self._settings_to_listen_at():
            self._say(f"listening at {settings}")
            data = self._listen(settings)
            if not data and not heard:
                return self._ask()
            heard = data or heard
            candidates = classify(data, settings, drivers=self._drivers)
            if candidates:
                return Detection(candidates, _found(candidates), data[-64:])
        return Detection(
            (),
            f"bytes arrive, but no known protocol explains them at any usual speed; last bytes {heard[-16:]!r}. Is "
            "it a scale? Look up its output format and its speed in its menu, then name the driver with --driver",
            heard[-64:],
        )

    def _settings_to_listen_at(self) -> Iterator[LineSettings]:
        """A port that is read as 8N1 shows seven bits with parity too; only eight bits with parity need their own."""
        own = [_as_eight_bits(driver.line) for driver in self._drivers.values()]
        yield from dict.fromkeys([*(LineSettings(speed) for speed in _SPEEDS), *own])

    def _listen(self, settings: LineSettings) -> bytes:
        line = self._open_line(self._port, settings)
        try:
            data = b""
            end = self._monotonic() + self._listen_s
            while self._monotonic() < end and len(data) < _MAX_BYTES:
                data += line.read(_SLICE_S)
        finally:
            line.close()
        return b"" if not strip_noise(data) or is_probe(data) else data

    def _ask(self) -> Detection:
        answered = b""
        for speed in (0, *_SPEEDS):
            for probe in PROBES:
                for settings in self._settings_to_ask_at(probe, speed):
                    self._say(f"asking {probe!r} at {settings}")
                    data = self._exchange(probe, settings)
                    answered = data or answered
                    candidates = classify(data, settings, least=_ASKED_FRAMES, poll=probe, drivers=self._drivers)
                    if candidates:
                        return Detection(candidates, _found(candidates), data[-64:])
        if answered:
            return Detection((), f"it answers, but in no known protocol; last bytes {answered[-16:]!r}", answered[-64:])
        return Detection(
            (),
            "it says nothing and answers nothing. Is it switched on, is the cable the right one (crossed or straight), "
            "and is its interface on? Set it to continuous output, or name its driver with --driver",
        )

    def _settings_to_ask_at(self, probe: bytes, speed: int) -> list[LineSettings]:
        """Speed 0 = the makers' defaults of the drivers that ask so; else their formats at that speed."""
        defaults = [driver.line for driver in self._drivers.values() if driver.poll == probe and driver.name != "hid"]
        # a request with a parity bit is another character for a scale that was set to eight bits, and the other way
        others = (LineSettings(line.baud, *bits) for line in defaults for bits in ((8, "N"), (7, "E")))
        formats = [
            line
            for line in dict.fromkeys([*defaults, *others])
            if not (line.data_bits == 7 and probe == _NOT_IN_SEVEN_BITS)
        ]
        if not speed:
            return formats
        return list(dict.fromkeys(replace(line, baud=speed) for line in formats if line.baud != speed))

    def _exchange(self, probe: bytes, settings: LineSettings) -> bytes:
        """Ask three times; an unanswered first question ends it."""
        line = self._open_line(self._port, settings)
        try:
            answers = b""
            for _ in range(_ASKED):
                line.write(probe)
                answer = self._answer(line)
                if not answer:
                    break
                answers += answer
            return answers
        finally:
            line.close()

    def _answer(self, line: Transport) -> bytes:
        """What comes until it is quiet; a handshake that a driver knows is gone through."""
        waiting = {driver.name: driver.parser() for driver in self._drivers.values() if driver.name != "hid"}
        data = b""
        end = self._monotonic() + _ANSWER_S
        quiet_at = end
        while self._monotonic() < min(end, quiet_at) and len(data) < _MAX_BYTES:
            piece = line.read(_SLICE_S)
            if not piece:
                continue
            data += piece
            quiet_at = self._monotonic() + _BETWEEN_S
            prompts = [f for parser in waiting.values() for f in parser.feed(piece) if isinstance(f, Prompt)]
            if len(data) == len(piece) and prompts and prompts[0].send in ANSWERS:
                line.write(prompts[0].send)
                quiet_at = end
        return data


def _as_eight_bits(settings: LineSettings) -> LineSettings:
    return LineSettings(settings.baud) if settings.data_bits == 7 else settings


def _found(candidates: tuple[Candidate, ...]) -> str:
    best = candidates[0]
    how = "sends by itself" if best.poll is None else f"answers {best.poll!r}"
    if len(candidates) == 1:
        return f"it speaks {best.driver} at {best.settings} and {how}: {best.frames} frames understood"
    names = ", ".join(found.driver for found in candidates)
    return f"it {how} at {best.settings}, and {names} explain its bytes equally well: name one of them with --driver"
