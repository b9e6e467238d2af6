"""``station decide`` as a script sees it: one document on stdout, exit codes, messages on stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from station.assets import asset
from station.decision.case_file import EXAMPLE


def station(*arguments: str, home: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "ui.cli", "--home", str(home), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)


EXTRAS = ("override", "flags", "skipped", "order", "customs", "floor")


@pytest.fixture
def document() -> dict:
    return {key: value for key, value in json.loads(EXAMPLE).items() if key not in EXTRAS}


def test_one_json_document_with_everything_and_its_reasons(tmp_path, document):
    file = tmp_path / "case.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    done = station("decide", str(file), "--json", home=tmp_path / "home")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    assert [axis["axis"] for axis in answer["axes"]] == ["function", "cosmetics", "packaging"]
    assert answer["grade"]["code"] == "B"
    assert answer["grade"]["meaning"]
    assert answer["disposition"] == "refurbish"
    assert answer["tote"] == "R-14"
    assert {way["disposition"] for way in answer["alternatives"]} >= {"restock", "liquidate", "recycle", "destroy"}
    assert all(way["reason"]["text"] for way in answer["alternatives"])
    assert answer["alternatives"][0]["value"] == {"minor": 6231, "currency": "EUR"}
    assert {gate["id"]: gate["state"] for gate in answer["gates"]} == {
        "lithium_fault": "raised",
        "hygiene": "raised",
        "lithium": "clear",
        "expired": "clear",
    }
    assert answer["refund"]["decision"] == "full"
    assert answer["refund"]["amount"] == {"minor": 12900, "currency": "EUR"}
    assert answer["refund"]["trail"][0]["text"] == "Refund in full: defective, within 30 days"
    assert answer["versions"]["protocol"].startswith("electronics.audio@2 ")
    again = station("decide", str(file), "--json", home=tmp_path / "home")
    assert again.stdout == done.stdout


def test_standard_input_another_policy_and_plain_text(tmp_path, document):
    document["return"]["reason"] = "unwanted"
    document["answers"] = {"power": "works", "seal": "intact", "look": "as_new"}
    data = json.dumps(document).encode()
    text = station("decide", "-", "--policy", "customer_first", home=tmp_path, stdin=data).stdout.decode()
    assert "disposition  restock  tote S-05\n" in text
    assert "refund       full  129.00 EUR" in text
    market = station("decide", "-", "--policy", "marketplace", home=tmp_path, stdin=data).stdout.decode()
    assert "refund       partial  124.01 EUR" in market


def test_a_policy_that_is_being_written(tmp_path, document):
    own = asset("policies", "small_brand.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(own.replace('"small_brand"', '"mine"').replace("days = 30\n", "days = 3\n"), encoding="utf-8")
    document["return"]["reason"] = "unwanted"
    data = json.dumps(document).encode()
    done = station("decide", "-", "--policy", str(path), "--json", home=tmp_path, stdin=data)
    assert json.loads(done.stdout)["disposition"] == "quarantine"  # found defective and late: a person decides
    unchanged = tmp_path / "same.toml"
    unchanged.write_text(own, encoding="utf-8")
    refused = station("decide", "-", "--policy", str(unchanged), home=tmp_path, stdin=data)
    assert refused.returncode == 2
    assert b"holds no policy of its own" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (("decide", "-"), b"{", "not JSON"),
        (("decide", "-"), b'{"polcy": 1}', "did you mean 'policy'?"),
        (("decide", "-", "--policy", "nobody"), EXAMPLE.encode(), "no policy 'nobody'"),
        (("decide", "nowhere.json"), b"", "cannot be read"),
        (("decide",), b"", "Missing argument 'FILE'"),
    ],
)
def test_bad_input_is_exit_2_and_says_what_to_do(tmp_path, arguments, stdin, message):
    done = station(*arguments, home=tmp_path, stdin=stdin)
    assert done.returncode == 2
    assert done.stdout == b""
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_help_shows_the_shape(tmp_path):
    text = station("decide", "--help", home=tmp_path).stdout.decode()
    assert '"answers": {"power": "no_charge"' in text
    assert "scale_interval_g" in text


def test_everything_is_shown_to_a_person(tmp_path):
    document = {key: value for key, value in json.loads(EXAMPLE).items() if key != "override"}
    document["return"]["reason"] = "unwanted"
    document["answers"] = {"power": "works", "seal": "broken", "look": "light_wear"}
    text = station("decide", "-", home=tmp_path, stdin=json.dumps(document).encode()).stdout.decode()
    for part in (
        "more cost on refurbish",
        "until it is sold",
        "less 1.50 EUR for a scarce place",
        "statement    Diminished value: ",
        "as its share of discounts",
        "customs      unwanted  entry 26CH0077: Signs of use: ",
        "from         price 129.00 EUR, paid 129.00 EUR, ",
        "  tax: ",
        "used         routes: routes@2 ",
    ):
        assert part in text


def test_a_printed_decision_is_shown_again_byte_for_byte(tmp_path, document):
    data = json.dumps(document).encode()
    printed = station("decide", "-", "--json", home=tmp_path, stdin=data).stdout
    kept = tmp_path / "decision.json"
    kept.write_bytes(printed)
    assert station("decide", "--show", str(kept), "--json", home=tmp_path).stdout == printed
    text = station("decide", "-", home=tmp_path, stdin=data).stdout
    assert station("decide", "--show", str(kept), home=tmp_path).stdout == text


def test_a_unit_of_the_journal_is_shown_as_it_was_recorded(tmp_path):
    from station.canonical import canonical_json
    from station.clock import SystemClock
    from station.inspection.record import INSPECTION_CONFIRMED
    from station.journal.entry import Fact
    from station.store.store import Store
    from tests.sync.material import an_inspection

    first, second = an_inspection(1), an_inspection(2)
    home = tmp_path / "home"
    store = Store.open(home, station="bench-1", clock=SystemClock())
    store.commit(
        [Fact(INSPECTION_CONFIRMED, 1, canonical_json(one)) for one in (first, second)], actor="ana", drafts={}
    )
    store.close()
    for name in (second.lpn, second.inspection_id):
        done = station("decide", "--show", name, "--json", home=home)
        assert (done.returncode, done.stdout.rstrip()) == (0, canonical_json(second.decision)), done.stderr
    inspection = tmp_path / "inspection.json"
    inspection.write_bytes(canonical_json(first))
    done = station("decide", "--show", str(inspection), "--json", home=home)
    assert done.stdout.rstrip() == canonical_json(first.decision)
    assert b"disposition  " in station("decide", "--show", first.lpn, home=home).stdout
    exported = tmp_path / "journal.jsonl"
    assert station("export", "journal", "--out", str(exported), home=home).returncode == 0
    line = tmp_path / "line.json"
    line.write_bytes(exported.read_bytes().splitlines()[-1])
    done = station("decide", "--show", str(line), "--json", home=home)
    assert done.stdout.rstrip() == canonical_json(second.decision)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("decide", "--show", "LPN-NOWHERE"), "no file 'LPN-NOWHERE', and no journal in"),
        (("decide", "--show", "bad.json"), "is no record of one unit"),
        (("decide", "--show", "other.json"), "this is no decision that can be shown"),
        (("decide", "-", "--show", "bad.json"), "--show decides nothing"),
    ],
)
def test_what_cannot_be_shown(tmp_path, arguments, message):
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    (tmp_path / "other.json").write_text('{"grade": 5}', encoding="utf-8")
    words = [str(tmp_path / word) if word.endswith(".json") else word for word in arguments]
    done = station(*words, home=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
