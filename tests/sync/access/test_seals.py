"""Signed pushes: what was changed on the way is refused whole; what was taken can be proven by a third party."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from station.journal.seal import tips_of
from sync.client.api import Packed, encode_push
from sync.client.decide import Verdict
from sync.protocol import BAD_SEAL
from sync.server.access.sealing import PushSeal
from tests.sync.access.material import Bench, DoorServer, a_bench
from tests.sync.material import STATION, chain, fact, some_entries
from tests.sync.material import an_inspection as inspected


def post(server: DoorServer, bench: Bench, body: bytes, seal: str | None, encoding: str = "gzip") -> httpx.Response:
    headers = {
        "Station-Protocol": "1", "Authorization": f"Bearer {bench.identity.token()}", "Content-Encoding": encoding,
        "Content-Type": "application/json",
    } | ({"Station-Seal": seal} if seal is not None else {})  # fmt: skip
    return httpx.post(server.url + "/v1/journal", content=body, headers=headers, trust_env=False)


def test_a_push_without_its_own_signature_is_refused_whole(door: DoorServer, bench: Bench, tmp_path: Path) -> None:
    entries = bench.record(3)
    packed = bench.api.pack(STATION, entries)
    good = bench.identity.seal(packed.body, entries)
    kid, signature = good.split(" ")
    with a_bench(door, tmp_path / "other", "bench-2") as other:
        foreign = other.identity.seal(packed.body, entries)
    fewer = bench.api.pack(STATION, entries[:2])
    bad = {
        "none": None,
        "empty": "",
        "no signature": kid,
        "cut": good[:-1],
        "of nothing": f"{kid} {'A' * 86}",
        "another key": foreign,
        "another key under the right name": f"{kid} {foreign.split(' ')[1]}",
        "an unknown name": f"{'0' * 16} {signature}",
        "over fewer entries": bench.identity.seal(fewer.body, entries[:2]),
        "over the same body with another head": bench.identity.seal(packed.body, entries[:2]),
        "over other bytes of the same entries": bench.identity.seal(gzip.compress(b"x"), entries),
    }
    answers = {name: post(door, bench, packed.body, seal) for name, seal in bad.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(bad, 422)
    assert {answer.json()["error"]["code"] for answer in answers.values()} == {BAD_SEAL}
    assert door.status_of("main") == 0
    taken = post(door, bench, packed.body, good)  # the control
    assert taken.status_code == 200
    assert door.status_of("main") == 3


def tampered(bench: Bench) -> tuple[Packed, Packed]:
    """A push, and what somebody on the way made of it: a chain of his own, whole in itself."""
    entries, _ = some_entries(2)
    honest = bench.api.pack(STATION, entries)
    forged = chain([fact(replace(inspected(0), lpn="LPN-OF-A-THIEF")), fact(inspected(1))])
    return honest, Packed(tuple(forged), None, gzip.compress(encode_push(STATION, forged)))


def test_a_tampered_batch_is_refused(door: DoorServer, bench: Bench) -> None:
    honest, forged = tampered(bench)
    seal = bench.identity.seal(honest.body, honest.entries)
    assert post(door, bench, forged.body, seal).status_code == 422
    assert door.status_of("main") == 0


def test_without_the_check_the_tampered_batch_would_be_taken(
    door: DoorServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: nothing but the signature stands between it and the journal."""
    monkeypatch.setattr(PushSeal, "admit", lambda self, connection: None)
    honest, forged = tampered(bench)
    taken = post(door, bench, forged.body, bench.identity.seal(honest.body, honest.entries))
    assert [result["status"] for result in taken.json()["results"]] == ["accepted", "accepted"]
    assert door.status_of("main") == 2


def test_a_refused_signature_makes_the_bench_wait_and_blames_no_record(bench: Bench) -> None:
    entries = bench.record(3)
    packed = bench.api.pack(STATION, entries)
    outcome = bench.api.push(replace(packed, entries=packed.entries[:1]))  # signs another head
    assert (outcome.verdict, outcome.code) == (Verdict.DENIED, BAD_SEAL)
    assert bench.sync()[-1].stuck == 0


def test_a_damaged_entry_does_not_spoil_the_signature_of_the_others(door: DoorServer, bench: Bench) -> None:
    entries, _ = some_entries(3)
    changes: list[dict[str, Any]] = [{"hash": "no hash"}, {"id": "no id"}, {"hash": "é" * 64}]
    for change in changes:
        batch = [*entries[:2], replace(entries[2], **change)]
        packed = bench.api.pack(STATION, batch)
        answer = post(door, bench, packed.body, bench.identity.seal(packed.body, batch))
        assert answer.status_code == 200, answer.text
    assert door.status_of("main") == 3


def test_of_every_generation_in_a_push_the_last_entry_is_signed() -> None:
    one, two = chain([fact(inspected(n)) for n in range(3)]), chain([fact(inspected(9))], generation=2)
    tips = tips_of((entry.generation, entry.seq, entry.hash) for entry in [*one, *two])
    assert [(tip.generation, tip.seq, tip.hash) for tip in tips] == [(1, 3, one[2].hash), (2, 1, two[0].hash)]


def test_who_signed_what_is_kept_and_proves_it_to_a_third_party(either_door: DoorServer, tmp_path: Path) -> None:
    """With nothing of ours: JSON, SHA-256 and Ed25519 from the statement that was kept."""
    with a_bench(either_door, tmp_path / "bench") as bench:
        entries = bench.record(5)
        bench.sync()
        bench.sync()
    rows = either_door.table("SELECT generation, seq, hash, key_id, statement, signature FROM batch_seals ORDER BY seq")
    keys = dict(either_door.table("SELECT key_id, public_key FROM station_keys"))
    generation, seq, digest, kid, statement, signature = rows[-1]
    assert (generation, seq, digest) == (1, 5, entries[4].hash)
    said = json.loads(statement)
    assert said["heads"] == [[1, 5, entries[4].hash]]
    assert said["station"] == "bench-1"
    raw_key = base64.urlsafe_b64decode(keys[kid] + "=")
    assert hashlib.sha256(raw_key).hexdigest()[:16] == kid
    Ed25519PublicKey.from_public_bytes(raw_key).verify(
        base64.urlsafe_b64decode(signature + "=="), b"returns-station push v1\x00" + statement.encode()
    )
    # and the chain carries it back to every earlier entry
    for before, after in itertools.pairwise(entries):
        assert after.prev_hash == before.hash
