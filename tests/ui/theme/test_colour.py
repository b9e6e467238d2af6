"""The palette, computed: contrast for tired eyes, difference for colour-blind ones."""

from __future__ import annotations

from itertools import combinations

import pytest

from station.inspection.view import Band
from ui.theme.colour import Vision, contrast, difference
from ui.theme.tokens import THEMES, Theme

_LOUD = (Band.ACCEPT, Band.HOLD, Band.REJECT)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_every_text_is_seven_to_one(theme: Theme) -> None:
    weak = {
        name: round(contrast(ink, ground), 2) for name, ink, ground in theme.text_pairs() if contrast(ink, ground) < 7.0
    }
    assert weak == {}


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_every_shape_is_three_to_one(theme: Theme) -> None:
    weak = {
        name: round(contrast(ink, ground), 2)
        for name, ink, ground in theme.shape_pairs()
        if contrast(ink, ground) < 3.0
    }
    assert weak == {}


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("vision", Vision)
def test_bands_differ_for_every_eye(theme: Theme, vision: Vision) -> None:
    for one, other in combinations(_LOUD, 2):
        assert difference(theme.band(one).fill, theme.band(other).fill, vision) >= 40, (one, other)


def test_the_usual_green_and_red_would_fail() -> None:
    """Negative control: the pair that most programs use is lost to one man in twelve."""
    assert difference("#2E7D32", "#C62828", Vision.NORMAL) > 90
    assert difference("#2E7D32", "#C62828", Vision.DEUTAN) < 20


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#FFFFFF", "#000000", 21.0), ("#767676", "#FFFFFF", 4.54), ("#5AC8FA", "#000000", 11.1)],
)
def test_contrast_matches_published_figures(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.05)
    assert contrast(other, one) == contrast(one, other)


def test_a_colour_is_not_different_from_itself() -> None:
    for vision in Vision:
        assert difference("#8B0020", "#8B0020", vision) == 0
