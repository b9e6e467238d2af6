"""``station protocol``: check protocols and walk every branch of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click
import msgspec

from station.decision.cover import Coverage, cover_protocol
from station.decision.gate_search import search
from station.decision.rule_lint import lint_policy, lint_routes, lint_scheme
from station.decision.rules import Rules, default_folders, folders_for, load_rules
from station.decision.way_lint import lint_dispositions, lint_grades
from station.errors import InvalidInput
from station.inspection.answer_pictures import FOLDER, picture_folders
from station.inspection.lint_finding import Finding, Severity
from station.inspection.protocol_lint import LintBooks, lint, with_lines
from station.inspection.protocol_selection import AmbiguousPrecedence, select_protocol
from station.inspection.weight.quality import measure
from ui.cli.grades import grades_command
from ui.cli.protocol_checks import gates_text, weight_text
from ui.cli.replaying import replay_command


@click.group("protocol")
def protocol() -> None:
    """Check protocols and policies, and walk every branch of them."""


protocol.add_command(replay_command)
protocol.add_command(grades_command)


@protocol.command("lint")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def lint_command(context: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Find what is wrong or unwise in rule files.

    Without FILES: everything that this station uses. Each FILE is a rule file or a folder of them; it is checked
    together with the shipped rules. Exit code 1 if there is an error; warnings alone are advice.
    """
    findings: list[tuple[str, Finding]] = []
    checked = 0
    for source, found in _lint_all(_home(context)) if not files else _lint_files(files):
        checked += 1
        findings.extend((source, finding) for finding in found)
    errors = sum(finding.severity is Severity.ERROR for _, finding in findings)
    if as_json:
        plain = [{"file": source, **asdict(finding), "advice": finding.advice} for source, finding in findings]
        listed = {"files": checked, "errors": errors, "findings": plain}
        click.echo(msgspec.json.encode(listed, order="sorted").decode())
    else:
        for source, finding in findings:
            place = f"{source}:{finding.line}" if finding.line is not None else source
            click.echo(f"{place}: {finding.severity.value}: {finding.where}: {finding.text} [{finding.code}]")
            click.echo(f"    {finding.advice}")
        click.echo(f"{_count(checked, 'file')}, {_count(errors, 'error')}, {_count(len(findings) - errors, 'warning')}")
    if errors:
        context.exit(1)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _home(context: click.Context) -> Path:
    return context.obj if isinstance(context.obj, Path) else Path()


def _lint_all(home: Path) -> list[tuple[str, tuple[Finding, ...]]]:
    rules = load_rules(folders_for(home))
    pictures, never = picture_folders(home), lint_grades(rules)
    listed = []
    for key, source in sorted(rules.sources.items()):
        kind, name, version = key
        more = never.get(name, ()) if kind == "grading_scheme" and rules.scheme(name).version == version else ()
        listed.append((source, (*_lint_one(key, rules, source, pictures), *more)))
    return listed


def _lint_files(files: tuple[Path, ...]) -> list[tuple[str, tuple[Finding, ...]]]:
    """Each file on top of the shipped rules; a file that cannot be read is a finding of its own."""
    paths: list[Path] = []
    for file in files:
        if not file.exists():
            raise InvalidInput(f"{str(file)!r}: no such file or folder")
        paths.extend(sorted(file.rglob("*.toml")) if file.is_dir() else [file])
    listed: list[tuple[str, tuple[Finding, ...]]] = []
    for path in paths:
        try:
            rules = load_rules((path, *default_folders()))
        except InvalidInput as error:
            listed.append((str(path), (_unreadable(str(path), error),)))
            continue
        own = [key for key, source in rules.sources.items() if source == str(path)]
        pictures = (path.parent / FOLDER, *picture_folders())
        found = tuple(finding for key in own for finding in _lint_one(key, rules, str(path), pictures))
        listed.append((str(path), found))
    return listed


_LINE = re.compile(r"^:(\d+): ")
_PREFILLED = re.compile(r"unknown key '(default|preset|prefill|prefilled|preselected|selected|given)'")


def _unreadable(path: str, error: InvalidInput) -> Finding:
    """Why a file was refused, as a finding with its line where the message knows it."""
    text = str(error).removeprefix(path)
    line = _LINE.match(text)
    code = "unreadable"
    if isinstance(error, AmbiguousPrecedence):
        code = "ambiguous_precedence"
    elif _PREFILLED.search(text):
        code = "prefilled_answer"
    plain = text[line.end() :] if line is not None else text.removeprefix(": ")
    return Finding(code, "file", plain, line=int(line[1]) if line is not None else None)


def _lint_one(key: tuple[str, str, int], rules: Rules, source: str, pictures: tuple[Path, ...]) -> tuple[Finding, ...]:
    kind, name, version = key
    if kind == "protocol":
        schemes = tuple(rules.scheme(scheme) for scheme in rules.scheme_names())
        protocol_ = rules.protocols[name, version]
        found = lint(protocol_, LintBooks(rules.axes, rules.gates, schemes, pictures))
        return with_lines((*found, *lint_dispositions(protocol_, rules)), _text_of(source))
    if kind == "grading_scheme":
        return lint_scheme(rules.schemes[name, version], rules.axes)
    if kind == "policy":
        return lint_policy(rules.policies[name, version], rules)
    if kind == "routes":
        return lint_routes(rules.routes) if version == rules.routes.version else ()
    return ()  # the books are checked against each other when they are loaded


