"""``station print``: the real command in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def station(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui.cli", "print", *words], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    ("words", "codes"),
    [(("sheet",), "19 codes"), (("totes", "--paper", "letter", "--tote", "R-14", "--tote", "H-01"), "2 codes")],
)
def test_a_paper_is_written(words: tuple[str, ...], codes: str, tmp_path: Path) -> None:
    done = station(*words, "--out", str(tmp_path / "a.pdf"))
    assert (done.returncode, done.stderr) == (0, "")
    assert codes in done.stdout
    assert (tmp_path / "a.pdf").read_bytes().rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("sheet",), 2, "either --out FILE.pdf or --printer NAME"),
        (("sheet", "--printer", "Nobody's"), 3, 'no printer "Nobody\'s"'),
        (("sheet", "--language", "xx", "--out", "x.pdf"), 2, "no words in 'xx'; expected one of en"),
        (("totes", "--tote", "Z-99", "--out", "x.pdf"), 2, "no tote 'Z-99'; expected one of"),
        (("totes", "--labels"), 2, "no label printer"),
        (("rtv", "--vendor", "Halden", "--out", "x.pdf"), 3, "no station's journal"),
    ],
)
def test_what_cannot_be_done_says_why(words: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    done = station(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
