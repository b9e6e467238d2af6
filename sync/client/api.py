"""Requests to the server, and one verdict for every way in which it can end.

Redirects are not followed, content types are checked, answers are read under a cap and a deadline, and proxies are
taken from the configuration only: what cannot be parsed as our server's answer acknowledges nothing.
"""

from __future__ import annotations

import gzip
import ipaddress
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
import truststore

from station.clock import Clock
from station.errors import InvalidInput
from station.journal.entry import Entry
from station.store.outbox import Unsent
from sync.client.decide import Verdict
from sync.client.identity import Identity
from sync.protocol import (
    BAD_SEAL,
    DEVICE_REVOKED,
    FOLLOWS_HEADER,
    SEAL_HEADER,
    TOKEN_TIME,
    VERSION,
    VERSION_HEADER,
    EnrolAnswer,
    EnrolRequest,
    ErrorAnswer,
    ErrorBody,
    FeedPage,
    HelloAnswer,
    MissingAnswer,
    MissingRequest,
    PhotoAnswer,
    PushAnswer,
    RotateAnswer,
    RotateRequest,
    SiteKeyAnswer,
    StatusAnswer,
    Topic,
    WireEntry,
)

logger = logging.getLogger(__name__)
_T = TypeVar("_T", bound=msgspec.Struct)

_ANSWER_CAP: Final = 4 * 1024 * 1024
_TIMEOUT: Final = httpx.Timeout(connect=5.0, read=15.0, write=15.0, pool=5.0)
_DEADLINE_S: Final = 60.0
_GZIP_LEVEL: Final = 1
"""Measured on 100 entries of 2.4 kB: level 1 packs 5:1 in a third of the time that level 6 takes for 6:1."""
_REFUSED: Final = frozenset({400, 405, 410, 411, 413, 414, 415, 422, 431})


@dataclass(frozen=True, slots=True)
class Outcome(Generic[_T]):
    """How an exchange ended."""

    verdict: Verdict
    detail: str = ""
    answer: _T | None = None
    """Parsed and checked; only with ``progress``."""
    retry_after_s: float = 0.0
    code: str = ""
    """The server's own word for a refusal."""
    server_time: datetime | None = None
    """UTC, from the answer's ``Date``; only where the server does not let this bench in."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Entries as they travel."""

    entries: tuple[Entry, ...]
    withheld: str | None
    body: bytes
    """gzip."""
    follows: bool = False
    """The batch before it has not been answered yet."""


class SyncApi(Protocol):
    """The requests as the loop sees them. Nothing raises: every failure is a verdict."""

    def hello(self, station: str) -> Outcome[HelloAnswer]: ...

    def pack(self, station: str, entries: Sequence[Entry], withheld: str | None = None) -> Packed:
        """Get entries ready to be sent, oldest first; with ``withheld`` only their headers, and why."""
        ...

    def push(self, packed: Packed) -> Outcome[PushAnswer]: ...

    def missing(self, hashes: Sequence[str]) -> Outcome[MissingAnswer]: ...

    def put_photo(self, sha256: str, jpeg: bytes) -> Outcome[PhotoAnswer]: ...

    def feed(self, topic: Topic, after: str | None, limit: int) -> Outcome[FeedPage]: ...

    def site_key(self) -> Outcome[SiteKeyAnswer]: ...

    def status(self) -> Outcome[StatusAnswer]: ...

    def close(self) -> None: ...


