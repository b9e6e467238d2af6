"""What the handlers of every route use, built once by ``run.serve``."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from litestar import Request
from litestar.datastructures import State

from station.clock import Clock
from sync.protocol import VERSION, VERSION_HEADER, Limits
from sync.server.access.access import Access
from sync.server.access.signing import SigningKey
from sync.server.applying import Applying
from sync.server.auth import Authenticator, Caller, FirstThatClaims, Unauthorised
from sync.server.downstream.composition import Downstream
from sync.server.errors import ApiError
from sync.server.feed import Feed
from sync.server.figures import Follower, count_late
from sync.server.figures.answering import keep_contested
from sync.server.journal import Journal
from sync.server.line import PATIENCE_S, Line
from sync.server.operations.backlogs import Backlogs
from sync.server.operations.housekeeping import Housekeeping
from sync.server.operations.measuring import ServerMetrics
from sync.server.people.authority import check_authority
from sync.server.people.setup import People, PeopleSettings
from sync.server.photos import PhotoRegister, PhotoStore
from sync.server.projection import project
from sync.server.returns.books import derogable_gates, rules
from sync.server.returns.masters import Masters
from sync.server.returns.register import Returns
from sync.server.rights import check_rights
from sync.server.storage import Database
from sync.server.units.applier import Units

HttpRequest = Request[Any, Any, State]  # the frameworks' own generics
_P = ParamSpec("_P")
_T = TypeVar("_T")

_WAITING_PUSHES = 64
"""Pushes that may wait for the writer; beyond that 503 at once, with a jittered Retry-After."""

_BACKLOG_BYTES = 16 * 1024
"""A larger body is a backlog: one inspection is some 2 kB."""
_WAITING_BYTES = 64 * 1024 * 1024
"""Of bodies that wait."""


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
        self.units = Units(self.feed, derogable_gates, rules)
        self.returns = Returns(database, self.feed, self._return_changed)
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
        self._writer = Line(database.writers, "journal-writer")
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="server-reader")
        self._waiting = 0
        self._waiting_bytes = 0
        self.metrics = metrics or ServerMetrics()
        self.backlogs = Backlogs(database)
        self.housekeeping = Housekeeping(database, photos, clock, self.journal)

    def _return_changed(self, work: Applying, merchant_id: str, rma: str) -> None:
        """More units may have come than a return announces now, or fewer: the same follows as from an entry."""
        self.units.rejudge(work, merchant_id, rma)
        keep_contested(work, ())
        self.downstream.outbox.apply(work, ())

    @property
    def waiting(self) -> int:
        """Pushes that wait for the writer."""
        return self._waiting

    def admit(self, body_bytes: int) -> None:
        """Turn away a backlog when those before it take too long; what a bench at work sends still gets in.

        Raises:
            ApiError: 503.
        """
        if not _is_backlog(body_bytes):
            return
        wait_s = self._writer.wait_s
        if wait_s > PATIENCE_S or self._waiting_bytes + body_bytes > _WAITING_BYTES:
            raise _busy("many benches are sending what they had gathered", wait_s)

    async def write_push(self, body_bytes: int, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """As ``write``, behind everything small if the body is a backlog."""
        if not _is_backlog(body_bytes):
            return await self.write(call, *args, **kwargs)
        self._waiting_bytes += body_bytes
        try:
            return await self._stand(call, True, *args, **kwargs)
        finally:
            self._waiting_bytes -= body_bytes

    async def write(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run on a writer's thread, or refuse at once when too many wait."""
        if self._waiting - self._writer.backlogs >= _WAITING_PUSHES:
            raise _busy("too many benches are sending at once")
        return await self._stand(call, False, *args, **kwargs)

    async def _stand(self, call: Callable[_P, _T], backlog: bool, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        self._waiting += 1
        try:
            future = self._writer.submit(partial(call, *args, **kwargs), backlog=backlog)
            return await asyncio.wrap_future(future)
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
        """Check who asks and whether the route is for them (``rights``); for what is no part of the protocol too."""
        known: Caller | Unauthorised | ApiError | None = request.state.get("caller")
        if isinstance(known, Exception):
            raise known
        caller = known or self.identities.find(request.headers).authenticate(request.headers)
        check_rights(request.route_handler.opt, request.method, caller)
        return caller

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


def _is_backlog(body_bytes: int) -> bool:
    return body_bytes > _BACKLOG_BYTES


def _busy(why: str, wait_s: float = 0.0) -> ApiError:
    # Jitter spreads the benches that come back; not a secret, so the plain generator will do.
    latest = max(5, round(wait_s))
    return ApiError(503, "busy", why, "try again later", {"Retry-After": str(random.randint(1, latest))})
