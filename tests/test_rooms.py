"""The rooms keep their walls: arrows, style, types, and what may lie where. Each check shows its tool's own words."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("station", "devices", "sync", "ui", "resources")
TOP_LEVEL = {*PACKAGES, "tests", ".ci", ".gitignore", "LICENSE", "README.md", "pyproject.toml"}
CODE_SUFFIXES = {".py", ".pyc", ".pyw", ".so", ".dll", ".exe", ".js", ".sh", ".bat", ".ps1"}
# in pieces, so that this file does not hold them
REGISTRIES = ["pypi" + ".org", "python" + "hosted", "npm" + "js.", "crates" + ".io", "/pypi/" + "simple"]


def run_tool(*words: str, cwd: Path = ROOT) -> tuple[int, str]:
    """Run one tool of this environment; its exit code and all its words."""
    settings = {**os.environ, "PYTHONPATH": str(cwd), "NO_COLOR": "1", "COLUMNS": "160"}
    run = subprocess.run(
        [sys.executable, *words], cwd=cwd, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return run.returncode, f"{' '.join(words)}\n{run.stdout}"


def scratch(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A cache folder for a tool: in the checkout, where the next run finds it, unless that cannot be written."""
    return ROOT / name if os.access(ROOT, os.W_OK) else tmp_path_factory.mktemp("cache") / name


# Arrows

LINT_IMPORTS = ("-c", "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())")


def test_imports_follow_the_arrows() -> None:
    code, words = run_tool(*LINT_IMPORTS, "--no-cache", "--no-logo")
    assert code == 0, words


def small_tree(folder: Path, files: dict[str, str]) -> Path:
    """The five packages with the project's own contracts and these files."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    rooms = [*PACKAGES, "station/store", "sync/client", "sync/server", "ui/benchmark"]
    for path in [f"{room}/__init__.py" for room in rooms]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def test_allowed_imports_are_allowed(tmp_path: Path) -> None:
    files = {
        "station/store/rows.py": "import sqlalchemy\n",
        "sync/server/app.py": "import sqlalchemy, litestar\nimport station.store.rows\n",
        "devices/eye.py": "import cv2\nimport station\n",
        "ui/benchmark/limit.py": "import sqlite3\n",
        "ui/bench.py": "import PySide6\nimport station.store.rows, devices.eye, sync.client\n",
    }
    code, words = run_tool(*LINT_IMPORTS, "--no-cache", "--no-logo", cwd=small_tree(tmp_path, files))
    assert code == 0, words


@pytest.mark.parametrize(
    ("file", "imports"),
    [
        ("station/inward.py", "import ui"),
        ("station/sideways.py", "import devices"),
        ("devices/sideways.py", "import sync"),
        ("sync/client/across.py", "import sync.server"),
        ("station/eye.py", "import cv2"),
        ("devices/window.py", "from PySide6 import QtCore"),
        ("station/rows.py", "import sqlalchemy"),
        ("ui/rows.py", "import sqlite3"),
        ("ui/benchmark/rows.py", "import sqlalchemy"),
        ("resources/code.py", "import station"),
    ],
)
def test_each_wrong_import_is_noticed(tmp_path: Path, file: str, imports: str) -> None:
    tree = small_tree(tmp_path, {file: imports + "\n"})
    code, words = run_tool(*LINT_IMPORTS, "--no-cache", "--no-logo", cwd=tree)
    assert code == 1, words
    assert "BROKEN" in words
    assert file.removesuffix(".py").replace("/", ".") in words


# Style and types


def test_ruff_finds_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = scratch(tmp_path_factory, ".ruff_cache")
    code, words = run_tool("-m", "ruff", "check", "--cache-dir", str(cache), ".")
    assert code == 0, words


def test_ruff_would_format_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = scratch(tmp_path_factory, ".ruff_cache")
    code, words = run_tool("-m", "ruff", "format", "--check", "--cache-dir", str(cache), ".")
    assert code == 0, words


def test_types_are_strict(tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = scratch(tmp_path_factory, ".mypy_cache")
    code, words = run_tool("-m", "mypy", "--num-workers", "2", "--cache-dir", str(cache))
    assert code == 0, words


# What lies where


def tracked_files() -> list[PurePosixPath]:
    """What belongs to the project: the files in git, or all files of a checkout that came without it."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        # safe.directory: the checkout may belong to another user than the one who tests it
        git = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
        listed = subprocess.run(git, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()
        return [PurePosixPath(name) for name in listed.split("\0") if name and (ROOT / name).exists()]
    ignored = set((ROOT / ".gitignore").read_text(encoding="utf-8").replace("/", "").split())
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in ignored]
        found += [PurePosixPath((Path(folder) / name).relative_to(ROOT).as_posix()) for name in files]
    return [path for path in found if path.suffix != ".pyc"]


def strays(files: list[PurePosixPath]) -> list[str]:
    """Top-level names that are not the project's."""
    return sorted({path.parts[0] for path in files} - TOP_LEVEL)


def code_among_data(files: list[PurePosixPath]) -> list[str]:
    """Files under resources/ that a machine would run; its one ``__init__.py`` makes it a package."""
    data = [path for path in files if path.parts[0] == "resources" and str(path) != "resources/__init__.py"]
    return [str(path) for path in data if path.suffix.lower() in CODE_SUFFIXES]


def registry_addresses(text: str) -> list[str]:
    """The registries whose address is in a text."""
    return [needle for needle in REGISTRIES if needle in text.lower()]


def test_the_top_level_has_only_what_belongs_there() -> None:
    assert strays(tracked_files()) == []


def test_resources_hold_data_only() -> None:
    assert code_among_data(tracked_files()) == []
    body = ast.parse((ROOT / "resources" / "__init__.py").read_text(encoding="utf-8")).body
    assert len(body) == 1, "resources/__init__.py holds more than its docstring"
    assert isinstance(body[0], ast.Expr)


def test_no_file_names_a_package_registry() -> None:
    found = {}
    for path in tracked_files():
        needles = registry_addresses((ROOT / path).read_bytes().decode("utf-8", errors="replace"))
        if needles:
            found[str(path)] = needles
    assert found == {}


def test_the_placement_checks_notice() -> None:
    files = [PurePosixPath(name) for name in ("ui/x.py", "notes.txt", "resources/a/b.py", "resources/x.toml")]
    assert strays(files) == ["notes.txt"]
    assert code_among_data(files) == ["resources/a/b.py"]
    assert registry_addresses("see https://" + "PyPI" + ".org/project/x") == ["pypi" + ".org"]
    assert registry_addresses("a plain text about npm and pypi") == []
