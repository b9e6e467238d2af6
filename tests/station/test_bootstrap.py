"""The bootstrap: its decisions as tables, and real starts of a small checkout with a wheelhouse."""

from __future__ import annotations

import ast
import base64
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from station.bootstrap import NotReady, system
from station.bootstrap import environment as env

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120.0
SOURCES = [ROOT / "station" / "__init__.py", ROOT / "station" / "__main__.py"]
SOURCES += sorted((ROOT / "station" / "bootstrap").glob("*.py"))


# What an old Python must be able to read


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_old_python_can_read_it_and_the_standard_library_is_enough(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    allowed = sys.stdlib_module_names | {"station"}
    assert {name for name in imported if name.partition(".")[0] not in allowed} == set()
    own = {name for name in imported if name.partition(".")[0] == "station"}
    assert {name for name in own if not name.startswith("station.bootstrap")} == set()


def test_the_reading_check_notices_new_syntax() -> None:
    with pytest.raises(SyntaxError):
        ast.parse("match 1:\n    case 1: pass\n", feature_version=(3, 8))


# Decisions as tables


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ((3, 8, 18), False),
        ((3, 10, 13), False),
        ((3, 11, 0), True),
        ((3, 12), True),
        ((3, 13, 1), True),
        ((4, 0), True),
    ],
)
def test_python_refusal(version: tuple[int, ...], good: bool) -> None:
    text = system.python_refusal(version, "/usr/bin/python3")
    assert (text is None) is good
    if text is not None:
        assert "3.11" in text
        assert ".".join(map(str, version)) in text
        assert "/usr/bin/python3" in text


@pytest.mark.parametrize(
    ("libc", "good"),
    [("glibc 2.31", False), ("glibc 2.34", True), ("glibc 3.0", True), (None, False), ("x", True), ("", True)],
)
def test_libc_refusal(libc: str | None, good: bool) -> None:
    text = system.libc_refusal(libc)
    assert (text is None) is good
    assert text is None or "Debian 12" in text


def test_a_missing_library_is_found_by_loading_it() -> None:
    present = next(iter(system.HEADLESS))
    assert system.unloadable(["libno-such-thing.so.9", present], ctypes.CDLL) == ["libno-such-thing.so.9"]


def test_a_display_asks_for_more_libraries() -> None:
    assert len(system.wanted_libraries(has_display=False)) == 6
    assert len(system.wanted_libraries(has_display=True)) == 11


@pytest.mark.parametrize(
    ("is_root", "has_sudo", "has_terminal", "prefix"),
    [
        (True, False, False, []),
        (True, True, True, []),
        (False, True, True, ["sudo"]),
        (False, True, False, None),
        (False, False, True, None),
    ],
)
def test_apt_prefix(is_root: bool, has_sudo: bool, has_terminal: bool, prefix: list[str] | None) -> None:
    assert system.apt_prefix(is_root, has_sudo, has_terminal) == prefix


def test_the_environment_is_made_for_lock_python_and_machine() -> None:
    one = env.environment_key(b"a==1", "cpython 3.11.7", "linux-x86_64")
    others = {
        env.environment_key(b"a==2", "cpython 3.11.7", "linux-x86_64"),
        env.environment_key(b"a==1", "cpython 3.11.8", "linux-x86_64"),
        env.environment_key(b"a==1", "cpython 3.11.7", "linux-aarch64"),
    }
    assert one == env.environment_key(b"a==1", "cpython 3.11.7", "linux-x86_64")
    assert len(others | {one}) == 4


@pytest.mark.skipif(os.name == "nt", reason="these are the places of a POSIX system")
def test_places() -> None:
    root = Path("/srv/checkout")
    assert env.places(root, {"STATION_VENV": "/cache/env"}) == [Path("/cache/env")]
    local, cache = env.places(root, {"XDG_CACHE_HOME": "/c"})
    assert local == root / ".venv"
    assert cache.parent == Path("/c/returns-station")
    assert cache != env.places(Path("/srv/other"), {"XDG_CACHE_HOME": "/c"})[1]
    assert env.places(root, {})[1].parent == Path("~/.cache/returns-station").expanduser()


