"""The lists: inspections behind a figure, and the lead's queue. Windowed by keyset: page 1000 costs what page 1 costs.

A cursor is the last row's sort key; it stays right while rows come and go.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, tuple_

from station.errors import InvalidInput
from sync.protocol import QueueKind, QueueLine, QueuePage, UnitLine, UnitsPage
from sync.server.figures.builds import read_builds
from sync.server.figures.views import Question
from sync.server.storage.rows_figures import figure_units, queue_items

LARGEST_PAGE: Final = 500
_LONGEST_DAYS: Final = 31
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX_END: Final = "\U0010ffff"

_u = figure_units.c
_ABOUT: Final[dict[str, ColumnElement[bool]]] = {
    "overridden": _u.overridden == 1,
    "second_look": _u.looks != "",
    "reasons_differ": and_(_u.declared != "", _u.found != "", _u.declared != _u.found),
    "skipped": _u.skipped != "",
    **{verdict: _u.verdict == verdict for verdict in ("too_light", "too_heavy", "empty")},
    **{outcome: _u.identity == outcome for outcome in ("wrong_item", "wrong_serial", "unexpected", "unknown")},
}
"""Units that a figure is about; without one, all that stand."""
_FILTERS: Final = (
    "station", "inspector", "merchant", "category", "sku", "grade", "disposition", "declared", "found", "refund",
)  # fmt: skip


def units(
    connection: Connection, site_id: str, question: Question, about: str | None, after: str | None, limit: int
) -> UnitsPage:
    """The inspections that stand behind a figure, newest day first.

    Raises:
        InvalidInput: no such filter, a period that is too long, a damaged cursor.
    """
    first, last = question.days
    if not 1 <= last - first + 1 <= _LONGEST_DAYS:
        raise InvalidInput(f"{question.since} to {question.until}: expected 1 to {_LONGEST_DAYS} days")
    if about is not None and about not in _ABOUT:
        raise InvalidInput(f"about={about!r}: expected one of {', '.join(_ABOUT)}")
    unknown = question.filters.keys() - set(_FILTERS)
    if unknown:
        raise InvalidInput(f"no filter {sorted(unknown)!r}; there are: {', '.join(_FILTERS)}")
    build = read_builds(connection, site_id).live
    where = [
        _u.site_id == site_id, _u.build == build, _u.day >= first, _u.day <= last, _u.ended == 0,
        *(_u[name] == value for name, value in question.filters.items()),
    ]  # fmt: skip
    if about is not None:
        where.append(_ABOUT[about])
    if after is not None:
        where.append(tuple_(_u.day, _u.inspection_id) < tuple_(*_cursor(after)))
    query = (
        select(
            _u.day, _u.inspection_id, _u.unit_id, _u.lpn, _u.rma, _u.station, _u.merchant, _u.sku, _u.grade,
            _u.disposition, _u.confirmed_us,
        )
        .where(*where)
        .order_by(_u.day.desc(), _u.inspection_id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    rows: Sequence[Any] = connection.execute(query).all()
    lines = [UnitLine(*(*row[1:-1], _iso(row[-1]))) for row in rows[:limit]]
    return UnitsPage(lines, cursor_of(*rows[limit - 1][:2]) if len(rows) > limit else None)


@dataclass(frozen=True, slots=True)
class QueueQuestion:
    """What a lead wants to see."""

    kind: QueueKind
    filters: Mapping[str, str] = field(default_factory=dict)
    """station, merchant, reason, sku, disposition."""
    text: str = ""
    """Beginning of an LPN or an RMA."""
    sort: str = "since"
    """``since``: the oldest first; ``value``: the dearest first."""
    after: str | None = None
    limit: int = 100


_QUEUE_FILTERS: Final = ("station", "merchant", "reason", "sku", "disposition")
_q = queue_items.c


def queue(connection: Connection, site_id: str, question: QueueQuestion) -> QueuePage:
    """A window of the queue, and how many there are of each kind under the same filters.

    Raises:
        InvalidInput: no such filter or order, a damaged cursor.
    """
    unknown = question.filters.keys() - set(_QUEUE_FILTERS)
    if unknown or question.sort not in ("since", "value"):
        raise InvalidInput(
            f"filters {sorted(unknown)!r}, sort={question.sort!r}: filters are {', '.join(_QUEUE_FILTERS)}; "
            "sort is since or value"
        )
    build = read_builds(connection, site_id).live
    here = [_q.site_id == site_id, _q.build == build]
    where = [*here, *(_q[name] == value for name, value in question.filters.items())]
    if question.text:
        where.append(or_(*(and_(c >= question.text, c < question.text + _PREFIX_END) for c in (_q.lpn, _q.rma))))
    counted = select(_q.kind, func.count()).where(*where).group_by(_q.kind)
    counts: dict[str, int] = {}
    if question.after is None:  # counting a hundred thousand takes longer than any page; who scrolls knows the number
        counts = {kind.value: 0 for kind in QueueKind} | {kind: count for kind, count in connection.execute(counted)}
    where.append(_q.kind == question.kind.value)
    by = _q.since_us if question.sort == "since" else _q.value_minor
    if question.after is not None:
        key, place = tuple_(by, _q.item_id), tuple_(*_cursor(question.after))
        where.append(key > place if question.sort == "since" else key < place)
    order = (by, _q.item_id) if question.sort == "since" else (by.desc(), _q.item_id.desc())
    columns = (
        _q.kind, _q.item_id, _q.since_us, _q.station, _q.merchant, _q.reason, _q.unit_id, _q.lpn, _q.rma, _q.sku,
        _q.disposition, _q.value_minor, _q.currency,
    )  # fmt: skip
    rows: Sequence[Any] = connection.execute(
        select(*columns).where(*where).order_by(*order).limit(question.limit + 1)
    ).all()
    items = [QueueLine(QueueKind(row[0]), row[1], _iso(row[2]), *row[3:]) for row in rows[: question.limit]]
    more = len(rows) > question.limit
    last = rows[question.limit - 1] if more else None
    after = None
    if last is not None:
        after = cursor_of(*(last.since_us if question.sort == "since" else last.value_minor, last.item_id))
    return QueuePage(items, after, counts)


def cursor_of(number: int, name: str) -> str:
    """The cursor behind a row with this sort key and this id."""
    return base64.urlsafe_b64encode(msgspec.json.encode((number, name))).decode()


def _cursor(text: str) -> tuple[int, str]:
    try:
        number, name = msgspec.json.decode(base64.urlsafe_b64decode(text.encode()), type=tuple[int, str])
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidInput(f"after={text!r} is not a cursor of this list; begin without one") from error
    if "\x00" in name or abs(number) >= 2**63:
        raise InvalidInput(f"after={text!r} is not a cursor of this list; begin without one")
    return number, name


def _iso(us: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return str(us)
