"""Who is asking. The seam where enrolment, signed batches and roles come in; today one shared token."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from station.errors import InvalidInput, StationError


class Unauthorised(StationError):
    """No token, or not the right one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a request speaks for."""

    site_id: str
    station: str | None
    """The only station it may write for; None = any (a shared token does not tell stations apart)."""

    def may_write_for(self, station: str) -> bool:
        return self.station is None or self.station == station


class Authenticator(Protocol):
    """Decides who is asking from the request's headers."""

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """Name the caller.

        Raises:
            Unauthorised: the text says what is missing.
        """
        ...


class SharedToken:
    """Every bench and the server know one secret from the environment."""

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

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            raise Unauthorised("the token is missing or is not this server's")
        return self._caller


class LoopbackOnly:
    """No token: only for a server that listens on this machine alone (``run.listen`` sees to that)."""

    def __init__(self, site_id: str = "main") -> None:
        self._caller = Caller(site_id, None)

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        return self._caller
