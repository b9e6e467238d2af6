"""Units and milligrams by route: nothing is lost between the columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from station.analysis.ledger import OPERATIONS, keep_ledger
from station.decision.model import Disposition
from tests.station.analysis.material import a_unit

units = st.builds(
    lambda number, route, mass, expected, category, declared: a_unit(
        number, disposition=route, mass_mg=mass, expected_mg=expected, category=category, declared=declared
    ),
    st.integers(0, 10**6), st.sampled_from([route.value for route in Disposition]),
    st.none() | st.integers(1, 10**9), st.none() | st.integers(1, 10**9), st.sampled_from(["", "apparel", "homeware"]),
    st.sampled_from(["", "style", "defective"]),
)  # fmt: skip


@given(st.lists(units, max_size=40))
def test_the_ledger_adds_up(made: list) -> None:  # type: ignore[type-arg]
    ledger = keep_ledger(made)
    assert sum(line.mass.units for line in ledger.routes) == ledger.total.units == len(made)
    assert sum(line.mass.weighed_mg for line in ledger.routes) == ledger.total.weighed_mg
    assert sum(line.mass.known_mg for line in ledger.routes) == ledger.total.known_mg
    gone = [one for one in made if one.disposition in ("recycle", "destroy")]
    assert sum(line.mass.units for line in ledger.discarded) == len(gone)
    assert sum(line.mass.weighed_mg for line in ledger.discarded) == sum(one.mass_mg or 0 for one in gone)
    for line in ledger.discarded:
        assert [one.operation for one in line.operations] == list(OPERATIONS)
        assert sum(one.mass.units for one in line.operations) == line.mass.units
        assert line.withdrawn + line.other_reasons == line.mass.units == sum(many for _, many in line.reasons)
        assert abs(sum(one.share_bp for one in line.operations) - 10_000) <= len(OPERATIONS)
    assert ledger.diverted_bp is None or 0 <= ledger.diverted_bp <= 10_000


def test_the_fields_that_are_asked_for() -> None:
    made = [
        a_unit(1, disposition="recycle", mass_mg=300_000, category="apparel", declared="style", found="used"),
        a_unit(2, disposition="destroy", mass_mg=100_000, category="apparel", declared="defective", why="gate_x",
               derogations=("destruction_ban",)),
        a_unit(3, disposition="destroy", expected_mg=100_000, category="apparel"),
        a_unit(4, disposition="donate", mass_mg=500_000, category="apparel"),
        a_unit(5, disposition="quarantine", mass_mg=500_000, category="apparel"),
    ]  # fmt: skip
    ledger = keep_ledger(made)
    (line,) = ledger.discarded
    assert (line.category, line.mass.units, line.mass.weighed_mg, line.mass.expected_mg) == (
        "apparel", 3, 400_000, 100_000,
    )  # fmt: skip
    assert line.reasons == (("gate_x", 1), ("in_order", 1), ("used", 1))
    assert line.derogations == (("destruction_ban", 1),)
    assert {one.operation: one.share_bp for one in line.operations if one.mass.units} == {
        "recycling": 6000, "disposal": 4000,
    }  # fmt: skip
    assert (line.withdrawn, line.other_reasons) == (1, 2)
    assert ledger.diverted_bp == round((300 + 500 + 500) / 1400 * 10_000)
    assert any("Check before claiming compliance" in text for text in (*ledger.text, *ledger.basis.definitions))


def test_burnt_for_energy_is_recovery_where_a_certificate_says_so() -> None:
    ledger = keep_ledger([a_unit(1, disposition="destroy")], operation_of={"destroy": "other_recovery"})
    assert [one.operation for one in ledger.discarded[0].operations if one.mass.units] == ["other_recovery"]


def test_what_was_missing_weighs_nothing_and_diverts_nothing() -> None:
    ledger = keep_ledger([a_unit(1, disposition="missing"), a_unit(2, mass_mg=5)])
    assert (ledger.total.units, ledger.total.weighed_mg, ledger.total.without_mass) == (2, 5, 0)
    assert ledger.diverted_bp == 10_000
