"""``station protocol grades``: what each grade means, and what others call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from station.decision.model import Disposition
from station.decision.outward import Outward, Said, told
from station.decision.rules import Rules, folders_for, load_rules
from station.decision.scheme import GradingScheme
from station.errors import InvalidInput

_NO_CONDITION = (Disposition.MISSING, Disposition.QUARANTINE)


@click.command("grades")
@click.argument("names", metavar="[SCHEME]...", nargs=-1)
@click.option("--category", help="For these goods, e.g. apparel: some receivers have other words for them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def grades_command(context: click.Context, names: tuple[str, ...], category: str | None, as_json: bool) -> None:
    """Say what each grade means and what others call it: schema.org, Amazon, eBay, Shopify.

    A word marked ~ is lossy: another grade or way of ours is told in the same word, so ours goes along in the note.
    """
    rules = load_rules(folders_for(context.obj if isinstance(context.obj, Path) else Path()))
    unknown = sorted(set(names) - set(rules.scheme_names()))
    if unknown:
        raise InvalidInput(f"no grading scheme {unknown[0]!r}; there are: {', '.join(rules.scheme_names())}")
    schemes = [rules.scheme(name) for name in names or rules.scheme_names()]
    if as_json:
        click.echo(msgspec.json.encode(_document(rules, schemes, category), order="sorted").decode())
    else:
        click.echo("\n".join(_text(rules, schemes, category)))


def _conditions(rules: Rules, scheme: GradingScheme, grade: str, category: str | None) -> Iterator[tuple[str, Outward]]:
    """(ways, word) of each receiver, equal words put together."""
    grades = tuple(rule.code for rule in scheme.grades)
    for table in rules.outward:
        words: dict[str | None, tuple[list[str], Outward]] = {}
        for way in Disposition:
            said = Said(category, scheme.name, grade, way, None)
            for one in told(table, said, grades):
                if one.what == "condition" and way not in _NO_CONDITION:
                    words.setdefault(one.value, ([], one))[0].append(way.value)
        for ways, one in words.values():
            yield ", ".join(ways) if len(words) > 1 else "", one


def _dispositions(rules: Rules, way: Disposition) -> Iterator[tuple[str, Outward]]:
    """(found reason, word) of each receiver, the plain one first."""
    for table in rules.outward:
        reasons = dict.fromkeys(reason for rule in table.dispositions for reason in rule.found)
        seen: set[str | None] = set()
        for found in (None, *reasons):
            for one in told(table, Said(None, "", "", way, found), ()):
                if one.what == "disposition" and one.value not in seen:
                    seen.add(one.value)
                    yield found or "", one


def _document(rules: Rules, schemes: list[GradingScheme], category: str | None) -> dict[str, object]:
    return {
        "category": category,
        "schemes": [
            {
                "name": scheme.name,
                "version": scheme.version,
                "title": scheme.title,
                "grades": [
                    {
                        "code": rule.code,
                        "meaning": rule.meaning,
                        "minimum": rule.minimum,
                        "outward": [
                            {**msgspec.to_builtins(one), "ways": ways}
                            for ways, one in _conditions(rules, scheme, rule.code, category)
                        ],
                    }
                    for rule in scheme.grades
                ],
            }
            for scheme in schemes
        ],
        "dispositions": [
            {**msgspec.to_builtins(one), "found": found}
            for way in Disposition
            for found, one in _dispositions(rules, way)
        ],
    }


def _text(rules: Rules, schemes: list[GradingScheme], category: str | None) -> Iterator[str]:
    for scheme in schemes:
        yield f"{scheme.name}@{scheme.version}: {scheme.title}" + (f", for {category}" if category else "")
        for rule in scheme.grades:
            needs = ", ".join(f"{axis} ≥ {level}" for axis, level in rule.minimum.items()) or "everything else"
            yield f"  {rule.code}: {rule.meaning} ({needs})"
            for ways, one in _conditions(rules, scheme, rule.code, category):
                yield f"      {one.target:<11}{_word(one)}" + (f" ({ways})" if ways else "")
    yield "ways"
    for way in Disposition:
        yield f"  {way.value}"
        for found, one in _dispositions(rules, way):
            yield f"      {one.target:<11}{_word(one)}" + (f" (found: {found})" if found else "")


def _word(one: Outward) -> str:
    return "no word for it" if one.value is None else f"~ {one.value}" if one.lossy else one.value
