"""What was recorded, compared with what was true: the summary, and every promise that did not hold."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from station.clock import SystemClock
from station.decision.model import Disposition, GateState
from station.identify.commands import PREFIX
from station.inspection.facts import IdentityOutcome
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection, InspectionVoided
from station.store.proof import verify
from station.store.reading import read_entries
from sync.client.api import HttpApi
from sync.protocol import TOKEN_VARIABLE
from ui.demo.robot import UnitRun
from ui.demo.shift import Twist


@dataclass
class Timings:
    """Milliseconds, one per event."""

    scan_to_screen_ms: list[float] = field(default_factory=list)
    """Last byte of the scan → its answer painted, the durable write included."""
    confirm_ms: list[float] = field(default_factory=list)
    """The confirming event → durable."""


class Spread(msgspec.Struct, frozen=True):
    """Two figures of a distribution, milliseconds."""

    p50: float
    p99: float


class Summary(msgspec.Struct, frozen=True):
    """``summary.json`` (DESIGN §8)."""

    units: int
    inspections: int
    photos: int
    server_inspections: int
    server_photos: int
    lost: int
    duplicated: int
    dispositions: dict[str, int]
    grades: dict[str, int]
    actions_per_clean_unit: float
    scan_to_screen_ms: Spread
    confirm_ms: Spread
    seconds: float


def judge(
    runs: Sequence[UnitRun], *, home: Path, labels: Path, server_url: str, timings: Timings, seconds: float
) -> tuple[Summary, list[str]]:
    """Compare the journal, the server and the printed labels with the truth of the shift.

    Args:
        runs: units that were played to their end, in order.
        home: the station's folder; nobody has it open any more.

    Returns:
        The summary, and one sentence for each thing that must hold and did not.
    """
    inspections = standing_inspections(home)
    problems: list[str] = []
    if len(inspections) != len(runs):
        problems.append(f"{len(runs)} units were played, {len(inspections)} inspections stand in the journal")
    for number, (run, inspection) in enumerate(zip(runs, inspections, strict=False), 1):
        problems += [f"unit {number} ({inspection.lpn}): {text}" for text in _unit_problems(run, inspection)]
    proof = verify(home)
    problems += [f"journal: {problem}" for problem in proof.problems]
    problems += [f"a defect on the log: {event}" for event in defects_on_the_log(home)]
    problems += _label_problems(labels, inspections)
    server_inspections, server_photos, same_head = _ask_server(server_url, home, problems)
    photos = {photo.sha256 for inspection in inspections for photo in inspection.photos}
    lost = max(0, len(inspections) - server_inspections)
    duplicated = max(0, server_inspections - len(inspections))
    if lost or duplicated or not same_head:
        problems.append(f"the server's journal differs from the bench's: {lost} lost, {duplicated} duplicated")
    if server_photos != len(photos):
        problems.append(f"{len(photos)} photos were taken, the server has {server_photos}")
    clean = [run.scans for run in runs if run.plan.clean and run.plan.parcel_code is not None]
    grades = Counter(x.decision.grade.code if x.decision.grade is not None else "none" for x in inspections)
    summary = Summary(
        units=len(runs),
        inspections=len(inspections),
        photos=len(photos),
        server_inspections=server_inspections,
        server_photos=server_photos,
        lost=lost,
        duplicated=duplicated,
        dispositions=dict(sorted(Counter(x.decision.disposition.value for x in inspections).items())),
        grades=dict(sorted(grades.items())),
        actions_per_clean_unit=round(sum(clean) / len(clean), 2) if clean else 0.0,
        scan_to_screen_ms=_spread(timings.scan_to_screen_ms),
        confirm_ms=_spread(timings.confirm_ms),
        seconds=round(seconds, 1),
    )
    return summary, problems


def standing_inspections(home: Path) -> list[Inspection]:
    """Inspections of a journal that were not taken back, in the order confirmed."""
    found: dict[str, Inspection] = {}
    for entry in read_entries(home, (INSPECTION_CONFIRMED, INSPECTION_VOIDED)):
        if entry.payload is None:
            continue
        if entry.kind == INSPECTION_CONFIRMED:
            inspection = msgspec.json.decode(entry.payload, type=Inspection)
            found[inspection.inspection_id] = inspection
        else:
            found.pop(msgspec.json.decode(entry.payload, type=InspectionVoided).inspection_id, None)
    return list(found.values())


def defects_on_the_log(home: Path) -> list[str]:
    """What the station itself called a bug of ours."""
    log = home / "logs" / "station.log"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    records = [msgspec.json.decode(line, type=dict[str, str]) for line in lines]
    return [record["event"] for record in records if record["level"] == "CRITICAL"]


def _unit_problems(run: UnitRun, inspection: Inspection) -> list[str]:
    plan, decision = run.plan, inspection.decision
    problems = []
    if inspection.identity is not plan.identity:
        problems.append(f"recorded as {inspection.identity.value}, it was {plan.identity.value}")
    weight = inspection.weight
    if weight is None:
        problems.append("has no weight")
    elif abs(weight.gross_mg - plan.gross_mg) > weight.interval_mg:
        problems.append(f"recorded {weight.gross_mg} mg, {plan.gross_mg} mg lay on the scale")
    if not inspection.photos:
        problems.append("has no photo")
    if plan.serial is not None and inspection.serial_found != plan.serial:
        problems.append(f"serial {inspection.serial_found!r} recorded, the label says {plan.serial!r}")
    for gate in decision.gates:
        if gate.state is GateState.RAISED and decision.disposition in gate.forbids:
            problems.append(f"goes to {decision.disposition.value} past the gate {gate.id!r}")
    wrong = plan.identity is IdentityOutcome.WRONG_ITEM or plan.twist is Twist.DAMAGED_LITHIUM
    if wrong and decision.disposition is not Disposition.QUARANTINE:
        problems.append(f"{plan.twist.value} must be held, it goes to {decision.disposition.value}")
    if plan.twist is Twist.BROKEN_SEAL and decision.disposition is Disposition.RESTOCK:
        problems.append("a broken hygiene seal was restocked")
    if plan.twist in (Twist.HEAVY, Twist.PART_MISSING) and not decision.second_look:
        problems.append("the weight disagrees and nobody looks a second time")
    if plan.clean and any(scan.data.startswith(PREFIX.encode()) for scan in inspection.scans):
        problems.append("a command was recorded as the item's code")
    return problems


def _label_problems(labels: Path, inspections: Sequence[Inspection]) -> list[str]:
    """Every plate that this bench made must be readable on a printed label."""
    import cv2
    import zxingcpp

    printed: set[str] = set()
    for path in sorted(labels.glob("*.png")):
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is not None:
            printed |= {symbol.text for symbol in zxingcpp.read_barcodes(picture)}
    missing = [inspection.lpn for inspection in inspections if inspection.lpn not in printed]
    return [f"no readable label was printed for {', '.join(missing)}"] if missing else []


def _ask_server(url: str, home: Path, problems: list[str]) -> tuple[int, int, bool]:
    api = HttpApi(url, token=os.environ.get(TOKEN_VARIABLE), clock=SystemClock())
    try:
        entries = read_entries(home)
        status, hello = api.status(), api.hello(entries[-1].station if entries else "")
    finally:
        api.close()
    if status.answer is None or hello.answer is None:
        problems.append(f"the server does not say what it holds: {status}")
        return 0, 0, False
    heads = {(head.generation, head.seq, head.hash) for head in hello.answer.heads}
    last = entries[-1] if entries else None
    same = last is None or (last.generation, last.seq, last.hash) in heads
    return status.answer.inspections, status.answer.photos, same


def _spread(milliseconds: list[float]) -> Spread:
    ordered = sorted(milliseconds)
    if not ordered:
        return Spread(0.0, 0.0)
    return Spread(
        round(ordered[len(ordered) // 2], 1), round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 1)
    )