class HttpApi:
    """The requests over HTTP; TLS by the operating system's own trust store."""

    def __init__(
        self, url: str, *, token: str | None, clock: Clock, proxy: str | None = None, timeout: httpx.Timeout = _TIMEOUT,
        deadline_s: float = _DEADLINE_S, plain_http: bool = False, identity: Identity | None = None,
        unsent: Callable[[], Unsent] | None = None,
    ) -> None:  # fmt: skip
        """Get ready; nothing is sent yet.

        Args:
            url: e.g. ``https://returns.example.com``.
            token: the shared secret, None = the server asks for none, or knows this bench.
            identity: of a bench that joined; then ``token`` is not used.
            proxy: URL of a proxy, None = none (the environment's is not used).
            deadline_s: the longest an answer may take altogether, however it trickles.
            unsent: what waits at this bench; told with every greeting. None = nothing is told.
            plain_http: allow ``http://`` to another machine (a closed network that knows what it does).

        Raises:
            InvalidInput: the URL is not one, or would carry records in the clear.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInput(f"the server's address {url!r} is not a URL: expected e.g. https://returns.example.com")
        if parts.scheme == "http" and not plain_http and not _is_loopback(parts.hostname):
            raise InvalidInput(f"the server's address {url!r} is not encrypted: use https://{parts.netloc}")
        headers = {
            VERSION_HEADER: str(VERSION),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "returns-station",
        }
        if token and identity is None:
            headers["Authorization"] = f"Bearer {token}"
        verify: ssl.SSLContext | bool = (
            truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if parts.scheme == "https" else False
        )
        self._where = f"{parts.scheme}://{parts.netloc}"
        self._clock = clock
        self._deadline_s = deadline_s
        self._identity = identity
        self._unsent = unsent
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=timeout, verify=verify, proxy=proxy, trust_env=False,
            follow_redirects=False, limits=httpx.Limits(max_connections=2, max_keepalive_connections=2),
        )  # fmt: skip

    def hello(self, station: str) -> Outcome[HelloAnswer]:
        params = {"station": station}
        if self._unsent is not None:
            waiting = self._unsent()
            params |= {"unsent": str(waiting.entries), "unsent_photos": str(waiting.photos)}
            if waiting.since is not None:
                params["unsent_since"] = waiting.since.isoformat()
        outcome = self._exchange(HelloAnswer, "GET", "/v1/hello", params=params)
        if self._identity is not None and outcome.answer is not None:
            _meet(self._identity, outcome.answer)
        return outcome

    def pack(self, station: str, entries: Sequence[Entry], withheld: str | None = None) -> Packed:
        body = gzip.compress(encode_push(station, entries, withheld), _GZIP_LEVEL, mtime=0)
        return Packed(tuple(entries), withheld, body)

    def push(self, packed: Packed) -> Outcome[PushAnswer]:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        if self._identity is not None:
            headers[SEAL_HEADER] = self._identity.seal(packed.body, packed.entries)
        if packed.follows:
            headers[FOLLOWS_HEADER] = "1"
        return self._exchange(PushAnswer, "POST", "/v1/journal", packed.body, headers)

    def missing(self, hashes: Sequence[str]) -> Outcome[MissingAnswer]:
        body = msgspec.json.encode(MissingRequest(list(hashes)))
        return self._exchange(MissingAnswer, "POST", "/v1/photos/missing", body, {"Content-Type": "application/json"})

    def put_photo(self, sha256: str, jpeg: bytes) -> Outcome[PhotoAnswer]:
        return self._exchange(PhotoAnswer, "PUT", f"/v1/photos/{sha256}", jpeg, {"Content-Type": "image/jpeg"})

    def feed(self, topic: Topic, after: str | None, limit: int) -> Outcome[FeedPage]:
        params = {"limit": str(limit)} | ({"after": after} if after is not None else {})
        return self._exchange(FeedPage, "GET", f"/v1/feed/{topic.value}", params=params)

    def enrol(self, code: str, public_key: str, station: str | None = None) -> Outcome[EnrolAnswer]:
        """Hand in the public half of this bench's key; with a station only if the code is for that one."""
        body = msgspec.json.encode(EnrolRequest(code, public_key, station))
        return self._exchange(EnrolAnswer, "POST", "/v1/enrol", body, {"Content-Type": "application/json"})

    def rotate(self, public_key: str, endorsement: str, possession: str) -> Outcome[RotateAnswer]:
        """Pass on to the next key."""
        body = msgspec.json.encode(RotateRequest(public_key, endorsement, possession))
        return self._exchange(RotateAnswer, "POST", "/v1/station/key", body, {"Content-Type": "application/json"})

    def site_key(self) -> Outcome[SiteKeyAnswer]:
        return self._exchange(SiteKeyAnswer, "GET", "/v1/site-key")

    def status(self) -> Outcome[StatusAnswer]:
        return self._exchange(StatusAnswer, "GET", "/v1/status")

    def close(self) -> None:
        self._client.close()

    def _exchange(
        self, kind: type[_T], method: str, path: str, body: bytes | None = None,
        headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None,
    ) -> Outcome[_T]:  # fmt: skip
        if self._identity is None:
            return self._ask(kind, method, path, body, headers, params)
        signed = {**(headers or {}), "Authorization": f"Bearer {self._identity.token()}"}
        outcome = self._ask(kind, method, path, body, signed, params)
        if outcome.code == TOKEN_TIME and outcome.server_time is not None:
            # This machine's clock is wrong, or jumped: the next token goes by the server's.
            self._identity.meet_time(outcome.server_time)
            signed["Authorization"] = f"Bearer {self._identity.token()}"
            outcome = self._ask(kind, method, path, body, signed, params)
        return outcome

    def _ask(
        self, kind: type[_T], method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
    ) -> Outcome[_T]:  # fmt: skip
        until = self._clock.monotonic() + self._deadline_s
        try:
            with self._client.stream(method, path, content=body, headers=headers, params=params) as response:
                received = bytearray()
                for chunk in response.iter_raw():
                    received += chunk
                    if len(received) > _ANSWER_CAP:
                        return Outcome(Verdict.NOT_OURS, f"{self._where} answers without end")
                    if self._clock.monotonic() > until:
                        return Outcome(Verdict.UNREACHABLE, f"{self._where} answers too slowly")
        except httpx.TimeoutException:
            return Outcome(Verdict.UNREACHABLE, f"{self._where} does not answer in time")
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return Outcome(Verdict.UNREACHABLE, f"{self._where} cannot be reached: {error}")
        finally:
            self._client.cookies.clear()  # what a log-in page sets must not come along to our server
        outcome = self._judge(kind, response, bytes(received))
        if outcome.verdict is not Verdict.PROGRESS:
            logger.info("%s %s: %s %s", method, path, response.status_code, outcome.verdict)
        return outcome

    def _judge(self, kind: type[_T], response: httpx.Response, body: bytes) -> Outcome[_T]:
        code = response.status_code
        said = _said(response, body)
        if 200 <= code < 300:
            if not _is_json(response):
                return Outcome(
                    Verdict.NOT_OURS, f"something else than our server answers at {self._where} (a log-in page?)"
                )
            try:
                return Outcome(Verdict.PROGRESS, answer=msgspec.json.decode(body, type=kind))
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                return Outcome(Verdict.NOT_OURS, f"the answer of {self._where} cannot be read: {error}")
        word = _code(response, body)
        if code == 403 and word == DEVICE_REVOKED:
            kept = "IT has shut this bench out; everything recorded is kept here"
            return Outcome(Verdict.REVOKED, f"{kept}{said}", code=word)
        if code in (401, 403) or (code == 422 and word == BAD_SEAL):
            return Outcome(
                Verdict.DENIED, f"the server does not let this bench in (HTTP {code}){said}", code=word,
                server_time=_date(response),
            )  # fmt: skip
        if code == 426:
            return Outcome(Verdict.TOO_OLD, f"this program and the server do not speak the same version{said}")
        if code in (429, 503, 507):
            wait_s = _retry_after(response, self._clock)
            return Outcome(Verdict.BUSY, f"the server is busy (HTTP {code}){said}", retry_after_s=wait_s)
        if code in _REFUSED:
            return Outcome(Verdict.REFUSED, f"the server refuses it (HTTP {code}){said}", code=_code(response, body))
        if code >= 500:
            wait_s = _retry_after(response, self._clock)
            return Outcome(Verdict.SERVER_ERROR, f"the server has an error (HTTP {code}){said}", retry_after_s=wait_s)
        return Outcome(Verdict.NOT_OURS, f"something else than our server answers at {self._where} (HTTP {code})")


