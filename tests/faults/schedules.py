"""A bench and a centre in one process, a line between them that does what it is told, and a clock that only jumps.

What is real: the bench's store, its loop, lanes and lineage; the centre's journal, projection, photo folder and
database; the bytes of every push and answer. What is played: the HTTP between them (``tests/faults/test_kills.py`` has
the real one), the two processes' deaths and the waits. So a schedule of faults is a list of small values, runs in tens
of milliseconds without a sleep, and a failing one can be made shorter.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy.exc import DBAPIError

from station.clock import Clock
from station.errors import InvalidInput, StoreFault
from station.journal.entry import Entry
from station.store import Store
from station.store.outbox import Acknowledgement
from sync.client.api import Outcome, Packed, encode_push
from sync.client.decide import Timing, Verdict
from sync.client.lineage import Lineage
from sync.client.loop import SyncLoop
from sync.client.states import Link, SyncState
from sync.protocol import (
    HelloAnswer,
    MissingAnswer,
    MissingRequest,
    PhotoAnswer,
    PushAnswer,
    StatusAnswer,
)
from sync.server.storage import database_url
from tests.faults.invariants import Centre, broken
from tests.faults.modelcentre import DiesInTransaction, ModelCentre
from tests.sync.material import STATION, an_inspection, fact, jpeg_of

_T = TypeVar("_T", bound=msgspec.Struct)

TIMING = Timing(first_s=1, offline_cap_s=8, server_cap_s=30, pause_s=8, idle_s=15, stuck_s=60, stuck_cap_s=600)


class Fate(StrEnum):
    """What becomes of the next exchange, whichever it is."""

    FINE = "fine"
    DROPPED = "dropped"
    """The request never arrives."""
    UNANSWERED = "unanswered"
    """Done at the centre; the answer is lost."""
    DOUBLED = "doubled"
    """Arrives twice; the second answer comes back."""
    LATE = "late"
    """The bench gives up; the request arrives later, behind younger ones."""
    LATER = "later"
    """The same, much later: perhaps after the heal."""
    GARBLED = "garbled"
    """Done at the centre; something on the way answers with a page of its own."""
    DIES_BEFORE = "dies_before"
    """The centre dies in the transaction and starts again."""
    DIES_AFTER = "dies_after"
    """The centre dies when the transaction is durable, and starts again."""
    BENCH_DIES_BEFORE = "bench_dies_before"
    BENCH_DIES_AFTER = "bench_dies_after"
    """The bench dies while the answer is on its way, and starts again."""


_PATIENCE = {Fate.LATE: 2, Fate.LATER: 9}
"""After how many exchanges a late request arrives."""


@dataclass(frozen=True, slots=True)
class Record:
    """The inspector goes on."""

    entries: int
    photos: int = 0
    """Of each."""


@dataclass(frozen=True, slots=True)
class BenchDisk:
    """The bench's disk refuses the next writes of the sync (what was recorded is on it)."""

    writes: int


@dataclass(frozen=True, slots=True)
class CentreDisk:
    """The centre's disk is full, or has room again."""

    full: bool


@dataclass(frozen=True, slots=True)
class SetClock:
    """Somebody sets the bench's wall clock."""

    days: int


@dataclass(frozen=True, slots=True)
class Restart:
    """The bench is killed while nothing is under way, and starts again."""


@dataclass(frozen=True, slots=True)
class Backup:
    """IT saves the centre."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The centre is set back to what was saved last (or to nothing), and begins a new epoch."""


Step = Fate | Record | BenchDisk | CentreDisk | SetClock | Restart | Backup | Restored


class Killed(BaseException):
    """The bench's process is gone."""


class JumpingClock(Clock):
    """Waits take no time: a look at it costs a hundredth of a second, and the loop's waits are jumped over."""

    def __init__(self) -> None:
        self.at = 0.0
        self.wall = timedelta()

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.at) + self.wall

    def monotonic(self) -> float:
        self.at += 0.01
        return self.at


