"""Figures and the lead's queue, as leads and other programs ask for them."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class QueueKind(StrEnum):
    """Why something waits for a lead."""

    SECOND_LOOK = "second_look"
    QUARANTINED = "quarantined"
    """The unit's disposition is quarantine."""
    PARKED = "parked"
    """A parcel set aside unfinished."""
    CONTESTED = "contested"
    """Inspected twice, or more came than were announced: ``reason`` says which."""


class Definition(msgspec.Struct, frozen=True):
    """What a figure means, in words; it travels with the figure."""

    name: str
    unit: str
    """``units``, ``bp`` (1/10 000), ``ms``, ``minor`` (of the row's currency), ``mg``, ``per_hour_milli``."""
    text: str


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One figure of one row."""

    value: int | None
    """None = nothing to compute it from."""
    part: int | None = None
    of: int | None = None
    """A rate is ``part`` of ``of``; a percentile is over ``of`` units."""
    low: int | None = None
    high: int | None = None
    """A percentile is read from a histogram: it lies above ``low`` and not above ``high`` (None = open)."""


class FigureRow(msgspec.Struct, frozen=True):
    """One group."""

    key: list[str]
    figures: dict[str, Figure]


class FiguresAnswer(msgspec.Struct, frozen=True):
    """A view."""

    view: str
    since: str
    until: str
    """First and last day, both included, UTC."""
    by: str
    filters: dict[str, str]
    definitions: list[Definition]
    rows: list[FigureRow]
    total: FigureRow | None
    """Over all rows; None where rows of several currencies do not add up."""
    current: bool
    """False = made by an older formula, or before there were figures: ``station server rebuild``."""


class ViewDefinition(msgspec.Struct, frozen=True):
    """A view that can be asked for."""

    view: str
    by: list[str]
    filters: list[str]
    longest_days: int
    definitions: list[Definition]


class NotFed(msgspec.Struct, frozen=True):
    """A figure that the record cannot tell."""

    name: str
    why: str


class FiguresIndex(msgspec.Struct, frozen=True):
    """All views."""

    views: list[ViewDefinition]
    not_fed: list[NotFed]


class UnitLine(msgspec.Struct, frozen=True):
    """One inspection behind a figure."""

    inspection_id: str
    unit_id: str
    lpn: str
    rma: str | None
    station: str
    merchant: str
    sku: str
    grade: str
    disposition: str
    confirmed_at: str


class UnitsPage(msgspec.Struct, frozen=True):
    """Inspections, newest day first."""

    units: list[UnitLine]
    after: str | None
    """For the next page; None = this was the last."""


class QueueLine(msgspec.Struct, frozen=True):
    """Something that waits."""

    kind: QueueKind
    item_id: str
    """An inspection's id; of a parked parcel the parcel's; of a contested unit that of the entry that made it so."""
    since: str
    station: str
    merchant: str
    reason: str
    unit_id: str | None
    lpn: str | None
    rma: str | None
    sku: str | None
    disposition: str | None
    value_minor: int
    currency: str


class QueuePage(msgspec.Struct, frozen=True):
    """A window of the queue."""

    items: list[QueueLine]
    after: str | None
    counts: dict[str, int]
    """On the first page: kind → how many are open under the same filters."""
