"""What the handlers of every route use, built once by ``run.serve``."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from litestar import Request
from litestar.datastructures import State

from station.clock import Clock
from sync.protocol import VERSION, VERSION_HEADER, Limits
from sync.server.access.access import Access
from sync.server.access.signing import SigningKey
from sync.server.auth import Authenticator, Caller, FirstThatClaims, Unauthorised
from sync.server.downstream.composition import Downstream
from sync.server.errors import ApiError
from sync.server.feed import Feed
from sync.server.figures import Follower, count_late
from sync.server.figures.answering import keep_contested
from sync.server.journal import Journal
from sync.server.operations.housekeeping import Housekeeping
from sync.server.operations.measuring import ServerMetrics
from sync.server.people.authority import check_authority
from sync.server.people.setup import People, PeopleSettings
from sync.server.photos import PhotoRegister, PhotoStore
from sync.server.projection import project
from sync.server.returns.books import derogable_gates
from sync.server.returns.masters import Masters
from sync.server.returns.register import Returns
from sync.server.storage import Database
from sync.server.units.applier import Units

HttpRequest = Request[Any, Any, State]  # the frameworks' own generics
_P = ParamSpec("_P")
_T = TypeVar("_T")

_WAITING_PUSHES = 64
"""Pushes that may wait for the writer; beyond that 503 at once, with a jittered Retry-After."""

_WAITING_BACKLOGS = 16
"""Large pushes that may wait for each writer: after an outage a bench that simply works stands behind no more."""
_BACKLOG_BYTES = 16 * 1024
"""A larger body is a backlog: one inspection is some 2 kB."""


class Service:
    """Everything the handlers use, built once."""

    def __init__(
        self, database: Database, photos: PhotoStore, authenticator: Authenticator, clock: Clock, limits: Limits,
        signing: SigningKey, downstream: Downstream, metrics: ServerMetrics | None = None,
        people: PeopleSettings | None = None,
    ) -> None:  # fmt: skip
        self.database = database
        self.downstream = downstream
        self.feed = Feed(database)
        self.units = Units(self.feed, derogable_gates)
        self.returns = Returns(database, self.feed)
        self.masters = Masters(database, self.feed)
        self.journal = Journal(
            database,
            (project, self.units.apply, keep_contested, check_authority, downstream.outbox.apply),
            late=(count_late,),
        )
        self.figures = Follower(database, waiting=lambda: self._waiting)
        self.photos = PhotoRegister(database, photos)
        self.people = People(database, self.feed, clock, people or PeopleSettings())
        self.access = Access(database, clock, signing)
        self.identities = FirstThatClaims([self.people.sessions, self.access.tokens, authenticator])
        self.clock = clock
        self.limits = limits
        self._writer = ThreadPoolExecutor(database.writers, thread_name_prefix="journal-writer")
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="server-reader")
        self._waiting = 0
        self.metrics = metrics or ServerMetrics()
        self.housekeeping = Housekeeping(database, photos, clock)

    @property
    def waiting(self) -> int:
        """Pushes that wait for the writer."""
        return self._waiting

    def admit(self, body_bytes: int) -> None:
        """Turn away a backlog when enough of them wait; what a bench at work sends now and then still gets in.

        Raises:
            ApiError: 503.
        """
        if body_bytes > _BACKLOG_BYTES and self._waiting >= _WAITING_BACKLOGS * self.database.writers:
            raise _busy("many benches are sending what they had gathered")

    async def write(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run on the writer's thread, or refuse at once when too many wait."""
        if self._waiting >= _WAITING_PUSHES:
            raise _busy("too many benches are sending at once")
        self._waiting += 1
        try:
            return await self._run(self._writer, call, *args, **kwargs)
        finally:
            self._waiting -= 1

    async def read(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run on one of the other threads."""
        return await self._run(self._readers, call, *args, **kwargs)

    async def _run(self, pool: ThreadPoolExecutor, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await asyncio.get_running_loop().run_in_executor(pool, lambda: call(*args, **kwargs))

    def now_text(self) -> str:
        return self.clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")

    async def identify(self, request: HttpRequest) -> None:
        """Before every handler: what needs the database to say who is asking is asked on a thread."""
        try:
            authenticator = self.identities.find(request.headers)
            if authenticator.slow:
                request.state["caller"] = await self.read(authenticator.authenticate, request.headers)
        except (Unauthorised, ApiError) as error:
            request.state["caller"] = error  # a handler that asks for the caller says it; health does not ask

    def caller(self, request: HttpRequest) -> Caller:
        """Check version and identity; every handler but health begins with this."""
        self.check_version(request)
        return self.authenticated(request)

    def authenticated(self, request: HttpRequest) -> Caller:
        """Check who asks, for what is no part of the protocol (metrics)."""
        known: Caller | Unauthorised | ApiError | None = request.state.get("caller")
        if isinstance(known, Exception):
            raise known
        return known or self.identities.find(request.headers).authenticate(request.headers)

    @staticmethod
    def check_version(request: HttpRequest) -> None:
        """Refuse another version of the protocol."""
        spoken = request.headers.get(VERSION_HEADER, "")
        if spoken != str(VERSION):
            raise ApiError(
                426, "version", f"this server speaks version {VERSION} of the protocol, the request {spoken!r}",
                "update the older of the two; the bench keeps recording meanwhile",
            )  # fmt: skip

    def close(self) -> None:
        self.housekeeping.close()
        self.figures.close()
        self.downstream.close()
        self._writer.shutdown()
        self._readers.shutdown()
        self.people.close()
        self.database.close()


def _busy(why: str) -> ApiError:
    # Jitter spreads the benches that come back; not a secret, so the plain generator will do.
    return ApiError(503, "busy", why, "try again later", {"Retry-After": str(random.randint(1, 5))})
