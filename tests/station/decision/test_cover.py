"""Coverage of the shipped protocols."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from station.decision.cover import Coverage, cover_protocol
from station.decision.rules import load_rules
from station.inspection.protocol import Condition

RULES = load_rules()


@cache
def covered(protocol_id: str) -> Coverage:
    """The walk of a shipped protocol, once for all tests."""
    (protocol,) = (each for each in RULES.latest if each.id == protocol_id)
    return cover_protocol(protocol, RULES)


@pytest.mark.parametrize("protocol", RULES.latest, ids=lambda protocol: protocol.id)
def test_every_choice_is_reached_and_a_clean_unit_passes(protocol):
    coverage = covered(protocol.id)
    assert coverage.missed == ()
    assert coverage.complete
    assert 1 <= coverage.longest_clean <= 3
    assert coverage.dispositions["restock"] >= 1
    assert sum(coverage.dispositions.values()) == coverage.branches
    assert all(sum(grades.values()) == coverage.branches for grades in coverage.grades.values())


def test_together_they_reach_every_grade_of_every_scheme():
    reached: Counter[tuple[str, str]] = Counter()
    for protocol in RULES.latest:
        for scheme, grades in covered(protocol.id).grades.items():
            reached.update({(scheme, grade): count for grade, count in grades.items()})
    assert [key for key, count in reached.items() if not count] == []


def test_a_question_that_cannot_be_asked_is_counted_as_missed():
    protocol = RULES.protocol("homeware", 2)
    assert protocol is not None
    never = replace(protocol.questions[1], when=Condition({"look": ("nothing",)}))
    coverage = cover_protocol(replace(protocol, questions=(protocol.questions[0], never)), RULES)
    assert coverage.missed == ("damage=chip", "damage=broken", "damage=part_missing", "damage=spilled")
    assert not coverage.complete
