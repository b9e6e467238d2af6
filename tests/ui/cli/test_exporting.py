"""``station export`` and ``station journal verify FILE`` over a real station's home."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest

from station.clock import SystemClock
from station.journal.lines import read_lines
from station.store.reading import read_entries
from station.store.store import Store
from tests.sync.material import an_inspection, fact, jpeg_of, void_of
from ui.cli.group import run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three inspections with photos, one of them taken back."""
    folder = tmp_path_factory.mktemp("exports") / "home"
    with Store.open(folder, station="bench-1", clock=SystemClock(), ballast_bytes=0) as store:
        made = []
        for number in range(3):
            store.photos.keep(jpeg_of(number))
            made.append(an_inspection(number, [jpeg_of(number)]))
        store.commit([*(fact(each) for each in made), void_of(made[2])], actor="B-17", drafts={})
    return folder


def export(home: Path, out: Path, *words: str) -> int:
    return run(["--home", str(home), "export", *words, "--out", str(out)])


def test_epcis(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(home, tmp_path / "a.jsonld", "epcis", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["entries"], told["bytes"]) == ("epcis", 4, (tmp_path / "a.jsonld").stat().st_size)
    document = json.loads((tmp_path / "a.jsonld").read_bytes())
    events = document["epcisBody"]["eventList"]
    assert len(events) == 9
    assert sum("errorDeclaration" in event for event in events) == 3


def test_csv(home: Path, tmp_path: Path) -> None:
    assert export(home, tmp_path / "i.csv", "csv") == 0
    assert export(home, tmp_path / "u.csv", "csv", "--table", "units") == 0
    counts = [
        len(list(csv.DictReader(io.StringIO((tmp_path / name).read_text("utf-8-sig"))))) for name in ("i.csv", "u.csv")
    ]
    assert counts == [3, 2]


def test_journal(home: Path, tmp_path: Path) -> None:
    assert export(home, tmp_path / "j.jsonl", "journal") == 0
    with (tmp_path / "j.jsonl").open("rb") as file:
        assert tuple(read_lines(file)) == read_entries(home)


def test_a_dossier_is_checked_without_a_station_and_a_changed_photo_is_named(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unit.zip"
    assert export(home, file, "dossier", "LPN000000001") == 0
    capsys.readouterr()
    nowhere = ["--home", str(tmp_path / "none"), "journal", "verify", str(file)]
    assert run(nowhere) == 0
    assert "nothing was changed" in capsys.readouterr().out
    content = file.read_bytes()
    place = content.index(jpeg_of(1)) + 1000
    file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert run([*nowhere, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    name = f"photos/{hashlib.sha256(jpeg_of(1)).hexdigest()}.jpg"
    assert [problem["object"] for problem in told["problems"]] == [name]


def test_what_is_not_there_leaves_no_file(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(home, tmp_path / "x.zip", "dossier", "LPN-NOWHERE") == 2
    assert export(tmp_path / "empty", tmp_path / "x.csv", "csv") == 3
    assert list(tmp_path.iterdir()) == []
    assert "LPN-NOWHERE" in capsys.readouterr().err
    (tmp_path / "no.zip").write_bytes(b"no dossier")
    assert run(["journal", "verify", str(tmp_path / "no.zip")]) == 2
