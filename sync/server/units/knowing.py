"""What the state of units is made of, read from the tables in a few questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from station.quantities import Money
from sync.server.storage.rows import endings, inspections
from sync.server.storage.rows_units import unit_claims, unit_decisions, units
from sync.server.units.state import Claim, Outcome, Ruling


class Known:
    """Everything that the state of some units is made of."""

    def __init__(self, connection: Connection, site: str, lpns: Sequence[str], *, lock: bool = True) -> None:
        query = select(units).where(units.c.site_id == site, units.c.lpn.in_(lpns)).order_by(units.c.lpn)
        self.rows = connection.execute(query.with_for_update() if lock else query).all()
        self._claims: dict[str, list[Any]] = defaultdict(list)
        row: Any
        for row in connection.execute(
            select(unit_claims.c.lpn, unit_claims.c.inspection_id, unit_claims.c.number, unit_claims.c.corrects).where(
                unit_claims.c.site_id == site, unit_claims.c.lpn.in_(lpns)
            )
        ):
            self._claims[row.lpn].append(row)
        ids = {row.first_inspection for row in self.rows}
        ids |= {claim.inspection_id for claims in self._claims.values() for claim in claims}
        wanted = sorted(ids)
        self._outcomes = {
            row.inspection_id: Outcome(
                row.disposition, row.refund_decision, money_of(row.refund_minor, row.refund_currency)
            )
            for row in connection.execute(
                select(
                    inspections.c.inspection_id, inspections.c.disposition, inspections.c.refund_decision,
                    inspections.c.refund_minor, inspections.c.refund_currency,
                ).where(inspections.c.site_id == site, inspections.c.inspection_id.in_(wanted))
            )
        }  # fmt: skip
        correcting = {
            row.inspection_id: row.corrects
            for row in connection.execute(
                select(unit_claims.c.inspection_id, unit_claims.c.corrects).where(
                    unit_claims.c.site_id == site, unit_claims.c.corrects.in_(wanted)
                )
            )
        }
        self._endings: dict[str, int] = defaultdict(int)
        voided: set[str] = set()
        for row in connection.execute(
            select(endings.c.inspection_id, endings.c.how).where(
                endings.c.site_id == site, endings.c.inspection_id.in_(sorted(ids | correcting.keys()))
            )
        ):
            self._endings[row.inspection_id] += 1
            if row.how == "voided":
                voided.add(row.inspection_id)
        self._voided = voided
        self._corrected = {target for by, target in correcting.items() if by not in voided}
        self.decisions: dict[str, list[Ruling]] = defaultdict(list)
        for row in connection.execute(
            select(unit_decisions).where(
                unit_decisions.c.site_id == site, unit_decisions.c.lpn.in_(lpns),
                unit_decisions.c.outcome == "in_force",
            )
        ):  # fmt: skip
            self.decisions[row.lpn].append(
                Ruling(
                    row.entry_id, row.number, frozenset(msgspec.json.decode(row.settles, type=list[str])),
                    row.inspection_id, row.disposition, row.refund_decision,
                    money_of(row.refund_minor, row.refund_currency),
                )
            )  # fmt: skip

    def claims(self, row: Row[Any]) -> list[Claim]:
        more = self._claims.get(row.lpn, [])
        found = [(claim.inspection_id, claim.number, claim.corrects) for claim in more]
        if row.first_inspection not in {one[0] for one in found}:
            found.append((row.first_inspection, 1, None))
        return [
            Claim(one, number, corrects, one in self._voided, one in self._corrected, self._outcomes[one])
            for one, number, corrects in sorted(found)
            if one in self._outcomes
        ]

    def rulings(self, lpn: str) -> Sequence[Ruling]:
        return self.decisions.get(lpn, ())

    def ended(self, claims: Sequence[Claim]) -> int:
        return sum(self._endings.get(claim.inspection_id, 0) for claim in claims)


def money_of(minor: int | None, currency: str | None) -> Money | None:
    """An amount from its two columns."""
    return Money(minor, currency) if minor is not None and currency is not None else None
