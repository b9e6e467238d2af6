"""Units and their sales."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from station.analysis.linking import link
from tests.station.analysis.material import a_sale, a_unit

ORDERS = {("m", f"RMA-{number}"): f"O-{number // 3}" for number in range(30)}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("AB"), st.integers(1, 3), st.sampled_from(["", "x"]))),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("AB"), st.sampled_from(["", "x"])), max_size=30),
)
def test_every_unit_has_one_sale_or_a_reason(
    sold: list[tuple[int, str, int, str]], came: list[tuple[int, str, str]]
) -> None:
    sales = {(order, sku, lot): a_sale(order, sku, quantity=many, lot=lot) for order, sku, many, lot in sold}.values()
    units = [a_unit(number, rma=f"rma-{rma}", sku=sku, lot=lot) for number, (rma, sku, lot) in enumerate(came)]
    linked = link(sales, units, ORDERS)
    assert len(linked.lines) == len(sales)
    placed = Counter(unit.inspection_id for line in linked.lines for unit in line.units)
    assert set(placed) == set(linked.sale_of)
    assert all(many == 1 for many in placed.values())
    assert placed.total() + sum(many for _, many in linked.left_out) == len(units)
    for line in linked.lines:
        assert len(line.units) <= line.sale.quantity
        for unit in line.units:
            assert (unit.sku, ORDERS["m", unit.rma.upper()]) == (line.sale.sku, line.sale.order_id)


def test_the_lot_decides_between_two_sales_of_one_article() -> None:
    sales = [a_sale(0, lot="L1"), a_sale(0, lot="L2")]
    units = [a_unit(1, rma="RMA-0", lot="L2"), a_unit(2, rma="RMA-1", lot="L2"), a_unit(3, rma="RMA-2")]
    linked = link(sales, units, ORDERS)
    assert [[unit.inspection_id for unit in line.units] for line in linked.lines] == [["i-2"], ["i-1"]]
    assert dict(linked.left_out) == {"more units came back than the order had": 1}


def test_what_was_not_in_the_parcel_did_not_come_back() -> None:
    linked = link([a_sale(0)], [a_unit(1, rma="RMA-0", identity="missing")], ORDERS)
    assert linked.lines[0].units == ()
