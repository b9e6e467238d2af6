"""Read a view: one query over cells, and what the figures come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, case, func, or_, select

from station.errors import InvalidInput
from sync.protocol import Figure, FigureRow, FiguresAnswer, FiguresIndex, ViewDefinition
from sync.server.figures.builds import FORMULA, read_builds
from sync.server.figures.counting import ONLY_MONTHS
from sync.server.figures.definitions import (
    LONGEST_BY_DAY,
    NOT_FED,
    REVIEW,
    REVIEW_KPIS,
    VIEWS,
    Count,
    Kpi,
    Percentile,
    PerHour,
    Rate,
    Source,
    View,
)
from sync.server.storage.rows_figures import (
    DAYS,
    HOURS,
    MONTHS,
    figure_benches,
    figure_labels,
    figure_merchants,
    queue_settled,
)

_TABLES: Final = {
    Source.BENCHES: figure_benches,
    Source.MERCHANTS: figure_merchants,
    Source.LABELS: figure_labels,
}
_NAMES: Final = {
    Source.BENCHES: ("station", "inspector"),
    Source.MERCHANTS: ("merchant", "category"),
    Source.LABELS: ("merchant", "a", "b"),
}
_MOST_LABELS: Final = 1000
"""Rows of a view by label, most units first; there may be a hundred thousand articles."""
EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    view: str
    since: date
    until: date
    """Included."""
    by: str = "total"
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def days(self) -> tuple[int, int]:
        """First and last day since 1970."""
        return (self.since - EPOCH).days, (self.until - EPOCH).days


def index() -> FiguresIndex:
    """All views with their definitions."""
    review = ViewDefinition(REVIEW, ["total"], [], 400, [kpi.definition for kpi in REVIEW_KPIS])
    return FiguresIndex([*(_described(view) for view in VIEWS.values()), review], list(NOT_FED))


def _described(view: View) -> ViewDefinition:
    names = [name for source in view.sources for name in _NAMES[source]]
    own = ["label"] if view.kind else []
    return ViewDefinition(
        view.name, ["total", "day", *own, *names], names, view.longest_days, [kpi.definition for kpi in view.kpis]
    )


def answer(connection: Connection, site_id: str, question: Question) -> FiguresAnswer:
    """Answer a question.

    Raises:
        InvalidInput: no such view, or it cannot be asked like this; the text says what can.
    """
    if question.view == REVIEW:
        return _review(connection, site_id, question)
    view, source = _checked(question)
    builds = read_builds(connection, site_id)
    columns = list(dict.fromkeys(column for kpi in view.kpis for column in kpi.columns))
    keys = _keys(view, source, question.by)
    query = _query(_TABLES[source], site_id, builds.live, view, question, keys, columns)
    groups = [([_text(part) for part in row[: len(keys)]], dict(zip(columns, map(int, row[len(keys) :]), strict=True)))
              for row in connection.execute(query)]  # fmt: skip
    if question.by == "day":
        groups = [([(EPOCH + timedelta(days=int(key[0]))).isoformat(), *key[1:]], sums) for key, sums in groups]
    total = None if view.kind else _row([], view.kpis, _summed(groups, columns))
    rows = [] if question.by == "total" and not view.kind else [_row(key, view.kpis, sums) for key, sums in groups]
    return FiguresAnswer(
        view.name, question.since.isoformat(), question.until.isoformat(), question.by, dict(question.filters),
        [kpi.definition for kpi in view.kpis], rows, total, builds.formula == FORMULA,
    )  # fmt: skip


def _checked(question: Question) -> tuple[View, Source]:
    view = VIEWS.get(question.view)
    if view is None:
        raise InvalidInput(f"no view {question.view!r}; there are: {', '.join(VIEWS)}")
    days = (question.until - question.since).days + 1
    if not 1 <= days <= view.longest_days:
        raise InvalidInput(
            f"{question.since} to {question.until} is {days} days; {view.name} takes 1 to {view.longest_days}"
        )
    if question.by not in _described(view).by:
        raise InvalidInput(f"by={question.by!r}: {view.name} goes by {', '.join(_described(view).by)}")
    if question.by == "day" and days > LONGEST_BY_DAY:
        raise InvalidInput(f"by=day over {days} days: ask for {LONGEST_BY_DAY} days at most, or not by day")
    if view.kind == ONLY_MONTHS and "merchant" not in question.filters:
        raise InvalidInput(f"{view.name}: name a merchant; the articles of all of them are too many for one view")
    wanted = {*question.filters, question.by} - {"total", "day", "label"}
    for source in view.sources:
        if wanted <= set(_NAMES[source]):
            return view, source
    possible = " or ".join(", ".join(_NAMES[source]) for source in view.sources)
    raise InvalidInput(f"{', '.join(sorted(wanted))} cannot be asked together; {view.name} has {possible}")


def _keys(view: View, source: Source, by: str) -> list[str]:
    keys = {"total": [], "label": ["a", "b"]}.get(by, [by])
    return [*keys, "currency"] if source is Source.LABELS else keys


def _query(
    table: Table, site_id: str, build: int, view: View, question: Question, keys: Sequence[str], columns: Sequence[str]
) -> Select[Any]:
    c = table.c
    where: list[ColumnElement[bool]] = [c.site_id == site_id, c.build == build, _period(table, view, question)]
    if view.kind:
        where.append(c.kind == view.kind)
    where += [c[name] == value for name, value in question.filters.items()]
    sums = [func.coalesce(_sum(table, name), 0) for name in columns]
    query = select(*(c[key] for key in keys), *sums).where(*where)
    if not keys:
        return query
    order = [c[keys[0]]] if question.by == "day" else [_sum(table, "units").desc(), *(c[key] for key in keys)]
    return query.group_by(*(c[key] for key in keys)).order_by(*order).limit(_MOST_LABELS if view.kind else None)


def _period(table: Table, view: View, question: Question) -> ColumnElement[bool]:
    """Whole months where there are some, days at both ends."""
    grain, day = table.c.grain, table.c.day
    first, last = question.days
    months = month_ends(question.since, question.until)
    if view.kind == ONLY_MONTHS:
        return and_(grain == MONTHS, day >= (question.since.replace(day=1) - EPOCH).days, day <= last)
    if question.by == "day" or view.longest_days == LONGEST_BY_DAY or months is None:
        return and_(grain == DAYS, day >= first, day <= last)
    begin, end = ((moment - EPOCH).days for moment in months)
    return or_(
        and_(grain == MONTHS, day >= begin, day < end),
        and_(grain == DAYS, day >= first, day < begin),
        and_(grain == DAYS, day >= end, day <= last),
    )


def month_ends(since: date, until: date) -> tuple[date, date] | None:
    """The first day of the first whole month in a period, and the first day after the last one.

    >>> month_ends(date(2026, 1, 15), date(2026, 4, 30))
    (datetime.date(2026, 2, 1), datetime.date(2026, 5, 1))
    >>> month_ends(date(2026, 1, 2), date(2026, 1, 31)) is None
    True
    """
    begin = since if since.day == 1 else (since.replace(day=1) + timedelta(days=32)).replace(day=1)
    end = (until + timedelta(days=1)).replace(day=1)
    return (begin, end) if begin < end else None


def _sum(table: Table, name: str) -> ColumnElement[Any]:
    if name == "hours":
        worked = [case((table.c[hour] > 0, 1), else_=0) for hour in HOURS]
        total = worked[0]
        for one in worked[1:]:
            total = total + one  # type: ignore[assignment]
        return func.sum(total)
    return func.sum(table.c[name])


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _summed(groups: Sequence[tuple[list[str], Mapping[str, int]]], columns: Sequence[str]) -> dict[str, int]:
    return {column: sum(sums[column] for _, sums in groups) for column in columns}


def _row(key: list[str], kpis: Sequence[Kpi], sums: Mapping[str, int]) -> FigureRow:
    return FigureRow(key, {kpi.name: _figure(kpi, sums) for kpi in kpis})


def _figure(kpi: Kpi, sums: Mapping[str, int]) -> Figure:
    match kpi.how:
        case Count(column):
            return Figure(sums[column])
        case Rate(part, of):
            return rate(sums[part], sum(sums[name] for name in of))
        case Percentile(what, percent, edges):
            return percentile([sums[f"{what}_{number:02d}"] for number in range(len(edges) + 1)], edges, percent)
        case PerHour():
            units, hours = sums["units"], sums["hours"]
            return Figure((units * 2000 + hours) // (2 * hours) if hours else None, units, hours)


def rate(part: int, whole: int) -> Figure:
    """Part of a whole in 1/10 000, rounded half up.

    >>> rate(1, 3).value
    3333
    """
    return Figure((part * 20_000 + whole) // (2 * whole) if whole > 0 else None, part, whole)


def percentile(counts: Sequence[int], edges: Sequence[int], percent: int) -> Figure:
    """The nearest-rank percentile of a histogram, spread evenly within its bucket.

    Args:
        counts: one more than edges.
        edges: upper edges, ascending.

    >>> percentile([0, 10, 0], (100, 200), 50)
    Figure(value=150, part=None, of=10, low=100, high=200)
    """
    whole = sum(counts)
    if whole <= 0:
        return Figure(None, of=0)
    rank = max(1, -(-whole * percent // 100))
    for number, count in enumerate(counts):
        if rank <= count:
            low = edges[number - 1] if number else 0
            if number == len(edges):
                return Figure(low, of=whole, low=low)
            return Figure(low + (edges[number] - low) * rank // count, of=whole, low=low, high=edges[number])
        rank -= count
    raise AssertionError("unreachable: the rank is not above the sum")


def _review(connection: Connection, site_id: str, question: Question) -> FiguresAnswer:
    if question.by != "total" or question.filters:
        raise InvalidInput(f"{REVIEW} goes by total only and has no filters: it lists each outcome")
    c = queue_settled.c
    first, last = question.days
    query = (
        select(c.outcome, func.count(), func.sum(c.waited_ms))
        .where(c.site_id == site_id, c.day >= first, c.day <= last)
        .group_by(c.outcome)
        .order_by(c.outcome)
    )
    rows = [
        FigureRow([outcome], {"settled": Figure(count), "waited_ms": Figure(int(waited) // count, of=count)})
        for outcome, count, waited in connection.execute(query)
    ]
    return FiguresAnswer(
        REVIEW, question.since.isoformat(), question.until.isoformat(), question.by, {},
        [kpi.definition for kpi in REVIEW_KPIS], rows, None, True,
    )  # fmt: skip
