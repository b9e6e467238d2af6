"""What every message shares: versions, checked texts, limits, errors."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

VERSION: Final = 1
"""Value of the ``Station-Protocol`` header. A server answers 426 to one it does not speak."""

VERSION_HEADER: Final = "Station-Protocol"
TOKEN_VARIABLE: Final = "STATION_SERVER_TOKEN"
"""Environment variable with the shared token, at both ends (enrolment and signatures replace it)."""

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[^\\x00]*$")]
Positive = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Position = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class Limits(msgspec.Struct, frozen=True):
    """What the server takes in one request; the client stays below."""

    batch_entries: Positive = 400
    batch_bytes: Positive = 2_500_000
    """Sum of payloads in one push that the client aims at."""
    body_bytes: Positive = 4 * 1024 * 1024
    """Hard limit of one unpacked journal request."""
    photo_bytes: Positive = 8 * 1024 * 1024
    missing_hashes: Positive = 200


class ErrorBody(msgspec.Struct, frozen=True):
    code: str
    message: str
    advice: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    error: ErrorBody