class FragileStore:
    """The bench's store; the sync's writes can be refused, whole, as the store refuses them on a full disk."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def acknowledge(self, answers: Sequence[Acknowledgement]) -> None:
        self._write()
        self.store.acknowledge(answers)

    def photo_sent(self, sha256: str) -> None:
        self._write()
        self.store.photo_sent(sha256)

    def set_sync_value(self, key: str, value: str) -> None:
        self._write()
        self.store.set_sync_value(key, value)

    def _write(self) -> None:
        if self.refused:
            self.refused -= 1
            raise StoreFault("the disk is full")


@dataclass
class Line:
    """Carries one request at a time, as it is told (a ``SyncApi``)."""

    centre: ModelCentre
    clock: JumpingClock
    fates: list[Fate] = field(default_factory=list)
    under_way: list[tuple[int, Callable[[], object]]] = field(default_factory=list)
    """Late requests, each with the number of the exchange before which it arrives."""
    exchanges: int = 0
    is_dead: bool = False
    """Nothing arrives, until somebody says otherwise."""
    asked: list[str] = field(default_factory=list)

    def hello(self, station: str) -> Outcome[HelloAnswer]:
        return self._exchange("hello", HelloAnswer, lambda: self.centre.hello(station))

    def pack(self, station: str, entries: Sequence[Entry], withheld: str | None = None) -> Packed:
        return Packed(tuple(entries), withheld, encode_push(station, entries, withheld))

    def push(self, packed: Packed) -> Outcome[PushAnswer]:
        return self._exchange("push", PushAnswer, lambda: self.centre.push(packed.body, self.clock.now()))

    def missing(self, hashes: Sequence[str]) -> Outcome[MissingAnswer]:
        body = msgspec.json.encode(MissingRequest(list(hashes)))
        return self._exchange("missing", MissingAnswer, lambda: self.centre.missing(body))

    def put_photo(self, sha256: str, jpeg: bytes) -> Outcome[PhotoAnswer]:
        return self._exchange("photo", PhotoAnswer, lambda: self.centre.put_photo(sha256, jpeg, self.clock.now()))

    def status(self) -> Outcome[StatusAnswer]:
        raise NotImplementedError

    def feed(self, *_: object) -> Any:
        raise NotImplementedError

    def close(self) -> None: ...

    def _exchange(self, what: str, kind: type[_T], do: Callable[[], object]) -> Outcome[_T]:
        self.exchanges += 1
        self.asked.append(what)
        for at, late in [each for each in self.under_way if each[0] <= self.exchanges]:
            self.under_way.remove((at, late))
            self._served(late)
        fate = Fate.DROPPED if self.is_dead else self.fates.pop(0) if self.fates else Fate.FINE
        if fate in _PATIENCE:
            self.under_way.append((self.exchanges + _PATIENCE[fate], do))
        if fate in _PATIENCE or fate is Fate.DROPPED:
            return Outcome(Verdict.UNREACHABLE, "no answer")
        if fate is Fate.BENCH_DIES_BEFORE:
            raise Killed
        self.centre.dies_in_transaction = fate is Fate.DIES_BEFORE
        if fate is Fate.DOUBLED:
            self._served(do)
        answer = self._served(do)
        self.centre.dies_in_transaction = False
        if fate in (Fate.DIES_BEFORE, Fate.DIES_AFTER):
            self.centre.die()
        if fate is Fate.BENCH_DIES_AFTER:
            raise Killed
        if fate in (Fate.UNANSWERED, Fate.DIES_BEFORE, Fate.DIES_AFTER):
            return Outcome(Verdict.UNREACHABLE, "no answer")
        if fate is Fate.GARBLED:
            return Outcome(Verdict.NOT_OURS, "a log-in page")
        if isinstance(answer, Outcome):
            return answer
        return Outcome(Verdict.PROGRESS, answer=msgspec.json.decode(msgspec.json.encode(answer), type=kind))

    def _served(self, do: Callable[[], object]) -> object:
        """What the centre makes of it, with its routes' own words for what goes wrong."""
        try:
            return do()
        except DiesInTransaction:
            return Outcome(Verdict.UNREACHABLE, "no answer")
        except DBAPIError as error:
            return Outcome(Verdict.BUSY, f"the server is busy (HTTP 503): {error.orig}", retry_after_s=2)
        except StoreFault as error:
            return Outcome(Verdict.BUSY, f"the server is busy (HTTP 507): {error}", retry_after_s=2)
        except InvalidInput as error:
            return Outcome(Verdict.REFUSED, f"the server refuses it (HTTP 422): {error}")


