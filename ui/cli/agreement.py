"""``station agreement``: how far people agree, what to look at together, and the blind looks that tell it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from station.errors import InvalidInput

if TYPE_CHECKING:
    from station.journal.entry import Entry
    from station.returns.model import ReturnAuthorisation
    from station.review.agreement.plan import Plan, Seen
    from station.review.agreement.planted import Golden
    from station.review.agreement.ratings import Ratings
    from station.store.store import Store

SECRET_FILE = "agreement.secret"
"""Of a home: the secret of the draws. Whoever has it can foresee the blind looks, and an auditor can repeat them."""
_SECRET_BYTES = 32
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def agreement() -> None:
    """Say how far people see the same in the same unit, and plan the blind looks that tell it.

    Nobody is ranked: figures are of grades, defects and questions. A person's own are shown when asked for by name.
    """


@agreement.command()
@click.option("--least", type=click.IntRange(2), default=30, show_default=True, help="Units before a number is given.")
@_json
@click.pass_obj
def report(home: Path, least: int, as_json: bool) -> None:
    """Agreement by category on grades, boundaries, defects and questions."""
    from station.review.agreement.report import make_report

    result = make_report(_ratings(home), _ladders(home), least=least)
    if as_json:
        _print(result)
        return
    for line in result.text:
        click.echo(line)
    shown = ""
    for measure in result.measures:
        if measure.category != shown:
            shown = measure.category
            click.secho(f"\n{shown}", bold=True)
        click.echo(f"  {measure.text}")
        for note in measure.agreement.notes:
            click.echo(f"      {note}")
    if result.basis.left_out:
        click.echo("\nnot counted: " + "; ".join(f"{many} × {why}" for why, many in result.basis.left_out))


@agreement.command()
@click.argument("inspector")
@_json
@click.pass_obj
def card(home: Path, inspector: str, as_json: bool) -> None:
    """What INSPECTOR sees otherwise than the others, with the photos to look at."""
    from station.decision.rules import folders_for, load_rules
    from station.review.agreement.coaching import make_card

    rules = load_rules(folders_for(home))

    def words(protocol: str, question: str, choice: str) -> tuple[str, str]:
        name, _, version = protocol.partition("@")
        known = rules.protocol(name, int(version)) if version.isascii() and version.isdigit() else None
        asked = known.question(question) if known is not None else None
        chosen = asked.choice(choice) if asked is not None else None
        return (asked.text if asked is not None else question, chosen.label if chosen is not None else choice)

    result = make_card(_ratings(home), inspector, words)
    if as_json:
        _print(result)
        return
    for line in result.text:
        click.echo(line)
    for point in result.points:
        click.secho(f"\n{point.text}", bold=True)
        for look in point.looks:
            click.echo(f"  inspection {look.subject}")
            for sha256 in look.photos:
                click.echo(f"    photo {sha256}")


@agreement.command()
@click.option("--inspector", metavar="NAME", help="Only this person. Default: everybody, in the order of names.")
@_json
@click.pass_obj
def drift(home: Path, inspector: str | None, as_json: bool) -> int:
    """Who began to see things otherwise than agreed. Exit 1 if somebody should look at some units together."""
    from station.review.agreement.drift import watch

    found = watch(_ratings(home), _ladders(home))
    shown = [one for one in found if inspector in (None, one.inspector)]
    if as_json:
        _print({"charts": shown})
    else:
        for one in shown:
            click.echo(f"{one.inspector}: {one.text}")
        if not shown:
            click.echo("Nothing is watched yet: plan some blind looks first")
    return int(any(one.alarm_at is not None for one in shown))


@agreement.command()
@click.argument("inspection")
@click.option("--agreed-by", "people", multiple=True, required=True, metavar="NAME", help="At least two people.")
@click.option("--why", required=True, help="What they went by.")
@click.pass_obj
def golden(home: Path, inspection: str, people: tuple[str, ...], why: str) -> None:
    """Record that people looked at INSPECTION's unit together and found it right: it becomes a golden item."""
    from station.canonical import canonical_json
    from station.journal.entry import Fact
    from station.review.agreement.planted import GOLDEN, Golden

    if len(set(people)) < 2:
        raise InvalidInput("a golden item needs two people who agree: give --agreed-by twice")
    fact = next((one for _, one in _standing(_entries(home)) if one.inspection_id == inspection), None)
    if fact is None:
        raise InvalidInput(f"no inspection {inspection!r} stands in this journal")
    grade = fact.decision.grade.code if fact.decision.grade is not None else None
    answers = {answer.question: answer.choice for answer in fact.answers}
    told = Golden(inspection, grade, answers, tuple(sorted(set(people))), why, datetime.now(UTC))
    with _open(home) as store:
        store.commit([Fact(GOLDEN, 1, canonical_json(told))], actor=people[0], drafts={})
    click.echo(f"{inspection} is a golden item: grade {grade or 'none'}, agreed by {' and '.join(sorted(set(people)))}")


@agreement.command()
@click.option(
    "--inspector", "people", multiple=True, metavar="NAME", help="Who works these days. Default: who did lately."
)
@click.option("--again", type=click.IntRange(0, 100), default=4, show_default=True, help="Units to look at again.")
@click.option("--golden", "gold", type=click.IntRange(0, 100), default=1, show_default=True, help="Golden items.")
@click.option(
    "--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S"]), metavar="TIME",
    help="UTC; default: now. With --dry-run the time of an earlier plan draws the same units and people again.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only show what would be drawn, e.g. for an auditor.")
