"""The bench's loop against a modelled centre, thousands of schedules: nothing counts that no parsed answer named.

While the centre works on one batch the next is packed and the answers to the one before are written down. Here the
centre loses answers, names some, wants earlier entries, chokes on a record, is restored from yesterday; the bench is
killed between an answer and its writing, and its disk refuses. The model knows at any time what may count as sent.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import pytest

from station.clock import Clock
from station.errors import StoreFault
from station.journal.entry import Entry
from station.store.outbox import Acknowledgement, Unsent
from sync.client.api import Outcome, Packed
from sync.client.decide import Timing, Verdict
from sync.client.loop import SyncLoop
from sync.client.states import SyncState
from sync.protocol import (
    EntryResult,
    Head,
    HelloAnswer,
    Limits,
    MissingAnswer,
    PhotoAnswer,
    PushAnswer,
    Status,
    StatusAnswer,
)
from tests.conftest import WarningsOnTheLog

ENTRIES = 200
"""Recorded before the line is there; more come whenever the bench has nothing left to send."""
LIMITS = Limits(batch_entries=40)
TIMING = Timing(first_s=1, offline_cap_s=4, server_cap_s=4, pause_s=4, idle_s=5, stuck_s=10, stuck_cap_s=40)


class Killed(BaseException):
    """The bench's process is gone."""


class Fate(StrEnum):
    FINE = "fine"
    LOST_REQUEST = "lost_request"
    LOST_ANSWER = "lost_answer"
    PARTLY_NAMED = "partly_named"
    FOREIGN_NAMES = "foreign_names"
    BUSY = "busy"
    ERROR = "error"
    NOT_OURS = "not_ours"
    KILLED_BEFORE = "killed_before"
    KILLED_AFTER = "killed_after"
    RESTORED = "restored"
    """The centre is set back to an earlier state before it takes this batch, with a new epoch."""
    SET_BACK = "set_back"
    """The same, and nobody gave it a new epoch."""
    OVERTAKEN = "overtaken"
    """The batch behind it is worked on first."""


FATES = {
    Fate.FINE: 12, Fate.LOST_REQUEST: 1, Fate.LOST_ANSWER: 2, Fate.PARTLY_NAMED: 2, Fate.FOREIGN_NAMES: 1, Fate.BUSY: 1,
    Fate.ERROR: 1, Fate.NOT_OURS: 1, Fate.KILLED_BEFORE: 1, Fate.KILLED_AFTER: 2, Fate.RESTORED: 1, Fate.SET_BACK: 1,
    Fate.OVERTAKEN: 2,
}  # fmt: skip


def entry(seq: int) -> Entry:
    return Entry("bench-1", 1, seq, f"id-{seq}", "k", 1, "t", "a", b"{}", "", "", f"hash-{seq}")


