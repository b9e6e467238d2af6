"""Framing of scans: one scan is one scan, whole, once (DEVICES §2.1, §8.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ports import DeviceEvent, Light, Refused, ScanArrived
from devices.scanner import Framing, Scanner
from devices.scanner.framer import MAX_SCAN, Damaged, LineFramer

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class Desk:
    scanner: Scanner
    now: float = 50.0
    events: list[DeviceEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scanner.opened(self.now)
        self.now += 20.0  # past the time of modem probes

    def receive(self, data: bytes, after_s: float = 1.0) -> None:
        self.now += after_s
        self.events += self.scanner.received(data, AT, self.now)

    def quiet(self, seconds: float) -> None:
        self.now += seconds
        self.events += self.scanner.tick(AT, self.now, quiet=True)[1]

    @property
    def scans(self) -> list[bytes]:
        return [event.scan.data for event in self.events if isinstance(event, ScanArrived)]

    @property
    def refused(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, Refused)]


def desk(**settings: object) -> Desk:
    duplicate_s = settings.pop("duplicate_s", 0.7)
    assert isinstance(duplicate_s, float)
    framing = Framing(**settings) if settings else None  # type: ignore[arg-type]
    return Desk(Scanner("scanner-1", framing=framing, duplicate_s=duplicate_s))


@pytest.mark.parametrize("suffix", [b"\r", b"\n", b"\r\n", b"\t", b"\r\r", b"\n\r", b"\x03"])
def test_one_terminator_of_any_kind_ends_one_scan(suffix: bytes) -> None:
    bench = desk()
    bench.receive(b"]C1RMA-10442" + suffix)
    bench.receive(b"4006381333931" + suffix)
    assert bench.scans == [b"]C1RMA-10442", b"4006381333931"]
    assert bench.refused == []


def test_stx_and_etx_are_not_part_of_the_code() -> None:
    bench = desk()
    bench.receive(b"\x02RMA-1\x03\x02RMA-2\x03")
    assert bench.scans == [b"RMA-1", b"RMA-2"]


def test_two_scans_in_one_read_and_one_in_eight() -> None:
    bench = desk()
    bench.receive(b"RMA-1\rRMA-2\r\nRM")
    for byte in b"A-3456\r":
        bench.receive(bytes([byte]), 0.02)
    assert bench.scans == [b"RMA-1", b"RMA-2", b"RMA-3456"]


def test_every_byte_is_kept() -> None:
    code = b"]d2010426012345678921HD7-22941\x1d10A\x1e\x04 \xc3\xb6 "
    bench = desk()
    bench.receive(code + b"\r")
    assert bench.scans == [code]


def test_a_large_2d_code_with_line_ends_inside_in_packets() -> None:
    code = b"[)>\x1e06\x1dP1\r\n\x1e\x04" + b"x" * 3000
    bench = desk(packet=True)
    bench.receive(b"noise\r\x02" + code[:1500])
    bench.receive(code[1500:] + b"\x03")
    assert bench.scans == [code]


def test_without_a_suffix_a_pause_ends_the_scan() -> None:
    bench = desk(terminators=b"", gap_s=0.08)
    bench.receive(b"RMA-1")
    bench.quiet(0.05)
    bench.receive(b"0442", 0.01)
    assert bench.scans == []
    bench.quiet(0.05)
    assert bench.scans == []
    bench.quiet(0.05)
    assert bench.scans == [b"RMA-10442"]


def test_a_short_pause_within_a_code_ends_nothing() -> None:
    bench = desk()
    bench.receive(b"RMA-1")
    bench.quiet(1.0)
    bench.receive(b"0442\r", 0.5)
    assert bench.scans == [b"RMA-10442"]


def test_a_code_that_never_ends_is_not_glued_to_the_next() -> None:
    bench = desk()
    bench.receive(b"RMA-1")
    bench.quiet(60.0)
    bench.receive(b"4006381333931\r")
    assert bench.scans == [b"4006381333931"]
    assert len(bench.refused) == 1
    assert "suffix" in bench.refused[0]


@pytest.mark.parametrize(("after_s", "counted"), [(0.08, 1), (0.69, 1), (0.8, 2)])
def test_the_same_code_again(after_s: float, counted: int) -> None:
    bench = desk()
    bench.receive(b"RMA-1\r")
    bench.receive(b"RMA-1\r", after_s)
    assert len(bench.scans) == counted
    assert len(bench.refused) == 2 - counted
    assert all("again within 0.7 s" in reason for reason in bench.refused)


def test_another_code_is_never_a_duplicate_and_the_guard_can_be_off() -> None:
    bench = desk()
    bench.receive(b"RMA-1\rRMA-2\r")
    bench.receive(b"RMA-1\r", 0.3)  # two labels in view: each counts once
    assert bench.scans == [b"RMA-1", b"RMA-2"]
    bench.receive(b"RMA-1\r", 0.5)
    assert bench.scans == [b"RMA-1", b"RMA-2", b"RMA-1"]
    off = desk(duplicate_s=0.0)
    off.receive(b"RMA-1\rRMA-1\r")
    assert off.scans == [b"RMA-1", b"RMA-1"]


def test_half_a_code_at_unplug_is_refused() -> None:
    bench = desk()
    bench.receive(b"RMA-104")
    bench.events += bench.scanner.broke_off()
    bench.scanner.opened(bench.now)
    bench.receive(b"42\rRMA-10442\r", 30.0)
    assert bench.scans == [b"42", b"RMA-10442"]
    assert len(bench.refused) == 1
    assert "half a code" in bench.refused[0]


@pytest.mark.parametrize("garbage", [b"\x00\x00\r", b"\x7f\xff\xff\r", b"RMA\x00-1\r"])
def test_noise_is_refused(garbage: bytes) -> None:
    bench = desk()
    bench.receive(garbage)
    assert bench.scans == []
    assert bench.refused == ["line noise, not a code"]


def test_a_modem_probe_is_refused_only_after_plugging_in() -> None:
    bench = desk()
    bench.scanner.opened(bench.now)
    bench.receive(b"AT\rATE0\rAT+GCAP\r", 0.1)
    bench.receive(b"ATLAS-77\r")
    assert bench.scans == [b"ATLAS-77"]
    bench.receive(b"AT\r", 60.0)
    assert bench.scans == [b"ATLAS-77", b"AT"]


def test_an_endless_scan_is_given_up_to_its_terminator() -> None:
    bench = desk()
    for _ in range(250):
        bench.receive(b"x" * 4000, 0.0)
    assert bench.scans == []
    assert len(bench.refused) == 1
    bench.receive(b"tail\rRMA-1\r")
    assert bench.scans == [b"RMA-1"]
    assert bench.refused == [f"more than {MAX_SCAN} bytes without an end: is a suffix set?"]


def test_a_scanner_is_never_silent() -> None:
    bench = desk()
    bench.quiet(100_000.0)
    assert bench.scanner.health(bench.now) == (Light.WORKING, "")


@given(
    st.lists(st.binary(min_size=1, max_size=40).filter(lambda b: not set(b) & set(b"\r\n\t\x02\x03\x00"))), st.data()
)
def test_scans_survive_any_cutting(codes: list[bytes], data: st.DataObject) -> None:
    codes = [code for code in codes if code.strip(b"\x7f\xff\xfe")]
    stream = b"".join(code + data.draw(st.sampled_from([b"\r", b"\r\n", b"\n", b"\t"])) for code in codes)
    framer = LineFramer(Framing())
    out: list[bytes | Damaged] = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        out += framer.feed(stream[:cut])
        stream = stream[cut:]
    assert out == codes


@given(st.lists(st.binary(max_size=200)), st.booleans())
def test_any_bytes_are_bounded_and_accounted_for(pieces: list[bytes], packet: bool) -> None:
    framer = LineFramer(Framing(packet=packet))
    for piece in pieces:
        for part in framer.feed(piece):
            assert len(part.raw if isinstance(part, Damaged) else part) <= MAX_SCAN
            assert part
    framer.drop()
    assert not framer.has_rest
