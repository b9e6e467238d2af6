"""Parity that the library does not check (DEVICES §0.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.scale.seven_bits import SevenBits
from devices.simulators.faults import with_parity

TEXT = b"\n12.345KG\r\nS00\r\x03"


@given(st.binary(max_size=200), st.integers(1, 30))
def test_pieces_do_not_matter(data: bytes, size: int) -> None:
    at_once, pieces = SevenBits("E"), SevenBits("E")
    assert at_once.filter(data) == b"".join(pieces.filter(data[i : i + size]) for i in range(0, len(data), size))


@pytest.mark.parametrize("parity", ["E", "O"])
def test_right_parity_becomes_text_and_wrong_parity_is_never_text(parity: str) -> None:
    odd = parity == "O"
    assert SevenBits(parity).filter(with_parity(TEXT * 9, odd=odd)) == TEXT * 9
    wrong = SevenBits(parity).filter(with_parity(TEXT * 9, odd=not odd))
    assert TEXT not in wrong
    assert sum(byte > 0x7F for byte in wrong) > len(wrong) / 4


def test_a_line_that_strips_the_bit_is_not_doubted() -> None:
    bits = SevenBits("E")
    assert bits.filter(TEXT * 50) == TEXT * 50
    assert bits.filter(b"\xb3") == b"\xb3"
    assert bits.filter(TEXT * 50) == TEXT * 50


def test_once_the_parity_is_known_a_missing_bit_is_damage() -> None:
    bits = SevenBits("E")
    bits.filter(with_parity(TEXT * 4))
    assert bits.filter(b"1") == b"\xb1"
    assert bits.filter(b"3") == b"3"


def test_without_parity_the_bit_means_nothing() -> None:
    assert SevenBits("N").filter(bytes(byte | 0x80 for byte in TEXT)) == TEXT
