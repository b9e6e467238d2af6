"""Declared against found."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from station.analysis.reasons import compare_reasons
from tests.station.analysis.material import a_unit

codes = st.sampled_from(["", "style", "defective", "wrong_item", "size_too_small"])


@given(st.lists(st.tuples(codes, codes), max_size=80))
def test_the_table_adds_up(pairs: list[tuple[str, str]]) -> None:
    units = [a_unit(number, declared=one, found=other) for number, (one, other) in enumerate(pairs)]
    result = compare_reasons(units)
    assert sum(cell.units for cell in result.cells) == len(units) == result.basis.used
    both = [pair for pair in pairs if all(pair)]
    assert (result.both, result.agree) == (len(both), sum(one == other for one, other in both))
    assert result.agreement_bp is None if not both else 0 <= (result.agreement_bp or 0) <= 10_000
    assert compare_reasons(reversed(units)) == result
    assert result.text


def test_reasons_of_one_group_do_not_contradict_each_other() -> None:
    units = [a_unit(1, declared="style", found="colour"), a_unit(2, declared="style", found="defective")]
    result = compare_reasons(units, groups={"style": "taste", "colour": "taste"})
    assert (result.agree, result.same_group, result.same_group_bp) == (0, 1, 5000)


def test_a_fault_that_nobody_found_is_counted() -> None:
    units = [a_unit(1, declared="defective"), a_unit(2, declared="defective", found="defective"), a_unit(3)]
    assert compare_reasons(units, faults=frozenset({"defective"})).unheard == 1


def test_where_they_part_is_found_and_nothing_else() -> None:
    dice = random.Random(11)
    units = []
    for number in range(3000):
        sku = f"S{dice.randrange(30)}"
        apart = dice.random() < (0.6 if sku == "S7" else 0.1)
        units.append(a_unit(number, sku=sku, declared="defective", found="wrong_item" if apart else "defective"))
    result = compare_reasons(units)
    assert [one.excess.group.value for one in result.partings] == ["S7"]
    (parting,) = result.partings
    assert parting.most_often.declared == "defective"
    assert parting.most_often.found == "wrong_item"
    assert "S7" in parting.text
    assert "elsewhere" in parting.text
    assert parting.excess.lift is not None
    assert 4 < parting.excess.lift < 9


def test_too_few_is_said() -> None:
    result = compare_reasons([a_unit(1, declared="style", found="defective"), a_unit(2)])
    assert result.partings == ()
    assert "enough" in result.text[-1]
    assert compare_reasons([]).both == 0
