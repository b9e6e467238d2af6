"""What ``station protocol cover --gates`` and ``--weight`` print: ways past a gate, and what the scale is worth."""

from __future__ import annotations

from station.decision.gate_search import Searched
from station.inspection.weight.quality import Quality


def gates_text(searched: Searched) -> str:
    """The search in words; every hole with the shortest sequence that leads there."""
    lines = [
        f"gates: {searched.states} states, {searched.sequences} sequences of answers, {searched.decisions} decisions: "
        + ("no way past a gate" if not searched.holes else f"{len(searched.holes)} ways past a gate")
    ]
    for hole in searched.holes:
        lines.append(f"  {hole.rule} ({hole.protocol}, traits: {', '.join(hole.traits) or 'none'})")
        lines.extend(f"    {number}. {step}" for number, step in enumerate(hole.steps, 1))
    return "\n".join(lines)


def weight_text(quality: Quality) -> str:
    """The measured quality in words: one line for each mass of the part that lacks."""
    lines = [
        f"weight: {quality.parcels} simulated parcels each; one indication spreads by {_grams(quality.spread_mg)}, "
        f"scale interval {_grams(quality.interval_mg)}; {quality.budget:.1%} of complete units may be doubted "
        f"(here from {quality.threshold:.1f} spreads)",
        "  part / spread    part   area   false alarms   found   named   swap named",
    ]
    for one in quality.ratios:
        lines.append(
            f"  {one.ratio:>13.1f}  {_grams(one.part_mg):>6}  {one.area:5.3f}  {one.false_alarms:>12.1%}  "
            f"{one.found:>6.1%}  {one.named:>6.1%}  {one.swapped_found:>10.1%}"
        )
    return "\n".join(lines)


def _grams(mass_mg: int) -> str:
    return f"{mass_mg / 1000:.1f} g"
