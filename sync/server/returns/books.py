"""The rule files that the centre itself needs: policies, return reasons, which gates a permission may pass."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from station.decision.rules import Rules, load_rules


@cache
def rules() -> Rules:
    """The rule files of this installation; read when first needed, once a process."""
    return load_rules()


def derogable_gates() -> Mapping[str, tuple[str, ...]]:
    """Gates that a recorded permission may pass → the kinds that it may be of; none = any."""
    return {rule.id: rule.derogation_kinds for rule in rules().gates.gates if rule.derogable}
