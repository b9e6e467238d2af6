"""``station protocol replay`` on a journal, an exported one and a dossier."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from station.assets import asset
from station.canonical import canonical_json
from station.clock import SystemClock
from station.decision.rules import load_rules
from station.errors import InvalidInput
from station.inspection.record import INSPECTION_CONFIRMED
from station.journal.entry import Fact
from station.journal.lines import line_of
from station.store.reading import read_entries
from station.store.store import Store
from tests.ui.cli.test_protocol import run as run_protocol
from ui.benchmark.replay import simulated

UNITS = 60


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A station's folder with recorded units."""
    folder = tmp_path_factory.mktemp("station")
    store = Store.open(folder, station="bench-1", clock=SystemClock())
    facts = [Fact(INSPECTION_CONFIRMED, 1, canonical_json(one)) for one in simulated(load_rules(), UNITS)]
    store.commit(facts, actor="badge-1", drafts={})
    store.close()
    return folder


@pytest.fixture
def dearer(tmp_path) -> Path:
    path = tmp_path / "dearer.toml"
    text = asset("policies", "small_brand.toml").read_text(encoding="utf-8")
    text = text.replace("version = 2", "version = 3", 1).replace("restocking_bp = 0", "restocking_bp = 1000")
    path.write_text(text, encoding="utf-8")
    return path


def replay(*arguments: str, home: Path) -> tuple[int, str]:
    return run_protocol("replay", *arguments, home=home)


def test_a_journal_is_proven(home):
    assert replay(home=home) == (0, f"{UNITS} units decided again: {UNITS} to the same bytes, 0 not\n")


def test_a_policy_is_tried(home, dearer):
    code, text = replay("--policy", str(dearer), home=home)
    assert code == 0
    assert text.startswith(f"{UNITS} units under small_brand@3: ")
    assert "    + Restocking fee 10 %: " in text
    code, text = replay("--policy", str(dearer), "--json", home=home)
    said = json.loads(text)
    assert said["units"] == sum(said["counts"].values()) == UNITS
    assert said["money"]["EUR"]["refund_after"] < said["money"]["EUR"]["refund_before"]
    assert {tuple(unit["changes"]) for unit in said["listed"]} == {("refund",)}
    assert said["listed"][0]["before"]["refund"]["currency"] == "EUR"


def test_files_need_no_station(home, tmp_path, dearer):
    exported = tmp_path / "journal.jsonl"
    exported.write_bytes(b"".join(line_of(entry) for entry in read_entries(home)))
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    assert replay(str(exported), home=nowhere)[1] == replay(home=home)[1]
    assert replay(str(exported), "--policy", str(dearer), home=nowhere) == replay("--policy", str(dearer), home=home)
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(exported.read_bytes().replace(b"as_new", b"as_old", 1))
    with pytest.raises(InvalidInput, match=r"line 2: .* do not hash"):
        replay(str(broken), home=nowhere)


def test_a_day(home):
    entries = read_entries(home)
    day = entries[0].recorded_at[:10]
    assert replay("--day", day, home=home)[1].startswith(f"{UNITS} units")
    assert replay("--day", "2001-01-01", home=home)[1].startswith("0 units")


def test_a_file_of_another_kind_or_in_force_is_refused(home, dearer):
    with pytest.raises(InvalidInput, match="is of kind 'policy', not 'protocol'"):
        replay("--protocol", str(dearer), home=home)
    with pytest.raises(InvalidInput, match="in force already"):
        replay("--policy", str(asset("policies", "small_brand.toml")), home=home)
