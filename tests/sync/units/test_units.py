"""Who owns a unit: two benches, corrections, voids, more than announced; in any order, on both databases."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import delete, select

from station.canonical import canonical_json
from station.decision.model import Derogation, Disposition, Gate, GateState, Reason, Signature
from station.ids import uuid7
from station.inspection.facts import IdentityOutcome
from station.inspection.record import Inspection
from station.journal.entry import GENESIS, Entry, Fact, link
from station.people.person import Role
from station.quantities import Money
from station.returns.decided import UNIT_DECIDED, UnitDecided
from station.returns.keys import pair_key
from station.returns.model import ReturnAuthorisation, ReturnLine
from sync.client.api import encode_push
from sync.protocol import Code, EntryResult, PushRequest, Status, Topic
from sync.server.applying import Applying
from sync.server.feed import Change, Feed
from sync.server.journal import Journal
from sync.server.judge import Judged, judge
from sync.server.projection import project
from sync.server.storage import Database, database_url, open_database
from sync.server.storage.rows import entries, feed_heads, feed_items
from sync.server.storage.rows_units import unit_claims, unit_decisions, unit_lines, units
from sync.server.units import CENTRE
from sync.server.units.applier import Units
from sync.server.units.changes import Changed
from sync.server.units.deciding import CannotDecide
from sync.server.units.events import InventoryMoved, RefundDecided, unit_events
from tests.sync.material import an_inspection, fact, void_of

SITE = "main"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LPN = "LPN-0001"
KINDS = ("beyond_repair", "contaminated")


class Centre:
    """The journal with its units over one database, and benches that push to it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.feed = Feed(database)
        self.changes: list[Changed] = []
        self.units = Units(self.feed, lambda: {"destruction_ban": KINDS})
        self.journal = Journal(database, (project, self.units.apply, self._note))

    def _note(self, work: Applying, _applied: Sequence[Judged]) -> None:
        self.changes += work.changes

    def push(self, *sent: Entry) -> list[EntryResult]:
        body = msgspec.json.decode(encode_push(sent[0].station, sent), type=PushRequest)
        judged = [judge(body.station, bytes(raw)) for raw in body.entries]
        return list(self.journal.push(SITE, body.station, judged, NOW).results)

    def unit(self, lpn: str = LPN) -> dict[str, object]:
        with self.database.reading() as connection:
            row = connection.execute(select(units).where(units.c.site_id == SITE, units.c.lpn == lpn)).one()
        return dict(row._mapping)

    def announce(self, rma: str, quantity: int) -> None:
        one = ReturnAuthorisation(rma, "acme", None, (ReturnLine(1, "HD-1", quantity),))
        with self.database.writing() as connection:
            self.feed.put(connection, SITE, Topic.RETURNS, [Change(pair_key("acme", rma), one)], NOW)

    def forget(self) -> None:
        with self.database.writing() as connection:
            for table in (units, unit_claims, unit_lines, unit_decisions, feed_items, feed_heads, *_JOURNAL):
                connection.execute(delete(table))
        self.changes.clear()


from sync.server.storage.rows import endings, heads, inspections, photo_names  # noqa: E402

_JOURNAL = (entries, heads, inspections, endings, photo_names)


class Bench:
    """One station's chain."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._last: Entry | None = None

    def record(self, *facts: Fact) -> list[Entry]:
        made = []
        for one in facts:
            last = self._last
            self._last = link(
                one, station=self.name, generation=1, seq=last.seq + 1 if last else 1, id=uuid7(),
                recorded_at="2026-11-22T10:17:03.250000Z", actor="B-17", prev_hash=last.hash if last else GENESIS,
            )  # fmt: skip
            made.append(self._last)
        return made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database of each kind for all tests: making and dropping one takes PostgreSQL seconds."""
    url = database_url(f"sqlite:///{tmp_path_factory.mktemp('centre') / 'server.sqlite3'}")
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres")()
    made = open_database(url)
    yield made
    made.close()


@pytest.fixture
def centre(database: Database) -> Centre:
    made = Centre(database)
    made.forget()
    return made


