"""``station review``: what waits for a second look and in which order, the audit, the claims, and what looks taught."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
import msgspec

from station.errors import InvalidInput

if TYPE_CHECKING:
    from station.inspection.record import Inspection
    from station.review.settled import Settled

_T = TypeVar("_T")
_F = TypeVar("_F", bound=Callable[..., object])
_NOW = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d"])
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.group()
def review() -> None:
    """Second looks: the queue, the audit of ordinary units, the evidence for claims, what looks have found.

    Reads this station's own record; the station may be running. What a lead settled at the centre is not known here.
    """


def _common(command: _F) -> _F:
    for option in (
        click.option("--at", type=_NOW, metavar="MOMENT", help="Instead of now, UTC, e.g. 2026-11-23T09:00."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
    ):
        command = option(command)
    return command


@review.command()
@_common
@click.option("--promise", type=click.IntRange(0, 8760), metavar="HOURS",
              help="What customers were promised, counted from when the unit was begun.")  # fmt: skip
@click.option("--marketplace", metavar="NAME", help="Whose claim windows count, e.g. walmart_us.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Lines shown; --json has all.")
@click.pass_obj
def queue(
    home: Path, at: datetime | None, as_json: bool, promise: int | None, marketplace: str | None, limit: int
) -> None:
    """What waits for a second look, in the order that loses least, each with why."""
    from station.decision.rules import folders_for, load_rules
    from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED
    from station.review.claims import read_claims
    from station.review.order import in_order, read_order
    from station.review.waiting import asking, waiting_of
    from station.store.reading import read_entries

    now, book, claims = _moment(at), read_order(), read_claims()
    if marketplace is not None:
        claims.of(marketplace)  # an unknown name is told before anything is read
    units = asking(read_entries(home, {INSPECTION_CONFIRMED, INSPECTION_VOIDED}))
    decays = load_rules(folders_for(home)).routes.decays
    promised = timedelta(hours=promise) if promise is not None else None
    waits = [
        waiting_of(unit, now, decays, promise=promised, marketplace=marketplace, claims=claims) for unit in units
    ]  # fmt: skip
    places = in_order(waits, now, book)
    by_id = {unit.inspection_id: unit for unit in units}
    if as_json:
        listed = [
            {
                "inspection_id": one.waiting.item,
                "lpn": by_id[one.waiting.item].lpn,
                "score": one.score,
                "by_age": one.by_age,
                "reasons": one.reasons,
                "second_look": by_id[one.waiting.item].decision.second_look,
            }
            for one in places
        ]
        _print({"at": now, "order": book.name, "waiting": listed})
        return
    for number, one in enumerate(places[:limit], 1):
        unit = by_id[one.waiting.item]
        click.echo(f"{number:>4}  {unit.lpn}  {unit.title}")
        click.echo(f"      {one.text}")
        click.echo(f"      {'; '.join(reason.text for reason in unit.decision.second_look)}")
    more = len(places) - limit
    click.echo(f"{len(places)} wait" + (f", {more} more than shown" if more > 0 else ""))


@review.command()
@click.option("--plan", "plan_file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="Instead of the shipped one.")  # fmt: skip
@click.option("--history", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="JSON lines: inspector, category, grade, and disagrees or turn (resumed, unsteady).")  # fmt: skip
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="File with the site's secret, to repeat draws.")  # fmt: skip
@click.option("--severity", type=click.Choice(["normal", "tightened", "reduced", "every"]), default="normal",
              show_default=True, help="Of the draws that are repeated.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.argument("units", nargs=-1)
def sampling(
    plan_file: Path | None, history: Path | None, key: Path | None, severity: str, as_json: bool, units: tuple[str, ...]
) -> None:
    """The audit's plan with what it guarantees, where each cell stands, and the draw of UNITS by their ids."""
    from station.review.curve import outgoing_limit, point
    from station.review.draw import DrawKey, draw
    from station.review.plan import Severity, read_plan
    from station.review.switching import Cell, Looked, Turn, standing_text, standings

    if units and key is None:
        raise InvalidInput("a draw is repeated with the site's secret: name its file with --key")
    plan = read_plan(plan_file)
    looked = []
    for line in _lines(history, _HistoryLine):
        turn = Turn(line.turn) if line.turn is not None else None
        if turn is not None and turn not in (Turn.RESUMED, Turn.UNSTEADY):
            raise InvalidInput(f"{history}: turn {line.turn!r}: expected 'resumed' or 'unsteady'")
        looked.append(Looked(Cell(line.inspector, line.category, line.grade), line.disagrees, turn))
    cells = standings(plan, looked)
    points = [point(plan, share / 100) for share in (1, 2, 4, 6, 8, 10, 15, 20)]
    worst = outgoing_limit(plan)
    secret = DrawKey(key.read_bytes()) if key is not None else None
    draws = {unit: draw(secret, plan, unit, Severity(severity)) for unit in units} if secret is not None else {}
    if as_json:
        stand = [{"cell": cell, **msgspec.to_builtins(one)} for cell, one in sorted(cells.items(), key=_by_name)]
        _print(
            {"plan": plan.id, "sha256": plan.sha256, "source": plan.source, "curve": points, "limit": worst,
             "cells": stand, "draws": draws}
        )  # fmt: skip
        return
    click.echo(f"{plan.id}: {plan.title}\n{plan.source}\n")
    click.echo("wrong   lot passes (normal, tightened, reduced)   looked at   leaves wrong")
    for one in points:
        passes = dict(one.passes)
        shown = "  ".join(f"{passes[level]:7.1%}" for level in (Severity.NORMAL, Severity.TIGHTENED, Severity.REDUCED))
        click.echo(f"{one.wrong:5.0%}   {shown}               {one.looked:9.1%}   {one.outgoing:12.2%}")
    click.echo(f"In the long run at most {worst.outgoing:.1%} leave wrong (where {worst.wrong:.1%} of the work is).")
    for cell, standing in sorted(cells.items(), key=_by_name):
        click.echo(f"{cell}: {standing_text(plan, standing)}")
    for unit, drawn in draws.items():
        click.echo(f"{unit}: {'drawn' if drawn.drawn else 'not drawn'} ({drawn.plan}, {drawn.severity}, {drawn.key})")


