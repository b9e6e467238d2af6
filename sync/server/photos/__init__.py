"""Photos by their hash: in a folder or in an object store, verified on arrival, durable before they are answered.

Decision: both stores have the same two moments. Bytes are hashed while they come in, into a file nobody can see; only
when they are what the name says do they get that name, by one rename or one PUT. So a name never holds other bytes and
never a part of them, and writing a photo twice is harmless.
"""

from __future__ import annotations

from sync.server.photos.choice import open_photos, photo_folder
from sync.server.photos.folder import PhotoFolder
from sync.server.photos.ports import PhotoMissing, PhotoStore, Upload
from sync.server.photos.register import PhotoRegister

__all__ = [
    "PhotoFolder",
    "PhotoMissing",
    "PhotoRegister",
    "PhotoStore",
    "Upload",
    "open_photos",
    "photo_folder",
]
