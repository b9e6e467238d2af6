"""Keep the state of units, in the transaction of the push.

The usual push has inspections of units that nobody has seen before: two bulk inserts and one question. Everything else
(a second inspection, a correction, a void, a decision) is collected as *touched* and judged anew from what is stored.
Rows are locked in the order of their keys (SYNC.md R4); where two pushes still wait for each other PostgreSQL ends one
of them, the bench is told to come again, and nothing is lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Row, and_, func, or_, select, update

from station.decision.rules import load_rules
from station.ids import uuid7
from station.inspection.record import InspectionVoided
from station.returns.keys import pair_key
from station.returns.model import ReturnAuthorisation
from sync.protocol import Topic
from sync.server.applying import Applying
from sync.server.facts import Decided, Inspected
from sync.server.feed import Change, Feed
from sync.server.judge import Judged
from sync.server.storage.rows import endings, inspections
from sync.server.storage.rows_units import unit_claims, unit_lines, units
from sync.server.units.changes import Changed, outcome_of
from sync.server.units.deciding import Derogable, decide
from sync.server.units.knowing import Known, money_of
from sync.server.units.releasing import Books
from sync.server.units.state import Outcome, State, Unit, judge_unit

_MISSING: Final = "missing"
_LONGEST_RMA: Final = 200

_Line: TypeAlias = tuple[str, str, int]
"""(merchant, rma, line)."""


class Units:
    """The applier. Stands behind ``projection.project``, whose rows it reads."""

    def __init__(self, feed: Feed, derogable: Derogable, books: Books = load_rules) -> None:
        """
        Args:
            derogable: which gates a recorded permission may pass, and of which kinds it may be.
            books: the rule files, where a lead lets a gate go.
        """
        self._feed = feed
        self._derogable = derogable
        self._books = books

    def apply(self, work: Applying, applied: Sequence[Judged]) -> None:
        """Keep the units that these entries speak of (an ``Applier``)."""
        inspected = [(entry, entry.fact) for entry in applied if isinstance(entry.fact, Inspected)]
        voided = [(entry, entry.fact) for entry in applied if isinstance(entry.fact, InspectionVoided)]
        decided = [(entry, entry.fact) for entry in applied if isinstance(entry.fact, Decided)]
        step = _Step(work, self._feed, self._derogable, self._books)
        if inspected:
            step.enter(inspected)
        if voided:
            step.void({fact.inspection_id: entry.id for entry, fact in voided})
        for entry, fact in decided:
            # What came before it in this push is in force when its version is compared.
            step.settle()
            step.decide(entry, fact)
        step.settle()
        step.tell_changes()

    def rejudge(self, work: Applying, merchant_id: str, rma: str) -> None:
        """Judge the units of a return again: it says another quantity now. ``work.changes`` has what became of them."""
        step = _Step(work, self._feed, self._derogable, self._books)
        step.reconsider(merchant_id, rma)
        step.settle()
        step.tell_changes()


class _Step:
    """One push."""

    def __init__(self, work: Applying, feed: Feed, derogable: Derogable, books: Books) -> None:
        self._work = work
        self._feed = feed
        self._derogable = derogable
        self._books = books
        self._connection = work.connection
        self._site = work.site_id
        self._among = work.database.among
        self._touched: dict[str, str] = {}
        """LPN → entry that touched it."""
        self._lines: set[_Line] = set()
        self._cause = ""
        self._new: dict[str, tuple[str, Inspected]] = {}
        """LPN → (entry, fact) of units that nobody had seen before."""
        self._changed: dict[str, Changed] = {}

    def enter(self, inspected: Sequence[tuple[Judged, Inspected]]) -> None:
        """Take inspections that are new here."""
        rows = {}
        later: list[tuple[Judged, Inspected]] = []
        for entry, fact in inspected:
            if fact.lpn in rows:
                later.append((entry, fact))
            else:
                rows[fact.lpn] = _unit_row(self._work, fact)
        ordered = [rows[lpn] for lpn in sorted(rows)]
        known: Mapping[str, str] = {}
        if self._work.database.insert_all(self._connection, units, ordered) < len(ordered):
            known = self._firsts(rows)
        claims: list[tuple[Judged, Inspected]] = []
        for entry, fact in inspected:
            is_first = known.get(fact.lpn, rows[fact.lpn]["first_inspection"]) == fact.inspection_id
            if is_first:
                self._new[fact.lpn] = (entry.id, fact)
            if not is_first or fact.corrects is not None:
                claims.append((entry, fact))
        if claims:
            self._claim(claims, set(known.values()) or {row["first_inspection"] for row in rows.values()})
        self._enter_lines([fact for _, fact in inspected])
        self._touch_ended({fact.inspection_id: entry.id for entry, fact in inspected})
        self._touch_named({fact.corrects: entry.id for entry, fact in inspected if fact.corrects is not None})

    def void(self, ended: Mapping[str, str]) -> None:
        """Look again at the units whose inspections were taken back, and at what those had corrected."""
        self._touch_named(ended)
        here = and_(unit_claims.c.site_id == self._site, unit_claims.c.inspection_id.in_(list(ended)))
        corrected = self._connection.execute(
            select(unit_claims.c.corrects, unit_claims.c.inspection_id).where(here, unit_claims.c.corrects.is_not(None))
        )
        self._touch_named({target: ended[inspection] for target, inspection in corrected})

    def decide(self, entry: Judged, fact: Decided) -> None:
        """Take a decision, if it is on the unit as it is now."""
        if decide(self._work, entry, fact, self._derogable, self._books):
            self._touched[fact.lpn] = entry.id
            self.settle()
            self._tell(entry, fact)

    def reconsider(self, merchant_id: str, rma: str) -> None:
        """Look again at every line of a return; no entry is the cause."""
        self._cause = f"return:{uuid7()}"
        c = unit_lines.c
        here = (c.site_id == self._site, c.merchant_id == merchant_id, c.rma == rma)
        self._lines |= {(merchant_id, rma, line) for line in self._connection.scalars(select(c.line).where(*here))}

    def settle(self) -> None:
        """Judge what was touched, and the lines that it belongs to."""
        self._judge()
        if self._lines:
            self._settle_lines()
            self._judge()

    def tell_changes(self) -> None:
        """Say what is another than before this push."""
        if not self._changed:
            self._work.changes.take(self._new, ())
            return
        judged = [change for change in self._changed.values() if change.before != change.after]
        fresh = {lpn: new for lpn, new in self._new.items() if lpn not in self._changed}
        self._work.changes.take(fresh, judged)

    # what was touched

    def _firsts(self, rows: Iterable[str]) -> Mapping[str, str]:
        found = self._connection.execute(
            select(units.c.lpn, units.c.first_inspection)
            .where(units.c.site_id == self._site, self._among(units.c.lpn, sorted(rows)))
            .order_by(units.c.lpn)
            .with_for_update()
        )
        return {lpn: first for lpn, first in found}

    def _claim(self, claims: Sequence[tuple[Judged, Inspected]], firsts: set[object]) -> None:
        lpns = sorted({fact.lpn for _, fact in claims})
        self._firsts(lpns)  # locked: the numbers are given out one by one
        last: dict[str, int] = dict(
            self._connection.execute(
                select(unit_claims.c.lpn, func.max(unit_claims.c.number))
                .where(unit_claims.c.site_id == self._site, unit_claims.c.lpn.in_(lpns))
                .group_by(unit_claims.c.lpn)
            ).all()
        )
        rows = []
        for entry, fact in claims:
            if fact.inspection_id in firsts:
                number = 1
            else:
                number = last[fact.lpn] = last.get(fact.lpn, 1) + 1
            rows.append(
                {
                    "site_id": self._site, "inspection_id": fact.inspection_id, "lpn": fact.lpn, "number": number,
                    "corrects": fact.corrects,
                }
            )  # fmt: skip
            self._touched[fact.lpn] = entry.id
        self._work.database.insert_all(self._connection, unit_claims, rows)

    def _touch_named(self, inspection_ids: Mapping[str, str]) -> None:
        """Touch the units that these inspections (→ entry) belong to, where they are here already."""
        if not inspection_ids:
            return
        found = self._connection.execute(
            select(inspections.c.inspection_id, inspections.c.lpn).where(
                inspections.c.site_id == self._site, self._among(inspections.c.inspection_id, inspection_ids)
            )
        )
        for inspection_id, lpn in found:
            self._touched[lpn] = inspection_ids[inspection_id]

    def _touch_ended(self, inspection_ids: Mapping[str, str]) -> None:
        """What ended an inspection may have come before it."""
        found = self._connection.scalars(
            select(endings.c.inspection_id).where(
                endings.c.site_id == self._site, self._among(endings.c.inspection_id, inspection_ids)
            )
        ).all()
        self._touch_named({inspection_id: inspection_ids[inspection_id] for inspection_id in found})

    def _enter_lines(self, facts: Sequence[Inspected]) -> None:
        lines: dict[_Line, list[str]] = defaultdict(list)
        for fact in facts:
            line = _line_of(fact)
            if line is not None and fact.lpn not in lines[line]:
                lines[line].append(fact.lpn)
        if not lines:
            return
        rows = [
            {
                "site_id": self._site, "merchant_id": merchant, "rma": rma, "line": line,
                "lpns": _text(lines[merchant, rma, line]),
            }
            for merchant, rma, line in sorted(lines)
        ]  # fmt: skip
        self._lines |= {line for line, lpns in lines.items() if len(lpns) > 1}
        if self._work.database.insert_all(self._connection, unit_lines, rows) == len(rows):
            return
        for line, before in self._line_rows(lines).items():
            more = [lpn for lpn in lines[line] if lpn not in before]
            if not more:
                continue
            self._lines.add(line)
            self._connection.execute(
                update(unit_lines).where(_is_line(self._site, line)).values(lpns=_text([*before, *more]))
            )

    def _line_rows(self, lines: Iterable[_Line]) -> dict[_Line, list[str]]:
        wanted = sorted(lines)
        found: dict[_Line, list[str]] = {}
        for first in range(0, len(wanted), 50):
            for row in self._connection.execute(
                select(unit_lines)
                .where(or_(*(_is_line(self._site, line) for line in wanted[first : first + 50])))
                .order_by(unit_lines.c.merchant_id, unit_lines.c.rma, unit_lines.c.line)
                .with_for_update()
            ):
                found[row.merchant_id, row.rma, row.line] = msgspec.json.decode(row.lpns, type=list[str])
        return found

    # judging

    def _judge(self) -> None:
        touched, self._touched = self._touched, {}
        if not touched:
            return
        self._cause = next(reversed(touched.values()))
        known = Known(self._connection, self._site, sorted(touched))
        for row in known.rows:
            claims, rulings = known.claims(row), known.rulings(row.lpn)
            after = judge_unit(claims, rulings, is_beyond=row.beyond)
            known_change = self._changed.get(row.lpn)
            if known_change is not None:
                before = known_change.before
            else:
                before = None if row.lpn in self._new else _unit_of(row)
            self._changed[row.lpn] = Changed(
                row.lpn, touched[row.lpn], before, after, row.unit_id, row.merchant_id, row.rma, row.sku
            )
            version = len(claims) + known.ended(claims) + len(known.decisions.get(row.lpn, ())) + row.flips
            outcome = after.outcome
            refund = outcome.refund if outcome is not None else None
            self._connection.execute(
                update(units)
                .where(units.c.site_id == self._site, units.c.lpn == row.lpn)
                .values(
                    state=after.state.value, because=after.because, owner=after.owner,
                    disposition=outcome.disposition if outcome is not None else None,
                    refund_decision=outcome.refund_decision if outcome is not None else None,
                    refund_minor=refund.minor if refund is not None else None,
                    refund_currency=refund.currency if refund is not None else None,
                    decided_by=after.decided_by, version=version, updated_at=self._work.at,
                )
            )  # fmt: skip
            if row.merchant_id is not None and row.rma is not None and row.line is not None:
                was_voided, is_voided = row.state == State.VOIDED, after.state is State.VOIDED
                if was_voided != is_voided and len(row.rma) <= _LONGEST_RMA:
                    self._lines.add((row.merchant_id, row.rma, row.line))

    def _settle_lines(self) -> None:
        """Say which units are more than their line announced, in the server's order."""
        lines, self._lines = self._lines, set()
        rows = {line: lpns for line, lpns in self._line_rows(lines).items() if len(lpns) > 1}
        quantities = self._quantities(rows)
        for line, lpns in rows.items():
            quantity = quantities.get(line)
            if quantity is None:
                continue
            found = self._connection.execute(
                select(units.c.lpn, units.c.state, units.c.beyond)
                .where(units.c.site_id == self._site, units.c.lpn.in_(lpns))
                .order_by(units.c.lpn)
                .with_for_update()
            )
            states = {lpn: (state, beyond) for lpn, state, beyond in found}
            place = 0
            for lpn in lpns:
                state, beyond = states.get(lpn, (State.VOIDED, False))
                place += state != State.VOIDED
                should = state != State.VOIDED and place > quantity
                if should != beyond:
                    self._connection.execute(
                        update(units)
                        .where(units.c.site_id == self._site, units.c.lpn == lpn)
                        .values(beyond=should, flips=units.c.flips + 1)
                    )
                    self._touched.setdefault(lpn, self._cause)

    def _quantities(self, lines: Iterable[_Line]) -> Mapping[_Line, int]:
        wanted = {line: pair_key(line[0], line[1]) for line in lines}
        bodies = self._feed.item(self._connection, self._site, Topic.RETURNS, sorted(set(wanted.values())))
        found: dict[_Line, int] = {}
        for line, key in wanted.items():
            if key not in bodies:
                continue
            for announced in msgspec.json.decode(bodies[key], type=ReturnAuthorisation).lines:
                if announced.line == line[2]:
                    found[line] = announced.quantity
        return found

    def _tell(self, entry: Judged, fact: Decided) -> None:
        """Let the benches know of a decision."""
        row = self._connection.execute(
            select(units).where(units.c.site_id == self._site, units.c.lpn == fact.lpn)
        ).one()
        refund = None
        if row.refund_minor is not None:
            refund = {"minor": row.refund_minor, "currency": row.refund_currency}
        body = {
            "lpn": row.lpn, "version": row.version, "inspection_id": row.owner, "disposition": row.disposition,
            "refund": {"decision": row.refund_decision, "amount": refund}, "reason": fact.reason,
            "entry_id": entry.id, "station": self._work.station, "decided_at": fact.decided_at,
            "gate_acts": [{"kind": act.kind, "subject": act.subject} for act in fact.gate_acts],
        }  # fmt: skip
        self._feed.put(self._connection, self._site, Topic.DECISIONS, [Change(row.lpn, body)], self._work.at)


