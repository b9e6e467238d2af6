"""Sessions of people at the server: random, hashed at rest, short, and ended by every change that matters.

The cookie is ``SITE.SECRET`` with 256 bits of chance; the database has the secret's SHA-256 (as good as Argon2id for a
secret that nobody can guess). The token against forged requests is derived from the secret, so it is kept nowhere.
Source: OWASP ASVS 5.0, 7.2.2–7.2.4, 7.3.1, 7.3.2, 7.4.1–7.4.3; RFC 6265bis §4.1.3 (``__Host-``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, or_, select, update

from station.clock import Clock
from sync.protocol.people import SESSION_COOKIE
from sync.server.auth import Caller, Unauthorised
from sync.server.people.audit import Event, note
from sync.server.people.register import end_sessions, roles_now
from sync.server.storage import Database
from sync.server.storage.rows_people import people, sessions

IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=12)
"""A shift and a bit; nobody stays signed in over night."""
_SEEN_EVERY: Final = timedelta(minutes=1)
"""How often a request writes that the session is used."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds now."""

    site_id: str
    person: str
    name: str
    merchant: str | None
    roles: frozenset[str]
    ends_at: datetime
    token: str = field(repr=False)
    """The cookie's value."""

    @property
    def csrf(self) -> str:
        return csrf_of(self.token)


def csrf_of(token: str) -> str:
    """The token against forged requests that goes with a session."""
    digest = hmac.new(token.encode(), b"returns-station csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def session_token(headers: Mapping[str, str]) -> str | None:
    """The cookie's value; None = no such cookie."""
    given = headers.get("cookie")
    if not given or SESSION_COOKIE not in given:
        return None
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(given)
    except CookieError:
        return ""
    return cookies[SESSION_COOKIE].value if SESSION_COOKIE in cookies else ""


class Sessions:
    """All sessions; also the ``Authenticator`` of requests with the cookie."""

    slow = True

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, connection: Connection, site_id: str, person_id: str, how: str, *, instead_of: str | None) -> str:
        """Begin a session in the caller's transaction, and clear away those that have ended.

        Args:
            instead_of: the cookie that the request carried: that session ends, whosever it was.

        Returns:
            The new cookie.
        """
        at = self._clock.now()
        if instead_of is not None:
            connection.execute(delete(sessions).where(*_this(instead_of)))
        connection.execute(delete(sessions).where(sessions.c.site_id == site_id, _has_ended(at)))
        return self._insert(connection, site_id, person_id, how, at, at)

    def find(self, token: str) -> Session:
        """The session of a cookie, if it still holds.

        Raises:
            Unauthorised: it does not; the text does not say why.
        """
        at = self._clock.now()
        with self._database.reading() as connection:
            row = connection.execute(
                select(sessions, people.c.name, people.c.merchant_id, people.c.active)
                .join(people, and_(people.c.site_id == sessions.c.site_id, people.c.id == sessions.c.person_id))
                .where(*_this(token), ~_has_ended(at))
            ).one_or_none()
            if row is None or not row.active:
                raise Unauthorised("you are not signed in, or no longer: sign in again")
            roles = roles_now(connection, row.site_id, row.person_id, at)
        if at - row.seen_at >= _SEEN_EVERY:
            with self._database.writing() as connection:
                connection.execute(update(sessions).where(*_this(token)).values(seen_at=at))
        return _session(row, roles, token)

    def renew(self, token: str) -> Session:
        """Give a session another secret; the old one is worth nothing. It does not last longer for it.

        Raises:
            Unauthorised: it has ended.
        """
        at = self._clock.now()
        with self._database.writing() as connection:
            row = connection.execute(
                select(sessions.c.site_id, sessions.c.person_id, sessions.c.how, sessions.c.began_at)
                .where(*_this(token), ~_has_ended(at))
                .with_for_update()
            ).one_or_none()
            if row is None or not connection.execute(delete(sessions).where(*_this(token))).rowcount:
                raise Unauthorised("you are not signed in, or no longer: sign in again")
            fresh = self._insert(connection, row.site_id, row.person_id, row.how, row.began_at, at)
        return self.find(fresh)

    def end(self, token: str) -> None:
        """Sign out. A session that has ended already is no error."""
        with self._database.writing() as connection:
            person = connection.scalar(select(sessions.c.person_id).where(*_this(token)))
            connection.execute(delete(sessions).where(*_this(token)))
        if person is not None:
            note(Event.SIGNED_OUT, token.rpartition(".")[0], person=person)

    def end_everywhere(self, site_id: str, person_id: str) -> int:
        """Sign a person out at all computers; how many sessions that were."""
        with self._database.writing() as connection:
            count = end_sessions(connection, site_id, person_id)
        note(Event.SESSIONS_ENDED, site_id, person=person_id, count=count)
        return count

    # the Authenticator

    def claims(self, headers: Mapping[str, str]) -> bool:
        return session_token(headers) is not None

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        found = self.find(session_token(headers) or "")
        return Caller(found.site_id, None, person=found.person, roles=found.roles, merchant=found.merchant)

    def _insert(
        self, connection: Connection, site_id: str, person_id: str, how: str, began_at: datetime, at: datetime
    ) -> str:
        token = f"{site_id}.{secrets.token_urlsafe(32)}"
        row = {
            "site_id": site_id, "digest": _digest(token), "person_id": person_id, "how": how, "began_at": began_at,
            "seen_at": at,
        }  # fmt: skip
        self._database.insert_all(connection, sessions, [row])
        return token


def _session(row: Row[tuple[object, ...]], roles: frozenset[str], token: str) -> Session:
    return Session(row.site_id, row.person_id, row.name, row.merchant_id, roles, row.began_at + ABSOLUTE, token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _this(token: str) -> tuple[ColumnElement[bool], ...]:
    site_id = token.rpartition(".")[0].replace("\x00", "")
    return sessions.c.site_id == site_id, sessions.c.digest == _digest(token)


def _has_ended(at: datetime) -> ColumnElement[bool]:
    # a clock that was put back ends what seems to begin in the future
    return or_(
        sessions.c.began_at <= at - ABSOLUTE, sessions.c.seen_at <= at - IDLE,
        sessions.c.began_at > at + timedelta(minutes=5),
    )  # fmt: skip
