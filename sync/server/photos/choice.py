"""Read ``--photos``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from station.errors import InvalidInput
from sync.server.photos.folder import PhotoFolder
from sync.server.photos.ports import PhotoStore


def open_photos(text: str | None, default: Path) -> PhotoStore:
    """The place for photos that was asked for.

    Args:
        text: a folder, ``file:///FOLDER`` or ``s3://BUCKET/PREFIX?endpoint=…&region=…``; None = the default.
        default: folder.

    Raises:
        InvalidInput: a URL that names no place for photos.
        StoreFault: the folder cannot be written.
    """
    if text is not None and urlsplit(text).scheme == "s3":
        from sync.server.photos.objects import PhotoObjects  # its library costs memory that a folder does not need

        return PhotoObjects(text)
    return PhotoFolder(photo_folder(text) if text else default)


def photo_folder(text: str) -> Path:
    """Read a folder's name or URL.

    Raises:
        InvalidInput: the URL of something else.

    >>> str(photo_folder("file:///srv/photos"))
    '/srv/photos'
    """
    scheme = urlsplit(text).scheme
    if scheme == "file":
        return Path(unquote(urlsplit(text).path))
    if len(scheme) > 1:  # one letter is a drive of Windows
        raise InvalidInput(
            f"--photos {text!r}: {scheme}: is not supported; give a folder, or "
            "s3://BUCKET/PREFIX?endpoint=https://HOST&region=NAME"
        )
    return Path(text)
