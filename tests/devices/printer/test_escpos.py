"""ESC/POS: status bits by Epson's tables, and bitmaps that hold what a printer takes for an order."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from devices.printer.escpos import EscPosPrinter, escpos_label, printer_state, turned
from devices.printer.label import LabelImage, compose
from devices.printer.line import Line
from devices.printer.model import Unreachable
from devices.printer.printer import printer_from
from devices.printer.template import load_template
from devices.simulators.printer_escpos import EscPosMachine
from devices.simulators.printer_paper import Bitmap, Moods, Tray
from station.errors import InvalidInput


class Paper(Tray):
    """A tray that can be looked into."""

    def __init__(self) -> None:
        super().__init__(None, io.StringIO())
        self.printed: list[Bitmap] = []
        self.spoilt: list[str] = []

    def put(self, bitmap: Bitmap) -> None:
        self.printed.append(bitmap)

    def spoil(self, why: str) -> None:
        self.spoilt.append(why)


def bitmap(rows: list[bytes], width: int) -> LabelImage:
    return LabelImage(width, len(rows), 203, b"".join(rows), 0)


def fed(data: bytes, piece: int = 4096) -> tuple[Paper, bytes]:
    paper, answers = Paper(), bytearray()
    machine = EscPosMachine(Moods(), paper)
    for start in range(0, len(data), piece):
        machine.feed(data[start : start + piece], answers.extend)
    return paper, bytes(answers)


@given(
    st.integers(1, 72).flatmap(lambda n: st.lists(st.binary(min_size=n, max_size=n), min_size=1, max_size=150)),
    st.integers(1, 400),
)
def test_what_is_encoded_is_printed_dot_for_dot(rows: list[bytes], piece: int) -> None:
    paper, answers = fed(escpos_label(bitmap(rows, len(rows[0]) * 8)), piece)
    assert [[row[: len(rows[0])] for row in label.rows] for label in paper.printed] == [rows]
    assert paper.spoilt == []
    assert answers[-1:] == b"\x00", "the question after the label is answered last"


@pytest.mark.parametrize(
    "order", [b"\x10\x04\x01", b"\x10\x04\x04", b"\x10\x05\x02", b"\x10\x14\x01\x00\x01", b"\x10\x14\x02"]
)
def test_orders_inside_a_bitmap_are_only_dots(order: bytes) -> None:
    row = b"\xaa" * 10 + order + b"\x55" * 10
    paper, answers = fed(escpos_label(bitmap([row] * 70, len(row) * 8)))
    assert [row_[: len(row)] for row_ in paper.printed[0].rows] == [row] * 70
    assert paper.spoilt == []
    unasked = [byte for byte in answers if byte & 0x93 == 0x12]
    assert len(unasked) == (70 if order[:2] == b"\x10\x04" else 0)
    assert [byte for byte in answers if byte & 0x90 == 0] == [0]


@pytest.mark.parametrize("broken_at", [5, 9, 700, 2000, 4000])
def test_a_broken_bitmap_swallows_the_next_one_unless_it_is_filled_up(broken_at: int) -> None:
    label = bitmap([b"\xaa" * 50] * 90, 400)
    half, whole = escpos_label(label)[:broken_at], escpos_label(label)
    blind, _ = fed(half + whole)
    assert blind.spoilt or not blind.printed or len(blind.printed[0].rows) != 90
    filled, _ = fed(half + bytes(50 * 64 + 8) + b"\x1b@\x1dV\x42\x00" + whole)
    assert [row[:50] for row in filled.printed[-1].rows] == [b"\xaa" * 50] * 90
    assert filled.spoilt == []


def test_a_bitmap_full_of_status_questions_is_printed_and_believed(escpos_printer: object) -> None:
    """Seventy status bytes that nobody asked for do not pass for the answer that counts."""
    row = b"\x10\x04\x01" * 20
    printer = escpos_printer.printer()  # type: ignore[attr-defined]
    assert printer.print(bitmap([row] * 70, len(row) * 8), "job-1").value == "printed"
    assert printer.status().ready
    [path] = escpos_printer.papers()  # type: ignore[attr-defined]
    dots = np.packbits(~np.asarray(Image.open(path), bool), axis=1)
    assert bytes(dots[35][: len(row)]) == row


@pytest.mark.parametrize(
    ("bytes_", "stops"),
    [
        ((0x00, 0x00, None, None), []),
        ((0x04, 0x00, None, None), []),  # drawer pin
        ((0x08, 0x00, 0x04, None), ["the cover is open"]),
        ((0x08, 0x60, 0x20, None), ["no paper"]),
        ((0x00, 0x60, None, None), ["no paper"]),
        ((0x08, None, 0x08, None), ["feed button"]),
        ((0x08, 0x00, 0x40, 0x08), ["cutter"]),
        ((0x08, 0x00, 0x40, 0x20), ["service"]),
        ((0x08, 0x00, 0x40, 0x40), ["too hot"]),
        ((0x08, 0x00, 0x40, 0x04), ["jam"]),
        ((0x08, 0x00, 0x24, None), ["the cover is open", "no paper"]),
        ((0x08, None, None, None), ["off line"]),
        ((0x20, 0x00, None, None), ["waits for its feed button"]),
    ],
)
def test_each_status_bit_has_its_words(bytes_: tuple[int | None, ...], stops: list[str]) -> None:
    state = printer_state(*bytes_)  # type: ignore[arg-type]
    assert len(state.stops) == len(stops)
    assert all(words in said for words, said in zip(stops, state.stops, strict=True))
    assert state.ready is (not stops)


@given(
    st.integers(0, 255),
    st.none() | st.integers(0, 255),
    st.none() | st.integers(0, 255),
    st.none() | st.integers(0, 255),
)
def test_off_line_is_never_ready(one: int, paper: int | None, offline: int | None, error: int | None) -> None:
    state = printer_state(one, paper, offline, error)
    if one & 0x08 or (paper or 0) & 0x60:
        assert not state.ready


def test_a_label_wider_than_the_head_is_turned_and_not_cut_off() -> None:
    label = compose(load_template("unit"), _fields())
    again = turned(label)
    assert (again.width, again.height) == (label.height, label.width)
    assert np.array_equal(np.rot90(np.asarray(label.picture())), np.asarray(again.picture()))
    printer = EscPosPrinter("nowhere", _never, head_mm=40.0)
    with pytest.raises(InvalidInput, match="does not fit on the printer"):
        printer.print(label, "job-1")


def _fields() -> dict[str, str]:
    return {"lpn": "LPN7Q2K9", "tote": "R-14", "grade": "GRADE B", "disposition": "REFURBISH", "title": "x", "copy": ""}


def _never() -> Line:
    raise AssertionError("no line is opened for a label that does not fit")


@pytest.mark.parametrize("address", ["", "a b", "host:", "host:0", "host:70000", "host:12:13", ":9100"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="expected HOST"):
        printer_from("escpos", address)


@pytest.mark.parametrize(
    "address", ["10.0.0.7", "printer.local:9101", "[fe80::1]:9100", "COM3", "/dev/ttyS0", "usb:1A86:7523@1-2"]
)
def test_hosts_and_ports(address: str) -> None:
    assert printer_from("zpl", address).address == address


@pytest.mark.parametrize(("kind", "words"), [("system", "window"), ("epl", "expected one of zpl, escpos, system")])
def test_unknown_kinds_are_named(kind: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        printer_from(kind, "x")


def test_a_printer_on_a_key_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="0A5F:0081"):
        printer_from("zpl", "usb:0A5F:0081:X").status()
