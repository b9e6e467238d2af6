"""Imports and look-ups: what went in comes out by every key, and importing twice changes nothing."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from store_lab import START, inspection

from station.errors import StoreFault
from station.identify.scan import CandidateKind
from station.inspection.ports import Directory
from station.quantities import Money
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine, Trait
from station.store import Counts, Store

SHIRT = CatalogueItem(
    merchant_id="m",
    sku="SHIRT-1",
    title="Linen shirt, café",
    category="apparel.top",
    gtins=("04260000000004", "04260000000011"),
    codes=("X001ABC", "B00FNSKU12", "SHIRT-1"),
    price=Money(5490, "EUR"),
    mass_mg=286_000,
    mass_tolerance_mg=5_000,
    accessories=(("belt", 40_000),),
    traits=(Trait.HYGIENE,),
    serialised=True,
)
OTHERS_SHIRT = CatalogueItem(merchant_id="other", sku="SHIRT-1", title="Cotton shirt", category=None)
RETURN = ReturnAuthorisation(
    id="RMA-2026-004711",
    merchant_id="m",
    order_id="O-1",
    lines=(ReturnLine(1, "SHIRT-1", 2, "size_too_small", "zu klein", "S-1", Money(5490, "EUR")),),
    tracking=("1Z999AA10123456784",),
    ordered_at=START,
    delivered_at=START,
    lpns=("LPNRR001",),
)


def test_everything_of_an_item_comes_back(store: Store) -> None:
    assert store.put_items([SHIRT, OTHERS_SHIRT]) == Counts(new=2)
    directory: Directory = store.directory
    for code in ("04260000000004", "04260000000011", "X001ABC", "B00FNSKU12"):
        assert directory.items_by_code(code) == (SHIRT,)
    assert directory.items_by_code("SHIRT-1") == (SHIRT, OTHERS_SHIRT)
    assert directory.items_by_code("nobody's") == ()
    assert directory.item("m", "SHIRT-1") == SHIRT
    assert directory.item("other", "SHIRT-1") == OTHERS_SHIRT
    assert directory.item("m", "SHIRT-2") is None


def test_importing_twice_changes_nothing_and_a_change_moves_its_codes(store: Store) -> None:
    assert store.put_items(iter([SHIRT, OTHERS_SHIRT])) == Counts(new=2)
    assert store.put_items(iter([SHIRT, OTHERS_SHIRT])) == Counts(unchanged=2)
    changed = replace(SHIRT, gtins=("04260000000028",), title="Linen shirt")
    assert store.put_items([changed, OTHERS_SHIRT]) == Counts(changed=1, unchanged=1)
    assert store.directory.items_by_code("04260000000004") == ()
    assert store.directory.items_by_code("04260000000028") == (changed,)
    assert store.directory.items_by_code("X001ABC") == (changed,)


def test_of_two_records_with_one_name_the_last_counts(store: Store) -> None:
    store.put_items([SHIRT, replace(SHIRT, title="second", gtins=())])
    assert store.directory.items_by_code("04260000000004") == ()
    found = store.directory.item("m", "SHIRT-1")
    assert found is not None
    assert found.title == "second"


def test_a_return_is_found_by_every_key_open_ones_first(store: Store) -> None:
    closed = replace(RETURN, id="RMA-A", status="closed", lpns=())
    others = replace(RETURN, merchant_id="other", tracking=(), lpns=(), lines=())
    assert store.put_returns([closed, RETURN, others]) == Counts(new=3)
    assert store.put_returns([closed, RETURN, others]) == Counts(unchanged=3)
    find = store.directory.returns_by
    assert find(CandidateKind.TRACKING, "1Z999AA10123456784") == (RETURN, closed)
    assert find(CandidateKind.RMA, "RMA-2026-004711") == (RETURN, others)
    assert find(CandidateKind.RMA, "rma-2026-004711") == (RETURN, others)
    assert find(CandidateKind.LPN, "LPNRR001") == (RETURN,)
    assert find(CandidateKind.LPN, "1Z999AA10123456784") == (), "each kind has keys of its own"
    assert find(CandidateKind.GTIN, "RMA-2026-004711") == ()
    assert store.put_returns([replace(RETURN, status="closed", lpns=("LPNRR002",))]) == Counts(changed=1)
    assert find(CandidateKind.LPN, "LPNRR001") == ()
    assert find(CandidateKind.LPN, "LPNRR002")[0].status == "closed"


def test_a_plate_given_at_the_bench_leads_to_its_return(store: Store) -> None:
    store.put_returns([RETURN])
    store.commit([inspection(7, rma="RMA-2026-004711")], actor="ines", drafts={})
    assert store.directory.returns_by(CandidateKind.LPN, "LPN-7") == (RETURN,)


def test_merchants(store: Store) -> None:
    merchant = Merchant("m", "Möbelhaus", "small_brand")
    assert store.put_merchants([merchant]) == Counts(new=1)
    assert store.put_merchants([merchant, Merchant("n", "N", "marketplace")]) == Counts(new=1, unchanged=1)
    assert store.put_merchants([replace(merchant, policy="customer_first")]) == Counts(changed=1)
    assert store.directory.merchant("m") == replace(merchant, policy="customer_first")
    assert store.directory.merchant("x") is None


def test_a_long_import_streams_and_the_bench_goes_on(store: Store) -> None:
    """The import waits in the middle of its input while the bench confirms a unit: no transaction is held open."""
    reached, go_on = threading.Event(), threading.Event()

    def items():  # type: ignore[no-untyped-def]
        for number in range(10_000):
            if number == 6_000:
                reached.set()
                assert go_on.wait(30)
            yield replace(SHIRT, sku=f"S-{number}", gtins=(f"{number:014d}",), codes=())

    counts: list[Counts] = []
    thread = threading.Thread(target=lambda: counts.append(store.put_items(items())))
    thread.start()
    assert reached.wait(30)
    store.commit([inspection(1)], actor="ines", drafts={})
    assert store.directory.item("m", "S-100") is not None
    assert store.directory.item("m", "S-6000") is None
    go_on.set()
    thread.join(30)
    assert counts == [Counts(new=10_000)]
    assert store.directory.items_by_code("00000000009999")[0].sku == "S-9999"


def test_a_failing_input_leaves_whole_batches_and_can_be_repeated(store: Store) -> None:
    def items(fail: bool):  # type: ignore[no-untyped-def]
        for number in range(5_000):
            if fail and number == 4_500:
                raise OSError("the file ended")
            yield replace(SHIRT, sku=f"S-{number}", gtins=(), codes=())

    with pytest.raises(OSError, match="the file ended"):
        store.put_items(items(fail=True))
    assert store.put_items(items(fail=False)) == Counts(new=1_000, unchanged=4_000)


def test_nothing_is_accepted_after_close(store: Store) -> None:
    store.close()
    with pytest.raises(StoreFault, match="store is closed"):
        store.put_items([SHIRT])