class Play:
    """One schedule on fresh disks, then the heal."""

    def __init__(self, folder: Path, templates: Path, loop_kind: type[SyncLoop] = SyncLoop) -> None:
        shutil.copytree(templates, folder)
        self._bench = folder / "bench"
        self._photo_folder = folder / "centre" / "photos"
        self._loop_kind = loop_kind
        self.clock = JumpingClock()
        self.centre = ModelCentre(folder / "centre")
        self.line = Line(self.centre, self.clock)
        self._beside = Centre(database_url(f"sqlite:///{folder / 'centre' / 'server.sqlite3'}"))
        self.store = FragileStore(self._open())
        self.recorded: list[Entry] = []
        self.photos: set[str] = set()
        self._loop: SyncLoop | None = None
        self.states: list[SyncState] = []
        self.lies: list[str] = []
        self._forgotten: set[str] = set()
        """What a restored centre lacks: it was there, so it could count as sent until the bench hears of it."""

    def _open(self) -> Store:
        return Store.open(self._bench, station=STATION, clock=self.clock, ballast_bytes=0)

    def close(self) -> None:
        self.store.close()
        self.centre.close()
        self._beside.close()

    def run(self, schedule: Sequence[Step]) -> None:
        """Each fate is that of one exchange (or of none, if the bench has nothing to say for a minute)."""
        steps = iter(schedule)

        def next_one() -> bool:
            for step in steps:
                self._take(step)
                if isinstance(step, Fate):
                    return False
            return True

        self._live(next_one)

    def heal(self, exchanges: int, seconds: float) -> None:
        """Line, disks and clock are sound from here on; what is under way late still arrives. It ends when nothing is
        unsent and nothing under way, or with so many exchanges, or after so long."""
        self.line.fates.clear()
        self.store.refused = 0
        self.centre.full = False
        self.clock.wall = timedelta()
        last, until = self.line.exchanges + exchanges, self.clock.at + seconds

        def is_done() -> bool:
            unsent = self.store.unsent()
            drained = not unsent.entries and not unsent.photos and not self.line.under_way
            return drained or self.line.exchanges >= last or self.clock.at >= until

        self._live(is_done)

    def idle(self, seconds: float) -> list[str]:
        """What is asked while nothing happens for so long."""
        begun, until = len(self.line.asked), self.clock.at + seconds
        self._live(lambda: self.clock.at >= until)
        return self.line.asked[begun:]

    def broken(self) -> list[str]:
        """What does not hold now; empty = everything is at the centre, once, whole."""
        wrong = self.lies + broken(self._beside, self.recorded, self.store, self._photo_folder)  # type: ignore[arg-type]
        unsent = self.store.unsent()
        if unsent.entries or unsent.photos:
            wrong.append(f"I5: {unsent.entries} entries and {unsent.photos} photos are unsent")
        there = {path.stem for path in self._photo_folder.glob("??/*.jpg")}
        if there != self.photos:
            wrong.append(f"I1: {len(self.photos - there)} photos are missing, {len(there - self.photos)} nobody took")
        left = list((self._photo_folder / "incoming").iterdir())
        if left:
            wrong.append(f"I8: {len(left)} halves of photos are left")
        heads = [(head.generation, head.seq, head.hash) for head in self.centre.journal.heads("main", STATION)]
        if heads != [(one.generation, one.seq, one.hash) for one in self.recorded[-1:]]:
            wrong.append(f"I4: the centre's heads {heads} are not the bench's")
        if self.states and self.states[-1].forked:
            wrong.append("I6: the bar speaks of a fork")
        return wrong

    def _take(self, step: Step) -> None:
        match step:
            case Fate():
                self.line.fates[:] = [step]
            case Record():
                self._record(step)
            case BenchDisk():
                self.store.refused = step.writes
            case CentreDisk():
                self.centre.full = step.full
            case SetClock():
                self.clock.wall = timedelta(days=step.days)
            case Restart():
                raise Killed
            case Backup():
                self._beside.close()
                self.centre.back_up()
            case Restored():
                self._restore()

    def _restore(self) -> None:
        self._beside.close()
        self.centre.restore()
        self._forgotten |= {entry.id for entry in self.recorded} - self._beside.ids()

    def _record(self, step: Record) -> None:
        for _ in range(step.entries):
            number = len(self.recorded)
            jpegs = [jpeg_of(number * 10 + n, 1000) for n in range(step.photos)]
            self.photos |= {self.store.photos.keep(jpeg).sha256 for jpeg in jpegs}
            made = self.store.commit([fact(an_inspection(number, jpegs))], actor="B-17", drafts={})
            self.recorded += made

    def _live(self, done: Callable[[], bool]) -> None:
        """Let the bench run until then: the same one as before, but whenever it is killed another on the same disk."""
        ended = False

        def should_stop() -> bool:
            nonlocal ended
            ended = ended or done()
            return ended

        while not ended:
            loop = self._loop = self._loop or self._new_loop()
            try:
                loop.run(should_stop, self._look)
            except Killed:
                self._loop = None
                refused, self.line.fates = self.store.refused, []
                self.store.close()
                self.store = FragileStore(self._open())
                self.store.refused = refused

    def _new_loop(self) -> SyncLoop:
        loop = self._loop_kind(
            self.store, self.line, self.clock, random.Random(1), TIMING,  # type: ignore[arg-type]
            lineage=Lineage(self.store),  # type: ignore[arg-type]
        )  # fmt: skip
        step = loop.step

        def hasty() -> float:
            """A step with whatever wait it asks for, until it was an exchange or a minute is over."""
            before, until = self.line.exchanges, self.clock.at + 60
            while self.line.exchanges == before and self.clock.at < until:
                self.clock.at += step()
            return 0.0

        loop.step = hasty  # type: ignore[method-assign]
        return loop

    def _look(self, state: SyncState) -> None:
        self.states.append(state)
        if state.unsent.entries != self.store.unsent().entries:
            self.lies.append("I6: the bar does not show what is unsent")
        pending = {entry.id for entry in self.store.pending_entries(1000, 1 << 30)}
        early = {entry.id for entry in self.recorded} - pending - self._beside.ids() - self._forgotten
        if early:
            self.lies.append(f"I6: {len(early)} entries count as sent, but the centre does not have them")


@contextmanager
def played(
    folder: Path, templates: Path, schedule: Collection[Step], loop_kind: type[SyncLoop] = SyncLoop
) -> Iterator[Play]:
    """A schedule that has been played; its disks are gone afterwards."""
    play = Play(folder, templates, loop_kind)
    try:
        play.run(list(schedule))
        yield play
    finally:
        play.close()
        shutil.rmtree(folder)


__all__ = [
    "Backup",
    "BenchDisk",
    "CentreDisk",
    "Fate",
    "Link",
    "Play",
    "Record",
    "Restart",
    "Restored",
    "SetClock",
    "Step",
    "played",
]
