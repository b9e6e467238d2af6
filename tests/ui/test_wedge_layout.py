"""The layout test label: every swap is told from every other, and undone where that can be."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.wedge_layout import LABEL, diagnose_layout, is_layout_test, layouts, locked, repaired, typed_on

SWAPPED = sorted(set(layouts()) - {"us"})
PRINTABLE = "".join(sorted(set(string.printable) - set(string.whitespace)))


def test_the_table_has_every_key_of_the_us_layout() -> None:
    assert "".join(sorted(layouts()["us"][1])) == PRINTABLE
    assert {len(typed) for _, typed in layouts().values()} == {94}
    assert {"us", "de", "es", "pl"} <= set(layouts())


def test_the_label_arrives_whole_and_different_on_each_layout() -> None:
    forms = [typed_on(layout, LABEL) for layout in layouts()]
    forms += [locked(form) for form in forms]
    assert {len(form) for form in forms} == {len(LABEL)}
    assert len(set(forms)) == len(forms)
    assert len(LABEL) <= 24  # as Code 128 it must fit on a label
    assert LABEL.isascii()


@pytest.mark.parametrize("aim", ["", "]C0", "]Q1"])
@pytest.mark.parametrize("layout", sorted(layouts()))
@pytest.mark.parametrize("caps_lock", [False, True])
def test_each_layout_is_recognised(layout: str, caps_lock: bool, aim: str) -> None:
    typed = typed_on(layout, aim + LABEL)
    verdict = diagnose_layout(locked(typed) if caps_lock else typed)
    assert (verdict.layout, verdict.caps_lock) == (layout, caps_lock)
    assert verdict.is_good is (layout == "us" and not caps_lock)
    assert ("Caps Lock" in verdict.advice) is caps_lock
    if layout != "us":
        assert layouts()[layout][0] in verdict.advice


@pytest.mark.parametrize("layout", SWAPPED)
def test_what_arrives_is_repaired_and_what_is_lost_is_named(layout: str) -> None:
    verdict = diagnose_layout(typed_on(layout, LABEL))
    assert verdict.repair is not None
    arriving = "".join(character for character in PRINTABLE if character not in verdict.lost)
    assert repaired(typed_on(layout, arriving), verdict.repair) == arriving
    assert len(typed_on(layout, PRINTABLE)) == len(PRINTABLE) - len(verdict.lost)
    assert all(character in verdict.advice for character in verdict.lost)


@pytest.mark.parametrize("layout", SWAPPED)
@given(code=st.text(string.ascii_uppercase + string.digits + "-./;:#]", min_size=1, max_size=40))
def test_codes_of_the_trade_survive_a_swap(layout: str, code: str) -> None:
    verdict = diagnose_layout(typed_on(layout, LABEL))
    assert verdict.repair is not None
    assert repaired(typed_on(layout, code), verdict.repair) == code


def test_german_swaps_what_everybody_knows() -> None:
    assert typed_on("de", "]C1RMA-10442/YZ") == "+C1RMAß10442-ZY"


@pytest.mark.parametrize("text", ["", "4006381333931", "]C1RMA-10442", LABEL[:-1], LABEL + "0", LABEL.replace("-", "")])
def test_anything_else_is_not_recognised_and_shown(text: str) -> None:
    assert not is_layout_test(text)
    verdict = diagnose_layout(text)
    assert verdict.layout == ""
    assert not verdict.is_good
    assert verdict.repair is None
    assert repr(LABEL) in verdict.advice
    assert repr(text) in verdict.advice
