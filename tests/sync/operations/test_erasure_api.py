"""Who may ask that something be forgotten, kept or shown: people by their roles, over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.inspection.record import Inspection
from station.people import Role
from sync.client.api import encode_push
from sync.server.storage import database_url
from tests.sync.material import STATION, an_inspection, chain, fact, jpeg_of
from tests.sync.people.material import Browser, PeopleServer

JPEG = jpeg_of(41)
NAME = hashlib.sha256(JPEG).hexdigest()
PHOTO = f"/v1/photos/{NAME}"


class Floor:
    """A server with one unit, an administrator, a lead, an auditor and an inspector."""

    def __init__(self, folder: Path) -> None:
        self.server = PeopleServer(database_url(f"sqlite:///{folder / 'server.sqlite3'}"), folder)
        self.unit: Inspection = an_inspection(1, [JPEG])
        pushed = self.server.ask("POST", "/v1/journal", content=encode_push(STATION, chain([fact(self.unit)])))
        assert pushed.json()["results"][0]["status"] == "accepted"
        assert self.server.ask("PUT", PHOTO, content=JPEG).status_code == 201
        for name, role in (("ada", Role.ADMIN), ("lea", Role.LEAD), ("abe", Role.AUDITOR), ("ian", Role.INSPECTOR)):
            self.server.add(name, role)

        self._signed_in: dict[str, Browser] = {}

    def browser(self, name: str) -> Browser:
        if name not in self._signed_in:  # signing in is rationed
            self._signed_in[name] = self.server.browser(name)
        return self._signed_in[name]


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.server.stop()


def test_roles_decide_who_may_what(floor: Floor) -> None:
    asked = {"unit_id": floor.unit.unit_id}
    hold, held = f"/v1/holds/{floor.unit.unit_id}", {"reason": "carrier claim"}
    for name in ("lea", "abe", "ian"):
        assert floor.browser(name).ask("POST", "/v1/erasures", json=asked).status_code == 403
    for name in ("abe", "ian"):
        assert floor.browser(name).ask("PUT", hold, json=held).status_code == 403
    assert floor.server.ask("POST", "/v1/erasures", json=asked).status_code == 403, "a bench is no administrator"
    assert floor.browser("lea").ask("GET", PHOTO).content == JPEG
    assert floor.browser("abe").ask("GET", PHOTO).content == JPEG
    assert floor.browser("ian").ask("GET", PHOTO).status_code == 403
    assert floor.server.ask("GET", PHOTO).content == JPEG, "benches of the site"

    lea, ada = floor.browser("lea"), floor.browser("ada")
    assert lea.ask("PUT", hold, json=held).json() == {"unit_id": floor.unit.unit_id, "held": True}
    assert ada.ask("POST", "/v1/erasures", json=asked).json()["error"]["code"] == "held"
    assert lea.ask("DELETE", hold).status_code == 200
    done = ada.ask("POST", "/v1/erasures", json=asked)
    assert (done.status_code, done.json()["entries"], done.json()["photos"]) == (202, 1, 1)
    assert done.json()["requested_by"] == "ada"
    assert floor.browser("lea").ask("GET", PHOTO).status_code == 404
    assert floor.browser("abe").ask("GET", "/v1/erasures").json()["erasures"] == [done.json()]
    again = floor.server.ask("POST", "/v1/photos/missing", json={"hashes": [NAME]}).json()
    assert again == {"missing": [], "held": [NAME]}


def test_without_the_csrf_token_nothing_is_erased(floor: Floor) -> None:
    """Negative control of the guard: the cookie alone is not enough."""
    ada = floor.browser("ada")
    refused = floor.server.ask("POST", "/v1/erasures", ada.cookie, json={"unit_id": floor.unit.unit_id})
    assert refused.status_code == 403
    assert floor.server.ask("GET", PHOTO).content == JPEG