@_json
@click.pass_obj
def plan(
    home: Path, people: tuple[str, ...], again: int, gold: int, at: datetime | None, dry_run: bool, as_json: bool
) -> None:
    """Draw the blind looks of a day and announce their returns to this bench. The bench must be closed meanwhile."""
    from station.review.agreement.blind_store import slots_of

    with _open(home) as store:
        moment = at.replace(tzinfo=UTC) if at is not None else datetime.now(UTC).replace(microsecond=0)
        result = _draw(home, store, people, again, gold, moment)
        if not dry_run and result.errands:
            from station.canonical import canonical_json
            from station.journal.entry import Fact
            from station.review.agreement.planted import PLANTED

            store.put_returns(errand.authorisation for errand in result.errands)
            facts = [Fact(PLANTED, 1, canonical_json(errand.planted)) for errand in result.errands]
            store.commit(facts, actor="agreement plan", drafts=slots_of(result.errands))
    if as_json:
        _print(result)
        return
    for errand in result.errands:
        click.echo(errand.text)
    for line in result.left_out:
        click.echo(line)


def _draw(home: Path, store: Store, people: tuple[str, ...], again: int, gold: int, at: datetime) -> Plan:
    from station.identify.scan import CandidateKind
    from station.review.agreement.plan import Seen, Wanted, make_plan
    from station.review.agreement.ratings import golden_in, planted_in

    entries = _entries(home)
    seen = [
        Seen(fact.inspection_id, fact.merchant_id, fact.rma, fact.line, fact.category or "", actor, fact.confirmed_at)
        for actor, fact in _standing(entries)
        if fact.merchant_id and fact.rma and fact.line is not None and fact.decision.grade is not None
    ]
    by_id = {one.inspection_id: one for one in seen}
    agreed: Mapping[str, tuple[Golden, Seen]] = {
        name: (found, by_id[name]) for name, found in golden_in(entries).items() if name in by_id
    }

    def return_of(one: Seen) -> ReturnAuthorisation | None:
        found = store.directory.returns_by(CandidateKind.RMA, one.rma)
        return next((known for known in found if known.merchant_id == one.merchant_id), None)

    def is_free(code: str) -> bool:
        kinds = (CandidateKind.RMA, CandidateKind.TRACKING, CandidateKind.LPN)
        return not any(store.directory.returns_by(kind, code) for kind in kinds)

    return make_plan(
        at.date(), seen, agreed, people or {one.inspector for one in seen}, return_of, is_free, secret=_secret(home),
        at=at, wanted=Wanted(again, gold), before=planted_in(entries),
    )  # fmt: skip


class _Choice(msgspec.Struct, frozen=True):
    question: str
    choice: str


class _Grade(msgspec.Struct, frozen=True):
    code: str


class _Decision(msgspec.Struct, frozen=True):
    grade: _Grade | None = None


class _Inspected(msgspec.Struct, frozen=True):
    """What planning reads of a record."""

    inspection_id: str
    merchant_id: str | None
    rma: str | None
    line: int | None
    category: str | None
    answers: list[_Choice]
    decision: _Decision
    confirmed_at: datetime
    corrects: str | None = None


def _standing(entries: tuple[Entry, ...]) -> list[tuple[str, _Inspected]]:
    """(inspector, inspection) of real goods, those taken back or corrected left out."""
    from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, InspectionVoided

    read, read_void = msgspec.json.Decoder(_Inspected), msgspec.json.Decoder(InspectionVoided)
    kept = [entry for entry in entries if entry.payload is not None]
    ended = {read_void.decode(one.payload or b"").inspection_id for one in kept if one.kind == INSPECTION_VOIDED}
    found = [(one.actor, read.decode(one.payload or b"")) for one in kept if one.kind == INSPECTION_CONFIRMED]
    ended |= {fact.corrects for _, fact in found if fact.corrects is not None and fact.inspection_id not in ended}
    return [(actor, fact) for actor, fact in found if fact.inspection_id not in ended]


def _entries(home: Path) -> tuple[Entry, ...]:
    from station.review.agreement.ratings import KINDS
    from station.store.reading import read_entries

    return read_entries(home, KINDS)


def _ratings(home: Path) -> Ratings:
    from station.review.agreement.ratings import read_ratings

    return read_ratings(_entries(home))


def _ladders(home: Path) -> dict[str, tuple[str, ...]]:
    """Grading scheme → grades, best first, in its newest version."""
    from station.decision.rules import folders_for, load_rules

    rules = load_rules(folders_for(home))
    return {name: tuple(grade.code for grade in rules.scheme(name).grades) for name in rules.scheme_names()}


def _open(home: Path) -> Store:
    from station.clock import SystemClock
    from station.config import load_config
    from station.store.store import Store

    return Store.open(home, station=load_config(home).station.id, clock=SystemClock())


def _secret(home: Path) -> bytes:
    """The site's secret, made once."""
    from station.private_file import read_private, write_private

    path = home / SECRET_FILE
    write_private(path, secrets.token_bytes(_SECRET_BYTES), replace=False)
    found = read_private(path)
    if found is None or len(found) < _SECRET_BYTES:
        raise InvalidInput(f"{str(path)!r} is no secret of {_SECRET_BYTES} bytes: move it away, a new one is made")
    return found


def _print(result: object) -> None:
    click.echo(msgspec.json.encode(result).decode())
