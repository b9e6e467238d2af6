"""Sends what is in the outbox: one thread that leases, a few that send. One of these in every server process."""

from __future__ import annotations

import contextlib
import logging
import random
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, update
from sqlalchemy.exc import DBAPIError, TimeoutError

from station.clock import Clock
from station.errors import StationError
from sync.server.downstream.addresses import Egress, Resolve, system_resolve
from sync.server.downstream.endpoints import Endpoints, Receiver
from sync.server.downstream.outbox import DELIVERED, FAILED, PENDING, Delivery, Note, Outbox
from sync.server.downstream.schedule import LONGEST_S, TRIES, Next, Tried, Verdict, judge
from sync.server.downstream.sending import Line
from sync.server.downstream.signing import sign
from sync.server.storage import Database
from sync.server.storage.rows_downstream import endpoints as rows

logger = logging.getLogger(__name__)

_THREADS: Final = 16
_PER_ENDPOINT: Final = 4
"""Of these at most so many for one endpoint, so that a slow one cannot starve the others."""
_LANES: Final = 16
"""Units in one lease."""
_LEASE_S: Final = 120.0
_POLL_S: Final = 0.5
_TIDY_S: Final = 60.0
_NOTE_S: Final = 1.0
"""How long results may wait for their note: what is not noted is sent again after a kill."""
MOST_WAITING: Final = 500_000
"""Events waiting for one endpoint; beyond that it is switched off, the journal has them."""


@dataclass(slots=True)
class _Batch:
    """What one thread does under one lease."""

    receiver: Receiver
    lanes: list[list[Delivery]]
    ends: float
    """By the monotonic clock: nothing is begun any more."""
    failures: int
    rest_s: float = 0.0
    succeeded: bool = False
    gone: bool = False
    given_up: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


