"""The feed lane: behind the records and before the photos, one page at a time, each topic for itself.

Who tells that something changed: every hello and every answer to a push names the newest revision of each topic, so
that a change at the centre is here with the next record, and an idle bench asks for pages only when there are any.
Against a server that tells nothing each topic is asked for every 15 to 60 s. What goes wrong with one topic (a page
that does not fit, a server that does not know it) delays that topic and nothing else.

Memory: one page is held at a time; a page that is too large for this bench is asked for in halves.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from station.clock import Clock
from station.errors import InvalidInput
from station.store.feed import FeedChange, FeedEnd, FeedStore, Taken
from sync.client.api import Outcome, SyncApi
from sync.client.decide import Pace, Timing, Verdict, decide_next, wait_s
from sync.client.forgetting import Forgetting
from sync.client.people import PeopleKeys
from sync.protocol import FeedPage, SiteKeyAnswer, Topic, item_digest

logger = logging.getLogger(__name__)

PAGE: Final = 1000
MUST_REFETCH: Final = "must_refetch"
_RARELY: Final = 10
"""So many times more rarely is a topic asked for by itself when the server tells of changes."""


@dataclass(frozen=True, slots=True)
class Polling:
    """How often a topic is asked for that nobody told anything about; seconds, drawn evenly between the two."""

    least_s: float = 15.0
    most_s: float = 60.0


@dataclass(slots=True)
class _Topic:
    """One topic's own state; what must survive is in the store."""

    topic: Topic
    due_at: float = 0.0
    told: int | None = None
    """Newest revision that the server told of."""
    reached: int | None = None
    """What had been told when the last complete fetch began."""
    asked: int | None = None
    pace: Pace = field(default_factory=lambda: Pace(1))
    limit: int = PAGE

    @property
    def has_news(self) -> bool:
        return self.told is not None and self.told != self.reached


