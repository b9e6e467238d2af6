"""``station analyse`` as a person and as a script use it, on a real home."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from station.clock import SystemClock
from station.quantities import Money
from station.returns.model import Merchant, ReturnAuthorisation, ReturnLine
from station.returns.sale import Sale
from station.store.store import Store
from tests.sync.material import an_inspection, fact
from ui.cli.analysing import analyse

FIRST = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)
COMMANDS = ("causes", "reasons", "rates", "forecast", "staffing", "ledger", "benchmarks")
UNITS, SALES = 700, 2400


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten weeks of a bench: orders, and what came back of them."""
    home = tmp_path_factory.mktemp("worked")
    dice = random.Random(6)
    sales = [
        Sale("m", f"O-{number}", f"S{number % 8}", 1, FIRST - timedelta(days=30) + timedelta(minutes=20 * number),
             Money(2000, "EUR"), "web", "", f"V{number % 2}")
        for number in range(SALES)
    ]  # fmt: skip
    came = sorted(dice.sample(range(SALES), UNITS))
    returns = [
        ReturnAuthorisation(f"RMA-{one}", "m", f"O-{one}", (ReturnLine(1, f"S{one % 8}", 1),)) for one in came
    ]  # fmt: skip
    inspections = []
    for place, one in enumerate(came):
        plain = an_inspection(place)
        begun = FIRST + timedelta(days=place // 10, minutes=45 * (place % 10))
        inspections.append(
            replace(
                plain, merchant_id="m", rma=f"RMA-{one}", sku=f"S{one % 8}", category="homeware",
                declared_reason="style",
                decision=replace(plain.decision, found_reason="defective" if one % 8 == 3 else None),
                started_at=begun, confirmed_at=begun + timedelta(seconds=dice.randrange(60, 600)),
                parcel_id=f"parcel-{one}",
            )
        )  # fmt: skip
    with Store.open(home, station="bench-1", clock=SystemClock(), ballast_bytes=0) as store:
        store.put_merchants([Merchant("m", "M", "small_brand")])
        store.put_returns(returns)
        store.put_sales(sales)
        for start in range(0, UNITS, 100):
            store.commit([fact(each) for each in inspections[start : start + 100]], actor="ines", drafts={})
    return home


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(analyse, list(words), obj=home, catch_exceptions=True)


def said(home: Path, *words: str) -> dict[str, Any]:
    result = run(home, *words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    document: dict[str, Any] = json.loads(result.output)
    return document


@pytest.mark.parametrize("name", COMMANDS)
def test_every_analysis_explains_itself(worked: Path, name: str) -> None:
    document = said(worked, name)
    assert document["analysis"] == name
    assert document["text"]
    assert document["basis"]["definitions"]
    assert document["basis"]["method"].endswith("@1")
    assert document["basis"]["used"] > 0
    plain = run(worked, name)
    assert plain.exit_code == 0
    assert document["text"][0] in plain.output
    assert said(worked, name) == document, "the same record gives the same answer"


def test_the_planted_cause_is_named(worked: Path) -> None:
    for of in ("returned", "sold"):
        document = said(worked, "causes", "--of", of)
        groups = [one["excess"]["group"] for one in document["causes"]]
        assert ("sku", "S3", "defective") in {(one["dimension"], one["value"], one["case"]) for one in groups}, of
        assert {one["dimension"] for one in document["paretos"]} >= {"sku", "supplier"}


def test_rates_count_what_was_sold(worked: Path) -> None:
    document = said(worked, "rates")
    assert document["returned"] > 500
    assert document["sold"] > document["returned"]
    assert document["orders"]["learnt"] is True
    assert document["orders"]["calibration"]["bins"]
    young = said(worked, "rates", "--ripe-days", "0")
    assert young["sold"] == SALES
    assert young["returned"] == UNITS


def test_the_plan_is_in_plain_words(worked: Path) -> None:
    output = run(worked, "staffing", "--within", "15", "--zone", "Europe/Warsaw").output
    assert "needs 1 bench (2 people) for 95 % within 15 min" in output
    assert said(worked, "forecast", "--days", "3")["days"][2]["weekday"]


def test_a_period_and_a_merchant_are_kept_to(worked: Path) -> None:
    document = said(worked, "ledger", "--from", "2026-09-08", "--to", "2026-09-09")
    assert document["total"]["units"] == 20
    assert (document["from"], document["to"]) == ("2026-09-08", "2026-09-09")
    assert ["outside the period", UNITS - 20] in document["left_out"]
    assert said(worked, "ledger", "--merchant", "nobody")["total"]["units"] == 0


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("ledger", "--from", "2026-09-09", "--to", "2026-09-08"), 2, "is after"),
        (("forecast", "--zone", "Mars/Olympus"), 2, "is no time zone"),
        (("forecast", "--to", "2026-09-12"), 1, "at least 14"),
        (("staffing", "--merchant", "nobody"), 1, "at least 14"),
        (("benchmarks", "--wage", "much"), 2, "is not an amount"),
    ],
)
def test_what_cannot_be_answered_says_why(worked: Path, words: tuple[str, ...], code: int, text: str) -> None:
    result = run(worked, *words)
    assert getattr(result.exception, "exit_code", None) == code
    assert text in str(result.exception)


def test_an_empty_folder_is_the_environments_fault(tmp_path: Path) -> None:
    result = run(tmp_path, "causes")
    assert getattr(result.exception, "exit_code", None) == 3
    assert "holds no station" in str(result.exception)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_there(tmp_path: Path, name: str) -> None:
    assert run(tmp_path, name, "--help").exit_code == 0
