"""A bench with everything in force: flags before the decision, the draw in the record and nowhere on the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from station.canonical import canonical_json
from station.decision.again import Recorded, run_again
from station.ids import uuid7
from station.inspection.desk import Desk, Seat
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.inspection.stepper import Site
from station.inspection.view import State
from station.review.bench import Auditing, shipped
from station.review.doubts import DoubtBook, read_doubts
from station.review.draw import DrawKey, same_draw
from station.review.plan import Severity, read_plan
from station.review.score import Threshold
from station.review.switching import Cell, Standing
from station.store.reading import read_entries
from station.store.store import Store
from tests.station.inspection.bench import RULES, START, Bench, open_store

PLAN, KEY = read_plan(), DrawKey(bytes(range(32)))
ANA = Cell("Ana", "apparel", "A")


def bench_at(store: Store, site: Site) -> Bench:
    """The same bench at a site where things are in force."""

    class Here(Bench):
        def new_desk(self) -> Desk:
            return Desk(self.store, RULES, Seat("bench-1", "Ana"), self.clock, uuid7, START, site)

    return Here(store)


def worked(home: Path, site: Site, units: int = 1, gross_g: int = 312) -> tuple[list[Inspection], list[str]]:
    """Shirts through a bench: what was recorded, and all that was shown before and after each CONFIRM."""
    shown = []
    with open_store(home) as store:
        bench = bench_at(store, site)
        for number in range(units):
            parcel = f"RMA-2026-{5000 + number:06d}"
            bench.clean_unit(parcel, gross_g=gross_g)
            shown.append(repr(bench.last))
            if bench.state is not State.DONE:
                bench.scan("RSC-CONFIRM")
            assert bench.state is State.DONE, bench.code
            shown.append(repr(bench.last))
    entries = read_entries(home, {INSPECTION_CONFIRMED})
    return [msgspec.json.decode(entry.payload or b"", type=Inspection) for entry in entries], shown


def test_the_draw_is_in_the_record_and_an_auditor_repeats_it(tmp_path: Path) -> None:
    auditing = Auditing(KEY, PLAN, {ANA: Standing(Severity.TIGHTENED)})
    records, shown = worked(tmp_path, Site(audit=auditing), units=12)
    draws = [record.audit for record in records]
    assert len(draws) == 12
    for record, kept in zip(records, draws, strict=True):
        assert kept is not None
        assert (kept.plan, kept.key, kept.severity) == ("audit@1", KEY.name, Severity.TIGHTENED)
        assert same_draw(KEY, PLAN, record.unit_id, kept)
        assert kept.drawn == (KEY.number(PLAN, record.unit_id) * 1_000_000 < 200_000 << 64)
        assert all(look.code != "look_audit" for look in record.decision.second_look)
    assert not [text for text in shown if "audit" in text or KEY.name in text]


def test_without_an_audit_nothing_is_drawn_and_a_record_of_before_is_read(tmp_path: Path) -> None:
    records, _ = worked(tmp_path, Site())
    assert records[0].audit is None
    before = msgspec.to_builtins(records[0])
    del before["audit"]
    assert msgspec.convert(before, Inspection) == records[0]


def test_what_a_bench_is_given_reaches_the_decision_and_a_clean_unit_stays_one_scan(tmp_path: Path) -> None:
    records, _ = worked(tmp_path / "plain", Site(review=shipped()))
    assert records[0].decision.second_look == ()
    eager = replace(shipped(), limit=Threshold(-99_999, 10_000, 0, 0), doubts=doubting())
    records, _ = worked(tmp_path / "eager", Site(review=eager))
    codes = [look.code for look in records[0].decision.second_look]
    assert codes == ["look_doubt_photo_unclear"]


def doubting() -> DoubtBook:
    """Everybody's photos are too blurred."""
    return msgspec.structs.replace(read_doubts(), sharpness_from=10_000)


def test_a_close_call_asks_for_a_look_and_is_decided_again_to_the_same_bytes(tmp_path: Path) -> None:
    """Found once the decision is there, it still is part of what the record is decided again from."""
    near = msgspec.structs.replace(read_doubts(), close_call={"EUR": 10**9}, close_call_from={"EUR": 0})
    (record,), _ = worked(tmp_path / "near", Site(review=replace(shipped(), doubts=near)))
    assert [look.code for look in record.decision.second_look] == ["look_doubt_close_call"]
    assert record.decision.needs_confirm
    assert record.basis is not None
    basis = record.basis
    recorded = Recorded(record, basis.at, basis.merchant, basis.item, basis.authorisation)
    assert canonical_json(run_again(recorded, RULES).decision) == canonical_json(record.decision)
    (plain,), _ = worked(tmp_path / "plain", Site(review=shipped()))
    assert plain.decision.second_look == (), "negative control"