def encode_push(station: str, entries: Sequence[Entry], withheld: str | None = None) -> bytes:
    """Write the body of a push. A payload that is not UTF-8 any more (a damaged disk) goes as a withheld one."""
    return msgspec.json.encode({"station": station, "entries": [_wire(entry, withheld) for entry in entries]})


def _wire(entry: Entry, withheld: str | None) -> WireEntry:
    payload: str | None = None
    if withheld is None and entry.payload is not None:
        try:
            payload = entry.payload.decode()
        except UnicodeDecodeError:
            withheld = "the payload on the bench's disk is not UTF-8 any more"
    return WireEntry(
        generation=entry.generation, seq=entry.seq, id=entry.id, kind=entry.kind, schema=entry.schema,
        recorded_at=entry.recorded_at, actor=entry.actor, payload_sha256=entry.payload_sha256,
        prev_hash=entry.prev_hash, hash=entry.hash, payload=payload, withheld=withheld,
    )  # fmt: skip


def _said(response: httpx.Response, body: bytes) -> str:
    """The server's own words, if it is our server that speaks."""
    error = _error(response, body)
    return f": {error.message[:300]}. {error.advice[:200]}" if error is not None else ""


def _code(response: httpx.Response, body: bytes) -> str:
    error = _error(response, body)
    return error.code if error is not None else ""


def _error(response: httpx.Response, body: bytes) -> ErrorBody | None:
    if not _is_json(response):
        return None
    try:
        return msgspec.json.decode(body, type=ErrorAnswer).error
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _is_json(response: httpx.Response) -> bool:
    content_type: str = response.headers.get("content-type", "")
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _meet(identity: Identity, answer: HelloAnswer) -> None:
    """Go by the server's clock, and learn its key if the one before vouches for it."""
    try:
        identity.meet_time(datetime.fromisoformat(answer.server_time))
        if answer.server_key is not None and not identity.meet_server_key(answer.server_key):
            logger.warning("the server has another key, which the one before did not sign; it does not count here")
    except (ValueError, InvalidInput) as error:
        logger.warning("the server's greeting cannot be used: %s", error)


def _date(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, TypeError):
        return None


def _retry_after(response: httpx.Response, clock: Clock) -> float:
    """Seconds that the server asked for; 0 where it asked for none or in words that nobody understands."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
