"""``~HS``: three strings or nothing."""

from __future__ import annotations

import socket
import threading

import pytest

from devices.printer.label import LabelImage
from devices.printer.model import PrintFault, Unreachable
from devices.printer.printer import printer_from
from devices.printer.zpl_printer import parse_status
from station.errors import DeviceFault

READY = b"\x02030,0,0,1245,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n"


def test_a_printer_that_is_ready() -> None:
    status = parse_status(READY)
    assert status.ready
    assert status.reasons() == ()
    assert (status.formats_waiting, status.labels_remaining) == (0, 0)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b"030,0,0", b"030,1,0", "no paper"),
        (b"030,0,0", b"030,0,1", "paused"),
        (b"1245,000,0", b"1245,012,1", "buffer is full"),
        (b"000,0,0,0,0,2", b"000,0,1,0,0,2", "head is open"),
        (b"000,0,0,0,0,2", b"000,0,0,1,1,2", "no ribbon"),
        (b"000,0,0,0\x03", b"000,1,0,0\x03", "lost its settings"),
        (b"000,0,0,0\x03", b"000,0,1,0\x03", "too cold"),
        (b"000,0,0,0\x03", b"000,0,0,1\x03", "too hot"),
    ],
)
def test_each_flag_has_its_words(before: bytes, after: bytes, words: str) -> None:
    assert before in READY
    status = parse_status(READY.replace(before, after, 1))
    assert not status.ready
    assert words in " ".join(status.reasons())


def test_work_in_hand_is_told_from_work_done() -> None:
    assert parse_status(READY).idle
    for before, after in [(b"1245,000", b"1245,001"), (b"000,0,0,0,000", b"000,0,0,1,000"), (b"00000000", b"00000002")]:
        assert before in READY
        assert not parse_status(READY.replace(before, after, 1)).idle


def test_a_direct_thermal_printer_needs_no_ribbon() -> None:
    assert parse_status(READY.replace(b"000,0,0,0,0,2", b"000,0,0,1,0,2", 1)).ready


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        READY[:40],
        READY.split(b"\r\n")[0] * 3,
        READY.replace(b"030,0,0", b"030,7,0", 1),
        READY.replace(b"030,0,0", b"030,,0", 1),
        READY.replace(b"1245,000", b"1245,abc", 1),
        b"\x02\x03" * 3,
    ],
)
def test_anything_else_is_a_fault_and_never_ready(reply: bytes) -> None:
    with pytest.raises(DeviceFault):
        parse_status(reply)


def test_every_cut_of_a_good_reply_is_a_fault() -> None:
    for end in range(len(READY) - 2):
        with pytest.raises(DeviceFault):
            parse_status(READY[:end])


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    nobody = printer_from("zpl", f"127.0.0.1:{port}", timeout_s=0.5)
    with pytest.raises(Unreachable, match="cannot be reached"):
        nobody.status()
    with pytest.raises(PrintFault) as caught:
        nobody.print(LabelImage(8, 1, 203, b"\xff", 0), "job-1")
    assert not caught.value.may_have_printed


@pytest.mark.parametrize("kind", ["zpl", "escpos"])
@pytest.mark.parametrize("talk", [b"", b"x" * 100_000, READY[:50]])
def test_silence_and_babble_are_not_ready(talk: bytes, kind: str) -> None:
    """A printer that accepts and says nothing useful is not ready; the question ends within its time."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            line, _ = server.accept()
            with line:
                line.settimeout(10)
                try:
                    line.sendall(talk)
                    while line.recv(1000):
                        pass
                except OSError:
                    return

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(DeviceFault):
            printer_from(kind, f"127.0.0.1:{server.getsockname()[1]}", timeout_s=0.3).status()
        thread.join(10)
        assert not thread.is_alive()
