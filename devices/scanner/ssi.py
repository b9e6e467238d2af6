"""A Zebra or Symbol scanner that speaks SSI, the Simple Serial Interface: every code acknowledged, none taken twice.

On opening the scanner is woken, and told, until it is next switched off, to send its codes in packets and to wait for
their acknowledgement (PARAM_SEND, status bit 3 clear: nothing is written to its flash memory). A scanner that answers
none of this is *silent*, not *working*.

Decision on retransmission: a packet marked "sent again" that equals the one taken last is the same packet, whose
acknowledgement got lost; it is acknowledged again and dropped. Price: a label whose second reading is garbled once, and
is sent again within ``RETRY_S`` of the first, counts once, with the reason on the screen.

Source: Zebra SSI Programmer's Guide 72E-40451; DS4308 p. 7-15 (two more attempts without ACK, parameter 9F), MS4404
p. 8-3; DEVICES §2.3. Not yet checked on hardware.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from devices.ports import DeviceEvent, Light, Refused, ScanArrived, ScanOutcome
from devices.scanner.duplicates import DuplicateGuard, why_refused
from devices.scanner.framer import MAX_SCAN, Damaged, is_noise
from devices.scanner.line import DUPLICATE_S, Owed
from devices.scanner.ssi_packets import (
    BAD_CHECKSUM,
    MORE,
    NAK_RESEND,
    RETRANSMIT,
    WAKE_UP,
    Opcode,
    Packet,
    PacketReader,
    command,
    with_aim,
)
from station.identify.scan import RawScan

QUIET_S = 0.15
"""A pause that no packet has within it; the guide's own limit between two characters is 0.2 s or less."""
RETRY_S = 8.0
"""The first attempt and two more at the scanner's default time-out of 2 s end within this time."""
_ANSWER_S = 1.0
_TRIES = 3
_WAKE_S = 0.1
_SET_UP_AGAIN_S = 5.0
_PACKETS_AND_ACK = b"\xff\xee\x01\x9f\x01"
"""No beep; parameter EE, packeted decode data, on; parameter 9F, ACK/NAK handshaking, on."""
_NO_READ = b"NR"
_BEEPS = {
    ScanOutcome.ACCEPTED: b"\x00",  # one short high
    ScanOutcome.ATTENTION: b"\x02",  # three short high
    ScanOutcome.REJECTED: b"\x10",  # two long low
}
_DEAF = "does not answer SSI commands: set it to the SSI host interface, 9600 8N1, and check the cable"


@dataclass(slots=True)
class _Request:
    """A command and how often it has been sent."""

    opcode: int
    data: bytes = b""
    tries: int = 0
    again_at: float = 0.0

    def bytes(self) -> bytes:
        return command(self.opcode, self.data, status=RETRANSMIT if self.tries > 1 else 0)


