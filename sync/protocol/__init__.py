"""The messages between bench and centre, read by both ends. Nothing else is shared by client and server.

=======================================  =====================================================================
``GET  /v1/health``                      is it alive, can it store; needs no token
``POST /v1/enrol``                       :class:`EnrolRequest` → :class:`EnrolAnswer`; needs no token
``POST /v1/station/key``                 :class:`RotateRequest` → :class:`RotateAnswer`
``GET  /v1/hello?station=ID``            epoch, limits, time, how far the server holds this station's journal
``POST /v1/journal``                     :class:`PushRequest`, gzip → :class:`PushAnswer`, one result per entry
``POST /v1/photos/missing``              :class:`MissingRequest` → :class:`MissingAnswer`
``PUT  /v1/photos/{sha256}``             the JPEG's bytes → :class:`PhotoAnswer`
``GET  /v1/feed/{topic}?after=CURSOR``   :class:`FeedPage`: what changed since the cursor, oldest first
``GET  /v1/status``                      :class:`StatusAnswer`: counts
=======================================  =====================================================================

Every request but ``health`` carries ``Station-Protocol: 1`` and, where the server asks for one, a bearer token. Every
failure is an :class:`ErrorAnswer` with advice. A payload travels as the *exact* canonical text that was hashed, as one
JSON string: any JSON library in any language keeps it, whatever it does to the order of keys.

Answers may grow: a reader ignores fields it does not know. An entry may not: its fields are what the hash covers.
"""

from __future__ import annotations

from sync.protocol.access import (
    BAD_SEAL,
    DEVICE_REVOKED,
    SEAL_HEADER,
    SKEW_SECONDS,
    TOKEN_SECONDS,
    TOKEN_TIME,
    CodeAnswer,
    CodeRequest,
    Countersigned,
    EnrolAnswer,
    EnrolRequest,
    RotateAnswer,
    RotateRequest,
    ServerKey,
    StationsAnswer,
    StationSummary,
)
from sync.protocol.common import (
    TOKEN_VARIABLE,
    VERSION,
    VERSION_HEADER,
    ErrorAnswer,
    ErrorBody,
    Limits,
    Name,
    Position,
    Positive,
    Sha256,
)
from sync.protocol.feed import (
    NOTHING_FOLDED,
    FeedItem,
    FeedPage,
    Topic,
    fold_digests,
    item_digest,
)
from sync.protocol.journal import (
    Code,
    EntryResult,
    Head,
    Place,
    PushAnswer,
    PushRequest,
    Status,
    WireEntry,
)
from sync.protocol.operations import (
    ErasureAnswer,
    ErasureReason,
    ErasureRequest,
    ErasuresAnswer,
    HoldAnswer,
    HoldRequest,
)
from sync.protocol.photos import (
    MissingAnswer,
    MissingRequest,
    PhotoAnswer,
)
from sync.protocol.server import (
    HealthAnswer,
    HelloAnswer,
    StatusAnswer,
)

__all__ = [
    "BAD_SEAL",
    "DEVICE_REVOKED",
    "NOTHING_FOLDED",
    "SEAL_HEADER",
    "SKEW_SECONDS",
    "TOKEN_SECONDS",
    "TOKEN_TIME",
    "TOKEN_VARIABLE",
    "VERSION",
    "VERSION_HEADER",
    "Code",
    "CodeAnswer",
    "CodeRequest",
    "Countersigned",
    "EnrolAnswer",
    "EnrolRequest",
    "EntryResult",
    "ErasureAnswer",
    "ErasureReason",
    "ErasureRequest",
    "ErasuresAnswer",
    "ErrorAnswer",
    "ErrorBody",
    "FeedItem",
    "FeedPage",
    "Head",
    "HealthAnswer",
    "HelloAnswer",
    "HoldAnswer",
    "HoldRequest",
    "Limits",
    "MissingAnswer",
    "MissingRequest",
    "Name",
    "PhotoAnswer",
    "Place",
    "Position",
    "Positive",
    "PushAnswer",
    "PushRequest",
    "RotateAnswer",
    "RotateRequest",
    "ServerKey",
    "Sha256",
    "StationSummary",
    "StationsAnswer",
    "Status",
    "StatusAnswer",
    "Topic",
    "WireEntry",
    "fold_digests",
    "item_digest",
]
