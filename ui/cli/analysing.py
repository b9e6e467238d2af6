"""``station analyse``: what many inspections say together, read beside a running bench."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from station.errors import InvalidInput, OperatorError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from station.analysis.linking import Linked, SoldLine
    from station.analysis.rates import Rates
    from station.analysis.unit import Seen
    from station.analysis.volume import Forecast
    from station.decision.books import ReasonBook

_F = TypeVar("_F", bound=Callable[..., object])
_APPAREL = "apparel"
_SHOWN = 20
"""Lines of one kind that a person is shown; --json has all."""


@click.group()
def analyse() -> None:
    """Say why goods come back, how many will come and who is needed for it.

    Reads this station's own record; the station may be running. Every answer says what it was made of.
    """


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every analysis is asked for."""

    home: Path
    begin: datetime | None
    end: datetime | None
    merchant: str | None
    as_json: bool

    def units(self) -> Seen:
        """The units of the period."""
        from station.analysis.unit import KINDS, units_seen
        from station.store.reading import iterate_entries

        entries = iterate_entries(self.home, KINDS)
        return units_seen(entries, begin=self.begin, end=self.end, merchant=self.merchant)

    def linked(self) -> Linked:
        """Sales of the period with all that came back of them, whenever it did."""
        from station.analysis.linking import link
        from station.analysis.unit import KINDS, units_seen
        from station.store.reading import iterate_entries, stored_sales

        sales, orders = stored_sales(self.home, self.merchant)
        units = units_seen(iterate_entries(self.home, KINDS), merchant=self.merchant).units
        begin, end = self.begin, self.end
        inside = [
            sale
            for sale in sales
            if (begin is None or sale.sold_at >= begin) and (end is None or sale.sold_at < end)
        ]  # fmt: skip
        return link(inside, units, orders)


