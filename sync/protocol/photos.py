"""Photos by their hash."""

from __future__ import annotations

import msgspec

from sync.protocol.common import Sha256


class MissingRequest(msgspec.Struct, frozen=True):
    hashes: list[Sha256]


class MissingAnswer(msgspec.Struct, frozen=True):
    missing: list[str]
    held: list[str]
    """Named, so that nothing is taken as held because an answer was cut short."""


class PhotoAnswer(msgspec.Struct, frozen=True):
    sha256: str
    size: int
    status: str
    """``stored`` or ``duplicate``."""
