"""The rule files that the centre itself needs: policies, return reasons, which gates a permission may pass."""

from __future__ import annotations

from functools import cache

from station.decision.rules import Rules, load_rules


@cache
def rules() -> Rules:
    """The rule files of this installation; read when first needed, once a process."""
    return load_rules()


def derogable_gates() -> frozenset[str]:
    """Gates that a recorded permission may pass."""
    return frozenset(rule.id for rule in rules().gates.gates if rule.derogable)
