"""What a check of the bench found: one shape for every room, for ``station doctor`` and for IT's screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    WARN = "warn"
    """Work goes on; somebody should look."""
    FAIL = "fail"
    """The bench cannot work so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    """Stable, for scripts: ``identity``, ``clock``, ``backlog``, ``backup`` …"""
    status: Health
    detail: str
    """What was found, one sentence."""
    fix: str = ""
    """What to do; empty = nothing."""
