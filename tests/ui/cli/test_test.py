"""``station test`` runs this suite, passes words on and ends with pytest's own words and code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def station_test(*words: str) -> subprocess.CompletedProcess[str]:
    settings = {key: value for key, value in os.environ.items() if key != "QT_QPA_PLATFORM"}
    return subprocess.run(
        [sys.executable, "-m", "ui.cli", "test", *words],
        cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_it_runs_chosen_tests_and_ends_with_pytests_line() -> None:
    run = station_test("--", "-p", "no:cacheprovider", "-k", "steady", "tests/test_conftest.py")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout.splitlines()[-1]


def test_options_reach_pytest_without_the_dashes_too() -> None:
    run = station_test("--collect-only", "-q", "-p", "no:cacheprovider", "tests/test_conftest.py")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "tests/test_conftest.py::test_the_profile_is_steady" in run.stdout


ALONE = ("-n", "0", "-p", "no:cacheprovider")
"""Without workers, each of which would have to start; the first test here has them."""


def test_slow_tests_run_when_asked() -> None:
    run = station_test("--slow", "--", *ALONE, "tests/test_conftest.py::test_slow_tests_run_when_asked")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout.splitlines()[-1]


def test_pytests_exit_code_comes_through() -> None:
    run = station_test("--", *ALONE, "-k", "no_such_test_anywhere", "tests/test_conftest.py")
    assert run.returncode == 5, run.stdout + run.stderr
