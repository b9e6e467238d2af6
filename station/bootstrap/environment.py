"""The Python environment of a checkout: where it lies, what it was made for, and how it is made.

Settings, all optional: ``STATION_VENV`` (where it lies), ``STATION_WHEELHOUSE`` (a folder of wheels to install from
without any network; ``wheelhouse/`` in the checkout does the same).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections import deque
from contextlib import contextmanager
from pathlib import Path

from station.bootstrap import NotReady, say

TYPE_CHECKING = False  # typing is slow to import
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import IO

LOCK = "station.lock"
"""Inside the environment: held while it is made, and the sign that the folder is ours."""
STAMP = "station.stamp"
"""Inside the environment, written last: what it was made for."""
TEST_STAMP = "station.test.stamp"
"""The same for what only the tests need; it is added when they are first run."""
POINTER = "returns_station_checkout.pth"
"""In its site-packages: puts the checkout on the import path."""
FORMAT = b"1"
"""Changes when the way of making one changes, so that older environments are made again."""


def environment_key(lock: bytes, version: str, platform: str) -> str:
    """What an environment is made for, as a stamp: other locked packages, Python or machine, other key."""
    return hashlib.sha256(b"\0".join((FORMAT, lock, version.encode(), platform.encode()))).hexdigest()


def environment_python(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_ready(folder: Path, key: str, stamp: str = STAMP) -> bool:
    """Say whether a whole environment with this stamp lies there."""
    try:
        return (folder / stamp).read_text(encoding="ascii") == key and environment_python(folder).exists()
    except (OSError, ValueError):
        return False


def places(root: Path, settings: Mapping[str, str]) -> list[Path]:
    """Where the environment may lie, best first. A place that somebody named is the only one."""
    named = settings.get("STATION_VENV")
    if named:
        return [Path(named).expanduser().absolute()]
    cache = settings.get("LOCALAPPDATA") if os.name == "nt" else settings.get("XDG_CACHE_HOME")
    base = Path(cache) if cache else Path("~/.cache").expanduser()
    # one folder for each checkout, so that the pointer of one never leads into another
    of_checkout = hashlib.sha256(os.fsencode(str(root))).hexdigest()[:12]
    return [root / ".venv", base / "returns-station" / f"venv-{of_checkout}"]


def unusable(folder: Path) -> str | None:
    """Say why no environment can be made in this folder; None when it can (the folder then exists and is ours)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # In this order: the lock is made before anything else, so what another start puts here now has one.
        holds_something = any(folder.iterdir())
        if holds_something and not (folder / LOCK).exists():
            return "it holds something that this program did not make"
        if is_noexec(folder):
            return "programs may not be run from that disk (noexec)"
        with (folder / LOCK).open("ab"):
            return None
    except OSError as error:
        return (error.strerror or str(error)).lower()


def is_noexec(folder: Path) -> bool:
    """Say whether the disk is mounted without the right to run programs; only Linux tells."""
    if sys.platform == "win32":
        return False
    return bool(os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0))


def choose_place(candidates: Sequence[Path], key: str) -> Path:
    """The environment to use: one that is ready, else the first place where one can be made.

    Raises:
        NotReady: there is no such place; the text has every reason.
    """
    for folder in candidates:
        if is_ready(folder, key):
            return folder
    reasons = []
    for folder in candidates:
        reason = unusable(folder)
        if reason is None:
            return folder
        reasons.append(f"  {folder}: {reason}")
    raise NotReady(
        "there is no place for the Python environment. Set STATION_VENV to a folder that does not exist yet.\n"
        + "\n".join(reasons)
    )


@contextmanager
def locked(path: Path) -> Iterator[IO[bytes]]:
    """Hold the environment's lock; a second start waits here until the first has made it."""
    waiting = "another start is making the Python environment; waiting …"
    with path.open("ab") as handle:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)  # gives up after ten seconds
                    break
                except OSError:
                    say(waiting)
        else:
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(waiting)
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle


