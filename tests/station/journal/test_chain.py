"""The chain names the entry that is wrong, and only that one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from station.canonical import canonical_json
from station.journal.chain import Flaw, check_chain
from station.journal.entry import GENESIS, Entry, Fact, link


def chain_of(count: int) -> list[Entry]:
    entries: list[Entry] = []
    for seq in range(1, count + 1):
        entries.append(
            link(
                Fact("x.happened", 1, canonical_json({"n": seq})),
                station="bench-1",
                generation=1,
                seq=seq,
                id=f"id-{seq}",
                recorded_at="2026-11-22T10:17:03.250000Z",
                actor="ines",
                prev_hash=entries[-1].hash if entries else GENESIS,
            )
        )
    return entries


def test_sound_chain_has_no_problems() -> None:
    assert list(check_chain(chain_of(5))) == []


def test_erased_payload_still_verifies() -> None:
    entries = chain_of(3)
    entries[1] = replace(entries[1], payload=None)
    assert list(check_chain(entries)) == []


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"payload": b'{"n":9}'}, Flaw.PAYLOAD),
        ({"actor": "otto"}, Flaw.HEADER),
        ({"station": "bench-2"}, Flaw.HEADER),
        ({"id": "id-x"}, Flaw.HEADER),
        ({"kind": "y.happened"}, Flaw.HEADER),
        ({"schema": 2}, Flaw.HEADER),
        ({"recorded_at": "2026-11-22T10:17:03.250001Z"}, Flaw.HEADER),
        ({"payload_sha256": "0" * 64, "payload": None}, Flaw.HEADER),
    ],
)
def test_a_changed_field_is_named_with_its_seq(change: dict[str, object], flaw: Flaw) -> None:
    entries = chain_of(5)
    entries[2] = replace(entries[2], **change)  # type: ignore[arg-type]
    problems = list(check_chain(entries))
    assert [(problem.flaw, problem.generation, problem.seq) for problem in problems] == [(flaw, 1, 3)]
    assert "1/3" in problems[0].text


def test_a_missing_entry_is_a_gap_at_the_next() -> None:
    entries = chain_of(5)
    del entries[2]
    assert [(problem.flaw, problem.seq) for problem in check_chain(entries)] == [(Flaw.GAP, 4)]


def test_a_missing_first_entry_is_a_gap() -> None:
    assert [(problem.flaw, problem.seq) for problem in check_chain(chain_of(3)[1:])] == [(Flaw.GAP, 2)]


def test_an_entry_linked_anew_after_a_change_breaks_the_next_link() -> None:
    entries = chain_of(4)
    old = entries[1]
    entries[1] = link(
        Fact(old.kind, old.schema, b'{"n":9}'),
        station=old.station,
        generation=1,
        seq=2,
        id=old.id,
        recorded_at=old.recorded_at,
        actor=old.actor,
        prev_hash=old.prev_hash,
    )
    assert [(problem.flaw, problem.seq) for problem in check_chain(entries)] == [(Flaw.LINK, 3)]
