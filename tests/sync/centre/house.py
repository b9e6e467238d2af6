"""A whole central server with people in it, and benches that push to it over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx
from sqlalchemy.engine import URL

from station.canonical import canonical_json
from station.decision.model import Disposition
from station.decision.model import Reason as Because
from station.ids import uuid7
from station.inspection.record import Inspection
from station.journal.entry import GENESIS, Entry, Fact, link
from station.people import Role
from station.quantities import Money
from station.returns.decided import UNIT_DECIDED, UnitDecided
from sync.client.api import encode_push
from sync.server.figures import catch_up
from tests.sync.material import an_inspection, fact, void_of
from tests.sync.people.material import Browser, PeopleServer

_numbers = itertools.count(1)


class House:
    """The server; ``lea`` leads, ``ida`` is IT, ``aud`` audits, ``ines`` inspects, ``mia`` leads for merchant ``acme``
    alone."""

    def __init__(self, url: URL, folder: Path) -> None:
        self.server = PeopleServer(url, folder)
        for person, role in (("lea", Role.LEAD), ("ida", Role.ADMIN), ("aud", Role.AUDITOR), ("ines", Role.INSPECTOR)):
            self.server.add(person, role)
        self.server.add("mia", Role.LEAD, merchant="acme")
        self._browsers: dict[str, Browser] = {}

    def by(self, person: str) -> Browser:
        if person not in self._browsers:
            self._browsers[person] = self.server.browser(person)
        return self._browsers[person]

    def get(self, path: str, by: str = "lea") -> httpx.Response:
        return self.by(by).ask("GET", path)

    def bench(self) -> HouseBench:
        return HouseBench(self.server, f"bench-{next(_numbers)}")

    def decide(self, lpn: str, by: str = "lea", **wish: object) -> httpx.Response:
        version = self.get(f"/v1/units/{lpn}").json()["version"]
        body = {"base_version": version, "disposition": "restock", "reason": "looked at it myself"} | wish
        answer = self.by(by).ask("POST", f"/v1/units/{lpn}/decision", json=body)
        catch_up(self.server.service.database)
        return answer

    def queue(self, kind: str, lpn: str) -> list[dict[str, object]]:
        page = self.get(f"/v1/queue?kind={kind}&text={lpn}&limit=500").json()
        return [item for item in page["items"] if item["lpn"] == lpn]

    def review(self) -> dict[str, tuple[int, int]]:
        """Outcome → how many, and how long they waited on average (s), over all days."""
        day = self.server.clock.now().date()
        rows = self.get(f"/v1/figures/review?from={day}&to={day}").json()["rows"]
        return {
            row["key"][0]: (row["figures"]["settled"]["value"], row["figures"]["waited_ms"]["value"] // 1000)
            for row in rows
        }


class HouseBench:
    """One station's chain."""

    def __init__(self, server: PeopleServer, name: str) -> None:
        self.name = name
        self._server = server
        self._last: Entry | None = None

    def record(self, *facts: Fact, actor: str = "ines") -> list[Entry]:
        made = []
        for one in facts:
            last = self._last
            self._last = link(
                one, station=self.name, generation=1, seq=last.seq + 1 if last else 1, id=uuid7(),
                recorded_at="2026-11-23T12:30:00Z", actor=actor, prev_hash=last.hash if last else GENESIS,
            )  # fmt: skip
            made.append(self._last)
        return made

    def send(self, entries: Sequence[Entry]) -> list[dict[str, object]]:
        answer = self._server.ask("POST", "/v1/journal", content=encode_push(self.name, entries))
        assert answer.status_code == 200, answer.text
        catch_up(self._server.service.database)
        return list(answer.json()["results"])

    def push(self, *facts: Fact, actor: str = "ines") -> list[Entry]:
        made = self.record(*facts, actor=actor)
        results = self.send(made)
        assert {one["status"] for one in results} <= {"accepted", "conflict"}, results
        return made


def of_unit(
    lpn: str, *, corrects: str | None = None, disposition: Disposition = Disposition.RESTOCK, minor: int | None = 5490,
    looks: Sequence[str] = (), **fields: object,
) -> Inspection:  # fmt: skip
    """An inspection of a unit with this plate."""
    plain = an_inspection(next(_numbers), corrects=corrects)
    amount = Money(minor, "EUR") if minor is not None else None
    refund = replace(plain.decision.refund, amount=amount, decision="full" if minor else "manual")
    decision = replace(
        plain.decision, disposition=disposition, refund=refund,
        second_look=tuple(Because(code, f"{code}: somebody should look") for code in looks),
    )  # fmt: skip
    return replace(plain, lpn=lpn, decision=decision, **fields)


def decided(lpn: str, base: int, disposition: Disposition, at: object) -> Fact:
    one = UnitDecided(lpn, base, disposition, None, None, None, "decided offline", (), at)  # type: ignore[arg-type]
    return Fact(UNIT_DECIDED, 1, canonical_json(one))


def plate(name: str) -> str:
    """A licence plate that no other test uses."""
    return f"LPN-{name}-{next(_numbers)}"


__all__ = ["House", "HouseBench", "decided", "fact", "of_unit", "plate", "void_of"]
