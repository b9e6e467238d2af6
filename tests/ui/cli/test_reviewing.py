"""``station review`` as a person and as a script use it, on a real home."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from station.canonical import canonical_json
from station.clock import SystemClock
from station.decision.model import Reason
from station.errors import InvalidInput, OperatorError
from station.inspection.facts import IdentityOutcome, Photo
from station.inspection.record import INSPECTION_VOIDED, Inspection, InspectionVoided
from station.journal.entry import Fact
from station.quantities import Money
from station.review.draw import DrawKey, draw
from station.review.plan import Severity, read_plan
from station.store.store import Store
from tests.sync.material import an_inspection, fact
from ui.cli.reviewing import review

BEGUN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
AT = "2026-11-23T09:00"
LOOK = (Reason("look_wrong_item", "Another article than the one announced"),)


def asks(number: int, worth: int, hours: int) -> Inspection:
    plain = an_inspection(number)
    best, *others = plain.decision.alternatives
    bent = msgspec.structs.replace
    ways = (bent(best, allowed=True, value=Money(worth, "EUR")), *(bent(way, value=None) for way in others))
    begun = BEGUN + timedelta(hours=hours)
    return replace(
        plain, lpn=f"U{number}", identity=IdentityOutcome.WRONG_ITEM, started_at=begun,
        confirmed_at=begun + timedelta(minutes=3),
        photos=(Photo("ab" * 32, 10, 1, 1, "front", begun, 900, 120, "c"),),
        decision=replace(plain.decision, alternatives=ways, second_look=LOOK),
    )  # fmt: skip


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("worked")
    cheap, dear, late, gone = asks(1, 500, 0), asks(2, 90_000, 60), asks(3, 500, 71), asks(4, 90_000, 1)
    quiet = an_inspection(5)
    quiet = replace(quiet, decision=replace(quiet.decision, second_look=()))
    voided = InspectionVoided(gone.inspection_id, "taken back", BEGUN)
    with Store.open(home, station="bench-1", clock=SystemClock(), ballast_bytes=0) as store:
        store.commit([fact(one) for one in (cheap, dear, late, gone, quiet)], actor="ines", drafts={})
        store.commit([Fact(INSPECTION_VOIDED, 1, canonical_json(voided))], actor="ines", drafts={})
    return home


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(review, list(words), obj=home, standalone_mode=False)


def document(result: Result) -> dict[str, Any]:
    assert result.exception is None, result.exception
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_the_queue_names_what_presses_and_leaves_out_what_was_taken_back(worked: Path) -> None:
    shown = document(run(worked, "queue", "--at", AT, "--promise", "48", "--marketplace", "walmart_us", "--json"))
    assert [one["lpn"] for one in shown["waiting"]] == ["U2", "U3", "U1"]
    dear, late, cheap = shown["waiting"]
    assert dear["score"] > late["score"] > cheap["score"] >= 0
    assert any(reason["code"] == "order_claim" for reason in dear["reasons"])
    assert "promise ended" in cheap["reasons"][0]["text"] + cheap["reasons"][1]["text"]
    assert shown["order"].startswith("order@1 ")
    assert dear["second_look"] == [{"code": LOOK[0].code, "text": LOOK[0].text}]
    text = run(worked, "queue", "--at", AT, "--limit", "1").stdout
    assert text.startswith("   1  U2  ")
    assert "3 wait, 2 more than shown" in text
    assert LOOK[0].text in text


def test_claims_of_a_unit_and_their_exit_code(worked: Path) -> None:
    words = ("claims", "U3", "--marketplace", "amazon_us", "--refunded", "2026-11-20", "--at", AT)
    lacking = run(worked, *words)
    assert lacking.return_value == 1
    assert "27 days left" not in lacking.stdout
    assert "26 days left, until 2026-12-20 00:00 UTC" in lacking.stdout
    assert "x  What came back  (photo front)" in lacking.stdout
    assert "Next: Photograph the shipping label" in lacking.stdout
    assert "Check the programme's own page" in lacking.stdout
    shown = run(worked, *words, "--have", "order", "--json")
    (claim,) = json.loads(shown.stdout)["claims"]
    assert {item["evidence"]["id"] for item in claim["items"] if item["by"]} == {"item", "order"}
    for lpn in ("U4", "U99"):
        missing = run(worked, "claims", lpn, "--marketplace", "ebay")
        assert isinstance(missing.exception, InvalidInput)
        assert f"no inspection of '{lpn}' stands" in str(missing.exception)
    unknown = run(worked, "claims", "U3", "--marketplace", "ebuy")
    assert isinstance(unknown.exception, InvalidInput)
    assert "did you mean 'ebay'" in str(unknown.exception)


def test_sampling_shows_the_curve_the_cells_and_repeats_draws(tmp_path: Path) -> None:
    history, key = tmp_path / "history.jsonl", tmp_path / "key"
    line = {"inspector": "ines", "category": "apparel", "grade": "A", "disagrees": True}
    history.write_text("\n".join([json.dumps(line)] * 40 + [""]), encoding="utf-8")
    key.write_bytes(bytes(range(32)))
    shown = document(run(tmp_path, "sampling", "--history", str(history), "--key", str(key), "u1", "u2", "--json"))
    assert shown["cells"][0]["severity"] == "tightened"
    assert shown["plan"] == "audit@1"
    expected = draw(DrawKey(bytes(range(32))), read_plan(), "u1", Severity.NORMAL)
    assert shown["draws"]["u1"] == {"drawn": expected.drawn, "plan": "audit@1", "severity": "normal",
                                    "share_ppm": 50_000, "key": expected.key}  # fmt: skip
    assert bytes(range(32)).hex() not in json.dumps(shown)
    text = run(tmp_path, "sampling", "--history", str(history)).stdout
    assert "ines · apparel · A: Tightened: 20 % of units" in text
    assert "at most 5.7% leave wrong" in text
    history.write_text('{"inspector": "ines", "turn": "resumed"}\n', encoding="utf-8")
    assert isinstance(run(tmp_path, "sampling", "--history", str(history)).exception, OperatorError)
    history.write_text('{"inspector": "ines"}\n{"inspecter": "x"}\n', encoding="utf-8")
    assert "history.jsonl:2" in str(run(tmp_path, "sampling", "--history", str(history)).exception)
    assert "--key" in str(run(tmp_path, "sampling", "u1").exception)


def test_hits_show_rates_with_their_counts(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.jsonl"
    lines = [{"unit": f"u{n}", "signals": ["photo_twice"], "confirmed": False} for n in range(300)]
    lines += [{"unit": f"v{n}", "signals": [], "confirmed": n % 100 == 0} for n in range(300)]
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    shown = document(run(tmp_path, "hits", str(file), "--json"))
    photo = next(one for one in shown["signals"] if one["signal"] == "photo_twice")
    assert (photo["right"], photo["looks"]) == (0, 300)
    assert photo["weight_milli"] < photo["weight_before_milli"]
    text = run(tmp_path, "hits", str(file)).stdout
    assert "600 looks, 3 of them found something" in text
    assert "right 0 of 300 times" in text
    file.write_text('{"unit": "u", "signals": ["ufo"], "confirmed": true}', encoding="utf-8")
    assert "outcomes.jsonl:1" in str(run(tmp_path, "hits", str(file)).exception)
