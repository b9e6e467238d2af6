"""The loop that keeps both ends up to date: entries, then the feed, then photos, on its owner's thread.

While the server works on one batch of a backlog, the next one is read, packed and sent, and the answers to the one
before are written down: a bench that was offline for a week is limited by the slower end, not by the sum of both. A
batch goes ahead of the answer to the one before it only while everything is taken as it is sent, never two of them, and
the server is told (``FOLLOWS_HEADER``). Whatever becomes of the one before, what is acknowledged is still only what an
answer names: a batch that came too early is simply sent again. An answer that was not written down when the bench dies
costs a repeat, never a loss.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from station.clock import Clock
from station.errors import StoreFault
from station.journal.entry import Entry
from station.store.feed import FeedStore
from station.store.outbox import Acknowledgement, Outbox, Unsent
from sync.client.api import Outcome, Packed, SyncApi
from sync.client.decide import Do, Next, Pace, Timing, Verdict, decide_next, wait_s
from sync.client.feed import FeedLane
from sync.client.forgetting import Forgetting
from sync.client.lineage import Lineage
from sync.client.people import PeopleKeys
from sync.client.photos import PhotoLane
from sync.client.states import Link, SyncState
from sync.protocol import Code, Head, Limits, PushAnswer, Status

__all__ = ["SyncLoop", "SyncState"]

logger = logging.getLogger(__name__)

EPOCH_KEY: Final = "server_epoch"
_MAX_STUCK: Final = 20
"""When more entries than this are refused alone it is not the entries; then the line waits for a person."""
_BACKLOG: Final = 20
"""A batch of at least this many entries may have more behind it."""
_EMIT_EVERY_S: Final = 0.25
_LOOK_EVERY_S: Final = 0.25
"""How soon a request to stop is seen."""
_LINKS: Final = {
    Verdict.PROGRESS: Link.ONLINE,
    Verdict.NOTHING: Link.ONLINE,
    Verdict.RETRY: Link.ONLINE,
    Verdict.REFUSED: Link.ONLINE,
    Verdict.SERVER_ERROR: Link.OFFLINE,
    Verdict.BUSY: Link.OFFLINE,
    Verdict.UNREACHABLE: Link.OFFLINE,
    Verdict.NOT_OURS: Link.OFFLINE,
    Verdict.DENIED: Link.PAUSED,
    Verdict.REVOKED: Link.PAUSED,
    Verdict.TOO_OLD: Link.PAUSED,
}


class _Stuck:
    """An entry whose payload was refused alone; only its header is at the server."""

    def __init__(self, entry: Entry, why: str, again_at: float, wait_s: float) -> None:
        self.size = len(entry.payload or b"")
        self.why = why
        self.again_at = again_at
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The batch behind the one that is being answered."""

    packed: Packed
    exchange: Future[Outcome[PushAnswer]] | None
    """Under way already; None = only packed."""


