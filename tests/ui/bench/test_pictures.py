"""Pictures come from a worker, whatever the bytes are."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QThread
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from ui.bench.gallery import sketch
from ui.widgets.pictures import Pictures, decode


def _encoded(image: QImage, kind: str) -> bytes:
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, kind)
    return content.data()


@pytest.mark.parametrize("kind", ["JPG", "PNG"])
def test_a_picture_is_decoded_no_larger_than_shown(qtbot: QtBot, kind: str) -> None:
    image = decode(_encoded(sketch("item", 1920, 1080), kind))
    assert (image.width(), image.height()) == (720, 405)
    small = decode(_encoded(sketch("item", 320, 180), kind))
    assert (small.width(), small.height()) == (320, 180)


@pytest.mark.qt_log_ignore("JPEG datastream")
@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, b"MZ not a picture"])
def test_bytes_that_are_no_picture_are_none(qtbot: QtBot, content: bytes) -> None:
    assert decode(content).isNull()


def test_a_picture_that_claims_to_be_huge_is_refused(qtbot: QtBot) -> None:
    content = bytearray(_encoded(sketch("item", 64, 64), "PNG"))
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    assert decode(bytes(content)).isNull()


def test_the_loader_runs_on_a_worker_and_is_asked_once(qtbot: QtBot) -> None:
    asked: list[tuple[str, bool]] = []
    here = QThread.currentThread()
    content = _encoded(sketch("item", 64, 40), "JPG")

    def load(sha256: str) -> bytes:
        asked.append((sha256, QThread.currentThread() is here))
        return content

    pictures = Pictures(load, None)
    with qtbot.waitSignal(pictures.arrived) as arrived:
        assert pictures.photo("ab12") is None
        assert pictures.photo("ab12") is None
    assert arrived.args == ["photo:ab12"]
    pixmap = pictures.photo("ab12")
    assert pixmap is not None
    assert (pixmap.width(), pixmap.height()) == (64, 40)
    assert asked == [("ab12", False)]


def test_a_loader_that_fails_leaves_a_gap_and_a_line_in_the_log(qtbot: QtBot, expected_warnings: object) -> None:
    assert callable(expected_warnings)
    expected_warnings(r"ui\.widgets\.pictures: picture photo:ab12 cannot be read: gone")

    def load(sha256: str) -> bytes:
        raise OSError("gone")

    pictures = Pictures(load, None)
    assert pictures.photo("ab12") is None
    assert pictures.wait()
    assert pictures.photo("ab12") is None


def test_memory_is_bounded(qtbot: QtBot, tmp_path: Path) -> None:
    content = _encoded(sketch("item", 16, 10), "PNG")
    pictures = Pictures(lambda sha256: content, tmp_path)
    for number in range(300):
        pictures.photo(f"{number:064x}")
    assert pictures.wait()
    qtbot.wait(1)
    kept = sum(1 for number in range(300) if f"photo:{number:064x}" in pictures._kept)
    assert kept <= 96
