"""``station recovery``: outcomes in, a rule file out that a decision uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from station.decision.model import Disposition
from station.decision.recovery import Key
from station.decision.rules import default_folders, load_rules

HEAD = "merchant;sku;category;grade;disposition;price;brought;currency\n"


def station(*arguments: str, home: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "ui.cli", "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def test_outcomes_become_rules_and_are_added_to(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(HEAD + 'nl;HD"7;electronics.audio;A;liquidate;100,00;31,00;EUR\n' * 3, encoding="utf-8")
    second.write_text(HEAD + 'nl;HD"7;electronics.audio;A;liquidate;100.00;40.00;EUR\n', encoding="utf-8")
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    done = station("recovery", str(first), "--out", str(one), "--json", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == {"file": str(one), "version": 1, "outcomes": 3, "cells": 1, "refused": []}
    done = station("recovery", str(second), "--add-to", str(one), "--out", str(two), home=tmp_path)
    assert done.returncode == 0, done.stderr
    rules = load_rules((*default_folders(), two))
    key = Key("electronics.audio", "nl", 'HD"7', "standard", "A", Disposition.LIQUIDATE)
    estimate = rules.recovery.estimate(key, 2_500)
    assert (estimate.n, estimate.n_category) == (4, 4)
    assert rules.recovery.book.version == 2
    together = tmp_path / "three.toml"
    assert station("recovery", str(first), str(second), "--out", str(together), home=tmp_path).returncode == 0
    assert load_rules((*default_folders(), together)).recovery.book.cells == rules.recovery.book.cells


def test_what_cannot_be_is_refused_with_its_line(tmp_path):
    file = tmp_path / "a.csv"
    rows = (
        "nl;HD7;toys;A;liquidate;100.00;31.00;EUR\n"
        "nl;HD7;toys;A;liquify;100.00;31.00;EUR\n"
        "nl;HD7;toys;A;liquidate;0.00;31.00;EUR\n"
        "nl;HD7;toys;A;liquidate;1.00;;EUR\n"
    )
    file.write_text(HEAD + rows, encoding="utf-8")
    done = station("recovery", str(file), "--out", str(tmp_path / "r.toml"), home=tmp_path)
    assert done.returncode == 1
    text = done.stderr.decode()
    assert all(word in text for word in ("line 3", "line 4", "line 5", "liquify"))
    file.write_text(HEAD + rows.splitlines()[1] + "\n", encoding="utf-8")
    nothing = station("recovery", str(file), "--out", str(tmp_path / "n.toml"), home=tmp_path)
    assert nothing.returncode == 2
    assert not (tmp_path / "n.toml").exists()