def _text_of(source: str) -> str:
    try:
        return Path(source).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # it went away meanwhile: findings without lines


@protocol.command("which")
@click.option("--sku", help="Article number.")
@click.option("--merchant", help="Merchant's id.")
@click.option("--category", help="Category, e.g. electronics.audio.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def which_command(
    context: click.Context, sku: str | None, merchant: str | None, category: str | None, as_json: bool
) -> None:
    """Say which protocol an article gets, and why.

    SKU outranks merchant + category, that outranks category; the longest category wins. Exit code 1 if there is none.
    """
    if sku is None and category is None:
        raise click.UsageError("give --sku, --category, or both")
    rules = load_rules(folders_for(_home(context)))
    selection = select_protocol(rules.latest, merchant, sku, category)
    if as_json:
        chosen = selection.protocol
        document = {
            "protocol": chosen.id if chosen is not None else None,
            "version": chosen.version if chosen is not None else None,
            "why": selection.why,
            "claims": [
                {"protocol": claim.protocol, "version": claim.version, **asdict(claim.applies)}
                for claim in selection.claims
            ],
        }
        click.echo(msgspec.json.encode(document, order="sorted").decode())
    else:
        click.echo(selection.why)
        for claim in selection.claims[1:]:
            click.echo(f"  also fits: {claim.protocol}@{claim.version}, for {claim.applies}")
    if selection.protocol is None:
        context.exit(1)


@protocol.command("cover")
@click.argument("names", metavar="[PROTOCOL]...", nargs=-1)
@click.option("--gates", is_flag=True, help="Search every sequence of answers and acts for a way past a gate.")
@click.option("--weight", is_flag=True, help="Measure the weight check on simulated parcels: finds and false alarms.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def cover_command(context: click.Context, names: tuple[str, ...], gates: bool, weight: bool, as_json: bool) -> None:
    """Walk every branch with a simulated item and show what was reached.

    Exit code 1 if a choice is reached by no branch, no branch is clean, or a way leads past a gate.
    """
    rules = load_rules(folders_for(_home(context)))
    chosen = [p for p in sorted(rules.latest, key=lambda p: p.id) if not names or p.id in names]
    unknown = set(names) - {p.id for p in chosen}
    if unknown:
        known = ", ".join(sorted(p.id for p in rules.latest))
        raise InvalidInput(f"no protocol {sorted(unknown)[0]!r}; there are: {known}")
    covered = [cover_protocol(p, rules) for p in chosen]
    searched = search(rules, protocols=tuple(chosen)) if gates else None
    quality = measure() if weight else None
    if as_json:
        document: dict[str, object] = {"protocols": [asdict(c) for c in covered]}
        document |= {"gates": asdict(searched)} if searched is not None else {}
        document |= {"weight": asdict(quality)} if quality is not None else {}
        click.echo(msgspec.json.encode(document, order="sorted").decode())
    else:
        for coverage in covered:
            click.echo(_coverage_text(coverage))
        total = sum(coverage.branches for coverage in covered)
        click.echo(f"{len(covered)} protocols, {total} branches, {sum(c.decisions for c in covered)} decisions")
        if searched is not None:
            click.echo(gates_text(searched))
        if quality is not None:
            click.echo(weight_text(quality))
    if any(not coverage.complete for coverage in covered) or (searched is not None and searched.holes):
        context.exit(1)


def _coverage_text(coverage: Coverage) -> str:
    lines = [
        f"{coverage.protocol}@{coverage.version}: {coverage.branches} branches, {coverage.outcomes} outcomes, "
        f"choices {coverage.choices_reached} of {coverage.choices}, longest {coverage.longest} questions, "
        f"clean unit {coverage.longest_clean}"
    ]
    for scheme, grades in coverage.grades.items():
        lines.append(f"  {scheme:<14}" + _counts(grades))
    lines.append("  disposition   " + _counts(coverage.dispositions))
    lines.append("  questions     " + _counts(coverage.questions))
    lines.append("  shots         " + _counts(coverage.shots))
    for gate, states in coverage.gates.items():
        lines.append(f"  gate          {gate}: " + _counts(states))
    for verdict, counts in coverage.verdicts.items():
        lines.append(f"  weight        {verdict}: " + _counts(counts))
    for reason, counts in coverage.reasons.items():
        lines.append(f"  declared      {reason}: " + _counts(counts))
    for kind, names in coverage.never.items():
        if names:
            lines.append(f"  never reached: {kind}: {', '.join(names)}")
    if coverage.gave_up:
        lines.append(f"  gave up: {coverage.gave_up}")
    return "\n".join(lines)


def _counts(counts: Mapping[str, int]) -> str:
    return "  ".join(f"{name} {count}" for name, count in counts.items())