def make_ready(folder: Path, key: str) -> None:
    """A folder that looks like a finished environment."""
    env.environment_python(folder).parent.mkdir(parents=True)
    env.environment_python(folder).touch()
    (folder / env.STAMP).write_text(key, encoding="ascii")


def test_only_a_whole_environment_with_the_right_stamp_is_ready(tmp_path: Path) -> None:
    folder = tmp_path / "env"
    assert not env.is_ready(folder, "k")
    make_ready(folder, "k")
    assert env.is_ready(folder, "k")
    assert not env.is_ready(folder, "another")
    env.environment_python(folder).unlink()
    assert not env.is_ready(folder, "k")


def test_an_environment_that_is_ready_wins_over_an_earlier_place(tmp_path: Path) -> None:
    make_ready(tmp_path / "second", "k")
    assert env.choose_place([tmp_path / "first", tmp_path / "second"], "k") == tmp_path / "second"
    assert not (tmp_path / "first").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "home"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("three years", encoding="utf-8")
    assert env.choose_place([theirs, tmp_path / "second"], "k") == tmp_path / "second"
    with pytest.raises(NotReady, match=r"STATION_VENV[\s\S]*home: it holds something"):
        env.choose_place([theirs], "k")
    assert [path.name for path in theirs.iterdir()] == ["thesis.txt"]


def test_pip_keeps_the_mirror_and_drops_other_work() -> None:
    given = {"PIP_INDEX_URL": "file:///m", "PIP_CERT": "c", "PIP_CONSTRAINT": "c.txt", "PIP_TARGET": "/t", "PATH": "p"}
    kept = env.pip_settings({**given, "PYTHONHOME": "/x"})
    assert kept["PIP_INDEX_URL"] == "file:///m"
    assert kept["PIP_CERT"] == "c"
    assert kept["PIP_CONSTRAINT"] == os.devnull
    assert kept["PATH"] == "p"
    assert "PIP_TARGET" not in kept
    assert "PYTHONHOME" not in kept


def test_a_wheelhouse_closes_the_network(tmp_path: Path) -> None:
    assert env.find_wheelhouse(tmp_path, {}) is None
    assert "--no-index" not in env.pip_arguments(Path("lock"), None)
    (tmp_path / "wheelhouse").mkdir()
    found = env.find_wheelhouse(tmp_path, {})
    assert found == tmp_path / "wheelhouse"
    assert {"--no-index", "--require-hashes", str(found)} <= set(env.pip_arguments(Path("lock"), found))
    with pytest.raises(NotReady, match="'/no/such/folder'"):
        env.find_wheelhouse(tmp_path, {"STATION_WHEELHOUSE": "/no/such/folder"})


@pytest.mark.parametrize("name", ["requirements.txt", "test.txt"])
def test_the_projects_lock_pins_every_file_by_hash(name: str) -> None:
    lines = (ROOT / "resources" / "locks" / name).read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith(" ")]
    assert len(pinned) > 30
    assert [line for line in pinned if "==" not in line or not line.endswith("\\")] == []
    assert [line for line in lines if line.startswith(" ") and not line.strip().startswith("--hash=sha256:")] == []


def test_the_two_locks_agree() -> None:
    locks = ROOT / "resources" / "locks"
    run, tests = (
        {
            line.partition("==")[0]: line
            for line in (locks / name).read_text(encoding="utf-8").splitlines()
            if "==" in line
        }
        for name in ("requirements.txt", "test.txt")
    )
    assert {name: tests.get(name) for name in run} == run
    assert "pytest" in tests
    assert "pytest" not in run


# Missing libraries, with a package manager that only writes down what it is asked

posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")


