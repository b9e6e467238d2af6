"""Scan-back: the label's own scan confirms it, another code names what is missing, and no scan is lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.printer.scan_back import Answer, Confirmed, NotConfirmed, Waiting
from station.identify.commands import COMMANDS
from station.identify.scan import RawScan
from station.inspection.view import LabelJob

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def job(lpn: str, copy: int = 0) -> LabelJob:
    return LabelJob(f"job-{lpn}-{copy}", lpn, "Linen shirt", "A", "restock", "S-02", copy)


def scan(waiting: Waiting, text: str | bytes) -> Answer:
    return waiting.scanned(RawScan(text if isinstance(text, bytes) else text.encode(), "scanner-1", NOW))


@pytest.mark.parametrize("data", [b"LPN1", b"]C0LPN1", b" LPN1 "])
def test_the_labels_own_scan_confirms_it_and_begins_nothing(data: bytes) -> None:
    answer = scan(Waiting().label_left(job("LPN1")), data)
    assert answer.event == Confirmed(job("LPN1"), NOW)
    assert not answer.passes
    assert answer.waiting == Waiting()
    assert scan(answer.waiting, data).passes, "once confirmed, the plate opens its unit again like any other"


def test_another_code_is_held_once_and_names_the_label_that_is_missing() -> None:
    waiting = Waiting().label_left(job("LPN1"))
    held = scan(waiting, "RMA-2026-004711")
    assert held.event == NotConfirmed((job("LPN1"),), "RMA-2026-004711", given_up=False, at=NOW)
    assert not held.passes
    again = scan(held.waiting, "RMA-2026-004711")
    assert again.passes
    assert again.event == NotConfirmed((job("LPN1"),), "RMA-2026-004711", given_up=True, at=NOW)
    assert again.waiting == Waiting()


def test_labels_that_changed_places_are_found() -> None:
    """The neighbour's label is on this unit: its plate is another code."""
    held = scan(Waiting().label_left(job("LPN1")), "LPN2")
    assert isinstance(held.event, NotConfirmed)
    assert scan(held.waiting, "LPN1").event == Confirmed(job("LPN1"), NOW)


def test_a_third_code_is_held_too() -> None:
    held = scan(Waiting().label_left(job("LPN1")), "A")
    assert not scan(held.waiting, "B").passes


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.command.value)
def test_commands_pass_and_change_nothing(spec: object) -> None:
    waiting = Waiting().label_left(job("LPN1"))
    assert scan(waiting, spec.barcode) == Answer(waiting, passes=True)  # type: ignore[attr-defined]


def test_a_copy_takes_the_originals_place() -> None:
    waiting = Waiting().label_left(job("LPN1")).label_left(job("LPN1", 1))
    assert scan(waiting, "LPN1").event == Confirmed(job("LPN1", 1), NOW)
    assert scan(waiting, "LPN1").waiting == Waiting()


def test_two_labels_are_confirmed_in_any_order() -> None:
    waiting = Waiting().label_left(job("LPN1")).label_left(job("LPN2"))
    second = scan(waiting, "LPN2").waiting
    assert [left.lpn for left in second.jobs] == ["LPN1"]
    assert scan(second, "LPN1").waiting == Waiting()


def test_a_unit_that_was_taken_back_waits_for_nothing() -> None:
    assert scan(Waiting().label_left(job("LPN1")).dropped("LPN1"), "RMA-2026-004711") == Answer(Waiting(), passes=True)


def test_without_the_option_every_scan_passes() -> None:
    assert scan(Waiting(), "LPN1") == Answer(Waiting(), passes=True)


_ACTS = st.lists(st.sampled_from(["left LPN1", "left LPN2", "LPN1", "LPN2", "RMA-1", "RMA-2", "RSC-UNDO"]), max_size=30)


@given(_ACTS)
def test_no_scan_is_lost_and_no_label_is_confirmed_by_another_code(acts: list[str]) -> None:
    waiting = Waiting()
    before = ""
    for act in acts:
        if act.startswith("left "):
            waiting = waiting.label_left(job(act[5:]))
            before = ""
            continue
        expected = {one.lpn for one in waiting.jobs}
        answer = scan(waiting, act)
        if isinstance(answer.event, Confirmed):
            assert answer.event.job.lpn == act
            assert act in expected
        elif not answer.passes:
            assert isinstance(answer.event, NotConfirmed), "what is held back is always told"
            assert not answer.event.given_up
            assert act != before, "the same code a second time goes through"
            before = act
        waiting = answer.waiting