class Dispatcher:
    """Deliveries of one process."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        endpoints: Endpoints,
        clock: Clock,
        egress: Egress,
        *,
        resolve: Resolve = system_resolve,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 15.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """
        Args:
            tls: the authorities that are believed; None = this machine's own.
            timeout_s: for one delivery, from resolving the name to the end of the answer.
            chance: 0 ≤ x < 1, for the jitter of the waits.
        """
        self._database = database
        self._outbox = outbox
        self._endpoints = endpoints
        self._clock = clock
        self._egress = egress
        self._resolve = resolve
        self._tls = tls
        self._timeout_s = timeout_s
        self._chance = chance
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._busy: dict[str, int] = {}
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="downstream")
        self._thread: threading.Thread | None = None
        self._tidied = float("-inf")

    def start(self) -> None:
        """Begin; after the process has forked, not before."""
        self._thread = threading.Thread(target=self._run, name="downstream", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the deliveries that are under way."""
        self._stop.set()
        self._outbox.filled.set()
        if self._thread is not None:
            self._thread.join()
        self._pool.shutdown()

    def run_once(self) -> int:
        """Send what is due now, on this thread, each unit's first events; for tests and tools.

        Returns:
            How many tries were made.
        """
        tries = 0
        for receiver in self._ready():
            lanes = self._lease(receiver)
            while lanes:
                tries += self._send(self._batch(receiver, lanes))
                lanes = self._lease(receiver) if self._is_ready(receiver) else []
        return tries

    def tidy(self) -> None:
        """Remove what is old; switch off who is hopelessly behind."""
        now = self._clock.now()
        self._outbox.purge(now)
        for receiver in self._endpoints.receivers(now):
            waiting = self._outbox.pending(receiver.site_id, receiver.endpoint_id)
            if waiting > MOST_WAITING:
                with self._database.writing() as connection:
                    reason = f"{waiting} events wait for it, more than {MOST_WAITING}"
                    self._endpoints.disable(connection, receiver.site_id, receiver.endpoint_id, reason, None, now)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._clock.monotonic() - self._tidied > _TIDY_S:
                    self._tidied = self._clock.monotonic()
                    self.tidy()
                began = self._dispatch()
            except (DBAPIError, TimeoutError, StationError) as error:
                logger.warning("deliveries wait for the database: %s", error)
                self._stop.wait(5.0)
                continue
            if not began:
                # The hint may come before its commit: the poll right behind it finds what the hint was about.
                if self._outbox.filled.wait(_POLL_S):
                    self._stop.wait(0.02)
                self._outbox.filled.clear()

    def _dispatch(self) -> bool:
        began = False
        for receiver in self._ready():
            with self._lock:
                if self._busy.get(receiver.endpoint_id, 0) >= _PER_ENDPOINT or self._stop.is_set():
                    continue
            lanes = self._lease(receiver)
            if lanes:
                began = True
                with self._lock:
                    self._busy[receiver.endpoint_id] = self._busy.get(receiver.endpoint_id, 0) + 1
                self._pool.submit(self._work, self._batch(receiver, lanes))
        return began

    def _work(self, batch: _Batch) -> None:
        try:
            self._send(batch)
        except (DBAPIError, TimeoutError, StationError) as error:
            logger.warning("deliveries could not be noted and will be sent again: %s", error)
        except Exception:
            logger.exception("a delivery failed by a bug of ours; it is tried again after its lease")
        finally:
            with self._lock:
                self._busy[batch.receiver.endpoint_id] -= 1
            self._outbox.filled.set()

    def _ready(self) -> list[Receiver]:
        now = self._clock.now()
        ready = []
        for receiver in self._endpoints.receivers(now):
            if not receiver.keys:
                with self._database.writing() as connection:
                    reason = "its secret was made with another server key: restore the key, or make a new secret"
                    self._endpoints.disable(connection, receiver.site_id, receiver.endpoint_id, reason, None, now)
            elif receiver.not_before is None or receiver.not_before <= now:
                ready.append(receiver)
        return ready

    def _is_ready(self, receiver: Receiver) -> bool:
        return any(other.endpoint_id == receiver.endpoint_id for other in self._ready())

    def _lease(self, receiver: Receiver) -> list[list[Delivery]]:
        now = self._clock.now()
        # an endpoint that fails gets one try at a time until it answers again
        lanes = 1 if receiver.failures >= _PER_ENDPOINT else _LANES
        until = now + timedelta(seconds=_LEASE_S)
        return self._outbox.lease(receiver.site_id, receiver.endpoint_id, now, until, lanes)

    def _batch(self, receiver: Receiver, lanes: list[list[Delivery]]) -> _Batch:
        ends = self._clock.monotonic() + _LEASE_S - 3 * self._timeout_s
        return _Batch(receiver, lanes, ends, receiver.failures)

    def _send(self, batch: _Batch) -> int:
        receiver = batch.receiver
        tries = 0
        noted = self._clock.monotonic()
        tls = self._tls_context() if receiver.url.startswith("https:") else None
        line = Line(receiver.url, self._egress, self._resolve, tls, self._timeout_s)
        with contextlib.closing(line):
            for lane in batch.lanes:
                blocked = False
                for delivery in lane:
                    is_over = self._stop.is_set() or self._clock.monotonic() > batch.ends
                    if blocked or batch.gone or batch.rest_s or is_over:
                        batch.unused.append(delivery.event_id)
                        continue
                    tries += 1
                    blocked = not self._try(batch, line, delivery)
                if self._clock.monotonic() - noted > _NOTE_S:
                    self._note(batch)
                    noted = self._clock.monotonic()
        self._note(batch)
        return tries

    def _try(self, batch: _Batch, line: Line, delivery: Delivery) -> bool:
        """Send one; False = what follows of its unit must wait."""
        now = self._clock.now()
        stamp = int(now.timestamp())
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "returns-station",
            "webhook-id": delivery.event_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(delivery.event_id, stamp, delivery.body, batch.receiver.keys),
        }
        tried = line.post(headers, delivery.body)
        step = judge(tried, delivery.attempts + 1, batch.failures, self._chance)
        batch.notes.append(_note_of(delivery, tried, step, self._clock.now()))
        if step.verdict is Verdict.DELIVERED:
            batch.failures, batch.succeeded = 0, True
            return True
        batch.failures += 1
        batch.rest_s = max(batch.rest_s, step.rest_s)
        batch.gone = batch.gone or step.verdict is Verdict.GONE
        if step.verdict is Verdict.GIVEN_UP:
            batch.given_up.append(delivery.event_id)
        logger.info(
            "delivery failed",
            extra={"endpoint": batch.receiver.endpoint_id, "event": delivery.event_id, "status": tried.status},
        )
        return step.verdict is Verdict.GIVEN_UP

    def _note(self, batch: _Batch) -> None:
        """Write down everything since the last note, in one transaction."""
        if not (batch.notes or batch.unused):
            return
        receiver, now = batch.receiver, self._clock.now()
        site_id, endpoint_id = receiver.site_id, receiver.endpoint_id
        values: dict[str, object] = {"failures": batch.failures}
        if batch.succeeded:
            values["last_success"] = now
        if batch.rest_s:
            values["not_before"] = now + timedelta(seconds=batch.rest_s)
        with self._database.writing() as connection:
            self._outbox.note(connection, site_id, endpoint_id, batch.notes, now)
            self._outbox.release(connection, site_id, endpoint_id, batch.unused)
            if batch.succeeded or batch.failures or batch.rest_s:
                here = (rows.c.site_id == site_id, rows.c.endpoint_id == endpoint_id)
                connection.execute(update(rows).where(*here).values(**values))
            if batch.gone:
                reason = "the receiver answered 410: it wants nothing any more"
                self._endpoints.disable(connection, site_id, endpoint_id, reason, None, now)
            for event_id in batch.given_up:
                self._give_up(connection, batch, event_id, now)
        batch.notes, batch.unused, batch.given_up = [], [], []

    def _give_up(self, connection: Connection, batch: _Batch, event_id: str, now: datetime) -> None:
        """One event has used up its tries. If nothing else got through meanwhile, the endpoint is dead."""
        receiver = batch.receiver
        site_id, endpoint_id = receiver.site_id, receiver.endpoint_id
        text = f"event {event_id} was given up after {TRIES} tries; replay it when the receiver can take it"
        since = now - timedelta(seconds=LONGEST_S)
        alive = batch.succeeded or (receiver.last_success is not None and receiver.last_success > since)
        if alive:
            self._endpoints.alert(connection, site_id, endpoint_id, text, event_id, now)
        else:
            self._endpoints.disable(connection, site_id, endpoint_id, text, event_id, now)

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            import truststore

            self._tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self._tls


def _note_of(delivery: Delivery, tried: Tried, step: Next, now: datetime) -> Note:
    state = {Verdict.DELIVERED: DELIVERED, Verdict.GIVEN_UP: FAILED}.get(step.verdict, PENDING)
    later = now + timedelta(seconds=step.wait_s)
    return Note(delivery.event_id, state, delivery.attempts + 1, later, tried.status, tried.error or None)
