"""Name and password at the server: counted before they are looked at, the same answer and the same time for everybody.

Source: OWASP ASVS 5.0, 6.3.1 (brute force), 6.3.8 (no enumeration of accounts).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, select, update

from station.clock import Clock
from station.people.lockout import wait_after
from sync.server.errors import ApiError
from sync.server.limits import SIGN_IN, Limiter, address_bucket
from sync.server.people.audit import Event, note
from sync.server.people.key import PeopleKey
from sync.server.people.passwords import Hasher
from sync.server.people.register import roles_now
from sync.server.people.sessions import Session, Sessions
from sync.server.storage import Database
from sync.server.storage.rows_people import people, sign_in_waits


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was counted and may be looked at."""

    site_id: str
    account: str
    address: str
    person_id: str | None
    password: str | None
    """The kept hash; None = nobody, none set, or disabled."""


class SignIn:
    """The two transactions around a check of a password. Blocks on the database."""

    def __init__(self, database: Database, key: PeopleKey, hasher: Hasher, sessions: Sessions, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._hasher = hasher
        self._sessions = sessions
        self._clock = clock
        self.limiter = Limiter(database)

    def begin(self, site_id: str, login: str, address: str) -> Try:
        """Count a try.

        Raises:
            ApiError: 429, too many tries from this address or for this name, be it somebody's or not.
        """
        now = self._clock.now()
        account = self._key.account(site_id, login.strip().lower())
        # addresses are counted for the whole server: sites that are tried in turn make no difference
        self.limiter.take("main", f"sign-in address {address_bucket(address)}", SIGN_IN, now)
        self.limiter.take(site_id, f"sign-in account {account}", SIGN_IN, now)
        with self._database.writing() as connection:
            found = _by_login(connection, site_id, login.strip().lower())
            wait = self._count(connection, site_id, account, now)
        person_id = found.id if found is not None else None
        if wait is not None:
            note(Event.SIGN_IN_REFUSED, site_id, person=person_id, why="waiting", address=address)
            seconds = max(1, math.ceil(wait.total_seconds()))
            raise ApiError(
                429, "waiting", "too many wrong passwords for this name", f"wait {seconds} s, or ask IT",
                {"Retry-After": str(seconds)},
            )  # fmt: skip
        password = found.password if found is not None and found.active else None
        return Try(site_id, account, address, person_id, password)

    def finish(self, tried: Try, right: bool, given: str, cookie: str | None) -> Session:
        """Let in who was right.

        Args:
            right: what ``Hasher.verify`` said.
            given: the password, to hash it anew if the kept hash is of an older cost.
            cookie: the session that the request carried; it ends.

        Raises:
            ApiError: 401, the same for every reason.
        """
        if not right or tried.person_id is None:
            note(Event.SIGN_IN_REFUSED, tried.site_id, person=tried.person_id, why="wrong", address=tried.address)
            raise refused()
        fresh = self._hasher.hash(given) if tried.password and self._hasher.is_outdated(tried.password) else None
        with self._database.writing() as connection:
            connection.execute(delete(sign_in_waits).where(*_account(tried.site_id, tried.account)))
            if fresh is not None:
                mine = and_(people.c.site_id == tried.site_id, people.c.id == tried.person_id)
                connection.execute(
                    update(people).where(mine, people.c.password == tried.password).values(password=fresh)
                )
            token = self._sessions.begin(connection, tried.site_id, tried.person_id, "password", instead_of=cookie)
        note(Event.SIGNED_IN, tried.site_id, person=tried.person_id, how="password", address=tried.address)
        return self._sessions.find(token)

    def agreed(self, tried: Try, right: bool) -> tuple[str, frozenset[str]]:
        """Somebody agrees to what somebody else does: who, with the roles that hold now. No session begins.

        Raises:
            ApiError: 401, the same for every reason.
        """
        if not right or tried.person_id is None:
            note(Event.SIGN_IN_REFUSED, tried.site_id, person=tried.person_id, why="wrong", address=tried.address)
            raise refused()
        with self._database.writing() as connection:
            connection.execute(delete(sign_in_waits).where(*_account(tried.site_id, tried.account)))
            roles = roles_now(connection, tried.site_id, tried.person_id, self._clock.now())
        note(Event.AGREED, tried.site_id, person=tried.person_id, address=tried.address)
        return tried.person_id, roles

    def _count(self, connection: Connection, site_id: str, account: str, now: datetime) -> timedelta | None:
        """One more try, unless a wait runs: then how long still."""
        here = _account(site_id, account)
        row = {"site_id": site_id, "account": account, "failures": 0, "until": now}
        self._database.insert_all(connection, sign_in_waits, [row])
        found = connection.execute(
            select(sign_in_waits.c.failures, sign_in_waits.c.until).where(*here).with_for_update()
        ).one()
        whole = timedelta(seconds=wait_after(found.failures))
        # a server's clock that was put back must not lock anybody for longer than the wait
        left: timedelta = min(found.until - now, whole)
        if left > timedelta(0):
            return left
        failures = found.failures + 1
        until = now + timedelta(seconds=wait_after(failures))
        connection.execute(update(sign_in_waits).where(*here).values(failures=failures, until=until))
        return None


def refused() -> ApiError:
    """The one answer to everybody who is not let in."""
    return ApiError(401, "sign_in", "this name and password do not go together", "try again, or ask IT for a new one")


def _by_login(connection: Connection, site_id: str, login: str) -> Row[tuple[object, ...]] | None:
    if "\x00" in login:  # which PostgreSQL cannot even be asked
        return None
    here = (people.c.site_id == site_id, people.c.login == login)
    return connection.execute(select(people).where(*here)).one_or_none()


def _account(site_id: str, account: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return sign_in_waits.c.site_id == site_id, sign_in_waits.c.account == account
