"""The built wheel, installed into a fresh environment, works from an empty folder. Nothing here uses the network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"station", "devices", "sync", "ui", "resources"}


def clean_settings() -> dict[str, str]:
    """A process environment in which nothing leads to this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=clean_settings(), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; the dependencies are those that run this test."""
    folder = tmp_path_factory.mktemp("fresh") / "env"
    made = run(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=folder.parent)
    assert made.returncode == 0, made.stdout + made.stderr
    base = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", base))
    # a plain path: pointers inside that folder, such as the one to this checkout, are not followed
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip = run(
        *(sys.executable, "-I", "-m", "pip", "--python", str(bin_folder(folder) / "python"), "install", "-q"),
        *("--no-deps", "--no-index", "--no-warn-script-location", str(wheel)),
        cwd=folder.parent,
    )
    assert pip.returncode == 0, pip.stdout + pip.stderr
    return folder


def bin_folder(environment: Path) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "empty"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == [], "a command left something in the working directory"


def test_the_wheel_holds_the_five_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    for path in (
        "resources/locks/requirements.txt",
        "resources/locks/test.txt",
        "station/py.typed",
        "station/bootstrap/environment.py",
        "ui/cli/group.py",
    ):
        assert path in names
    assert not any(name.startswith("tests") or name.endswith(".pyc") for name in names)


def test_every_tracked_resource_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    # dot files are for git
    on_disk = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "resources").rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }
    assert len(on_disk) > 5
    assert on_disk - names == set()


def test_the_program_and_the_module_start_from_an_empty_folder(installed: Path, empty: Path) -> None:
    program = run(str(bin_folder(installed) / "station"), "--help", cwd=empty)
    assert (program.returncode, program.stderr) == (0, "")
    module = run(str(bin_folder(installed) / "python"), "-m", "station", "--help", cwd=empty)
    assert (module.returncode, module.stderr) == (0, "")
    assert module.stdout == program.stdout
    assert "identify" in module.stdout


def test_resources_are_found(installed: Path, empty: Path) -> None:
    code = "from station.assets import asset; print(asset('locks', 'requirements.txt'))"
    found = run(str(bin_folder(installed) / "python"), "-c", code, cwd=empty)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(str(installed))


def test_it_identifies_a_scan(installed: Path, empty: Path) -> None:
    said = run(str(bin_folder(installed) / "station"), "identify", "--json", "4006381333931", cwd=empty)
    assert said.returncode == 0, said.stderr
    (scan,) = json.loads(said.stdout)["scans"]
    assert scan["text"] == "4006381333931"
    best = scan["candidates"][0]
    assert (best["kind"], best["key"], best["check"]) == ("gtin", "04006381333931", "ok")


def test_it_says_that_it_brings_no_tests(installed: Path, empty: Path) -> None:
    said = run(str(bin_folder(installed) / "station"), "test", cwd=empty)
    assert (said.returncode, said.stdout) == (3, "")
    assert said.stderr.startswith("station: there are no tests in ")
    assert "python3 -m station test" in said.stderr


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder with somebody else's ``ui`` package."""
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui" / "__init__.py").write_text("raise SystemExit('somebody else was run')", encoding="utf-8")
    return tmp_path


def test_a_foreign_ui_in_the_working_directory_does_not_shadow_ours(installed: Path, foreign: Path) -> None:
    for command in ([str(bin_folder(installed) / "station")], [str(bin_folder(installed) / "python"), "-m", "station"]):
        said = run(*command, "--version", cwd=foreign)
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout.startswith("station ")


def test_a_foreign_sync_that_is_found_first_is_reported(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "sync").mkdir()
    (tmp_path / "sync" / "__init__.py").touch()
    # -m ui.cli: the working directory comes first, as when another distribution has overwritten the package
    said = run(str(bin_folder(installed) / "python"), "-m", "ui.cli", "--version", cwd=tmp_path)
    assert (said.returncode, said.stdout) == (3, "")
    assert f"'sync' comes from {tmp_path / 'sync'}" in said.stderr