class SsiScanner:
    """An ``Instrument``."""

    def __init__(self, device: str, *, duplicate_s: float = DUPLICATE_S, guard: DuplicateGuard | None = None) -> None:
        """
        Args:
            duplicate_s: the same code again within this time is refused, with a reason that is shown; 0 = never.
            guard: shared by all scanners of a bench; None = this one stands alone.
        """
        self._device = device
        self._duplicate_s = duplicate_s
        self._guard = guard or DuplicateGuard()
        self._reader = PacketReader()
        self._told: deque[ScanOutcome | Opcode] = deque(maxlen=8)
        self._out = bytearray()
        self._requests: deque[_Request] = deque()
        self._parts: list[Packet] = []
        self._in_doubt = ""
        """Why the code that is coming in packets will be refused at its end."""
        self._last: Packet | None = None
        self._last_at = self._last_byte = self._set_up_at = 0.0
        self._asked_again = False
        """A packet was refused since ``_last``."""
        self._answers: bool | None = None
        self._owed = Owed()

    @property
    def device(self) -> str:
        return self._device

    def tell(self, outcome: ScanOutcome) -> None:
        """What became of its last scan. From any thread; never waits."""
        self._told.append(outcome)

    def enable(self, on: bool) -> None:
        """Let it read, or not. From any thread; takes effect within a moment, and until it is opened again."""
        self._told.append(Opcode.SCAN_ENABLE if on else Opcode.SCAN_DISABLE)

    def opened(self, now: float) -> None:
        self._reader.clear()
        self._told.clear()
        self._parts.clear()
        self._last, self._asked_again, self._in_doubt = None, False, ""
        self._last_byte = now
        self._answers = None
        self._owed.came()
        self._out = bytearray(WAKE_UP)
        self._set_up(now + _WAKE_S)

    def received(self, data: bytes, at: datetime, now: float) -> Iterator[DeviceEvent]:
        self._last_byte = now
        for packet in self._reader.feed(data):
            self._answers = True
            if packet.opcode == Opcode.ACK:
                self._done()
            elif packet.opcode == Opcode.NAK:
                self._denied(packet, now)
            else:
                self._out += command(Opcode.ACK)
                if packet.opcode == Opcode.DECODE_DATA:
                    yield from self._decoded(packet, at, now)

    def tick(self, at: datetime, now: float, *, quiet: bool) -> tuple[bytes, list[DeviceEvent]]:
        events: list[DeviceEvent] = []
        if quiet and now - self._last_byte >= QUIET_S and (fault := self._reader.quiet()):
            events.append(self._ask_again(fault, now))
        if lost := self._owed.overdue(now):
            events.append(Refused(self._device, lost.reason, lost.raw))
        if self._parts and now - self._last_at >= RETRY_S:
            events.append(self._give_up("half a code: the rest of its packets never came; scan again"))
        while self._told:
            self._say(self._told.popleft(), now)
        self._press_on(now)
        out, self._out = bytes(self._out), bytearray()
        return out, events

    def broke_off(self) -> list[DeviceEvent]:
        half = bool(self._parts) or self._reader.has_rest
        raw = self._assembled() if self._parts else b""
        self._parts.clear()
        self._reader.clear()
        reason = "half a code: the scanner was unplugged in the middle of it; scan again"
        return [Refused(self._device, reason, raw[:64])] if half else []

    def health(self, now: float) -> tuple[Light, str] | None:
        if self._answers is None:
            return None
        return (Light.WORKING, "") if self._answers else (Light.SILENT, f"{self._device} {_DEAF}")

    # --- codes ----------------------------------------------------------------------------------------------------

    def _decoded(self, packet: Packet, at: datetime, now: float) -> Iterator[DeviceEvent]:
        if not packet.sent_again and (lost := self._owed.overdue(now, at_once=True)):
            yield Refused(self._device, lost.reason, lost.raw)
        self._owed.came()
        if self._is_repeated(packet, now):
            if not self._parts:
                reason = "the scanner sent the code again: counted once"
                yield Refused(self._device, reason, packet.data[1:], harmless=True)
            return
        same = self._last is not None and self._last.data == packet.data
        if self._parts and packet.sent_again and same:
            self._in_doubt = "a code whose packets cannot be told apart; scan again"
        self._last, self._last_at, self._asked_again = packet, now, False
        if self._parts and packet.data[:1] != self._parts[0].data[:1]:
            yield self._give_up("half a code: another one came between its packets; scan again")
        self._parts.append(packet)
        if sum(len(part.data) for part in self._parts) > MAX_SCAN + len(self._parts):
            self._in_doubt = f"a code of more than {MAX_SCAN} bytes"
            del self._parts[1:]
        if not packet.more:
            yield self._deliver(at, now)

    def _is_repeated(self, packet: Packet, now: float) -> bool:
        last = self._last
        if last is None or not packet.sent_again or now - self._last_at >= RETRY_S:
            return False
        if (packet.data, packet.status & MORE) != (last.data, last.status & MORE):
            return False
        # Amid a code, after a packet that was refused, an equal one may be the next: two equal parts of a long code.
        return not (self._parts and self._asked_again)

    def _deliver(self, at: datetime, now: float) -> DeviceEvent:
        if self._in_doubt:
            return self._give_up(self._in_doubt)
        code_type = self._parts[0].data[:1]
        data = self._assembled()
        self._parts.clear()
        if not data or not code_type or data == _NO_READ:
            return Refused(self._device, "the scanner has read nothing", data, harmless=True)
        if is_noise(data):
            return Refused(self._device, "line noise, not a code", data[:64])
        scan = with_aim(code_type[0], data)
        by = self._guard.counted_by(scan, self._device, now, self._duplicate_s)
        if by:
            return Refused(self._device, why_refused(self._device, by, self._duplicate_s), scan, harmless=True)
        return ScanArrived(RawScan(scan, self._device, at))

    def _assembled(self) -> bytes:
        return b"".join(part.data[1:] for part in self._parts)

    def _give_up(self, reason: str) -> Refused:
        raw = self._assembled()[:64]
        self._parts.clear()
        self._in_doubt = ""
        return Refused(self._device, reason, raw)

    def _ask_again(self, fault: Damaged, now: float) -> Refused:
        self._asked_again = True
        self._out += command(Opcode.NAK, bytes([NAK_RESEND]))
        if fault.raw.strip(b"\x00\x7f\xfe\xff"):  # else an idle line's noise: nothing is owed
            self._owed.asked(fault, now)
        if fault.reason != BAD_CHECKSUM and now - self._set_up_at >= _SET_UP_AGAIN_S:
            # switched off and on behind an adapter that stayed: it sends plain text again
            self._set_up(now)
        return Refused(self._device, f"{fault.reason} – the scanner is to send it again", fault.raw, harmless=True)

    # --- commands: one at a time, each until it is answered -------------------------------------------------------

    def _set_up(self, now: float) -> None:
        self._set_up_at = now
        self._requests.clear()
        for opcode, data in ((Opcode.PARAM_SEND, _PACKETS_AND_ACK), (Opcode.SCAN_ENABLE, b"")):
            self._requests.append(_Request(opcode, data, again_at=now))

    def _say(self, what: ScanOutcome | Opcode, now: float) -> None:
        if isinstance(what, Opcode):
            self._requests.append(_Request(what, again_at=now))
        elif self._answers:
            # a beep that waits behind others is a lie about the scan before
            self._requests = deque(one for one in self._requests if one.opcode != Opcode.BEEP or one.tries)
            self._requests.append(_Request(Opcode.BEEP, _BEEPS[what], again_at=now))

    def _press_on(self, now: float) -> None:
        if not self._requests:
            if self._answers is False and now - self._set_up_at >= _SET_UP_AGAIN_S:
                self._out += WAKE_UP
                self._set_up(now + _WAKE_S)
            return
        first = self._requests[0]
        if now < first.again_at:
            return
        if first.tries >= _TRIES:
            self._requests.clear()
            self._answers = False
            self._set_up_at = now
            return
        first.tries += 1
        first.again_at = now + _ANSWER_S
        self._out += first.bytes()

    def _done(self) -> None:
        if self._requests and self._requests[0].tries:
            self._requests.popleft()

    def _denied(self, packet: Packet, now: float) -> None:
        if not self._requests or not self._requests[0].tries:
            return
        if packet.data[:1] == bytes([NAK_RESEND]) and self._requests[0].tries < _TRIES:
            self._requests[0].again_at = now
        else:
            self._requests.popleft()  # it cannot beep like that, or has no such parameter: nothing depends on it
