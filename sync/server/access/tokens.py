"""Benches' own tokens: short-lived, signed with the station's key, for this server alone (``sync.protocol.access``)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.types import Options

from station.clock import Clock
from sync.protocol import DEVICE_REVOKED, SKEW_SECONDS, TOKEN_SECONDS, TOKEN_TIME
from sync.server.access.register import KnownStation, Register
from sync.server.auth import Caller, Unauthorised
from sync.server.errors import ApiError
from sync.server.storage import Database

_OPTIONS: Final[Options] = {
    "require": ["iss", "aud", "iat", "exp"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}
"""Times are compared with the clock that was handed in."""


_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class _Proven:
    """What a token says that was signed with the key it names."""

    site_id: str
    station: str
    key_id: str
    issued: object
    expires: object


def revoked(station: str) -> ApiError:
    """What a revoked station is told, whatever it asks."""
    return ApiError(
        403, DEVICE_REVOKED, f"station {station!r} is shut out by IT",
        "nothing on this bench is lost; IT can let it in again, and then it sends what it kept",
    )  # fmt: skip


class StationTokens:
    """Knows an enrolled bench by the token it signed."""

    slow = True

    def __init__(self, database: Database, register: Register, clock: Clock) -> None:
        self._database = database
        self._register = register
        self._clock = clock
        self._proven: OrderedDict[str, _Proven] = OrderedDict()
        """Tokens whose signature was checked before; whether the station may still come in is asked every time."""
        self._lock = Lock()

    def claims(self, headers: Mapping[str, str]) -> bool:
        return _token(headers) is not None

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        token = _token(headers) or ""
        with self._lock:
            proven = self._proven.get(token)
        if proven is None:
            proven, known = self._prove(token)
            with self._lock:
                self._proven[token] = proven
                while len(self._proven) > _REMEMBERED:
                    self._proven.popitem(last=False)
        else:
            found = self._known(proven.site_id, proven.station)
            if found is None or found.key_id != proven.key_id:
                raise Unauthorised(f"station {proven.station!r} is not enrolled here with this key")
            known = found
        if known.revoked_at is not None:  # said only to who proved to be that station
            raise revoked(proven.station)
        self._check_times(proven.issued, proven.expires)
        return Caller(proven.site_id, proven.station, is_proven=True)

    def _prove(self, token: str) -> tuple[_Proven, KnownStation]:
        """Whose token it is, by its signature."""
        try:
            header = jwt.get_unverified_header(token)
            said = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError as error:
            raise Unauthorised("the token cannot be read") from error
        station, site_id, kid = said.get("iss"), said.get("site"), header.get("kid")
        if not (isinstance(station, str) and isinstance(site_id, str) and isinstance(kid, str)):
            raise Unauthorised("the token does not say whose it is")
        known = self._known(site_id, station)
        if known is None or known.public_key is None or known.key_id != kid:
            raise Unauthorised(f"station {station!r} is not enrolled here with this key")
        try:
            claims = jwt.decode(
                token,
                Ed25519PublicKey.from_public_bytes(known.public_key),
                algorithms=["EdDSA"],
                audience=self._register.server_id,
                options=_OPTIONS,
            )
        except jwt.InvalidAudienceError as error:
            raise Unauthorised("the token is for another server") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise Unauthorised("the token is not signed by this station") from error
        return _Proven(site_id, station, kid, claims.get("iat"), claims.get("exp")), known

    def _known(self, site_id: str, station: str) -> KnownStation | None:
        if "\x00" in site_id or "\x00" in station:
            return None
        with self._database.reading() as connection:
            return self._register.known(connection, site_id, station)

    def _check_times(self, issued: object, expires: object) -> None:
        if type(issued) is not int or type(expires) is not int or not 0 < expires - issued <= TOKEN_SECONDS:
            raise Unauthorised(f"a token is good for {TOKEN_SECONDS} s at most")
        now = self._clock.now().timestamp()
        if issued > now + SKEW_SECONDS or expires < now - SKEW_SECONDS:
            raise ApiError(
                401, TOKEN_TIME, "the token is too old, or the bench's clock is wrong",
                "make another by the time in this answer's Date", {"WWW-Authenticate": "Bearer"},
            )  # fmt: skip


def _token(headers: Mapping[str, str]) -> str | None:
    """The bearer token if it has the shape of a JWT."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    given = given.strip()
    return given if scheme.lower() == "bearer" and given.startswith("eyJ") and given.count(".") == 2 else None
