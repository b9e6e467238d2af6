"""Who did what without the role: kept, applied, flagged, and to be read by those who answer for it."""

from __future__ import annotations

from station.decision.model import Disposition
from tests.sync.centre.house import House, decided, fact, of_unit, plate


def flags_of(house: House, station: str) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    after = ""
    while True:
        page = house.get(f"/v1/authority-flags?limit=2{after}").json()
        assert len(page["flags"]) <= 2
        found += [(one["actor"], one["act"], one["code"]) for one in page["flags"] if one["station"] == station]
        if page["after"] is None:
            return found[::-1]
        after = f"&after={page['after']}"


def test_a_decision_that_only_a_lead_may_take_is_flagged(house: House) -> None:
    lpn, bench = plate("FLAG"), house.bench()
    bench.push(fact(of_unit(lpn)))
    at = house.server.clock.now()
    bench.push(decided(lpn, 1, Disposition.DONATE, at), actor="ines")
    bench.push(decided(lpn, 2, Disposition.RESTOCK, at), actor="lea")
    bench.push(fact(of_unit(plate("FLAG"))), actor="a stranger")
    bench.push(fact(of_unit(plate("FLAG"))), actor="ida")
    assert flags_of(house, bench.name) == [
        ("ines", "decide_held", "no_role"), ("a stranger", "inspect", "unknown_actor"), ("ida", "inspect", "no_role"),
    ]  # fmt: skip
    assert house.get(f"/v1/units/{lpn}").json()["disposition"] == "restock", "kept and applied, whoever it was"


def test_a_leads_decision_at_the_centre_is_not_flagged(house: House) -> None:
    lpn = plate("FLAG")
    house.bench().push(fact(of_unit(lpn)))
    assert house.decide(lpn).status_code == 200
    assert flags_of(house, "centre") == []


def test_who_may_read_the_flags(house: House) -> None:
    assert [house.get("/v1/authority-flags", by).status_code for by in ("lea", "ida", "aud")] == [200, 200, 200]
    assert [house.get("/v1/authority-flags", by).status_code for by in ("ines", "mia")] == [403, 403]
    assert house.server.ask("GET", "/v1/authority-flags").status_code == 403
    assert house.get("/v1/authority-flags?limit=0").status_code == 400
