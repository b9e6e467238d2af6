"""Simulated inspectors with known eyes; a plain module for the tests beside it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from station.review.agreement.ratings import Item, Origin, Rating, Ratings

LADDER = ("A", "B", "C", "D")
LADDERS = {"standard": LADDER}
GOODS = (0.45, 0.3, 0.15, 0.1)
LOOKS = {"A": "as_new", "B": "light_wear", "C": "part_missing", "D": "broken"}
START = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)

Eye = Sequence[Sequence[float]]
"""Row: what is so; column: what is said."""

SHARP: Eye = ((0.92, 0.08, 0, 0), (0.06, 0.88, 0.06, 0), (0, 0.1, 0.85, 0.05), (0, 0, 0.06, 0.94))
MILD: Eye = ((0.98, 0.02, 0, 0), (0.45, 0.52, 0.03, 0), (0.05, 0.3, 0.62, 0.03), (0, 0, 0.1, 0.9))
"""Says A where it is B."""


def said(draw: random.Random, eye: Eye, truth: int) -> str:
    return LADDER[draw.choices(range(4), eye[truth])[0]]


def a_rating(name: str, inspector: str, grade: str, at: datetime, origin: Origin = Origin.FIRST) -> Rating:
    return Rating(
        inspection_id=f"{name}-{inspector or 'agreed'}",
        origin=origin,
        inspector=inspector,
        category="electronics.audio",
        protocol="electronics.audio@2",
        scheme="standard",
        grade=grade,
        answers={"look": LOOKS[grade]},
        defects=frozenset({"superficial"} if grade in "BC" else {"penetration"} if grade == "D" else ()),
        photos=(("front", f"{name}-{inspector}".encode().hex().ljust(64, "0")[:64]),),
        at=at,
    )


def a_floor(seed: int, items: int, eyes: Mapping[str, Eye], golden: int = 0) -> Ratings:
    """Each item is inspected by one person and looked at again by another, or agreed on."""
    draw = random.Random(seed)
    people = sorted(eyes)
    made = []
    for number in range(items):
        truth = draw.choices(range(4), GOODS)[0]
        first, second = draw.sample(people, 2)
        at = START + timedelta(hours=number)
        name = f"i{number:05d}"
        ratings = [a_rating(name, first, said(draw, eyes[first], truth), at)]
        if number < golden:
            ratings.append(a_rating(name, "", LADDER[truth], at + timedelta(hours=1), Origin.AGREED))
        else:
            at += timedelta(days=2)
            ratings.append(a_rating(name, second, said(draw, eyes[second], truth), at, Origin.BLIND))
        made.append(Item(name, tuple(ratings)))
    return Ratings(tuple(made), ())
