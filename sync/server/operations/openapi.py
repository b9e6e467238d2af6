"""The OpenAPI document of this server, made from the messages that the handlers decode and encode.

Context: the handlers read bodies by hand (caps, gzip, one bad entry must not hide the others), so a framework that
looks at their signatures would describe them wrongly. Decision: schemas come from msgspec for the very types that are
decoded; what a handler takes and answers is said in ``_DESCRIBED`` here, or by itself through ``opt=described(…)``.
A handler of which nothing is said appears with its path, its docstring and the type that it returns. Price: a test
compares the document with the served routes, and schemathesis the document with what is answered.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler

from station import __version__
from station.journal.entry import GENESIS
from sync import protocol
from sync.protocol import VERSION, VERSION_HEADER, ErrorAnswer

Json = dict[str, Any]
_REF: Final = "#/components/schemas/{name}"
_DESCRIPTION: Final = f"""\
The central server of a returns inspection station. Benches push what they recorded; the server stores it durably and
exactly once, and answers for every entry.

## Headers
Every request but health, metrics and this document carries `{VERSION_HEADER}: {VERSION}`. Where the server has a
token, requests carry `Authorization: Bearer TOKEN` as well. Errors are always an `ErrorAnswer` with advice.

## How to push
1. `GET /v1/hello?station=NAME` says how far the server holds this station's journal (`heads`) and what it takes at
   once (`limits`).
2. `POST /v1/journal` with entries in order. Only what a parsed answer names is acknowledged: every status but `retry`
   means that the bytes are durable. After `retry` send from `expected_seq` on. Sending again is harmless.
3. `POST /v1/photos/missing`, then `PUT /v1/photos/{{sha256}}` for those that are missing.

## The hash rule
A journal is a chain per station and generation: `seq` runs 1, 2, 3 … without gaps; a new generation begins when a chain
cannot be continued. For each entry:

* `payload` is one JSON string that holds the exact text of the record; the bytes that are hashed are its UTF-8.
  Records of this program are canonical JSON (keys sorted, no spaces, UTF-8 unescaped).
* `payload_sha256` = hex SHA-256 of these bytes.
* `prev_hash` = `hash` of the entry with `seq` - 1 of the same generation; for `seq` 1 it is `{GENESIS}`.
* `hash` = hex SHA-256 of: the 26 bytes `returns-station journal v1` and a NUL byte, followed by the UTF-8 of the JSON
  object with exactly these keys in this order, without spaces, non-ASCII characters not escaped:
  `{{"actor":…,"generation":…,"id":…,"kind":…,"payload_sha256":…,"prev_hash":…,"recorded_at":…,"schema":…,"seq":…,"station":…}}`.
  Strings escape only `"`, `\\` and control characters (`\\b \\f \\n \\r \\t`, others as `\\u00XX`); NUL is not
  allowed.
* `id` is a UUIDv7, new for every entry; `recorded_at` is UTC as `2026-11-22T10:17:03.250000Z`.

A body may be sent with `Content-Encoding: gzip`.

## A bench with a key of its own
`POST /v1/enrol` takes a one-time code of IT and the public half of an Ed25519 key (32 bytes, base64url without
padding). From then on the station's journal is taken from this key alone:

* `Authorization: Bearer` carries a JWT that the bench makes: header `alg` `EdDSA` and `kid` = the first 16 hex digits
  of the SHA-256 of the raw public key; claims `iss` = station, `site`, `aud` = `server` of the enrolment, `iat` and
  `exp` (whole seconds, at most 300 apart). 401 `token_time` means: make another by the answer's `Date`.
* `POST /v1/journal` carries `Station-Seal: KID SIGNATURE`: Ed25519, base64url without padding, over the 23 bytes
  `returns-station push v1` and a NUL byte, followed by the JSON object
  `{{"body_sha256":…,"heads":[[generation,seq,hash],…],"station":…}}` without spaces: the hex SHA-256 of the body as it
  travels, and for each generation in it, ascending, its last entry.
