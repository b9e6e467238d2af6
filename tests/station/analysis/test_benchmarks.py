"""What others report, beside ours."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from station.analysis.benchmarks import Figure, Standing, compare, read_benchmarks
from station.analysis.linking import SoldLine
from station.analysis.rates import return_rates
from station.assets import asset
from station.errors import InvalidInput
from station.quantities import Money
from tests.station.analysis.material import START, a_sale, a_unit

SHIPPED = asset("analysis", "benchmarks.toml")


def test_each_number_that_ships_has_a_source_and_a_year() -> None:
    file, version = read_benchmarks(SHIPPED)
    assert {one.figure for one in file.benchmarks} == set(Figure)
    assert all(one.source and one.year >= 2020 for one in file.benchmarks)
    assert version.startswith("benchmarks@1 ")


def parcel_of(minutes: int) -> str:
    """A parcel whose first scan was so long before the unit's confirmation."""
    stamp = int((START - timedelta(minutes=minutes)).timestamp() * 1000)
    return str(uuid.UUID(int=stamp << 80 | 0x7 << 76 | 0b10 << 62))


def test_ours_stand_beside_them() -> None:
    file, version = read_benchmarks(SHIPPED)
    units = [
        a_unit(
            number, parcel_id=parcel_of(number * 60), second_look=number == 0, confirmed_at=START,
            started_at=START - timedelta(seconds=90),
        )
        for number in range(50)
    ]  # fmt: skip
    lines = [SoldLine(a_sale(number), (units[number],) if number < 19 else ()) for number in range(100)]
    rates = return_rates(lines)
    result = compare(units, file, version, rates=rates, wage=Money(2400, "USD"))
    found = {one.benchmark.name: one for one in result.comparisons}
    assert found["US online sales"].ours == 1900
    assert found["US online sales"].standing is Standing.BELOW
    assert found["all US retail sales, by value"].standing is Standing.ABOVE
    assert found["apparel sold online"].standing is Standing.UNKNOWN
    assert found["returns called fraudulent by retailers"].ours == 200
    assert found["best restocking"].ours == 24 * 60, "nearest rank: the 25th of 50, of 0 to 49 hours"
    assert found["best restocking"].standing is Standing.WITHIN
    assert found["price of a third party for one inspected unit"].ours == 60, "90 seconds at 24.00 an hour"
    assert all(one.benchmark.source in one.text for one in result.comparisons)
    assert ("file", version) in result.basis.parameters


def test_what_is_not_known_says_why() -> None:
    file, version = read_benchmarks(SHIPPED)
    result = compare([], file, version, wage=Money(2400, "EUR"))
    assert {one.standing for one in result.comparisons} == {Standing.UNKNOWN}
    assert any("the wage is in EUR" in one.text for one in result.comparisons)
    assert any("station import sales" in one.text for one in result.comparisons)


GOOD = """
kind = "benchmarks"
version = 1
[[benchmarks]]
figure = "return_rate"
name = "x"
unit = "bp"
low = 1
high = 2
year = 2025
source = "s"
"""


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("low = 1", "low = 3", "low ≤ high"),
        ('source = "s"', 'source = " "', "a source"),
        ("year = 2025", "year = 25", "a year"),
        ('unit = "bp"', 'unit = "minor"', "currency"),
        ('kind = "benchmarks"', 'kind = "gates"', "kind"),
        ("low = 1", "lowest = 1", "did you mean"),
        ('figure = "return_rate"', 'figure = "joy"', "joy"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, before: str, after: str, words: str) -> None:
    path = tmp_path / "benchmarks.toml"
    path.write_text(GOOD, "utf-8")
    read_benchmarks(path)
    path.write_text(GOOD.replace(before, after), "utf-8")
    with pytest.raises(InvalidInput, match=words):
        read_benchmarks(path)
