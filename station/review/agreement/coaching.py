"""A card for one person: what this person sees otherwise than the others, with photos to look at. Never a ranking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from station.analysis.basis import counted
from station.review.agreement.ratings import Origin, Rating, Ratings

LEAST_TIMES: Final = 3
"""Times that the same two answers were mixed up before it is worth a word."""
LEAST_SHARE_BP: Final = 1_500
"""Of the times that the others gave this answer."""
_MOST_POINTS: Final = 5
_MOST_PHOTOS: Final = 6


@dataclass(frozen=True, slots=True)
class Look:
    """One item to look at again."""

    subject: str
    """The inspection that the item is known by."""
    photos: tuple[str, ...]
    """SHA-256 of the person's own photos, and where there are none, of the reference's."""


@dataclass(frozen=True, slots=True)
class Point:
    """One difference: where the others said one thing, this person often said another."""

    category: str
    question: str
    """Id of the question with its protocol; ``grade`` for the grade itself."""
    own: str
    """What this person said."""
    others: str
    """What the reference said."""
    times: int
    of: int
    """Items of which the reference said so."""
    looks: tuple[Look, ...]
    agreed: bool
    """Some of them are golden items: people agreed on them looking together."""
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """What one person may like to look at."""

    inspector: str
    compared: int
    """Items that have a reference."""
    same_grade: int
    points: tuple[Point, ...]
    text: tuple[str, ...]


Words = Callable[[str, str, str], tuple[str, str]]
"""(protocol, question id, choice id) → the question and the answer as they stand on the screen."""


def make_card(ratings: Ratings, inspector: str, words: Words) -> Card:
    """Compare one person's ratings with their references.

    Args:
        words: how questions and answers read; ids themselves where a protocol is no longer known.
    """
    said: dict[tuple[str, str, str, str], list[tuple[Rating, Rating]]] = defaultdict(list)
    compared = same = 0
    for own, reference in ratings.of(inspector):
        compared += 1
        category = own.category.partition(".")[0]
        if own.scheme == reference.scheme and own.grade and reference.grade:
            same += own.grade == reference.grade
            said[category, "", "grade", reference.grade].append((own, reference))
        if own.protocol == reference.protocol:
            for question in own.answers.keys() & reference.answers.keys():
                said[category, own.protocol, question, reference.answers[question]].append((own, reference))
    points = []
    for (category, protocol, question, theirs), pairs in said.items():
        mixed: dict[str, list[tuple[Rating, Rating]]] = defaultdict(list)
        for own, reference in pairs:
            mixed[own.answers.get(question, "") if protocol else own.grade].append((own, reference))
        for mine, those in mixed.items():
            if mine == theirs or len(those) < LEAST_TIMES or len(those) * 10_000 < LEAST_SHARE_BP * len(pairs):
                continue
            points.append(_point(category, protocol, question, mine, theirs, those, len(pairs), words))
    points.sort(key=lambda point: (-point.times, point.category, point.question, point.own, point.others))
    chosen = tuple(points[:_MOST_POINTS])
    return Card(inspector, compared, same, chosen, tuple(_sentences(compared, same, chosen)))


def _point(
    category: str,
    protocol: str,
    question: str,
    mine: str,
    theirs: str,
    those: list[tuple[Rating, Rating]],
    of: int,
    words: Words,
) -> Point:
    agreed = any(reference.origin is Origin.AGREED for _, reference in those)
    who = "was agreed on" if all(reference.origin is Origin.AGREED for _, reference in those) else "others say"
    if protocol:
        asked, own_word = words(protocol, question, mine)
        their_word = words(protocol, question, theirs)[1]
        begin, name = f"{asked.rstrip('?:. ')}: you say", f"{protocol} {question}"
    else:
        own_word, their_word, begin, name = mine, theirs, "Grade: you say", "grade"
    looks = tuple(
        Look(
            reference.inspection_id,
            tuple(sha256 for _, sha256 in (own.photos or reference.photos)),
        )
        for own, reference in those[-_MOST_PHOTOS:]
    )
    text = (
        f"{begin} {own_word!r} where {their_word!r} {who}: {len(those)} of {of} times in {category or 'other goods'}. "
        "Look at these photos again, best together with somebody"
    )
    return Point(category, name, mine, theirs, len(those), of, looks, agreed, text)


def _sentences(compared: int, same: int, points: tuple[Point, ...]) -> list[str]:
    if not compared:
        return ["None of your units was looked at by somebody else yet"]
    begin = f"{counted(compared, 'of your units was', 'of your units were')} also looked at by somebody else"
    if not points:
        return [f"{begin}; nothing comes up again and again. Thank you for looking closely"]
    return [f"{begin}, and for {same} of them the grade is the same", *(point.text for point in points)]
