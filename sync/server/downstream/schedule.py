"""What follows from a try: pure, so that a table can test it.

Source: Standard Webhooks specification, "Deliverability and reliability" (the waits, 410, 429, Retry-After).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WAITS_S: Final = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before each try: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h after the one before."""
TRIES: Final = len(WAITS_S)
LONGEST_S: Final = 86_400
_JITTER: Final = 0.1
_THROTTLES: Final = frozenset({429, 502, 503, 504})
_PATIENCE: Final = 5
"""Failures in a row after which the endpoint as a whole is given a rest."""
_LONGEST_REST_S: Final = 300


class Verdict(StrEnum):
    """What becomes of one event."""

    DELIVERED = "delivered"
    RETRY = "retry"
    GIVEN_UP = "given_up"
    GONE = "gone"
    """The receiver wants nothing any more: 410."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a try came to."""

    status: int | None
    """HTTP status; None = there was no answer."""
    error: str
    """For people; empty when it was delivered."""
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """What to do now."""

    verdict: Verdict
    wait_s: float = 0
    """Until this event's next try."""
    rest_s: float = 0
    """How long the whole endpoint is left alone."""


def judge(tried: Tried, tries: int, failures: int, chance: Callable[[], float]) -> Next:
    """Decide.

    Args:
        tries: of this event, this one included.
        failures: in a row at this endpoint before this try.
        chance: 0 ≤ x < 1, for the jitter.

    >>> judge(Tried(204, ""), 1, 0, lambda: 0.0).verdict.value
    'delivered'
    >>> judge(Tried(500, "no"), 1, 0, lambda: 0.0).wait_s, judge(Tried(302, "no"), 2, 0, lambda: 0.0).wait_s
    (5.0, 300.0)
    """
    status = tried.status
    if status is not None and 200 <= status < 300:
        return Next(Verdict.DELIVERED)
    if status == 410:
        return Next(Verdict.GONE)
    asked = min(tried.retry_after_s or 0, LONGEST_S)
    rest = float(asked) if status in _THROTTLES else 0.0
    if failures + 1 >= _PATIENCE:
        rest = max(rest, min(_LONGEST_REST_S, 2.0 ** min(failures + 1 - _PATIENCE, 10)) * (1 + _JITTER * chance()))
    if tries >= TRIES:
        return Next(Verdict.GIVEN_UP, rest_s=rest)
    wait = max(WAITS_S[tries] * (1 + _JITTER * chance()), rest)
    return Next(Verdict.RETRY, wait, rest)
