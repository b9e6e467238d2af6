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
from station.decision.outward import outward_of
from station.decision.rules import folders_for, load_rules
from station.errors import InvalidInput
from ui.cli.decision_text import as_document, as_text, from_document, stored_decision

_HELP = f"""Decide one unit: axes, grade, gates, disposition with every alternative and its value, refund.

Each comes with its reasons. FILE is an inspection as JSON; - reads it from standard input:

\b
{EXAMPLE.strip()}

{NOTES.strip()}

--policy takes the name of a policy, or the path of a policy file that is being written.

--show prints a stored decision again and decides nothing: RECORD is what --json printed, an inspection of the journal
as a file, or the licence plate or inspection id of a unit in this station's journal. With --json its bytes are printed
as they are stored.
"""


@click.command("decide", help=_HELP)
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
@click.option("--policy", metavar="NAME", help="Use this policy instead of the document's.")
@click.option("--show", "record", metavar="RECORD", help="Show a stored decision again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def decide(home: Path | None, file: Path | None, policy: str | None, record: str | None, as_json: bool) -> None:
    if record is not None:
        if file is not None or policy is not None:
            raise click.UsageError("--show decides nothing: give neither FILE nor --policy with it")
        stored = stored_decision(record, home if home is not None else Path())
        shown = from_document(stored)
        click.echo(stored.decode() if as_json else as_text(shown))
        return
    if file is None:
        raise click.UsageError("Missing argument 'FILE'.")
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
    case = read_case(_read(file), rules, now=SystemClock().now(), policy=name)
    decision = decide_case(case, rules)
    if as_json:
        category = case.item.category if case.item is not None else None
        scheme = rules.scheme(decision.grade.scheme) if decision.grade is not None else None
        outward = msgspec.to_builtins(outward_of(decision, category, rules.outward, scheme))
        click.echo(msgspec.json.encode({**as_document(decision), "outward": outward}, order="sorted").decode())
    else:
        click.echo(as_text(decision))


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read(MOST_BYTES + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} cannot be read: {error.strerror or error}") from error
