"""Parcels made up with known truth: packaging and parts that vary, damp board, a scale that rounds and drifts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from station.inspection.weight.explain import PACKAGING, Contents
from station.inspection.weight.learned import LearnedMass, MassHistory, learned, observe
from station.returns.model import CatalogueItem

_BEGAN = date(2026, 1, 5)


@dataclass(frozen=True, slots=True)
class Made:
    """How an article is made and on what it is weighed; all masses in milligrams."""

    goods_mg: int = 200_000
    packaging_mg: int = 70_000
    parts: tuple[tuple[str, int], ...] = (("charging case", 42_000), ("cable", 18_000))
    packaging_spread_mg: int = 1_500
    goods_spread_mg: int = 400
    damp_spread_mg: int = 500
    """Of a whole day: board takes up water from the air."""
    part_spread_bp: int = 100
    interval_mg: int = 1_000
    drift_mg: int = 300
    """Largest error of the scale, either way, through the day."""

    @property
    def mass_mg(self) -> int:
        return self.goods_mg + self.packaging_mg + sum(mass for _, mass in self.parts)

    def item(self, sku: str = "SIM-1") -> CatalogueItem:
        parts = (*self.parts, (PACKAGING, self.packaging_mg))
        return CatalogueItem("sim", sku, "Simulated", "homeware", mass_mg=self.mass_mg, accessories=parts)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One indication and what was really inside."""

    truth: Contents
    what: tuple[str, ...]
    gross_mg: int
    day: date


class Simulator:
    """Deterministic by its seed."""

    def __init__(self, made: Made, seed: int, other_mg: int | None = None) -> None:
        self.made = made
        self._other_mg = other_mg
        self._random = Random(seed)
        self._damp: dict[date, int] = {}

    def parcel(self, truth: Contents, number: int = 0) -> Parcel:
        """One parcel; ``number`` counts on through the days, fifty a day."""
        made, draw = self.made, self._random
        day = _BEGAN + timedelta(days=number // 50)
        damp = self._damp.setdefault(day, round(draw.gauss(0, made.damp_spread_mg)))
        what: tuple[str, ...] = ()
        mass = made.packaging_mg + round(draw.gauss(0, made.packaging_spread_mg)) + damp
        if truth is Contents.MISSING_PART:
            what = (draw.choice(made.parts)[0],)
        if truth is Contents.SWAPPED and self._other_mg is not None:
            mass = self._other_mg + round(draw.gauss(0, made.packaging_spread_mg)) + damp
            what = ("OTHER",)
        elif truth is not Contents.EMPTY:
            mass += made.goods_mg + round(draw.gauss(0, made.goods_spread_mg))
            for name, part in made.parts:
                varied = part + round(draw.gauss(0, part * made.part_spread_bp / 10_000))
                mass += 0 if name in what else varied
        shown = mass + draw.randint(-made.drift_mg, made.drift_mg)
        interval = made.interval_mg
        return Parcel(truth, what, max(0, (shown + interval // 2) // interval * interval), day)

    def parcels(self, truth: Contents, count: int) -> list[Parcel]:
        return [self.parcel(truth, number) for number in range(count)]

    def learn(self, count: int) -> LearnedMass | None:
        """What a station knows after so many complete units."""
        history = MassHistory()
        for parcel in self.parcels(Contents.PLAUSIBLE, count):
            history = observe(history, parcel.gross_mg, parcel.day)
        return learned(history)
