"""A scale on a line: a parser, a request for an answer if the protocol needs one, and the acceptance rule."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from devices.ports import (
    DeviceEvent,
    Indicated,
    Indication,
    Light,
    Refused,
    Status,
    WeightAccepted,
    WeightKind,
)
from devices.probes import PROBING_S, SETTLING_S, is_probe
from devices.scale.acceptance import Acceptor
from devices.scale.diagnosis import diagnose
from devices.scale.frames import Frame, Garbage, Prompt, Reading, Reply, ScaleParser
from devices.scale.seven_bits import SevenBits
from devices.transport import LineSettings
from station.errors import InvalidInput
from station.inspection.facts import StableSource

_INNER_GAP_S = 0.5
"""No scale pauses this long inside a frame; after it a rest is a broken frame."""
_QUIET_S = 0.15
"""After this a lone CR was the whole terminator."""
_REMEMBERED = 512
"""Bytes since the last good frame that the diagnosis looks at."""
_FASTEST_POLL_S = 0.2
_LATE = "answer to an older question, too late to count"
_NET = "the scale shows a net weight: clear its tare to weigh goods"


@dataclass(frozen=True, slots=True)
class ScaleDriver:
    """One protocol as a row of the table in ``devices.scale``."""

    name: str
    line: LineSettings
    """The maker's default."""
    parser: Callable[[], ScaleParser]
    poll: bytes | None = None
    """Asks for one indication and changes nothing at the scale; None = the scale sends by itself."""
    poll_every_s: float = 0.2
    """Shortest time between two questions that the protocol allows, never below 0.2 s."""
    reply_within_s: float = 1.0
    """After this an answer is late and does not count. It is waited for as long again, so that it cannot be taken for
    the answer to the next question."""
    period_s: float = 1.0
    """Longest usual time between two frames of a working scale; twice this without one is silence."""
    hint: str = ""
    """For people: how to make a silent scale talk."""
    parser_for_unit: Callable[[str], ScaleParser] | None = None
    """For protocols that send no unit: the parser for a scale that is set to ``kg``, ``lb`` …; ``parser`` then has the
    maker's default. None = the frames say it."""

    def in_unit(self, unit: str) -> ScaleDriver:
        """This driver for a scale whose frames name no unit.

        Raises:
            InvalidInput: the protocol's frames name their unit, or do not know this one.
        """
        make = self.parser_for_unit
        if make is None:
            raise InvalidInput(f"a {self.name} scale says its unit in every frame: leave unit = {unit!r} out")
        make(unit)
        return replace(self, parser=partial(make, unit))


