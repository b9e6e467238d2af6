"""The shared fixtures do what the other tests rely on, shown by running pytest on small files of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def logs(*calls: str) -> str:
    """A test that calls its fixture ``expected_warnings`` or its logger."""
    head = "import logging\nlog = logging.getLogger('devices.scale')\ndef test_it(expected_warnings):\n"
    return head + "".join(f"    {call}\n" for call in calls)


CASES = {
    "quiet": (logs("log.info('fine')"), True),
    "unexpected": (logs("log.warning('the scale is gone')"), False),
    "unexpected error": (logs("log.error('given up')"), False),
    "expected": (logs(r"expected_warnings(r'devices\.scale: .*gone')", "log.warning('the scale is gone')"), True),
    "expected, another came": (logs("expected_warnings('gone')", "log.warning('gone')", "log.error('fire')"), False),
    "expected, none came": (logs("expected_warnings('gone')"), False),
    "expected, optional": (logs("expected_warnings('gone', required=False)"), True),
    "python warning": ("import warnings\ndef test_it():\n    warnings.warn('old')\n", False),
    "qt warning": ("from PySide6.QtCore import qWarning\ndef test_it():\n    qWarning('bad parent')\n", False),
    "slow is skipped": ("import pytest\n@pytest.mark.slow\ndef test_it():\n    assert False\n", True),
    "home is not the user's": (
        "import os, pathlib\nuser = pathlib.Path('~').expanduser()\n"
        "def test_it(home):\n"
        "    assert str(home) == os.environ['STATION_HOME']\n"
        "    assert user not in home.parents and not home.exists()\n",
        True,
    ),
    "offscreen": (
        "def test_it(qapp):\n    assert qapp.platformName() == 'offscreen'\n",
        True,
    ),
}


def test_each_case_ends_as_it_must(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for number, (source, _) in enumerate(CASES.values()):
        (tmp_path / f"test_case_{number}.py").write_text(source, encoding="utf-8")
    settings = {name: value for name, value in os.environ.items() if name != "STATION_TEST_XCB"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "."],
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        timeout=120,
    )
    failed = {
        name
        for number, name in enumerate(CASES)
        if f"FAILED test_case_{number}.py" in run.stdout or f"ERROR test_case_{number}.py" in run.stdout
    }
    assert failed == {name for name, (_, good) in CASES.items() if not good}, run.stdout + run.stderr


def test_the_profile_is_steady() -> None:
    from hypothesis import settings

    assert settings.default is not None
    assert settings.default.deadline is None


@pytest.mark.slow
def test_slow_tests_run_when_asked(request: pytest.FixtureRequest) -> None:
    assert request.config.getoption("--slow")
