"""F1, F4, F5, F10–F12, F20 in any order, then the heal: all arrives, once, and then there is quiet (I1–I6, I8).

Logical time alone: a round is one exchange. What a heal may cost is counted, not timed.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, find, given, settings
from hypothesis import strategies as st

from station.clock import SystemClock
from station.store import Store
from sync.client.api import Packed
from sync.client.decide import Next
from sync.client.loop import SyncLoop
from sync.client.states import Link
from sync.server.storage import database_url, open_database
from tests.conftest import WarningsOnTheLog
from tests.faults.modelcentre import LIMITS
from tests.faults.schedules import (
    TIMING,
    Backup,
    BenchDisk,
    CentreDisk,
    Fate,
    Record,
    Restart,
    Restored,
    SetClock,
    Step,
    played,
)
from tests.sync.material import STATION

STEPS = st.one_of(
    st.sampled_from(Fate),
    st.builds(Record, st.integers(1, 30), st.integers(0, 2)),
    st.builds(BenchDisk, st.integers(1, 3)),
    st.builds(CentreDisk, st.booleans()),
    st.builds(SetClock, st.sampled_from([-20_000, -1, 0, 1, 3650])),
    st.sampled_from([Restart(), Backup(), Restored()]),
)
SCHEDULES = st.lists(STEPS, max_size=30)


class Room:
    """Fresh disks for one schedule after another."""

    def __init__(self, folder: Path) -> None:
        self.templates = folder / "templates"
        self.templates.mkdir()
        Store.open(self.templates / "bench", station=STATION, clock=SystemClock(), ballast_bytes=0).close()
        (self.templates / "centre").mkdir()
        open_database(database_url(f"sqlite:///{self.templates / 'centre' / 'server.sqlite3'}")).close()
        self._numbers = (folder / str(number) for number in itertools.count())

    def next(self) -> Path:
        return next(self._numbers)


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    """In memory where the system has a place for that: nothing here is about what a disk forgets."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="station-liveness-", dir=memory if memory.is_dir() else None) as folder:
        yield Room(Path(folder))


WITHIN_S = 20 * 60
"""Of logical time: the longest wait that a bench may have been told, several times over."""


