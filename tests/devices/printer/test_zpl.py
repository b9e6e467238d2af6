"""Our ZPL encoder against the simulator's decoder, which was written apart from it."""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.printer.label import LabelImage
from devices.printer.zpl import zpl_label
from devices.simulators.printer_zpl import decode_graphic, render_format
from station.errors import InvalidInput


def bitmap(rows: list[bytes], width: int) -> LabelImage:
    return LabelImage(width, len(rows), 203, b"".join(rows), 0)


def printed(label: LabelImage) -> bytes:
    return b"".join(render_format(zpl_label(label, "job-1").decode("ascii")).rows)


@given(st.integers(1, 40).flatmap(lambda n: st.lists(st.binary(min_size=n, max_size=n), min_size=1, max_size=12)))
def test_what_is_encoded_is_decoded(rows: list[bytes]) -> None:
    assert printed(bitmap(rows, len(rows[0]) * 8)) == b"".join(rows)


@given(st.lists(st.sampled_from([b"\x00", b"\xff", b"\xf0", b"\x0f"]), min_size=1, max_size=9), st.integers(1, 300))
def test_runs_of_every_length(pieces: list[bytes], length: int) -> None:
    row = b"".join(piece * length for piece in pieces)[:500]
    assert printed(bitmap([row, row, row[::-1]], len(row) * 8)) == row + row + row[::-1]


def test_a_label_is_small() -> None:
    """A plain row costs a byte or two; the encoder does compress."""
    label = bitmap([b"\x00" * 102] * 408, 816)
    assert len(zpl_label(label, "job-1")) < 600


def test_zebras_own_example() -> None:
    """From the manual: ``M6`` is seven 6s (M = 7), ``hB`` forty Bs, ``MvB`` 327 Bs."""
    assert decode_graphic("M60", 4, 4) == (bytes.fromhex("66666660"),)
    assert decode_graphic("hB", 20, 20) == (b"\xbb" * 20,)
    assert decode_graphic("vMB0", 164, 164) == (bytes.fromhex("B" * 327 + "0"),)


def test_packed_forms_are_understood_and_checked() -> None:
    plain = bytes(range(40))
    body = base64.b64encode(zlib.compress(plain)).decode()
    good = f":Z64:{body}:{binascii.crc_hqx(body.encode(), 0):04X}"
    assert b"".join(decode_graphic(good, 4, 40)) == plain
    with pytest.raises(InvalidInput, match="checksum"):
        decode_graphic(good[:-4] + "0000", 4, 40)


@pytest.mark.parametrize(
    ("data", "per_row", "total"),
    [("FF", 2, 2), ("FFG", 1, 1), ("?!", 1, 1), ("FF", 0, 2), ("FF", 2, 3), ("FFFF", 1, 1), (":Z64:%%:00", 1, 1)],
)
def test_rubbish_is_refused(data: str, per_row: int, total: int) -> None:
    with pytest.raises(InvalidInput):
        decode_graphic(data, per_row, total)


def test_a_field_that_is_not_at_a_byte_lands_where_it_should() -> None:
    zpl = "^XA^PW32^LL3^FO5,1^GFA,1,1,1,FF^FS^XZ"
    rows = np.unpackbits(np.frombuffer(b"".join(render_format(zpl).rows), np.uint8).reshape(3, 4), axis=1)
    assert [list(np.flatnonzero(row)) for row in rows] == [[], list(range(5, 13)), []]
