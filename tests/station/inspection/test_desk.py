"""The use cases of a bench over a real store: what the inspector does and what the screen then shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from station.decision.model import Disposition
from station.identify.commands import Command
from station.inspection.facts import IdentityOutcome
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection
from station.inspection.view import Band, State, Step, Tone
from station.store.reading import read_entries
from station.store.store import DiskState, Store
from tests.station.inspection.bench import HEADPHONES, MUG, SHIRT, Bench, open_store


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_store(tmp_path) as store:
        yield Bench(store)


def inspections(bench: Bench) -> list[Inspection]:
    found = read_entries(bench.store.home, [INSPECTION_CONFIRMED])
    return [msgspec.json.decode(entry.payload or b"", type=Inspection) for entry in found]


def test_a_clean_unit_costs_three_scans_and_nothing_else(bench: Bench) -> None:
    outcome = bench.clean_unit("RMA-2026-004711")
    view = outcome.view
    assert (view.state, view.step, view.notice.band) == (State.DONE, Step.DECISION, Band.ACCEPT)
    assert view.decision is not None
    assert view.decision.disposition is Disposition.RESTOCK
    assert outcome.tone is Tone.ACCEPT
    assert [job.lpn for job in outcome.labels] == [view.lpn]
    (inspection,) = inspections(bench)
    assert inspection.rma == "RMA-2026-004711"
    assert inspection.weight is not None
    assert inspection.weight.gross_mg == 312_000
    assert len(inspection.photos) == 2
    assert {answer.given_by for answer in inspection.answers} == {"shortcut:RSC-CLEAN"}
    assert inspection.declared_reason == "unwanted"


def test_the_next_parcel_follows_without_any_act_between(bench: Bench) -> None:
    for number in (5000, 5001, 5002):
        assert bench.clean_unit(f"RMA-2026-{number:06d}").view.state is State.DONE
    assert len(inspections(bench)) == 3
    assert [unit.title for unit in bench.desk.show().view.recent] == ["Linen shirt"] * 3


def test_a_parcel_is_found_by_its_tracking_number(bench: Bench) -> None:
    assert bench.scan("1Z999AA10123456781").view.state in (State.ITEM, State.IDLE)
    bench.scan("]C01Z999AA10123456784")
    assert bench.last.view.notice.code in ("scan_item", "parcel_ambiguous", "code_bad_check", "parcel_unknown")


def test_further_units_of_a_return_cost_two_scans(bench: Bench) -> None:
    bench.clean_unit("RMA-2026-004713")
    assert bench.state is State.DONE
    for item, mass in ((SHIRT, 312), (MUG, 395)):
        bench.scan(item)
        bench.weigh(mass)
        bench.photograph_all()
        assert bench.scan("RSC-CLEAN").view.state is State.DONE
    assert sorted((x.line, x.sku) for x in inspections(bench)) == [(1, "SHIRT"), (1, "SHIRT"), (2, "MUG")]
    assert bench.scan("RMA-2026-004713").view.notice.code == "parcel_all_done"


def test_a_wrong_item_is_an_outcome_and_is_held(bench: Bench) -> None:
    bench.scan("RMA-2026-004711")
    outcome = bench.scan(MUG)
    assert (bench.state, bench.code, outcome.tone) == (State.MISMATCH, "not_the_item", Tone.REJECT)
    assert outcome.view.mismatch is not None
    assert outcome.view.mismatch.scanned_title == "Stoneware mug"
    assert outcome.view.mismatch.expected[0].title == "Linen shirt"
    bench.give(Command.WRONG_ITEM)
    card = bench.last.view.item
    assert card is not None
    assert (card.title, card.rma) == ("Stoneware mug", "RMA-2026-004711")
    bench.weigh(395)
    bench.photograph_all()
    while bench.last.view.question is not None:
        bench.give(Command.CHOICE_1)
    assert bench.state is State.CONFIRM
    bench.give(Command.CONFIRM)
    (inspection,) = inspections(bench)
    assert inspection.identity is IdentityOutcome.WRONG_ITEM
    assert inspection.decision.disposition is Disposition.QUARANTINE
    assert inspection.line == 1


def test_the_right_item_after_a_wrong_one_goes_on_and_keeps_both_scans(bench: Bench) -> None:
    bench.scan("RMA-2026-004711")
    bench.scan(MUG)
    bench.scan(SHIRT)
    assert bench.state is State.WEIGHT
    bench.weigh(312)
    bench.photograph_all()
    bench.scan("RSC-CLEAN")
    assert [scan.data.decode() for scan in inspections(bench)[0].scans] == [MUG, SHIRT]


def test_a_wrong_serial_shows_expected_and_found(bench: Bench) -> None:
    bench.scan("RMA-2026-004712")
    bench.scan(f"]d2010{HEADPHONES}21OTHER-1")
    notice = bench.last.view.notice
    assert (bench.state, notice.code) == (State.MISMATCH, "wrong_serial")
    assert (notice.facts["expected"], notice.facts["scanned"]) == ("HD7-22941", "OTHER-1")
    bench.give(Command.WRONG_ITEM)
    assert bench.last.view.item is not None
    assert bench.desk.show().view.state is State.WEIGHT


def test_a_code_that_nobody_knows_is_refused_and_stays_refused(bench: Bench) -> None:
    outcome = bench.scan("HELLO-WORLD")
    assert (bench.code, outcome.tone, outcome.view.notice.band) == ("parcel_unknown", Tone.REJECT, Band.REJECT)
    assert bench.desk.show().view.notice.code == "parcel_unknown"


def test_a_misread_code_is_named_as_such(bench: Bench) -> None:
    assert bench.scan("]E04260123457326").view.notice.code == "code_bad_check"


def test_an_unknown_command_is_no_product(bench: Bench) -> None:
    assert bench.scan("RSC-FROBNICATE").view.notice.code == "scan_not_understood"


def test_an_unannounced_parcel_is_recorded_and_held(bench: Bench) -> None:
    bench.scan("RSC-NO-LABEL")
    assert (bench.state, bench.code) == (State.ITEM, "unannounced_item")
    bench.scan("4000000000006")
    bench.weigh(120)
    bench.photograph_all()
    assert bench.state is State.CONFIRM
    bench.scan("RSC-CONFIRM")
    (inspection,) = inspections(bench)
    assert inspection.identity is IdentityOutcome.UNKNOWN
    assert inspection.decision.disposition is Disposition.QUARANTINE
    assert inspection.rma is None


def test_an_unmapped_article_is_held_never_restocked(bench: Bench) -> None:
    bench.scan("RMA-2026-004714")
    bench.scan("4006381333931")
    bench.weigh(100)
    bench.photograph_all()
    assert bench.state is State.CONFIRM
    bench.give(Command.CONFIRM)
    assert inspections(bench)[0].decision.disposition is Disposition.QUARANTINE


def test_an_announced_unit_that_is_not_there_is_recorded_missing(bench: Bench) -> None:
    bench.scan("RMA-2026-004711")
    bench.give(Command.MISSING)
    assert bench.state is State.CONFIRM
    outcome = bench.give(Command.CONFIRM)
    assert outcome.labels == ()
    assert inspections(bench)[0].decision.disposition is Disposition.MISSING


def test_a_light_unit_asks_before_it_goes_on(bench: Bench) -> None:
    bench.scan("RMA-2026-004712")
    bench.scan(f"]d2010{HEADPHONES}21HD7-22941")
    bench.weigh(246)
    view = bench.last.view
    assert (view.state, view.notice.band, view.notice.code) == (State.WEIGHT_CHECK, Band.HOLD, "weight_check")
    assert view.notice.facts == {"difference": "42 g", "direction": "lighter", "part": "charging case"}
    assert view.question is not None
    weigh_again = next(i for i, choice in enumerate(view.question.choices) if choice.id == "weigh_again")
    bench.give(Command(f"choice_{weigh_again + 1}"))
    assert bench.state is State.WEIGHT
    bench.weigh(288)
    assert bench.state is State.PHOTOS


def test_a_shortcut_is_refused_where_the_customer_says_it_is_broken(bench: Bench) -> None:
    bench.scan("RMA-2026-004712")
    bench.scan(f"]d2010{HEADPHONES}21HD7-22941")
    bench.weigh(288)
    bench.photograph_all()
    assert bench.scan("RSC-CLEAN").view.notice.code == "shortcut_refused"
    assert bench.state is State.QUESTIONS


def test_a_shortcut_scanned_early_is_kept(bench: Bench) -> None:
    bench.scan("RMA-2026-004711")
    bench.scan(SHIRT)
    bench.scan("RSC-CLEAN")
    assert bench.state is State.WEIGHT
    bench.weigh(312)
    bench.photograph()
    assert bench.state is State.PHOTOS
    bench.photograph()
    assert bench.state is State.DONE


def test_a_missing_scale_is_skipped_with_its_reason_and_gets_a_second_look(bench: Bench) -> None:
    bench.scan("RMA-2026-004711")
    bench.scan(SHIRT)
    bench.last = bench.desk.command(Command.SKIP, device_detail="scale: unplugged")
    bench.photograph_all()
    bench.scan("RSC-CLEAN")
    if bench.state is State.CONFIRM:
        bench.give(Command.CONFIRM)
    (inspection,) = inspections(bench)
    assert inspection.weight is None
    assert [(skip.what, skip.reason) for skip in inspection.skipped] == [("weight", "scale: unplugged")]
    assert inspection.decision.second_look


def test_a_weight_that_nobody_waits_for_changes_nothing(bench: Bench) -> None:
    bench.scan("RMA-2026-004711")
    assert bench.weigh(312) is None
    bench.scan(SHIRT)
    assert bench.weigh(0) is None
    assert bench.state is State.WEIGHT


def test_a_second_look_can_be_asked_at_any_step(bench: Bench) -> None:
    bench.scan("RMA-2026-004711")
    bench.scan(SHIRT)
    assert bench.scan("RSC-SECOND").view.notice.code == "second_look_noted"
    bench.weigh(312)
    bench.photograph_all()
    bench.scan("RSC-CLEAN")
    assert bench.state is State.CONFIRM
    bench.give(Command.CONFIRM)
    assert "asked_by_inspector" in [reason.code for reason in inspections(bench)[0].decision.second_look]


def test_a_parked_parcel_is_taken_up_where_it_was(bench: Bench) -> None:
    bench.scan("RMA-2026-004711")
    bench.scan(SHIRT)
    bench.weigh(312)
    bench.photograph()
    shown = bench.last.view.shots
    assert bench.scan("RSC-PARK").view.state is State.IDLE
    bench.clean_unit("RMA-2026-005000")
    bench.scan("RMA-2026-004711")
    assert bench.state is State.PHOTOS
    assert bench.last.view.shots == shown


def test_undo_reaches_back_over_more_than_twenty_units(bench: Bench) -> None:
    for number in range(5000, 5022):
        bench.clean_unit(f"RMA-2026-{number:06d}")
    undone = 0
    for _ in range(200):
        before = len(read_entries(bench.store.home, [INSPECTION_VOIDED]))
        bench.give(Command.UNDO)
        undone += len(read_entries(bench.store.home, [INSPECTION_VOIDED])) - before
        if undone >= 20:
            break
    assert undone >= 20
    assert bench.desk.show().view.figures is not None
    assert bench.desk.show().view.figures.units == 22 - undone  # type: ignore[union-attr]


def test_a_correction_names_what_it_corrects(bench: Bench) -> None:
    bench.clean_unit("RMA-2026-004711")
    first = inspections(bench)[0]
    bench.give(Command.UNDO)
    assert bench.state is State.QUESTIONS
    while bench.last.view.question is not None:
        last_choice = len(bench.last.view.question.choices)
        bench.give(Command(f"choice_{last_choice}"))
    if bench.state is State.CONFIRM:
        bench.give(Command.CONFIRM)
    second = inspections(bench)[-1]
    assert second.corrects == first.inspection_id
    assert second.lpn == first.lpn
    assert [unit.inspection_id for unit in bench.desk.show().view.recent] == [second.inspection_id]


def test_a_reprint_is_marked_as_a_copy(bench: Bench) -> None:
    bench.clean_unit("RMA-2026-004711")
    (first,) = bench.give(Command.REPRINT).labels
    (second,) = bench.give(Command.REPRINT).labels
    assert (first.copy, second.copy) == (1, 2)
    assert first.lpn == second.lpn


def test_every_action_that_is_shown_can_be_carried_out(bench: Bench) -> None:
    """No button of any step along the way answers "not now"."""
    seen = 0
    for steps in range(12):
        for action in _walk(bench, steps):
            _walk(bench, steps)
            outcome = bench.give(action)
            seen += 1
            assert outcome.view.notice.code != "not_now", (steps, action)
    assert seen > 40


def _walk(bench: Bench, steps: int) -> tuple[Command, ...]:
    """A fresh start, then so many steps along the path of a light parcel."""
    for _ in range(60):
        if not bench.desk.show().view.undo_depth:
            break
        bench.give(Command.UNDO)
    acts = [
        lambda: bench.scan("RMA-2026-004712"),
        lambda: bench.scan(MUG),
        lambda: bench.scan(f"]d2010{HEADPHONES}21HD7-22941"),
        lambda: bench.weigh(246),
        lambda: bench.give(Command.CHOICE_2),
        lambda: bench.photograph(),
        lambda: bench.photograph(),
        lambda: bench.photograph(),
        lambda: bench.give(Command.CHOICE_1),
        lambda: bench.give(Command.CHOICE_1),
        lambda: bench.give(Command.CHOICE_1),
        lambda: bench.give(Command.CONFIRM),
    ]
    for act in acts[:steps]:
        act()
    shortcuts = {Command.CLEAN, Command.SEALED}  # these may be refused with a reason of their own
    return tuple(action for action in bench.last.view.actions if action not in shortcuts)


def test_a_full_disk_stops_new_parcels_and_not_the_open_one(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        bench = Bench(store)
        bench.scan("RMA-2026-004711")
        full = Bench(FullDisk(store))  # type: ignore[arg-type]
        assert full.state is State.ITEM
        full.scan(SHIRT)
        full.weigh(312)
        full.photograph_all()
        assert full.scan("RSC-CLEAN").view.state is State.DONE
        assert full.scan("RMA-2026-005000").view.notice.code == "disk_full"
        assert full.scan("RSC-NO-LABEL").view.notice.code == "disk_full"


class FullDisk:
    """The real store, on a disk without room."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def disk_state(self) -> DiskState:
        return DiskState(accepts_parcels=False, free_bytes=0, text="call IT")

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)
