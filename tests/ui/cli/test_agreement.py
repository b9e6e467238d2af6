"""``station agreement`` from outside, over a real journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from station.store.reading import read_entries
from tests.station.inspection.bench import open_store
from tests.station.review.agreement.blind_lab import BlindBench
from ui.cli.agreement import SECRET_FILE
from ui.cli.group import run


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    """A home where Ana has inspected eight shirts."""
    (tmp_path / "station.toml").write_text('[station]\nid = "bench-1"\n')
    store = open_store(tmp_path)
    bench = BlindBench(store, "Ana")
    for number in (4711, *range(5000, 5007)):
        bench.clean_unit(f"RMA-2026-{number:06d}")
    store.close()
    return tmp_path


def said(home: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run(["--home", str(home), "agreement", *words]) == code, capsys.readouterr().err
    return capsys.readouterr().out


def test_plan_look_and_report(floor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("plan", "--inspector", "Ana", "--inspector", "Bo", "--again", "2", "--golden", "0")
    at = ("--at", "2026-11-24T08:00:00", "--json")
    shown = json.loads(said(floor, capsys, *asked, *at, "--dry-run"))
    before = len(read_entries(floor))
    made = json.loads(said(floor, capsys, *asked, *at))
    assert made == shown, "what was shown is what is done"
    assert len(read_entries(floor)) == before + 2
    assert {errand["planted"]["rater"] for errand in made["errands"]} == {"Bo"}
    again = json.loads(said(floor, capsys, *asked, *at, "--dry-run"))
    told = [(errand["planted"]["subject"], errand["planted"]["rater"]) for errand in made["errands"]]
    assert [(errand["planted"]["subject"], errand["planted"]["rater"]) for errand in again["errands"]] == told
    assert (floor / SECRET_FILE).stat().st_mode & 0o077 == 0

    store = open_store(floor)
    bench = BlindBench(store, "Bo")
    for errand in made["errands"]:
        bench.clean_unit(errand["planted"]["rma"])
    store.close()
    report = json.loads(said(floor, capsys, "report", "--json"))
    assert report["basis"]["used"] == 2
    assert all(measure["agreement"]["kappa"] is None for measure in report["measures"])
    assert "Everybody said 'A' of all 2 units: that is full agreement" in said(floor, capsys, "report")
    assert "not watched yet" in said(floor, capsys, "drift")
    card = said(floor, capsys, "card", "Bo")
    assert "2 of your units were also looked at by somebody else" in card


def test_a_golden_item_needs_two_people_and_an_inspection_that_stands(
    floor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = next(one for one in read_entries(floor) if one.kind == "inspection.confirmed")
    name = json.loads(entry.payload or b"")["inspection_id"]
    assert run(["--home", str(floor), "agreement", "golden", name, "--agreed-by", "Lea", "--why", "x"]) == 2
    assert "needs two people" in capsys.readouterr().err
    both = ("--agreed-by", "Lea", "--agreed-by", "Max", "--why", "tags on, no marks")
    assert run(["--home", str(floor), "agreement", "golden", "nope", *both]) == 2
    assert "no inspection 'nope'" in capsys.readouterr().err
    assert "grade A, agreed by Lea and Max" in said(floor, capsys, "golden", name, *both)
    asked = ("plan", "--inspector", "Bo", "--again", "0", "--at", "2026-11-24T08:00:00", "--json")
    (errand,) = json.loads(said(floor, capsys, *asked))["errands"]
    assert (errand["planted"]["subject"], errand["planted"]["why"]) == (name, "golden")


def test_a_home_without_a_journal_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--home", str(tmp_path), "agreement", "report"]) == 3
    assert "holds no station's journal" in capsys.readouterr().err
