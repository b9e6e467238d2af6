"""From a file into a real store: importing twice changes nothing, and a poorer source never overwrites a richer one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from station.clock import SystemClock
from station.exchange import importing
from station.exchange.importing import import_file
from station.exchange.reading import read_catalogue, read_returns
from station.identify.interpret import interpret
from station.identify.scan import CandidateKind
from station.store.store import Store

ROOT = Path(__file__).resolve().parents[3]

HEADER = (
    "return-date\torder-id\tsku\tasin\tfnsku\tproduct-name\tquantity\tfulfillment-center-id\tdetailed-disposition\t"
    "reason\tstatus\tlicense-plate-number\tcustomer-comments\n"
)


def amazon_row(order: int, unit: int, sku: str = "HP-7", date: str = "2026-11-20T10:17:03+00:00") -> str:
    return (
        f"{date}\t114-{order:07d}-1234567\t{sku}\tB0{sku:0>8}\tX00{sku:0>7}\tThing {sku}\t1\tLEJ1\tSELLABLE\t"
        f"UNWANTED_ITEM\t\tLPNHE{unit:09d}\t\n"
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "home", station="bench-1", clock=SystemClock(), ballast_bytes=0) as opened:
        yield opened


def counts(tally: importing.Tally) -> tuple[int, int, int]:
    return tally.new, tally.changed, tally.unchanged


def test_importing_twice_changes_nothing(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "report.txt"
    path.write_text(HEADER + "".join(amazon_row(n % 70, n, f"S{n % 7}") for n in range(100)), "utf-8")
    first = import_file(read_returns(path), store)
    assert (counts(first.merchants), counts(first.articles), counts(first.returns)) == (
        (1, 0, 0),
        (7, 0, 0),
        (70, 0, 0),
    )
    assert first.lines == 100
    again = import_file(read_returns(path), store)
    assert (counts(again.merchants), counts(again.articles)) == ((0, 0, 0), (0, 0, 7))
    assert counts(again.returns) == (0, 0, 70)


def test_batches_do_not_show(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 3)
    path = tmp_path / "report.txt"
    path.write_text(HEADER + "".join(amazon_row(n % 17, n, f"S{n % 5}") for n in range(40)), "utf-8")
    assert counts(import_file(read_returns(path), store).returns) == (17, 0, 0)
    again = import_file(read_returns(path), store)
    assert (again.articles.changed, again.returns.changed) == (0, 0)
    found = store.directory.returns_by(CandidateKind.RMA, "114-0000003-1234567")
    assert found[0].lpns == ("LPNHE000000003", "LPNHE000000020", "LPNHE000000037")


def test_a_later_report_adds_units_and_forgets_none(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "report.txt"
    path.write_text(HEADER + amazon_row(1, 1, "A") + amazon_row(1, 2, "B"), "utf-8")
    import_file(read_returns(path), store)
    path.write_text(HEADER + amazon_row(1, 2, "B") + amazon_row(1, 3, "C"), "utf-8")
    report = import_file(read_returns(path), store)
    assert counts(report.returns) == (0, 1, 0)
    (one,) = store.directory.returns_by(CandidateKind.LPN, "LPNHE000000003")
    assert [(line.line, line.sku) for line in one.lines] == [(1, "A"), (2, "B"), (3, "C")]
    assert one.lpns == ("LPNHE000000001", "LPNHE000000002", "LPNHE000000003")


def test_a_report_only_adds_codes_to_a_catalogues_article(tmp_path: Path, store: Store) -> None:
    catalogue = tmp_path / "catalogue.csv"
    catalogue.write_text(
        "merchant,sku,title,category,gtin\namazon,HP-7,Headphones,electronics,4006381333931\n", "utf-8"
    )
    import_file(read_catalogue(catalogue), store)
    report = tmp_path / "report.txt"
    report.write_text(HEADER + amazon_row(1, 1), "utf-8")
    assert counts(import_file(read_returns(report), store).articles) == (0, 1, 0)
    item = store.directory.item("amazon", "HP-7")
    assert item is not None
    assert (item.title, item.category, item.gtins) == ("Headphones", "electronics", ("04006381333931",))
    assert item.codes == ("X00000HP-7", "B00000HP-7")


def test_a_merchant_that_is_known_stays_as_it_is(tmp_path: Path, store: Store) -> None:
    from station.returns.model import Merchant

    store.put_merchants([Merchant("amazon", "Amazon EU", "customer_first", currency="GBP")])
    path = tmp_path / "report.txt"
    path.write_text(HEADER + amazon_row(1, 1), "utf-8")
    assert import_file(read_returns(path), store).merchants.total == 0
    assert store.directory.merchant("amazon") == Merchant("amazon", "Amazon EU", "customer_first", currency="GBP")


def test_what_was_imported_is_found_by_what_is_scanned(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "returns.csv"
    path.write_text(
        "rma,merchant,sku,tracking,lpn\n"
        "rma-2026-1,acme,A,7948 0839 0594,\nRMA-2026-2,acme,A,1z999aa10123456784,\n"
        "RMA-2026-3,acme,A,9400111206206406260787,LPN-77AB\nRMA-2026-4,acme,A,00340433836442636597,\n",
        "utf-8",
    )
    import_file(read_returns(path), store)

    def found(scan: str) -> list[str]:
        kinds = (CandidateKind.RMA, CandidateKind.TRACKING, CandidateKind.LPN)
        looked_up = [
            one.id
            for candidate in interpret(scan)
            if candidate.kind in kinds
            for one in store.directory.returns_by(candidate.kind, candidate.key)
        ]
        return sorted(set(looked_up))

    assert found("RMA-2026-1") == ["rma-2026-1"]
    assert found("]C19622001560000000000000794808390594") == ["rma-2026-1"]
    assert found("1Z 999 AA1 01 2345 6784") == ["RMA-2026-2"]
    assert found("]C1420787459400111206206406260787") == ["RMA-2026-3"]
    assert found("lpn-77ab") == ["RMA-2026-3"]
    assert found("]C100340433836442636597") == ["RMA-2026-4"]


def test_refused_lines_are_counted_beyond_what_is_kept(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "KEPT_REFUSALS", 5)
    path = tmp_path / "returns.csv"
    path.write_text("rma,merchant,sku\n" + "R1,acme,\n" * 20, "utf-8")
    report = import_file(read_returns(path), store)
    assert (len(report.refused), report.refused_total) == (5, 20)


# --- the command ------------------------------------------------------------------------------------------------------


def station(*words: str | Path, stdin: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", *map(str, words)],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def as_json(text: str) -> Any:
    return json.load(io.StringIO(text))


def test_the_import_command(tmp_path: Path) -> None:
    home, path = tmp_path / "home", tmp_path / "report.txt"
    path.write_text(HEADER + amazon_row(1, 1) + amazon_row(2, 2), "utf-8")
    code, out, err = station("--home", home, "import", "returns", path, "--json")
    assert (code, err) == (0, "")
    assert as_json(out)["returns"] == {"new": 2, "changed": 0, "unchanged": 0}
    path.write_text(path.read_text("utf-8") + amazon_row(3, 3, date="13/13/2026"), "utf-8")
    code, out, _ = station("--home", home, "import", "returns", path)
    assert code == 1
    assert (
        "2        0 new, 0 changed, 2 unchanged" in " ".join(out.split(" ")) or "0 new, 0 changed, 2 unchanged" in out
    )
    assert "line 4, return-date: '13/13/2026': there is no such date" in out
    code, out, err = station("--home", home, "import", "catalogue", path, "--json")
    assert (code, out) == (2, "")
    assert "station import returns" in err
    assert station("--home", home, "import", "returns", tmp_path / "absent.csv")[0] == 2


def test_a_wrong_file_makes_no_home(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam,\n", "utf-8")
    assert station("--home", tmp_path / "home", "import", "returns", path)[0] == 2
    assert not (tmp_path / "home").exists()
