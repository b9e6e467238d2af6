"""``station protocol replay``: recorded units decided again, as they were or as a change would have had them."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

import click
import msgspec

from station.decision.as_of import change_of
from station.decision.replay import MOST_LISTED, Replay, Report, Result, UnitReplay, Verdict, payloads, standing
from station.decision.rules import Rules, folders_for, load_rules
from station.errors import InvalidInput
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED
from station.journal.entry import Entry
from station.quantities import Money

_KINDS = (INSPECTION_CONFIRMED, INSPECTION_VOIDED)
_SHOWN = 20
"""Units that the text lists by name."""
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_Source = Callable[[], Iterator[Entry]]


@click.command("replay")
@click.argument("files", nargs=-1, type=_file)
@click.option("--protocol", "protocols", multiple=True, type=_file, metavar="NEW.toml", help="A protocol to try.")
@click.option("--policy", "policies", multiple=True, type=_file, metavar="NEW.toml", help="A policy to try.")
@click.option("--rules", "others", multiple=True, type=_file, metavar="NEW.toml", help="Any other rule file to try.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only units of this day, UTC.")
@click.option("--all", "every", is_flag=True, help="List every unit that is not the same, not only the first 20.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def replay_command(
    context: click.Context, files: tuple[Path, ...], protocols: tuple[Path, ...], policies: tuple[Path, ...],
    others: tuple[Path, ...], day: datetime | None, every: bool, as_json: bool,
) -> None:  # fmt: skip
    """Decide recorded units again and show what would be different.

    FILES are journals (station export journal) or dossiers; without any, this station's own journal. Each unit is
    decided by the rules that it was decided by, with the new files put in their place. A policy of a new name is put
    in force for every merchant. What the new version asks and nobody answered is never guessed: the unit is counted
    as one that cannot be judged.

    Without a new file it is a proof: the same versions must give the same bytes. Exit code 1 if they do not.
    """
    home = context.obj if isinstance(context.obj, Path) else Path()
    folders = folders_for(home)
    before = load_rules(folders)
    new = (*protocols, *policies, *others)
    rules = load_rules((*folders, *new)) if new else before
    if not files:
        before, rules = _with_learned(home, before, rules)
    change = change_of(rules, before)
    _check_kinds(before, rules, protocols, policies, others)
    replay, report = Replay(rules, change, before), Report(change.names)
    for source in [_of_file(path) for path in files] or [_of_home(home)]:
        stand = standing(source())
        for payload in _counted(payloads(source(), stand, day.date() if day is not None else None)):
            report.add(replay.unit(payload))
    if as_json:
        click.echo(msgspec.json.encode(_document(report, day.date() if day else None), order="sorted").decode())
    else:
        click.echo("\n".join(_text(report, MOST_LISTED if every else _SHOWN)))
    if change.is_empty and not report.proven:
        context.exit(1)


def _with_learned(home: Path, *several: Rules) -> tuple[Rules, Rules]:
    from station.store.reading import learned_cells

    cells = learned_cells(home)
    first, second = (rules.with_outcomes(cells) for rules in several)
    return first, second


def _check_kinds(
    before: Rules, rules: Rules, protocols: Iterable[Path], policies: Iterable[Path], others: Iterable[Path]
) -> None:
    """Each new file is what its option says, and is new.

    Raises:
        InvalidInput: it is something else, or its version is already in force.
    """
    for paths, wanted in ((protocols, "protocol"), (policies, "policy")):
        for path in paths:
            kinds = {kind for (kind, _, _), source in rules.sources.items() if source == str(path)}
            if kinds - {wanted}:
                raise InvalidInput(f"{str(path)!r} is of kind {min(kinds)!r}, not {wanted!r}: give it with --rules")
    for path in (*protocols, *policies, *others):
        if str(path) in before.sources.values() or str(path) not in rules.sources.values():
            raise InvalidInput(f"{str(path)!r} is what is in force already: raise its 'version' and change something")


def _of_home(home: Path) -> _Source:
    from station.store.reading import iterate_entries

    return lambda: iterate_entries(home, _KINDS)


def _of_file(path: Path) -> _Source:
    """A dossier is a ZIP; everything else must be a journal's lines."""
    if zipfile.is_zipfile(path):
        from station.exchange.dossier_entries import dossier_entries
        from station.exchange.dossier_verify import LARGEST

        if path.stat().st_size > LARGEST:
            raise InvalidInput(f"{str(path)!r} is larger than any dossier ({LARGEST} bytes)")
        return lambda: dossier_entries(path.read_bytes())
    return lambda: _lines_of(path)


