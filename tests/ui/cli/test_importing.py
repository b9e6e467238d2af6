"""``station import`` from outside: what its options refuse before anything is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ui.cli.importing import import_

RETURNS = "rma,sku,paid\nRMA-2026-000001,MUG,14.90\n"


@pytest.mark.parametrize("currency", ["EURO", "E", "", "12A", "ÄÖÜ"])
def test_a_currency_that_is_none_is_refused(tmp_path: Path, currency: str) -> None:
    """It would become the currency of every merchant that the file brings."""
    file = tmp_path / "returns.csv"
    file.write_text(RETURNS)
    home = tmp_path / "home"
    run = CliRunner().invoke(import_, ["returns", str(file), "--merchant", "a", "--currency", currency], obj=home)
    assert run.exit_code == 2
    assert repr(currency) in run.output
    assert not home.exists()


def test_a_currency_may_be_written_small(tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_text(RETURNS)
    words = ["returns", str(file), "--merchant", "a", "--currency", "usd", "--json"]
    run = CliRunner().invoke(import_, words, obj=tmp_path / "home", standalone_mode=False)
    assert run.return_value == 0, run.output
