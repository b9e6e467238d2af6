"""Two looks in a row must agree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.barcodes.agree import TwoFrames
from devices.barcodes.found import Found, FoundBy

CORNERS = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))


def seen(text: str, aim: str = "]E0") -> Found:
    return Found(text, text.encode(), "EAN-13", aim, CORNERS, FoundBy.WHOLE)


def said(looks: list[str], rule: TwoFrames | None = None) -> list[str]:
    """Each letter of a look is a code that it shows; what was let through, look by look."""
    rule = rule or TwoFrames()
    return ["".join(sorted(one.text for one in rule.look(map(seen, look)))) for look in looks]


def test_one_look_is_none() -> None:
    assert said(["A"]) == [""]
    assert said(["A", "", "A", "", "A"]) == ["", "", "", "", ""]
    assert said(["A", "B", "A", "B"]) == ["", "", "", ""]


def test_the_second_look_in_a_row_lets_it_through_once() -> None:
    assert said(["A", "A", "A", "A"]) == ["", "A", "", ""]
    assert said(["AB", "BC", "C"]) == ["", "B", "C"]


def test_a_look_that_misses_it_does_not_make_it_speak_again() -> None:
    assert said(["A", "A", "", "", "A", "A", "A"]) == ["", "A", "", "", "", "", ""]


def test_out_of_sight_for_long_it_may_speak_again() -> None:
    assert said(["A", "A", "", "", "", "", "", "A", "A"]) == ["", "A", "", "", "", "", "", "", "A"]


def test_the_same_text_in_another_symbology_is_another_code() -> None:
    rule = TwoFrames()
    assert rule.look([seen("A", "]C0")]) == ()
    assert rule.look([seen("A", "]E0")]) == ()


def test_another_item_starts_anew() -> None:
    rule = TwoFrames()
    said(["A"], rule)
    rule.restart()
    assert said(["A", "A"], rule) == ["", "A"]
    assert rule.knows(seen("A"))
    rule.restart()
    assert not rule.knows(seen("A"))


@given(st.lists(st.text("ABC", max_size=3), max_size=40))
def test_nothing_speaks_that_was_not_in_the_look_before(looks: list[str]) -> None:
    for before, now, through in zip(["", *looks], looks, said(looks), strict=False):
        assert set(through) <= set(before) & set(now)