def fake_apt(folder: Path, exit_code: int) -> Path:
    folder.mkdir()
    script = folder / "apt-get"
    note = f'echo "$DEBIAN_FRONTEND apt-get $*" >> "{folder}/asked"'
    script.write_text(f'#!/bin/sh\n{note}\necho "E: broken mirror"\nexit {exit_code}\n', encoding="utf-8")
    script.chmod(0o755)
    return folder


LACKING = """
import sys
from station.bootstrap import NotReady, system
system.HEADLESS = {"libno-such-thing.so.9": "libnosuchthing9"}
try:
    system.ensure_system()
except NotReady as error:
    print(error)
    sys.exit(3)
"""


def start_lacking(path: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **settings}
    environment.pop("DISPLAY", None)
    return subprocess.run(
        [sys.executable, "-c", LACKING], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


@posix
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lacks libraries one by one")
def test_a_system_without_apt_is_told_the_library(tmp_path: Path) -> None:
    run = start_lacking(str(tmp_path))
    assert run.returncode == 3
    assert "lacks libno-such-thing.so.9. Install the packages" in run.stdout


@posix
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lacks libraries one by one")
def test_apt_is_run_by_root_and_proposed_to_everybody_else(tmp_path: Path) -> None:
    fake = fake_apt(tmp_path / "bin", exit_code=0)
    run = start_lacking(f"{fake}:/usr/bin:/bin")
    assert run.returncode == 3
    if os.geteuid() == 0:
        asked = (fake / "asked").read_text(encoding="utf-8").splitlines()
        assert asked == [
            "noninteractive apt-get -q update",
            "noninteractive apt-get -q install -y --no-install-recommends libnosuchthing9",
        ]
        assert "libno-such-thing.so.9 still cannot be loaded" in run.stdout
    else:
        assert not (fake / "asked").exists()
        assert run.stdout.splitlines()[-1] == system.apt_line(["libnosuchthing9"])


@posix
def test_a_failing_apt_is_quoted_with_the_line_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_apt(tmp_path / "bin", exit_code=100)
    monkeypatch.setenv("PATH", f"{fake}:/usr/bin:/bin")
    with pytest.raises(NotReady, match=r"code 100[\s\S]*--no-install-recommends libx1\n[\s\S]*broken mirror"):
        system.run_apt([], ["libx1"])


# Real starts


def make_wheel(folder: Path, version: str) -> str:
    """Write a wheel of the package ``tinydep`` and return its line for a lock file."""
    folder.mkdir(exist_ok=True)
    files = {
        "tinydep.py": f"VERSION = {version!r}\n",
        f"tinydep-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: tinydep\nVersion: {version}\n",
        f"tinydep-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(text)}\n"
    files[f"tinydep-{version}.dist-info/RECORD"] = record + f"tinydep-{version}.dist-info/RECORD,,\n"
    wheel = folder / f"tinydep-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return f"tinydep=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


COMMAND = """
import json, sys
import tinydep, ui
print(json.dumps({"tinydep": tinydep.VERSION, "words": sys.argv[1:], "ui": ui.__file__, "safe": sys.flags.safe_path}))
sys.exit(7 if "fail" in sys.argv else 0)
"""


@pytest.fixture
def small_checkout(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a checkout with the real bootstrap, one locked package, and a command line that tells what it sees."""

    def make(name: str) -> Path:
        root = tmp_path / name
        shutil.copytree(ROOT / "station" / "bootstrap", root / "station" / "bootstrap")
        for file in ("__init__.py", "__main__.py"):
            shutil.copy(ROOT / "station" / file, root / "station")
        (root / "pyproject.toml").touch()
        (root / "ui").mkdir()
        (root / "ui" / "__init__.py").touch()
        (root / "ui" / "cli.py").write_text(COMMAND, encoding="utf-8")
        lock = root / "resources" / "locks" / "requirements.txt"
        lock.parent.mkdir(parents=True)
        lock.write_text(make_wheel(root / "wheelhouse", "1.0"), encoding="utf-8")
        lock.with_name("test.txt").write_text(lock.read_text(encoding="utf-8"), encoding="utf-8")
        return root

    return make


def settings_for(root: Path, **more: str) -> dict[str, str]:
    """A user's process environment, without what the tests' own environment adds."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_", "STATION_", "COV"))
    }
    return {**kept, "XDG_CACHE_HOME": str(root.parent / "cache"), **more}


