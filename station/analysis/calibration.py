"""Whether chances that were promised were kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from station.analysis.basis import FULL_BP, percent
from station.analysis.beta import Beta

_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases that were given about the same chance."""

    cases: int
    predicted_bp: int
    """On average."""
    came_true: int
    observed_bp: int
    low_bp: int
    high_bp: int
    """95 % of what chance makes of the observed share."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Promised against kept, on cases that were not learnt from."""

    cases: int
    came_true: int
    bins: tuple[Bin, ...]
    ece_bp: int
    """Expected calibration error: the bins' distances between promised and kept, weighted by their cases."""
    brier: float
    """Mean squared error of the chances."""
    brier_base: float
    """Of giving every case the share that came true in the part learnt from."""
    text: str


def calibrate(promised: Sequence[float], came: Sequence[bool], base: float) -> Calibration:
    """Hold promised chances against what came.

    Ten bins of as many cases each, in the order of what was promised.

    Args:
        promised: a chance for each case, 0 to 1.
        came: whether it came true.
        base: the share that was known beforehand.

    Source: G. W. Brier (1950), Verification of forecasts expressed in terms of probability, Mon. Weather Rev. 78;
        expected calibration error: M. P. Naeini et al. (2015), Obtaining well calibrated probabilities, AAAI 29.
    """
    order = sorted(range(len(promised)), key=lambda one: (promised[one], one))
    bins, error = [], 0.0
    for number in range(_BINS):
        members = order[len(order) * number // _BINS : len(order) * (number + 1) // _BINS]
        if not members:
            continue
        said = sum(promised[one] for one in members) / len(members)
        back = sum(came[one] for one in members)
        error += abs(said - back / len(members)) * len(members)
        told = Beta(back + 0.5, len(members) - back + 0.5)
        low, high = (round(told.quantile(one) * FULL_BP) for one in (0.025, 0.975))
        observed = round(back / len(members) * FULL_BP)
        bins.append(Bin(len(members), round(said * FULL_BP), back, observed, low, high))
    brier = sum((one - back) ** 2 for one, back in zip(promised, came, strict=True)) / len(came)
    of_base = sum((base - back) ** 2 for back in came) / len(came)
    ece = round(error / len(came) * FULL_BP)
    better = "better than" if brier < of_base else "no better than"
    return Calibration(
        len(came),
        sum(came),
        tuple(bins),
        ece,
        round(brier, 6),
        round(of_base, 6),
        f"On {len(came)} cases it had not seen, what it promised and what came lie {percent(ece)} apart on "
        f"average; it is {better} giving all the same chance (Brier score {brier:.4f} against {of_base:.4f}).",
    )
