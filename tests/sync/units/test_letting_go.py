"""A lead lets a gate go at the centre: real records of a real bench, two passwords, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.engine import URL

from station.canonical import canonical_json
from station.decision.model import Disposition, GateAct, GateActKind, Signature
from station.decision.rules import Rules, default_folders, load_rules
from station.identify.commands import Command
from station.inspection.record import Inspection
from station.journal.entry import Entry, Fact
from station.people import Role
from station.returns.decided import UNIT_DECIDED, UnitDecided
from station.store.reading import read_entries
from sync.client.api import encode_push
from sync.protocol import PushRequest, Topic
from sync.server.judge import judge
from sync.server.storage.rows import entries as entry_rows
from sync.server.units import CENTRE
from tests.station.inspection import bench as benches
from tests.station.inspection.bench import HEADPHONES, Bench, open_store
from tests.station.inspection.test_taken_back import go_on, ways_back
from tests.sync.people.material import NOON, PeopleServer
from tests.sync.units import test_units as units

NOTICE = "R-77"
RECALLS = f"""kind = "recalls"
version = 1
[[notices]]
id = "{NOTICE}"
text = "Battery may overheat"
gtins = ["{HEADPHONES}"]
"""


class Place:
    """One bench and the centre that it pushes to; ``ana`` and ``bo`` lead, ``ida`` inspects."""

    def __init__(self, server: PeopleServer, bench: Bench, rules: Rules) -> None:
        self.server, self.bench = server, bench
        self._sent = 0
        server.service.units._books = lambda: rules

    def push(self) -> None:
        mine: Sequence[Entry] = list(read_entries(self.bench.store.home, None))
        body = msgspec.json.decode(encode_push("bench-1", mine[self._sent :]), type=PushRequest)
        judged = [judge(body.station, bytes(raw)) for raw in body.entries]
        answers = self.server.service.journal.push("main", "bench-1", judged, NOON).results
        assert {answer.status for answer in answers} == {"accepted"}
        self._sent = len(mine)

    def decide(self, unit: Inspection, disposition: str, *acts: tuple[str, str], by: str = "ana") -> tuple[int, str]:
        browser = self.server.browser(by)
        version = browser.ask("GET", f"/v1/units/{unit.lpn}").json().get("version", 1)
        body = {
            "base_version": version, "disposition": disposition, "reason": "looked at it myself",
            "gate_acts": [{"kind": kind, "subject": subject} for kind, subject in acts],
        }  # fmt: skip
        answer = browser.ask("POST", f"/v1/units/{unit.lpn}/decision", json=body)
        return answer.status_code, answer.text

    def decided(self) -> list[UnitDecided]:
        with self.server.service.database.reading() as connection:
            found = connection.execute(
                select(entry_rows.c.payload)
                .where(entry_rows.c.station == CENTRE, entry_rows.c.kind == UNIT_DECIDED)
                .order_by(entry_rows.c.seq)
            )
            return [msgspec.json.decode(payload, type=UnitDecided) for (payload,) in found if payload]


@pytest.fixture
def server(either_database: URL, tmp_path: Path) -> Iterator[PeopleServer]:
    made = PeopleServer(either_database, tmp_path / "centre")
    for person, role in (("ana", Role.LEAD), ("bo", Role.LEAD), ("ida", Role.INSPECTOR)):
        made.add(person, role)
    yield made
    made.stop()


@pytest.fixture
def place(server: PeopleServer, tmp_path: Path) -> Iterator[Place]:
    with open_store(tmp_path / "bench") as store:
        yield Place(server, Bench(store), benches.RULES)


@pytest.fixture
def recalled(server: PeopleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The same with a recall notice that means this article, perhaps."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "recalls.toml").write_text(RECALLS)
    rules = load_rules((*default_folders(), tmp_path / "rules"))
    monkeypatch.setattr(benches, "RULES", rules)
    with open_store(tmp_path / "bench") as store:
        yield Place(server, Bench(store), rules)


def test_a_lead_lets_go_what_was_found_and_taken_back(place: Place) -> None:
    unit = ways_back(place.bench, 3)
    place.push()
    status, text = place.decide(unit, "restock")
    assert (status, "'restock' is forbidden by: " in text and "lithium" in text) == (409, True), text
    assert place.decide(unit, "restock", ("settled", "lithium"), by="ida")[0] == 403
    assert place.decided() == [], "a refusal leaves nothing"
    status, text = place.decide(unit, "restock", ("settled", "lithium"))
    assert (status, '"disposition":"restock"' in text) == (200, True), text
    (decided,) = place.decided()
    (act,) = decided.gate_acts
    assert (act.kind, act.subject, [who.person for who in act.signed]) == (GateActKind.SETTLED, "lithium", ["ana"])
    (told,) = place.server.service.feed.page("main", Topic.DECISIONS, None).items
    assert '"gate_acts":[{"kind":"settled","subject":"lithium"}]' in (told.body or ""), "benches hear of it"
    assert place.decide(unit, "repackage")[0] == 200, "it stays let go for what stood then"
    status, text = place.decide(unit, "restock", ("settled", "lithium"))
    assert (status, "'clear'" in text) == (409, True), text


def test_what_nobody_proved_is_unproven_again_without_the_finding(place: Place) -> None:
    go_on(place.bench, {"power": "swollen"})
    for _ in range(3):
        place.bench.give(Command.UNDO)
    unit = go_on(place.bench, {"power": "cannot_tell"})
    place.push()
    status, text = place.decide(unit, "restock", ("settled", "lithium"))
    assert (status, "lithium (" in text) == (409, True), text


def test_control_a_finding_that_stands_is_let_go_by_nobody(place: Place) -> None:
    unit = go_on(place.bench, {"power": "swollen"})
    place.push()
    status, text = place.decide(unit, "restock", ("settled", "lithium"))
    assert (status, "'raised'" in text) == (409, True), text
    assert place.decided() == []


def test_a_recall_notice_is_compared_at_the_centre(recalled: Place) -> None:
    unit = go_on(recalled.bench, {"power": "works"})
    assert unit.decision.disposition.value == "quarantine"
    recalled.push()
    assert recalled.decide(unit, "restock")[0] == 409
    assert recalled.decide(unit, "restock", ("recall_denied", "R-1"))[0] == 409
    status, text = recalled.decide(unit, "restock", ("recall_denied", NOTICE))
    assert (status, '"disposition":"restock"' in text) == (200, True), text


def test_a_confirmed_recall_is_ended_by_nobody(recalled: Place) -> None:
    unit = go_on(recalled.bench, {"power": "works"})
    recalled.push()
    status, text = recalled.decide(unit, "restock", ("recall_confirmed", NOTICE))
    assert (status, "recall (Recall R-77: Battery may overheat)" in text) == (409, True), text
    assert recalled.decide(unit, "quarantine", ("recall_confirmed", NOTICE))[0] == 200
    status, text = recalled.decide(unit, "restock", ("recall_denied", NOTICE), by="bo")
    assert (status, "'denied' is not possible for a recall gate that is 'raised'" in text) == (409, True), text
    assert recalled.decide(unit, "quarantine", ("settled", "recall"))[0] == 409


def test_where_the_rules_of_then_are_not_here_nothing_is_let_go(recalled: Place) -> None:
    unit = go_on(recalled.bench, {"power": "works"})
    recalled.push()
    recalled.server.service.units._books = load_rules  # without the notice
    status, text = recalled.decide(unit, "restock", ("recall_denied", NOTICE))
    assert (status, "not here: recalls" in text) == (409, True), text


def test_a_bench_that_was_offline_lets_nothing_go(place: Place) -> None:
    unit = ways_back(place.bench, 2)
    place.push()
    ana = Signature("ana", (Role.LEAD,))
    wish = UnitDecided(
        unit.lpn, 4, Disposition.RESTOCK, None, None, None, "seen", (), NOON,
        gate_acts=(GateAct(GateActKind.SETTLED, "lithium", "", (ana,)),),
    )  # fmt: skip
    version = place.server.browser("ana").ask("GET", f"/v1/units/{unit.lpn}").json()["version"]
    sent = units.Bench("bench-2").record(Fact(UNIT_DECIDED, 1, canonical_json(replace(wish, base_version=version))))
    body = msgspec.json.decode(encode_push("bench-2", sent), type=PushRequest)
    judged = [judge(body.station, bytes(raw)) for raw in body.entries]
    (answer,) = place.server.service.journal.push("main", "bench-2", judged, NOON).results
    assert (answer.status, "where the lead signs in" in (answer.detail or "")) == ("conflict", True), answer