def start(root: Path, *words: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "station", *words],
        cwd=cwd or root, env=settings_for(root, **more), capture_output=True, text=True, timeout=DEADLINE_S,
    )  # fmt: skip


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen within {DEADLINE_S:g} s")
        time.sleep(0.002)


def test_a_start_makes_the_environment_once_and_passes_everything_on(small_checkout: Callable[[str], Path]) -> None:
    root = small_checkout("Rücksendung 1")
    # a constraint that would forbid the locked version, as on machines that are set up for other work
    constraint = root.parent / "constraint.txt"
    constraint.write_text("tinydep==9.9\n", encoding="utf-8")

    first = start(root, "demo", "--units", "3", PIP_CONSTRAINT=str(constraint))
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith('{"tinydep": "1.0", "words": ["demo", "--units", "3"]')
    assert '"safe": true' in first.stdout
    assert "making the Python environment" in first.stderr

    again = start(root, "fail")
    assert (again.returncode, again.stderr) == (7, "")

    tests = [start(root, "--home", "x", "test"), start(root, "test")]
    assert [(run.returncode, "adding what the tests need" in run.stderr) for run in tests] == [(0, True), (0, False)]

    # a foreign ui/ in the working directory is not run in our place
    foreign = root.parent / "foreign"
    (foreign / "ui").mkdir(parents=True)
    (foreign / "ui" / "__init__.py").write_text("raise SystemExit('foreign')", encoding="utf-8")
    elsewhere = start(root, cwd=foreign, PYTHONPATH=str(root))
    assert elsewhere.returncode == 0, elsewhere.stderr

    moved = root.rename(root.parent / "moved")
    after = start(moved)
    assert (after.returncode, after.stderr) == (0, "")
    assert str(moved) in after.stdout

    lock = moved / "resources" / "locks" / "requirements.txt"
    lock.write_text(make_wheel(moved / "wheelhouse", "2.0"), encoding="utf-8")
    updated = start(moved)
    assert updated.returncode == 0, updated.stderr
    assert '"tinydep": "2.0"' in updated.stdout


@pytest.mark.slow
def test_two_starts_at_once_make_one_environment(small_checkout: Callable[[str], Path]) -> None:
    root = small_checkout("two")
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "station", str(number)],
            cwd=root, env=settings_for(root), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(2)
    ]  # fmt: skip
    outputs = [process.communicate(timeout=DEADLINE_S) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert sum("station: making the Python environment" in errors for _, errors in outputs) == 1
    assert all('"tinydep": "1.0"' in output for output, _ in outputs)


@posix
@pytest.mark.slow
def test_a_start_killed_on_the_way_is_made_good_by_the_next(small_checkout: Callable[[str], Path]) -> None:
    root = small_checkout("killed")
    packages = root / ".venv" / "lib"
    process = subprocess.Popen(
        [sys.executable, "-m", "station"],
        cwd=root, env=settings_for(root), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_for(lambda: any(packages.glob("*/site-packages/pip")), "the installation of pip")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=DEADLINE_S)
    assert not (root / ".venv" / env.STAMP).exists()

    after = start(root)
    assert after.returncode == 0, after.stderr
    assert "making the Python environment" in after.stderr
    assert '"tinydep": "1.0"' in after.stdout


@pytest.mark.slow  # pip's own promise, and ten seconds
def test_a_changed_wheel_is_refused(small_checkout: Callable[[str], Path]) -> None:
    root = small_checkout("changed")
    wheel = next((root / "wheelhouse").glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    run = start(root)
    assert run.returncode == 3
    assert run.stdout == ""
    assert "pip could not install the packages" in run.stderr
    assert "DO NOT MATCH THE HASHES" in run.stderr
    assert not (root / ".venv" / env.STAMP).exists()