def _questions(command: Callable[..., object]) -> Callable[..., object]:
    """The options that every analysis has."""

    @click.option("--from", "begin", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="First day, UTC.")
    @click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Last day, UTC.")
    @click.option("--merchant", metavar="ID", help="Only this merchant's goods.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    @click.pass_obj
    def asked(
        home: Path, /, begin: datetime | None, end: datetime | None, merchant: str | None, as_json: bool, **options: Any
    ) -> object:
        first = begin.replace(tzinfo=UTC) if begin is not None else None
        behind = end.replace(tzinfo=UTC) + timedelta(days=1) if end is not None else None
        if first is not None and behind is not None and first >= behind:
            raise InvalidInput(f"--from {first:%Y-%m-%d} is after --to {behind - timedelta(days=1):%Y-%m-%d}")
        return command(_Asked(home, first, behind, merchant, as_json), **options)

    asked.__doc__, asked.__name__ = command.__doc__, command.__name__
    # options of the command itself stand in its help before those of all
    asked.__click_params__ += getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    return asked


def _search(command: _F) -> _F:
    """The options of what looks for excesses."""
    for option in (
        click.option(
            "--false-findings", type=click.FloatRange(0.01, 50), default=5.0, show_default=True, metavar="PERCENT",
            help="Share of the findings that may be chance.",
        ),
        click.option("--least-units", type=click.IntRange(1), default=20, show_default=True, help="Of a group."),
        click.option("--least-cases", type=click.IntRange(1), default=3, show_default=True, help="Of a finding."),
    ):  # fmt: skip
        command = option(command)
    return command


def _ahead(command: _F) -> _F:
    """The options of a forecast."""
    for option in (
        click.option("--days", type=click.IntRange(1, 92), default=7, show_default=True, help="To look ahead."),
        click.option(
            "--peak", type=click.IntRange(10, 1000), default=100, show_default=True, metavar="PERCENT",
            help="What a coming peak makes of an ordinary day; 150 = half as much again.",
        ),
        click.option("--zone", default="UTC", show_default=True, metavar="NAME", help="E.g. Europe/Warsaw."),
    ):  # fmt: skip
        command = option(command)
    return command


@analyse.command()
@_questions
@click.option(
    "--by", type=click.Choice(["found", "declared"]), default="found", show_default=True, help="Whose reason."
)
@click.option(
    "--of", type=click.Choice(["returned", "sold"]), default="returned", show_default=True,
    help="Compare among what came back, or among all that was sold (imported sales).",
)  # fmt: skip
@_search
def causes(asked: _Asked, by: str, of: str, false_findings: float, least_units: int, least_cases: int) -> None:
    """Who makes up most of the returns, and where a reason gathers beyond chance."""
    from station.analysis.causes import ReasonOf, find_causes, find_causes_of_sold
    from station.analysis.excess import Search

    search = Search(round(false_findings * 100), least_units, least_cases)
    linked = asked.linked()
    if of == "sold":
        result = find_causes_of_sold(_ripe(linked, 30)[0], reason_of=ReasonOf(by), search=search)
        left_out = linked.left_out
    else:
        seen = asked.units()
        result = find_causes(seen.units, reason_of=ReasonOf(by), sale_of=linked.sale_of, search=search)
        left_out = seen.left_out
    tables = [
        (
            f"units  {pareto.dimension}",
            [
                f"{line.units:>8}  {line.share_bp / 100:6.2f} %  {line.cumulative_bp / 100:6.2f} %  {line.value}"
                + "".join(f"  lost {money}" for money in line.lost)
                for line in pareto.lines
            ],
        )
        for pareto in result.paretos
        if pareto.names > 1
    ]
    _say("causes", asked, left_out, result, result.text, tables)


@analyse.command()
@_questions
@_search
def reasons(asked: _Asked, false_findings: float, least_units: int, least_cases: int) -> None:
    """What customers declared beside what was found, and where the two part."""
    from station.analysis.excess import Search
    from station.analysis.reasons import compare_reasons

    seen, book = asked.units(), _reason_book(asked.home)
    result = compare_reasons(
        seen.units,
        groups={reason.code: reason.group for reason in book.reasons},
        faults=frozenset(reason.code for reason in book.reasons if not reason.soft),
        search=Search(round(false_findings * 100), least_units, least_cases),
    )
    lines = [f"{cell.units:>8}  {cell.declared or '(none)':<22}{cell.found or '(nothing)'}" for cell in result.cells]
    _say("reasons", asked, seen.left_out, result, result.text, [("units  declared, found", lines)])


@analyse.command()
@_questions
@click.option(
    "--ripe-days", type=click.IntRange(0, 400), default=30, show_default=True,
    help="Sales of the last days are left out: more of them may come back.",
)  # fmt: skip
def rates(asked: _Asked, ripe_days: int) -> None:
    """How often what was sold comes back, and how likely each order does."""
    from station.analysis.propensity import learn_propensity
    from station.analysis.rates import return_rates

    linked = asked.linked()
    ripe, young = _ripe(linked, ripe_days)
    result = return_rates(ripe, left_out=(*linked.left_out, *young))
    try:
        learnt = learn_propensity(ripe)
    except OperatorError as error:
        orders: dict[str, object] = {"learnt": False, "text": [str(error)]}
    else:
        orders = {"learnt": True, **{name: getattr(learnt, name) for name in
                                     ("base_bp", "effects", "calibration", "text", "basis")}}  # fmt: skip
    tables = [(table.dimension, [rate.text for rate in table.rates]) for table in result.tables]
    said = orders["text"]
    texts = [*result.text, *(said if isinstance(said, list | tuple) else ())]
    _say("rates", asked, linked.left_out, result, texts, tables, orders=orders)


@analyse.command()
@_questions
@_ahead
@click.option("--what", type=click.Choice(["parcels", "units"]), default="parcels", show_default=True)
def forecast(asked: _Asked, days: int, peak: int, zone: str, what: str) -> None:
    """How much will come, by day and hour, with its range."""
    seen, result = _forecast(asked, days, peak, zone, what)
    hours = [
        f"{one.day} {one.hour:02d}:00  about {one.expected:6.1f}, between {one.low} and {one.high}"
        for one in result.hours
        if one.expected >= 0.05
    ]
    _say("forecast", asked, seen.left_out, result, result.text, [(f"{what} by hour, {zone}", hours)], zone=zone,
         what=what)  # fmt: skip


@analyse.command()
@_questions
@_ahead
@click.option("--share", type=click.FloatRange(1, 99.9), default=95.0, show_default=True, metavar="PERCENT",
              help="Of the parcels that are begun in time.")  # fmt: skip
@click.option("--within", type=click.IntRange(0, 1440), default=30, show_default=True, metavar="MINUTES")
@click.option("--productive", type=click.IntRange(10, 100), default=85, show_default=True, metavar="PERCENT",
              help="Of a paid hour that a person is at the bench.")  # fmt: skip
def staffing(asked: _Asked, days: int, peak: int, zone: str, share: float, within: int, productive: int) -> None:
    """The benches and people that the days ahead need."""
    from station.analysis.staffing import Promise, measure_work, plan
    from station.analysis.work import parcel_seconds

    seen, ahead = _forecast(asked, days, peak, zone, "parcels")
    work = measure_work(parcel_seconds(seen.units))
    promise = Promise(round(share * 100), within * 60)
    result = plan(ahead.hours, work, promise, productive_bp=productive * 100)
    _say("staffing", asked, seen.left_out, result, result.text, [], zone=zone, work=work)


@analyse.command()
@_questions
def ledger(asked: _Asked) -> None:
    """Units and kilograms by route, diversion from landfill, and the EU's fields for discarded goods."""
    from station.analysis.ledger import keep_ledger

    seen, book = asked.units(), _reason_book(asked.home)
    soft = frozenset(reason.code for reason in book.reasons if reason.soft)
    result = keep_ledger(seen.units, withdrawal=soft)
    _say("ledger", asked, seen.left_out, result, result.text, [])


@analyse.command()
@_questions
@click.option("--wage", metavar="AMOUNT", help="Paid for an hour at a bench with everything on top, e.g. 21.50.")
@click.option("--currency", default="EUR", show_default=True, metavar="CODE", help="Of the wage.")
def benchmarks(asked: _Asked, wage: str | None, currency: str) -> None:
    """What others report, with source and year, beside our own figures."""
    from station.analysis.benchmarks import compare, read_benchmarks
    from station.assets import asset
    from station.quantities import parse_money

    file, version = read_benchmarks(asset("analysis", "benchmarks.toml"))
    seen, linked = asked.units(), asked.linked()
    ripe = _ripe(linked, 30)[0]
    worn = [line for line in ripe if any(unit.category.startswith(_APPAREL) for unit in line.units)]
    names = {(line.sale.merchant_id, line.sale.sku) for line in worn}
    result = compare(
        seen.units,
        file,
        version,
        rates=_rates(ripe),
        apparel=_rates(line for line in ripe if (line.sale.merchant_id, line.sale.sku) in names),
        wage=parse_money(wage, currency.upper()) if wage is not None else None,
    )
    _say("benchmarks", asked, seen.left_out, result, result.text, [])


def _rates(lines: Iterable[SoldLine]) -> Rates:
    from station.analysis.rates import return_rates

    return return_rates(lines, dimensions=())


def _ripe(linked: Linked, days: int) -> tuple[list[SoldLine], tuple[tuple[str, int], ...]]:
    from station.analysis.rates import ripe

    return ripe(linked.lines, days=days)


def _reason_book(home: Path) -> ReasonBook:
    from station.decision.rules import folders_for, load_rules

    return load_rules(folders_for(home)).reasons


def _forecast(asked: _Asked, days: int, peak: int, zone: str, what: str) -> tuple[Seen, Forecast]:
    from station.analysis.volume import forecast as look_ahead
    from station.analysis.volume import history_of
    from station.analysis.work import begun, parcels_begun

    seen = asked.units()
    moments = parcels_begun(seen.units) if what == "parcels" else begun(seen.units)
    history = history_of(moments, _zone(zone), until=None)
    return seen, look_ahead(history, days=days, peak_bp=peak * 100)


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"{name!r} is no time zone: expected one such as Europe/Warsaw or UTC") from error


def _say(
    name: str,
    asked: _Asked,
    left_out: Iterable[tuple[str, int]],
    result: object,
    text: Iterable[str],
    tables: Iterable[tuple[str, list[str]]],
    **more: object,
) -> None:
    """One JSON document, or sentences and tables."""
    left = tuple(left_out)
    if asked.as_json:
        plain = msgspec.to_builtins(result)
        document = {
            "analysis": name,
            "from": asked.begin.date() if asked.begin is not None else None,
            "to": (asked.end - timedelta(days=1)).date() if asked.end is not None else None,
            "merchant": asked.merchant,
            "left_out": left,
            **plain,
            **more,
        }
        click.echo(msgspec.json.encode(document).decode())
        return
    for line in text:
        click.echo(line)
    for title, lines in tables:
        click.secho(f"\n{title}", bold=True)
        for line in lines[:_SHOWN]:
            click.echo(f"  {line}")
        if len(lines) > _SHOWN:
            click.echo(f"  and {len(lines) - _SHOWN} more (--json lists them)")
    if left:
        click.echo("\nnot counted: " + "; ".join(f"{many} × {why}" for why, many in left))
