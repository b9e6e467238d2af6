"""Every verdict, by table; the schedule is the specification's."""

from __future__ import annotations

import pytest

from sync.server.downstream.schedule import TRIES, WAITS_S, Tried, Verdict, judge


def low() -> float:
    return 0.0


@pytest.mark.parametrize(
    ("status", "tries", "verdict", "wait_s"),
    [
        (200, 1, Verdict.DELIVERED, 0), (204, 10, Verdict.DELIVERED, 0), (299, 3, Verdict.DELIVERED, 0),
        (410, 1, Verdict.GONE, 0), (410, 10, Verdict.GONE, 0),
        (302, 1, Verdict.RETRY, 5), (307, 2, Verdict.RETRY, 300), (400, 3, Verdict.RETRY, 1800),
        (404, 4, Verdict.RETRY, 7200), (500, 5, Verdict.RETRY, 18_000), (None, 6, Verdict.RETRY, 36_000),
        (503, 7, Verdict.RETRY, 50_400), (500, 8, Verdict.RETRY, 72_000), (500, 9, Verdict.RETRY, 86_400),
        (500, 10, Verdict.GIVEN_UP, 0), (None, 10, Verdict.GIVEN_UP, 0), (302, 10, Verdict.GIVEN_UP, 0),
    ],
)  # fmt: skip
def test_verdicts(status: int | None, tries: int, verdict: Verdict, wait_s: float) -> None:
    step = judge(Tried(status, "" if verdict is Verdict.DELIVERED else "no"), tries, 0, low)
    assert (step.verdict, step.wait_s) == (verdict, wait_s)


def test_waits_are_those_of_the_specification() -> None:
    assert WAITS_S == (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    assert TRIES == 10


def test_jitter_spreads_by_a_tenth() -> None:
    assert judge(Tried(500, "no"), 2, 0, lambda: 0.5).wait_s == pytest.approx(315)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_rests_the_endpoint(status: int) -> None:
    step = judge(Tried(status, "no", retry_after_s=120), 1, 0, low)
    assert (step.wait_s, step.rest_s) == (120, 120)


def test_retry_after_never_shortens_a_wait_and_never_is_for_ever() -> None:
    assert judge(Tried(503, "no", retry_after_s=1), 2, 0, low).wait_s == 300
    assert judge(Tried(503, "no", retry_after_s=10**8), 1, 0, low).rest_s == 86_400
    assert judge(Tried(500, "no", retry_after_s=600), 1, 0, low).rest_s == 0, "only where it means the endpoint"


def test_failures_in_a_row_rest_the_endpoint_longer_and_longer_up_to_five_minutes() -> None:
    rests = [judge(Tried(500, "no"), 1, failures, low).rest_s for failures in range(16)]
    assert rests[:4] == [0, 0, 0, 0]
    assert rests[4:13] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert rests[13:] == [300, 300, 300]