@review.command()
@_common
@click.argument("lpn")
@click.option("--marketplace", required=True, metavar="NAME", help="E.g. amazon_us; an unknown name lists all.")
@click.option("--refunded", type=_DAY, metavar="DATE", help="When the customer was refunded, UTC.")
@click.option("--delivered", type=_DAY, metavar="DATE", help="When the carrier delivered the parcel, UTC.")
@click.option("--have", multiple=True, metavar="ID", help="A document that is at hand; may be given again.")
@click.pass_obj
def claims(
    home: Path, at: datetime | None, as_json: bool, lpn: str, marketplace: str, refunded: datetime | None,
    delivered: datetime | None, have: tuple[str, ...],
) -> int:  # fmt: skip
    """The evidence that claims for the unit LPN ask for: what is there, what lacks, how long is left.

    Exit code 1 if something lacks.
    """
    from station.review.claims import checklists, claim_file, read_claims

    book = read_claims()
    book.of(marketplace)
    unit = _unit(home, lpn)
    file = claim_file(
        unit,
        have,
        refunded=_aware(refunded) if refunded is not None else None,
        delivered=_aware(delivered) if delivered is not None else None,
    )
    listed = checklists(book, marketplace, file, _moment(at))
    lacks = any(not one.complete for one in listed if one.open_now)
    if as_json:
        _print({"lpn": lpn, "found": file.found, "claims": listed})
        return int(lacks)
    if not listed:
        click.echo(f"{lpn}: nothing was found that {marketplace} takes claims for")
    for one in listed:
        click.echo(f"{one.programme.title}\n  {one.text}")
        for item in one.items:
            click.echo(f"  {'x' if item.by else ' '}  {item.evidence.title}" + (f"  ({item.by})" if item.by else ""))
        if one.next:
            click.echo(f"  Next: {one.next}")
        if one.programme.note:
            click.echo(f"  {one.programme.note}")
        click.echo(f"  {one.notice}: {one.programme.source}")
    return int(lacks)


