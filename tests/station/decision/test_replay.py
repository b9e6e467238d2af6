"""A journal decided again: the same bytes under the same rules, honest differences under others, nothing invented."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import msgspec
import pytest

from station.assets import asset
from station.canonical import canonical_json
from station.decision.as_of import Change, RulesGone, change_of, rules_as_of
from station.decision.recovery import Cell
from station.decision.replay import Replay, Report, UnitReplay, Verdict, payloads, run, standing
from station.decision.rules import default_folders, load_rules
from station.errors import InvalidInput
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection, InspectionVoided
from station.journal.entry import GENESIS, Entry
from ui.benchmark.replay import simulated

RULES = load_rules()
UNITS = [canonical_json(one) for one in simulated(RULES, 2_000)]


def replayed(units: list[bytes], *files) -> Report:
    rules = load_rules((*default_folders(), *files))
    change = change_of(rules, RULES)
    return run(Replay(rules, change, RULES), units, change)


def one(payload: bytes, *files) -> UnitReplay:
    rules = load_rules((*default_folders(), *files))
    return Replay(rules, change_of(rules, RULES), RULES).unit(payload)


def record(payload: bytes, **other) -> Inspection:
    return replace(msgspec.json.decode(payload, type=Inspection), **other)


def of_protocol(name: str) -> list[bytes]:
    wanted = f"{name}@".encode()
    return [payload for payload in UNITS if b'["protocol","' + wanted in payload]


def newer(tmp_path, folder: str, name: str, *changes: tuple[str, str]):
    text = asset(folder, name).read_text(encoding="utf-8")
    version = int(text.partition("\nversion = ")[2].partition("\n")[0])
    text = text.replace(f"\nversion = {version}\n", f"\nversion = {version + 1}\n", 1)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_thousands_of_units_come_out_to_the_same_bytes():
    report = run(Replay(RULES, Change(), RULES), UNITS, Change())
    assert report.counts == {Verdict.SAME: len(UNITS)}
    assert report.proven
    assert len({name for payload in UNITS for name, _ in record(payload).decision.versions if name == "protocol"}) == 1
    assert {disposition for disposition, _ in report.dispositions} >= {
        "restock",
        "refurbish",
        "quarantine",
        "liquidate",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [(rb'"price":\{"currency":"EUR","minor":\d+', b'"price":{"currency":"EUR","minor":999'),
     (rb'"choice":"as_new"', b'"choice":"sealed"'), (rb'"in_order"', b'"in_0rder"')],
    ids=["price", "answer", "reason"],
)  # fmt: skip
def test_negative_control_a_changed_record_is_found(old, new):
    payload = next(payload for payload in of_protocol("footwear") if b'"choice":"as_new"' in payload)
    assert re.search(old, payload)
    unit = one(re.sub(old, new, payload, count=1))
    assert unit.verdict is Verdict.CHANGED
    assert unit.changes[0] == "bytes"


def test_another_policy_shows_money_and_why(tmp_path):
    path = newer(tmp_path, "policies", "small_brand.toml", ("restocking_bp = 0", "restocking_bp = 1000"))
    report = replayed(UNITS, path)
    assert report.change == ("small_brand@3",)
    changed = [unit for unit in report.listed if unit.verdict is Verdict.CHANGED]
    assert len(changed) == report.counts[Verdict.CHANGED] > 20
    assert {unit.changes for unit in changed} == {("refund",)}
    assert all(any("Restocking fee 10 %" in reason.text for reason in unit.reasons) for unit in changed)
    total = report.money["EUR"]
    assert total.recovery_before == total.recovery_after
    lost = sum(unit.before.refund.minor - unit.after.refund.minor for unit in changed)
    assert total.refund_before - total.refund_after == lost > 0
    assert not report.counts[Verdict.CANNOT_JUDGE]


def test_a_policy_of_a_new_name_is_put_in_force_for_all(tmp_path):
    path = newer(tmp_path, "policies", "small_brand.toml", ('name = "small_brand"', 'name = "trial"'))
    report = replayed(UNITS, path)
    before = Counter(dict(record(payload).decision.versions)["policy"].partition("@")[0] for payload in UNITS)
    assert report.counts[Verdict.SAME] >= before["small_brand"]
    assert report.counts[Verdict.CHANGED] > 0


def test_a_new_question_is_named_and_never_answered_for_anybody(tmp_path):
    more = """
[[questions]]
id = "smell"
text = "Does it smell of smoke?"
why = "Smoke stays"

[[questions.choices]]
id = "no"
label = "No"
hint = "nothing"
axes = { cosmetics = 9 }

[[questions.choices]]
id = "yes"
label = "Yes"
hint = "smoke"
axes = { cosmetics = 5 }

