"""The dossier of a unit: complete, the same every time, and every changed byte named by its object."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from station.canonical import canonical_json
from station.errors import InvalidInput
from station.exchange.dossier import HEADS, PAGE, SUMS, collect, pack, sums_of
from station.exchange.dossier_verify import verify_dossier
from station.inspection.record import Inspection
from station.journal.entry import Entry, Fact
from station.journal.seal import CountersignedHead, head_statement, to_base64
from tests.sync.material import STATION, an_inspection, chain, fact, jpeg_of, void_of

PHOTOS = {hashlib.sha256(jpeg_of(number, 320)).hexdigest(): jpeg_of(number, 320) for number in range(4)}


def read_photo(name: str) -> bytes:
    if name not in PHOTOS:
        raise FileNotFoundError(name)
    return PHOTOS[name]


@pytest.fixture(scope="module")
def unit() -> Inspection:
    made = an_inspection(1, [jpeg_of(0, 320), jpeg_of(1, 320)])
    return replace(made, title='Head <b onclick="x">phones</b> & more')


@pytest.fixture(scope="module")
def journal(unit: Inspection) -> list[Entry]:
    """The unit between others; inspected, corrected, and its label printed."""
    label = Fact(
        "label.printed", 1, canonical_json({"job_id": "j", "lpn": unit.lpn, "copy": 0, "at": "2026-11-22T10:00:00Z"})
    )
    parcel = {"parcel_id": unit.parcel_id, "arrival": "rma", "scan": None, "rma": unit.rma}
    again = replace(
        an_inspection(9, [jpeg_of(2, 320)]), unit_id=unit.unit_id, lpn=unit.lpn, corrects=unit.inspection_id
    )
    other = an_inspection(5, [jpeg_of(3, 320)])
    return chain([
        fact(an_inspection(3)), Fact("parcel.opened", 1, canonical_json(parcel)), fact(unit), label, fact(other),
        void_of(other), fact(again), fact(an_inspection(6)), fact(an_inspection(7)),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def dossier(journal: list[Entry], unit: Inspection) -> bytes:
    return pack(collect(journal, unit.lpn, read_photo, ()))


def signed_head(entry: Entry) -> CountersignedHead:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    said = {"server": "srv", "epoch": "e", "site": "main", "station": STATION, "generation": entry.generation,
            "seq": entry.seq, "hash": entry.hash, "at": "2026-11-22T12:00:00Z"}  # fmt: skip
    return CountersignedHead(
        **said,
        key=to_base64(key.public_key().public_bytes_raw()),
        signature=to_base64(key.sign(head_statement(**said))),
    )


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_it_holds_the_unit_and_of_the_others_only_links(dossier: bytes, journal: list[Entry], unit: Inspection) -> None:
    assert names(dossier) == [
        "README.txt", "index.html", "entries/1-2-parcel.opened.json", "entries/1-3-inspection.confirmed.json",
        "entries/1-4-label.printed.json", "entries/1-7-inspection.confirmed.json",
        *(f"photos/{name}.jpg" for name in sorted(list(PHOTOS)[:3])), "chain/1.jsonl", "verify.py", SUMS,
    ]  # fmt: skip
    report = verify_dossier(dossier)
    assert report.ok, report.problems
    assert (report.entries, report.photos) == (4, 3)
    assert [(end.first, end.seq, end.hash) for end in report.ends] == [(2, 9, journal[-1].hash)]
    other = json.loads(journal[4].payload or b"")
    for secret in (other["lpn"], other["serial_found"], other["rma"], other["inspection_id"]):
        assert secret.encode() not in dossier, "another unit's content"


def test_the_same_journal_gives_the_same_bytes_by_plate_or_by_id(
    dossier: bytes, journal: list[Entry], unit: Inspection
) -> None:
    assert pack(collect(journal, unit.unit_id, read_photo, ())) == dossier


def test_the_page_tells_it_in_plain_words_and_escapes_everything(dossier: bytes) -> None:
    page = zipfile.ZipFile(io.BytesIO(dossier)).read(PAGE).decode()
    assert "The box is dented on one corner" in page
    assert "replaced by the inspection of entry 7" in page
    assert "54.90 EUR" in page
    assert "286 g, plausible" in page
    assert "<b onclick" not in page
    assert "&lt;b onclick" in page
    assert "<script" not in page


def regions(content: bytes) -> dict[str, range]:
    """Where the bytes of each object lie in the file."""
    found = {}
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        for info in file.infolist():
            start = info.header_offset + 30 + len(info.filename.encode())
            found[info.filename] = range(start, start + info.file_size)
    return found


@pytest.fixture(scope="module")
def signed_dossier(journal: list[Entry], unit: Inspection) -> bytes:
    return pack(collect(journal, unit.lpn, read_photo, [signed_head(journal[7])]))


def test_one_changed_byte_in_any_object_names_exactly_that_object(signed_dossier: bytes) -> None:
    assert verify_dossier(signed_dossier).ok
    assert HEADS in regions(signed_dossier)
    for name, region in regions(signed_dossier).items():
        for place in {region[0], region[len(region) // 3], region[len(region) // 2], region[-1]}:
            changed = bytearray(signed_dossier)
            changed[place] ^= 0x01
            found = {problem.object for problem in verify_dossier(bytes(changed)).problems}
            assert found == {name}, (name, place)


def test_every_byte_between_the_objects_counts_too(dossier: bytes) -> None:
    inside = {place for region in regions(dossier).values() for place in region}
    for place in [place for place in range(len(dossier)) if place not in inside][::3]:
        changed = bytearray(dossier)
        changed[place] ^= 0x01
        try:
            report = verify_dossier(bytes(changed))
        except InvalidInput:
            assert place < 40, "only where nothing at all can be read"
            continue
        assert not report.ok, place


@pytest.mark.parametrize("cut", [1, 100, 2000])
def test_what_is_cut_or_longer_is_found(dossier: bytes, cut: int) -> None:
    assert not verify_dossier(dossier[:-cut]).ok
    assert not verify_dossier(dossier + b"x" * cut).ok


def repacked(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """What a forger does who knows the format: changes objects and makes all sums anew."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        objects = {name: file.read(name) for name in file.namelist()}
    change(objects)
    objects.pop(SUMS, None)
    objects[SUMS] = sums_of(objects)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, body in objects.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            file.writestr(info, body)
    return made.getvalue()