@review.command(name="settle")
@click.argument("lpn")
@click.option("--found/--nothing", required=True, help="Whether the look changes what happens with the unit.")
@click.option("--by", required=True, metavar="NAME", help="Who looked; not who inspected it.")
@click.pass_obj
def settle_look(home: Path, lpn: str, found: bool, by: str) -> None:
    """Record what the second look at the unit LPN found; the station must not be running."""
    from station.canonical import canonical_json
    from station.clock import SystemClock
    from station.config import load_config
    from station.journal.entry import Fact
    from station.review.settled import SETTLED, settle
    from station.store.store import Store

    unit, inspector = _recorded(home, lpn)
    told = settle(unit, inspector, found, by, datetime.now(UTC))
    with Store.open(home, station=load_config(home).station.id, clock=SystemClock()) as store:
        store.commit([Fact(SETTLED, 1, canonical_json(told))], actor=told.by, drafts={})
    click.echo(f"{lpn}: {'something was found' if found else 'nothing was found'}, {told.by} looked")


@review.command()
@click.argument("outcomes", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def hits(home: Path, outcomes: Path | None, as_json: bool) -> None:
    """How often each signal was right, and what it weighs from now on: from a file of OUTCOMES, or from the looks that
    were settled at this station (station review settle).

    One JSON object a line: {"unit": "…", "signals": ["used"], "confirmed": false}. Looks that the audit drew belong in
    it as well, with the signals that they had or none.
    """
    from station.review.learning import Outcome, learn
    from station.review.settled import outcomes_of
    from station.review.signals import read_signals

    book = read_signals()
    learned = learn(_lines(outcomes, Outcome) if outcomes is not None else outcomes_of(_settled(home)), book)
    if as_json:
        _print({"version": learned.weights.version, "base_milli": learned.weights.base_milli,
                "outcomes": learned.outcomes, "confirmed": learned.confirmed, "signals": learned.hits})  # fmt: skip
        return
    click.echo(f"{learned.outcomes} looks, {learned.confirmed} of them found something")
    click.echo("weight   before   rate (95 % between)       signal")
    for one in sorted(learned.hits, key=lambda rate: -rate.weight_milli):
        rate = f"{one.likely_bp / 100:5.1f} % ({one.low_bp / 100:.1f} to {one.high_bp / 100:.1f})"
        click.echo(f"{one.weight_milli / 1000:6.2f}   {one.weight_before_milli / 1000:6.2f}   {rate:<24}  {one.text}")


class _HistoryLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    inspector: str
    category: str = ""
    grade: str = ""
    disagrees: bool = False
    turn: str | None = None


def _lines(path: Path | None, type_: type[_T]) -> list[_T]:
    """JSON lines, each refused with its number."""
    if path is None:
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line, type=type_))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{path}:{number}: {line[:80]!r}: {error}") from error
    return found


def _settled(home: Path) -> list[Settled]:
    from station.review.settled import SETTLED, Settled
    from station.store.reading import read_entries

    entries = read_entries(home, {SETTLED})
    return [msgspec.json.decode(one.payload, type=Settled) for one in entries if one.payload is not None]


def _unit(home: Path, lpn: str) -> Inspection:
    """The inspection of a plate that stands; of several the last."""
    return _recorded(home, lpn)[0]


def _recorded(home: Path, lpn: str) -> tuple[Inspection, str]:
    """The same, and who confirmed it."""
    from station.analysis.unit import units_seen
    from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection
    from station.store.reading import read_entries

    entries = read_entries(home, {INSPECTION_CONFIRMED, INSPECTION_VOIDED})
    stands = {unit.inspection_id for unit in units_seen(entries).units}
    quoted = msgspec.json.encode(lpn)
    found = None
    for entry in entries:
        if entry.kind != INSPECTION_CONFIRMED or entry.payload is None or quoted not in entry.payload:
            continue
        unit = msgspec.json.decode(entry.payload, type=Inspection)
        if unit.lpn == lpn and unit.inspection_id in stands:
            found = unit, entry.actor
    if found is None:
        raise InvalidInput(f"no inspection of {lpn!r} stands in this station's record; scan or copy the plate anew")
    return found


def _by_name(one: tuple[object, object]) -> str:
    return str(one[0])


def _moment(at: datetime | None) -> datetime:
    return _aware(at) if at is not None else datetime.now(UTC)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _print(document: object) -> None:
    click.echo(msgspec.json.encode(document).decode())
