"""How far people agree, by category: on the grade, on each boundary between grades, each defect, each question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from station.analysis.basis import Basis, span
from station.review.agreement.kappa import LEAST, Agreement, Weights, boundary
from station.review.agreement.ratings import Item, Rating, Ratings
from station.review.agreement.several import fleiss

ALL: Final = "all goods"
METHOD: Final = "agreement@1"
_RARE: Final = 5


class About(StrEnum):
    """What people are compared on."""

    GRADE = "grade"
    GRADE_LINEAR = "grade, near counts (linear)"
    GRADE_QUADRATIC = "grade, near counts (quadratic)"
    BOUNDARY = "boundary"
    DEFECT = "defect"
    QUESTION = "question"


@dataclass(frozen=True, slots=True)
class Measure:
    """The agreement on one thing."""

    category: str
    about: About
    name: str
    """Scheme, boundary, kind of defect, or protocol and question."""
    agreement: Agreement

    @property
    def text(self) -> str:
        return f"{self.about}: {self.name}: {self.agreement.text}"


@dataclass(frozen=True, slots=True)
class Report:
    """The agreement of a site."""

    measures: tuple[Measure, ...]
    text: tuple[str, ...]
    basis: Basis


def make_report(ratings: Ratings, ladders: Mapping[str, Sequence[str]], *, least: int = LEAST) -> Report:
    """Measure the agreement between people; what was agreed on together is not a person.

    Args:
        ladders: grading scheme → grades, best first.
        least: units below which no number is given.
    """
    items = [item for item in ratings.items if len({rating.inspector for rating in item.people}) > 1]
    by_category: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_category[item.people[0].category.partition(".")[0]].append(item)
    groups = [(ALL, items), *sorted((name, found) for name, found in by_category.items() if name)]
    measures = [measure for name, found in groups for measure in _measures(name, found, ladders, least)]
    first, last = span(rating.at for item in items for rating in item.people)
    basis = Basis(
        METHOD,
        (
            "An item counts once, with everything that different people said of it without knowing of each other",
            "A boundary asks 'this grade or better?', a defect 'was this kind found?'",
            "Kappa of Fleiss with the standard error of Gwet (2008): people need not be the same for every item",
        ),
        (("least_units", str(least)), ("confidence", "95 %")),
        len(items),
        ratings.left_out,
        first,
        last,
    )
    return Report(tuple(measures), tuple(_sentences(measures, len(items))), basis)


def _measures(
    category: str, items: Sequence[Item], ladders: Mapping[str, Sequence[str]], least: int
) -> Iterable[Measure]:
    for scheme, ladder in sorted(ladders.items()):
        graded = [item for item in items if any(rating.scheme == scheme for rating in item.people)]
        if not graded:
            continue

        def place(rating: Rating, ladder: Sequence[str] = ladder, scheme: str = scheme) -> int | None:
            return ladder.index(rating.grade) if rating.scheme == scheme and rating.grade in ladder else None

        for about, weights in (
            (About.GRADE, Weights.NONE),
            (About.GRADE_LINEAR, Weights.LINEAR),
            (About.GRADE_QUADRATIC, Weights.QUADRATIC),
        ):
            yield Measure(category, about, scheme, _compare(graded, place, ladder, least, weights))
        for at in range(len(ladder) - 1):
            good = boundary(ladder, at)

            def side(rating: Rating, good: Callable[[str], bool] = good, scheme: str = scheme) -> int | None:
                return int(not good(rating.grade)) if rating.scheme == scheme else None

            name = f"{ladder[at]} or better"
            answers = (name, f"{ladder[at + 1]} or worse")
            yield Measure(category, About.BOUNDARY, f"{scheme}: {name}", _compare(graded, side, answers, least))
    for kind in sorted({kind for item in items for rating in item.people for kind in rating.defects}):

        def found(rating: Rating, kind: str = kind) -> int | None:
            return int(kind in rating.defects)

        spoken = kind.replace("_", " ")
        yield Measure(category, About.DEFECT, kind, _compare(items, found, (f"no {spoken}", spoken), least))
    if category != ALL:
        yield from _questions(category, items, least)


def _questions(category: str, items: Sequence[Item], least: int) -> Iterable[Measure]:
    """Each question of a protocol in one version, over the items where two people were asked it."""
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item in items:
        for rating in item.people:
            for question, choice in rating.answers.items():
                asked[rating.protocol, question].add(choice)
    for (protocol, question), choices in sorted(asked.items()):
        answers = tuple(sorted(choices))
        place = {choice: number for number, choice in enumerate(answers)}

        def answer(
            rating: Rating, protocol: str = protocol, question: str = question, place: dict[str, int] = place
        ) -> int | None:
            return place.get(rating.answers.get(question, "")) if rating.protocol == protocol else None

        name = f"{protocol} {question}"
        yield Measure(category, About.QUESTION, name, _compare(items, answer, answers, least))


def _compare(
    items: Sequence[Item],
    place: Callable[[Rating], int | None],
    answers: Sequence[str],
    least: int,
    weights: Weights = Weights.NONE,
) -> Agreement:
    """Count what each person said (the first time) of each item, and measure."""
    counts = []
    for item in items:
        said: dict[str, int] = {}
        for rating in item.people:
            answer = place(rating)
            if answer is not None:
                said.setdefault(rating.inspector, answer)
        row = [0] * len(answers)
        for answer in said.values():
            row[answer] += 1
        counts.append(row)
    found = fleiss(counts, weights, names=answers, least=least)
    rare = min((sum(row[k] > 0 for row in counts if sum(row) > 1) for k in range(len(answers))), default=0)
    if len(answers) == 2 and found.kappa is not None and rare < _RARE:
        text = f"Only {rare} of these items were called otherwise by anybody: a few more may change the number a lot"
        return Agreement(
            found.units, found.observed, found.by_chance, found.kappa, found.low, found.high, "", (*found.notes, text)
        )
    return found


def _sentences(measures: Sequence[Measure], items: int) -> Iterable[str]:
    if not items:
        yield "No item was looked at by two people yet: plan some blind looks first"
        return
    weakest = [
        measure
        for measure in measures
        if measure.about in (About.BOUNDARY, About.DEFECT, About.QUESTION)
        and measure.category != ALL
        and measure.agreement.high is not None
        and measure.agreement.high < 0.6
    ]
    weakest.sort(key=lambda measure: (measure.agreement.high or 0.0, measure.category, measure.name))
    for measure in weakest[:5]:
        yield f"{measure.category}: people see {measure.name!r} differently ({measure.agreement.text})"
    if not weakest:
        yield "Nothing stands out: no boundary, defect or question is surely below moderate agreement"
