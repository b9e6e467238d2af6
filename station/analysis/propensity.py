"""How likely each order comes back: a small model that says why, and how far its word can be trusted.

Learnt from the older part of the sales, proved on the younger part that it has not seen. The chance of a sale is the
article's past rate (drawn towards all articles, ``beta``) shifted by what the order itself shows: how many of one
article, what else lies in it, where it was sold, how its price compares. Each shift is a number of log-odds that can be
read out; nothing about the customer is asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, log
from typing import TYPE_CHECKING, Final

from station.analysis.basis import FULL_BP, Basis, counted, percent, span
from station.analysis.beta import Beta, fit_beta
from station.analysis.calibration import Calibration, calibrate
from station.analysis.linking import SoldLine
from station.errors import OperatorError
from station.returns.sale import Sale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METHOD: Final = "propensity@1"
_LEAST: Final = 800
"""Sales below which nothing is learnt."""
_LEAST_OF_A_CHANNEL: Final = 50
_RIDGE: Final = 1.0
"""Weight of "no effect", in units of information: keeps an effect seen a few times from growing without end."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one trait of an order does to its chance."""

    name: str
    log_odds_milli: int
    """Shift in 1/1000 of log-odds; of ``article`` the factor on the article's own, where 1000 = as they are."""
    sales: int
    """With this trait, among those learnt from."""
    text: str


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely one sale comes back."""

    probability_bp: int
    why: tuple[str, ...]
    """The strongest first."""


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt, as numbers."""

    intercept: float
    names: tuple[str, ...]
    coefficients: tuple[float, ...]
    """Log-odds of each name; of ``article`` the factor on the article's own."""
    articles: dict[tuple[str, str], float]
    """(merchant, article) → log-odds of its past rate."""
    elsewhere: float
    """Log-odds of an article that was never sold before."""
    prices: dict[tuple[str, str], int]
    """(merchant, article) → its usual price, minor units."""

    def chance(self, sale: Sale, others: int = 0) -> Chance:
        """The chance of one sale.

        Args:
            sale: the sale.
            others: how many other articles its order has.
        """
        key = (sale.merchant_id, sale.sku)
        article = self.articles.get(key, self.elsewhere)
        traits = _traits(sale, others, self.prices.get(key))
        odds = self.intercept
        told: list[tuple[float, str]] = []
        for name, coefficient in zip(self.names, self.coefficients, strict=True):
            if name == _ARTICLE:
                told.append((coefficient * (article - self.elsewhere), f"the article's own rate, {_percent(article)}"))
            elif name in traits:
                told.append((coefficient, name))
        odds += sum(shift for shift, _ in told)
        told.sort(key=lambda one: (-abs(one[0]), one[1]))
        return Chance(round(_share(odds) * FULL_BP), tuple(f"{name}: {_times(shift)}" for shift, name in told if shift))


@dataclass(frozen=True, slots=True)
class Propensity:
    """The model with its proof. A sale counts as come back if at least one unit of it did."""

    base_bp: int
    """Share of the sales learnt from."""
    effects: tuple[Effect, ...]
    calibration: Calibration
    text: tuple[str, ...]
    basis: Basis
    model: Model


_ARTICLE: Final = "article"