def rounds(entries: int, photos: int) -> int:
    """What a heal may cost, in exchanges.

    Four at once for what the line has yet to learn: a request that is late, a greeting, one more for a centre that
    lacks something, a first question about photos. Then batches: a batch that was halved down to one grows again by a
    tenth of the limit each time. Then photos: one exchange each, one question for every fifty. And up to nine more for
    the late requests that arrive meanwhile.
    """
    size, pushes, left = 1, 0, entries
    while left > 0:
        pushes, left = pushes + 1, left - size
        size = min(LIMITS.batch_entries, size + max(1, LIMITS.batch_entries // 10))
    return 4 + pushes + photos + photos // 50 + 1 + 9


def after_the_heal(room: Room, schedule: Sequence[Step], loop_kind: type[SyncLoop] = SyncLoop) -> list[str]:
    """Play a schedule, heal, and say what does not hold."""
    with played(room.next(), room.templates, schedule, loop_kind) as play:
        before = play.line.exchanges
        limit = rounds(len(play.recorded), len(play.photos))
        play.heal(limit, WITHIN_S)
        wrong = play.broken()
        if play.line.exchanges - before > limit:
            wrong.append(f"I5: the heal took {play.line.exchanges - before} exchanges, {limit} are enough")
        asked = play.idle(10 * TIMING.idle_s)
        if set(asked) - {"hello"} or len(asked) > 11:
            wrong.append(f"I8: an idle bench asks for {asked}")
        if play.states[-1].state is not Link.ONLINE or play.states[-1].last_synced_at is None:
            wrong.append(f"I6: the bar says {play.states[-1]}")
        return wrong


@given(schedule=SCHEDULES)
@example(schedule=[Record(30, 2), Fate.LATER, Fate.DOUBLED, Fate.DIES_AFTER, Restart(), Record(1, 1), Fate.LATE])
@example(schedule=[Record(3, 1), CentreDisk(True), *[Fate.FINE] * 6, BenchDisk(3), Fate.FINE])
@example(schedule=[Record(1), Fate.FINE, SetClock(-20_000), Record(1), Fate.UNANSWERED, SetClock(3650), Record(1)])
@example(
    schedule=[Record(9, 1), *[Fate.FINE] * 9, Restored(), Record(9, 1), Fate.LATE, Backup(), Fate.FINE, Restored()]
)
@example(schedule=[Record(25), *[Fate.DROPPED] * 20, Record(5)])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=settings().max_examples * 3 // 10,  # a schedule takes a fifth of a second
)
def test_after_any_schedule_of_faults_everything_is_there_once_and_then_it_is_quiet(
    room: Room, schedule: list[Step], expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    assert after_the_heal(room, schedule) == []


# Controls: benches that must not be. Each is found, and what is found is short enough to be read.


class Resigned(SyncLoop):
    """Does not come back after a line that was cut three times."""

    def _decided(self, decided: Next) -> None:
        super()._decided(decided)
        if decided.pace.failures >= 3:
            self._not_before = 1e8


class Hasty(SyncLoop):
    """Counts a batch as sent when it is sent."""

    def _push(self, packed: Packed) -> None:
        from station.store.outbox import Acknowledgement

        super()._push(packed)
        self._outbox.acknowledge([Acknowledgement(one.generation, one.seq, "accepted") for one in packed.entries])


class Restless(SyncLoop):
    """Asks for photos all the time, also when there are none."""

    def step(self) -> float:
        self._api.missing(["0" * 64])
        return super().step()


CONTROLS = [
    (Resigned, "I5", [Record(1), *[Fate.DROPPED] * 3]),
    (Hasty, "I1", [Record(1), Fate.FINE, Fate.DROPPED]),
    (Restless, "I8", []),
]
"""Who must be found, by what, with which schedule."""


@pytest.mark.parametrize(("kind", "invariant", "schedule"), CONTROLS, ids=lambda given: getattr(given, "__name__", ""))
def test_control_a_bench_that_must_not_be_is_found(
    room: Room, kind: type[SyncLoop], invariant: str, schedule: list[Step], expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    assert any(line.startswith(invariant) for line in after_the_heal(room, schedule, kind))


class PhotosFirst(SyncLoop):
    """Sends what is largest first."""

    def step(self) -> float:
        now = self._clock.monotonic()
        if self._link is Link.ONLINE and self._photos.step(now, 50):
            return 0.0
        return super().step()


class Punctual(SyncLoop):
    """Comes back at once, whatever happened."""

    def _decided(self, decided: Next) -> None:
        super()._decided(decided)
        self._not_before = 0.0


def overtaking(room: Room, kind: type[SyncLoop]) -> int:
    """After how many exchanges a record is at the centre while twenty photos wait."""
    first = [Record(10, 2), *[Fate.FINE] * 4]
    with played(room.next(), room.templates, [*first, Record(1), *[Fate.FINE] * 3], kind) as play:
        quick = play.store.unsent()
        assert quick.photos > 10, "they are behind it"
        return quick.entries


def test_on_a_slow_line_a_record_waits_for_one_photo_at_most(room: Room) -> None:
    assert overtaking(room, SyncLoop) == 0


def test_control_with_photos_first_a_record_waits_for_all_of_them(room: Room) -> None:
    assert overtaking(room, PhotosFirst) == 1


MOST_ASKED = int(600 / (TIMING.offline_cap_s / 4))
"""Of a line that is dead, in ten minutes."""


def asked(room: Room, kind: type[SyncLoop], seconds: float) -> int:
    """How often a bench asks a line that is dead, in so much time of its clock."""
    with played(room.next(), room.templates, [Record(1)], kind) as play:
        play.line.is_dead = True
        return len(play.idle(seconds))


def test_a_dead_line_is_not_hammered(room: Room) -> None:
    assert 20 < asked(room, SyncLoop, 600) < MOST_ASKED


def test_control_without_a_back_off_it_is(room: Room) -> None:
    """Half a minute of it is more than ten minutes may be."""
    assert asked(room, Punctual, 30) > MOST_ASKED


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "invariant", "known"), CONTROLS[:2], ids=lambda given: getattr(given, "__name__", ""))
def test_what_is_found_at_random_is_made_as_short_as_what_a_person_would_write(
    room: Room, kind: type[SyncLoop], invariant: str, known: list[Step], expected_warnings: WarningsOnTheLog
) -> None:
    """A failing schedule is of use only if it can be read: the search, left alone, comes down to a few steps."""
    expected_warnings(".*", required=False)

    def is_found(schedule: list[Step]) -> bool:
        return any(line.startswith(invariant) for line in after_the_heal(room, schedule, kind))

    shortest = find(
        SCHEDULES, is_found,
        settings=settings(max_examples=200, derandomize=True, database=None, phases=[Phase.generate, Phase.shrink]),
    )  # fmt: skip
    assert len(shortest) <= len(known) + 2, shortest
