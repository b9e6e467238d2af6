"""The demo's shift: which parcels come, what is in them, what is true about each unit. The same seed, the same shift.

The truth stays here: the station only gets the returns file that a shop would send. ``verdict`` compares later.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from station.inspection.facts import IdentityOutcome
from station.returns.model import CatalogueItem


class Twist(StrEnum):
    """What is unusual about a unit."""

    NONE = "none"
    WRONG_ITEM = "wrong_item"
    HEAVY = "heavy"
    BROKEN_SEAL = "broken_seal"
    DAMAGED_LITHIUM = "damaged_lithium"
    SCALE_UNPLUGGED = "scale_unplugged"
    NETWORK_GAP = "network_gap"
    """The server is killed before this unit and comes back three units later."""
    CORRECTED_SCAN = "corrected_scan"
    """The inspector first grabs the wrong thing, puts it aside and scans the right one."""
    PART_MISSING = "part_missing"


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """One unit as it truly is, and what the inspector will do with it."""

    item: CatalogueItem
    """What really lies in the parcel."""
    announced: CatalogueItem
    reason: str
    rma: str
    tracking: str
    parcel_code: str | None
    """What is scanned to open the parcel; None = a further unit of the same parcel."""
    item_code: str
    item_aim: str
    gross_mg: int
    scene: str
    twist: Twist = Twist.NONE
    wrong_code: str | None = None
    """Code of another article that is scanned first (CORRECTED_SCAN)."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """question id → choice id; every other question gets its first choice."""
    serial: str | None = None
    identity: IdentityOutcome = IdentityOutcome.MATCH

    @property
    def clean(self) -> bool:
        return self.twist in (Twist.NONE, Twist.NETWORK_GAP) and not self.answers


_TWISTS = (
    Twist.NONE,
    Twist.WRONG_ITEM,
    Twist.HEAVY,
    Twist.BROKEN_SEAL,
    Twist.DAMAGED_LITHIUM,
    Twist.SCALE_UNPLUGGED,
    Twist.NETWORK_GAP,
    Twist.CORRECTED_SCAN,
    Twist.PART_MISSING,
)
"""In this order within the first units, so that a demo of nine units shows everything; later units draw by lot."""

_SUITS: dict[Twist, tuple[str, ...]] = {
    Twist.BROKEN_SEAL: ("HAL-ANC-BK",),
    Twist.DAMAGED_LITHIUM: ("VOLTA-20K",),
    Twist.PART_MISSING: ("HAL-ANC-BK",),
    Twist.HEAVY: ("KETTLE-17", "STRIDE2-42"),
}
_ANSWERS: dict[Twist, dict[str, str]] = {
    Twist.BROKEN_SEAL: {"seal": "broken"},
    Twist.DAMAGED_LITHIUM: {"battery": "damaged"},
    Twist.PART_MISSING: {"weight_check": "part_missing", "look": "part_missing"},
    Twist.HEAVY: {"weight_check": "complete"},
}
_CLEAN_REASONS = ("unwanted", "size_too_small", "size_too_large", "colour", "style", "arrived_late")


def plan_shift(catalogue: Sequence[CatalogueItem], units: int, seed: int) -> tuple[UnitPlan, ...]:
    """Draw the shift.

    Args:
        catalogue: the demo's articles.
        units: how many units, at least 1.
        seed: the same seed and catalogue give the same shift.
    """
    draw = random.Random(seed)
    by_sku = {item.sku: item for item in catalogue}
    plans: list[UnitPlan] = []
    number = 4711 + seed % 1000
    while len(plans) < units:
        position = len(plans)
        twist = _TWISTS[position] if position < len(_TWISTS) else draw.choice((Twist.NONE,) * 6 + _TWISTS[1:5])
        suits = _SUITS.get(twist)
        announced = by_sku[draw.choice(suits)] if suits else draw.choice(list(catalogue))
        plan = _plan(draw, announced, twist, number, catalogue)
        plans.append(plan)
        number += draw.randint(1, 9)
        if twist is Twist.NONE and position > 0 and len(plans) < units and draw.random() < 0.3:
            siblings = [x for x in catalogue if x.merchant_id == announced.merchant_id and x.sku != announced.sku]
            second = draw.choice(siblings)
            sibling = _plan(draw, second, Twist.NONE, number, catalogue)
            plans.append(replace(sibling, rma=plan.rma, tracking=plan.tracking, parcel_code=None))
    return tuple(plans[:units])


def _plan(
    draw: random.Random, announced: CatalogueItem, twist: Twist, number: int, catalogue: Sequence[CatalogueItem]
) -> UnitPlan:
    rma = f"RMA-2026-{number:06d}"
    tracking = _ups_number(draw)
    others = [item for item in catalogue if item.sku != announced.sku]
    item = draw.choice(others) if twist is Twist.WRONG_ITEM else announced
    serial = f"{item.sku[:3]}{draw.randint(10_000, 99_999)}" if announced.serialised and item is announced else None
    true_mass = item.mass_mg or 500_000
    noise = draw.randint(-2, 2) * 1_000
    if twist is Twist.HEAVY:
        noise = true_mass // 2
    if twist is Twist.PART_MISSING and item.accessories:
        noise = -item.accessories[0][1]
    code, aim = _item_code(item, serial)
    wrong_code = None
    if twist is Twist.CORRECTED_SCAN:
        wrong_code = draw.choice(others).gtins[0][1:]
    reason = "defective" if twist is Twist.DAMAGED_LITHIUM else draw.choice(_CLEAN_REASONS)
    if (
        item.category is not None
        and not item.category.startswith(("apparel", "footwear"))
        and reason.startswith("size")
    ):
        reason = "unwanted"
    return UnitPlan(
        item=item,
        announced=announced,
        reason=reason,
        rma=rma,
        tracking=tracking,
        parcel_code=tracking if draw.random() < 0.4 else rma,
        item_code=code,
        item_aim=aim,
        gross_mg=true_mass + noise,
        scene=(item.picture or "book.jpg").rpartition(".")[0],
        twist=twist,
        wrong_code=wrong_code,
        answers=_ANSWERS.get(twist, {}),
        serial=serial,
        identity=IdentityOutcome.WRONG_ITEM if twist is Twist.WRONG_ITEM else IdentityOutcome.MATCH,
    )


def _item_code(item: CatalogueItem, serial: str | None) -> tuple[str, str]:
    """What is printed on the article: a GS1 DataMatrix with the serial, or its EAN-13."""
    if serial is not None:
        return f"01{item.gtins[0]}21{serial}", "]d2"
    return item.gtins[0][1:], "]E0"


def _ups_number(draw: random.Random) -> str:
    """A UPS return label's number with its check digit.

    Source: UPS' published rule: letters become ``(ord - 63) % 10``, odd places count once, even places twice, the check
    digit fills up to the next ten.
    """
    body = "".join(draw.choice("0123456789ABCDEFGHJKLMNPRSTUVWXY") for _ in range(6)) + "90"
    body += f"{draw.randint(0, 9_999_999):07d}"
    total = 0
    for place, character in enumerate(body):
        value = int(character) if character.isdigit() else (ord(character) - 63) % 10
        total += value * (2 if place % 2 else 1)
    return f"1Z{body}{-total % 10}"


_COLUMNS = (
    "rma",
    "merchant",
    "order_id",
    "sku",
    "quantity",
    "reason",
    "comment",
    "serial",
    "paid",
    "currency",
    "tracking",
    "ordered_at",
    "delivered_at",
    "authorised_at",
)


def write_returns(plans: Sequence[UnitPlan], path: Path) -> None:
    """Write the returns file that the shop would send: our own CSV, read back by ``station import returns``."""
    ordered = datetime.now(UTC).replace(microsecond=0) - timedelta(days=17)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(_COLUMNS)
        for plan in plans:
            price = plan.announced.price
            out.writerow(
                [
                    plan.rma,
                    plan.announced.merchant_id,
                    f"ORD-{plan.rma[-6:]}",
                    plan.announced.sku,
                    1,
                    plan.reason,
                    _COMMENTS.get(plan.reason, ""),
                    plan.serial or "",
                    f"{price.minor // 100}.{price.minor % 100:02d}" if price is not None else "",
                    price.currency if price is not None else "EUR",
                    plan.tracking,
                    ordered.isoformat(),
                    (ordered + timedelta(days=3)).isoformat(),
                    (ordered + timedelta(days=12)).isoformat(),
                ]
            )


_COMMENTS = {
    "defective": "gets warm and looks swollen",
    "unwanted": "changed my mind",
    "size_too_small": "one size up please",
    "size_too_large": "too wide",
    "colour": "darker than in the picture",
    "style": "not my style",
    "arrived_late": "came after the birthday",
}
