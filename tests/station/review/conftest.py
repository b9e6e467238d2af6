"""The unit that decisions are tested with, for the rooms that look at it a second time."""

from tests.station.decision.conftest import case, rules

__all__ = ["case", "rules"]