def of_unit(
    number: int, lpn: str = LPN, corrects: str | None = None, disposition: Disposition = Disposition.RESTOCK,
    minor: int = 5490, **fields: object,
) -> Inspection:  # fmt: skip
    plain = an_inspection(number, corrects=corrects)
    refund = replace(plain.decision.refund, amount=Money(minor, "EUR"))
    return replace(
        plain, lpn=lpn, sku="HD-1", rma="RMA-1",
        decision=replace(plain.decision, disposition=disposition, refund=refund), **fields,
    )  # fmt: skip


def decided(base: int, disposition: Disposition = Disposition.LIQUIDATE, **fields: object) -> UnitDecided:
    plain = UnitDecided(LPN, base, disposition, None, None, None, "looked at it myself", (), NOW)
    return replace(plain, **fields)


def decision(one: UnitDecided) -> Fact:
    return Fact(UNIT_DECIDED, 1, canonical_json(one))


def test_one_inspection_owns_its_unit(centre: Centre) -> None:
    one = of_unit(1)
    (result,) = centre.push(*Bench("bench-1").record(fact(one)))
    assert result.status is Status.ACCEPTED
    unit = centre.unit()
    assert (unit["state"], unit["owner"], unit["version"]) == ("inspected", one.inspection_id, 1)
    assert (unit["disposition"], unit["refund_minor"], unit["refund_currency"]) == ("restock", 5490, "EUR")


def test_another_bench_with_the_same_unit_is_contested(centre: Centre) -> None:
    """Both are kept, the first at the server owns, a lead is asked (SYNC.md R8)."""
    one, two = of_unit(1), of_unit(2, disposition=Disposition.RECYCLE, minor=0)
    centre.push(*Bench("bench-2").record(fact(two)))
    centre.push(*Bench("bench-1").record(fact(one)))
    unit = centre.unit()
    assert (unit["state"], unit["because"]) == ("contested", "inspected_twice")
    assert (unit["owner"], unit["disposition"], unit["version"]) == (two.inspection_id, "recycle", 2)
    with centre.database.reading() as connection:
        assert len(connection.execute(select(inspections)).all()) == 2


def test_a_repeat_changes_nothing(centre: Centre) -> None:
    sent = Bench("bench-1").record(fact(of_unit(1)), fact(of_unit(2, "LPN-0002")))
    centre.push(*sent)
    before = centre.unit()
    assert {result.status for result in centre.push(*sent)} == {Status.DUPLICATE}
    assert centre.unit() == before


def test_a_correction_keeps_its_place_and_a_void_gives_it_back(centre: Centre) -> None:
    bench, other = Bench("bench-1"), Bench("bench-2")
    one = of_unit(1)
    better = of_unit(2, corrects=one.inspection_id, disposition=Disposition.REFURBISH, minor=1000, unit_id=one.unit_id)
    rival = of_unit(3)
    centre.push(*bench.record(fact(one)))
    centre.push(*other.record(fact(rival)))
    centre.push(*bench.record(fact(better)))
    unit = centre.unit()
    assert (unit["state"], unit["owner"], unit["disposition"]) == ("contested", better.inspection_id, "refurbish")
    centre.push(*other.record(void_of(rival)))
    assert (centre.unit()["state"], centre.unit()["owner"]) == ("inspected", better.inspection_id)
    centre.push(*bench.record(void_of(better)))
    assert (centre.unit()["state"], centre.unit()["owner"]) == ("inspected", one.inspection_id)
    centre.push(*bench.record(void_of(one)))
    unit = centre.unit()
    assert (unit["state"], unit["owner"], unit["disposition"]) == ("voided", None, None)
    assert unit["version"] == 7


def histories(lpn: str, tag: int) -> list[tuple[str, list[Fact]]]:
    """Three benches, each with an order of its own that the network keeps."""
    one = of_unit(tag, lpn)
    better = of_unit(tag + 1, lpn, corrects=one.inspection_id, disposition=Disposition.REFURBISH, minor=1000)
    rival = of_unit(tag + 2, lpn, disposition=Disposition.RECYCLE, minor=0)
    third = of_unit(tag + 3, lpn, minor=99)
    return [
        ("a", [fact(one), fact(better)]),
        ("b", [fact(rival), void_of(rival)]),
        ("c", [fact(third)]),
    ]