* 403 `device_revoked`: IT shut the bench out; keep everything.
"""

_POSSIBLE: Final = (404, 409, 410, 411, 413, 415, 422, 426, 429, 507)
"""What a handler of which nothing is said may answer besides."""
_MAIN_ERRORS: Final = (400, 401, 403, 426, 503)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter."""

    name: str
    schema: Mapping[str, Any]
    text: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """What a handler takes and answers, where its signature does not say it."""

    summary: str = ""
    body: type | None = None
    """A message, sent as JSON."""
    raw_body: str | None = None
    """Media type of a body that is not JSON."""
    answers: Mapping[int, type | str] = field(default_factory=dict)
    """Status → message, or the media type of something else."""
    query: Sequence[Parameter] = ()
    errors: Sequence[int] = ()
    """Besides the ones that every handler has."""
    open: bool = False
    """Needs neither version nor token."""


def described(**given: Any) -> dict[str, Any]:
    """``opt`` of a handler: see :class:`Described`."""
    return {"openapi": Described(**given)}


_P: Final = protocol
_DESCRIBED: Final[Mapping[tuple[str, str], Described]] = {
    ("GET", "/v1/health"): Described(
        "Is it alive, can it store?", answers={200: _P.HealthAnswer, 503: _P.HealthAnswer}, open=True
    ),
    ("GET", "/v1/hello"): Described(
        "Epoch, limits, time, and how far a station's journal is held.", answers={200: _P.HelloAnswer},
        query=[
            Parameter("station", {"type": "string"}, "Whose journal; without it no heads."),
            Parameter("unsent", {"type": "integer", "minimum": 0, "maximum": 2**53}, "Records that wait at the bench."),
            Parameter("unsent_photos", {"type": "integer", "minimum": 0, "maximum": 2**53}, "Photos that wait there."),
            Parameter("unsent_since", {"type": "string", "format": "date-time"}, "When the oldest record was made."),
        ],
    ),
    ("POST", "/v1/journal"): Described(
        "Push entries; one result for each, after the commit.", body=_P.PushRequest, answers={200: _P.PushAnswer},
        errors=(413, 415),
    ),
    ("POST", "/v1/photos/missing"): Described(
        "Which of these photos are missing?", body=_P.MissingRequest, answers={200: _P.MissingAnswer},
        errors=(413, 415, 507),
    ),
    ("PUT", "/v1/photos/{sha256}"): Described(
        "Store a JPEG under its hex SHA-256; again is harmless.", raw_body="image/jpeg",
        answers={201: _P.PhotoAnswer, 200: _P.PhotoAnswer}, errors=(404, 411, 413, 422, 507),
    ),
    ("GET", "/v1/feed/{topic}"): Described(
        "What changed since a cursor, oldest first.", answers={200: _P.FeedPage},
        query=[
            Parameter("after", {"type": "string"}, "The cursor of the last page; without it everything."),
            Parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "Most items in the page."),
        ],
        errors=(404, 410),
    ),
    ("GET", "/v1/status"): Described("Counts of what the centre holds.", answers={200: _P.StatusAnswer}),
}  # fmt: skip

_PATH_SCHEMAS: Final[Mapping[str, Json]] = {
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "topic": {"type": "string", "enum": [topic.value for topic in _P.Topic]},
}


def document(app: Litestar) -> Json:
    """The whole document."""
    found = sorted(_operations(app), key=lambda one: (one[1], one[0]))
    types: set[type] = {ErrorAnswer, protocol.WireEntry}
    for _, _, about, _ in found:
        types.update(kind for kind in (about.body, *about.answers.values()) if isinstance(kind, type))
    ordered = sorted(types, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    _tell_entries(components)
    paths: dict[str, Json] = {}
    for method, path, about, handler in found:
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, about, handler)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Returns inspection: central server", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operations(app: Litestar) -> Iterable[tuple[str, str, Described, HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if not isinstance(handler, HTTPRouteHandler):
                continue
            path = str(route.path_format)
            for method in handler.http_methods:
                if str(method) in ("OPTIONS", "HEAD"):
                    continue
                said = handler.opt.get("openapi")
                about = said if isinstance(said, Described) else _DESCRIBED.get((str(method), path))
                yield str(method), path, about or _guessed(handler), handler


