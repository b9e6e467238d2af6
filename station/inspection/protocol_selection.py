"""Which protocol an article gets, and why: SKU, then merchant + category, then category; the longest category wins.

Strongest first: the SKU of this merchant · the SKU of any merchant · merchant and category · category alone.
Two protocols that claim exactly the same are a tie: files with one are refused, and where a set with one is asked all
the same, the answer is none (the unit is held) and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from station.errors import InvalidInput
from station.inspection.protocol import Applies, Protocol
from station.returns.policy import covers

Rank = tuple[int, int]


class AmbiguousPrecedence(InvalidInput):
    """Two protocols claim exactly the same goods."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One protocol that fits an article."""

    protocol: str
    version: int
    applies: Applies
    rank: Rank
    """Higher wins."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The protocol for one article, and every claim that was weighed."""

    protocol: Protocol | None
    claims: tuple[Claim, ...]
    """Strongest first."""
    why: str
    """One sentence for a person."""


@dataclass(frozen=True, slots=True)
class Tie:
    """Two protocols or more with the same claim."""

    applies: Applies
    protocols: tuple[str, ...]


def select_protocol(
    protocols: Iterable[Protocol], merchant: str | None, sku: str | None, category: str | None
) -> Selection:
    """Choose.

    Args:
        protocols: the newest version of each.
        merchant: the article's merchant; None = any.
        category: None = the article is unmapped; only its SKU can find a protocol.
    """
    found: list[tuple[Claim, Protocol]] = []
    for protocol in protocols:
        claims = [
            Claim(protocol.id, protocol.version, applies, rank)
            for applies in protocol.is_for
            if (rank := _rank(applies, merchant, sku, category)) is not None
        ]
        if claims:
            found.append((max(claims, key=lambda claim: claim.rank), protocol))
    found.sort(key=lambda pair: ((-pair[0].rank[0], -pair[0].rank[1]), pair[0].protocol))
    listed = tuple(claim for claim, _ in found)
    if not found:
        what = f"SKU {sku!r} and category {category!r}" if category is not None else f"SKU {sku!r} without a category"
        return Selection(None, (), f"No protocol is for {what}: held")
    best = listed[0]
    if len(listed) > 1 and listed[1].rank == best.rank:
        names = " and ".join(repr(claim.protocol) for claim in listed if claim.rank == best.rank)
        return Selection(None, listed, f"{names} both claim {best.applies}: held until one gives way")
    return Selection(
        found[0][1], listed, f"{best.protocol}@{best.version}, because it is for {best.applies}{_over(listed)}"
    )


def _over(claims: tuple[Claim, ...]) -> str:
    if len(claims) < 2:
        return ""
    second = claims[1]
    return f"; that outranks {second.protocol!r} for {second.applies}"


def _rank(applies: Applies, merchant: str | None, sku: str | None, category: str | None) -> Rank | None:
    if applies.merchant is not None and applies.merchant != merchant:
        return None
    own = applies.merchant is not None
    if applies.sku is not None:
        return (3 if own else 2, 0) if applies.sku == sku else None
    if applies.category is None or category is None or not covers(applies.category, category):
        return None
    return (1 if own else 0, len(applies.category))


def ties(protocols: Iterable[Protocol]) -> tuple[Tie, ...]:
    """Claims that more than one protocol makes. Only equal claims can tie: of two different ones, one always wins."""
    owners: dict[Applies, list[str]] = {}
    for protocol in protocols:
        for applies in protocol.is_for:
            owners.setdefault(applies, []).append(protocol.id)
    return tuple(Tie(applies, tuple(names)) for applies, names in owners.items() if len(set(names)) > 1)
