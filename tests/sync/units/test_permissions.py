"""A permission to pass a gate over HTTP: two leads with passwords of their own, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.engine import URL

from station.decision.model import Disposition, Gate, GateState, Reason
from station.people import Role
from station.returns.decided import UNIT_DECIDED, UnitDecided
from sync.client.api import encode_push
from sync.protocol import PushRequest
from sync.server.judge import judge
from sync.server.storage.rows import entries
from tests.sync.material import an_inspection, fact
from tests.sync.people.material import NOON, PASSWORD, PeopleServer
from tests.sync.units.test_units import Bench

BAN = Gate("destruction_ban", GateState.RAISED, Reason("r", "why"), (Disposition.DESTROY,))
PATH = "/v1/units/LPN-0001/decision"


@pytest.fixture
def server(either_database: URL, tmp_path: Path) -> Iterator[PeopleServer]:
    made = PeopleServer(either_database, tmp_path)
    for person, role in (("ana", Role.LEAD), ("bo", Role.LEAD), ("ida", Role.INSPECTOR)):
        made.add(person, role)
    plain = an_inspection(1)
    gated = replace(
        plain, lpn="LPN-0001", decision=replace(plain.decision, gates=(BAN,), disposition=Disposition.QUARANTINE)
    )
    sent = Bench("bench-1").record(fact(gated))
    body = msgspec.json.decode(encode_push("bench-1", sent), type=PushRequest)
    judged = [judge(body.station, bytes(raw)) for raw in body.entries]
    made.service.journal.push("main", "bench-1", judged, NOON)
    yield made
    made.stop()


def wish(second: tuple[str, str] | None, kind: str = "beyond_repair") -> dict[str, object]:
    asked: dict[str, object] = {
        "base_version": 1, "disposition": "destroy", "reason": "it cannot be mended",
        "derogations": [{"gate": "destruction_ban", "reference": "DOC-7", "kind": kind}],
    }  # fmt: skip
    if second is not None:
        asked["second"] = {"login": second[0], "password": second[1]}
    return asked


def test_two_leads_pass_it_and_nobody_else(server: PeopleServer) -> None:
    ana = server.browser("ana")
    for asked, status, why in (
        (wish(None), 409, "needs a second person"),
        (wish(("ana", PASSWORD)), 409, "needs a second person"),
        (wish(("ida", PASSWORD)), 409, "needs a second person"),
        (wish(("bo", PASSWORD), kind=""), 409, "of kind"),
        (wish(("bo", "a guess of mine")), 401, "do not go together"),
        (wish(("nobody", PASSWORD)), 401, "do not go together"),
    ):
        answer = ana.ask("POST", PATH, json=asked)
        assert (answer.status_code, why in answer.text) == (status, True), answer.text
        assert ana.ask("GET", "/v1/units/LPN-0001").json()["disposition"] == "quarantine"
    server.clock.forward(3600)  # after a wrong password its name waits
    answer = server.browser("ana").ask("POST", PATH, json=wish(("bo", PASSWORD)))
    assert (answer.status_code, answer.json()["disposition"]) == (200, "destroy"), answer.text
    with server.service.database.reading() as connection:
        payload = connection.scalar(select(entries.c.payload).where(entries.c.kind == UNIT_DECIDED))
    assert payload is not None
    assert PASSWORD.encode() not in payload
    (permission,) = msgspec.json.decode(payload, type=UnitDecided).derogations
    assert [(who.person, who.roles) for who in permission.signed] == [("ana", (Role.LEAD,)), ("bo", (Role.LEAD,))]


def test_a_message_of_before_is_read_and_passes_nothing(server: PeopleServer) -> None:
    asked = wish(None)
    asked["derogations"] = [{"gate": "destruction_ban", "reference": "DOC-7"}]
    answer = server.browser("ana").ask("POST", PATH, json=asked)
    assert answer.status_code == 409
    assert "expected one of" in answer.json()["error"]["message"]


def test_the_second_persons_password_is_not_in_a_repr() -> None:
    from sync.protocol import SecondPerson

    assert PASSWORD not in repr(SecondPerson("bo", PASSWORD))