def _unit_of(row: Row[Any]) -> Unit:
    outcome = None
    if row.disposition is not None:
        outcome = Outcome(row.disposition, row.refund_decision, money_of(row.refund_minor, row.refund_currency))
    return Unit(State(row.state), row.because, row.owner, outcome, row.decided_by)


def _unit_row(work: Applying, fact: Inspected) -> dict[str, object]:
    outcome = outcome_of(fact)
    return {
        "site_id": work.site_id, "lpn": fact.lpn, "unit_id": fact.unit_id, "merchant_id": fact.merchant_id,
        "rma": fact.rma, "line": fact.line, "sku": fact.sku, "first_inspection": fact.inspection_id,
        "state": State.INSPECTED.value, "because": None, "beyond": False, "owner": fact.inspection_id,
        "disposition": outcome.disposition, "refund_decision": outcome.refund_decision,
        "refund_minor": outcome.refund.minor if outcome.refund is not None else None,
        "refund_currency": outcome.refund.currency if outcome.refund is not None else None,
        "decided_by": None, "version": 1, "flips": 0, "updated_at": work.at,
    }  # fmt: skip


def _line_of(fact: Inspected) -> _Line | None:
    if fact.merchant_id is None or fact.rma is None or fact.line is None or fact.identity == _MISSING:
        return None
    return (fact.merchant_id, fact.rma, fact.line) if len(fact.rma) <= _LONGEST_RMA else None


def _is_line(site: str, line: _Line) -> ColumnElement[bool]:
    return and_(
        unit_lines.c.site_id == site, unit_lines.c.merchant_id == line[0], unit_lines.c.rma == line[1],
        unit_lines.c.line == line[2],
    )  # fmt: skip


def _text(lpns: Sequence[str]) -> str:
    return msgspec.json.encode(lpns).decode()
