"""The client's decisions, as a table."""

from __future__ import annotations

import pytest

from sync.client.decide import Do, Next, Pace, Timing, Verdict, decide_next

T = Timing(first_s=1, offline_cap_s=30, server_cap_s=300, pause_s=60)
V = Verdict

TABLE = [
    # pace before, verdict, sent, retry_after → do, pace after, ceiling, floor, stuck
    (Pace(100), V.PROGRESS, 100, 0, Next(Do.SEND, Pace(100))),
    (Pace(50, 3, 2), V.PROGRESS, 50, 0, Next(Do.SEND, Pace(60))),
    (Pace(95), V.PROGRESS, 95, 0, Next(Do.SEND, Pace(100))),
    (Pace(1, withholding=True), V.PROGRESS, 1, 0, Next(Do.SEND, Pace(11), stuck=True)),
    (Pace(40, 4, 2), V.NOTHING, 0, 0, Next(Do.IDLE, Pace(40))),
    # a refusal halves at once, until one stands alone; then its header goes alone
    (Pace(100), V.REFUSED, 100, 0, Next(Do.SEND, Pace(50))),
    (Pace(100), V.REFUSED, 3, 0, Next(Do.SEND, Pace(1))),
    (Pace(100), V.REFUSED, 1, 0, Next(Do.WITHHOLD, Pace(1, withholding=True))),
    (Pace(1, withholding=True), V.REFUSED, 1, 0, Next(Do.WAIT, Pace(1, 1), 1)),
    # server errors: wait twice, halve at the third; one alone is tried without payload; then it is not the record
    (Pace(100), V.SERVER_ERROR, 100, 0, Next(Do.WAIT, Pace(100, 1, 1), 1)),
    (Pace(100, 1, 1), V.SERVER_ERROR, 100, 0, Next(Do.WAIT, Pace(100, 2, 2), 2)),
    (Pace(100, 2, 2), V.SERVER_ERROR, 100, 0, Next(Do.WAIT, Pace(50, 3, 0), 4)),
    (Pace(1, 8, 2), V.SERVER_ERROR, 1, 0, Next(Do.WITHHOLD, Pace(1, 9, 0, True), 256)),
    (Pace(1, 9, 0, True), V.SERVER_ERROR, 1, 0, Next(Do.WAIT, Pace(1, 10), 300)),
    (Pace(100), V.SERVER_ERROR, 100, 7, Next(Do.WAIT, Pace(100, 1, 1), 1, 7)),
    # no line: the same, but a lone entry is never blamed, and the cap is short
    (Pace(100, 2, 2), V.UNREACHABLE, 100, 0, Next(Do.WAIT, Pace(50, 3, 0), 4)),
    (Pace(1, 2, 2), V.UNREACHABLE, 1, 0, Next(Do.WAIT, Pace(1, 3, 0), 4)),
    (Pace(1, 99, 0, True), V.UNREACHABLE, 1, 0, Next(Do.WAIT, Pace(1, 100), 30)),
    (Pace(100, 2000, 0), V.UNREACHABLE, 100, 0, Next(Do.WAIT, Pace(100, 2001, 1), 30)),
    # not the records' fault: the batch stays as it is
    (Pace(100, 5, 2), V.BUSY, 100, 20, Next(Do.WAIT, Pace(100, 6, 2), 32, 20)),
    (Pace(100), V.BUSY, 100, 1e9, Next(Do.WAIT, Pace(100, 1), 1, 3600)),
    (Pace(100, 9), V.NOT_OURS, 100, 0, Next(Do.WAIT, Pace(100, 10), 30)),
    (Pace(100), V.RETRY, 100, 0, Next(Do.WAIT, Pace(100, 1), 1)),
    (Pace(100), V.DENIED, 100, 0, Next(Do.PAUSE, Pace(100, 1), 30, 30)),
    (Pace(100), V.REVOKED, 100, 0, Next(Do.PAUSE, Pace(100, 1), 30, 30)),
    (Pace(100, 7), V.TOO_OLD, 100, 0, Next(Do.PAUSE, Pace(100, 8), 30, 30)),
    # nothing was sent (a greeting, a photo): nothing to halve, nothing to withhold, no hurry
    (Pace(100, 2), V.REFUSED, 0, 0, Next(Do.WAIT, Pace(100, 3), 4)),
    (Pace(100, 2, 2), V.SERVER_ERROR, 0, 0, Next(Do.WAIT, Pace(100, 3, 2), 4)),
    (Pace(100, 2, 2), V.UNREACHABLE, 0, 0, Next(Do.WAIT, Pace(100, 3, 2), 4)),
]  # fmt: skip


@pytest.mark.parametrize(("pace", "verdict", "sent", "retry_after_s", "expected"), TABLE)
def test_table(pace: Pace, verdict: Verdict, sent: int, retry_after_s: float, expected: Next) -> None:
    assert decide_next(pace, verdict, sent=sent, limit=100, timing=T, retry_after_s=retry_after_s) == expected


def test_every_verdict_is_in_the_table() -> None:
    assert {row[1] for row in TABLE} == set(Verdict)


@pytest.mark.parametrize("poisoned", [0, 1, 37, 63, 98, 99])
@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.SERVER_ERROR])
def test_bisecting_finds_the_one_bad_entry_and_sends_all_others(poisoned: int, verdict: Verdict) -> None:
    """The line in front of a server that chokes on one entry, played with the pure function alone."""
    queue = list(range(100))
    pace, taken, stuck, requests = Pace(100), [], [], 0
    while queue:
        requests += 1
        batch = queue[: 1 if pace.withholding else pace.batch]
        bad = poisoned in batch and not pace.withholding
        decided = decide_next(pace, verdict if bad else Verdict.PROGRESS, sent=len(batch), limit=100, timing=T)
        if not bad:
            (stuck if decided.stuck else taken).extend(batch)
            queue = queue[len(batch) :]
        pace = decided.pace
        assert requests < 60
    assert stuck == [poisoned]
    assert taken == [n for n in range(100) if n != poisoned]
