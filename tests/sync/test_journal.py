"""What the server makes of each entry: chain, repeats, forks, quarantine, projections. Real databases of both kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from station.canonical import canonical_json
from station.errors import InvalidInput
from station.journal.entry import Entry, Fact, entry_hash
from sync.client.api import encode_push
from sync.protocol import EntryResult, PushRequest, Status
from sync.server import journal
from sync.server.journal import Journal
from sync.server.judge import judge
from sync.server.projection import counts, project
from sync.server.storage import open_database
from sync.server.storage.rows import disputes, entries, quarantine
from tests.sync.material import STATION, an_inspection, chain, damaged, fact, some_entries, void_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OK, DUP, QUA, CON, COL, RET = (
    Status.ACCEPTED, Status.DUPLICATE, Status.QUARANTINED, Status.CONFLICT, Status.ID_COLLISION, Status.RETRY,
)  # fmt: skip


class Centre:
    def __init__(self, url: URL) -> None:
        self.database = open_database(url)
        self.journal = Journal(self.database, (project,))

    def push(
        self, batch: Sequence[Entry], withheld: str | None = None, station: str = STATION, *, follows: bool = False
    ) -> list[EntryResult]:
        return self.push_raw(encode_push(station, batch, withheld), follows)

    def push_raw(self, body: bytes, follows: bool = False) -> list[EntryResult]:
        request = msgspec.json.decode(body, type=PushRequest)
        judged = [judge(request.station, bytes(raw)) for raw in request.entries]
        results = self.journal.push("main", request.station, judged, NOW, follows=follows).results
        return sorted(results, key=lambda result: (result.generation, result.seq))

    def counts(self) -> dict[str, int]:
        with self.database.reading() as connection:
            return counts(connection, "main")


@pytest.fixture
def centre(either_database: URL) -> Iterator[Centre]:
    made = Centre(either_database)
    yield made
    made.database.close()


def words(results: Sequence[EntryResult]) -> list[tuple[int, Status, str | None]]:
    return [(result.seq, result.status, result.code) for result in results]


def test_a_chain_is_accepted_and_a_repeat_changes_nothing(centre: Centre) -> None:
    sent, _ = some_entries(5)
    assert words(centre.push(sent)) == [(n, OK, None) for n in range(1, 6)]
    assert words(centre.push(sent[2:])) == [(n, DUP, None) for n in range(3, 6)]
    assert words(centre.push([*sent[4:], *some_entries(0)[0]])) == [(5, DUP, None)]
    assert centre.counts() | {"entries": 5, "inspections": 5, "duplicates": 4, "stations": 1} == centre.counts()


def test_the_payload_is_kept_byte_for_byte(centre: Centre) -> None:
    text = {"title": 'Grüße "Ω" \\ / \u2028 😀', "x": [1, -(2**63), 2**63 - 1, None, True]}
    sent = chain([Fact("from.the.future", 9, canonical_json(text))])
    centre.push(sent)
    with centre.database.reading() as connection:
        assert connection.scalar(select(entries.c.payload)) == sent[0].payload


def test_the_same_entry_twice_in_one_push_counts_once(centre: Centre) -> None:
    sent, _ = some_entries(2)
    assert sorted(words(centre.push([sent[0], sent[0], sent[1]]))) == [(1, OK, None), (1, DUP, None), (2, OK, None)]
    assert centre.counts()["entries"] == 2


def test_a_gap_is_answered_with_what_is_expected(centre: Centre) -> None:
    sent, _ = some_entries(10)
    centre.push(sent[:3])
    results = centre.push(sent[5:])
    assert [(r.status, r.expected_seq) for r in results] == [(RET, 4)] * 5
    assert centre.counts()["entries"] == 3
    assert {r.status for r in centre.push(sent[3:])} == {OK}
    assert centre.counts()["entries"] == 10


def test_a_push_that_overtook_the_one_before_waits_for_it(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    """With several writers; with one nothing can be overtaken, and the bench is told to come again at once."""
    monkeypatch.setattr(journal, "PATIENCE_S", 30.0)
    sent, _ = some_entries(10)
    centre.push(sent[:3])
    assert {r.status for r in centre.push(sent[6:])} == {RET}, "nobody waits for what was not announced"
    with ThreadPoolExecutor(1) as line:
        behind = line.submit(centre.push, sent[6:], follows=True)
        if centre.database.writers > 1:
            with pytest.raises(TimeoutError):
                behind.result(0.3)
        else:
            assert {r.status for r in behind.result()} == {RET}
        assert {r.status for r in centre.push(sent[3:6])} == {OK}
        assert {r.status for r in behind.result()} == ({OK} if centre.database.writers > 1 else {RET})


def test_a_push_does_not_wait_for_ever_for_one_that_never_comes(centre: Centre) -> None:
    sent, _ = some_entries(4)
    assert [(r.status, r.expected_seq) for r in centre.push(sent[2:], follows=True)] == [(RET, 1)] * 2
    assert centre.counts()["entries"] == 0


def test_generations_are_chains_of_their_own(centre: Centre) -> None:
    first, _ = some_entries(3)
    second = chain([fact(an_inspection(50 + n)) for n in range(2)], generation=2)
    assert {r.status for r in centre.push([*first, *second])} == {OK}
    assert [(h.generation, h.seq) for h in centre.journal.heads("main", STATION)] == [(1, 3), (2, 2)]


def test_a_fork_keeps_both_branches_and_applies_the_first(centre: Centre) -> None:
    sent, _ = some_entries(6)
    centre.push(sent[:4])
    other = chain([fact(an_inspection(100 + n)) for n in range(4)], after=sent[1])  # a clone of the disk after seq 2
    assert words(centre.push(other)) == [
        (3, CON, "forked"), (4, CON, "forked"), (5, CON, "chain_broken"), (6, CON, "chain_broken"),
    ]  # fmt: skip
    assert {r.status for r in centre.push(sent[4:])} == {OK}, "the first machine goes on undisturbed"
    assert words(centre.push(other[3:])) == [(6, CON, "forked")], "a repeat is answered alike"
    assert centre.counts() | {"entries": 6, "inspections": 6, "disputed": 4} == centre.counts()
    with centre.database.reading() as connection:
        kept = connection.scalars(select(disputes.c.entry)).all()
    assert {msgspec.json.decode(raw)["payload"].encode() for raw in kept} == {entry.payload for entry in other}


def test_the_tail_of_a_fork_is_taken_even_when_it_is_ahead(centre: Centre) -> None:
    sent, _ = some_entries(3)
    centre.push(sent)
    other = chain([fact(an_inspection(100 + n)) for n in range(5)], after=sent[0])
    centre.push(other[:2])
    assert words(centre.push(other[2:])) == [(n, CON, "chain_broken") for n in (4, 5, 6)]


def test_the_same_id_with_another_content_is_a_collision(centre: Centre) -> None:
    sent, _ = some_entries(2)
    centre.push(sent)
    twin = rehash(replace(sent[1], actor="somebody else"))
    assert words(centre.push([twin])) == [(2, COL, "same_id")]
    stolen = rehash(replace(sent[0], station="bench-2"))
    assert words(centre.push([stolen], station="bench-2")) == [(1, COL, "same_id")]
    after = chain([fact(an_inspection(7))], after=stolen)[0]
    after = rehash(replace(after, station="bench-2"))
    assert words(centre.push([after], station="bench-2")) == [(2, OK, None)], "the line goes on behind it"
    assert centre.counts() | {"entries": 3, "disputed": 2} == centre.counts()


@pytest.mark.parametrize("place", [0, 2, 4])
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"payload": b'{"forged":1}'}, "hash_mismatch"),
        ({"actor": "forged"}, "hash_mismatch"),
        ({"prev_hash": "f" * 64}, "hash_mismatch"),
        ({"hash": "f" * 64}, "hash_mismatch"),
        ({"recorded_at": "x" * 41}, "malformed"),
        ({"id": "not-a-uuid"}, "malformed"),
        ({"hash": "short"}, "malformed"),
        ({"kind": ""}, "malformed"),
    ],
)
def test_a_damaged_entry_is_quarantined_alone(centre: Centre, place: int, spoil: dict[str, object], code: str) -> None:
    sent, _ = some_entries(5)
    sent[place] = damaged(sent[place], **spoil)
    expected = [(n, QUA, code) if n == place + 1 else (n, OK, None) for n in range(1, 6)]
    assert words(centre.push(sent)) == expected
    again = [(n, QUA, code) if n == place + 1 else (n, DUP, None) for n in range(1, 6)]
    assert words(centre.push(sent)) == again
    assert centre.counts() | {"entries": 5, "inspections": 4, "quarantined": 1} == centre.counts()


@pytest.mark.parametrize(
    ("kind", "schema", "payload", "code"),
    [
        ("from.the.future", 1, b'{"a":1}', "unknown_kind"),
        ("inspection.confirmed", 2, b'{"a":1}', "unknown_schema"),
        ("inspection.confirmed", 1, b'{"a":1}', "bad_payload"),
        ("inspection.confirmed", 1, b"not json at all", "bad_payload"),
        ("inspection.confirmed", 1, b"[" * 50_000, "bad_payload"),
        ("inspection.voided", 1, b'{"at":"2026-11-22T10:00:00Z","inspection_id":"x","reason":"a\\u0000b"}',
         "bad_payload"),
        ("parcel.closed", 1,
         b'{"at":"2026-11-22T10:00:00Z","missing_lines":[],"parcel_id":"","units":9223372036854775808}', "bad_payload"),
        ("inspection.voided", 1, b'{"at":"2026-11-22T10:00:00Z","inspection_id":"\\ud800","reason":"x"}',
         "bad_payload"),
    ],
)  # fmt: skip
def test_a_payload_that_cannot_be_applied_is_quarantined_and_kept(
    centre: Centre, kind: str, schema: int, payload: bytes, code: str
) -> None:
    sent = chain([fact(an_inspection(1)), Fact(kind, schema, payload), fact(an_inspection(2))])
    assert words(centre.push(sent)) == [(1, OK, None), (2, QUA, code), (3, OK, None)]
    with centre.database.reading() as connection:
        assert connection.scalar(select(entries.c.payload).where(entries.c.seq == 2)) == payload
        assert connection.scalar(select(func.count()).select_from(quarantine)) == 1


def test_a_withheld_payload_keeps_its_place_and_is_filled_in_later(centre: Centre) -> None:
    sent, _ = some_entries(3)
    centre.push(sent[:1])
    assert words(centre.push(sent[1:2], withheld="HTTP 413")) == [(2, QUA, "payload_withheld")]
    assert words(centre.push(sent[2:])) == [(3, OK, None)]
    assert centre.counts() | {"inspections": 2, "quarantined": 1} == centre.counts()
    assert words(centre.push(sent[1:2], withheld="HTTP 413")) == [(2, QUA, "payload_withheld")]
    assert words(centre.push(sent[1:2])) == [(2, OK, None)]
    assert centre.counts() | {"inspections": 3, "quarantined": 0} == centre.counts()
    assert words(centre.push(sent[1:2], withheld="HTTP 413")) == [(2, DUP, None)], "it is not emptied again"


def test_an_erased_payload_leaves_its_hash(centre: Centre) -> None:
    sent, _ = some_entries(3)
    sent[1] = replace(sent[1], payload=None)
    assert words(centre.push(sent)) == [(n, OK, None) for n in (1, 2, 3)]
    assert centre.counts() | {"entries": 3, "inspections": 2} == centre.counts()


def test_an_entry_without_a_place_is_refused(centre: Centre) -> None:
    with pytest.raises(InvalidInput, match="generation and seq cannot be read"):
        centre.push_raw(b'{"station":"bench-1","entries":[{"seq":"one"}]}')


def test_voided_and_corrected_inspections_do_not_stand(centre: Centre) -> None:
    first, second, third = (an_inspection(n) for n in range(3))
    correction = an_inspection(4, corrects=second.inspection_id)
    sent = chain([fact(first), fact(second), fact(third), void_of(first), fact(correction)])
    centre.push(sent[:4])
    assert centre.counts() | {"inspections": 2, "inspections_received": 3} == centre.counts()
    centre.push(sent)
    assert centre.counts() | {"inspections": 2, "inspections_received": 4} == centre.counts()


def rehash(entry: Entry) -> Entry:
    """The same header with the hash that fits it."""
    return replace(
        entry,
        hash=entry_hash(
            station=entry.station, generation=entry.generation, seq=entry.seq, id=entry.id, kind=entry.kind,
            schema=entry.schema, recorded_at=entry.recorded_at, actor=entry.actor,
            payload_sha256=entry.payload_sha256, prev_hash=entry.prev_hash,
        ),
    )  # fmt: skip
