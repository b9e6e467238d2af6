"""MT-SICS against the bytes of the manual (DEVICES §1.2), not against our own writer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ports import Status
from devices.scale.frames import Garbage, Reading, Reply
from devices.scale.mt_sics import MtSicsParser, parse_reply
from station.inspection.facts import StableSource

STABLE = bytes.fromhex("53 20 53 20 20 20 20 20 31 32 2E 33 34 35 20 6B 67 0D 0A")


def reading(frame: bytes) -> Reading:
    found = parse_reply(frame)
    assert isinstance(found, Reading), found
    return found


@pytest.mark.parametrize(
    ("frame", "milligrams", "interval_mg", "stable"),
    [
        (STABLE, 12_345_000, 1_000, True),
        (b"S D     12.345 kg\r\n", 12_345_000, 1_000, False),
        (b"S S     100.00 g\r\n", 100_000, 10, True),
        (b"S S      -1.64 kg\r\n", -1_640_000, 10_000, True),
        (b"S S       1,64 kg\r\n", 1_640_000, 10_000, True),
        (b"S S          7 lb\r\n", 3_175_147, 453_592, True),
        (b"S S       0.40 oz\r\n", 11_340, 283, True),
        # seen on a BC60 parcel scale: 12 lb 7.5 oz = 199.5 oz
        (b"S D   12:07.50 lb:oz\r\n", 5_655_730, 283, False),
        (b"S S     -0.000 kg\r\n", 0, 1_000, True),
    ],
)
def test_weights_of_the_manual(frame: bytes, milligrams: int, interval_mg: int, stable: bool) -> None:
    found = reading(frame)
    assert found.mass is not None
    assert (found.mass.milligrams, found.mass.interval_mg) == (milligrams, interval_mg)
    assert found.stable is stable
    assert found.status is (Status.OK if stable else Status.MOTION)
    assert found.stable_source is StableSource.SCALE
    assert found.raw == frame


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (b"S I\r\n", Status.MOTION),
        (b"S +\r\n", Status.OVERLOAD),
        (b"S -\r\n", Status.UNDERLOAD),
        (b"S L\r\n", Status.FAULT),
        (b"ES\r\n", Status.FAULT),
        (b"ET\r\n", Status.FAULT),
        (b"EL\r\n", Status.FAULT),
        (b"S S Error 10b\r\n", Status.FAULT),
        (b"S S         12 PCS\r\n", Status.FAULT),
        (b"S S     12.345 ozt\r\n", Status.FAULT),
        (b"S S     12.345 lb:oz\r\n", Status.FAULT),
        (b"S S   12:07.50 kg\r\n", Status.FAULT),
    ],
)
def test_a_fault_is_never_a_number(frame: bytes, status: Status) -> None:
    found = reading(frame)
    assert found.mass is None
    assert found.status is status
    assert not found.stable


@pytest.mark.parametrize(
    "frame",
    [
        b"Z A\r\n",
        b"ZI S\r\n",
        b"T S      0.100 kg\r\n",
        b"TI D      0.100 kg\r\n",
        b"TA A      2.486 g\r\n",
        b"TAC A\r\n",
        b'I4 A "0123456789"\r\n',
        b'I2 A "XS204 Excellence 220.0090 g"\r\n',
        b'I0 B 0 "I0"\r\n',
        b'@ A "0123456789"\r\n',
    ],
)
def test_the_answer_to_another_command_is_no_weight(frame: bytes) -> None:
    assert isinstance(parse_reply(frame), Reply)


@pytest.mark.parametrize(
    "frame",
    [
        b"S S    12.345 kg\r\n",  # one character too narrow
        b"S S      12.345 kg\r\n",
        b"S S     012.345 kg\r\n",
        b"S S 0000012.345 kg\r\n",
        b"S S     12. 345 kg\r\n",
        b"S S    12.3.45 kg\r\n",
        b"S S     12.345kg\r\n",
        b" S     12.345 kg\r\n",
        b"S     12.345 kg\r\n",
        b"2.345 kg\r\n",
        b"AT\r",
        b"SI\r\n",
        bytes(byte | 0x80 for byte in STABLE[:-2]) + b"\r\n",
        b"S S     12.345 \xb0g\r\n",
    ],
)
def test_garbage_is_refused_with_its_bytes(frame: bytes) -> None:
    found = parse_reply(frame)
    if frame.startswith(b"SI"):  # an echo of our own request: understood, and nothing taken from it
        assert not isinstance(found, Reading)
        return
    assert isinstance(found, Garbage)
    assert found.raw == frame
    assert found.reason


def test_noise_before_a_frame_is_skipped() -> None:
    found = MtSicsParser().feed(bytes.fromhex("00007f7fff") + STABLE)
    assert [type(frame) for frame in found] == [Reading]
    assert found[0].raw == STABLE


@given(st.binary(max_size=400))
def test_any_bytes_in_any_pieces_give_the_same_frames(data: bytes) -> None:
    whole, pieces = MtSicsParser(), MtSicsParser()
    at_once = whole.feed(data) + whole.idle() + whole.drop()
    singly = [frame for byte in data for frame in pieces.feed(bytes([byte]))] + pieces.idle() + pieces.drop()
    assert at_once == singly


@given(st.lists(st.sampled_from([*(bytes([b]) for b in b"S DI+-0123456789.,:kglboz\r\n\x00\x02")]), max_size=60))
def test_a_reading_says_what_its_bytes_say(parts: list[bytes]) -> None:
    for frame in MtSicsParser().feed(b"".join(parts) + b"\r\n"):
        if isinstance(frame, Reading) and frame.mass is not None:
            text = frame.raw.decode("ascii").rstrip("\r\n")
            assert text[:2] == "S "
            assert text[2] in "SD"
            assert len(text[4:14]) == 10
            assert frame.stable is (text[2] == "S")