class Scale:
    """An ``Instrument``. ``ask`` may be called from any thread, everything else by the owner thread."""

    def __init__(
        self,
        device: str,
        driver: ScaleDriver,
        *,
        acceptor: Acceptor | None = None,
        poll: bytes | None = None,
        line: LineSettings | None = None,
    ) -> None:
        """
        Args:
            acceptor: another rule than the default one; tests need it.
            poll: the site's own request, for scales that print on demand only.
            line: how the port is really set, if not as the driver says.
        """
        self._device = device
        self._driver = driver
        self._line = line or driver.line
        self._poll = poll or driver.poll
        self._parser = driver.parser()
        self._acceptor = acceptor or Acceptor(device)
        self._ask_lock = threading.Lock()
        self._question: bool | None = None
        self._opened_at = self._last_byte = self._last_frame = 0.0
        self._heard = False
        self._polled_at: float | None = None
        self._next_poll = 0.0
        self._late_until: float | None = None
        self._unasked = 0.0
        self._silence_told = False
        self._advice_told = ""
        self._bits = self._seven_bits()
        self._since_frame = bytearray()
        self._answers = b""

    @property
    def device(self) -> str:
        return self._device

    def ask(self, *, same_load: bool = False) -> None:
        """A weight is wanted from now on. See ``Acceptor.ask``."""
        with self._ask_lock:
            self._question = same_load

    def opened(self, now: float) -> None:
        self._parser = self._driver.parser()
        self._acceptor.restart()
        self._opened_at = self._last_byte = self._last_frame = self._next_poll = now
        self._heard = self._silence_told = False
        self._polled_at = self._late_until = None
        self._bits = self._seven_bits()
        self._unasked = 0.0
        self._since_frame.clear()
        self._answers = b""

    def received(self, data: bytes, at: datetime, now: float) -> Iterator[DeviceEvent]:
        self._hear_question()
        yield from self._time_out(at, now)
        if now - self._last_byte > _INNER_GAP_S:
            yield from self._take(self._parser.idle() + self._parser.drop(), at, now)
        self._last_byte = now
        self._since_frame += data[-_REMEMBERED:]
        del self._since_frame[:-_REMEMBERED]
        yield from self._take(self._parser.feed(self._bits.filter(data) if self._bits else data), at, now)

    def tick(self, at: datetime, now: float, *, quiet: bool) -> tuple[bytes, list[DeviceEvent]]:
        self._hear_question()
        events: list[DeviceEvent] = []
        if quiet and now - self._last_byte > _QUIET_S:
            events.extend(self._take(self._parser.idle(), at, now))
        events.extend(self._time_out(at, now))
        if self._poll is None and now - self._last_frame >= 2 * self._driver.period_s:
            self._acceptor.restart()
            events.extend(self._no_reply(at, now))
        answers, self._answers = self._answers, b""
        return answers or self._request(now), events

    def broke_off(self) -> list[DeviceEvent]:
        self._acceptor.restart()
        return [Refused(self._device, f.reason, f.raw) for f in self._parser.drop() if isinstance(f, Garbage)]

    def health(self, now: float) -> tuple[Light, str] | None:
        limit = 2 * self._driver.period_s
        if now - self._last_frame < limit:
            return (Light.WORKING, "") if self._heard else None
        if now - self._last_byte < 2 * limit and self._since_frame:  # a polled scale says less often what is wrong
            recent = bytes(self._since_frame)
            return Light.SILENT, diagnose(recent, self._driver.name, self._line, self._driver.parser())
        return Light.SILENT, f"connected, but the scale says nothing. {self._driver.hint}".strip()

    def _hear_question(self) -> None:
        with self._ask_lock:
            question, self._question = self._question, None
        if question is not None:
            self._acceptor.ask(same_load=question)

    def _take(self, frames: list[Frame], at: datetime, now: float) -> Iterator[DeviceEvent]:
        for frame in frames:
            if isinstance(frame, Garbage):
                self._acceptor.restart()
                age = now - self._opened_at
                harmless = age < SETTLING_S or (age < PROBING_S and is_probe(frame.raw))
                yield Refused(self._device, frame.reason, frame.raw, harmless=harmless)
                continue
            self._last_frame = now
            if self._late_until is not None:
                self._late_until = None
                # Or it sends by itself, slowly: then it goes on when it is no longer asked.
                self._unasked = min(3.0, self._unasked + 1)
                self._next_poll = now + self._driver.poll_every_s
                yield Refused(self._device, _LATE, frame.raw, harmless=True)
                continue
            self._heard = True
            self._silence_told = False
            self._since_frame.clear()
            if isinstance(frame, Prompt):
                self._answers += frame.send
                continue
            if isinstance(frame, Reply):
                continue
            self._unasked = min(3.0, self._unasked + 1) if self._polled_at is None else max(0.0, self._unasked - 0.5)
            self._polled_at = None
            yield from self._indicate(frame, at, now)

    def _indicate(self, frame: Reading, at: datetime, now: float) -> Iterator[DeviceEvent]:
        mass = frame.mass
        indication = Indication(
            status=frame.status,
            gross_mg=mass.milligrams if mass else None,
            unit=mass.unit if mass else None,
            interval_mg=mass.interval_mg if mass else None,
            stable=frame.stable,
            stable_source=frame.stable_source,
            kind=frame.kind,
            raw=frame.raw,
            at=at,
            monotonic=now,
        )
        yield Indicated(indication)
        reading = self._acceptor.feed(indication)
        if reading:
            yield WeightAccepted(reading)
        advice = frame.advice or (_NET if frame.kind is WeightKind.NET else "")
        if advice and advice != self._advice_told:
            yield Refused(self._device, advice, frame.raw)
        self._advice_told = advice

    def _time_out(self, at: datetime, now: float) -> Iterator[DeviceEvent]:
        if self._polled_at is not None and now - self._polled_at >= self._driver.reply_within_s:
            self._polled_at = None
            self._late_until = now + self._driver.reply_within_s
            self._acceptor.restart()
            yield from self._no_reply(at, now)

    def _no_reply(self, at: datetime, now: float) -> Iterator[DeviceEvent]:
        if self._silence_told:
            return
        self._silence_told = True
        yield Indicated(
            Indication(
                status=Status.NO_REPLY,
                gross_mg=None,
                unit=None,
                interval_mg=None,
                stable=False,
                stable_source=StableSource.SCALE,
                kind=WeightKind.UNKNOWN,
                raw=b"",
                at=at,
                monotonic=now,
            )
        )

    def _request(self, now: float) -> bytes:
        # A scale that streams needs no questions, and some lose answers when asked while they talk.
        streaming = self._unasked >= 3 and now - self._last_frame < 2 * self._driver.period_s
        if self._poll is None or self._polled_at is not None or now < self._next_poll or streaming:
            return b""
        if self._late_until is not None:
            if now < self._late_until:
                return b""
            self._late_until = None  # that answer is lost: the next one is the answer to this question
        self._polled_at = now
        self._next_poll = now + max(_FASTEST_POLL_S, self._driver.poll_every_s)
        return self._poll

    def _seven_bits(self) -> SevenBits | None:
        for settings in (self._line, self._driver.line):
            if settings.data_bits == 7:
                return SevenBits(settings.parity)
        return None
