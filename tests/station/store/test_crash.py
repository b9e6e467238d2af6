"""Killed at every change of the disk, and the plug pulled at any moment: what was promised is there.

The scenario says what it was promised (``store_lab.work_a_shift``): a photo once ``keep`` has returned, an entry with
its photo and draft once ``commit`` has.
"""

from __future__ import annotations

import json
import pickle
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from disk_model import Disk, Step
from store_lab import SteadyClock

from station.journal.entry import Entry
from station.store import Store
from station.store.proof import verify

HERE = Path(__file__).parent
CANNOT_TRACE = 77
RANDOM_KILLS = 20

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="traces system calls, which only Linux can")


def lab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(HERE / "ptrace_lab.py"), *words], capture_output=True, text=True, check=False
    )


def entries_of(store: Store) -> tuple[Entry, ...]:
    return store.pending_entries(100_000, 1 << 30)


def broken_promises(home: Path, acks: Sequence[str]) -> list[str]:
    """Open the home as the next start would and list what of the promises is not kept."""
    broken = []
    with Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=0) as store:
        entries = {entry.id: entry for entry in entries_of(store)}
        draft = int(store.draft("unit") or b"0")
        for ack in acks:
            match ack.split():
                case ["photo", sha]:
                    broken += [] if store.photos.path(sha).exists() else [ack]
                case ["entry", seq, id_, _sha, number]:
                    if id_ not in entries or entries[id_].seq != int(seq) or draft < int(number):
                        broken.append(ack)
        # rows ⇔ entries, and never half of a commit
        confirmed = sum(entry.kind == "inspection.confirmed" for entry in entries.values())
        if (confirmed, confirmed, confirmed * 2) != (draft, len(store.recent(1000)), len(entries)):
            broken.append(f"{len(entries)} entries, {confirmed} inspections, draft {draft}")
        if store.opening.doubt is not None:
            broken.append(store.opening.doubt)
    report = verify(home)
    return broken + [problem.text for problem in report.problems]


def killed(scenario: str, home: Path, points: str) -> Iterator[dict[str, object]]:
    done = lab("kill", scenario, str(home), points)
    if done.returncode == CANNOT_TRACE:
        pytest.skip(f"this kernel or sandbox forbids tracing ({done.stderr.strip()}); killed at random instead")
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        yield json.loads(line)


def check_kill_points(scenario: str, home: Path, entries_in_all: int) -> int:
    visited = [0, 0]
    ended = False
    for result in killed(scenario, home, "1-2000"):
        acks = result["acks"]
        assert isinstance(acks, list)
        assert broken_promises(Path(str(result["home"])), acks) == [], f"killed before change {result['number']}"
        shutil.rmtree(str(result["home"]))
        visited[any(ack.startswith("entry") for ack in acks)] += 1
        ended = bool(result["ended"])
    assert ended, "the last run must go past the last change, so that no point was left out"
    assert min(visited) > 10, "some kills before the first promise and some after it"
    assert sum(ack.startswith("entry") for ack in acks) == entries_in_all
    return sum(visited)


@linux_only
def test_killed_at_every_change_of_one_unit(fresh: Path) -> None:
    assert check_kill_points("unit", fresh, 2) > 50


@linux_only
@pytest.mark.slow
def test_killed_at_every_change_of_two_shifts(fresh: Path) -> None:
    assert check_kill_points("two_shifts", fresh, 20) > 400


def kill_at_random(home: Path, rng: random.Random) -> list[str]:
    """Start a process that works without end, kill it after it has promised something."""
    script = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import store_lab; from pathlib import Path; "
        f"store_lab.work_a_shift(Path({str(home)!r}), lambda text: print(text, flush=True), units=1_000_000)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acks = [process.stdout.readline().strip() for _ in range(rng.randint(1, 60))]
        process.send_signal(signal.SIGKILL)
        acks += [line.strip() for line in process.stdout if line.endswith("\n")]
    return acks


def test_killed_at_random(fresh: Path, request: pytest.FixtureRequest) -> None:
    """The portable sister of the test above; it does the whole work where tracing is not possible."""
    traceable = sys.platform == "linux" and lab("probe").returncode == 0
    kills = RANDOM_KILLS if request.config.getoption("--slow") or not traceable else 2
    rng = random.Random(4711)
    acks: list[str] = []
    for _ in range(kills):
        acks += kill_at_random(fresh, rng)
        assert broken_promises(fresh, acks) == []
    assert len(acks) > kills


@pytest.fixture(scope="module")
def closed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was opened and closed once; not to be changed."""
    home = tmp_path_factory.mktemp("closed") / "home"
    Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=0).close()
    return home


@pytest.fixture
def fresh(closed_home: Path, tmp_path: Path) -> Path:
    """The test's own copy of it."""
    return Path(shutil.copytree(closed_home, tmp_path / "home"))


