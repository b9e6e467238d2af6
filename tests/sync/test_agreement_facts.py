"""Blind looks at the centre: kept and acknowledged, and nothing is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from station.canonical import canonical_json
from station.inspection.record import INSPECTION_CONFIRMED, PARCEL_OPENED
from station.journal.entry import Fact
from station.review.agreement.planted import KINDS, PREFIX
from sync.protocol import Status
from sync.server.facts import Inspected, Kept
from sync.server.judge import judge_payload
from sync.server.storage import database_url
from tests.sync.material import an_inspection, chain
from tests.sync.test_journal import Centre


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    url = database_url(f"sqlite:///{tmp_path / 'server.sqlite3'}")
    made = Centre(url)
    yield made
    made.database.close()


def test_a_blind_inspection_is_kept_and_no_inspection(centre: Centre) -> None:
    blind = chain([Fact(PREFIX + INSPECTION_CONFIRMED, 1, canonical_json(an_inspection(1)))])
    assert [result.status for result in centre.push(blind)] == [Status.ACCEPTED]
    counted = centre.counts()
    assert (counted["entries"], counted["inspections"], counted["quarantined"]) == (1, 0, 0)
    centre.push(chain([Fact(INSPECTION_CONFIRMED, 1, canonical_json(an_inspection(2)))], blind[-1]))
    assert centre.counts()["inspections"] == 1, "a real one counts"


def test_no_kind_of_this_room_is_read_as_goods() -> None:
    payload = canonical_json(an_inspection(1))
    for kind in KINDS:
        code, _, fact = judge_payload(kind, 1, payload)
        assert code is None
        assert isinstance(fact, Kept)
    assert isinstance(judge_payload(INSPECTION_CONFIRMED, 1, payload)[2], Inspected)
    assert PREFIX + PARCEL_OPENED in KINDS
