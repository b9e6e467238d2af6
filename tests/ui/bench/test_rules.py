"""Rules of this room that a test can read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ui.bench

BENCH = Path(ui.bench.__file__).parent
_SOURCES = sorted([*BENCH.glob("*.py"), *(BENCH.parent / "widgets").glob("*.py")])
_MODAL = {"QDialog", "QMessageBox", "QInputDialog", "QFileDialog", "QErrorMessage", "QProgressDialog", "exec", "exec_"}


def _names(source: str) -> set[str]:
    tree = ast.parse(source)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return names | {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}


@pytest.mark.parametrize("path", _SOURCES, ids=lambda path: path.name)
def test_nothing_modal(path: Path) -> None:
    assert _names(path.read_text("utf-8")) & _MODAL == set()


def test_negative_control_a_dialog_is_seen() -> None:
    assert _names("from PySide6.QtWidgets import QMessageBox\nQMessageBox.warning(None, '', '')") & _MODAL


@pytest.mark.parametrize("path", _SOURCES, ids=lambda path: path.name)
def test_no_style_sheet_and_no_shadow(path: Path) -> None:
    forbidden = {"setStyleSheet", "QGraphicsDropShadowEffect", "QLinearGradient", "QRadialGradient", "setDefault"}
    assert _names(path.read_text("utf-8")) & forbidden == set()


def test_the_window_starts_without_the_heavy_rooms() -> None:
    """Camera, database, serial port and arrays load behind the painted window, not before it."""
    program = (
        "import sys, ui.bench.window\n"
        "heavy = {'cv2', 'sqlalchemy', 'serial', 'numpy', 'litestar', 'httpx', 'zxingcpp', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
