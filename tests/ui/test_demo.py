"""The demo as its user runs it, and a verdict that can also be "no"."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from station.assets import asset
from station.exchange.reading import read_catalogue
from station.returns.model import CatalogueItem
from ui.demo.robot import UnitRun
from ui.demo.shift import Twist, plan_shift
from ui.demo.verdict import Timings, defects_on_the_log, judge, standing_inspections

UNITS = 7
"""Enough for a wrong item, a heavy parcel, a broken seal, damaged lithium, an unplugged scale and a network gap."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One headless demo with the twists among its units."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "demo", "--headless", "--units", str(UNITS), "--seed", "3", "--out", folder],
        env={**os.environ, "STATION_HOME": str(folder / "unused")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_unit_arrives_and_nothing_is_lost_or_doubled(played: Path) -> None:
    summary = json.loads((played / "summary.json").read_text())
    assert summary["units"] == summary["inspections"] == summary["server_inspections"] == UNITS
    assert (summary["lost"], summary["duplicated"]) == (0, 0)
    assert summary["photos"] == summary["server_photos"] > UNITS
    assert summary["actions_per_clean_unit"] <= 3.0
    assert sum(summary["dispositions"].values()) == UNITS
    assert summary["dispositions"]["quarantine"] >= 2
    assert set(summary["scan_to_screen_ms"]) == set(summary["confirm_ms"]) == {"p50", "p99"}


def test_every_step_left_its_picture_and_every_plate_its_label(played: Path) -> None:
    screens = sorted(path.name for path in (played / "screens").glob("*.png"))
    for state in ("idle", "item", "mismatch", "weight", "weight_check", "photos", "questions", "confirm", "done"):
        assert any(f"-{state}-" in name for name in screens), state
    assert len(list((played / "labels").glob("*.png"))) == UNITS


def test_other_commands_can_be_pointed_at_what_it_leaves(played: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "--home", str(played / "station"), "journal", "verify", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True


def test_negative_control_the_verdict_notices_what_is_wrong(played: Path, tmp_path: Path) -> None:
    """Other truths than those that were played must be contradicted one by one."""
    inspections = standing_inspections(played / "station")
    catalogue = [x for x in read_catalogue(asset("demo", "catalogue.csv")) if isinstance(x, CatalogueItem)]
    plans = plan_shift(catalogue, UNITS, 3)
    heavier = [UnitRun(dataclasses.replace(plan, gross_mg=plan.gross_mg + 50_000)) for plan in plans]
    _, problems = judge(
        heavier,
        home=played / "station",
        labels=tmp_path,
        server_url="http://127.0.0.1:9",
        timings=Timings(),
        seconds=1.0,
    )
    text = "\n".join(problems)
    assert "lay on the scale" in text
    assert "no readable label" in text
    assert "the server does not say what it holds" in text
    assert f"{len(inspections)} lost" in text
    _, problems = judge(
        [UnitRun(plan) for plan in plans[1:]],
        home=played / "station",
        labels=played / "labels",
        server_url="http://127.0.0.1:9",
        timings=Timings(),
        seconds=1.0,
    )
    assert f"{UNITS - 1} units were played, {UNITS} inspections stand" in "\n".join(problems)


def test_the_same_seed_gives_the_same_shift_with_every_twist() -> None:
    catalogue = [x for x in read_catalogue(asset("demo", "catalogue.csv")) if isinstance(x, CatalogueItem)]
    assert plan_shift(catalogue, 30, 5) == plan_shift(catalogue, 30, 5)
    assert plan_shift(catalogue, 30, 5) != plan_shift(catalogue, 30, 6)
    for seed in range(20):
        assert {plan.twist for plan in plan_shift(catalogue, 12, seed)} == set(Twist)


def test_a_station_that_is_no_demo_is_never_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "station").mkdir()
    (tmp_path / "station" / "station.db").write_text("somebody's work")
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "demo", "--headless", "--units", "1", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "choose another folder" in done.stderr
    assert (tmp_path / "station" / "station.db").read_text() == "somebody's work"


def test_a_defect_on_the_log_is_part_of_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    line = '{"at":"x","level":"%s","room":"ui.threads","event":"%s","thread":"scale"}\n'
    (tmp_path / "logs" / "station.log").write_text(line % ("WARNING", "unplugged") + line % ("CRITICAL", "a bug"))
    assert defects_on_the_log(tmp_path) == ["a bug"]
