"""What to do next, after each way in which an exchange with the server can end. Pure: no clock, no network, no dice.

=============  ================================================================================================
verdict        what is done
=============  ================================================================================================
progress       the batch grows by a tenth of the server's limit; on at once
nothing        wait to be woken
retry          the server kept nothing (it wants earlier entries, or asked to come again): back off
refused        400, 411, 413, 415, 422: as it is, it will never be taken. Half as many at once, until the bad one stands
               alone; then its header goes without the payload, so that the chain goes on: it is ``stuck``, and kept
server_error   500 and its like: back off; every third time on the same entries, half as many as well. One alone: the
               header is tried; if that fails too it is not the record's fault, and the waiting goes on
busy           429, 503, 507 (its disk is full): back off, beyond what ``Retry-After`` says; never the record's fault
unreachable    no answer, or half of one: back off; every third time half as many (a slow line may need it)
not_ours       an answer that is not our server's (a log-in page, a redirect, garbage): back off
denied         401, 403, a signature that does not fit: pause; recording goes on
revoked        403 ``device_revoked``: IT shut this bench out: pause, keep everything, say so
too_old        426: pause
=============  ================================================================================================

Where nothing was sent (a greeting, a photo) there is nothing to halve or withhold: the lane only waits.

Back-off is exponential with full jitter (SYNC.md R13): here are only its floor and its ceiling, the loop throws the
dice. The floor is what the server asked for, and the dice come on top of it: five hundred benches that were all told
"in 5 seconds" must not all come in 5 seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Final


class Verdict(StrEnum):
    """How one exchange ended."""

    PROGRESS = "progress"
    NOTHING = "nothing"
    RETRY = "retry"
    REFUSED = "refused"
    SERVER_ERROR = "server_error"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    NOT_OURS = "not_ours"
    DENIED = "denied"
    REVOKED = "revoked"
    TOO_OLD = "too_old"


class Do(StrEnum):
    """What the loop does next in this lane."""

    SEND = "send"
    WITHHOLD = "withhold"
    """Send the oldest entry's header without its payload."""
    WAIT = "wait"
    PAUSE = "pause"
    IDLE = "idle"
    """Nothing to send; until woken."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Ceilings of the waits, seconds."""

    first_s: float = 1.0
    offline_cap_s: float = 30.0
    """Short, so that a plugged-in cable shows within half a minute."""
    server_cap_s: float = 300.0
    pause_s: float = 60.0
    idle_s: float = 15.0
    """How often an idle loop looks by itself."""
    stuck_s: float = 60.0
    """First wait before a stuck entry or a refused photo is tried again; doubles up to ``stuck_cap_s``."""
    stuck_cap_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What a lane remembers from one exchange to the next."""

    batch: int
    """Entries in the next request."""
    failures: int = 0
    """Fruitless exchanges in a row; sets the wait."""
    strikes: int = 0
    """Server errors or cut lines in a row with the same oldest entry; every third halves."""
    withholding: bool = False
    """The last request was a header without its payload."""


@dataclass(frozen=True, slots=True)
class Next:
    """The decision."""

    do: Do
    pace: Pace
    ceiling_s: float = 0.0
    """The wait is ``floor_s`` and, on top of it, something drawn evenly between 0 and this."""
    floor_s: float = 0.0
    """What the server asked for (``Retry-After``); half of a pause."""
    stuck: bool = False
    """The oldest entry is stuck now: only its header is at the server."""


STRIKES: Final = 3
_MAX_RETRY_AFTER_S: Final = 3600.0


def decide_next(
    pace: Pace, verdict: Verdict, *, sent: int, limit: int, timing: Timing, retry_after_s: float = 0.0
) -> Next:
    """Decide what follows an exchange.

    Args:
        pace: as it was when the request was sent.
        verdict: how the request ended.
        sent: entries in it; 0 = there was nothing to send.
        limit: most entries that the server takes at once.
        retry_after_s: what the server asked for, 0 = nothing.

    Returns:
        What to do, the new pace, and how long to wait.
    """
    match verdict:
        case Verdict.NOTHING:
            return Next(Do.IDLE, replace(pace, failures=0, strikes=0, withholding=False))
        case Verdict.PROGRESS:
            grown = min(limit, pace.batch + max(1, limit // 10))
            return Next(Do.SEND, Pace(grown), stuck=pace.withholding)
        case Verdict.DENIED | Verdict.REVOKED | Verdict.TOO_OLD:
            waiting = replace(pace, failures=pace.failures + 1, withholding=False)
            return Next(Do.PAUSE, waiting, timing.pause_s / 2, timing.pause_s / 2)
        case Verdict.REFUSED:
            return _refused(pace, sent, timing)
        case Verdict.SERVER_ERROR | Verdict.UNREACHABLE:
            return _failed(pace, verdict, sent, timing, retry_after_s)
        case Verdict.RETRY | Verdict.BUSY | Verdict.NOT_OURS:
            cap = timing.offline_cap_s if verdict is Verdict.NOT_OURS else timing.server_cap_s
            return _wait(replace(pace, withholding=False), cap, timing, retry_after_s)


def _refused(pace: Pace, sent: int, timing: Timing) -> Next:
    if pace.withholding:  # not even the header: nothing here can move the line; a person has to look
        return _wait(replace(pace, withholding=False), timing.server_cap_s, timing, 0.0)
    if sent == 0:
        return _wait(pace, timing.server_cap_s, timing, 0.0)
    if sent > 1:
        return Next(Do.SEND, Pace(sent // 2))
    return Next(Do.WITHHOLD, Pace(1, withholding=True))


def _failed(pace: Pace, verdict: Verdict, sent: int, timing: Timing, retry_after_s: float) -> Next:
    is_offline = verdict is Verdict.UNREACHABLE
    cap = timing.offline_cap_s if is_offline else timing.server_cap_s
    if pace.withholding:
        return _wait(replace(pace, withholding=False, strikes=0), cap, timing, retry_after_s)
    if sent == 0:
        return _wait(pace, cap, timing, retry_after_s)
    strikes = pace.strikes + 1
    if strikes < STRIKES:
        return _wait(replace(pace, strikes=strikes), cap, timing, retry_after_s)
    if sent > 1:
        return _wait(replace(pace, batch=sent // 2, strikes=0), cap, timing, retry_after_s)
    if is_offline:
        return _wait(replace(pace, strikes=0), cap, timing, retry_after_s)
    return replace(_wait(replace(pace, strikes=0, withholding=True), cap, timing, retry_after_s), do=Do.WITHHOLD)


def wait_s(decided: Next, rng: Random) -> float:
    """Throw the dice of one wait, seconds; 0 = on at once."""
    return decided.floor_s + (rng.uniform(0.0, decided.ceiling_s) if decided.ceiling_s else 0.0)


def _wait(pace: Pace, cap_s: float, timing: Timing, retry_after_s: float) -> Next:
    failures = pace.failures + 1
    ceiling = min(cap_s, timing.first_s * 2.0 ** min(failures - 1, 20))
    return Next(Do.WAIT, replace(pace, failures=failures), ceiling, min(retry_after_s, _MAX_RETRY_AFTER_S))