[[shortcuts]]
code = "RSC-CLEAN"
"""
    path = newer(tmp_path, "protocols", "homeware.toml", ('\n[[shortcuts]]\ncode = "RSC-CLEAN"\n', more))
    mine = of_protocol("homeware")
    report = replayed(UNITS, path)
    assert report.counts[Verdict.CANNOT_JUDGE] == len(mine) > 20
    assert report.counts[Verdict.SAME] == len(UNITS) - len(mine)
    assert report.questions == {"smell": len(mine)}
    unit = next(unit for unit in report.listed if unit.verdict is Verdict.CANNOT_JUDGE)
    assert (unit.why, unit.after) == ("nobody was asked 'Does it smell of smoke?'", None)


def test_a_choice_that_is_gone_leaves_its_question_open(tmp_path):
    path = newer(tmp_path, "protocols", "footwear.toml", ('id = "box_bad"', 'id = "box_torn"'))
    report = replayed(of_protocol("footwear"), path)
    old = [payload for payload in of_protocol("footwear") if b'"choice":"box_bad"' in payload]
    assert report.counts[Verdict.CANNOT_JUDGE] == len(old) > 0


def test_stricter_levels_move_grades(tmp_path):
    path = newer(
        tmp_path, "protocols", "footwear.toml", ("cosmetics = 8, packaging = 4", "cosmetics = 7, packaging = 4")
    )
    report = replayed(of_protocol("footwear"), path)
    assert report.grades["A", "B"] > 0
    unit = next(unit for unit in report.listed if "grade" in unit.changes)
    assert (unit.before.grade, unit.after.grade) == ("A", "B")
    assert unit.reasons
    assert unit.gone


def test_a_shortcut_that_is_refused_now_counts_for_nothing(tmp_path):
    payload = next(payload for payload in of_protocol("footwear") if b'"choice":"as_new"' in payload)
    unit = record(payload)
    answers = tuple(replace(answer, given_by="shortcut:RSC-CLEAN") for answer in unit.answers)
    clean = canonical_json(replace(unit, answers=answers, declared_reason="unwanted"))
    path = newer(tmp_path, "protocols", "footwear.toml", ('"missing_parts"]\n', '"missing_parts", "unwanted"]\n'))
    judged = one(clean, path)
    assert judged.verdict is Verdict.CANNOT_JUDGE
    assert judged.why.startswith("RSC-CLEAN would be refused now, and nobody was asked")
    still = newer(tmp_path, "protocols", "footwear.toml", ('title = "Shoes"', 'title = "All shoes"'))
    assert one(clean, still).verdict is not Verdict.CANNOT_JUDGE


def test_what_the_new_version_does_not_ask_is_dropped_and_named(tmp_path):
    path = newer(
        tmp_path, "protocols", "homeware.toml",
        ('when = { reasons = ["damaged_in_transit"], answers = { look = ["broken"] } }',
         'when = { reasons = ["wrong_item"], answers = { look = ["broken"] } }'),
    )  # fmt: skip
    payload = next(payload for payload in of_protocol("homeware") if b'"choice":"box_fine"' in payload)
    unit = one(payload, path)
    assert unit.dropped == ("transit",)
    assert unit.verdict is Verdict.CHANGED
    assert all("without being asked" not in reason.text for reason in unit.reasons)


def test_a_record_without_its_inputs_is_said_and_not_guessed():
    unit = one(canonical_json(record(UNITS[0], basis=None)))
    assert (unit.verdict, unit.after) == (Verdict.NOT_REPLAYED, None)
    assert "without price and order" in unit.why


def test_rules_of_then_that_are_not_here_are_named():
    old = record(UNITS[0])
    versions = tuple((what, text.replace("gates@3", "gates@1")) for what, text in old.decision.versions)
    with pytest.raises(RulesGone, match=r"not here: gates gates@1; put the files"):
        rules_as_of(RULES, versions)
    bent = canonical_json(replace(old, decision=replace(old.decision, versions=versions)))
    assert one(bent).verdict is Verdict.NOT_REPLAYED
    policy = msgspec.structs.replace(RULES.policy("small_brand"), version=9)
    unit = Replay(RULES, Change(policies=(policy,)), RULES).unit(bent)
    assert unit.other_rules == ("gates gates@1",), "today's were used, and it is said"


def test_an_older_book_is_put_back(tmp_path):
    path = newer(tmp_path, "policies", "routes.toml", ("EUR = 60,", "EUR = 90,"))
    later = load_rules((*default_folders(), path))
    assert later.routes.version == RULES.routes.version + 1
    report = run(Replay(later, Change(), later), UNITS[:200], Change())
    assert report.proven, "each unit is decided by the book it names"
    dearer = replayed(UNITS[:200], path)
    assert dearer.counts[Verdict.CHANGED] > 0
    assert dearer.money["EUR"].recovery_after < dearer.money["EUR"].recovery_before


def test_what_was_learned_since_is_not_used_for_then():
    cell = Cell(
        category="footwear", merchant="simulated", sku="SIM-1", scheme="standard", grade="A", route="restock", n=50,
        total=50_000, squares=50_000_000,
    )  # fmt: skip
    learned = RULES.with_outcomes((cell,))
    assert run(Replay(learned, Change(), learned), of_protocol("footwear")[:20], Change()).proven


def entry(seq: int, kind: str, payload: bytes, at: str = "2026-11-22T10:00:00.000000Z") -> Entry:
    return Entry("s", 1, seq, f"e{seq}", kind, 1, at, "a", payload, "", GENESIS, "")


def test_only_inspections_that_stand_are_decided_again():
    first, second, third = (record(payload, inspection_id=f"i{n}") for n, payload in enumerate(UNITS[:3]))
    second = replace(second, corrects="i0")
    gone = canonical_json(InspectionVoided("i2", "undone", datetime(2026, 11, 22, tzinfo=UTC)))
    kinds = [(INSPECTION_CONFIRMED, canonical_json(unit)) for unit in (first, second, third)]
    entries = [entry(n, *each) for n, each in enumerate([*kinds, (INSPECTION_VOIDED, gone)], 1)]
    assert standing(entries) == {"i1"}
    assert [record(payload).inspection_id for payload in payloads(entries, standing(entries))] == ["i1"]
    assert not list(payloads(entries, standing(entries), date(2026, 11, 21)))


def test_bytes_that_are_no_inspection_are_refused():
    with pytest.raises(InvalidInput, match="cannot be read"):
        Replay(RULES, Change(), RULES).unit(b"{}")