def _lines_of(path: Path) -> Iterator[Entry]:
    from station.journal.lines import read_lines

    with path.open("rb") as file:
        try:
            yield from read_lines(file)
        except InvalidInput as error:
            raise InvalidInput(f"{path}: {error}; expected a journal or a dossier of 'station export'") from error


def _counted(units: Iterator[bytes]) -> Iterator[bytes]:
    """Counts on standard error where a person watches."""
    shown = sys.stderr.isatty()
    for number, unit in enumerate(units, 1):
        if shown and number % 1000 == 0:
            click.echo(f"\r{number} units …", err=True, nl=False)
        yield unit


def _document(report: Report, day: date | None) -> dict[str, object]:
    return {
        "change": list(report.change),
        "day": day.isoformat() if day is not None else None,
        "units": report.units,
        "counts": {verdict.value: report.counts[verdict] for verdict in Verdict},
        "grades": _pairs(report.grades.items()),
        "dispositions": _pairs(report.dispositions.items()),
        "money": {currency: asdict(total) for currency, total in sorted(report.money.items())},
        "unanswered": dict(sorted(report.questions.items())),
        "reasons": dict(report.reasons.most_common()),
        "why": dict(report.why.most_common()),
        "rules_not_here": dict(sorted(report.other_rules.items())),
        "listed": [msgspec.to_builtins(unit) for unit in report.listed],
    }


def _pairs(counts: Iterable[tuple[tuple[str, str], int]]) -> list[dict[str, object]]:
    return [{"before": before, "after": after, "units": count} for (before, after), count in sorted(counts)]


def _text(report: Report, most: int) -> Iterator[str]:
    counts = report.counts
    if not report.change:
        same = counts[Verdict.SAME]
        yield f"{report.units} units decided again: {same} to the same bytes, {report.units - same} not"
    else:
        yield (
            f"{report.units} units under {', '.join(report.change)}: {counts[Verdict.SAME]} the same, "
            f"{counts[Verdict.CHANGED]} changed, {counts[Verdict.CANNOT_JUDGE]} cannot be judged, "
            f"{counts[Verdict.NOT_REPLAYED]} not replayed"
        )
        for what, table in (("grade", report.grades), ("way", report.dispositions)):
            for (old, new), count in sorted(table.items()):
                if old != new:
                    yield f"  {what:<8} {old or 'none'} → {new or 'none'}: {count}"
        for currency, total in sorted(report.money.items()):
            yield f"  refunds  {_step(total.refund_before, total.refund_after, currency)}"
            yield f"  recovery {_step(total.recovery_before, total.recovery_after, currency)}"
    for why, count in report.why.most_common(10):
        yield f"  {count} × {why}"
    for name, count in sorted(report.other_rules.items()):
        yield f"  {count} × decided with today's {name.partition(' ')[0]}: {name} is not here"
    for unit in report.listed[:most]:
        yield from _unit(unit)
    hidden = sum(counts.values()) - counts[Verdict.SAME] - min(most, len(report.listed))
    if hidden:
        yield f"… and {hidden} more: --all or --json"


def _step(before: int, after: int, currency: str) -> str:
    change = Money(after - before, currency)
    return f"{Money(before, currency)} → {Money(after, currency)} ({'+' if change.minor > 0 else ''}{change})"


def _unit(unit: UnitReplay) -> Iterator[str]:
    named = f"{unit.lpn} {unit.sku}".strip() or unit.inspection_id
    if unit.verdict in (Verdict.CANNOT_JUDGE, Verdict.NOT_REPLAYED):
        yield f"{named}: {unit.verdict.value.replace('_', ' ')}: {unit.why}"
        return
    yield f"{named}: {'; '.join(_changes(unit))}"
    for sign, reasons in (("+", unit.reasons), ("-", unit.gone)):
        for reason in reasons:
            yield f"    {sign} {reason.text}"


def _changes(unit: UnitReplay) -> Iterator[str]:
    before, after = unit.before, unit.after
    for part in unit.changes:
        if before is None or after is None or part == "bytes":
            yield "other bytes than recorded"
        else:
            yield f"{part.replace('_', ' ')} {_shown(before, part)} → {_shown(after, part)}"


def _shown(result: Result, part: str) -> str:
    value = getattr(result, part)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value) if value not in (None, "") else "none"
