"""Pictures from disk, read and scaled on a worker: the GUI thread never opens a file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, Qt, QThreadPool, Signal, Slot
from PySide6.QtGui import QImage, QImageReader, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from station.inspection.answer_pictures import LARGEST, picture_file, picture_folders, recoloured

logger = logging.getLogger(__name__)

PhotoLoader = Callable[[str], bytes | None]
"""Reads the JPEG of a photo by its SHA-256; None where it is not on this disk. Called on a worker."""

_FORMATS = ((b"\xff\xd8\xff", b"jpeg"), (b"\x89PNG\r\n\x1a\n", b"png"), (b"RIFF", b"webp"))
_ARGB = QImage.Format.Format_ARGB32_Premultiplied
_ANSWER = "answer:"
_KEPT = 96
_LONGEST = 720
"""Longest edge of a kept picture, pixels: the largest place it is shown in."""


class Pictures(QObject):
    """Catalogue pictures by file name and photos by hash; asks once, keeps the last few, reports what arrived."""

    arrived = Signal(str)
    # key of the picture that can be drawn now
    _loaded = Signal(str, QImage)

    def __init__(self, photo_loader: PhotoLoader | None, folder: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.photo_loader = photo_loader
        self.folder = folder
        self.answer_folders = picture_folders()
        self._ink, self._mark = "#000000", "#000000"
        self._absent: set[str] = set()
        self._kept: dict[str, QPixmap | None] = {}
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._loaded.connect(self._keep, Qt.ConnectionType.QueuedConnection)

    def photo(self, sha256: str) -> QPixmap | None:
        """A photo's thumbnail; None while it is being read or where it cannot be."""
        loader = self.photo_loader
        if loader is None:
            return None
        return self._ask(f"photo:{sha256}", lambda: loader(sha256))

    def catalogue(self, name: str | None) -> QPixmap | None:
        """A reference picture by its file name; None while it is being read or where there is none."""
        folder = self.folder
        if not name or folder is None or Path(name).name != name:
            return None
        return self._ask(f"catalogue:{name}", lambda: _bytes_of(folder / name))

    def answer(self, name: str | None) -> QPixmap | None:
        """A protocol's picture of an answer; None while it is being read or where there is none."""
        if not name or Path(name).name != name:
            return None
        if Path(name).suffix:
            return self.catalogue(name)
        folders, ink, mark = self.answer_folders, self._ink, self._mark
        return self._ask(self._answer_key(name), lambda: _drawing_of(name, folders, ink, mark))

    def has_answer(self, name: str | None) -> bool:
        """Whether a choice gets room for its picture: from the first moment, so that no button moves later."""
        if not name or Path(name).name != name:
            return False
        if Path(name).suffix:
            return self.catalogue(name) is not None
        return self._answer_key(name) not in self._absent

    def colour_answers(self, ink: str, mark: str) -> None:
        """Draw answers in these colours from now on (``#RRGGBB``)."""
        self._ink, self._mark = ink, mark

    def _answer_key(self, name: str) -> str:
        return f"{_ANSWER}{name}:{self._ink}:{self._mark}"

    def put(self, sha256: str, image: QImage) -> None:
        """Hand over a photo's picture that is already in memory, so that nothing is read."""
        self._keep(f"photo:{sha256}", image)

    def wait(self, timeout_ms: int = 5000) -> bool:
        """Let the worker finish what was asked; True when it did."""
        return self._pool.waitForDone(timeout_ms)

    def _ask(self, key: str, read: Callable[[], bytes | None]) -> QPixmap | None:
        if key not in self._kept:
            self._remember(key, None)
            self._pool.start(lambda: self._read(key, read))
        return self._kept[key]

    def _read(self, key: str, read: Callable[[], bytes | None]) -> None:
        """On the worker: whatever is wrong with a picture, the screen only lacks it."""
        try:
            content = read()
        except Exception as error:
            logger.warning("picture %s cannot be read: %s", key, error)
            content = None
        is_answer = key.startswith(_ANSWER)
        image = QImage() if not content else drawing(content) if is_answer else decode(content)
        if is_answer or not image.isNull():
            self._loaded.emit(key, image)

    @Slot(str, QImage)
    def _keep(self, key: str, image: QImage) -> None:
        if image.isNull():
            self._absent.add(key)
        else:
            self._remember(key, QPixmap.fromImage(image))
        self.arrived.emit(key)

    def _remember(self, key: str, pixmap: QPixmap | None) -> None:
        self._kept[key] = pixmap
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]


def decode(content: bytes) -> QImage:
    """Decode a JPEG, PNG or WebP at the size it is shown in; a null image for anything else.

    The format is told, not guessed: Qt would ask every decoder it has, each one more parser for strangers' bytes.
    """
    kind = next((name for start, name in _FORMATS if content.startswith(start)), None)
    if kind is None:
        return QImage()
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(kind))
    reader.setAutoDetectImageFormat(False)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > _LONGEST:
        reader.setScaledSize(size.scaled(QSize(_LONGEST, _LONGEST), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def drawing(content: bytes) -> QImage:
    """Draw an SVG at the size it is shown in; a null image for anything that is none."""
    renderer = QSvgRenderer(QByteArray(content))
    size = renderer.defaultSize()
    if not renderer.isValid() or size.isEmpty():
        return QImage()
    image = QImage(size.scaled(QSize(_LONGEST, _LONGEST), Qt.AspectRatioMode.KeepAspectRatio), _ARGB)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def _drawing_of(name: str, folders: Sequence[Path], ink: str, mark: str) -> bytes | None:
    path = picture_file(name, folders)
    if path is None or path.stat().st_size > LARGEST:
        return None
    return recoloured(path.read_bytes(), ink, mark)
