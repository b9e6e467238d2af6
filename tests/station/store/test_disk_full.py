"""The disk fills up: what was said is kept, what is in hand can be finished, and new parcels wait."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from store_lab import SteadyClock, inspection

from station.errors import StoreFault
from station.store import Store
from station.store.proof import verify

HERE = Path(__file__).parent
BALLAST = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB: a tmpfs where we may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk; the file-size test below runs everywhere")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"mounting is forbidden here ({mounted.stderr.strip()}); the file-size test below runs everywhere")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leaving: int) -> Path:
    """Leave that many bytes free."""
    stuff = folder / "stuff"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with stuff.open("ab") as file:
        file.write(bytes(max(0, free - leaving)))
    return stuff


def test_the_reserve_lets_the_parcel_be_finished(small_disk: Path, expected_warnings: Callable[[str], None]) -> None:
    expected_warnings("the disk is full: gave up the 1048576 bytes")
    home = small_disk / "home"
    with Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=BALLAST) as store:
        store.commit([inspection(0)], actor="ines", drafts={"current": b"form"})
        assert store.disk_state.accepts_parcels
        stuff = fill(small_disk, 0)
        number = 0
        while store.disk_state.accepts_parcels:  # until the WAL cannot grow any more
            number += 1
            (entry,) = store.commit([inspection(number)], actor="ines", drafts={"current": b"%d" % number})
            assert entry.seq == number + 1
            assert number < 1000
        assert not (home / "ballast").exists()
        state = store.disk_state
        assert state.text is not None
        assert "Finish this parcel" in state.text
        number += 1
        store.commit([inspection(number)], actor="ines", drafts={"current": b"%d" % number})

        # and when even that is used up: a clear fault, nothing half written, the form kept
        fill(small_disk, 0)
        text = ""
        while not text:
            try:
                store.commit([inspection(number + 1)], actor="ines", drafts={"current": b"%d" % (number + 1)})
            except StoreFault as fault:
                text = str(fault)
            else:
                number += 1
            assert number < 2000
        assert "the disk is full" in text
        assert store.draft("current") == b"%d" % number
        assert len(store.pending_entries(5000, 1 << 30)) == len(store.recent(5000)) == number + 1

        # room again: work goes on, and the reserve comes back
        stuff.unlink()
        for name in ("after", "after that"):  # the reserve is made anew between two commits
            store.commit([inspection(name)], actor="ines", drafts={"current": None})
        assert store.disk_state.accepts_parcels
        assert (home / "ballast").stat().st_size == BALLAST
    assert verify(home).ok


def test_control_without_the_reserve_the_parcel_in_hand_is_what_fails(small_disk: Path) -> None:
    """No ballast: nobody is warned, and the first to be told is the inspector with a parcel on the bench."""
    with Store.open(small_disk / "home", station="bench-1", clock=SteadyClock(), ballast_bytes=0) as store:
        store.commit([inspection(0)], actor="ines", drafts={"current": b"form"})
        fill(small_disk, 0)
        text = ""
        for number in range(1, 1000):
            assert store.disk_state.accepts_parcels, "until it is too late it says that all is well"
            try:
                store.commit([inspection(number)], actor="ines", drafts={"current": b"%d" % number})
            except StoreFault as fault:
                text = str(fault)
                break
        assert "the disk is full" in text


def test_a_photo_that_does_not_fit_leaves_nothing(small_disk: Path) -> None:
    home = small_disk / "home"
    with Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=BALLAST) as store:
        fill(small_disk, 8 << 10)
        with pytest.raises(StoreFault, match=r"the photo could not be saved.*[Ff]ree disk space"):
            store.photos.keep(os.urandom(200_000))
        assert [path for path in (home / "photos").rglob("*") if path.is_file()] == []


def test_too_small_a_disk_for_the_reserve_is_said_at_once(small_disk: Path) -> None:
    with Store.open(small_disk / "home", station="bench-1", clock=SteadyClock(), ballast_bytes=6 << 20) as store:
        assert not store.disk_state.accepts_parcels
        store.commit([inspection(1)], actor="ines", drafts={})


LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from store_lab import SteadyClock, inspection
from station.errors import StoreFault
from station.store import Store
store = Store.open(Path(sys.argv[1]), station="bench-1", clock=SteadyClock(), ballast_bytes=0)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
number = 0
try:
    while number < 1000:
        store.commit([inspection(number)], actor="ines", drafts={"current": b"%d" % number})
        print("saved", number, flush=True)
        number += 1
except StoreFault as fault:
    print("fault", fault, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert store.draft("current") == b"%d" % (number - 1)
store.commit([inspection("after")], actor="ines", drafts={"current": b"after"})
store.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_write_error_is_reported_and_work_goes_on_after_it(home: Path) -> None:
    """The kernel refuses to let a file grow: an I/O error in the middle of a commit, on any file system."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(home), str(HERE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("fault saving failed")
    assert len(lines) > 3
    with Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=0) as store:
        assert len(store.pending_entries(5000, 1 << 30)) == len(lines), "every saved one and the one after"
        assert store.draft("current") == b"after"
    assert verify(home).ok
