"""Whether a unit is drawn for the audit: a keyed hash of its id against the share of its cell.

Nobody without the key can foresee it, and whoever has the key repeats it. Where the severity changes, the same unit's
number stays: what is drawn under a small share is drawn under every larger one.
Source: RFC 2104 (HMAC), FIPS 180-4 (SHA-256); the first 64 bits are the number drawn.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from station.errors import InvalidInput
from station.review.plan import WHOLE_PPM, Plan, Severity

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn for one unit, as a record keeps it."""

    drawn: bool
    plan: str
    """Name and version of the plan."""
    severity: Severity
    """Of the cell at that moment."""
    share_ppm: int
    key: str
    """Which key it was drawn with (:func:`key_name`); tells nothing about the key."""


class DrawKey:
    """A site's secret. It never shows itself, not even in a traceback."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """
        Raises:
            InvalidInput: shorter than 32 bytes.
        """
        if len(secret) < KEY_BYTES:
            raise InvalidInput(f"the key of the audit's draw has {len(secret)} bytes, expected {KEY_BYTES} or more")
        self._secret = bytes(secret)

    def __repr__(self) -> str:
        return f"DrawKey({self.name})"

    @property
    def name(self) -> str:
        """Sixteen hex digits that name the key and do not give it away."""
        return hashlib.sha256(b"returns-station audit key\x00" + self._secret).hexdigest()[:16]

    def number(self, plan: Plan, unit_id: str) -> int:
        """The number of a unit under a plan, 0 to 2⁶⁴ − 1, evenly spread."""
        message = f"{plan.id}\x00{unit_id}".encode()
        return int.from_bytes(hmac.digest(self._secret, message, "sha256")[:8])


def draw(key: DrawKey, plan: Plan, unit_id: str, severity: Severity) -> Draw:
    """Draw one unit.

    Args:
        key: the site's.
        plan: in force.
        unit_id: of the unit, not of the inspection: who takes an inspection back gets no second draw.
        severity: where the unit's cell stands.
    """
    share = plan.level(severity).share_ppm
    drawn = key.number(plan, unit_id) * WHOLE_PPM < share << 64
    return Draw(drawn, plan.id, severity, share, key.name)


def same_draw(key: DrawKey, plan: Plan, unit_id: str, kept: Draw) -> bool:
    """For an auditor: whether a record's draw is the one that this key gives.

    Raises:
        InvalidInput: it was drawn with another key or under another plan.
    """
    if kept.key != key.name:
        raise InvalidInput(f"drawn with the key {kept.key!r}, this one is {key.name!r}")
    if kept.plan != plan.id:
        raise InvalidInput(f"drawn under the plan {kept.plan!r}, this one is {plan.id!r}")
    return draw(key, plan, unit_id, kept.severity) == kept
