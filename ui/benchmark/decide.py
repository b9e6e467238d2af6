"""One decision: what the CPU needs to grade, gate, value, choose and refund one unit, explanations included.

The unit is a hard one: it has defects and gates, belongs to an order with discounts, crossed a border, and its
merchant has a recovery file of 2000 articles. CPU time, so that other programs do not count.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from station.canonical import canonical_json
from station.decision.case_file import EXAMPLE, read_case
from station.decision.decide import decide
from station.decision.model import Case, Disposition
from station.decision.recovery import Cell, RecoveryBook, ready
from station.decision.rules import Rules, load_rules
from ui.benchmark.figure import Figure, percentile

_REPEATS = 2_000
_ARTICLES = 2_000
_TARGET_MS = 2.0


def measure(_folder: Path) -> list[Figure]:
    """Decide the example of ``station decide --help`` again and again; beside it, writing the answer as JSON."""
    rules = replace(load_rules(), recovery=ready(_learned()))
    case = read_case(EXAMPLE.encode(), rules, now=datetime(2026, 11, 22, tzinfo=UTC))
    for _ in range(50):
        decide(case, rules)
    ours = [_cpu_ms(rules, case) for _ in range(_REPEATS)]
    decision = decide(case, rules)
    started = time.process_time()
    for _ in range(_REPEATS):
        canonical_json(decision)
    limit = (time.process_time() - started) * 1000 / _REPEATS
    figures = []
    for name, value in (("mean", sum(ours) / len(ours)), ("p99", percentile(ours, 99))):
        figures.append(
            Figure(
                f"decide_{name}", round(value, 3), "ms", round(limit, 3),
                "writing the decision as canonical JSON, which its record needs anyway", round(value / limit, 1),
                f"≤ {_TARGET_MS:g} ms of CPU", value <= _TARGET_MS,
            )
        )  # fmt: skip
    return figures


def _cpu_ms(rules: Rules, case: Case) -> float:
    started = time.process_time()
    decide(case, rules)
    return (time.process_time() - started) * 1000


def _learned() -> RecoveryBook:
    return RecoveryBook(
        version=1,
        cells=tuple(
            Cell(
                category="electronics.audio",
                merchant="nl",
                sku=f"HD{number}",
                scheme="standard",
                grade=grade,
                route=route,
                n=10,
                total=40_000,
                squares=165_000_000,
            )
            for number in range(_ARTICLES)
            for grade in ("A", "B")
            for route in (Disposition.REFURBISH, Disposition.LIQUIDATE)
        ),
    )