def learn_propensity(lines: Iterable[SoldLine], *, proof_share_bp: int = 3000) -> Propensity:
    """Learn from the older sales, prove on the younger.

    The oldest half of what is learnt from gives the articles' rates, the other half the effects: so no sale is both in
    its article's rate and judged by it.

    Args:
        lines: ripe sales with their returns.
        proof_share_bp: share of the sales, the youngest, that the model does not see.

    Raises:
        OperatorError: too few sales, or none or all came back; the text says how many there must be.
    """
    known = sorted(lines, key=lambda one: (one.sale.sold_at, one.sale.merchant_id, one.sale.order_id, one.sale.sku))
    others = Counter((one.sale.merchant_id, one.sale.order_id) for one in known)
    seen, proof = _cut(known, FULL_BP - proof_share_bp)
    first, second = _cut(seen, FULL_BP // 2)
    if len(known) < _LEAST or min(len(first), len(second), len(proof)) < _LEAST // 10:
        raise OperatorError(
            f"{counted(len(known), 'sale')} whose time to come back is over: a chance for each order needs at least "
            f"{_LEAST} of them, not all of one moment. Import older sales (station import sales FILE)."
        )
    came = [bool(one.units) for one in second]
    if all(came) or not any(came):
        raise OperatorError(f"of {len(came)} sales learnt from {sum(came)} came back: there is nothing to tell apart")
    articles, elsewhere = _article_odds(first)
    prices = _usual_prices(first)
    names = _names(second, others, prices)
    matrix = _matrix(second, names, others, articles, elsewhere, prices)
    coefficients = _irls(matrix, came)
    model = [float(one) for one in coefficients]
    promised = [
        _share(float(odds)) for odds in _matrix(proof, names, others, articles, elsewhere, prices) @ coefficients
    ]
    base = sum(bool(one.units) for one in seen) / len(seen)
    calibration = calibrate(promised, [bool(one.units) for one in proof], base)
    effects = tuple(
        _effect(name, value, int(matrix[:, place + 1].astype(bool).sum()))
        for place, (name, value) in enumerate(zip(names, model[1:], strict=True))
    )
    begin, end = span(one.sale.sold_at for one in known)
    return Propensity(
        round(base * FULL_BP),
        effects,
        calibration,
        (calibration.text, *(effect.text for effect in effects)),
        Basis(
            METHOD,
            (
                "A sale (one article of one order) came back if at least one unit of it was inspected.",
                "Logistic regression on the article's past log-odds (empirical Bayes) and the order's traits, ridge "
                f"penalty {_RIDGE:g}; proved on younger sales than it was learnt from.",
            ),
            (
                ("articles_from_sales", str(len(first))),
                ("effects_from_sales", str(len(second))),
                ("proved_on_sales", str(len(proof))),
                ("learnt_until", seen[-1].sale.sold_at.isoformat()),
            ),
            len(known),
            (),
            begin,
            end,
        ),
        Model(model[0], names, tuple(model[1:]), articles, elsewhere, prices),
    )


def _cut(lines: list[SoldLine], share_bp: int) -> tuple[list[SoldLine], list[SoldLine]]:
    """Older and younger; an order is never cut in two, for its parts know of each other."""
    place = len(lines) * share_bp // FULL_BP
    if not 0 < place < len(lines):
        return lines[:place], lines[place:]
    moment: datetime = lines[place].sale.sold_at
    while place > 0 and lines[place - 1].sale.sold_at == moment:
        place -= 1
    return lines[:place], lines[place:]


def _article_odds(lines: list[SoldLine]) -> tuple[dict[tuple[str, str], float], float]:
    """Log-odds of each article, and of one that was never sold before."""
    sold: Counter[tuple[str, str]] = Counter()
    back: Counter[tuple[str, str]] = Counter()
    for line in lines:
        key = (line.sale.merchant_id, line.sale.sku)
        sold[key] += 1
        back[key] += bool(line.units)
    prior = fit_beta((back[key], many) for key, many in sorted(sold.items())).shape
    return {key: _odds(prior.after(back[key], many)) for key, many in sorted(sold.items())}, _odds(prior)


def _usual_prices(lines: list[SoldLine]) -> dict[tuple[str, str], int]:
    """The middle price of each article, minor units."""
    paid: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for line in lines:
        if line.sale.price is not None:
            paid[line.sale.merchant_id, line.sale.sku].append(line.sale.price.minor)
    return {key: sorted(prices)[len(prices) // 2] for key, prices in sorted(paid.items())}


def _traits(sale: Sale, others: int, usual: int | None) -> frozenset[str]:
    """What an order shows, as words."""
    found = set()
    if sale.quantity > 1:
        found.add("several of the same article")
    if others == 1:
        found.add("one other article in the order")
    elif others > 1:
        found.add("two or more other articles in the order")
    if sale.channel:
        found.add(f"sold on {sale.channel}")
    if usual and sale.price is not None and sale.price.minor * 10 <= usual * 8:
        found.add("at least 20 % below the article's usual price")
    return frozenset(found)


def _names(
    lines: list[SoldLine], others: Counter[tuple[str, str]], prices: dict[tuple[str, str], int]
) -> tuple[str, ...]:
    """The traits that vary enough to be learnt; the commonest channel is what the others are compared with."""
    seen: Counter[str] = Counter()
    for line in lines:
        seen.update(_traits_of(line.sale, others, prices))
    channels = sorted((name for name in seen if name.startswith("sold on ")), key=lambda one: (-seen[one], one))
    usual = channels[0] if channels else None
    least = _LEAST_OF_A_CHANNEL
    found = (name for name, many in seen.items() if least <= many <= len(lines) - least and name != usual)
    return (_ARTICLE, *sorted(found))


def _traits_of(sale: Sale, others: Counter[tuple[str, str]], prices: dict[tuple[str, str], int]) -> frozenset[str]:
    return _traits(sale, others[sale.merchant_id, sale.order_id] - 1, prices.get((sale.merchant_id, sale.sku)))


def _matrix(
    lines: list[SoldLine],
    names: tuple[str, ...],
    others: Counter[tuple[str, str]],
    articles: dict[tuple[str, str], float],
    elsewhere: float,
    prices: dict[tuple[str, str], int],
) -> NDArray[np.float64]:
    """One row a sale: 1, the article's log-odds less those of any article, and 0 or 1 for each trait."""
    import numpy as np

    matrix = np.zeros((len(lines), len(names) + 1))
    matrix[:, 0] = 1.0
    column = {name: place + 1 for place, name in enumerate(names)}
    for row, line in enumerate(lines):
        matrix[row, 1] = articles.get((line.sale.merchant_id, line.sale.sku), elsewhere) - elsewhere
        for trait in _traits_of(line.sale, others, prices):
            if trait in column:
                matrix[row, column[trait]] = 1.0
    return matrix


def _irls(matrix: NDArray[np.float64], came: Sequence[bool]) -> NDArray[np.float64]:
    """Logistic regression by iteratively reweighted least squares.

    Source: P. McCullagh, J. A. Nelder (1989), Generalized Linear Models, §2.5 and §4.4. The ridge leaves the intercept
    free and draws the article's factor towards 1, its rate as it is.
    """
    import numpy as np

    target = np.asarray(came, dtype=np.float64)
    prior = np.zeros(matrix.shape[1])
    prior[1] = 1.0
    ridge = np.full(matrix.shape[1], _RIDGE)
    ridge[0] = 0.0
    now = prior.copy()
    share = float(target.mean())
    now[0] = log(share / (1 - share))
    for _ in range(50):
        promised = 1 / (1 + np.exp(-np.clip(matrix @ now, -30, 30)))
        slope = matrix.T @ (target - promised) - ridge * (now - prior)
        bend = (matrix * (promised * (1 - promised))[:, None]).T @ matrix + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        now = now + step
        if float(np.abs(step).max()) < 1e-9:
            break
    return now


def _effect(name: str, value: float, sales: int) -> Effect:
    if name == _ARTICLE:
        text = f"The article's past rate counts {value:.2f} times (1 = as it is)."
    else:
        text = f"{name[0].upper()}{name[1:]}: {_times(value)}, seen at {counted(sales, 'sale')}."
    return Effect(name, round(value * 1000), sales, text)


def _times(shift: float) -> str:
    return f"{exp(shift):.2f} times the odds"


def _odds(rate: Beta) -> float:
    return log(rate.a / rate.b)


def _share(odds: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))


def _percent(odds: float) -> str:
    return percent(round(_share(odds) * FULL_BP))