class SyncLoop:
    """Push what is unsent, for as long as the owner lets it run. Not reentrant; only ``wake`` is for other threads."""

    def __init__(
        self, outbox: Outbox, api: SyncApi, clock: Clock, rng: random.Random, timing: Timing | None = None,
        feed: FeedStore | None = None, lineage: Lineage | None = None, people: PeopleKeys | None = None,
        forgetting: Forgetting | None = None,
    ) -> None:  # fmt: skip
        """Get ready; nothing is sent yet.

        Args:
            rng: the dice of the back-off (full jitter).
            timing: ceilings of the waits; None = those of the product.
            feed: where what the centre tells is kept; None = the centre is not asked.
            lineage: watches whether this is the journal that the server knows; None = forks are only told.
            people: seals what the feed tells of people; None = they are not asked for.
            forgetting: lets go what the centre says shall be forgotten; None = nothing is.
        """
        self._outbox = outbox
        self._api = api
        self._clock = clock
        self._rng = rng
        self._timing = timing or Timing()
        self._wake = threading.Event()
        self._limits = Limits()
        self._pace = Pace(self._limits.batch_entries)
        self._not_before = 0.0
        self._heartbeat_at = 0.0
        self._greeted = False
        self._lacking = False
        self._set_back: set[tuple[int, int]] = set()
        """(generation, head) with which the server named less than it had acknowledged."""
        self._epoch = outbox.sync_value(EPOCH_KEY)
        self._stuck: dict[tuple[int, int], _Stuck] = {}
        self._photos = PhotoLane(outbox, api, clock, rng, self._timing)
        self._feed = None
        if feed is not None:
            self._feed = FeedLane(feed, api, clock, rng, self._timing, people=people, forgetting=forgetting)
        self._lineage = lineage
        self._line: ThreadPoolExecutor | None = None
        """Carries requests while this thread gets the next one ready."""
        self._ahead: _Ahead | None = None
        self._is_steady = False
        """The last batch was taken whole, so the next two may be under way together."""
        self._unwritten: list[Acknowledgement] = []
        self._link = Link.OFFLINE
        self._detail = "not connected yet"
        self._forked = False
        self._revoked = False
        self._last_synced_at: datetime | None = None
        self._emitted: SyncState | None = None
        self._emitted_at = -_EMIT_EVERY_S

    def wake(self) -> None:
        """Say that something was recorded. From any thread, at any time, cheap."""
        self._wake.set()

    def run(self, should_stop: Callable[[], bool], emit: Callable[[SyncState], None]) -> None:
        """Work until told to stop.

        Args:
            should_stop: asked at least every quarter of a second, and before every request.
            emit: takes each new state, on this thread.
        """
        self._report(emit, at_once=True)
        self._line = ThreadPoolExecutor(2, thread_name_prefix="sync-line")
        try:
            while not should_stop():
                self._wake.clear()
                left_s = self.step()
                self._report(emit, at_once=left_s > 0)
                until = self._clock.monotonic() + left_s
                while left_s > 0 and not should_stop():
                    if self._wake.wait(min(left_s, _LOOK_EVERY_S)):
                        break
                    left_s = until - self._clock.monotonic()
        finally:
            self._line.shutdown()
            self._line = None
        try:
            self._land()
            self._write_answers()
            self._write_signed()
        except StoreFault as error:
            logger.warning("the bench's own store fails: %s; what was answered is sent again", error)
        self._report(emit, at_once=True)

    def step(self) -> float:
        """Make at most one exchange.

        Returns:
            Seconds until there may be something to do; 0 = go on at once.
        """
        now = self._clock.monotonic()
        try:
            if self._entries_step(now) or self._stuck_step(now):
                return 0.0
            if self._link is Link.ONLINE and self._feed is not None and self._feed.step(now):
                self._feed_came_back(self._feed)
                return 0.0
            if self._link is Link.ONLINE and self._photos.step(now, self._limits.missing_hashes):
                self._photo_came_back(now)
                return 0.0
        except StoreFault as error:
            logger.warning("the bench's own store fails: %s", error)
            self._detail = str(error)
            self._not_before = now + self._timing.first_s
        waits = [self._not_before, self._heartbeat_at, self._photos.not_before]
        if self._feed is not None and self._link is Link.ONLINE:
            waits.append(self._feed.not_before)
        waits.extend(stuck.again_at for stuck in self._stuck.values())
        return min((at - now for at in waits if at > now), default=self._timing.first_s)

    def _feed_came_back(self, feed: FeedLane) -> None:
        if feed.verdict in (Verdict.UNREACHABLE, Verdict.BUSY, Verdict.DENIED, Verdict.REVOKED, Verdict.TOO_OLD):
            self._note_link(feed.verdict, feed.detail)
            self._heartbeat_at = feed.held_until  # ask for the server itself first

    def _tell_feed(self, heads: Mapping[str, int]) -> None:
        if self._feed is not None:
            self._feed.tell(heads)

    def _photo_came_back(self, now: float) -> None:
        self._heartbeat_at = now + self._timing.idle_s
        if self._photos.verdict not in (Verdict.PROGRESS, Verdict.REFUSED, Verdict.SERVER_ERROR):
            self._note_link(self._photos.verdict, self._photos.detail)
            self._heartbeat_at = self._photos.not_before  # ask for the server itself before the next photo

    def _entries_step(self, now: float) -> bool:
        if now < self._not_before:
            return False
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            self._push(ahead.packed, ahead.exchange)
            return True
        self._write_answers()
        batch = self._pending()
        if not batch:
            self._write_signed()
        if not self._greeted or (not batch and now >= self._heartbeat_at):
            self._greet()
            return True
        if not batch:
            self._decided(decide_next(self._pace, Verdict.NOTHING, sent=0, limit=self._limits.batch_entries,
                                      timing=self._timing))  # fmt: skip
            return False
        withheld = self._detail or "refused" if self._pace.withholding else None
        self._push(self._api.pack(self._outbox.station, batch, withheld))
        return True

    def _stuck_step(self, now: float) -> bool:
        """Offer the payload of one stuck entry again, by itself."""
        due = next((place for place, stuck in self._stuck.items() if stuck.again_at <= now), None)
        if due is None or self._link is not Link.ONLINE:
            return False
        stuck = self._stuck[due]
        stuck.wait_s = min(self._timing.stuck_cap_s, stuck.wait_s * 2)
        stuck.again_at = now + stuck.wait_s
        entry = next((entry for entry in self._ask_outbox(len(self._stuck)) if _place(entry) == due), None)
        if entry is None:  # acknowledged meanwhile
            del self._stuck[due]
            return False
        packed = self._api.pack(self._outbox.station, [entry])
        outcome = self._api.push(packed)
        if outcome.answer is not None:
            self._take(packed, outcome.answer)
            self._write_answers()
        elif outcome.verdict not in (Verdict.REFUSED, Verdict.SERVER_ERROR):
            self._note_link(outcome.verdict, outcome.detail)
        return True

    def _pending(self, after: tuple[int, int] | None = None) -> list[Entry]:
        """The oldest unacknowledged entries that are not stuck."""
        size = 1 if self._pace.withholding else min(self._pace.batch, self._limits.batch_entries)
        found = self._ask_outbox(size + len(self._stuck), after)
        return [entry for entry in found if _place(entry) not in self._stuck][:size]

    def _ask_outbox(self, limit: int, after: tuple[int, int] | None = None) -> tuple[Entry, ...]:
        set_aside = sum(stuck.size for stuck in self._stuck.values())
        return self._outbox.pending_entries(limit, self._limits.batch_bytes + set_aside, after)

    def _greet(self) -> None:
        outcome = self._api.hello(self._outbox.station)
        verdict = outcome.verdict
        # A server that greets well but lacks what this bench cannot send again must not be asked every second.
        failures = self._pace.failures if self._lacking else 0
        if outcome.answer is not None:
            self._greeted = True
            self._limits = _within_reason(outcome.answer.limits)
            self._meet_epoch(outcome.answer.epoch, outcome.answer.heads)
            self._tell_feed(outcome.answer.feed)
            if self._lineage is not None and self._lineage.meet(outcome.answer.heads, outcome.answer.server_key):
                self._forked = True
            self._lacking = False
            verdict = Verdict.NOTHING  # the batch's size has learnt nothing from a greeting
        self._settle(verdict, 0, outcome.detail, outcome.retry_after_s)
        self._pace = replace(self._pace, failures=max(failures, self._pace.failures))

    def _push(self, packed: Packed, exchange: Future[Outcome[PushAnswer]] | None = None) -> None:
        """Send a batch, unless it is under way already, and take the answer."""
        if self._line is not None and packed.withheld is None and len(packed.entries) >= _BACKLOG:
            outcome = self._push_and_look_ahead(packed, exchange or self._line.submit(self._api.push, packed))
        else:
            outcome = exchange.result() if exchange is not None else self._api.push(packed)
        verdict = outcome.verdict
        if outcome.answer is not None:
            verdict = self._take(packed, outcome.answer)
        self._is_steady = verdict is Verdict.PROGRESS and self._greeted and len(self._unwritten) >= len(packed.entries)
        if not self._is_steady:
            self._land()
            self._write_answers()
            if packed.follows and verdict is Verdict.RETRY:
                return  # it overtook the one before it: no fault of the server's, and the line is free
        self._settle(verdict, len(packed.entries), outcome.detail, outcome.retry_after_s)

    def _push_and_look_ahead(self, packed: Packed, exchange: Future[Outcome[PushAnswer]]) -> Outcome[PushAnswer]:
        """Use the time in which the server works on a batch of a backlog."""
        try:
            self._write_answers()
            behind = self._pending(after=_place(packed.entries[-1]))
            if behind:
                self._ahead = self._send_ahead(self._api.pack(self._outbox.station, behind))
        finally:
            outcome = exchange.result()
        return outcome

    def _send_ahead(self, packed: Packed) -> _Ahead:
        """Let the next batch follow at once where all goes well; the small rest of a backlog waits for its turn."""
        if not self._is_steady or self._line is None or len(packed.entries) < min(self._pace.batch, _BACKLOG):
            return _Ahead(packed, None)
        packed = replace(packed, follows=True)
        return _Ahead(packed, self._line.submit(self._api.push, packed))

    def _land(self) -> None:
        """Take what is said of the batch that was sent ahead, and forget it: what was not taken is sent anew."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.exchange is None:
            return
        outcome = ahead.exchange.result()
        if outcome.answer is not None:
            self._take(ahead.packed, outcome.answer)

    def _write_signed(self) -> None:
        if self._lineage is not None:
            self._lineage.write()

    def _write_answers(self) -> None:
        if self._unwritten:
            self._outbox.acknowledge(self._unwritten)
            self._unwritten = []

    def _take(self, packed: Packed, answer: PushAnswer) -> Verdict:
        """Keep what the answer names; only that is acknowledged."""
        sent = {_place(entry): entry for entry in packed.entries}
        first = {entry.generation: entry.seq for entry in reversed(packed.entries)}
        acknowledged: list[Acknowledgement] = []
        moved = False
        lacking = False
        for result in answer.results:
            entry = sent.pop((result.generation, result.seq), None)
            if entry is None or result.id != entry.id:
                logger.warning("the server answered for an entry that was not sent: %s", result.seq)
                continue
            if result.status is Status.RETRY:
                is_before = (result.expected_seq or entry.seq) < first[entry.generation]
                lacking = lacking or (is_before and not packed.follows)
                continue
            moved = True
            if result.code == Code.WITHHELD:
                self._mark_stuck(entry, packed.withheld or result.detail or "")
                continue
            if result.code in (Code.STALE, Code.NOT_ALLOWED):
                logger.warning("%s/%s took no effect: %s", entry.generation, entry.seq, result.detail)
            elif result.status in (Status.CONFLICT, Status.ID_COLLISION):
                self._forked = True
                logger.error("the server holds another entry at %s/%s: %s", entry.generation, entry.seq, result.code)
                if self._lineage is not None:
                    self._lineage.conflict(entry.generation, entry.seq)
            elif result.status is Status.QUARANTINED:
                logger.warning("quarantined at the server: %s: %s", entry.seq, result.code)
            acknowledged.append(Acknowledgement(entry.generation, entry.seq, result.status.value, result.code))
            self._stuck.pop(_place(entry), None)
        self._unwritten.extend(acknowledged)
        self._tell_feed(answer.feed)
        if self._lineage is not None:
            self._lineage.take(answer.countersigned)
        if answer.epoch != self._epoch:
            self._greeted = False  # hello tells what the server holds now
        elif lacking and not moved:
            self._lacking = True
            self._greeted = False
        return Verdict.PROGRESS if moved else Verdict.RETRY

    def _mark_stuck(self, entry: Entry, why: str) -> None:
        if _place(entry) not in self._stuck:
            wait_s = self._timing.stuck_s
            self._stuck[_place(entry)] = _Stuck(entry, why, self._clock.monotonic() + wait_s, wait_s)
            logger.error("entry %s/%s is stuck: %s", entry.generation, entry.seq, why)

    def _meet_epoch(self, epoch: str, heads: Sequence[Head]) -> None:
        is_set_back = self._is_set_back(heads)
        if epoch == self._epoch and not self._lacking and not is_set_back:
            return
        if self._epoch is not None:
            logger.warning("the server's epoch changed or it lacks records: it was restored, or is another one")
            self._offer_again(heads)
        self._outbox.set_sync_value(EPOCH_KEY, epoch)
        self._epoch = epoch

    def _is_set_back(self, heads: Sequence[Head]) -> bool:
        """Whether the server holds less than it said it holds, and is not just told so for a second time.

        A copy that was put back without a new epoch looks like this, also to a bench that has nothing to send. A server
        that was offered everything and still names the same head is not offered it at every greeting.
        """
        held = {head.generation: head.seq for head in heads}
        lacks = {
            (generation, held.get(generation, 0))
            for generation, seq in self._outbox.at_server().items()
            if held.get(generation, 0) < seq
        }
        news, self._set_back = lacks - self._set_back, lacks
        return bool(news)

    def _offer_again(self, heads: Sequence[Head]) -> None:
        """Make pending again what a restored server lacks."""
        self._write_answers()
        self._stuck.clear()  # their headers may be among what it lacks
        count = self._outbox.reopen({head.generation: head.seq for head in heads})
        self._photos.forget()
        if self._feed is not None:
            self._feed.forget()
        logger.warning("%s entries are offered again", count)

    def _settle(self, verdict: Verdict, sent: int, detail: str, retry_after_s: float) -> None:
        """Decide what follows and when."""
        self._note_link(verdict, detail)
        decided = decide_next(
            self._pace, verdict, sent=sent, limit=self._limits.batch_entries, timing=self._timing,
            retry_after_s=retry_after_s,
        )  # fmt: skip
        if decided.do is Do.WITHHOLD and len(self._stuck) >= _MAX_STUCK:
            self._detail = f"the server refuses the content of many records; IT must look: {detail}"
            decided = decide_next(
                self._pace, Verdict.BUSY, sent=sent, limit=self._limits.batch_entries, timing=self._timing
            )
        self._heartbeat_at = self._clock.monotonic() + self._timing.idle_s
        self._decided(decided)

    def _decided(self, decided: Next) -> None:
        self._pace = decided.pace
        drawn_s = wait_s(decided, self._rng)
        self._not_before = self._clock.monotonic() + drawn_s if drawn_s else 0.0

    def _note_link(self, verdict: Verdict, detail: str) -> None:
        link = _LINKS[verdict]
        self._revoked = verdict is Verdict.REVOKED
        if link is not self._link:
            logger.info("sync is %s%s", link, f": {detail}" if detail else "")
        self._link = link
        self._detail = detail

    def _report(self, emit: Callable[[SyncState], None], *, at_once: bool) -> None:
        now = self._clock.monotonic()
        if not at_once and now - self._emitted_at < _EMIT_EVERY_S:
            return
        try:
            unsent = self._outbox.unsent()
        except StoreFault:
            unsent = self._emitted.unsent if self._emitted else Unsent(0, 0, None, 0)
        if self._link is Link.ONLINE and unsent.entries == 0 and unsent.photos == 0:
            self._last_synced_at = self._clock.now()
        state = SyncState(
            self._link, unsent, self._shown_detail(), self._last_synced_at, len(self._stuck), self._forked,
            self._revoked,
        )  # fmt: skip
        self._emitted_at = now
        # The time alone is no news: the bar counts on by itself.
        if self._emitted is None or replace(state, last_synced_at=self._emitted.last_synced_at) != self._emitted:
            self._emitted = state
            emit(state)

    def _shown_detail(self) -> str:
        if self._detail or not self._stuck:
            return self._detail
        stuck = next(iter(self._stuck.values()))
        return f"{len(self._stuck)} record(s) refused by the server, kept on this bench: {stuck.why}"


def _within_reason(limits: Limits) -> Limits:
    """What a server asks for may not take this machine's memory."""
    return Limits(
        batch_entries=min(limits.batch_entries, 1000),
        batch_bytes=min(limits.batch_bytes, 4 * 1024 * 1024),
        body_bytes=limits.body_bytes,
        photo_bytes=limits.photo_bytes,
        missing_hashes=min(limits.missing_hashes, 1000),
    )


def _place(entry: Entry) -> tuple[int, int]:
    return entry.generation, entry.seq
