"""A journal decided again: seconds of CPU on one core for 100 000 units, as a proof and under a changed policy.

The units differ as a floor's do: six kinds of goods, every way through their protocols, two reasons, three policies,
a month of dates. CPU time, so that other programs do not count.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

import msgspec

from station.canonical import canonical_json
from station.decision.as_of import Change
from station.decision.cover import simulated_case
from station.decision.decide import decide
from station.decision.model import Case
from station.decision.replay import Replay, run
from station.decision.rules import Rules, load_rules
from station.identify.scan import RawScan
from station.inspection.facts import Photo, StableSource, WeightReading
from station.inspection.protocol_walk import Branch, branches, situations
from station.inspection.record import Basis, Inspection
from station.quantities import Money
from ui.benchmark.figure import Figure

_UNITS = 3_000
_SCALED_TO = 100_000
_TARGET_S = 60.0
_START = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


def measure(_folder: Path) -> list[Figure]:
    """Replay made-up units; beside it, reading the same records."""
    rules = load_rules()
    payloads = [canonical_json(one) for one in simulated(rules, _UNITS)]
    stricter = msgspec.structs.replace(rules.policy("small_brand"), version=99, sha256="0" * 64)
    scale = _SCALED_TO / _UNITS
    decoder = msgspec.json.Decoder(Inspection)
    started = time.process_time()
    for payload in payloads:
        decoder.decode(payload)
    limit = (time.process_time() - started) * scale
    figures = []
    for name, change in (("replay_same", Change()), ("replay_changed", Change(policies=(stricter,)))):
        started = time.process_time()
        report = run(Replay(rules, change, rules), payloads, change)
        seconds = (time.process_time() - started) * scale
        assert report.proven, f"{name}: made-up units were decided differently"
        figures.append(
            Figure(
                name, round(seconds, 1), "s", round(limit, 1), "reading the same 100 000 records from JSON",
                round(seconds / limit, 1), f"≤ {_TARGET_S:g} s of CPU for 100 000 units", seconds <= _TARGET_S,
            )
        )  # fmt: skip
    return figures


def simulated(rules: Rules, count: int) -> Iterator[Inspection]:
    """Records as a bench writes them."""
    ways = [
        (protocol, Branch(situation, branch.answers))
        for protocol in rules.latest
        for situation in situations(protocol)
        for branch in branches(protocol, situation)
    ]
    policies = cycle(rules.policy_names())
    for number, (protocol, branch) in enumerate(islice(cycle(ways), count)):
        case = simulated_case(protocol, branch, policy=next(policies), scheme="standard")
        yield _record(_varied(case, number), rules, number)


def _varied(case: Case, number: int) -> Case:
    """Another date, price and declared reason."""
    at = _START + timedelta(minutes=7 * number)
    assert case.line is not None
    assert case.item is not None
    assert case.authorisation is not None
    paid = Money(1_990 + number % 97 * 100, "EUR")
    reason = case.line.declared_reason or ("unwanted", "defective", "not_as_described")[number % 3]
    line = replace(case.line, declared_reason=reason, paid=paid)
    order = replace(
        case.authorisation, id=f"RMA-{number}", lines=(line,), ordered_at=at - timedelta(days=20),
        delivered_at=at - timedelta(days=number % 40), authorised_at=at - timedelta(days=2),
    )  # fmt: skip
    return replace(case, at=at, item=replace(case.item, price=paid), authorisation=order, line=line)


def _record(case: Case, rules: Rules, number: int) -> Inspection:
    assert case.item is not None
    assert case.line is not None
    at = case.at
    reading = WeightReading(288_000, StableSource.SCALE, "g", 1_000, b"S S     288.000 g\r\n", "scale-1", at)
    photos = tuple(
        Photo(f"{number * 2 + shot:064x}", 300_000, 1920, 1080, name, at, 800, 120, "camera-1")
        for shot, name in enumerate(("front", "label"))
    )
    return Inspection(
        inspection_id=f"inspection-{number}", unit_id=f"unit-{number}", lpn=f"LPN{number:010d}",
        parcel_id=f"parcel-{number}", rma=f"RMA-{number}", merchant_id=case.item.merchant_id, line=1,
        sku=case.item.sku, gtin=None, title=case.item.title, category=case.item.category, serial_declared=None,
        serial_found=None, identity=case.identity, scans=(RawScan(b"4260123456788", "scanner-1", at),), weight=reading,
        judgement=case.weight, photos=photos, answers=case.answers, defects=(),
        declared_reason=case.line.declared_reason, decision=decide(case, rules), skipped=(), timings=(), corrects=None,
        started_at=at, confirmed_at=at, basis=Basis(at, case.merchant, case.item, case.authorisation),
    )  # fmt: skip
