"""What goods really brought, learned from outcomes: a mergeable summary in integers, and estimates that say how sure.

An outcome is one unit that was sold, with what it brought as a share of its price as new. The summary keeps, for each
article × grade × way, the number, the sum and the sum of squares of those shares: adding two summaries gives exactly
the summary of all their outcomes, in any order. An estimate shrinks the article's mean towards that of the other
articles of its category, and that one towards the book's value, so that a single odd sale moves little.

Source: credibility with two levels, H. Bühlmann and A. Gisler, *A Course in Credibility Theory* (2005), §3.1 and §6.
Price: it assumes that articles of one category differ about as much as ``strength_sku`` says; nobody fits that here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isqrt
from typing import Annotated, Final, NamedTuple

import msgspec

from station.decision.model import Disposition
from station.decision.scheme import Version
from station.errors import InvalidInput
from station.quantities import Money
from station.returns.policy import Part

HIGHEST_BP: Final = 100_000
"""Ten times the price as new; more than that is a slip of the pen."""
_Z2: Final = (384_146, 100_000)
"""1.95996², of which the square root spans 95 % of a normal distribution."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one unit."""

    merchant_id: str
    sku: str
    category: str
    scheme: str
    grade: str
    route: Disposition
    price: Money
    """Price as new when it was decided."""
    brought: Money
    """What the buyer paid, before our own costs; never negative."""

    @property
    def share_bp(self) -> int:
        """Share of the price as new in basis points, rounded half up.

        Raises:
            InvalidInput: two currencies, no price, or a share that cannot be.
        """
        if self.price.currency != self.brought.currency:
            raise InvalidInput(f"{self.sku!r}: price in {self.price.currency}, brought {self.brought.currency}")
        if self.price.minor <= 0 or self.brought.minor < 0:
            raise InvalidInput(f"{self.sku!r}: brought {self.brought} of {self.price}: expected a price above zero")
        share = (self.brought.minor * 20_000 + self.price.minor) // (2 * self.price.minor)
        if share > HIGHEST_BP:
            raise InvalidInput(f"{self.sku!r}: brought {self.brought} of {self.price}: more than ten times its price")
        return share


@dataclass(frozen=True, slots=True)
class UnitOutcome:
    """An outcome with the unit it is of, so that the same news twice counts once."""

    lpn: str
    outcome: Outcome


class Key(NamedTuple):
    """What is counted together."""

    category: str
    merchant_id: str
    sku: str
    scheme: str
    grade: str
    route: Disposition


class Sums(NamedTuple):
    """Number, sum and sum of squares of shares in basis points."""

    n: int = 0
    total: int = 0
    squares: int = 0

    def plus(self, other: Sums) -> Sums:
        return Sums(self.n + other.n, self.total + other.total, self.squares + other.squares)

    def less(self, part: Sums) -> Sums:
        return Sums(self.n - part.n, self.total - part.total, self.squares - part.squares)


NOTHING: Final = Sums()


class Cell(Part, frozen=True, kw_only=True):
    """One line of a recovery file."""

    category: str
    merchant: str
    sku: str
    scheme: str
    grade: str
    route: Disposition
    n: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    total: Count
    squares: Count


class RecoveryBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="recovery"):
    """A summary as a rule file: made by the program, versioned like every other."""

    version: Version
    strength_sku: Annotated[int, msgspec.Meta(ge=1, le=10**6)] = 12
    """Units of the category that an article's own outcomes have to outweigh."""
    strength_category: Annotated[int, msgspec.Meta(ge=1, le=10**6)] = 20
    """Units that the book's own value counts for."""
    spread_bp: Annotated[int, msgspec.Meta(ge=1, le=HIGHEST_BP)] = 1_500
    """Standard deviation of one outcome before any is known."""
    cells: tuple[Cell, ...] = ()
    sha256: str = ""


class Estimate(NamedTuple):
    """What a unit is expected to bring, as a share of its price as new in basis points."""

    mean_bp: int
    low_bp: int
    high_bp: int
    """``low_bp`` to ``high_bp`` hold the true mean in about 95 of 100 cases."""
    n: int
    """Outcomes of this very article, grade and way."""
    n_category: int
    """Outcomes of its category, this article's included."""


