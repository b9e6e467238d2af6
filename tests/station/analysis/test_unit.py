"""Which units count, what is read of them, and that it is the same as the centre's figures count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.analysis.ledger import keep_ledger
from station.analysis.reasons import compare_reasons
from station.analysis.unit import units_seen
from station.decision.model import Disposition, Refund
from station.identify.scan import RawScan
from station.inspection.record import Inspection
from station.quantities import Money
from sync.server.facts import Inspected
from sync.server.figures.counting import Cells, State
from sync.server.figures.unit import unit_of
from sync.server.storage.rows_figures import BENCH_MEASURES
from tests.station.exchange.inspections import inspections, journal_of
from tests.sync.material import an_inspection, chain, fact, void_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def centre_sums(made: Sequence[Inspection]) -> dict[str, int]:
    """What the centre's figures count of standing inspections."""
    cells = Cells()
    for each in made:
        seen = msgspec.json.decode(fact(each).payload, type=Inspected)
        cells.change(State(), State(each.inspection_id, unit_of("bench-1", "ines", seen, NOW)))
    totals = [sum(sums[place] for sums in cells.benches.values()) for place in range(len(BENCH_MEASURES))]
    return dict(zip(BENCH_MEASURES, totals, strict=True))


@settings(max_examples=20)
@given(st.lists(inspections(), max_size=8))
def test_agreement_and_diversion_are_the_centres(made: list[Inspection]) -> None:
    made = [
        replace(
            each,
            inspection_id=f"i-{number}",
            declared_reason=("style", "defective", None)[number % 3],
            decision=replace(each.decision, found_reason=("defective", None, "style")[number // 3 % 3]),
        )
        for number, each in enumerate(made)
    ]
    sums = centre_sums(made)
    units = units_seen(journal_of(made)).units
    assert len(units) == sums["units"]
    compared = compare_reasons(units)
    assert (compared.both, compared.agree) == (sums["reasons_known"], sums["reasons_agree"])
    ledger = keep_ledger(units)
    assert sum(unit.mass_mg or 0 for unit in units) == sums["weighed_mg"]
    assert ledger.diverted_mg == sums["diverted_mg"]


@settings(max_examples=20)
@given(st.lists(inspections(), max_size=8))
def test_money_is_the_centres(made: list[Inspection]) -> None:
    made = [replace(each, inspection_id=f"i-{number}") for number, each in enumerate(made)]
    for unit, each in zip(
        sorted(units_seen(journal_of(made)).units, key=lambda one: int(one.inspection_id[2:])), made, strict=True
    ):
        theirs = unit_of("bench-1", "ines", msgspec.json.decode(fact(each).payload, type=Inspected), NOW)
        assert (unit.refunded.minor if unit.refunded is not None else None) == theirs.refund_minor
        priced = unit.original is not None and unit.recovered is not None
        assert priced == (theirs.original_minor is not None and theirs.recovered_minor is not None)
        if priced and unit.original is not None and unit.recovered is not None:
            assert (unit.original.minor, unit.recovered.minor) == (theirs.original_minor, theirs.recovered_minor)


def test_voided_and_corrected_ones_do_not_stand() -> None:
    first, second, third = an_inspection(1), an_inspection(2), an_inspection(3)
    correction = an_inspection(4, corrects=first.inspection_id)
    withdrawn = an_inspection(5, corrects=third.inspection_id)
    facts = [fact(each) for each in (first, second, third, correction, withdrawn)]
    seen = units_seen(chain([*facts, void_of(second), void_of(withdrawn)]))
    stands = {unit.inspection_id for unit in seen.units}
    assert stands == {third.inspection_id, correction.inspection_id}
    assert dict(seen.left_out) == {"voided": 2, "corrected by a later inspection": 1}


def test_the_order_of_entries_makes_no_difference() -> None:
    first = an_inspection(1)
    entries = chain([fact(first), fact(an_inspection(2, corrects=first.inspection_id)), void_of(an_inspection(3))])
    assert units_seen(entries) == units_seen(reversed(entries))


def test_period_and_merchant() -> None:
    made = [
        replace(
            an_inspection(number), merchant_id="a" if number % 2 else "b", confirmed_at=NOW + timedelta(days=number)
        )
        for number in range(6)
    ]
    seen = units_seen(journal_of(made), begin=NOW + timedelta(days=1), end=NOW + timedelta(days=4), merchant="a")
    assert [unit.confirmed_at for unit in seen.units] == [NOW + timedelta(days=1), NOW + timedelta(days=3)]
    assert dict(seen.left_out) == {"outside the period": 3, "of other merchants": 1}


def test_what_was_erased_or_cannot_be_read_is_said() -> None:
    entries = chain([fact(an_inspection(1)), fact(an_inspection(2)), fact(an_inspection(3))])
    erased, broken, good = entries
    seen = units_seen([replace(erased, payload=None), replace(broken, payload=b'{"inspection_id":1}'), good])
    assert len(seen.units) == 1
    assert dict(seen.left_out) == {"its personal data was erased": 1, "cannot be read by this version": 1}


@pytest.mark.parametrize(
    ("scan", "lot"),
    [
        (b"]C1010426000000001117270131" + b"10LOT-7\x1d21SER1", "LOT-7"),
        (b"(01)04260000000011(10)A7", "A7"),
        (b"https://id.gs1.org/01/04260000000011/10/B2", "B2"),
        (b"4260000000011", ""),
        (b"10LOT-7", ""),
        (b"]C1\xff\xfe\x00", ""),
        (b"", ""),
    ],
)
def test_the_lot_is_read_from_a_gs1_code(scan: bytes, lot: str) -> None:
    inspection = replace(an_inspection(1), scans=(RawScan(scan, "scanner-1", NOW),))
    assert units_seen(journal_of([inspection])).units[0].lot == lot


def test_amounts_that_no_return_can_have_are_left_out() -> None:
    plain = an_inspection(1)
    mad = replace(plain, decision=replace(plain.decision, refund=Refund(Money(10**15, "EUR"), "full", ())))
    (unit,) = units_seen(journal_of([mad])).units
    assert unit.refunded is None
    assert unit.disposition in set(Disposition)