@pytest.fixture(scope="module")
def recordings(closed_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs on a home that was there before, recorded."""
    return record(closed_home, "two_shifts,two_shifts_normal,three_units", tmp_path_factory.mktemp("recordings"))


def record(base: Path, scenarios: str, folder: Path) -> Path:
    done = lab("record", scenarios, str(base), str(folder))
    if done.returncode == CANNOT_TRACE:
        pytest.fail(f"this test needs ptrace ({done.stderr.strip()}): allow it, e.g. --cap-add=SYS_PTRACE")
    assert done.returncode == 0, done.stderr
    return folder


class Recording:
    """A run with every change and flush in order, and the home it started from."""

    def __init__(self, base: Path, scenario: str, folder: Path) -> None:
        self.base = base
        self._working, steps = pickle.loads(folder.joinpath(f"{scenario}.pickle").read_bytes())
        self.folder = folder
        self.steps: list[Step] = [self._moved(step) for step in steps]
        self.commits = [
            index + 1
            for index, step in enumerate(self.steps)
            if step[0] == "ack" and str(step[1]).startswith("entry") and self.steps[index + 1][0] != "ack"
        ]
        """Steps after which another commit has been promised."""

    def _moved(self, step: Step) -> Step:
        return tuple(part.replace(self._working, str(self.base), 1) if isinstance(part, str) else part for part in step)

    def broken_after_cut(self, at: int, rng: random.Random | None, *, dropping: str | None = None) -> list[str]:
        """Pull the plug after step ``at`` and list the broken promises.

        Args:
            rng: what of the cache is kept; None = nothing.
            dropping: leave out flushes of files whose name contains this: a control that must break promises.
        """
        disk = Disk(self.base)
        doomed: set[object] = set()
        for step in self.steps[:at]:
            if dropping is not None and step[0] in {"create", "exists"} and dropping in str(step[1]):
                doomed.add(step[2])
            if not (step[0] == "sync" and step[1] in doomed):
                disk.take(step)
        target = self.folder / "after"
        disk.cut(target, rng)
        try:
            return broken_promises(target, disk.acks)
        finally:
            shutil.rmtree(target)


def cuts(recording: Recording, request: pytest.FixtureRequest) -> Iterator[tuple[int, random.Random | None]]:
    """Moments to pull the plug: right after promises, and anywhere."""
    rng = random.Random(20261122)
    for round_ in range(60 if request.config.getoption("--slow") else 8):
        yield rng.choice(recording.commits), None if round_ % 2 else random.Random(round_)
        yield rng.randint(1, len(recording.steps)), None if round_ % 2 else random.Random(round_)


@linux_only
def test_power_cut_loses_nothing_that_was_promised(
    closed_home: Path, recordings: Path, request: pytest.FixtureRequest
) -> None:
    recording = Recording(closed_home, "two_shifts", recordings)
    assert len(recording.commits) >= 9
    for at, rng in cuts(recording, request):
        assert recording.broken_after_cut(at, rng) == [], f"cut after step {at} of {len(recording.steps)}"


@linux_only
def test_control_synchronous_normal_loses_promised_entries(closed_home: Path, recordings: Path) -> None:
    """The same cuts must find the loss that NORMAL brings; otherwise the test above proves nothing."""
    recording = Recording(closed_home, "two_shifts_normal", recordings)
    for at in recording.commits[1:4]:
        broken = recording.broken_after_cut(at, None)
        assert any(promise.startswith("entry") for promise in broken), f"cut after step {at}"


@linux_only
@pytest.mark.parametrize(("dropping", "promise"), [("station.db-wal", "entry"), (".jpg.", "photo")])
def test_control_a_missing_flush_is_found(closed_home: Path, recordings: Path, dropping: str, promise: str) -> None:
    recording = Recording(closed_home, "three_units", recordings)
    broken = recording.broken_after_cut(recording.commits[-1], None, dropping=dropping)
    assert any(promise in text for text in broken), broken


@linux_only
def test_power_cut_in_the_first_minute_of_a_new_station(tmp_path: Path) -> None:
    """A home that did not exist before: the database's own name must be on the disk as well."""
    empty = tmp_path / "empty"
    empty.mkdir()
    recording = Recording(empty, "three_units", record(empty, "three_units", tmp_path))
    for at in recording.commits:
        assert recording.broken_after_cut(at, None) == [], f"cut after step {at}"


@linux_only
def test_a_failed_flush_is_never_acknowledged_unless_it_is_there(fresh: Path) -> None:
    """EIO on the N-th flush: each commit either is reported as failed and absent, or is acknowledged and there."""
    done = lab("fail", "stubborn", str(fresh), "1-6")
    if done.returncode == CANNOT_TRACE or "SETREGS" in done.stderr:
        pytest.skip(f"cannot inject errors here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    faults = 0
    for line in done.stdout.splitlines():
        result = json.loads(line)
        with Store.open(Path(result["home"]), station="bench-1", clock=SteadyClock(), ballast_bytes=0) as store:
            there = {entry.id for entry in entries_of(store)}
            acknowledged = {ack.split()[2] for ack in result["acks"] if ack.startswith("entry")}
            assert there == acknowledged, result
            faults += sum(ack.startswith("fault") for ack in result["acks"])
        assert result["ended"], "the program must survive it"
        assert verify(Path(result["home"])).problems == ()
    assert faults > 0, "some flush must have failed in sight of a commit"
