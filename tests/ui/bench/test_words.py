"""The words of the band."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QLocale

from station.decision.model import Disposition
from station.identify.commands import Command
from station.inspection.view import Band, Notice
from station.quantities import Money
from ui.bench import labels
from ui.bench.gallery_views import NOW
from ui.bench.speech import days_ago, duration, mass, money, shorten
from ui.bench.words import SENTENCES, shape, words

FACTS = {
    "starting": {},
    "scan_parcel": {},
    "scan_item": {"title": "Desk lamp", "rma": "RMA-1", "of": "1"},
    "scan_next_unit": {"done": "1", "of": "3"},
    "parcel_unknown": {"scanned": "X1"},
    "code_bad_check": {"scanned": "4006381333932", "kind": "gtin"},
    "scan_not_understood": {"scanned": "X1", "why": "it is not a command of this sheet"},
    "parcel_ambiguous": {"scanned": "X1", "count": "2"},
    "parcel_all_done": {"rma": "RMA-1"},
    "not_the_item": {"scanned": "X1", "expected": "Y1"},
    "wrong_serial": {"scanned": "X1", "expected": "Y1"},
    "item_unknown": {"scanned": "X1"},
    "unannounced_item": {},
    "put_on_scale": {"expected": "288 g"},
    "weight_wait": {},
    "weight_check": {"difference": "42 g", "direction": "lighter", "part": "charging case"},
    "take_photo": {"guide": "Lay it flat", "number": "2", "count": "3"},
    "question": {"text": "Is it clean?", "why": "Hygiene rule"},
    "rework": {"task": "Wipe the screen", "text": "Did it help?", "minutes": "3", "why": "Dust is no scratch"},
    "entry_refused": {"why": "'abc' is no number: a number like 80 %"},
    "shortcut_refused": {"label": "Clean", "why": "the customer says: defective"},
    "needs_confirm": {"grade": "B", "disposition": "refurbish", "tote": "R-14"},
    "decided": {"grade": "B", "disposition": "refurbish", "tote": "R-14"},
    "decided_hold": {"disposition": "quarantine", "tote": "Q-03", "why": "The battery is swollen."},
    "parked": {"rma": "RMA-1"},
    "resumed": {"rma": "RMA-1"},
    "undone": {"what": "weighed"},
    "nothing_to_undo": {},
    "not_now": {"action": "skip", "why": "only weighing and photos can be skipped"},
    "device_skipped": {"what": "photo:serial_label"},
    "disk_full": {},
    "printing_again": {"lpn": "LPN7Q2K9"},
    "second_look_noted": {},
    "missing_recorded": {"title": "Woven belt"},
    "training_same": {"grade": "A", "why": "No chip on the rim."},
    "training_differs": {
        "grade": "C",
        "agreed": "A",
        "question": "How does it look?",
        "own": "Worn",
        "other": "As new",
        "why": "No stain",
    },
    "training_over": {"grade": "C", "agreed": "A", "same": "7", "done": "8", "why": "No stain"},
}


def test_every_code_has_words_and_facts() -> None:
    assert set(SENTENCES) == set(FACTS)


@pytest.mark.parametrize("code", FACTS)
def test_a_sentence_says_its_facts(code: str) -> None:
    title, detail = words(Notice(Band.IDLE, code, FACTS[code]))
    said = f"{title} | {detail}"
    assert title
    assert not re.search(r"[{}–]", said), said
    assert len(title) <= 44
    needed = {"scanned", "count", "tote", "lpn", "done", "guide", "text", "difference", "part", "number"}
    for name, value in FACTS[code].items():
        if name in needed:
            assert value in said, (name, said)


@pytest.mark.parametrize("code", FACTS)
def test_missing_facts_never_break_a_sentence(code: str) -> None:
    for facts in ({}, dict.fromkeys(FACTS[code], "")):
        title, detail = words(Notice(Band.REJECT, code, facts))
        assert title
        assert "{" not in title + detail


def test_braces_in_a_scan_are_only_text() -> None:
    _, detail = words(Notice(Band.REJECT, "parcel_unknown", {"scanned": "{0.__class__}{x}"}))
    assert "{0.__class__}{x}" in detail


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"difference": "42 g", "direction": "lighter", "part": "charging case"},
            "42 g lighter than expected: is the charging case inside?",
        ),
        (
            {"difference": "42 g", "direction": "lighter", "part": ""},
            "42 g lighter than expected: is everything inside?",
        ),
        (
            {"difference": "42 g", "direction": "heavier", "part": ""},
            "42 g heavier than expected: is something else inside?",
        ),
        ({"direction": "lighter"}, "The weight is not as expected: look inside, then answer"),
    ],
)
def test_a_weight_is_a_question_not_an_accusation(facts: dict[str, str], said: str) -> None:
    assert words(Notice(Band.HOLD, "weight_check", facts)) == ("Second look", said)


def test_codes_become_words() -> None:
    assert words(Notice(Band.ACCEPT, "decided", FACTS["decided"])) == (
        "Grade B · Refurbish",
        "Put it into tote R-14, label is printing",
    )
    assert words(Notice(Band.IDLE, "undone", {"what": "weighed"}))[1] == "The weight: put it on the scale again"
    assert words(Notice(Band.IDLE, "device_skipped", {"what": "weight"}))[0] == "Noted: without a weight"
    assert words(Notice(Band.REJECT, "not_now", FACTS["not_now"]))[1].startswith("Skip: ")


def test_an_unknown_code_reads() -> None:
    assert words(Notice(Band.HOLD, "tote_is_full", {"tote": "R-14"})) == ("Tote is full", "R-14")


@pytest.mark.parametrize(
    ("band", "icon"), [(Band.ACCEPT, "circle-check"), (Band.HOLD, "triangle-alert"), (Band.REJECT, "octagon-x")]
)
def test_loud_bands_have_a_shape_of_their_own(band: Band, icon: str) -> None:
    assert {shape(Notice(band, code, facts)) for code, facts in FACTS.items()} == {icon}


def test_idle_shows_the_tasks_sign() -> None:
    assert shape(Notice(Band.IDLE, "take_photo", {})) == "camera"
    assert shape(Notice(Band.IDLE, "brand_new", {})) == "info"


def test_every_command_and_disposition_has_words() -> None:
    assert all(labels.command_word(command) for command in Command)
    assert all(labels.command_help(command) for command in Command)
    assert len({labels.disposition_word(d.value) for d in Disposition}) == len(Disposition)


def test_long_scans_keep_both_ends() -> None:
    text = "010426012345678821HD7-22941172701011012345"
    assert shorten(text).startswith("0104260123")
    assert shorten(text).endswith("012345")
    assert len(shorten(text)) == 34


def test_money_and_mass() -> None:
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    assert money(Money(112900, "EUR")) == "1,129.00\xa0€"
    assert money(Money(-90, "EUR")) == "−0.90\xa0€"
    assert money(Money(500, "JPY")) == "500\xa0¥"
    assert money(Money(1, "NOK")) == "0.01\xa0NOK"
    QLocale.setDefault(QLocale(QLocale.Language.German, QLocale.Country.Germany))
    try:
        assert money(Money(112900, "EUR")) == "1.129,00\xa0€"
    finally:
        QLocale.setDefault(QLocale.c())
    assert mass(286_000) == "286\xa0g"
    assert mass(-1_500) == "−1.5\xa0g"


def test_times() -> None:
    assert duration(84) == "1:24"
    assert duration(-5) == "0:00"
    assert days_ago(NOW, NOW) == "today"
