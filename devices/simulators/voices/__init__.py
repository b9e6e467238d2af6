"""How simulated scales talk: one file per protocol, written from the maker's tables and not from our parsers.

To add one: a class with ``hear`` and ``speak`` over a ``Platform``, and one row in ``VOICES``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from devices.simulators.platform import Platform
from devices.simulators.voices.mt_sics import MtSicsVoice
from devices.simulators.voices.ohaus import OhausVoice

__all__ = ["VOICES", "Voice"]


class Voice(Protocol):
    """How a scale talks."""

    def hear(self, data: bytes, now: float) -> None: ...

    def speak(self, now: float) -> bytes: ...


VOICES: dict[str, Callable[[Platform], Voice]] = {
    "mt_sics": MtSicsVoice,
    "print_string": OhausVoice,
}
"""Driver name → how such a scale talks."""
