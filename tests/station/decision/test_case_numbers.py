"""Numbers as answers in an inspection given as JSON: integers in the question's smallest step."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from station.decision.case_file import read_case
from station.decision.rules import load_rules
from station.errors import InvalidInput
from tests.station.inspection import test_protocol_kinds as kinds

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_number_is_given_in_steps_and_read_by_its_ranges() -> None:
    protocol = kinds.read()
    rules = dataclasses.replace(load_rules(), protocols={("toys", 1): protocol}, latest=(protocol,))
    document = {
        "policy": "small_brand",
        "protocol": "toys",
        "item": {"sku": "T-1", "category": "toys"},
        "answers": {"look": "good", "length": 1204, "serial": "same", "note": "said"},
    }

    def read_length(value: object) -> tuple[str, str | None]:
        data = json.dumps({**document, "answers": {**document["answers"], "length": value}}).encode()  # type: ignore[dict-item]
        answer = next(a for a in read_case(data, rules, now=NOW).answers if a.question == "length")
        return answer.choice, answer.value

    assert read_length(1204) == ("right", "1204")
    assert read_length(1206) == ("wrong", "1206")
    assert read_length("cannot") == ("cannot", None)
    with pytest.raises(InvalidInput, match=r"'answers\.length' = 9999: 999\.9 mm cannot be"):
        read_length(9999)
    with pytest.raises(InvalidInput, match="must be a choice in quotes"):
        read_length(True)
