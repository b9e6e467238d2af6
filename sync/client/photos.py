"""The photo lane: behind the records, one photo at a time, so that a record never waits for more than one photo."""

from __future__ import annotations

import logging
import random
from collections import deque
from typing import Final

from station.clock import Clock
from station.errors import StoreFault
from station.store.outbox import Outbox, PhotoUnreadable
from sync.client.api import SyncApi
from sync.client.decide import Pace, Timing, Verdict, decide_next, wait_s

logger = logging.getLogger(__name__)

_ASK: Final = 50
_REFUSALS: Final = 3
"""So often the server may refuse a photo (each time read anew from disk) before it is noted as lost."""


class PhotoLane:
    """Ask which photos are missing, send those, note those that cannot be sent."""

    def __init__(self, outbox: Outbox, api: SyncApi, clock: Clock, rng: random.Random, timing: Timing) -> None:
        self._outbox = outbox
        self._api = api
        self._clock = clock
        self._rng = rng
        self._timing = timing
        self._wanted: deque[str] = deque()
        self._refusals: dict[str, int] = {}
        self._later: dict[str, float] = {}
        """Photos set aside after a failure, and until when."""
        self._unread: dict[str, float] = {}
        """Photos that could not be read just now, and how long the next of them waits."""
        self._pace = Pace(1)
        self.not_before = 0.0
        self.verdict = Verdict.NOTHING
        """How the last exchange ended."""
        self.detail = ""

    def step(self, now: float, ask_limit: int) -> bool:
        """Make at most one exchange.

        Returns:
            Whether there was something to do.

        Raises:
            StoreFault: the bench's own store fails (not: one photo is damaged).
        """
        if now < self.not_before:
            return False
        if self._wanted:
            self._send(self._wanted.popleft(), now)
            return True
        return self._ask(now, min(_ASK, ask_limit))

    def forget(self) -> None:
        """Start anew: the server is another one."""
        self._wanted.clear()
        self._refusals.clear()
        self._later.clear()
        self._unread.clear()

    def _ask(self, now: float, limit: int) -> bool:
        self._later = {sha256: at for sha256, at in self._later.items() if at > now}
        found = self._outbox.photos_to_send(limit + len(self._later))
        asked = [sha256 for sha256 in found if sha256 not in self._later][:limit]
        if not asked:
            if self._later:
                self.not_before = min(self._later.values())
            return False
        outcome = self._api.missing(asked)
        if outcome.answer is not None:
            for sha256 in outcome.answer.held:
                if sha256 in asked:
                    self._outbox.photo_sent(sha256)
            self._wanted.extend(sha256 for sha256 in asked if sha256 in set(outcome.answer.missing))
        self._settle(outcome.verdict, outcome.detail, outcome.retry_after_s)
        if outcome.verdict is Verdict.REFUSED:
            self.not_before = now + self._timing.stuck_s
        return True

    def _send(self, sha256: str, now: float) -> None:
        try:
            jpeg = self._outbox.photo_bytes(sha256)
        except PhotoUnreadable as error:
            self._cannot_read(sha256, error, now)
            return
        except StoreFault as error:
            logger.error("photo %s is lost: %s", sha256, error)
            self._outbox.photo_lost(sha256, str(error))
            self.verdict, self.detail = Verdict.PROGRESS, ""
            return
        self._unread.pop(sha256, None)
        outcome = self._api.put_photo(sha256, jpeg)
        answer = outcome.answer
        verdict = outcome.verdict
        if answer is not None and (answer.sha256 != sha256 or answer.size != len(jpeg)):
            verdict = Verdict.NOT_OURS
        if verdict is Verdict.PROGRESS:
            self._outbox.photo_sent(sha256)
            self._refusals.pop(sha256, None)
        elif verdict is Verdict.REFUSED:
            self._refused(sha256, outcome.detail, now)
        elif verdict is Verdict.SERVER_ERROR:
            self._later[sha256] = now + self._timing.stuck_s  # perhaps it is this photo: let the others pass
        self._settle(verdict, outcome.detail, outcome.retry_after_s)

    def _cannot_read(self, sha256: str, error: PhotoUnreadable, now: float) -> None:
        """Set it aside, longer each time, and never give it up: a scanner or a backup lets go of it again."""
        drawn_s = self._unread.get(sha256, self._timing.first_s)
        self._unread[sha256] = min(self._timing.stuck_cap_s, drawn_s * 2)
        self._later[sha256] = now + drawn_s
        logger.warning("photo %s waits: %s", sha256, error)
        self.verdict, self.detail = Verdict.PROGRESS, ""

    def _refused(self, sha256: str, detail: str, now: float) -> None:
        count = self._refusals.get(sha256, 0) + 1
        self._refusals[sha256] = count
        if count >= _REFUSALS:
            logger.error("photo %s cannot be sent: %s", sha256, detail)
            self._outbox.photo_lost(sha256, detail)
            del self._refusals[sha256]
        else:
            self._later[sha256] = now + self._timing.stuck_s * count / _REFUSALS

    def _settle(self, verdict: Verdict, detail: str, retry_after_s: float) -> None:
        self.verdict, self.detail = verdict, detail
        # A refusal is this photo's own affair; the lane goes on with the next.
        paced = Verdict.PROGRESS if verdict is Verdict.REFUSED else verdict
        decided = decide_next(
            self._pace, paced, sent=0, limit=1, timing=self._timing, retry_after_s=retry_after_s
        )  # fmt: skip
        self._pace = decided.pace
        drawn_s = wait_s(decided, self._rng)
        self.not_before = self._clock.monotonic() + drawn_s if drawn_s else 0.0
