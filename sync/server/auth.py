"""Who is asking: one answer for benches, people and other programs, and the two simple modes of a trial.

A request carries one credential. Each kind has an :class:`Authenticator` that says from the headers alone whether the
credential is its kind (``claims``); the first that claims decides, and there is no second chance: a bench whose token
is refused does not come in through a simpler door.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from station.errors import InvalidInput, StationError
from sync.server.errors import ApiError

SERVICE = "service"
"""Role of another program (a shop, an ERP). The roles of people are named by ``sync.server.people``."""


class Unauthorised(StationError):
    """No token, or not the right one."""


class CallerKind(StrEnum):
    STATION = "station"
    PERSON = "person"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a request speaks for."""

    site_id: str
    station: str | None
    """The only station it may write for; None = any (a shared token does not tell stations apart)."""
    person: str | None = None
    """Who signed in; None = no person."""
    roles: frozenset[str] = frozenset()
    """What the caller may do now; never taken from the request."""
    is_proven: bool = False
    """The station proved with its own key who it is; a shared token proves nothing of the kind."""
    merchant: str | None = None
    """The only merchant whose goods it may see; None = all of the site."""

    @property
    def kind(self) -> CallerKind:
        if self.person is not None:
            return CallerKind.PERSON
        return CallerKind.SERVICE if SERVICE in self.roles else CallerKind.STATION

    def may_write_for(self, station: str) -> bool:
        """Whether it may add to this station's journal: only stations may, each to its own."""
        return self.kind is CallerKind.STATION and self.station in (None, station)

    def require_role(self, *roles: str) -> None:
        """Go on only with one of these roles.

        Raises:
            ApiError: 403.
        """
        if self.roles.isdisjoint(roles):
            wanted = " or ".join(sorted(roles))
            raise ApiError(403, "role", f"this needs the role {wanted}", "ask somebody who has it, or IT to give it")

    def require_station(self) -> None:
        """Go on only for a bench.

        Raises:
            ApiError: 403.
        """
        if self.kind is not CallerKind.STATION:
            raise ApiError(403, "not_a_station", "only a bench may ask this", "use the bench's own program")


class Authenticator(Protocol):
    """Decides who is asking from the request's headers."""

    slow: bool
    """It reads the database, so it is asked on a thread."""

    def claims(self, headers: Mapping[str, str]) -> bool:
        """Whether the credential in the headers is of this kind, right or wrong. Cheap, never raises."""
        ...

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """Name the caller.

        Raises:
            Unauthorised: the text says what is missing.
            ApiError: known, but not let in (e.g. 403 for a revoked station).
        """
        ...


class FirstThatClaims:
    """Several kinds of credentials at one server."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        """
        Args:
            authenticators: in this order; the last may claim everything.
        """
        self._authenticators = tuple(authenticators)

    def find(self, headers: Mapping[str, str]) -> Authenticator:
        """The one that decides.

        Raises:
            Unauthorised: the request carries no credential that this server knows.
        """
        for authenticator in self._authenticators:
            if authenticator.claims(headers):
                return authenticator
        raise Unauthorised("the request does not say who is asking")


class SharedToken:
    """Every bench and the server know one secret from the environment: the simple mode for a trial."""

    slow = False

    def __init__(self, token: str, site_id: str = "main") -> None:
        """Take the secret.

        Raises:
            InvalidInput: too short to withstand guessing, or not sendable in a header.
        """
        if len(token) < 16 or not token.isascii() or not token.isprintable() or " " in token:
            raise InvalidInput(
                "the server's token must be at least 16 printable ASCII characters without spaces; "
                "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        self._token = token.encode()
        self._caller = Caller(site_id, None)

    def claims(self, headers: Mapping[str, str]) -> bool:
        return True

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            raise Unauthorised("the token is missing or is not this server's")
        return self._caller


class LoopbackOnly:
    """No token: only for a server that listens on this machine alone (``run.listen`` sees to that)."""

    slow = False

    def __init__(self, site_id: str = "main") -> None:
        self._caller = Caller(site_id, None)

    def claims(self, headers: Mapping[str, str]) -> bool:
        return True

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        return self._caller
