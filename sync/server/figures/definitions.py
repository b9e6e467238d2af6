"""The views: which figures there are, what they mean, and from which sums each is computed.

Words and figures of DOMAIN.md ("KPIs"). What the record cannot tell is listed with the reason (``NOT_FED``) instead of
being guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from sync.protocol import Definition, NotFed
from sync.server.storage.rows_figures import (
    CYCLE_EDGES,
    DISPOSITIONS,
    DOCK_EDGES,
    HOURS,
    IDENTITIES,
    REFUNDS,
    SYNC_EDGES,
    VERDICTS,
)

_STANDING = "inspections that stand (not voided, not corrected)"


class Source(StrEnum):
    """Where a view's sums lie."""

    BENCHES = "benches"
    MERCHANTS = "merchants"
    LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Count:
    """A sum as it is."""

    column: str


@dataclass(frozen=True, slots=True)
class Rate:
    """One sum in 1/10 000 of others, rounded half up."""

    part: str
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Percentile:
    """Read from a histogram, by nearest rank."""

    what: str
    percent: int
    edges: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PerHour:
    """Units over hours in which there was at least one, in 1/1000 per hour."""


How: TypeAlias = Count | Rate | Percentile | PerHour


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure."""

    name: str
    unit: str
    text: str
    how: How

    @property
    def definition(self) -> Definition:
        return Definition(self.name, self.unit, self.text)

    @property
    def columns(self) -> tuple[str, ...]:
        """The sums it needs."""
        match self.how:
            case Count(column):
                return (column,)
            case Rate(part, of):
                return (part, *of)
            case Percentile(what, _, edges):
                return tuple(f"{what}_{number:02d}" for number in range(len(edges) + 1))
            case PerHour():
                return ("units", "hours")


@dataclass(frozen=True, slots=True)
class View:
    """A question that a dashboard asks."""

    name: str
    sources: tuple[Source, ...]
    kpis: tuple[Kpi, ...]
    kind: str = ""
    """Of labels."""
    longest_days: int = 400


def _count(name: str, text: str, unit: str = "units", column: str = "") -> Kpi:
    return Kpi(name, unit, text, Count(column or name))


def _rate(name: str, text: str, part: str, *of: str) -> Kpi:
    return Kpi(name, "bp", text, Rate(part, of or ("units",)))


def _times(what: str, edges: tuple[int, ...], text: str) -> tuple[Kpi, ...]:
    return tuple(
        Kpi(
            f"{what}_p{percent}", "ms", f"{percent} % of units took no longer. {text}", Percentile(what, percent, edges)
        )
        for percent in (50, 90)
    )


LONGEST_BY_DAY: Final = 92
"""Days that are read one by one; longer periods are read by months."""

UNITS: Final = _count("units", f"Units inspected: {_STANDING}, by UTC day of the confirmation.")

_BOTH = (Source.BENCHES, Source.MERCHANTS)

VIEWS: Final = {
    view.name: view
    for view in (
        View(
            "throughput", (Source.BENCHES,),
            (
                UNITS,
                Kpi(
                    "units_per_hour", "per_hour_milli",
                    "Units ÷ hours of a person at a bench in which at least one unit was confirmed, × 1000.", PerHour(),
                ),
                _count("handling_ms", "Sum of the cycle times, each counted with one hour at most.", "ms"),
                *(_count(hour, f"Units confirmed from {hour[-2:]}:00 UTC on.") for hour in HOURS),
            ),
            longest_days=LONGEST_BY_DAY,
        ),
        View(
            "times", _BOTH,
            (
                UNITS,
                *_times("cycle", CYCLE_EDGES, "Cycle time: first scan of the unit to its confirmation, bench's clock."),
                *_times(
                    "dock", DOCK_EDGES,
                    "Dock to disposition: first scan of the parcel (the id it got then) to the confirmation.",
                ),
                *_times("sync", SYNC_EDGES, "Confirmation (bench's clock) to arrival at the centre (its clock)."),
                _count("clock_doubtful", "Durations that could not be told, e.g. because a clock was set back."),
            ),
        ),
        View(
            "dispositions", _BOTH,
            (
                UNITS,
                *(_rate(f"to_{name}", f"Disposition mix: {name} ÷ units.", f"to_{name}") for name in DISPOSITIONS),
                _count("weighed_mg", "Gross mass of the units that were weighed, up to one tonne each.", "mg"),
                _rate(
                    "diverted",
                    "Diversion from landfill: mass of units not destroyed ÷ mass of all units that were weighed.",
                    "diverted_mg", "weighed_mg",
                ),
            ),
        ),
        View(
            "checks", _BOTH,
            (
                UNITS,
                _rate("override_rate", "Units whose proposed disposition a person overrode ÷ units.", "overridden"),
                _rate("second_look_rate", "Units that ask for a second look ÷ units.", "second_look"),
                _rate(
                    "reason_agreement", "Units whose declared and found reason are the same ÷ units with both.",
                    "reasons_agree", "reasons_known",
                ),
                *(_rate(f"is_{name}", f"Identity {name} ÷ units.", f"is_{name}") for name in IDENTITIES),
                *(_rate(f"weight_{name}", f"Weight verdict {name} ÷ units.", f"weight_{name}") for name in VERDICTS),
                _rate("evidence_gaps", "Units with a skipped step ÷ units; the rest has complete evidence.", "skipped"),
                _rate("skipped_weight", "Units not weighed because a device failed ÷ units.", "skipped_weight"),
                _rate("skipped_photo", "Units with a photo left out because a device failed ÷ units.", "skipped_photo"),
            ),
        ),
        View(
            "refunds", _BOTH,
            (
                UNITS,
                *(_rate(f"refund_{name}", f"Refund decision {name} ÷ units.", f"refund_{name}") for name in REFUNDS),
                _count(
                    "refunds_decided",
                    "Refunds decided (full, partial or none; not left to a person), also where a correction followed; "
                    "those voided and never corrected are not counted.",
                ),
                _rate(
                    "refunds_corrected",
                    "Decided refunds where a later correction names another one ÷ decided refunds. "
                    "Refund accuracy is the rest to 10 000.",
                    "refunds_corrected", "refunds_decided",
                ),
                _count("voided", "Inspections that were voided, on the day of the inspection."),
                _count("corrected", "Inspections that a later one corrects, on the day of the inspection."),
            ),
        ),
        *(
            View(
                name, (Source.LABELS,),
                (
                    UNITS if several == 1 else _count("units", f"{_STANDING.capitalize()}, once per {what}."),
                    _count("refunded_minor", "Sum of refunds.", "minor"),
                    _count("priced", "Units with a known price paid and a value of the way decided, same currency."),
                    _count("original_minor", "What was paid for them (known where it is all refunded).", "minor"),
                    _count("recovered_minor", "Net value of the ways decided for the priced units.", "minor"),
                    _rate("recovery_rate", "Recovered ÷ original value of the priced units.", "recovered_minor",
                          "original_minor"),
                ),
                kind, longest,
            )
            for name, kind, what, several, longest in (
                ("grades", "grade", "grade and disposition", 1, 400),
                ("reasons", "reason", "declared and found reason", 1, 400),
                ("skus", "sku", "article, by whole months", 1, 400),
                ("looks", "look", "reason for a second look", 2, 400),
                ("gaps", "skipped", "skipped step", 2, 400),
            )
        ),
    )
}  # fmt: skip

REVIEW: Final = "review"
REVIEW_KPIS: Final = (
    _count(
        "settled",
        "Items of the queue that were answered, by UTC day and outcome: confirmed or changed by a lead's decision, "
        "voided or corrected by another record, resolved when the question fell away.",
    ),
    _count("waited_ms", "Review turnaround: from when it began to wait until it was answered, on average.", "ms"),
)

NOT_FED: Final = (
    NotFed("return_rate", "units sold are not in the record; it needs imported sales"),
    NotFed("cost_per_return", "wages and freight are not in the record; handling_ms is the labour in it"),
    NotFed("inventory_accuracy", "where units are found later is not in the record"),
    NotFed("inspector_agreement", "two inspectors rarely judge the same unit; it needs an audit sample"),
    NotFed("customer_satisfaction", "no survey is imported"),
    NotFed("backlog_against_promise", "what was announced and has not come is in the returns, not in the record"),
)
