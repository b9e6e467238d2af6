"""Zebra SSI: the published vectors, and a scanner simulated from Zebra's tables on a line with every fault."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ports import DeviceEvent, Light, Refused, ScanArrived, ScanOutcome
from devices.scanner import DuplicateGuard, SsiScanner, scanner_from
from devices.scanner.framer import MAX_SCAN
from devices.scanner.ssi_packets import BAD_CHECKSUM, Opcode, PacketReader, checksum, command, with_aim
from devices.simulators.ssi import SsiSimulator
from tests.devices.scanner.wire import Wire

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

EAN_13 = bytes.fromhex("12 F3 00 00 0B 34 30 30 36 33 38 31 33 33 33 39 33 31 FC 54")
NO_READ = bytes.fromhex("07 F3 00 00 01 4E 52 FE 65")


def ssi(**settings: object) -> tuple[Wire, SsiSimulator]:
    device = SsiSimulator(**settings)  # type: ignore[arg-type]
    return Wire(scanner_from("scanner-1", protocol="ssi"), device), device


def host() -> SsiScanner:
    scanner = SsiScanner("scanner-1", duplicate_s=0.0)
    scanner.opened(0.0)
    return scanner


def decode(code_type: int, data: bytes, status: int = 0) -> bytes:
    body = bytes([5 + len(data), 0xF3, 0, status, code_type]) + data
    return body + checksum(body)


def heard(scanner: SsiScanner, data: bytes, now: float = 20.0) -> list[DeviceEvent]:
    return list(scanner.received(data, AT, now))


def scans(events: list[DeviceEvent]) -> list[bytes]:
    return [event.scan.data for event in events if isinstance(event, ScanArrived)]


# --- packets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "vector"),
    [
        (command(Opcode.ACK), "04 D0 04 00 FF 28"),
        (command(Opcode.NAK, b"\x01"), "05 D1 04 00 01 FF 25"),
        (command(Opcode.BEEP, b"\x00"), "05 E6 04 00 00 FF 11"),
        (command(Opcode.SCAN_ENABLE), "04 E9 04 00 FF 0F"),
        (command(Opcode.SCAN_DISABLE), "04 EA 04 00 FF 0E"),
        (command(0x00, b"\x00"), "05 00 04 00 00 FF F7"),
    ],
)
def test_the_published_vectors(packet: bytes, vector: str) -> None:
    assert packet == bytes.fromhex(vector)


def test_published_codes_are_read() -> None:
    scanner = host()
    assert scans(heard(scanner, EAN_13)) == [b"]E04006381333931"]
    (event,) = heard(scanner, NO_READ)
    assert isinstance(event, Refused)
    assert event.harmless


@pytest.mark.parametrize(
    ("code_type", "data", "scan"),
    [
        (0x0B, b"4006381333931", b"]E04006381333931"),
        (0x08, b"012345678905", b"]E0012345678905"),
        (0x0A, b"96385074", b"]E496385074"),
        (0x09, b"04252614", b"]E004252614"),
        (0x48, b"01234567890512", b"]E3001234567890512"),
        (0x8B, b"400638133393151234", b"]E3400638133393151234"),
        (0x0F, b"01040063813339312117", b"]C101040063813339312117"),
        (0x03, b"RMA-10442", b"]C0RMA-10442"),
        (0xC1, b"0104006381333931", b"]d20104006381333931"),
        (0x1B, b"0104006381333931", b"0104006381333931"),  # which Data Matrix, its type does not say
        (0x08, b"01234567890", b"01234567890"),  # check digit not sent: no retail number
        (0x16, b"123456789X", b"123456789X"),
        (0x99, b"RMA-1", b"RMA-1"),
        (0x03, b"]C1RMA-1", b"]C1RMA-1"),  # the scanner sends the identifier itself
    ],
)
def test_code_types_become_aim_identifiers_where_they_are_sure(code_type: int, data: bytes, scan: bytes) -> None:
    assert with_aim(code_type, data) == scan


@given(st.lists(st.binary(max_size=250), min_size=1, max_size=4), st.data())
def test_packets_survive_any_cutting(codes: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(decode(0x03, code) for code in codes)
    reader = PacketReader()
    out = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        out += [packet.data[1:] for packet in reader.feed(stream[:cut])]
        stream = stream[cut:]
    assert out == codes
    assert not reader.has_rest


@given(st.binary(max_size=600))
def test_any_bytes_are_bounded_and_end(garbage: bytes) -> None:
    reader = PacketReader()
    reader.feed(garbage)
    assert len(reader._buffer) <= 257
    fault = reader.quiet()
    assert fault is None or len(fault.raw) <= 64
    assert not reader.has_rest


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_code_is_made_of_garbage_around_a_packet(before: bytes, after: bytes) -> None:
    """What looks like a packet inside something else is not one, unless the bytes before it are packets themselves."""
    scanner = host()
    got = scans(heard(scanner, before + EAN_13 + after))
    assert set(got) <= {b"]E04006381333931"}


def test_every_changed_byte_of_a_packet_is_noticed() -> None:
    wrong = 0
    for place in range(len(EAN_13)):
        for value in range(256):
            if value != EAN_13[place]:
                events = heard(host(), EAN_13[:place] + bytes([value]) + EAN_13[place + 1 :])
                wrong += bool(set(scans(events)) - {b"]E04006381333931"})
                # byte 1 is the opcode and 3 the status: a changed one is covered by the checksum as well
                assert not scans(events)
    assert wrong == 0


def test_a_sum_without_order_lets_two_swapped_bytes_pass() -> None:
    """The control: the checksum is a plain sum, so this is a fault it cannot see (the EAN's own check digit can)."""
    swapped = EAN_13[:5] + EAN_13[6:7] + EAN_13[5:6] + EAN_13[7:]
    assert scans(heard(host(), swapped)) == [b"]E00406381333931"]


# --- the dialogue -----------------------------------------------------------------------------------------------------


def test_a_scanner_as_delivered_is_set_up_and_read() -> None:
    wire, device = ssi()
    assert (device._parameters[0xEE], device._parameters[0x9F]) == (1, 1)
    wire.scan("4006381333931", type="ean13")
    wire.scan("RMA-10442")
    assert wire.scans == [b"]E04006381333931", b"]C0RMA-10442"]
    assert wire.host.health(wire.now) == (Light.WORKING, "")
    assert device.given_up == 0
    assert device.beeps == []


def test_a_large_code_in_packets_each_acknowledged() -> None:
    wire, device = ssi()
    text = "".join(chr(33 + n % 90) for n in range(3000))
    wire.scan(text, 3.0, type="qr")
    assert wire.scans == [text.encode()]
    assert device.sent == 12
    assert wire.refused == []


@pytest.mark.parametrize("fault", ["damage", "lose", "deaf"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("part", [250, 4])
def test_faults_of_the_line_cost_time_and_never_a_code(fault: str, times: int, part: int) -> None:
    wire, device = ssi()
    wire.do(fault, times=times)
    wire.scan("RMA-2026-000017", 12.0, part=part)
    wire.scan("RMA-2026-000018", 2.0, part=part)
    assert wire.scans == [b"]C0RMA-2026-000017", b"]C0RMA-2026-000018"]
    assert all(one.harmless for one in wire.refused)
    assert device.given_up == 0


def test_a_code_whose_acknowledgements_all_get_lost_still_counts_once() -> None:
    wire, device = ssi()
    wire.do("deaf", times=3)
    wire.scan("RMA-1", 10.0)
    assert device.given_up == 1
    assert wire.scans == [b"]C0RMA-1"]


def test_a_host_that_ignores_the_retransmit_bit_would_count_it_again() -> None:
    """The control: the copies do arrive, and only the bit tells them from a second reading."""
    scanner = host()
    assert scans(heard(scanner, decode(3, b"RMA-1"), 20.0)) == [b"]C0RMA-1"]
    assert scans(heard(scanner, decode(3, b"RMA-1", 1), 22.0)) == []
    assert scans(heard(scanner, decode(3, b"RMA-1", 0), 24.0)) == [b"]C0RMA-1"]
    assert scans(heard(scanner, decode(3, b"RMA-2", 1), 26.0)) == [b"]C0RMA-2"]  # its first copy never came
    assert scans(heard(scanner, decode(3, b"RMA-2", 1), 36.0)) == [b"]C0RMA-2"]  # too late for a copy


def test_a_code_that_stays_damaged_is_lost_aloud() -> None:
    wire, device = ssi()
    wire.do("damage", times=3)
    wire.scan("RMA-1", 12.0)
    assert device.given_up == 1
    assert wire.scans == []
    assert [one.harmless for one in wire.refused] == [True, True, True, False]
    assert "scan again" in wire.refused[-1].reason


def test_a_code_whose_last_packets_never_come_is_no_code() -> None:
    wire, device = ssi()
    wire.scan("RMA-10442-AND-MORE", 0.04, part=10)  # the first packet is through
    device._queue.clear()
    wire.run(10.0)
    wire.scan("RMA-2")
    assert wire.scans == [b"]C0RMA-2"]
    assert [one.harmless for one in wire.refused] == [False]
    assert "half a code" in wire.refused[0].reason


def test_another_code_between_two_packets_ends_the_half() -> None:
    scanner = host()
    events = heard(scanner, decode(0x1C, b"FIRST-", 2) + decode(0x03, b"RMA-1"))
    assert scans(events) == [b"]C0RMA-1"]
    assert [event.reason for event in events if isinstance(event, Refused)] == [
        "half a code: another one came between its packets; scan again"
    ]


def test_equal_parts_of_a_long_code_are_kept_apart_or_refused() -> None:
    scanner = host()
    part = decode(0x1C, b"0" * 250, 2)
    assert scans(heard(scanner, part + part + decode(0x1C, b"END"))) == [b"0" * 500 + b"END"]
    # the second part came damaged, was refused and sent again: a copy of the first, or the second?
    heard(scanner, part, 40.0)
    heard(scanner, part[:-1] + b"\x00", 41.0)
    assert command(Opcode.NAK, b"\x01") in scanner.tick(AT, 42.0, quiet=True)[0]
    again = decode(0x1C, b"0" * 250, 3)
    events = heard(scanner, again + decode(0x1C, b"END"), 43.0)
    assert scans(events) == []
    assert any(isinstance(event, Refused) and "scan again" in event.reason for event in events)


def test_a_code_without_end_is_bounded_and_the_next_is_read() -> None:
    scanner = host()
    for number in range(4000):
        heard(scanner, decode(0x1C, b"%04d" % number + b"x" * 246, 2))
        assert len(scanner._assembled()) <= MAX_SCAN + 250
    events = heard(scanner, decode(0x1C, b"END") + decode(0x03, b"RMA-1"))
    assert scans(events) == [b"]C0RMA-1"]


@pytest.mark.parametrize("noise", [b"\x00", b"\xff", b"\x00\x7f\xff", b"AT\r", b"\x04", b"\x12\xf3"])
def test_noise_before_a_packet_costs_a_round_and_no_code(noise: bytes) -> None:
    wire, _device = ssi()
    wire.to_host = noise
    wire.scan("4006381333931", 8.0, type="ean13")
    assert wire.scans == [b"]E04006381333931"]


def test_a_checksum_that_is_wrong_is_named() -> None:
    reader = PacketReader()
    assert reader.feed(EAN_13[:-1] + b"\x55") == []
    fault = reader.quiet()
    assert fault is not None
    assert fault.reason == BAD_CHECKSUM


def test_a_scanner_that_was_switched_off_and_on_is_set_up_again() -> None:
    wire, device = ssi()
    wire.run(10.0)
    device._parameters[0xEE] = 0  # what a new start leaves
    wire.scan("RMA-1", 1.0)
    wire.run(2.0)
    wire.scan("RMA-2")
    assert wire.scans == [b"]C0RMA-2"]
    wire.run(10.0)
    assert any(not one.harmless for one in wire.refused)  # the first was lost, and said so


def test_a_scanner_that_speaks_something_else_is_silent_not_working() -> None:
    class Deaf(SsiSimulator):
        def hear(self, data: bytes, now: float) -> None: ...

    wire = Wire(scanner_from("scanner-1", protocol="ssi"), Deaf())
    assert wire.host.health(wire.now) is None
    wire.run(5.0)
    state = wire.host.health(wire.now)
    assert state is not None
    assert state[0] is Light.SILENT
    assert "SSI" in state[1]
    wire.device = SsiSimulator()
    wire.run(8.0)
    assert wire.host.health(wire.now) == (Light.WORKING, "")


@pytest.mark.parametrize(
    ("outcome", "beep"), [(ScanOutcome.ACCEPTED, 0), (ScanOutcome.ATTENTION, 2), (ScanOutcome.REJECTED, 0x10)]
)
def test_the_outcome_is_beeped(outcome: ScanOutcome, beep: int) -> None:
    wire, device = ssi()
    wire.scan("RMA-1")
    wire.host.tell(outcome)
    wire.run(1.0)
    assert device.beeps == [beep]


def test_scanning_can_be_switched_off_and_on() -> None:
    wire, device = ssi()
    assert isinstance(wire.host, SsiScanner)
    wire.host.enable(False)
    wire.run(1.0)
    assert not device.is_on
    wire.scan("RMA-1")
    wire.host.enable(True)
    wire.run(1.0)
    wire.scan("RMA-2")
    assert wire.scans == [b"]C0RMA-2"]


def test_unplugged_amid_a_code() -> None:
    scanner = host()
    heard(scanner, decode(0x1C, b"FIRST-", 2))
    (event,) = scanner.broke_off()
    assert isinstance(event, Refused)
    scanner.opened(50.0)
    assert scans(heard(scanner, decode(0x1C, b"SECOND"), 51.0)) == [b"SECOND"]
    assert list(scanner.broke_off()) == []


def test_a_line_scanner_and_an_ssi_scanner_share_the_guard() -> None:
    guard = DuplicateGuard()
    first = SsiScanner("scanner-1", guard=guard)
    second = scanner_from("scanner-2", guard=guard)
    first.opened(0.0)
    second.opened(0.0)
    assert scans(heard(first, EAN_13, 20.0)) == [b"]E04006381333931"]
    assert scans(list(second.received(b"4006381333931\r", AT, 20.2))) == []