def _guessed(handler: HTTPRouteHandler) -> Described:
    """What the signature of a handler says by itself."""
    returned: Any = handler.parsed_fn_signature.return_type.annotation
    if typing.get_origin(returned) is Response:
        (returned,) = typing.get_args(returned)
    kind = returned if isinstance(returned, type) and issubclass(returned, msgspec.Struct) else None
    media = getattr(handler.media_type, "value", handler.media_type) or "application/octet-stream"
    return Described(answers={handler.status_code: kind or str(media)}, errors=_POSSIBLE)


def _operation(method: str, path: str, about: Described, handler: HTTPRouteHandler) -> Json:
    summary = about.summary or (handler.fn.__doc__ or handler.handler_name).strip().split("\n")[0]
    name = "".join(part.strip("{}").title().replace("_", "").replace(".", "") for part in path.split("/")[2:])
    made: Json = {"summary": summary, "operationId": method.lower() + name, "parameters": _parameters(path, about)}
    if about.body is not None:
        made["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=about.body.__name__)}}},
        }  # fmt: skip
    if about.raw_body is not None:
        made["requestBody"] = {
            "required": True, "content": {about.raw_body: {"schema": {"type": "string", "format": "binary"}}}
        }  # fmt: skip
    answers: dict[str, Json] = {}
    for status, kind in about.answers.items():
        answers[str(status)] = {"description": "The answer." if status < 400 else "Not now.", **_content(kind)}
    errors = set(about.errors) | (set() if about.open else set(_MAIN_ERRORS))
    for status in sorted(errors - about.answers.keys()):
        answers[str(status)] = {"description": _WHY.get(status, "Refused."), **_content(ErrorAnswer)}
    made["responses"] = answers
    made["security"] = [] if about.open else [{}, {"bearer": []}]
    return made


_WHY: Final = {
    400: "The request cannot be read.",
    401: "No token, or not the right one.",
    403: "Not allowed for this caller.",
    404: "There is no such thing.",
    409: "Not in this state.",
    429: "Too often; come again after Retry-After.",
    410: "The cursor is too old: begin without one.",
    411: "Content-Length is missing.",
    413: "Too large; hello tells the limits.",
    415: "This Content-Encoding is not known.",
    422: "The bytes are not this photo.",
    426: "Another version of the protocol.",
    503: "Busy; come again after Retry-After.",
    507: "The server's storage does not take it now.",
}


def _content(kind: type | str) -> Json:
    if isinstance(kind, str):
        return {"content": {kind: {}}}
    return {"content": {"application/json": {"schema": {"$ref": _REF.format(name=kind.__name__)}}}}


def _parameters(path: str, about: Described) -> list[Json]:
    made: list[Json] = []
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}").partition(":")[0]
            schema = _PATH_SCHEMAS.get(name, {"type": "string"})
            made.append({"name": name, "in": "path", "required": True, "schema": schema})
    for one in about.query:
        made.append(
            {"name": one.name, "in": "query", "required": one.required, "schema": dict(one.schema),
             "description": one.text}
        )  # fmt: skip
    if not about.open:
        made.append(
            {"name": VERSION_HEADER, "in": "header", "required": True,
             "schema": {"type": "string", "enum": [str(VERSION)]}}
        )  # fmt: skip
    return made


def _tell_entries(components: dict[str, Json]) -> None:
    """Each entry of a push is judged by itself: the schema says what it should be, and what is kept if it is not."""
    push = components.get("PushRequest")
    if push is not None:
        push["properties"]["entries"]["items"] = {"$ref": _REF.format(name="WireEntry")}
        push["properties"]["entries"]["maxItems"] = protocol.Limits().batch_entries
    missing = components.get("MissingRequest")
    if missing is not None:
        missing["properties"]["hashes"]["maxItems"] = protocol.Limits().missing_hashes
