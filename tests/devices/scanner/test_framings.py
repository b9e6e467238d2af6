"""Every suffix a scanner can be set to, over every cutting of the line (DEVICES §2.1, §8.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.scanner import framing_of, line_settings, scanner_from
from devices.scanner.framer import MAX_SCAN, Damaged, LineFramer
from station.errors import InvalidInput

SUFFIXES = {
    "any": [b"\r", b"\n", b"\r\n", b"\t", b"\r\r", b"\x03", b"\x03\r"],
    "cr": [b"\r", b"\r\n"],
    "lf": [b"\n", b"\r\n"],
    "tab": [b"\t", b"\t\r\n"],
}
STRUCTURE = set(b"\r\n\t\x00\x02\x03")
TRICKY = [
    b"]d2010426012345678921HD7-22941\x1d10A",
    b"[)>\x1e06\x1d1PX\x1e\x04",
    b" leading and trailing ",
    b"\x1d01",
    b"\xc3\xb6\xff\xfe",
    b"]C1RMA-10442",
]


def feed(framer: LineFramer, stream: bytes, cuts: list[int]) -> list[bytes | Damaged]:
    out: list[bytes | Damaged] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        out += framer.feed(stream[start:end])
    return out


def cuttings(stream: bytes) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, len(stream)), max_size=12).map(sorted)


codes = st.one_of(
    st.sampled_from(TRICKY),
    st.binary(min_size=1, max_size=60).filter(lambda b: not set(b) & STRUCTURE and bool(b.strip(b"\x7f\xff\xfe"))),
)


@pytest.mark.parametrize("word", sorted(SUFFIXES))
@given(st.data())
def test_a_suffix_over_any_cutting(word: str, data: st.DataObject) -> None:
    wanted = data.draw(st.lists(codes, min_size=1, max_size=5))
    prefix = data.draw(st.sampled_from([b"", b"\x02"])) if word == "any" else b""
    suffix = data.draw(st.sampled_from(SUFFIXES[word]))
    stream = b"".join(prefix + code + suffix for code in wanted)
    framer = LineFramer(framing_of(word))
    assert feed(framer, stream, data.draw(cuttings(stream))) == wanted
    assert framer.drop() == []


@given(st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=4), st.data())
def test_packets_carry_every_byte_but_their_own_marks(wanted: list[bytes], data: st.DataObject) -> None:
    wanted = [code for raw in wanted if (code := raw.translate(None, b"\x00\x02\x03")).strip(b"\x7f\xff\xfe")]
    stream = b"".join(b"\x02" + code + b"\x03" + data.draw(st.sampled_from([b"", b"\r", b"\r\n"])) for code in wanted)
    assert feed(LineFramer(framing_of("packet")), stream, data.draw(cuttings(stream))) == wanted


@given(st.sampled_from(["any", "cr", "lf", "tab", "packet", "none"]), st.binary(max_size=600), st.data())
def test_the_cutting_never_changes_what_is_understood(word: str, stream: bytes, data: st.DataObject) -> None:
    whole, cut = LineFramer(framing_of(word)), LineFramer(framing_of(word))
    out = whole.feed(stream)
    assert feed(cut, stream, data.draw(cuttings(stream))) == out
    assert cut.stale() == whole.stale()
    assert not whole.has_rest
    assert all(isinstance(part, Damaged) or b"\x00" not in part for part in out)


@pytest.mark.parametrize("word", ["any", "cr", "lf", "tab", "packet", "none"])
def test_a_megabyte_of_garbage_is_bounded_and_the_next_code_is_read(word: str) -> None:
    framer = LineFramer(framing_of(word))
    kept = 0
    for _ in range(256):
        for part in framer.feed(b"\x02" + b"garbage " * 512 if word == "packet" else b"garbage " * 512):
            kept = max(kept, len(part.raw if isinstance(part, Damaged) else part))
    assert kept <= MAX_SCAN
    framer.gap() if word == "none" else framer.stale()
    stream = b"\x02RMA-1\x03" if word == "packet" else b"RMA-1" + {"lf": b"\n", "tab": b"\t"}.get(word, b"\r")
    if word == "none":
        assert framer.feed(b"RMA-1") == []
        assert framer.gap() == [b"RMA-1"]
    else:
        assert framer.feed(stream) == [b"RMA-1"]


def test_a_3_kb_code_with_line_ends_needs_packets() -> None:
    code = b"[)>\x1e06\x1dP1\r\n\t\x1e\x04" * 220
    assert len(code) > 3000
    framer = LineFramer(framing_of("packet"))
    assert feed(framer, b"\x02" + code + b"\x03", [1, 700, 701, 2900]) == [code]
    cut = LineFramer(framing_of("any")).feed(b"\x02" + code + b"\x03")  # the control: without packets it is in pieces
    assert code not in cut
    assert len(cut) > 100


def test_a_packet_without_its_end_is_refused_and_the_next_is_whole() -> None:
    for word in ("packet", "any"):
        out = LineFramer(framing_of(word)).feed(b"\x02RMA-1\x02RMA-2\x03")
        assert isinstance(out[0], Damaged)
        assert out[1:] == [b"RMA-2"]


def test_a_scanner_that_sends_no_packets_is_not_ignored_in_silence() -> None:
    (fault,) = LineFramer(framing_of("packet")).feed(b"RMA-1\r\n")
    assert isinstance(fault, Damaged)
    assert "STX" in fault.reason
    framer = LineFramer(framing_of("packet"))
    assert framer.feed(b"RMA-1") == []
    assert framer.has_rest
    assert [part.raw for part in framer.stale() if isinstance(part, Damaged)] == [b"RMA-1"]
    assert LineFramer(framing_of("packet")).feed(b"\x02A1\x03\r\n\x00\xff\x02B2\x03\r\n") == [b"A1", b"B2"]


@pytest.mark.parametrize("word", ["", "CR", "crlf", "ANY "])
def test_an_unknown_suffix_is_named(word: str) -> None:
    with pytest.raises(InvalidInput, match=r"any, cr, lf, tab, packet, none"):
        framing_of(word)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"protocol": "usb"}, "line, ssi"),
        ({"feedback": "metrologic"}, "none, honeywell, datalogic"),
        ({"suffix": "etx"}, "packet"),
        ({"duplicate_ms": -1}, "milliseconds"),
    ],
)
def test_a_wrong_setting_says_what_is_possible(settings: dict[str, object], wanted: str) -> None:
    with pytest.raises(InvalidInput, match=wanted):
        scanner_from("scanner-1", **settings)  # type: ignore[arg-type]


def test_bits_are_read_and_refused() -> None:
    assert str(line_settings(19200, "7O2")) == "19200 7O2"
    for bits in ("", "8n1", "9N1", "8N", "8N15"):
        with pytest.raises(InvalidInput, match="8N1"):
            line_settings(9600, bits)