class FeedLane:
    """Keeps the bench's copy of every topic up to date."""

    def __init__(
        self, store: FeedStore, api: SyncApi, clock: Clock, rng: random.Random, timing: Timing,
        topics: Sequence[Topic] = tuple(Topic), polling: Polling | None = None, people: PeopleKeys | None = None,
        forgetting: Forgetting | None = None,
    ) -> None:  # fmt: skip
        """
        Args:
            forgetting: lets go what the centre says shall be forgotten; None = this bench keeps everything.
            topics: in this order, the most urgent first.
            people: seals what is told of people before it is stored; None = this bench does not ask for them.
        """
        self._people = people
        self._forgetting = forgetting
        self._store = store
        self._api = api
        self._clock = clock
        self._rng = rng
        self._timing = timing
        self._polling = polling or Polling()
        self._topics = [_Topic(topic) for topic in topics if people is not None or topic is not Topic.PEOPLE]
        self._held_until = 0.0
        """The server asked for a pause, or is away."""
        self.verdict = Verdict.NOTHING
        """How the last exchange ended."""
        self.detail = ""

    def tell(self, heads: Mapping[str, int]) -> None:
        """The server said how far each topic goes."""
        for topic in self._topics:
            rev = heads.get(topic.topic.value)
            if rev is not None and rev != topic.told:
                topic.told = rev
                if topic.has_news and not topic.pace.failures:
                    topic.due_at = 0.0

    def forget(self) -> None:
        """Ask for every topic: the server is another one."""
        if self._people is not None:
            self._people.doubt()
        for topic in self._topics:
            topic.told = topic.reached = None
            topic.due_at = 0.0

    @property
    def held_until(self) -> float:
        """Until then the server itself is not asked by this lane."""
        return self._held_until

    @property
    def not_before(self) -> float:
        """When there may be something to do, by the monotonic clock."""
        return max(self._held_until, min((topic.due_at for topic in self._topics), default=0.0))

    def step(self, now: float) -> bool:
        """Make at most one exchange.

        Returns:
            Whether there was something to do.

        Raises:
            StoreFault: the bench's own store fails.
        """
        if now < self._held_until:
            return False
        due = next((topic for topic in self._topics if topic.due_at <= now), None)
        if due is None:
            return False
        if due.topic is Topic.PEOPLE and self._people is not None and not self._people.are_sure:
            self._ask_for_keys(due, self._people)
            return True
        cursor = self._store.feed_mark(due.topic.value).cursor
        if due.asked is None:
            due.asked = due.told
        outcome = self._api.feed(due.topic, cursor, due.limit)
        page = outcome.answer
        if page is not None and page.topic is not due.topic:
            outcome, page = Outcome(Verdict.NOT_OURS, f"asked for {due.topic}, got {page.topic}"), None
        if page is not None:
            self._take(due, cursor, page)
        elif outcome.code == MUST_REFETCH:
            self._begin_anew(due, cursor, outcome)
        else:
            self._failed(due, outcome)
        return True

    def _ask_for_keys(self, due: _Topic, people: PeopleKeys) -> None:
        """Before the first people since the start: the key without which nobody could be known by them."""
        outcome = self._api.site_key()
        if outcome.answer is not None:
            try:
                people.meet(outcome.answer.key)
                self.verdict, self.detail = Verdict.PROGRESS, ""
                return
            except InvalidInput as error:
                outcome = Outcome(Verdict.SERVER_ERROR, str(error))
        self._failed(due, outcome)

    def _take(self, due: _Topic, cursor: str | None, page: FeedPage) -> None:
        changes = [
            FeedChange(
                item.key, item.rev, self._kept(due.topic, item.body),
                item_digest(item.key, item.body)[:16] if item.body else None,
            )
            for item in page.items
        ]  # fmt: skip
        end = None
        if not page.more and page.count is not None and page.checksum is not None:
            end = FeedEnd(page.count, page.checksum)
        taken = self._store.take_feed(due.topic.value, cursor, changes, page.cursor, end)
        self.verdict, self.detail = Verdict.PROGRESS, ""
        due.limit = min(PAGE, due.limit * 2)
        if page.more and page.items and taken is Taken.APPLIED:
            due.due_at = 0.0
        elif taken is Taken.COMPLETE:
            due.reached, due.asked = due.asked, None
            due.pace = Pace(1)
            due.due_at = 0.0 if due.has_news else self._next_look(due)
            if due.topic is Topic.ERASURES and self._forgetting is not None:
                self._forgetting.obey()
        else:  # a mismatch, or an answer that cannot be right: not in a hurry, it may be so again
            due.asked = None
            self._wait(due, Verdict.SERVER_ERROR, 0.0)

    def _kept(self, topic: Topic, body: str | None) -> str | None:
        """What of an item is stored; its digest is always of what the centre wrote."""
        if topic is Topic.PEOPLE and body is not None and self._people is not None:
            return self._people.seal(body)
        return body

    def _begin_anew(self, due: _Topic, cursor: str | None, outcome: Outcome[FeedPage]) -> None:
        self.verdict, self.detail = Verdict.PROGRESS, ""
        if cursor is None:  # without a cursor there is nothing to begin anew
            self._wait(due, Verdict.SERVER_ERROR, outcome.retry_after_s)
            return
        logger.info("feed %s is fetched anew: %s", due.topic, outcome.detail)
        self._store.refetch_feed(due.topic.value)
        again = due.pace.failures > 0
        self._wait(due, Verdict.SERVER_ERROR, outcome.retry_after_s)
        if not again:  # at once, but a server that says so every time is not asked without end
            due.due_at = 0.0

    def _failed(self, due: _Topic, outcome: Outcome[FeedPage] | Outcome[SiteKeyAnswer]) -> None:
        self.verdict, self.detail = outcome.verdict, outcome.detail
        due.limit = max(1, due.limit // 2)
        self._wait(due, outcome.verdict, outcome.retry_after_s)
        if outcome.verdict in (Verdict.UNREACHABLE, Verdict.BUSY, Verdict.DENIED, Verdict.TOO_OLD):
            self._held_until = due.due_at  # not this topic's affair

    def _wait(self, due: _Topic, verdict: Verdict, retry_after_s: float) -> None:
        # What a refusal means for records (halve, withhold) means nothing here: it is tried again, ever more rarely.
        paced = Verdict.BUSY if verdict in (Verdict.REFUSED, Verdict.NOT_OURS, Verdict.SERVER_ERROR) else verdict
        decided = decide_next(due.pace, paced, sent=0, limit=1, timing=self._timing, retry_after_s=retry_after_s)
        due.pace = decided.pace
        due.due_at = self._clock.monotonic() + wait_s(decided, self._rng)

    def _next_look(self, due: _Topic) -> float:
        after_s = self._rng.uniform(self._polling.least_s, self._polling.most_s)
        return self._clock.monotonic() + after_s * (1 if due.told is None else _RARELY)
