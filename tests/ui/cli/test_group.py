"""The command line from outside: real processes, their exit codes and what they write where."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

from station.errors import Defect, DeviceFault, InvalidInput, OperatorError
from ui.cli import group as command_line
from ui.cli import strangers

ROOT = Path(__file__).resolve().parents[3]


def station(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui.cli", *words],
        cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def probe(body: str, *words: str) -> subprocess.Popen[str]:
    """The real command line with one more command, ``probe``, that does what the test says."""
    # the source must not be indented before the body is put in
    source = textwrap.dedent(
        """
        import sys, click, time, pathlib
        from station import errors
        from ui.cli import group
        @click.command()
        def probe():
        {body}
        sys.modules["probe_module"] = sys.modules["__main__"]
        group.COMMANDS["probe"] = group.Entry("probe_module", "probe", "")
        sys.exit(group.run(sys.argv[1:]))
        """
    ).format(body=textwrap.indent(textwrap.dedent(body), "    "))
    return subprocess.Popen(
        [sys.executable, "-c", source, *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ending(body: str, *words: str) -> tuple[int, str, str]:
    process = probe(body, *words)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


@pytest.mark.parametrize("name", list(command_line.COMMANDS))
def test_every_command_of_the_table_exists(name: str) -> None:
    entry = command_line.COMMANDS[name]
    command = getattr(importlib.import_module(entry.module), entry.attribute)
    assert isinstance(command, click.Command)


def test_help_lists_every_command_and_imports_none() -> None:
    run = station("--help")
    assert (run.returncode, run.stderr) == (0, "")
    for name in command_line.COMMANDS:
        assert f"\n  {name} " in run.stdout
    code = "import sys; from ui.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    seen = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stderr
    assert "'ui.cli.group'" in seen
    for absent in ("'ui.cli.test'", "'ui.cli.identify'", "'PySide6'", "'sqlalchemy'", "'msgspec'", "'numpy'"):
        assert absent not in seen


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    run = station("idntify")
    assert run.returncode == 2
    assert run.stdout == ""
    assert "'idntify'" in run.stderr
    assert "'identify'" in run.stderr


@pytest.mark.parametrize("words", [[], ["--no-such-option"], ["--home"]])
def test_wrong_use_ends_with_2(words: list[str]) -> None:
    run = station(*words)
    assert (run.returncode, run.stdout) == (2, "")
    assert "Usage: station" in run.stderr or "requires an argument" in run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_a_bench_without_a_display_says_so(tmp_path: Path) -> None:
    run = station("--home", str(tmp_path), "run", DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert (run.returncode, run.stdout) == (3, "")
    assert "there is no display" in run.stderr


def test_the_version_is_the_packages() -> None:
    import station as package

    assert station("--version").stdout.strip() == f"station {package.__version__}"


# Home


def home_seen(*words: str) -> str:
    return ending("print(repr(click.get_current_context().obj))", *words)[1].strip()


def test_home_is_a_path_for_every_command(tmp_path: Path, home: Path) -> None:
    assert home_seen("--home", str(tmp_path / "h"), "probe") == repr(tmp_path / "h")
    assert home_seen("--home", "relative", "probe") == repr(ROOT / "relative")
    assert home_seen("probe") == repr(home), "STATION_HOME names it when the option does not"
    assert not (ROOT / "relative").exists(), "naming a home makes nothing"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the XDG folders are Linux'")
def test_the_default_home_is_the_users_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATION_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert home_seen("probe") == repr(tmp_path / "returns-station")


# Errors


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        ("errors.InvalidInput(\"weight 'x' is no number\")", InvalidInput.exit_code),
        ("errors.OperatorError('not now')", OperatorError.exit_code),
        ("errors.DeviceFault('the scale is gone')", DeviceFault.exit_code),
        ("PermissionError(13, 'Permission denied', '/x')", 3),
        ("click.UsageError('no such thing')", 2),
        ("click.FileError('a.csv', 'no such file')", 2),
    ],
)
def test_an_error_is_one_calm_line_and_a_code(raised: str, code: int) -> None:
    assert code in (1, 2, 3)
    returned, output, errors = ending(f"raise {raised}", "probe")
    assert (returned, output) == (code, "")
    assert "Traceback" not in errors
    if "errors." in raised or "Permission" in raised:
        assert errors.startswith("station: ")
        assert errors.count("\n") == 1


def test_debug_shows_the_traceback() -> None:
    returned, _, errors = ending("raise errors.InvalidInput('bad label')", "--debug", "probe")
    assert returned == 2
    assert "Traceback" in errors
    assert errors.endswith("station: bad label\n")


@pytest.mark.parametrize("raised", ["errors.Defect('two heads')", "KeyError('x')", "AssertionError()"])
def test_a_bug_shows_where_it_is(raised: str) -> None:
    returned, output, errors = ending(f"raise {raised}", "probe")
    assert (returned, output) == (Defect.exit_code, "")
    assert "Traceback" in errors
    assert "this is a bug" in errors.splitlines()[-1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return 1", 1),
        ("return None", 0),
        ("return True", 0),
        ("click.get_current_context().exit(1)", 1),
        ("sys.exit(3)", 3),
        ("sys.exit('no')", 1),
        ("sys.exit()", 0),
    ],
)
def test_a_command_may_answer_by_its_exit_code(body: str, code: int) -> None:
    assert ending(body, "probe")[0] == code


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals and pipes")
def test_interrupt_ends_quietly_with_130() -> None:
    # as from a terminal: what a shell starts in the background is deaf to it, and so is every child
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    process = probe(f"{listen}\nprint('ready', flush=True)\ntime.sleep(60)", "probe")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == command_line.INTERRUPTED
    assert errors.strip() == ""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals and pipes")
@pytest.mark.parametrize("write", ["click.echo('x' * 1000)", "print('x' * 1000)"])
def test_a_reader_that_goes_away_is_no_error(write: str) -> None:
    process = probe(f"print('ready', flush=True)\nfor _ in range(10000):\n    {write}", "probe")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), errors) == (command_line.READER_GONE, "")


# Whose packages


def test_our_packages_lie_side_by_side() -> None:
    assert strangers(ROOT) == []


def test_a_package_from_elsewhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "sync").mkdir()
    (tmp_path / "sync" / "__init__.py").touch()
    code = "import sys; from ui.cli import main; sys.exit(main(['--version']))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (3, "")
    assert f"'sync' comes from {tmp_path / 'sync'}, expected {ROOT / 'sync'}" in run.stderr
