"""The messages between bench and centre, read by both ends. Nothing else is shared by client and server.

=======================================  =====================================================================
``GET  /v1/health``                      is it alive, can it store; needs no token
``POST /v1/enrol``                       :class:`EnrolRequest` → :class:`EnrolAnswer`; needs no token
``POST /v1/station/key``                 :class:`RotateRequest` → :class:`RotateAnswer`
``GET  /v1/hello?station=ID``            epoch, limits, time, how far the server holds this station's journal; the bench
                                         may say what waits there: ``unsent=N&unsent_photos=N&unsent_since=TIME``
``POST /v1/journal``                     :class:`PushRequest`, gzip → :class:`PushAnswer`, one result per entry
``POST /v1/photos/missing``              :class:`MissingRequest` → :class:`MissingAnswer`
``PUT  /v1/photos/{sha256}``             the JPEG's bytes → :class:`PhotoAnswer`
``GET  /v1/feed/{topic}?after=CURSOR``   :class:`FeedPage`: what changed since the cursor, oldest first
``POST /v1/returns``                     :class:`ReturnRequest`, with an ``Idempotency-Key`` → :class:`ReturnAnswer`
``GET  /v1/returns?state=``              :class:`ReturnList`; ``/v1/returns/{id}`` :class:`ReturnAnswer`
``POST /v1/returns/{id}/decision``       :class:`ReturnDecision` → :class:`ReturnAnswer` (leads)
``PUT  /v1/merchants/{id}``              :class:`MerchantBody` → :class:`Uploaded`
``POST /v1/catalogue``                   a list of ``station.returns.model.CatalogueItem`` → :class:`Uploaded`
``GET  /v1/units?state=``                :class:`UnitList`; ``/v1/units/{lpn}`` :class:`UnitAnswer` (leads)
``POST /v1/units/{lpn}/decision``        :class:`DecisionRequest` → :class:`UnitAnswer`, 409 :class:`DecisionConflict`
``GET  /v1/status``                      :class:`StatusAnswer`: counts
``GET  /v1/figures[/{view}[/units]]``    :class:`FiguresIndex`, :class:`FiguresAnswer`, :class:`UnitsPage`
``GET  /v1/queue``                       :class:`QueuePage`: what waits for a lead
``POST /v1/session`` · ``/v1/people``    signing in by password or by the company's provider; who may what
``GET  /v1/authority-flags``             :class:`AuthorityFlags`: records whose actor might not do that then
``/v1/endpoints`` · ``/v1/downstream``   who is told of what happens (``sync.protocol.downstream``)
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
from sync.protocol.downstream import (
    Alert,
    AlertList,
    DeliveryList,
    DeliveryState,
    Endpoint,
    EndpointChange,
    EndpointList,
    EndpointSecret,
    NewEndpoint,
    Replay,
    Replayed,
)
from sync.protocol.feed import (
    NOTHING_FOLDED,
    Erasure,
    FeedItem,
    FeedPage,
    Topic,
    fold_digests,
    item_digest,
)
from sync.protocol.figures import (
    Definition,
    Figure,
    FigureRow,
    FiguresAnswer,
    FiguresIndex,
    NotFed,
    QueueKind,
    QueueLine,
    QueuePage,
    UnitLine,
    UnitsPage,
    ViewDefinition,
)
from sync.protocol.journal import (
    FOLLOWS_HEADER,
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
from sync.protocol.people import (
    CSRF_HEADER,
    SESSION_COOKIE,
    AuthorityFlag,
    AuthorityFlags,
    BadgeAnswer,
    HeldRole,
    NewPassword,
    PasswordRequest,
    PeopleAnswer,
    PersonAnswer,
    PersonRequest,
    PinRequest,
    SessionAnswer,
    SignInRequest,
    SiteKeyAnswer,
)
from sync.protocol.photos import (
    MissingAnswer,
    MissingRequest,
    PhotoAnswer,
)
from sync.protocol.returns import (
    KEY_HEADER,
    AskedLine,
    LineAnswer,
    MerchantBody,
    ReasonBody,
    ReturnAnswer,
    ReturnDecision,
    ReturnList,
    ReturnRequest,
    Uploaded,
)
from sync.protocol.server import (
    HealthAnswer,
    HelloAnswer,
    StatusAnswer,
)
from sync.protocol.units import (
    DecisionConflict,
    DecisionRequest,
    GateAction,
    MoneyBody,
    Permission,
    SecondPerson,
    UnitAnswer,
    UnitDecision,
    UnitInspection,
    UnitList,
)

__all__ = [
    "BAD_SEAL",
    "CSRF_HEADER",
    "DEVICE_REVOKED",
    "FOLLOWS_HEADER",
    "KEY_HEADER",
    "NOTHING_FOLDED",
    "SEAL_HEADER",
    "SESSION_COOKIE",
    "SKEW_SECONDS",
    "TOKEN_SECONDS",
    "TOKEN_TIME",
    "TOKEN_VARIABLE",
    "VERSION",
    "VERSION_HEADER",
    "Alert",
    "AlertList",
    "AskedLine",
    "AuthorityFlag",
    "AuthorityFlags",
    "BadgeAnswer",
    "Code",
    "CodeAnswer",
    "CodeRequest",
    "Countersigned",
    "DecisionConflict",
    "DecisionRequest",
    "Definition",
    "DeliveryList",
    "DeliveryState",
    "Endpoint",
    "EndpointChange",
    "EndpointList",
    "EndpointSecret",
    "EnrolAnswer",
    "EnrolRequest",
    "EntryResult",
    "Erasure",
    "ErasureAnswer",
    "ErasureReason",
    "ErasureRequest",
    "ErasuresAnswer",
    "ErrorAnswer",
    "ErrorBody",
    "FeedItem",
    "FeedPage",
    "Figure",
    "FigureRow",
    "FiguresAnswer",
    "FiguresIndex",
    "GateAction",
    "Head",
    "HealthAnswer",
    "HeldRole",
    "HelloAnswer",
    "HoldAnswer",
    "HoldRequest",
    "Limits",
    "LineAnswer",
    "MerchantBody",
    "MissingAnswer",
    "MissingRequest",
    "MoneyBody",
    "Name",
    "NewEndpoint",
    "NewPassword",
    "NotFed",
    "PasswordRequest",
    "PeopleAnswer",
    "Permission",
    "PersonAnswer",
    "PersonRequest",
    "PhotoAnswer",
    "PinRequest",
    "Place",
    "Position",
    "Positive",
    "PushAnswer",
    "PushRequest",
    "QueueKind",
    "QueueLine",
    "QueuePage",
    "ReasonBody",
    "Replay",
    "Replayed",
    "ReturnAnswer",
    "ReturnDecision",
    "ReturnList",
    "ReturnRequest",
    "RotateAnswer",
    "RotateRequest",
    "SecondPerson",
    "ServerKey",
    "SessionAnswer",
    "Sha256",
    "SignInRequest",
    "SiteKeyAnswer",
    "StationSummary",
    "StationsAnswer",
    "Status",
    "StatusAnswer",
    "Topic",
    "UnitAnswer",
    "UnitDecision",
    "UnitInspection",
    "UnitLine",
    "UnitList",
    "UnitsPage",
    "Uploaded",
    "ViewDefinition",
    "WireEntry",
    "fold_digests",
    "item_digest",
]
