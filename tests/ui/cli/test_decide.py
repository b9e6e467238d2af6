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
    assert answer["versions"]["protocol"].startswith("electronics.audio@1 ")
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
