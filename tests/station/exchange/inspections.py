"""Inspections of every shape, for what is exported of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from station.decision.model import Disposition, Gate, GateState, Reason, Refund
from station.inspection.facts import IdentityOutcome
from station.inspection.record import Inspection
from station.journal.entry import Entry
from station.quantities import Money
from tests.sync.material import an_inspection, chain, fact, void_of

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
times = st.datetimes(
    min_value=datetime(1971, 1, 1), max_value=datetime(2099, 1, 1),  # noqa: DTZ001  (hypothesis adds the zone)
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
)  # fmt: skip
defects = st.tuples(st.just("deformation"), st.sampled_from(["minor", "major"]))
gates = st.builds(
    lambda id, state: Gate(id, state, Reason(id, "because"), ()),
    st.sampled_from(["recall", "expired", "lithium", "hygiene", "other"]), st.sampled_from(list(GateState)),
)  # fmt: skip


@st.composite
def inspections(draw: st.DrawFn) -> Inspection:
    """Any inspection, as strange as the types allow."""
    plain = an_inspection(draw(st.integers(0, 999)))
    amount = draw(st.none() | st.builds(Money, st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD"])))
    weight = plain.weight
    assert weight is not None
    weight = draw(
        st.none() | st.just(replace(weight, gross_mg=draw(st.integers(-(10**9), 10**12)), device=draw(texts)))
    )
    decision = replace(
        plain.decision,
        disposition=draw(st.sampled_from(list(Disposition))),
        gates=tuple(draw(st.lists(gates, max_size=3))),
        grade=draw(st.sampled_from([None, plain.decision.grade])),
        refund=Refund(amount, "full", ()),
        tote=draw(texts),
    )
    at = draw(times)
    return replace(
        plain,
        lpn=draw(texts), rma=draw(st.none() | texts), merchant_id=draw(st.none() | texts), sku=draw(st.none() | texts),
        gtin=draw(st.sampled_from([None, "04260000000011"])), serial_found=draw(st.none() | texts),
        title=draw(texts), identity=draw(st.sampled_from(list(IdentityOutcome))), weight=weight,
        defects=tuple(draw(st.lists(defects, max_size=2))),
        decision=decision, started_at=at, confirmed_at=at + timedelta(seconds=9),
    )  # fmt: skip


def journal_of(made: Sequence[Inspection], voided: Sequence[Inspection] = ()) -> list[Entry]:
    return chain([*(fact(each) for each in made), *(void_of(each) for each in voided)])