def clear(folder: Path) -> None:
    """Remove what a killed or outdated build left, all but the lock that we hold."""
    for entry in folder.iterdir():
        if entry.name == LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def pip_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """The process environment for pip: the user's mirror, proxy and certificates, but no second list of packages.

    The lock file says everything about versions. A constraint, target or extra requirement that is meant for other
    work would make pip refuse the hashes or install elsewhere.
    """
    other_work = ("REQUIREMENT", "EDITABLE", "TARGET", "PREFIX", "ROOT", "PYTHON", "NO_BINARY", "DRY_RUN", "REPORT")
    dropped = {"PYTHONHOME", *("PIP_" + option for option in other_work)}
    kept = {name: value for name, value in settings.items() if name not in dropped}
    # set rather than removed: this overrules pip's configuration files too
    kept.update(PIP_CONSTRAINT=os.devnull, PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1")
    return kept


def pip_arguments(lock_file: Path, wheelhouse: Path | None) -> list[str]:
    """What pip is asked for: exactly the locked files, as wheels, so that no package runs code to install itself."""
    arguments = ["install", "--no-input", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    if wheelhouse is not None:
        arguments += ["--no-index", "--find-links", str(wheelhouse)]
    return [*arguments, "-r", str(lock_file)]


def find_wheelhouse(root: Path, settings: Mapping[str, str]) -> Path | None:
    """The folder of wheels to install from, if this site has one.

    Raises:
        NotReady: ``STATION_WHEELHOUSE`` names no folder.
    """
    named = settings.get("STATION_WHEELHOUSE")
    if named:
        folder = Path(named).expanduser().absolute()
        if not folder.is_dir():
            raise NotReady(f"STATION_WHEELHOUSE is {named!r}, expected a folder of wheels. Correct it or unset it")
        return folder
    folder = root / "wheelhouse"
    return folder if folder.is_dir() else None


def inherited(lock_handle: IO[bytes]) -> tuple[int, ...]:
    """What a child gets so that the lock is held until it ends too, whatever happens to us."""
    return () if os.name == "nt" else (lock_handle.fileno(),)


def run_pip(command: Sequence[str], lock_handle: IO[bytes]) -> None:
    """Run pip, count its packages on a terminal, and keep its last words for the case that it fails.

    Raises:
        NotReady: pip failed.
    """
    show = sys.stderr.isatty()
    last: deque[str] = deque(maxlen=25)
    packages = 0
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=pip_settings(os.environ),
        pass_fds=inherited(lock_handle),
        text=True,
        errors="replace",
    ) as pip:
        for line in pip.stdout or ():
            last.append(line.rstrip())
            packages += line.startswith("Collecting ")
            if show and line.startswith(("Collecting ", "Installing collected")):
                step = "unpacking" if line.startswith("Installing") else "fetching"
                sys.stderr.write(f"\r  {step} {packages} packages …\x1b[K")
                sys.stderr.flush()
    if show:
        sys.stderr.write("\r\x1b[K")
    if pip.returncode:
        raise NotReady(
            f"pip could not install the packages (code {pip.returncode}). Check the network and start again; without "
            "one, put the wheels into wheelhouse/ or set STATION_WHEELHOUSE. pip said:\n" + "\n".join(last)
        )


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that no other process ever sees half of it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def point_to(folder: Path, root: Path) -> None:
    """Put the checkout on the environment's import path.

    Raises:
        NotReady: the environment leads to another checkout and cannot be changed.
    """
    import sysconfig

    base = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", base))
    # relative where it can be: it survives a move of the checkout, and no letter of its path can be misread
    line = (os.path.relpath(root, packages) if root in folder.parents else str(root)) + "\n"
    pointer = packages / POINTER
    try:
        if pointer.read_text(encoding="utf-8") == line:
            return
    except (OSError, ValueError):
        pass  # absent or damaged: write it
    try:
        replace_text(pointer, line)
    except OSError as error:
        raise NotReady(f"{pointer} must lead to {root} and cannot be written ({error}). Set STATION_VENV") from error


def make_environment(folder: Path, key: str, root: Path, lock_file: Path) -> None:
    """Make the environment, unless another start has made it while this one waited.

    Raises:
        NotReady: Python, the disk or pip did not play along; the next start begins again.
    """
    wheelhouse = find_wheelhouse(root, os.environ)
    with locked(folder / LOCK) as handle:
        if is_ready(folder, key):
            return
        say(f"making the Python environment in {folder} (once; about half a gigabyte) …")
        clear(folder)
        # the base interpreter: this one may live in the environment that is being made again
        base = getattr(sys, "_base_executable", None) or sys.executable
        venv = subprocess.run(
            [base, "-I", "-m", "venv", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=inherited(handle),
            check=False,
        )
        if venv.returncode:
            raise NotReady("python -m venv failed:\n" + venv.stdout.decode(errors="replace").strip())
        pip = [str(environment_python(folder)), "-I", "-m", "pip"]
        run_pip(pip + pip_arguments(lock_file, wheelhouse), handle)
        point_to(folder, root)
        replace_text(folder / STAMP, key)


def add_test_packages(folder: Path, key: str, lock_file: Path) -> None:
    """Install what only the tests need, on top of the environment.

    Raises:
        NotReady: pip failed; the environment still serves the program.
    """
    wheelhouse = find_wheelhouse(lock_file.parent.parent.parent, os.environ)
    with locked(folder / LOCK) as handle:
        if is_ready(folder, key, TEST_STAMP):
            return
        say("adding what the tests need (once) …")
        pip = [str(environment_python(folder)), "-I", "-m", "pip"]
        run_pip(pip + pip_arguments(lock_file, wheelhouse), handle)
        replace_text(folder / TEST_STAMP, key)


def ensure_environment(root: Path, *, for_tests: bool = False) -> Path:
    """The interpreter of an environment that has exactly the locked packages and sees this checkout.

    Args:
        for_tests: add the packages that only the tests need.

    Raises:
        NotReady: it could not be made.
    """
    import sysconfig

    lock_file = root / "resources" / "locks" / "requirements.txt"
    version = "{} {}.{}.{}".format(sys.implementation.name, *sys.version_info[:3])
    try:
        key = environment_key(lock_file.read_bytes(), version, sysconfig.get_platform())
        folder = choose_place(places(root, os.environ), key)
        if not is_ready(folder, key):
            make_environment(folder, key, root, lock_file)
        if for_tests:
            test_lock = lock_file.with_name("test.txt")
            test_key = environment_key(test_lock.read_bytes(), key, "test")
            if not is_ready(folder, test_key, TEST_STAMP):
                add_test_packages(folder, test_key, test_lock)
    except OSError as error:
        raise NotReady(f"the Python environment could not be made: {error}") from error
    point_to(folder, root)
    return environment_python(folder)