def interleavings(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every order in which several queues can be emptied."""
    yield from sorted(set(itertools.permutations([n for n, size in enumerate(sizes) for _ in range(size)])))


_OF_OWNER = (
    "owner",
    "disposition",
    "refund_decision",
    "refund_minor",
    "refund_currency",
    "first_inspection",
    "unit_id",
)


def test_every_order_of_pushes_ends_in_the_same_state(centre: Centre) -> None:
    """All interleavings of three benches. Who came first at the server owns; nothing else depends on the order, and
    after a lead's decision nothing at all does."""
    queues = histories(LPN, 10)
    undecided, final, owners = Counter(), [], Counter()
    for order in interleavings([len(facts) for _, facts in queues]):
        centre.forget()
        benches = [Bench(name) for name, _ in queues]
        waiting = [list(facts) for _, facts in queues]
        arrived: list[int] = []
        for which in order:
            centre.push(*benches[which].record(waiting[which].pop(0)))
            arrived.append(which)
        unit = centre.unit()
        standing_first = next(which for which in arrived if which != 1)
        owners[standing_first, unit["disposition"]] += 1
        undecided[canonical_json({k: v for k, v in unit.items() if k not in (*_OF_OWNER, "updated_at")})] += 1
        chosen = msgspec.json.decode(queues[2][1][0].payload)["inspection_id"]
        centre.journal.record(
            SITE, CENTRE, decision(decided(int(str(unit["version"])), inspection_id=chosen)), "lena", NOW
        )
        after = centre.unit()
        final.append({k: v for k, v in after.items() if k not in ("first_inspection", "unit_id", "decided_by")})
        assert after["owner"] == chosen
    assert len(final) == 30
    assert len(undecided) == 1, "contested, with the same version, whatever came first"
    assert owners.keys() == {(0, "refurbish"), (2, "restock")}
    assert all(one == final[0] for one in final)


def test_how_pushes_are_cut_does_not_matter(centre: Centre) -> None:
    facts = [one for _, queue in histories(LPN, 10) for one in queue] + [fact(of_unit(50, "LPN-0002"))]
    seen = []
    for cuts in ([6], [1] * 6, [2, 4], [5, 1]):
        centre.forget()
        sent = Bench("bench-1").record(*facts)
        for size in cuts:
            centre.push(*sent[:size])
            sent = sent[size:]
        seen.append((centre.unit(), centre.unit("LPN-0002")))
    assert all(one == seen[0] for one in seen)


def test_more_units_than_the_line_announced(centre: Centre) -> None:
    """The first that stand are what was announced; the later ones are somebody's question."""
    centre.announce("RMA-1", 2)
    sent = [of_unit(number, f"LPN-000{number}") for number in range(1, 5)]
    bench, other = Bench("bench-1"), Bench("bench-2")
    centre.push(*bench.record(fact(sent[0]), fact(sent[1])))
    centre.push(*other.record(fact(sent[2])))
    centre.push(*bench.record(fact(sent[3])))
    states = [centre.unit(f"LPN-000{number}")["state"] for number in range(1, 5)]
    assert states == ["inspected", "inspected", "contested", "contested"]
    assert centre.unit("LPN-0003")["because"] == "beyond_quantity"
    before = centre.unit("LPN-0003")["version"]
    centre.push(*bench.record(void_of(sent[0])))
    states = [centre.unit(f"LPN-000{number}")["state"] for number in range(1, 5)]
    assert states == ["voided", "inspected", "inspected", "contested"]
    assert int(str(centre.unit("LPN-0003")["version"])) > int(str(before)), "whoever looked at it before is told"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_line_of_one_and_three_benches(centre: Centre, order: tuple[int, ...]) -> None:
    centre.announce("RMA-1", 1)
    for which in order:
        centre.push(*Bench(f"bench-{which}").record(fact(of_unit(which, f"LPN-{which}"))))
    states = [centre.unit(f"LPN-{which}")["state"] for which in order]
    assert states == ["inspected", "contested", "contested"]


def test_an_article_that_was_not_in_the_parcel_takes_nobodys_place(centre: Centre) -> None:
    centre.announce("RMA-1", 1)
    centre.push(*Bench("bench-1").record(fact(of_unit(1, "LPN-1", identity=IdentityOutcome.MISSING))))
    centre.push(*Bench("bench-2").record(fact(of_unit(2, "LPN-2"))))
    assert centre.unit("LPN-2")["state"] == "inspected"


def test_what_nobody_announced_has_no_quantity(centre: Centre) -> None:
    for number in range(3):
        centre.push(*Bench(f"bench-{number}").record(fact(of_unit(number, f"LPN-{number}"))))
    assert {centre.unit(f"LPN-{number}")["state"] for number in range(3)} == {"inspected"}


def test_hostile_fields_stop_no_push(centre: Centre) -> None:
    odd = of_unit(1, "LPN-Ω'; --")
    long = replace(of_unit(2, "LPN-2"), rma="R" * 5000, line=2**62)
    results = centre.push(*Bench("bench-1").record(fact(odd), fact(long)))
    assert {result.status for result in results} == {Status.ACCEPTED}


def test_a_lead_decides_and_the_benches_hear_of_it(centre: Centre) -> None:
    one, two = of_unit(1), of_unit(2)
    centre.push(*Bench("bench-1").record(fact(one)))
    centre.push(*Bench("bench-2").record(fact(two)))
    made = decided(2, inspection_id=two.inspection_id, refund_decision="partial", refund=Money(1234, "EUR"))
    entry = centre.journal.record(SITE, CENTRE, decision(made), "lena", NOW)
    unit = centre.unit()
    assert (unit["state"], unit["owner"], unit["disposition"]) == ("decided", two.inspection_id, "liquidate")
    assert (unit["refund_minor"], unit["decided_by"], unit["version"]) == (1234, entry.id, 3)
    page = centre.feed.page(SITE, Topic.DECISIONS, None)
    (item,) = page.items
    body = msgspec.json.decode(item.body or "")
    assert (item.key, body["disposition"], body["refund"]["amount"]) == (
        LPN, "liquidate", {"minor": 1234, "currency": "EUR"},
    )  # fmt: skip
    assert body["version"] == 3
    with centre.database.reading() as connection:
        row = connection.execute(select(entries).where(entries.c.station == CENTRE)).one()
    assert (row.seq, row.prev_hash, row.actor, row.hash) == (1, GENESIS, "lena", entry.hash)
    again = centre.journal.record(SITE, CENTRE, decision(decided(3)), "lena", NOW)
    assert (again.seq, again.prev_hash) == (2, entry.hash), "the centre's own chain goes on"


def test_a_stale_decision_is_refused_and_leaves_nothing(centre: Centre) -> None:
    centre.push(*Bench("bench-1").record(fact(of_unit(1))))
    centre.push(*Bench("bench-2").record(fact(of_unit(2))))
    before = centre.unit()
    with pytest.raises(CannotDecide) as refused:
        centre.journal.record(SITE, CENTRE, decision(decided(1)), "lena", NOW)
    assert refused.value.code is Code.STALE
    assert "version 2" in str(refused.value)
    assert centre.unit() == before
    with centre.database.reading() as connection:
        assert connection.execute(select(entries).where(entries.c.station == CENTRE)).all() == []
        assert connection.execute(select(unit_decisions)).all() == []


def test_what_a_bench_decided_offline_is_kept_and_told_to_be_late(centre: Centre) -> None:
    """R8: the loser is not discarded; whose clock was later does not matter."""
    bench = Bench("bench-1")
    centre.push(*bench.record(fact(of_unit(1))))
    good, late = bench.record(decision(decided(1)), decision(decided(1, Disposition.DONATE)))
    assert [result.status for result in centre.push(good)] == [Status.ACCEPTED]
    (result,) = centre.push(late)
    assert (result.status, result.code) == (Status.CONFLICT, Code.STALE)
    assert "version 2" in (result.detail or "")
    assert centre.unit()["disposition"] == "liquidate"
    with centre.database.reading() as connection:
        outcomes = connection.scalars(select(unit_decisions.c.outcome).order_by(unit_decisions.c.number)).all()
        assert outcomes == ["in_force", "stale_version"]
    assert centre.push(late)[0].status is Status.DUPLICATE
    centre.push(*bench.record(fact(of_unit(7, "LPN-0007"))))
    assert centre.unit("LPN-0007")["state"] == "inspected", "the line goes on"


def test_a_new_inspection_after_the_decision_is_a_new_question(centre: Centre) -> None:
    one, late = of_unit(1), of_unit(2)
    centre.push(*Bench("bench-1").record(fact(one)))
    centre.journal.record(SITE, CENTRE, decision(decided(1)), "lena", NOW)
    bench = Bench("bench-2")
    centre.push(*bench.record(fact(late)))
    unit = centre.unit()
    assert (unit["state"], unit["disposition"]) == ("contested", "liquidate"), "what was decided stays in force"
    centre.push(*bench.record(void_of(late)))
    assert centre.unit()["state"] == "decided"


ANA, BO = Signature("ana", (Role.LEAD,)), Signature("bo", (Role.LEAD, Role.AUDITOR))
IDA, BADGE = Signature("ida", (Role.INSPECTOR,)), Signature("bo", (Role.LEAD,), proven=False)
TWO_LEADS = (ANA, BO)
GATES = {
    "lithium": (Disposition.RESTOCK, Disposition.LIQUIDATE),
    "destruction_ban": (Disposition.DESTROY,),
}


@pytest.mark.parametrize(
    ("disposition", "derogations", "allowed"),
    [
        (Disposition.LIQUIDATE, (), False),
        (Disposition.LIQUIDATE, (("lithium", "DOC-1", "beyond_repair", TWO_LEADS),), False),
        (Disposition.DESTROY, (), False),
        (Disposition.DESTROY, (("destruction_ban", "   ", "beyond_repair", TWO_LEADS),), False),
        (Disposition.DESTROY, (("destruction_ban", "DOC-7", "", TWO_LEADS),), False),
        (Disposition.DESTROY, (("destruction_ban", "DOC-7", "in_the_way", TWO_LEADS),), False),
        (Disposition.DESTROY, (("destruction_ban", "DOC-7", "beyond_repair", ()),), False),
        (Disposition.DESTROY, (("destruction_ban", "DOC-7", "beyond_repair", (ANA,)),), False),
        (Disposition.DESTROY, (("destruction_ban", "DOC-7", "beyond_repair", (ANA, ANA)),), False),
        (Disposition.DESTROY, (("destruction_ban", "DOC-7", "beyond_repair", (ANA, IDA)),), False),
        (Disposition.DESTROY, (("destruction_ban", "DOC-7", "beyond_repair", (ANA, BADGE)),), False),
        (Disposition.DESTROY, (("destruction_ban", "DOC-7", "beyond_repair", (IDA, ANA)),), False),
        (Disposition.DESTROY, (("destruction_ban", "DOC-7", "contaminated", TWO_LEADS),), True),
        (Disposition.REFURBISH, (), True),
        (Disposition.QUARANTINE, (), True),
    ],
    ids=[
        "nothing", "not derogable", "no permission", "no number", "no kind", "another kind", "nobody", "one lead",
        "the same lead twice", "an inspector agrees", "a badge agrees", "an inspector begins", "two leads",
        "an open way", "a hold",
    ],
)  # fmt: skip
def test_no_gate_is_talked_past(
    centre: Centre,
    disposition: Disposition,
    derogations: tuple[tuple[str, str, str, tuple[Signature, ...]], ...],
    allowed: bool,
) -> None:
    bench = Bench("bench-1")
    centre.push(*bench.record(fact(gated())))
    made = decided(1, disposition, derogations=tuple(Derogation(*one) for one in derogations))
    if allowed:
        centre.journal.record(SITE, CENTRE, decision(made), "lena", NOW)
        assert centre.unit()["disposition"] == disposition
    else:
        with pytest.raises(CannotDecide, match="forbidden"):
            centre.journal.record(SITE, CENTRE, decision(made), "lena", NOW)
        (result,) = centre.push(*bench.record(decision(made)))
        assert (result.status, result.code) == (Status.CONFLICT, Code.NOT_ALLOWED)
        assert centre.unit()["disposition"] == "quarantine"


def gated() -> Inspection:
    plain = of_unit(1)
    gates = tuple(Gate(name, GateState.RAISED, Reason("r", "why"), forbids) for name, forbids in GATES.items())
    return replace(plain, decision=replace(plain.decision, gates=gates, disposition=Disposition.QUARANTINE))


def test_a_refusal_says_what_is_missing(centre: Centre) -> None:
    centre.push(*Bench("bench-1").record(fact(gated())))
    for kind, signed, why in (
        ("", TWO_LEADS, "expected one of beyond_repair, contaminated"),
        ("contaminated", (ANA,), "needs a second person with the role lead"),
        ("contaminated", (), "needs a signature"),
    ):
        permission = Derogation("destruction_ban", "DOC-7", kind, signed)
        with pytest.raises(CannotDecide, match=why):
            centre.journal.record(
                SITE, CENTRE, decision(decided(1, Disposition.DESTROY, derogations=(permission,))), "ana", NOW
            )


def test_a_decision_of_before_is_read_as_it_was_taken(centre: Centre) -> None:
    """What was recorded when a permission was a gate and a number keeps its effect; a bench's never had one."""
    bench = Bench("bench-1")
    centre.push(*bench.record(fact(gated())))
    made = msgspec.to_builtins(decided(1, Disposition.DESTROY))
    made["derogations"] = [{"gate": "destruction_ban", "reference": "DOC-7"}]
    before = Fact(UNIT_DECIDED, 1, canonical_json(made))
    (result,) = centre.push(*bench.record(before))
    assert (result.status, result.code) == (Status.CONFLICT, Code.NOT_ALLOWED)
    assert "at the centre" in (result.detail or "")
    made["base_version"] = centre.unit()["version"]
    centre.journal.record(SITE, CENTRE, Fact(UNIT_DECIDED, 1, canonical_json(made)), "lena", NOW)
    assert centre.unit()["disposition"] == "destroy"


@pytest.mark.parametrize(
    "made",
    [
        decided(1, inspection_id="another"),
        decided(1, refund_decision="full"),
        decided(1, refund_decision="none", refund=Money(5, "EUR")),
        decided(1, refund_decision="partial", refund=Money(-5, "EUR")),
        decided(1, refund=Money(5, "EUR")),
        decided(1, lpn="LPN-NOBODY"),
    ],
    ids=["inspection", "no amount", "none with amount", "negative", "amount alone", "unknown unit"],
)
def test_a_decision_that_makes_no_sense_is_refused(centre: Centre, made: UnitDecided) -> None:
    centre.push(*Bench("bench-1").record(fact(of_unit(1))))
    with pytest.raises(CannotDecide) as refused:
        centre.journal.record(SITE, CENTRE, decision(made), "lena", NOW)
    assert refused.value.code is Code.NOT_ALLOWED


def test_events_add_up_to_the_state_in_every_order(centre: Centre) -> None:
    """Money and stock: whatever was told on the way, the sum of it is what is."""
    queues = histories(LPN, 10)
    for order in itertools.islice(interleavings([len(facts) for _, facts in queues]), 0, None, 3):
        centre.forget()
        benches = [Bench(name) for name, _ in queues]
        waiting = [list(facts) for _, facts in queues]
        for which in order:
            centre.push(*benches[which].record(waiting[which].pop(0)))
        money, stock = 0, Counter[str]()
        for change in centre.changes:
            for event in unit_events(change.before, change.after):
                if isinstance(event, RefundDecided):
                    money += event.change_minor
                elif isinstance(event, InventoryMoved):
                    stock[event.from_place] -= event.quantity
                    stock[event.to_place] += event.quantity
        unit = centre.unit()
        assert money == unit["refund_minor"]
        assert +stock == Counter({str(unit["disposition"]): 1})


def test_two_workers_take_the_same_unit_at_once(fresh_postgres) -> None:  # type: ignore[no-untyped-def]
    """On PostgreSQL the second waits for the first: one owns, the other is contested, none is lost."""
    import threading

    url = fresh_postgres()
    first, second = Centre(open_database(url)), Centre(open_database(url))
    sent = [
        (
            centre,
            Bench(f"bench-{n}").record(*(fact(of_unit(n * 100 + k, f"LPN-{k}")) for k in range(9))),
        )
        for n, centre in ((1, first), (2, second))
    ]
    start = threading.Barrier(2)

    def push(centre: Centre, entries_: list[Entry]) -> None:
        start.wait(20)
        centre.push(*entries_)

    threads = [threading.Thread(target=push, args=one) for one in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [first.unit(f"LPN-{k}")["state"] for k in range(9)] == ["contested"] * 9
    first.database.close()
    second.database.close()
