"""``station decide``: the whole decision for an inspection given as JSON."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from station.clock import SystemClock
from station.decision.case_file import EXAMPLE, NOTES, read_case
from station.decision.decide import decide as decide_case
from station.decision.json_table import MOST_BYTES
from station.decision.model import Decision, GateState
from station.decision.rules import folders_for, load_rules
from station.errors import InvalidInput

_HELP = f"""Decide one unit: axes, grade, gates, disposition with every alternative and its value, refund.

Each comes with its reasons. FILE is an inspection as JSON; - reads it from standard input:

\b
{EXAMPLE.strip()}

{NOTES.strip()}

--policy takes the name of a policy, or the path of a policy file that is being written.
"""


@click.command("decide", help=_HELP)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
@click.option("--policy", metavar="NAME", help="Use this policy instead of the document's.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def decide(home: Path | None, file: Path, policy: str | None, as_json: bool) -> None:
    folders = folders_for(home if home is not None else Path())
    name = policy
    if policy is not None and policy.endswith(".toml"):
        own = load_rules((*folders, Path(policy)))
        before = set(load_rules(folders).policies)
        names = [key[0] for key in own.policies if key not in before]
        if not names:
            raise InvalidInput(
                f"{policy}: holds no policy of its own; its kind must be 'policy' and its name and version new"
            )
        rules, name = own, names[0]
    else:
        rules = load_rules(folders)
    decision = decide_case(read_case(_read(file), rules, now=SystemClock().now(), policy=name), rules)
    if as_json:
        click.echo(msgspec.json.encode(as_document(decision), order="sorted").decode())
    else:
        click.echo(as_text(decision))


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read(MOST_BYTES + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} cannot be read: {error.strerror or error}") from error


def as_document(decision: Decision) -> dict[str, object]:
    """The decision as JSON types: axes, grade, gates, disposition, tote, reasons, alternatives, refund, …"""
    plain: dict[str, object] = msgspec.to_builtins(decision)
    grade = plain["grade"]
    axes = grade.pop("axes") if isinstance(grade, dict) else []
    return {"axes": axes, **plain, "versions": dict(decision.versions)}


def as_text(decision: Decision) -> str:
    """The decision for a person."""
    lines: list[str] = []
    if decision.grade is not None:
        lines.append(f"grade        {decision.grade.code}  {decision.grade.meaning}")
        lines += [f"  {a.axis:<10} {a.level} of {a.best}  {a.meaning}" for a in decision.grade.axes]
    else:
        lines.append("grade        none")
    for gate in decision.gates:
        state = "RAISED" if gate.state is GateState.RAISED else "clear "
        lines.append(f"gate {state}  {gate.id}: {gate.reason.text}")
    tote = f"  tote {decision.tote}" if decision.tote else ""
    confirm = "  (needs CONFIRM)" if decision.needs_confirm else ""
    lines.append(f"disposition  {decision.disposition}{tote}{confirm}")
    lines += [f"  - {reason.text}" for reason in decision.reasons]
    for way in decision.alternatives:
        value = str(way.value) if way.value is not None else "–"
        mark = "  " if way.allowed else "x "
        lines.append(f"  {mark}{way.disposition:<17}{value:>14}  {way.reason.text}")
    amount = f"  {decision.refund.amount}" if decision.refund.amount is not None else ""
    lines.append(f"refund       {decision.refund.decision}{amount}")
    lines += [f"  - {reason.text}" for reason in decision.refund.trail]
    if decision.found_reason is not None:
        lines.append(f"found        {decision.found_reason}")
    lines += [f"second look  {reason.text}" for reason in decision.second_look]
    lines += [f"used         {what}: {version}" for what, version in decision.versions]
    return "\n".join(lines)