def test_a_forger_who_makes_the_sums_anew_is_found_all_the_same(signed_dossier: bytes) -> None:
    assert repacked(signed_dossier, lambda _objects: None) == signed_dossier
    entry = "entries/1-3-inspection.confirmed.json"
    photo = next(name for name in names(signed_dossier) if name.startswith("photos/"))

    def drop_line(objects: dict[str, bytes]) -> None:
        lines = objects["chain/1.jsonl"].splitlines(keepends=True)
        objects["chain/1.jsonl"] = b"".join(lines[:2] + lines[3:])

    forgeries: list[tuple[str, Callable[[dict[str, bytes]], object]]] = [
        (entry, lambda objects: objects.update({entry: objects[entry].replace(b"5490", b"0090")})),
        (PAGE, lambda objects: objects.update({PAGE: objects[PAGE].replace(b"54.90", b"00.90")})),
        (photo, lambda objects: objects.update({photo: jpeg_of(99)})),
        (photo, lambda objects: objects.pop(photo)),
        ("verify.py", lambda objects: objects.update({"verify.py": b"print('nothing was changed')"})),
        ("extra.txt", lambda objects: objects.update({"extra.txt": b"believe me"})),
        ("chain/1.jsonl", drop_line),
        (HEADS, lambda objects: objects.update({HEADS: objects[HEADS].replace(b"12:00:00Z", b"11:00:00Z")})),
    ]
    for expected, forge in forgeries:
        found = {problem.object for problem in verify_dossier(repacked(signed_dossier, forge)).problems}
        # a photo that is gone shows in the page that no longer fits
        assert expected in found or (expected == photo and PAGE in found), (expected, found)


def test_a_countersigned_head_ends_the_chain_and_is_proven(signed_dossier: bytes, journal: list[Entry]) -> None:
    (end,) = verify_dossier(signed_dossier).ends
    assert (end.seq, end.hash) == (8, journal[7].hash)
    assert [head.server for head in end.signed] == ["srv"]


def test_a_signature_over_another_chain_is_no_evidence(journal: list[Entry], unit: Inspection) -> None:
    foreign = signed_head(replace(journal[7], hash="f" * 64))
    report = verify_dossier(pack(collect(journal, unit.lpn, read_photo, [foreign])))
    assert [problem.object for problem in report.problems] == [HEADS]


def test_an_older_signature_that_does_not_reach_the_unit_is_left_out(journal: list[Entry], unit: Inspection) -> None:
    made = pack(collect(journal, unit.lpn, read_photo, [signed_head(journal[2])]))
    assert HEADS not in names(made)


def test_what_was_erased_is_said_and_its_hash_stays(journal: list[Entry], unit: Inspection) -> None:
    erased = [replace(entry, payload=None) if entry.seq == 2 else entry for entry in journal]
    evidence = collect(erased, unit.lpn, lambda _name: (_ for _ in ()).throw(FileNotFoundError()), ())
    report = verify_dossier(pack(evidence))
    assert report.ok, report.problems
    assert (report.entries, report.photos) == (3, 0)
    page = zipfile.ZipFile(io.BytesIO(pack(evidence))).read(PAGE).decode()
    assert "is not in this dossier" in page


def test_the_script_inside_checks_it_with_python_alone(signed_dossier: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(signed_dossier)) as file:
        file.extractall(tmp_path)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", str(tmp_path / "verify.py")], capture_output=True, text=True, timeout=60
        )

    sound = run()
    assert (sound.returncode, sound.stderr) == (0, "")
    assert "nothing was changed" in sound.stdout
    for name in names(signed_dossier):
        if name == "verify.py":
            continue
        file_there = tmp_path / name
        before = file_there.read_bytes()
        file_there.write_bytes(before[:-2] + bytes([before[-2] ^ 1]) + before[-1:])
        changed = run()
        assert changed.returncode != 0, name
        assert Path(name).name in changed.stdout + changed.stderr, name
        file_there.write_bytes(before)


def test_the_sums_are_read_by_the_usual_tool(dossier: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(dossier)) as file:
        file.extractall(tmp_path)
    run = subprocess.run(["sha256sum", "-c", "--strict", SUMS], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_a_unit_that_is_not_here_and_a_file_that_is_none(journal: list[Entry]) -> None:
    with pytest.raises(InvalidInput, match="LPN-NOWHERE"):
        collect(journal, "LPN-NOWHERE", read_photo, ())
    for nonsense in (b"", b"PK", b"hello", bytes(5000)):
        with pytest.raises(InvalidInput):
            verify_dossier(nonsense)
