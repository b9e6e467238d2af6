"""``station journal verify`` names exactly what is wrong, and ``rebuild`` makes the same rows again."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from store_lab import (
    SteadyClock,
    fact,
    inspection,
    jpeg,
    label_printed,
    parcel_closed,
    parcel_opened,
    parcel_parked,
    photo,
    voided,
)

from station.errors import StoreFault
from station.store import Store
from station.store.engine import make_engine
from station.store.outbox import Acknowledgement
from station.store.proof import rebuild, verify
from station.store.rows import PROJECTION


@pytest.fixture
def full_home(home: Path) -> Path:
    """A closed store with something of every kind in it, over two generations."""
    with Store.open(home, station="bench-1", clock=SteadyClock(), ballast_bytes=0) as store:
        for number in range(1, 9):
            kept = store.photos.keep(jpeg(number))
            facts = [
                parcel_opened(f"p{number}"),
                inspection(number, parcel=f"p{number}", photos=(photo(kept.sha256, kept.size),)),
                label_printed(number),
            ]
            store.commit(facts, actor="ines", drafts={"current": b"%d" % number})
        facts = [
            parcel_parked("p7"),
            parcel_closed("p8"),
            voided(2),
            inspection("3b", unit="unit-3", corrects="inspection-3"),
            fact("lead.decided", {"text": "päßt"}),
        ]
        store.commit(facts, actor="lead", drafts={})
        store.acknowledge([Acknowledgement(1, seq, "accepted") for seq in range(1, 6)])
        store.photo_sent(store.photos_to_send(1)[0])
        store.photo_lost(store.photos_to_send(1)[0], "damaged")
    with Store.open(home, station="bench-2", clock=SteadyClock(), ballast_bytes=0) as store:
        store.commit([parcel_opened("p9"), inspection(9, parcel="p9")], actor="otto", drafts={})
    return home


def dump(home: Path) -> list[str]:
    """Every value of every projection row, with its type, as SQLite writes it."""
    engine = make_engine(home / "station.db", "reader", read_only=True)
    lines = []
    with engine.begin() as connection:
        for table in PROJECTION:
            columns = " || '|' || ".join(f'quote("{column.name}")' for column in table.columns)
            rows = connection.exec_driver_sql(f'SELECT {columns} FROM "{table.name}" ORDER BY 1').scalars()
            lines += [f"{table.name}: {row}" for row in rows]
    engine.dispose()
    return lines


def change(home: Path, *statements: str) -> None:
    """What a person with a database tool, and no triggers in the way, could do."""
    engine = make_engine(home / "station.db", "writer")
    with engine.begin() as connection:
        triggers = connection.exec_driver_sql("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all()
        for name, _ in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.exec_driver_sql(statement)
        for _, sql in triggers:
            connection.exec_driver_sql(sql)
    engine.dispose()


def flaws(home: Path) -> list[tuple[str, int | None, int | None]]:
    return [(problem.flaw.value, problem.generation, problem.seq) for problem in verify(home).problems]


def test_an_untouched_store_verifies(full_home: Path) -> None:
    before = {path: path.read_bytes() for path in full_home.rglob("*") if path.is_file()}
    report = verify(full_home)
    assert report.ok
    assert report.problems == ()
    assert report.notes == ()
    assert (report.entries, report.photos) == (31, 8)
    assert [(head.generation, head.seq) for head in report.heads] == [(1, 29), (2, 2)]
    assert {path: path.read_bytes() for path in full_home.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "UPDATE journal SET payload = CAST(replace(payload, 'p4', 'pX') AS BLOB) WHERE generation = 1 AND seq = 10",
            "payload",
        ),
        ("UPDATE journal SET actor = 'otto' WHERE generation = 1 AND seq = 10", "header"),
        ("UPDATE journal SET recorded_at = '2020' WHERE generation = 1 AND seq = 10", "header"),
        ("UPDATE journal SET payload = 'text now' WHERE generation = 1 AND seq = 10", "unreadable"),
        ("DELETE FROM journal WHERE generation = 1 AND seq = 10", "gap"),
    ],
)
def test_a_tampered_entry_is_named(full_home: Path, statement: str, expected: str) -> None:
    change(full_home, statement)
    found = flaws(full_home)
    expected_flaws = {"gap": {("gap", 1, 11)}, "unreadable": {("unreadable", None, None), ("gap", 1, 11)}}
    named = {flaw for flaw in found if flaw[0] != "rows"}
    assert named == expected_flaws.get(expected, {(expected, 1, 10)}), "and nothing else is accused"
    with pytest.raises(StoreFault, match=r"the journal is damaged: (entry 1/1\d|the entry at position 10)"):
        rebuild(full_home, clock=SteadyClock())


def test_an_erased_payload_is_not_a_flaw_of_the_chain(full_home: Path) -> None:
    change(full_home, "UPDATE journal SET payload = NULL WHERE kind = 'lead.decided'")
    assert verify(full_home).ok


@pytest.mark.parametrize(
    ("statement", "table", "key"),
    [
        ("UPDATE inspections SET grade = 'A+' WHERE inspection_id = 'inspection-4'", "inspections", "1/11"),
        ("DELETE FROM parcels WHERE parcel_id = 'p3'", "parcels", "p3"),
        ("UPDATE photos SET size = size + 1 WHERE seq = 5", "photos", ""),
        ("INSERT INTO labels VALUES (1, 99, 'j', 'l', 0, 0)", "labels", "1/99"),
    ],
)
def test_changed_rows_are_named_and_rebuilt(full_home: Path, statement: str, table: str, key: str) -> None:
    before = dump(full_home)
    change(full_home, statement)
    assert dump(full_home) != before
    (problem,) = verify(full_home).problems
    assert problem.flaw == "rows"
    assert table in problem.text
    assert key in problem.text
    report = rebuild(full_home, clock=SteadyClock())
    assert report.changed
    assert [found.table for found in report.tables if found.missing or found.extra] == [table]
    assert dump(full_home) == before
    assert verify(full_home).ok


def test_rebuilt_rows_are_the_same_byte_for_byte(full_home: Path) -> None:
    before = dump(full_home)
    assert len(before) == 9 + 10 + 8 + 8
    report = rebuild(full_home, clock=SteadyClock())
    assert not report.changed
    assert (report.entries, report.skipped) == (31, 1)
    assert dump(full_home) == before
    change(full_home, *(f'DELETE FROM "{table.name}"' for table in PROJECTION if table.name != "photos"))
    assert rebuild(full_home, clock=SteadyClock()).changed
    assert dump(full_home) == before


def test_rebuild_refuses_a_store_in_use(full_home: Path) -> None:
    with (
        Store.open(full_home, station="bench-2", clock=SteadyClock(), ballast_bytes=0),
        pytest.raises(StoreFault, match="already open"),
    ):
        rebuild(full_home, clock=SteadyClock())


def test_a_photo_that_changed_or_went_is_named(full_home: Path) -> None:
    with Store.open(full_home, station="bench-2", clock=SteadyClock(), ballast_bytes=0) as store:
        shas = [store.photos.keep(jpeg(number)).sha256 for number in (3, 5)]
        paths = [store.photos.path(sha) for sha in shas]
    content = bytearray(paths[0].read_bytes())
    content[-1] ^= 0x80
    paths[0].write_bytes(content)
    paths[1].unlink()
    found = [(problem.flaw.value, problem.seq, problem.photo) for problem in verify(full_home).problems]
    assert found == [("photo", 8, shas[0]), ("photo", 14, shas[1])]


def test_a_flipped_byte_anywhere_in_the_journals_pages_is_noticed(full_home: Path, tmp_path: Path) -> None:
    """Bytes of payloads and hashes, found in the file itself, one at a time."""
    database = full_home / "station.db"
    content = database.read_bytes()
    engine = make_engine(database, "reader", read_only=True)
    with engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT generation, seq, payload, hash FROM journal").all()
    engine.dispose()
    rng = random.Random(7)
    for generation, seq, payload, hash_ in rng.sample(rows, 12):
        for piece, flaw in ((payload, "payload"), (hash_.encode(), "header")):
            # the same bytes lie in the file more than once: in the next entry's prev_hash, in space that is free again
            found = []
            for match in re.finditer(re.escape(piece), content):
                damaged = bytearray(content)
                damaged[match.start() + rng.randrange(len(piece))] ^= 1 << rng.randrange(7)
                database.write_bytes(damaged)
                found += flaws(full_home)
            assert (flaw, generation, seq) in found
            assert {at for flaw, _, at in found if flaw != "rows"} <= {seq, seq + 1}, "and no other is accused"
    database.write_bytes(content)
    assert verify(full_home).ok


def test_random_damage_never_passes_and_never_crashes(full_home: Path) -> None:
    """Whole sectors overwritten: verify either names something or the sector held nothing of the record."""
    database = full_home / "station.db"
    content = database.read_bytes()
    rng = random.Random(99)
    noticed = 0
    for _ in range(25):
        damaged = bytearray(content)
        at = rng.randrange(0, len(content) // 512) * 512
        damaged[at : at + 512] = rng.randbytes(512)
        database.write_bytes(damaged)
        try:
            noticed += not verify(full_home).ok
        except StoreFault:
            noticed += 1
    database.write_bytes(content)
    assert noticed >= 12, f"only {noticed} of 25 noticed; most of this file is record and rows"


def test_verify_works_while_another_process_writes(home: Path, open_store: Callable[..., Store]) -> None:
    store = open_store()
    script = (
        "import sys; from pathlib import Path; from station.store.proof import verify; "
        f"report = verify(Path({str(home)!r})); print(report.ok, report.entries, report.problems)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as looking:
        number = 0
        while looking.poll() is None:
            store.commit([inspection(number)], actor="ines", drafts={"n": b"%d" % number})
            number += 1
        assert looking.stdout is not None
        answer = looking.stdout.read()
    assert answer.startswith("True "), answer
    assert len(store.pending_entries(100_000, 1 << 30)) == number


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from ui.cli import main; raise SystemExit(main())", "--home", str(home), *words],
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_line(full_home: Path, tmp_path: Path) -> None:
    fine = command(full_home, "journal", "verify", "--json")
    assert (fine.returncode, fine.stderr) == (0, "")
    document = json.loads(fine.stdout)
    assert document["ok"] is True
    assert (document["entries"], document["photos"], document["problems"]) == (31, 8, [])
    assert [one["entries"] for one in document["generations"]] == [29, 2]

    broken = shutil.copytree(full_home, tmp_path / "broken")
    change(
        broken,
        "UPDATE journal SET payload = CAST(replace(payload, 'p4', 'pX') AS BLOB) WHERE generation = 1 AND seq = 10",
    )
    bad = command(broken, "journal", "verify", "--json")
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["problems"][0]["seq"] == 10
    told = command(broken, "journal", "verify")
    assert told.returncode == 1
    assert "entry 1/10" in told.stdout

    change(full_home, "DELETE FROM labels")
    again = command(full_home, "journal", "rebuild", "--json")
    assert again.returncode == 0
    assert [table["missing"] for table in json.loads(again.stdout)["tables"]] == [0, 0, 8, 0]

    nothing = command(tmp_path / "nowhere", "journal", "verify", "--json")
    assert nothing.returncode == 3
    assert nothing.stdout == ""
    assert "there is no station" in nothing.stderr
