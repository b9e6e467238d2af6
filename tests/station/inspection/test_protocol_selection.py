"""Which protocol an article gets: SKU > merchant + category > category, longest first, whatever the order of files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.inspection.protocol import Applies, Protocol
from station.inspection.protocol_selection import select_protocol, ties
from tests.station.inspection.test_protocol_kinds import read

BASE = read()
CLAIMS = {
    "sku_of_merchant": Applies(merchant="acme", sku="S-1"),
    "sku": Applies(sku="S-1"),
    "merchant_long": Applies(merchant="acme", category="a.b.c"),
    "merchant_short": Applies(merchant="acme", category="a"),
    "long": Applies(category="a.b.c"),
    "short": Applies(category="a"),
}
"""Strongest first."""


def protocol(name: str, *applies: Applies) -> Protocol:
    return replace(BASE, id=name, categories=(), applies=applies)


@pytest.mark.parametrize("strongest", range(len(CLAIMS)))
def test_the_strongest_claim_wins_in_any_order(strongest: int) -> None:
    left = list(CLAIMS.items())[strongest:]
    for listed in (left, left[::-1]):
        found = select_protocol([protocol(name, claim) for name, claim in listed], "acme", "S-1", "a.b.c.d")
        assert found.protocol is not None
        assert found.protocol.id == left[0][0]
        assert [claim.protocol for claim in found.claims] == [name for name, _ in left]
        assert str(left[0][1]) in found.why


@pytest.mark.parametrize(
    ("merchant", "sku", "category", "chosen"),
    [
        ("other", "S-1", "a.b.c", "sku"),
        (None, "S-1", None, "sku"),
        ("acme", "S-2", "a.b", "merchant_short"),
        ("other", "S-2", "a.b.c", "long"),
        ("other", "S-2", "a.bc", "short"),
        ("other", "S-2", "ab", None),
        ("acme", "S-2", None, None),
        ("acme", "S-2", "b", None),
    ],
)
def test_what_does_not_fit_claims_nothing(
    merchant: str | None, sku: str, category: str | None, chosen: str | None
) -> None:
    found = select_protocol([protocol(name, claim) for name, claim in CLAIMS.items()], merchant, sku, category)
    assert (found.protocol.id if found.protocol is not None else None) == chosen
    assert ("held" in found.why) is (chosen is None)


def test_a_tie_is_held_and_named() -> None:
    both = [protocol("one", CLAIMS["long"]), protocol("two", CLAIMS["long"], CLAIMS["sku"])]
    (tie,) = ties(both)
    assert (tie.applies, tie.protocols) == (CLAIMS["long"], ("one", "two"))
    found = select_protocol(both, None, "S-9", "a.b.c")
    assert found.protocol is None
    assert "'one' and 'two' both claim category 'a.b.c': held" in found.why
    assert select_protocol(both, None, "S-1", "a.b.c").protocol is both[1], "the SKU decides"


_NAMES = st.sampled_from([None, "acme", "zeta"])
_CLAIM = st.one_of(
    st.builds(Applies, merchant=_NAMES, category=st.sampled_from(["a", "a.b", "a.b.c", "b"])),
    st.builds(Applies, merchant=_NAMES, sku=st.sampled_from(["S-1", "S-2"])),
)


@given(
    st.lists(st.lists(_CLAIM, min_size=1, max_size=3, unique=True), min_size=1, max_size=5),
    _NAMES,
    st.sampled_from(["S-1", "S-2", "S-3"]),
    st.sampled_from([None, "a", "a.b", "a.b.c.d", "b", "c"]),
)
def test_without_ties_there_is_one_answer_whatever_the_order(
    claims: list[list[Applies]], merchant: str | None, sku: str, category: str | None
) -> None:
    known = [protocol(f"p{number}", *applies) for number, applies in enumerate(claims)]
    found = select_protocol(known, merchant, sku, category)
    turned = select_protocol(known[::-1], merchant, sku, category)
    assert (found.protocol, found.why) == (turned.protocol, turned.why)
    if not ties(known):
        assert (found.protocol is not None) == bool(found.claims)
    if found.protocol is None and found.claims:
        assert ties(known), "two claims of one rank are the same claim"
