"""Second looks that are settled: kept, counted for the signals, and they move the audit's next draws."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from station.canonical import canonical_json
from station.errors import OperatorError, StoreFault
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.inspection.stepper import Site
from station.review.bench import Auditing, shipped
from station.review.draw import draw
from station.review.own_key import KEY_FILE, own_key
from station.review.plan import Severity, read_plan
from station.review.settled import SETTLED, history_of, outcomes_of, settle
from station.review.switching import Cell, Standing, standings
from station.store.proof import verify
from station.store.reading import read_entries
from station.store.settled import SETTLED_LOOKS
from sync.protocol import Code
from sync.server.judge import judge_payload
from tests.station.inspection.bench import START, open_store
from tests.station.review.test_at_the_bench import worked
from ui.cli.reviewing import review

PLAN = read_plan()
EVERY = {Cell("Ana", "apparel", "A"): Standing(Severity.EVERY)}


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(review, list(words), obj=home, standalone_mode=False)


def test_the_key_is_made_once_and_only_this_user_may_read_it(tmp_path: Path) -> None:
    first = own_key(tmp_path)
    assert own_key(tmp_path).name == first.name
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert own_key(tmp_path / "other").name != first.name
    assert (tmp_path / KEY_FILE).read_bytes().hex() not in repr(first)
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(StoreFault, match="move it away"):
        own_key(tmp_path)


def test_a_drawn_unit_asks_the_inspector_for_nothing_and_its_look_moves_the_next_draws(tmp_path: Path) -> None:
    auditing = Auditing(own_key(tmp_path), PLAN, EVERY)
    records, shown = worked(tmp_path, Site(review=shipped(), audit=auditing), units=2)
    for record in records:
        assert record.audit is not None
        assert record.audit.drawn
        assert record.decision.second_look == ()
        assert not record.decision.needs_confirm
    assert not [text for text in shown if "audit" in text or "drawn" in text]
    first, second = (record.lpn for record in records)
    assert isinstance(run(tmp_path, "settle", first, "--found", "--by", "ana").exception, OperatorError)
    assert run(tmp_path, "settle", first, "--found", "--by", "Bo").exception is None
    assert run(tmp_path, "settle", second, "--found", "--by", "Bo").exception is None
    assert run(tmp_path, "settle", second, "--nothing", "--by", "Cem").exception is None
    with open_store(tmp_path) as store:
        looks = store.settled_looks()
        with store._reading("looking") as connection:
            text = str(SETTLED_LOOKS.compile(dialect=connection.dialect))
            plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + text).all()
    assert any("journal_settled" in str(step) for step in plan), plan
    assert [(one.inspector, one.by, one.found, one.drawn) for one in looks] == [
        ("Ana", "Bo", True, True), ("Ana", "Bo", True, True), ("Ana", "Cem", False, True),
    ]  # fmt: skip
    (cell, stands), *others = standings(PLAN, history_of(looks)).items()
    assert not others
    assert (cell, stands.looked, stands.disagreed) == (Cell("Ana", "apparel", "A"), 2, 1), "the last word counts, once"
    hits = msgspec.json.decode(run(tmp_path, "hits", "--json").stdout)
    assert (hits["outcomes"], hits["confirmed"]) == (2, 1)
    assert verify(tmp_path).ok
    assert len(read_entries(tmp_path, {SETTLED})) == 3


def test_only_looks_that_the_draw_had_picked_are_a_sample(tmp_path: Path) -> None:
    (record,), _ = worked(tmp_path, Site(review=shipped(), audit=Auditing(own_key(tmp_path), PLAN, {})))
    assert record.audit is not None
    plain = replace(record, audit=replace(record.audit, drawn=False))
    with pytest.raises(OperatorError, match="nothing to settle"):
        settle(plain, "Ana", True, "Bo", START)
    asked = replace(plain, decision=replace(plain.decision, second_look=("x",)))  # type: ignore[arg-type]
    look = settle(asked, "Ana", True, "Bo", START)
    assert history_of([look]) == ()
    assert len(outcomes_of([look])) == 1
    assert history_of([replace(look, drawn=True)]), "negative control"
    assert outcomes_of([replace(look, signals=("used", "of_a_later_version"))])[0].signals == ("used",)


def test_the_draw_follows_the_standing(tmp_path: Path) -> None:
    key = own_key(tmp_path)
    picked = [
        sum(draw(key, PLAN, f"u{n}", one).drawn for n in range(400)) for one in (Severity.REDUCED, Severity.EVERY)
    ]
    assert picked[0] < picked[1] == 400


def test_every_record_of_a_bench_names_the_book_of_signals(tmp_path: Path) -> None:
    worked(tmp_path, Site(review=shipped()))
    (entry,) = read_entries(tmp_path, {INSPECTION_CONFIRMED})
    told = msgspec.json.decode(entry.payload or b"", type=Inspection).signalled
    assert told is not None
    assert dict(told.versions)["signals"] == shipped().signals.name


def test_the_centre_keeps_what_a_bench_settled(tmp_path: Path) -> None:
    (record,), _ = worked(tmp_path, Site(review=shipped(), audit=Auditing(own_key(tmp_path), PLAN, EVERY)))
    payload = canonical_json(settle(record, "Ana", False, "Bo", START))
    assert judge_payload(SETTLED, 1, payload)[0] is None
    assert judge_payload("review.unheard_of", 1, payload)[0] is Code.UNKNOWN_KIND, "negative control"
