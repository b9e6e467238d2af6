"""``station protocol``: check protocols and walk every branch of them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
import msgspec

from station.decision.cover import Coverage, cover_protocol
from station.decision.rule_lint import lint_policy, lint_scheme
from station.decision.rules import Rules, default_folders, folders_for, load_rules
from station.errors import InvalidInput
from station.inspection.protocol_lint import Finding, LintBooks, lint


@click.group("protocol")
def protocol() -> None:
    """Check protocols and policies, and walk every branch of them."""


@protocol.command("lint")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def lint_command(context: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Find what is wrong or unwise in rule files.

    Without FILES: everything that this station uses. Each FILE is a rule file or a folder of them; it is checked
    together with the shipped rules. Exit code 1 if there is anything to change.
    """
    findings: list[tuple[str, Finding]] = []
    checked = 0
    for source, found in _lint_all(_home(context)) if not files else _lint_files(files):
        checked += 1
        findings.extend((source, finding) for finding in found)
    if as_json:
        plain = [{"file": source, **asdict(finding)} for source, finding in findings]
        click.echo(msgspec.json.encode({"files": checked, "findings": plain}, order="sorted").decode())
    else:
        for source, finding in findings:
            click.echo(f"{source}: {finding.where}: {finding.text} [{finding.code}]")
        click.echo(f"{_count(checked, 'file')}, {_count(len(findings), 'finding')}")
    if findings:
        context.exit(1)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _home(context: click.Context) -> Path:
    return context.obj if isinstance(context.obj, Path) else Path()


def _lint_all(home: Path) -> list[tuple[str, tuple[Finding, ...]]]:
    rules = load_rules(folders_for(home))
    return [(source, _lint_one(key, rules)) for key, source in sorted(rules.sources.items())]


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
            listed.append((str(path), (Finding("unreadable", "file", str(error).removeprefix(f"{path}: ")),)))
            continue
        own = [key for key, source in rules.sources.items() if source == str(path)]
        listed.append((str(path), tuple(finding for key in own for finding in _lint_one(key, rules))))
    return listed


def _lint_one(key: tuple[str, str, int], rules: Rules) -> tuple[Finding, ...]:
    kind, name, version = key
    if kind == "protocol":
        schemes = tuple(rules.scheme(scheme) for scheme in rules.scheme_names())
        return lint(rules.protocols[name, version], LintBooks(rules.axes, rules.gates, schemes))
    if kind == "grading_scheme":
        return lint_scheme(rules.schemes[name, version], rules.axes)
    if kind == "policy":
        return lint_policy(rules.policies[name, version], rules)
    return ()  # the books are checked against each other when they are loaded


@protocol.command("cover")
@click.argument("names", metavar="[PROTOCOL]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def cover_command(context: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Walk every branch with a simulated item and show what was reached.

    Exit code 1 if a choice is reached by no branch, or no branch is clean.
    """
    rules = load_rules(folders_for(_home(context)))
    chosen = [p for p in sorted(rules.latest, key=lambda p: p.id) if not names or p.id in names]
    unknown = set(names) - {p.id for p in chosen}
    if unknown:
        known = ", ".join(sorted(p.id for p in rules.latest))
        raise InvalidInput(f"no protocol {sorted(unknown)[0]!r}; there are: {known}")
    covered = [cover_protocol(p, rules) for p in chosen]
    if as_json:
        click.echo(msgspec.json.encode({"protocols": [asdict(c) for c in covered]}, order="sorted").decode())
    else:
        for coverage in covered:
            click.echo(_coverage_text(coverage))
        total = sum(coverage.branches for coverage in covered)
        click.echo(f"{len(covered)} protocols, {total} branches, {sum(c.decisions for c in covered)} decisions")
    if any(not coverage.complete for coverage in covered):
        context.exit(1)


def _coverage_text(coverage: Coverage) -> str:
    lines = [
        f"{coverage.protocol}@{coverage.version}: {coverage.branches} branches, "
        f"choices {coverage.choices_reached} of {coverage.choices}, longest {coverage.longest} questions, "
        f"clean unit {coverage.longest_clean}"
    ]
    for scheme, grades in coverage.grades.items():
        lines.append(f"  {scheme:<14}" + "  ".join(f"{grade} {count}" for grade, count in grades.items()))
    lines.append("  disposition   " + "  ".join(f"{name} {count}" for name, count in coverage.dispositions.items()))
    lines.extend(f"  never reached: {choice}" for choice in coverage.missed)
    return "\n".join(lines)
