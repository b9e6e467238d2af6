"""The sums that an estimate rested on, written into the decision and read back from it.

What was learned goes on growing, so a decision that is shown again years later must not ask the station of that day: it
carries, for each way, the sums of its article and of its category. Nothing else of what was learned is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from station.decision.books import RouteBook
from station.decision.model import Decision, Disposition
from station.decision.recovery import Cell, Recovery, Sums, ready
from station.decision.rules import OUTCOMES, Rules
from station.decision.worth import Unit, key_of
from station.errors import InvalidInput
from station.returns.model import CatalogueItem

_LEARNED: Final = "learned_"
_OTHERS: Final = "\x00others"
"""Stands for all other articles of the category: no article is called so."""


def learned_inputs(unit: Unit, routes: RouteBook, recovery: Recovery) -> Iterator[tuple[str, str]]:
    """(``learned_<way>``, ``n/total/squares of the article; of its category``) of every way that has any."""
    if unit.grade is None or not recovery.knows_anything:
        return
    for route in routes.routes:
        known = recovery.known(key_of(unit, unit.grade, route.disposition))
        if known is not None:
            yield f"{_LEARNED}{route.disposition}", "; ".join("/".join(map(str, sums)) for sums in known)


def rules_as_recorded(rules: Rules, decision: Decision, item: CatalogueItem | None) -> Rules:
    """The rules with what had been learned when a decision was made, in place of what is known now.

    Raises:
        InvalidInput: the record's sums are not such.
    """
    recorded = [version for version in decision.versions if version[0] == OUTCOMES]
    books = (*(version for version in rules.book_versions if version[0] != OUTCOMES), *recorded)
    cells = () if item is None or decision.grade is None else tuple(_cells(decision, item))
    book = msgspec.structs.replace(rules.recovery.book, cells=cells)
    return replace(rules, recovery=ready(book), book_versions=books)


def _cells(decision: Decision, item: CatalogueItem) -> Iterator[Cell]:
    for what, text in decision.inputs:
        if not what.startswith(_LEARNED) or decision.grade is None:
            continue
        own, category = _sums(what, text)
        way = Disposition(what.removeprefix(_LEARNED))
        for sku, sums in ((item.sku, own), (_OTHERS, category.less(own))):
            if sums.n:
                yield Cell(
                    category=item.category or "", merchant=item.merchant_id, sku=sku, scheme=decision.grade.scheme,
                    grade=decision.grade.code, route=way, n=sums.n, total=sums.total, squares=sums.squares,
                )  # fmt: skip


def _sums(what: str, text: str) -> tuple[Sums, Sums]:
    try:
        own, category = (Sums._make(map(int, part.split("/"))) for part in text.split("; "))
        Disposition(what.removeprefix(_LEARNED))
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"the record's input {what!r} = {text!r}: expected 'n/total/squares; n/total/squares'"
        ) from error
    if own.n < 0 or category.n < own.n:
        raise InvalidInput(f"the record's input {what!r} = {text!r}: the category has fewer than the article")
    return own, category