@dataclass(slots=True)
class Summary:
    """Outcomes, counted."""

    cells: dict[Key, Sums] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Count one more.

        Raises:
            InvalidInput: the outcome cannot be.
        """
        share = outcome.share_bp
        key = Key(
            outcome.category, outcome.merchant_id, outcome.sku, outcome.scheme, outcome.grade, outcome.route
        )  # fmt: skip
        self.cells[key] = self.cells.get(key, NOTHING).plus(Sums(1, share, share * share))

    def merge(self, other: Summary) -> Summary:
        """Both together; neither is changed."""
        merged = dict(self.cells)
        for key, sums in other.cells.items():
            merged[key] = merged.get(key, NOTHING).plus(sums)
        return Summary(merged)

    def lines(self) -> Iterator[Cell]:
        """The cells in a fixed order, for a file."""
        for key in sorted(self.cells):
            sums = self.cells[key]
            yield Cell(
                category=key.category, merchant=key.merchant_id, sku=key.sku, scheme=key.scheme, grade=key.grade,
                route=key.route, n=sums.n, total=sums.total, squares=sums.squares,
            )  # fmt: skip


def summary_of(cells: Iterable[Cell]) -> Summary:
    """Read a file's lines back; lines of one key are added."""
    summary = Summary()
    for cell in cells:
        key = Key(cell.category, cell.merchant, cell.sku, cell.scheme, cell.grade, cell.route)
        summary.cells[key] = summary.cells.get(key, NOTHING).plus(Sums(cell.n, cell.total, cell.squares))
    return summary


def check_recovery(book: RecoveryBook, where: str) -> None:
    """Refuse sums that no outcomes can have (Cauchy–Schwarz: n · squares ≥ total²).

    Raises:
        InvalidInput: names the line.
    """
    for number, cell in enumerate(book.cells, 1):
        if cell.n * cell.squares < cell.total**2 or cell.squares > cell.total * HIGHEST_BP:
            raise InvalidInput(f"{where}: line {number} ({cell.sku!r}): n, total and squares do not fit together")


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery file, made ready for questions."""

    book: RecoveryBook
    _skus: Mapping[Key, Sums]
    _categories: Mapping[tuple[str, str, str, Disposition], Sums]

    @property
    def knows_anything(self) -> bool:
        return bool(self._categories)

    def known(self, key: Key) -> tuple[Sums, Sums] | None:
        """What an estimate rests on: the article's own sums and its category's; None = nothing of the category."""
        category = self._categories.get((key.category, key.scheme, key.grade, key.route))
        return None if category is None else (self._skus.get(key, NOTHING), category)

    def estimate(self, key: Key, book_bp: int) -> Estimate | None:
        """What such a unit brings.

        Args:
            key: article, grade and way.
            book_bp: the grading scheme's own share, which counts where little is known.

        Returns:
            The estimate; None = nothing of this category, grade and way was ever seen.
        """
        known = self.known(key)
        if known is None:
            return None
        own, category = known
        others = category.less(own)
        weight_own, weight_category = self.book.strength_sku, self.book.strength_category
        prior_n = weight_category + others.n
        prior = weight_category * book_bp + others.total
        below = (weight_own + own.n) * prior_n
        mean = (2 * (weight_own * prior + own.total * prior_n) + below) // (2 * below)
        scatter = category.n * category.squares - category.total**2
        counted = (weight_category + category.n) * category.n
        variance = (weight_category * self.book.spread_bp**2 * category.n + scatter) // counted
        # Variance of the article's own mean, plus what the category's mean brings in: v/(k+n) + (k/(k+n))² v/(k'+n')
        spread = variance * ((weight_own + own.n) * prior_n + weight_own**2)
        half = isqrt(spread * _Z2[0] // (_Z2[1] * (weight_own + own.n) ** 2 * prior_n)) + 1
        return Estimate(mean, max(0, mean - half), min(HIGHEST_BP, mean + half), own.n, category.n)


def ready(book: RecoveryBook) -> Recovery:
    """Sum a file's lines by article and by category."""
    skus = summary_of(book.cells).cells
    categories: dict[tuple[str, str, str, Disposition], Sums] = {}
    for key, sums in skus.items():
        coarse = (key.category, key.scheme, key.grade, key.route)
        categories[coarse] = categories.get(coarse, NOTHING).plus(sums)
    return Recovery(book, skus, categories)


NO_RECOVERY: Final = Recovery(RecoveryBook(version=1), {}, {})
