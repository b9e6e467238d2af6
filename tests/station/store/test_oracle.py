"""Whatever is done in whatever order, the store equals a dictionary and a list, also after it was reopened."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from store_lab import START, SteadyClock, fact, inspection, parcel_closed, parcel_opened, parcel_parked, photo, voided

from station.journal.chain import check_chain
from station.journal.entry import Fact
from station.store import Store
from station.store.outbox import Acknowledgement
from station.store.proof import verify

SLOTS = st.sampled_from(["current", "parked:1", "parked:2", "damaged:x"])
PARCELS = st.sampled_from(["p1", "p2", "p3"])


class StoreMachine(RuleBasedStateMachine):
    """The store beside the simplest thing that could be right."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="station-oracle-"))
        self.home = self.folder / "home"
        self.clock = SteadyClock()
        self.facts: list[Fact] = []
        self.drafts: dict[str, bytes] = {}
        self.acked: set[int] = set()
        self.confirmed: list[str] = []
        self.lines: dict[str, int] = {}
        self.voided: set[str] = set()
        self.parked: set[str] = set()
        self.photo_seqs: dict[str, int] = {}
        self.sent: set[str] = set()
        self._open()

    def _open(self) -> None:
        self.store = Store.open(self.home, station="bench-1", clock=self.clock, ballast_bytes=0)

    def _commit(self, facts: list[Fact], drafts: dict[str, bytes | None]) -> None:
        entries = self.store.commit(facts, actor="ines", drafts=drafts)
        assert [entry.seq for entry in entries] == [len(self.facts) + 1 + index for index in range(len(facts))]
        self.facts += facts
        for slot, body in drafts.items():
            if body is None:
                self.drafts.pop(slot, None)
            else:
                self.drafts[slot] = body

    @rule(slot=SLOTS, body=st.none() | st.binary(max_size=40))
    def save_draft(self, slot: str, body: bytes | None) -> None:
        self._commit([], {slot: body})

    @rule(kind=st.sampled_from(["x.y", "lead.decided"]), number=st.integers(-(2**63), 2**63 - 1), text=st.text())
    def happen(self, kind: str, number: int, text: str) -> None:
        self._commit([fact(kind, {"n": number, "t": text.replace("\x00", "")})], {})

    @rule(parcel=PARCELS, what=st.sampled_from([parcel_opened, parcel_parked, parcel_closed]))
    def move_parcel(self, parcel: str, what) -> None:  # type: ignore[no-untyped-def]
        opened = {fact_.payload for fact_ in self.facts if fact_.kind == "parcel.opened"}
        self._commit([what(parcel)], {})
        self.parked.discard(parcel)
        if what is parcel_parked and parcel_opened(parcel).payload in opened:
            self.parked.add(parcel)

    @rule(line=st.integers(1, 3), shot=st.integers(0, 5), parcel=PARCELS, slot=SLOTS)
    def confirm(self, line: int, shot: int, parcel: str, slot: str) -> None:
        name = str(len(self.confirmed))
        sha = f"{shot:064x}"
        self._commit([inspection(name, line=line, parcel=parcel, photos=(photo(sha),))], {slot: None})
        self.confirmed.append(name)
        self.lines[name] = line
        self.parked.discard(parcel)
        self.photo_seqs.setdefault(sha, len(self.facts))

    @precondition(lambda self: self.confirmed)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.confirmed))
        self._commit([voided(name)], {})
        self.voided.add(name)

    @rule(seqs=st.lists(st.integers(1, 60), max_size=8))
    def acknowledge(self, seqs: list[int]) -> None:
        known = [seq for seq in seqs if seq <= len(self.facts)]
        self.store.acknowledge([Acknowledgement(1, seq, "accepted") for seq in known])
        self.acked.update(known)

    @precondition(lambda self: self.photo_seqs)
    @rule(data=st.data())
    def send_photo(self, data: st.DataObject) -> None:
        sha = data.draw(st.sampled_from(sorted(self.photo_seqs)))
        self.store.photo_sent(sha)
        self.sent.add(sha)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self._open()
        assert self.store.opening.clean

    @rule()
    def look_like_a_kill(self) -> None:
        """Closed, but the next start does not know that and looks at everything."""
        self.store.close()
        (self.home / "closed.json").unlink()
        self._open()
        assert self.store.opening.doubt is None

    @invariant()
    def equal(self) -> None:
        pending = self.store.pending_entries(1000, 1 << 30)
        expected = [seq for seq in range(1, len(self.facts) + 1) if seq not in self.acked]
        assert [entry.seq for entry in pending] == expected
        assert [entry.payload for entry in pending] == [self.facts[seq - 1].payload for seq in expected]
        unsent = self.store.unsent()
        due = [sha for sha in self.photo_seqs if sha not in self.sent]
        assert (unsent.entries, unsent.photos) == (len(expected), len(due))
        assert set(self.store.photos_to_send(100)) == {sha for sha in due if self.photo_seqs[sha] in self.acked}
        assert set(self.store.slots("")) == set(self.drafts)
        for slot, body in self.drafts.items():
            assert self.store.draft(slot) == body
        standing = [name for name in self.confirmed if name not in self.voided]
        assert [unit.inspection_id for unit in self.store.recent(1000)] == [
            f"inspection-{name}" for name in reversed(standing)
        ]
        counted = {line: sum(self.lines[name] == line for name in standing) for line in (1, 2, 3)}
        assert self.store.directory.inspected_units("m", "RMA-1") == {k: v for k, v in counted.items() if v}
        figures = self.store.figures(START, START)
        assert (figures.units, figures.parked) == (len(standing), len(self.parked))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            if not self.acked:
                assert list(check_chain(self.store.pending_entries(1000, 1 << 30))) == []
            self.store.close()
            problems = [problem for problem in verify(self.home).problems if problem.flaw != "photo"]
            assert problems == []
            shutil.rmtree(self.folder)


TestStoreEqualsItsOracle = StoreMachine.TestCase
TestStoreEqualsItsOracle.settings = settings(
    max_examples=min(settings.default.max_examples, 600) // 10, stateful_step_count=20, deadline=None
)