class JumpingClock(Clock):
    """Waits take no time: a look at it costs a hundredth of a second, and the loop's waits are jumped over."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC)

    def monotonic(self) -> float:
        self.at += 0.01
        return self.at


@dataclass
class ModelOutbox:
    """What is on the bench's disk; a write is whole or did not happen."""

    rng: random.Random
    acknowledged: dict[int, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    station: str = "bench-1"
    is_hostile: bool = True
    recorded: int = ENTRIES

    def pending_entries(self, limit: int, max_bytes: int, after: tuple[int, int] | None = None) -> tuple[Entry, ...]:
        behind = after[1] if after else 0
        found = [seq for seq in range(behind + 1, self.recorded + 1) if seq not in self.acknowledged]
        return tuple(entry(seq) for seq in found[:limit])

    def acknowledge(self, answers: Sequence[Acknowledgement]) -> None:
        dice = self.rng.random() if self.is_hostile else 1.0
        if dice < 0.05:
            raise StoreFault("the disk is full")
        if dice < 0.08:
            raise Killed
        for answer in answers:
            self.acknowledged.setdefault(answer.seq, answer.status)
        if dice < 0.11:
            raise Killed

    def unsent(self) -> Unsent:
        return Unsent(self.recorded - len(self.acknowledged), 0, None, 0)

    def at_server(self) -> Mapping[int, int]:
        return {1: max(self.acknowledged)} if self.acknowledged else {}

    def reopen(self, held: Mapping[int, int]) -> int:
        beyond = [seq for seq in self.acknowledged if seq > held.get(1, 0)]
        for seq in beyond:
            del self.acknowledged[seq]
        return len(beyond)

    def photos_to_send(self, limit: int) -> tuple[str, ...]:
        return ()

    def photo_bytes(self, sha256: str) -> bytes:
        raise NotImplementedError

    photo_sent = photo_bytes  # type: ignore[assignment]

    def photo_lost(self, sha256: str, reason: str) -> None:
        raise NotImplementedError

    def sync_value(self, key: str) -> str | None:
        return self.values.get(key)

    def set_sync_value(self, key: str, value: str) -> None:
        self.values[key] = value


@dataclass
class ModelCentre:
    """A centre that holds one chain: contiguous from 1, entries once. Also the requests as the loop sees them."""

    rng: random.Random
    poison: frozenset[int]
    outbox: ModelOutbox
    held: list[str] = field(default_factory=list)
    """Ids in order; ``None`` is not there: a header counts as held."""
    withheld: set[int] = field(default_factory=set)
    epoch: int = 1
    named: set[int] = field(default_factory=set)
    """Entries that an answer, delivered whole, has named as kept, since the last setback."""
    is_hostile: bool = True
    seen: set[Fate] = field(default_factory=set)
    under_way: int = 0
    looked_ahead: int = 0
    requests: int = 0
    followed: int = 0
    """Batches that were sent before the one before them was answered."""
    overtook: int = 0
    """Those of them that came too early."""

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.passed = threading.Event()

    def hello(self, station: str) -> Outcome[HelloAnswer]:
        heads = [Head(1, len(self.held), None)] if self.held else []
        return Outcome(Verdict.PROGRESS, answer=HelloAnswer(1, str(self.epoch), "", LIMITS, heads))

    def pack(self, station: str, entries: Sequence[Entry], withheld: str | None = None) -> Packed:
        first = min(each.seq for each in entries)
        self.looked_ahead += any(seq not in self.outbox.acknowledged for seq in range(1, first))
        return Packed(tuple(entries), withheld, b"")

    def push(self, packed: Packed) -> Outcome[PushAnswer]:
        with self.lock:
            self.requests += 1
            self.under_way += 1
            self.followed += packed.follows
            assert self.under_way <= 2, "two requests at once at most"
            fates = FATES if self.is_hostile else {Fate.FINE: 1}
            fate = self.rng.choices(list(fates), list(fates.values()))[0]
            self.seen.add(fate)
        if fate is Fate.OVERTAKEN:
            self.passed.clear()
            self.passed.wait(0.02)
        with self.lock:
            try:
                return self._push(packed, fate)
            finally:
                self.under_way -= 1
                self.passed.set()

    def _push(self, packed: Packed, fate: Fate) -> Outcome[PushAnswer]:
        if fate is Fate.KILLED_BEFORE:
            raise Killed
        if fate in (Fate.LOST_REQUEST, Fate.BUSY, Fate.ERROR):
            verdicts = {Fate.BUSY: Verdict.BUSY, Fate.ERROR: Verdict.SERVER_ERROR}
            return Outcome(verdicts.get(fate, Verdict.UNREACHABLE))
        if packed.withheld is None and self.poison & {each.seq for each in packed.entries}:
            return Outcome(Verdict.REFUSED, "HTTP 413")
        if fate in (Fate.RESTORED, Fate.SET_BACK):
            self._set_back(fate is Fate.RESTORED)
        results = [self._take(each, packed.withheld) for each in packed.entries]
        self.overtook += packed.follows and results[0].status is Status.RETRY
        if fate is Fate.KILLED_AFTER:
            raise Killed
        if fate in (Fate.LOST_ANSWER, Fate.NOT_OURS):
            return Outcome(Verdict.UNREACHABLE if fate is Fate.LOST_ANSWER else Verdict.NOT_OURS)
        if fate is Fate.PARTLY_NAMED:
            results = [result for result in results if self.rng.random() < 0.5]
        if fate is Fate.FOREIGN_NAMES:
            results = [EntryResult(1, result.seq, "another", result.status) for result in results]
        else:
            self.named |= {r.seq for r in results if r.status is not Status.RETRY and r.code is None}
        return Outcome(Verdict.PROGRESS, answer=PushAnswer(1, str(self.epoch), results, [], ""))

    def _take(self, each: Entry, withheld: str | None) -> EntryResult:
        if each.seq > len(self.held) + 1:
            return EntryResult(1, each.seq, each.id, Status.RETRY, "gap", None, len(self.held) + 1)
        is_new = each.seq == len(self.held) + 1
        if is_new:
            self.held.append(each.id)
        if withheld is not None and (is_new or each.seq in self.withheld):
            self.withheld.add(each.seq)
            return EntryResult(1, each.seq, each.id, Status.QUARANTINED, "payload_withheld")
        self.withheld.discard(each.seq)
        return EntryResult(1, each.seq, each.id, Status.ACCEPTED if is_new else Status.DUPLICATE)

    def _set_back(self, with_epoch: bool) -> None:
        del self.held[self.rng.randint(0, len(self.held)) :]
        self.withheld = {seq for seq in self.withheld if seq <= len(self.held)}
        self.named = {seq for seq in self.named if seq <= len(self.held)}
        self.epoch += with_epoch

    def missing(self, hashes: Sequence[str]) -> Outcome[MissingAnswer]:
        raise NotImplementedError

    def put_photo(self, sha256: str, jpeg: bytes) -> Outcome[PhotoAnswer]:
        raise NotImplementedError

    def status(self) -> Outcome[StatusAnswer]:
        raise NotImplementedError

    def close(self) -> None: ...


@dataclass
class Play:
    """One schedule, to its end."""

    seed: int
    loop_kind: type[SyncLoop] = SyncLoop

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        poison = frozenset(self.rng.sample(range(1, ENTRIES + 1), 2)) if self.seed % 3 == 0 else frozenset()
        self.outbox = ModelOutbox(self.rng)
        self.centre = ModelCentre(self.rng, poison, self.outbox)
        self.clock = JumpingClock()
        self.wrong: list[str] = []
        self.kills = 0

    def run(self) -> None:
        """Forty hostile exchanges, then the heal."""
        self._live(lambda: self.centre.requests > 40)
        self.outbox.recorded += 20
        self.centre.is_hostile = self.outbox.is_hostile = False
        self.centre.poison = frozenset()
        limit = self.centre.requests + 60
        self._live(lambda: not self.outbox.unsent().entries or self.centre.requests > limit)
        if self.outbox.unsent().entries:
            self.wrong.append(
                f"I5: {self.outbox.unsent().entries} entries are unsent after 60 requests of a sound centre"
            )
        self._check()

    def _live(self, done: object) -> None:
        """Let the bench run until then; whenever it is killed another starts on the same disk."""
        ended = False

        def should_stop() -> bool:
            nonlocal ended
            if self.centre.is_hostile and not self.outbox.unsent().entries:
                self.outbox.recorded += 20
            self._check()
            ended = bool(done())  # type: ignore[operator]
            return ended

        while not ended:
            loop = self.loop_kind(self.outbox, self.centre, self.clock, self.rng, TIMING)
            step = loop.step

            def hasty(step: object = step) -> float:
                self.clock.at += step()  # type: ignore[operator]
                return 0.0

            loop.step = hasty  # type: ignore[method-assign]
            try:
                loop.run(should_stop, self._look)
            except Killed:
                self.kills += 1

    def _look(self, state: SyncState) -> None:
        if state.unsent.entries != self.outbox.unsent().entries:
            self.wrong.append("I6: the bar does not show what is unsent")

    def _check(self) -> None:
        early = {seq for seq in self.outbox.acknowledged if seq <= len(self.centre.held)} - self.centre.named
        if early:
            self.wrong.append(f"I6: {sorted(early)[:5]} count as sent, and no answer named them")
        if self.centre.held != [f"id-{seq}" for seq in range(1, len(self.centre.held) + 1)]:
            self.wrong.append("I2: the centre's chain is not what was recorded")


def expected(play: Play) -> list[str]:
    """What must hold at the end."""
    wrong = list(play.wrong)
    if len(play.centre.held) != play.outbox.recorded or play.centre.withheld:
        without = f"{sorted(play.centre.withheld)} without content"
        wrong.append(f"I1: the centre has {len(play.centre.held)} of {play.outbox.recorded}, {without}")
    return wrong


@pytest.mark.parametrize("block", [0, *(pytest.param(block, marks=pytest.mark.slow) for block in range(1, 40))])
def test_no_schedule_breaks_the_look_ahead(block: int, expected_warnings: WarningsOnTheLog) -> None:
    expected_warnings(".*", required=False)
    seen: set[Fate] = set()
    looked_ahead = kills = followed = overtook = 0
    for seed in range(block * 60, block * 60 + 60):
        play = Play(seed)
        play.run()
        assert expected(play) == [], f"seed {seed}"
        seen |= play.centre.seen
        looked_ahead += play.centre.looked_ahead
        kills += play.kills
        followed += play.centre.followed
        overtook += play.centre.overtook
    assert seen == set(Fate)
    assert looked_ahead > 60, "a batch was packed while another was under way"
    assert kills > 60
    assert followed > 60, "a batch was sent before the one before it was answered"
    assert overtook > 5, "and some came too early"


class Trusting(SyncLoop):
    """A loop that takes an answer as one about all that was sent."""

    def _take(self, packed: Packed, answer: PushAnswer) -> Verdict:
        verdict = super()._take(packed, answer)
        self._unwritten = [Acknowledgement(one.generation, one.seq, "accepted") for one in packed.entries]
        return verdict


class Forgetful(SyncLoop):
    """A loop that goes on with what it packed ahead when the centre has changed under it, and offers nothing again."""

    def _offer_again(self, heads: Sequence[Head]) -> None:
        self._write_answers()
        self._stuck.clear()


@pytest.mark.parametrize("kind", [Trusting, Forgetful])
def test_control_a_loop_that_trusts_too_much_is_found_out(
    kind: type[SyncLoop], expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    found: list[str] = []
    for seed in range(20):
        play = Play(seed, kind)
        play.run()
        found += expected(play)
    assert found
